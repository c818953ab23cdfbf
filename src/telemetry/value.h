// Values of a record by expressions of content/telemetry/formats.yaml: paths, alternatives,
// verbs, translations (the file's head says the grammar). Compiled once, then read-only.
#pragma once

#include "base/error.h"
#include "store/ingest_logs.h"
#include "value/yaml.h"

// A record on its way into a row: its top-level members, with JSON text unpacked where a format
// says so, and which nodes were taken.
typedef struct RecordMember {
    Str key;
    Dyn value;
} RecordMember;

typedef struct Record {
    LogScratch *scratch;
    RecordMember *members;
    uint32_t count;
    Str table; // of the row, once known
    struct {
        const uint8_t **items; // nodes that a column took
        size_t len, cap;
    } taken;
} Record;

// The members of a bag, in the scratch arena.
void record_open(Record *record, LogScratch *scratch, Dyn bag);
// The member of that name, in any case when none is so exactly; NULL when absent.
RecordMember *record_member(const Record *record, Str key);
// Puts the object that the member holds as JSON text in its place.
void record_unpack(Record *record, Str key);
void record_take(Record *record, Dyn node);
// Whether the node was taken, or some node within it.
bool record_is_taken(const Record *record, Dyn node);
bool record_has_taken(const Record *record, Dyn node);

typedef struct ValueExpr ValueExpr;
// `where` (for errors): the file and what the value is for. NULL with an error.
ValueExpr *value_compile(Arena *arena, YamlNode *node, const char *where, AzError *error);
ValueExpr *value_compile_text(Arena *arena, Str text, const char *where, AzError *error);
// Whether the record has the value. Empty texts and nulls are values of a record, but
// alternatives pass over them. `member` gets the value (not its key); the node it came from is
// taken when `take`.
bool value_find(const ValueExpr *expr, Record *record, JsonMember *member, bool take);
// The value as text; empty when there is none.
Str value_text(const ValueExpr *expr, Record *record);

// A node as a member without key; scratch memory.
JsonMember member_of_node(Arena *arena, Dyn node);
JsonMember member_of_text(Str text);

// Parts of a resource id, views into it; empty when absent. `type` (without the provider) and
// `full_type` ("microsoft.storage/storageaccounts/blobservices", lower case) are in the arena.
typedef struct ResourceId {
    Str subscription, group, provider, name, type, full_type;
} ResourceId;
ResourceId resource_id_parse(Arena *arena, Str id);
