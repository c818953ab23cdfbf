// azimuth collect: a tenant becomes a folder of answers, and the folder a snapshot.

#include "assess/assess.h"
#include "assess/control.h"
#include "base/array.h"
#include "cli/cmd_collect_permissions.h"
#include "collect/archive.h"
#include "collect/collect.h"
#include "store/ingest.h"
#include "version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { IN_FLIGHT = 384, MOST_PAGES = 20000, GAPS_SHOWN = 12 };

typedef struct CollectArgs {
    const char *store, *folder, *last, *archive, *only, *in_flight_text, *pages_text;
    bool plan, quiet, permissions, redact, check, bicep, script;
    int64_t in_flight, pages;
    CollectLogin login;
} CollectArgs;

static void
show_progress(void *context, const CollectProgress *progress)
{
    uint64_t total = progress->calls + progress->open;
    (void)context;
    cli_progress("collect", progress->calls, total, progress->source);
}

static void
print_time(double seconds)
{
    if (seconds < 90)
        printf("%.0f s", seconds < 1 ? 1 : seconds);
    else if (seconds < 5400)
        printf("%.0f min", seconds / 60);
    else
        printf("%.1f h", seconds / 3600);
}

static void
print_plan(const CollectPlan *plan, bool lines)
{
    for (size_t i = 0; lines && i < plan->count; i++) {
        const PlanLine *line = &plan->lines[i];
        printf("%-34.*s %-32.*s %8" PRIu64 "%s\n", STR_ARG(line->source->name),
               STR_ARG(line->source->table), line->calls, line->at_least ? " or more" : "");
    }
    if (plan->uncounted.len)
        printf("not all could be counted: %.*s\n", STR_ARG(plan->uncounted));
    printf("plan: %" PRIu64 " calls or more in %" PRIu64 " subscriptions, about ", plan->calls,
           plan->subscriptions);
    print_time(plan->seconds);
    printf("\n");
    fflush(stdout); // before the bar, which is on stderr
}

static void
print_gaps(const CollectReport *report)
{
    for (size_t i = 0; i < report->gap_count && i < GAPS_SHOWN; i++) {
        const CollectGap *gap = &report->gaps[i];
        printf("not collected: %.*s of %.*s: %.*s\n", STR_ARG(gap->source), STR_ARG(gap->scope),
               STR_ARG(gap->reason));
    }
    if (report->gap_count > GAPS_SHOWN)
        printf("and %zu more: see the table CollectionStatus\n", report->gap_count - GAPS_SHOWN);
}

static void
print_refresh(const CollectReport *report)
{
    if (!report->refreshed)
        return;
    printf("%" PRIu64 " lists taken over from the last collection\n", report->carried);
    for (size_t i = 0; i < report->notes.len; i++)
        printf("read in full: %.*s: %.*s\n", STR_ARG(report->notes.items[i].source),
               STR_ARG(report->notes.items[i].why));
}

// The tables that are needed and that the newest snapshot lacks, whole or in part.
static size_t
print_unknown(const Collector *collector, const CollectReport *report)
{
    Arena arena = {0};
    ControlSet controls = {0};
    AzError error = {0};
    size_t unknown = 0;
    char *dir =
        str_cstr(&arena, str_format(&arena, "%s/controls", content_dir(collector->content)));
    bool read = controls_load(&arena, dir, NULL, &controls, &error);
    for (size_t i = 0; read && i < controls.len; i++) {
        const Control *control = &controls.items[i];
        bool touched = false;
        for (size_t k = 0; k < control->need_count; k++)
            for (size_t g = 0; g < report->gap_count; g++)
                touched = touched || str_equal_ci(report->gaps[g].table, control->needs[k]);
        if (!touched)
            continue;
        printf("%s%.*s", unknown ? " " : "controls with unknown verdicts, in all or some scopes: ",
               STR_ARG(control->id));
        unknown++;
    }
    if (unknown)
        printf("\n");
    arena_free(&arena);
    return unknown;
}

static bool
import_folder(Collector *collector, const CollectArgs *args, AzError *error)
{
    Store *store = store_open(args->store, STORE_WRITE, error);
    if (!store)
        return false;
    ThreadPool *pool = thread_pool_new(threads_default());
    IngestOptions options = {.find_schema = content_find_schema,
                             .schema_context = collector->content,
                             .threads = pool,
                             .tool_version = AZIMUTH_VERSION};
    IngestReport report = {0};
    bool done = ingest_tenant(store, args->folder, &options, &collector->arena, &report, error);
    if (done && !args->quiet)
        printf("%" PRIu64 " rows in snapshot %" PRId64 " of %s\n", report.rows, report.snapshot,
               args->store);
    if (done && report.rejected)
        printf("%" PRIu64 " records could not be read: see %.*s\n", report.rejected,
               STR_ARG(report.reject_file));
    thread_pool_free(pool);
    store_close(store);
    return done;
}

static bool
collect(Collector *collector, SourceSet *sources, const CollectArgs *args, AzError *error)
{
    const char *tenant = args->login.tenant ? args->login.tenant : getenv("AZURE_TENANT_ID");
    CollectOptions options = {
        .folder = args->folder,
        .last = args->last,
        .sources = sources,
        .cloud = &collector->cloud,
        .auth = collector->auth,
        .http = collector->http,
        .identity = str_format(&collector->arena, "tenant %s, tables %s",
                               tenant && *tenant ? tenant : "of the login",
                               args->only ? args->only : "all"),
        .most_in_flight = (uint32_t)args->in_flight,
        .most_pages = (uint32_t)args->pages,
        .progress = args->quiet ? NULL : show_progress,
    };
    CollectReport report = {0};
    // How many calls a refresh takes is known when it knows what changed.
    if (args->plan || (!args->quiet && !args->last)) {
        CollectPlan plan;
        if (!collect_plan(&options, &collector->arena, &plan, error))
            return false;
        print_plan(&plan, args->plan);
        if (args->plan)
            return true;
    }
    bool done = collect_run(&options, &collector->arena, &report, error);
    cli_progress_end();
    if (!done)
        return false;
    if (!args->quiet) {
        printf("%" PRIu64 " rows by %" PRIu64 " calls in ", report.rows, report.calls);
        print_time(report.seconds);
        printf(", signed in by %.*s%s\n", STR_ARG(auth_method(collector->auth)),
               report.resumed ? ", an earlier run taken up" : "");
        if (report.refusals)
            printf("%" PRIu64 " calls came too fast and were made again\n", report.refusals);
        print_refresh(&report);
        print_gaps(&report);
        print_unknown(collector, &report);
    }
    auth_free(collector->auth); // nobody needs to be signed in any more
    collector->auth = NULL;
    if (args->archive && !archive_write(args->folder, args->archive, args->redact, error))
        return false;
    if (args->archive && !args->quiet)
        printf("archive: %s\n", args->archive);
    return !args->store || import_folder(collector, args, error);
}

// azimuth collect archive TENANT_DIR FILE.tar.zst: of a collection that is there.
static int
collect_archive(int argc, char **argv)
{
    bool redact = false;
    AzError error = {0};
    const CliOption options[] = {
        {"--redact", NULL, "names and addresses become others, the same everywhere", NULL, &redact},
    };
    int status;
    if (!cli_options(&CLI_COLLECT, options, COUNT_OF(options), &argc, argv, &status))
        return status;
    if (argc != 3 || !archive_is_named(argv[2])) {
        cli_fail("usage: azimuth collect archive [--redact] TENANT_DIR FILE.tar.zst");
        return AZIMUTH_EXIT_ERROR;
    }
    if (archive_write(argv[1], argv[2], redact, &error))
        return AZIMUTH_EXIT_OK;
    cli_error(&error, STR(""));
    return AZIMUTH_EXIT_ERROR;
}

static int
collect_main(int argc, char **argv)
{
    CollectArgs args = {.in_flight = IN_FLIGHT, .pages = MOST_PAGES};
    const CliOption options[] = {
        {"--store", "DIR", "import the folder into this store when all is read", &args.store, NULL},
        {"--archive", "FILE.tar.zst", "keep what was read in one file, which 'import' takes",
         &args.archive, NULL},
        {"--redact", NULL, "names and addresses in the archive become others, the same everywhere",
         NULL, &args.redact},
        {"--refresh", "LAST_DIR",
         "read only what changed since the collection in that folder; the result is a whole one",
         &args.last, NULL},
        {"--only", "TABLES", "only these tables, by commas", &args.only, NULL},
        {"--plan", NULL, "show how many calls it takes, and stop", NULL, &args.plan},
        {"--in-flight", "N", "calls at once, at most (384)", &args.in_flight_text, NULL},
        {"--most-pages", "N", "of one list (20000)", &args.pages_text, NULL},
        {"--check", NULL, "with permissions: what whoever is signed in lacks", NULL, &args.check},
        {"--bicep", NULL, "with permissions: a template that grants them", NULL, &args.bicep},
        {"--script", NULL, "with permissions: a script of az that grants them", NULL, &args.script},
        COLLECT_LOGIN_OPTIONS(&args.login),
        {"--quiet", NULL, "print nothing when all went well", NULL, &args.quiet},
    };
    int status;
    if (argc > 1 && strcmp(argv[1], "logs") == 0)
        return collect_logs(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "archive") == 0)
        return collect_archive(argc - 1, argv + 1);
    if (!cli_options(&CLI_COLLECT, options, sizeof(options) / sizeof(options[0]), &argc, argv,
                     &status))
        return status;
    args.permissions = argc == 2 && strcmp(argv[1], "permissions") == 0;
    if (argc != (args.plan ? 1 : 2)) {
        cli_fail("usage: azimuth %s", CLI_COLLECT.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    if (args.check + args.bicep + args.script > args.permissions) {
        cli_fail("--check, --bicep or --script goes with 'azimuth collect permissions'");
        return AZIMUTH_EXIT_ERROR;
    }
    if ((args.redact && !args.archive) || (args.archive && !archive_is_named(args.archive))) {
        cli_fail(args.archive ? "--archive takes a FILE.tar.zst"
                              : "--redact is for --archive FILE.tar.zst: the folder keeps what was "
                                "read, so that a run can be taken up");
        return AZIMUTH_EXIT_ERROR;
    }
    if (args.last && args.plan) {
        cli_fail("--plan counts what all takes: a refresh learns what changed when it runs");
        return AZIMUTH_EXIT_ERROR;
    }
    if ((args.in_flight_text &&
         !cli_parse_number(args.in_flight_text, 1, 1000, "--in-flight", &args.in_flight)) ||
        (args.pages_text &&
         !cli_parse_number(args.pages_text, 1, 1000000, "--most-pages", &args.pages)))
        return AZIMUTH_EXIT_ERROR;
    args.folder = argc > 1 ? argv[1] : NULL;
    Collector collector;
    SourceSet sources;
    AzError error = {0};
    bool done =
        collector_open(&collector, &args.login, !args.permissions || args.check, &error) &&
        sources_load(&collector.arena, content_dir(collector.content), &sources, &error) &&
        (!args.only || sources_keep(&collector.arena, &sources, str_from(args.only), &error));
    status = done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
    if (done && args.permissions)
        status = collect_permissions(&collector, &sources,
                                     args.check    ? PERMISSIONS_CHECK
                                     : args.bicep  ? PERMISSIONS_BICEP
                                     : args.script ? PERMISSIONS_SCRIPT
                                                   : PERMISSIONS_LIST,
                                     &error);
    else if (done && !collect(&collector, &sources, &args, &error))
        status = AZIMUTH_EXIT_ERROR;
    if (status == AZIMUTH_EXIT_ERROR)
        cli_error(&error, STR(""));
    collector_close(&collector);
    return status;
}

const CliCommand CLI_COLLECT = {
    "collect",
    "collect [--store DIR] [--refresh LAST_DIR] [--only TABLES] TENANT_DIR |\n       --plan |\n    "
    "   permissions [--check | "
    "--bicep | --script] |\n       archive "
    "TENANT_DIR FILE.tar.zst | logs ...",
    "reads a tenant over the network into a folder, and the folder into a snapshot; or its logs",
    collect_main,
};
