// Related resources: whether one is what an IfNotExists effect looks for, and an index of all
// resources that finds the candidates.
#pragma once

#include "azure/policy/policy.h"

// By type, name and place. What `candidate` does not say (test data without ids) is no hindrance.
bool related_matches(const RelatedQuery *query, const PolicyResource *resource,
                     const PolicyResource *candidate);

typedef struct RelatedIndex RelatedIndex;

// An index of those of `count` resources whose type is `wanted` (NULL: all); they must outlive
// it. `is_collected` says of a type without a single resource whether that is known to be so.
RelatedIndex *related_index_new(Arena *arena, const PolicyResource *resources, size_t count,
                                const Map *wanted, bool (*is_collected)(void *data, Str type),
                                void *data);
// For any number of threads.
RelatedSet related_find(const RelatedIndex *index, Arena *arena, const PolicyResource *resource,
                        const RelatedQuery *query);
