// azimuth access: who can do what, and because of which assignment.

#include "azure/entra/coverage.h"
#include "azure/rbac/access_names.h"
#include "azure/rbac/access_tree.h"
#include "azure/rbac/unused.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_table.h"
#include "report/result.h"
#include "value/json.h"
#include "value/scalar.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_DAYS = 90 };

typedef struct AccessCommand {
    Database *db;
    Arena arena;
    AccessWorld world;
    OperationFacts facts;
    int64_t at;
    const char *format;
    const char *plane;
    const char *each;    // KQL that gives scopes
    int64_t since;       // unused: logs from then on
    const char *sign_in; // JSON: facts of a sign-in
    bool timing;
} AccessCommand;

// Whether the operation is one of the data plane: as the caller said, or by what is known.
static bool
find_plane(const AccessCommand *command, Str operation, bool *is_data, AzError *error)
{
    if (command->plane) {
        *is_data = strcmp(command->plane, "data") == 0;
        return *is_data || strcmp(command->plane, "control") == 0 ||
               error_set(error, AZ_INVALID, "option '--plane' takes control or data, not '%s'",
                         command->plane);
    }
    OperationPlane plane = operation_plane(&command->facts, &command->world.roles, operation);
    *is_data = plane == PLANE_DATA;
    if (plane == PLANE_UNKNOWN)
        fprintf(stderr,
                "azimuth: '%.*s' is in no table of operations: taken as one of the control plane "
                "(--plane data says otherwise)\n",
                STR_ARG(operation));
    return true;
}

static bool
make_question(AccessCommand *command, Str principal, Str operation, Str scope,
              AccessQuestion *question, AzError *error)
{
    *question = (AccessQuestion){.principal = principal, .action = operation, .at = command->at};
    return find_plane(command, operation, &question->is_data, error) &&
           access_resolve_scope(command->db, &command->arena, scope, &question->scope, error);
}

// For every scope that a query gives.
static bool
who_can_each(AccessCommand *command, Str operation, AzError *error)
{
    AccessQuestion question = {.action = operation, .at = command->at};
    Str *scopes, query = str_from(command->each);
    size_t count;
    if (!find_plane(command, operation, &question.is_data, error))
        return false;
    AzError cause = {0};
    if (!access_scopes_of(command->db, &command->arena, query, &scopes, &count, &cause)) {
        cli_error(&cause, query);
        return false;
    }
    return cli_print_table(
        command->format,
        access_who_can_each(&command->world, &command->arena, &question, scopes, count), error);
}

static bool
who_can_command(AccessCommand *command, char **argv, AzError *error)
{
    AccessQuestion question;
    if (command->each)
        return who_can_each(command, str_from(argv[0]), error);
    return make_question(command, (Str){0}, str_from(argv[0]), str_from(argv[1]), &question,
                         error) &&
           cli_print_table(command->format,
                           access_who_can(&command->world, &command->arena, &question), error);
}

static bool
what_can_command(AccessCommand *command, char **argv, AzError *error)
{
    Str principal;
    return access_resolve_principal(command->world.model, &command->arena, str_from(argv[0]),
                                    &principal, error) &&
           cli_print_table(command->format,
                           access_what_can(&command->world, &command->facts, &command->arena,
                                           principal, command->at),
                           error);
}

static bool
explain_command(AccessCommand *command, char **argv, AzError *error)
{
    Str principal;
    AccessQuestion question;
    if (!access_resolve_principal(command->world.model, &command->arena, str_from(argv[0]),
                                  &principal, error) ||
        !make_question(command, principal, str_from(argv[1]), str_from(argv[2]), &question, error))
        return false;
    AccessAnswer answer = access_check(command->world.model, &command->arena, &question);
    Buffer out = {0};
    bool json = strcmp(command->format, "json") == 0;
    if (json)
        access_explain_json(&out, &command->world, &question, &answer);
    else
        access_explain_text(&out, &command->world, &question, &answer,
                            cli_use_color(STDOUT_FILENO));
    bool done = cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    return done;
}

static bool
unused_command(AccessCommand *command, char **argv, AzError *error)
{
    Str principal = {0};
    if (argv[0] && !access_resolve_principal(command->world.model, &command->arena,
                                             str_from(argv[0]), &principal, error))
        return false;
    ResultTable *table =
        access_unused(command->db, &command->world, &command->facts, &command->arena, principal,
                      command->since, command->at, error);
    return table && cli_print_table(command->format, table, error);
}

// The facts given as JSON, as a bag.
static bool
read_facts(AccessCommand *command, Dyn *facts, AzError *error)
{
    *facts = (Dyn){0};
    if (!command->sign_in)
        return true;
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    Text *text = ARENA_NEW(&command->arena, Text);
    const char *why = "it is no object";
    size_t where;
    bool is_null;
    bool done = json_to_dynamic(parser, str_from(command->sign_in), builder, &why, &where) &&
                dyn_finish_text(builder, &command->arena, text, &is_null);
    *facts = done ? dyn_of_text(text) : (Dyn){0};
    done = dyn_kind(*facts) == DYN_BAG;
    if (!done)
        error_set(error, AZ_INVALID,
                  "option '--facts' takes a JSON object such as {\"ip\":\"203.0.113.7\"}: %s",
                  why ? why : "it is none");
    dyn_builder_free(builder);
    json_parser_free(parser);
    return done;
}

static bool
sign_in_command(AccessCommand *command, char **argv, AzError *error)
{
    Directory directory;
    Dyn more, facts;
    if (!read_facts(command, &more, error) ||
        !directory_load(command->db, &command->arena, &directory, error) ||
        !sign_in_facts(command->db, &directory, &command->arena, str_from(argv[0]),
                       str_from(argv[1]), more, &facts, error))
        return false;
    SignInAnswer answer = conditional_access_evaluate(&command->arena, directory.policies, facts);
    Str words =
        str_format(&command->arena, "%.*s\n\n", STR_ARG(sign_in_words(&answer, &command->arena)));
    bool shown = strcmp(command->format, "table") != 0 || cli_write(STDOUT_FILENO, words);
    return shown &&
           cli_print_table(command->format, sign_in_table(&answer, &command->arena), error);
}

static bool
coverage_command(AccessCommand *command, char **argv, AzError *error)
{
    (void)argv;
    Directory directory;
    if (!directory_load(command->db, &command->arena, &directory, error))
        return false;
    ResultTable *table = coverage_table(command->db, &directory, &command->arena, error);
    return table && cli_print_table(command->format, table, error);
}

static const struct {
    const char *verb;
    int least, most; // words after the verb
    bool reads_roles;
    bool (*run)(AccessCommand *command, char **argv, AzError *error);
} VERBS[] = {
    {"who-can", 1, 2, true, who_can_command},  {"what-can", 1, 1, true, what_can_command},
    {"explain", 3, 3, true, explain_command},  {"unused", 0, 1, true, unused_command},
    {"sign-in", 2, 2, false, sign_in_command}, {"coverage", 0, 0, false, coverage_command},
};

// Tables cannot say that a part is missing: it is said beside them.
static void
tell_gaps(AccessCommand *command)
{
    for (uint32_t i = 0; i < command->world.gaps.count; i++) {
        const AccessGap *gap = &command->world.gaps.items[i];
        if (gap->decides)
            fprintf(stderr, "azimuth: %.*s: the answer is not complete\n",
                    STR_ARG(access_gap_text(&command->arena, gap)));
    }
}

static bool
run_verb(AccessCommand *command, size_t verb, char **argv, bool literal, AzError *error)
{
    uint64_t start = clock_monotonic_ns();
    bool done =
        !VERBS[verb].reads_roles ||
        (operation_facts_load(&command->arena, content_dir(db_content(command->db)),
                              &command->facts, error) &&
         access_load(command->db, &command->arena,
                     literal ? STAR_SEGMENT_LITERAL : STAR_SEGMENT_ZERO, &command->world, error));
    uint64_t loaded = clock_monotonic_ns();
    if (done && VERBS[verb].run != explain_command)
        tell_gaps(command);
    done = done && VERBS[verb].run(command, argv, error);
    if (done && command->timing)
        fprintf(stderr, "load_ms=%.3f answer_ms=%.3f\n", (double)(loaded - start) / 1e6,
                (double)(clock_monotonic_ns() - loaded) / 1e6);
    return done;
}

static int
access_command(int argc, char **argv)
{
    const char *store = NULL, *content = NULL, *at = NULL, *since = NULL, *star = "zero";
    AccessCommand command = {.format = "table"};
    const CliOption options[] = {
        {"--store", "DIR", "the store (required)", &store, NULL},
        {"--format", "NAME", "table, json, jsonl, csv, markdown; explain: table, json",
         &command.format, NULL},
        {"--plane", "NAME", "control or data: the plane of the operation", &command.plane, NULL},
        {"--each", "KQL", "who-can: for each id that the query gives, in place of SCOPE",
         &command.each, NULL},
        {"--at", "TIME", "answers for that time (default: now)", &at, NULL},
        {"--since", "TIME", "unused: logs from then on (default: 90 days)", &since, NULL},
        {"--facts", "JSON", "sign-in: what is known of it: ip, devicePlatform, signInRiskLevel ...",
         &command.sign_in, NULL},
        {"--star-segment", "NAME", "zero: /*/ in a role also means / (default); literal", &star,
         NULL},
        {"--timing", NULL, "shows milliseconds of loading and answering on standard error", NULL,
         &command.timing},
        {"--content", "DIR", "the content folder", &content, NULL},
    };
    int status;
    if (!cli_options(&CLI_ACCESS, options, sizeof options / sizeof options[0], &argc, argv,
                     &status))
        return status;
    size_t verb = 0, count = sizeof VERBS / sizeof VERBS[0];
    while (argc > 1 && verb < count && strcmp(argv[1], VERBS[verb].verb) != 0)
        verb++;
    int words = argc - 2;
    bool fits = argc > 1 && verb < count && words >= VERBS[verb].least &&
                words <= VERBS[verb].most && store;
    if (fits && verb == 0)
        fits = words == (command.each ? 1 : 2);
    if (!fits) {
        cli_fail("usage: azimuth %s", CLI_ACCESS.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    bool literal = strcmp(star, "literal") == 0;
    if (!literal && strcmp(star, "zero") != 0) {
        cli_fail("option '--star-segment' takes zero or literal, not '%s'", star);
        return AZIMUTH_EXIT_ERROR;
    }
    command.at = clock_now_ticks();
    if (!cli_parse_time(at, "--at", &command.at))
        return AZIMUTH_EXIT_ERROR;
    command.since = command.at - DEFAULT_DAYS * TICKS_PER_DAY;
    if (!cli_parse_time(since, "--since", &command.since))
        return AZIMUTH_EXIT_ERROR;
    AzError error = {0};
    DatabaseOptions database = {.store = store, .content = content};
    command.db = db_open(&database, &error);
    bool done = command.db && run_verb(&command, verb, argv + 2, literal, &error);
    if (!done && error.code)
        cli_error(&error, STR(""));
    arena_free(&command.arena);
    if (command.db)
        db_close(command.db);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

const CliCommand CLI_ACCESS = {
    .name = "access",
    .usage = "access who-can OPERATION SCOPE|--each KQL | what-can PRINCIPAL | "
             "explain PRINCIPAL OPERATION SCOPE | unused [PRINCIPAL] | "
             "sign-in PRINCIPAL APPLICATION | coverage --store DIR",
    .help = "says who can do what and sign in how, and because of which assignment and policy",
    .run = access_command,
};
