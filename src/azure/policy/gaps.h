// Which AI resource no policy watches, by guardrail, and what would.
#pragma once

#include "azure/policy/policy_world.h"

typedef struct GapCounts {
    uint32_t resources, guarded, gaps, unknown;
} GapCounts;

// One row a resource and guardrail: public access, key access, encryption, private link,
// diagnostics; by the table of the content folder (content/azure/guardrails.jsonl), with the
// built-in definition that would close it. `all` also gives what is guarded. The world must be
// prepared. NULL with an error when the table or the store cannot be read.
ResultTable *policy_gaps(PolicyWorld *world, int64_t at, bool all, GapCounts *counts,
                         AzError *error);
