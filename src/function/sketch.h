// Sketches of distinct values, as hll() makes them (aggregate/sketch.c).
#pragma once

#include "value/dynamic.h"

enum { SKETCHES_MOST = 16 };

// out[k] is how many values are in all of the first k + 1 of `count` (at most
// SKETCHES_MOST) sketches. False when one of them is no sketch. The work doubles with each
// sketch, so `going` is asked on the way; when it says no, the answer is false too.
bool sketch_intersections(const Dyn *sketches, uint32_t count, int64_t *out,
                          bool (*going)(void *context), void *context);
