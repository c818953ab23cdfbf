// Reading controls. The members a control may have are a table, so that a typing
// error in a file is found and named rather than silently ignored.

#include "assess/control.h"

#include "base/array.h"
#include "base/map.h"
#include "value/yaml.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stddef.h>
#include <sys/stat.h>

static const char *const SEVERITY_NAMES[] = {
    [SEVERITY_INFO] = "info", [SEVERITY_LOW] = "low",           [SEVERITY_MEDIUM] = "medium",
    [SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical",
};

const char *
severity_name(Severity severity)
{
    return SEVERITY_NAMES[severity];
}

bool
severity_parse(Str name, Severity *out)
{
    for (size_t i = 0; i < COUNT_OF(SEVERITY_NAMES); i++) {
        if (str_equal(name, str_from(SEVERITY_NAMES[i]))) {
            *out = (Severity)i;
            return true;
        }
    }
    return false;
}

typedef struct TextMember {
    const char *key;
    size_t offset; // of the Str in Control
    bool required;
} TextMember;

#define TEXT_MEMBER(KEY, FIELD, REQUIRED)                                                          \
    {                                                                                              \
        KEY, offsetof(Control, FIELD), REQUIRED                                                    \
    }

static const TextMember CONTROL_MEMBERS[] = {
    TEXT_MEMBER("id", id, true),       TEXT_MEMBER("title", title, true),
    TEXT_MEMBER("area", area, true),   TEXT_MEMBER("rationale", rationale, true),
    TEXT_MEMBER("query", query, true),
};
static const TextMember FIX_MEMBERS[] = {
    TEXT_MEMBER("text", fix_text, true),      TEXT_MEMBER("az", fix_az, false),
    TEXT_MEMBER("bicep", fix_bicep, false),   TEXT_MEMBER("policy", fix_policy, false),
    TEXT_MEMBER("breaks", fix_breaks, false),
};
// Members that are read by code of their own.
static const char *const OTHER_MEMBERS[] = {"severity", "requires", "remediation", "mappings"};

static bool
is_known(Str key, const TextMember *members, size_t count, bool others)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(key, str_from(members[i].key)))
            return true;
    for (size_t i = 0; others && i < COUNT_OF(OTHER_MEMBERS); i++)
        if (str_equal(key, str_from(OTHER_MEMBERS[i])))
            return true;
    return false;
}

static bool
read_members(Arena *arena, const char *path, YamlNode *map, const TextMember *members, size_t count,
             bool others, Control *out, AzError *error)
{
    if (!yaml_is_map(map))
        return error_set(error, AZ_INVALID, "%s: not a mapping of control members", path);
    for (size_t i = 0; i < yaml_count(map); i++) {
        YamlNode *key = yaml_key_at(map, i);
        Str name = yaml_text(arena, key);
        if (!is_known(name, members, count, others))
            return error_set(error, AZ_INVALID, "%s:%u: a control has no member '%.*s'", path,
                             yaml_line(key), STR_ARG(name));
    }
    for (size_t i = 0; i < count; i++) {
        Str text = str_trim(yaml_text(arena, yaml_get(map, members[i].key)));
        if (members[i].required && text.len == 0)
            return error_set(error, AZ_INVALID, "%s: member '%s' is missing or empty", path,
                             members[i].key);
        *(Str *)((char *)out + members[i].offset) = text;
    }
    return true;
}

static void
read_mappings(Arena *arena, YamlNode *map, Control *out)
{
    out->mapping_count = yaml_is_map(map) ? yaml_count(map) : 0;
    out->mappings = ARENA_ARRAY(arena, ControlMapping, out->mapping_count);
    for (size_t i = 0; i < out->mapping_count; i++) {
        out->mappings[i].framework = yaml_text(arena, yaml_key_at(map, i));
        out->mappings[i].ids = yaml_texts(arena, yaml_value_at(map, i), &out->mappings[i].count);
    }
}

static bool
read_control(Arena *arena, const char *path, YamlNode *root, Control *out, AzError *error)
{
    if (!read_members(arena, path, root, CONTROL_MEMBERS, COUNT_OF(CONTROL_MEMBERS), true, out,
                      error) ||
        !read_members(arena, path, yaml_get(root, "remediation"), FIX_MEMBERS,
                      COUNT_OF(FIX_MEMBERS), false, out, error))
        return false;
    YamlNode *severity = yaml_get(root, "severity");
    Str name = yaml_text(arena, severity);
    if (!severity_parse(name, &out->severity))
        return error_set(error, AZ_INVALID,
                         "%s:%u: severity '%.*s' is none of critical, high, medium, low, info",
                         path, yaml_line(severity), STR_ARG(name));
    out->needs = yaml_texts(arena, yaml_get(root, "requires"), &out->need_count);
    out->query_line = yaml_line(yaml_get(root, "query"));
    read_mappings(arena, yaml_get(root, "mappings"), out);
    return true;
}

bool
control_load(Arena *arena, const char *path, Control *out, AzError *error)
{
    *out = (Control){.file = str_copy(arena, str_from(path))};
    YamlDoc *doc = yaml_load(path, error);
    if (!doc)
        return false;
    bool done = read_control(arena, path, yaml_root(doc), out, error);
    yaml_free(doc);
    return done;
}

static int
control_order(const void *a, const void *b)
{
    const Control *x = a, *y = b;
    int order = str_compare(x->area, y->area);
    return order ? order : str_compare(x->id, y->id);
}

static bool
load_folder(Arena *arena, const char *dir, const char *glob, int depth, ControlSet *out,
            AzError *error)
{
    DIR *folder = opendir(dir);
    if (!folder)
        return error_errno(error, "cannot open the folder of controls '%s'", dir);
    bool done = true;
    struct dirent *entry;
    while (done && (entry = readdir(folder))) {
        Str name = str_from(entry->d_name);
        if (name.len == 0 || name.ptr[0] == '.')
            continue;
        Str path = str_format(arena, "%s/%s", dir, entry->d_name);
        struct stat info;
        if (stat(path.ptr, &info))
            continue;
        if (S_ISDIR(info.st_mode)) {
            done = depth > 8 || load_folder(arena, path.ptr, glob, depth + 1, out, error);
            continue;
        }
        if (!str_ends(name, STR(".yaml")) && !str_ends(name, STR(".yml")))
            continue;
        Control control;
        done = control_load(arena, path.ptr, &control, error);
        if (done && (!glob || fnmatch(glob, str_cstr(arena, control.id), 0) == 0))
            ARRAY_PUSH(arena, out, control);
    }
    closedir(folder);
    return done;
}

bool
controls_load(Arena *arena, const char *dir, const char *glob, ControlSet *out, AzError *error)
{
    *out = (ControlSet){0};
    if (!load_folder(arena, dir, glob, 0, out, error))
        return false;
    if (out->len)
        qsort(out->items, out->len, sizeof(Control), control_order);
    Map ids;
    map_init(&ids, arena, true);
    for (size_t i = 0; i < out->len; i++) {
        const Control *earlier = map_get(&ids, out->items[i].id);
        if (earlier)
            return error_set(error, AZ_INVALID, "control %.*s is defined twice: %.*s and %.*s",
                             STR_ARG(out->items[i].id), STR_ARG(earlier->file),
                             STR_ARG(out->items[i].file));
        map_put(&ids, out->items[i].id, &out->items[i]);
    }
    return true;
}
