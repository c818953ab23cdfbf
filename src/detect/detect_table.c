#include "detect/detect_table.h"

#include "db/table_builder.h"

ResultTable *
detection_alerts_table(Arena *arena, const Detection *detection)
{
    static const TableColumn COLUMNS[] = {
        {"Time", TYPE_DATETIME},     {"Severity", TYPE_STRING},  {"Alert", TYPE_STRING},
        {"Rule", TYPE_STRING},       {"Entities", TYPE_DYNAMIC}, {"Tactics", TYPE_STRING},
        {"Techniques", TYPE_STRING}, {"Results", TYPE_LONG},     {"Start", TYPE_DATETIME},
        {"End", TYPE_DATETIME},      {"AlertId", TYPE_STRING},
    };
    TableBuilder *rows = table_builder_new(COLUMNS, COUNT_OF(COLUMNS));
    for (size_t i = 0; i < detection->alerts.len; i++) {
        const Alert *alert = &detection->alerts.items[i];
        table_put_long(rows, alert->run);
        table_put_text(rows, str_from(alert_severity_name(alert->severity)));
        table_put_text(rows, alert->name);
        table_put_text(rows, alert->rule->name);
        table_put_text(rows, entities_json(arena, &alert->entities));
        table_put_text(rows, alert_words(arena, alert->tactics, alert->tactic_count));
        table_put_text(rows,
                       alert_words(arena, alert->rule->techniques, alert->rule->technique_count));
        table_put_long(rows, (int64_t)alert->results);
        table_put_long(rows, alert->start);
        table_put_long(rows, alert->end);
        table_put_text(rows, alert->id);
    }
    ResultTable *table = table_builder_finish(rows, arena);
    table_builder_free(rows);
    return table;
}

typedef struct RuleAlerts {
    int64_t alerts, incidents, first, last;
    AlertSeverity severity;
} RuleAlerts;

static void
count_alerts(const Detection *detection, size_t rule, RuleAlerts *out)
{
    const AnalyticsRule *wanted = detection->outcomes[rule].rule;
    *out = (RuleAlerts){.severity = wanted->severity};
    for (size_t i = 0; i < detection->alerts.len; i++) {
        const Alert *alert = &detection->alerts.items[i];
        if (alert->rule != wanted)
            continue;
        if (!out->alerts++)
            out->first = alert->run;
        out->last = alert->run;
    }
    for (size_t i = 0; i < detection->incidents.len; i++)
        out->incidents += detection->incidents.items[i].touched &&
                          str_equal_ci(detection->incidents.items[i].rule_id, wanted->id);
}

static void
put_time(TableBuilder *rows, int64_t ticks)
{
    if (ticks)
        table_put_long(rows, ticks);
    else
        table_put_null(rows);
}

ResultTable *
detection_rules_table(Arena *arena, const Detection *detection)
{
    static const TableColumn COLUMNS[] = {
        {"Severity", TYPE_STRING}, {"Rule", TYPE_STRING},    {"Runs", TYPE_LONG},
        {"Alerts", TYPE_LONG},     {"Incidents", TYPE_LONG}, {"First", TYPE_DATETIME},
        {"Last", TYPE_DATETIME},
    };
    TableBuilder *rows = table_builder_new(COLUMNS, COUNT_OF(COLUMNS));
    for (int severity = ALERT_HIGH; severity >= ALERT_INFORMATIONAL; severity--) {
        for (size_t r = 0; r < detection->outcome_count; r++) {
            const RuleOutcome *outcome = &detection->outcomes[r];
            RuleAlerts counts;
            if ((int)outcome->rule->severity != severity)
                continue;
            count_alerts(detection, r, &counts);
            if (!counts.alerts)
                continue;
            table_put_text(rows, str_from(alert_severity_name(counts.severity)));
            table_put_text(rows, outcome->rule->name);
            table_put_long(rows, (int64_t)outcome->runs);
            table_put_long(rows, counts.alerts);
            table_put_long(rows, counts.incidents);
            put_time(rows, counts.first);
            put_time(rows, counts.last);
        }
    }
    ResultTable *table = table_builder_finish(rows, arena);
    table_builder_free(rows);
    return table;
}
