// Folders of rules.

#include "base/map.h"
#include "detect/rule_read.h"

#include "base/array.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDER_DEPTH = 16 };

static bool
add_rule(Arena *arena, const char *path, YamlNode *node, RuleSet *out, AzError *error)
{
    AnalyticsRule rule;
    if (!rule_read(arena, path, node, &rule, error))
        return false;
    ARRAY_PUSH(arena, out, rule);
    return true;
}

static bool
is_rule_resource(Arena *arena, YamlNode *resource)
{
    Str type = str_lower(arena, yaml_text(arena, yaml_get(resource, "type")));
    return str_ends(type, STR("/alertrules")) || str_ends(type, STR("/alertruletemplates"));
}

bool
rules_read_file(Arena *arena, const char *path, RuleSet *out, AzError *error)
{
    const char *kept = str_cstr(arena, str_from(path));
    YamlDoc *doc = yaml_load(path, error);
    if (!doc)
        return false;
    YamlNode *root = yaml_root(doc), *resources = yaml_get(root, "resources");
    YamlNode *list = yaml_is_list(root) ? root : yaml_is_list(resources) ? resources : NULL;
    size_t before = out->len;
    bool done = list || add_rule(arena, kept, root, out, error);
    for (size_t i = 0; done && list && i < yaml_count(list); i++)
        if (list == root || is_rule_resource(arena, yaml_item(list, i)))
            done = add_rule(arena, kept, yaml_item(list, i), out, error);
    if (done && out->len == before)
        done = error_set(error, AZ_INVALID, "%s: the template has no analytics rule", path);
    yaml_free(doc);
    return done;
}

static void
add_problem(Arena *arena, RuleProblems *problems, const char *file, Str text)
{
    RuleProblem problem = {str_copy(arena, str_from(file)), text, false};
    ARRAY_PUSH(arena, problems, problem);
}

static bool
is_rule_file(Str name)
{
    return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")) ||
           str_ends(name, STR(".json"));
}

static void
load_file(Arena *arena, const char *path, RuleSet *out, RuleProblems *problems)
{
    AzError error = {0};
    if (!rules_read_file(arena, path, out, &error))
        add_problem(arena, problems, path, str_copy(arena, str_from(error.message)));
}

static bool
load_folder(Arena *arena, const char *dir, int depth, RuleSet *out, RuleProblems *problems,
            AzError *error)
{
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    if (count < 0)
        return error_errno(error, "cannot open the folder of rules '%s'", dir);
    for (int i = 0; i < count; i++) {
        Str name = str_from(entries[i]->d_name);
        Str path = str_format(arena, "%s/%s", dir, entries[i]->d_name);
        struct stat info;
        AzError inner = {0};
        if (name.ptr[0] != '.' && stat(path.ptr, &info) == 0) {
            if (S_ISREG(info.st_mode) && is_rule_file(name))
                load_file(arena, path.ptr, out, problems);
            else if (S_ISDIR(info.st_mode) && depth < FOLDER_DEPTH &&
                     !load_folder(arena, path.ptr, depth + 1, out, problems, &inner))
                add_problem(arena, problems, path.ptr, str_copy(arena, str_from(inner.message)));
        }
        free(entries[i]);
    }
    free(entries);
    return true;
}

static int
by_id(const void *a, const void *b)
{
    const AnalyticsRule *x = a, *y = b;
    int order = str_compare_ci(x->id, y->id);
    return order ? order : str_compare(x->file, y->file);
}

// Of several rules with one id the first is kept: alerts are told apart by it.
static void
drop_doubles(Arena *arena, RuleSet *rules, RuleProblems *problems)
{
    size_t kept = 0;
    for (size_t i = 0; i < rules->len; i++) {
        AnalyticsRule *rule = &rules->items[i];
        if (kept == 0 || !str_equal_ci(rules->items[kept - 1].id, rule->id)) {
            rules->items[kept++] = *rule;
            continue;
        }
        add_problem(arena, problems, str_cstr(arena, rule->file),
                    str_format(arena, "%.*s: the id %.*s of rule '%.*s' is that of '%.*s' in %.*s",
                               STR_ARG(rule->file), STR_ARG(rule->id), STR_ARG(rule->name),
                               STR_ARG(rules->items[kept - 1].name),
                               STR_ARG(rules->items[kept - 1].file)));
    }
    rules->len = kept;
}

bool
rules_load(Arena *arena, const char *path, RuleSet *out, RuleProblems *problems, AzError *error)
{
    struct stat info;
    if (stat(path, &info))
        return error_errno(error, "cannot open the rules '%s'", path);
    if (S_ISDIR(info.st_mode)) {
        if (!load_folder(arena, path, 0, out, problems, error))
            return false;
    } else {
        load_file(arena, path, out, problems);
    }
    if (out->len)
        qsort(out->items, out->len, sizeof(out->items[0]), by_id);
    drop_doubles(arena, out, problems);
    return true;
}
