// Budget: how much memory a query may hold, asked before large structures grow.
// Thread-safe. A limit of 0 means none.
#pragma once

#include "base/error.h"

#include <stdatomic.h>

typedef struct Budget {
    _Atomic size_t used;
    _Atomic size_t peak; // the most that was ever used; may be set back
    size_t limit;
} Budget;

// Takes `bytes`; when that passes the limit nothing is taken and `error` says
// what was being built (`what`, for example "the join's build side"), how much
// it needed and how to raise the limit.
bool budget_take(Budget *budget, size_t bytes, const char *what, AzError *error);
void budget_give(Budget *budget, size_t bytes);
