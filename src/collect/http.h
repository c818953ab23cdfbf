// Http: many requests at once on one thread, over HTTP/2 where the server speaks it.
//
// Only https; no redirect is followed, since a token would travel with it; an answer's body
// has a limit after decompression; every exchange has a deadline. Nothing about a request is
// ever written anywhere: problems name the host and the cause, never a header or a body.
#pragma once

#include "base/error.h"

typedef struct Http Http;

typedef struct HttpOptions {
    bool plain_loopback; // http:// is allowed to this machine: for tests
    const char *ca_file; // certificates to trust instead of the system's; NULL: those
} HttpOptions;

// NULL with an error when libcurl is not installed.
Http *http_new(const HttpOptions *options, AzError *error);
void http_free(Http *http); // drops what is in flight

typedef struct HttpHeader {
    Str name, value;
} HttpHeader;

typedef struct HttpRequest {
    Str method, url, body;
    const HttpHeader *headers;
    size_t header_count;
    Str bearer;               // a token; sent as "Authorization: Bearer", and kept nowhere
    uint32_t seconds;         // deadline of the whole exchange; 0: two minutes
    uint32_t connect_seconds; // 0: 15
    size_t most_bytes;        // of the answer's body; 0: 64 MiB
    bool local; // a managed identity's endpoint: plain http to this machine or the link-local
                // network is right there, and no proxy may see it
} HttpRequest;

typedef enum HttpOutcome {
    HTTP_ANSWERED,
    HTTP_REFUSED,     // the address is not one we send to; nothing was sent
    HTTP_UNREACHABLE, // no connection, no such host, no trusted certificate
    HTTP_CUT,         // the connection ended before the answer did
    HTTP_TOO_LARGE,
    HTTP_TIMED_OUT,
} HttpOutcome;

typedef struct HttpAnswer {
    HttpOutcome outcome;
    int status;
    Str body;
    const HttpHeader *headers;
    size_t header_count;
    Str problem;        // a sentence when it was not answered
    double retry_after; // seconds, below 0 when the answer does not say
    void *tag;          // as given to http_send
} HttpAnswer;

// The request is copied and begins; its answer comes from http_next.
void http_send(Http *http, const HttpRequest *request, void *tag);
// Nanoseconds of a clock that never goes back; http_next waits by it, and so does the pace.
uint64_t http_now(const Http *http);
// The next answer in the order of their ends, or NULL when none came within `wait_ms`.
HttpAnswer *http_next(Http *http, uint32_t wait_ms);
// Sends and waits for this one; others go on meanwhile.
HttpAnswer *http_fetch(Http *http, const HttpRequest *request);
void http_answer_free(HttpAnswer *answer);

Str http_header(const HttpAnswer *answer, const char *name); // empty when absent
