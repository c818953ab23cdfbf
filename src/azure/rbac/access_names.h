// What people type for a principal or a scope: an id, or the name it is known by.
#pragma once

#include "azure/rbac/access_load.h"

// The id for `text`: an object id; or the name of exactly one principal, any case. An
// unknown GUID is passed on as it is. False with the candidates, or the nearest name.
bool access_resolve_principal(const AccessModel *model, Arena *arena, Str text, Str *id,
                              AzError *error);

// The scope for `text`: what starts with a slash is an id; else the name of exactly one
// resource, resource group, subscription or management group of the snapshot.
bool access_resolve_scope(Database *db, Arena *arena, Str text, Str *scope, AzError *error);

// The scopes that a query of the user's gives: the column `id` of its result, or the first
// column when there is none.
bool access_scopes_of(Database *db, Arena *arena, Str query, Str **scopes, size_t *count,
                      AzError *error);
