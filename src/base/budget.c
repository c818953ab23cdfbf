#include "base/budget.h"

bool
budget_take(Budget *budget, size_t bytes, const char *what, AzError *error)
{
    size_t before = atomic_fetch_add(&budget->used, bytes);
    if (budget->limit && before + bytes > budget->limit) {
        atomic_fetch_sub(&budget->used, bytes);
        return error_set(error, AZ_LIMIT,
                         "the query needs more than its memory limit of %zu MB for %s; raise it "
                         "with --memory MB, or filter earlier in the query",
                         budget->limit >> 20, what);
    }
    return true;
}

void
budget_give(Budget *budget, size_t bytes)
{
    atomic_fetch_sub(&budget->used, bytes);
}
