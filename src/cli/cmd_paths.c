// azimuth paths: how far an attacker gets, and where to cut.

#include "azure/path/path_load.h"
#include "azure/path/path_result.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_table.h"
#include "report/path_report.h"
#include "value/scalar.h"

#include <string.h>
#include <unistd.h>

static bool
print_paths(Arena *arena, const PathModel *model, const PathList *list, const char *format,
            AzError *error)
{
    Buffer out = {0};
    if (strcmp(format, "json") == 0) {
        path_report_json(&out, model, list);
    } else if (strcmp(format, "table") == 0) {
        TreeStyle style = {.color = cli_use_color(STDOUT_FILENO), .width = cli_terminal_width()};
        path_report_text(&out, model, list, &style);
    } else {
        return cli_print_table(format, attack_paths_table(arena, model, list), error);
    }
    bool done = cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    return done;
}

static int
paths_command(int argc, char **argv)
{
    const char *store = NULL, *content = NULL, *from = NULL, *to = NULL, *at = NULL;
    const char *format = "table", *limit = "20";
    PathRequest request = {0};
    const CliOption options[] = {
        {"--store", "DIR", "the store (required)", &store, NULL},
        {"--from", "NAME", "an identity or resource; internet, guest, external, user", &from, NULL},
        {"--to", "NAME", "an identity, resource or scope; a kind of goal; KIND:NAME", &to, NULL},
        {"--format", "NAME", "table (default), json, jsonl, csv, markdown", &format, NULL},
        {"--limit", "N", "paths shown (default 20; 0: all)", &limit, NULL},
        {"--all", NULL, "also other paths of the same length", NULL, &request.all},
        {"--at", "TIME", "answers for that time (default: now)", &at, NULL},
        {"--content", "DIR", "the content folder", &content, NULL},
    };
    int status;
    int64_t most = 0, when = clock_now_ticks();
    if (!cli_options(&CLI_PATHS, options, sizeof options / sizeof options[0], &argc, argv, &status))
        return status;
    if (argc != 1 || !store) {
        cli_fail("usage: azimuth %s", CLI_PATHS.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    if (!cli_parse_number(limit, 0, UINT32_MAX, "--limit", &most))
        return AZIMUTH_EXIT_ERROR;
    if (!cli_parse_time(at, "--at", &when))
        return AZIMUTH_EXIT_ERROR;
    request.limit = (uint32_t)most;
    request.from = str_trim(str_from(from));
    request.to = str_trim(str_from(to));
    AzError error = {0};
    Arena arena = {0};
    PathWorld world;
    PathList list;
    DatabaseOptions database = {.store = store, .content = content};
    Database *db = db_open(&database, &error);
    bool done = db && path_load(db, &arena, when, &world, &error) &&
                path_list(world.model, &arena, &request, &list, &error) &&
                print_paths(&arena, world.model, &list, format, &error);
    if (!done && error.code)
        cli_error(&error, STR(""));
    arena_free(&arena);
    if (db)
        db_close(db);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

const CliCommand CLI_PATHS = {
    .name = "paths",
    .usage = "paths [--from NAME|internet|guest|external|user] [--to NAME|KIND|KIND:NAME] "
             "--store DIR",
    .help = "shows how far an attacker gets, step by step, and where to cut",
    .run = paths_command,
};
