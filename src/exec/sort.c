// sort and top.
//
// The input is collected with its key values as extra columns. The first key becomes
// an order-preserving 64-bit word a row (exact for numbers and times, a prefix of
// strings) and the rows are radix-sorted by it; what stays equal is merge-sorted by
// comparing values. Both sorts are stable, so rows with equal keys keep the order of
// the input. Nulls and NaN are set apart before: nulls first means null, NaN, values,
// and nulls last values, NaN, null (Kusto docs, sort operator).
//
// With a limit each worker keeps few more rows than wanted: it sorts what it has from
// time to time, throws the rest away, and drops rows that come behind the worst one
// kept. Rows carry their sequence then, as the last key.

#include "base/array.h"
#include "exec/internal.h"
#include "value/scalar.h"

#include <math.h>

typedef struct OrderKey {
    const Vector *values; // flat
    bool descending, nulls_first;
} OrderKey;

typedef struct Order {
    OrderKey *keys;
    uint32_t count;
} Order;

// Place of the value among nulls and NaN: 0, 1 or 2.
static inline unsigned
value_class(const OrderKey *key, uint32_t row)
{
    unsigned rank = 2;
    if (key->values->valid && !bit_get(key->values->valid, row))
        rank = 0;
    else if (key->values->type == TYPE_REAL && isnan(((const double *)key->values->data)[row]))
        rank = 1;
    return key->nulls_first ? rank : 2 - rank;
}

static inline bool
class_is_value(const OrderKey *key, unsigned class)
{
    return class == (key->nulls_first ? 2 : 0);
}

// ---- words of the first key ----

static const uint64_t SIGN_BIT = (uint64_t)1 << 63;

static inline uint64_t
real_word(double real)
{
    uint64_t word;
    real = real == 0 ? 0 : real; // -0.0 equals 0.0
    memcpy(&word, &real, sizeof(word));
    return word & SIGN_BIT ? ~word : word | SIGN_BIT;
}

static inline uint64_t
bytes_word(const void *bytes, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, bytes, len < 8 ? len : 8);
    return __builtin_bswap64(word);
}

// Ascending words for all rows; a larger word comes later for certain, equal ones only
// when *exact.
static void
order_words(const OrderKey *key, uint32_t count, uint64_t *words, bool *exact)
{
    const void *data = key->values->data;
    *exact = true;
    switch (key->values->type) {
    case TYPE_BOOL:
        for (uint32_t i = 0; i < count; i++)
            words[i] = ((const uint8_t *)data)[i];
        break;
    case TYPE_INT:
        for (uint32_t i = 0; i < count; i++)
            words[i] = (uint64_t)(int64_t)((const int32_t *)data)[i] ^ SIGN_BIT;
        break;
    case TYPE_REAL:
        for (uint32_t i = 0; i < count; i++)
            words[i] = real_word(((const double *)data)[i]);
        break;
    case TYPE_STRING:
        *exact = false;
        for (uint32_t i = 0; i < count; i++) {
            Str s = text_str(&((const Text *)data)[i]);
            words[i] = bytes_word(s.ptr, s.len);
        }
        break;
    case TYPE_GUID:
        *exact = false;
        for (uint32_t i = 0; i < count; i++)
            words[i] = bytes_word(&((const Guid *)data)[i], 8);
        break;
    case TYPE_DECIMAL:
        *exact = false;
        for (uint32_t i = 0; i < count; i++)
            words[i] = real_word(decimal_to_real(((const Decimal *)data)[i]));
        break;
    case TYPE_DYNAMIC:
        *exact = false;
        memset(words, 0, count * sizeof(*words));
        break;
    default: // long, datetime, timespan
        for (uint32_t i = 0; i < count; i++)
            words[i] = (uint64_t)((const int64_t *)data)[i] ^ SIGN_BIT;
        break;
    }
    if (key->descending)
        for (uint32_t i = 0; i < count; i++)
            words[i] = ~words[i];
}

// ---- sorting ----

typedef struct OrderEntry {
    uint64_t word;
    uint32_t row;
} OrderEntry;

static int
compare_rows(const Order *order, uint32_t from_key, uint32_t a, uint32_t b)
{
    for (uint32_t k = from_key; k < order->count; k++) {
        const OrderKey *key = &order->keys[k];
        unsigned class_a = value_class(key, a), class_b = value_class(key, b);
        if (class_a != class_b)
            return class_a < class_b ? -1 : 1;
        if (!class_is_value(key, class_a))
            continue;
        int by = data_compare(key->values->type, vector_cell(key->values, a),
                              vector_cell(key->values, b));
        if (by)
            return (by < 0) != key->descending ? -1 : 1;
    }
    return 0;
}

// Stable: merges runs of doubling length that start as insertion-sorted eights.
static void
merge_sort(const Order *order, uint32_t from_key, OrderEntry *items, OrderEntry *spare,
           size_t count)
{
    enum { RUN = 8 };
    for (size_t at = 0; at < count; at += RUN) {
        size_t end = at + RUN < count ? at + RUN : count;
        for (size_t i = at + 1; i < end; i++) {
            OrderEntry entry = items[i];
            size_t j = i;
            for (; j > at && compare_rows(order, from_key, entry.row, items[j - 1].row) < 0; j--)
                items[j] = items[j - 1];
            items[j] = entry;
        }
    }
    for (size_t width = RUN; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t middle = at + width < count ? at + width : count;
            size_t end = at + 2 * width < count ? at + 2 * width : count;
            size_t a = at, b = middle, out = at;
            while (a < middle && b < end)
                spare[out++] = compare_rows(order, from_key, items[b].row, items[a].row) < 0
                                   ? items[b++]
                                   : items[a++];
            while (a < middle)
                spare[out++] = items[a++];
            while (b < end)
                spare[out++] = items[b++];
        }
        memcpy(items, spare, count * sizeof(*items));
    }
}

// Stable, by word: least significant byte first, bytes that never vary left out.
static void
radix_sort(OrderEntry *items, OrderEntry *spare, size_t count)
{
    size_t histogram[8][256] = {0};
    for (size_t i = 0; i < count; i++)
        for (unsigned byte = 0; byte < 8; byte++)
            histogram[byte][items[i].word >> (8 * byte) & 0xFF]++;
    OrderEntry *from = items, *to = spare;
    for (unsigned byte = 0; byte < 8; byte++) {
        unsigned shift = 8 * byte;
        if (histogram[byte][items[0].word >> shift & 0xFF] == count)
            continue;
        size_t at = 0;
        for (unsigned b = 0; b < 256; b++) {
            size_t here = histogram[byte][b];
            histogram[byte][b] = at;
            at += here;
        }
        for (size_t i = 0; i < count; i++)
            to[histogram[byte][from[i].word >> shift & 0xFF]++] = from[i];
        OrderEntry *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof(*items));
}

uint32_t *
order_by_words(Arena *arena, const uint64_t *words, uint32_t count)
{
    uint32_t *rows = arena_alloc_array(arena, count, sizeof(uint32_t));
    Arena scratch = {0};
    OrderEntry *items = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    OrderEntry *spare = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    for (uint32_t i = 0; i < count; i++)
        items[i] = (OrderEntry){words[i], i};
    if (count)
        radix_sort(items, spare, count);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = items[i].row;
    arena_free(&scratch);
    return rows;
}

static void
sort_values(const Order *order, bool exact, OrderEntry *items, OrderEntry *spare, size_t count)
{
    enum { RADIX_FROM = 512 };
    if (count < RADIX_FROM) {
        merge_sort(order, 0, items, spare, count);
        return;
    }
    radix_sort(items, spare, count);
    if (exact && order->count == 1)
        return;
    for (size_t at = 0; at < count;) {
        size_t end = at + 1;
        while (end < count && items[end].word == items[at].word)
            end++;
        if (end - at > 1)
            merge_sort(order, exact ? 1 : 0, items + at, spare, end - at);
        at = end;
    }
}

// The rows 0 .. count-1 in order.
static uint32_t *
order_rows(Arena *arena, const Order *order, uint32_t count)
{
    uint32_t *rows = arena_alloc_array(arena, count, sizeof(uint32_t));
    if (!order->count || !count) {
        for (uint32_t i = 0; i < count; i++)
            rows[i] = i;
        return rows;
    }
    Arena scratch = {0};
    uint64_t *words = arena_alloc_array(&scratch, count, sizeof(uint64_t));
    OrderEntry *items = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    OrderEntry *spare = arena_alloc_array(&scratch, count, sizeof(OrderEntry));
    bool exact;
    order_words(&order->keys[0], count, words, &exact);
    size_t at = 0;
    for (unsigned class = 0; class < 3; class ++) {
        size_t from = at;
        for (uint32_t i = 0; i < count; i++)
            if (value_class(&order->keys[0], i) == class)
                items[at++] = (OrderEntry){words[i], i};
        if (class_is_value(&order->keys[0], class))
            sort_values(order, exact, items + from, spare, at - from);
        else
            merge_sort(order, 1, items + from, spare, at - from);
    }
    for (uint32_t i = 0; i < count; i++)
        rows[i] = items[i].row;
    arena_free(&scratch);
    return rows;
}

// ---- the operator ----

typedef struct SortRun {
    Exec *exec;
    const Plan *plan;
    const Schema *input;
    Schema schema; // input columns, then keys that are no columns, then the sequence (top)
    Expr **exprs;  // of the extra keys
    uint32_t extra;
    uint32_t *key_columns; // column of each key
    struct TopPart *parts;
    uint64_t limit;
} SortRun;

// What a worker of a top has kept.
typedef struct TopPart {
    Arena arena; // of the batches
    struct {
        Batch **items;
        size_t len, cap;
    } batches;
    uint64_t rows;
    size_t charged;
    Vector *worst; // first key of the worst row kept: one row; NULL until enough are kept
} TopPart;

static bool
sort_prepare(SortRun *run, AzError *error)
{
    Arena *arena = run->exec->arena;
    const Schema *input = run->input;
    uint32_t key_count = run->plan->sort.key_count;
    run->schema.columns = ARENA_ARRAY(arena, Column, input->count + key_count + 1);
    memcpy(run->schema.columns, input->columns, input->count * sizeof(Column));
    run->schema.count = input->count;
    run->exprs = ARENA_ARRAY(arena, Expr *, key_count);
    run->key_columns = ARENA_ARRAY(arena, uint32_t, key_count + 1);
    for (uint32_t k = 0; k < key_count; k++) {
        Expr *expr = resolve_subqueries(run->exec, run->plan->sort.keys[k].expr, error);
        if (!expr)
            return false;
        if (expr->kind == EXPR_COLUMN) {
            run->key_columns[k] = expr->column;
            continue;
        }
        run->exprs[run->extra++] = expr;
        run->key_columns[k] = run->schema.count;
        run->schema.columns[run->schema.count++] = (Column){STR("$key"), expr->type};
    }
    return true;
}

static Order
order_of(const SortRun *run, Arena *arena, const Batch *whole, bool by_sequence)
{
    uint32_t count = run->plan->sort.key_count;
    Order order = {ARENA_ARRAY(arena, OrderKey, count + 1), count + by_sequence};
    for (uint32_t k = 0; k < count; k++) {
        const SortKey *key = &run->plan->sort.keys[k];
        order.keys[k] =
            (OrderKey){whole->columns[run->key_columns[k]], key->descending, key->nulls_first};
    }
    if (by_sequence)
        order.keys[count] = (OrderKey){whole->columns[run->schema.count - 1], false, false};
    return order;
}

// The rows as batches of dictionary vectors over the whole: no payload moves.
static ResultTable *
ordered_result(const SortRun *run, const Batch *whole, const uint32_t *rows, uint32_t count)
{
    Arena *arena = run->exec->arena;
    Batch *sorted = batch_new(arena, run->plan->schema.count, count);
    for (uint32_t c = 0; c < sorted->column_count; c++)
        sorted->columns[c] = vector_new_dict(arena, whole->columns[c], rows, count);
    return result_cut(arena, &run->plan->schema, sorted);
}

static ResultTable *
sort_all(SortRun *run, Pipeline *input, AzError *error)
{
    ResultTable *table = pipeline_collect(run->exec, input, &run->schema, -1, error);
    Batch *whole = table ? result_concat(run->exec, table, false, error) : NULL;
    if (!whole)
        return NULL;
    Worker *worker = &run->exec->workers[0];
    if (!worker_reserve(worker, (size_t)whole->count * 44, "the order of its rows"))
        return exec_first_error(run->exec, error), NULL;
    Order order = order_of(run, run->exec->arena, whole, false);
    uint32_t *rows = order_rows(&worker->keep, &order, whole->count);
    return ordered_result(run, whole, rows, whole->count);
}

// ---- top ----

// Keeps the best `limit` rows of a part.
static bool
top_prune(const SortRun *run, TopPart *part, Worker *worker)
{
    ResultTable table = {run->schema, part->batches.items, (uint32_t)part->batches.len, part->rows};
    Arena fresh = {0}, scratch = {0};
    Batch *whole = batch_new(&scratch, table.schema.count, (uint32_t)part->rows);
    for (uint32_t c = 0; c < table.schema.count; c++)
        whole->columns[c] = result_column(&scratch, &table, c);
    Order order = order_of(run, &scratch, whole, true);
    uint32_t *rows = order_rows(&scratch, &order, whole->count);
    uint32_t kept = whole->count < run->limit ? whole->count : (uint32_t)run->limit;
    whole->selection = rows;
    whole->selected = kept;
    Batch *best = batch_copy(&fresh, whole);
    arena_free(&part->arena);
    part->arena = fresh;
    memset(&part->batches, 0, sizeof(part->batches));
    ARRAY_PUSH(&part->arena, &part->batches, best);
    part->rows = kept;
    part->worst = NULL;
    if (kept == run->limit && run->plan->sort.key_count) {
        uint32_t last = kept - 1;
        const Vector *key =
            vector_gather(&part->arena, best->columns[run->key_columns[0]], &last, 1);
        part->worst = (Vector *)(uintptr_t)vector_flatten(&part->arena, key);
    }
    arena_free(&scratch);
    return worker->error.code == AZ_OK;
}

// So many rows more than twice the limit are collected before the best are picked again: few, since
// the first time there is a worst row kept most rows need not be read.
enum { PRUNE_ROWS = 512 };

// Leaves the rows that do not come behind the worst row kept by the first key.
static void
drop_hopeless(const SortRun *run, const TopPart *part, Worker *worker, Batch *batch,
              uint32_t key_column)
{
    const SortKey *spec = &run->plan->sort.keys[0];
    Arena *arena = &worker->batch;
    const Vector *values = vector_flatten(arena, batch_column(arena, batch, key_column));
    OrderKey key = {values, spec->descending, spec->nulls_first};
    OrderKey worst = {part->worst, spec->descending, spec->nulls_first};
    uint32_t count = batch->selected, kept = 0;
    uint64_t *words = arena_alloc_array(arena, count, sizeof(uint64_t)), worst_word;
    uint32_t *selection = arena_alloc_array(arena, count, sizeof(uint32_t));
    bool exact;
    order_words(&key, count, words, &exact);
    order_words(&worst, 1, &worst_word, &exact);
    unsigned worst_class = value_class(&worst, 0);
    bool worst_is_value = class_is_value(&worst, worst_class);
    for (uint32_t i = 0; i < count; i++) {
        unsigned class = value_class(&key, i);
        selection[kept] = batch_row(batch, i);
        kept += class < worst_class ||
                (class == worst_class && (!worst_is_value || words[i] <= worst_word));
    }
    batch->selection = selection;
    batch->selected = kept;
}

// ---- before rows are read ----

static void
gate_narrow(const RowGate *gate, Worker *worker, Batch *batch)
{
    const SortRun *run = gate->state;
    const TopPart *part = &run->parts[worker->number];
    if (part->worst)
        drop_hopeless(run, part, worker, batch, gate->column);
}

// By the zones of the morsel: no value reaches the worst one kept. What sorts before all values
// is in no zone: where nulls do, nothing can be said.
static bool
gate_may_pass(const RowGate *gate, const Worker *worker, const TableSource *source, uint32_t morsel,
              uint32_t source_column)
{
    const SortRun *run = gate->state;
    const SortKey *key = &run->plan->sort.keys[0];
    const Vector *worst = run->parts[worker->number].worst;
    if (!worst || !source->may_match || key->nulls_first || worst->type == TYPE_REAL ||
        worst->type == TYPE_DYNAMIC || vector_is_null(worst, 0))
        return true;
    Value value = vector_value(worst, 0);
    ScanPredicate predicate = {.column = source_column,
                               .op = key->descending ? SCAN_GE : SCAN_LE,
                               .values = &value,
                               .value_count = 1};
    return source->may_match(source, morsel, &predicate, 1);
}

// Only the first key's column is read of rows that cannot be among the best, where it is a
// column of the source.
static void
gates_install(SortRun *run, Pipeline *input)
{
    for (size_t b = 0; b < input->count && run->plan->sort.key_count; b++) {
        Branch *branch = &input->branches[b];
        ptrdiff_t column = branch_column(branch, run->key_columns[0]);
        if (column < 0 || branch->begin || run->key_columns[0] >= run->input->count)
            continue;
        RowGate *gate = ARENA_NEW(run->exec->arena, RowGate);
        *gate = (RowGate){run, (uint32_t)column, run->plan->sort.keys[0].descending, gate_may_pass,
                          gate_narrow};
        branch->gate = gate;
    }
}

static bool
top_consume(Sink *self, Worker *worker, Batch *batch)
{
    SortRun *run = self->state;
    TopPart *part = &run->parts[worker->number];
    Arena *arena = &worker->batch;
    // The numbers of the rows, before any are dropped.
    Vector *numbers = vector_new_flat(arena, TYPE_LONG, batch->count);
    for (uint32_t i = 0; i < batch->selected; i++)
        ((int64_t *)numbers->data)[batch_row(batch, i)] = (int64_t)(worker_sequence(worker) + i);
    Batch *numbered = batch_new(arena, batch->column_count + 1, batch->count);
    memcpy(numbered->columns, batch->columns, batch->column_count * sizeof(*batch->columns));
    numbered->columns[batch->column_count] = numbers;
    numbered->selection = batch->selection;
    numbered->selected = batch->selected;
    if (part->worst)
        drop_hopeless(run, part, worker, numbered, run->key_columns[0]);
    if (!numbered->selected)
        return true;
    Batch *kept = batch_copy(&part->arena, numbered);
    ARRAY_PUSH(&part->arena, &part->batches, kept);
    part->rows += kept->count;
    if (part->rows >= 2 * run->limit + PRUNE_ROWS && !top_prune(run, part, worker))
        return false;
    Budget *budget = worker->exec->options->budget;
    if (budget && part->arena.allocated > part->charged) {
        if (!budget_take(budget, part->arena.allocated - part->charged, "the rows of a top",
                         &worker->error))
            return false;
        part->charged = part->arena.allocated;
    }
    return true;
}

static ResultTable *
top_finish(SortRun *run, AzError *error)
{
    ResultTable all = {.schema = run->schema};
    for (size_t w = 0; w < run->exec->worker_count; w++)
        all.batch_count += (uint32_t)run->parts[w].batches.len;
    all.batches = ARENA_ARRAY(run->exec->arena, Batch *, all.batch_count);
    all.batch_count = 0;
    for (size_t w = 0; w < run->exec->worker_count; w++)
        for (size_t b = 0; b < run->parts[w].batches.len; b++) {
            all.batches[all.batch_count++] = run->parts[w].batches.items[b];
            all.row_count += run->parts[w].batches.items[b]->count;
        }
    Batch *whole = result_concat(run->exec, &all, false, error);
    if (!whole)
        return NULL;
    Worker *worker = &run->exec->workers[0];
    Order order = order_of(run, run->exec->arena, whole, true);
    uint32_t *rows = order_rows(&worker->keep, &order, whole->count);
    uint32_t kept = whole->count < run->limit ? whole->count : (uint32_t)run->limit;
    // The parts' arenas go now: texts must not point there.
    Batch picked = *whole;
    picked.selection = rows;
    picked.selected = kept;
    Batch *best = batch_copy(&worker->keep, &picked);
    best->column_count = run->plan->schema.count;
    if (!worker_charge(worker, "the rows of a top"))
        return exec_first_error(run->exec, error), NULL;
    return result_cut(run->exec->arena, &run->plan->schema, best);
}

static ResultTable *
sort_top(SortRun *run, Pipeline *input, AzError *error)
{
    Exec *exec = run->exec;
    run->schema.columns[run->schema.count++] = (Column){STR("$sequence"), TYPE_LONG};
    run->parts = ARENA_ARRAY(exec->arena, TopPart, exec->worker_count);
    gates_install(run, input);
    Sink sink = {.state = run, .consume = top_consume};
    ResultTable *result = NULL;
    if (!run->limit || pipeline_run(exec, input, &sink, error))
        result = top_finish(run, error);
    for (size_t w = 0; w < exec->worker_count; w++) {
        arena_free(&run->parts[w].arena);
        if (exec->options->budget)
            budget_give(exec->options->budget, run->parts[w].charged);
    }
    return result;
}

ResultTable *
sort_pipeline(Exec *exec, const Plan *plan, const Schema *schema, Pipeline *input, AzError *error)
{
    SortRun run = {.exec = exec, .plan = plan, .input = schema};
    if (!sort_prepare(&run, error))
        return NULL;
    pipeline_extend(exec, input, plan, run.exprs, run.extra);
    // Beyond this many rows a limit is as good as none.
    if (plan->sort.limit < 0 || plan->sort.limit > UINT32_MAX / 4) {
        ResultTable *all = sort_all(&run, input, error);
        if (all && plan->sort.limit >= 0 && (uint64_t)plan->sort.limit < all->row_count)
            result_limit(exec, all, (uint64_t)plan->sort.limit);
        return all;
    }
    run.limit = (uint64_t)plan->sort.limit;
    return sort_top(&run, input, error);
}

ResultTable *
run_sort(Exec *exec, const Plan *plan, AzError *error)
{
    Pipeline input = {0};
    return pipeline_build(exec, plan->input, &input, error)
               ? sort_pipeline(exec, plan, &plan->input->schema, &input, error)
               : NULL;
}
