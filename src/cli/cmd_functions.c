// azimuth functions: help on the functions and plugins of the language, and the functions in KQL that
// a store keeps.

#include "base/array.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/query_options.h"
#include "value/scalar.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// ---- help ----

typedef struct HelpEntry {
    const char *name, *signature, *doc, *aliases, *example;
} HelpEntry;

typedef struct HelpList {
    Arena arena;
    const char *glob;
    HelpEntry *items;
    size_t len, cap;
    size_t plugins; // that matched
} HelpList;

static bool
is_wanted(const HelpList *list, const char *name)
{
    return !list->glob || fnmatch(list->glob, name, 0) == 0;
}

static void
collect(void *context, const FunctionDef *fn)
{
    HelpList *list = context;
    if ((fn->flags & (FN_INTERNAL | FN_OBSOLETE)) || !is_wanted(list, fn->name))
        return;
    HelpEntry entry = {fn->name, fn->signature, fn->doc, fn->aliases, fn->example};
    ARRAY_PUSH(&list->arena, list, entry);
}

static void
collect_kql(void *context, const KqlFunctionInfo *info)
{
    HelpList *list = context;
    char *name = str_cstr(&list->arena, info->name);
    if (!is_wanted(list, name))
        return;
    HelpEntry entry = {name, str_cstr(&list->arena, info->parameters),
                       str_cstr(&list->arena, info->docstring), NULL, NULL};
    ARRAY_PUSH(&list->arena, list, entry);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const HelpEntry *)a)->name, ((const HelpEntry *)b)->name);
}

// The plugins follow the functions, as they are called.
static void
print_plugin(void *context, const PluginDef *plugin)
{
    HelpList *list = context;
    if (!is_wanted(list, plugin->name))
        return;
    list->plugins++;
    if (plugin->needs)
        printf("evaluate %s\n    %s It cannot run here: it needs %s.\n", plugin->name, plugin->doc,
               plugin->needs);
    else
        printf("evaluate %.*s\n    %s\n", STR_ARG(plugin_signature(&list->arena, plugin)),
               plugin->doc);
}

static int
print_help(Database *db, const char *glob)
{
    HelpList list = {.glob = glob};
    db_each_function(db, collect, &list);
    db_each_kql_function(db, collect_kql, &list);
    if (list.len)
        qsort(list.items, list.len, sizeof(*list.items), by_name);
    for (size_t i = 0; i < list.len; i++) {
        const HelpEntry *entry = &list.items[i];
        printf("%s%s\n    %s\n", entry->name, entry->signature, entry->doc ? entry->doc : "");
        if (entry->aliases)
            printf("    also: %s\n", entry->aliases);
        if (entry->example)
            printf("    example: %s\n", entry->example);
    }
    db_each_plugin(print_plugin, &list);
    bool found = list.len || list.plugins;
    if (!found)
        cli_fail("no function matches '%s'", glob ? glob : "*");
    arena_free(&list.arena);
    return found ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

// ---- functions kept in a store ----

typedef struct FunctionWords {
    const char *store, *file, *content;
    const char *name, *text; // behind the verb
} FunctionWords;

static bool
read_text(const FunctionWords *words, Buffer *out)
{
    if (words->text) {
        buffer_text(out, words->text);
        return true;
    }
    if (!words->file || strcmp(words->file, "-") == 0)
        return query_read_all(STDIN_FILENO, out, "standard input");
    int fd = open(words->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        AzError error = {0};
        error_errno(&error, "cannot open '%s'", words->file);
        cli_error(&error, STR(""));
        return false;
    }
    bool done = query_read_all(fd, out, words->file);
    close(fd);
    return done;
}

static bool
save(Store *store, const FunctionWords *words, AzError *error)
{
    Arena arena = {0};
    Buffer text = {0};
    bool done = read_text(words, &text);
    SavedFunction function = {str_from(words->name), buffer_slice(&text), clock_now_ticks()};
    if (done)
        done = db_check_function(&arena, function.name, function.text, error) &&
               store_function_save(store, &function, error);
    buffer_free(&text);
    arena_free(&arena);
    return done;
}

static bool
list_or_show(Store *store, const FunctionWords *words, AzError *error)
{
    Arena arena = {0};
    SavedFunction *functions;
    size_t count;
    bool done = store_functions(store, &arena, &functions, &count, error), found = !words->name;
    for (size_t i = 0; done && i < count; i++) {
        if (words->name && !str_equal(functions[i].name, str_from(words->name)))
            continue;
        found = true;
        if (words->name) {
            printf("%.*s\n", STR_ARG(str_trim(functions[i].text)));
            continue;
        }
        Buffer time = {0};
        datetime_print(&time, functions[i].saved);
        printf("%-40.*s saved %.*s\n", STR_ARG(functions[i].name), STR_ARG(buffer_slice(&time)));
        buffer_free(&time);
    }
    if (done && !found)
        done = error_set(error, AZ_NOT_FOUND, "the store keeps no function '%s'", words->name);
    arena_free(&arena);
    return done;
}

static bool
delete_one(Store *store, const FunctionWords *words, AzError *error)
{
    bool found;
    return store_function_delete(store, str_from(words->name), &found, error) &&
           (found ||
            error_set(error, AZ_NOT_FOUND, "the store keeps no function '%s'", words->name));
}

static const struct {
    const char *verb;
    bool needs_name;
    StoreMode mode;
    bool (*run)(Store *store, const FunctionWords *words, AzError *error);
} VERBS[] = {
    {"save", true, STORE_WRITE, save},
    {"list", false, STORE_READ, list_or_show},
    {"show", true, STORE_READ, list_or_show},
    {"delete", true, STORE_WRITE, delete_one},
};

static int
run_verb(size_t verb, const FunctionWords *words)
{
    if (!words->store || (VERBS[verb].needs_name != (words->name != NULL))) {
        cli_fail("usage: azimuth functions save NAME [-f FILE | 'KQL'] | list | show NAME | "
                 "delete NAME, each with --store DIR");
        return AZIMUTH_EXIT_ERROR;
    }
    AzError error = {0};
    Store *store = store_open(words->store, VERBS[verb].mode, &error);
    bool done = store && VERBS[verb].run(store, words, &error);
    if (!done && error.code != AZ_OK)
        cli_error(&error, STR(""));
    if (store)
        store_close(store);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

// ---- the command ----

static int
functions_command(int argc, char **argv)
{
    FunctionWords words = {0};
    const CliOption options[] = {
        {"--store", "DIR", "the store that keeps functions", &words.store, NULL},
        {"-f", "FILE", "save: read the function from FILE (- = standard input)", &words.file, NULL},
        {"--content", "DIR", "the content folder", &words.content, NULL},
    };
    int status;
    if (!cli_options(&CLI_FUNCTIONS, options, COUNT_OF(options), &argc, argv, &status))
        return status;
    for (size_t i = 0; argc > 1 && i < COUNT_OF(VERBS); i++)
        if (strcmp(argv[1], VERBS[i].verb) == 0) {
            words.name = argc > 2 ? argv[2] : NULL;
            words.text = argc > 3 ? argv[3] : NULL;
            return run_verb(i, &words);
        }
    AzError error = {0};
    DatabaseOptions db_options = {.store = words.store, .content = words.content, .threads = 1};
    Database *db = db_open(&db_options, &error);
    if (!db) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    status = print_help(db, argc > 1 ? argv[1] : NULL);
    db_close(db);
    return status;
}

const CliCommand CLI_FUNCTIONS = {
    "functions",
    "functions [GLOB] | save NAME [-f FILE | 'KQL'] | list | show NAME | delete NAME",
    "shows the functions and plugins of the language; keeps functions in KQL in a store",
    functions_command,
};
