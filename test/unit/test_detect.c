// Analytics rules: durations, reading both forms, alerts, incidents, replay.

#include "db/table_builder.h"
#include "detect/detect.h"
#include "detect/duration.h"
#include "detect/rule_check.h"
#include "value/scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
assert_str(Str text, const char *wanted)
{
    if (!str_equal(text, str_from(wanted)))
        fail_msg("'%.*s' is not '%s'", STR_ARG(text), wanted);
}

// ---- durations ----

static void
test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } GOOD[] = {
        {"5m", 300},           {"1h", 3600},      {"14d", 14 * 86400}, {"30s", 30},
        {"PT5M", 300},         {"pt1h30m", 5400}, {"P1DT2H", 93600},   {"P14D", 14 * 86400},
        {"1.00:00:00", 86400}, {"00:05:00", 300}, {" 1d ", 86400},     {"P1W", 7 * 86400},
    };
    static const char *const BAD[] = {
        "",     "m",   "5x",           "P",   "PT",           "P5",  "PT5", "P1H",
        "PT1D", "-5m", "99999999999d", "1h2", "five minutes", "P1DT"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        int64_t ticks = -1;
        assert_true(duration_parse(str_from(GOOD[i].text), &ticks));
        assert_int_equal(ticks, GOOD[i].seconds * TICKS_PER_SECOND);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        int64_t ticks;
        bool is_last = strcmp(BAD[i], "P1DT") == 0; // a T without times says nothing wrong
        assert_int_equal(duration_parse(str_from(BAD[i]), &ticks), is_last);
    }
}

static void
test_durations_print(void **state)
{
    (void)state;
    Arena arena = {0};
    static const struct {
        int64_t seconds;
        const char *text;
    } CASES[] = {{300, "PT5M"}, {86400, "P1D"}, {93600, "P1DT2H"}, {0, "PT0S"}, {3661, "PT1H1M1S"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_str(duration_iso(&arena, CASES[i].seconds * TICKS_PER_SECOND), CASES[i].text);
    arena_free(&arena);
}

// ---- reading ----

static const char SCHEDULED[] =
    "id: 0b9a6f3e-3f0e-4c59-9a0b-6a7f0a9b7d11\n"
    "name: Many reads\n"
    "version: 1.2.3\n"
    "kind: Scheduled\n"
    "description: |\n  'Somebody reads a lot.'\n"
    "severity: High\n"
    "requiredDataConnectors:\n  - connectorId: Storage\n    dataTypes: [StorageBlobLogs]\n"
    "queryFrequency: 1h\nqueryPeriod: 1d\ntriggerOperator: gt\ntriggerThreshold: 2\n"
    "tactics: [Exfiltration]\nrelevantTechniques: [T1530]\n"
    "query: |\n"
    "  StorageBlobLogs\n"
    "  | where OperationName == 'GetBlob'\n"
    "  | project TimeGenerated, Caller = RequesterUpn, Address = CallerIpAddress\n"
    "entityMappings:\n"
    "  - entityType: Account\n    fieldMappings: [{identifier: FullName, columnName: Caller}]\n"
    "  - entityType: IP\n    fieldMappings: [{identifier: Address, columnName: Address}]\n"
    "customDetails: {From: Address}\n"
    "alertDetailsOverride: {alertDisplayNameFormat: 'Reads by {{Caller}}'}\n";

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

typedef struct Folder {
    char path[64];
    Arena arena;
} Folder;

static Folder
folder_new(void)
{
    Folder folder = {.path = "/tmp/azimuth-detect-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static const char *
in_folder(Folder *folder, const char *name)
{
    return str_format(&folder->arena, "%s/%s", folder->path, name).ptr;
}

static void
folder_free(Folder *folder)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder->path);
    assert_int_equal(system(command), 0);
    arena_free(&folder->arena);
}

static AnalyticsRule
read_rule(Folder *folder, const char *name, const char *text)
{
    RuleSet rules = {0};
    AzError error = {0};
    write_file(in_folder(folder, name), text);
    bool done = rules_read_file(&folder->arena, in_folder(folder, name), &rules, &error);
    if (!done)
        fail_msg("%s", error.message);
    assert_int_equal(rules.len, 1);
    return rules.items[0];
}

static void
test_read_yaml(void **state)
{
    (void)state;
    Folder folder = folder_new();
    AnalyticsRule rule = read_rule(&folder, "rule.yaml", SCHEDULED);
    assert_str(rule.name, "Many reads");
    assert_str(rule.description, "Somebody reads a lot.");
    assert_str(rule.version, "1.2.3");
    assert_int_equal(rule.kind, RULE_SCHEDULED);
    assert_int_equal(rule.severity, ALERT_HIGH);
    assert_int_equal(rule.frequency, TICKS_PER_HOUR);
    assert_int_equal(rule.period, TICKS_PER_DAY);
    assert_int_equal(rule.threshold, 2);
    assert_int_equal(rule.query_line, 18);
    assert_int_equal(rule.entity_count, 2);
    assert_str(rule.entities[1].fields[0].column, "Address");
    assert_str(rule.data_types[0], "StorageBlobLogs");
    assert_true(rule.enabled && rule.grouping.create_incident && !rule.alert_per_result);
    folder_free(&folder);
}

static void
test_read_template(void **state)
{
    (void)state;
    static const char TEMPLATE[] =
        "{\"$schema\":\"x\",\"resources\":[{\"type\":\"Microsoft.Storage/storageAccounts\"},"
        "{\"type\":\"Microsoft.OperationalInsights/workspaces/providers/alertRules\","
        "\"name\":\"[concat(parameters('workspace'),'/Microsoft.SecurityInsights/"
        "73f1b1a5-0d1b-4d8c-9b51-0e2b8b0a2c11')]\",\"kind\":\"Scheduled\",\"properties\":{"
        "\"displayName\":\"From a template\",\"severity\":\"low\",\"enabled\":false,"
        "\"query\":\"print 1\",\"queryFrequency\":\"PT5M\",\"queryPeriod\":\"P1DT2H\","
        "\"triggerOperator\":\"GreaterThan\",\"triggerThreshold\":0,"
        "\"suppressionEnabled\":true,\"suppressionDuration\":\"PT5H\","
        "\"eventGroupingSettings\":{\"aggregationKind\":\"AlertPerResult\"},"
        "\"incidentConfiguration\":{\"createIncident\":true,\"groupingConfiguration\":{"
        "\"enabled\":true,\"lookbackDuration\":\"PT1H\",\"matchingMethod\":\"Selected\","
        "\"groupByEntities\":[\"IP\"]}}}}]}";
    Folder folder = folder_new();
    AnalyticsRule rule = read_rule(&folder, "rules.json", TEMPLATE);
    assert_str(rule.id, "73f1b1a5-0d1b-4d8c-9b51-0e2b8b0a2c11");
    assert_str(rule.name, "From a template");
    assert_int_equal(rule.frequency, 5 * TICKS_PER_MINUTE);
    assert_int_equal(rule.period, 26 * TICKS_PER_HOUR);
    assert_int_equal(rule.suppression, 5 * TICKS_PER_HOUR);
    assert_true(rule.suppress && rule.alert_per_result && !rule.enabled);
    assert_int_equal(rule.grouping.matching, MATCH_SELECTED);
    assert_str(rule.grouping.entities[0], "IP");
    folder_free(&folder);
}

static void
test_read_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } CASES[] = {
        {"id: a\nname: n\n", "'query' is missing"},
        {"id: a\nquery: print 1\n", "'name' is missing"},
        {"name: n\nquery: print 1\n", "'id' is missing"},
        {"id: a\nname: n\nquery: print 1\nkind: Fusion\n", "only the service runs"},
        {"id: a\nname: n\nquery: print 1\nkind: Scheduled\n", "'queryFrequency' is missing"},
        {"id: a\nname: n\nquery: print 1\nqueryFrequency: often\n", "a length of time"},
        {"id: a\nname: n\nquery: print 1\nseverity: huge\n", "High, Medium, Low"},
        {"id: a\nname: n\nquery: print 1\nqueryFrequency: 1h\ntriggerOperator: about\n",
         "gt, lt, eq or ne"},
        {"id: a\nname: n\nquery: print 1\nqueryFrequency: 1h\ntriggerThreshold: -1\n",
         "a whole number"},
        {"id: a\nname: n\nquery: print 1\nentityMappings: [{entityType: IP}]\n", "fieldMappings"},
        {"- 1\n- 2\n", "not a mapping"},
        {"{\"resources\": []}", "no analytics rule"},
        {"id: [\n", "rule.yaml"},
        {"", "rule.yaml"},
    };
    Folder folder = folder_new();
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        RuleSet rules = {0};
        AzError error = {0};
        write_file(in_folder(&folder, "rule.yaml"), CASES[i].text);
        assert_false(
            rules_read_file(&folder.arena, in_folder(&folder, "rule.yaml"), &rules, &error));
        if (!strstr(error.message, CASES[i].said))
            fail_msg("case %zu: %s", i, error.message);
    }
    folder_free(&folder);
}

static void
test_load_goes_on(void **state)
{
    (void)state;
    Folder folder = folder_new();
    write_file(in_folder(&folder, "a.yaml"), SCHEDULED);
    write_file(in_folder(&folder, "b.yaml"), SCHEDULED); // the same id
    write_file(in_folder(&folder, "c.yaml"), "name: broken\n");
    write_file(in_folder(&folder, "readme.md"), "no rule");
    RuleSet rules = {0};
    RuleProblems problems = {0};
    AzError error = {0};
    assert_true(rules_load(&folder.arena, folder.path, &rules, &problems, &error));
    assert_int_equal(rules.len, 1);
    assert_int_equal(problems.len, 2);
    assert_non_null(strstr(problems.items[0].text.ptr, "is missing"));
    assert_non_null(strstr(problems.items[1].text.ptr, "is that of"));
    assert_false(rules_load(&folder.arena, "/nowhere/rules", &rules, &problems, &error));
    folder_free(&folder);
}

// ---- alerts ----

static ResultTable *
reads(Arena *arena, size_t count)
{
    static const TableColumn COLUMNS[] = {
        {"TimeGenerated", TYPE_DATETIME}, {"Caller", TYPE_STRING}, {"Address", TYPE_STRING}};
    TableBuilder *rows = table_builder_new(COLUMNS, COUNT_OF(COLUMNS));
    for (size_t i = 0; i < count; i++) {
        table_put_long(rows, (int64_t)(i + 1) * TICKS_PER_MINUTE);
        table_put_text(rows, i % 2 ? STR("CONTOSO\\bo") : STR("ann@contoso.com"));
        table_put_text(rows, str_format(arena, "192.0.2.%zu", i % 3));
    }
    ResultTable *table = table_builder_finish(rows, arena);
    table_builder_free(rows);
    return table;
}

static void
test_single_alert(void **state)
{
    (void)state;
    Folder folder = folder_new();
    AnalyticsRule rule = read_rule(&folder, "rule.yaml", SCHEDULED);
    AlertList alerts = {0};
    alerts_from_result(&folder.arena, &rule, TICKS_PER_DAY, reads(&folder.arena, 2), &alerts);
    assert_int_equal(alerts.len, 0); // not more than two
    alerts_from_result(&folder.arena, &rule, TICKS_PER_DAY, reads(&folder.arena, 7), &alerts);
    assert_int_equal(alerts.len, 1);
    const Alert *alert = &alerts.items[0];
    assert_str(alert->name, "Reads by ann@contoso.com");
    assert_int_equal(alert->start, TICKS_PER_MINUTE);
    assert_int_equal(alert->end, 7 * TICKS_PER_MINUTE);
    assert_int_equal(alert->results, 7);
    assert_int_equal(alert->entities.len, 5);
    assert_str(alert->entities.items[0].label, "ann@contoso.com");
    Str json = entities_json(&folder.arena, &alert->entities);
    assert_non_null(strstr(
        json.ptr,
        "{\"$id\":\"1\",\"Name\":\"ann\",\"UPNSuffix\":\"contoso.com\",\"Type\":\"account\"}"));
    assert_non_null(strstr(json.ptr, "\"NTDomain\":\"CONTOSO\",\"Name\":\"bo\""));
    assert_str(alert->details[0].value, "[\"192.0.2.0\",\"192.0.2.1\",\"192.0.2.2\"]");
    // The same run gives the same id, another one another.
    AlertList again = {0};
    alerts_from_result(&folder.arena, &rule, TICKS_PER_DAY, reads(&folder.arena, 3), &again);
    alerts_from_result(&folder.arena, &rule, 2 * TICKS_PER_DAY, reads(&folder.arena, 3), &again);
    assert_true(str_equal(alert->id, again.items[0].id));
    assert_false(str_equal(alert->id, again.items[1].id));
    folder_free(&folder);
}

static void
test_alert_per_result(void **state)
{
    (void)state;
    Folder folder = folder_new();
    AnalyticsRule rule = read_rule(&folder, "rule.yaml", SCHEDULED);
    rule.alert_per_result = true;
    AlertList alerts = {0};
    alerts_from_result(&folder.arena, &rule, TICKS_PER_DAY, reads(&folder.arena, 5), &alerts);
    assert_int_equal(alerts.len, 5);
    assert_int_equal(alerts.items[3].entities.len, 2);
    alerts.len = 0;
    alerts_from_result(&folder.arena, &rule, TICKS_PER_DAY, reads(&folder.arena, 400), &alerts);
    assert_int_equal(alerts.len, ALERTS_OF_RUN);
    assert_int_equal(alerts.items[ALERTS_OF_RUN - 1].entities.len, 5); // all that are left
    alerts.len = 0;
    rule.kind = RULE_NRT;
    alerts_from_result(&folder.arena, &rule, TICKS_PER_DAY, reads(&folder.arena, 400), &alerts);
    assert_int_equal(alerts.len, ALERTS_OF_NRT_RUN);
    folder_free(&folder);
}

static void
test_absence_raises(void **state)
{
    (void)state;
    Folder folder = folder_new();
    AnalyticsRule rule = read_rule(&folder, "rule.yaml", SCHEDULED);
    AlertList alerts = {0};
    rule.trigger = TRIGGER_LT;
    alerts_from_result(&folder.arena, &rule, TICKS_PER_DAY, reads(&folder.arena, 0), &alerts);
    assert_int_equal(alerts.len, 1);
    assert_str(alerts.items[0].name, "Many reads");
    assert_str(entities_json(&folder.arena, &alerts.items[0].entities), "[]");
    static const struct {
        TriggerOperator trigger;
        bool at[3]; // of one, two, three results, the threshold being two
    } CASES[] = {
        {TRIGGER_GT, {false, false, true}},
        {TRIGGER_LT, {true, false, false}},
        {TRIGGER_EQ, {false, true, false}},
        {TRIGGER_NE, {true, false, true}},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        rule.trigger = CASES[i].trigger;
        for (uint64_t n = 1; n <= 3; n++)
            assert_int_equal(rule_triggers(&rule, n), CASES[i].at[n - 1]);
    }
    folder_free(&folder);
}

// ---- incidents ----

// Incidents that a list of alerts makes, each at an hour and with a number of rows.
static size_t
incidents_of(Folder *folder, const AnalyticsRule *rule, const int *hours, const size_t *rows,
             size_t count)
{
    AlertList alerts = {0};
    IncidentList incidents;
    incidents_init(&incidents, &folder->arena);
    for (size_t i = 0; i < count; i++)
        alerts_from_result(&folder->arena, rule, hours[i] * TICKS_PER_HOUR,
                           reads(&folder->arena, rows[i]), &alerts);
    for (size_t i = 0; i < alerts.len; i++)
        incidents_add(&incidents, &alerts.items[i]);
    return incidents.len;
}

static void
test_grouping(void **state)
{
    (void)state;
    static const int HOURS[] = {100, 101, 102, 110};
    static const size_t SAME[] = {7, 8, 9, 7}, OTHER[] = {1, 2, 7, 1};
    Folder folder = folder_new();
    AnalyticsRule rule = read_rule(&folder, "rule.yaml", SCHEDULED);
    rule.threshold = 0;
    assert_int_equal(incidents_of(&folder, &rule, HOURS, SAME, 4), 4);
    rule.grouping.enabled = true; // the same entities within five hours
    assert_int_equal(incidents_of(&folder, &rule, HOURS, SAME, 4), 2);
    assert_int_equal(incidents_of(&folder, &rule, HOURS, OTHER, 3), 3);
    rule.grouping.matching = MATCH_ANY_ALERT;
    assert_int_equal(incidents_of(&folder, &rule, HOURS, OTHER, 4), 2);
    rule.grouping.matching = MATCH_SELECTED;
    rule.grouping.entities = (Str[]){STR("IP")};
    rule.grouping.entity_count = 1;
    assert_int_equal(incidents_of(&folder, &rule, HOURS, SAME, 3), 1); // three addresses each
    assert_int_equal(incidents_of(&folder, &rule, HOURS, OTHER, 3), 3);
    rule.grouping.create_incident = false;
    assert_int_equal(incidents_of(&folder, &rule, HOURS, SAME, 4), 0);
    folder_free(&folder);
}

static void
test_closed_incident(void **state)
{
    (void)state;
    Folder folder = folder_new();
    AnalyticsRule rule = read_rule(&folder, "rule.yaml", SCHEDULED);
    rule.grouping.enabled = true;
    for (int reopen = 0; reopen < 2; reopen++) {
        AlertList alerts = {0};
        IncidentList incidents;
        incidents_init(&incidents, &folder.arena);
        rule.grouping.reopen_closed = reopen;
        for (int i = 0; i < 2; i++)
            alerts_from_result(&folder.arena, &rule, (100 + i) * TICKS_PER_HOUR,
                               reads(&folder.arena, 5), &alerts);
        incidents_add(&incidents, &alerts.items[0]);
        incidents.items[0].closed = 100 * TICKS_PER_HOUR + 1;
        incidents_add(&incidents, &alerts.items[1]);
        assert_int_equal(incidents.len, reopen ? 1 : 2);
        if (reopen)
            assert_str(incidents.items[0].status, "Active");
        assert_int_equal(incidents.last_number, incidents.len);
    }
    folder_free(&folder);
}

// ---- checks ----

static void
test_check(void **state)
{
    (void)state;
    Folder folder = folder_new();
    AnalyticsRule good = read_rule(&folder, "rule.yaml", SCHEDULED);
    AnalyticsRule bad = good;
    RuleField fields[] = {{STR("Address"), STR("Nowhere")}, {STR("Colour"), STR("Caller")}};
    RuleEntity entities[] = {{STR("IP"), fields, 2}, {STR("Ghost"), fields, 0}};
    bad.id = STR("not a guid");
    bad.entities = entities;
    bad.frequency = 2 * bad.period;
    bad.threshold = 20000;
    bad.tactics = (Str[]){STR("Mischief")};
    bad.techniques = (Str[]){STR("T15")};
    bad.name_format = STR("{{Caller}} {{Lost}}");
    AnalyticsRule broken = good;
    broken.query = STR("StorageBlobLogs\n| where Nothing > 1");
    AnalyticsRule items[] = {good, bad, broken};
    RuleSet rules = {.items = items, .len = COUNT_OF(items)};
    RuleProblems problems = {0};
    AzError error = {0};
    Database *db = db_open(&(DatabaseOptions){0}, &error);
    assert_non_null(db);
    rules_check(db, &folder.arena, &rules, false, &problems);
    static const char *const SAID[] = {
        "is no GUID",
        "no tactic 'Mischief'",
        "'T15'",
        "shorter than queryFrequency",
        "triggerThreshold",
        "the column 'Nowhere'",
        "no identifier 'Colour'",
        "no entity type 'Ghost'",
        "the column 'Lost'",
        "line 19: there is no column",
    };
    assert_int_equal(problems.len, COUNT_OF(SAID));
    for (size_t i = 0; i < COUNT_OF(SAID); i++) {
        bool said = false;
        for (size_t p = 0; p < problems.len; p++)
            said |= strstr(problems.items[p].text.ptr, SAID[i]) != NULL;
        if (!said)
            fail_msg("nothing says: %s", SAID[i]);
    }
    db_close(db);
    folder_free(&folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),       cmocka_unit_test(test_durations_print),
        cmocka_unit_test(test_read_yaml),       cmocka_unit_test(test_read_template),
        cmocka_unit_test(test_read_errors),     cmocka_unit_test(test_load_goes_on),
        cmocka_unit_test(test_single_alert),    cmocka_unit_test(test_alert_per_result),
        cmocka_unit_test(test_absence_raises),  cmocka_unit_test(test_grouping),
        cmocka_unit_test(test_closed_incident), cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
