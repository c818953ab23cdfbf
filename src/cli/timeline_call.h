// The call Timeline(...) as commands write it.
#pragma once

#include "base/buffer.h"

// `since` INT64_MIN and `until` INT64_MAX: no bound.
void timeline_call(Buffer *query, Str entity, int64_t since, int64_t until);
