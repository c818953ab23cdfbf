// Templates for Microsoft Sentinel: what is written is read back as the same rules.

#include "azure/tables.h"
#include "base/array.h"
#include "report/sentinel_export.h"
#include "value/scalar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static Database *
open_database(void)
{
    AzError error = {0};
    Database *db = db_open(&(DatabaseOptions){.threads = 1}, &error);
    if (!db)
        fail_msg("%s", error.message);
    azure_add_tables(db);
    return db;
}

// Reads a template as a file of rules.
static void
read_back(Arena *arena, Str text, RuleSet *out)
{
    char path[] = "/tmp/azimuth-sentinel-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.ptr, text.len), text.len);
    close(fd);
    AzError error = {0};
    bool done = rules_read_file(arena, path, out, &error);
    unlink(path);
    if (!done)
        fail_msg("%s", error.message);
}

// ---- the same rule ----

static void
same_text(const AnalyticsRule *rule, const char *what, Str a, Str b)
{
    if (!str_equal(a, b))
        fail_msg("rule '%.*s': %s is '%.*s', was '%.*s'", STR_ARG(rule->name), what, STR_ARG(b),
                 STR_ARG(a));
}

static void
same_number(const AnalyticsRule *rule, const char *what, int64_t a, int64_t b)
{
    if (a != b)
        fail_msg("rule '%.*s': %s is %lld, was %lld", STR_ARG(rule->name), what, (long long)b,
                 (long long)a);
}

static void
same_texts(const AnalyticsRule *rule, const char *what, const Str *a, size_t a_count, const Str *b,
           size_t b_count)
{
    same_number(rule, what, (int64_t)a_count, (int64_t)b_count);
    for (size_t i = 0; i < a_count; i++)
        same_text(rule, what, a[i], b[i]);
}

static void
same_pairs(const AnalyticsRule *rule, const char *what, const RulePair *a, size_t a_count,
           const RulePair *b, size_t b_count)
{
    same_number(rule, what, (int64_t)a_count, (int64_t)b_count);
    for (size_t i = 0; i < a_count; i++) {
        same_text(rule, what, a[i].key, b[i].key);
        same_text(rule, what, a[i].value, b[i].value);
    }
}

static bool
says_technique(const AnalyticsRule *rule, Str technique)
{
    for (size_t i = 0; i < rule->technique_count; i++) {
        Str own = rule->techniques[i];
        if (str_starts(own, technique) &&
            (own.len == technique.len || own.ptr[technique.len] == '.'))
            return true;
    }
    return false;
}

// A technique beside one of its sub-techniques says nothing more, and their order nothing at all.
static void
same_techniques(const AnalyticsRule *a, const AnalyticsRule *b)
{
    for (size_t i = 0; i < a->technique_count; i++)
        if (!says_technique(b, a->techniques[i]))
            fail_msg("rule '%.*s' lost %.*s", STR_ARG(a->name), STR_ARG(a->techniques[i]));
    for (size_t i = 0; i < b->technique_count; i++)
        if (!says_technique(a, b->techniques[i]))
            fail_msg("rule '%.*s' gained %.*s", STR_ARG(a->name), STR_ARG(b->techniques[i]));
}

static void
same_entities(const AnalyticsRule *a, const AnalyticsRule *b)
{
    same_number(a, "entityMappings", (int64_t)a->entity_count, (int64_t)b->entity_count);
    for (size_t i = 0; i < a->entity_count; i++) {
        const RuleEntity *x = &a->entities[i], *y = &b->entities[i];
        same_text(a, "entityType", x->type, y->type);
        same_number(a, "fieldMappings", (int64_t)x->field_count, (int64_t)y->field_count);
        for (size_t f = 0; f < x->field_count; f++) {
            same_text(a, "identifier", x->fields[f].identifier, y->fields[f].identifier);
            same_text(a, "columnName", x->fields[f].column, y->fields[f].column);
        }
    }
    same_text(a, "sentinelEntitiesMappings", a->entities_column, b->entities_column);
}

static void
same_grouping(const AnalyticsRule *rule, const RuleGrouping *a, const RuleGrouping *b)
{
    same_number(rule, "createIncident", a->create_incident, b->create_incident);
    same_number(rule, "enabled grouping", a->enabled, b->enabled);
    same_number(rule, "reopenClosedIncident", a->reopen_closed, b->reopen_closed);
    same_number(rule, "lookbackDuration", a->lookback, b->lookback);
    same_number(rule, "matchingMethod", a->matching, b->matching);
    same_texts(rule, "groupByEntities", a->entities, a->entity_count, b->entities, b->entity_count);
    same_texts(rule, "groupByAlertDetails", a->alert_details, a->alert_detail_count,
               b->alert_details, b->alert_detail_count);
    same_texts(rule, "groupByCustomDetails", a->custom_details, a->custom_detail_count,
               b->custom_details, b->custom_detail_count);
}

static void
same_rule(const AnalyticsRule *a, const AnalyticsRule *b)
{
    same_text(a, "name", a->name, b->name);
    same_text(a, "description", a->description, b->description);
    same_text(a, "version", a->version, b->version);
    same_text(a, "query", a->query, b->query);
    same_number(a, "kind", a->kind, b->kind);
    same_number(a, "severity", a->severity, b->severity);
    same_number(a, "enabled", a->enabled, b->enabled);
    same_number(a, "queryFrequency", a->frequency, b->frequency);
    same_number(a, "queryPeriod", a->period, b->period);
    same_number(a, "triggerOperator", a->trigger, b->trigger);
    same_number(a, "triggerThreshold", a->threshold, b->threshold);
    same_texts(a, "tactics", a->tactics, a->tactic_count, b->tactics, b->tactic_count);
    same_techniques(a, b);
    same_entities(a, b);
    same_pairs(a, "customDetails", a->custom_details, a->custom_detail_count, b->custom_details,
               b->custom_detail_count);
    same_text(a, "alertDisplayNameFormat", a->name_format, b->name_format);
    same_text(a, "alertDescriptionFormat", a->description_format, b->description_format);
    same_text(a, "alertTacticsColumnName", a->tactics_column, b->tactics_column);
    same_text(a, "alertSeverityColumnName", a->severity_column, b->severity_column);
    same_pairs(a, "alertDynamicProperties", a->dynamic_properties, a->dynamic_property_count,
               b->dynamic_properties, b->dynamic_property_count);
    same_number(a, "aggregationKind", a->alert_per_result, b->alert_per_result);
    same_number(a, "suppressionEnabled", a->suppress, b->suppress);
    if (a->suppress)
        same_number(a, "suppressionDuration", a->suppression, b->suppression);
    same_grouping(a, &a->grouping, &b->grouping);
}

static const AnalyticsRule *
find_rule(const RuleSet *rules, Str id)
{
    for (size_t i = 0; i < rules->len; i++)
        if (str_equal_ci(rules->items[i].id, id))
            return &rules->items[i];
    return NULL;
}

static void
test_shipped_rules(void **state)
{
    (void)state;
    Database *db = open_database();
    Arena arena = {0};
    RuleSet rules = {0}, back = {0};
    RuleProblems problems = {0};
    AzError error = {0};
    assert_true(rules_load(&arena, "content/detections", &rules, &problems, &error));
    assert_int_equal(problems.len, 0);
    SentinelExport job = {.workspace = STR("workspace"), .rules = &rules};
    Buffer text = {0};
    if (!sentinel_export(db, &arena, &job, &text, &error))
        fail_msg("%s", error.message);
    read_back(&arena, buffer_slice(&text), &back);
    assert_int_equal(back.len + job.left_out.len, rules.len);
    assert_true(back.len > 90);
    size_t met = 0;
    for (size_t i = 0; i < rules.len; i++) {
        const AnalyticsRule *same = find_rule(&back, rules.items[i].id);
        assert_true((same != NULL) != rules.items[i].not_in_sentinel);
        if (!same)
            continue;
        same_rule(&rules.items[i], same);
        met++;
    }
    assert_int_equal(met, back.len);
    buffer_free(&text);
    arena_free(&arena);
    db_close(db);
}

// ---- every member, and texts that want escapes ----

static AnalyticsRule
full_rule(void)
{
    static RuleField fields[] = {{STR_INIT("FullName"), STR_INIT("Caller")}};
    static RuleEntity entities[] = {{STR_INIT("Account"), fields, 1}};
    static Str tactics[] = {STR_INIT("Impact"), STR_INIT("Exfiltration")};
    static Str techniques[] = {STR_INIT("T1565"), STR_INIT("T1078.004"), STR_INIT("T1565.001")};
    static RulePair details[] = {{STR_INIT("Who"), STR_INIT("Caller")}};
    static RulePair dynamic[] = {{STR_INIT("AlertLink"), STR_INIT("Caller")}};
    static Str group[] = {STR_INIT("Account")}, what[] = {STR_INIT("Severity")},
               who[] = {STR_INIT("Who")};
    return (AnalyticsRule){
        .id = STR("5a3f1c77-52ab-4b0e-8f7f-0d6a6f1b2c01"),
        .name = STR("[in brackets]"),
        .description = STR("It's ${no} \\expression,\n\tand '''quoted'''"),
        .version = STR("1.2.3"),
        .query = STR("AzureActivity\n| where Caller has '${x}'\n| where Caller != \"\\\\\""),
        .severity = ALERT_LOW,
        .frequency = TICKS_PER_HOUR,
        .period = 2 * TICKS_PER_DAY,
        .trigger = TRIGGER_NE,
        .threshold = 7,
        .tactics = tactics,
        .tactic_count = 2,
        .techniques = techniques,
        .technique_count = 3,
        .entities = entities,
        .entity_count = 1,
        .entities_column = STR("Caller"),
        .custom_details = details,
        .custom_detail_count = 1,
        .name_format = STR("[{{Caller}}]"),
        .description_format = STR("by {{Caller}}"),
        .tactics_column = STR("Caller"),
        .severity_column = STR("Caller"),
        .dynamic_properties = dynamic,
        .dynamic_property_count = 1,
        .alert_per_result = true,
        .suppress = true,
        .suppression = 3 * TICKS_PER_HOUR,
        .grouping = {.enabled = true,
                     .reopen_closed = true,
                     .lookback = TICKS_PER_DAY,
                     .matching = MATCH_SELECTED,
                     .entities = group,
                     .entity_count = 1,
                     .alert_details = what,
                     .alert_detail_count = 1,
                     .custom_details = who,
                     .custom_detail_count = 1},
        .file = STR("full.yaml"),
    };
}

static void
test_every_member(void **state)
{
    (void)state;
    Database *db = open_database();
    Arena arena = {0};
    AnalyticsRule items[2] = {full_rule(), full_rule()};
    items[1].id = STR("not a GUID");
    items[1].kind = RULE_NRT;
    items[1].frequency = items[1].period = TICKS_PER_MINUTE;
    items[1].trigger = TRIGGER_GT;
    items[1].threshold = 0;
    RuleSet rules = {items, 1, 2}, back = {0};
    SentinelExport job = {.workspace = STR("ws"), .rules = &rules};
    Buffer text = {0};
    AzError error = {0};
    if (!sentinel_export(db, &arena, &job, &text, &error))
        fail_msg("%s", error.message);
    assert_true(str_find(buffer_slice(&text), STR("\"displayName\": \"[[in brackets]\"")) > 0);
    assert_true(str_find(buffer_slice(&text), STR("\"subTechniques\"")) > 0);
    read_back(&arena, buffer_slice(&text), &back);
    assert_int_equal(back.len, 1);
    same_rule(&items[0], &back.items[0]);
    // A near-real-time rule has no schedule.
    TemplateWriter w = {.out = &text};
    buffer_clear(&text);
    template_open(&w, NULL, '{');
    template_text(&w, "kind", STR("NRT"));
    template_text(&w, "name", items[1].id);
    sentinel_rule_properties(&w, &arena, &items[1]);
    template_close(&w, '}');
    assert_true(str_find(buffer_slice(&text), STR("queryFrequency")) < 0);
    back = (RuleSet){0};
    read_back(&arena, buffer_slice(&text), &back);
    same_rule(&items[1], &back.items[0]);
    buffer_free(&text);
    arena_free(&arena);
    db_close(db);
}

static void
test_literals(void **state)
{
    (void)state;
    static const struct {
        TemplateForm form;
        const char *text, *literal;
    } CASES[] = {
        {TEMPLATE_ARM, "[a]", "\"[[a]\""},
        {TEMPLATE_ARM, "[a] b", "\"[a] b\""},
        {TEMPLATE_ARM, "a\n\"b\"", "\"a\\n\\\"b\\\"\""},
        {TEMPLATE_BICEP, "it's", "'it\\'s'"},
        {TEMPLATE_BICEP, "${a} $b \\", "'\\${a} $b \\\\'"},
        {TEMPLATE_BICEP, "a\n${b}'", "'a\\n\\${b}\\''"},
        {TEMPLATE_BICEP, "a\n${b}", "'''\na\n${b}'''"},
        {TEMPLATE_BICEP, "a\n'''", "'a\\n\\'\\'\\''"},
        {TEMPLATE_BICEP, "a\r\n\x01", "'a\\r\\n\\u{1}'"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Buffer out = {0};
        template_literal(&out, CASES[i].form, str_from(CASES[i].text));
        if (!str_equal(buffer_slice(&out), str_from(CASES[i].literal)))
            fail_msg("%.*s is not %s", STR_ARG(buffer_slice(&out)), CASES[i].literal);
        buffer_free(&out);
    }
}

// ---- what is refused, and what is left out ----

static void
refuse(Database *db, const RuleSet *rules, const char *wanted)
{
    Arena arena = {0};
    SentinelExport job = {.workspace = STR("workspace"), .rules = rules};
    Buffer text = {0};
    AzError error = {0};
    assert_false(sentinel_export(db, &arena, &job, &text, &error));
    if (!strstr(error.message, wanted))
        fail_msg("'%s' does not say '%s'", error.message, wanted);
    error_clear(&error);
    buffer_free(&text);
    arena_free(&arena);
}

static void
test_limits(void **state)
{
    (void)state;
    Database *db = open_database();
    Arena arena = {0};
    enum { MANY = 513 };
    AnalyticsRule *items = ARENA_ARRAY(&arena, AnalyticsRule, MANY);
    for (size_t i = 0; i < MANY; i++)
        items[i] = full_rule();
    RuleSet rules = {items, MANY, MANY};
    refuse(db, &rules, "512");
    rules.len = 1;
    items[0].query = STR("Nowhere | take 1");
    refuse(db, &rules, "Nowhere");
    items[0].query = STR("resources | project Caller = id");
    refuse(db, &rules, "none of the 1 rules");
    Buffer text = {0};
    buffer_text(&text, "AzureActivity // ");
    for (size_t i = 0; i < 10000; i++)
        buffer_char(&text, 'x');
    items[0].query = buffer_slice(&text);
    refuse(db, &rules, "10000 characters");
    buffer_free(&text);
    arena_free(&arena);
    db_close(db);
}

static void
test_left_out(void **state)
{
    (void)state;
    Database *db = open_database();
    Arena arena = {0};
    AnalyticsRule items[4] = {full_rule(), full_rule(), full_rule(), full_rule()};
    items[1].query = STR("AIAssets | project Caller = id");
    items[2].query = STR("DeviceFileEvents | invoke FileProfile() | extend Caller = SHA1");
    items[3].not_in_sentinel = true;
    RuleSet rules = {items, 4, 4};
    SentinelExport job = {.workspace = STR("workspace"), .rules = &rules};
    Buffer text = {0};
    AzError error = {0};
    if (!sentinel_export(db, &arena, &job, &text, &error))
        fail_msg("%s", error.message);
    assert_int_equal(job.rule_count, 1);
    assert_int_equal(job.function_count, 0);
    assert_int_equal(job.left_out.len, 3);
    static const char *const WHY[] = {"it reads the table", "calls FileProfile()",
                                      "sentinel: false"};
    for (size_t i = 0; i < COUNT_OF(WHY); i++)
        if (str_find(job.left_out.items[i].text, str_from(WHY[i])) < 0)
            fail_msg("'%.*s' does not say '%s'", STR_ARG(job.left_out.items[i].text), WHY[i]);
    buffer_free(&text);
    arena_free(&arena);
    db_close(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_rules), cmocka_unit_test(test_every_member),
        cmocka_unit_test(test_literals),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
