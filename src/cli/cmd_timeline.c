// azimuth timeline: everything known of one entity, in order of time.

#include "azure/tables.h"
#include "cli/cli.h"
#include "cli/query_run.h"
#include "cli/timeline_call.h"
#include "forensics/event_rules.h"
#include "forensics/timeline.h"
#include "value/scalar.h"

#include <stdio.h>
#include <unistd.h>

enum { SHOWN_EVENTS = 200, TEXT_SHOWN = 100 };

void
timeline_call(Buffer *query, Str entity, int64_t since, int64_t until)
{
    const int64_t times[] = {since, until};
    buffer_text(query, "Timeline(");
    kql_write_text(query, entity);
    for (size_t i = 0; i < 2; i++) {
        buffer_text(query, ", ");
        if (times[i] == (i ? INT64_MAX : INT64_MIN))
            buffer_text(query, "datetime(null)");
        else
            kql_write_time(query, times[i]);
    }
    buffer_char(query, ')');
}

// For a terminal: without the records, texts cut, the newest events.
static void
write_query(Buffer *query, Str entity, int64_t since, int64_t until, const char *words,
            int64_t limit, bool brief)
{
    timeline_call(query, entity, since, until);
    if (words) {
        buffer_text(query, " | where * has ");
        kql_write_text(query, str_from(words));
    }
    if (limit)
        buffer_printf(query, " | top %lld by Time desc", (long long)limit);
    buffer_text(query, " | order by Time asc, Source asc, Event asc");
    if (brief)
        buffer_printf(query,
                      " | project Time, Source, Event, Actor, Address, Target, Result, Part, "
                      "Access, Text = iff(strlen(Text) > %d, strcat(substring(Text, 0, %d), "
                      "\"...\"), Text)",
                      TEXT_SHOWN, TEXT_SHOWN);
}

static int
timeline_run(int argc, char **argv)
{
    const char *store = NULL, *content = NULL, *since = NULL, *until = NULL, *format = "table",
               *words = NULL, *limit_text = NULL, *path = NULL;
    const CliOption options[] = {
        {"--store", "DIR", "the store (required)", &store, NULL},
        {"--since", "TIME", "events from then on", &since, NULL},
        {"--until", "TIME", "events before then", &until, NULL},
        {"--text", "WORDS", "only events that hold these words", &words, NULL},
        {"--limit", "N", "the newest N events (table: 200; 0: all)", &limit_text, NULL},
        {"--format", "NAME", "table, json, jsonl, csv, markdown; table leaves the records out",
         &format, NULL},
        {"--output", "FILE", "writes to FILE instead of standard output", &path, NULL},
        {"--content", "DIR", "the content folder", &content, NULL},
    };
    int status;
    if (!cli_options(&CLI_TIMELINE, options, sizeof options / sizeof options[0], &argc, argv,
                     &status))
        return status;
    if (argc != 2 || !store) {
        cli_fail("usage: azimuth %s", CLI_TIMELINE.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    QuerySettings settings = {.format = RESULT_TABLE};
    int64_t from = INT64_MIN, end = INT64_MAX;
    if (!cli_parse_time(since, "--since", &from) || !cli_parse_time(until, "--until", &end))
        return AZIMUTH_EXIT_ERROR;
    if (!result_format_parse(format, &settings.format)) {
        cli_fail("there is no format '%s'; there are table, json, jsonl, csv, markdown", format);
        return AZIMUTH_EXIT_ERROR;
    }
    bool brief = settings.format == RESULT_TABLE || settings.format == RESULT_MARKDOWN;
    int64_t limit = brief ? SHOWN_EVENTS : 0;
    if (limit_text && !cli_parse_number(limit_text, 0, INT32_MAX, "--limit", &limit))
        return AZIMUTH_EXIT_ERROR;
    AzError error = {0};
    CliOutput out;
    DatabaseOptions database = {.store = store, .content = content};
    settings.db = db_open(&database, &error);
    if (!settings.db) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    azure_add_tables(settings.db);
    forensics_add_tables(settings.db);
    settings.style =
        (ResultStyle){.width = cli_terminal_width(), .color = cli_use_color(STDOUT_FILENO)};
    status = AZIMUTH_EXIT_ERROR;
    if (cli_output_open(&out, path)) {
        Buffer query = {0};
        settings.out = &out;
        write_query(&query, str_from(argv[1]), from, end, words, limit, brief);
        status = query_run(&settings, buffer_slice(&query));
        buffer_free(&query);
        if (!cli_output_close(&out, status == AZIMUTH_EXIT_OK) && status == AZIMUTH_EXIT_OK)
            status = AZIMUTH_EXIT_ERROR;
    }
    db_close(settings.db);
    return status;
}

const CliCommand CLI_TIMELINE = {
    .name = "timeline",
    .usage = "timeline ENTITY --store DIR",
    .help = "tells all that logs and snapshots hold of a principal, resource, address, key or call",
    .run = timeline_run,
};
