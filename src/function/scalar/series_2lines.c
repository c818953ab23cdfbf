// Series: two lines of least squares with a break between them.
//
// Source: Kusto docs, series_fit_2lines() and series_fit_2lines_dynamic(). The break is
// where the two lines leave the least; the sums for every possible break are kept up to
// date from both ends, so the search is linear. Each line counts its places from the
// start of its own part, as series_fit_line() does.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>

// Means and sums of squares around them of the points so far; stable for long series.
typedef struct Moments {
    double count, mean_x, mean_y, xx, xy, yy;
} Moments;

static void
moments_add(Moments *m, double x, double y)
{
    if (isnan(y))
        return;
    m->count++;
    double dx = x - m->mean_x, dy = y - m->mean_y;
    m->mean_x += dx / m->count;
    m->mean_y += dy / m->count;
    m->xx += dx * (x - m->mean_x);
    m->xy += dx * (y - m->mean_y);
    m->yy += dy * (y - m->mean_y);
}

// The squares that the line of least squares leaves.
static double
moments_rest(const Moments *m)
{
    return m->xx > 0 ? fmax(m->yy - m->xy * m->xy / m->xx, 0) : m->yy;
}

static double
moments_slope(const Moments *m)
{
    return m->xx > 0 ? m->xy / m->xx : 0;
}

static double
of_sample(const Moments *m, double squares)
{
    return m->count > 1 ? squares / (m->count - 1) : 0;
}

static double
r_square(const Moments *m, double rest)
{
    return m->yy > 0 ? 1 - rest / m->yy : 1;
}

typedef struct TwoLines {
    const double *items; // NaN: no number
    uint32_t len, split; // the first place of the right part
    Moments all, left, right;
} TwoLines;

static bool
items_read(const ScalarCall *call, uint32_t i, Arena *arena, TwoLines *out)
{
    Dyn tree = arg_dyn(call, 0, i);
    if (dyn_kind(tree) != DYN_ARRAY)
        return false;
    out->len = dyn_count(tree);
    double *items = ARENA_ARRAY(arena, double, out->len);
    for (uint32_t e = 0; e < out->len; e++) {
        if (!dyn_number(dyn_at(tree, e), &items[e]) || isinf(items[e]))
            items[e] = NAN;
    }
    out->items = items;
    return true;
}

// False when there are not two points for each line.
static bool
lines_fit(Arena *arena, TwoLines *lines)
{
    double *rest = ARENA_ARRAY(arena, double, lines->len), least = INFINITY;
    Moments m = {0};
    for (uint32_t e = lines->len; e-- > 0;) {
        moments_add(&m, e, lines->items[e]);
        rest[e] = m.count < 2 ? INFINITY : moments_rest(&m);
    }
    for (uint32_t e = 0; e < lines->len; e++) {
        if (lines->all.count >= 2 && moments_rest(&lines->all) + rest[e] < least) {
            least = moments_rest(&lines->all) + rest[e];
            lines->split = e;
        }
        moments_add(&lines->all, e, lines->items[e]);
    }
    if (isinf(least))
        return false;
    for (uint32_t e = 0; e < lines->split; e++)
        moments_add(&lines->left, e, lines->items[e]);
    for (uint32_t e = lines->split; e < lines->len; e++)
        moments_add(&lines->right, e - lines->split, lines->items[e]);
    return true;
}

static void
push_named(DynBuilder *dyn, const char *name, bool as_bag, double x)
{
    if (as_bag)
        dyn_key(dyn, str_from(name));
    dyn_push_real(dyn, x);
}

static void
push_part(DynBuilder *dyn, const Moments *m, const char *const *names, bool as_bag)
{
    double slope = moments_slope(m), rest = moments_rest(m);
    const double numbers[] = {r_square(m, rest), slope, m->mean_y - slope * m->mean_x,
                              of_sample(m, m->yy), of_sample(m, rest)};
    for (size_t k = 0; k < COUNT_OF(numbers); k++)
        push_named(dyn, names[k], as_bag, numbers[k]);
}

static void
push_lines(DynBuilder *dyn, const TwoLines *lines, bool as_bag)
{
    static const char *const RIGHT[] = {"right_rsquare", "right_slope", "right_interception",
                                        "right_variance", "right_rvariance"};
    static const char *const LEFT[] = {"left_rsquare", "left_slope", "left_interception",
                                       "left_variance", "left_rvariance"};
    double rest = moments_rest(&lines->left) + moments_rest(&lines->right);
    push_named(dyn, "rsquare", as_bag, r_square(&lines->all, rest));
    if (as_bag)
        dyn_key(dyn, STR("split_idx"));
    dyn_push_long(dyn, lines->split);
    push_named(dyn, "variance", as_bag, of_sample(&lines->all, lines->all.yy));
    push_named(dyn, "rvariance", as_bag, of_sample(&lines->all, rest));
    if (as_bag)
        dyn_key(dyn, STR("line_fit"));
    dyn_begin_array(dyn);
    for (uint32_t e = 0; e < lines->len; e++) {
        const Moments *m = e < lines->split ? &lines->left : &lines->right;
        double x = e < lines->split ? e : e - lines->split;
        dyn_push_real(dyn, m->mean_y + moments_slope(m) * (x - m->mean_x));
    }
    dyn_end_array(dyn);
    push_part(dyn, &lines->right, RIGHT, as_bag);
    push_part(dyn, &lines->left, LEFT, as_bag);
}

static void
lines_rows(ScalarCall *call, bool as_bag)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        TwoLines lines = {0};
        if (!items_read(call, i, &arena, &lines) || !lines_fit(&arena, &lines)) {
            out_null(call, i);
            arena_free(&arena);
            continue;
        }
        dyn_builder_reset(dyn);
        if (as_bag)
            dyn_begin_bag(dyn);
        else
            dyn_begin_array(dyn);
        push_lines(dyn, &lines, as_bag);
        if (as_bag)
            dyn_end_bag(dyn);
        else
            dyn_end_array(dyn);
        out_dyn(call, i);
        arena_free(&arena);
    }
}

static void
series_fit_2lines(ScalarCall *call)
{
    lines_rows(call, false);
}

static void
series_fit_2lines_dynamic(ScalarCall *call)
{
    lines_rows(call, true);
}

static const ScalarImpl ARRAY_IMPL = {series_fit_2lines, NULL};
static const ScalarImpl BAG_IMPL = {series_fit_2lines_dynamic, NULL};

static const FunctionDef ROWS[] = {
    {"series_fit_2lines", NULL, "(series:array) : dynamic",
     "Two lines of least squares and the place of the break as an array.",
     "tolong(series_fit_2lines(dynamic([0, 1, 2, 10, 8, 6]))[1]) == 3", FUNCTION_SCALAR, 0,
     &ARRAY_IMPL},
    {"series_fit_2lines_dynamic", NULL, "(series:array) : dynamic",
     "Two lines of least squares and the place of the break as a bag.",
     "toreal(series_fit_2lines_dynamic(dynamic([0, 0, 0, 5, 5, 5])).rsquare) == 1", FUNCTION_SCALAR,
     0, &BAG_IMPL},
};

const FunctionSet SERIES_2LINES_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
