// azimuth controls: what is checked, and whether the controls do what they say.

#include "assess/control.h"
#include "assess/fixture.h"
#include "azure/tables.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
list_controls(Database *db)
{
    Arena arena = {0};
    ControlSet controls;
    AzError error = {0};
    Str dir = str_format(&arena, "%s/controls", content_dir(db_content(db)));
    if (!controls_load(&arena, dir.ptr, NULL, &controls, &error)) {
        cli_error(&error, STR(""));
        arena_free(&arena);
        return AZIMUTH_EXIT_ERROR;
    }
    for (size_t i = 0; i < controls.len; i++) {
        const Control *control = &controls.items[i];
        printf("%-8.*s %-9s %-12.*s %.*s\n", STR_ARG(control->id), severity_name(control->severity),
               STR_ARG(control->area), STR_ARG(control->title));
    }
    printf("\n%zu controls\n", controls.len);
    arena_free(&arena);
    return AZIMUTH_EXIT_OK;
}

// Every query parses and binds, whether or not there is data.
static int
check_controls(Database *db)
{
    Arena arena = {0};
    ControlSet controls;
    AzError error = {0};
    uint64_t bad = 0;
    Str dir = str_format(&arena, "%s/controls", content_dir(db_content(db)));
    bool done = controls_load(&arena, dir.ptr, NULL, &controls, &error);
    for (size_t i = 0; done && i < controls.len; i++) {
        AzError cause = {0};
        if (db_check(db, controls.items[i].query, NULL, &cause))
            continue;
        bad++;
        fprintf(stderr, "%.*s\n", STR_ARG(controls.items[i].file));
        cli_error(&cause, controls.items[i].query);
    }
    if (!done)
        cli_error(&error, STR(""));
    else
        printf("%zu controls, %" PRIu64 " cannot be run\n", controls.len, bad);
    arena_free(&arena);
    return done && !bad ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

static int
test_controls(Database *db, const char *dir)
{
    FixtureReport report = {0};
    AzError error = {0};
    bool done = fixtures_run(db, dir, &report, &error);
    cli_write(STDOUT_FILENO, buffer_slice(&report.text));
    if (!done)
        cli_error(&error, STR(""));
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", report.passed, report.failed);
    buffer_free(&report.text);
    return done && !report.failed && report.passed ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

static int
controls_command(int argc, char **argv)
{
    const char *content = NULL;
    const CliOption options[] = {{"--content", "DIR", "the content folder", &content, NULL}};
    int status;
    if (!cli_options(&CLI_CONTROLS, options, 1, &argc, argv, &status))
        return status;
    const char *verb = argc > 1 ? argv[1] : "list";
    bool test = strcmp(verb, "test") == 0;
    if (argc > (test ? 3 : 2) || (test && argc < 3)) {
        cli_fail("usage: azimuth %s", CLI_CONTROLS.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    AzError error = {0};
    DatabaseOptions db_options = {.content = content};
    Database *db = db_open(&db_options, &error);
    if (db)
        azure_add_tables(db);
    if (!db) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    if (test)
        status = test_controls(db, argv[2]);
    else if (strcmp(verb, "check") == 0)
        status = check_controls(db);
    else if (strcmp(verb, "list") == 0)
        status = list_controls(db);
    else {
        cli_fail("'controls' knows list, check and test, not '%s'", verb);
        status = AZIMUTH_EXIT_ERROR;
    }
    db_close(db);
    return status;
}

const CliCommand CLI_CONTROLS = {
    "controls",
    "controls [list | check | test FIXTURES]",
    "lists the controls, checks that they run, or tests them on fixtures",
    controls_command,
};
