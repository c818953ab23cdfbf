// Conditions of role assignments and of role definitions (ABAC, version 2.0).
//
// A condition is parsed once and evaluated for a question. Offline many attributes are
// not known (a blob's tags, the caller's network), so evaluation is three-valued: an
// answer is UNKNOWN when it hangs on an attribute nobody gave, and those attributes are
// listed.
// Source: Microsoft Learn, "Azure role assignment condition format and syntax".
#pragma once

#include "azure/rbac/action.h"
#include "base/error.h"
#include "value/dynamic.h"

typedef struct Condition Condition;

// Parses `text`; NULL with an error whose span lies in `text`. Keywords and operators in
// any case, also && || !, as built-in roles write them. `lint` (may be NULL) becomes true
// when AND and OR stand side by side without parentheses, which the documentation calls
// ambiguous; they are read as NOT before AND before OR.
Condition *condition_parse(Arena *arena, Str text, bool *lint, AzError *error);

typedef enum Tristate { TRI_FALSE, TRI_TRUE, TRI_UNKNOWN } Tristate;

typedef enum AttributeSource {
    ATTRIBUTE_REQUEST,
    ATTRIBUTE_RESOURCE,
    ATTRIBUTE_PRINCIPAL,
    ATTRIBUTE_ENVIRONMENT,
    ATTRIBUTE_SOURCES
} AttributeSource;

// What is known of a request. An attribute that its bag does not hold is missing when the
// source is `complete`, else unknown.
typedef struct ConditionContext {
    Str action;
    Str sub_operation; // such as Blob.List; empty = none
    Dyn attributes[ATTRIBUTE_SOURCES];
    bool complete[ATTRIBUTE_SOURCES];
    StarSegment star;
} ConditionContext;

// The names of attributes that an UNKNOWN hung on, as written: @Resource[...:name].
typedef struct AttributeList {
    Str *items;
    size_t len, cap;
} AttributeList;

// `unknown` (may be NULL) gets each attribute once, in `arena`.
Tristate condition_evaluate(Arena *arena, const Condition *condition,
                            const ConditionContext *context, AttributeList *unknown);

// Whether the text of a condition names the role assignment attributes: used to tell
// delegated administrators apart.
bool condition_mentions(const Condition *condition, Str attribute_name);
