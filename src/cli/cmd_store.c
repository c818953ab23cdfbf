// azimuth store: what a store holds, and whether it is sound.

#include "cli/store_upkeep.h"
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
print_info(Store *store, const StoreWords *words)
{
    (void)words;
    Arena arena = {0};
    AzError error = {0};
    StoreView *view = NULL;
    bool done = print_snapshots(store, &arena, &error) &&
                (view = store_view_open(store, 0, &error)) != NULL;
    if (done) {
        size_t count;
        const StoreTable *tables = store_view_tables(view, &count);
        printf("\n%-34s %-9s %12s %12s %9s\n", "table", "kind", "rows", "bytes", "segments");
        for (size_t i = 0; i < count; i++) {
            int64_t days = 0;
            printf("%-34.*s %-9s %12" PRIu64 " %12" PRIu64 " %9u", STR_ARG(tables[i].name),
                   tables[i].kind == TABLE_LOG ? "log" : "inventory", tables[i].rows,
                   tables[i].stored_bytes, tables[i].segments);
            if (tables[i].kind == TABLE_LOG &&
                store_retention(store, tables[i].name, &days, NULL) && days)
                printf("  kept %" PRId64 " days", days);
            printf("\n");
        }
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
check_store(Store *store, const StoreWords *words)
{
    (void)words;
    AzError error = {0};
    int64_t problems = store_check(store, print_problem, NULL, &error);
    if (problems < 0) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    printf("%" PRId64 " problem%s found\n", problems, problems == 1 ? "" : "s");
    return problems ? AZIMUTH_EXIT_FINDINGS : AZIMUTH_EXIT_OK;
}

static const struct {
    const char *verb;
    StoreMode mode;
    int least, most; // words behind the verb
    int (*run)(Store *store, const StoreWords *words);
} VERBS[] = {
    {"info", STORE_READ, 0, 0, print_info},
    {"check", STORE_READ, 0, 0, check_store},
    {"compact", STORE_WRITE, 0, 0, store_run_compact},
    {"vacuum", STORE_WRITE, 0, 0, store_run_vacuum},
    {"retention", STORE_WRITE, 2, 2, store_run_retention},
};

// Maintenance of a store that is not there would make an empty one.
static Store *
open_existing(const char *dir, StoreMode mode, AzError *error)
{
    Store *store = store_open(dir, STORE_READ, error);
    if (!store || mode == STORE_READ)
        return store;
    store_close(store);
    return store_open(dir, mode, error);
}

static int
store_command(int argc, char **argv)
{
    const char *dir = NULL;
    StoreWords words = {0};
    const CliOption options[] = {
        {"--store", "DIR", "the store (required)", &dir, NULL},
        {"--keep", "N", "vacuum: the newest N snapshots stay, older ones go", &words.keep, NULL},
        {"--yes", NULL, "vacuum: do not ask", NULL, &words.yes},
    };
    int status;
    if (!cli_options(&CLI_STORE, options, sizeof(options) / sizeof(options[0]), &argc, argv,
                     &status))
        return status;
    const char *verb = argc > 1 ? argv[1] : "info";
    words.words = (const char *const *)argv + 2;
    size_t v = 0, count = sizeof(VERBS) / sizeof(VERBS[0]);
    while (v < count && strcmp(verb, VERBS[v].verb) != 0)
        v++;
    if (!dir || v == count || (argc > 1 ? argc - 2 : 0) < VERBS[v].least ||
        argc - 2 > VERBS[v].most || ((words.keep || words.yes) && strcmp(verb, "vacuum") != 0)) {
        cli_fail("usage: azimuth %s", CLI_STORE.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    AzError error = {0};
    Store *store = open_existing(dir, VERBS[v].mode, &error);
    if (!store) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    status = VERBS[v].run(store, &words);
    store_close(store);
    return status;
}

const CliCommand CLI_STORE = {
    "store",
    "store [info | check | compact | vacuum [--keep N] [--yes] |\n"
    "       retention TABLE DAYS|none] --store DIR",
    "shows what a store holds, checks every block of it, or keeps it small",
    store_command,
};
