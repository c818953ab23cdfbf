// Join filter: the keys of one side of a join keep rows of the other from being read.
//
// Where rows of a side without a partner are dropped anyway, they need not reach the join. When the
// other side is known to be small it runs first, and a gate over the scan (RowGate) reads the key's
// column alone: row groups that hold none of the keys are passed over, and of the others only
// rows with one of them are read on. Answers and their order do not change.
#pragma once

#include "exec/internal.h"

typedef struct JoinFilter JoinFilter;

// Of the distinct values of all vectors, which are of that type; nulls are left out, for they meet
// nothing. The vectors must live as long as the run.
JoinFilter *join_filter_new(Exec *exec, Type type, const Vector *const *values, size_t count);
uint32_t join_filter_keys(const JoinFilter *filter); // how many values

// Puts the filter in front of those branches that read `column` of the pipeline's last batches
// straight from their sources, and that no gate stands before.
void join_filter_attach(Exec *exec, JoinFilter *filter, Pipeline *pipeline, uint32_t column);

// Rows the pipeline yields at most, by the sizes of its sources and their statistics of row groups;
// UINT64_MAX when that is not known. `enough`: what is above need not be told exactly.
uint64_t pipeline_rows_at_most(const Pipeline *pipeline, uint64_t enough);
