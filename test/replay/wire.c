#include "replay/wire.h"

#include <stdlib.h>
#include <string.h>

// A request until its answer is freed. The answer is its first member.
typedef struct Exchange {
    HttpAnswer answer;
    WireAnswer made;
    HttpRequest request; // copied
    Arena arena;
    uint64_t sent, due; // due: of the next event
    bool arrived, ended;
    struct Exchange *next;
} Exchange;

struct Http {
    uint64_t now;
    Exchange *all; // in the order in which they were sent
};

static WireService service;

void
wire_serve(const WireService *given)
{
    service = *given;
}

Http *
http_new(const HttpOptions *options, AzError *error)
{
    (void)options;
    (void)error;
    Http *http = calloc(1, sizeof(*http));
    if (!http)
        abort();
    http->now = 1000000000; // 0 means never in some places
    return http;
}

void
http_answer_free(HttpAnswer *answer)
{
    if (!answer)
        return;
    Exchange *exchange = (Exchange *)answer;
    buffer_free(&exchange->made.body);
    arena_free(&exchange->made.arena);
    arena_free(&exchange->arena);
    free(exchange);
}

void
http_free(Http *http)
{
    while (http && http->all) {
        Exchange *exchange = http->all;
        http->all = exchange->next;
        http_answer_free(&exchange->answer);
    }
    free(http);
}

uint64_t
http_now(const Http *http)
{
    return http->now;
}

void
http_send(Http *http, const HttpRequest *request, void *tag)
{
    Exchange *exchange = calloc(1, sizeof(*exchange)), **end = &http->all;
    if (!exchange)
        abort();
    Arena *arena = &exchange->arena;
    HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, request->header_count);
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = (HttpHeader){str_copy(arena, request->headers[i].name),
                                  str_copy(arena, request->headers[i].value)};
    exchange->request = *request;
    exchange->request.method = str_copy(arena, request->method);
    exchange->request.url = str_copy(arena, request->url);
    exchange->request.body = str_copy(arena, request->body);
    exchange->request.headers = headers;
    exchange->answer.tag = tag;
    exchange->answer.retry_after = -1;
    exchange->sent = http->now;
    exchange->due = http->now + (service.way ? service.way(service.context) : 0);
    while (*end)
        end = &(*end)->next;
    *end = exchange;
}

static void
arrive(Http *http, Exchange *exchange)
{
    WireAnswer *made = &exchange->made;
    HttpAnswer *answer = &exchange->answer;
    exchange->arrived = true;
    service.answer(service.context, &exchange->request, exchange->sent, http->now, made);
    answer->outcome = made->outcome;
    answer->status = made->status;
    answer->body = buffer_slice(&made->body);
    answer->headers = made->headers;
    answer->header_count = made->header_count;
    answer->problem = str_from(made->problem);
    Str retry = http_header(answer, "Retry-After");
    if (retry.len)
        answer->retry_after = strtod(str_cstr(&exchange->arena, retry), NULL);
    exchange->due = http->now + made->way_ns;
}

// Lets the next thing happen that is due until `until`. False when there is none; the clock
// is at `until` then.
static bool
step(Http *http, uint64_t until)
{
    Exchange *first = NULL;
    for (Exchange *exchange = http->all; exchange; exchange = exchange->next)
        if (!exchange->ended && (!first || exchange->due < first->due))
            first = exchange;
    if (!first || first->due > until) {
        http->now = until > http->now ? until : http->now;
        return false;
    }
    http->now = first->due > http->now ? first->due : http->now;
    if (first->arrived)
        first->ended = true;
    else
        arrive(http, first);
    return true;
}

static HttpAnswer *
take(Http *http, const void *tag)
{
    for (Exchange **at = &http->all; *at; at = &(*at)->next) {
        Exchange *exchange = *at;
        if (!exchange->ended || (tag && exchange->answer.tag != tag))
            continue;
        *at = exchange->next;
        exchange->next = NULL;
        return &exchange->answer;
    }
    return NULL;
}

HttpAnswer *
http_next(Http *http, uint32_t wait_ms)
{
    uint64_t until = http->now + (uint64_t)wait_ms * 1000000;
    for (;;) {
        HttpAnswer *answer = take(http, NULL);
        if (answer || !step(http, until))
            return answer;
    }
}

HttpAnswer *
http_fetch(Http *http, const HttpRequest *request)
{
    char mark; // its address is a tag nobody else has
    http_send(http, request, &mark);
    for (;;) {
        HttpAnswer *answer = take(http, &mark);
        if (answer)
            return answer;
        if (!step(http, UINT64_MAX))
            abort(); // the request itself is always due
    }
}

Str
http_header(const HttpAnswer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (str_equal_ci(answer->headers[i].name, str_from(name)))
            return answer->headers[i].value;
    return STR("");
}
