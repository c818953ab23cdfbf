// JSON text to values: the one place behind which simdjson lives.
//
// A JsonParser keeps simdjson's buffers; one a thread. Numbers: integers that
// fit become long, others real; an integer beyond 64 bits becomes decimal when it
// has at most 34 digits, else real.
#pragma once

#include "value/dynamic.h"

typedef struct JsonParser JsonParser;
JsonParser *json_parser_new(void);
void json_parser_free(JsonParser *parser);

// Pushes the document in `text` onto `builder` (one value; after a failure the
// builder holds a part of it and must be reset). A byte order mark at the start is
// skipped. False with *why (a
// static or parser-owned sentence, valid until the next call) and *offset (byte
// where it went wrong, best effort) when it is not one JSON document. Nesting
// beyond DYN_MAX_DEPTH, lone surrogates, bad UTF-8 are such errors.
bool json_to_dynamic(JsonParser *parser, Str text, DynBuilder *builder, const char **why,
                     size_t *offset);

// parse_json(): the tree, or when `text` is not JSON a dynamic string of it;
// empty text gives null. Into the arena.
void json_parse_lenient(JsonParser *parser, DynBuilder *builder, Arena *arena, Str text, Text *out,
                        bool *is_null);
// The same with a parser and builder that this thread keeps for itself.
void json_parse_text(Arena *arena, Str text, Text *out, bool *is_null);

// Whether the text is one JSON document, by json_to_dynamic() with such a parser.
bool json_is_valid(Str text);

// Walks the members of the top-level object of `text`, or says why not. For each
// member `visit` gets the key and the value; scalars come as they are, objects and
// arrays as finished trees (views valid during the call). Used by ingest: no tree
// is built for the record itself. `visit` returns false to stop (then json_walk
// returns false with *why = NULL).
typedef struct JsonMember {
    Str key;
    DynKind kind;
    bool boolean;
    int64_t long_;
    double real;
    Str string; // DYN_STRING: the text; DYN_DECIMAL: the digits
    Dyn tree;   // DYN_ARRAY, DYN_BAG
    Str raw;    // the JSON text of the value
} JsonMember;
typedef bool (*JsonVisit)(void *context, const JsonMember *member);
bool json_walk_object(JsonParser *parser, DynBuilder *builder, Str text, JsonVisit visit,
                      void *context, const char **why, size_t *offset);

// Splits the elements of a top-level JSON array, or of the member `value` of a
// top-level object (an ARM or Graph page), into raw texts. `element` gets each
// element's text; `is_page` says which shape it was. False with *why when the text
// is neither.
typedef bool (*JsonElement)(void *context, Str raw);
bool json_split_array(JsonParser *parser, Str text, JsonElement element, void *context,
                      bool *is_page, const char **why, size_t *offset);

// Writes `s` as a JSON string with quotes. Escapes control characters, quotes and
// backslashes; `html_safe` also <, >, &, U+2028, U+2029 (as \u escapes).
void json_write_string(Buffer *out, Str s, bool html_safe);
