// azimuth query: KQL from the argument, a file, standard input, a batch or a prompt.

#include "cli/cli.h"
#include "cli/prompt.h"
#include "cli/query_run.h"
#include "value/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool
read_all(int fd, Buffer *out, const char *name)
{
    for (;;) {
        char *at = buffer_reserve(out, 1 << 16);
        ssize_t got = read(fd, at, 1 << 16);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            cli_fail("cannot read '%s': %s", name, strerror(errno));
            return false;
        }
        if (got == 0)
            return true;
        out->len += (size_t)got;
    }
}

static bool
read_query_file(const char *path, Buffer *out)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, out, "standard input");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_fail("cannot open '%s': %s", path, strerror(errno));
        return false;
    }
    bool done = read_all(fd, out, path);
    close(fd);
    return done;
}

// ---- batch ----

typedef struct BatchRequest {
    Str id;    // raw JSON
    Str query; // decoded
    bool has_query;
} BatchRequest;

static bool
take_member(void *context, const JsonMember *member)
{
    BatchRequest *request = context;
    if (str_equal(member->key, STR("id")))
        request->id = member->raw;
    if (str_equal(member->key, STR("query")) && member->kind == DYN_STRING) {
        request->query = member->string;
        request->has_query = true;
    }
    return true;
}

static void
write_batch_error(Buffer *out, const AzError *error, Str query)
{
    uint32_t line = 0, column = 0;
    if (error->has_span)
        text_position(query, error->span.start, &line, &column);
    buffer_printf(out, "\"error\":{\"code\":\"%s\",\"line\":%u,\"column\":%u,\"message\":",
                  error_code_name(error->code), line, column);
    json_write_string(out, str_from(error->message), false);
    buffer_text(out, "}}\n");
}

static void
answer_batch(const QuerySettings *settings, const BatchRequest *request, Buffer *out)
{
    Arena arena = {0};
    AzError error = {0};
    buffer_text(out, "{\"id\":");
    buffer_str(out, request->id.len ? request->id : STR("null"));
    buffer_char(out, ',');
    if (!request->has_query) {
        error_set(&error, AZ_INVALID, "a batch line needs a member 'query' that is a string");
        write_batch_error(out, &error, STR(""));
    } else if (settings->check_only) {
        if (db_check(settings->db, request->query, NULL, &error))
            buffer_text(out, "\"ok\":true}\n");
        else
            write_batch_error(out, &error, request->query);
    } else {
        QueryResult *result =
            db_query(settings->db, &arena, request->query, &settings->options, &error);
        if (result && result->count) {
            result_write_json_body(out, result->tables[result->primary]);
            buffer_text(out, "}\n");
        } else {
            if (error.code == AZ_OK)
                error_set(&error, AZ_INVALID, "the query has no result");
            write_batch_error(out, &error, request->query);
        }
    }
    arena_free(&arena);
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
        BatchRequest request = {0};
        const char *why = NULL;
        size_t offset = 0;
        buffer_clear(&out);
        // The id and query views are valid until the parser's next document.
        if (json_walk_object(parser, builder, text, take_member, &request, &why, &offset)) {
            answer_batch(settings, &request, &out);
        } else {
            AzError error = {0};
            error_set(&error, AZ_INVALID, "not a JSON object at byte %zu: %s", offset,
                      why ? why : "");
            buffer_text(&out, "{\"id\":null,");
            write_batch_error(&out, &error, STR(""));
        }
        open = cli_write(STDOUT_FILENO, buffer_slice(&out));
    }
    free(line);
    buffer_free(&out);
    json_parser_free(parser);
    dyn_builder_free(builder);
    return AZIMUTH_EXIT_OK;
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
        ready = read_all(STDIN_FILENO, &text, "standard input");
    int status = ready ? query_run(settings, buffer_slice(&text)) : AZIMUTH_EXIT_ERROR;
    buffer_free(&text);
    return status;
}

static int
query_command(int argc, char **argv)
{
    const char *store = NULL, *format = NULL, *file = NULL, *threads = NULL, *content = NULL,
               *snapshot = NULL, *memory = NULL, *timeout = NULL, *rows = NULL;
    bool timing = false, batch = false, check = false, explain = false;
    const CliOption options[] = {
        {"--store", "DIR", "the store; without it queries run on an empty one", &store, NULL},
        {"--format", "F", "table, json, jsonl, csv or markdown", &format, NULL},
        {"-f", "FILE", "read the query from FILE (- = standard input)", &file, NULL},
        {"--batch", NULL, "JSON lines {\"id\",\"query\"} in, one answer a line out", NULL, &batch},
        {"--check", NULL, "parse and bind, but do not run", NULL, &check},
        {"--explain", NULL, "show the plan the query was run by, on standard error", NULL,
         &explain},
        {"--timing", NULL, "write timing_ms= to standard error", NULL, &timing},
        {"--snapshot", "N", "the snapshot to look at (default: the newest)", &snapshot, NULL},
        {"--threads", "N", "worker threads (default: AZIMUTH_THREADS or all cores)", &threads,
         NULL},
        {"--memory", "MB", "most memory a query may hold", &memory, NULL},
        {"--timeout", "SECONDS", "stop the query after so long", &timeout, NULL},
        {"--rows", "N", "rows shown as a table (default 1000; 0 = all)", &rows, NULL},
        {"--content", "DIR", "the content folder", &content, NULL},
    };
    int status;
    if (!cli_options(&CLI_QUERY, options, sizeof(options) / sizeof(options[0]), &argc, argv,
                     &status))
        return status;
    QuerySettings settings = {.timing = timing, .check_only = check, .explain = explain};
    int64_t n_threads = 0, n_snapshot = 0, n_memory = 0, n_timeout = 0, n_rows = 1000;
    if ((threads && !cli_parse_number(threads, 1, 1024, "--threads", &n_threads)) ||
        (snapshot && !cli_parse_number(snapshot, 1, INT64_MAX, "--snapshot", &n_snapshot)) ||
        (memory && !cli_parse_number(memory, 1, INT64_MAX >> 20, "--memory", &n_memory)) ||
        (timeout && !cli_parse_number(timeout, 1, 1000000, "--timeout", &n_timeout)) ||
        (rows && !cli_parse_number(rows, 0, INT64_MAX, "--rows", &n_rows)))
        return AZIMUTH_EXIT_ERROR;
    settings.format = RESULT_TABLE;
    if (format && !result_format_parse(format, &settings.format)) {
        cli_fail("--format is table, json, jsonl, csv or markdown, not '%s'", format);
        return AZIMUTH_EXIT_ERROR;
    }
    if (argc > 2 || (argc > 1 && (file || batch))) {
        cli_fail("one query at a time; usage: azimuth %s", CLI_QUERY.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    settings.style.max_rows = (uint64_t)n_rows;
    settings.options.timeout_ns = (uint64_t)n_timeout * 1000000000u;
    DatabaseOptions db_options = {
        .store = store,
        .content = content,
        .snapshot = n_snapshot,
        .threads = (size_t)n_threads,
        .memory_limit = (size_t)n_memory << 20,
    };
    AzError error = {0};
    settings.db = db_open(&db_options, &error);
    if (!settings.db) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    if (batch)
        status = run_batch(&settings);
    else if (argc < 2 && !file && isatty(STDIN_FILENO))
        status = prompt_run(&settings);
    else
        status = run_once(&settings, file, argc, argv);
    db_close(settings.db);
    return status;
}

const CliCommand CLI_QUERY = {
    "query",
    "query [--store DIR] [--format F] [-f FILE | 'KQL' | --batch]",
    "runs KQL; without a query on a terminal, an interactive prompt",
    query_command,
};
