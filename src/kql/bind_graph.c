// Graphs: making one of tables, narrowing it, and its nodes and edges as tables again.
//
// make-graph becomes a plan whose edges carry the ids of their two ends in their last
// columns and whose nodes, one table made of all that were named, carry their id in the
// last. Ids are compared by value, so all are brought to one type here.

#include "kql/bind_graph.h"

#include "kql/signature.h"

// ---- make-graph ----

// The column a clause names, as an id: a dynamic is compared as text.
static Expr *
id_column(Binder *b, const AstExpr *ast, const Plan *table, const char *what)
{
    Row row = row_of(table);
    Expr *column = bind_expression(b, ast, &row);
    if (!column)
        return NULL;
    if (column->kind != EXPR_COLUMN) {
        bind_fail(b, ast->span, "%s must be a column of the table", what);
        return NULL;
    }
    return column->type == TYPE_DYNAMIC ? bind_convert(b, column, TYPE_STRING) : column;
}

static bool
meet_types(Binder *b, Type *id, const Expr *column)
{
    if (*id == TYPE_NONE || *id == column->type) {
        *id = column->type;
        return true;
    }
    if (!type_is_numeric(*id) || !type_is_numeric(column->type))
        return bind_fail(b, column->span,
                         "nodes are named by a %s elsewhere in this graph, here by a %s; bring "
                         "both to one type",
                         type_name(*id), type_name(column->type));
    *id = type_common(*id, column->type);
    return true;
}

// The table with `ids`, brought to one type, as columns behind its own.
static Plan *
with_ids(Binder *b, Plan *table, Expr **ids, const Str *names, uint32_t count, Type type)
{
    uint32_t own = table->schema.count;
    Schema schema = {ARENA_ARRAY(b->arena, Column, own + count), own + count};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, own + count);
    for (uint32_t c = 0; c < own; c++) {
        schema.columns[c] = table->schema.columns[c];
        exprs[c] = expr_column(b->arena, c, schema.columns[c].type, table->span);
    }
    for (uint32_t i = 0; i < count; i++) {
        schema.columns[own + i] = (Column){names[i], type};
        exprs[own + i] = bind_convert(b, ids[i], type);
        if (!exprs[own + i])
            return NULL;
    }
    return bind_projection(b, table, schema, exprs, false, table->span);
}

static const Str ID_NAME = STR_INIT("$id");

// All node tables as one, the id in its last column.
static Plan *
union_of_nodes(Binder *b, const UnionInputs *tables, Span span)
{
    Plan *all = tables->len == 1 ? tables->items[0] : union_plan(b, tables, NULL, false, span);
    if (!all)
        return NULL;
    uint32_t count = all->schema.count, at = 0;
    ptrdiff_t id = schema_find(&all->schema, ID_NAME);
    Schema schema = {ARENA_ARRAY(b->arena, Column, count), count};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, count);
    for (uint32_t c = 0; c < count; c++) {
        uint32_t to = (ptrdiff_t)c == id ? count - 1 : at++;
        schema.columns[to] = all->schema.columns[c];
        exprs[to] = expr_column(b->arena, c, all->schema.columns[c].type, span);
    }
    return bind_projection(b, all, schema, exprs, false, span);
}

static bool
bind_node_tables(Binder *b, const AstOperator *step, Type *id, Expr ***keys, UnionInputs *tables)
{
    *keys = ARENA_ARRAY(b->arena, Expr *, step->branches.len);
    for (size_t i = 0; i < step->branches.len; i++) {
        const AstBranch *branch = &step->branches.items[i];
        Plan *table = bind_table(b, branch->body);
        if (!union_add(b, tables, table, STR("")))
            return false;
        AstExpr name = {.kind = AST_NAME, .span = branch->name.span, .name = branch->name};
        (*keys)[i] = id_column(b, &name, table, "the nodes' key");
        if (!(*keys)[i] || !meet_types(b, id, (*keys)[i]))
            return false;
    }
    return true;
}

static void
add_id_property(Binder *b, Plan *plan, GraphShape *shape, Str name)
{
    GraphMake *make = &plan->make_graph;
    ptrdiff_t at = schema_find(&shape->nodes, name);
    if (at < 0 && shape->nodes_ignore_case)
        at = schema_find_ci(&shape->nodes, name);
    if (at < 0 || shape->nodes.columns[at].type != shape->id)
        return;
    if (!make->id_properties)
        make->id_properties = ARENA_ARRAY(b->arena, uint32_t, shape->nodes.count);
    for (uint32_t i = 0; i < make->id_property_count; i++)
        if (make->id_properties[i] == (uint32_t)at)
            return;
    make->id_properties[make->id_property_count++] = (uint32_t)at;
}

static bool
bind_nodes(Binder *b, Plan *plan, GraphShape *shape, const AstOperator *step, Expr **keys,
           UnionInputs *tables)
{
    if (!tables->len) {
        const AstParam *name = operator_param(step, "with_node_id");
        if (!name)
            return true;
        if (!name->text.len)
            return bind_fail(b, name->span, "with_node_id takes a name");
        shape->nodes = (Schema){ARENA_ARRAY(b->arena, Column, 1), 1};
        shape->nodes.columns[0] = (Column){name->text, shape->id};
        add_id_property(b, plan, shape, name->text);
        return true;
    }
    for (size_t i = 0; i < tables->len; i++) {
        shape->nodes_ignore_case |= plan_ignores_case(tables->items[i]);
        tables->items[i] = with_ids(b, tables->items[i], &keys[i], &ID_NAME, 1, shape->id);
        if (!tables->items[i])
            return false;
    }
    Plan *nodes = union_of_nodes(b, tables, step->span);
    if (!nodes)
        return false;
    plan->make_graph.nodes = nodes;
    shape->nodes = (Schema){nodes->schema.columns, nodes->schema.count - 1};
    for (size_t i = 0; i < step->branches.len; i++)
        add_id_property(b, plan, shape, step->branches.items[i].name.text);
    return true;
}

static bool
partition_column(Binder *b, const AstOperator *step, const Schema *schema, bool ignore_case,
                 const char *what, uint32_t *out)
{
    const AstExpr *key = step->by.items[0].expr;
    ptrdiff_t at = key->kind == AST_NAME ? schema_find(schema, key->name.text) : -1;
    if (at < 0 && key->kind == AST_NAME && ignore_case)
        at = schema_find_ci(schema, key->name.text);
    if (at < 0)
        return bind_fail(b, key->span,
                         "the graph is cut by a column that the %s must have too; they have no "
                         "column of this name",
                         what);
    *out = (uint32_t)at;
    return true;
}

// One input of the union that partitioned-by deals out: the value, whether the row is an
// edge, then its columns in their places.
static Plan *
tagged_rows(Binder *b, Plan *rows, uint32_t value, bool edges)
{
    uint32_t own = rows->schema.count;
    Schema schema = {ARENA_ARRAY(b->arena, Column, own + 2), own + 2};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, own + 2);
    Value tag = value_bool(edges);
    schema.columns[0] = (Column){STR("$value"), rows->schema.columns[value].type};
    exprs[0] = expr_column(b->arena, value, schema.columns[0].type, rows->span);
    schema.columns[1] = (Column){STR("$edge"), TYPE_BOOL};
    exprs[1] = expr_const(b->arena, &tag, rows->span);
    for (uint32_t c = 0; c < own; c++) {
        schema.columns[c + 2] = rows->schema.columns[c];
        exprs[c + 2] = expr_column(b->arena, c, rows->schema.columns[c].type, rows->span);
    }
    return bind_projection(b, rows, schema, exprs, false, rows->span);
}

// Edges and nodes of all values as one table: each has its columns, the other's are null.
static Plan *
edges_and_nodes(Binder *b, Plan *const *inputs, uint32_t count, Span span)
{
    Plan *all = bind_plan(b, PLAN_UNION, span);
    if (!all)
        return NULL;
    uint32_t columns = 2;
    for (uint32_t i = 0; i < count; i++)
        columns += inputs[i]->schema.count - 2;
    all->schema = (Schema){ARENA_ARRAY(b->arena, Column, columns), columns};
    all->union_.inputs = ARENA_ARRAY(b->arena, Plan *, count);
    all->union_.names = ARENA_ARRAY(b->arena, Str, count);
    all->union_.columns = ARENA_ARRAY(b->arena, int32_t *, count);
    all->union_.count = count;
    all->union_.source_column = -1;
    uint32_t at = 2;
    for (uint32_t i = 0; i < count; i++) {
        const Schema *own = &inputs[i]->schema;
        int32_t *map = all->union_.columns[i] = ARENA_ARRAY(b->arena, int32_t, columns);
        all->union_.inputs[i] = inputs[i];
        for (uint32_t c = 0; c < columns; c++) {
            bool here = c < 2 || (c >= at && c < at + own->count - 2);
            map[c] = c < 2 ? (int32_t)c : here ? (int32_t)(c - at + 2) : -1;
            if (here)
                all->schema.columns[c] = own->columns[map[c]];
        }
        at += own->count - 2;
    }
    return all;
}

// The rows of one kind behind the leaf, with the columns they had.
static Plan *
rows_of_value(Binder *b, Plan *leaf, const Schema *schema, uint32_t first, bool edges, Span span)
{
    Plan *filter = bind_plan(b, PLAN_FILTER, span);
    if (!filter)
        return NULL;
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 1);
    args[0] = expr_column(b->arena, 1, TYPE_BOOL, span);
    filter->input = leaf;
    filter->schema = leaf->schema;
    filter->filter.predicate = edges ? args[0] : bind_function(b, STR("not"), args, 1, span);
    if (!filter->filter.predicate)
        return NULL;
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, schema->count);
    for (uint32_t c = 0; c < schema->count; c++)
        exprs[c] = expr_column(b->arena, first + c, schema->columns[c].type, span);
    return bind_projection(b, filter, *schema, exprs, false, span);
}

// partitioned-by column ( sub-query ): the sub-query over the graph of each value, which
// is partition over the edges and the nodes in one table.
static Plan *
bind_partitioned_graph(Binder *b, Plan *make, const AstOperator *step)
{
    const GraphShape *shape = make->graph;
    Plan *nodes = make->make_graph.nodes, *inputs[2];
    uint32_t of_edges = 0, of_nodes = 0, count = 1;
    if (!partition_column(b, step, &shape->edges, shape->edges_ignore_case, "edges", &of_edges) ||
        !(inputs[0] = tagged_rows(b, make->input, of_edges, true)))
        return NULL;
    if (nodes) {
        if (!partition_column(b, step, &shape->nodes, shape->nodes_ignore_case, "nodes",
                              &of_nodes) ||
            !(inputs[count++] = tagged_rows(b, nodes, of_nodes, false)))
            return NULL;
        if (inputs[0]->schema.columns[0].type != inputs[1]->schema.columns[0].type) {
            bind_fail(b, step->by.items[0].span,
                      "the column has one type in the edges and another in the nodes");
            return NULL;
        }
    }
    Plan *all = edges_and_nodes(b, inputs, count, step->span);
    Plan *leaf = all ? bind_leaf(b, all, &all->schema, step->span) : NULL;
    if (!leaf)
        return NULL;
    const Schema *edge_schema = &make->input->schema;
    make->input = rows_of_value(b, leaf, edge_schema, 2, true, step->span);
    if (nodes)
        make->make_graph.nodes =
            rows_of_value(b, leaf, &nodes->schema, 2 + edge_schema->count, false, step->span);
    if (!make->input || (nodes && !make->make_graph.nodes))
        return NULL;
    Plan *outer = b->implicit;
    b->implicit = make;
    Plan *sub = bind_table(b, step->body);
    b->implicit = outer;
    if (!sub)
        return NULL;
    Expr **keys = ARENA_ARRAY(b->arena, Expr *, 1);
    keys[0] = expr_column(b->arena, 0, all->schema.columns[0].type, step->span);
    return partition_plan(b, all, keys, 1, leaf, sub, step->span);
}

Plan *
bind_make_graph(Binder *b, Plan *input, const AstOperator *step)
{
    static const Str END_NAMES[] = {STR_INIT("$source"), STR_INIT("$target")};
    Expr *ends[2], **keys;
    UnionInputs tables = {0};
    GraphShape *shape = ARENA_NEW(b->arena, GraphShape);
    shape->edges = input->schema;
    shape->edges_ignore_case = plan_ignores_case(input);
    if (operator_param(step, "with_node_id") && step->branches.len) {
        bind_fail(b, step->span,
                  "with_node_id names nodes that have no table; it cannot stand beside 'with'");
        return NULL;
    }
    if (!(ends[0] = id_column(b, step->from, input, "the source of edges")) ||
        !(ends[1] = id_column(b, step->to, input, "the target of edges")) ||
        !meet_types(b, &shape->id, ends[0]) || !meet_types(b, &shape->id, ends[1]) ||
        !bind_node_tables(b, step, &shape->id, &keys, &tables))
        return NULL;
    Plan *plan = bind_plan(b, PLAN_MAKE_GRAPH, step->span);
    if (!plan)
        return NULL;
    plan->graph = shape;
    plan->input = with_ids(b, input, ends, END_NAMES, 2, shape->id);
    if (!plan->input || !bind_nodes(b, plan, shape, step, keys, &tables))
        return NULL;
    return step->has_by ? bind_partitioned_graph(b, plan, step) : plan;
}

// ---- graphs of graphs ----

static Plan *
graph_over(Binder *b, PlanKind kind, Plan *input, Span span)
{
    Plan *plan = bind_plan(b, kind, span);
    if (!plan)
        return NULL;
    plan->input = input;
    plan->graph = input->graph;
    return plan;
}

// graph-where-nodes, graph-where-edges: the rows of a predicate are nodes or edges.
Plan *
bind_graph_where(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = graph_over(b, PLAN_GRAPH_FILTER, input, step->span);
    if (!plan)
        return NULL;
    bool edges = str_equal(step->name, STR("graph-where-edges"));
    GraphInputs *inputs = ARENA_NEW(b->arena, GraphInputs);
    GraphScope scope = {.shape = input->graph, .inputs = inputs, .element = true};
    scope.element_is_node = !edges;
    Row row = {.graph = &scope};
    plan->graph_filter.edges = edges;
    plan->graph_filter.inputs = inputs;
    plan->graph_filter.predicate = bind_predicate(b, step->expr, &row);
    return plan->graph_filter.predicate ? plan : NULL;
}

Plan *
bind_graph_components(Binder *b, Plan *input, const AstOperator *step)
{
    Plan *plan = graph_over(b, PLAN_GRAPH_COMPONENTS, input, step->span);
    if (!plan)
        return NULL;
    const AstParam *kind = operator_param(step, "kind");
    if (kind && !str_equal(kind->text, STR("weak")) && !str_equal(kind->text, STR("strong"))) {
        bind_fail(b, kind->span, "the kind of components is weak or strong");
        return NULL;
    }
    plan->graph_components.strong = kind && str_equal(kind->text, STR("strong"));
    const AstParam *id = operator_param(step, "with_component_id");
    Str name = id ? id->text : STR("ComponentId");
    Span span = id ? id->span : step->span;
    GraphShape *shape = ARENA_NEW(b->arena, GraphShape);
    *shape = *input->graph;
    uint32_t count = shape->nodes.count;
    if (!name.len) {
        bind_fail(b, span, "with_component_id takes a name");
        return NULL;
    }
    if (schema_find(&shape->nodes, name) >= 0) {
        bind_fail(b, span,
                  "nodes have a property '%.*s' already; name another one with with_component_id",
                  STR_ARG(name));
        return NULL;
    }
    shape->nodes = (Schema){ARENA_ARRAY(b->arena, Column, count + 1), count + 1};
    for (uint32_t c = 0; c < count; c++)
        shape->nodes.columns[c] = input->graph->nodes.columns[c];
    shape->nodes.columns[count] = (Column){name, TYPE_LONG};
    plan->graph = shape;
    return plan;
}

// ---- graph-to-table ----

Schema
graph_columns(Arena *arena, const GraphShape *shape, bool edges)
{
    const Schema *own = edges ? &shape->edges : &shape->nodes;
    uint32_t hidden = edges ? EDGE_HIDDEN : NODE_HIDDEN;
    Schema all = {ARENA_ARRAY(arena, Column, own->count + hidden), own->count + hidden};
    for (uint32_t c = 0; c < own->count; c++)
        all.columns[c] = own->columns[c];
    if (edges) {
        all.columns[own->count + EDGE_SOURCE_ID] = (Column){STR("$source"), shape->id};
        all.columns[own->count + EDGE_TARGET_ID] = (Column){STR("$target"), shape->id};
    } else {
        all.columns[own->count + NODE_ID] = (Column){ID_NAME, shape->id};
        all.columns[own->count + NODE_DEGREE_IN] = (Column){STR("$in"), TYPE_LONG};
        all.columns[own->count + NODE_DEGREE_OUT] = (Column){STR("$out"), TYPE_LONG};
    }
    return all;
}

// A column with the hash of an id, when the clause asks for it.
static bool
add_hash(Binder *b, const AstGraphOutput *output, const char *param, const Plan *rows,
         uint32_t column, ColumnNamer *namer, Expr **exprs)
{
    AstOperator clause = {.params = output->params};
    const AstParam *named = operator_param(&clause, param);
    if (!named)
        return true;
    AstName name = {named->text, named->span};
    if (!name.text.len)
        return bind_fail(b, named->span, "%s takes a name", param);
    Expr **args = ARENA_ARRAY(b->arena, Expr *, 1);
    args[0] = expr_column(b->arena, column, rows->schema.columns[column].type, output->span);
    exprs[namer->len] = bind_function(b, STR("hash"), args, 1, output->span);
    return exprs[namer->len] && namer_add(b, namer, &name, STR(""), TYPE_LONG);
}

static Plan *
bind_output(Binder *b, Plan *graph, const AstGraphOutput *output)
{
    const GraphShape *shape = graph->graph;
    bool edges = output->is_edges;
    const Schema *own = edges ? &shape->edges : &shape->nodes;
    Plan *rows = bind_plan(b, edges ? PLAN_GRAPH_EDGES : PLAN_GRAPH_NODES, output->span);
    if (!rows)
        return NULL;
    rows->input = graph;
    rows->schema = graph_columns(b->arena, shape, edges);
    ColumnNamer namer = {.arena = b->arena};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, own->count + 2);
    bool done =
        edges ? add_hash(b, output, "with_source_id", rows, own->count + EDGE_SOURCE_ID, &namer,
                         exprs) &&
                    add_hash(b, output, "with_target_id", rows, own->count + EDGE_TARGET_ID, &namer,
                             exprs)
              : add_hash(b, output, "with_node_id", rows, own->count + NODE_ID, &namer, exprs);
    if (!done)
        return NULL;
    for (uint32_t c = 0; c < own->count; c++) {
        exprs[namer.len] = expr_column(b->arena, c, own->columns[c].type, output->span);
        namer_add_auto(&namer, own->columns[c].name, own->columns[c].type);
    }
    Plan *plan = bind_projection(b, rows, namer_schema(&namer), exprs, false, output->span);
    if (plan && output->name.text.len) {
        // `as` names the table for what follows, which reads the same rows.
        Plan *shared = bind_shared(b, plan, output->span);
        if (!shared)
            return NULL;
        scope_add(b, b->scope, output->name.text, BINDING_TABLE)->plan = shared;
        return shared;
    }
    return plan;
}

Plan *
bind_graph_to_table(Binder *b, Plan *input, const AstOperator *step)
{
    if (step->outputs.len == 1)
        return bind_output(b, input, &step->outputs.items[0]);
    bind_fail(b, step->outputs.items[1].span,
              "nodes and edges are two tables: graph-to-table can yield both only at the end of a "
              "statement of its own");
    return NULL;
}

bool
bind_graph_tables(Binder *b, const AstExpr *ast, ResultPlans *out)
{
    const AstOperator *last = ast->operators[ast->operator_count - 1];
    AstExpr before = *ast;
    before.operator_count--;
    Plan *graph = bind_table_or_graph(b, &before);
    if (!graph)
        return false;
    if (!graph->graph)
        return bind_fail(b, last->span,
                         "'graph-to-table' works on a graph; build one with make-graph first");
    graph = bind_shared(b, graph, last->span);
    for (size_t i = 0; graph && i < last->outputs.len; i++) {
        const AstGraphOutput *output = &last->outputs.items[i];
        struct ResultPlan result = {bind_output(b, graph, output), output->name.text};
        if (!result.plan)
            return false;
        ARRAY_PUSH(b->arena, out, result);
    }
    return graph != NULL;
}
