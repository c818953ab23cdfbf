// Counting distinct values: dcount, count_distinct, and hll() with what reads it.
//
// A state starts as a set of 64-bit hashes and is exact so far. When it outgrows its
// bound it becomes a HyperLogLog: 2^precision registers, each with the most leading
// zeros seen in its share of the hashes. The number is then read with Ertl's
// estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017),
// which needs no tables of corrections. Precisions by accuracy: Kusto docs,
// "Estimation accuracy". count_distinct never leaves the set; two of a billion
// different values share a hash with a chance of one in forty.
//
// The dynamic that hll() gives is [[bound, precision], [hashes], "registers"], each
// register a character from '0' on; like any dynamic it may come from outside and is
// checked before use.

#include "function/sketch.h"

#include "base/array.h"
#include "function/registry.h"

#include <math.h>

enum { PRECISION_LEAST = 4, PRECISION_MOST = 18, PRECISION_EXACT = 0, REGISTER_ZERO = '0' };

typedef struct DistinctState {
    uint64_t *slots; // hashes, open addressing, 0 = free
    size_t slot_count, len;
    uint8_t *registers; // when not NULL, the hashes are gone
    uint64_t *waiting;  // hashes that are not added yet, room for WAITING_MOST
    uint32_t waiting_len;
    uint32_t precision; // of hll_merge: 0 until the first sketch came
} DistinctState;

// ---- registers ----

static void
register_raise(DistinctState *state, uint64_t index, uint32_t rank)
{
    if (state->registers[index] < rank)
        state->registers[index] = (uint8_t)rank;
}

static void
registers_add(DistinctState *state, uint64_t hash, uint32_t precision)
{
    // The bit behind the hash's own ends the run of zeros.
    uint64_t rest = hash << precision | (uint64_t)1 << (precision - 1);
    register_raise(state, hash >> (64 - precision), (uint32_t)__builtin_clzll(rest) + 1);
}

static double
estimate_sigma(double x)
{
    if (x == 1)
        return INFINITY;
    double y = 1, z = x, before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double
estimate_tau(double x)
{
    if (x == 0 || x == 1)
        return 0;
    double y = 1, z = 1 - x, before;
    do {
        x = sqrt(x);
        before = z;
        y /= 2;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

static int64_t
registers_estimate(const DistinctState *state, uint32_t precision)
{
    uint32_t most = 64 - precision;
    double counts[66] = {0}, registers = (double)((uint64_t)1 << precision);
    for (size_t r = 0; r < (size_t)1 << precision; r++)
        counts[state->registers[r]]++;
    double z = registers * estimate_tau(1 - counts[most + 1] / registers);
    for (uint32_t k = most; k > 0; k--)
        z = (z + counts[k]) / 2;
    z += registers * estimate_sigma(counts[0] / registers);
    double estimate = registers * registers / (2 * M_LN2 * z);
    return estimate < 0x1p62 ? llround(estimate) : INT64_MAX;
}

// ---- states ----

// The sets of many groups do not fit into the caches together. So what is added to a set of this many
// slots or more waits until there is half as much as it has slots, or WAITING_MOST: then it is added at
// once, while that one set is near.
enum { WAITING_FROM = 1024, WAITING_MOST = 1024 };

// Hashes are held as they are up to this many, 4,096 by default: registers take a quarter of the room that
// as many hashes and the free slots between them do, and are exact to what the accuracy promises.
static size_t
hashes_most(uint32_t precision)
{
    return precision == PRECISION_EXACT ? SIZE_MAX : (size_t)1 << precision >> 2;
}

static void
slot_put(DistinctState *state, uint64_t hash)
{
    size_t slot = hash & (state->slot_count - 1);
    while (state->slots[slot] && state->slots[slot] != hash)
        slot = (slot + 1) & (state->slot_count - 1);
    if (!state->slots[slot]) {
        state->slots[slot] = hash;
        state->len++;
    }
}

static void
slots_grow(DistinctState *state, Arena *arena)
{
    uint64_t *old = state->slots;
    size_t old_count = state->slot_count;
    state->slot_count = old_count ? old_count * 2 : 4; // most sets of small groups hold one value
    state->slots = ARENA_ARRAY(arena, uint64_t, state->slot_count);
    state->len = 0;
    for (size_t s = 0; s < old_count; s++)
        if (old[s])
            slot_put(state, old[s]);
    arena_release(arena, old);
    if (!state->waiting && state->slot_count >= WAITING_FROM)
        state->waiting = arena_alloc_array(arena, WAITING_MOST, sizeof(uint64_t));
}

static void
make_registers(DistinctState *state, uint32_t precision, Arena *arena)
{
    state->registers = ARENA_ARRAY(arena, uint8_t, (size_t)1 << precision);
    for (size_t s = 0; s < state->slot_count; s++)
        if (state->slots[s])
            registers_add(state, state->slots[s], precision);
    arena_release(arena, state->slots);
    state->slots = NULL;
    state->slot_count = state->len = 0;
}

static void
state_add(DistinctState *state, uint64_t hash, uint32_t precision, Arena *arena)
{
    if (state->registers) {
        registers_add(state, hash, precision);
        return;
    }
    if ((state->len + 1) * 4 > state->slot_count * 3)
        slots_grow(state, arena);
    slot_put(state, hash ? hash : 1);
    if (state->len > hashes_most(precision))
        make_registers(state, precision, arena);
}

// Adds hashes[0 .. count) to a set of hashes, up to the one before which it must grow or become
// registers; how many.
static uint32_t
slots_put(DistinctState *state, const uint64_t *hashes, uint32_t count, uint32_t precision)
{
    enum { AHEAD = 16 };
    uint64_t *slots = state->slots;
    size_t mask = state->slot_count - 1, most = state->slot_count / 4 * 3, len = state->len;
    if (most > hashes_most(precision))
        most = hashes_most(precision);
    uint32_t i = 0;
    for (; i < count && len < most; i++) {
        if (i + AHEAD < count)
            __builtin_prefetch(&slots[hashes[i + AHEAD] & mask]);
        uint64_t hash = hashes[i] ? hashes[i] : 1;
        size_t slot = hash & mask;
        while (slots[slot] && slots[slot] != hash)
            slot = (slot + 1) & mask;
        len += !slots[slot];
        slots[slot] = hash;
    }
    state->len = len;
    return i;
}

// Adds what waits. Called before the state is read.
static void
state_settle(DistinctState *state, uint32_t precision, Arena *arena)
{
    const uint64_t *hashes = state->waiting;
    uint32_t count = state->waiting_len;
    state->waiting_len = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!state->registers)
            i += slots_put(state, hashes + i, count - i, precision);
        if (i < count)
            state_add(state, hashes[i], precision, arena);
    }
}

// As state_add, for states that are settled before they are read.
static inline void
state_note(DistinctState *state, uint64_t hash, uint32_t precision, Arena *arena)
{
    if (!state->waiting) {
        state_add(state, hash, precision, arena);
        return;
    }
    size_t most = state->registers ? WAITING_FROM / 2 : state->slot_count / 2;
    most = most < WAITING_MOST ? most : WAITING_MOST;
    state->waiting[state->waiting_len++] = hash;
    if (state->waiting_len == most)
        state_settle(state, precision, arena);
}

// Of the same precision both.
static void
state_merge(DistinctState *into, const DistinctState *from, uint32_t precision, Arena *arena)
{
    for (size_t s = 0; s < from->slot_count; s++)
        if (from->slots[s])
            state_add(into, from->slots[s], precision, arena);
    if (!from->registers)
        return;
    if (!into->registers)
        make_registers(into, precision, arena);
    for (size_t r = 0; r < (size_t)1 << precision; r++)
        register_raise(into, r, from->registers[r]);
}

// Folds the registers to a lower precision: the bits that leave the index become the
// first bits behind it.
static void
state_reduce(DistinctState *state, uint32_t precision, Arena *arena)
{
    uint32_t shift = state->precision - precision;
    DistinctState old = *state;
    state->precision = precision;
    if (!old.registers) {
        if (state->len > hashes_most(precision))
            make_registers(state, precision, arena);
        return;
    }
    state->registers = ARENA_ARRAY(arena, uint8_t, (size_t)1 << precision);
    for (uint64_t r = 0; r < (uint64_t)1 << old.precision; r++) {
        if (!old.registers[r])
            continue;
        uint64_t moved = shift ? r & (((uint64_t)1 << shift) - 1) : 0;
        uint32_t rank =
            moved ? shift - (63 - (uint32_t)__builtin_clzll(moved)) : old.registers[r] + shift;
        register_raise(state, r >> shift, rank);
    }
}

static int64_t
state_count(const DistinctState *state, uint32_t precision)
{
    return state->registers ? registers_estimate(state, precision) : (int64_t)state->len;
}

// ---- dcount, count_distinct, hll ----

static const uint32_t PRECISIONS[] = {12, 14, 16, 17, 18}; // by accuracy 0 .. 4
enum { ACCURACY_DEFAULT = 1 };

static bool
bind_precision(Arena *arena, AggregateCall *call, Type type, AzError *error)
{
    int64_t accuracy = ACCURACY_DEFAULT;
    if (call->arg_count > 1) {
        const Expr *arg = call->args[1];
        bool known = arg->kind == EXPR_CONST && !arg->value.is_null;
        accuracy = known ? arg->value.int64 : -1;
        if (accuracy < 0 || accuracy >= (int64_t)COUNT_OF(PRECISIONS))
            return error_at(error, AZ_SEMANTIC, arg->span,
                            "the accuracy of %s() is a constant from 0 to 4", call->fn->name);
    }
    call->bound = &PRECISIONS[accuracy];
    call->output_types = ARENA_ARRAY(arena, Type, 1);
    call->output_types[0] = type;
    call->output_count = 1;
    return true;
}

static bool
dcount_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    return bind_precision(arena, call, TYPE_LONG, error);
}

static bool
hll_bind(Arena *arena, AggregateCall *call, AzError *error)
{
    return bind_precision(arena, call, TYPE_DYNAMIC, error);
}

// Of count_distinct nothing is bound: it stays exact.
static uint32_t
precision_of(const AggregateCall *call)
{
    return call->bound ? *(const uint32_t *)call->bound : PRECISION_EXACT;
}

// Hashes of small numbers differ in few bits: every bit is spread (splitmix64).
static uint64_t
spread(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static void
distinct_update(const AggregateUpdate *u)
{
    enum { PART = 256 };
    Type type = u->args[0].type;
    size_t size = type_size(type);
    uint32_t precision = precision_of(u->call);
    uint64_t hashes[PART];
    uint32_t rows[PART];
    for (uint32_t from = 0; from < u->count; from += PART) {
        uint32_t to = u->count - from < PART ? u->count : from + PART, count = 0;
        for (uint32_t i = from; i < to; i++) {
            if (update_is_null(u, 0, i))
                continue;
            const char *payload = (const char *)u->args[0].data + (i & u->args[0].mask) * size;
            rows[count] = i;
            hashes[count++] = spread(data_hash(type, payload));
        }
        for (uint32_t k = 0; k < count; k++)
            state_note(u->states[rows[k]], hashes[k], precision, u->arena);
    }
}

static void
distinct_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    uint32_t precision = precision_of(call);
    state_settle(into, precision, arena);
    state_settle(from, precision, arena);
    state_merge(into, from, precision, arena);
}

static void
distinct_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
                Arena *arena, Scratch *scratch)
{
    (void)scratch;
    state_settle(state, precision_of(call), arena);
    ((int64_t *)outputs[0]->data)[row] = state_count(state, precision_of(call));
}

static const AggregateImpl DCOUNT = {
    .state_size = sizeof(DistinctState),
    .bind = dcount_bind,
    .update = distinct_update,
    .merge = distinct_merge,
    .finish = distinct_finish,
};

static const AggregateImpl COUNT_DISTINCT = {
    .state_size = sizeof(DistinctState),
    .update = distinct_update,
    .merge = distinct_merge,
    .finish = distinct_finish,
};

// ---- sketches as dynamics ----

static int
hash_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Hashes are written in their order, so that a sketch does not tell how it was made.
static void
sketch_push(DynBuilder *dyn, const DistinctState *state, uint32_t precision)
{
    dyn_begin_array(dyn);
    dyn_begin_array(dyn);
    dyn_push_long(dyn, (int64_t)hashes_most(precision));
    dyn_push_long(dyn, precision);
    dyn_end_array(dyn);
    Arena arena = {0};
    uint64_t *hashes = ARENA_ARRAY(&arena, uint64_t, state->len);
    size_t count = 0;
    for (size_t s = 0; s < state->slot_count; s++)
        if (state->slots[s])
            hashes[count++] = state->slots[s];
    qsort(hashes, count, sizeof(*hashes), hash_order);
    dyn_begin_array(dyn);
    for (size_t h = 0; h < count; h++)
        dyn_push_long(dyn, (int64_t)hashes[h]);
    dyn_end_array(dyn);
    size_t registers = state->registers ? (size_t)1 << precision : 0;
    char *text = arena_alloc(&arena, registers);
    for (size_t r = 0; r < registers; r++)
        text[r] = (char)(REGISTER_ZERO + state->registers[r]);
    dyn_push_string(dyn, (Str){text, registers});
    dyn_end_array(dyn);
    arena_free(&arena);
}

// Reads a sketch into an empty state of its own precision; false when it is none.
static bool
sketch_read(Dyn tree, DistinctState *state, Arena *arena)
{
    Dyn head = dyn_at(tree, 0), hashes = dyn_at(tree, 1), text = dyn_at(tree, 2);
    if (dyn_kind(tree) != DYN_ARRAY || dyn_kind(head) != DYN_ARRAY ||
        dyn_kind(hashes) != DYN_ARRAY || dyn_kind(text) != DYN_STRING ||
        dyn_kind(dyn_at(head, 1)) != DYN_LONG)
        return false;
    int64_t precision = dyn_long(dyn_at(head, 1));
    if (precision < PRECISION_LEAST || precision > PRECISION_MOST)
        return false;
    state->precision = (uint32_t)precision;
    Str registers = dyn_string(text);
    if (registers.len) {
        if (registers.len != (size_t)1 << precision)
            return false;
        state->registers = ARENA_ARRAY(arena, uint8_t, registers.len);
        for (size_t r = 0; r < registers.len; r++) {
            int rank = (unsigned char)registers.ptr[r] - REGISTER_ZERO;
            if (rank < 0 || rank > 64 - precision + 1)
                return false;
            state->registers[r] = (uint8_t)rank;
        }
    }
    for (uint32_t h = 0; h < dyn_count(hashes); h++) {
        if (dyn_kind(dyn_at(hashes, h)) != DYN_LONG)
            return false;
        state_add(state, (uint64_t)dyn_long(dyn_at(hashes, h)), state->precision, arena);
    }
    return true;
}

// Adds a sketch of any precision; the result has the lower one of both.
static void
sketch_merge(DistinctState *into, DistinctState *from, Arena *arena)
{
    if (!from->precision)
        return;
    if (!into->precision)
        into->precision = from->precision;
    if (into->precision > from->precision)
        state_reduce(into, from->precision, arena);
    else if (from->precision > into->precision)
        state_reduce(from, into->precision, arena);
    state_merge(into, from, into->precision, arena);
}

static void
sketch_write(const DistinctState *state, uint32_t precision, Vector *output, uint32_t row,
             Arena *arena, Scratch *scratch)
{
    bool is_null;
    dyn_builder_reset(scratch->dyn);
    sketch_push(scratch->dyn, state, precision);
    if (!dyn_finish_text(scratch->dyn, arena, &((Text *)output->data)[row], &is_null) || is_null)
        vector_set_null(arena, output, row);
}

static void
hll_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
           Arena *arena, Scratch *scratch)
{
    state_settle(state, precision_of(call), arena);
    sketch_write(state, precision_of(call), outputs[0], row, arena, scratch);
}

static const AggregateImpl HLL = {
    .state_size = sizeof(DistinctState),
    .bind = hll_bind,
    .update = distinct_update,
    .merge = distinct_merge,
    .finish = hll_finish,
};

static void
hll_merge_update(const AggregateUpdate *u)
{
    for (uint32_t i = 0; i < u->count; i++) {
        DistinctState sketch = {0};
        if (!update_is_null(u, 0, i) &&
            sketch_read(dyn_of_text(&UPDATE_ARG(u, 0, Text, i)), &sketch, u->arena))
            sketch_merge(u->states[i], &sketch, u->arena);
    }
}

static void
hll_merge_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)call;
    sketch_merge(into, from, arena);
}

static void
hll_merge_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
                 Arena *arena, Scratch *scratch)
{
    (void)call;
    const DistinctState *sketch = state;
    if (sketch->precision)
        sketch_write(sketch, sketch->precision, outputs[0], row, arena, scratch);
    else
        vector_set_null(arena, outputs[0], row);
}

static const AggregateImpl HLL_MERGE = {
    .state_size = sizeof(DistinctState),
    .update = hll_merge_update,
    .merge = hll_merge_merge,
    .finish = hll_merge_finish,
};

// ---- scalar functions over sketches ----

static void
dcount_hll(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        DistinctState sketch = {0};
        if (sketch_read(arg_dyn(call, 0, i), &sketch, &arena))
            ((int64_t *)call->out)[i] = state_count(&sketch, sketch.precision);
        else
            out_null(call, i);
        arena_free(&arena);
    }
}

static void
hll_isvalid(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        DistinctState sketch = {0};
        ((uint8_t *)call->out)[i] =
            !arg_is_null(call, 0, i) && sketch_read(arg_dyn(call, 0, i), &sketch, &arena);
        arena_free(&arena);
    }
}

static void
hll_merge_rows(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        DistinctState merged = {0};
        for (uint32_t k = 0; k < call->arg_count; k++) {
            DistinctState sketch = {0};
            if (!arg_is_null(call, k, i) && sketch_read(arg_dyn(call, k, i), &sketch, &arena))
                sketch_merge(&merged, &sketch, &arena);
        }
        if (merged.precision) {
            dyn_builder_reset(call->scratch->dyn);
            sketch_push(call->scratch->dyn, &merged, merged.precision);
            out_dyn(call, i);
        } else {
            out_null(call, i);
        }
        arena_free(&arena);
    }
}

// ---- intersections ----

// A copy that can be merged into, of the given (not greater) precision.
static DistinctState
state_copy(const DistinctState *state, Arena *arena)
{
    DistinctState copy = *state;
    if (state->registers)
        copy.registers = arena_copy(arena, state->registers, (size_t)1 << state->precision);
    if (state->slots)
        copy.slots = arena_copy(arena, state->slots, state->slot_count * sizeof(uint64_t));
    return copy;
}

static bool
state_has(const DistinctState *state, uint64_t hash)
{
    size_t slot = hash & (state->slot_count - 1);
    while (state->slot_count && state->slots[slot]) {
        if (state->slots[slot] == hash)
            return true;
        slot = (slot + 1) & (state->slot_count - 1);
    }
    return false;
}

// Sets that are still lists of hashes are intersected as they are.
static void
intersect_hashes(const DistinctState *sets, uint32_t count, int64_t *out)
{
    memset(out, 0, count * sizeof(*out));
    for (size_t s = 0; s < sets[0].slot_count; s++)
        for (uint32_t k = 0; sets[0].slots[s] && k < count; k++) {
            if (k && !state_has(&sets[k], sets[0].slots[s]))
                break;
            out[k]++;
        }
}

typedef struct Unions {
    const DistinctState *sets;
    uint32_t count;
    int64_t *out;
    bool (*going)(void *context);
    void *context;
} Unions;

// |S1 n ... n Sk| is the sum over all subsets of their unions' sizes, those of an even
// number of sets taken off. `merged` is the union so far, of sets before `next`. False
// when the caller wants no more.
static bool
add_unions(const Unions *u, uint32_t next, const DistinctState *merged, int sign)
{
    bool going = u->going(u->context);
    for (uint32_t k = next; k < u->count && going; k++) {
        Arena arena = {0};
        DistinctState with = merged ? state_copy(merged, &arena) : (DistinctState){0};
        DistinctState set = state_copy(&u->sets[k], &arena);
        sketch_merge(&with, &set, &arena);
        int64_t size = sign * state_count(&with, with.precision);
        for (uint32_t i = k; i < u->count; i++)
            u->out[i] += size;
        going = add_unions(u, k + 1, &with, -sign);
        arena_free(&arena);
    }
    return going;
}

bool
sketch_intersections(const Dyn *sketches, uint32_t count, int64_t *out,
                     bool (*going)(void *context), void *context)
{
    Arena arena = {0};
    DistinctState *sets = ARENA_ARRAY(&arena, DistinctState, count);
    bool good = true, listed = true;
    for (uint32_t k = 0; k < count && good; k++) {
        good = sketch_read(sketches[k], &sets[k], &arena);
        listed = listed && !sets[k].registers;
    }
    if (good && listed) {
        intersect_hashes(sets, count, out);
    } else if (good) {
        memset(out, 0, count * sizeof(*out));
        good = add_unions(&(Unions){sets, count, out, going, context}, 0, NULL, 1);
        // Estimates may cross: an intersection is no larger than what it is made of.
        for (uint32_t k = 0; k < count; k++) {
            out[k] = out[k] < 0 ? 0 : out[k];
            out[k] = k && out[k] > out[k - 1] ? out[k - 1] : out[k];
        }
    }
    arena_free(&arena);
    return good;
}

static const ScalarImpl dcount_hll_impl = {dcount_hll, NULL};
static const ScalarImpl hll_isvalid_impl = {hll_isvalid, NULL};
static const ScalarImpl hll_merge_impl = {hll_merge_rows, NULL};

// ---- rows ----

#define AGGREGATE(NAME, SIGNATURE, DOC, IMPL, FLAGS)                                               \
    {                                                                                              \
        NAME, NULL, SIGNATURE, DOC, NULL, FUNCTION_AGGREGATE, FLAGS, &(IMPL)                       \
    }

static const FunctionDef ROWS[] = {
    AGGREGATE("dcount", "(value:scalar, accuracy:long=) : long",
              "How many distinct values there are: exact for small sets, else an estimate.", DCOUNT,
              0),
    AGGREGATE("dcountif", "(value:scalar, predicate:bool, accuracy:long=) : long",
              "How many distinct values the rows have for which the predicate is true.", DCOUNT,
              FN_AGG_IF),
    AGGREGATE("count_distinct", "(value:plain) : long", "How many distinct values there are.",
              COUNT_DISTINCT, 0),
    AGGREGATE("count_distinctif", "(value:plain, predicate:bool) : long",
              "How many distinct values the rows have for which the predicate is true.",
              COUNT_DISTINCT, FN_AGG_IF),
    AGGREGATE("hll", "(value:scalar, accuracy:long=) : dynamic",
              "A sketch of the distinct values, for hll_merge() and dcount_hll().", HLL, 0),
    AGGREGATE("hll_if", "(value:scalar, predicate:bool, accuracy:long=) : dynamic",
              "A sketch of the distinct values of rows for which the predicate is true.", HLL,
              FN_AGG_IF),
    AGGREGATE("hll_merge", "(sketch:array) : dynamic", "One sketch of all sketches.", HLL_MERGE, 0),
    {"dcount_hll", NULL, "(sketch:array) : long", "How many distinct values a sketch holds.",
     "dcount_hll(dynamic([[16384, 14], [1, 2], ''])) == 2", FUNCTION_SCALAR, 0, &dcount_hll_impl},
    {"hll_isvalid", NULL, "(sketch:dynamic, value:scalar=) : bool",
     "Whether a dynamic is a sketch of hll().", "hll_isvalid(dynamic([[16384, 14], [1, 2], '']))",
     FUNCTION_SCALAR, FN_OWN_NULLS, &hll_isvalid_impl},
    {"hll_merge", NULL, "(sketch:array, other:array...) : dynamic",
     "One sketch of the given sketches.",
     "dcount_hll(hll_merge(dynamic([[16384, 14], [1], '']), dynamic([[16384, 14], [2], '']))) "
     "== 2",
     FUNCTION_SCALAR, FN_OWN_NULLS, &hll_merge_impl},
};

const FunctionSet SKETCH_AGGREGATES = {ROWS, COUNT_OF(ROWS)};
