// azimuth detect: analytics rules over the telemetry in the store, as if they had run all along.

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_table.h"
#include "cli/detect_follow.h"
#include "cli/query_options.h"
#include "detect/detect_table.h"
#include "report/alert_export.h"
#include "value/scalar.h"
#include "version.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_bool interrupted;

static void
interrupt(int signal_number)
{
    (void)signal_number;
    atomic_store(&interrupted, true);
}

static void
show_progress(void *context, uint64_t done, uint64_t total)
{
    (void)context;
    char note[48];
    snprintf(note, sizeof(note), "%" PRIu64 " of %" PRIu64 " runs", done, total);
    cli_progress("detect", done, total, note);
}

typedef struct DetectWords {
    const char *store, *content, *since, *until, *format, *threads, *timeout;
    const char *delay, *catch_up, *syslog, *webhook, *secret, *map_file;
    const char **rules, **functions, **maps;
    bool dry_run, all, follow;
} DetectWords;

// The rules of the folders named, else of the content pack.
static bool
load_rules(Arena *arena, const DetectWords *words, RuleSet *rules, RuleProblems *problems,
           AzError *error)
{
    for (size_t i = 0; words->rules[i]; i++)
        if (!rules_load(arena, words->rules[i], rules, problems, error))
            return false;
    if (words->rules[0])
        return true;
    Content *content = content_open(words->content, error);
    if (!content)
        return false;
    Str dir = str_format(arena, "%s/detections", content_dir(content));
    content_close(content);
    return rules_load(arena, dir.ptr, rules, problems, error);
}

static void
tell_problems(const RuleProblems *problems)
{
    for (size_t i = 0; i < problems->len; i++)
        cli_fail("%.*s", STR_ARG(problems->items[i].text));
}

// "2026-06-01 00:00"
static Str
short_time(Arena *arena, int64_t ticks)
{
    Buffer out = {0};
    datetime_print(&out, ticks);
    char *text = str_cstr(arena, str_slice(buffer_slice(&out), 0, 16));
    buffer_free(&out);
    text[10] = ' ';
    return str_from(text);
}

static void
print_summary(Arena *arena, const Detection *detection, const RuleSet *rules, bool kept)
{
    size_t failed = 0, lacking = 0, blind = 0, incidents = 0;
    for (size_t r = 0; r < detection->outcome_count; r++) {
        const RuleOutcome *outcome = &detection->outcomes[r];
        lacking += outcome->lacking;
        failed += outcome->reason.len > 0 && !outcome->lacking;
        blind += outcome->blind && !outcome->reason.len;
    }
    for (size_t i = 0; i < detection->incidents.len; i++)
        incidents += detection->incidents.items[i].touched;
    printf("%zu rules over %.*s to %.*s UTC: %" PRIu64 " runs in %.1f s, %zu new alerts, %zu "
           "incidents",
           rules->len, STR_ARG(short_time(arena, detection->since)),
           STR_ARG(short_time(arena, detection->until)), detection->runs, detection->seconds,
           detection->alerts.len, incidents);
    if (detection->known)
        printf(", %" PRIu64 " alerts known before", detection->known);
    if (failed)
        printf(", %zu rules failed", failed);
    if (lacking)
        printf(", %zu rules not run for want of tables or functions (--functions DIR)", lacking);
    if (blind)
        printf(", %zu rules that read only tables without rows", blind);
    printf("%s\n", kept ? "" : " (not kept)");
}

// Alerts in a form of other systems; false when the format is none of these.
static bool
print_export(const Detection *detection, const char *format, bool *done)
{
    Buffer out = {0};
    bool is_cef = strcmp(format, "cef") == 0;
    if (!is_cef && strcmp(format, "ocsf") != 0)
        return false;
    if (is_cef)
        alerts_cef(&out, &detection->alerts, AZIMUTH_VERSION);
    else
        alerts_ocsf(&out, &detection->alerts, AZIMUTH_VERSION);
    *done = cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    return true;
}

static int
report(Arena *arena, const Detection *detection, const RuleSet *rules, const DetectWords *words)
{
    AzError error = {0};
    bool is_text = strcmp(words->format, "table") == 0;
    ResultTable *table = is_text && !words->all ? detection_rules_table(arena, detection)
                                                : detection_alerts_table(arena, detection);
    bool done = false;
    if (!print_export(detection, words->format, &done))
        done = (is_text && !table->row_count) || cli_print_table(words->format, table, &error);
    if (!done && error.code != AZ_OK)
        cli_error(&error, STR(""));
    if (is_text)
        print_summary(arena, detection, rules, !words->dry_run);
    for (size_t r = 0; r < detection->outcome_count; r++)
        if (detection->outcomes[r].reason.len)
            cli_fail("%.*s", STR_ARG(detection->outcomes[r].reason));
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

static int
run_detect(const DetectWords *words, const DetectOptions *options, FollowOptions *follow)
{
    Arena arena = {0};
    Deliveries deliveries = {0};
    RuleSet rules = {0};
    RuleProblems problems = {0};
    AzError error = {0};
    DetectOptions run = *options;
    run.rules = &rules;
    Detection *detection = NULL;
    int status = AZIMUTH_EXIT_ERROR;
    bool followed = false;
    if (words->syslog || words->webhook) {
        run.keeping = deliveries_keeping;
        run.keeping_context = &deliveries;
    }
    if (query_read_maps(&arena, words->map_file, words->maps, &run.database) &&
        deliveries_parse(&arena, words->syslog, words->webhook, words->secret, words->store,
                         &deliveries, &error) &&
        load_rules(&arena, words, &rules, &problems, &error)) {
        tell_problems(&problems);
        if (rules.len == 0)
            error_set(&error, AZ_NOT_FOUND, "there is no analytics rule to run");
        else if ((followed = words->follow))
            status = detect_follow_command(&run, follow, words->format, &deliveries);
        else
            detection = detect_run(&arena, &run, &error);
    }
    cli_progress_end();
    if (detection)
        status = report(&arena, detection, &rules, words);
    if (detection && !deliveries_send(&deliveries))
        status = AZIMUTH_EXIT_ERROR;
    deliveries_free(&deliveries);
    if (!detection && !followed && error.code != AZ_OK) // maps have said what is wrong with them
        cli_error(&error, STR(""));
    arena_free(&arena);
    return status;
}

static size_t
value_count(const char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    return count;
}

static int
parse_and_run(DetectWords *words, int argc, char **argv)
{
    const CliOption options[] = {
        {"--store", "DIR", "the store with the telemetry (required)", &words->store, NULL},
        {"--rules", "PATH...",
         "rules: a file or folder in Sentinel's form (default: those of the content pack)",
         words->rules, NULL},
        {"--since", "TIME",
         "runs after that time (default: as far as the data goes, at most 90 days)", &words->since,
         NULL},
        {"--until", "TIME", "runs up to that time (default: until each rule has seen the last row)",
         &words->until, NULL},
        {"--functions", "DIR...", "a folder of functions in KQL (.kql, or parsers' .yaml)",
         words->functions, NULL},
        {"--map", "ADDRESS=FILE...",
         "where a list on the internet that rules read (externaldata) lies here", words->maps,
         NULL},
        {"--map-file", "FILE", "such maps, one a line", &words->map_file, NULL},
        {"--alerts", NULL, "print each alert rather than a line for each rule", NULL, &words->all},
        {"--format", "NAME",
         "table (default; text with --follow); alerts as json, jsonl, csv, markdown, cef, ocsf",
         &words->format, NULL},
        {"--follow", NULL,
         "run on as records arrive, each rule on its schedule, until stopped; alerts as they come",
         NULL, &words->follow},
        {"--delay", "SECONDS", "with --follow: how long after its time a run begins (default 2)",
         &words->delay, NULL},
        {"--catch-up", "HOURS",
         "with --follow: how far back runs that were missed are caught up (default 24)",
         &words->catch_up, NULL},
        {"--syslog", "ADDRESS",
         "send new alerts as CEF to a syslog server: udp://HOST:PORT or tcp://HOST:PORT",
         &words->syslog, NULL},
        {"--webhook", "URL", "post new alerts as OCSF JSON, signed (Standard Webhooks)",
         &words->webhook, NULL},
        {"--webhook-secret-env", "NAME",
         "environment variable with the secret of the signature: whsec_ and base64, or plain",
         &words->secret, NULL},
        {"--dry-run", NULL, "keep nothing in the store", NULL, &words->dry_run},
        {"--timeout", "SECONDS", "longest time of one run of a rule (default 60)", &words->timeout,
         NULL},
        {"--threads", "N", "worker threads", &words->threads, NULL},
        {"--content", "DIR", "the content folder", &words->content, NULL},
    };
    int status;
    if (!cli_options(&CLI_DETECT, options, sizeof options / sizeof options[0], &argc, argv,
                     &status))
        return status;
    if (argc != 1 || !words->store) {
        cli_fail("usage: azimuth %s", CLI_DETECT.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    if (!words->follow && (words->delay || words->catch_up)) {
        cli_fail("--delay and --catch-up go with --follow");
        return AZIMUTH_EXIT_ERROR;
    }
    if ((words->syslog || words->webhook) && words->dry_run) {
        cli_fail("%s sends alerts that are kept: leave out --dry-run",
                 words->syslog ? "--syslog" : "--webhook");
        return AZIMUTH_EXIT_ERROR;
    }
    if (words->follow && words->until) {
        cli_fail("--follow has no end: leave out --until");
        return AZIMUTH_EXIT_ERROR;
    }
    if (!words->format)
        words->format = words->follow ? "text" : "table";
    if (words->follow && !detect_follow_format(words->format))
        return AZIMUTH_EXIT_ERROR;
    int64_t threads = 0, timeout = 60, delay = 2, catch_up = 24;
    DetectOptions run = {
        .keep = !words->dry_run,
        .version = STR(AZIMUTH_VERSION),
        .cancel = &interrupted,
        .progress = words->follow ? NULL : show_progress,
    };
    if (!cli_parse_time(words->since, "--since", &run.since) ||
        !cli_parse_time(words->until, "--until", &run.until) ||
        (words->threads && !cli_parse_number(words->threads, 1, 1024, "--threads", &threads)) ||
        (words->delay && !cli_parse_number(words->delay, 0, 86400, "--delay", &delay)) ||
        (words->catch_up && !cli_parse_number(words->catch_up, 0, 2160, "--catch-up", &catch_up)) ||
        (words->timeout && !cli_parse_number(words->timeout, 1, 86400, "--timeout", &timeout)))
        return AZIMUTH_EXIT_ERROR;
    run.timeout_ns = (uint64_t)timeout * 1000000000;
    run.database = (DatabaseOptions){
        .store = words->store,
        .content = words->content,
        .threads = (size_t)threads,
        .function_folders = words->functions,
        .function_folder_count = value_count(words->functions),
    };
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    FollowOptions follow = {.delay = delay * TICKS_PER_SECOND,
                            .catch_up = catch_up * TICKS_PER_HOUR};
    return run_detect(words, &run, &follow);
}

static int
detect_command(int argc, char **argv)
{
    DetectWords words = {
        .rules = cli_values(argc),
        .functions = cli_values(argc),
        .maps = cli_values(argc),
    };
    int status = parse_and_run(&words, argc, argv);
    free(words.rules);
    free(words.functions);
    free(words.maps);
    return status;
}

const CliCommand CLI_DETECT = {
    "detect",
    "detect --store DIR [--rules PATH]... [--since TIME] [--until TIME] [--follow]",
    "runs analytics rules over telemetry, each on its own schedule, and raises alerts",
    detect_command,
};
