// Canonical text of tabular operators: the mirror of the parser's readers.

#include "base/array.h"
#include "kql/ast_print_parts.h"

typedef void (*ClauseWriter)(Buffer *out, const AstOperator *step);

// ---- clauses ----

static void
put_params(Buffer *out, const AstParamList *params)
{
    for (size_t i = 0; i < params->len; i++) {
        const AstParam *param = &params->items[i];
        buffer_printf(out, " %.*s=", STR_ARG(param->name));
        if (!param->expr) {
            put_name(out, &(AstName){.text = param->text});
        } else if (param->expr->kind == AST_STAR ||
                   (param->expr->kind == AST_LITERAL && param->expr->value.type != TYPE_DYNAMIC)) {
            put_expr(out, param->expr);
        } else {
            buffer_char(out, '(');
            put_pipe(out, param->expr);
            buffer_char(out, ')');
        }
    }
}

// Properties keep a list of names as it was written.
static void
put_properties(Buffer *out, const AstParamList *properties)
{
    for (size_t i = 0; i < properties->len; i++) {
        const AstParam *property = &properties->items[i];
        buffer_text(out, i ? ", " : "");
        buffer_str(out, property->name);
        buffer_char(out, '=');
        if (!property->expr) {
            buffer_str(out, property->text);
        } else {
            bool named = property->expr->kind == AST_NAME;
            buffer_text(out, named ? "(" : "");
            put_expr(out, property->expr);
            buffer_text(out, named ? ")" : "");
        }
    }
}

static void
put_with(Buffer *out, const AstParamList *properties)
{
    if (!properties->len)
        return;
    buffer_text(out, " with (");
    put_properties(out, properties);
    buffer_char(out, ')');
}

// Names that the parser takes as parameters when `=` follows are bracketed.
static void
put_item_name(Buffer *out, const AstName *name)
{
    static const char *const PARAMS[] = {"bagexpansion", "flags", "id", "kind", "with_itemindex"};
    bool param = false;
    for (size_t i = 0; i < COUNT_OF(PARAMS); i++)
        param |= str_equal(name->text, str_from(PARAMS[i]));
    if (param)
        put_quoted_name(out, name->text);
    else
        put_name(out, name);
}

static void
put_item(Buffer *out, const AstItem *item)
{
    if (item->name_count == 1) {
        put_item_name(out, &item->names[0]);
        buffer_text(out, " = ");
    } else if (item->name_count) {
        buffer_char(out, '(');
        for (size_t i = 0; i < item->name_count; i++) {
            buffer_text(out, i ? ", " : "");
            put_name(out, &item->names[i]);
        }
        buffer_text(out, ") = ");
    }
    put_expr(out, item->expr);
    if (item->to_type != TYPE_NONE)
        buffer_printf(out, " to typeof(%s)", type_name(item->to_type));
    if (item->default_) {
        buffer_text(out, " default=");
        put_expr(out, item->default_);
    }
}

static void
put_items(Buffer *out, const char *before, const AstItemList *items)
{
    for (size_t i = 0; i < items->len; i++) {
        buffer_text(out, i ? ", " : before);
        put_item(out, &items->items[i]);
    }
}

static void
put_key(Buffer *out, const AstItem *key)
{
    put_item(out, key);
    buffer_text(out, key->descending ? " desc" : " asc");
    if (key->has_nulls)
        buffer_text(out, key->nulls_first ? " nulls first" : " nulls last");
}

static void
put_keys(Buffer *out, const char *before, const AstItemList *keys)
{
    for (size_t i = 0; i < keys->len; i++) {
        buffer_text(out, i ? ", " : before);
        put_key(out, &keys->items[i]);
    }
}

static void
put_clause(Buffer *out, const char *before, const AstExpr *expr)
{
    if (!expr)
        return;
    buffer_text(out, before);
    put_expr(out, expr);
}

// Parameters, then whatever simple clauses there are.
static void
write_simple(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    if (step->as.text.len) { // where name = value
        buffer_char(out, ' ');
        put_name(out, &step->as);
        buffer_text(out, " =");
    }
    put_clause(out, " ", step->expr);
    put_items(out, " ", &step->items);
    put_items(out, " by ", &step->by);
}

// ---- operators ----

static void
write_sort(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    put_clause(out, " ", step->expr);
    put_keys(out, " by ", &step->by);
}

static void
write_reorder(Buffer *out, const AstOperator *step)
{
    for (size_t i = 0; i < step->items.len; i++) {
        const AstItem *item = &step->items.items[i];
        buffer_text(out, i ? ", " : " ");
        put_item(out, item);
        if (item->has_order)
            buffer_printf(out, " %s%s", item->granny ? "granny-" : "",
                          item->descending ? "desc" : "asc");
    }
}

static void
write_named(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    if (!step->as.text.len)
        return;
    buffer_text(out, str_equal(step->name, STR("count")) ? " as " : " ");
    put_name(out, &step->as);
}

static void
write_of(Buffer *out, const AstOperator *step)
{
    put_clause(out, " ", step->expr);
    put_items(out, " of ", &step->items);
    put_items(out, " by ", &step->by);
}

static void
write_join(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    buffer_text(out, " (");
    put_pipe(out, step->right);
    buffer_char(out, ')');
    put_items(out, " on ", &step->on);
    put_clause(out, " where ", step->expr);
}

static void
write_union(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    for (size_t i = 0; i < step->items.len; i++) {
        AstItem item = step->items.items[i];
        buffer_text(out, i ? ", " : " ");
        if (item.name_count == 1) { // a bare name would be a parameter
            put_quoted_name(out, item.names[0].text);
            buffer_text(out, " = ");
            item.name_count = 0;
        }
        put_item(out, &item);
    }
}

static void
put_call_chain(Buffer *out, const AstExpr *expr)
{
    if (expr->kind == AST_MEMBER && expr->index) {
        put_call_chain(out, expr->base);
        buffer_char(out, '.');
        put_primary(out, expr->index);
    } else {
        put_primary(out, expr);
    }
}

static void
write_call(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    buffer_char(out, ' ');
    put_call_chain(out, step->right);
    if (step->columns.len || step->open_columns) {
        buffer_text(out, " : ");
        put_columns(out, &step->columns, step->open_columns);
    }
}

static void
write_mv(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    put_items(out, " ", &step->items);
    put_clause(out, " limit ", step->expr);
    if (step->body) {
        buffer_text(out, " on ");
        put_body(out, step->body);
    }
}

static void
write_partition(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    put_items(out, " by ", &step->by);
    buffer_char(out, ' ');
    put_body(out, step->body);
}

static void
write_make_series(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    put_items(out, " ", &step->items);
    put_items(out, " on ", &step->on);
    if (step->is_range) {
        put_clause(out, " in range(", step->from);
        put_clause(out, ", ", step->to);
        put_clause(out, ", ", step->step);
        buffer_char(out, ')');
    } else {
        put_clause(out, " from ", step->from);
        put_clause(out, " to ", step->to);
        put_clause(out, " step ", step->step);
    }
    put_items(out, " by ", &step->by);
}

static void
write_parse(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    put_clause(out, " ", step->expr);
    buffer_text(out, " with");
    for (size_t i = 0; i < step->parts.len; i++) {
        const AstParsePart *part = &step->parts.items[i];
        bool adjacent = i && part->is_text && part[-1].is_text; // would be one string
        buffer_text(out, adjacent ? ", " : " ");
        if (part->is_star) {
            buffer_char(out, '*');
        } else if (part->is_text) {
            put_string(out, part->text);
        } else {
            put_name(out, &part->column);
            if (part->type != TYPE_STRING)
                buffer_printf(out, ":%s", type_name(part->type));
        }
    }
}

static void
write_parse_kv(Buffer *out, const AstOperator *step)
{
    put_clause(out, " ", step->expr);
    buffer_text(out, " as ");
    put_columns(out, &step->columns, false);
    if (!step->params.len)
        return;
    buffer_text(out, " with (");
    for (size_t i = 0; i < step->params.len; i++) {
        AstParamList one = {.items = &step->params.items[i], .len = 1};
        buffer_text(out, i ? "," : "");
        put_params(out, &one);
    }
    buffer_char(out, ')');
}

static void
write_range(Buffer *out, const AstOperator *step)
{
    buffer_char(out, ' ');
    put_name(out, &step->as);
    put_clause(out, " from ", step->from);
    put_clause(out, " to ", step->to);
    put_clause(out, " step ", step->step);
}

static void
write_table(Buffer *out, const AstOperator *step)
{
    bool inlined = str_equal(step->name, STR("inline_external_table"));
    if (step->columns.len || !inlined)
        put_columns(out, &step->columns, false);
    put_params(out, &step->params);
    if (step->declared_count) {
        buffer_text(out, " partition by ");
        put_parameters(out, step->declared, step->declared_count);
    }
    buffer_text(out, inlined ? " (" : " [");
    for (size_t i = 0; i < step->rows.len; i++) {
        buffer_text(out, i ? ", " : "");
        put_expr(out, step->rows.items[i]);
    }
    buffer_char(out, inlined ? ')' : ']');
    put_with(out, &step->properties);
}

static void
write_search(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    if (step->items.len) {
        put_items(out, " in (", &step->items);
        buffer_char(out, ')');
    }
    put_clause(out, str_equal(step->name, STR("find")) ? " where " : " ", step->expr);
    if (step->project_smart)
        buffer_text(out, " project-smart");
    for (size_t i = 0; i < step->project.len; i++) {
        const AstItem *item = &step->project.items[i];
        buffer_text(out, i ? ", " : " project ");
        put_primary(out, item->expr);
        if (item->to_type != TYPE_NONE)
            buffer_printf(out, ":%s", type_name(item->to_type));
    }
    put_items(out, " project-away ", &step->project_away);
}

static void
write_render(Buffer *out, const AstOperator *step)
{
    buffer_char(out, ' ');
    buffer_str(out, step->as.text);
    put_items(out, " by ", &step->by);
    if (!step->by.len) {
        put_with(out, &step->properties);
    } else if (step->properties.len) {
        buffer_char(out, ' ');
        put_properties(out, &step->properties);
    }
}

static void
write_reduce(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    put_items(out, " by ", &step->by);
    if (step->properties.len)
        buffer_text(out, " with ");
    put_properties(out, &step->properties);
}

static void
write_top_nested(Buffer *out, const AstOperator *step)
{
    for (size_t i = 0; i < step->levels.len; i++) {
        const AstNestedLevel *level = &step->levels.items[i];
        buffer_text(out, i ? ", top-nested" : "");
        put_clause(out, " ", level->count);
        buffer_text(out, " of ");
        put_item(out, &level->key);
        put_clause(out, " with others=", level->others);
        buffer_text(out, " by ");
        put_key(out, &level->by);
    }
}

static void
write_branches(Buffer *out, const AstOperator *step)
{
    put_items(out, " by ", &step->by);
    for (size_t i = 0; i < step->branches.len; i++) {
        const AstBranch *branch = &step->branches.items[i];
        buffer_text(out, step->by.len ? " with " : " ");
        if (branch->name.text.len) {
            put_name(out, &branch->name);
            buffer_char(out, '=');
        }
        put_body(out, branch->body);
    }
}

static void
write_scan(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    put_keys(out, " order by ", &step->order);
    put_items(out, " partition by ", &step->by);
    if (step->declared_count) {
        buffer_text(out, " declare ");
        put_parameters(out, step->declared, step->declared_count);
    }
    buffer_text(out, " with (");
    for (size_t i = 0; i < step->steps.len; i++) {
        const AstScanStep *one = &step->steps.items[i];
        buffer_text(out, i ? " step " : "step ");
        put_name(out, &one->name);
        buffer_text(out, one->optional ? " optional" : "");
        if (one->output.len)
            buffer_printf(out, " output=%.*s", STR_ARG(one->output));
        put_clause(out, ": ", one->condition);
        put_items(out, " => ", &one->assignments);
        buffer_char(out, ';');
    }
    buffer_char(out, ')');
}

static void
write_macro_expand(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    buffer_char(out, ' ');
    put_primary(out, step->right);
    buffer_text(out, " as ");
    put_name(out, &step->as);
    buffer_text(out, " (");
    put_statements(out, &step->block->body);
    buffer_char(out, ')');
}

static void
write_schema(Buffer *out, const AstOperator *step)
{
    buffer_char(out, ' ');
    put_columns(out, &step->columns, false);
}

// ---- graphs ----

static void
put_edge(Buffer *out, const AstGraphPart *edge)
{
    buffer_text(out, edge->direction == AST_BACKWARD ? "<-" : "-");
    if (edge->name.text.len || edge->min) {
        buffer_char(out, '[');
        if (edge->name.text.len)
            put_name(out, &edge->name);
        if (edge->min) {
            buffer_char(out, '*');
            put_primary(out, edge->min);
            buffer_text(out, " .. ");
            put_primary(out, edge->max);
        }
        buffer_char(out, ']');
    }
    buffer_text(out, edge->direction == AST_FORWARD ? "->" : "-");
}

static void
write_graph_match(Buffer *out, const AstOperator *step)
{
    put_params(out, &step->params);
    for (size_t i = 0; i < step->patterns.len; i++) {
        const AstGraphPattern *pattern = &step->patterns.items[i];
        buffer_text(out, i ? ", " : " ");
        for (size_t j = 0; j < pattern->len; j++) {
            const AstGraphPart *part = &pattern->items[j];
            if (part->is_edge) {
                put_edge(out, part);
                continue;
            }
            buffer_char(out, '(');
            if (part->name.text.len)
                put_name(out, &part->name);
            buffer_char(out, ')');
        }
    }
    put_clause(out, " where ", step->expr);
    put_items(out, " project ", &step->project);
}

static void
write_make_graph(Buffer *out, const AstOperator *step)
{
    AstParamList params = step->params;
    buffer_char(out, ' ');
    put_primary(out, step->from);
    buffer_text(out, " --> ");
    put_primary(out, step->to);
    put_params(out, &params);
    for (size_t i = 0; i < step->branches.len; i++) {
        buffer_text(out, i ? ", " : " with ");
        put_expr(out, step->branches.items[i].body);
        buffer_text(out, " on ");
        put_name(out, &step->branches.items[i].name);
    }
    if (step->body) {
        put_items(out, " partitioned-by ", &step->by);
        buffer_char(out, ' ');
        put_body(out, step->body);
    }
}

static void
write_graph_to_table(Buffer *out, const AstOperator *step)
{
    for (size_t i = 0; i < step->outputs.len; i++) {
        const AstGraphOutput *output = &step->outputs.items[i];
        buffer_text(out, i ? ", " : " ");
        buffer_text(out, output->is_edges ? "edges" : "nodes");
        if (output->name.text.len) {
            buffer_text(out, " as ");
            put_name(out, &output->name);
        }
        put_params(out, &output->params);
    }
}

// ---- the table ----

static const struct {
    const char *name;
    ClauseWriter write;
} WRITERS[] = {
    {"as", write_named},
    {"assert-schema", write_schema},
    {"count", write_named},
    {"datatable", write_table},
    {"evaluate", write_call},
    {"externaldata", write_table},
    {"facet", write_branches},
    {"find", write_search},
    {"fork", write_branches},
    {"graph-match", write_graph_match},
    {"graph-shortest-paths", write_graph_match},
    {"graph-to-table", write_graph_to_table},
    {"inline_external_table", write_table},
    {"invoke", write_call},
    {"join", write_join},
    {"lookup", write_join},
    {"macro-expand", write_macro_expand},
    {"make-graph", write_make_graph},
    {"make-series", write_make_series},
    {"mv-apply", write_mv},
    {"mv-expand", write_mv},
    {"mvexpand", write_mv},
    {"parse", write_parse},
    {"parse-kv", write_parse_kv},
    {"parse-where", write_parse},
    {"partition", write_partition},
    {"project-reorder", write_reorder},
    {"range", write_range},
    {"reduce", write_reduce},
    {"render", write_render},
    {"sample-distinct", write_of},
    {"scan", write_scan},
    {"search", write_search},
    {"sort", write_sort},
    {"top", write_sort},
    {"top-hitters", write_of},
    {"top-nested", write_top_nested},
    {"union", write_union},
};

void
put_operator(Buffer *out, const AstOperator *step)
{
    buffer_str(out, step->name);
    for (size_t i = 0; i < COUNT_OF(WRITERS); i++) {
        if (str_equal(step->name, str_from(WRITERS[i].name))) {
            WRITERS[i].write(out, step);
            return;
        }
    }
    write_simple(out, step);
}
