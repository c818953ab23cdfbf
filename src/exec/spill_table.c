// Pieces on disk as the rows of a table; see spill.h.

#include "exec/spill.h"

// Pieces that lie side by side in the table and have few rows. It is read as a whole when its first
// column is, and kept until it is released.
typedef struct SpilledMorsel {
    uint32_t first, count; // pieces
    uint32_t rows;
    Arena arena;
    Batch *batch;
} SpilledMorsel;

typedef struct SpilledTable {
    const SpillFile *file;
    const SpillPiece *pieces;
    SpilledMorsel *morsels;
} SpilledTable;

static uint32_t
spilled_morsel_rows(const TableSource *source, uint32_t morsel)
{
    return ((const SpilledTable *)source->context)->morsels[morsel].rows;
}

static bool
morsel_load(const SpilledTable *table, const Schema *schema, SpilledMorsel *m, AzError *error)
{
    Batch **batches = ARENA_ARRAY(&m->arena, Batch *, m->count);
    for (uint32_t p = 0; p < m->count; p++)
        if (!(batches[p] =
                  spill_read(table->file, &table->pieces[m->first + p], schema, &m->arena, error)))
            return false;
    if (m->count == 1) {
        m->batch = batches[0];
        return true;
    }
    ResultTable all = {
        .schema = *schema, .batches = batches, .batch_count = m->count, .row_count = m->rows};
    m->batch = batch_new(&m->arena, schema->count, m->rows);
    for (uint32_t c = 0; c < schema->count; c++)
        m->batch->columns[c] = result_column(&m->arena, &all, c);
    return true;
}

static const Vector *
spilled_read(const TableSource *source, uint32_t morsel, uint32_t column, uint32_t from,
             uint32_t count, Arena *arena, AzError *error)
{
    const SpilledTable *table = source->context;
    SpilledMorsel *m = &table->morsels[morsel];
    return m->batch || morsel_load(table, &source->schema, m, error)
               ? vector_slice(arena, m->batch->columns[column], from, count)
               : NULL;
}

static void
spilled_release(const TableSource *source, uint32_t morsel)
{
    SpilledMorsel *m = &((const SpilledTable *)source->context)->morsels[morsel];
    arena_free(&m->arena);
    m->batch = NULL;
}

// Cuts the table into morsels; how many.
static uint32_t
cut_morsels(const SpillPieces *pieces, SpilledMorsel *morsels)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < pieces->len; p++) {
        SpilledMorsel *last = count ? &morsels[count - 1] : NULL;
        if (!last || last->rows + pieces->items[p].rows > SPILL_PIECE_ROWS)
            *(last = &morsels[count++]) = (SpilledMorsel){.first = p};
        last->count++;
        last->rows += pieces->items[p].rows;
    }
    return count;
}

ResultTable *
spill_table(Arena *arena, const Schema *schema, const SpillFile *file, const SpillPieces *pieces)
{
    SpilledTable *spilled = ARENA_NEW(arena, SpilledTable);
    *spilled =
        (SpilledTable){file, pieces->items, ARENA_ARRAY(arena, SpilledMorsel, pieces->len + 1)};
    TableSource *source = ARENA_NEW(arena, TableSource);
    *source = (TableSource){
        .schema = *schema,
        .row_count = pieces->rows,
        .morsel_count = cut_morsels(pieces, spilled->morsels),
        .time_column = schema_find(schema, STR("TimeGenerated")),
        .context = spilled,
        .morsel_rows = spilled_morsel_rows,
        .read = spilled_read,
        .release = spilled_release,
    };
    ResultTable *table = ARENA_NEW(arena, ResultTable);
    *table = (ResultTable){.schema = *schema, .row_count = pieces->rows, .spilled = source};
    return table;
}
