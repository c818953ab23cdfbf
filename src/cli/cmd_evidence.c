// azimuth evidence: rows in a file that shows whether it was changed.

#include "azure/tables.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/timeline_call.h"
#include "forensics/timeline.h"
#include "report/evidence.h"
#include "version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct EvidenceCommand {
    const char *store, *content, *output, *note, *head;
    Buffer query;
} EvidenceCommand;

static bool
write_evidence(const EvidenceCommand *command, Database *db, const ResultTable *table)
{
    CliOutput out;
    char head[EVIDENCE_HASH + 1];
    EvidenceAbout about = {
        .query = buffer_slice(&command->query),
        .note = str_from(command->note),
        .store = str_from(command->store),
        .tool_version = STR("azimuth " AZIMUTH_VERSION),
        .snapshot = db_snapshot(db),
        .created = clock_now_ticks(),
    };
    if (!cli_output_open(&out, command->output))
        return false;
    bool done = evidence_write(&about, table, cli_output_write, &out, head);
    if (!cli_output_close(&out, done) || !done)
        return false;
    fprintf(command->output ? stdout : stderr,
            "%" PRIu64
            " rows, head %s\nKeep the head apart from the file: with it, evidence verify "
            "also tells a chain that was made anew.\n",
            table->row_count, head);
    return true;
}

static bool
export_evidence(const EvidenceCommand *command)
{
    AzError error = {0};
    Arena arena = {0};
    DatabaseOptions database = {.store = command->store, .content = command->content};
    Database *db = db_open(&database, &error);
    if (db) {
        azure_add_tables(db);
        forensics_add_tables(db);
    }
    Str query = buffer_slice(&command->query);
    QueryResult *result = db ? db_query(db, &arena, query, &(QueryOptions){0}, &error) : NULL;
    bool done = result && write_evidence(command, db, result->tables[result->primary]);
    if (!result)
        cli_error(&error, query);
    arena_free(&arena);
    if (db)
        db_close(db);
    return done;
}

static int
verify_evidence(const EvidenceCommand *command, const char *path)
{
    Arena arena = {0};
    AzError error = {0};
    EvidenceReport report;
    if (!evidence_verify(path, &arena, &report, &error)) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    bool known = !command->head || strcasecmp(command->head, report.head) == 0;
    if (!report.whole)
        printf("%s is broken at line %" PRIu64 ": %s\n%" PRIu64 " rows before it hold\n", path,
               report.bad_line, report.problem, report.rows);
    else if (!known)
        printf("%s is whole in itself, but its head is another: it is not the file whose head was "
               "kept\nhead %s\n",
               path, report.head);
    else
        printf("%s is whole: %" PRIu64 " rows, head %s\nmade %.*s by %.*s\n", path, report.rows,
               report.head, STR_ARG(report.created), STR_ARG(report.query));
    arena_free(&arena);
    return report.whole && known ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_FINDINGS;
}

static int
evidence_run(int argc, char **argv)
{
    EvidenceCommand command = {0};
    const char *query = NULL, *since = NULL, *until = NULL;
    const CliOption options[] = {
        {"--store", "DIR", "export: the store (required)", &command.store, NULL},
        {"--query", "KQL", "export: the rows of this query, in place of ENTITY", &query, NULL},
        {"--since", "TIME", "export ENTITY: events from then on", &since, NULL},
        {"--until", "TIME", "export ENTITY: events before then", &until, NULL},
        {"--note", "TEXT", "export: kept in the file, such as the number of a case", &command.note,
         NULL},
        {"--output", "FILE", "export: where to (default: standard output)", &command.output, NULL},
        {"--head", "HASH", "verify: the head that was kept apart", &command.head, NULL},
        {"--content", "DIR", "the content folder", &command.content, NULL},
    };
    int status;
    if (!cli_options(&CLI_EVIDENCE, options, sizeof options / sizeof options[0], &argc, argv,
                     &status))
        return status;
    bool exports = argc > 1 && strcmp(argv[1], "export") == 0;
    if (argc == 3 && strcmp(argv[1], "verify") == 0)
        return verify_evidence(&command, argv[2]);
    if (!exports || !command.store || argc != (query ? 2 : 3) || (query && (since || until))) {
        cli_fail("usage: azimuth %s", CLI_EVIDENCE.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    int64_t from = INT64_MIN, end = INT64_MAX;
    if (!cli_parse_time(since, "--since", &from) || !cli_parse_time(until, "--until", &end))
        return AZIMUTH_EXIT_ERROR;
    if (query)
        buffer_text(&command.query, query);
    else
        timeline_call(&command.query, str_from(argv[2]), from, end);
    bool done = export_evidence(&command);
    buffer_free(&command.query);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

const CliCommand CLI_EVIDENCE = {
    .name = "evidence",
    .usage = "evidence export ENTITY|--query KQL --store DIR | verify FILE [--head HASH]",
    .help = "writes rows as a chain of hashes, and tells whether such a file was changed",
    .run = evidence_run,
};
