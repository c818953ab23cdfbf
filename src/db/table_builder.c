#include "db/table_builder.h"

#include "value/json.h"

#include <assert.h>

struct TableBuilder {
    Arena arena; // texts of the cells
    TableColumn *columns;
    VectorBuilder *cells;
    uint32_t count;
    uint32_t next; // column of the next cell
};

TableBuilder *
table_builder_new(const TableColumn *columns, uint32_t count)
{
    Arena arena = {0};
    TableBuilder *builder = ARENA_NEW(&arena, TableBuilder);
    builder->columns = arena_copy(&arena, columns, count * sizeof *columns);
    builder->cells = ARENA_ARRAY(&arena, VectorBuilder, count);
    builder->count = count;
    for (uint32_t i = 0; i < count; i++)
        vector_builder_init(&builder->cells[i], columns[i].type);
    builder->arena = arena;
    return builder;
}

void
table_builder_free(TableBuilder *builder)
{
    if (!builder)
        return;
    for (uint32_t i = 0; i < builder->count; i++)
        vector_builder_free(&builder->cells[i]);
    Arena arena = builder->arena; // the builder lives in it
    arena_free(&arena);
}

static VectorBuilder *
next_cells(TableBuilder *builder)
{
    VectorBuilder *cells = &builder->cells[builder->next];
    builder->next = (builder->next + 1) % builder->count;
    return cells;
}

void
table_put_text(TableBuilder *builder, Str text)
{
    VectorBuilder *cells = next_cells(builder);
    Text view = {0};
    bool is_null = false;
    if (cells->type == TYPE_DYNAMIC)
        json_parse_text(&builder->arena, text, &view, &is_null);
    else
        view = text_copy(&builder->arena, text);
    if (is_null)
        vector_builder_null(cells);
    else
        vector_builder_data(cells, &builder->arena, &view);
}

void
table_put_long(TableBuilder *builder, int64_t number)
{
    vector_builder_data(next_cells(builder), &builder->arena, &number);
}

void
table_put_real(TableBuilder *builder, double number)
{
    vector_builder_data(next_cells(builder), &builder->arena, &number);
}

void
table_put_bool(TableBuilder *builder, bool flag)
{
    uint8_t byte = flag;
    vector_builder_data(next_cells(builder), &builder->arena, &byte);
}

void
table_put_null(TableBuilder *builder)
{
    vector_builder_null(next_cells(builder));
}

ResultTable *
table_builder_finish(TableBuilder *builder, Arena *arena)
{
    assert(builder->next == 0);
    ResultTable *table = ARENA_NEW(arena, ResultTable);
    table->schema.columns = ARENA_ARRAY(arena, Column, builder->count);
    table->schema.count = builder->count;
    for (uint32_t c = 0; c < builder->count; c++)
        table->schema.columns[c] =
            (Column){str_copy(arena, str_from(builder->columns[c].name)), builder->columns[c].type};
    uint32_t rows = builder->cells[0].count;
    table->row_count = rows;
    table->batch_count = (rows + BATCH_ROWS_MAX - 1) / BATCH_ROWS_MAX;
    table->batches = ARENA_ARRAY(arena, Batch *, table->batch_count);
    for (uint32_t b = 0; b < table->batch_count; b++) {
        uint32_t from = b * BATCH_ROWS_MAX;
        uint32_t count = rows - from < BATCH_ROWS_MAX ? rows - from : BATCH_ROWS_MAX;
        Batch *batch = batch_new(arena, builder->count, count);
        for (uint32_t c = 0; c < builder->count; c++)
            batch->columns[c] =
                vector_copy(arena, vector_builder_cut(&builder->cells[c], arena, from, count));
        batch->sequence = b;
        table->batches[b] = batch;
    }
    for (uint32_t c = 0; c < builder->count; c++)
        vector_builder_clear(&builder->cells[c]);
    return table;
}
