// azimuth collect logs: what Azure wrote down, into a folder of files.

#include "base/clock.h"
#include "cli/collect_login.h"
#include "collect/logs.h"
#include "value/scalar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { IN_FLIGHT = 32, GAPS_SHOWN = 12, LATE_SECONDS = 600, TICKS = 10000000 };

typedef struct LogsArgs {
    const char *from, *to, *storage, *containers, *workspaces, *tables, *lists, *subscriptions,
        *page;
    bool quiet;
    int64_t names;
    CollectLogin login;
} LogsArgs;

static const CliCommand COMMAND = {
    "collect logs",
    "collect logs --from TIME [--to TIME] [--storage ACCOUNTS] [--workspaces IDS --tables TABLES]\n"
    "       [--lists LISTS] DIR",
    "fetches logs of storage accounts, Log Analytics, the activity log and the directory into a "
    "folder",
    NULL,
};

static void
show_progress(void *context, const char *what, uint64_t done, uint64_t known)
{
    (void)context;
    cli_progress("logs", done, known, what);
}

// A time, or how long ago: 2026-06-01, 7d.
static bool
read_time(const char *text, const char *option, uint64_t now, uint64_t *out, AzError *error)
{
    int64_t ticks;
    if (datetime_parse(str_from(text), &ticks) && ticks >= 0)
        *out = (uint64_t)ticks;
    else if (timespan_parse(str_from(text), &ticks) && ticks >= 0 && (uint64_t)ticks <= now)
        *out = now - (uint64_t)ticks;
    else
        return error_set(error, AZ_INVALID,
                         "'%s' after %s is no time such as 2026-06-01T12:00:00Z or 7d", text,
                         option);
    return true;
}

static bool
read_times(const LogsArgs *args, LogsOptions *options, AzError *error)
{
    uint64_t now = (uint64_t)clock_now_ticks();
    // Records come some minutes after their time; what is read once is not asked for again.
    options->to = now - (uint64_t)LATE_SECONDS * TICKS;
    if (!args->from)
        return error_set(error, AZ_INVALID, "--from says from which time on: a time, or 7d");
    if (!read_time(args->from, "--from", now, &options->from, error) ||
        (args->to && !read_time(args->to, "--to", now, &options->to, error)))
        return false;
    return options->from < options->to ||
           error_set(error, AZ_INVALID, "the time after --from is not before the end");
}

// A table's name becomes part of a query.
static bool
check_tables(const LogsOptions *options, AzError *error)
{
    for (size_t i = 0; i < options->table_count; i++)
        for (size_t k = 0; k < options->tables[i].len; k++) {
            char c = options->tables[i].ptr[k];
            if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_'))
                return error_set(error, AZ_INVALID, "'%.*s' is no name of a table",
                                 STR_ARG(options->tables[i]));
        }
    return true;
}

static bool
choose_lists(Arena *arena, const LogListSet *set, const char *names, LogsOptions *options,
             AzError *error)
{
    size_t count;
    Str *words = collect_words(arena, names, &count);
    options->lists = ARENA_ARRAY(arena, const LogList *, count);
    for (size_t i = 0; i < count; i++) {
        const LogList *list = log_list_named(set, words[i]);
        if (!list) {
            Str known = STR("");
            for (size_t k = 0; k < set->len; k++)
                known = str_format(arena, "%.*s%s%.*s", STR_ARG(known), k ? ", " : "",
                                   STR_ARG(set->items[k].name));
            return error_set(error, AZ_INVALID, "there is no list '%.*s'; there are %.*s",
                             STR_ARG(words[i]), STR_ARG(known));
        }
        if (list->by_subscription && !options->subscription_count)
            return error_set(error, AZ_INVALID, "the list '%.*s' needs --subscriptions",
                             STR_ARG(list->name));
        options->lists[options->list_count++] = list;
    }
    return true;
}

static bool
read_options(Collector *collector, const LogsArgs *args, LogsOptions *options, AzError *error)
{
    Arena *arena = &collector->arena;
    size_t count;
    LogListSet lists;
    Str *accounts = collect_words(arena, args->storage, &count);
    options->containers = collect_words(arena, args->containers, &options->container_count);
    options->workspaces = collect_words(arena, args->workspaces, &options->workspace_count);
    options->tables = collect_words(arena, args->tables, &options->table_count);
    options->subscriptions =
        collect_words(arena, args->subscriptions, &options->subscription_count);
    options->account_count = count;
    options->storage_key = auth_env("AZURE_STORAGE_KEY");
    options->storage_sas = auth_env("AZURE_STORAGE_SAS_TOKEN");
    if (!read_times(args, options, error) || !check_tables(options, error) ||
        !storage_accounts(arena, &collector->cloud, accounts, count, &options->accounts, error) ||
        !log_lists_load(arena, content_dir(collector->content), &lists, error) ||
        !choose_lists(arena, &lists, args->lists, options, error))
        return false;
    if ((options->workspace_count > 0) != (options->table_count > 0))
        return error_set(error, AZ_INVALID, "--workspaces and --tables go together");
    if (!options->account_count && !options->workspace_count && !options->list_count)
        return error_set(error, AZ_INVALID,
                         "nothing to read: --storage, --workspaces with --tables, or --lists");
    if (options->storage_key.len || options->storage_sas.len)
        auth_keep_secret(collector->auth,
                         options->storage_key.len ? options->storage_key : options->storage_sas);
    return true;
}

static void
print_report(const LogsReport *report)
{
    printf("%" PRIu64 " records (%.1f MB) in %" PRIu64 " new files by %" PRIu64 " calls\n",
           report->records, (double)report->bytes / 1e6, report->files, report->calls);
    if (report->refusals)
        printf("%" PRIu64 " calls came too fast and were made again\n", report->refusals);
    for (size_t i = 0; i < report->gaps.len && i < GAPS_SHOWN; i++)
        printf("not read: %.*s: %.*s\n", STR_ARG(report->gaps.items[i].what),
               STR_ARG(report->gaps.items[i].reason));
    if (report->gaps.len > GAPS_SHOWN)
        printf("and %zu more\n", report->gaps.len - GAPS_SHOWN);
}

int
collect_logs(int argc, char **argv)
{
    LogsArgs args = {0};
    const CliOption options[] = {
        {"--from", "TIME", "from that time on: 2026-06-01, or 7d for seven days ago", &args.from,
         NULL},
        {"--to", "TIME", "before that time (ten minutes ago)", &args.to, NULL},
        {"--storage", "ACCOUNTS", "storage accounts of diagnostic settings: names or addresses",
         &args.storage, NULL},
        {"--containers", "NAMES",
         "only these, with stars (insights-logs-*, insights-activity-logs)", &args.containers,
         NULL},
        {"--workspaces", "IDS", "workspaces of Log Analytics", &args.workspaces, NULL},
        {"--tables", "TABLES", "their tables", &args.tables, NULL},
        {"--lists", "LISTS", "activity, signIns, directoryAudits, provisioning, riskDetections",
         &args.lists, NULL},
        {"--subscriptions", "IDS", "of the activity log", &args.subscriptions, NULL},
        {"--page", "N", "names in one listing of storage (5000)", &args.page, NULL},
        COLLECT_LOGIN_OPTIONS(&args.login),
        {"--quiet", NULL, "print nothing when all went well", NULL, &args.quiet},
    };
    int status;
    if (!cli_options(&COMMAND, options, sizeof(options) / sizeof(options[0]), &argc, argv, &status))
        return status;
    if (argc != 2) {
        cli_fail("usage: azimuth %s", COMMAND.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    if (args.page && !cli_parse_number(args.page, 1, 5000, "--page", &args.names))
        return AZIMUTH_EXIT_ERROR;
    Collector collector;
    LogsReport report;
    AzError error = {0};
    bool done = collector_open(&collector, &args.login, true, &error);
    LogsOptions logs = {.folder = argv[1],
                        .cloud = &collector.cloud,
                        .auth = collector.auth,
                        .http = collector.http,
                        .most_in_flight = IN_FLIGHT,
                        .page = (uint32_t)args.names,
                        .progress = args.quiet ? NULL : show_progress};
    done = done && read_options(&collector, &args, &logs, &error) &&
           logs_run(&logs, &collector.arena, &report, &error);
    cli_progress_end();
    if (!done)
        cli_error(&error, STR(""));
    else if (!args.quiet || report.gaps.len)
        print_report(&report);
    collector_close(&collector);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}
