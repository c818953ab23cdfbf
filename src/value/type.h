// Types: the ten scalar types of Kusto and how a value of each lies in memory.
//
// Source of the rules: Kusto docs, "Scalar data types" and the page of each.
#pragma once

#include "base/slice.h"

#include <string.h>

typedef enum Type {
    TYPE_NONE = 0, // no type (yet): only inside the binder, never in data
    TYPE_BOOL,     // uint8_t: 0 or 1
    TYPE_INT,      // int32_t
    TYPE_LONG,     // int64_t
    TYPE_REAL,     // double
    TYPE_DECIMAL,  // Decimal: 34 digits, IEEE 754-2008 decimal128 (BID)
    TYPE_DATETIME, // int64_t ticks of 100 ns since 0001-01-01T00:00:00Z
    TYPE_TIMESPAN, // int64_t ticks of 100 ns, signed
    TYPE_STRING,   // Text: UTF-8, never null
    TYPE_GUID,     // Guid
    TYPE_DYNAMIC,  // Text that holds a binary tree (value/dynamic.h)
    TYPE_LIMIT
} Type;

typedef struct Decimal {
    uint64_t w[2]; // BID encoding, little-endian words
} Decimal;

typedef struct Guid {
    uint8_t bytes[16]; // in the order of the printed text (not Microsoft's mixed endian)
} Guid;

// Text: a 16-byte view of bytes. Up to 12 bytes live inside; longer ones are a
// 4-byte prefix and a pointer to bytes that somebody else keeps alive (a batch
// arena, a segment's page). Unused inline bytes are zero, so two short texts are
// equal exactly when their 16 bytes are.
enum { TEXT_INLINE = 12 };
typedef union Text {
    struct {
        uint32_t len;
        char inlined[TEXT_INLINE];
    };
    struct {
        uint32_t long_len; // the same as len
        char prefix[4];
        const char *ptr; // only when len > TEXT_INLINE
    };
} Text;

_Static_assert(sizeof(Text) == 16, "a text view is 16 bytes");

static inline const char *
text_data(const Text *text)
{
    return text->len <= TEXT_INLINE ? text->inlined : text->ptr;
}

// Valid as long as *text stays where it is (short bytes are inside it).
static inline Str
text_str(const Text *text)
{
    return (Str){text_data(text), text->len};
}

// A view of bytes that outlive it; at most 4 GiB - 1.
static inline Text
text_view(const char *ptr, size_t len)
{
    Text text = {0};
    text.len = (uint32_t)len;
    if (len <= TEXT_INLINE) {
        if (len)
            memcpy(text.inlined, ptr, len);
    } else {
        memcpy(text.prefix, ptr, 4);
        text.ptr = ptr;
    }
    return text;
}

// A view whose bytes are copied into the arena when they do not fit inside.
static inline Text
text_copy(Arena *arena, Str s)
{
    return s.len <= TEXT_INLINE ? text_view(s.ptr, s.len)
                                : text_view(arena_copy(arena, s.ptr, s.len), s.len);
}

static inline bool
text_equal(const Text *a, const Text *b)
{
    uint64_t head_a, head_b;
    memcpy(&head_a, a, 8);
    memcpy(&head_b, b, 8);
    if (head_a != head_b)
        return false;
    if (a->len <= TEXT_INLINE)
        return memcmp(a->inlined + 4, b->inlined + 4, 8) == 0;
    return a->ptr == b->ptr || memcmp(a->ptr, b->ptr, a->len) == 0;
}

// Value: one scalar with its type, for constants, parameters and bounds.
typedef struct Value {
    Type type;
    bool is_null;
    union {
        bool boolean;
        int32_t int32;
        int64_t int64; // long, datetime, timespan
        double real;
        Decimal decimal;
        Guid guid;
        Text text; // string, dynamic
    };
} Value;

// Bytes of one value in a vector.
size_t type_size(Type type);
// Kusto's name: "long", "datetime", ...
const char *type_name(Type type);
// By name or synonym (boolean, date, time, double, uniqueid, uuid, float ...),
// without regard to case; TYPE_NONE when unknown.
Type type_from_name(Str name);
// The .NET name that getschema prints: "System.Int64", "System.Object", ...
const char *type_dotnet_name(Type type);

static inline bool
type_is_numeric(Type type)
{
    return type >= TYPE_INT && type <= TYPE_DECIMAL;
}

static inline bool
type_is_text(Type type)
{
    return type == TYPE_STRING || type == TYPE_DYNAMIC;
}

// Constructors of values; the text is viewed, not copied.
Value value_null(Type type); // of a string: the empty string
Value value_bool(bool b);
Value value_int(int32_t i);
Value value_long(int64_t l);
Value value_real(double r);
Value value_datetime(int64_t ticks);
Value value_timespan(int64_t ticks);
Value value_string(Str s);

// Pointer to the payload, as it would lie in a vector of that type.
const void *value_data(const Value *value);

// Total order within one type, as `sort` uses it: null is least, then NaN, then
// values; strings by bytes; dynamics as dyn_compare() says. <0, 0, >0.
int value_compare(const Value *a, const Value *b);
// The same for payloads that are not null.
int data_compare(Type type, const void *a, const void *b);
// Equal payloads hash alike (0.0 and -0.0, equal decimals and all NaN too).
uint64_t data_hash(Type type, const void *data);
bool data_equal(Type type, const void *a, const void *b);
