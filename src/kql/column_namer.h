// ColumnNamer: a schema being put together, its names unique.
#pragma once

#include "column/schema.h"

typedef struct ColumnNamer {
    Arena *arena;
    Column *items;
    size_t len, cap;
    uint32_t unnamed; // ColumnN so far
    // Names that the query did not write: a written one that meets them gets a suffix.
    struct {
        Str *items;
        size_t len, cap;
    } automatic;
} ColumnNamer;

void namer_add_auto(ColumnNamer *namer, Str name, Type type); // suffix on a clash
Schema namer_schema(const ColumnNamer *namer);
