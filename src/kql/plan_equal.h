// Whether two expressions, or two plans, say the same: then one evaluation serves both.
#pragma once

#include "kql/plan.h"

// Certain when true. Expressions that may differ from run to run (rand()) equal nothing.
bool expr_equal(const Expr *a, const Expr *b);
// Equal expressions have equal hashes.
uint64_t expr_hash(const Expr *expr);

// The same of plans, made of the operators of most queries; others equal nothing. Columns must
// have the same names too.
bool plan_equal(const Plan *a, const Plan *b);
// False when the plan can equal no other; else its hash.
bool plan_hash(const Plan *plan, uint64_t *hash);
