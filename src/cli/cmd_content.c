// azimuth content: whether controls, detections and functions are right, in our pack or in the
// folders of others.

#include "assess/control.h"
#include "assess/fixture.h"
#include "azure/tables.h"
#include "cli/cli.h"
#include "detect/rule_check.h"
#include "detect/rule_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct ContentTest {
    Database *db;
    Arena arena;
    RuleSet rules;
    ControlSet controls;
    RuleProblems problems;
    RuleFixtureReport rule_fixtures;
    FixtureReport control_fixtures;
    bool strict;
} ContentTest;

static bool
is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void
add_problem(ContentTest *test, Str file, Str text, bool is_warning)
{
    RuleProblem problem = {file, text, is_warning};
    ARRAY_PUSH(&test->arena, &test->problems, problem);
}

// ---- controls ----

static void
check_controls(ContentTest *test, const char *dir)
{
    AzError error = {0};
    if (!controls_load(&test->arena, dir, NULL, &test->controls, &error)) {
        add_problem(test, str_from(dir), str_copy(&test->arena, str_from(error.message)), false);
        return;
    }
    for (size_t i = 0; i < test->controls.len; i++) {
        const Control *control = &test->controls.items[i];
        AzError cause = {0};
        uint32_t line = 1, column = 1;
        if (db_check(test->db, control->query, NULL, &cause))
            continue;
        if (cause.has_span)
            text_position(control->query, cause.span.start, &line, &column);
        add_problem(test, control->file,
                    str_format(&test->arena, "%.*s:%u: control %.*s: %s", STR_ARG(control->file),
                               control->query_line + line - 1, STR_ARG(control->id), cause.message),
                    false);
    }
}

// ---- functions ----

static void
check_function(void *context, const KqlFunctionInfo *info)
{
    ContentTest *test = context;
    if (test->strict && !info->docstring.len)
        add_problem(test, STR("functions"),
                    str_format(&test->arena, "function %.*s has no docstring", STR_ARG(info->name)),
                    false);
}

// ---- detections ----

static void
want_fixtures(ContentTest *test)
{
    for (size_t i = 0; i < test->rules.len; i++) {
        const AnalyticsRule *rule = &test->rules.items[i];
        bool fires = map_find(&test->rule_fixtures.fired, rule->id) != NULL;
        bool silent = map_find(&test->rule_fixtures.silent, rule->id) != NULL;
        if (fires && silent)
            continue;
        add_problem(test, rule->file,
                    str_format(&test->arena, "%.*s: rule '%.*s' has no fixture in which it %s",
                               STR_ARG(rule->file), STR_ARG(rule->name),
                               !fires ? "raises an alert" : "raises none"),
                    !test->strict);
    }
}

static bool
test_fixtures(ContentTest *test, const char *dir, AzError *error)
{
    if (!rule_fixtures_run(test->db, &test->arena, &test->rules, dir, &test->rule_fixtures, error))
        return false;
    want_fixtures(test);
    Arena scratch = {0};
    Str controls = str_format(&scratch, "%s/controls", dir);
    bool done = !test->controls.len || !is_folder(controls.ptr) ||
                fixtures_run(test->db, controls.ptr, &test->control_fixtures, error);
    arena_free(&scratch);
    return done;
}

static bool
test_folder(ContentTest *test, const char *dir, const char *fixtures, AzError *error)
{
    Str detections = str_format(&test->arena, "%s/detections", dir);
    Str controls = str_format(&test->arena, "%s/controls", dir);
    bool is_pack = is_folder(detections.ptr) || is_folder(controls.ptr);
    if (!is_pack && !rules_load(&test->arena, dir, &test->rules, &test->problems, error))
        return false;
    if (is_folder(detections.ptr) &&
        !rules_load(&test->arena, detections.ptr, &test->rules, &test->problems, error))
        return false;
    if (is_folder(controls.ptr))
        check_controls(test, controls.ptr);
    rules_check(test->db, &test->arena, &test->rules, test->strict, &test->problems);
    db_each_kql_function(test->db, check_function, test);
    return !fixtures || test_fixtures(test, fixtures, error);
}

// ---- the command ----

static int
report(const ContentTest *test, bool warnings)
{
    uint64_t bad = 0, doubtful = 0;
    for (size_t i = 0; i < test->problems.len; i++) {
        const RuleProblem *problem = &test->problems.items[i];
        bad += !problem->is_warning;
        doubtful += problem->is_warning;
        if (!problem->is_warning || warnings)
            fprintf(stderr, "%s%.*s\n", problem->is_warning ? "warning: " : "",
                    STR_ARG(problem->text));
    }
    cli_write(STDERR_FILENO, buffer_slice(&test->rule_fixtures.text));
    cli_write(STDERR_FILENO, buffer_slice(&test->control_fixtures.text));
    uint64_t failed = test->rule_fixtures.failed + test->control_fixtures.failed;
    printf("%zu detections, %zu controls: %" PRIu64 " problems, %" PRIu64 " warnings; fixtures: "
           "%" PRIu64 " passed, %" PRIu64 " failed\n",
           test->rules.len, test->controls.len, bad, doubtful,
           test->rule_fixtures.passed + test->control_fixtures.passed, failed);
    return bad || failed ? AZIMUTH_EXIT_FINDINGS : AZIMUTH_EXIT_OK;
}

static int
content_command(int argc, char **argv)
{
    const char *content = NULL, *fixtures = NULL;
    ContentTest test = {0};
    bool warnings = false;
    const CliOption options[] = {
        {"--fixtures", "DIR", "a folder of fixtures to run", &fixtures, NULL},
        {"--content", "DIR", "the content folder whose functions and schemas are used", &content,
         NULL},
        {"--strict", NULL, "what the shipped content must have: notes, fixtures, docstrings", NULL,
         &test.strict},
        {"--warnings", NULL, "show warnings too", NULL, &warnings},
    };
    int status;
    if (!cli_options(&CLI_CONTENT, options, sizeof options / sizeof options[0], &argc, argv,
                     &status))
        return status;
    if (argc < 2 || argc > 3 || strcmp(argv[1], "test") != 0) {
        cli_fail("usage: azimuth %s", CLI_CONTENT.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    AzError error = {0};
    DatabaseOptions db_options = {.content = content};
    test.db = db_open(&db_options, &error);
    if (test.db)
        azure_add_tables(test.db);
    const char *dir = argc > 2 ? argv[2] : test.db ? content_dir(db_content(test.db)) : "";
    status = AZIMUTH_EXIT_ERROR;
    if (test.db && test_folder(&test, dir, fixtures, &error))
        status = report(&test, warnings);
    else
        cli_error(&error, STR(""));
    buffer_free(&test.rule_fixtures.text);
    buffer_free(&test.control_fixtures.text);
    db_close(test.db);
    arena_free(&test.arena);
    return status;
}

const CliCommand CLI_CONTENT = {
    "content",
    "content test [DIR] [--fixtures DIR] [--strict]",
    "checks detections, controls and functions, and runs them on fixtures",
    content_command,
};
