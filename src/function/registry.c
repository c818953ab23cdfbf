// The registry: every function's rows by name and alias, overloads in the order in
// which they were added.

#include "function/registry.h"

#include "base/array.h"
#include "base/map.h"

typedef struct Overloads {
    const FunctionDef **items;
    size_t len, cap;
} Overloads;

struct Registry {
    Arena arena;
    Map names; // name or alias -> Overloads
    struct {
        const FunctionDef **items;
        size_t len, cap;
    } all;
};

static const FunctionSet *const BUILT_IN[] = {
    &OPERATOR_FUNCTIONS,      &STRING_OPERATOR_FUNCTIONS,
    &CONVERSION_FUNCTIONS,    &CONDITION_FUNCTIONS,
    &STRING_FUNCTIONS,        &TEXT_FUNCTIONS,
    &REGEX_FUNCTIONS,         &DATETIME_FUNCTIONS,
    &ENCODING_FUNCTIONS,      &TIMEZONE_FUNCTIONS,
    &ROUNDING_FUNCTIONS,      &MATH_FUNCTIONS,
    &UNIT_FUNCTIONS,          &DYNAMIC_FUNCTIONS,
    &ARRAY_FUNCTIONS,         &SET_FUNCTIONS,
    &HASH_FUNCTIONS,          &IP_FUNCTIONS,
    &SERIES_FUNCTIONS,        &WINDOW_FUNCTIONS,
    &BASIC_AGGREGATES,        &COLLECT_AGGREGATES,
    &SKETCH_AGGREGATES,       &PERCENTILE_AGGREGATES,
    &DIGEST_AGGREGATES,       &SERIES_DECOMPOSE_FUNCTIONS,
    &SERIES_2LINES_FUNCTIONS, &SERIES_FOURIER_FUNCTIONS,
    &SERIES_POLY_FUNCTIONS,   &XML_FUNCTIONS,
    &USER_AGENT_FUNCTIONS,    &SESSION_FUNCTIONS,
    &SCHEMA_AGGREGATES,       &GEO_POINT_FUNCTIONS,
    &GEO_SHAPE_FUNCTIONS,     &GEO_CELL_FUNCTIONS,
    &GEO_H3_FUNCTIONS,
};

Registry *
registry_new(void)
{
    Registry *registry = calloc(1, sizeof(*registry));
    if (!registry)
        abort();
    map_init(&registry->names, &registry->arena, false);
    for (size_t i = 0; i < COUNT_OF(BUILT_IN); i++)
        registry_add(registry, *BUILT_IN[i]);
    return registry;
}

void
registry_free(Registry *registry)
{
    if (!registry)
        return;
    arena_free(&registry->arena);
    free(registry);
}

static void
add_name(Registry *registry, Str name, const FunctionDef *fn)
{
    bool is_new;
    MapEntry *entry = map_add(&registry->names, name, &is_new);
    if (is_new)
        entry->pointer = ARENA_NEW(&registry->arena, Overloads);
    Overloads *overloads = entry->pointer;
    ARRAY_PUSH(&registry->arena, overloads, fn);
}

void
registry_add(Registry *registry, FunctionSet set)
{
    for (size_t i = 0; i < set.count; i++) {
        const FunctionDef *fn = &set.rows[i];
        ARRAY_PUSH(&registry->arena, &registry->all, fn);
        add_name(registry, str_from(fn->name), fn);
        Str rest = str_from(fn->aliases);
        while ((rest = str_trim(rest)).len) {
            size_t end = 0;
            while (end < rest.len && rest.ptr[end] != ' ')
                end++;
            add_name(registry, str_slice(rest, 0, end), fn);
            rest = str_slice(rest, end, rest.len);
        }
    }
}

const FunctionDef *const *
registry_find(const Registry *registry, Str name, size_t *count)
{
    const Overloads *overloads = map_get(&registry->names, name);
    *count = overloads ? overloads->len : 0;
    return overloads ? overloads->items : NULL;
}

void
registry_each(const Registry *registry, void (*each)(void *arg, const FunctionDef *fn), void *arg)
{
    for (size_t i = 0; i < registry->all.len; i++)
        each(arg, registry->all.items[i]);
}
