// Schema: the names and types of a table's or a batch's columns, in order.
#pragma once

#include "value/type.h"

typedef struct Column {
    Str name;
    Type type;
} Column;

typedef struct Schema {
    Column *columns;
    uint32_t count;
} Schema;

// Position of the column of that name, or -1. Case-sensitive as KQL is; the _ci
// form ignores ASCII case, as Azure Resource Graph does.
ptrdiff_t schema_find(const Schema *schema, Str name);
ptrdiff_t schema_find_ci(const Schema *schema, Str name);

// A deep copy (names too) in the arena.
Schema schema_copy(Arena *arena, const Schema *schema);
