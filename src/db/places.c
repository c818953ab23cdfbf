#include "db/places.h"

#include "base/array.h"

typedef struct OpenStore {
    char *dir;
    Store *store;
    StoreView *view;
} OpenStore;

typedef struct OpenStoreList {
    OpenStore *items;
    size_t len, cap;
} OpenStoreList;

struct Places {
    Arena arena;
    PlaceMap *maps;
    size_t count;
    OpenStoreList stores;
};

Places *
places_new(const PlaceMap *maps, size_t count)
{
    Arena arena = {0};
    Places *places = ARENA_NEW(&arena, Places);
    places->maps = ARENA_ARRAY(&arena, PlaceMap, count + 1);
    for (size_t i = 0; i < count; i++)
        places->maps[i] = (PlaceMap){str_cstr(&arena, address_shown(str_from(maps[i].name))),
                                     str_cstr(&arena, str_from(maps[i].target))};
    places->count = count;
    places->arena = arena;
    return places;
}

void
places_free(Places *places)
{
    if (!places)
        return;
    for (size_t i = 0; i < places->stores.len; i++) {
        store_view_close(places->stores.items[i].view);
        store_close(places->stores.items[i].store);
    }
    Arena arena = places->arena; // the struct lies in it
    arena_free(&arena);
}

Str
address_shown(Str address)
{
    size_t end = 0;
    while (end < address.len && address.ptr[end] != '?' && address.ptr[end] != ';')
        end++;
    return str_slice(address, 0, end);
}

const char *
places_find(const Places *places, Str name)
{
    Str wanted = address_shown(name);
    for (size_t i = places->count; i-- > 0;)
        if (str_equal_ci(str_from(places->maps[i].name), wanted))
            return places->maps[i].target;
    if (str_find(wanted, STR("://")) > 0 && !str_starts(wanted, STR("cluster:")) &&
        !str_starts(wanted, STR("adx:")))
        return NULL; // "*" means places, not addresses of files
    for (size_t i = places->count; i-- > 0;)
        if (str_equal(str_from(places->maps[i].name), STR("*")))
            return places->maps[i].target;
    return NULL;
}

StoreView *
places_store(Places *places, const char *dir, AzError *error)
{
    for (size_t i = 0; i < places->stores.len; i++)
        if (strcmp(places->stores.items[i].dir, dir) == 0)
            return places->stores.items[i].view;
    OpenStore opened = {.dir = str_cstr(&places->arena, str_from(dir))};
    opened.store = store_open(dir, STORE_READ, error);
    opened.view = opened.store ? store_view_open(opened.store, 0, error) : NULL;
    if (!opened.view) {
        if (opened.store)
            store_close(opened.store);
        return NULL;
    }
    ARRAY_PUSH(&places->arena, &places->stores, opened);
    return opened.view;
}
