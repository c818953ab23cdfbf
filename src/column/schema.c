#include "column/schema.h"

ptrdiff_t
schema_find(const Schema *schema, Str name)
{
    for (uint32_t i = 0; i < schema->count; i++)
        if (schema->columns[i].name.len == name.len && str_equal(schema->columns[i].name, name))
            return i;
    return -1;
}

ptrdiff_t
schema_find_ci(const Schema *schema, Str name)
{
    for (uint32_t i = 0; i < schema->count; i++)
        if (str_equal_ci(schema->columns[i].name, name))
            return i;
    return -1;
}

Schema
schema_copy(Arena *arena, const Schema *schema)
{
    Schema copy = {ARENA_ARRAY(arena, Column, schema->count), schema->count};
    for (uint32_t i = 0; i < schema->count; i++)
        copy.columns[i] =
            (Column){str_copy(arena, schema->columns[i].name), schema->columns[i].type};
    return copy;
}
