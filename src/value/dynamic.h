// Dynamic: JSON-like trees in a compact binary form that is read in place.
//
// A tree is one run of bytes without pointers, so it can be copied, stored and
// mapped; it needs no alignment. Scalars keep their Kusto type (a datetime inside
// a bag stays a datetime). Each container starts with its count and an offset
// table, so that element i of an array and, by binary search over sorted keys,
// member k of a bag are found without reading what lies before them. Bags also
// keep the order in which members came, for printing.
//
// Trees come from files and from the network, also when they come from a
// segment: dyn_check() must pass before anything else reads bytes that were not
// built by a DynBuilder of this process. Depth is at most DYN_MAX_DEPTH.
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "value/type.h"

enum { DYN_MAX_DEPTH = 512 };

typedef enum DynKind {
    DYN_NULL,
    DYN_BOOL,
    DYN_LONG,
    DYN_REAL,
    DYN_DECIMAL,
    DYN_DATETIME,
    DYN_TIMESPAN,
    DYN_GUID,
    DYN_STRING,
    DYN_ARRAY,
    DYN_BAG,
} DynKind;

// A node: a view into the bytes of a tree. ptr == NULL is "no such node".
typedef struct Dyn {
    const uint8_t *ptr;
    uint32_t size;
} Dyn;

static inline Dyn
dyn_of_text(const Text *text)
{
    return (Dyn){(const uint8_t *)text_data(text), text->len};
}

// Whether `size` bytes are a well-formed tree with every length in bounds.
bool dyn_check(const uint8_t *bytes, size_t size);

DynKind dyn_kind(Dyn node); // DYN_NULL for "no such node"
bool dyn_bool(Dyn node);    // of a DYN_BOOL
int64_t dyn_long(Dyn node); // of DYN_LONG, DYN_DATETIME, DYN_TIMESPAN
double dyn_real(Dyn node);  // of DYN_REAL
Decimal dyn_decimal(Dyn node);
Guid dyn_guid(Dyn node);
// Of any number as a real; false for what is none.
bool dyn_number(Dyn node, double *out);
Str dyn_string(Dyn node); // view into the tree; empty of anything but a DYN_STRING

uint32_t dyn_count(Dyn node); // members of an array or bag, else 0
Dyn dyn_at(
    Dyn node,
    int64_t
        index); // array element or bag value in insertion order; negative counts from the end; none when out of range
Str dyn_key_at(Dyn node, uint32_t index); // bag key in insertion order
Dyn dyn_get(Dyn node, Str key);    // bag member, case-sensitive; none when absent or not a bag
Dyn dyn_get_ci(Dyn node, Str key); // exact case first, then ASCII-insensitive (Resource Graph)

// Equality as JSON values: bags without regard to order, 1 == 1.0.
bool dyn_equal(Dyn a, Dyn b);
uint64_t dyn_hash(Dyn node);   // agrees with dyn_equal
int dyn_compare(Dyn a, Dyn b); // total order: kind class, then value, then text

// Compact JSON; datetimes, timespans, guids and decimals as strings/numbers the
// way Kusto prints them (reals 1.0 as "1.0", NaN as "NaN").
void dyn_to_json(Buffer *out, Dyn node);
// As tostring(): strings bare, null empty, else compact JSON.
void dyn_to_text(Buffer *out, Dyn node);
// What gettype() says: "long", "string", "array", "dictionary", ...
const char *dyn_type_name(Dyn node);

// The scalar inside as a Value of its own type (arrays and bags: dynamic).
Value dyn_value(Dyn node);
// Converts as tolong(x.a), tostring(x.a), todatetime(x.a)...: strings are parsed,
// numbers converted; null when it does not fit. Text goes to the arena if needed.
Value dyn_convert(Arena *arena, Dyn node, Type to);

// A scalar as a tree of one node, bytes in the arena when they do not fit inside
// the Text. A null value gives the null tree; a dynamic is itself.
Text dyn_text_of_value(Arena *arena, const Value *value);

// Builder: pushes values in document order, one value a tree. Errors (depth,
// 4 GiB) stick and are reported by dyn_finish. Reusable after dyn_builder_reset.
typedef struct DynBuilder DynBuilder;
DynBuilder *dyn_builder_new(void);
void dyn_builder_free(DynBuilder *builder);
void dyn_builder_reset(DynBuilder *builder);
void dyn_push_null(DynBuilder *builder);
void dyn_push_bool(DynBuilder *builder, bool b);
void dyn_push_long(DynBuilder *builder, int64_t l);
void dyn_push_real(DynBuilder *builder, double r);
void dyn_push_decimal(DynBuilder *builder, Decimal m);
void dyn_push_datetime(DynBuilder *builder, int64_t ticks);
void dyn_push_timespan(DynBuilder *builder, int64_t ticks);
void dyn_push_guid(DynBuilder *builder, Guid g);
void dyn_push_string(DynBuilder *builder, Str s);
void dyn_push_value(DynBuilder *builder, const Value *value); // any scalar; a dynamic is copied in
void dyn_push_tree(DynBuilder *builder, Dyn node);            // copies a subtree
void dyn_begin_array(DynBuilder *builder);
void dyn_end_array(DynBuilder *builder);
void dyn_begin_bag(DynBuilder *builder);
void dyn_key(DynBuilder *builder,
             Str key); // a repeated key: the last value wins, at the first place
void dyn_end_bag(DynBuilder *builder);
// The finished tree; the view is valid until the builder is reset or freed.
// False (with *why a static text) when it was too deep or too large.
bool dyn_finish(DynBuilder *builder, Dyn *out, const char **why);
// The finished tree as a Text copied to the arena; the null tree gives *is_null.
bool dyn_finish_text(DynBuilder *builder, Arena *arena, Text *out, bool *is_null);

// Bytes of small constant trees: null, [], {}.
Dyn dyn_null(void);
