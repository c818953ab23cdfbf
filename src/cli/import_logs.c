#include "cli/import_logs.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "telemetry/telemetry.h"
#include "value/scalar.h"

#include <inttypes.h>
#include <stdio.h>

enum { FILES_SHOWN = 20 };

static void
print_rows(const LogReport *report)
{
    printf("%-32s %-34s %12s %9s\n", "what the records are", "table", "rows", "unmapped");
    for (size_t i = 0; i < report->row_count; i++) {
        const LogReportRow *row = &report->rows[i];
        printf("%-32.*s %-34.*s %12" PRIu64 " %9" PRIu64 "\n", STR_ARG(row->format),
               STR_ARG(row->table), row->rows, row->unmapped);
    }
}

// What people should know of: rows whose time is missing or lies ahead.
static void
print_times(const LogReport *report)
{
    for (size_t i = 0; i < report->row_count; i++) {
        const LogReportRow *row = &report->rows[i];
        if (row->timeless)
            printf("%.*s: %" PRIu64 " rows have no time that can be read; queries over a time do "
                   "not see them\n",
                   STR_ARG(row->table), row->timeless);
        if (row->ahead)
            printf("%.*s: %" PRIu64 " rows are of a time more than a day ahead of the clock\n",
                   STR_ARG(row->table), row->ahead);
    }
}

static void
print_files(const LogReport *report)
{
    for (size_t i = 0; i < report->file_count && i < FILES_SHOWN; i++) {
        const LogFileReport *file = &report->files[i];
        printf("%.*s", STR_ARG(file->name));
        if (file->rejected)
            printf(": %" PRIu64 " records could not be read", file->rejected);
        if (file->problem.len)
            printf(": %.*s", STR_ARG(file->problem));
        printf("\n");
    }
    if (report->file_count > FILES_SHOWN)
        printf("... and %zu files more\n", report->file_count - FILES_SHOWN);
}

static void
print_report(const LogReport *report)
{
    if (report->row_count)
        print_rows(report);
    print_times(report);
    print_files(report);
    double seconds = report->seconds > 0 ? report->seconds : 1e-9;
    printf("%s%" PRIu64 " rows from %zu files, %.1f MB in %.2f s (%.0f MB/s)",
           report->row_count ? "\n" : "", report->total, report->files_read,
           (double)report->bytes / 1e6, report->seconds, (double)report->bytes / 1e6 / seconds);
    if (report->files_known)
        printf("; %zu files are in the store already", report->files_known);
    printf("\n");
    if (report->rejected)
        printf("%" PRIu64 " records could not be read: see %.*s\n", report->rejected,
               STR_ARG(report->reject_file));
}

int
import_logs(Store *store, Content *content, const IngestOptions *ingest,
            const ImportLogsOptions *options, const char *const *paths, size_t count)
{
    AzError error = {0};
    LogOptions log = {.tenant = str_from(options->tenant), .again = options->again};
    if (options->arrived && !strcmp(options->arrived, "now")) {
        log.received = clock_now_ticks();
    } else if (options->arrived && !datetime_parse(str_from(options->arrived), &log.received)) {
        cli_fail("--arrived takes 'now' or a time such as 2026-03-04T10:00:00Z, not '%s'",
                 options->arrived);
        return AZIMUTH_EXIT_ERROR;
    }
    Arena arena = {0};
    LogReport report;
    Telemetry *telemetry = telemetry_open(content, &error);
    bool done = telemetry != NULL;
    if (done) {
        log.mapper = telemetry_mapper(telemetry);
        done = ingest_logs(store, paths, count, ingest, &log, &arena, &report, &error);
    }
    cli_progress_end();
    if (!done)
        cli_error(&error, STR(""));
    else if (!options->quiet || report.rejected)
        print_report(&report);
    telemetry_close(telemetry);
    arena_free(&arena);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}
