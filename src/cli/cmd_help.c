// azimuth help: what the language knows of a name, and the reference pages.

#include "azure/tables.h"
#include "cli/cli.h"
#include "db/help.h"
#include "forensics/timeline.h"
#include "report/help_markdown.h"
#include "report/help_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
write_page(void *context, const char *name, Str text)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", (const char *)context, name);
    return cli_write_file(path, text);
}

static int
write_reference(Database *db, const char *dir)
{
    AzError error = {0};
    if (mkdir(dir, 0755) && errno != EEXIST) {
        cli_fail("cannot make the folder '%s': %s", dir, strerror(errno));
        return AZIMUTH_EXIT_ERROR;
    }
    if (help_write_pages(db, write_page, (void *)(uintptr_t)dir, &error))
        return AZIMUTH_EXIT_OK;
    if (error.code != AZ_OK)
        cli_error(&error, STR(""));
    return AZIMUTH_EXIT_ERROR;
}

static int
show_topic(Database *db, Str name)
{
    Arena arena = {0};
    Buffer out = {0};
    ResultStyle style = {cli_terminal_width(), cli_use_color(STDOUT_FILENO), 50};
    TopicKind kind = help_kind_of_word(name);
    TopicList found = help_find(db, &arena, name);
    for (size_t i = 0; i < found.len; i++) {
        if (i)
            buffer_char(&out, '\n');
        help_write_topic(&out, db, found.items[i], &style);
    }
    if (!found.len && kind < TOPIC_KINDS)
        help_write_names(&out, db, kind, style.width);
    bool known = out.len > 0;
    if (known) {
        cli_write(STDOUT_FILENO, buffer_slice(&out));
    } else {
        Str near = help_nearest(db, &arena, name);
        if (near.len)
            cli_fail("there is no help on '%.*s'; did you mean '%.*s'?", STR_ARG(name),
                     STR_ARG(near));
        else
            cli_fail("there is no help on '%.*s'; azimuth help lists what there is", STR_ARG(name));
    }
    buffer_free(&out);
    arena_free(&arena);
    return known ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

static int
help_command(int argc, char **argv)
{
    const char *store = NULL, *content = NULL, *markdown = NULL;
    const CliOption options[] = {
        {"--store", "DIR", "a store whose tables are known too", &store, NULL},
        {"--content", "DIR", "the content folder", &content, NULL},
        {"--markdown", "DIR", "write the reference as pages into DIR", &markdown, NULL},
    };
    int status;
    if (!cli_options(&CLI_HELP, options, sizeof(options) / sizeof(options[0]), &argc, argv,
                     &status))
        return status;
    AzError error = {0};
    DatabaseOptions database = {.store = store, .content = content, .threads = 1};
    Database *db = db_open(&database, &error);
    if (db) {
        azure_add_tables(db);
        forensics_add_tables(db);
    }
    if (!db) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    if (markdown) {
        status = write_reference(db, markdown);
    } else if (argc > 1) {
        // Names of two words need no quotes: azimuth help matches regex.
        Buffer name = {0};
        for (int i = 1; i < argc; i++)
            buffer_printf(&name, "%s%s", i > 1 ? " " : "", argv[i]);
        status = show_topic(db, buffer_slice(&name));
        buffer_free(&name);
    } else {
        Buffer out = {0};
        help_write_list(&out, db, cli_terminal_width());
        status =
            cli_write(STDOUT_FILENO, buffer_slice(&out)) ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
        buffer_free(&out);
    }
    db_close(db);
    return status;
}

const CliCommand CLI_HELP = {
    "help",
    "help [NAME | --markdown DIR]",
    "tells about a function, operator, table or plugin of the language",
    help_command,
};
