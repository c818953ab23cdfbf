// What the files of the optimiser share.
#pragma once

#include "kql/binder.h"

// The leaf of plans that run over rows of another plan (top-nested). Their columns are found
// in two passes: the first marks what the plans read, the second drops the rest.
typedef struct PrunedLeaf {
    uint32_t number;
    bool *needed;
    bool drop;
} PrunedLeaf;

// A shared plan is optimised once, however many read it.
typedef struct SharedPlan {
    uint32_t id;
    Plan *plan; // NULL while it is being optimised
} SharedPlan;

typedef struct Optimiser {
    Arena *arena;
    uint32_t rules;
    const Catalog *catalog;
    struct {
        SharedPlan *items;
        size_t len, cap;
    } shared;
    PrunedLeaf *leaf;     // while plans over a leaf are pruned
    uint32_t *shared_ids; // the last number a shared plan was given
} Optimiser;

// Copies the node alone: plans may be shared.
Plan *plan_copy(Optimiser *o, const Plan *plan);
void expr_mark_columns(const Expr *expr, bool *used);
// The expression with each column replaced: by `exprs` (through a projection), or by a
// new position (`map`).
Expr *expr_rewrite(Optimiser *o, const Expr *expr, Expr *const *exprs, const uint32_t *map);

// The plan with members of JSON texts read as columns where sources can (optimise_paths.c).
Plan *plan_paths(Optimiser *o, const Plan *plan);

// The plan with only those columns read that it needs (optimise_prune.c).
Plan *plan_prune(Optimiser *o, Plan *plan);

// Plans with the summaries that stand in several places of them shared (optimise_share.c).
void plan_share(Optimiser *o, Plan **plans, uint32_t count);
// The plan with what its expressions have in common computed once (optimise_common.c).
Plan *plan_common(Optimiser *o, const Plan *plan);
