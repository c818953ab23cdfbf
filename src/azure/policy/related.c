// Related resources.
//
// A type below that of the evaluated resource is looked for under its id; an extension (a
// second /providers/ in its id) on the resource it hangs on; anything else in the resource
// group or the subscription. Source: Microsoft Learn, "AuditIfNotExists effect".

#include "azure/policy/related.h"

#include <string.h>

static bool
starts_ci(Str text, Str prefix)
{
    return text.len >= prefix.len && str_equal_ci(str_slice(text, 0, prefix.len), prefix);
}

static bool
is_below(Str id, Str parent)
{
    return id.len > parent.len && starts_ci(id, parent) && id.ptr[parent.len] == '/';
}

static bool
type_is_below(Str type, Str parent)
{
    return parent.len && is_below(type, parent);
}

// Where the last /providers/ begins; 0 when there is but one.
static size_t
extension_at(Str id)
{
    static const Str MARK = STR_INIT("/providers/");
    size_t first = SIZE_MAX, last = 0;
    for (size_t i = 0; i + MARK.len <= id.len; i++) {
        if (id.ptr[i] != '/' || !str_equal_ci(str_slice(id, i, i + MARK.len), MARK))
            continue;
        if (first == SIZE_MAX)
            first = i;
        last = i;
    }
    return first == SIZE_MAX || last == first ? 0 : last;
}

static Str
last_part(Str path, Str *rest)
{
    size_t from = path.len;
    while (from && path.ptr[from - 1] != '/')
        from--;
    *rest = str_slice(path, 0, from ? from - 1 : 0);
    return str_slice(path, from, path.len);
}

// "current", "vm/ext", "vm/?": compared from the end, part by part.
static bool
name_matches(Str wanted, Str full)
{
    while (wanted.len) {
        Str rest, rest_full;
        Str part = last_part(wanted, &rest), have = last_part(full, &rest_full);
        if (!full.len || (!str_equal_ci(part, have) && !str_equal(part, STR("?"))))
            return false;
        wanted = rest;
        full = rest_full;
    }
    return true;
}

static bool
in_scope(const RelatedQuery *query, const PolicyResource *resource, const PolicyResource *candidate)
{
    if (!candidate->id.len || !resource->id.len)
        return true;
    if (type_is_below(query->type, resource->type))
        return is_below(candidate->id, resource->id);
    if (str_equal_ci(query->type, resource->type) && !query->name.len)
        return str_equal_ci(candidate->id, resource->id);
    size_t extension = extension_at(candidate->id);
    if (extension && !query->resource_group.len)
        return str_equal_ci(str_slice(candidate->id, 0, extension), resource->id);
    if (!str_equal_ci(candidate->subscription, resource->subscription))
        return false;
    // A subscription has no group: everything in it is in its scope.
    Str group = query->resource_group.len ? query->resource_group : resource->resource_group;
    return query->subscription || !group.len || str_equal_ci(candidate->resource_group, group);
}

bool
related_matches(const RelatedQuery *query, const PolicyResource *resource,
                const PolicyResource *candidate)
{
    if (candidate->type.len && !str_equal_ci(candidate->type, query->type))
        return false;
    Str full = candidate->full_name.len ? candidate->full_name : candidate->name;
    if (query->name.len && full.len && !name_matches(query->name, full))
        return false;
    return in_scope(query, resource, candidate);
}

// The index -----------------------------------------------------------------

typedef struct Place { // resources of one type at one place
    const PolicyResource **items;
    uint32_t len, cap;
} Place;

typedef struct TypeNote {
    bool extension; // some resource of the type hangs on another resource
} TypeNote;

struct RelatedIndex {
    Arena *arena;
    Map types;  // of the resources there are: TypeNote*
    Map places; // "type|place", lower case: Place*
    bool (*is_collected)(void *data, Str type);
    void *data;
};

static void
put_lower(char *out, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
}

static Str
place_key(Arena *arena, Str type, Str place)
{
    char *text = arena_alloc(arena, type.len + place.len + 1);
    put_lower(text, type);
    text[type.len] = '|';
    put_lower(text + type.len + 1, place);
    return (Str){text, type.len + 1 + place.len};
}

static void
put(RelatedIndex *index, const PolicyResource *resource, Str place)
{
    bool is_new;
    MapEntry *entry =
        map_add(&index->places, place_key(index->arena, resource->type, place), &is_new);
    if (is_new)
        entry->pointer = ARENA_NEW(index->arena, Place);
    Place *at = entry->pointer;
    if (at->len == at->cap) {
        uint32_t cap = at->cap ? at->cap * 2 : 2;
        const PolicyResource **items = ARENA_ARRAY(index->arena, const PolicyResource *, cap);
        if (at->len)
            memcpy(items, at->items, at->len * sizeof(*items));
        at->items = items;
        at->cap = cap;
    }
    at->items[at->len++] = resource;
}

// Under its own id and each above it: parents, what it hangs on, the group, the subscription.
static void
put_everywhere(RelatedIndex *index, const PolicyResource *resource)
{
    Str id = resource->id;
    for (int level = 0; id.len && level < 24; level++) {
        Str rest;
        put(index, resource, id);
        last_part(id, &rest);
        last_part(rest, &id);
    }
}

RelatedIndex *
related_index_new(Arena *arena, const PolicyResource *resources, size_t count, const Map *wanted,
                  bool (*is_collected)(void *data, Str type), void *data)
{
    RelatedIndex *index = ARENA_NEW(arena, RelatedIndex);
    index->arena = arena;
    index->is_collected = is_collected;
    index->data = data;
    map_init(&index->types, arena, true);
    map_init(&index->places, arena, false);
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        const PolicyResource *resource = &resources[i];
        if (!resource->type.len || (wanted && !map_find(wanted, resource->type)))
            continue;
        MapEntry *entry = map_add(&index->types, resource->type, &is_new);
        if (is_new)
            entry->pointer = ARENA_NEW(arena, TypeNote);
        ((TypeNote *)entry->pointer)->extension |= extension_at(resource->id) > 0;
        put_everywhere(index, resource);
    }
    return index;
}

// The place all candidates are under.
static Str
search_place(Arena *arena, const TypeNote *note, const PolicyResource *resource,
             const RelatedQuery *query)
{
    bool self = str_equal_ci(query->type, resource->type) && !query->name.len;
    bool hangs_on = note->extension && !query->resource_group.len;
    if (self || hangs_on || type_is_below(query->type, resource->type))
        return resource->id;
    Str group = query->resource_group.len ? query->resource_group : resource->resource_group;
    if (query->subscription || !group.len)
        return str_format(arena, "/subscriptions/%.*s", STR_ARG(resource->subscription));
    return str_format(arena, "/subscriptions/%.*s/resourceGroups/%.*s",
                      STR_ARG(resource->subscription), STR_ARG(group));
}

RelatedSet
related_find(const RelatedIndex *index, Arena *arena, const PolicyResource *resource,
             const RelatedQuery *query)
{
    const TypeNote *note = map_get(&index->types, query->type);
    RelatedSet set = {
        .known = note || (index->is_collected && index->is_collected(index->data, query->type))};
    if (!note)
        return set;
    Str place = search_place(arena, note, resource, query);
    const Place *at = map_get(&index->places, place_key(arena, query->type, place));
    if (!at)
        return set;
    const PolicyResource **found = arena_alloc_array(arena, at->len, sizeof(*found));
    for (uint32_t i = 0; i < at->len; i++)
        if (related_matches(query, resource, at->items[i]))
            found[set.count++] = at->items[i];
    set.items = found;
    return set;
}
