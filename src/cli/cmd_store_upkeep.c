// azimuth store compact, vacuum, retention.

#include "base/clock.h"
#include "cli/store_upkeep.h"
#include "value/scalar.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic bool interrupted;

static void
on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = true;
}

static void
show_progress(void *context, Str table, uint64_t done, uint64_t total)
{
    char name[64];
    snprintf(name, sizeof(name), "%.*s", STR_ARG(str_slice(table, 0, sizeof(name) - 1)));
    cli_progress(context, done, total, name);
}

static UpkeepOptions
upkeep_options(char *verb)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    return (UpkeepOptions){.now = clock_now_ticks(),
                           .progress = show_progress,
                           .progress_context = verb,
                           .cancel = &interrupted};
}

static int
print_report(bool done, const UpkeepReport *report, const AzError *error)
{
    cli_progress_end();
    if (!done) {
        cli_error(error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    if (report->tables)
        printf("%" PRIu64 " table%s rewritten: %" PRIu64 " segments became %" PRIu64
               ", %.1f MB became %.1f MB\n",
               report->tables, report->tables == 1 ? "" : "s", report->segments_before,
               report->segments_after, (double)report->bytes_before / 1e6,
               (double)report->bytes_after / 1e6);
    else
        printf("no table had anything to rewrite\n");
    if (report->rows_expired)
        printf("%" PRIu64 " rows were past their table's retention\n", report->rows_expired);
    printf("%" PRIu64 " files removed, %.1f MB\n", report->files_removed,
           (double)report->bytes_removed / 1e6);
    if (report->files_waiting)
        printf("%" PRIu64 " files are still being read: the next writer or vacuum removes them\n",
               report->files_waiting);
    return AZIMUTH_EXIT_OK;
}

void
store_merge_gathered(Store *store)
{
    AzError error = {0};
    UpkeepReport report;
    fflush(stdout); // what was imported is said before
    if (!store_merge(store, &report, &error))
        cli_fail("the rows are in the store, but its small segments were not merged: %s",
                 error.message);
}

int
store_run_compact(Store *store, const StoreWords *words)
{
    (void)words;
    AzError error = {0};
    UpkeepReport report;
    UpkeepOptions options = upkeep_options("compact");
    bool done = store_compact(store, &options, &report, &error);
    return print_report(done, &report, &error);
}

static bool
confirm(const SnapshotInfo *gone, size_t count, bool yes)
{
    for (size_t i = 0; i < count; i++) {
        Buffer time = {0};
        datetime_print(&time, gone[i].created);
        printf("snapshot %" PRId64 " of %.*s goes: %" PRIu64 " rows from %.*s\n", gone[i].id,
               STR_ARG(buffer_slice(&time)), gone[i].rows, STR_ARG(gone[i].source));
        buffer_free(&time);
    }
    if (!count || yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        cli_fail("nothing was removed: say --yes when these snapshots may go");
        return false;
    }
    char answer[16] = "";
    printf("Remove %zu snapshot%s for good? [y/N] ", count, count == 1 ? "" : "s");
    fflush(stdout);
    if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return true;
    cli_fail("nothing was removed");
    return false;
}

int
store_run_vacuum(Store *store, const StoreWords *words)
{
    AzError error = {0};
    Arena arena = {0};
    int64_t keep = 0;
    SnapshotInfo *gone;
    size_t count;
    if (words->keep && !cli_parse_number(words->keep, 1, INT64_MAX, "--keep", &keep))
        return AZIMUTH_EXIT_ERROR;
    int status = AZIMUTH_EXIT_ERROR;
    if (!store_vacuum_plan(store, keep, &arena, &gone, &count, &error)) {
        cli_error(&error, STR(""));
    } else if (confirm(gone, count, words->yes)) {
        UpkeepReport report;
        UpkeepOptions options = upkeep_options("vacuum");
        bool done = store_vacuum(store, keep, &options, &report, &error);
        status = print_report(done, &report, &error);
    }
    arena_free(&arena);
    return status;
}

int
store_run_retention(Store *store, const StoreWords *words)
{
    AzError error = {0};
    const char *table = words->words[0], *text = words->words[1];
    int64_t days = 0;
    enum { DAYS_MAX = 3650000 }; // more than a datetime can hold
    if (strcmp(text, "none") != 0 && !cli_parse_number(text, 1, DAYS_MAX, "retention", &days))
        return AZIMUTH_EXIT_ERROR;
    if (!store_retention_set(store, str_from(table), days, &error)) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    if (days)
        printf("%s keeps its rows for %" PRId64 " days; compact and vacuum let older ones go\n",
               table, days);
    else
        printf("%s keeps its rows for ever\n", table);
    return AZIMUTH_EXIT_OK;
}
