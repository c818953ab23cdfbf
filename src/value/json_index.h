// The structural index of a JSON text: the offset of every bracket, brace, colon
// and comma outside strings, of every opening quote, and of the first character
// of every other token. simdjson's first stage computes it at memory speed and
// checks UTF-8 and string ends on the way. Internal to src/value; plain C types
// only, so that C++ stays behind it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct JsonIndex JsonIndex;

typedef enum JsonIndexResult {
    JSON_INDEX_OK,
    JSON_INDEX_EMPTY,
    JSON_INDEX_UTF8,     // not valid UTF-8
    JSON_INDEX_UNCLOSED, // a string without its end
    JSON_INDEX_CONTROL,  // a control character inside a string
    JSON_INDEX_MEMORY,
    JSON_INDEX_OTHER,
} JsonIndexResult;

JsonIndex *json_index_new(void); // NULL without memory
void json_index_free(JsonIndex *index);

// Indexes `len` bytes (less than 4 GiB); nothing beyond them is read. The offsets
// are valid until the next call.
JsonIndexResult json_index_build(JsonIndex *index, const char *text, size_t len,
                                 const uint32_t **offsets, uint32_t *count);

#ifdef __cplusplus
}
#endif
