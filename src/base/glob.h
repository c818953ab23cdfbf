// Patterns with `*` for any run of characters, as conditions and policies have them. For the
// operations of roles, where `/*/` has a meaning of its own, see azure/rbac/action.h.
#pragma once

#include "base/slice.h"

typedef enum GlobFlag {
    GLOB_QUESTION = 1 << 0,    // `?` is one character; \* and \? are the characters themselves
    GLOB_IGNORE_CASE = 1 << 1, // ASCII
} GlobFlag;

// Whether the whole text matches; time is at most pattern x text.
bool glob_match(Str pattern, Str text, uint32_t flags);
