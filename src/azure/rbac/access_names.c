#include "azure/rbac/access_names.h"

#include "base/array.h"
#include "db/rows.h"
#include "value/json.h"
#include "value/scalar.h"

enum { CANDIDATES_SHOWN = 5 };

typedef struct Candidates {
    Str *items;
    size_t len, cap;
} Candidates;

static bool
ambiguous(Arena *arena, const char *what, Str text, const Str *found, size_t count, AzError *error)
{
    Buffer list = {0};
    for (size_t i = 0; i < count && i < CANDIDATES_SHOWN; i++) {
        buffer_text(&list, i ? ", " : "");
        buffer_str(&list, found[i]);
    }
    if (count > CANDIDATES_SHOWN)
        buffer_printf(&list, " and %zu more", count - CANDIDATES_SHOWN);
    Str names = str_copy(arena, buffer_slice(&list));
    buffer_free(&list);
    return error_set(error, AZ_INVALID, "'%.*s' names several %s; give the id: %.*s", STR_ARG(text),
                     what, STR_ARG(names));
}

bool
access_resolve_principal(const AccessModel *model, Arena *arena, Str text, Str *id, AzError *error)
{
    uint32_t index = access_find_principal(model, text);
    Guid guid;
    if (index != UINT32_MAX || guid_parse(text, &guid)) {
        *id = index != UINT32_MAX ? access_principal_id(model, index) : text;
        return true;
    }
    uint32_t found[CANDIDATES_SHOWN];
    uint32_t named = text.len ? access_find_named(model, text, found, CANDIDATES_SHOWN) : 0;
    if (named == 1) {
        *id = access_principal_id(model, found[0]);
        return true;
    }
    if (named) {
        Str ids[CANDIDATES_SHOWN];
        for (uint32_t i = 0; i < named && i < CANDIDATES_SHOWN; i++)
            ids[i] = access_principal_id(model, found[i]);
        return ambiguous(arena, "principals", text, ids, named, error);
    }
    uint32_t count = access_principal_count(model);
    Str *names = ARENA_ARRAY(arena, Str, count);
    for (uint32_t i = 0; i < count; i++)
        names[i] = access_principal_name(model, i);
    ptrdiff_t near = str_nearest(text, names, count);
    if (near >= 0)
        return error_set(error, AZ_NOT_FOUND,
                         "there is no principal '%.*s' in the snapshot; did you mean '%.*s'?",
                         STR_ARG(text), STR_ARG(names[near]));
    return error_set(error, AZ_NOT_FOUND,
                     "there is no principal '%.*s' in the snapshot: give an object id, a user "
                     "principal name or a display name",
                     STR_ARG(text));
}

bool
access_resolve_scope(Database *db, Arena *arena, Str text, Str *scope, AzError *error)
{
    if (str_starts(text, STR("/"))) {
        *scope = text;
        return true;
    }
    Buffer query = {0};
    buffer_text(&query, "union resources, resourcecontainers | where name =~ ");
    json_write_string(&query, text, false);
    buffer_text(&query, " or (type =~ 'microsoft.resources/subscriptions' and subscriptionId =~ ");
    json_write_string(&query, text, false);
    buffer_text(&query, ") | distinct id | order by id asc");
    QueryOptions options = {0};
    QueryResult *result = db_query(db, arena, buffer_slice(&query), &options, error);
    buffer_free(&query);
    if (!result)
        return false;
    Candidates found = {0};
    RowReader reader = {.table = result->tables[0]};
    while (rows_next(&reader))
        ARRAY_PUSH(arena, &found, rows_text(&reader, 0, arena));
    if (found.len > 1)
        return ambiguous(arena, "resources", text, found.items, found.len, error);
    if (!found.len)
        return error_set(
            error, AZ_NOT_FOUND,
            "there is no resource, resource group, subscription or management group "
            "'%.*s' in the snapshot: give a name it holds, or an id that starts with /",
            STR_ARG(text));
    *scope = found.items[0];
    return true;
}

bool
access_scopes_of(Database *db, Arena *arena, Str query, Str **scopes, size_t *count, AzError *error)
{
    QueryOptions options = {0};
    QueryResult *result = db_query(db, arena, query, &options, error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    ptrdiff_t column = rows_column(reader.table, "id");
    Candidates found = {0};
    while (rows_next(&reader))
        ARRAY_PUSH(arena, &found, rows_text(&reader, column < 0 ? 0 : column, arena));
    *scopes = found.items;
    *count = found.len;
    return true;
}
