// Exec: runs plans.
//
// A plan is cut into pipelines at the operators that must see everything before
// they yield anything (sort, the build side of a join, aggregation). A pipeline
// runs on all workers: each takes morsels of its source, pushes batches through
// the streaming operators and into its own part of the sink; then the parts are
// merged once. Batches carry their sequence, so that the answer and, where order
// is defined, its order do not depend on the number of threads; where order is not
// defined it is still the source's.
#pragma once

#include "base/budget.h"
#include "base/threads.h"
#include "exec/profile.h"
#include "function/registry.h"

typedef struct ExecOptions {
    ThreadPool *threads;
    Budget *budget;             // may be NULL: no limit
    const _Atomic bool *cancel; // may be NULL; set from any thread to stop the query
    int64_t now;                // ticks: now() of the query
    uint64_t deadline_ns;       // monotonic; 0 = none
    Profile *profile;           // what the operators do is counted here; NULL = nowhere
    const char *spill_dir;      // for rows beyond the budget; NULL or empty: $TMPDIR, else /var/tmp
    // Bytes of its groups after which a summarize puts rows of further ones there, unless no file can be written:
    // then it is half the budget, as with 0.
    size_t group_memory;
} ExecOptions;

// A finished result: compact batches in order.
typedef struct ResultTable {
    Schema schema;
    Batch **batches;
    uint32_t batch_count;
    uint64_t row_count;
    TableSource *spilled; // its rows are on disk, and there are no batches; never of an answer
} ResultTable;

// Runs `plan`; the result is deep-copied into `arena`, so that views of the store may
// be closed. NULL with an error (limit, cancellation, damaged segment).
ResultTable *exec_run(Arena *arena, const Plan *plan, const ExecOptions *options, AzError *error);
// Several plans one after another; what they share is evaluated once for all. `out` gets
// `count` tables. False with an error.
bool exec_run_all(Arena *arena, Plan *const *plans, uint32_t count, const ExecOptions *options,
                  ResultTable **out, AzError *error);

// Evaluates an expression without columns (constant folding, tests).
bool exec_fold(Arena *arena, const Expr *expr, int64_t now, Value *out, AzError *error);
