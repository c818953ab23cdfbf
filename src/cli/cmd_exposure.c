// azimuth exposure: from where a resource is reached and what it reaches outside, hop by hop, and
// because of what.

#include "azure/network/exposure_table.h"
#include "azure/network/network_load.h"
#include "azure/network/outbound_table.h"
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
    const char *target, *from, *to, *format;
    bool open; // leaves out what is closed
} ExposureRequest;

// Whether there is something to tell of it.
static bool
is_told(const NetworkWorld *world, const NetResource *resource)
{
    return exposure_is_target(world, resource) || outbound_is_compute(resource);
}

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
        if (is_told(world, resource))
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
        if (is_told(world, found.items[i]))
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

// The number of a class by its name; -1 with an error when there is none.
static int
class_parse(const char *option, const char *text, const char *(*name_of)(int number), int count,
            AzError *error)
{
    Buffer all = {0};
    int found = -1;
    for (int i = 0; i < count; i++) {
        buffer_printf(&all, "%s%s", i ? ", " : "", name_of(i));
        if (str_equal_ci(str_from(name_of(i)), str_from(text)))
            found = i;
    }
    if (found < 0)
        error_set(error, AZ_INVALID, "%s is one of %.*s; not '%.200s'", option, (int)all.len,
                  all.data, text);
    buffer_free(&all);
    return found;
}

static const char *
source_name(int number)
{
    return source_class_name((SourceClass)number);
}

static const char *
destination_name(int number)
{
    return destination_class_name((DestinationClass)number);
}

// The classes asked for; the counts = all.
static bool
classes_parse(const ExposureRequest *request, SourceClass *source, DestinationClass *destination,
              AzError *error)
{
    int from = SOURCE_CLASS_COUNT, to = DESTINATION_CLASS_COUNT;
    if (request->from)
        from = class_parse("--from", request->from, source_name, SOURCE_CLASS_COUNT, error);
    if (request->to && from >= 0)
        to = class_parse("--to", request->to, destination_name, DESTINATION_CLASS_COUNT, error);
    *source = (SourceClass)from;
    *destination = (DestinationClass)to;
    return from >= 0 && to >= 0;
}

// Leaves in the lists what is asked for.
static void
choose(const ExposureRequest *request, ExposureList *list, SourceClass source,
       OutboundList *outbound, DestinationClass destination)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->len; i++)
        if ((!request->from || list->items[i].source == source) &&
            (!request->open || list->items[i].reach != REACH_CLOSED))
            list->items[kept++] = list->items[i];
    list->len = kept;
    kept = 0;
    for (size_t i = 0; i < outbound->len; i++)
        if ((!request->to || outbound->items[i].destination == destination) &&
            (!request->open || outbound->items[i].reach != REACH_CLOSED))
            outbound->items[kept++] = outbound->items[i];
    outbound->len = kept;
}

static bool
print_target(NetworkWorld *world, Arena *arena, const ExposureRequest *request, AzError *error)
{
    SourceClass source;
    DestinationClass destination;
    const NetResource *target =
        target_find(world, arena, str_trim(str_from(request->target)), error);
    if (!target || !classes_parse(request, &source, &destination, error))
        return false;
    // Who asks for one side only is told of that.
    bool in = exposure_is_target(world, target) && !(request->to && !request->from);
    bool out_too = outbound_is_compute(target) && !(request->from && !request->to);
    ExposureList list = {0};
    OutboundList outbound = {0};
    if (in)
        list = exposures_of(world, arena, target);
    if (out_too)
        outbound = outbounds_of(world, arena, target);
    choose(request, &list, source, &outbound, destination);
    const ExposureList *told_in = in ? &list : NULL;
    const OutboundList *told_out = out_too ? &outbound : NULL;
    Buffer out = {0};
    if (strcmp(request->format, "json") == 0) {
        exposure_report_json(&out, target, told_in, told_out);
    } else if (strcmp(request->format, "table") == 0) {
        TreeStyle style = {.color = cli_use_color(STDOUT_FILENO), .width = cli_terminal_width()};
        exposure_report_text(&out, target, told_in, told_out, &style);
    } else {
        return cli_print_table(
            request->format,
            in ? exposure_hops_table(&list, arena) : outbound_hops_table(&outbound, arena), error);
    }
    bool done = cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    return done;
}

static bool
print_all(NetworkWorld *world, Arena *arena, const ExposureRequest *request, AzError *error)
{
    SourceClass source;
    DestinationClass destination;
    if (!classes_parse(request, &source, &destination, error))
        return false;
    if (request->to && !request->from)
        return cli_print_table(request->format,
                               outbound_summary(world, arena, destination, request->open), error);
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
        {"--to", "CLASS",
         "what it reaches outside, only there: Internet, AnyAzureTenant, ListedAddresses, "
         "ListedNames, Resource",
         &request.to, NULL},
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
    .usage = "exposure [TARGET] [--from CLASS] [--to CLASS] [--open] --store DIR",
    .help = "shows from where a resource is reached and what it reaches outside, hop by hop",
    .run = exposure_command,
};
