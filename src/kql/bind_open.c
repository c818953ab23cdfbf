// Columns that a table may have although its schema does not name them.
//
// Log Analytics has hidden columns (_ItemId, _TimeReceived) that exist when a query
// names them; AzureDiagnostics gets the columns that some resource has sent; what columns
// a watchlist has is known only to who holds it. Such a column cannot be added where it
// is missed, since operators between there and the table have been bound without it. So
// the name is noted for the tables it may belong to, and the query is bound again with
// those columns, null in every row. A query that misses none is bound once, and one that is
// bound again and again may bring what was noted the last time.

#include "kql/bind_state.h"

static const Str WATCHLIST = STR_INIT("$watchlist ");

static Type
open_type(Binder *b, Str table, Str column)
{
    if (str_starts(table, WATCHLIST))
        return TYPE_STRING;
    return b->catalog->open_column ? b->catalog->open_column(b->catalog->context, table, column)
                                   : TYPE_NONE;
}

static bool
has_open_column(const OpenColumns *open, Str table, Str column)
{
    for (size_t i = 0; i < open->len; i++)
        if (str_equal(open->items[i].table, table) && str_equal(open->items[i].column.name, column))
            return true;
    return false;
}

void
open_column_missed(Binder *b, Str column)
{
    OpenColumns *open = b->open;
    // Asked again and again for one name, as tables come: only the new ones are looked at.
    size_t from = open->missed.ptr && str_equal(open->missed, column) ? open->missed_tables : 0;
    open->missed = column;
    open->missed_tables = open->table_count;
    for (size_t i = from; i < open->table_count; i++) {
        Type type = open_type(b, open->tables[i], column);
        if (type == TYPE_NONE || has_open_column(open, open->tables[i], column))
            continue;
        OpenColumn added = {open->tables[i], {str_copy(open->arena, column), type}};
        ARRAY_PUSH(open->arena, open, added);
        open->grown = true;
    }
}

static void
note_table(Binder *b, Str table)
{
    OpenColumns *open = b->open;
    for (size_t i = 0; i < open->table_count; i++)
        if (str_equal(open->tables[i], table))
            return;
    if (open->table_count == open->table_cap)
        open->tables =
            array_grow(open->arena, open->tables, open->table_count, &open->table_cap, sizeof(Str));
    open->tables[open->table_count++] = str_copy(open->arena, table);
}

OpenColumns *
kql_open_columns(Arena *arena)
{
    OpenColumns *open = ARENA_NEW(arena, OpenColumns);
    open->arena = arena;
    return open;
}

// The table with the columns noted for it.
Plan *
open_table(Binder *b, Plan *plan, Str table)
{
    if (!plan)
        return NULL;
    note_table(b, table);
    uint32_t count = plan->schema.count, added = 0;
    for (size_t i = 0; i < b->open->len; i++)
        added += str_equal(b->open->items[i].table, table) &&
                 schema_find(&plan->schema, b->open->items[i].column.name) < 0;
    if (!added)
        return plan;
    Schema schema = {ARENA_ARRAY(b->arena, Column, count + added), 0};
    Expr **exprs = ARENA_ARRAY(b->arena, Expr *, count + added);
    for (uint32_t c = 0; c < count; c++) {
        exprs[schema.count] = expr_column(b->arena, c, plan->schema.columns[c].type, plan->span);
        schema.columns[schema.count++] = plan->schema.columns[c];
    }
    for (size_t i = 0; i < b->open->len; i++) {
        const OpenColumn *column = &b->open->items[i];
        if (!str_equal(column->table, table) ||
            schema_find(&plan->schema, column->column.name) >= 0)
            continue;
        Value null = value_null(column->column.type);
        exprs[schema.count] = expr_const(b->arena, &null, plan->span);
        schema.columns[schema.count++] = column->column;
    }
    return bind_projection(b, plan, schema, exprs, false, plan->span);
}
