// The execution engine against naive twins: plans built by hand over tables in memory,
// run with batches of 1, 7 and 4096 rows, on one thread and on four, over flat, constant
// and dictionary columns. Every answer must be the twin's, row by row and in order.

#include "base/array.h"
#include "base/map.h"
#include "exec/exec.h"
#include "value/scalar.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

// ---- the table ----

// Columns: id (unique), n (few values, nulls), r (NaN, nulls), s (few texts, some long, some
// empty), d (arrays, bags, scalars, nulls).
enum { COL_ID, COL_N, COL_R, COL_S, COL_D, COLUMNS };

typedef struct Row {
    int64_t id, n;
    bool n_null, r_null;
    double r;
    char s[40];
    int d; // -2 null, -1 a scalar, else an array of d elements: id, id + 1, ...
} Row;

typedef struct Table {
    Arena arena;
    Row *rows;
    uint32_t count;
    Schema schema;
} Table;

static uint64_t seed;

static uint32_t
random_below(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % limit;
}

static Table
table_new(uint32_t count, uint64_t with_seed)
{
    Table t = {.count = count};
    seed = with_seed;
    t.rows = ARENA_ARRAY(&t.arena, Row, count);
    for (uint32_t i = 0; i < count; i++) {
        Row *row = &t.rows[i];
        row->id = i;
        row->n_null = random_below(7) == 0;
        row->n = row->n_null ? 0 : (int64_t)random_below(9) - 4;
        row->r_null = random_below(6) == 0;
        uint32_t kind = random_below(6);
        row->r = row->r_null ? 0 : kind == 0 ? NAN : kind == 1 ? -0.0 : random_below(20) / 4.0 - 2;
        uint32_t text = random_below(8);
        if (text)
            snprintf(row->s, sizeof(row->s), text < 4 ? "k%u" : "a longer text, no %u", text);
        row->d = (int)random_below(6) - 2;
    }
    t.schema.columns = ARENA_ARRAY(&t.arena, Column, COLUMNS);
    t.schema.count = COLUMNS;
    static const Column columns[] = {{STR_INIT("id"), TYPE_LONG},
                                     {STR_INIT("n"), TYPE_LONG},
                                     {STR_INIT("r"), TYPE_REAL},
                                     {STR_INIT("s"), TYPE_STRING},
                                     {STR_INIT("d"), TYPE_DYNAMIC}};
    memcpy(t.schema.columns, columns, sizeof(columns));
    return t;
}

static Value
cell_value(Arena *arena, const Row *row, uint32_t column)
{
    switch (column) {
    case COL_ID: return value_long(row->id);
    case COL_N: return row->n_null ? value_null(TYPE_LONG) : value_long(row->n);
    case COL_R: return row->r_null ? value_null(TYPE_REAL) : value_real(row->r);
    case COL_S: return value_string(str_from(row->s));
    default: break;
    }
    Value value = value_null(TYPE_DYNAMIC);
    if (row->d == -2)
        return value;
    DynBuilder *builder = dyn_builder_new();
    if (row->d >= 0)
        dyn_begin_array(builder);
    for (int i = 0; i < (row->d < 0 ? 1 : row->d); i++)
        dyn_push_long(builder, row->id + i);
    if (row->d >= 0)
        dyn_end_array(builder);
    assert_true(dyn_finish_text(builder, arena, &value.text, &value.is_null));
    dyn_builder_free(builder);
    return value;
}

// Rows [from, from + count) as a flat vector, or as a dictionary of its distinct values.
static const Vector *
column_vector(Arena *arena, const Table *t, uint32_t column, uint32_t from, uint32_t count,
              bool as_dict)
{
    VectorBuilder builder;
    vector_builder_init(&builder, t->schema.columns[column].type);
    uint32_t *codes = ARENA_ARRAY(arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        Value value = cell_value(arena, &t->rows[from + i], column);
        uint32_t code = builder.count;
        if (as_dict && column != COL_D) {
            Vector *entries = vector_builder_cut(&builder, arena, 0, builder.count);
            for (code = 0; code < builder.count; code++) {
                Value entry = vector_value(entries, code);
                if (value_compare(&entry, &value) == 0)
                    break;
            }
        }
        if (code == builder.count)
            vector_builder_value(&builder, arena, &value);
        codes[i] = code;
    }
    const Vector *flat = vector_builder_cut(&builder, arena, 0, builder.count);
    vector_builder_free(&builder);
    return as_dict && count ? vector_new_dict(arena, flat, codes, count) : flat;
}

// A scan of the table, cut into morsels of 1 to 40 rows, every other one dictionaries.
static Plan *
scan_plan(Arena *arena, const Table *t)
{
    Batch **batches = ARENA_ARRAY(arena, Batch *, t->count + 1);
    uint32_t count = 0;
    for (uint32_t from = 0; from < t->count;) {
        uint32_t rows = 1 + random_below(40);
        rows = rows > t->count - from ? t->count - from : rows;
        Batch *batch = batch_new(arena, COLUMNS, rows);
        for (uint32_t c = 0; c < COLUMNS; c++)
            batch->columns[c] = column_vector(arena, t, c, from, rows, count % 2);
        batches[count++] = batch;
        from += rows;
    }
    Plan *plan = plan_new(arena, PLAN_SCAN, (Span){0});
    plan->schema = t->schema;
    plan->scan.source = memory_source_new(arena, &t->schema, batches, count);
    plan->scan.columns = ARENA_ARRAY(arena, uint32_t, COLUMNS);
    for (uint32_t c = 0; c < COLUMNS; c++)
        plan->scan.columns[c] = c;
    return plan;
}

// ---- functions of the tests ----

static void
greater_kernel(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((uint8_t *)call->out)[i] = ARG(call, 0, int64_t, i) > ARG(call, 1, int64_t, i);
}

static void
add_kernel(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((int64_t *)call->out)[i] = ARG(call, 0, int64_t, i) + ARG(call, 1, int64_t, i);
}

static void
and_kernel(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((uint8_t *)call->out)[i] = !arg_is_null(call, 0, i) && !arg_is_null(call, 1, i) &&
                                    ARG(call, 0, uint8_t, i) && ARG(call, 1, uint8_t, i);
}

static void
length_kernel(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((int64_t *)call->out)[i] = (int64_t)arg_str(call, 0, i).len;
}

static void
row_base_kernel(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        ((int64_t *)call->out)[i] = (int64_t)(call->row_base + i);
}

static const ScalarImpl greater_impl = {greater_kernel, NULL}, add_impl = {add_kernel, NULL},
                        and_impl = {and_kernel, NULL}, length_impl = {length_kernel, NULL},
                        row_base_impl = {row_base_kernel, NULL};

static const FunctionDef GREATER = {.name = ">", .impl = &greater_impl};
static const FunctionDef ADD = {.name = "+", .impl = &add_impl};
static const FunctionDef AND = {.name = "and", .impl = &and_impl, .flags = FN_OWN_NULLS};
static const FunctionDef LENGTH = {.name = "strlen", .impl = &length_impl};
static const FunctionDef VOLATILE = {.name = "rand", .impl = &row_base_impl, .flags = FN_VOLATILE};

static Expr *
call_new(Arena *arena, const FunctionDef *fn, Type type, uint32_t count, ...)
{
    Expr *expr = ARENA_NEW(arena, Expr);
    expr->kind = EXPR_CALL;
    expr->fn = fn;
    expr->type = type;
    expr->arg_count = count;
    expr->args = ARENA_ARRAY(arena, Expr *, count);
    va_list args;
    va_start(args, count);
    for (uint32_t i = 0; i < count; i++)
        expr->args[i] = va_arg(args, Expr *);
    va_end(args);
    return expr;
}

static Expr *
column(Arena *arena, const Plan *input, uint32_t c)
{
    return expr_column(arena, c, input->schema.columns[c].type, (Span){0});
}

static Expr *
number(Arena *arena, int64_t l)
{
    Value value = value_long(l);
    return expr_const(arena, &value, (Span){0});
}

static Plan *
filter_plan(Arena *arena, Plan *input, Expr *predicate)
{
    Plan *plan = plan_new(arena, PLAN_FILTER, (Span){0});
    plan->input = input;
    plan->schema = input->schema;
    plan->filter.predicate = predicate;
    return plan;
}

// The columns of `input` at these positions, -1 at the end.
static Plan *
pick_plan(Arena *arena, Plan *input, const int *columns)
{
    Plan *plan = plan_new(arena, PLAN_PROJECT, (Span){0});
    uint32_t count = 0;
    while (columns[count] >= 0)
        count++;
    plan->input = input;
    plan->schema = (Schema){ARENA_ARRAY(arena, Column, count), count};
    plan->project.exprs = ARENA_ARRAY(arena, Expr *, count);
    for (uint32_t c = 0; c < count; c++) {
        plan->schema.columns[c] = input->schema.columns[columns[c]];
        plan->project.exprs[c] = column(arena, input, (uint32_t)columns[c]);
    }
    return plan;
}

// ---- running and comparing ----

typedef struct Expected {
    Arena arena;
    uint32_t columns;
    struct {
        Value *items;
        size_t len, cap;
    } cells;
} Expected;

static void
expect(Expected *e, Value value)
{
    ARRAY_PUSH(&e->arena, &e->cells, value);
}

static void
expect_row(Expected *e, const Row *row, const int *columns)
{
    for (; *columns >= 0; columns++)
        expect(e, cell_value(&e->arena, row, (uint32_t)*columns));
}

static void
assert_table(const ResultTable *table, const Expected *e, const char *what)
{
    uint32_t columns = table->schema.count;
    size_t at = 0;
    assert_int_equal(table->row_count * columns, e->cells.len);
    for (uint32_t b = 0; b < table->batch_count; b++) {
        const Batch *batch = table->batches[b];
        assert_null(batch->selection);
        for (uint32_t i = 0; i < batch->count; i++)
            for (uint32_t c = 0; c < columns; c++) {
                Value value = vector_value(batch->columns[c], i);
                const Value *wanted = &e->cells.items[at++];
                if (value.type != wanted->type || value_compare(&value, wanted) != 0)
                    fail_msg("%s: row %zu column %u differs (batch_rows %u)", what,
                             (at - 1) / columns, c, batch_rows);
            }
    }
    assert_int_equal(at, e->cells.len);
}

static ThreadPool *pool;

// Runs the plan in all ways; each must give the expected rows in order.
static void
check(const Plan *plan, const Expected *e, const char *what)
{
    static const uint32_t sizes[] = {1, 7, BATCH_ROWS_MAX};
    for (size_t s = 0; s < COUNT_OF(sizes); s++)
        for (int threads = 0; threads < 2; threads++) {
            Arena arena = {0};
            AzError error = {0};
            Budget budget = {0};
            ExecOptions options = {.threads = threads ? pool : NULL, .budget = &budget, .now = 1};
            batch_rows = sizes[s];
            ResultTable *table = exec_run(&arena, plan, &options, &error);
            if (!table)
                fail_msg("%s: %s", what, error.message);
            assert_table(table, e, what);
            assert_int_equal(budget.used, 0);
            arena_free(&arena);
        }
    batch_rows = BATCH_ROWS_MAX;
}

// ---- tests ----

static void
test_filter(void **state)
{
    (void)state;
    Table t = table_new(500, 1);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    // n > -2 and strlen(s) > 1 and n + id > 100: nulls are not true.
    Expr *first =
        call_new(arena, &GREATER, TYPE_BOOL, 2, column(arena, scan, COL_N), number(arena, -2));
    Expr *length = call_new(arena, &LENGTH, TYPE_LONG, 1, column(arena, scan, COL_S));
    Expr *second = call_new(arena, &GREATER, TYPE_BOOL, 2, length, number(arena, 1));
    Expr *sum = call_new(arena, &ADD, TYPE_LONG, 2, column(arena, scan, COL_N),
                         column(arena, scan, COL_ID));
    Expr *third = call_new(arena, &GREATER, TYPE_BOOL, 2, sum, number(arena, 100));
    Expr *both = call_new(arena, &AND, TYPE_BOOL, 2, first, second);
    Expr *all = call_new(arena, &AND, TYPE_BOOL, 2, both, third);
    static const int wanted[] = {COL_S, COL_ID, COL_D, COL_N, -1};
    Expected e = {0};
    for (uint32_t i = 0; i < t.count; i++) {
        const Row *row = &t.rows[i];
        if (!row->n_null && row->n > -2 && strlen(row->s) > 1 && row->n + row->id > 100)
            expect_row(&e, row, wanted);
    }
    check(pick_plan(arena, filter_plan(arena, scan, all), wanted), &e, "filter in the scan");
    // The same above a projection, one conjunct a filter.
    static const int same[] = {COL_ID, COL_N, COL_R, COL_S, COL_D, -1};
    Plan *plan = pick_plan(arena, scan, same);
    plan = filter_plan(arena, plan, third);
    plan = filter_plan(arena, plan, second);
    plan = filter_plan(arena, plan, first);
    check(pick_plan(arena, plan, wanted), &e, "filters");
    arena_free(&e.arena);
    arena_free(&t.arena);
}

static void
test_project(void **state)
{
    (void)state;
    Table t = table_new(200, 2);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *plan = pick_plan(arena, scan, (const int[]){COL_N, COL_N, COL_ID, -1});
    plan->project.exprs[1] =
        call_new(arena, &ADD, TYPE_LONG, 2, column(arena, scan, COL_N), number(arena, 5));
    plan->project.exprs[2] =
        call_new(arena, &ADD, TYPE_LONG, 2, number(arena, 2), number(arena, 3));
    Expected e = {0};
    for (uint32_t i = 0; i < t.count; i++) {
        expect(&e, cell_value(&e.arena, &t.rows[i], COL_N));
        expect(&e, t.rows[i].n_null ? value_null(TYPE_LONG) : value_long(t.rows[i].n + 5));
        expect(&e, value_long(5));
    }
    check(plan, &e, "project");
    arena_free(&e.arena);
    arena_free(&t.arena);
}

// A volatile call has another value in each row, whatever the batches.
static void
test_volatile(void **state)
{
    (void)state;
    Table t = table_new(300, 3);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *plan = pick_plan(arena, scan, (const int[]){COL_ID, -1});
    plan->project.exprs[0] = call_new(arena, &VOLATILE, TYPE_LONG, 0);
    AzError error = {0};
    ResultTable *table = exec_run(arena, plan, &(ExecOptions){.threads = pool, .now = 1}, &error);
    assert_non_null(table);
    Map seen;
    map_init(&seen, arena, false);
    for (uint32_t b = 0; b < table->batch_count; b++)
        for (uint32_t i = 0; i < table->batches[b]->count; i++) {
            bool is_new;
            int64_t *value = ARENA_NEW(arena, int64_t);
            *value = vector_value(table->batches[b]->columns[0], i).int64;
            map_add(&seen, (Str){(const char *)value, sizeof(*value)}, &is_new);
            assert_true(is_new);
        }
    assert_int_equal(seen.len, t.count);
    arena_free(&t.arena);
}

static bool
same_value(const Value *a, const Value *b)
{
    return value_compare(a, b) == 0;
}

// Distinct rows of some columns, in order of appearance: firsts[g] and group_of[i].
static uint32_t
naive_groups(Arena *arena, const Table *t, const int *keys, uint32_t *firsts, uint32_t *group_of)
{
    uint32_t groups = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t g = 0;
        for (; g < groups; g++) {
            bool same = true;
            for (const int *key = keys; *key >= 0 && same; key++) {
                Value a = cell_value(arena, &t->rows[firsts[g]], (uint32_t)*key);
                Value b = cell_value(arena, &t->rows[i], (uint32_t)*key);
                same = same_value(&a, &b);
            }
            if (same)
                break;
        }
        if (g == groups)
            firsts[groups++] = i;
        group_of[i] = g;
    }
    return groups;
}

static AggregateCall
aggregate_of(Arena *arena, const char *name, const char *signature, Expr *arg, Type type)
{
    AggregateCall call = {.output_count = 1};
    for (size_t i = 0; i < BASIC_AGGREGATES.count; i++) {
        const FunctionDef *row = &BASIC_AGGREGATES.rows[i];
        if (!call.fn && strcmp(row->name, name) == 0 && strstr(row->signature, signature))
            call.fn = row;
    }
    assert_non_null(call.fn);
    call.output_types = ARENA_ARRAY(arena, Type, 1);
    call.output_types[0] = type;
    call.args = ARENA_ARRAY(arena, Expr *, 1);
    call.args[0] = arg;
    call.arg_count = arg ? 1 : 0;
    return call;
}

// count(), sum(n), and count() of the rows with id > 100, by `keys`.
static Plan *
summarize_plan(Arena *arena, Plan *input, const int *keys)
{
    Plan *plan = plan_new(arena, PLAN_SUMMARIZE, (Span){0});
    uint32_t count = 0;
    while (keys[count] >= 0)
        count++;
    plan->input = input;
    plan->schema = (Schema){ARENA_ARRAY(arena, Column, count + 3), count + 3};
    plan->summarize.keys = ARENA_ARRAY(arena, Expr *, count);
    plan->summarize.key_count = count;
    for (uint32_t k = 0; k < count; k++) {
        plan->summarize.keys[k] = column(arena, input, (uint32_t)keys[k]);
        plan->schema.columns[k] = input->schema.columns[keys[k]];
    }
    AggregateCall *calls = ARENA_ARRAY(arena, AggregateCall, 3);
    calls[0] = aggregate_of(arena, "count", "", NULL, TYPE_LONG);
    calls[1] = aggregate_of(arena, "sum", "value:long", column(arena, input, COL_N), TYPE_LONG);
    calls[2] = calls[0];
    calls[2].filter =
        call_new(arena, &GREATER, TYPE_BOOL, 2, column(arena, input, COL_ID), number(arena, 100));
    plan->summarize.aggregates = calls;
    plan->summarize.aggregate_count = 3;
    for (uint32_t a = 0; a < 3; a++)
        plan->schema.columns[count + a] = (Column){STR("a"), TYPE_LONG};
    return plan;
}

static void
check_summarize(uint32_t rows, const int *keys, const char *what)
{
    Table t = table_new(rows, 4 + rows);
    Arena *arena = &t.arena;
    Plan *plan = summarize_plan(arena, scan_plan(arena, &t), keys);
    uint32_t *firsts = ARENA_ARRAY(arena, uint32_t, rows + 1);
    uint32_t *group_of = ARENA_ARRAY(arena, uint32_t, rows);
    uint32_t groups = naive_groups(arena, &t, keys, firsts, group_of);
    if (keys[0] < 0)
        groups = 1;
    Expected e = {0};
    for (uint32_t g = 0; g < groups; g++) {
        int64_t count = 0, sum = 0, late = 0;
        for (uint32_t i = 0; i < rows; i++)
            if (group_of[i] == g) {
                count++;
                sum += t.rows[i].n;
                late += t.rows[i].id > 100;
            }
        if (rows)
            expect_row(&e, &t.rows[firsts[g]], keys);
        expect(&e, value_long(count));
        expect(&e, value_long(sum));
        expect(&e, value_long(late));
    }
    check(plan, &e, what);
    // distinct: the same groups without aggregates.
    if (keys[0] >= 0) {
        Expected d = {0};
        for (uint32_t g = 0; g < groups; g++)
            expect_row(&d, &t.rows[firsts[g]], keys);
        plan->summarize.aggregate_count = 0;
        plan->schema.count = plan->summarize.key_count;
        check(plan, &d, "distinct");
        arena_free(&d.arena);
    }
    arena_free(&e.arena);
    arena_free(&t.arena);
}

static void
test_summarize(void **state)
{
    (void)state;
    check_summarize(600, (const int[]){COL_N, -1}, "by a long");
    check_summarize(600, (const int[]){COL_S, -1}, "by a string");
    check_summarize(600, (const int[]){COL_R, -1}, "by a real");
    check_summarize(600, (const int[]){COL_S, COL_N, COL_R, -1}, "by three keys");
    check_summarize(900, (const int[]){COL_ID, -1}, "by a unique key");
    check_summarize(300, (const int[]){COL_D, -1}, "by a dynamic");
    check_summarize(300, (const int[]){-1}, "without keys");
    check_summarize(0, (const int[]){-1}, "without keys and rows");
    check_summarize(0, (const int[]){COL_S, -1}, "without rows");
}

// Enough groups for the merge to run on all workers.
static void
test_many_groups(void **state)
{
    (void)state;
    Table t = table_new(20000, 77);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *both = plan_new(arena, PLAN_UNION, (Span){0});
    both->schema = scan->schema;
    both->union_.count = 2;
    both->union_.inputs = ARENA_ARRAY(arena, Plan *, 2);
    both->union_.columns = ARENA_ARRAY(arena, int32_t *, 2);
    both->union_.names = ARENA_ARRAY(arena, Str, 2);
    both->union_.source_column = -1;
    for (int i = 0; i < 2; i++) {
        both->union_.inputs[i] = scan;
        both->union_.columns[i] = ARENA_ARRAY(arena, int32_t, COLUMNS);
        for (int32_t c = 0; c < COLUMNS; c++)
            both->union_.columns[i][c] = c;
    }
    Plan *plan = summarize_plan(arena, both, (const int[]){COL_ID, COL_S, -1});
    Expected e = {0};
    for (uint32_t i = 0; i < t.count; i++) {
        expect_row(&e, &t.rows[i], (const int[]){COL_ID, COL_S, -1});
        expect(&e, value_long(2));
        expect(&e, value_long(2 * t.rows[i].n));
        expect(&e, value_long(i > 100 ? 2 : 0));
    }
    for (int round = 0; round < 3; round++) {
        AzError error = {0};
        Arena run = {0};
        batch_rows = 64;
        ResultTable *table =
            exec_run(&run, plan, &(ExecOptions){.threads = round ? pool : NULL, .now = 1}, &error);
        assert_non_null(table);
        assert_table(table, &e, "many groups");
        arena_free(&run);
    }
    batch_rows = BATCH_ROWS_MAX;
    arena_free(&e.arena);
    arena_free(&t.arena);
}

// ---- sort ----

typedef struct SortSpec {
    int column;
    bool descending, nulls_first;
} SortSpec;

static const Table *sort_table;
static const SortSpec *sort_specs;
static Arena *sort_arena;

// Null and NaN stand apart from the values, as sort_compare() of the docs has it.
static int
sort_rank(const Value *value, bool nulls_first)
{
    int rank = value->is_null ? 0 : value->type == TYPE_REAL && isnan(value->real) ? 1 : 2;
    return nulls_first ? rank : 2 - rank;
}

static int
sort_order(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    for (const SortSpec *spec = sort_specs; spec->column >= 0; spec++) {
        Value x = cell_value(sort_arena, &sort_table->rows[i], (uint32_t)spec->column);
        Value y = cell_value(sort_arena, &sort_table->rows[j], (uint32_t)spec->column);
        int rank = sort_rank(&x, spec->nulls_first), other = sort_rank(&y, spec->nulls_first);
        if (rank != other)
            return rank - other;
        int by = x.is_null ? 0 : value_compare(&x, &y);
        if (by)
            return spec->descending ? -by : by;
    }
    return i < j ? -1 : i > j;
}

static void
check_sort(uint32_t rows, const SortSpec *specs, int64_t limit, const char *what)
{
    Table t = table_new(rows, 40 + rows);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *plan = plan_new(arena, PLAN_SORT, (Span){0});
    plan->input = scan;
    plan->schema = scan->schema;
    plan->sort.limit = limit;
    plan->sort.keys = ARENA_ARRAY(arena, SortKey, 8);
    for (const SortSpec *spec = specs; spec->column >= 0; spec++) {
        Expr *key = column(arena, scan, (uint32_t)spec->column);
        if (spec->column == COL_ID) // a computed key
            key = call_new(arena, &ADD, TYPE_LONG, 2, key, number(arena, 7));
        plan->sort.keys[plan->sort.key_count++] =
            (SortKey){key, spec->descending, spec->nulls_first};
    }
    uint32_t *order = ARENA_ARRAY(arena, uint32_t, rows);
    for (uint32_t i = 0; i < rows; i++)
        order[i] = i;
    sort_table = &t;
    sort_specs = specs;
    sort_arena = arena;
    qsort(order, rows, sizeof(*order), sort_order);
    Expected e = {0};
    static const int all[] = {COL_ID, COL_N, COL_R, COL_S, COL_D, -1};
    for (uint32_t i = 0; i < rows && (limit < 0 || i < limit); i++)
        expect_row(&e, &t.rows[order[i]], all);
    check(plan, &e, what);
    arena_free(&e.arena);
    arena_free(&t.arena);
}

static void
test_sort(void **state)
{
    (void)state;
    for (int bits = 0; bits < 4; bits++) {
        bool down = bits & 1, first = bits & 2;
        check_sort(700, (const SortSpec[]){{COL_N, down, first}, {-1, 0, 0}}, -1, "by a long");
        check_sort(700, (const SortSpec[]){{COL_R, down, first}, {-1, 0, 0}}, -1, "by a real");
        check_sort(700, (const SortSpec[]){{COL_S, down, first}, {COL_N, !down, first}, {-1, 0, 0}},
                   -1, "by a string and a long");
        check_sort(
            1500,
            (const SortSpec[]){
                {COL_N, down, first}, {COL_R, !down, !first}, {COL_ID, down, first}, {-1, 0, 0}},
            -1, "by three");
        check_sort(900, (const SortSpec[]){{COL_R, down, first}, {-1, 0, 0}}, 10, "top by a real");
        check_sort(900, (const SortSpec[]){{COL_S, down, first}, {COL_R, down, first}, {-1, 0, 0}},
                   25, "top by a string");
        check_sort(300, (const SortSpec[]){{COL_N, down, first}, {-1, 0, 0}}, 1000, "top of all");
    }
    check_sort(300, (const SortSpec[]){{COL_N, false, true}, {-1, 0, 0}}, 0, "top 0");
    check_sort(0, (const SortSpec[]){{COL_N, false, true}, {-1, 0, 0}}, -1, "sort of nothing");
    check_sort(0, (const SortSpec[]){{COL_N, false, true}, {-1, 0, 0}}, 5, "top of nothing");
}

// With many rows and a small limit the parts are pruned again and again.
static void
test_top_prunes(void **state)
{
    (void)state;
    check_sort(9000, (const SortSpec[]){{COL_ID, true, false}, {-1, 0, 0}}, 3, "top of many");
    check_sort(9000, (const SortSpec[]){{COL_R, false, true}, {COL_S, true, false}, {-1, 0, 0}}, 50,
               "top of many equals");
}

// ---- join ----

static bool
keys_match(Arena *arena, const Row *a, const Row *b, const int *keys)
{
    for (; *keys >= 0; keys++) {
        Value x = cell_value(arena, a, (uint32_t)*keys), y = cell_value(arena, b, (uint32_t)*keys);
        if (x.is_null || y.is_null || !same_value(&x, &y))
            return false;
    }
    return true;
}

static const int LEFT_COLUMNS[] = {COL_ID, COL_S, -1}, RIGHT_COLUMNS[] = {COL_ID, COL_N, COL_S, -1};

static void
expect_side(Expected *e, const Row *row, const int *columns, const Schema *schema)
{
    if (row)
        expect_row(e, row, columns);
    else
        for (; *columns >= 0; columns++)
            expect(e, value_null(schema->columns[*columns].type));
}

// A row of the twin's join: either side may be missing.
static void
expect_pair(Expected *e, const Schema *schema, const Row *left, const Row *right)
{
    expect_side(e, left, LEFT_COLUMNS, schema);
    expect_side(e, right, RIGHT_COLUMNS, schema);
}

static void
naive_inner_and_outer(Expected *e, Arena *arena, const Table *l, const Table *r, JoinKind kind,
                      const int *keys)
{
    bool *matched = ARENA_ARRAY(arena, bool, r->count);
    for (uint32_t i = 0; i < l->count; i++) {
        bool any = false;
        for (uint32_t j = 0; j < r->count; j++) {
            if (!keys_match(arena, &l->rows[i], &r->rows[j], keys))
                continue;
            any = matched[j] = true;
            expect_pair(e, &l->schema, &l->rows[i], &r->rows[j]);
        }
        if (!any && (kind == JOIN_LEFTOUTER || kind == JOIN_FULLOUTER))
            expect_pair(e, &l->schema, &l->rows[i], NULL);
    }
    for (uint32_t j = 0; j < r->count; j++)
        if (!matched[j] && (kind == JOIN_RIGHTOUTER || kind == JOIN_FULLOUTER))
            expect_pair(e, &l->schema, NULL, &r->rows[j]);
}

static bool
has_match(Arena *arena, const Row *row, const Table *other, const int *keys, uint32_t *first)
{
    for (uint32_t i = 0; i < other->count; i++)
        if (keys_match(arena, row, &other->rows[i], keys)) {
            *first = i;
            return true;
        }
    return false;
}

static void
naive_join(Expected *e, Arena *arena, const Table *l, const Table *r, JoinKind kind,
           const int *keys)
{
    uint32_t first;
    switch (kind) {
    case JOIN_INNERUNIQUE: // the first left row of each key, in the order of the right
        for (uint32_t j = 0; j < r->count; j++)
            if (has_match(arena, &r->rows[j], l, keys, &first))
                expect_pair(e, &l->schema, &l->rows[first], &r->rows[j]);
        break;
    case JOIN_LEFTSEMI:
    case JOIN_LEFTANTI:
        for (uint32_t i = 0; i < l->count; i++)
            if (has_match(arena, &l->rows[i], r, keys, &first) == (kind == JOIN_LEFTSEMI))
                expect_row(e, &l->rows[i], LEFT_COLUMNS);
        break;
    case JOIN_RIGHTSEMI:
    case JOIN_RIGHTANTI:
        for (uint32_t j = 0; j < r->count; j++)
            if (has_match(arena, &r->rows[j], l, keys, &first) == (kind == JOIN_RIGHTSEMI))
                expect_row(e, &r->rows[j], RIGHT_COLUMNS);
        break;
    default: naive_inner_and_outer(e, arena, l, r, kind, keys); break;
    }
}

static Plan *
join_plan(Arena *arena, Plan *left, Plan *right, JoinKind kind, const int *keys)
{
    Plan *plan = plan_new(arena, PLAN_JOIN, (Span){0});
    plan->input = left;
    plan->join.right = right;
    plan->join.kind = kind;
    plan->join.columns = ARENA_ARRAY(arena, struct JoinColumn, 8);
    plan->schema.columns = ARENA_ARRAY(arena, Column, 8);
    plan->join.left_keys = ARENA_ARRAY(arena, Expr *, 4);
    plan->join.right_keys = ARENA_ARRAY(arena, Expr *, 4);
    for (; *keys >= 0; keys++) {
        plan->join.left_keys[plan->join.key_count] = column(arena, left, (uint32_t)*keys);
        plan->join.right_keys[plan->join.key_count++] = column(arena, right, (uint32_t)*keys);
    }
    bool left_too = kind != JOIN_RIGHTSEMI && kind != JOIN_RIGHTANTI;
    bool right_too = kind != JOIN_LEFTSEMI && kind != JOIN_LEFTANTI;
    for (const int *c = LEFT_COLUMNS; left_too && *c >= 0; c++) {
        plan->schema.columns[plan->schema.count] = left->schema.columns[*c];
        plan->join.columns[plan->schema.count++] = (struct JoinColumn){false, (uint32_t)*c};
    }
    for (const int *c = RIGHT_COLUMNS; right_too && *c >= 0; c++) {
        plan->schema.columns[plan->schema.count] = right->schema.columns[*c];
        plan->join.columns[plan->schema.count++] = (struct JoinColumn){true, (uint32_t)*c};
    }
    return plan;
}

static void
check_join(uint32_t left_rows, uint32_t right_rows, const int *keys)
{
    static const char *const names[] = {"innerunique", "inner",     "leftouter",
                                        "rightouter",  "fullouter", "leftsemi",
                                        "rightsemi",   "leftanti",  "rightanti"};
    Table l = table_new(left_rows, 91), r = table_new(right_rows, 92);
    Plan *left = scan_plan(&l.arena, &l), *right = scan_plan(&r.arena, &r);
    for (int kind = JOIN_INNERUNIQUE; kind <= JOIN_RIGHTANTI; kind++) {
        Expected e = {0};
        naive_join(&e, &l.arena, &l, &r, (JoinKind)kind, keys);
        check(join_plan(&l.arena, left, right, (JoinKind)kind, keys), &e, names[kind]);
        arena_free(&e.arena);
    }
    arena_free(&l.arena);
    arena_free(&r.arena);
}

static void
test_join(void **state)
{
    (void)state;
    check_join(120, 90, (const int[]){COL_N, -1});
    check_join(120, 90, (const int[]){COL_S, -1});
    check_join(150, 150, (const int[]){COL_S, COL_N, -1});
    check_join(150, 60, (const int[]){COL_ID, -1});
    check_join(60, 60, (const int[]){COL_R, -1});
    check_join(0, 40, (const int[]){COL_N, -1});
    check_join(40, 0, (const int[]){COL_N, -1});
}

// ---- take, union, range, values, shared ----

static void
test_take(void **state)
{
    (void)state;
    Table t = table_new(400, 7);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    static const int all[] = {COL_ID, COL_N, COL_R, COL_S, COL_D, -1};
    static const int64_t counts[] = {0, 1, 39, 400, 5000};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        Plan *plan = plan_new(arena, PLAN_TAKE, (Span){0});
        plan->input = filter_plan(arena, scan,
                                  call_new(arena, &GREATER, TYPE_BOOL, 2,
                                           column(arena, scan, COL_ID), number(arena, 50)));
        plan->schema = scan->schema;
        plan->take.count = counts[i];
        Expected e = {0};
        for (int64_t row = 51; row < t.count && row - 51 < counts[i]; row++)
            expect_row(&e, &t.rows[row], all);
        check(plan, &e, "take");
        arena_free(&e.arena);
    }
    arena_free(&t.arena);
}

static Plan *
range_plan(Arena *arena, int64_t from, int64_t to, int64_t step)
{
    Plan *plan = plan_new(arena, PLAN_RANGE, (Span){0});
    plan->schema = (Schema){ARENA_ARRAY(arena, Column, 1), 1};
    plan->schema.columns[0] = (Column){STR("x"), TYPE_LONG};
    plan->range.from = number(arena, from);
    plan->range.to = number(arena, to);
    plan->range.step = number(arena, step);
    return plan;
}

static void
test_range(void **state)
{
    (void)state;
    static const int64_t cases[][3] = {{1, 10, 3},
                                       {5, 5, 1},
                                       {5, 4, 1},
                                       {10, 1, -4},
                                       {0, 9000, 1},
                                       {-20, 20, 40},
                                       {INT64_MAX - 3, INT64_MAX, 2},
                                       {INT64_MIN, INT64_MAX, INT64_MAX}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Arena arena = {0};
        Expected e = {0};
        int64_t step = cases[i][2];
        for (__int128 x = cases[i][0]; step > 0 ? x <= cases[i][1] : x >= cases[i][1]; x += step)
            expect(&e, value_long((int64_t)x));
        check(range_plan(&arena, cases[i][0], cases[i][1], step), &e, "range");
        arena_free(&e.arena);
        arena_free(&arena);
    }
    Arena arena = {0};
    AzError error = {0};
    ExecOptions options = {.now = 1};
    assert_null(exec_run(&arena, range_plan(&arena, 1, 5, 0), &options, &error));
    assert_int_equal(error.code, AZ_INVALID);
    arena_free(&arena);
}

// union with a source column over a shared table that is evaluated once.
static void
test_union_shared(void **state)
{
    (void)state;
    Table t = table_new(150, 8);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *shared = plan_new(arena, PLAN_SHARED, (Span){0});
    shared->schema = scan->schema;
    shared->shared.plan = scan;
    shared->shared.id = 3;
    Plan *plan = plan_new(arena, PLAN_UNION, (Span){0});
    static const Column columns[] = {
        {STR_INIT("from"), TYPE_STRING}, {STR_INIT("s"), TYPE_STRING}, {STR_INIT("n"), TYPE_LONG}};
    static int32_t maps[2][3] = {{-1, COL_S, COL_N}, {-1, -1, COL_ID}};
    plan->schema = (Schema){arena_copy(arena, columns, sizeof(columns)), 3};
    plan->union_.count = 2;
    plan->union_.inputs = ARENA_ARRAY(arena, Plan *, 2);
    plan->union_.inputs[0] = plan->union_.inputs[1] = shared;
    plan->union_.columns = ARENA_ARRAY(arena, int32_t *, 2);
    plan->union_.columns[0] = maps[0];
    plan->union_.columns[1] = maps[1];
    plan->union_.names = ARENA_ARRAY(arena, Str, 2);
    plan->union_.names[0] = STR("first");
    plan->union_.names[1] = STR("second");
    plan->union_.source_column = 0;
    Expected e = {0};
    for (uint32_t i = 0; i < t.count; i++) {
        expect(&e, value_string(STR("first")));
        expect_row(&e, &t.rows[i], (const int[]){COL_S, COL_N, -1});
    }
    for (uint32_t i = 0; i < t.count; i++) {
        expect(&e, value_string(STR("second")));
        expect(&e, value_string(STR("")));
        expect(&e, value_long(i));
    }
    check(plan, &e, "union");
    arena_free(&e.arena);
    arena_free(&t.arena);
}

// ---- mv-expand, mv-apply ----

static Plan *
expand_plan(Arena *arena, Plan *input, bool with_index, Type to)
{
    Plan *plan = plan_new(arena, PLAN_MV_EXPAND, (Span){0});
    uint32_t count = input->schema.count + with_index;
    plan->input = input;
    plan->schema = (Schema){ARENA_ARRAY(arena, Column, count), count};
    memcpy(plan->schema.columns, input->schema.columns, input->schema.count * sizeof(Column));
    plan->mv_expand.carried = ARENA_ARRAY(arena, uint32_t, count);
    for (uint32_t c = 0; c < input->schema.count; c++)
        plan->mv_expand.carried[c] = c;
    plan->mv_expand.carried[COL_D] = UINT32_MAX;
    plan->schema.columns[COL_D].type = to;
    plan->mv_expand.items = ARENA_ARRAY(arena, MvExpandItem, 1);
    plan->mv_expand.items[0] = (MvExpandItem){COL_D, column(arena, input, COL_D), to};
    plan->mv_expand.item_count = 1;
    plan->mv_expand.index_column = with_index ? (ptrdiff_t)count - 1 : -1;
    plan->mv_expand.row_limit = -1;
    if (with_index) {
        plan->schema.columns[count - 1] = (Column){STR("i"), TYPE_LONG};
        plan->mv_expand.carried[count - 1] = UINT32_MAX;
    }
    return plan;
}

static void
test_mv_expand(void **state)
{
    (void)state;
    Table t = table_new(300, 9);
    Arena *arena = &t.arena;
    Plan *plan = pick_plan(arena, expand_plan(arena, scan_plan(arena, &t), true, TYPE_LONG),
                           (const int[]){COL_S, COL_D, COLUMNS, COL_N, -1});
    Expected e = {0};
    for (uint32_t i = 0; i < t.count; i++) {
        const Row *row = &t.rows[i];
        int elements = row->d < 0 ? 1 : row->d;
        for (int at = 0; at < elements; at++) {
            expect_row(&e, row, (const int[]){COL_S, -1});
            expect(&e, row->d == -2 ? value_null(TYPE_LONG) : value_long(row->id + at));
            expect(&e, value_long(at));
            expect_row(&e, row, (const int[]){COL_N, -1});
        }
    }
    check(plan, &e, "mv-expand");
    arena_free(&e.arena);
    arena_free(&t.arena);
}

// mv-apply: the elements above 100, counted and summed, for each row.
static void
test_mv_apply(void **state)
{
    (void)state;
    Table t = table_new(200, 10);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *expand = expand_plan(arena, scan, false, TYPE_LONG);
    Plan *leaf = plan_new(arena, PLAN_CORRELATED, (Span){0});
    leaf->schema = expand->schema;
    Plan *sub = filter_plan(
        arena, leaf,
        call_new(arena, &GREATER, TYPE_BOOL, 2, column(arena, leaf, COL_D), number(arena, 100)));
    Plan *sum = plan_new(arena, PLAN_SUMMARIZE, (Span){0});
    sum->input = sub;
    sum->schema = (Schema){ARENA_ARRAY(arena, Column, 2), 2};
    sum->schema.columns[0] = (Column){STR("count_"), TYPE_LONG};
    sum->schema.columns[1] = (Column){STR("sum_d"), TYPE_LONG};
    sum->summarize.aggregates = ARENA_ARRAY(arena, AggregateCall, 2);
    sum->summarize.aggregates[0] = aggregate_of(arena, "count", "", NULL, TYPE_LONG);
    sum->summarize.aggregates[1] =
        aggregate_of(arena, "sum", "value:long", column(arena, leaf, COL_D), TYPE_LONG);
    sum->summarize.aggregate_count = 2;
    Plan *plan = plan_new(arena, PLAN_MV_APPLY, (Span){0});
    plan->input = scan;
    plan->schema = (Schema){ARENA_ARRAY(arena, Column, 3), 3};
    plan->schema.columns[0] = scan->schema.columns[COL_S];
    plan->schema.columns[1] = sum->schema.columns[0];
    plan->schema.columns[2] = sum->schema.columns[1];
    plan->mv_apply.expand = expand;
    plan->mv_apply.subplan = sum;
    plan->mv_apply.carried = ARENA_ARRAY(arena, uint32_t, 3);
    plan->mv_apply.from_subplan = ARENA_ARRAY(arena, uint32_t, 3);
    plan->mv_apply.carried[0] = COL_S;
    plan->mv_apply.carried[1] = plan->mv_apply.carried[2] = UINT32_MAX;
    plan->mv_apply.from_subplan[2] = 1;
    Expected e = {0};
    for (uint32_t i = 0; i < t.count; i++) {
        const Row *row = &t.rows[i];
        int elements = row->d == -1 ? 1 : row->d;
        int64_t count = 0, total = 0;
        for (int at = 0; at < elements; at++)
            if (row->id + at > 100) {
                count++;
                total += row->id + at;
            }
        if (row->d == 0)
            continue;
        expect_row(&e, row, (const int[]){COL_S, -1});
        expect(&e, value_long(count));
        expect(&e, value_long(total));
    }
    check(plan, &e, "mv-apply");
    // What keeps its rows apart: the elements themselves.
    Plan *rows = plan_new(arena, PLAN_MV_APPLY, (Span){0});
    *rows = *plan;
    rows->mv_apply.subplan = sub;
    rows->schema.count = 2;
    rows->schema.columns[1] = expand->schema.columns[COL_D];
    rows->mv_apply.from_subplan[1] = COL_D;
    Expected r = {0};
    for (uint32_t i = 0; i < t.count; i++)
        for (int at = 0; at < (t.rows[i].d == -1 ? 1 : t.rows[i].d); at++)
            if (i + (uint32_t)at > 100) {
                expect_row(&r, &t.rows[i], (const int[]){COL_S, -1});
                expect(&r, value_long(i + (uint32_t)at));
            }
    check(rows, &r, "mv-apply of rows");
    arena_free(&r.arena);
    arena_free(&e.arena);
    arena_free(&t.arena);
}

// ---- window ----

static const FunctionDef *
window_function(const char *name, const char *signature)
{
    for (size_t i = 0; i < WINDOW_FUNCTIONS.count; i++)
        if (strcmp(WINDOW_FUNCTIONS.rows[i].name, name) == 0 &&
            strstr(WINDOW_FUNCTIONS.rows[i].signature, signature))
            return &WINDOW_FUNCTIONS.rows[i];
    fail_msg("no window function %s", name);
    return NULL;
}

// prev(id, 2, -1) + 1, and the running sum of n that starts anew where id > prev(id, 2, -1) + 5.
static void
test_window(void **state)
{
    (void)state;
    Table t = table_new(250, 11);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Expr *prev = call_new(arena, window_function("prev", "T"), TYPE_LONG, 3,
                          column(arena, scan, COL_N), number(arena, 2), number(arena, -1));
    Expr *after = call_new(arena, &ADD, TYPE_LONG, 2, prev, number(arena, 1));
    Expr *restart = call_new(arena, &GREATER, TYPE_BOOL, 2, column(arena, scan, COL_N), after);
    Expr *sum = call_new(arena, window_function("row_cumsum", "term:long"), TYPE_LONG, 2,
                         column(arena, scan, COL_N), restart);
    Plan *plan = pick_plan(arena, scan, (const int[]){COL_ID, COL_N, COL_N, COL_S, -1});
    plan->kind = PLAN_WINDOW;
    plan->window.exprs = plan->project.exprs;
    plan->window.exprs[0] = call_new(arena, window_function("row_number", "start"), TYPE_LONG, 0);
    plan->window.exprs[1] = after;
    plan->window.exprs[2] = sum;
    Expected e = {0};
    int64_t total = 0;
    for (uint32_t i = 0; i < t.count; i++) {
        bool null = i >= 2 && t.rows[i - 2].n_null;
        int64_t value = i >= 2 ? t.rows[i - 2].n + 1 : 0;
        if (!null && !t.rows[i].n_null && t.rows[i].n > value)
            total = 0;
        total += t.rows[i].n;
        expect(&e, value_long(i + 1));
        expect(&e, null ? value_null(TYPE_LONG) : value_long(value));
        expect(&e, value_long(total));
        expect_row(&e, &t.rows[i], (const int[]){COL_S, -1});
    }
    check(plan, &e, "window");
    arena_free(&e.arena);
    arena_free(&t.arena);
}

// ---- parse ----

static Plan *
parse_plan(Arena *arena, const char *const *texts, uint32_t count, ParseMode mode, ParsePart *parts,
           uint32_t part_count, bool drop)
{
    Batch *batch = batch_new(arena, 1, count);
    Vector *v = vector_new_flat(arena, TYPE_STRING, count);
    for (uint32_t i = 0; i < count; i++)
        ((Text *)v->data)[i] = text_copy(arena, str_from(texts[i]));
    batch->columns[0] = v;
    Plan *values = plan_new(arena, PLAN_VALUES, (Span){0});
    values->schema = (Schema){ARENA_ARRAY(arena, Column, 1), 1};
    values->schema.columns[0] = (Column){STR("t"), TYPE_STRING};
    values->values.batches = ARENA_ARRAY(arena, Batch *, 1);
    values->values.batches[0] = batch;
    values->values.count = 1;
    Plan *plan = plan_new(arena, PLAN_PARSE, (Span){0});
    plan->input = values;
    plan->schema = (Schema){ARENA_ARRAY(arena, Column, part_count + 1), 0};
    plan->parse.carried = ARENA_ARRAY(arena, uint32_t, part_count + 1);
    for (uint32_t i = 0; i < part_count; i++)
        if (!parts[i].is_text && parts[i].column >= 0) {
            plan->parse.carried[parts[i].column] = UINT32_MAX;
            plan->schema.columns[parts[i].column] = (Column){STR("p"), parts[i].type};
            plan->schema.count++;
        }
    plan->parse.text = column(arena, values, 0);
    plan->parse.mode = mode;
    plan->parse.parts = parts;
    plan->parse.part_count = part_count;
    plan->parse.drop_misses = drop;
    return plan;
}

#define TEXT_PART(text)                                                                            \
    {                                                                                              \
        true, STR_INIT(text), -1, TYPE_NONE                                                        \
    }
#define STAR_PART                                                                                  \
    {                                                                                              \
        false, STR_INIT(""), -1, TYPE_NONE                                                         \
    }

static void
test_parse(void **state)
{
    (void)state;
    static const char *const texts[] = {"x name=ann, age=31 end", "name=bob, age=old end",
                                        "nothing", "a name=, age=-7,8 end", "name=z, age=5 ends"};
    ParsePart parts[] = {
        STAR_PART,
        TEXT_PART("name="),
        {false, STR_INIT(""), 0, TYPE_STRING},
        TEXT_PART(", age="),
        {false, STR_INIT(""), 1, TYPE_LONG},
        STAR_PART,
        TEXT_PART(" end"),
    };
    struct {
        ParseMode mode;
        bool drop;
        const char *names[5];
        int64_t ages[5]; // 0 = null
        int rows;
    } cases[] = {
        {PARSE_SIMPLE, false, {"ann", "", "", "", ""}, {31, 0, 0, -7, 0}, 5},
        {PARSE_SIMPLE, true, {"ann", ""}, {31, -7}, 2},
        {PARSE_RELAXED, false, {"ann", "bob", "", "", ""}, {31, 0, 0, -7, 0}, 5},
        {PARSE_REGEX, false, {"ann", "", "", "", ""}, {31, 0, 0, -7, 0}, 5},
        {PARSE_REGEX, true, {"ann", ""}, {31, -7}, 2},
    };
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        Arena arena = {0};
        Expected e = {0};
        for (int i = 0; i < cases[k].rows; i++) {
            expect(&e, value_string(str_from(cases[k].names[i])));
            expect(&e, cases[k].ages[i] ? value_long(cases[k].ages[i]) : value_null(TYPE_LONG));
        }
        check(parse_plan(&arena, texts, COUNT_OF(texts), cases[k].mode, parts, COUNT_OF(parts),
                         cases[k].drop),
              &e, "parse");
        arena_free(&e.arena);
        arena_free(&arena);
    }
}

// ---- sample, make-series ----

static void
test_sample(void **state)
{
    (void)state;
    Table t = table_new(400, 12);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *plan = plan_new(arena, PLAN_SAMPLE, (Span){0});
    plan->input = scan;
    plan->schema = scan->schema;
    plan->sample.count = 17;
    AzError error = {0};
    Expected e = {0};
    ResultTable *table = exec_run(arena, plan, &(ExecOptions){.now = 1}, &error);
    assert_non_null(table);
    assert_int_equal(table->row_count, 17);
    int64_t last = -1;
    for (uint32_t b = 0; b < table->batch_count; b++)
        for (uint32_t i = 0; i < table->batches[b]->count; i++) {
            int64_t id = vector_value(table->batches[b]->columns[0], i).int64;
            assert_true(id > last); // different rows, in the order of the input
            last = id;
            expect_row(&e, &t.rows[id], (const int[]){COL_ID, COL_N, COL_R, COL_S, COL_D, -1});
        }
    // The same rows on many threads. (Other batch sizes number the rows otherwise.)
    table = exec_run(arena, plan, &(ExecOptions){.now = 1, .threads = pool}, &error);
    assert_non_null(table);
    assert_table(table, &e, "sample");
    arena_free(&e.arena);
    arena_free(&t.arena);
}

static void
test_make_series(void **state)
{
    (void)state;
    Table t = table_new(350, 13);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *plan = plan_new(arena, PLAN_MAKE_SERIES, (Span){0});
    plan->input = scan;
    plan->schema = (Schema){ARENA_ARRAY(arena, Column, 3), 3};
    plan->schema.columns[0] = scan->schema.columns[COL_S];
    plan->schema.columns[1] = (Column){STR("count_"), TYPE_DYNAMIC};
    plan->schema.columns[2] = (Column){STR("id"), TYPE_DYNAMIC};
    plan->make_series.aggregates = ARENA_ARRAY(arena, AggregateCall, 1);
    plan->make_series.aggregates[0] = aggregate_of(arena, "count", "", NULL, TYPE_LONG);
    plan->make_series.aggregate_count = 1;
    plan->make_series.axis = column(arena, scan, COL_ID);
    plan->make_series.from = number(arena, 5);
    plan->make_series.to = number(arena, 301);
    plan->make_series.step = number(arena, 10);
    plan->make_series.keys = ARENA_ARRAY(arena, Expr *, 1);
    plan->make_series.keys[0] = column(arena, scan, COL_S);
    plan->make_series.key_count = 1;
    Expected e = {0};
    DynBuilder *builder = dyn_builder_new();
    for (uint32_t i = 5; i < 301; i++) {
        bool first = true;
        for (uint32_t j = 5; j < i; j++)
            first = first && strcmp(t.rows[i].s, t.rows[j].s) != 0;
        if (!first)
            continue;
        expect_row(&e, &t.rows[i], (const int[]){COL_S, -1});
        for (int axis = 0; axis < 2; axis++) {
            dyn_builder_reset(builder);
            dyn_begin_array(builder);
            for (uint32_t bin = 5; bin < 301; bin += 10) {
                int64_t count = 0;
                for (uint32_t j = bin; j < bin + 10 && j < 301; j++)
                    count += strcmp(t.rows[i].s, t.rows[j].s) == 0;
                dyn_push_long(builder, axis ? bin : count);
            }
            dyn_end_array(builder);
            Value value = {.type = TYPE_DYNAMIC};
            assert_true(dyn_finish_text(builder, &e.arena, &value.text, &value.is_null));
            expect(&e, value);
        }
    }
    dyn_builder_free(builder);
    check(plan, &e, "make-series");
    arena_free(&e.arena);
    arena_free(&t.arena);
}

// ---- sub-queries, limits, errors ----

static void
test_subquery(void **state)
{
    (void)state;
    Table t = table_new(100, 14);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Expr *sub = ARENA_NEW(arena, Expr);
    sub->kind = EXPR_SUBQUERY;
    sub->type = TYPE_LONG;
    sub->shape = SUBQUERY_SCALAR;
    sub->plan = range_plan(arena, 60, 70, 1);
    Plan *plan = filter_plan(
        arena, scan, call_new(arena, &GREATER, TYPE_BOOL, 2, column(arena, scan, COL_ID), sub));
    Expected e = {0};
    for (uint32_t i = 61; i < t.count; i++)
        expect_row(&e, &t.rows[i], (const int[]){COL_ID, COL_N, COL_R, COL_S, COL_D, -1});
    check(plan, &e, "toscalar()");
    // As an array: the distinct values.
    Expr *array = ARENA_NEW(arena, Expr);
    *array = *sub;
    array->type = TYPE_DYNAMIC;
    array->shape = SUBQUERY_ARRAY;
    array->plan = pick_plan(arena, scan, (const int[]){COL_N, -1});
    Plan *one = pick_plan(arena, range_plan(arena, 1, 1, 1), (const int[]){0, -1});
    one->project.exprs[0] = array;
    one->schema.columns[0].type = TYPE_DYNAMIC;
    AzError error = {0};
    ResultTable *table = exec_run(arena, one, &(ExecOptions){.now = 1}, &error);
    assert_non_null(table);
    Value value = vector_value(table->batches[0]->columns[0], 0);
    Dyn values = dyn_of_text(&value.text);
    bool seen[9] = {false};
    for (uint32_t i = 0; i < dyn_count(values); i++) {
        int64_t n = dyn_long(dyn_at(values, i));
        assert_in_range(n + 4, 0, 8);
        assert_false(seen[n + 4]);
        seen[n + 4] = true;
    }
    for (uint32_t i = 0; i < t.count; i++)
        assert_true(t.rows[i].n_null || seen[t.rows[i].n + 4]);
    arena_free(&e.arena);
    arena_free(&t.arena);
}

static void
test_limits(void **state)
{
    (void)state;
    Table t = table_new(3000, 15);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    Plan *plans[] = {
        scan,
        summarize_plan(arena, scan, (const int[]){COL_ID, -1}),
        join_plan(arena, scan, scan, JOIN_INNER, (const int[]){COL_N, -1}),
    };
    for (size_t i = 0; i < COUNT_OF(plans); i++)
        for (int threads = 0; threads < 2; threads++) {
            Arena run = {0};
            Budget budget = {.limit = 100000};
            _Atomic bool cancel = true;
            ExecOptions options = {.threads = threads ? pool : NULL, .budget = &budget, .now = 1};
            AzError error = {0};
            assert_null(exec_run(&run, plans[i], &options, &error));
            assert_int_equal(error.code, AZ_LIMIT);
            assert_int_equal(budget.used, 0);
            error_clear(&error);
            options = (ExecOptions){.threads = options.threads, .cancel = &cancel};
            assert_null(exec_run(&run, plans[i], &options, &error));
            assert_int_equal(error.code, AZ_CANCELLED);
            error_clear(&error);
            options = (ExecOptions){.threads = options.threads, .deadline_ns = 1};
            assert_null(exec_run(&run, plans[i], &options, &error));
            assert_int_equal(error.code, AZ_LIMIT);
            arena_free(&run);
        }
    arena_free(&t.arena);
}

// A source whose morsels 3 and 5 are damaged: the error is that of the first.
static const Vector *
damaged_read(const TableSource *source, uint32_t morsel, uint32_t c, uint32_t from, uint32_t count,
             Arena *arena, AzError *error)
{
    if (morsel == 3 || morsel == 5) {
        error_set(error, AZ_CORRUPT, "morsel %u", morsel);
        return NULL;
    }
    const TableSource *memory = source->context;
    return memory->read(memory, morsel, c, from, count, arena, error);
}

static uint32_t
damaged_rows(const TableSource *source, uint32_t morsel)
{
    const TableSource *memory = source->context;
    return memory->morsel_rows(memory, morsel);
}

static void
test_errors(void **state)
{
    (void)state;
    Table t = table_new(2000, 16);
    Arena *arena = &t.arena;
    Plan *scan = scan_plan(arena, &t);
    TableSource source = *scan->scan.source;
    source.context = scan->scan.source;
    source.read = damaged_read;
    source.morsel_rows = damaged_rows;
    Plan *plan = plan_new(arena, PLAN_SCAN, (Span){0});
    *plan = *scan;
    plan->scan.source = &source;
    batch_rows = 7;
    for (int round = 0; round < 20; round++) {
        Arena run = {0};
        AzError error = {0};
        assert_null(exec_run(&run, plan, &(ExecOptions){.threads = round ? pool : NULL}, &error));
        assert_int_equal(error.code, AZ_CORRUPT);
        assert_string_equal(error.message, "morsel 3");
        arena_free(&run);
    }
    batch_rows = BATCH_ROWS_MAX;
    arena_free(&t.arena);
}

static void
test_fold(void **state)
{
    (void)state;
    Arena arena = {0};
    AzError error = {0};
    Value out;
    Value text = value_string(STR("a text of more than twelve bytes"));
    Expr *expr =
        call_new(&arena, &ADD, TYPE_LONG, 2, number(&arena, 40),
                 call_new(&arena, &LENGTH, TYPE_LONG, 1, expr_const(&arena, &text, (Span){0})));
    assert_true(exec_fold(&arena, expr, 1, &out, &error));
    assert_int_equal(out.int64, 72);
    Value null = value_null(TYPE_LONG);
    expr->args[0] = expr_const(&arena, &null, (Span){0});
    assert_true(exec_fold(&arena, expr, 1, &out, &error));
    assert_true(out.is_null);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter),       cmocka_unit_test(test_project),
        cmocka_unit_test(test_volatile),     cmocka_unit_test(test_summarize),
        cmocka_unit_test(test_many_groups),  cmocka_unit_test(test_sort),
        cmocka_unit_test(test_top_prunes),   cmocka_unit_test(test_join),
        cmocka_unit_test(test_take),         cmocka_unit_test(test_range),
        cmocka_unit_test(test_union_shared), cmocka_unit_test(test_mv_expand),
        cmocka_unit_test(test_mv_apply),     cmocka_unit_test(test_window),
        cmocka_unit_test(test_parse),        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_make_series),  cmocka_unit_test(test_subquery),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_errors),
        cmocka_unit_test(test_fold),
    };
    pool = thread_pool_new(4);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    thread_pool_free(pool);
    return failed;
}
