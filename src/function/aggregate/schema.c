// buildschema(): the least schema that admits every value of a dynamic column.
//
// Source: Kusto docs, buildschema() aggregation function. A place holds primitive types, or a
// container, or several of these (then an array of them); a container names its members, and
// `indexer` stands for the elements of arrays. Members come in the order in which they were
// first seen, types of one place in a fixed order, so threads do not change the answer.

#include "base/array.h"
#include "base/map.h"
#include "function/registry.h"

typedef struct Shape Shape;

// A member and where it came first: the row, then its place in that row.
typedef struct Member {
    Str name;
    uint64_t row;
    uint32_t place;
    Shape *shape;
} Member;

struct Shape {
    uint32_t primitives; // a bit a DynKind
    bool is_container;
    Map members; // name -> Member
    Member *indexer;
};

typedef struct SchemaState {
    Shape *root;
} SchemaState;

static Shape *
shape_new(Arena *arena)
{
    Shape *shape = ARENA_NEW(arena, Shape);
    map_init(&shape->members, arena, false);
    return shape;
}

static bool
is_earlier(uint64_t row, uint32_t place, const Member *member)
{
    return row < member->row || (row == member->row && place < member->place);
}

static Member *
member_new(Arena *arena, Str name, uint64_t row, uint32_t place)
{
    Member *member = ARENA_NEW(arena, Member);
    *member = (Member){str_copy(arena, name), row, place, shape_new(arena)};
    return member;
}

static Member *
shape_member(Arena *arena, Shape *shape, Str name, uint64_t row, uint32_t place)
{
    Member *member = map_get(&shape->members, name);
    if (!member) {
        member = member_new(arena, name, row, place);
        map_put(&shape->members, member->name, member);
    } else if (is_earlier(row, place, member)) {
        member->row = row;
        member->place = place;
    }
    return member;
}

static Shape *
shape_indexer(Arena *arena, Shape *shape, uint64_t row, uint32_t place)
{
    if (!shape->indexer)
        shape->indexer = member_new(arena, STR("`indexer`"), row, place);
    else if (is_earlier(row, place, shape->indexer)) {
        shape->indexer->row = row;
        shape->indexer->place = place;
    }
    return shape->indexer->shape;
}

// Trees are at most DYN_MAX_DEPTH deep.
static void
shape_add(Arena *arena, Shape *shape, Dyn node, uint64_t row, uint32_t *place)
{
    DynKind kind = dyn_kind(node);
    if (kind == DYN_NULL)
        return;
    if (kind != DYN_ARRAY && kind != DYN_BAG) {
        shape->primitives |= 1u << kind;
        return;
    }
    shape->is_container = true;
    Shape *elements = kind == DYN_ARRAY ? shape_indexer(arena, shape, row, (*place)++) : NULL;
    for (uint32_t k = 0; k < dyn_count(node); k++) {
        Shape *below =
            elements ? elements
                     : shape_member(arena, shape, dyn_key_at(node, k), row, (*place)++)->shape;
        shape_add(arena, below, dyn_at(node, k), row, place);
    }
}

static void
shape_merge(Arena *arena, Shape *into, const Shape *from)
{
    into->primitives |= from->primitives;
    into->is_container |= from->is_container;
    if (from->indexer)
        shape_merge(arena, shape_indexer(arena, into, from->indexer->row, from->indexer->place),
                    from->indexer->shape);
    for (size_t i = 0; i < from->members.len; i++) {
        const Member *member = from->members.entries[i].pointer;
        Member *same = shape_member(arena, into, member->name, member->row, member->place);
        shape_merge(arena, same->shape, member->shape);
    }
}

static void
schema_update(const AggregateUpdate *u)
{
    for (uint32_t i = 0; i < u->count; i++) {
        if (update_is_null(u, 0, i))
            continue;
        SchemaState *state = u->states[i];
        if (!state->root)
            state->root = shape_new(u->arena);
        uint32_t place = 0;
        shape_add(u->arena, state->root, dyn_of_text(&UPDATE_ARG(u, 0, Text, i)),
                  update_sequence(u, i), &place);
    }
}

static void
schema_merge(const AggregateCall *call, void *into, void *from, Arena *arena)
{
    (void)call;
    SchemaState *a = into, *b = from;
    if (!b->root)
        return;
    if (!a->root)
        a->root = shape_new(arena);
    shape_merge(arena, a->root, b->root);
}

static int
member_order(const void *a, const void *b)
{
    const Member *x = *(const Member *const *)a, *y = *(const Member *const *)b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static void push_shape(DynBuilder *dyn, Arena *arena, const Shape *shape);

static void
push_container(DynBuilder *dyn, Arena *arena, const Shape *shape)
{
    size_t count = shape->members.len;
    const Member **members = ARENA_ARRAY(arena, const Member *, count + 1);
    for (size_t i = 0; i < count; i++)
        members[i] = shape->members.entries[i].pointer;
    if (shape->indexer)
        members[count++] = shape->indexer;
    if (count)
        qsort(members, count, sizeof(*members), member_order);
    dyn_begin_bag(dyn);
    for (size_t i = 0; i < count; i++) {
        dyn_key(dyn, members[i]->name);
        push_shape(dyn, arena, members[i]->shape);
    }
    dyn_end_bag(dyn);
}

static void
push_shape(DynBuilder *dyn, Arena *arena, const Shape *shape)
{
    static const struct {
        DynKind kind;
        const char *name;
    } NAMES[] = {
        {DYN_BOOL, "bool"},     {DYN_DATETIME, "datetime"}, {DYN_DECIMAL, "decimal"},
        {DYN_REAL, "double"},   {DYN_GUID, "guid"},         {DYN_LONG, "long"},
        {DYN_STRING, "string"}, {DYN_TIMESPAN, "timespan"},
    };
    int count = __builtin_popcount(shape->primitives) + shape->is_container;
    if (count != 1)
        dyn_begin_array(dyn);
    for (size_t n = 0; n < COUNT_OF(NAMES); n++)
        if (shape->primitives & 1u << NAMES[n].kind)
            dyn_push_string(dyn, str_from(NAMES[n].name));
    if (shape->is_container)
        push_container(dyn, arena, shape);
    if (count != 1)
        dyn_end_array(dyn);
}

static void
schema_finish(const AggregateCall *call, void *state, Vector *const *outputs, uint32_t row,
              Arena *arena, Scratch *scratch)
{
    (void)call;
    const Shape *root = ((SchemaState *)state)->root;
    if (!root || (!root->primitives && !root->is_container)) {
        vector_set_null(arena, outputs[0], row);
        return;
    }
    Arena members = {0};
    bool is_null;
    dyn_builder_reset(scratch->dyn);
    push_shape(scratch->dyn, &members, root);
    if (!dyn_finish_text(scratch->dyn, arena, &((Text *)outputs[0]->data)[row], &is_null) ||
        is_null)
        vector_set_null(arena, outputs[0], row);
    arena_free(&members);
}

static const AggregateImpl BUILDSCHEMA = {
    .state_size = sizeof(SchemaState),
    .update = schema_update,
    .merge = schema_merge,
    .finish = schema_finish,
};

static const FunctionDef ROWS[] = {
    {"buildschema", NULL, "(value:bag) : dynamic",
     "The least schema that admits every value: types by member, `indexer` for elements.", NULL,
     FUNCTION_AGGREGATE, 0, &BUILDSCHEMA},
};

const FunctionSet SCHEMA_AGGREGATES = {ROWS, COUNT_OF(ROWS)};
