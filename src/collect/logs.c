#include "collect/logs_parts.h"

#include "base/array.h"
#include "collect/request.h"
#include "collect/url.h"
#include "store/ingest_redact.h"

#include <string.h>

enum { MOST_TRIES = 5, MOST_REFUSALS = 12, ANSWER_BYTES = 64 << 20, CALL_SECONDS = 660 };

void
logs_gap(Logs *logs, Str what, Str reason)
{
    LogsGap gap = {str_copy(logs->arena, what), str_copy(logs->arena, reason)};
    ARRAY_PUSH(logs->arena, &logs->report->gaps, gap);
}

void
logs_mask(Logs *logs, Buffer *rows)
{
    Str all = buffer_slice(rows);
    if (!ingest_may_hold_secret(all) && !auth_knows(logs->options->auth, all))
        return;
    Buffer masked = {0}, line = {0};
    for (size_t at = 0; at < all.len;) {
        const char *end = memchr(all.ptr + at, '\n', all.len - at);
        size_t to = end ? (size_t)(end - all.ptr) : all.len;
        auth_mask(logs->options->auth, &masked, ingest_redact(&line, str_slice(all, at, to)));
        buffer_char(&masked, '\n');
        at = to + 1;
    }
    buffer_free(&line);
    buffer_free(rows);
    *rows = masked;
}

// ---- storage accounts ----

static bool
is_account_name(Str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') ||
              (name.ptr[i] >= '0' && name.ptr[i] <= '9')))
            return false;
    return name.len >= 3 && name.len <= 24;
}

// The account of an address: the first part of the host, or of the path where the host is
// an address of numbers (an emulator).
static Str
account_of(const Url *url)
{
    Str path = url->rest;
    if (path.len > 1) {
        ptrdiff_t slash = str_find(str_slice(path, 1, path.len), STR("/"));
        return str_slice(path, 1, slash < 0 ? path.len : (size_t)slash + 1);
    }
    ptrdiff_t dot = str_find(url->host, STR("."));
    return str_slice(url->host, 0, dot < 0 ? url->host.len : (size_t)dot);
}

static bool
read_account(Arena *arena, const Cloud *cloud, Str text, StorageAccount *out, AzError *error)
{
    Url url;
    Str endpoint = cloud->endpoint[SERVICE_STORAGE];
    while (text.len && text.ptr[text.len - 1] == '/')
        text.len--;
    if (is_account_name(text) && url_parse(endpoint, &url)) {
        ptrdiff_t host = str_find(endpoint, STR("://"));
        Str rest = str_slice(endpoint, (size_t)host + 3, endpoint.len);
        out->name = str_copy(arena, text);
        out->url = str_format(arena, "%.*s://%.*s.%.*s", STR_ARG(url.scheme), STR_ARG(text),
                              STR_ARG(rest));
        return true;
    }
    // What stands behind a question mark may be a signature: it is not for an error's words.
    ptrdiff_t query = str_find(text, STR("?"));
    if (query >= 0)
        return error_set(
            error, AZ_INVALID,
            "the address '%.*s' of a storage account has no '?': a signature goes into "
            "AZURE_STORAGE_SAS_TOKEN",
            (int)query, text.ptr);
    if (!url_parse(text, &url))
        return error_set(error, AZ_INVALID,
                         "'%.*s' is neither the name of a storage account nor its address",
                         STR_ARG(text));
    out->url = str_copy(arena, text);
    out->name = str_copy(arena, account_of(&url));
    return true;
}

bool
storage_accounts(Arena *arena, const Cloud *cloud, const Str *names, size_t count,
                 StorageAccount **out, AzError *error)
{
    *out = ARENA_ARRAY(arena, StorageAccount, count);
    for (size_t i = 0; i < count; i++)
        if (!read_account(arena, cloud, names[i], &(*out)[i], error))
            return false;
    return true;
}

// ---- calls, one after another ----

static void
pause_for(Logs *logs, uint64_t ns)
{
    Http *http = logs->options->http;
    uint64_t end = http_now(http) + ns;
    // Nothing is in flight: this waits, and no answer comes.
    for (uint64_t now = http_now(http); now < end; now = http_now(http))
        http_answer_free(http_next(http, (uint32_t)((end - now) / 1000000) + 1));
}

static HttpAnswer *
send_once(Logs *logs, const LogsCall *call, Bucket *bucket, uint64_t *sent, uint32_t *generation)
{
    Wire wire;
    Http *http = logs->options->http;
    Auth *auth = logs->options->auth;
    Arena *arena = &logs->scratch;
    uint64_t wait;
    while (!pace_take(&logs->pace, bucket, 1, http_now(http), &wait))
        pause_for(logs, wait);
    bool signed_in =
        call->body.len
            ? wire_post(auth, arena, call->service, call->url, call->body, &wire, &logs->error)
            : wire_get(auth, arena, call->service, call->url, &wire, &logs->error);
    if (!signed_in) {
        pace_unsent(&logs->pace, bucket, 1);
        return NULL;
    }
    if (call->prefer)
        wire.headers[wire.request.header_count++] =
            (HttpHeader){STR("Prefer"), str_from(call->prefer)};
    wire.request.headers = wire.headers;
    wire.request.most_bytes = ANSWER_BYTES;
    wire.request.seconds = CALL_SECONDS;
    *generation = wire.generation;
    *sent = http_now(http);
    HttpAnswer *answer = http_fetch(http, &wire.request);
    pace_answered(&logs->pace, bucket, 1, answer, http_now(http));
    return answer;
}

// Seconds after which the call may be made again; below 0: not.
static double
again_after(Logs *logs, const HttpAnswer *answer, Bucket *bucket, uint64_t sent, int *tries,
            int *refusals)
{
    int status = answer->status;
    if (answer->outcome == HTTP_REFUSED || answer->outcome == HTTP_TOO_LARGE)
        return -1;
    if (answer->outcome != HTTP_ANSWERED)
        return ++*tries < MOST_TRIES ? 0.5 * *tries : -1;
    if (status == 429 && ++*refusals < MOST_REFUSALS)
        return (double)pace_refused(&logs->pace, bucket, sent, answer->retry_after,
                                    http_now(logs->options->http)) /
               1e9;
    bool trouble = status == 408 || status == 500 || status == 502 || status == 503;
    if (trouble && ++*tries < MOST_TRIES)
        return answer->retry_after >= 0 ? answer->retry_after : (double)(1 << *tries) / 4;
    return -1;
}

HttpAnswer *
logs_call(Logs *logs, const LogsCall *call, Str *reason, ServiceError *said)
{
    Bucket *bucket = pace_bucket(&logs->pace, call->quota, STR(""));
    int tries = 0, refusals = 0;
    bool signed_again = false;
    *reason = STR("");
    *said = (ServiceError){0};
    for (;;) {
        uint64_t sent = 0;
        uint32_t generation = 0;
        HttpAnswer *answer = send_once(logs, call, bucket, &sent, &generation);
        if (!answer) {
            *reason =
                str_format(&logs->scratch, "nobody is signed in for it: %s", logs->error.message);
            logs->error = (AzError){0};
            return NULL;
        }
        if (answer->outcome == HTTP_ANSWERED && answer->status >= 200 && answer->status < 300)
            return answer;
        double pause = again_after(logs, answer, bucket, sent, &tries, &refusals);
        if (answer->status == 401 && !signed_again) {
            signed_again = true;
            auth_refused(logs->options->auth, call->service, generation,
                         claims_challenge(&logs->scratch, http_header(answer, "WWW-Authenticate")));
            pause = 0;
        }
        if (pause < 0) {
            *said = service_error(&logs->scratch, logs->parser, logs->builder, answer->body);
            const Refused refused = {.status = answer->status,
                                     .said = *said,
                                     .need = call->need,
                                     .licence = call->licence,
                                     .tries = MOST_TRIES,
                                     .refusals = MOST_REFUSALS};
            if (answer->outcome == HTTP_TOO_LARGE)
                said->code = STR("ResponsePayloadTooLarge");
            *reason = answer->outcome == HTTP_ANSWERED
                          ? refused_reason(&logs->scratch, logs->options->auth, &refused)
                          : str_copy(&logs->scratch, answer->problem);
        }
        http_answer_free(answer);
        if (pause < 0)
            return NULL;
        pause_for(logs, (uint64_t)(pause * 1e9));
    }
}

// ---- times, a window after another ----

static const uint64_t SECOND = 10000000; // ticks

bool
logs_windows(Logs *logs, Str folder, Str what, LogsRead read, void *context)
{
    const LogsOptions *options = logs->options;
    Arena arena = {0};
    LogSpans spans;
    LogSpan left = {options->from / SECOND * SECOND, options->to / SECOND * SECOND}, missing;
    uint64_t width = 24 * 3600 * SECOND;
    bool done = log_spans(&arena, folder, LOG_TIME, &spans, &logs->error);
    while (done && log_missing(&spans, left, &missing)) {
        Buffer rows = {0};
        uint64_t count = 0;
        Str reason = STR("");
        LogSpan span = {missing.from,
                        missing.to - missing.from > width ? missing.from + width : missing.to};
        arena_reset(&logs->scratch);
        WindowEnd end = read(context, span, &rows, &count, &reason);
        if (end == WINDOW_READ) {
            logs_mask(logs, &rows);
            done = log_write(folder, LOG_TIME, span, false, &rows, &logs->error);
            left.from = span.to;
            logs->report->records += count;
            logs->report->bytes += rows.len;
            logs->report->files++;
            if (rows.len < WINDOW_BYTES / 8 && width < 24 * 3600 * SECOND)
                width *= 2;
        } else if (end == WINDOW_TOO_LARGE && span.to - span.from > SECOND) {
            width = (span.to - span.from) / 2 / SECOND * SECOND;
        } else {
            if (end == WINDOW_TOO_LARGE)
                reason = STR("one second holds more than one answer can");
            Buffer from = {0};
            log_time_print(&from, span.from);
            if (!logs->error.code)
                logs_gap(logs, what,
                         str_format(&arena, "%.*s (from %.*s on)", STR_ARG(reason), (int)from.len,
                                    from.data));
            buffer_free(&from);
            done = false;
        }
        buffer_free(&rows);
        if (options->progress)
            options->progress(options->progress_context, str_cstr(&logs->scratch, what),
                              (left.from - options->from) / SECOND,
                              (options->to - options->from) / SECOND);
    }
    arena_free(&arena);
    return !logs->error.code;
}

// ---- all ----

bool
logs_run(const LogsOptions *options, Arena *arena, LogsReport *report, AzError *error)
{
    Logs logs = {.options = options, .arena = arena, .report = report};
    Arena run = {0};
    *report = (LogsReport){0};
    logs.parser = json_parser_new();
    logs.builder = dyn_builder_new();
    pace_init(&logs.pace, &run, options->most_in_flight);
    bool done = logs_storage(&logs) && logs_workspaces(&logs) && logs_lists(&logs);
    report->calls = logs.pace.calls;
    report->refusals = logs.pace.refusals;
    if (done && !report->calls && report->gaps.len)
        done = error_set(&logs.error, AZ_INVALID, "%.*s: %.*s", STR_ARG(report->gaps.items[0].what),
                         STR_ARG(report->gaps.items[0].reason));
    if (!done && error)
        *error = logs.error;
    json_parser_free(logs.parser);
    dyn_builder_free(logs.builder);
    arena_free(&logs.scratch);
    arena_free(&run);
    return done;
}
