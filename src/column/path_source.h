// PathSource: another source with columns more, each of what lies at a path in the JSON texts or
// dynamics of one of its columns.
#pragma once

#include "column/table_source.h"

// Over `base`, which must outlive it and read paths. In the arena.
TableSource *path_source_new(Arena *arena, TableSource *base);
// Whether path_source_new() made it.
bool path_source_is(const TableSource *source);
// The column of `path` (table_source.h, viewed) in column `column` of the base, a dynamic; added
// when there is none yet.
uint32_t path_source_column(Arena *arena, TableSource *source, uint32_t column, Str path);
