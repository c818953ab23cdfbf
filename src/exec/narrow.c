// Narrowing a scan's filter to a row group, before it is read.
//
// `* has "x"` is an `or` over all columns of a table, and most row groups can hold x in few
// of them. So each side of an `or` is asked of the group's zones and term indexes; a side
// that no row can meet is false or null in all rows and leaves the `or`, and a column that
// only such sides read is not read at all.
//
// Where a term index knows which rows hold a term, the group is narrowed to these rows; a
// `has` of one term is answered by that alone and leaves the filter.
//
// Where times ascend, the scan knows the run of rows in a window of time before it reads any
// (TableSource's row_range): what compares the time with constants leaves the filter too, and the times
// need not be read.

#include "base/array.h"
#include "exec/internal.h"
#include "kql/binder.h"

// A condition, taken apart as far as its `and`s and `or`s go.
struct Narrowing {
    const Expr *expr;
    bool is_and, is_or;
    const Narrowing *left, *right;
    bool known;   // what follows from it, when neither
    bool by_rows; // it may narrow the rows: not under an `or`
    bool is_has;  // rows that are known exactly are those that meet it
    bool is_time; // all rows of the run that row_range tells meet it
    ScanPredicate predicate;
};

// Narrowing to one morsel.
typedef struct MorselNarrowing {
    Arena *arena;
    const TableSource *source;
    uint32_t morsel;
    bool in_run;    // only rows of the run that row_range told are read
    uint64_t *rows; // NULL = all
} MorselNarrowing;

// What is left of a condition.
typedef enum Rest { NO_ROW, THESE_ROWS, EVERY_ROW } Rest;

static bool
is_call(const Expr *expr, const char *name)
{
    return expr->kind == EXPR_CALL && strcmp(expr->fn->name, name) == 0;
}

static bool
is_text_search(const ScanPredicate *predicate)
{
    return predicate->op >= SCAN_HAS && predicate->op <= SCAN_CONTAINS;
}

static bool
compares_time(const Plan *scan, const ScanPredicate *predicate)
{
    const TableSource *source = scan->scan.source;
    return source->row_range && predicate->op <= SCAN_GE &&
           (ptrdiff_t)predicate->column == source->time_column &&
           predicate->values[0].type == TYPE_DATETIME;
}

// Whether the condition says what the predicate says and no more: of `between` both ends.
static bool
is_time_alone(const Plan *scan, const Expr *expr, const ScanPredicate *predicate)
{
    if (!is_call(expr, "between"))
        return compares_time(scan, predicate);
    return predicate->op == SCAN_ALL && predicate->part_count == 2 &&
           compares_time(scan, &predicate->parts[0]) && compares_time(scan, &predicate->parts[1]);
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
        return out;
    }
    out->known = condition_predicate(arena, scan, expr, &out->predicate);
    out->by_rows = out->known && !in_or && is_text_search(&out->predicate);
    out->is_has = is_call(expr, "has") || is_call(expr, "has_any");
    out->is_time = out->known && !in_or && is_time_alone(scan, expr, &out->predicate);
    *useful = *useful || (out->known && in_or) || out->by_rows || out->is_time;
    return out;
}

const Narrowing *
narrowing_new(Arena *arena, const Plan *scan, const Expr *filter)
{
    bool useful = false;
    const Narrowing *narrowing = take_apart(arena, scan, filter, false, &useful);
    return useful ? narrowing : NULL;
}

static const Expr *
join_sides(Arena *arena, const Expr *whole, const Expr *left, const Expr *right)
{
    if (left == whole->args[0] && right == whole->args[1])
        return whole;
    Expr *both = ARENA_NEW(arena, Expr);
    *both = *whole;
    both->args = ARENA_ARRAY(arena, Expr *, 2);
    both->args[0] = (Expr *)left;
    both->args[1] = (Expr *)right;
    return both;
}

// A condition under an `or` without the sides that no row meets; NULL: no row meets it.
static const Expr *
narrow_side(const Narrowing *n, const MorselNarrowing *m)
{
    if (n->known)
        return m->source->may_match(m->source, m->morsel, &n->predicate, 1) ? n->expr : NULL;
    if (!n->left)
        return n->expr;
    const Expr *left = narrow_side(n->left, m);
    if (!left && n->is_and)
        return NULL;
    const Expr *right = narrow_side(n->right, m);
    if (!left || !right)
        return n->is_or ? (left ? left : right) : NULL;
    return join_sides(m->arena, n->expr, left, right);
}

static Rest
narrow_rows(const Narrowing *n, MorselNarrowing *m)
{
    size_t words = (m->source->morsel_rows(m->source, m->morsel) + 63) / 64;
    uint64_t *rows = ARENA_ARRAY(m->arena, uint64_t, words), some = 0;
    bool exact;
    if (!m->source->match_rows ||
        !m->source->match_rows(m->source, m->morsel, &n->predicate, rows, &exact))
        return THESE_ROWS;
    for (size_t i = 0; i < words; i++) {
        rows[i] &= m->rows ? m->rows[i] : UINT64_MAX;
        some |= rows[i];
    }
    m->rows = rows;
    return !some ? NO_ROW : exact && n->is_has ? EVERY_ROW : THESE_ROWS;
}

// A condition that all rows must meet: what is left to ask of the rows in `m`.
static Rest
narrow_condition(const Narrowing *n, MorselNarrowing *m, const Expr **out)
{
    *out = n->expr;
    if (n->by_rows)
        return narrow_rows(n, m);
    if (n->is_time && m->in_run)
        return EVERY_ROW;
    if (n->is_or) {
        *out = narrow_side(n, m);
        return *out ? THESE_ROWS : NO_ROW;
    }
    if (!n->is_and)
        return THESE_ROWS;
    const Expr *left, *right;
    Rest first = narrow_condition(n->left, m, &left);
    Rest second = first == NO_ROW ? NO_ROW : narrow_condition(n->right, m, &right);
    if (second == NO_ROW)
        return NO_ROW;
    if (first == EVERY_ROW || second == EVERY_ROW) {
        *out = first == EVERY_ROW ? right : left;
        return first == EVERY_ROW ? second : first;
    }
    *out = join_sides(m->arena, n->expr, left, right);
    return THESE_ROWS;
}

bool
narrowing_filter(const Narrowing *narrowing, Arena *arena, const TableSource *source,
                 uint32_t morsel, bool in_run, NarrowedFilter *out)
{
    MorselNarrowing m = {.arena = arena, .source = source, .morsel = morsel, .in_run = in_run};
    Rest rest = narrow_condition(narrowing, &m, &out->expr);
    if (rest == EVERY_ROW)
        out->expr = NULL;
    out->rows = m.rows;
    return rest != NO_ROW;
}
