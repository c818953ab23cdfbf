// azimuth policy: what Azure Policy says of a tenant, of a resource, and what it would say.

#include "cli/cmd_policy.h"
#include "azure/policy/gaps.h"
#include "azure/policy/policy_test.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_table.h"
#include "report/result.h"
#include "value/scalar.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROWS_IN_PART = 1 << 15 };

void
policy_command_unreadable(const PolicyWorld *world)
{
    if (world->unreadable)
        fprintf(stderr, "azimuth: %u objects are left out; the first: %.*s\n", world->unreadable,
                STR_ARG(world->unreadable_reason));
}

// Formats of lines come in parts, so that a million rows need no memory of their own; the
// others must see all rows.
static bool
print_states(const PolicyCommand *command, const PolicyWorld *world, const PolicyResults *results,
             ComplianceState state, AzError *error)
{
    bool csv = strcmp(command->format, "csv") == 0;
    bool lines = csv || strcmp(command->format, "jsonl") == 0;
    bool done = true;
    for (size_t from = 0, part = 0; done && (!part || from < results->count); part++) {
        Arena arena = {0};
        Buffer out = {0};
        ResultTable *table = policy_states_table(world, results, state, command->at, &arena, &from,
                                                 lines ? ROWS_IN_PART : SIZE_MAX);
        if (lines) {
            ResultStyle style = {0};
            result_write(&out, table, csv ? RESULT_CSV : RESULT_JSONL, &style);
            Str text = buffer_slice(&out);
            if (csv && part) // the header comes once
                text = str_slice(text, (size_t)str_find(text, STR("\n")) + 1, text.len);
            done = cli_write(STDOUT_FILENO, text);
        } else {
            done = cli_print_table(command->format, table, error);
        }
        buffer_free(&out);
        arena_free(&arena);
    }
    return done;
}

static bool
find_state(const PolicyCommand *command, ComplianceState *state, AzError *error)
{
    *state = command->state ? compliance_state_of(str_from(command->state)) : STATE_LIMIT;
    return !command->state || *state != STATE_LIMIT ||
           error_set(error, AZ_INVALID,
                     "there is no state '%s'; there are NonCompliant, Compliant, Error, "
                     "Conflicting, Protected, Exempt, Unknown",
                     command->state);
}

// Seconds of the processor, of all threads.
static double
cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
tell_stats(const PolicyWorld *world, const PolicyResults *results, double loaded, double evaluated)
{
    fprintf(stderr,
            "azimuth: %zu resources, %u policies, %llu evaluations, %zu states; processor time: "
            "%.2f s loading, %.2f s evaluating",
            world->resource_count, world->unit_count, (unsigned long long)results->evaluations,
            results->count, loaded, evaluated);
    if (results->evaluations)
        fprintf(stderr, " (%.2f s a million)", evaluated / (double)results->evaluations * 1e6);
    fputc('\n', stderr);
}

static bool
eval_command(PolicyCommand *command, char **argv, AzError *error)
{
    (void)argv;
    PolicyWorld world;
    PolicyResults results;
    ComplianceState state;
    if (!find_state(command, &state, error) ||
        !policy_world_init(&world, &command->arena, command->db, error) ||
        (command->definitions && !policy_world_add_file(&world, command->definitions, error)) ||
        !policy_world_load(&world, error) || !policy_world_prepare(&world, error))
        return false;
    policy_command_unreadable(&world);
    double loaded = cpu_seconds();
    policy_world_evaluate(&world, command->at, !command->summary, &results);
    if (command->stats)
        tell_stats(&world, &results, loaded, cpu_seconds() - loaded);
    return command->summary
               ? cli_print_table(command->format, policy_summary_table(&world, &results), error)
               : print_states(command, &world, &results, state, error);
}

static bool
whatif_command(PolicyCommand *command, char **argv, AzError *error)
{
    PolicyWorld world;
    PolicyResults results;
    Dyn definition;
    if (!command->scope)
        return error_set(error, AZ_INVALID,
                         "whatif needs --scope: the id of a management group, subscription, "
                         "resource group or resource");
    if (!policy_command_read(command, argv[0], &definition, error) ||
        !policy_world_init(&world, &command->arena, command->db, error) ||
        (command->definitions && !policy_world_add_file(&world, command->definitions, error)) ||
        !policy_world_assign(&world, definition, str_from(command->scope), error))
        return false;
    if (command->parameters) {
        Dyn given;
        if (!policy_command_read(command, command->parameters, &given, error))
            return false;
        world.assignments[0].parameters = policy_value_of(given);
    }
    if (!policy_world_prepare(&world, error))
        return false;
    policy_world_evaluate(&world, command->at, true, &results);
    return cli_print_table(command->format, policy_whatif_table(&world, &results, command->at),
                           error);
}

static bool
gaps_command(PolicyCommand *command, char **argv, AzError *error)
{
    (void)argv;
    PolicyWorld world;
    GapCounts counts;
    if (!policy_world_init(&world, &command->arena, command->db, error) ||
        (command->definitions && !policy_world_add_file(&world, command->definitions, error)) ||
        !policy_world_load(&world, error) || !policy_world_prepare(&world, error))
        return false;
    policy_command_unreadable(&world);
    ResultTable *table = policy_gaps(&world, command->at, command->all, &counts, error);
    if (!table || !cli_print_table(command->format, table, error))
        return false;
    fprintf(stderr, "azimuth: %u AI resources: %u guardrails guarded, %u missing, %u unknown\n",
            counts.resources, counts.guarded, counts.gaps, counts.unknown);
    return true;
}

static bool
test_command(PolicyCommand *command, char **argv, AzError *error)
{
    AliasTable aliases;
    Dyn definition, parameters = {0}, *resources;
    uint32_t count = 0;
    PolicyTest test;
    while (argv[1 + count])
        count++;
    resources = ARENA_ARRAY(&command->arena, Dyn, count);
    alias_table_init(&aliases, &command->arena);
    if (!alias_table_load(&aliases, content_dir(db_content(command->db)), error) ||
        !policy_command_read(command, argv[0], &definition, error) ||
        (command->parameters &&
         !policy_command_read(command, command->parameters, &parameters, error)))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!policy_command_read(command, argv[1 + i], &resources[i], error))
            return false;
    if (!policy_test(&command->arena, &aliases, definition, parameters, resources, count,
                     command->at, &test, error))
        return false;
    if (test.failing)
        command->status = AZIMUTH_EXIT_FINDINGS;
    return cli_print_table(command->format, test.table, error);
}

static const struct {
    const char *verb;
    int least, most; // words after the verb
    bool store;      // --store is needed
    bool (*run)(PolicyCommand *command, char **argv, AzError *error);
} VERBS[] = {
    {"eval", 0, 0, true, eval_command},     {"test", 2, 1 << 20, false, test_command},
    {"whatif", 1, 1, true, whatif_command}, {"check", 1, 1, true, policy_check_command},
    {"gaps", 0, 0, true, gaps_command},
};

static int
policy_command(int argc, char **argv)
{
    const char *store = NULL, *content = NULL, *at = NULL;
    PolicyCommand command = {0};
    const CliOption options[] = {
        {"--store", "DIR", "the store (not for test)", &store, NULL},
        {"--format", "NAME", "table, json, jsonl, csv, markdown; check: text", &command.format,
         NULL},
        {"--state", "NAME", "eval: rows of that state only", &command.state, NULL},
        {"--summary", NULL, "eval: states and percentages by assignment and definition", NULL,
         &command.summary},
        {"--stats", NULL, "eval: how much was evaluated, and how long it took, on stderr", NULL,
         &command.stats},
        {"--scope", "ID", "whatif, check: where it would be assigned, or deployed", &command.scope,
         NULL},
        {"--parameters", "FILE", "test, whatif, check: values of parameters, as JSON",
         &command.parameters, NULL},
        {"--definitions", "FILE", "definitions that the store has not: JSON or JSON lines",
         &command.definitions, NULL},
        {"--all", NULL, "gaps: also what is guarded", NULL, &command.all},
        {"--at", "TIME", "answers for that time (default: now)", &at, NULL},
        {"--content", "DIR", "the content folder", &content, NULL},
    };
    int status;
    if (!cli_options(&CLI_POLICY, options, sizeof options / sizeof options[0], &argc, argv,
                     &status))
        return status;
    size_t verb = 0, count = sizeof VERBS / sizeof VERBS[0];
    while (argc > 1 && verb < count && strcmp(argv[1], VERBS[verb].verb) != 0)
        verb++;
    int words = argc - 2;
    if (argc < 2 || verb == count || words < VERBS[verb].least || words > VERBS[verb].most ||
        (VERBS[verb].store && !store)) {
        cli_fail("usage: azimuth %s", CLI_POLICY.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    if (!command.format)
        command.format = strcmp(argv[1], "check") == 0 ? "text" : "table";
    command.at = clock_now_ticks();
    if (!cli_parse_time(at, "--at", &command.at))
        return AZIMUTH_EXIT_ERROR;
    AzError error = {0};
    DatabaseOptions database = {.store = store, .content = content};
    command.db = db_open(&database, &error);
    argv[argc] = NULL;
    bool done = command.db && VERBS[verb].run(&command, argv + 2, &error);
    if (!done && error.code)
        cli_error(&error, STR(""));
    arena_free(&command.arena);
    if (command.db)
        db_close(command.db);
    return done ? command.status : AZIMUTH_EXIT_ERROR;
}

const CliCommand CLI_POLICY = {
    .name = "policy",
    .usage = "policy eval --store DIR | test DEFINITION.json RESOURCE.json... | "
             "whatif DEFINITION.json --scope ID --store DIR | check TEMPLATE.json --scope ID "
             "--store DIR | gaps --store DIR",
    .help = "evaluates Azure Policy: states with their reasons, and what would happen",
    .run = policy_command,
};
