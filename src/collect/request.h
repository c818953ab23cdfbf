// Requests: the calls of the collection as they go over the wire.
#pragma once

#include "collect/collect_parts.h"

enum { BATCH_MOST = 20 }; // calls in one $batch of Microsoft Graph

// A request with a token for the service, good until the next one is asked for. The other
// texts live in `arena`. False when nobody can sign in.
typedef struct Wire {
    HttpRequest request;
    HttpHeader headers[5];
    uint32_t generation;
} Wire;
bool wire_get(Auth *auth, Arena *arena, Service service, Str url, Wire *out, AzError *error);
// A POST of JSON.
bool wire_post(Auth *auth, Arena *arena, Service service, Str url, Str body, Wire *out,
               AzError *error);

// Sends the tasks' next pages as one call; `tag` comes back with the answer. One task, or
// several that may be batched. False when the page's address must not be called: *why.
bool request_send(Run *run, Task *const *tasks, size_t count, void *tag, uint32_t *generation,
                  Str *why, AzError *error);
bool request_may_batch(const Task *task);

// Resource Graph's address and the JSON of a query.
Str query_url(Arena *arena, const Cloud *cloud);
Str query_body(Arena *arena, Str query, uint32_t top, Str token);
