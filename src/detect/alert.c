#include "detect/alert.h"

#include "value/json.h"
#include "value/scalar.h"

#include <string.h>
#include <xxhash.h>

bool
rule_triggers(const AnalyticsRule *rule, uint64_t results)
{
    uint64_t threshold = (uint64_t)rule->threshold;
    switch (rule->trigger) {
    case TRIGGER_GT: return results > threshold;
    case TRIGGER_LT: return results < threshold;
    case TRIGGER_EQ: return results == threshold;
    case TRIGGER_NE: return results != threshold;
    }
    return false;
}

Str
text_guid(Arena *arena, Str text)
{
    XXH128_hash_t hash = XXH3_128bits(text.ptr, text.len);
    return str_format(arena, "%08x-%04x-8%03x-%04x-%012llx", (unsigned)(hash.high64 >> 32),
                      (unsigned)(hash.high64 >> 16) & 0xffff, (unsigned)hash.high64 & 0xfff,
                      (unsigned)((hash.low64 >> 48) & 0x3fff) | 0x8000,
                      (unsigned long long)(hash.low64 & 0xffffffffffff));
}

// ---- texts that rows fill in ----

// The first `max` bytes, cut between characters.
static Str
cut_text(Str text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xc0) == 0x80)
        max--;
    return str_slice(text, 0, max);
}

static Str
row_text(const RowReader *row, Str column, Arena *arena)
{
    Arena scratch = {0};
    ptrdiff_t at = column.len ? rows_column(row->table, str_cstr(&scratch, column)) : -1;
    Str text = rows_text(row, at, arena);
    arena_free(&scratch);
    return text;
}

// "{{Column}}" becomes the row's value.
static Str
fill_format(Arena *arena, Str format, const RowReader *row, size_t max)
{
    Buffer out = {0};
    for (Str rest = format; rest.len;) {
        ptrdiff_t open = str_find(rest, STR("{{"));
        Str inner = open < 0 ? STR("") : str_slice(rest, (size_t)open + 2, rest.len);
        ptrdiff_t close = open < 0 ? -1 : str_find(inner, STR("}}"));
        if (close < 0) {
            buffer_str(&out, rest);
            break;
        }
        buffer_str(&out, str_slice(rest, 0, (size_t)open));
        Str column = str_trim(str_slice(inner, 0, (size_t)close));
        buffer_str(&out, row_text(row, column, arena));
        rest = str_slice(inner, (size_t)close + 2, inner.len);
    }
    Str text = str_copy(arena, cut_text(buffer_slice(&out), max));
    buffer_free(&out);
    return text;
}

static void
push_word(Arena *arena, Str word, Alert *alert, size_t *cap)
{
    struct {
        Str *items;
        size_t len, cap;
    } words = {alert->tactics, alert->tactic_count, *cap};
    ARRAY_PUSH(arena, &words, word);
    alert->tactics = words.items;
    alert->tactic_count = words.len;
    *cap = words.cap;
}

// Tactics in a column: a word, words with commas, or a JSON array of words.
static void
override_tactics(Arena *arena, Alert *alert, Str text)
{
    size_t cap = 0, from = 0;
    alert->tactics = NULL;
    alert->tactic_count = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && !strchr(",[]\"", text.ptr[i]))
            continue;
        Str word = str_trim(str_slice(text, from, i));
        if (word.len)
            push_word(arena, word, alert, &cap);
        from = i + 1;
    }
}

// What the first row of an alert says about it.
static void
describe(Arena *arena, Alert *alert, const RowReader *row)
{
    const AnalyticsRule *rule = alert->rule;
    if (rule->name_format.len)
        alert->name = fill_format(arena, rule->name_format, row, ALERT_NAME_MAX);
    if (rule->description_format.len)
        alert->description = fill_format(arena, rule->description_format, row, ALERT_TEXT_MAX);
    alert_severity_parse(row_text(row, rule->severity_column, arena), &alert->severity);
    Str tactics = row_text(row, rule->tactics_column, arena);
    if (tactics.len)
        override_tactics(arena, alert, tactics);
    alert->properties = ARENA_ARRAY(arena, RulePair, rule->dynamic_property_count + 1);
    for (size_t i = 0; i < rule->dynamic_property_count; i++) {
        const RulePair *property = &rule->dynamic_properties[i];
        Str value = row_text(row, property->value, arena);
        if (value.len)
            alert->properties[alert->property_count++] = (RulePair){property->key, value};
    }
}

// ---- the events' times ----

typedef struct TimeColumns {
    ptrdiff_t first, last;
} TimeColumns;

static ptrdiff_t
time_column(const ResultTable *table, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ptrdiff_t at = rows_column(table, names[i]);
        if (at >= 0 && table->schema.columns[at].type == TYPE_DATETIME)
            return at;
    }
    return -1;
}

static TimeColumns
find_times(const ResultTable *table)
{
    static const char *const FIRST[] = {"TimeGenerated", "StartTime", "StartTimeUtc", "FirstSeen"};
    static const char *const LAST[] = {"TimeGenerated", "EndTime", "EndTimeUtc", "LastSeen"};
    return (TimeColumns){time_column(table, FIRST, COUNT_OF(FIRST)),
                         time_column(table, LAST, COUNT_OF(LAST))};
}

static void
widen_times(Alert *alert, const RowReader *row, TimeColumns columns, bool *any)
{
    int64_t first = rows_long(row, columns.first), last = rows_long(row, columns.last);
    if (!first && !last)
        return;
    first = first ? first : last;
    last = last ? last : first;
    if (!*any || first < alert->start)
        alert->start = first;
    if (!*any || last > alert->end)
        alert->end = last;
    *any = true;
}

// ---- custom details ----

typedef struct DetailValues {
    Map seen;
    Buffer json;
} DetailValues;

static void
add_detail(DetailValues *values, Str value, Arena *arena)
{
    if (values->seen.len >= DETAIL_VALUES || map_find(&values->seen, value))
        return;
    bool is_new;
    map_add(&values->seen, str_copy(arena, value), &is_new);
    buffer_char(&values->json, values->seen.len == 1 ? '[' : ',');
    json_write_string(&values->json, value, false);
}

static void
end_details(Arena *arena, Alert *alert, DetailValues *values)
{
    const AnalyticsRule *rule = alert->rule;
    alert->details = ARENA_ARRAY(arena, RulePair, rule->custom_detail_count + 1);
    for (size_t d = 0; d < rule->custom_detail_count; d++) {
        if (values[d].seen.len) {
            buffer_char(&values[d].json, ']');
            alert->details[alert->detail_count++] = (RulePair){
                rule->custom_details[d].key, str_copy(arena, buffer_slice(&values[d].json))};
        }
        buffer_free(&values[d].json);
    }
}

// ---- alerts ----

// The alert of the rows that `row` yields up to `count` of them.
static void
take_rows(Arena *arena, Alert *alert, RowReader *row, uint64_t count)
{
    const AnalyticsRule *rule = alert->rule;
    Arena scratch = {0};
    TimeColumns times = find_times(row->table);
    DetailValues *values = ARENA_ARRAY(arena, DetailValues, rule->custom_detail_count + 1);
    for (size_t d = 0; d < rule->custom_detail_count; d++)
        map_init(&values[d].seen, arena, false);
    bool any_time = false;
    for (uint64_t i = 0; i < count && rows_next(row); i++) {
        if (i == 0)
            describe(arena, alert, row);
        widen_times(alert, row, times, &any_time);
        entities_add_row(&alert->entities, rule, row);
        for (size_t d = 0; d < rule->custom_detail_count; d++) {
            Str value = row_text(row, rule->custom_details[d].value, &scratch);
            if (value.len)
                add_detail(&values[d], value, arena);
        }
        arena_reset(&scratch);
    }
    end_details(arena, alert, values);
    arena_free(&scratch);
}

static Alert
new_alert(Arena *arena, const AnalyticsRule *rule, int64_t run, uint32_t part, uint64_t results)
{
    Alert alert = {
        .rule = rule,
        .run = run,
        .part = part,
        .name = rule->name,
        .description = rule->description,
        .severity = rule->severity,
        .tactics = rule->tactics,
        .tactic_count = rule->tactic_count,
        .start = run - rule->period,
        .end = run,
        .results = results,
    };
    Str key = str_format(arena, "%.*s %lld %u", STR_ARG(rule->id), (long long)run, part);
    alert.id = text_guid(arena, key);
    entities_init(&alert.entities, arena);
    return alert;
}

void
alerts_from_result(Arena *arena, const AnalyticsRule *rule, int64_t run, const ResultTable *table,
                   AlertList *out)
{
    if (!rule_triggers(rule, table->row_count))
        return;
    RowReader row = {.table = table};
    uint64_t left = table->row_count;
    uint32_t most = rule->kind == RULE_NRT ? ALERTS_OF_NRT_RUN : ALERTS_OF_RUN, part = 0;
    if (!rule->alert_per_result || left == 0)
        most = 1;
    do {
        // The last alert that a run may raise stands for all results that are left.
        uint64_t rows = part + 1 < most ? 1 : left;
        Alert alert = new_alert(arena, rule, run, part++, table->row_count);
        take_rows(arena, &alert, &row, rows);
        ARRAY_PUSH(arena, out, alert);
        left -= rows;
    } while (left > 0);
}

Str
alert_words(Arena *arena, const Str *items, size_t count)
{
    Buffer out = {0};
    for (size_t i = 0; i < count; i++)
        buffer_printf(&out, "%s%.*s", i ? ", " : "", STR_ARG(items[i]));
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}
