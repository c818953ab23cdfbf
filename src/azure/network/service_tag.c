#include "azure/network/service_tag.h"

#include "azure/arm.h"
#include "azure/facts.h"
#include "value/json.h"

enum { REGION_BITS = 10, REGIONS_MAX = (1 << REGION_BITS) - 1, SERVICES_MAX = 4095 };

// The number of the name, a new one when it is new; 0 when there is no room.
static uint32_t
number_of(Map *map, Str name, uint32_t most)
{
    MapEntry *entry = map_find(map, name);
    if (entry)
        return (uint32_t)entry->number;
    if (map->len >= most)
        return 0;
    bool is_new;
    entry = map_add(map, str_copy(map->arena, name), &is_new);
    entry->number = map->len;
    return (uint32_t)entry->number;
}

static Range
range_of(uint32_t service, uint32_t low, uint32_t high)
{
    Address base = ADDRESS_SERVICES_LOW + ((Address)service << REGION_BITS);
    return (Range){base + low, base + high};
}

static RangeSet
add(Arena *arena, RangeSet set, Range range)
{
    return range_set_union(arena, set, range_set_of(arena, range.low, range.high));
}

// Names are words; the part behind the dot is a region, but for Front Door, whose parts are
// services of their own.
static bool
is_word(Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return text.len != 0;
}

static bool
split(Str tag, Str *service, Str *region)
{
    ptrdiff_t dot = str_find(tag, STR("."));
    *service = dot < 0 ? tag : str_slice(tag, 0, (size_t)dot);
    *region = dot < 0 ? (Str){0} : str_slice(tag, (size_t)dot + 1, tag.len);
    bool fits = is_word(*service) && (dot < 0 || is_word(*region));
    if (str_equal_ci(*service, STR("AzureFrontDoor"))) {
        *service = tag;
        *region = (Str){0};
    }
    return fits && !(tag.ptr[0] >= '0' && tag.ptr[0] <= '9');
}

bool
service_tag_sets(ServiceTags *tags, Arena *arena, Str tag, RangeSet *sure, RangeSet *may)
{
    Str service, region;
    *sure = *may = (RangeSet){0};
    if (!split(tag, &service, &region))
        return false;
    uint32_t number = number_of(&tags->services, service, SERVICES_MAX);
    uint32_t place = region.len ? number_of(&tags->regions, region, REGIONS_MAX) : 0;
    bool is_cloud = str_equal_ci(service, STR("AzureCloud"));
    if (is_cloud && !region.len) {
        *sure = range_set_of(arena, ADDRESS_SERVICES_LOW, ADDRESS_SERVICES_HIGH);
    } else if (is_cloud && place) {
        for (uint32_t s = 1; s <= tags->services.len; s++)
            *sure = add(arena, *sure, range_of(s, place, place));
    } else if (number && (place || !region.len)) {
        *sure = add(arena, *sure, range_of(number, place, region.len ? place : REGIONS_MAX));
    }
    // Of the symbolic addresses it holds its own and no others.
    RangeSet symbolic = range_set_of(arena, ADDRESS_ANYWHERE, ADDRESS_SERVICES_HIGH);
    *may = range_set_subtract(arena, address_public(), symbolic);
    *may = range_set_union(arena, *may, *sure);
    return true;
}

Str
service_tag_names(const ServiceTags *tags, Arena *arena, RangeSet set)
{
    Buffer out = {0};
    for (size_t i = 0; i < tags->services.len; i++) {
        Range range = range_of((uint32_t)tags->services.entries[i].number, 0, REGIONS_MAX);
        RangeSet own = {&range, 1};
        if (!range_set_overlaps(set, own))
            continue;
        buffer_text(&out, out.len ? ", " : "");
        buffer_str(&out, tags->services.entries[i].key);
        if (!range_set_covers(set, own))
            buffer_text(&out, " of some regions");
    }
    Str names = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return names;
}

// ---- the tags that ship ----

typedef struct Loading {
    ServiceTags *tags;
    Arena scratch;
} Loading;

static bool
flag(Dyn node, const char *name)
{
    Dyn value = dyn_get(node, str_from(name));
    return dyn_kind(value) == DYN_BOOL && dyn_bool(value);
}

static bool
take(void *context, Str line, AzError *error)
{
    Loading *loading = context;
    ServiceTags *tags = loading->tags;
    Text tree;
    bool is_null;
    json_parse_text(&loading->scratch, line, &tree, &is_null);
    Dyn node = is_null ? dyn_null() : dyn_of_text(&tree);
    RangeSet sure, may;
    Str tag = arm_text(node, "tag");
    if (!tag.len || !service_tag_sets(tags, tags->arena, tag, &sure, &may))
        return error_set(error, AZ_INVALID, "a service tag needs a name in 'tag'");
    // Of AzureCloud only what is no service with a tag of its own.
    Range own = range_of((uint32_t)map_find(&tags->services, tag)->number, 0, REGIONS_MAX);
    if (flag(node, "sends"))
        tags->tenants_send = add(tags->arena, tags->tenants_send, own);
    if (flag(node, "receives"))
        tags->tenants_receive = add(tags->arena, tags->tenants_receive, own);
    return true;
}

bool
service_tags_load(Arena *arena, const char *content, ServiceTags *out, AzError *error)
{
    *out = (ServiceTags){.arena = arena};
    map_init(&out->services, arena, true);
    map_init(&out->regions, arena, true);
    Loading loading = {.tags = out};
    bool done = facts_each_line(arena, content, "service-tags.jsonl", take, &loading, error);
    arena_free(&loading.scratch);
    return done;
}
