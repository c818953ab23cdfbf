// azimuth store: what a store holds, and whether it is sound.

#include "cli/cli.h"
#include "store/store.h"
#include "value/scalar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool
print_snapshots(Store *store, Arena *arena, AzError *error)
{
    SnapshotInfo *snapshots;
    size_t count;
    if (!store_snapshots(store, arena, &snapshots, &count, error))
        return false;
    printf("%-9s %-29s %12s %9s  %s\n", "snapshot", "created", "rows", "rejected", "source");
    for (size_t i = 0; i < count; i++) {
        Buffer time = {0};
        datetime_print(&time, snapshots[i].created);
        printf("%-9" PRId64 " %-29.*s %12" PRIu64 " %9" PRIu64 "  %.*s\n", snapshots[i].id,
               STR_ARG(buffer_slice(&time)), snapshots[i].rows, snapshots[i].rejected,
               STR_ARG(snapshots[i].source));
        buffer_free(&time);
    }
    return true;
}

static int
print_info(Store *store)
{
    Arena arena = {0};
    AzError error = {0};
    StoreView *view = NULL;
    bool done = print_snapshots(store, &arena, &error) &&
                (view = store_view_open(store, 0, &error)) != NULL;
    if (done) {
        size_t count;
        const StoreTable *tables = store_view_tables(view, &count);
        printf("\n%-34s %-9s %12s %12s %9s\n", "table", "kind", "rows", "bytes", "segments");
        for (size_t i = 0; i < count; i++)
            printf("%-34.*s %-9s %12" PRIu64 " %12" PRIu64 " %9u\n", STR_ARG(tables[i].name),
                   tables[i].kind == TABLE_LOG ? "log" : "inventory", tables[i].rows,
                   tables[i].stored_bytes, tables[i].segments);
    } else {
        cli_error(&error, STR(""));
    }
    if (view)
        store_view_close(view);
    arena_free(&arena);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

static void
print_problem(void *context, const char *line)
{
    (void)context;
    printf("%s\n", line);
}

static int
check_store(Store *store)
{
    AzError error = {0};
    int64_t problems = store_check(store, print_problem, NULL, &error);
    if (problems < 0) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    printf("%" PRId64 " problem%s found\n", problems, problems == 1 ? "" : "s");
    return problems ? AZIMUTH_EXIT_FINDINGS : AZIMUTH_EXIT_OK;
}

static int
store_command(int argc, char **argv)
{
    const char *dir = NULL;
    const CliOption options[] = {{"--store", "DIR", "the store (required)", &dir, NULL}};
    int status;
    if (!cli_options(&CLI_STORE, options, 1, &argc, argv, &status))
        return status;
    const char *verb = argc > 1 ? argv[1] : "info";
    bool info = strcmp(verb, "info") == 0, check = strcmp(verb, "check") == 0;
    if (!dir || argc > 2 || (!info && !check)) {
        cli_fail("usage: azimuth %s", CLI_STORE.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    AzError error = {0};
    Store *store = store_open(dir, STORE_READ, &error);
    if (!store) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    status = check ? check_store(store) : print_info(store);
    store_close(store);
    return status;
}

const CliCommand CLI_STORE = {
    "store",
    "store [info | check] --store DIR",
    "shows what a store holds, or checks every block of it",
    store_command,
};
