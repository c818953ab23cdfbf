// Where names outside the store lead: other workspaces, clusters and databases to this
// store or another one, addresses of files to local files.
#pragma once

#include "base/arena.h"
#include "store/store.h"

// `name` is a place as the binder writes it ("workspace:w", "cluster:c/database:d"), an
// address without its query ("https://host/path"), or "*" for every place. `target` is
// "." (this store), the folder of a store, or for an address a local file.
typedef struct PlaceMap {
    const char *name, *target;
} PlaceMap;

typedef struct Places Places;

// Copies. Two maps of one name: the later wins.
Places *places_new(const PlaceMap *maps, size_t count);
void places_free(Places *places);

// What `name` (any case) is mapped to; NULL when it is not. An address is looked up
// without what follows `?` or `;`, where keys stand.
const char *places_find(const Places *places, Str name);

// The newest view of the store in that folder, opened once; NULL with an error.
StoreView *places_store(Places *places, const char *dir, AzError *error);

// An address as it may be shown: without query and keys.
Str address_shown(Str address);
