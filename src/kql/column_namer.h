// ColumnNamer: a schema being put together, its names unique.
#pragma once

#include "base/map.h"
#include "column/schema.h"

typedef struct ColumnNamer {
    Arena *arena;
    Column *items;
    size_t len, cap;
    uint32_t unnamed; // ColumnN so far
    Map names;        // of the first `indexed` items; see bind_name.c
    size_t indexed;
} ColumnNamer;

void namer_add_auto(ColumnNamer *namer, Str name, Type type); // suffix on a clash
Schema namer_schema(const ColumnNamer *namer);
