#include "forensics/event_rules.h"

#include "base/array.h"
#include "value/json.h"
#include "value/scalar.h"
#include "value/yaml.h"

static const char *const COLUMN_NAMES[EVENT_COLUMNS] = {
    [EVENT_TIME] = "Time",       [EVENT_NAME] = "Event",    [EVENT_ACTOR] = "Actor",
    [EVENT_ADDRESS] = "Address", [EVENT_TARGET] = "Target", [EVENT_RESULT] = "Result",
    [EVENT_TEXT] = "Text",
};

// a.b."c.d".0 into its steps.
static bool
place_parse(Arena *arena, Str text, EventPlace *place)
{
    struct {
        Str *items;
        size_t len, cap;
    } steps = {0};
    *place = (EventPlace){0};
    if (str_starts(text, STR("'"))) {
        place->literal = str_slice(text, 1, text.len - 1);
        return text.len > 2 && str_ends(text, STR("'"));
    }
    for (size_t at = 0; at <= text.len; at++) {
        bool quoted = at < text.len && text.ptr[at] == '"';
        size_t from = at += quoted;
        while (at < text.len && text.ptr[at] != (quoted ? '"' : '.'))
            at++;
        Str step = str_slice(text, from, at);
        at += quoted;
        if (!step.len || (at < text.len && text.ptr[at] != '.'))
            return false;
        ARRAY_PUSH(arena, &steps, step);
    }
    place->steps = steps.items;
    place->step_count = steps.len;
    return steps.len > 0;
}

static bool
table_load(Arena *arena, YamlNode *node, const char *path, EventTable *table, AzError *error)
{
    table->pipe = yaml_text(arena, yaml_get(node, "pipe"));
    table->skip = str_equal(yaml_text(arena, yaml_get(node, "skip")), STR("true"));
    for (size_t c = 0; c < EVENT_COLUMNS; c++) {
        size_t count;
        YamlNode *list = yaml_get(node, COLUMN_NAMES[c]);
        Str *texts = yaml_texts(arena, list, &count);
        for (size_t i = 0; i < count; i++) {
            EventPlace place;
            if (!place_parse(arena, texts[i], &place))
                return error_set(error, AZ_INVALID, "%s:%u: '%.*s' is no place of a value", path,
                                 yaml_line(list), STR_ARG(texts[i]));
            ARRAY_PUSH(arena, &table->places[c], place);
        }
    }
    return true;
}

static bool
rules_read(Arena *arena, YamlNode *root, const char *path, EventRules *rules, AzError *error)
{
    YamlNode *list = yaml_get(root, "tables");
    if (!table_load(arena, yaml_get(root, "columns"), path, &rules->common, error))
        return false;
    if (!rules->common.places[EVENT_TIME].len)
        return error_set(error, AZ_INVALID, "%s: there is no list 'Time' under 'columns'", path);
    for (size_t i = 0; i < yaml_count(list); i++) {
        YamlNode *node = yaml_item(list, i);
        EventTable *table = ARENA_NEW(arena, EventTable);
        size_t count;
        Str *names = yaml_texts(arena, yaml_get(node, "names"), &count);
        if (!table_load(arena, node, path, table, error))
            return false;
        for (size_t k = 0; k < count; k++)
            map_put(&rules->tables, names[k], table);
    }
    return true;
}

bool
event_rules_load(Arena *arena, const char *content_dir, EventRules *rules, AzError *error)
{
    *rules = (EventRules){0};
    map_init(&rules->tables, arena, true);
    char *path = str_cstr(arena, str_format(arena, "%s/telemetry/events.yaml", content_dir));
    YamlDoc *doc = yaml_load(path, error);
    bool done = doc && rules_read(arena, yaml_root(doc), path, rules, error);
    yaml_free(doc);
    return done;
}

// The table's own places for a column come before the common ones; a table without own ones for
// it has the common ones only.
static const EventPlaces *
places_of(const EventRules *rules, Str table, EventColumn column, bool own)
{
    const EventTable *of = own ? map_get(&rules->tables, table) : &rules->common;
    return of && of->places[column].len ? &of->places[column] : NULL;
}

ptrdiff_t
event_time_column(const EventRules *rules, Str table, const Schema *schema)
{
    const EventTable *own = map_get(&rules->tables, table);
    if (own && own->skip)
        return -1;
    const EventPlaces *places = &rules->common.places[EVENT_TIME];
    for (size_t i = 0; i < places->len; i++) {
        ptrdiff_t at =
            places->items[i].step_count ? schema_find(schema, places->items[i].steps[0]) : -1;
        if (at >= 0 && schema->columns[at].type == TYPE_DATETIME)
            return at;
    }
    return -1;
}

Str
event_pipe(const EventRules *rules, Str table)
{
    const EventTable *own = map_get(&rules->tables, table);
    return own ? own->pipe : (Str){0};
}

void
kql_write_text(Buffer *out, Str text)
{
    json_write_string(out, text, false);
}

void
kql_write_name(Buffer *out, Str name)
{
    buffer_char(out, '[');
    json_write_string(out, name, false);
    buffer_char(out, ']');
}

void
kql_write_time(Buffer *out, int64_t ticks)
{
    buffer_text(out, "datetime(");
    datetime_print(out, ticks);
    buffer_char(out, ')');
}

static bool
is_index(Str step)
{
    for (size_t i = 0; i < step.len; i++)
        if (step.ptr[i] < '0' || step.ptr[i] > '9')
            return false;
    return step.len > 0;
}

// False when the table has no such column.
static bool
write_place(const EventPlace *place, const Schema *schema, bool first, Buffer *out)
{
    ptrdiff_t at = place->step_count ? schema_find(schema, place->steps[0]) : 0;
    if (at < 0)
        return false;
    if (!first)
        buffer_text(out, ", ");
    if (!place->step_count) {
        kql_write_text(out, place->literal);
        return true;
    }
    bool is_text = schema->columns[at].type == TYPE_STRING;
    bool parse = is_text && place->step_count > 1;
    buffer_text(out, parse ? "tostring(parse_json(" : is_text ? "" : "tostring(");
    kql_write_name(out, place->steps[0]);
    buffer_text(out, parse ? ")" : "");
    for (size_t i = 1; i < place->step_count; i++) {
        if (is_index(place->steps[i]))
            buffer_printf(out, "[%.*s]", STR_ARG(place->steps[i]));
        else
            kql_write_name(out, place->steps[i]);
    }
    buffer_text(out, is_text && !parse ? "" : ")");
    return true;
}

void
event_expression(const EventRules *rules, Str table, const Schema *schema, EventColumn column,
                 Buffer *out)
{
    size_t written = 0, start = out->len;
    buffer_text(out, "coalesce(");
    for (int own = 1; own >= 0; own--) {
        const EventPlaces *places = places_of(rules, table, column, own);
        for (size_t i = 0; places && i < places->len; i++)
            written += write_place(&places->items[i], schema, written == 0, out);
    }
    if (written == 0)
        out->len = start;
    buffer_text(out, written == 0 ? "\"\"" : written == 1 ? ", \"\")" : ")");
}
