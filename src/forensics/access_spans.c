#include "forensics/access_spans.h"

#include "azure/tables.h"
#include "base/array.h"
#include "base/buffer.h"
#include "db/rows.h"
#include "forensics/event_rules.h"

enum { SNAPSHOTS_MAX = 60 }; // the newest of a long time; each costs a model of all access

static void
write_question(const Entity *entity, Buffer *out)
{
    if (entity->kind == ENTITY_PRINCIPAL) {
        buffer_text(out, "WhatCan(");
        kql_write_text(out, entity->id);
        buffer_text(out, ") | project Principal = \"\", PrincipalId = ");
        kql_write_text(out, entity->id);
        buffer_text(out, ", Role, Scope, Via, State, Can, AssignmentId");
        return;
    }
    buffer_text(out, "let classes = toscalar(EffectiveAccess | summarize make_set(OperationClass));"
                     " AccessTo((print id = ");
    kql_write_text(out, entity->id);
    buffer_text(out,
                "), classes) | summarize Can = strcat_array(array_sort_asc(make_set("
                "OperationClass)), \", \") by Principal, PrincipalId, Role, Scope, Via, Eligible, "
                "AssignmentId | extend State = iff(Eligible, \"eligible\", \"active\")"
                " | order by Principal asc, Role asc, Scope asc");
}

// Takes one row of a snapshot's answer: a span that goes on, or a new one.
static void
take_row(Arena *arena, const RowReader *reader, const SnapshotInfo *snapshot, bool first,
         AccessSpans *spans, bool *seen)
{
    const ResultTable *table = reader->table;
    AccessSpan span = {
        .from = snapshot->created,
        .to = INT64_MAX,
        .since_snapshot = snapshot->id,
        .first = first,
        .principal = rows_text(reader, rows_column(table, "Principal"), arena),
        .principal_id = rows_text(reader, rows_column(table, "PrincipalId"), arena),
        .role = rows_text(reader, rows_column(table, "Role"), arena),
        .scope = str_lower(arena, rows_text(reader, rows_column(table, "Scope"), arena)),
        .via = rows_text(reader, rows_column(table, "Via"), arena),
        .state = rows_text(reader, rows_column(table, "State"), arena),
        .can = rows_text(reader, rows_column(table, "Can"), arena),
    };
    Str assignment = rows_text(reader, rows_column(table, "AssignmentId"), arena);
    span.key = str_format(arena, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(span.principal_id),
                          STR_ARG(span.role), STR_ARG(span.scope), STR_ARG(span.state),
                          STR_ARG(assignment));
    for (size_t i = 0; i < spans->len; i++)
        if (spans->items[i].to == INT64_MAX && str_equal(spans->items[i].key, span.key)) {
            seen[i] = true;
            return;
        }
    ARRAY_PUSH(arena, spans, span);
}

static bool
read_snapshot(const DatabaseOptions *options, Arena *arena, Str question,
              const SnapshotInfo *snapshot, bool first, AccessSpans *spans, AzError *error)
{
    AzError failure = {0};
    Arena answers = {0};
    Database *db = db_open(options, error);
    if (!db)
        return false;
    azure_add_tables(db);
    size_t before = spans->len;
    bool *seen = ARENA_ARRAY(arena, bool, before + 1);
    QueryResult *result = db_query(db, &answers, question, &(QueryOptions){0}, &failure);
    RowReader reader = {.table = result ? result->tables[result->primary] : NULL};
    while (result && rows_next(&reader))
        take_row(arena, &reader, snapshot, first, spans, seen);
    for (size_t i = 0; i < before; i++)
        if (spans->items[i].to == INT64_MAX && !seen[i]) {
            spans->items[i].to = snapshot->created;
            spans->items[i].until_snapshot = snapshot->id;
        }
    arena_free(&answers);
    db_close(db);
    // A snapshot that does not know the principal knows no access of it.
    if (!result && failure.code != AZ_NOT_FOUND) {
        *error = failure;
        return false;
    }
    return true;
}

bool
access_spans_read(Database *db, Arena *arena, const Entity *entity, int64_t since, int64_t until,
                  AccessSpans *spans, AzError *error)
{
    SnapshotInfo *all = NULL;
    size_t count = 0, from = 0, end = 0;
    *spans = (AccessSpans){0};
    if (entity->kind == ENTITY_TEXT || !db_store(db))
        return true;
    if (!store_snapshots(db_store(db), arena, &all, &count, error))
        return false;
    while (end < count && all[end].created < until)
        end++;
    while (from + 1 < end && all[from + 1].created <= since)
        from++;
    if (end - from > SNAPSHOTS_MAX)
        from = end - SNAPSHOTS_MAX;
    Buffer question = {0};
    write_question(entity, &question);
    bool done = true;
    for (size_t i = from; i < end && done; i++) {
        DatabaseOptions options = {.store = store_dir(db_store(db)),
                                   .content = content_dir(db_content(db)),
                                   .snapshot = all[i].id};
        if (!*options.content)
            options.content = NULL;
        done = read_snapshot(&options, arena, buffer_slice(&question), &all[i], i == from, spans,
                             error);
        spans->snapshots++;
    }
    buffer_free(&question);
    return done;
}
