// Examples of functions that mean nothing outside an operator: aggregates and window
// functions. Each is a whole query over a small table; help shows its answer.
#pragma once

#include "base/slice.h"

// NULL when there is none.
const char *function_query_example(Str name);
