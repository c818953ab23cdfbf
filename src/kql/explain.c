// Plans as lines, one an operator, the source deepest. Sub-queries of expressions follow
// the inputs of the operator that needs their value.

#include "base/array.h"
#include "kql/binder.h"
#include "kql/plugin_def.h"
#include "value/scalar.h"

static void put_expr(Buffer *out, const Expr *expr, const Schema *schema);

static void
put_value(Buffer *out, const Value *value)
{
    if (value->is_null) {
        buffer_printf(out, "%s(null)", type_name(value->type));
        return;
    }
    bool quoted = value->type == TYPE_STRING;
    if (quoted)
        buffer_char(out, '"');
    size_t before = out->len;
    data_print(out, value->type, value_data(value));
    if (out->len - before > 60) {
        out->len = before + 57;
        buffer_text(out, "...");
    }
    if (quoted)
        buffer_char(out, '"');
}

static void
put_expr(Buffer *out, const Expr *expr, const Schema *schema)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        if (schema && expr->column < schema->count)
            buffer_str(out, schema->columns[expr->column].name);
        else
            buffer_printf(out, "#%u", expr->column);
        return;
    case EXPR_CONST: put_value(out, &expr->value); return;
    case EXPR_SUBQUERY: buffer_text(out, "(sub-query)"); return;
    case EXPR_CALL: break;
    }
    buffer_printf(out, "%s(", expr->fn->name);
    for (uint32_t i = 0; i < expr->arg_count && i < 12; i++) {
        if (i)
            buffer_text(out, ", ");
        put_expr(out, expr->args[i], schema);
    }
    buffer_text(out, expr->arg_count > 12 ? ", ...)" : ")");
}

static void
put_list(Buffer *out, Expr *const *exprs, uint32_t count, const Schema *in, const Schema *names)
{
    for (uint32_t i = 0; i < count; i++) {
        buffer_text(out, i ? ", " : " ");
        bool renamed =
            exprs[i]->kind != EXPR_COLUMN ||
            (names && in && !str_equal(names->columns[i].name, in->columns[exprs[i]->column].name));
        if (names && renamed)
            buffer_printf(out, "%.*s = ", STR_ARG(names->columns[i].name));
        put_expr(out, exprs[i], in);
    }
}

static void
put_aggregates(Buffer *out, const AggregateCall *calls, uint32_t count, const Schema *in)
{
    for (uint32_t a = 0; a < count; a++) {
        buffer_printf(out, "%s %s(", a ? "," : "", calls[a].fn->name);
        for (uint32_t i = 0; i < calls[a].arg_count; i++) {
            buffer_text(out, i ? ", " : "");
            put_expr(out, calls[a].args[i], in);
        }
        buffer_char(out, ')');
    }
}

static void
put_details(Buffer *out, const Plan *plan)
{
    const Schema *in = plan->input ? &plan->input->schema : NULL;
    switch (plan->kind) {
    case PLAN_SCAN:
        buffer_printf(out, " %.*s, %llu rows, %u of %u columns, %u condition%s for skipping",
                      STR_ARG(plan->scan.table), (unsigned long long)plan->scan.source->row_count,
                      plan->schema.count, plan->scan.source->schema.count,
                      plan->scan.predicate_count, plan->scan.predicate_count == 1 ? "" : "s");
        break;
    case PLAN_FILTER:
        buffer_char(out, ' ');
        put_expr(out, plan->filter.predicate, in);
        break;
    case PLAN_PROJECT:
        put_list(out, plan->project.exprs, plan->schema.count, in, &plan->schema);
        break;
    case PLAN_WINDOW:
        put_list(out, plan->window.exprs, plan->schema.count, in, &plan->schema);
        break;
    case PLAN_SUMMARIZE:
        put_aggregates(out, plan->summarize.aggregates, plan->summarize.aggregate_count, in);
        if (plan->summarize.key_count)
            buffer_text(out, plan->summarize.aggregate_count ? " by" : " distinct");
        put_list(out, plan->summarize.keys, plan->summarize.key_count, in, NULL);
        break;
    case PLAN_JOIN: put_list(out, plan->join.left_keys, plan->join.key_count, in, NULL); break;
    case PLAN_SORT:
        for (uint32_t k = 0; k < plan->sort.key_count; k++) {
            buffer_text(out, k ? ", " : " ");
            put_expr(out, plan->sort.keys[k].expr, in);
            buffer_text(out, plan->sort.keys[k].descending ? " desc" : " asc");
        }
        if (plan->sort.limit >= 0)
            buffer_printf(out, ", first %lld", (long long)plan->sort.limit);
        break;
    case PLAN_GRAPH_MATCH:
        buffer_printf(out, " %s of %u nodes and %u edges, %u conditions on single elements",
                      plan->graph_match.shortest ? "shortest paths" : "pattern",
                      plan->graph_match.node_count, plan->graph_match.edge_count,
                      plan->graph_match.filter_count);
        break;
    case PLAN_TAKE: buffer_printf(out, " %lld", (long long)plan->take.count); break;
    case PLAN_EVALUATE: buffer_printf(out, " %s", plan->evaluate.call->plugin->name); break;
    default: break;
    }
}

static void put_plan(PlanLines *out, const Plan *plan, uint32_t depth);

static void
put_subqueries(PlanLines *out, const Expr *expr, uint32_t depth)
{
    if (expr && expr->kind == EXPR_SUBQUERY)
        put_plan(out, expr->plan, depth);
    for (uint32_t i = 0; expr && expr->kind == EXPR_CALL && i < expr->arg_count; i++)
        put_subqueries(out, expr->args[i], depth);
}

static void
put_all_subqueries(PlanLines *out, Expr *const *exprs, uint32_t count, uint32_t depth)
{
    for (uint32_t i = 0; i < count; i++)
        put_subqueries(out, exprs[i], depth);
}

static void
put_plan_subqueries(PlanLines *out, const Plan *plan, uint32_t depth)
{
    switch (plan->kind) {
    case PLAN_FILTER: put_subqueries(out, plan->filter.predicate, depth); break;
    case PLAN_PROJECT:
        put_all_subqueries(out, plan->project.exprs, plan->schema.count, depth);
        break;
    case PLAN_WINDOW: put_all_subqueries(out, plan->window.exprs, plan->schema.count, depth); break;
    case PLAN_RANGE:
        put_subqueries(out, plan->range.from, depth);
        put_subqueries(out, plan->range.to, depth);
        put_subqueries(out, plan->range.step, depth);
        break;
    case PLAN_SUMMARIZE:
        put_all_subqueries(out, plan->summarize.keys, plan->summarize.key_count, depth);
        for (uint32_t a = 0; a < plan->summarize.aggregate_count; a++)
            put_all_subqueries(out, plan->summarize.aggregates[a].args,
                               plan->summarize.aggregates[a].arg_count, depth);
        break;
    default: break;
    }
}

static void
put_plan(PlanLines *out, const Plan *plan, uint32_t depth)
{
    static const char *const NAMES[] = {
        [PLAN_SCAN] = "scan",
        [PLAN_VALUES] = "values",
        [PLAN_RANGE] = "range",
        [PLAN_FILTER] = "filter",
        [PLAN_PROJECT] = "project",
        [PLAN_SUMMARIZE] = "summarize",
        [PLAN_JOIN] = "join",
        [PLAN_UNION] = "union",
        [PLAN_SORT] = "sort",
        [PLAN_TAKE] = "take",
        [PLAN_MV_EXPAND] = "mv-expand",
        [PLAN_MV_APPLY] = "mv-apply",
        [PLAN_PARSE] = "parse",
        [PLAN_PARSE_KV] = "parse-kv",
        [PLAN_WINDOW] = "window",
        [PLAN_SHARED] = "shared",
        [PLAN_SAMPLE] = "sample",
        [PLAN_MAKE_SERIES] = "make-series",
        [PLAN_PARTITION] = "partition",
        [PLAN_SEQUENCES] = "scan for sequences",
        [PLAN_TOP_NESTED] = "top-nested",
        [PLAN_REDUCE] = "reduce",
        [PLAN_EVALUATE] = "evaluate",
        [PLAN_CORRELATED] = "current rows",
        [PLAN_MAKE_GRAPH] = "make-graph",
        [PLAN_GRAPH_FILTER] = "filter of graph",
        [PLAN_GRAPH_COMPONENTS] = "mark components",
        [PLAN_GRAPH_MATCH] = "match",
        [PLAN_GRAPH_NODES] = "nodes",
        [PLAN_GRAPH_EDGES] = "edges",
    };
    if (depth > 100)
        return;
    Buffer details = {0};
    put_details(&details, plan);
    PlanLine line = {plan, depth, NAMES[plan->kind],
                     str_copy(out->arena, str_trim(buffer_slice(&details)))};
    buffer_free(&details);
    ARRAY_PUSH(out->arena, out, line);
    if (plan->input)
        put_plan(out, plan->input, depth + 1);
    if (plan->kind == PLAN_JOIN)
        put_plan(out, plan->join.right, depth + 1);
    for (uint32_t i = 0; plan->kind == PLAN_UNION && i < plan->union_.count; i++)
        put_plan(out, plan->union_.inputs[i], depth + 1);
    for (uint32_t p = 0;
         plan->kind == PLAN_EVALUATE && p < plan->evaluate.call->plugin->param_count; p++)
        for (uint32_t i = 0; i < plan->evaluate.call->args[p].len; i++)
            if (plan->evaluate.call->args[p].items[i].table)
                put_plan(out, plan->evaluate.call->args[p].items[i].table, depth + 1);
    if (plan->kind == PLAN_SHARED)
        put_plan(out, plan->shared.plan, depth + 1);
    if (plan->kind == PLAN_MV_APPLY)
        put_plan(out, plan->mv_apply.subplan, depth + 1);
    if (plan->kind == PLAN_PARTITION)
        put_plan(out, plan->partition.subplan, depth + 1);
    if (plan->kind == PLAN_MAKE_GRAPH && plan->make_graph.nodes)
        put_plan(out, plan->make_graph.nodes, depth + 1);
    put_plan_subqueries(out, plan, depth + 1);
}

void
plan_explain(const Plan *plan, PlanLines *out)
{
    put_plan(out, plan, 0);
}
