// Aggregates: a table of functions over states of a fixed size.
//
// The operator owns the memory of states, zeroed, 8-aligned, one for each group
// and thread; it may move them. What a state points to is allocated from the arena given to
// `update`/`merge` (it lives as long as the aggregation).
#pragma once

#include "function/scalar.h"

typedef struct AggregateUpdate {
    const AggregateCall *call;
    const ArgView *args;
    uint32_t count;      // rows
    void *const *states; // the state of each row's group
    // Rows are numbered through the whole input: row i of this update has the number
    // sequence + i, or numbers[i]. Order-sensitive aggregates (make_list, take_any, ties of arg_max)
    // use it, so that threads do not change the answer.
    uint64_t sequence;
    const int64_t *numbers; // NULL: they follow one another
    const uint32_t *rows;   // when not NULL, row i has the number of row rows[i]
    Arena *arena;
    Scratch *scratch;
} AggregateUpdate;

// What a group's value is the plain sum of.
typedef enum AggregateAdds {
    ADDS_NOTHING, // it is no such sum
    ADDS_ONES,    // a one for each row
    ADDS_VALUES, // the first argument of each row, where it is not null: int, long, timespan or real
} AggregateAdds;

typedef struct AggregateImpl {
    size_t state_size;
    // The size for this call's types, not above state_size; NULL: state_size.
    size_t (*state_size_of)(const AggregateCall *call);
    // Fills call->output_types (arena), output_count and bound; NULL: one output of
    // the signature's type.
    bool (*bind)(Arena *arena, AggregateCall *call, AzError *error);
    // Zeroed memory must be the empty state; `init` is for what zero cannot say (may be NULL).
    void (*init)(const AggregateCall *call, void *state);
    void (*update)(const AggregateUpdate *update);
    // Adds `from` to `into`; `from` may be taken apart.
    void (*merge)(const AggregateCall *call, void *into, void *from, Arena *arena);
    // Writes row `row` of the output vectors (flat, zeroed; vector_set_null for null).
    void (*finish)(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
                   Arena *arena, Scratch *scratch);
    AggregateAdds adds;
    // A row with a greater first argument, once it is there, leaves little to do for those that come later.
    bool greatest_first;
} AggregateImpl;

static inline bool
update_is_null(const AggregateUpdate *update, uint32_t k, uint32_t i)
{
    const ArgView *arg = &update->args[k];
    return arg->valid && !bit_get(arg->valid, i & arg->mask);
}

#define UPDATE_ARG(update, k, T, i)                                                                \
    (((const T *)(update)->args[k].data)[(i) & (update)->args[k].mask])

static inline uint64_t
update_sequence(const AggregateUpdate *update, uint32_t i)
{
    uint32_t row = update->rows ? update->rows[i] : i;
    return update->numbers ? (uint64_t)update->numbers[row] : update->sequence + row;
}
