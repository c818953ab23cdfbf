// Alerts, incidents and the rules' runs become rows of the store.

#include "detect/detect_store.h"

#include "base/clock.h"
#include "db/table_builder.h"
#include "detect/duration.h"
#include "store/upkeep.h"
#include "value/json.h"
#include "value/scalar.h"

#include <stdatomic.h>
#include <time.h>

// ---- JSON ----

static void
put_key(Buffer *out, const char *key)
{
    if (out->len && out->data[out->len - 1] != '{')
        buffer_char(out, ',');
    json_write_string(out, str_from(key), false);
    buffer_char(out, ':');
}

static void
put_member(Buffer *out, const char *key, Str value)
{
    put_key(out, key);
    json_write_string(out, value, false);
}

static void
put_array(Buffer *out, const Str *items, size_t count)
{
    buffer_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buffer_char(out, ',');
        json_write_string(out, items[i], false);
    }
    buffer_char(out, ']');
}

static Str
finish(Arena *arena, Buffer *out)
{
    Str text = str_copy(arena, buffer_slice(out));
    buffer_free(out);
    return text;
}

static Str
array_json(Arena *arena, const Str *items, size_t count)
{
    Buffer out = {0};
    put_array(&out, items, count);
    return finish(arena, &out);
}

static Str
time_text(Arena *arena, int64_t ticks)
{
    Buffer out = {0};
    datetime_print(&out, ticks);
    return finish(arena, &out);
}

static Str
words(Arena *arena, const Str *items, size_t count)
{
    Buffer out = {0};
    for (size_t i = 0; i < count; i++)
        buffer_printf(&out, "%s%.*s", i ? ", " : "", STR_ARG(items[i]));
    return finish(arena, &out);
}

// ---- SecurityAlert ----

static Str
custom_details_json(Arena *arena, const Alert *alert)
{
    Buffer out = {0};
    buffer_char(&out, '{');
    for (size_t i = 0; i < alert->detail_count; i++) {
        if (i)
            buffer_char(&out, ',');
        json_write_string(&out, alert->details[i].key, false);
        buffer_char(&out, ':');
        buffer_str(&out, alert->details[i].value);
    }
    buffer_char(&out, '}');
    return finish(arena, &out);
}

// The members that the service's own alerts have (security-alert-schema).
static Str
extended_properties(Arena *arena, const Alert *alert)
{
    const AnalyticsRule *rule = alert->rule;
    Buffer out = {0};
    buffer_char(&out, '{');
    put_member(&out, "Query Period", duration_iso(arena, rule->period));
    put_member(&out, "Trigger Operator", str_from(trigger_name(rule->trigger)));
    put_member(&out, "Trigger Threshold", str_format(arena, "%lld", (long long)rule->threshold));
    put_member(&out, "Search Query Results Overall Count",
               str_format(arena, "%llu", (unsigned long long)alert->results));
    put_member(&out, "Query", db_hide_secrets(arena, rule->query));
    put_member(&out, "Query Start Time UTC", time_text(arena, alert->run - rule->period));
    put_member(&out, "Query End Time UTC", time_text(arena, alert->run));
    put_member(&out, "Analytic Rule Ids", array_json(arena, &rule->id, 1));
    put_member(&out, "Analytic Rule Name", rule->name);
    put_member(&out, "Analytic Rule Version", rule->version);
    put_member(&out, "Event Grouping",
               rule->alert_per_result ? STR("AlertPerResult") : STR("SingleAlert"));
    put_member(&out, "Data Sources", array_json(arena, rule->data_types, rule->data_type_count));
    put_member(&out, "ProcessedBySentinel", STR("False"));
    if (alert->detail_count)
        put_member(&out, "Custom Details", custom_details_json(arena, alert));
    buffer_char(&out, '}');
    return finish(arena, &out);
}

static Str
property(const Alert *alert, const char *name)
{
    for (size_t i = 0; i < alert->property_count; i++)
        if (str_equal_ci(alert->properties[i].key, str_from(name)))
            return alert->properties[i].value;
    return STR("");
}

// The name of the first entity.
static Str
compromised(const Alert *alert)
{
    return alert->entities.len ? alert->entities.items[0].label : STR("");
}

static const TableColumn ALERT_COLUMNS[] = {
    {"TimeGenerated", TYPE_DATETIME},   {"DisplayName", TYPE_STRING},
    {"AlertName", TYPE_STRING},         {"AlertSeverity", TYPE_STRING},
    {"Description", TYPE_STRING},       {"ProviderName", TYPE_STRING},
    {"VendorName", TYPE_STRING},        {"VendorOriginalId", TYPE_STRING},
    {"SystemAlertId", TYPE_STRING},     {"AlertType", TYPE_STRING},
    {"IsIncident", TYPE_BOOL},          {"StartTime", TYPE_DATETIME},
    {"EndTime", TYPE_DATETIME},         {"ProcessingEndTime", TYPE_DATETIME},
    {"RemediationSteps", TYPE_STRING},  {"ExtendedProperties", TYPE_STRING},
    {"Entities", TYPE_STRING},          {"ExtendedLinks", TYPE_STRING},
    {"ProductName", TYPE_STRING},       {"ProductComponentName", TYPE_STRING},
    {"AlertLink", TYPE_STRING},         {"Status", TYPE_STRING},
    {"CompromisedEntity", TYPE_STRING}, {"ConfidenceLevel", TYPE_STRING},
    {"Tactics", TYPE_STRING},           {"Techniques", TYPE_STRING},
    {"SubTechniques", TYPE_STRING},     {"Type", TYPE_STRING},
};

static void
put_alert(TableBuilder *rows, Arena *arena, const Alert *alert)
{
    const AnalyticsRule *rule = alert->rule;
    bool nrt = rule->kind == RULE_NRT;
    Str product = property(alert, "ProductName"),
        component = property(alert, "ProductComponentName");
    Str techniques = property(alert, "Techniques");
    Str sub_techniques = property(alert, "SubTechniques");
    table_put_long(rows, alert->run);
    table_put_text(rows, alert->name);
    table_put_text(rows, alert->name);
    table_put_text(rows, str_from(alert_severity_name(alert->severity)));
    table_put_text(rows, alert->description);
    table_put_text(rows, nrt ? STR("ASI NRT Alerts") : STR("ASI Scheduled Alerts"));
    table_put_text(rows, STR("Azimuth"));
    table_put_text(rows, alert->id);
    table_put_text(rows, alert->id);
    table_put_text(rows, str_format(arena, "azimuth_%.*s", STR_ARG(rule->id)));
    table_put_bool(rows, false);
    table_put_long(rows, alert->start);
    table_put_long(rows, alert->end);
    table_put_long(rows, alert->run);
    table_put_text(rows, property(alert, "RemediationSteps"));
    table_put_text(rows, extended_properties(arena, alert));
    table_put_text(rows, entities_json(arena, &alert->entities));
    table_put_text(rows, property(alert, "ExtendedLinks"));
    table_put_text(rows, product.len ? product : STR("Azimuth"));
    table_put_text(rows, component.len ? component
                         : nrt         ? STR("NRT Alerts")
                                       : STR("Scheduled Alerts"));
    table_put_text(rows, property(alert, "AlertLink"));
    table_put_text(rows, STR("New"));
    table_put_text(rows, compromised(alert));
    table_put_text(rows, property(alert, "ConfidenceLevel"));
    table_put_text(rows, words(arena, alert->tactics, alert->tactic_count));
    table_put_text(rows, techniques.len
                             ? techniques
                             : array_json(arena, rule->techniques, rule->technique_count));
    table_put_text(rows, sub_techniques);
    table_put_text(rows, STR("SecurityAlert"));
}

// ---- SecurityIncident ----

static const TableColumn INCIDENT_COLUMNS[] = {
    {"TimeGenerated", TYPE_DATETIME},
    {"IncidentName", TYPE_STRING},
    {"IncidentNumber", TYPE_INT},
    {"Title", TYPE_STRING},
    {"Description", TYPE_STRING},
    {"Severity", TYPE_STRING},
    {"Status", TYPE_STRING},
    {"CreatedTime", TYPE_DATETIME},
    {"LastModifiedTime", TYPE_DATETIME},
    {"ClosedTime", TYPE_DATETIME},
    {"FirstActivityTime", TYPE_DATETIME},
    {"LastActivityTime", TYPE_DATETIME},
    {"AlertIds", TYPE_DYNAMIC},
    {"RelatedAnalyticRuleIds", TYPE_DYNAMIC},
    {"AdditionalData", TYPE_DYNAMIC},
    {"ProviderName", TYPE_STRING},
    {"ProviderIncidentId", TYPE_STRING},
    {"ModifiedBy", TYPE_STRING},
    {"Labels", TYPE_DYNAMIC},
    {"Owner", TYPE_DYNAMIC},
    {"Type", TYPE_STRING},
};

static Str
additional_data(Arena *arena, const Incident *incident)
{
    Buffer out = {0};
    buffer_printf(&out, "{\"alertsCount\":%zu,\"bookmarksCount\":0,\"commentsCount\":0",
                  incident->alert_count);
    buffer_text(&out, ",\"alertProductNames\":[\"Azimuth\"],\"tactics\":");
    put_array(&out, incident->tactics, incident->tactic_count);
    buffer_text(&out, ",\"techniques\":");
    put_array(&out, incident->techniques, incident->technique_count);
    put_member(&out, "azimuthKey", incident->key);
    buffer_char(&out, '}');
    return finish(arena, &out);
}

static void
put_incident(TableBuilder *rows, Arena *arena, const Incident *incident)
{
    table_put_long(rows, incident->modified);
    table_put_text(rows, incident->name);
    table_put_long(rows, incident->number);
    table_put_text(rows, incident->title);
    table_put_text(rows, incident->description);
    table_put_text(rows, str_from(alert_severity_name(incident->severity)));
    table_put_text(rows, incident->status);
    table_put_long(rows, incident->created);
    table_put_long(rows, incident->modified);
    if (incident->closed)
        table_put_long(rows, incident->closed);
    else
        table_put_null(rows);
    table_put_long(rows, incident->first_activity);
    table_put_long(rows, incident->last_activity);
    table_put_text(rows, array_json(arena, incident->alerts, incident->alert_count));
    table_put_text(rows, array_json(arena, &incident->rule_id, 1));
    table_put_text(rows, additional_data(arena, incident));
    table_put_text(rows, STR("Azimuth"));
    table_put_text(rows, str_format(arena, "%d", incident->number));
    table_put_text(rows, STR("Azimuth"));
    table_put_text(rows, STR("[]"));
    table_put_text(rows, STR("{}"));
    table_put_text(rows, STR("SecurityIncident"));
}

// ---- AnalyticsRuleRuns ----

// As content/schemas/azimuth.kql declares the table.
static const TableColumn RUN_COLUMNS[] = {
    {"TimeGenerated", TYPE_DATETIME},
    {"RuleId", TYPE_STRING},
    {"RuleName", TYPE_STRING},
    {"RuleVersion", TYPE_STRING},
    {"FirstRun", TYPE_DATETIME},
    {"LastRun", TYPE_DATETIME},
    {"Runs", TYPE_LONG},
    {"FailedRuns", TYPE_LONG},
    {"SuppressedRuns", TYPE_LONG},
    {"Alerts", TYPE_LONG},
    {"KnownAlerts", TYPE_LONG},
    {"Status", TYPE_STRING},
    {"Reason", TYPE_STRING},
    {"DurationMs", TYPE_REAL},
};

// A run over empty tables is a success, as in the service; that nothing was looked at is said.
static Str
outcome_reason(Arena *arena, const RuleOutcome *outcome)
{
    return outcome->reason.len || !outcome->blind
               ? outcome->reason
               : str_format(arena, "nothing was looked at: no rows in %.*s",
                            STR_ARG(outcome->empty_tables));
}

static void
put_outcome(TableBuilder *rows, Arena *arena, int64_t now, const RuleOutcome *outcome)
{
    table_put_long(rows, now);
    table_put_text(rows, outcome->rule->id);
    table_put_text(rows, outcome->rule->name);
    table_put_text(rows, outcome->rule->version);
    table_put_long(rows, outcome->first_run);
    table_put_long(rows, outcome->last_run);
    table_put_long(rows, (int64_t)outcome->runs);
    table_put_long(rows, (int64_t)outcome->failed);
    table_put_long(rows, (int64_t)outcome->suppressed);
    table_put_long(rows, (int64_t)outcome->alerts);
    table_put_long(rows, (int64_t)outcome->known);
    table_put_text(rows, outcome->lacking      ? STR("NotRun")
                         : outcome->reason.len ? STR("Failure")
                                               : STR("Success"));
    table_put_text(rows, outcome_reason(arena, outcome));
    table_put_real(rows, outcome->milliseconds);
}

// ---- the transaction ----

// The rows of `builder` go to the table; frees it.
static bool
append(StoreWriter *writer, const char *table, TableBuilder *builder, AzError *error)
{
    Arena arena = {0};
    ResultTable *rows = table_builder_finish(builder, &arena);
    table_builder_free(builder);
    TableWriter *out = rows->row_count ? store_writer_table(writer, str_from(table), TABLE_LOG,
                                                            &rows->schema, error)
                                       : NULL;
    bool done = out || !rows->row_count;
    for (uint32_t i = 0; done && i < rows->batch_count; i++)
        done = table_writer_append(out, rows->batches[i], error);
    arena_free(&arena);
    return done;
}

static bool
append_all(StoreWriter *writer, const AlertList *alerts, const IncidentList *incidents,
           const RuleOutcome *outcomes, size_t outcome_count, AzError *error)
{
    Arena arena = {0};
    TableBuilder *rows = table_builder_new(ALERT_COLUMNS, COUNT_OF(ALERT_COLUMNS));
    for (size_t i = 0; i < alerts->len; i++)
        put_alert(rows, &arena, &alerts->items[i]);
    bool done = append(writer, "SecurityAlert", rows, error);
    rows = table_builder_new(INCIDENT_COLUMNS, COUNT_OF(INCIDENT_COLUMNS));
    for (size_t i = 0; i < incidents->len; i++)
        if (incidents->items[i].changed)
            put_incident(rows, &arena, &incidents->items[i]);
    if (done)
        done = append(writer, "SecurityIncident", rows, error);
    else
        table_builder_free(rows);
    rows = table_builder_new(RUN_COLUMNS, COUNT_OF(RUN_COLUMNS));
    int64_t now = clock_now_ticks();
    for (size_t i = 0; i < outcome_count; i++)
        if (outcomes[i].runs)
            put_outcome(rows, &arena, now, &outcomes[i]);
    if (done)
        done = append(writer, "AnalyticsRuleRuns", rows, error);
    else
        table_builder_free(rows);
    arena_free(&arena);
    return done;
}

Store *
detect_open_writing(const DetectOptions *options, AzError *error)
{
    enum { TRIES = 1500 };
    for (int i = 0;; i++) {
        AzError cause = {0};
        Store *store = store_open(options->database.store, STORE_WRITE, &cause);
        bool cancelled = options->cancel && atomic_load(options->cancel);
        if (!store && cause.code == AZ_BUSY && cancelled)
            error_set(&cause, AZ_CANCELLED, "stopped while another process wrote to the store");
        if (store || cause.code != AZ_BUSY || (i >= TRIES && !options->live)) {
            if (!store)
                *error = cause;
            return store;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

bool
detect_write(const DetectOptions *options, const AlertList *alerts, const IncidentList *incidents,
             const RuleOutcome *outcomes, size_t outcome_count, AzError *error)
{
    Store *store = detect_open_writing(options, error);
    if (!store)
        return false;
    StoreImportInfo info = {.source = STR("detect"), .tool_version = options->version};
    StoreWriter *writer = store_writer_new(store, &info, error);
    int64_t snapshot;
    bool done = writer && append_all(writer, alerts, incidents, outcomes, outcome_count, error);
    if (done)
        done = store_commit(writer, &snapshot, error);
    else if (writer)
        store_abort(writer);
    UpkeepReport merged;
    if (done) // the alerts are kept, whatever comes of this; the next writer tries again
        store_merge(store, &merged, NULL);
    store_close(store);
    return done;
}
