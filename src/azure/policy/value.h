// Values of the policy language: JSON values that come from a resource (views into its tree) or
// were computed (in an arena), behind one face. What a template leaves open until it is deployed
// is unknown; in a tree that is a timespan, which no JSON has.
#pragma once

#include "base/buffer.h"
#include "value/dynamic.h"

typedef enum PolicyKind {
    POLICY_NULL,
    POLICY_BOOL,
    POLICY_LONG,
    POLICY_REAL,
    POLICY_STRING,
    POLICY_ARRAY,
    POLICY_OBJECT,
    POLICY_UNKNOWN, // decided only when the deployment runs; `integer` numbers the reason
} PolicyKind;

typedef struct PolicyValue {
    uint8_t kind;
    bool computed; // arrays and objects: members below, else in the tree
    union {
        bool boolean;
        int64_t integer;
        double real;
        Str text;
        Dyn tree;
        struct {
            const struct PolicyValue *items;
            const Str *keys; // of objects
        };
    };
    uint32_t count; // of computed arrays and objects
} PolicyValue;

PolicyValue policy_value_of(Dyn node); // a view; "no such node" is null
PolicyValue policy_null(void);
PolicyValue policy_bool(bool flag);
PolicyValue policy_long(int64_t number);
PolicyValue policy_real(double number);
PolicyValue policy_text(Str text);
PolicyValue policy_array(const PolicyValue *items, uint32_t count);
PolicyValue policy_unknown(int64_t reason);
PolicyValue policy_object(const Str *keys, const PolicyValue *items, uint32_t count);

uint32_t policy_count(const PolicyValue *value); // members of an array or object, else 0
PolicyValue policy_at(const PolicyValue *value, uint32_t index);
Str policy_key_at(const PolicyValue *value, uint32_t index);
// A member of an object, name without regard to case.
bool policy_get(const PolicyValue *value, Str key, PolicyValue *out);

// Whether the value or something in it is unknown; *found becomes it.
bool policy_has_unknown(const PolicyValue *value, PolicyValue *found);

bool policy_is_number(const PolicyValue *value);
double policy_number(const PolicyValue *value); // of a number

// Text of a scalar as string() gives it; arrays and objects as JSON. In the arena if need be.
Str policy_to_text(Arena *arena, const PolicyValue *value);
void policy_to_json(Buffer *out, const PolicyValue *value);
Dyn policy_to_tree(Arena *arena, const PolicyValue *value); // {0} when it is too deep

// Equal as JSON values; strings and keys with case.
bool policy_same(const PolicyValue *a, const PolicyValue *b);

// Strings without regard to case, beyond ASCII too.
bool policy_text_equal(Str a, Str b);
int policy_text_compare(Str a, Str b);
