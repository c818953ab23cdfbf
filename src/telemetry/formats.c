// Reading content/telemetry: formats.yaml and categories.yaml.

#include "telemetry/formats.h"

#include "base/array.h"
#include "base/glob.h"

#include <stdio.h>

typedef struct Loader {
    Telemetry *telemetry;
    Arena *arena;
    const char *path;
    AzError *error;
} Loader;

static bool
load_fail(Loader *load, YamlNode *node, const char *what)
{
    return error_set(load->error, AZ_INVALID, "%s:%u: %s", load->path, yaml_line(node), what);
}

static ValueExpr *
load_value(Loader *load, YamlNode *node)
{
    char where[1200];
    snprintf(where, sizeof(where), "%s:%u", load->path, yaml_line(node));
    return value_compile(load->arena, node, where, load->error);
}

static bool
load_values(Loader *load, YamlNode *list, ValueList *out)
{
    size_t count;
    Str *texts = yaml_texts(load->arena, list, &count);
    char where[1200];
    snprintf(where, sizeof(where), "%s:%u", load->path, yaml_line(list));
    for (size_t i = 0; i < count; i++) {
        ValueExpr *value = value_compile_text(load->arena, texts[i], where, load->error);
        if (!value)
            return false;
        ARRAY_PUSH(load->arena, out, value);
    }
    return true;
}

static StrList
load_texts(Loader *load, YamlNode *list)
{
    StrList out;
    out.items = yaml_texts(load->arena, list, &out.len);
    return out;
}

static bool
load_columns(Loader *load, YamlNode *map, ColumnRules *out)
{
    for (size_t i = 0; i < yaml_count(map); i++) {
        ColumnRule rule = {yaml_text(load->arena, yaml_key_at(map, i)),
                           load_value(load, yaml_value_at(map, i))};
        if (!rule.value)
            return false;
        ARRAY_PUSH(load->arena, out, rule);
    }
    return true;
}

static bool
load_equals(Loader *load, YamlNode *map, Format *format)
{
    for (size_t i = 0; i < yaml_count(map); i++) {
        EqualsRule rule = {load_value(load, yaml_key_at(map, i)),
                           load_texts(load, yaml_value_at(map, i))};
        if (!rule.value)
            return false;
        ARRAY_PUSH(load->arena, &format->equals, rule);
    }
    return true;
}

static bool
load_format(Loader *load, YamlNode *node)
{
    Format format = {.name = yaml_text(load->arena, yaml_get(node, "name"))};
    YamlNode *when = yaml_get(node, "when"), *table = yaml_get(node, "table");
    if (!format.name.len || !yaml_is_map(when) || !table)
        return load_fail(load, node, "a format has a name, a table, and marks under 'when'");
    format.known = str_equal(yaml_text(load->arena, yaml_get(when, "known")), STR("true"));
    format.by_category =
        !yaml_is_map(table) && str_equal(yaml_text(load->arena, table), STR("category"));
    if (yaml_is_map(table))
        format.table = load_value(load, table);
    else if (!format.by_category)
        format.table = value_compile_text(
            load->arena, str_format(load->arena, "'%.*s'", STR_ARG(yaml_text(load->arena, table))),
            load->path, load->error);
    format.text = load_texts(load, yaml_get(node, "text"));
    map_init(&format.leave, load->arena, true);
    YamlNode *leave = yaml_get(node, "leave");
    for (size_t i = 0; i < yaml_count(leave); i++) {
        Str *name = ARENA_NEW(load->arena, Str);
        *name = yaml_text(load->arena, yaml_value_at(leave, i));
        map_put(&format.leave, yaml_text(load->arena, yaml_key_at(leave, i)), name);
    }
    format.spread = load_texts(load, yaml_get(node, "spread"));
    if ((!format.table && !format.by_category) ||
        !load_values(load, yaml_get(when, "has"), &format.has) ||
        !load_values(load, yaml_get(when, "any"), &format.any) ||
        !load_values(load, yaml_get(when, "lacks"), &format.lacks) ||
        !load_equals(load, yaml_get(when, "equals"), &format) ||
        !load_columns(load, yaml_get(node, "columns"), &format.columns))
        return false;
    ARRAY_PUSH(load->arena, &load->telemetry->formats, format);
    return true;
}

static bool
load_table_rules(Loader *load, YamlNode *list)
{
    for (size_t i = 0; i < yaml_count(list); i++) {
        YamlNode *node = yaml_item(list, i);
        StrList names = load_texts(load, yaml_get(node, "names"));
        ColumnRules *rules = ARENA_NEW(load->arena, ColumnRules);
        if (!names.len)
            return load_fail(load, node, "an entry of 'tables' has names");
        if (!load_columns(load, yaml_get(node, "columns"), rules))
            return false;
        for (size_t k = 0; k < names.len; k++)
            map_put(&load->telemetry->table_rules, names.items[k], rules);
    }
    return true;
}

static bool
load_formats(Loader *load, YamlNode *root)
{
    Telemetry *telemetry = load->telemetry;
    YamlNode *formats = yaml_get(root, "formats"), *texts = yaml_get(root, "diagnostics_text");
    if (!yaml_is_list(formats))
        return load_fail(load, root, "there is no list 'formats'");
    if (!load_columns(load, yaml_get(root, "standard"), &telemetry->standard))
        return false;
    for (size_t i = 0; i < yaml_count(formats); i++)
        if (!load_format(load, yaml_item(formats, i)))
            return false;
    for (size_t i = 0; i < yaml_count(texts); i++) {
        StrList *members = ARENA_NEW(load->arena, StrList);
        *members = load_texts(load, yaml_value_at(texts, i));
        map_put(&telemetry->diagnostics_text, yaml_text(load->arena, yaml_key_at(texts, i)),
                members);
    }
    telemetry->row_times = load_texts(load, yaml_get(root, "row_times"));
    telemetry->custom_times = load_texts(load, yaml_get(root, "custom_times"));
    return load_table_rules(load, yaml_get(root, "tables"));
}

static Str
category_key(Arena *arena, Str type, Str category)
{
    return str_format(arena, "%.*s\n%.*s", STR_ARG(type), STR_ARG(category));
}

static bool
load_categories(Loader *load, YamlNode *root)
{
    if (!yaml_is_map(root))
        return load_fail(load, root, "no mapping of resource types");
    for (size_t i = 0; i < yaml_count(root); i++) {
        Str type = yaml_text(load->arena, yaml_key_at(root, i));
        YamlNode *categories = yaml_value_at(root, i);
        for (size_t k = 0; k < yaml_count(categories); k++) {
            Str *table = ARENA_NEW(load->arena, Str);
            *table = yaml_text(load->arena, yaml_value_at(categories, k));
            Str category = yaml_text(load->arena, yaml_key_at(categories, k));
            map_put(&load->telemetry->categories, category_key(load->arena, type, category), table);
        }
    }
    return true;
}

static bool
load_file(Telemetry *telemetry, const char *name, bool (*read)(Loader *load, YamlNode *root),
          AzError *error)
{
    Str path =
        str_format(&telemetry->arena, "%s/telemetry/%s", content_dir(telemetry->content), name);
    Loader load = {telemetry, &telemetry->arena, str_cstr(&telemetry->arena, path), error};
    YamlDoc *doc = yaml_load(load.path, error);
    bool done = doc && read(&load, yaml_root(doc));
    yaml_free(doc);
    return done;
}

static void
note_table(void *context, Str name)
{
    Telemetry *telemetry = context;
    map_put(&telemetry->names, name, telemetry);
}

Telemetry *
telemetry_open(Content *content, AzError *error)
{
    Telemetry *telemetry = calloc(1, sizeof(*telemetry));
    if (!telemetry) {
        error_set(error, AZ_LIMIT, "out of memory");
        return NULL;
    }
    Arena *arena = &telemetry->arena;
    telemetry->content = content;
    map_init(&telemetry->table_rules, arena, true);
    map_init(&telemetry->categories, arena, true);
    map_init(&telemetry->diagnostics_text, arena, true);
    map_init(&telemetry->tables, arena, true);
    map_init(&telemetry->by_columns, arena, false);
    map_init(&telemetry->names, arena, true);
    pthread_mutex_init(&telemetry->mutex, NULL);
    telemetry->category = value_compile_text(arena, STR("category"), "", error);
    telemetry->resource_type =
        value_compile_text(arena, STR("fulltype(resourceId) | 'microsoft.aadiam'"), "", error);
    content_each_table(content, CONTENT_ALL, note_table, telemetry);
    if (load_file(telemetry, "formats.yaml", load_formats, error) &&
        load_file(telemetry, "categories.yaml", load_categories, error))
        return telemetry;
    telemetry_close(telemetry);
    return NULL;
}

void
telemetry_close(Telemetry *telemetry)
{
    if (!telemetry)
        return;
    pthread_mutex_destroy(&telemetry->mutex);
    arena_free(&telemetry->arena);
    free(telemetry);
}

Str
telemetry_category(const Telemetry *telemetry, Arena *arena, Str type, Str category)
{
    const Str *table = map_get(&telemetry->categories, category_key(arena, type, category));
    return table ? *table : (Str){0};
}

static bool
has_value(const ValueExpr *value, Record *record)
{
    JsonMember member;
    return value_find(value, record, &member, false);
}

static bool
equals_one(const EqualsRule *rule, Record *record)
{
    Str text = value_text(rule->value, record);
    for (size_t i = 0; i < rule->texts.len; i++)
        if (glob_match(rule->texts.items[i], text, GLOB_IGNORE_CASE))
            return true;
    return false;
}

static bool
format_fits(const Telemetry *telemetry, const Format *format, Record *record)
{
    for (size_t i = 0; i < format->has.len; i++)
        if (!has_value(format->has.items[i], record))
            return false;
    for (size_t i = 0; i < format->lacks.len; i++)
        if (has_value(format->lacks.items[i], record))
            return false;
    bool any = format->any.len == 0;
    for (size_t i = 0; i < format->any.len && !any; i++)
        any = has_value(format->any.items[i], record);
    for (size_t i = 0; i < format->equals.len && any; i++)
        any = equals_one(&format->equals.items[i], record);
    return any &&
           (!format->known || telemetry_category(telemetry, record->scratch->arena,
                                                 value_text(telemetry->resource_type, record),
                                                 value_text(telemetry->category, record))
                                  .len);
}

const Format *
telemetry_format(const Telemetry *telemetry, Record *record)
{
    for (size_t i = 0; i < telemetry->formats.len; i++)
        if (format_fits(telemetry, &telemetry->formats.items[i], record))
            return &telemetry->formats.items[i];
    return NULL;
}
