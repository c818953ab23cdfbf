// azimuth query: KQL from the argument, a file, standard input, a batch or a prompt.

#include "azure/tables.h"
#include "cli/cli.h"
#include "cli/prompt.h"
#include "cli/query_options.h"
#include "cli/query_run.h"
#include "forensics/timeline.h"
#include "value/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool
read_query_file(const char *path, Buffer *out)
{
    if (strcmp(path, "-") == 0)
        return query_read_all(STDIN_FILENO, out, "standard input");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_fail("cannot open '%s': %s", path, strerror(errno));
        return false;
    }
    bool done = query_read_all(fd, out, path);
    close(fd);
    return done;
}

// ---- batch ----

typedef struct BatchRequest {
    Arena *arena; // of the texts: the reader's views die with the next member
    Str id;       // raw JSON
    Str query;    // decoded
    bool has_query;
} BatchRequest;

static bool
take_member(void *context, const JsonMember *member)
{
    BatchRequest *request = context;
    if (str_equal(member->key, STR("id")))
        request->id = str_copy(request->arena, member->raw);
    if (str_equal(member->key, STR("query")) && member->kind == DYN_STRING) {
        request->query = str_copy(request->arena, member->string);
        request->has_query = true;
    }
    return true;
}

static void
write_diagnostic(Buffer *out, const AzError *error, Str query, bool with_code)
{
    uint32_t line = 0, column = 0;
    if (error->has_span)
        text_position(query, error->span.start, &line, &column);
    buffer_char(out, '{');
    if (with_code)
        buffer_printf(out, "\"code\":\"%s\",", error_code_name(error->code));
    buffer_printf(out, "\"line\":%u,\"column\":%u,\"message\":", line, column);
    json_write_string(out, str_from(error->message), false);
    buffer_char(out, '}');
}

static void
write_list(Buffer *out, const char *name, const AzError *items, uint32_t count, Str query)
{
    buffer_printf(out, ",\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buffer_char(out, ',');
        write_diagnostic(out, &items[i], query, strcmp(name, "warnings") != 0);
    }
    buffer_char(out, ']');
}

// "error" is the first; "errors" all that parser and binder found; "warnings" if any.
static void
write_batch_error(Buffer *out, const AzError *error, const Diagnostics *found, Str query)
{
    buffer_text(out, "\"error\":");
    write_diagnostic(out, error, query, true);
    if (found && found->error_count)
        write_list(out, "errors", found->errors, found->error_count, query);
    if (found && found->warning_count)
        write_list(out, "warnings", found->warnings, found->warning_count, query);
    buffer_text(out, "}\n");
}

static void
write_batch_end(Buffer *out, const Diagnostics *found, Str query)
{
    if (found->warning_count)
        write_list(out, "warnings", found->warnings, found->warning_count, query);
    buffer_text(out, "}\n");
}

static void
answer_batch(const QuerySettings *settings, const BatchRequest *request, Buffer *out)
{
    AzError error = {0};
    Diagnostics found = {0};
    buffer_text(out, "{\"id\":");
    buffer_str(out, request->id.len ? request->id : STR("null"));
    buffer_char(out, ',');
    if (!request->has_query) {
        error_set(&error, AZ_INVALID, "a batch line needs a member 'query' that is a string");
        write_batch_error(out, &error, NULL, STR(""));
        return;
    }
    Str query = request->query;
    if (settings->check_only) {
        if (!db_check(settings->db, query, &found, &error)) {
            write_batch_error(out, &error, &found, query);
            return;
        }
        buffer_text(out, "\"ok\":true");
        write_batch_end(out, &found, query);
        return;
    }
    QueryOptions options = settings->options;
    options.diagnostics = &found;
    QueryResult *result = db_query(settings->db, request->arena, query, &options, &error);
    if (!result) {
        write_batch_error(out, &error, &found, query);
        return;
    }
    if (result->count)
        result_write_json_body(out, result->tables[result->primary]);
    else
        buffer_text(out, "\"columns\":[],\"rows\":[]");
    write_batch_end(out, &found, query);
}

static int
run_batch(const QuerySettings *settings)
{
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    Buffer out = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    bool open = true;
    while (open && (len = getline(&line, &cap, stdin)) > 0) {
        Str text = str_trim((Str){line, (size_t)len});
        if (!text.len)
            continue;
        Arena arena = {0};
        BatchRequest request = {.arena = &arena};
        const char *why = NULL;
        size_t offset = 0;
        buffer_clear(&out);
        if (json_walk_object(parser, builder, text, take_member, &request, &why, &offset)) {
            answer_batch(settings, &request, &out);
        } else {
            AzError error = {0};
            error_set(&error, AZ_INVALID, "not a JSON object at byte %zu: %s", offset,
                      why ? why : "");
            buffer_text(&out, "{\"id\":null,");
            write_batch_error(&out, &error, NULL, STR(""));
        }
        open = cli_output_write(settings->out, buffer_slice(&out));
        arena_free(&arena);
    }
    free(line);
    buffer_free(&out);
    json_parser_free(parser);
    dyn_builder_free(builder);
    return open ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

// ---- the command ----

static int
run_once(const QuerySettings *settings, const char *file, int argc, char **argv)
{
    Buffer text = {0};
    bool ready = true;
    if (file)
        ready = read_query_file(file, &text);
    else if (argc > 1)
        buffer_text(&text, argv[1]);
    else
        ready = query_read_all(STDIN_FILENO, &text, "standard input");
    int status = ready ? query_run(settings, buffer_slice(&text)) : AZIMUTH_EXIT_ERROR;
    buffer_free(&text);
    return status;
}

// The options of the command as they were written.
typedef struct QueryWords {
    const char *store, *format, *output, *file, *threads, *content, *snapshot, *memory, *timeout;
    const char *spill_dir;
    const char *rows, *map_file, *geoip, *repeat;
    const char **maps, **roots, **functions, **parameters; // see cli_values
    const char *analyze;                                   // of --explain=...
    bool timing, batch, check, explain, graph_limits;
} QueryWords;

static bool
read_numbers(const QueryWords *words, QuerySettings *settings, DatabaseOptions *db)
{
    int64_t threads = 0, snapshot = 0, memory = 0, timeout = 0, rows = 1000, repeat = 0;
    if ((words->threads && !cli_parse_number(words->threads, 1, 1024, "--threads", &threads)) ||
        (words->snapshot &&
         !cli_parse_number(words->snapshot, 1, INT64_MAX, "--snapshot", &snapshot)) ||
        (words->memory &&
         !cli_parse_number(words->memory, 1, INT64_MAX >> 20, "--memory", &memory)) ||
        (words->timeout && !cli_parse_number(words->timeout, 1, 1000000, "--timeout", &timeout)) ||
        (words->repeat && !cli_parse_number(words->repeat, 1, 1000000, "--repeat", &repeat)) ||
        (words->rows && !cli_parse_number(words->rows, 0, INT64_MAX, "--rows", &rows)))
        return false;
    settings->style.max_rows = (uint64_t)rows;
    settings->repeat = (uint32_t)repeat;
    settings->options.timeout_ns = (uint64_t)timeout * 1000000000u;
    db->snapshot = snapshot;
    db->threads = (size_t)threads;
    db->memory_limit = (size_t)memory << 20;
    db->spill_dir = words->spill_dir;
    return true;
}

static size_t
value_count(const char *const *values)
{
    size_t count = 0;
    while (values[count])
        count++;
    return count;
}

static bool
from_prompt(const QueryWords *words, int argc)
{
    return !words->batch && argc < 2 && !words->file && isatty(STDIN_FILENO);
}

static int
run_with(const QueryWords *words, QuerySettings *settings, const DatabaseOptions *db_options,
         int argc, char **argv)
{
    AzError error = {0};
    CliOutput out;
    settings->db = db_open(db_options, &error);
    if (settings->db) {
        azure_add_tables(settings->db);
        forensics_add_tables(settings->db);
    }
    if (!settings->db) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    if (!cli_output_open(&out, words->output)) {
        db_close(settings->db);
        return AZIMUTH_EXIT_ERROR;
    }
    settings->out = &out;
    int status;
    if (words->batch)
        status = run_batch(settings);
    else if (from_prompt(words, argc))
        status = prompt_run(settings);
    else
        status = run_once(settings, words->file, argc, argv);
    if (!cli_output_close(&out, status == AZIMUTH_EXIT_OK) && status == AZIMUTH_EXIT_OK)
        status = AZIMUTH_EXIT_ERROR;
    db_close(settings->db);
    return status;
}

static int
run_words(const QueryWords *words, int argc, char **argv)
{
    QuerySettings settings = {
        .timing = words->timing,
        .check_only = words->check,
        .explain = words->analyze   ? EXPLAIN_ANALYZE
                   : words->explain ? EXPLAIN_PLAN
                                    : EXPLAIN_NOT,
        .graph_limits = words->graph_limits,
        .format = RESULT_TABLE,
    };
    DatabaseOptions db = {
        .store = words->store,
        .content = words->content,
        .external_roots = words->roots,
        .external_root_count = value_count(words->roots),
        .geoip = words->geoip,
        .function_folders = words->functions,
        .function_folder_count = value_count(words->functions),
    };
    if (!read_numbers(words, &settings, &db))
        return AZIMUTH_EXIT_ERROR;
    settings.arrow = words->format && strcmp(words->format, "arrow") == 0;
    if (words->format && !settings.arrow && !result_format_parse(words->format, &settings.format)) {
        cli_fail("--format is table, json, jsonl, csv, markdown or arrow, not '%s'", words->format);
        return AZIMUTH_EXIT_ERROR;
    }
    if (settings.arrow && words->batch) {
        cli_fail("--batch answers in JSON lines: leave --format arrow away");
        return AZIMUTH_EXIT_ERROR;
    }
    if (settings.arrow && !words->output && isatty(STDOUT_FILENO)) {
        cli_fail("an Arrow stream is binary and no text for a terminal: name a file with --output, "
                 "or pipe it to a program that reads Arrow");
        return AZIMUTH_EXIT_ERROR;
    }
    if (words->output && from_prompt(words, argc)) {
        cli_fail("--output takes the answer of a query: name one");
        return AZIMUTH_EXIT_ERROR;
    }
    if (words->analyze && strcmp(words->analyze, "analyze") != 0) {
        cli_fail("--explain stands alone or is --explain=analyze, not '%s'", words->analyze);
        return AZIMUTH_EXIT_ERROR;
    }
    if (words->graph_limits && (!words->check || words->batch)) {
        cli_fail("--resource-graph-limits goes with --check, one query at a time");
        return AZIMUTH_EXIT_ERROR;
    }
    if (argc > 2 || (argc > 1 && (words->file || words->batch))) {
        cli_fail("one query at a time; usage: azimuth %s", CLI_QUERY.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    // One answer: there is no next query that what was read could be kept for, but a second look of
    // the same one.
    enum { ONE_QUERY_KEEPS = 2 << 20 };
    if (!words->batch && !words->repeat && !from_prompt(words, argc))
        db.kept = ONE_QUERY_KEEPS;
    Arena arena = {0};
    int status = AZIMUTH_EXIT_ERROR;
    if (query_read_maps(&arena, words->map_file, words->maps, &db) &&
        query_read_parameters(&arena, words->parameters, &settings.options))
        status = run_with(words, &settings, &db, argc, argv);
    arena_free(&arena);
    return status;
}

static int
query_command(int argc, char **argv)
{
    QueryWords words = {
        .maps = cli_values(argc),
        .roots = cli_values(argc),
        .functions = cli_values(argc),
        .parameters = cli_values(argc),
    };
    const CliOption options[] = {
        {"--store", "DIR", "the store; without it queries run on an empty one", &words.store, NULL},
        {"--format", "F", "table, json, jsonl, csv, markdown or arrow (an IPC stream)",
         &words.format, NULL},
        {"--output", "FILE", "write the answer to FILE, complete or not at all", &words.output,
         NULL},
        {"-f", "FILE", "read the query from FILE (- = standard input)", &words.file, NULL},
        {"--batch", NULL, "JSON lines {\"id\",\"query\"} in, one answer a line out", NULL,
         &words.batch},
        {"--check", NULL, "parse and bind, but do not run", NULL, &words.check},
        {"--resource-graph-limits", NULL,
         "with --check: what Azure Resource Graph would refuse of the query", NULL,
         &words.graph_limits},
        {"--explain", "[=analyze]",
         "show the plan instead of running; =analyze: run, show what was done", &words.analyze,
         &words.explain},
        {"--timing", NULL, "write timing_ms=, its parts and cpu_ms= to standard error", NULL,
         &words.timing},
        {"--repeat", "N",
         "run it N times more in this process, to be measured: one answer is written",
         &words.repeat, NULL},
        {"--param", "NAME=VALUE...", "the value of a declared query parameter", words.parameters,
         NULL},
        {"--external-root", "DIR...", "a folder whose files externaldata may read (none)",
         words.roots, NULL},
        {"--geoip", "FILE",
         "where addresses are: GeoLite2-City.mmdb or its like (default: AZIMUTH_GEOIP)",
         &words.geoip, NULL},
        {"--map", "NAME=TARGET...",
         "where workspace:W, cluster:C/database:D or an address lies: a store, . or a file",
         words.maps, NULL},
        {"--map-file", "FILE", "such maps, one a line", &words.map_file, NULL},
        {"--functions", "DIR...", "a folder of functions in KQL (.kql, or parsers' .yaml)",
         words.functions, NULL},
        {"--snapshot", "N", "the snapshot to look at (default: the newest)", &words.snapshot, NULL},
        {"--threads", "N", "worker threads (default: AZIMUTH_THREADS or all cores)", &words.threads,
         NULL},
        {"--memory", "MB",
         "most memory a query may hold, half of it groups; the rest goes to disk (default: three "
         "quarters of the "
         "machine's, 32 MB of groups)",
         &words.memory, NULL},
        {"--spill-dir", "DIR",
         "where rows to be sorted, joined or grouped go that are more than that (default: "
         "$TMPDIR, else /var/tmp)",
         &words.spill_dir, NULL},
        {"--timeout", "SECONDS", "stop the query after so long", &words.timeout, NULL},
        {"--rows", "N", "rows shown as a table (default 1000; 0 = all)", &words.rows, NULL},
        {"--content", "DIR", "the content folder", &words.content, NULL},
    };
    int status;
    if (cli_options(&CLI_QUERY, options, sizeof(options) / sizeof(options[0]), &argc, argv,
                    &status))
        status = run_words(&words, argc, argv);
    free(words.maps);
    free(words.roots);
    free(words.functions);
    free(words.parameters);
    return status;
}

const CliCommand CLI_QUERY = {
    "query",
    "query [--store DIR] [--format F] [--output FILE] [-f FILE | 'KQL' | --batch]",
    "runs KQL; without a query on a terminal, an interactive prompt",
    query_command,
};
