// EffectiveAccess: every principal's access, one row a principal, assignment and operation.
//
// Nothing of it is stored. A morsel is a run of assignments, spread over the members of
// their groups when a reader comes to it: a tenant of 200,000 principals and 100,000
// assignments has millions of rows, and a query that takes some never holds the rest.
#pragma once

#include "azure/rbac/access_load.h"
#include "azure/rbac/operation.h"

extern const TableColumn EFFECTIVE_ACCESS_COLUMNS[];
enum { EFFECTIVE_ACCESS_COLUMN_COUNT = 14 };

// Assignments that are over at `at` are left out, eligible ones stay and say so. What a deny
// assignment takes at the assignment's own scope is left out too. `world` and `facts` outlive
// it. Its row_count is an estimate. Free it when no query reads the source any more.
typedef struct EffectiveAccess EffectiveAccess;
EffectiveAccess *effective_access_new(const AccessWorld *world, const OperationFacts *facts,
                                      int64_t at);
void effective_access_free(EffectiveAccess *access);
const TableSource *effective_access_source(const EffectiveAccess *access);
