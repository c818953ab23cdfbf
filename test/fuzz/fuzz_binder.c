// Any text as a query, parsed and bound but not run: every error points into the text, the
// first of the list is the one that is told, and what binds once binds again.

#include "db/db.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
    if (!condition)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Database *db;
    if (!db) {
        DatabaseOptions options = {.threads = 1, .memory_limit = (size_t)256 << 20};
        db = db_open(&options, NULL);
    }
    char *copy = malloc(size ? size : 1); // reading beyond the text is seen
    if (size)
        memcpy(copy, data, size);
    Str text = {copy, size};
    AzError error = {0}, alone = {0};
    static Diagnostics found;
    found = (Diagnostics){0};
    bool right = db_check(db, text, &found, &error);
    require(right == (found.error_count == 0) && right == (error.code == AZ_OK));
    for (uint32_t i = 0; i < found.error_count; i++) {
        const AzError *one = &found.errors[i];
        require(one->message[0] != 0);
        require(!one->has_span || (one->span.start <= one->span.end && one->span.end <= size + 1));
    }
    // Who wants only the first error gets the same verdict.
    require(db_check(db, text, NULL, &alone) == right);
    free(copy);
    return 0;
}
