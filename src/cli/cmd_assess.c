// azimuth assess: all controls over a snapshot, and what they found as text and files.

#include "assess/assess.h"
#include "azure/tables.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "report/assessment_report.h"
#include "version.h"

#include <stdio.h>
#include <unistd.h>

static void
show_progress(void *context, size_t done, size_t total, const Control *control)
{
    (void)context;
    char note[48];
    snprintf(note, sizeof(note), "%.*s", STR_ARG(control->id));
    cli_progress("assess", done, total, note);
}

static bool
write_outputs(Database *db, const Assessment *assessment, const ReportPaths *paths,
              const ReportIncidents *incidents, const char *html, const char *json, const char *csv)
{
    Buffer out = {0};
    AzError error = {0};
    bool done = true;
    if (html) {
        done = report_html(db, assessment, paths, incidents, &out, &error);
        if (!done)
            cli_error(&error, STR(""));
        done = done && cli_write_file(html, buffer_slice(&out));
    }
    if (json && done) {
        buffer_clear(&out);
        report_json(assessment, paths, incidents, &out);
        done = cli_write_file(json, buffer_slice(&out));
    }
    if (csv && done) {
        buffer_clear(&out);
        report_csv(assessment, &out);
        done = cli_write_file(csv, buffer_slice(&out));
    }
    buffer_free(&out);
    return done;
}

static void
print_summary(const Assessment *assessment, const ReportPaths *paths)
{
    Buffer out = {0};
    uint32_t width = cli_terminal_width();
    report_terminal(assessment, paths, &out, cli_use_color(STDOUT_FILENO), width ? width : 80);
    cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    for (size_t i = 0; i < assessment->controls->len; i++)
        if (assessment->results[i].error.len)
            cli_fail("%.*s", STR_ARG(assessment->results[i].error));
    if (assessment->history_note.len)
        cli_fail("the findings were not kept in the store: %.*s",
                 STR_ARG(assessment->history_note));
}

static bool
meets_threshold(const Assessment *assessment, Severity threshold)
{
    for (int s = (int)threshold; s <= SEVERITY_CRITICAL; s++)
        if (assessment->fail_by_severity[s])
            return true;
    return false;
}

static int
assess_command(int argc, char **argv)
{
    const char *store = NULL, *html = NULL, *json = NULL, *csv = NULL, *fail_on = NULL,
               *glob = NULL, *content = NULL, *snapshot = NULL, *threads = NULL;
    bool quiet = false, no_history = false;
    const CliOption options[] = {
        {"--store", "DIR", "the store (required)", &store, NULL},
        {"--report", "FILE", "write the HTML report", &html, NULL},
        {"--json", "FILE", "write the findings as JSON", &json, NULL},
        {"--csv", "FILE", "write the findings as CSV", &csv, NULL},
        {"--fail-on", "SEVERITY", "exit 1 when a finding is critical|high|medium|low or worse",
         &fail_on, NULL},
        {"--controls", "GLOB", "only controls whose id matches, e.g. 'ID-*'", &glob, NULL},
        {"--snapshot", "N", "the snapshot to judge (default: the newest)", &snapshot, NULL},
        {"--content", "DIR", "the content folder", &content, NULL},
        {"--threads", "N", "worker threads", &threads, NULL},
        {"--no-history", NULL, "do not keep the findings in the store", NULL, &no_history},
        {"--quiet", NULL, "print no summary", NULL, &quiet},
    };
    int status;
    if (!cli_options(&CLI_ASSESS, options, sizeof(options) / sizeof(options[0]), &argc, argv,
                     &status))
        return status;
    Severity threshold = SEVERITY_CRITICAL;
    if (!store || argc > 1) {
        cli_fail("usage: azimuth %s", CLI_ASSESS.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    if (fail_on && (!severity_parse(str_from(fail_on), &threshold) || threshold == SEVERITY_INFO)) {
        cli_fail("--fail-on is critical, high, medium or low, not '%s'", fail_on);
        return AZIMUTH_EXIT_ERROR;
    }
    int64_t n_snapshot = 0, n_threads = 0;
    if ((snapshot && !cli_parse_number(snapshot, 1, INT64_MAX, "--snapshot", &n_snapshot)) ||
        (threads && !cli_parse_number(threads, 1, 1024, "--threads", &n_threads)))
        return AZIMUTH_EXIT_ERROR;
    DatabaseOptions db_options = {
        .store = store, .content = content, .snapshot = n_snapshot, .threads = (size_t)n_threads};
    AzError error = {0};
    Database *db = db_open(&db_options, &error);
    if (db)
        azure_add_tables(db);
    Arena arena = {0};
    AssessOptions assess_options = {
        .controls_glob = glob,
        .version = AZIMUTH_VERSION,
        .write_history = !no_history,
        .progress = quiet ? NULL : show_progress,
    };
    Assessment *assessment = db ? assess_run(db, &arena, &assess_options, &error) : NULL;
    cli_progress_end();
    ReportPaths paths = {0};
    if (assessment && (html || json || !quiet))
        report_paths_read(db, assessment, clock_now_ticks(), &arena, &paths);
    ReportIncidents incidents = {0};
    if (assessment && (html || json))
        report_incidents_read(db, &arena, &incidents);
    status = AZIMUTH_EXIT_ERROR;
    if (!assessment) {
        cli_error(&error, STR(""));
    } else if (write_outputs(db, assessment, &paths, &incidents, html, json, csv)) {
        if (!quiet)
            print_summary(assessment, &paths);
        status = fail_on && meets_threshold(assessment, threshold) ? AZIMUTH_EXIT_FINDINGS
                                                                   : AZIMUTH_EXIT_OK;
    }
    arena_free(&arena);
    db_close(db);
    return status;
}

const CliCommand CLI_ASSESS = {
    "assess",
    "assess --store DIR [--report FILE.html] [--json FILE] [--csv FILE] [--fail-on SEVERITY]",
    "runs every control over a snapshot and reports what is at risk",
    assess_command,
};
