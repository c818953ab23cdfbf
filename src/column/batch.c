#include "column/batch.h"

Batch *
batch_new(Arena *arena, uint32_t column_count, uint32_t count)
{
    Batch *batch = ARENA_NEW(arena, Batch);
    batch->columns = ARENA_ARRAY(arena, const Vector *, column_count);
    batch->column_count = column_count;
    batch->count = count;
    batch->selected = count;
    return batch;
}

const Vector *
batch_column(Arena *arena, const Batch *batch, uint32_t c)
{
    if (!batch->selection)
        return batch->columns[c];
    return vector_gather(arena, batch->columns[c], batch->selection, batch->selected);
}

const int64_t *
batch_numbers(Arena *arena, const Batch *batch)
{
    if (!batch->numbers || !batch->selection)
        return batch->numbers;
    int64_t *live = arena_alloc_array(arena, batch->selected, sizeof(*live));
    for (uint32_t i = 0; i < batch->selected; i++)
        live[i] = batch->numbers[batch->selection[i]];
    return live;
}

Batch *
batch_numbered(Arena *arena, const Batch *batch, uint64_t sequence)
{
    Batch *out = batch_new(arena, batch->column_count + 1, batch->count);
    if (batch->column_count)
        memcpy(out->columns, batch->columns, batch->column_count * sizeof(*out->columns));
    out->selection = batch->selection;
    out->selected = batch->selected;
    Vector *places = vector_new_flat(arena, TYPE_LONG, batch->count);
    for (uint32_t i = 0; i < batch->selected; i++) {
        uint32_t row = batch_row(batch, i);
        ((int64_t *)places->data)[row] =
            batch->numbers ? batch->numbers[row] : (int64_t)(sequence + i);
    }
    out->columns[batch->column_count] = places;
    return out;
}

Batch *
batch_compact(Arena *arena, Batch *batch)
{
    if (!batch->selection)
        return batch;
    Batch *compact = batch_new(arena, batch->column_count, batch->selected);
    compact->sequence = batch->sequence;
    for (uint32_t c = 0; c < batch->column_count; c++)
        compact->columns[c] = batch_column(arena, batch, c);
    return compact;
}

Batch *
batch_copy(Arena *arena, const Batch *batch)
{
    Batch *copy = batch_new(arena, batch->column_count, batch->selected);
    copy->sequence = batch->sequence;
    for (uint32_t c = 0; c < batch->column_count; c++)
        copy->columns[c] = vector_copy(arena, batch_column(arena, batch, c));
    return copy;
}
