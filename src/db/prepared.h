// PreparedQuery: a query that runs again and again over one state of the data, each time at
// another time: rules on their schedules. It is parsed once. From its first binding it knows
// which tables must hold rows for it to have any, so that a run over a window of time in which
// they hold none is answered by what the store knows of its row groups, without binding or reading.
// Internal to src/db; the interface is in db/db.h.
#pragma once

#include "db/db_internal.h"

struct PreparedQuery {
    Database *db;
    Str text;
    Arena tree;
    const AstQuery *ast; // in `tree`; NULL: not parsed (any more)
    Arena noted;         // of what follows
    OpenColumns *open;
    const struct Emptiness *empty; // NULL: not known (yet), or never empty for certain
    struct KnownTable *tables;
    Schema schema; // of its one result
    Str render, name;
    uint32_t puts; // Database.puts when this was noted
    bool done;     // noted all that there is to note
};

// The query's tree; NULL with an error when the text does not parse.
const AstQuery *prepared_ast(PreparedQuery *prepared, AzError *error);
// Before and after binding. `bound` is NULL when that failed.
void prepared_begin(PreparedQuery *prepared, QueryCatalog *query);
void prepared_bound(PreparedQuery *prepared, QueryCatalog *query, const BoundQuery *bound);
// The answer of a run that has no rows for certain; NULL: it must run.
QueryResult *prepared_empty(PreparedQuery *prepared, Arena *arena, const QueryOptions *options);
