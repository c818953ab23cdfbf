// azimuth exposure: from where a resource is reached, hop by hop, and because of what.

#include "azure/network/exposure_table.h"
#include "azure/network/network_load.h"
#include "base/array.h"
#include "cli/cli.h"
#include "cli/cli_table.h"
#include "report/exposure_report.h"

#include <string.h>
#include <unistd.h>

typedef struct Targets {
    const NetResource **items;
    size_t len, cap;
} Targets;

typedef struct ExposureRequest {
    const char *target, *from, *format;
    bool open; // leaves out what is closed
} ExposureRequest;

// Resources with that id, or, when it is none, that name.
static Targets
targets_named(const NetworkWorld *world, Arena *arena, Str name)
{
    Targets found = {0};
    bool is_id = name.len && name.ptr[0] == '/';
    for (size_t i = 0; i < world->resources.len; i++) {
        const NetResource *resource = world->resources.entries[i].pointer;
        if (str_equal_ci(is_id ? resource->id : resource->name, name))
            ARRAY_PUSH(arena, &found, resource);
    }
    return found;
}

static bool
not_found(const NetworkWorld *world, Arena *arena, Str name, AzError *error)
{
    size_t count = 0;
    Str *names = ARENA_ARRAY(arena, Str, world->resources.len + 1);
    for (size_t i = 0; i < world->resources.len; i++) {
        const NetResource *resource = world->resources.entries[i].pointer;
        if (exposure_is_target(world, resource))
            names[count++] = resource->name;
    }
    ptrdiff_t near = str_nearest(name, names, count);
    Str shown = str_slice(name, 0, 200);
    if (near >= 0)
        return error_set(error, AZ_NOT_FOUND,
                         "no resource of the snapshot is called '%.*s'; did you mean '%.*s'?",
                         STR_ARG(shown), STR_ARG(names[near]));
    return error_set(error, AZ_NOT_FOUND,
                     "no resource of the snapshot is called '%.*s'; azimuth exposure without a "
                     "name lists those that can be reached",
                     STR_ARG(shown));
}

// The one resource that is meant.
static const NetResource *
target_find(const NetworkWorld *world, Arena *arena, Str name, AzError *error)
{
    Targets found = targets_named(world, arena, name), listening = {0};
    for (size_t i = 0; i < found.len; i++)
        if (exposure_is_target(world, found.items[i]))
            ARRAY_PUSH(arena, &listening, found.items[i]);
    if (!found.len)
        return not_found(world, arena, name, error), NULL;
    if (!listening.len) {
        error_set(error, AZ_INVALID,
                  "nothing listens at '%.*s' (%.*s): it has no endpoint and no address",
                  STR_ARG(str_slice(found.items[0]->name, 0, 200)), STR_ARG(found.items[0]->type));
        return NULL;
    }
    if (listening.len == 1)
        return listening.items[0];
    enum { SHOWN = 8 };
    Buffer ids = {0};
    for (size_t i = 0; i < listening.len && i < SHOWN; i++)
        buffer_printf(&ids, "\n  %.*s", STR_ARG(listening.items[i]->id));
    error_set(error, AZ_INVALID, "%zu resources are called '%.*s'; name one by its id:%.*s%s",
              listening.len, STR_ARG(str_slice(name, 0, 200)), (int)ids.len, ids.data,
              listening.len > SHOWN ? "\n  ..." : "");
    buffer_free(&ids);
    return NULL;
}

static bool
source_parse(const char *text, SourceClass *out, AzError *error)
{
    Str names[SOURCE_CLASS_COUNT];
    Buffer all = {0};
    for (int source = 0; source < SOURCE_CLASS_COUNT; source++) {
        names[source] = str_from(source_class_name((SourceClass)source));
        buffer_printf(&all, "%s%.*s", source ? ", " : "", STR_ARG(names[source]));
        if (str_equal_ci(names[source], str_from(text))) {
            *out = (SourceClass)source;
            buffer_free(&all);
            return true;
        }
    }
    error_set(error, AZ_INVALID, "--from is one of %.*s; not '%.200s'", (int)all.len, all.data,
              text);
    buffer_free(&all);
    return false;
}

// Leaves in the list what is asked for.
static bool
choose(const ExposureRequest *request, ExposureList *list, AzError *error)
{
    SourceClass source = SOURCE_CLASS_COUNT;
    if (request->from && !source_parse(request->from, &source, error))
        return false;
    size_t kept = 0;
    for (size_t i = 0; i < list->len; i++)
        if ((!request->from || list->items[i].source == source) &&
            (!request->open || list->items[i].reach != REACH_CLOSED))
            list->items[kept++] = list->items[i];
    list->len = kept;
    return true;
}

static bool
print_target(NetworkWorld *world, Arena *arena, const ExposureRequest *request, AzError *error)
{
    const NetResource *target =
        target_find(world, arena, str_trim(str_from(request->target)), error);
    if (!target)
        return false;
    ExposureList list = exposures_of(world, arena, target);
    if (!choose(request, &list, error))
        return false;
    Buffer out = {0};
    if (strcmp(request->format, "json") == 0) {
        exposure_report_json(&out, target, &list);
    } else if (strcmp(request->format, "table") == 0) {
        TreeStyle style = {.color = cli_use_color(STDOUT_FILENO), .width = cli_terminal_width()};
        exposure_report_text(&out, target, &list, &style);
    } else {
        return cli_print_table(request->format, exposure_hops_table(&list, arena), error);
    }
    bool done = cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    return done;
}

static bool
print_all(NetworkWorld *world, Arena *arena, const ExposureRequest *request, AzError *error)
{
    SourceClass source = SOURCE_CLASS_COUNT;
    if (request->from && !source_parse(request->from, &source, error))
        return false;
    return cli_print_table(request->format, exposure_summary(world, arena, source, request->open),
                           error);
}

static int
exposure_command(int argc, char **argv)
{
    const char *store = NULL, *content = NULL;
    ExposureRequest request = {.format = "table"};
    const CliOption options[] = {
        {"--store", "DIR", "the store (required)", &store, NULL},
        {"--from", "CLASS", "only from there: Internet, AnyAzureTenant, PeeredNetwork, Subnet ...",
         &request.from, NULL},
        {"--open", NULL, "only what is, or may be, reached", NULL, &request.open},
        {"--format", "NAME", "table (default), json, jsonl, csv, markdown", &request.format, NULL},
        {"--content", "DIR", "the content folder", &content, NULL},
    };
    int status;
    if (!cli_options(&CLI_EXPOSURE, options, sizeof options / sizeof options[0], &argc, argv,
                     &status))
        return status;
    if (argc > 2 || !store) {
        cli_fail("usage: azimuth %s", CLI_EXPOSURE.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    request.target = argc == 2 ? argv[1] : NULL;
    AzError error = {0};
    Arena arena = {0};
    NetworkWorld world;
    DatabaseOptions database = {.store = store, .content = content};
    Database *db = db_open(&database, &error);
    bool done = db && network_load(db, &arena, &world, &error) &&
                (request.target ? print_target(&world, &arena, &request, &error)
                                : print_all(&world, &arena, &request, &error));
    if (!done && error.code)
        cli_error(&error, STR(""));
    error_clear(&error);
    arena_free(&arena);
    if (db)
        db_close(db);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

const CliCommand CLI_EXPOSURE = {
    .name = "exposure",
    .usage = "exposure [TARGET] [--from CLASS] [--open] --store DIR",
    .help = "shows from where a resource is reached, hop by hop, and because of what",
    .run = exposure_command,
};
