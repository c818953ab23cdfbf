#include "collect/source.h"

#include "base/array.h"
#include "value/yaml.h"

#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef struct Reader {
    Arena *arena;
    const char *path;
    AzError *error;
} Reader;

static bool
fail(const Reader *reader, YamlNode *node, const char *what, Str name)
{
    return error_set(reader->error, AZ_INVALID, "%s:%u: %s '%.*s'", reader->path, yaml_line(node),
                     what, STR_ARG(name));
}

static bool
read_number(const Reader *reader, YamlNode *map, const char *key, double *out)
{
    YamlNode *node = yaml_get(map, key);
    char *text = str_cstr(reader->arena, yaml_text(reader->arena, node)), *end;
    *out = strtod(text, &end);
    return (*text && !*end && *out > 0) ||
           fail(reader, node, "a quota needs a number above 0 for", str_from(key));
}

// "users: {50: 1.4, 500: 2.3}"
static bool
read_sizes(const Reader *reader, YamlNode *map, Quota *quota)
{
    quota->size_count = yaml_count(map);
    quota->sizes = ARENA_ARRAY(reader->arena, QuotaSize, quota->size_count);
    for (size_t i = 0; i < quota->size_count; i++) {
        Str users = yaml_text(reader->arena, yaml_key_at(map, i));
        char *name = str_cstr(reader->arena, users), *end;
        quota->sizes[i].users = strtoull(name, &end, 10);
        bool ascends = !i || quota->sizes[i].users > quota->sizes[i - 1].users;
        if (*end || !*name || !ascends)
            return fail(reader, yaml_key_at(map, i), "'users' needs rising numbers, not", users);
        if (!read_number(reader, map, name, &quota->sizes[i].times))
            return false;
    }
    return true;
}

static bool
read_quotas(const Reader *reader, YamlNode *map, SourceSet *set)
{
    set->quota_count = yaml_count(map);
    set->quotas = ARENA_ARRAY(reader->arena, Quota, set->quota_count);
    for (size_t i = 0; i < set->quota_count; i++) {
        Quota *quota = &set->quotas[i];
        YamlNode *node = yaml_value_at(map, i);
        quota->name = yaml_text(reader->arena, yaml_key_at(map, i));
        quota->remaining = yaml_text(reader->arena, yaml_get(node, "remaining"));
        quota->resets = yaml_text(reader->arena, yaml_get(node, "resets"));
        quota->used = yaml_text(reader->arena, yaml_get(node, "used"));
        Str per = yaml_text(reader->arena, yaml_get(node, "per"));
        quota->per_subscription = str_equal(per, STR("subscription"));
        if (!read_number(reader, node, "burst", &quota->burst) ||
            !read_number(reader, node, "rate", &quota->rate) ||
            !read_sizes(reader, yaml_get(node, "users"), quota))
            return false;
        if (!quota->per_subscription && !str_equal(per, STR("tenant")))
            return fail(reader, yaml_key_at(map, i), "'per' must be tenant or subscription for",
                        quota->name);
    }
    return true;
}

static SourceColumn *
read_columns(const Reader *reader, YamlNode *map, size_t *count)
{
    *count = yaml_count(map);
    SourceColumn *columns = ARENA_ARRAY(reader->arena, SourceColumn, *count);
    for (size_t i = 0; i < *count; i++) {
        columns[i].name = yaml_text(reader->arena, yaml_key_at(map, i));
        columns[i].texts = yaml_texts(reader->arena, yaml_value_at(map, i), &columns[i].count);
    }
    return columns;
}

static bool
is_true(const Reader *reader, YamlNode *map, const char *key)
{
    return str_equal(yaml_text(reader->arena, yaml_get(map, key)), STR("true"));
}

static bool
check_members(const Reader *reader, YamlNode *map)
{
    static const Str known[] = {
        STR_INIT("name"),   STR_INIT("table"),   STR_INIT("quota"),   STR_INIT("query"),
        STR_INIT("arm"),    STR_INIT("graph"),   STR_INIT("version"), STR_INIT("each"),
        STR_INIT("types"),  STR_INIT("where"),   STR_INIT("batch"),   STR_INIT("set"),
        STR_INIT("absent"), STR_INIT("flatten"), STR_INIT("need"),    STR_INIT("licence"),
        STR_INIT("cost"),   STR_INIT("one"),     STR_INIT("refresh"), STR_INIT("track"),
    };
    for (size_t i = 0; i < yaml_count(map); i++) {
        Str name = yaml_text(reader->arena, yaml_key_at(map, i));
        bool found = false;
        for (size_t k = 0; k < COUNT_OF(known); k++)
            found = found || str_equal(known[k], name);
        if (!found)
            return fail(reader, yaml_key_at(map, i), "a source has no member", name);
    }
    return true;
}

// A table's file is named after it, and so is a source's.
static bool
is_file_name(Str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-'))
            return false;
    }
    return name.len > 0 && name.len <= 64;
}

static bool
read_refresh(const Reader *reader, YamlNode *map, Source *out)
{
    static const Str names[] = {STR_INIT("always"), STR_INIT("changes"), STR_INIT("delta")};
    YamlNode *node = yaml_get(map, "refresh");
    Str name = yaml_text(reader->arena, node);
    bool known = !node;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(name, names[i])) {
            out->refresh = (Refresh)i;
            known = true;
        }
    if (!known)
        return fail(reader, node, "'refresh' is always, changes or delta, not", name);
    out->track = yaml_text(reader->arena, yaml_get(map, "track"));
    bool root = !out->each.len;
    if (out->refresh == REFRESH_DELTA &&
        (!root || out->service != SERVICE_GRAPH || str_find(out->path, STR("?$select=")) < 0))
        return fail(reader, node, "a delta is of a list of Microsoft Graph with $select, not of",
                    out->name);
    if (out->refresh == REFRESH_CHANGES && root && !out->query.len)
        return fail(reader, node, "'changes' is for a query or for lists of parents, not for",
                    out->name);
    return true;
}

static bool
read_source(const Reader *reader, YamlNode *map, const SourceSet *set, Source *out)
{
    Arena *arena = reader->arena;
    YamlNode *at = yaml_key_at(map, 0);
    if (!yaml_is_map(map) || !check_members(reader, map))
        return reader->error && reader->error->code
                   ? false
                   : fail(reader, map, "a source is a mapping", STR(""));
    out->name = yaml_text(arena, yaml_get(map, "name"));
    out->table = yaml_text(arena, yaml_get(map, "table"));
    if (!out->table.len)
        out->table = out->name;
    if (!is_file_name(out->name) || !is_file_name(out->table))
        return fail(reader, at, "names are letters, digits and '-', not", out->name);
    Str quota = yaml_text(arena, yaml_get(map, "quota"));
    for (size_t i = 0; i < set->quota_count; i++)
        if (str_equal(set->quotas[i].name, quota))
            out->quota = &set->quotas[i];
    if (!out->quota)
        return fail(reader, at, "there is no quota", quota);
    out->cost = 1;
    if (yaml_get(map, "cost") && !read_number(reader, map, "cost", &out->cost))
        return false;
    Str arm = yaml_text(arena, yaml_get(map, "arm"));
    Str graph = yaml_text(arena, yaml_get(map, "graph"));
    out->query = yaml_text(arena, yaml_get(map, "query"));
    if ((arm.len > 0) + (graph.len > 0) + (out->query.len > 0) != 1)
        return fail(reader, at, "one of query, arm and graph is needed by", out->name);
    out->service = graph.len ? SERVICE_GRAPH : SERVICE_ARM;
    out->path = graph.len ? graph : arm;
    out->version = yaml_text(arena, yaml_get(map, "version"));
    if (arm.len && !out->version.len)
        return fail(reader, at, "an api-version is needed by", out->name);
    out->batch = is_true(reader, map, "batch");
    out->one = is_true(reader, map, "one");
    if (out->batch && !graph.len)
        return fail(reader, at, "batches are for Microsoft Graph, not for", out->name);
    out->each = yaml_text(arena, yaml_get(map, "each"));
    out->types = yaml_texts(arena, yaml_get(map, "types"), &out->type_count);
    out->where = read_columns(reader, yaml_get(map, "where"), &out->where_count);
    out->set = read_columns(reader, yaml_get(map, "set"), &out->set_count);
    for (size_t i = 0; i < out->set_count; i++)
        if (out->set[i].count != 1)
            return fail(reader, at, "a column has one text in 'set' of", out->name);
    out->flatten = yaml_text(arena, yaml_get(map, "flatten"));
    out->need = yaml_text(arena, yaml_get(map, "need"));
    out->licence = yaml_text(arena, yaml_get(map, "licence"));
    out->absent = yaml_texts(arena, yaml_get(map, "absent"), &out->absent_count);
    return read_refresh(reader, map, out);
}

// "changes: {days: 14, changed: {...}, history: {...}, activity: {...}}"
static bool
read_signals(const Reader *reader, YamlNode *map, SourceSet *set)
{
    static const char *const names[] = {"changed", "history", "activity"};
    Source **const places[] = {&set->changed, &set->history, &set->activity};
    if (!map)
        return true;
    if (!read_number(reader, map, "days", &set->history_days))
        return false;
    set->signals = ARENA_ARRAY(reader->arena, Source, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        YamlNode *node = yaml_get(map, names[i]);
        if (!node)
            return fail(reader, map, "'changes' lacks", str_from(names[i]));
        Source *source = &set->signals[set->signal_count++];
        if (!read_source(reader, node, set, source))
            return false;
        source->number = set->len + i;
        *places[i] = source;
    }
    return true;
}

static bool
read_sources(const Reader *reader, YamlNode *list, SourceSet *set)
{
    set->len = yaml_count(list);
    set->items = ARENA_ARRAY(reader->arena, Source, set->len);
    for (size_t i = 0; i < set->len; i++) {
        YamlNode *node = yaml_item(list, i);
        set->items[i].number = i;
        if (!read_source(reader, node, set, &set->items[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (str_equal_ci(set->items[k].name, set->items[i].name))
                return fail(reader, yaml_key_at(node, 0), "two sources are called",
                            set->items[i].name);
    }
    // Parents that nobody collects would never come.
    for (size_t i = 0; i < set->len; i++) {
        bool found = !set->items[i].each.len;
        for (size_t k = 0; k < set->len; k++)
            found = found || str_equal_ci(set->items[k].table, set->items[i].each);
        if (!found)
            return fail(reader, yaml_key_at(yaml_item(list, i), 0),
                        "no source fills the table that is named by 'each' of", set->items[i].name);
    }
    return set->len > 0 || fail(reader, list, "the file has no", STR("sources"));
}

static Str
hash_file(Arena *arena, const char *path)
{
    Buffer text = {0};
    FILE *file = fopen(path, "re");
    for (size_t got = 1; file && got;) {
        got = fread(buffer_reserve(&text, 65536), 1, 65536, file);
        text.len += got;
    }
    if (file)
        fclose(file);
    XXH64_hash_t hash = XXH3_64bits(text.data, text.len);
    buffer_free(&text);
    return str_format(arena, "%016llx", (unsigned long long)hash);
}

bool
sources_load(Arena *arena, const char *content_dir, SourceSet *out, AzError *error)
{
    char *path = str_cstr(arena, str_format(arena, "%s/collect/sources.yaml", content_dir));
    YamlDoc *doc = yaml_load(path, error);
    if (!doc)
        return false;
    *out = (SourceSet){0};
    YamlNode *root = yaml_root(doc);
    Reader reader = {arena, path, error};
    bool done = read_quotas(&reader, yaml_get(root, "quotas"), out) &&
                read_sources(&reader, yaml_get(root, "sources"), out) &&
                read_signals(&reader, yaml_get(root, "changes"), out);
    out->absent = yaml_texts(arena, yaml_get(root, "absent"), &out->absent_count);
    out->hash = hash_file(arena, path);
    yaml_free(doc);
    return done;
}

// Marks the sources of the table, and those of the tables they need.
static bool
mark(const SourceSet *set, Str table, bool *kept)
{
    bool found = false;
    for (size_t i = 0; i < set->len; i++) {
        if (!str_equal_ci(set->items[i].table, table))
            continue;
        found = true;
        if (kept[i])
            continue;
        kept[i] = true;
        if (set->items[i].each.len)
            mark(set, set->items[i].each, kept);
    }
    return found;
}

bool
sources_keep(Arena *arena, SourceSet *set, Str tables, AzError *error)
{
    bool *kept = ARENA_ARRAY(arena, bool, set->len);
    while (tables.len) {
        ptrdiff_t comma = str_find(tables, STR(","));
        size_t end = comma < 0 ? tables.len : (size_t)comma;
        Str table = str_trim(str_slice(tables, 0, end));
        tables = str_slice(tables, end + 1, tables.len);
        if (!table.len || mark(set, table, kept))
            continue;
        Str *names = ARENA_ARRAY(arena, Str, set->len);
        for (size_t i = 0; i < set->len; i++)
            names[i] = set->items[i].table;
        ptrdiff_t near = str_nearest(table, names, set->len);
        return error_set(error, AZ_INVALID, "no source fills a table '%.*s'%s%.*s%s",
                         STR_ARG(table), near >= 0 ? "; did you mean '" : "",
                         STR_ARG(near >= 0 ? names[near] : STR("")), near >= 0 ? "'?" : "");
    }
    size_t len = 0;
    for (size_t i = 0; i < set->len; i++) {
        if (!kept[i])
            continue;
        set->items[len] = set->items[i];
        set->items[len].number = len;
        len++;
    }
    set->len = len;
    for (size_t i = 0; i < set->signal_count; i++)
        set->signals[i].number = len + i;
    return len > 0 || error_set(error, AZ_INVALID, "no table was named");
}
