// Gates that let rows pass whose key the other side of a join has; see join_filter.h.

#include "exec/join_filter.h"

#include "exec/keys.h"
#include "value/scalar.h"

#include <stdatomic.h>

enum {
    LISTED_MOST = 128,     // so many values are asked of the source one by one
    SEEN_ENOUGH = 1 << 16, // rows after which it is known whether the filter is worth its time
    KEEPS_TOO_MANY_OF = 2, // it is not, when more than one in so many passes
};

struct JoinFilter {
    Type type;
    KeyLayout layout;
    GroupTable keys;
    // What the source is asked of a row group: the values, or their least and greatest.
    Value *listed;
    uint32_t listed_count;
    bool has_range;
    Value least, greatest;
    _Atomic uint64_t seen, kept; // rows, of all branches
};

// ---- the keys ----

// Types whose values are compared as the statistics of row groups compare them.
static bool
has_statistics(Type type)
{
    return type == TYPE_STRING || type == TYPE_LONG || type == TYPE_INT || type == TYPE_DATETIME ||
           type == TYPE_TIMESPAN || type == TYPE_GUID;
}

// To the store an empty text is a null, which no comparison finds; to a join it is a value.
static bool
holds_empty_text(const Vector *values)
{
    for (uint32_t i = 0; values->type == TYPE_STRING && i < values->count; i++)
        if (!((const Text *)values->data)[i].len)
            return true;
    return false;
}

static void
list_values(Exec *exec, JoinFilter *filter)
{
    if (!has_statistics(filter->type) || !filter->keys.count)
        return;
    const uint64_t **rows = ARENA_ARRAY(exec->arena, const uint64_t *, filter->keys.count);
    for (uint32_t g = 0; g < filter->keys.count; g++)
        rows[g] = group_row(&filter->keys, g);
    const Vector *values = key_decode(exec->arena, &filter->layout, 0, rows, filter->keys.count);
    if (holds_empty_text(values))
        return;
    if (filter->keys.count <= LISTED_MOST) {
        filter->listed = ARENA_ARRAY(exec->arena, Value, values->count);
        filter->listed_count = values->count;
        for (uint32_t i = 0; i < values->count; i++)
            filter->listed[i] = vector_value(values, i);
        return;
    }
    uint32_t least = 0, greatest = 0;
    for (uint32_t i = 1; i < values->count; i++) {
        if (data_compare(filter->type, vector_cell(values, i), vector_cell(values, least)) < 0)
            least = i;
        if (data_compare(filter->type, vector_cell(values, i), vector_cell(values, greatest)) > 0)
            greatest = i;
    }
    filter->has_range = true;
    filter->least = vector_value(values, least);
    filter->greatest = vector_value(values, greatest);
}

JoinFilter *
join_filter_new(Exec *exec, Type type, const Vector *const *values, size_t count)
{
    JoinFilter *filter = ARENA_NEW(exec->arena, JoinFilter);
    filter->type = type;
    filter->layout = key_layout(exec->arena, &filter->type, 1);
    group_table_init(&filter->keys, &filter->layout, 0, exec->arena);
    for (size_t v = 0; v < count; v++)
        for (uint32_t from = 0; from < values[v]->count; from += BATCH_ROWS_MAX) {
            Arena scratch = {0};
            uint32_t left = values[v]->count - from;
            const Vector *part = vector_slice(&scratch, values[v], from,
                                              left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX);
            uint64_t *rows, *hashes;
            key_encode(&scratch, &filter->layout, &part, part->count, &rows, &hashes);
            for (uint32_t i = 0; i < part->count; i++)
                if (!key_has_null(&filter->layout, rows + (size_t)i * filter->layout.words))
                    group_add(&filter->keys, rows + (size_t)i * filter->layout.words, hashes[i]);
            arena_free(&scratch);
        }
    list_values(exec, filter);
    return filter;
}

uint32_t
join_filter_keys(const JoinFilter *filter)
{
    return filter->keys.count;
}

// ---- the gate ----

static bool
filter_may_pass(const RowGate *gate, const Worker *worker, const TableSource *source,
                uint32_t morsel, uint32_t source_column)
{
    const JoinFilter *filter = gate->state;
    (void)worker;
    if (!filter->keys.count)
        return false;
    if (!source->may_match)
        return true;
    if (filter->listed_count) {
        ScanPredicate any = {.column = source_column,
                             .op = SCAN_IN,
                             .values = filter->listed,
                             .value_count = filter->listed_count};
        return source->may_match(source, morsel, &any, 1);
    }
    if (!filter->has_range)
        return true;
    ScanPredicate range[2] = {
        {.column = source_column, .op = SCAN_GE, .values = &filter->least, .value_count = 1},
        {.column = source_column, .op = SCAN_LE, .values = &filter->greatest, .value_count = 1},
    };
    return source->may_match(source, morsel, range, 2);
}

// Which of the values are keys.
static bool *
find_keys(const JoinFilter *filter, Arena *arena, const Vector *values)
{
    bool *found = ARENA_ARRAY(arena, bool, values->count + 1);
    uint64_t *rows, *hashes;
    key_encode(arena, &filter->layout, &values, values->count, &rows, &hashes);
    for (uint32_t i = 0; i < values->count; i++) {
        const uint64_t *row = rows + (size_t)i * filter->layout.words;
        group_prefetch(&filter->keys, hashes, i, values->count);
        found[i] = !key_has_null(&filter->layout, row) &&
                   group_find(&filter->keys, row, hashes[i]) != GROUP_NONE;
    }
    return found;
}

static bool
is_worth_it(const JoinFilter *filter)
{
    uint64_t seen = atomic_load_explicit(&filter->seen, memory_order_relaxed);
    return seen < SEEN_ENOUGH ||
           atomic_load_explicit(&filter->kept, memory_order_relaxed) * KEEPS_TOO_MANY_OF < seen;
}

// Values of a dictionary of the batch's size and less are looked for once each.
static void
filter_narrow(const RowGate *gate, Worker *worker, Batch *batch)
{
    JoinFilter *filter = gate->state;
    Arena *arena = &worker->batch;
    if (!is_worth_it(filter))
        return;
    const Vector *values = batch_column(arena, batch, gate->column);
    const Vector *entries = values->encoding == ENC_DICT && values->dict->count <= values->count
                                ? values->dict
                                : values;
    const bool *found = find_keys(filter, arena, entries);
    uint32_t *selection = arena_alloc_array(arena, batch->selected + 1, sizeof(uint32_t));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->selected; i++) {
        selection[kept] = batch_row(batch, i);
        kept += found[entries == values ? i : values->codes[i]];
    }
    atomic_fetch_add_explicit(&filter->seen, batch->selected, memory_order_relaxed);
    atomic_fetch_add_explicit(&filter->kept, kept, memory_order_relaxed);
    batch->selection = selection;
    batch->selected = kept;
}

void
join_filter_attach(Exec *exec, JoinFilter *filter, Pipeline *pipeline, uint32_t column)
{
    for (size_t b = 0; b < pipeline->count; b++) {
        Branch *branch = &pipeline->branches[b];
        ptrdiff_t at = branch->gate || branch->begin ? -1 : branch_column(branch, column);
        if (at < 0)
            continue;
        RowGate *gate = ARENA_NEW(exec->arena, RowGate);
        *gate = (RowGate){.state = filter,
                          .column = (uint32_t)at,
                          .may_pass = filter_may_pass,
                          .narrow = filter_narrow};
        branch->gate = gate;
    }
}

// ---- how many rows ----

// Rows of the row groups that may hold such as the scan wants.
static uint64_t
rows_that_may_match(const Branch *branch)
{
    TableSource *source = branch->source;
    uint64_t rows = 0;
    for (uint32_t m = 0; m < source->morsel_count; m++)
        if (source->may_match(source, m, branch->predicates, branch->predicate_count))
            rows += source->morsel_rows(source, m);
    return rows;
}

uint64_t
pipeline_rows_at_most(const Pipeline *pipeline, uint64_t enough)
{
    uint64_t rows = 0;
    for (size_t b = 0; b < pipeline->count; b++) {
        const Branch *branch = &pipeline->branches[b];
        if (branch->begin || !branch_only_drops(branch))
            return UINT64_MAX;
        rows += branch->source->row_count;
    }
    if (rows <= enough)
        return rows;
    rows = 0;
    for (size_t b = 0; b < pipeline->count; b++) {
        const Branch *branch = &pipeline->branches[b];
        bool told = branch->predicate_count && branch->source->may_match;
        rows += told ? rows_that_may_match(branch) : branch->source->row_count;
    }
    return rows;
}
