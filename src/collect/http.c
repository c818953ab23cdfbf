#include "collect/http.h"

#include "base/array.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "collect/curl_library.h"
#include "collect/url.h"
#include "version.h"

#include <stdio.h>
#include <string.h>

enum {
    SECONDS = 120,
    CONNECT_SECONDS = 15,
    MOST_BYTES = 64 << 20,
    MOST_HEADER_BYTES = 64 << 10,
    HOST_CONNECTIONS = 8,
};

typedef struct Headers {
    HttpHeader *items;
    size_t len, cap;
} Headers;

// One request on its way. The answer is its first member, so that freeing the answer
// frees the exchange.
typedef struct Exchange {
    HttpAnswer answer;
    const Http *http;
    CURL *easy;
    struct curl_slist *lines;
    Arena arena;
    Buffer body;
    Headers headers;
    Str host;
    size_t most_bytes, header_bytes;
    bool too_large;
    char *sent; // the body on its way
    size_t sent_len;
    struct Exchange *next, **link; // in the list of those in flight, or of the ended
} Exchange;

struct Http {
    const CurlLibrary *curl;
    CURLM *multi;
    bool plain_loopback;
    char *ca_file;
    Exchange *flying, *ended, **ended_tail;
};

Http *
http_new(const HttpOptions *options, AzError *error)
{
    const CurlLibrary *curl = curl_library(error);
    if (!curl)
        return NULL;
    Http *http = calloc(1, sizeof(*http));
    if (!http)
        abort();
    http->curl = curl;
    http->multi = curl->multi_init();
    if (!http->multi)
        abort();
    http->plain_loopback = options->plain_loopback;
    http->ca_file = options->ca_file ? strdup(options->ca_file) : NULL;
    http->ended_tail = &http->ended;
    curl->multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl->multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_CONNECTIONS);
    return http;
}

static void
exchange_close(Exchange *exchange)
{
    const CurlLibrary *curl = exchange->http->curl;
    if (exchange->easy) {
        curl->multi_remove_handle(exchange->http->multi, exchange->easy);
        curl->easy_cleanup(exchange->easy);
    }
    for (struct curl_slist *line = exchange->lines; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data)); // it may be a token
    curl->slist_free_all(exchange->lines);
    if (exchange->sent) {
        explicit_bzero(exchange->sent, exchange->sent_len);
        free(exchange->sent);
    }
    exchange->easy = NULL;
    exchange->lines = NULL;
    exchange->sent = NULL;
}

void
http_answer_free(HttpAnswer *answer)
{
    if (!answer)
        return;
    Exchange *exchange = (Exchange *)answer;
    exchange_close(exchange);
    if (exchange->body.data)
        explicit_bzero(exchange->body.data, exchange->body.len); // it may hold a token
    buffer_free(&exchange->body);
    arena_free(&exchange->arena);
    free(exchange);
}

void
http_free(Http *http)
{
    if (!http)
        return;
    while (http->flying) {
        Exchange *exchange = http->flying;
        http->flying = exchange->next;
        http_answer_free(&exchange->answer);
    }
    while (http->ended) {
        Exchange *exchange = http->ended;
        http->ended = exchange->next;
        http_answer_free(&exchange->answer);
    }
    http->curl->multi_cleanup(http->multi);
    free(http->ca_file);
    free(http);
}

static size_t
take_body(char *data, size_t size, size_t count, void *context)
{
    Exchange *exchange = context;
    size_t len = size * count;
    if (len > exchange->most_bytes - exchange->body.len) {
        exchange->too_large = true;
        return 0;
    }
    buffer_put(&exchange->body, data, len);
    return len;
}

static size_t
take_header(char *data, size_t size, size_t count, void *context)
{
    Exchange *exchange = context;
    Str line = {data, size * count};
    exchange->header_bytes += line.len;
    if (exchange->header_bytes > MOST_HEADER_BYTES) {
        exchange->too_large = true;
        return 0;
    }
    ptrdiff_t colon = str_find(line, STR(":"));
    if (str_starts(line, STR("HTTP/")))
        exchange->headers.len = 0; // another answer begins
    if (colon < 0 || str_starts(line, STR("HTTP/")))
        return line.len; // a status line, or the blank one at the end
    HttpHeader header = {str_slice(line, 0, (size_t)colon),
                         str_trim(str_slice(line, (size_t)colon + 1, line.len))};
    header.name = str_copy(&exchange->arena, header.name);
    header.value = str_copy(&exchange->arena, header.value);
    ARRAY_PUSH(&exchange->arena, &exchange->headers, header);
    return line.len;
}

// Why the address is not one we send to; NULL when it is.
static const char *
refusal(const Http *http, const HttpRequest *request, Url *url)
{
    if (!url_parse(request->url, url))
        return "its address is not one of a web server";
    if (str_equal(url->scheme, STR("https")))
        return NULL;
    bool here = url_is_loopback(url);
    if (request->local ? here || url_is_link_local(url) : here && http->plain_loopback)
        return NULL;
    return "only https is used, and the address begins with http";
}

static void
exchange_end(Exchange *exchange, HttpOutcome outcome, const char *problem)
{
    Http *http = (Http *)exchange->http;
    exchange->answer.outcome = outcome;
    if (problem)
        exchange->answer.problem =
            exchange->host.len
                ? str_format(&exchange->arena, "%.*s: %s", STR_ARG(exchange->host), problem)
                : str_copy(&exchange->arena, str_from(problem));
    exchange->answer.body = buffer_slice(&exchange->body);
    exchange->answer.headers = exchange->headers.items;
    exchange->answer.header_count = exchange->headers.len;
    exchange->next = NULL;
    *http->ended_tail = exchange;
    http->ended_tail = &exchange->next;
}

static void
set_headers(Exchange *exchange, const HttpRequest *request)
{
    const CurlLibrary *curl = exchange->http->curl;
    for (size_t i = 0; i < request->header_count; i++) {
        const HttpHeader *header = &request->headers[i];
        char *line =
            str_cstr(&exchange->arena, str_format(&exchange->arena, "%.*s: %.*s",
                                                  STR_ARG(header->name), STR_ARG(header->value)));
        // A line break would begin a header of somebody else's choice.
        if (!strpbrk(line, "\r\n"))
            exchange->lines = curl->slist_append(exchange->lines, line);
        explicit_bzero(line, strlen(line));
    }
    if (request->bearer.len) {
        Buffer line = {0};
        buffer_reserve(&line, request->bearer.len + 32); // so that no copy is left behind
        buffer_text(&line, "Authorization: Bearer ");
        buffer_str(&line, request->bearer);
        buffer_char(&line, '\0');
        if (!strpbrk(line.data, "\r\n"))
            exchange->lines = curl->slist_append(exchange->lines, line.data);
        explicit_bzero(line.data, line.cap);
        buffer_free(&line);
    }
    exchange->lines = curl->slist_append(exchange->lines, "Expect:");
    curl->easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->lines);
}

static void
set_options(Exchange *exchange, const HttpRequest *request, bool plain)
{
    const Http *http = exchange->http;
    const CurlLibrary *curl = http->curl;
    CURL *easy = exchange->easy;
    uint32_t seconds = request->seconds ? request->seconds : SECONDS;
    uint32_t connect = request->connect_seconds ? request->connect_seconds : CONNECT_SECONDS;
    curl->easy_setopt(easy, CURLOPT_URL, str_cstr(&exchange->arena, request->url));
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)seconds * 1000L);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect * 1000L);
    curl->easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl->easy_setopt(easy, CURLOPT_USERAGENT, "azimuth/" AZIMUTH_VERSION);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl->easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl->easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    if (http->ca_file)
        curl->easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
    if (request->local)
        curl->easy_setopt(easy, CURLOPT_PROXY, "");
    if (request->body.len || str_equal(request->method, STR("POST"))) {
        exchange->sent = malloc(request->body.len + 1);
        if (!exchange->sent)
            abort();
        memcpy(exchange->sent, request->body.ptr ? request->body.ptr : "", request->body.len);
        exchange->sent_len = request->body.len;
        curl->easy_setopt(easy, CURLOPT_POST, 1L);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->sent);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->sent_len);
    }
    set_headers(exchange, request);
}

void
http_send(Http *http, const HttpRequest *request, void *tag)
{
    Exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        abort();
    exchange->http = http;
    exchange->answer.tag = tag;
    exchange->answer.retry_after = -1;
    exchange->most_bytes = request->most_bytes ? request->most_bytes : MOST_BYTES;
    Url url;
    const char *why = refusal(http, request, &url);
    exchange->host = str_copy(&exchange->arena, url.host);
    if (why) {
        exchange_end(exchange, HTTP_REFUSED, why);
        return;
    }
    exchange->easy = http->curl->easy_init();
    if (!exchange->easy)
        abort();
    set_options(exchange, request, str_equal(url.scheme, STR("http")));
    exchange->next = http->flying;
    exchange->link = &http->flying;
    if (http->flying)
        http->flying->link = &exchange->next;
    http->flying = exchange;
    if (http->curl->multi_add_handle(http->multi, exchange->easy) != CURLM_OK)
        abort();
}

static HttpOutcome
outcome_of(const Exchange *exchange, CURLcode code)
{
    if (exchange->too_large)
        return HTTP_TOO_LARGE;
    switch (code) {
    case CURLE_OK: return HTTP_ANSWERED;
    case CURLE_OPERATION_TIMEDOUT: return HTTP_TIMED_OUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return HTTP_UNREACHABLE;
    default: return HTTP_CUT;
    }
}

static void
take_ended(Http *http)
{
    const CurlLibrary *curl = http->curl;
    int left;
    for (CURLMsg *message; (message = curl->multi_info_read(http->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        Exchange *exchange = NULL;
        CURLcode code = message->data.result;
        long status = 0;
        curl_off_t retry = 0;
        curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        curl->easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        curl->easy_getinfo(message->easy_handle, CURLINFO_RETRY_AFTER, &retry);
        *exchange->link = exchange->next;
        if (exchange->next)
            exchange->next->link = exchange->link;
        exchange->answer.status = (int)status;
        if (http_header(&(HttpAnswer){.headers = exchange->headers.items,
                                      .header_count = exchange->headers.len},
                        "Retry-After")
                .len)
            exchange->answer.retry_after = (double)retry;
        HttpOutcome outcome = outcome_of(exchange, code);
        const char *problem = NULL;
        if (outcome == HTTP_TOO_LARGE)
            problem = "the answer is larger than the limit";
        else if (outcome == HTTP_TIMED_OUT)
            problem = "no answer in time";
        else if (outcome != HTTP_ANSWERED)
            problem = curl->easy_strerror(code);
        exchange_close(exchange);
        exchange_end(exchange, outcome, problem);
    }
}

// Lets all transfers go on for at most `wait_ms`.
static void
drive(Http *http, uint32_t wait_ms)
{
    int running;
    http->curl->multi_perform(http->multi, &running);
    take_ended(http);
    if (http->ended || !wait_ms)
        return;
    http->curl->multi_poll(http->multi, NULL, 0, (int)wait_ms, NULL);
    http->curl->multi_perform(http->multi, &running);
    take_ended(http);
}

static HttpAnswer *
unlink_ended(Http *http, Exchange **at)
{
    Exchange *exchange = *at;
    *at = exchange->next;
    if (!exchange->next)
        http->ended_tail = at;
    exchange->next = NULL;
    return &exchange->answer;
}

uint64_t
http_now(const Http *http)
{
    (void)http;
    return clock_monotonic_ns();
}

HttpAnswer *
http_next(Http *http, uint32_t wait_ms)
{
    uint64_t end = clock_monotonic_ns() + (uint64_t)wait_ms * 1000000u;
    for (;;) {
        uint64_t now = clock_monotonic_ns();
        uint32_t left = now < end ? (uint32_t)((end - now) / 1000000u) : 0;
        drive(http, http->ended ? 0 : left);
        if (http->ended)
            return unlink_ended(http, &http->ended);
        if (!left)
            return NULL;
    }
}

HttpAnswer *
http_fetch(Http *http, const HttpRequest *request)
{
    char mark; // its address is a tag nobody else has
    http_send(http, request, &mark);
    for (;;) {
        for (Exchange **at = &http->ended; *at; at = &(*at)->next)
            if ((*at)->answer.tag == &mark)
                return unlink_ended(http, at);
        int running;
        http->curl->multi_poll(http->multi, NULL, 0, 1000, NULL);
        http->curl->multi_perform(http->multi, &running);
        take_ended(http);
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
