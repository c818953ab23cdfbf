// What records of logs are: the parts that say it, one by one.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "telemetry/formats.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct Fixture {
    Arena arena;
    Content *content;
    Telemetry *telemetry;
    LogScratch scratch;
    DynBuilder *builder;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));
    AzError error = {0};
    f->content = content_open(NULL, &error);
    assert_non_null(f->content);
    f->telemetry = telemetry_open(f->content, &error);
    assert_non_null(f->telemetry);
    f->scratch = (LogScratch){&f->arena, dyn_builder_new(), json_parser_new()};
    f->builder = dyn_builder_new();
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;
    dyn_builder_free(f->builder);
    dyn_builder_free(f->scratch.builder);
    json_parser_free(f->scratch.parser);
    telemetry_close(f->telemetry);
    content_close(f->content);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static Record
record_of(Fixture *f, const char *json)
{
    const char *why;
    size_t offset;
    Dyn tree;
    Record record;
    dyn_builder_reset(f->builder);
    assert_true(json_to_dynamic(f->scratch.parser, str_from(json), f->builder, &why, &offset));
    assert_true(dyn_finish(f->builder, &tree, &why));
    record_open(&record, &f->scratch, tree);
    return record;
}

static void
assert_text(Str got, const char *expected)
{
    char text[400];
    snprintf(text, sizeof(text), "%.*s", STR_ARG(got));
    assert_string_equal(text, expected);
}

static Str
value_of(Fixture *f, Record *record, const char *expr)
{
    AzError error = {0};
    ValueExpr *value = value_compile_text(&f->arena, str_from(expr), "test", &error);
    assert_non_null(value);
    return value_text(value, record);
}

static void
test_values(void **state)
{
    Fixture *f = *state;
    Record record = record_of(
        f, "{\"Time\":\"t\",\"empty\":\"\",\"n\":7,\"list\":[\"first\",\"second\"],"
           "\"props\":\"{\\\"a\\\":{\\\"b.c\\\":\\\"Deep\\\"}}\",\"sig\":\"Succeeded.OK\"}");
    record_unpack(&record, STR("props"));
    assert_text(value_of(f, &record, "time"), "t");
    assert_text(value_of(f, &record, "empty | n"), "7");
    assert_text(value_of(f, &record, "nothing | 'text'"), "text");
    assert_text(value_of(f, &record, "props.a.\"b.c\""), "Deep");
    assert_text(value_of(f, &record, "upper(props.A.\"b.c\")"), "DEEP");
    assert_text(value_of(f, &record, "json(props.a)"), "{\"b.c\":\"Deep\"}");
    assert_text(value_of(f, &record, "last(sig)"), "OK");
    assert_text(value_of(f, &record, "list"), "first");
    assert_text(value_of(f, &record, "time.x"), "");
}

static void
test_values_refused(void **state)
{
    Fixture *f = *state;
    static const char *const wrong[] = {
        "",      "a |", "upper(a", "unheard(a)",
        "'open", "a b", "a..b",    "upper(lower(upper(lower(upper(a)))))"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        AzError error = {0};
        assert_null(value_compile_text(&f->arena, str_from(wrong[i]), "test", &error));
        assert_int_equal(error.code, AZ_INVALID);
    }
}

static void
test_taken(void **state)
{
    Fixture *f = *state;
    AzError error = {0};
    Record record = record_of(f, "{\"a\":{\"b\":1,\"c\":2},\"d\":3}");
    JsonMember member;
    ValueExpr *value = value_compile_text(&f->arena, STR("a.b"), "test", &error);
    assert_true(value_find(value, &record, &member, true));
    Dyn a = record.members[0].value, d = record.members[1].value;
    assert_true(record_is_taken(&record, dyn_get(a, STR("b"))));
    assert_false(record_is_taken(&record, dyn_get(a, STR("c"))));
    assert_false(record_is_taken(&record, a));
    assert_true(record_has_taken(&record, a));
    assert_false(record_has_taken(&record, d));
}

static void
test_resource_ids(void **state)
{
    Fixture *f = *state;
    ResourceId id = resource_id_parse(
        &f->arena, STR("/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G1/PROVIDERS/MICROSOFT.STORAGE/"
                       "STORAGEACCOUNTS/A1/BLOBSERVICES/DEFAULT"));
    assert_text(id.subscription, "S1");
    assert_text(id.group, "G1");
    assert_text(id.provider, "MICROSOFT.STORAGE");
    assert_text(id.name, "DEFAULT");
    assert_text(id.full_type, "microsoft.storage/storageaccounts/blobservices");
    id = resource_id_parse(&f->arena, STR("/tenants/T1/providers/Microsoft.aadiam"));
    assert_text(id.full_type, "microsoft.aadiam");
    id = resource_id_parse(&f->arena, STR("/subscriptions/S1"));
    assert_text(id.subscription, "S1");
    assert_int_equal(id.full_type.len, 0);
    id = resource_id_parse(&f->arena, STR("no id at all"));
    assert_int_equal(id.subscription.len + id.provider.len, 0);
}

static void
test_file_tables(void **state)
{
    Fixture *f = *state;
    static const struct {
        const char *path, *table;
        bool declared;
    } cases[] = {
        {"x/SigninLogs.json", "SigninLogs", true},
        {"AzureActivity-legacy-columns.csv.gz", "AzureActivity", true},
        {"AuditLogs_Hunting.csv", "AuditLogs", true},
        {"Shop_CL.json", "Shop_CL", true},
        {"Shop_CL-2024.json", "Shop_CL", true},
        {"SigninLogsOfMine.json", "SigninLogsOfMine_CL", false},
        {"2024 export.json", "Log_2024_export_CL", false},
        {"...", "Log__CL", false},
        {"insights-logs-auditevent/resourceId=/X/y=2026/PT1H.json", "auditevent_CL", false},
        {"am-SigninLogs/x/PT05M.json", "SigninLogs", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool declared;
        Str table =
            telemetry_file_table(f->telemetry, &f->arena, str_from(cases[i].path), &declared);
        assert_text(table, cases[i].table);
        assert_int_equal(declared, cases[i].declared);
    }
}

static void
test_suffixes(void **state)
{
    Fixture *f = *state;
    static const struct {
        const char *table, *name, *json, *column;
        bool csv;
    } cases[] = {
        {"New_CL", "a", "\"x\"", "a_s", false},
        {"New_CL", "a", "1", "a_d", false},
        {"New_CL", "a", "true", "a_b", false},
        {"New_CL", "a", "\"2026-01-31T12:00:00Z\"", "a_t", false},
        {"New_CL", "a", "\"2026-01-31\"", "a_s", false},
        {"New_CL", "a", "\"70000000-0000-0000-0000-000000000001\"", "a_g", false},
        {"New_CL", "a", "[1]", "a_s", false},
        {"New_CL", "a_d", "1", "a_d", false},
        {"New_CL", "a_d", "\"x\"", "a_d_s", false},
        {"New_CL", "a", "\"007\"", "a_s", true},
        {"New_CL", "a", "\"12.5\"", "a_d", true},
        {"New_CL", "a", "\"12.5\"", "a_s", false},
        // The table has jobId_s, and neither jobId_g nor another.
        {"AzureDiagnostics", "jobId", "\"70000000-0000-0000-0000-000000000001\"", "jobId_s", false},
        {"AzureDiagnostics", "httpStatusCode", "200", "httpStatusCode_d", false},
        {"AzureDiagnostics", "httpStatusCode", "\"200\"", "httpStatusCode_s", false},
        {"AzureDiagnostics", "plan_d", "1", "plan_d_d", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Record record =
            record_of(f, str_cstr(&f->arena, str_format(&f->arena, "{\"v\":%s}", cases[i].json)));
        JsonMember value = member_of_node(&f->arena, record.members[0].value);
        Type type;
        const TableInfo *table = telemetry_table(f->telemetry, str_from(cases[i].table));
        assert_text(column_name_suffixed(&f->arena, table, str_from(cases[i].name), &value,
                                         cases[i].csv, &type),
                    cases[i].column);
    }
}

static void
test_table_names(void **state)
{
    Fixture *f = *state;
    assert_null(telemetry_table(f->telemetry, STR("")));
    assert_null(telemetry_table(f->telemetry, STR("../x")));
    assert_null(telemetry_table(f->telemetry, STR("1x")));
    const TableInfo *table = telemetry_table(f->telemetry, STR("signinlogs"));
    assert_text(table->name, "SigninLogs");
    assert_true(table->declared && !table->open);
    assert_true(telemetry_table(f->telemetry, STR("Mine_CL"))->open);
    // Tables of an inventory are no logs.
    assert_false(telemetry_table(f->telemetry, STR("Resources"))->declared);
}

static void
test_tables_of_columns(void **state)
{
    Fixture *f = *state;
    Str names[] = {STR("TimeGenerated"), STR("Caller"), STR("OperationNameValue"),
                   STR("ActivityStatusValue"), STR("CorrelationId")};
    const TableInfo *table = telemetry_table_of_columns(f->telemetry, names, 5);
    assert_non_null(table);
    assert_text(table->name, "AzureActivity");
    Str others[] = {STR("this"), STR("is"), STR("no"), STR("table"), STR("at_all")};
    assert_null(telemetry_table_of_columns(f->telemetry, others, 5));
    assert_null(telemetry_table_of_columns(f->telemetry, others, 5)); // now remembered
}

// Every table that content/telemetry names is declared, with the columns that get values.
static void
test_content(void **state)
{
    Fixture *f = *state;
    for (size_t i = 0; i < f->telemetry->categories.len; i++) {
        const Str *table = f->telemetry->categories.entries[i].pointer;
        if (!telemetry_declared(f->telemetry, *table))
            fail_msg("categories.yaml: no table %.*s", STR_ARG(*table));
    }
    for (size_t i = 0; i < f->telemetry->table_rules.len; i++) {
        Str name = f->telemetry->table_rules.entries[i].key;
        const ColumnRules *rules = f->telemetry->table_rules.entries[i].pointer;
        const TableInfo *table = telemetry_table(f->telemetry, name);
        assert_true(table && table->declared);
        size_t known = 0;
        for (size_t k = 0; k < rules->len; k++)
            known += map_find(&table->columns, rules->items[k].column) != NULL;
        if (!known)
            fail_msg("formats.yaml: %.*s has none of the columns named for it", STR_ARG(name));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),      cmocka_unit_test(test_values_refused),
        cmocka_unit_test(test_taken),       cmocka_unit_test(test_resource_ids),
        cmocka_unit_test(test_file_tables), cmocka_unit_test(test_suffixes),
        cmocka_unit_test(test_table_names), cmocka_unit_test(test_tables_of_columns),
        cmocka_unit_test(test_content),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
