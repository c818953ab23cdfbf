// Array functions: lengths, slices, shifts, searching, zip, range, repeat.
//
// Source: Kusto docs, "Dynamic/array functions". Most are a choice of elements in
// some order, so they share array_push_slice(): elements are copied as byte runs.
// What is no array gives null. Arrays made from numbers alone (range, repeat) end at
// ELEMENTS_MOST, the service's own limit.

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <math.h>

enum { ELEMENTS_MOST = 1048576 };
#define HOUR TICKS_PER_HOUR

static bool
arg_is_array(const ScalarCall *call, uint32_t k, uint32_t i)
{
    return !arg_is_null(call, k, i) && dyn_kind(arg_dyn(call, k, i)) == DYN_ARRAY;
}

static int64_t
arg_long(const ScalarCall *call, uint32_t k, uint32_t i, int64_t absent)
{
    return k < call->arg_count && !arg_is_null(call, k, i) ? ARG(call, k, int64_t, i) : absent;
}

static int64_t
clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

// A position that counts from the end when negative, within 0 .. count.
static int64_t
position_in(int64_t position, int64_t count)
{
    if (position < 0)
        position = position < -count ? 0 : position + count;
    return position > count ? count : position;
}

// Elements [from, to) of the array, clamped.
static void
array_push_slice(DynBuilder *dyn, Dyn array, int64_t from, int64_t to)
{
    int64_t count = dyn_count(array);
    for (int64_t e = clamp(from, 0, count); e < clamp(to, 0, count); e++)
        dyn_push_tree(dyn, dyn_at(array, e));
}

// ---- reading ----

static void
array_length(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        if (arg_is_array(call, 0, i))
            ((int64_t *)call->out)[i] = dyn_count(arg_dyn(call, 0, i));
        else
            out_null(call, i);
    }
}

// Null when an element is no number.
static void
array_sum(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn array = arg_dyn(call, 0, i);
        bool ok = arg_is_array(call, 0, i);
        double sum = 0, number = 0;
        for (uint32_t e = 0; ok && e < dyn_count(array); e++) {
            ok = dyn_number(dyn_at(array, e), &number);
            sum += number;
        }
        if (ok)
            ((double *)call->out)[i] = sum;
        else
            out_null(call, i);
    }
}

// (array, value[, start[, length[, occurrence]]]): -1 when it is not there.
static void
array_index_of(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t length = arg_long(call, 3, i, -1), occurrence = arg_long(call, 4, i, 1);
        if (!arg_is_array(call, 0, i) || length < -1 || occurrence < 1) {
            out_null(call, i);
            continue;
        }
        Dyn array = arg_dyn(call, 0, i);
        Value value = arg_value(call, 1, i);
        Text wanted = dyn_text_of_value(call->arena, &value);
        int64_t count = dyn_count(array);
        int64_t start = position_in(arg_long(call, 2, i, 0), count);
        int64_t end = length < 0 || length > count - start ? count : start + length;
        int64_t found = -1;
        for (int64_t e = start; e < end; e++) {
            if (dyn_equal(dyn_at(array, e), dyn_of_text(&wanted)) && --occurrence == 0) {
                found = e;
                break;
            }
        }
        ((int64_t *)call->out)[i] = found;
    }
}

static void
array_strcat(ScalarCall *call)
{
    Buffer *text = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn array = arg_dyn(call, 0, i);
        buffer_clear(text);
        for (uint32_t e = 0; arg_is_array(call, 0, i) && e < dyn_count(array); e++) {
            if (e)
                buffer_str(text, arg_str(call, 1, i));
            dyn_to_text(text, dyn_at(array, e));
        }
        out_str(call, i, buffer_slice(text));
    }
}

// ---- making ----

static void
pack_array(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        out_array_begin(call);
        for (uint32_t k = 0; k < call->arg_count; k++) {
            Value value = arg_value(call, k, i);
            dyn_push_value(call->scratch->dyn, &value);
        }
        out_array_finish(call, i);
    }
}

static void
array_concat(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        bool ok = true;
        out_array_begin(call);
        for (uint32_t k = 0; ok && k < call->arg_count; k++) {
            ok = arg_is_array(call, k, i);
            if (ok)
                array_push_slice(call->scratch->dyn, arg_dyn(call, k, i), 0, INT64_MAX);
        }
        if (ok)
            out_array_finish(call, i);
        else
            out_null(call, i);
    }
    dyn_builder_reset(call->scratch->dyn);
}

static void
repeat(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t times = arg_long(call, 1, i, -1);
        if (times < 0) {
            out_null(call, i);
            continue;
        }
        Value value = arg_value(call, 0, i);
        Text text = dyn_text_of_value(call->arena, &value);
        // The bytes of all copies are bounded too: a large tree is not repeated a
        // million times.
        int64_t most = ((int64_t)1 << 28) / (text.len + 1);
        if (most > ELEMENTS_MOST)
            most = ELEMENTS_MOST;
        out_array_begin(call);
        for (int64_t n = 0; n < times && n < most; n++) {
            if (value.is_null)
                dyn_push_null(call->scratch->dyn);
            else
                dyn_push_tree(call->scratch->dyn, dyn_of_text(&text));
        }
        out_array_finish(call, i);
    }
}

static void
range_whole(ScalarCall *call, int64_t default_step, void (*push)(DynBuilder *, int64_t))
{
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t value = ARG(call, 0, int64_t, i), stop = ARG(call, 1, int64_t, i);
        int64_t step = arg_long(call, 2, i, default_step);
        if (step == 0) {
            out_null(call, i);
            continue;
        }
        out_array_begin(call);
        for (uint32_t n = 0; n < ELEMENTS_MOST; n++) {
            if (step > 0 ? value > stop : value < stop)
                break;
            push(call->scratch->dyn, value);
            if (__builtin_add_overflow(value, step, &value))
                break;
        }
        out_array_finish(call, i);
    }
}

static void
range_long(ScalarCall *call)
{
    range_whole(call, 1, dyn_push_long);
}

static void
range_datetime(ScalarCall *call)
{
    range_whole(call, HOUR, dyn_push_datetime);
}

static void
range_timespan(ScalarCall *call)
{
    range_whole(call, HOUR, dyn_push_timespan);
}

// Element n is start + n * step, so that errors do not add up.
static void
range_real(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        double start = ARG(call, 0, double, i), stop = ARG(call, 1, double, i);
        double step = call->arg_count > 2 ? ARG(call, 2, double, i) : 1;
        if (step == 0 || !isfinite(start) || !isfinite(stop) || !isfinite(step)) {
            out_null(call, i);
            continue;
        }
        out_array_begin(call);
        for (uint32_t n = 0; n < ELEMENTS_MOST; n++) {
            double value = start + n * step;
            if (step > 0 ? value > stop : value < stop)
                break;
            dyn_push_real(call->scratch->dyn, value);
        }
        out_array_finish(call, i);
    }
}

// ---- cutting and turning ----

// (array, start, end): both ends belong to the slice; negative ones count from the end.
static void
array_slice(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        if (!arg_is_array(call, 0, i)) {
            out_null(call, i);
            continue;
        }
        Dyn array = arg_dyn(call, 0, i);
        int64_t count = dyn_count(array);
        int64_t end = ARG(call, 2, int64_t, i);
        // The last element taken, -1 for none.
        if (end < 0)
            end = end < -count ? -1 : end + count;
        out_array_begin(call);
        array_push_slice(call->scratch->dyn, array, position_in(ARG(call, 1, int64_t, i), count),
                         end == INT64_MAX ? end : end + 1);
        out_array_finish(call, i);
    }
}

static void
array_reverse(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        if (!arg_is_array(call, 0, i)) {
            out_null(call, i);
            continue;
        }
        Dyn array = arg_dyn(call, 0, i);
        out_array_begin(call);
        for (uint32_t e = dyn_count(array); e > 0; e--)
            dyn_push_tree(call->scratch->dyn, dyn_at(array, e - 1));
        out_array_finish(call, i);
    }
}

static void
rotate_rows(ScalarCall *call, bool left)
{
    for (uint32_t i = 0; i < call->count; i++) {
        if (!arg_is_array(call, 0, i)) {
            out_null(call, i);
            continue;
        }
        Dyn array = arg_dyn(call, 0, i);
        int64_t count = dyn_count(array);
        int64_t by = count ? ARG(call, 1, int64_t, i) % count : 0;
        int64_t first = left ? by : -by;
        if (first < 0)
            first += count;
        out_array_begin(call);
        array_push_slice(call->scratch->dyn, array, first, count);
        array_push_slice(call->scratch->dyn, array, 0, first);
        out_array_finish(call, i);
    }
}

static void
array_rotate_left(ScalarCall *call)
{
    rotate_rows(call, true);
}

static void
array_rotate_right(ScalarCall *call)
{
    rotate_rows(call, false);
}

static void
push_times(DynBuilder *dyn, const Value *fill, int64_t times)
{
    for (int64_t n = 0; n < times; n++) {
        if (fill->is_null)
            dyn_push_null(dyn);
        else
            dyn_push_value(dyn, fill);
    }
}

// The length stays; places that become free take the fill value (null by default).
static void
shift_rows(ScalarCall *call, int64_t direction)
{
    for (uint32_t i = 0; i < call->count; i++) {
        if (!arg_is_array(call, 0, i) || arg_is_null(call, 1, i)) {
            out_null(call, i);
            continue;
        }
        Dyn array = arg_dyn(call, 0, i);
        Value fill = call->arg_count > 2 ? arg_value(call, 2, i) : value_null(TYPE_DYNAMIC);
        int64_t count = dyn_count(array);
        int64_t left = clamp(ARG(call, 1, int64_t, i), -count, count) * direction;
        out_array_begin(call);
        push_times(call->scratch->dyn, &fill, -left);
        if (left >= 0)
            array_push_slice(call->scratch->dyn, array, left, count);
        else
            array_push_slice(call->scratch->dyn, array, 0, count + left);
        push_times(call->scratch->dyn, &fill, left);
        out_array_finish(call, i);
    }
}

static void
array_shift_left(ScalarCall *call)
{
    shift_rows(call, 1);
}

static void
array_shift_right(ScalarCall *call)
{
    shift_rows(call, -1);
}

static void
push_part(DynBuilder *dyn, Dyn array, int64_t from, int64_t to)
{
    dyn_begin_array(dyn);
    array_push_slice(dyn, array, from, to);
    dyn_end_array(dyn);
}

// The second argument is a position or an array of positions, each of them a cut.
static void
array_split(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Value value = arg_value(call, 1, i);
        if (!arg_is_array(call, 0, i) || value.is_null) {
            out_null(call, i);
            continue;
        }
        Text cuts_text = dyn_text_of_value(call->arena, &value);
        Dyn array = arg_dyn(call, 0, i), cuts = dyn_of_text(&cuts_text);
        int64_t count = dyn_count(array), from = 0;
        bool several = dyn_kind(cuts) == DYN_ARRAY;
        uint32_t cut_count = several ? dyn_count(cuts) : 1;
        bool ok = true;
        out_array_begin(call);
        for (uint32_t c = 0; ok && c < cut_count; c++) {
            Dyn cut = several ? dyn_at(cuts, c) : cuts;
            ok = dyn_kind(cut) == DYN_LONG;
            if (!ok)
                break;
            int64_t to = position_in(dyn_long(cut), count);
            push_part(call->scratch->dyn, array, from, to);
            if (to > from)
                from = to;
        }
        push_part(call->scratch->dyn, array, from, count);
        if (ok)
            out_array_finish(call, i);
        else
            out_null(call, i);
    }
    dyn_builder_reset(call->scratch->dyn);
}

// ---- several arrays ----

// Element e of an array; a scalar stands for every element.
static void
push_choice(DynBuilder *dyn, const Value *value, const Text *text, uint32_t e)
{
    Dyn node = dyn_of_text(text);
    if (value->is_null)
        dyn_push_null(dyn);
    else if (dyn_kind(node) != DYN_ARRAY)
        dyn_push_tree(dyn, node);
    else if (e < dyn_count(node))
        dyn_push_tree(dyn, dyn_at(node, e));
    else
        dyn_push_null(dyn);
}

static void
array_iff(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        if (!arg_is_array(call, 0, i)) {
            out_null(call, i);
            continue;
        }
        Dyn conditions = arg_dyn(call, 0, i);
        Value values[2];
        Text texts[2];
        for (uint32_t side = 0; side < 2; side++) {
            values[side] = arg_value(call, side + 1, i);
            texts[side] = dyn_text_of_value(call->arena, &values[side]);
        }
        out_array_begin(call);
        for (uint32_t e = 0; e < dyn_count(conditions); e++) {
            Dyn condition = dyn_at(conditions, e);
            double number = 0;
            if (dyn_kind(condition) == DYN_BOOL)
                number = dyn_bool(condition);
            else if (!dyn_number(condition, &number)) {
                dyn_push_null(dyn);
                continue;
            }
            uint32_t side = number != 0 ? 0 : 1;
            push_choice(dyn, &values[side], &texts[side], e);
        }
        out_array_finish(call, i);
    }
}

// An array of arrays: the first elements, the second ones ..., padded with null.
static void
zip(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        uint32_t longest = 0;
        bool ok = true;
        for (uint32_t k = 0; ok && k < call->arg_count; k++) {
            ok = arg_is_array(call, k, i);
            uint32_t count = ok ? dyn_count(arg_dyn(call, k, i)) : 0;
            if (count > longest)
                longest = count;
        }
        if (!ok) {
            out_null(call, i);
            continue;
        }
        out_array_begin(call);
        for (uint32_t e = 0; e < longest; e++) {
            dyn_begin_array(dyn);
            for (uint32_t k = 0; k < call->arg_count; k++) {
                Dyn array = arg_dyn(call, k, i);
                if (e < dyn_count(array))
                    dyn_push_tree(dyn, dyn_at(array, e));
                else
                    dyn_push_null(dyn);
            }
            dyn_end_array(dyn);
        }
        out_array_finish(call, i);
    }
}

// ---- rows ----

#define IMPL(KERNEL) static const ScalarImpl KERNEL##_impl = {KERNEL, NULL}
IMPL(array_length);
IMPL(array_sum);
IMPL(array_index_of);
IMPL(array_strcat);
IMPL(pack_array);
IMPL(array_concat);
IMPL(repeat);
IMPL(range_long);
IMPL(range_real);
IMPL(range_datetime);
IMPL(range_timespan);
IMPL(array_slice);
IMPL(array_reverse);
IMPL(array_rotate_left);
IMPL(array_rotate_right);
IMPL(array_shift_left);
IMPL(array_shift_right);
IMPL(array_split);
IMPL(array_iff);
IMPL(zip);

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("array_length", "arraylength", "(array:array) : long",
             "The number of elements, null of what is no array.",
             "array_length(dynamic([1, 2])) == 2", 0, array_length),
    FUNCTION("array_sum", NULL, "(array:array) : real",
             "The sum of the elements, null when one is no number.",
             "array_sum(dynamic([1, 2.5])) == 3.5", 0, array_sum),
    FUNCTION("array_index_of", NULL,
             "(array:array, value:scalar, start:long=, length:long=, occurrence:long=) : long",
             "Where the value stands in the array, -1 when it does not.",
             "array_index_of(dynamic(['a', 'b']), 'b') == 1", 0, array_index_of),
    FUNCTION("array_strcat", NULL, "(array:array, delimiter:text) : string",
             "The elements as text with the delimiter between.",
             "array_strcat(dynamic([1, 2]), '-') == '1-2'", 0, array_strcat),
    FUNCTION("pack_array", NULL, "(value:scalar...) : array", "An array of the values.",
             "array_length(pack_array(1, 'a')) == 2", FN_OWN_NULLS, pack_array),
    FUNCTION("array_concat", NULL, "(array:array...) : array", "The elements of all arrays in one.",
             "array_length(array_concat(dynamic([1]), dynamic([2]))) == 2", 0, array_concat),
    FUNCTION("repeat", NULL, "(value:scalar, times:long) : dynamic",
             "An array that holds the value so many times.", "array_sum(repeat(2, 3)) == 6",
             FN_OWN_NULLS, repeat),
    FUNCTION("range", NULL, "(start:long, stop:long, step:long=) : dynamic",
             "An array of evenly spaced values, both ends included.",
             "array_length(range(1, 7, 2)) == 4", 0, range_long),
    FUNCTION("range", NULL, "(start:real, stop:real, step:real=) : dynamic",
             "An array of evenly spaced values, both ends included.",
             "array_length(range(0.0, 1.0, 0.25)) == 5", 0, range_real),
    FUNCTION("range", NULL, "(start:datetime, stop:datetime, step:timespan=) : dynamic",
             "An array of evenly spaced times, one hour apart by default.",
             "array_length(range(datetime(2020-01-01), datetime(2020-01-03), 1d)) == 3", 0,
             range_datetime),
    FUNCTION("range", NULL, "(start:timespan, stop:timespan, step:timespan=) : dynamic",
             "An array of evenly spaced time spans, one hour apart by default.",
             "array_length(range(0h, 3h)) == 4", 0, range_timespan),
    FUNCTION("array_slice", NULL, "(array:array, start:long, end:long) : array",
             "The elements from start to end, both included; negative ones count from the end.",
             "array_sum(array_slice(dynamic([1, 2, 3]), 1, 2)) == 5", 0, array_slice),
    FUNCTION("array_reverse", NULL, "(array:array) : dynamic", "The elements in reverse order.",
             "tolong(array_reverse(dynamic([1, 2]))[0]) == 2", 0, array_reverse),
    FUNCTION("array_rotate_left", NULL, "(array:array, by:long) : dynamic",
             "The elements turned to the left by so many places.",
             "tolong(array_rotate_left(dynamic([1, 2, 3]), 1)[0]) == 2", 0, array_rotate_left),
    FUNCTION("array_rotate_right", NULL, "(array:array, by:long) : dynamic",
             "The elements turned to the right by so many places.",
             "tolong(array_rotate_right(dynamic([1, 2, 3]), 1)[0]) == 3", 0, array_rotate_right),
    FUNCTION("array_shift_left", NULL, "(array:array, by:long, fill:scalar=) : dynamic",
             "The elements shifted to the left; free places take the fill value or null.",
             "tolong(array_shift_left(dynamic([1, 2]), 1, 9)[1]) == 9", FN_OWN_NULLS,
             array_shift_left),
    FUNCTION("array_shift_right", NULL, "(array:array, by:long, fill:scalar=) : dynamic",
             "The elements shifted to the right; free places take the fill value or null.",
             "tolong(array_shift_right(dynamic([1, 2]), 1, 9)[0]) == 9", FN_OWN_NULLS,
             array_shift_right),
    FUNCTION("array_split", NULL, "(array:array, at:wholes) : array",
             "The array cut at a position or at each of an array of positions.",
             "array_length(array_split(dynamic([1, 2, 3]), 1)) == 2", 0, array_split),
    FUNCTION("array_iff", "array_iif", "(conditions:array, then:scalar, else:scalar) : dynamic",
             "For each condition the element of `then` or of `else`.",
             "tolong(array_iff(dynamic([true, false]), 1, 2)[1]) == 2", FN_OWN_NULLS, array_iff),
    FUNCTION("zip", NULL, "(array:array, other:array...) : array",
             "An array of the first elements, of the second ones and so on.",
             "tolong(zip(dynamic([1]), dynamic([2]))[0][1]) == 2", 0, zip),
};

const FunctionSet ARRAY_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
