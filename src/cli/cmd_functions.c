// azimuth functions: help on the functions of the language, from the registry.

#include "base/array.h"
#include "cli/cli.h"
#include "db/db.h"

#include <fnmatch.h>
#include <stdio.h>

typedef struct FunctionList {
    Arena arena;
    const char *glob;
    const FunctionDef **items;
    size_t len, cap;
} FunctionList;

static void
collect(void *context, const FunctionDef *fn)
{
    FunctionList *list = context;
    if ((fn->flags & (FN_INTERNAL | FN_OBSOLETE)) ||
        (list->glob && fnmatch(list->glob, fn->name, 0)))
        return;
    ARRAY_PUSH(&list->arena, list, fn);
}

static int
order(const void *a, const void *b)
{
    const FunctionDef *x = *(const FunctionDef *const *)a, *y = *(const FunctionDef *const *)b;
    return strcmp(x->name, y->name);
}

static int
functions_command(int argc, char **argv)
{
    int status;
    if (!cli_options(&CLI_FUNCTIONS, NULL, 0, &argc, argv, &status))
        return status;
    AzError error = {0};
    DatabaseOptions options = {.threads = 1};
    Database *db = db_open(&options, &error);
    if (!db) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    FunctionList list = {.glob = argc > 1 ? argv[1] : NULL};
    db_each_function(db, collect, &list);
    if (list.len)
        qsort(list.items, list.len, sizeof(*list.items), order);
    for (size_t i = 0; i < list.len; i++) {
        const FunctionDef *fn = list.items[i];
        printf("%s%s\n    %s\n", fn->name, fn->signature, fn->doc ? fn->doc : "");
        if (fn->aliases)
            printf("    also: %s\n", fn->aliases);
        if (fn->example)
            printf("    example: %s\n", fn->example);
    }
    if (!list.len)
        cli_fail("no function matches '%s'", list.glob ? list.glob : "*");
    status = list.len ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
    arena_free(&list.arena);
    db_close(db);
    return status;
}

const CliCommand CLI_FUNCTIONS = {
    "functions",
    "functions [GLOB]",
    "shows the functions of the language, with signature and example",
    functions_command,
};
