// What an earlier run of detection left in the store.

#include "detect/detect_store.h"

#include "base/clock.h"
#include "value/scalar.h"

enum { DAYS_BACK = 90 };

static QueryResult *
ask(Database *db, Arena *arena, Str text, AzError *error)
{
    QueryOptions options = {0};
    return db_query(db, arena, text, &options, error);
}

// Tables of detection itself tell nothing of when there is something to look at.
static bool
is_own(Str name)
{
    return str_equal(name, STR("SecurityAlert")) || str_equal(name, STR("SecurityIncident")) ||
           str_equal(name, STR("AnalyticsRuleRuns"));
}

typedef struct Names {
    Arena *arena;
    Str *items;
    size_t len, cap;
} Names;

static void
add_name(void *context, Str name)
{
    Names *names = context;
    ARRAY_PUSH(names->arena, names, str_copy(names->arena, name));
}

bool
detect_data_range(Database *db, int64_t *first, int64_t *last, AzError *error)
{
    Arena arena = {0};
    Names names = {.arena = &arena};
    db_each_table(db, add_name, &names);
    Buffer text = {0};
    for (size_t i = 0; i < names.len; i++) {
        Schema schema;
        ptrdiff_t at = -1;
        if (!is_own(names.items[i]) && db_table_schema(db, &arena, names.items[i], &schema))
            at = schema_find(&schema, STR("TimeGenerated"));
        if (at < 0 || schema.columns[at].type != TYPE_DATETIME)
            continue;
        buffer_text(&text, text.len ? ", " : "union ");
        buffer_printf(&text,
                      "(['%.*s'] | where TimeGenerated <= now() | summarize First = "
                      "min(TimeGenerated), Last = max(TimeGenerated))",
                      STR_ARG(names.items[i]));
    }
    *first = *last = 0;
    if (text.len)
        buffer_text(&text, " | summarize min(First), max(Last)");
    QueryResult *result = text.len ? ask(db, &arena, buffer_slice(&text), error) : NULL;
    bool done = result != NULL || !text.len;
    RowReader row = {.table = result ? result->tables[0] : NULL};
    if (result && rows_next(&row)) {
        *first = rows_long(&row, 0);
        *last = rows_long(&row, 1);
        if (*last - *first > DAYS_BACK * TICKS_PER_DAY)
            *first = *last - DAYS_BACK * TICKS_PER_DAY;
    }
    buffer_free(&text);
    arena_free(&arena);
    return done;
}

static Str
time_text(Arena *arena, int64_t ticks)
{
    Buffer out = {0};
    datetime_print(&out, ticks);
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

bool
detect_known_alerts(Database *db, Arena *arena, int64_t since, int64_t until, Map *ids,
                    AzError *error)
{
    Arena scratch = {0};
    Str text = str_format(&scratch,
                          "SecurityAlert | where TimeGenerated between (datetime(%.*s) .. "
                          "datetime(%.*s)) and ProviderName startswith 'ASI ' | project "
                          "SystemAlertId",
                          STR_ARG(time_text(&scratch, since)),
                          STR_ARG(time_text(&scratch, until + 14 * TICKS_PER_DAY)));
    QueryResult *result = ask(db, &scratch, text, error);
    RowReader row = {.table = result ? result->tables[0] : NULL};
    bool is_new;
    while (result && rows_next(&row))
        map_add(ids, rows_text(&row, 0, arena), &is_new);
    arena_free(&scratch);
    return result != NULL;
}

bool
detect_last_alerts(Database *db, const RuleSet *rules, int64_t since, int64_t *out, AzError *error)
{
    bool any = false;
    for (size_t i = 0; i < rules->len; i++)
        any |= rules->items[i].suppress;
    if (!any)
        return true;
    Arena scratch = {0};
    Str text = str_format(&scratch,
                          "SecurityAlert | where TimeGenerated <= datetime(%.*s) and ProviderName "
                          "startswith 'ASI ' | summarize max(TimeGenerated) by tolower(AlertType)",
                          STR_ARG(time_text(&scratch, since)));
    QueryResult *result = ask(db, &scratch, text, error);
    RowReader row = {.table = result ? result->tables[0] : NULL};
    while (result && rows_next(&row)) {
        Str type = rows_text(&row, 0, &scratch);
        for (size_t i = 0; i < rules->len; i++)
            if (str_ends(type, str_lower(&scratch, rules->items[i].id)))
                out[i] = rows_long(&row, 1);
    }
    arena_free(&scratch);
    return result != NULL;
}

bool
detect_last_runs(Database *db, const RuleSet *rules, int64_t since, int64_t *out, AzError *error)
{
    Arena scratch = {0};
    Str text = str_format(&scratch,
                          "AnalyticsRuleRuns | where TimeGenerated > datetime(%.*s) | summarize "
                          "max(iff(LastRun > TimeGenerated, TimeGenerated, LastRun)) by RuleId",
                          STR_ARG(time_text(&scratch, since)));
    QueryResult *result = ask(db, &scratch, text, error);
    RowReader row = {.table = result ? result->tables[0] : NULL};
    while (result && rows_next(&row)) {
        Str id = rows_text(&row, 0, &scratch);
        for (size_t i = 0; i < rules->len; i++)
            if (str_equal(id, rules->items[i].id) && rows_long(&row, 1) > 0)
                out[i] = rows_long(&row, 1);
    }
    arena_free(&scratch);
    return result != NULL;
}

// ---- incidents ----

static Str *
texts_of(Arena *arena, Dyn list, size_t *count)
{
    *count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
    Str *texts = ARENA_ARRAY(arena, Str, *count + 1);
    for (size_t i = 0; i < *count; i++)
        texts[i] = str_copy(arena, dyn_string(dyn_at(list, (uint32_t)i)));
    return texts;
}

static void
read_incident(Arena *arena, const RowReader *row, Incident *out)
{
    Dyn more = rows_dynamic(row, 12), rules = rows_dynamic(row, 13);
    *out = (Incident){
        .name = rows_text(row, 0, arena),
        .number = (int32_t)rows_long(row, 1),
        .title = rows_text(row, 2, arena),
        .description = rows_text(row, 3, arena),
        .status = rows_text(row, 4, arena),
        .created = rows_long(row, 6),
        .modified = rows_long(row, 7),
        .closed = rows_long(row, 8),
        .first_activity = rows_long(row, 9),
        .last_activity = rows_long(row, 10),
        .key = str_copy(arena, dyn_string(dyn_get(more, STR("azimuthKey")))),
    };
    alert_severity_parse(rows_text(row, 5, arena), &out->severity);
    out->alerts = texts_of(arena, rows_dynamic(row, 11), &out->alert_count);
    out->tactics = texts_of(arena, dyn_get(more, STR("tactics")), &out->tactic_count);
    out->techniques = texts_of(arena, dyn_get(more, STR("techniques")), &out->technique_count);
    out->alert_cap = out->alert_count;
    out->tactic_cap = out->tactic_count;
    out->technique_cap = out->technique_count;
    size_t count;
    Str *ids = texts_of(arena, rules, &count);
    out->rule_id = count ? ids[0] : STR("");
}

bool
detect_read_incidents(Database *db, Arena *arena, IncidentList *out, AzError *error)
{
    Arena scratch = {0};
    QueryResult *result =
        ask(db, &scratch,
            STR("SecurityIncident | where isnotempty(AdditionalData.azimuthKey) "
                "| summarize arg_max(LastModifiedTime, *) by IncidentName "
                "| sort by CreatedTime asc, IncidentNumber asc "
                "| project IncidentName, IncidentNumber, Title, Description, Status, Severity, "
                "CreatedTime, LastModifiedTime, ClosedTime, FirstActivityTime, LastActivityTime, "
                "AlertIds, AdditionalData, RelatedAnalyticRuleIds"),
            error);
    RowReader row = {.table = result ? result->tables[0] : NULL};
    while (result && rows_next(&row)) {
        Incident incident;
        read_incident(arena, &row, &incident);
        incidents_take(out, &incident);
    }
    arena_free(&scratch);
    return result != NULL;
}
