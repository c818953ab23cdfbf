// Small tenants made at random, and who may do what in them by the slow and obvious way:
// another algorithm for each step. Membership is the transitive closure of a matrix, scopes
// compare as texts, patterns are regular expressions, conditions those of
// condition_oracle.h; nothing is indexed.
#pragma once

#include "azure/rbac/access.h"
#include "oracle/condition_oracle.h"

enum {
    ORACLE_PRINCIPALS = 8,
    ORACLE_GROUPS = 6,
    ORACLE_NODES = ORACLE_PRINCIPALS + ORACLE_GROUPS,
    ORACLE_ROLES = 8,
    ORACLE_ASSIGNMENTS = 24,
    ORACLE_DENIALS = 3,
    ORACLE_MANAGEMENT_GROUPS = 5,
    ORACLE_SUBSCRIPTIONS = 3,
    ORACLE_CONDITIONS = 6,
    ORACLE_NOW = 1000,
};

extern const char *const ORACLE_SCOPES[], *const ORACLE_ACTIONS[], *const ORACLE_PATTERNS[];
extern const uint32_t ORACLE_SCOPE_COUNT, ORACLE_ACTION_COUNT;

// What a permission block grants and takes, of each plane; indexes of ORACLE_PATTERNS.
typedef struct OraclePlane {
    uint32_t grants[2], takes[2];
    uint32_t grant_count, take_count;
} OraclePlane;

// A condition: one of the tenant's, or none, or a text that cannot be read.
enum { ORACLE_NO_CONDITION = -1, ORACLE_BAD_CONDITION = -2 };

typedef struct OracleBlock {
    OraclePlane planes[2]; // control, data
    int condition;
} OracleBlock;

typedef struct OracleTenant {
    bool member[ORACLE_NODES][ORACLE_NODES]; // [group][member]
    bool in[ORACLE_NODES][ORACLE_NODES];     // over any number of groups
    int parent[ORACLE_MANAGEMENT_GROUPS];    // -1: none; beyond the last: not in the data
    int group_of[ORACLE_SUBSCRIPTIONS];      // management group of a subscription
    OracleBlock roles[ORACLE_ROLES][2];
    uint32_t blocks[ORACLE_ROLES];
    OracleCondition *conditions[ORACLE_CONDITIONS];
    struct {
        uint32_t principal, role, scope; // a role beyond the last: a definition nobody has
        int64_t start, end;
        bool eligible;
        AssignmentSource source;
        int condition;
    } assignments[ORACLE_ASSIGNMENTS];
    struct {
        uint32_t scope;
        bool own, everyone;
        uint32_t principal, excluded; // beyond the last node: nobody
        OracleBlock block;
    } denials[ORACLE_DENIALS];
} OracleTenant;

void oracle_tenant(Dice *dice, Arena *arena, OracleTenant *out);

typedef struct OracleQuestion {
    uint32_t principal;
    const char *scope;
    bool is_data;
    OracleFacts facts; // the action among them
} OracleQuestion;

AccessVerdict oracle_verdict(const OracleTenant *tenant, const OracleQuestion *question);
