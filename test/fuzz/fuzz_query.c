// Any text as a query: lexer, parser, binder, optimiser and execution must answer or
// give an error, within a second and within their memory.

#include "db/db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Database *db;
    if (!db) {
        DatabaseOptions options = {.threads = 1, .memory_limit = (size_t)256 << 20};
        db = db_open(&options, NULL);
    }
    Arena arena = {0};
    AzError error = {0};
    QueryOptions options = {.timeout_ns = 1000000000u};
    db_query(db, &arena, (Str){(const char *)data, size}, &options, &error);
    arena_free(&arena);
    return 0;
}
