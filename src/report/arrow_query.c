// az_query_arrow: the one call of include/azimuth_arrow.h that starts from a store.

#include "db/db.h"
#include "report/arrow_export.h"

#include <errno.h>
#include <stdio.h>

static int
error_number(AzCode code)
{
    switch (code) {
    case AZ_NOT_FOUND: return ENOENT;
    case AZ_LIMIT: return ENOMEM;
    case AZ_IO:
    case AZ_CORRUPT: return EIO;
    case AZ_UNSUPPORTED: return ENOTSUP;
    case AZ_CANCELLED: return ECANCELED;
    default: return EINVAL;
    }
}

// The table to hand over: an answer without any has no columns.
static const ResultTable *
answer_table(Arena *arena, const QueryResult *result)
{
    return result->count ? result->tables[result->primary] : ARENA_NEW(arena, ResultTable);
}

int
az_query_arrow(const char *store_dir, const char *query, struct ArrowArrayStream *out,
               char *message, size_t message_size)
{
    AzError error = {0};
    Arena arena = {0};
    Str text = str_copy(&arena, str_from(query));
    Database *db = db_open(&(DatabaseOptions){.store = store_dir}, &error);
    QueryResult *result =
        db ? db_query(db, &arena, text, &(QueryOptions){.timeout_ns = 0}, &error) : NULL;
    if (result) {
        arrow_export(&arena, answer_table(&arena, result), out);
    } else if (message && message_size) {
        Str rendered = error_render(&arena, &error, text);
        snprintf(message, message_size, "%.*s", STR_ARG(rendered));
    }
    db_close(db);
    arena_free(&arena);
    return result ? 0 : error_number(error.code);
}
