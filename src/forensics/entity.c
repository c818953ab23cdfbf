#include "forensics/entity.h"

#include "base/array.h"
#include "base/buffer.h"
#include "db/rows.h"
#include "forensics/event_rules.h"

typedef struct NameList {
    Str *items;
    size_t len, cap;
} NameList;

static void
add_name(Arena *arena, NameList *names, Str name)
{
    name = str_lower(arena, str_trim(name));
    if (!name.len)
        return;
    for (size_t i = 0; i < names->len; i++)
        if (str_equal(names->items[i], name))
            return;
    ARRAY_PUSH(arena, names, name);
}

static QueryResult *
ask_names(Database *db, Arena *arena, Str text, AzError *error)
{
    Buffer query = {0};
    buffer_text(&query, "EntityNames(");
    kql_write_text(&query, text);
    buffer_text(&query, ") | order by Kind asc, Id asc");
    QueryResult *result = db_query(db, arena, buffer_slice(&query), &(QueryOptions){0}, error);
    buffer_free(&query);
    return result;
}

// What the rows that count say: those where a key was given, else those of names.
typedef struct Candidates {
    size_t count;
    Str ids; // a list for people
    bool keyed;
} Candidates;

static void
take_row(Arena *arena, const RowReader *reader, Entity *entity, NameList *names,
         Candidates *candidates)
{
    const ResultTable *table = reader->table;
    Str kind = rows_text(reader, rows_column(table, "Kind"), arena);
    Str id = rows_text(reader, rows_column(table, "Id"), arena);
    Dyn list = rows_dynamic(reader, rows_column(table, "Names"));
    for (uint32_t i = 0; i < dyn_count(list); i++)
        add_name(arena, names, dyn_string(dyn_at(list, i)));
    EntityKind found = str_equal(kind, STR("resource"))    ? ENTITY_RESOURCE
                       : str_equal(kind, STR("principal")) ? ENTITY_PRINCIPAL
                                                           : ENTITY_TEXT;
    if (found == ENTITY_TEXT || (entity->id.len && str_equal(entity->id, id)))
        return;
    candidates->ids = str_format(arena, "%.*s%s%.*s", STR_ARG(candidates->ids),
                                 candidates->count ? ", " : "", STR_ARG(id));
    candidates->count++;
    if (!entity->id.len) {
        entity->id = id;
        entity->kind = found;
    }
}

static bool
is_keyed(const ResultTable *table, Arena *arena)
{
    RowReader reader = {.table = table};
    while (rows_next(&reader))
        if (str_equal(rows_text(&reader, rows_column(table, "By"), arena), STR("key")))
            return true;
    return false;
}

bool
entity_resolve(Database *db, Arena *arena, Str text, Entity *entity, AzError *error)
{
    NameList names = {0};
    Candidates candidates = {0};
    *entity = (Entity){0};
    text = str_trim(text);
    if (!text.len)
        return error_set(error, AZ_INVALID, "a timeline needs the name or id of something");
    QueryResult *result = ask_names(db, arena, text, error);
    if (!result)
        return false;
    const ResultTable *table = result->tables[result->primary];
    candidates.keyed = is_keyed(table, arena);
    RowReader reader = {.table = table};
    while (rows_next(&reader)) {
        bool key = str_equal(rows_text(&reader, rows_column(table, "By"), arena), STR("key"));
        if (key == candidates.keyed)
            take_row(arena, &reader, entity, &names, &candidates);
    }
    if (candidates.count > 1 && !candidates.keyed)
        return error_set(error, AZ_INVALID,
                         "'%.*s' is the name of several things: %.*s; give an id", STR_ARG(text),
                         STR_ARG(str_slice(candidates.ids, 0, 600)));
    // A display name is too common a text to look for; the ids behind it are not.
    if (!names.len || candidates.keyed)
        add_name(arena, &names, text);
    entity->names = names.items;
    entity->name_count = names.len;
    return true;
}

static void
write_escaped(Buffer *out, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (unsigned char)c >= 0x80;
        if (!plain)
            buffer_char(out, '\\');
        buffer_char(out, c);
    }
}

void
entity_pattern(const Entity *entity, Buffer *out)
{
    buffer_text(out, "(?i)(?:");
    for (size_t i = 0; i < entity->name_count; i++) {
        Str name = entity->names[i];
        // A name without dots may be the first label of a host; others end at a dot only when
        // nothing follows it.
        bool host = str_find(name, STR(".")) < 0 && name.ptr[0] != '/';
        buffer_text(out, i ? "|" : "");
        if (name.ptr[0] != '/')
            buffer_text(out, "(?:^|[^a-z0-9_.@-])");
        write_escaped(out, name);
        buffer_text(out, host ? "(?:[^a-z0-9_-]|$)" : "(?:[^a-z0-9_.-]|\\.(?:[^a-z0-9]|$)|$)");
    }
    buffer_char(out, ')');
}
