// Conditions made at random, written as texts, and evaluated from what they were made of: a
// second opinion on the parser and the evaluation of azure/rbac/condition.h. It never reads
// a text; its logic is that of numbers: false 0, unknown 1, true 2; AND is the least, OR the
// greatest, NOT the difference to 2.
#pragma once

#include "azure/rbac/condition.h"
#include "oracle/roll.h"

enum { ORACLE_FALSE, ORACLE_UNKNOWN, ORACLE_TRUE };

typedef struct OracleCondition OracleCondition;

OracleCondition *oracle_condition(Dice *dice, Arena *arena);
void oracle_condition_write(Dice *dice, Buffer *out, const OracleCondition *condition);

// What is known of a request: of each source a text, a number, a boolean and a list.
typedef struct OracleFacts {
    struct {
        bool complete;
        bool given[4];
        uint32_t word, number, flag;
        uint32_t list; // bits: words
    } sources[ATTRIBUTE_SOURCES];
    const char *action, *sub_operation;
} OracleFacts;

void oracle_facts(Dice *dice, OracleFacts *out);
// The same as a condition's context; `action` and `sub_operation` are filled in too.
ConditionContext oracle_context(Dice *dice, Arena *arena, const OracleFacts *facts);

int oracle_evaluate(const OracleCondition *condition, const OracleFacts *facts);
