// The tree of a condition, shared by its parser and its evaluation.
#pragma once

#include "azure/rbac/condition.h"

typedef enum ConditionKind {
    CONDITION_AND,
    CONDITION_OR,
    CONDITION_NOT,
    CONDITION_ACTION_MATCHES,
    CONDITION_SUB_OPERATION_MATCHES,
    CONDITION_EXISTS,
    CONDITION_COMPARE,
} ConditionKind;

typedef enum CompareType {
    COMPARE_STRING,
    COMPARE_NUMERIC,
    COMPARE_DATETIME,
    COMPARE_GUID,
    COMPARE_BOOL,
} CompareType;

typedef enum CompareRelation {
    RELATION_EQUALS,
    RELATION_STARTS_WITH,
    RELATION_LIKE,
    RELATION_LESS,
    RELATION_LESS_EQUALS,
    RELATION_GREATER,
    RELATION_GREATER_EQUALS,
} CompareRelation;

typedef struct CompareOperator {
    CompareType type;
    CompareRelation relation;
    bool negated;
    bool ignore_case;
    // For{Any|All}Of{Any|All}Values: how the values of the left and of the right are taken.
    bool all_left, all_right;
} CompareOperator;

// A literal, or one value of an attribute. Numbers and booleans keep their text too.
typedef struct ConditionValue {
    Str text;
    int64_t number;
    bool is_number;
} ConditionValue;

typedef struct ConditionOperand {
    bool is_attribute;
    AttributeSource source;
    Str name;
    Str written; // @Source[name], for reports
    ConditionValue *values;
    uint32_t value_count;
} ConditionOperand;

struct Condition {
    ConditionKind kind;
    Condition *left, *right; // AND, OR; NOT: left
    Str pattern;             // ACTION_MATCHES, SUB_OPERATION_MATCHES
    CompareOperator compare;
    ConditionOperand a, b; // COMPARE; EXISTS: a
    bool in_parentheses;
};
