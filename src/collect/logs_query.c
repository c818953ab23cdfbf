// Tables of Log Analytics: rows by the time of their records, one query a window.
//
// A query gives 500,000 rows, about 100 MB and ten minutes at most, and says so in different
// ways; a window that is too large is halved until it fits. Source: Azure Monitor Log
// Analytics API, "Azure Monitor service limits: Log queries and language".

#include "collect/logs_parts.h"
#include "value/scalar.h"

enum { MOST_ROWS = 500000 };

typedef struct TableRead {
    Logs *logs;
    Str url, table;
    const Quota *quota;
} TableRead;

// ---- answers ----

typedef struct Columns {
    Dyn list;
    bool *dynamic; // by column: its values are texts of JSON
    uint32_t count;
} Columns;

static bool
is_json_text(Str text)
{
    text = str_trim(text);
    return text.len > 1 && (text.ptr[0] == '{' || text.ptr[0] == '[');
}

static void
put_row(Buffer *out, const Columns *columns, Dyn row, JsonParser *parser, DynBuilder *builder)
{
    bool any = false;
    buffer_char(out, '{');
    for (uint32_t i = 0; i < columns->count; i++) {
        Dyn value = dyn_at(row, i);
        if (dyn_kind(value) == DYN_NULL ||
            (dyn_kind(value) == DYN_STRING && !dyn_string(value).len))
            continue; // absent and empty are the same
        buffer_text(out, any ? "," : "");
        any = true;
        json_write_string(out, dyn_string(dyn_get(dyn_at(columns->list, i), STR("name"))), false);
        buffer_char(out, ':');
        const char *why;
        size_t offset;
        Dyn tree;
        dyn_builder_reset(builder);
        bool inner = columns->dynamic[i] && dyn_kind(value) == DYN_STRING &&
                     is_json_text(dyn_string(value)) &&
                     json_to_dynamic(parser, dyn_string(value), builder, &why, &offset) &&
                     dyn_finish(builder, &tree, &why);
        dyn_to_json(out, inner ? tree : value);
    }
    buffer_text(out, "}\n");
}

// The rows of {"tables": [{"columns": [...], "rows": [...]}]}.
static WindowEnd
read_rows(Logs *logs, Str body, Buffer *rows, uint64_t *count, Str *reason)
{
    Arena *arena = &logs->scratch;
    JsonParser *inner = json_parser_new();
    DynBuilder *inner_builder = dyn_builder_new();
    const char *why;
    size_t offset;
    Dyn root;
    WindowEnd end = WINDOW_FAILED;
    dyn_builder_reset(logs->builder);
    bool read = json_to_dynamic(logs->parser, body, logs->builder, &why, &offset) &&
                dyn_finish(logs->builder, &root, &why);
    Dyn table = read ? dyn_at(dyn_get(root, STR("tables")), 0) : (Dyn){0};
    Dyn list = dyn_get(table, STR("rows"));
    Columns columns = {.list = dyn_get(table, STR("columns"))};
    columns.count = dyn_count(columns.list);
    columns.dynamic = ARENA_ARRAY(arena, bool, columns.count);
    for (uint32_t i = 0; i < columns.count; i++)
        columns.dynamic[i] =
            str_equal(dyn_string(dyn_get(dyn_at(columns.list, i), STR("type"))), STR("dynamic"));
    if (!read || dyn_kind(list) != DYN_ARRAY || !columns.count) {
        *reason = STR("the answer is no table of Log Analytics");
    } else if (dyn_kind(dyn_get(root, STR("error"))) == DYN_BAG || dyn_count(list) >= MOST_ROWS) {
        end = WINDOW_TOO_LARGE; // "PartialError": the rows are only a part
    } else {
        for (uint32_t i = 0; i < dyn_count(list); i++)
            put_row(rows, &columns, dyn_at(list, i), inner, inner_builder);
        *count = dyn_count(list);
        end = WINDOW_READ;
    }
    dyn_builder_free(inner_builder);
    json_parser_free(inner);
    return end;
}

// ---- calls ----

static bool
means_too_large(const ServiceError *said)
{
    static const char *const codes[] = {"ResponsePayloadTooLarge", "ResponseSizeError",
                                        "GatewayTimeout", "QueryLimitExceeded"};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (str_equal_ci(said->code, str_from(codes[i])))
            return true;
    return str_find(said->message, STR("E_QUERY_RESULT_SET_TOO_LARGE")) >= 0;
}

static WindowEnd
read_window(void *context, LogSpan span, Buffer *rows, uint64_t *count, Str *reason)
{
    const TableRead *read = context;
    Logs *logs = read->logs;
    Buffer from = {0}, to = {0}, body = {0};
    datetime_print(&from, (int64_t)span.from);
    datetime_print(&to, (int64_t)span.to);
    Str query = str_format(
        &logs->scratch,
        "%.*s | where TimeGenerated >= datetime(%.*s) and TimeGenerated < datetime(%.*s)",
        STR_ARG(read->table), (int)from.len, from.data, (int)to.len, to.data);
    buffer_text(&body, "{\"query\":");
    json_write_string(&body, query, false);
    buffer_printf(&body, ",\"timespan\":\"%.*s/%.*s\"}", (int)from.len, from.data, (int)to.len,
                  to.data);
    const LogsCall call = {.service = SERVICE_LOGS,
                           .url = read->url,
                           .body = buffer_slice(&body),
                           .prefer = "wait=600",
                           .quota = read->quota,
                           .need = STR("Log Analytics Reader on the workspace")};
    ServiceError said;
    HttpAnswer *answer = logs_call(logs, &call, reason, &said);
    WindowEnd end = WINDOW_FAILED;
    if (answer)
        end = read_rows(logs, answer->body, rows, count, reason);
    else if (means_too_large(&said))
        end = WINDOW_TOO_LARGE;
    http_answer_free(answer);
    buffer_free(&from);
    buffer_free(&to);
    buffer_free(&body);
    return end;
}

bool
logs_workspaces(Logs *logs)
{
    const LogsOptions *options = logs->options;
    // 200 queries in 30 seconds; five at once, of which we have one.
    static const Quota quota = {.name = STR_INIT("log-analytics"), .burst = 5, .rate = 5};
    for (size_t i = 0; i < options->workspace_count; i++)
        for (size_t k = 0; k < options->table_count; k++) {
            Arena arena = {0};
            Str id = options->workspaces[i], table = options->tables[k];
            // An id of Azure, or the workspace's own.
            TableRead read = {.logs = logs,
                              .url =
                                  str_format(&arena, "%.*s/v1%s%.*s/query",
                                             STR_ARG(options->cloud->endpoint[SERVICE_LOGS]),
                                             id.ptr[0] == '/' ? "" : "/workspaces/", STR_ARG(id)),
                              .table = table,
                              .quota = &quota};
            Str folder = log_path(&arena, str_from(options->folder), STR("workspaces"));
            folder = log_path(&arena, folder, str_slice(id, id.ptr[0] == '/', id.len));
            folder = log_path(&arena, folder, table);
            Str what = str_format(&arena, "%.*s of %.*s", STR_ARG(table), STR_ARG(id));
            bool done = logs_windows(logs, folder, what, read_window, &read);
            arena_free(&arena);
            if (!done)
                return false;
        }
    return true;
}
