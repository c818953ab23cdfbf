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

// The sets, each with the family its functions stand under in the reference.
static const struct {
    const FunctionSet *set;
    const char *family;
} BUILT_IN[] = {
    {&OPERATOR_FUNCTIONS, "Logic and conversion"},
    {&STRING_OPERATOR_FUNCTIONS, "Text"},
    {&CONVERSION_FUNCTIONS, "Logic and conversion"},
    {&CONDITION_FUNCTIONS, "Logic and conversion"},
    {&STRING_FUNCTIONS, "Text"},
    {&TEXT_FUNCTIONS, "Text"},
    {&REGEX_FUNCTIONS, "Text"},
    {&DATETIME_FUNCTIONS, "Time"},
    {&ENCODING_FUNCTIONS, "Encodings and hashes"},
    {&TIMEZONE_FUNCTIONS, "Time"},
    {&ROUNDING_FUNCTIONS, "Numbers"},
    {&MATH_FUNCTIONS, "Numbers"},
    {&UNIT_FUNCTIONS, "Units"},
    {&DYNAMIC_FUNCTIONS, "Bags and JSON"},
    {&ARRAY_FUNCTIONS, "Arrays and sets"},
    {&SET_FUNCTIONS, "Arrays and sets"},
    {&HASH_FUNCTIONS, "Encodings and hashes"},
    {&IP_FUNCTIONS, "Network addresses"},
    {&SERIES_FUNCTIONS, "Series"},
    {&WINDOW_FUNCTIONS, "Window"},
    {&BASIC_AGGREGATES, "Numbers"},
    {&COLLECT_AGGREGATES, "Values and rows"},
    {&SKETCH_AGGREGATES, "Distinct values"},
    {&PERCENTILE_AGGREGATES, "Percentiles"},
    {&DIGEST_AGGREGATES, "Percentiles"},
    {&SERIES_DECOMPOSE_FUNCTIONS, "Series"},
    {&SERIES_2LINES_FUNCTIONS, "Series"},
    {&SERIES_FOURIER_FUNCTIONS, "Series"},
    {&SERIES_POLY_FUNCTIONS, "Series"},
    {&XML_FUNCTIONS, "Bags and JSON"},
    {&USER_AGENT_FUNCTIONS, "Text"},
    {&SESSION_FUNCTIONS, "The query and its caller"},
    {&SCHEMA_AGGREGATES, "Values and rows"},
    {&GEOIP_FUNCTIONS, "Network addresses"},
    {&GEO_POINT_FUNCTIONS, "Geography"},
    {&GEO_SHAPE_FUNCTIONS, "Geography"},
    {&GEO_CELL_FUNCTIONS, "Geography"},
    {&GEO_H3_FUNCTIONS, "Geography"},
};

Registry *
registry_new(void)
{
    Registry *registry = calloc(1, sizeof(*registry));
    if (!registry)
        abort();
    map_init(&registry->names, &registry->arena, false);
    for (size_t i = 0; i < COUNT_OF(BUILT_IN); i++)
        registry_add(registry, *BUILT_IN[i].set);
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
        Str rest = str_from(fn->aliases), alias;
        while (str_next_word(&rest, &alias))
            add_name(registry, alias, fn);
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

const char *
registry_family(const FunctionDef *fn)
{
    for (size_t i = 0; i < COUNT_OF(BUILT_IN); i++) {
        const FunctionSet *set = BUILT_IN[i].set;
        for (size_t r = 0; r < set->count; r++)
            if (&set->rows[r] == fn)
                return BUILT_IN[i].family;
    }
    return "Azure";
}
