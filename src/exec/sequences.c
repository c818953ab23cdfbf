// scan: a walk over rows in order, through the steps of sequences.
//
// Each step keeps the latest record of itself and of the steps before it, and the number
// of the match. A record is tried against the steps from the last to the first: it may
// promote the state of the step before to this one (check 1), or repeat this one
// (check 2), as the page of the operator says.
//
// A record is the number of an input row and the values of the columns that steps
// assign. What of a condition does not look at the state is evaluated for whole batches
// beforehand; only where that holds are the rest of it, and the assignments, evaluated
// for the row alone.

#include "base/array.h"
#include "exec/internal.h"

enum { RECORD_NONE = UINT32_MAX, TEXTS_SLACK = 1 << 20, CHARGE_BYTES = 4 << 20 };

// An expression that is evaluated a row at a time, with the wide columns it reads.
typedef struct RowExpr {
    Expr *expr;
    uint32_t *columns;
    uint32_t count;
} RowExpr;

typedef struct Step {
    const SequenceStep *plan;
    Expr *gate;        // over the record alone, evaluated beforehand; NULL = always true
    RowExpr condition; // the rest; expr NULL = none
    RowExpr *assigned; // one a slot; expr NULL = not assigned
    uint8_t *open;     // of each row: whether the gate lets it in
} Step;

typedef struct Record {
    uint32_t row;  // RECORD_NONE: there is none
    Value *values; // one a slot
} Record;

typedef struct State {
    bool active;
    int64_t match;
    Record *records; // of the steps up to this one
    Record pending;  // output=last: what comes out when the repeats end
    int64_t pending_match;
} State;

typedef struct Sequences {
    Exec *exec;
    Worker *worker;
    const Plan *plan;
    Batch *input;
    uint32_t record_columns; // of the input, and declared
    Step *steps;
    State *states;
    uint32_t count, slots;
    uint32_t *slot_of; // column -> slot, UINT32_MAX = none
    Value *defaults;   // of the declared columns
    Value *fresh;      // the values of the record that is being made
    int64_t matches;
    // Texts of the values that states hold; copied to a new arena when most is stale.
    Arena texts;
    size_t texts_live;
    size_t charged; // bytes of answer and state when the budget was last asked
    // The answer so far, and the rows that are gathered for the next batch of it.
    uint32_t *rows, row_count;
    VectorBuilder *builders; // slots, then the match
    struct {
        Batch **items;
        size_t len, cap;
    } out;
    uint64_t out_rows;
} Sequences;

// ---- preparation ----

static bool
reads_state(const Expr *expr, uint32_t record_columns)
{
    if (expr->kind == EXPR_COLUMN)
        return expr->column >= record_columns;
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        if (reads_state(expr->args[i], record_columns))
            return true;
    return false;
}

static Expr *
conjunction(Sequences *s, const FunctionDef *fn, Expr *left, Expr *right)
{
    if (!left)
        return right;
    Expr *both = ARENA_NEW(s->exec->arena, Expr);
    *both = (Expr){.kind = EXPR_CALL, .type = TYPE_BOOL, .span = right->span, .fn = fn};
    both->args = ARENA_ARRAY(s->exec->arena, Expr *, 2);
    both->args[0] = left;
    both->args[1] = right;
    both->arg_count = 2;
    return both;
}

// Divides a condition into what looks at the state and what does not.
static void
divide(Sequences *s, Expr *expr, const FunctionDef *fn, Expr **gate, Expr **rest)
{
    if (expr->kind == EXPR_CALL && strcmp(expr->fn->name, "and") == 0 && expr->arg_count == 2) {
        divide(s, expr->args[0], expr->fn, gate, rest);
        divide(s, expr->args[1], expr->fn, gate, rest);
        return;
    }
    Expr **part = reads_state(expr, s->record_columns) ? rest : gate;
    *part = conjunction(s, fn, *part, expr);
}

static void
collect_columns(Arena *arena, const Expr *expr, RowExpr *out, uint8_t *seen)
{
    if (expr->kind == EXPR_COLUMN && !seen[expr->column]) {
        seen[expr->column] = 1;
        out->columns[out->count++] = expr->column;
    }
    for (uint32_t i = 0; expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        collect_columns(arena, expr->args[i], out, seen);
}

static RowExpr
row_expr(Sequences *s, Expr *expr)
{
    RowExpr out = {.expr = expr};
    uint32_t wide = s->record_columns * (s->count + 1);
    if (!expr)
        return out;
    uint8_t *seen = ARENA_ARRAY(s->exec->arena, uint8_t, wide);
    out.columns = ARENA_ARRAY(s->exec->arena, uint32_t, wide);
    collect_columns(s->exec->arena, expr, &out, seen);
    return out;
}

static bool
prepare_step(Sequences *s, uint32_t number, AzError *error)
{
    const SequenceStep *plan = &s->plan->sequences.steps[number];
    Arena *arena = s->exec->arena;
    Step *step = &s->steps[number];
    step->plan = plan;
    Expr *condition = resolve_subqueries(s->exec, plan->condition, error);
    if (!condition)
        return false;
    Expr *rest = NULL;
    divide(s, condition, NULL, &step->gate, &rest);
    step->condition = row_expr(s, rest);
    step->assigned = ARENA_ARRAY(arena, RowExpr, s->slots);
    for (uint32_t i = 0; i < s->slots; i++) {
        if (!plan->assigned[i])
            continue;
        Expr *value = resolve_subqueries(s->exec, plan->assigned[i], error);
        if (!value)
            return false;
        step->assigned[i] = row_expr(s, value);
    }
    return true;
}

static void
prepare_states(Sequences *s)
{
    Arena *arena = s->exec->arena;
    s->states = ARENA_ARRAY(arena, State, s->count);
    for (uint32_t k = 0; k < s->count; k++) {
        State *state = &s->states[k];
        state->records = ARENA_ARRAY(arena, Record, k + 1);
        for (uint32_t j = 0; j <= k; j++)
            state->records[j] = (Record){RECORD_NONE, ARENA_ARRAY(arena, Value, s->slots)};
        state->pending = (Record){RECORD_NONE, ARENA_ARRAY(arena, Value, s->slots)};
    }
    s->fresh = ARENA_ARRAY(arena, Value, s->slots);
    s->defaults = ARENA_ARRAY(arena, Value, s->plan->sequences.declared);
    for (uint32_t i = 0; i < s->plan->sequences.declared; i++)
        s->defaults[i] = s->plan->sequences.defaults[i]->value;
    s->slot_of = ARENA_ARRAY(arena, uint32_t, s->record_columns);
    memset(s->slot_of, 0xFF, s->record_columns * sizeof(uint32_t));
    for (uint32_t i = 0; i < s->slots; i++)
        s->slot_of[s->plan->sequences.slots[i]] = i;
}

// ---- values ----

// Column `c` of a record as a vector of one row, in the batch's arena.
static const Vector *
record_cell(Sequences *s, const Record *record, uint32_t c)
{
    Arena *arena = &s->worker->batch;
    uint32_t input_columns = s->input->column_count, slot = s->slot_of[c];
    bool absent = record && record->row == RECORD_NONE;
    if (record && !absent && slot != UINT32_MAX)
        return vector_new_const(arena, &record->values[slot], 1);
    if (c >= input_columns)
        return vector_new_const(arena, &s->defaults[c - input_columns], 1);
    if (absent) {
        Value none = value_null(s->plan->input->schema.columns[c].type);
        return vector_new_const(arena, &none, 1);
    }
    return NULL;
}

// The expression's value for input row `row`, in the state `records` (of `known` steps).
static bool
row_value(Sequences *s, const RowExpr *expr, uint32_t row, const Record *records, uint32_t known,
          Value *out)
{
    Worker *worker = s->worker;
    arena_reset(&worker->batch);
    Batch *one = batch_new(&worker->batch, s->record_columns * (s->count + 1), 1);
    static const Record NONE = {.row = RECORD_NONE};
    for (uint32_t i = 0; i < expr->count; i++) {
        uint32_t column = expr->columns[i];
        uint32_t step = column / s->record_columns, c = column % s->record_columns;
        const Record *record = step == 0 ? NULL : step <= known ? &records[step - 1] : &NONE;
        const Vector *cell = record_cell(s, record, c);
        if (!cell)
            cell =
                vector_slice(&worker->batch, s->input->columns[c], record ? record->row : row, 1);
        one->columns[column] = cell;
    }
    const Vector *value = evaluate(worker, expr->expr, one);
    if (!value)
        return false;
    *out = vector_value(value, 0);
    return true;
}

// Keeps a value's bytes beyond the batch.
static Value
keep_value(Sequences *s, Value value)
{
    if (type_is_text(value.type) && !value.is_null)
        value.text = text_copy(&s->texts, text_str(&value.text));
    return value;
}

static void
recopy(Sequences *s, Arena *into, Record *record)
{
    for (uint32_t i = 0; i < s->slots; i++)
        if (record->row != RECORD_NONE && type_is_text(record->values[i].type) &&
            !record->values[i].is_null)
            record->values[i].text = text_copy(into, text_str(&record->values[i].text));
}

// Once most texts are of records that were replaced, those that live move.
static void
compact_texts(Sequences *s)
{
    if (s->texts.allocated < 2 * s->texts_live + TEXTS_SLACK)
        return;
    Arena fresh = {0};
    for (uint32_t k = 0; k < s->count; k++) {
        for (uint32_t j = 0; j <= k; j++)
            recopy(s, &fresh, &s->states[k].records[j]);
        recopy(s, &fresh, &s->states[k].pending);
    }
    arena_free(&s->texts);
    s->texts = fresh;
    s->texts_live = fresh.allocated;
}

// ---- the answer ----

static void
flush(Sequences *s)
{
    if (!s->row_count)
        return;
    Arena *keep = &s->worker->keep;
    const Schema *schema = &s->plan->schema;
    Batch *batch = batch_new(keep, schema->count, s->row_count);
    for (uint32_t c = 0; c < s->record_columns; c++) {
        if (s->slot_of[c] != UINT32_MAX)
            batch->columns[c] =
                vector_builder_cut(&s->builders[s->slot_of[c]], keep, 0, s->row_count);
        else if (c < s->input->column_count)
            batch->columns[c] = vector_gather(keep, s->input->columns[c], s->rows, s->row_count);
        else
            batch->columns[c] =
                vector_new_const(keep, &s->defaults[c - s->input->column_count], s->row_count);
    }
    if (s->plan->sequences.match_id)
        batch->columns[s->record_columns] =
            vector_builder_cut(&s->builders[s->slots], keep, 0, s->row_count);
    for (uint32_t i = 0; i <= s->slots; i++)
        vector_builder_clear(&s->builders[i]);
    ARRAY_PUSH(keep, &s->out, batch);
    s->out_rows += s->row_count;
    s->row_count = 0;
}

static void
emit(Sequences *s, uint32_t row, const Value *values, int64_t match)
{
    Arena *keep = &s->worker->keep;
    for (uint32_t i = 0; i < s->slots; i++)
        vector_builder_value(&s->builders[i], keep, &values[i]);
    Value number = value_long(match);
    vector_builder_value(&s->builders[s->slots], keep, &number);
    s->rows[s->row_count++] = row;
    if (s->row_count == batch_rows)
        flush(s);
}

static void
emit_pending(Sequences *s, State *state)
{
    if (state->pending.row == RECORD_NONE)
        return;
    emit(s, state->pending.row, state->pending.values, state->pending_match);
    state->pending.row = RECORD_NONE;
}

// ---- the walk ----

static bool
holds(Sequences *s, const Step *step, uint32_t row, const Record *records, uint32_t known,
      bool *out)
{
    *out = true;
    if (!step->condition.expr)
        return true;
    Value value;
    if (!row_value(s, &step->condition, row, records, known, &value))
        return false;
    *out = !value.is_null && value.boolean;
    return true;
}

// Texts may grow with every row: the budget is asked by bytes as well as by rows.
static bool
charge(Sequences *s)
{
    s->charged = s->worker->keep.allocated + s->texts.allocated;
    return worker_check(s->worker) && worker_charge(s->worker, "the rows of scan") &&
           worker_reserve(s->worker, s->texts.allocated, "the state of scan");
}

// The record joins step k, whose earlier steps are in place: its assignments are
// evaluated, it is put out and it becomes the step's latest.
static bool
accept(Sequences *s, uint32_t k, uint32_t row)
{
    Step *step = &s->steps[k];
    State *state = &s->states[k];
    for (uint32_t i = 0; i < s->slots; i++) {
        uint32_t column = s->plan->sequences.slots[i];
        if (step->assigned[i].expr) {
            if (!row_value(s, &step->assigned[i], row, state->records, k + 1, &s->fresh[i]))
                return false;
            s->fresh[i] = keep_value(s, s->fresh[i]);
        } else if (column < s->input->column_count) {
            s->fresh[i] = vector_value(s->input->columns[column], row);
        } else {
            s->fresh[i] = s->defaults[column - s->input->column_count];
        }
    }
    Record *latest = &state->records[k];
    latest->row = row;
    for (uint32_t i = 0; i < s->slots; i++)
        latest->values[i] = s->fresh[i];
    state->active = true;
    if (step->plan->output == SEQUENCE_ALL) {
        emit(s, row, latest->values, state->match);
    } else if (step->plan->output == SEQUENCE_LAST) {
        state->pending.row = row;
        state->pending_match = state->match;
        for (uint32_t i = 0; i < s->slots; i++)
            state->pending.values[i] = latest->values[i];
    }
    compact_texts(s);
    size_t bytes = s->worker->keep.allocated + s->texts.allocated;
    return bytes < s->charged + CHARGE_BYTES || charge(s);
}

// The state that check 1 of step k may promote: the step before, or one further back
// when those between are optional. -1 = none is active.
static ptrdiff_t
state_before(const Sequences *s, uint32_t k)
{
    for (ptrdiff_t j = (ptrdiff_t)k - 1; j >= 0; j--) {
        if (s->states[j].active)
            return j;
        if (!s->steps[j].plan->optional)
            return -1;
    }
    return -1;
}

static void
promote(Sequences *s, uint32_t from, uint32_t to)
{
    State *a = &s->states[from], *z = &s->states[to];
    emit_pending(s, z); // the sequence it had ends here
    emit_pending(s, a);
    for (uint32_t j = 0; j <= to; j++) {
        z->records[j].row = j <= from ? a->records[j].row : RECORD_NONE;
        for (uint32_t i = 0; j <= from && i < s->slots; i++)
            z->records[j].values[i] = a->records[j].values[i];
    }
    for (uint32_t j = 0; j <= from; j++)
        a->records[j].row = RECORD_NONE;
    z->match = a->match;
    a->active = false;
}

static bool
try_step(Sequences *s, uint32_t k, uint32_t row)
{
    Step *step = &s->steps[k];
    State *state = &s->states[k];
    if (step->open && !step->open[row])
        return true;
    bool matches;
    ptrdiff_t before = state_before(s, k);
    if (before >= 0) {
        if (!holds(s, step, row, s->states[before].records, (uint32_t)before + 1, &matches))
            return false;
        if (matches) {
            promote(s, (uint32_t)before, k);
            return accept(s, k, row);
        }
    }
    bool may_start = true; // a sequence begins at the first step, or behind optional ones
    for (uint32_t j = 0; j < k; j++)
        may_start = may_start && s->steps[j].plan->optional;
    if (!state->active && !may_start)
        return true;
    if (!holds(s, step, row, state->records, k + 1, &matches))
        return false;
    if (!matches)
        return true;
    if (!state->active)
        state->match = s->matches++;
    return accept(s, k, row);
}

static bool
walk(Sequences *s)
{
    for (uint32_t row = 0; row < s->input->count; row++) {
        if (row % 1024 == 0 && !charge(s))
            return false;
        for (uint32_t k = s->count; k > 0; k--)
            if (!try_step(s, k - 1, row))
                return false;
    }
    // What was held back for output=last comes out in the order of the rows.
    for (;;) {
        State *next = NULL;
        for (uint32_t k = 0; k < s->count; k++)
            if (s->states[k].pending.row != RECORD_NONE &&
                (!next || s->states[k].pending.row < next->pending.row))
                next = &s->states[k];
        if (!next)
            break;
        emit_pending(s, next);
    }
    flush(s);
    return worker_charge(s->worker, "the rows of scan");
}

// Evaluates the gates for all rows: a record's declared columns have their defaults.
static bool
open_gates(Sequences *s)
{
    Worker *worker = s->worker;
    for (uint32_t k = 0; k < s->count; k++) {
        Step *step = &s->steps[k];
        if (!step->gate)
            continue;
        step->open = ARENA_ARRAY(&worker->keep, uint8_t, s->input->count);
        for (uint32_t from = 0; from < s->input->count; from += batch_rows) {
            uint32_t count =
                s->input->count - from < batch_rows ? s->input->count - from : batch_rows;
            arena_reset(&worker->batch);
            Batch *batch = batch_new(&worker->batch, s->record_columns, count);
            for (uint32_t c = 0; c < s->record_columns; c++)
                batch->columns[c] =
                    c < s->input->column_count
                        ? vector_slice(&worker->batch, s->input->columns[c], from, count)
                        : vector_new_const(&worker->batch, &s->defaults[c - s->input->column_count],
                                           count);
            const Vector *truth = worker_check(worker) ? evaluate(worker, step->gate, batch) : NULL;
            if (!truth)
                return false;
            uint32_t *rows = arena_alloc_array(&worker->batch, count, sizeof(uint32_t));
            uint32_t found = truth_rows(truth, count, rows);
            for (uint32_t i = 0; i < found; i++)
                step->open[from + rows[i]] = 1;
        }
        if (!worker_charge(worker, "the rows of scan"))
            return false;
    }
    return true;
}

ResultTable *
run_sequences(Exec *exec, const Plan *plan, AzError *error)
{
    ResultTable *table = exec_collect(exec, plan->input, error);
    Sequences s = {.exec = exec, .worker = &exec->workers[0], .plan = plan};
    s.input = table ? result_concat(exec, table, false, error) : NULL;
    if (!s.input)
        return NULL;
    s.record_columns = s.input->column_count + plan->sequences.declared;
    s.count = plan->sequences.step_count;
    s.slots = plan->sequences.slot_count;
    s.steps = ARENA_ARRAY(exec->arena, Step, s.count);
    for (uint32_t k = 0; k < s.count; k++)
        if (!prepare_step(&s, k, error))
            return NULL;
    prepare_states(&s);
    s.rows = arena_alloc_array(exec->arena, batch_rows, sizeof(uint32_t));
    s.builders = ARENA_ARRAY(exec->arena, VectorBuilder, s.slots + 1);
    const Schema *schema = &plan->schema;
    for (uint32_t i = 0; i < s.slots; i++)
        vector_builder_init(&s.builders[i], schema->columns[plan->sequences.slots[i]].type);
    vector_builder_init(&s.builders[s.slots], TYPE_LONG);
    bool done = open_gates(&s) && walk(&s);
    for (uint32_t i = 0; i <= s.slots; i++)
        vector_builder_free(&s.builders[i]);
    arena_free(&s.texts);
    if (!done)
        return exec_first_error(exec, error), NULL;
    ResultTable *result = ARENA_NEW(exec->arena, ResultTable);
    *result = (ResultTable){.schema = *schema,
                            .batches = s.out.items,
                            .batch_count = (uint32_t)s.out.len,
                            .row_count = s.out_rows};
    return result;
}
