// What an entity is, and the names that logs know it by.
#pragma once

#include "db/db.h"

typedef enum EntityKind { ENTITY_TEXT, ENTITY_PRINCIPAL, ENTITY_RESOURCE } EntityKind;

typedef struct Entity {
    EntityKind kind;
    Str id;     // of a principal or resource, lower case
    Str *names; // lower case, each once; the text that was given is one of them
    size_t name_count;
} Entity;

// Asks the KQL function EntityNames. False when the text is a name that several things have
// (the error lists their ids), or when the query fails. All in `arena`.
bool entity_resolve(Database *db, Arena *arena, Str text, Entity *entity, AzError *error);

// A regular expression (RE2) that finds the names in text, not as parts of longer names: aoai-one
// is not in aoai-one-2, but in aoai-one.openai.azure.com.
void entity_pattern(const Entity *entity, Buffer *out);
