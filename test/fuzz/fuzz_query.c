// Any text as a query over a small table `T` of all types, nulls included: lexer, parser,
// binder, optimiser and execution must answer or give an error, within a second and within
// their memory: plenty, and so little that what can go to disk does.

#include "db/db.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char TABLE[] =
    "datatable(b:bool, i:int, l:long, r:real, m:decimal, t:datetime, p:timespan, s:string, g:guid, "
    "d:dynamic)["
    "true, 1, 2, 3.5, 1.25, datetime(2024-02-29 12:00), 1h, 'a b', "
    "guid(74be27de-1e4e-49d9-b579-fe0b331d3642), dynamic({'a':[1, 2.5, null], 'b':{'c':'x'}}),"
    "false, -1, 9223372036854775807, real(nan), -0.5, datetime(0001-01-01), -1d, '', guid(null), "
    "dynamic([1, 'x', true]),"
    "bool(null), int(null), long(null), real(null), decimal(null), datetime(null), timespan(null), "
    "'\\u00e9\\u4e2d', guid(null), dynamic(null),"
    "true, 2147483647, -9223372036854775807, real(-inf), 1e20, datetime(9999-12-31), 1tick, "
    "'0123456789 long enough to live outside the view', "
    "guid(00000000-0000-0000-0000-000000000000), dynamic('text')]";

// The batches live as long as the process, as the database does.
static Database *
open_database(size_t memory)
{
    static Arena arena;
    static QueryResult *table;
    DatabaseOptions options = {.threads = 1, .memory_limit = memory};
    Database *db = db_open(&options, NULL);
    AzError error = {0};
    QueryOptions none = {0};
    if (!table)
        table = db_query(db, &arena, str_from(TABLE), &none, &error);
    if (!table || !db_put_table(db, STR("T"), &table->tables[0]->schema, table->tables[0]->batches,
                                table->tables[0]->batch_count, &error))
        abort();
    return db;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Database *dbs[2];
    if (!dbs[0]) {
        dbs[0] = open_database((size_t)256 << 20);
        dbs[1] = open_database((size_t)20 << 10);
    }
    for (size_t i = 0; i < 2; i++) {
        Arena arena = {0};
        AzError error = {0};
        QueryOptions options = {.timeout_ns = 1000000000u};
        db_query(dbs[i], &arena, (Str){(const char *)data, size}, &options, &error);
        error_clear(&error);
        arena_free(&arena);
    }
    return 0;
}
