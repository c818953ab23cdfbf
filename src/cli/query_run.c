#include "cli/query_run.h"

#include "base/clock.h"

#include "report/arrow_export.h"
#include "report/arrow_ipc.h"
#include "report/explain_report.h"

#include <errno.h>
#include <fcntl.h>
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

// What Azure Resource Graph would refuse: an answer, and findings' exit status when there
// is something.
static int
report_graph_limits(Str text)
{
    Arena arena = {0};
    AzError error = {0};
    Str lines;
    int status = AZIMUTH_EXIT_ERROR;
    if (!db_resource_graph_limits(&arena, text, &lines, &error)) {
        cli_error(&error, text);
    } else {
        cli_write(STDOUT_FILENO, lines.len ? lines : STR("ok\n"));
        status = lines.len ? AZIMUTH_EXIT_FINDINGS : AZIMUTH_EXIT_OK;
    }
    arena_free(&arena);
    return status;
}

static int
check(const QuerySettings *settings, Str text)
{
    AzError error = {0};
    Diagnostics diagnostics = {0};
    bool right = db_check(settings->db, text, &diagnostics, &error);
    cli_diagnostics(&diagnostics, text);
    if (!right) {
        return AZIMUTH_EXIT_ERROR;
    }
    if (settings->graph_limits)
        return report_graph_limits(text);
    cli_write(STDOUT_FILENO, STR("ok\n"));
    return AZIMUTH_EXIT_OK;
}

static bool
print_explain(const QuerySettings *settings, const Explain *explain)
{
    Buffer out = {0};
    ResultStyle style = {.width = cli_terminal_width()};
    if (settings->format == RESULT_JSON || settings->format == RESULT_JSONL)
        explain_write_json(&out, explain);
    else
        explain_write_text(&out, explain, &style);
    bool done = cli_output_write(settings->out, buffer_slice(&out));
    buffer_free(&out);
    return done;
}

static int
explain(const QuerySettings *settings, Str text)
{
    Arena arena = {0};
    AzError error = {0};
    Explain *plan = db_explain(settings->db, &arena, text, &settings->options, &error);
    if (!plan)
        cli_error(&error, text);
    bool done = plan && print_explain(settings, plan);
    arena_free(&arena);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

static bool
print_tables(const QuerySettings *settings, const QueryResult *result)
{
    Buffer out = {0};
    ResultStyle style = settings->style;
    style.width = settings->out->path ? 0 : cli_terminal_width();
    style.color = cli_use_color(settings->out->fd);
    bool done = true;
    for (uint32_t i = 0; i < result->count && done; i++) {
        buffer_clear(&out);
        if (i && (settings->format == RESULT_TABLE || settings->format == RESULT_MARKDOWN))
            buffer_char(&out, '\n');
        else if (i && settings->format == RESULT_CSV)
            buffer_text(&out, "\r\n");
        if (result->names[i].len && settings->format == RESULT_TABLE)
            buffer_printf(&out, "%.*s:\n", STR_ARG(result->names[i]));
        else if (result->names[i].len && settings->format == RESULT_MARKDOWN)
            buffer_printf(&out, "**%.*s**\n\n", STR_ARG(result->names[i]));
        result_write(&out, result->tables[i], settings->format, &style);
        done = cli_output_write(settings->out, buffer_slice(&out));
    }
    buffer_free(&out);
    return done;
}

// The one table as a stream, which takes the result's arena over.
static bool
write_arrow(const QuerySettings *settings, Arena *arena, const QueryResult *result, Str text)
{
    AzError error = {0};
    if (result->count != 1) {
        error_set(
            &error, AZ_INVALID,
            "an Arrow stream holds one table and this query has %u: ask for one at a time, or "
            "choose another --format",
            result->count);
        cli_error(&error, text);
        return false;
    }
    struct ArrowArrayStream stream;
    arrow_export(arena, result->tables[0], &stream);
    bool done = arrow_ipc_write(&stream, cli_output_write, settings->out, &error);
    stream.release(&stream);
    if (error.code)
        cli_error(&error, text);
    return done;
}

static bool
print_answer(const QuerySettings *settings, Arena *arena, const QueryResult *result, Str text)
{
    if (result->explain)
        return print_explain(settings, result->explain);
    return settings->arrow ? write_arrow(settings, arena, result, text)
                           : print_tables(settings, result);
}

// Runs the query once and prints its answer.
static int
run_answer(const QuerySettings *settings, Str text)
{
    Arena arena = {0};
    AzError error = {0};
    QueryOptions options = settings->options;
    options.cancel = &interrupted;
    options.analyze = settings->explain == EXPLAIN_ANALYZE;
    Diagnostics diagnostics = {0};
    options.diagnostics = &diagnostics;
    interrupted = false;
    struct sigaction action = {.sa_handler = on_interrupt}, before;
    sigaction(SIGINT, &action, &before);
    uint64_t cpu = clock_process_cpu_ns();
    QueryResult *result = db_query(settings->db, &arena, text, &options, &error);
    sigaction(SIGINT, &before, NULL);
    int status = AZIMUTH_EXIT_ERROR;
    // Parser and binder tell all they found; what execution met is the one error.
    cli_diagnostics(&diagnostics, text);
    if (!result && !diagnostics.error_count)
        cli_error(&error, text);
    if (result) {
        double parse = result->parse_ms, bind = result->bind_ms, run = result->run_ms;
        status =
            print_answer(settings, &arena, result, text) ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
        if (settings->timing)
            fprintf(stderr, "timing_ms=%.3f parse_ms=%.3f bind_ms=%.3f run_ms=%.3f cpu_ms=%.3f\n",
                    parse + bind + run, parse, bind, run,
                    (double)(clock_process_cpu_ns() - cpu) / 1e6);
    }
    arena_free(&arena);
    return status;
}

// Once more and again, as a service or a report asks: the store is open, what was read last is
// decoded. The answers are written, and go nowhere.
static int
run_again(const QuerySettings *settings, Str text)
{
    CliOutput nowhere = {.fd = open("/dev/null", O_WRONLY | O_CLOEXEC)};
    QuerySettings again = *settings;
    again.out = &nowhere;
    int status = AZIMUTH_EXIT_OK;
    if (nowhere.fd < 0) {
        cli_fail("cannot write to '/dev/null': %s", strerror(errno));
        return AZIMUTH_EXIT_ERROR;
    }
    for (uint32_t i = 0; i < settings->repeat && status == AZIMUTH_EXIT_OK && !interrupted; i++)
        status = run_answer(&again, text);
    close(nowhere.fd);
    return status;
}

int
query_run(const QuerySettings *settings, Str text)
{
    if (settings->check_only)
        return check(settings, text);
    if (settings->explain == EXPLAIN_PLAN)
        return explain(settings, text);
    int status = run_answer(settings, text);
    return status == AZIMUTH_EXIT_OK && settings->repeat ? run_again(settings, text) : status;
}
