// Any bytes as a query: errors point into the text; what is accepted prints to a text
// that parses again and prints the same. The same bytes also go to the readers of
// function files and table schemas.

#include "kql/ast_print.h"
#include "kql/parser.h"

#include <stdlib.h>

static void
require(bool condition)
{
    if (!condition)
        abort();
}

static void
check_error(Str text, const AzError *error)
{
    require(error->code == AZ_SYNTAX && error->message[0]);
    require(error->has_span && error->span.start <= error->span.end);
    require(error->span.start <= text.len && error->span.end <= text.len + 1);
}

// Printing adds parentheses, which may be one nesting too many.
static bool
is_bound(const AzError *error)
{
    Str message = str_from(error->message);
    return str_find(message, STR("levels deep")) >= 0 ||
           str_find(message, STR("long; split it")) >= 0;
}

static void
check_round_trip(Arena *arena, const AstQuery *query)
{
    Buffer first = {0}, second = {0};
    AzError error = {0};
    ast_print(query, &first);
    AstQuery *again = kql_parse(arena, buffer_slice(&first), NULL, &error);
    if (again) {
        ast_print(again, &second);
        require(str_equal(buffer_slice(&first), buffer_slice(&second)));
    } else {
        require(is_bound(&error));
    }
    buffer_free(&first);
    buffer_free(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena arena = {0};
    AzError error = {0};
    char *copy = malloc(size ? size : 1); // reading beyond the text is seen
    if (size)
        memcpy(copy, data, size);
    Str text = {copy, size};
    AstQuery *query = kql_parse(&arena, text, NULL, &error);
    if (query)
        check_round_trip(&arena, query);
    else
        check_error(text, &error);

    error = (AzError){0};
    if (!kql_parse_function(&arena, text, &error))
        check_error(text, &error);

    error = (AzError){0};
    size_t offset = 0, before = 0;
    AstTableSchema table;
    while (kql_parse_create_table(&arena, text, &offset, &table, &error)) {
        require(offset > before && offset <= size);
        before = offset;
    }
    free(copy);
    arena_free(&arena);
    return 0;
}
