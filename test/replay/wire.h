// Wire: collect/http.h without a network, on a clock that jumps from event to event.
//
// A program that links wire.c speaks to a function instead of to Azure: a request arrives
// there after its way, the answer comes back when the function says, and nobody waits for
// either. So hours of pauses take no time, and each run is the same. Used by tests and by
// bench/collect_pace.c; the program itself knows nothing of it.
#pragma once

#include "base/buffer.h"
#include "collect/http.h"

enum { WIRE_HEADERS = 6 };

typedef struct WireAnswer {
    HttpOutcome outcome;
    int status;
    Buffer body; // given to the wire, which frees it
    Arena arena; // of the headers' texts; the same
    HttpHeader headers[WIRE_HEADERS];
    size_t header_count;
    const char *problem;
    uint64_t way_ns; // until the caller has it
} WireAnswer;

typedef struct WireService {
    // `sent` is when the caller sent it, `now` when it arrives here.
    void (*answer)(void *context, const HttpRequest *request, uint64_t sent, uint64_t now,
                   WireAnswer *out);
    void *context;
    uint64_t (*way)(void *context); // nanoseconds until the next request arrives; NULL: none
} WireService;

// What all Http objects of the process speak to from now on.
void wire_serve(const WireService *service);
