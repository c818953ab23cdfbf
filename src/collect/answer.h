// Answers of Azure Resource Manager, Resource Graph and Microsoft Graph: pages and errors.
#pragma once

#include "base/buffer.h"
#include "value/json.h"

typedef struct Page {
    Str *rows; // the text of each object: views into the answer
    size_t count, cap;
    Str next;       // the address of the next page, or Resource Graph's token; empty: the last
    Str delta;      // the address that tells later changes of a list of Microsoft Graph
    bool truncated; // Resource Graph cut the result and gives no token
} Page;

// Reads a list answer, or one that is an object itself (`one`). False with *why, a sentence,
// when it is none.
bool page_read(Arena *arena, JsonParser *parser, DynBuilder *builder, Str body, bool one, Page *out,
               const char **why);

// What an error answer says, whatever its shape; empty when it says nothing.
typedef struct ServiceError {
    Str code, message;
} ServiceError;
ServiceError service_error(Arena *arena, JsonParser *parser, DynBuilder *builder, Str body);

// A part of a $batch answer.
typedef struct BatchPart {
    Str id, body;
    int status;
    double retry_after; // below 0: not said
    double used;        // of the quota, as x-ms-throttle-limit-percentage says; 0: not said
} BatchPart;
bool batch_read(Arena *arena, JsonParser *parser, DynBuilder *builder, Str body, BatchPart **out,
                size_t *count);

// The claims that a refused token must bring (WWW-Authenticate), decoded; empty when none.
Str claims_challenge(Arena *arena, Str header);

// The newest api-version that an error's text offers, the newest stable one if there is one.
Str offered_version(Arena *arena, Str message);

// Appends the JSON text without blanks between its parts, so that it is one line.
void json_compact(Buffer *out, Str json);
