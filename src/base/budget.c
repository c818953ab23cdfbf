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
    size_t peak = budget->peak;
    while (before + bytes > peak &&
           !atomic_compare_exchange_weak(&budget->peak, &peak, before + bytes))
        ;
    return true;
}

void
budget_give(Budget *budget, size_t bytes)
{
    atomic_fetch_sub(&budget->used, bytes);
}
