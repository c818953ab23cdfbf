// Narrowing a scan's filter to a row group.
//
// `* has "x"` is an `or` over all columns of a table, and most row groups can hold x in few
// of them. So before a row group is read, each side of an `or` is asked of its zones and term
// indexes; a side that no row can meet is false or null in all rows and leaves the `or`, and
// a column that only such sides read is not read at all.

#include "base/array.h"
#include "exec/internal.h"
#include "kql/binder.h"

// A condition, taken apart as far as its `and`s and `or`s go.
struct Narrowing {
    const Expr *expr;
    bool is_and, is_or;
    const Narrowing *left, *right;
    bool known; // what follows from it, when neither
    ScanPredicate predicate;
};

static bool
is_call(const Expr *expr, const char *name)
{
    return expr->kind == EXPR_CALL && expr->arg_count == 2 && strcmp(expr->fn->name, name) == 0;
}

static const Narrowing *
take_apart(Arena *arena, const Plan *scan, const Expr *expr, bool in_or, bool *useful)
{
    Narrowing *out = ARENA_NEW(arena, Narrowing);
    out->expr = expr;
    out->is_and = is_call(expr, "and");
    out->is_or = is_call(expr, "or");
    if (out->is_and || out->is_or) {
        in_or = in_or || out->is_or;
        out->left = take_apart(arena, scan, expr->args[0], in_or, useful);
        out->right = take_apart(arena, scan, expr->args[1], in_or, useful);
    } else if (in_or) {
        out->known = condition_predicate(arena, scan, expr, &out->predicate);
        *useful = *useful || out->known;
    }
    return out;
}

const Narrowing *
narrowing_new(Arena *arena, const Plan *scan, const Expr *filter)
{
    bool useful = false;
    const Narrowing *narrowing = take_apart(arena, scan, filter, false, &useful);
    return useful ? narrowing : NULL;
}

const Expr *
narrowing_filter(const Narrowing *n, Arena *arena, const TableSource *source, uint32_t morsel)
{
    if (n->known)
        return source->may_match(source, morsel, &n->predicate, 1) ? n->expr : NULL;
    if (!n->left)
        return n->expr;
    const Expr *left = narrowing_filter(n->left, arena, source, morsel);
    if (!left && n->is_and)
        return NULL;
    const Expr *right = narrowing_filter(n->right, arena, source, morsel);
    if (!left || !right)
        return n->is_or ? (left ? left : right) : NULL;
    if (left == n->left->expr && right == n->right->expr)
        return n->expr;
    Expr *both = ARENA_NEW(arena, Expr);
    *both = *n->expr;
    both->args = ARENA_ARRAY(arena, Expr *, 2);
    both->args[0] = (Expr *)left;
    both->args[1] = (Expr *)right;
    return both;
}
