// scan: sequences of rows that match steps.
//
// The expressions of the steps see the record (the input's columns and the declared
// ones) and, as `step.column`, the latest record of each step: one wide row, in which
// the record's columns come first and then once more for each step.

#include "kql/bind_state.h"

enum { STEPS_MAX = 256 };

static bool
declare_columns(Binder *b, const AstOperator *step, Plan *plan, ColumnNamer *namer)
{
    plan->sequences.declared = (uint32_t)step->declared_count;
    plan->sequences.defaults = ARENA_ARRAY(b->arena, Expr *, step->declared_count);
    for (size_t i = 0; i < step->declared_count; i++) {
        const AstParameter *column = &step->declared[i];
        if (column->is_table)
            return bind_fail(b, column->name.span, "scan declares columns, not tables");
        Expr *value;
        if (column->default_) {
            value = bind_constant(b, column->default_, column->type, "the default of a column");
            if (value && value->kind != EXPR_CONST)
                return bind_fail(b, column->name.span,
                                 "the default of a column must be a constant");
        } else {
            Value none = value_null(column->type);
            value = expr_const(b->arena, &none, column->name.span);
        }
        if (!value || !namer_add(b, namer, &column->name, STR(""), column->type))
            return false;
        plan->sequences.defaults[i] = value;
    }
    return true;
}

// The record's columns, then those of each step's state. Only the record's can be named
// alone: the others bear a name that cannot be written.
static Schema
wide_schema(Binder *b, const Schema *record, uint32_t steps)
{
    uint32_t count = record->count * (steps + 1);
    Schema wide = {ARENA_ARRAY(b->arena, Column, count), count};
    for (uint32_t i = 0; i < count; i++) {
        wide.columns[i] = record->columns[i % record->count];
        if (i >= record->count)
            wide.columns[i].name = str_format(b->arena, "\x01%u", i);
    }
    return wide;
}

static bool
check_step_names(Binder *b, const AstOperator *step)
{
    if (!step->steps.len)
        return bind_fail(b, step->span, "scan needs at least one step");
    if (step->steps.len > STEPS_MAX)
        return bind_fail(b, step->span, "scan takes at most %d steps", STEPS_MAX);
    for (size_t s = 0; s < step->steps.len; s++)
        for (size_t k = 0; k < s; k++)
            if (str_equal(step->steps.items[s].name.text, step->steps.items[k].name.text))
                return bind_fail(b, step->steps.items[s].name.span,
                                 "a step named '%.*s' is already there",
                                 STR_ARG(step->steps.items[s].name.text));
    return true;
}

// The slot of a column that steps assign, added when it is new.
static uint32_t
find_slot(Plan *plan, uint32_t column)
{
    for (uint32_t i = 0; i < plan->sequences.slot_count; i++)
        if (plan->sequences.slots[i] == column)
            return i;
    plan->sequences.slots[plan->sequences.slot_count] = column;
    return plan->sequences.slot_count++;
}

// Which column an assignment means: its name, or what the expression would be called.
static bool
assigned_column(Binder *b, const AstItem *item, const Row *row, const Schema *record, uint32_t *out)
{
    Str name = item->name_count == 1 ? item->names[0].text : default_name(b, item->expr);
    if (item->name_count > 1 || !name.len)
        return bind_fail(b, item->span, "a step assigns to one column: column = value");
    ptrdiff_t at = schema_find(record, name);
    if (at < 0 && row->ignore_case)
        at = schema_find_ci(record, name);
    if (at < 0)
        return bind_fail(b, item->span,
                         "there is no column '%.*s' to assign to: declare it before the steps, "
                         "scan declare (%.*s: type) with (...)",
                         STR_ARG(name), STR_ARG(name));
    *out = (uint32_t)at;
    return true;
}

static bool
bind_step(Binder *b, const AstScanStep *ast, Row *row, const Schema *record, Plan *plan,
          uint32_t number)
{
    SequenceStep *out = &plan->sequences.steps[number];
    out->optional = ast->optional;
    out->output = str_equal(ast->output, STR("last"))   ? SEQUENCE_LAST
                  : str_equal(ast->output, STR("none")) ? SEQUENCE_NONE
                                                        : SEQUENCE_ALL;
    out->condition = bind_predicate(b, ast->condition, row);
    if (!out->condition)
        return false;
    out->assigned = ARENA_ARRAY(b->arena, Expr *, record->count);
    for (size_t i = 0; i < ast->assignments.len; i++) {
        const AstItem *item = &ast->assignments.items[i];
        uint32_t column = 0;
        if (!assigned_column(b, item, row, record, &column))
            return false;
        Expr *value = bind_expression(b, item->expr, row);
        value = bind_convert(b, value, record->columns[column].type);
        if (!value)
            return false;
        uint32_t slot = find_slot(plan, column);
        if (out->assigned[slot])
            return bind_fail(b, item->span, "the step assigns to '%.*s' twice",
                             STR_ARG(record->columns[column].name));
        out->assigned[slot] = value;
    }
    if (row->uses_window)
        return bind_fail(b, ast->name.span,
                         "a step cannot look at other rows with window functions: use the state, "
                         "%.*s.column",
                         STR_ARG(ast->name.text));
    return true;
}

static Plan *
bind_steps(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = bind_plan(b, PLAN_SEQUENCES, step->span);
    if (!plan || !check_step_names(b, step))
        return NULL;
    if (!input->serialized) {
        bind_fail(b, step->span,
                  "scan needs rows in a defined order: put sort, top or serialize before");
        return NULL;
    }
    ColumnNamer namer = {.arena = b->arena};
    for (uint32_t c = 0; c < input->schema.count; c++)
        ARRAY_PUSH(b->arena, &namer, input->schema.columns[c]);
    if (!declare_columns(b, step, plan, &namer))
        return NULL;
    Schema record = namer_schema(&namer);
    uint32_t steps = (uint32_t)step->steps.len;
    Schema wide = wide_schema(b, &record, steps);
    StepScope scope = {&step->steps, &record};
    Row row = {.schema = &wide, .ignore_case = plan_ignores_case(input), .serialized = true};
    row.steps = &scope;
    plan->sequences.steps = ARENA_ARRAY(b->arena, SequenceStep, steps);
    plan->sequences.step_count = steps;
    plan->sequences.slots = ARENA_ARRAY(b->arena, uint32_t, record.count);
    for (uint32_t s = 0; s < steps; s++)
        if (!bind_step(b, &step->steps.items[s], &row, &record, plan, s))
            return NULL;
    const AstParam *match_id = operator_param(step, "with_match_id");
    plan->sequences.match_id = match_id != NULL;
    if (match_id) {
        AstName name = {match_id->text, match_id->span};
        if (!namer_add(b, &namer, &name, STR(""), TYPE_LONG))
            return NULL;
    }
    plan->input = input;
    plan->schema = namer_schema(&namer);
    plan->serialized = true;
    return plan;
}

// `scan partition by a, b ...` is a scan of its own over the rows of each key.
static Plan *
bind_scan_by(Binder *b, Plan *input, const AstOperator *step)
{
    Row row = row_of(input);
    Expr **keys = ARENA_ARRAY(b->arena, Expr *, step->by.len);
    for (size_t i = 0; i < step->by.len; i++)
        if (!(keys[i] = bind_expression(b, step->by.items[i].expr, &row)))
            return NULL;
    Plan *leaf = bind_leaf(b, input, &input->schema, step->span);
    Plan *sub = leaf ? bind_steps(b, leaf, step) : NULL;
    Plan *plan = sub ? partition_plan(b, input, keys, step->by.len, leaf, sub, step->span) : NULL;
    if (plan)
        plan->serialized = true;
    return plan;
}

Plan *
bind_scan(Binder *b, Plan *input, const AstOperator *step)
{
    if (step->order.len) {
        AstOperator sort = {.name = STR("sort"), .span = step->span, .by = step->order};
        input = bind_operator(b, input, &sort);
        if (!input)
            return NULL;
    }
    return step->by.len ? bind_scan_by(b, input, step) : bind_steps(b, input, step);
}
