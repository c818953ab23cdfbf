// azimuth export: content in the forms that Microsoft's services take.

#include "azure/tables.h"
#include "cli/cli.h"
#include "report/sentinel_export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct ExportWords {
    const char *content, *form, *workspace, *output;
    const char **rules, **functions;
} ExportWords;

static bool
is_parameter_name(const char *text)
{
    for (const char *p = text; *p; p++) {
        bool is_letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_';
        if (!is_letter && (p == text || *p < '0' || *p > '9'))
            return false;
    }
    // The name of a resource in what is written in Bicep.
    return *text != 0 && strcmp(text, "sentinelWorkspace") != 0;
}

// The rules of the paths named, else of the content pack; what could not be read stops the export,
// for a template that lacks a rule is taken for one that has it.
static bool
load_rules(Arena *arena, Database *db, const ExportWords *words, RuleSet *rules, AzError *error)
{
    RuleProblems problems = {0};
    for (size_t i = 0; words->rules[i]; i++)
        if (!rules_load(arena, words->rules[i], rules, &problems, error))
            return false;
    Str dir = str_format(arena, "%s/detections", content_dir(db_content(db)));
    if (!words->rules[0] && !rules_load(arena, dir.ptr, rules, &problems, error))
        return false;
    for (size_t i = 0; i < problems.len; i++)
        cli_fail("%.*s", STR_ARG(problems.items[i].text));
    return problems.len == 0 ||
           error_set(error, AZ_INVALID, "%zu rules could not be read; nothing is exported",
                     problems.len);
}

static bool
write_template(Database *db, Arena *arena, const ExportWords *words, AzError *error)
{
    RuleSet rules = {0};
    SentinelExport job = {
        .form = strcmp(words->form, "arm") == 0 ? TEMPLATE_ARM : TEMPLATE_BICEP,
        .workspace = str_from(words->workspace),
        .rules = &rules,
    };
    Buffer text = {0};
    bool done = load_rules(arena, db, words, &rules, error) &&
                sentinel_export(db, arena, &job, &text, error);
    for (size_t i = 0; i < job.left_out.len; i++)
        fprintf(stderr, "warning: %.*s\n", STR_ARG(job.left_out.items[i].text));
    if (done) {
        bool to_file = strcmp(words->output, "-") != 0;
        done = to_file ? cli_write_file(words->output, buffer_slice(&text))
                       : cli_write(STDOUT_FILENO, buffer_slice(&text));
        if (done)
            fprintf(stderr, "%zu rules and %zu functions exported, %zu rules left out\n",
                    job.rule_count, job.function_count, job.left_out.len);
    }
    buffer_free(&text);
    return done;
}

static int
export_run(const ExportWords *words)
{
    AzError error = {0};
    Arena arena = {0};
    size_t folders = 0;
    while (words->functions[folders])
        folders++;
    DatabaseOptions options = {.content = words->content,
                               .threads = 1,
                               .function_folders = words->functions,
                               .function_folder_count = folders};
    Database *db = db_open(&options, &error);
    if (db)
        azure_add_tables(db);
    bool done = db && write_template(db, &arena, words, &error);
    if (!done && error.code != AZ_OK)
        cli_error(&error, STR(""));
    db_close(db);
    arena_free(&arena);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

static int
export_command(int argc, char **argv)
{
    ExportWords words = {.form = "arm",
                         .workspace = "workspace",
                         .rules = cli_values(argc),
                         .functions = cli_values(argc)};
    const CliOption options[] = {
        {"--rules", "PATH...",
         "rules: a file or folder in Sentinel's form (default: those of the content pack)",
         words.rules, NULL},
        {"--functions", "DIR...", "functions in KQL that the rules call, beside the content's",
         words.functions, NULL},
        {"--format", "arm|bicep", "a template in JSON (arm, the default) or in Bicep", &words.form,
         NULL},
        {"--workspace-name-parameter", "NAME",
         "the template's parameter that names the workspace (default workspace)", &words.workspace,
         NULL},
        {"--content", "DIR", "the content folder", &words.content, NULL},
    };
    int status = AZIMUTH_EXIT_ERROR;
    if (!cli_options(&CLI_EXPORT, options, sizeof options / sizeof options[0], &argc, argv,
                     &status)) {
    } else if (argc != 3 || strcmp(argv[1], "sentinel") != 0) {
        cli_fail("usage: azimuth %s", CLI_EXPORT.usage);
    } else if (strcmp(words.form, "arm") != 0 && strcmp(words.form, "bicep") != 0) {
        cli_fail("--format is arm or bicep, not '%s'", words.form);
    } else if (!is_parameter_name(words.workspace)) {
        cli_fail("--workspace-name-parameter is a name of letters, digits and _, not '%s'",
                 words.workspace);
    } else {
        words.output = argv[2];
        status = export_run(&words);
    }
    free(words.rules);
    free(words.functions);
    return status;
}

const CliCommand CLI_EXPORT = {
    "export",
    "export sentinel [--rules PATH]... [--format arm|bicep] OUT",
    "writes analytics rules and their functions as a template for Microsoft Sentinel",
    export_command,
};
