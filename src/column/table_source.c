// The source over batches in memory: one morsel a batch.

#include "column/table_source.h"

typedef struct MemoryTable {
    Batch *const *batches;
} MemoryTable;

static uint32_t
memory_morsel_rows(const TableSource *source, uint32_t morsel)
{
    const MemoryTable *table = source->context;
    return table->batches[morsel]->count;
}

static const Vector *
memory_read(const TableSource *source, uint32_t morsel, uint32_t column, uint32_t from,
            uint32_t count, Arena *arena, AzError *error)
{
    (void)error;
    const MemoryTable *table = source->context;
    return vector_slice(arena, table->batches[morsel]->columns[column], from, count);
}

TableSource *
memory_source_new(Arena *arena, const Schema *schema, Batch *const *batches, uint32_t count)
{
    MemoryTable *table = ARENA_NEW(arena, MemoryTable);
    table->batches = batches;
    TableSource *source = ARENA_NEW(arena, TableSource);
    source->schema = *schema;
    source->morsel_count = count;
    source->time_column = schema_find(schema, STR("TimeGenerated"));
    source->context = table;
    source->morsel_rows = memory_morsel_rows;
    source->read = memory_read;
    for (uint32_t i = 0; i < count; i++)
        source->row_count += batches[i]->count;
    return source;
}
