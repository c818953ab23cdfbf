// azimuth policy check: whether a template or a plan passes the policies where it goes.

#include "azure/template/check.h"
#include "cli/cli.h"
#include "cli/cli_table.h"
#include "cli/cmd_policy.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
policy_command_read(PolicyCommand *command, const char *path, Dyn *out, AzError *error)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_errno(error, "cannot open '%s'", path);
    Buffer text = {0};
    size_t got;
    while ((got = fread(buffer_reserve(&text, 1 << 16), 1, 1 << 16, file)) > 0)
        text.len += got;
    bool done = !ferror(file) || error_errno(error, "cannot read '%s'", path);
    fclose(file);
    template_blank_comments(text.data, text.len);
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    const char *why = NULL;
    size_t offset = 0;
    Dyn tree = {0};
    if (done && (!json_to_dynamic(parser, buffer_slice(&text), builder, &why, &offset) ||
                 !dyn_finish(builder, &tree, &why)))
        done = error_set(error, AZ_INVALID, "'%s', byte %zu: %s", path, offset, why);
    if (done)
        *out = (Dyn){arena_copy(&command->arena, tree.ptr, tree.size), tree.size};
    dyn_builder_free(builder);
    json_parser_free(parser);
    buffer_free(&text);
    return done;
}

typedef struct Checking {
    PolicyCommand *command;
    PolicyWorld world;
    const char *path; // of the template
} Checking;

static const PolicyValue *
find_container(void *data, Str id)
{
    const Checking *checking = data;
    return map_get(&checking->world.containers, id);
}

// Beside the template; what cannot be read is as good as not there.
static Dyn
read_linked(void *data, Arena *arena, Str path)
{
    Checking *checking = data;
    const char *slash = strrchr(checking->path, '/');
    int folder = slash ? (int)(slash - checking->path) + 1 : 0;
    Dyn out = {0};
    AzError error = {0};
    if (!path.len || path.ptr[0] == '/')
        return out;
    Str whole = str_format(arena, "%.*s%.*s%c", folder, checking->path, STR_ARG(path), '\0');
    return policy_command_read(checking->command, whole.ptr, &out, &error) ? out : (Dyn){0};
}

static bool
expand(Checking *checking, Dyn json, Dyn parameters, PlannedSet *set, AzError *error)
{
    PolicyCommand *command = checking->command;
    Str scope = scope_normalise(&command->arena, str_from(command->scope));
    if (terraform_is_plan(json)) {
        if (parameters.ptr)
            return error_set(error, AZ_INVALID,
                             "a Terraform plan has the values of its variables in it: --parameters "
                             "is for ARM templates");
        return terraform_expand(&command->arena, content_dir(db_content(command->db)), scope, json,
                                set, error);
    }
    const TemplateOptions options = {.scope = scope,
                                     .parameters = parameters,
                                     .now = command->at,
                                     .container = find_container,
                                     .linked = read_linked,
                                     .data = checking};
    return template_expand(&command->arena, &options, json, set, error);
}

// Policies of management groups count only when it is known which lie above.
static void
tell_unplaced(const PolicyWorld *world, Arena *arena, Str scope)
{
    ScopeChain chain = {0};
    bool known = true;
    scope_chain(&world->scopes, arena, scope, &chain, &known);
    if (!known)
        fprintf(stderr,
                "azimuth: the store does not say which management groups lie above '%.*s': their "
                "policies are not looked at\n",
                STR_ARG(scope));
}

bool
policy_check_command(PolicyCommand *command, char **argv, AzError *error)
{
    Checking checking = {.command = command, .path = argv[0]};
    PolicyWorld *world = &checking.world;
    Dyn json, parameters = {0};
    PlannedSet set;
    CheckResult result;
    if (!command->scope || command->scope[0] != '/')
        return error_set(error, AZ_INVALID,
                         "check needs --scope: the id of the resource group, subscription or "
                         "management group that it is deployed to");
    if (!policy_command_read(command, argv[0], &json, error) ||
        (command->parameters &&
         !policy_command_read(command, command->parameters, &parameters, error)) ||
        !policy_world_init(world, &command->arena, command->db, error) ||
        (command->definitions && !policy_world_add_file(world, command->definitions, error)) ||
        !policy_world_load(world, error) || !expand(&checking, json, parameters, &set, error) ||
        !policy_world_prepare(world, error))
        return false;
    policy_command_unreadable(world);
    tell_unplaced(world, &command->arena, str_from(command->scope));
    policy_check(world, &set, command->at, &result);
    if (result.totals[CHECK_DENIED])
        command->status = AZIMUTH_EXIT_FINDINGS;
    if (strcmp(command->format, "text") != 0) {
        for (uint32_t i = 0; i < set.note_count; i++)
            fprintf(stderr, "azimuth: %.*s\n", STR_ARG(set.notes[i]));
        return cli_print_table(command->format, policy_check_table(&result), error);
    }
    Buffer out = {0};
    policy_check_text(&result, &out);
    bool done = cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    return done;
}
