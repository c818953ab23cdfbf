// Aliases: which path of a resource a property alias names, by resource type.
//
// The table ships with the content (content/azure/aliases.txt.gz) and is read when the first
// definition is compiled. Types and aliases are found without regard to case. Once filled, the
// table is only read, by any number of threads.
#pragma once

#include "base/error.h"
#include "base/map.h"

typedef enum Modifiable {
    MODIFIABLE_UNKNOWN,
    MODIFIABLE_YES,
    MODIFIABLE_NO,
} Modifiable;

typedef enum TagSupport {
    TAGS_UNKNOWN,
    TAGS_YES,
    TAGS_NO,
} TagSupport;

typedef struct AliasType {
    Str name;
    Str api_version; // the newest stable one known; may be empty
    TagSupport tags; // takes tags and a location: what mode Indexed asks
} AliasType;

typedef struct Alias {
    Str name;
    const AliasType *type;
    Str path;     // from the root of the resource: properties.x[*].y
    Str versions; // other paths: "path@api,api;path@api"
    Modifiable modifiable;
    struct Alias *next; // the same name for another type
} Alias;

typedef struct AliasTable {
    Arena *arena;
    Map types; // AliasType*
    Map names; // Alias*
} AliasTable;

void alias_table_init(AliasTable *table, Arena *arena);

// Reads the table of the content folder. False when it cannot be read.
bool alias_table_load(AliasTable *table, const char *content, AzError *error);

// Finds or adds a type; strings are copied.
AliasType *alias_table_type(AliasTable *table, Str name);
void alias_table_add(AliasTable *table, const AliasType *type, const Alias *alias);

const AliasType *alias_find_type(const AliasTable *table, Str type); // NULL when unknown
const Alias *alias_find(const AliasTable *table, Str name);          // first of the chain, or NULL
