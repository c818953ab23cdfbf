// Cases of effective access, conditions and Conditional Access against the engines.
//
//     identity_cases [--star-segment=zero|literal] FILE...
//
// One JSON object a line: {id, kind, ..., expected}. kind is rbac (tenant, question ->
// allowed, by), condition (condition, context -> value), conditionalAccess (policies,
// signIn -> result, controls) or path (identity_cases_path.c). Cases marked `disputed` are run and counted apart. Prints
// each failure and a closing line "N passed, N failed"; exit status 1 when one failed.

#include "identity_cases.h"

#include "azure/entra/conditional_access.h"
#include "base/clock.h"
#include "value/json.h"
#include "value/scalar.h"

#include <stdio.h>
#include <stdlib.h>

Dyn
member(Dyn node, const char *name)
{
    return dyn_get_ci(node, str_from(name));
}

Str
text(Dyn node, const char *name)
{
    Dyn found = member(node, name);
    return dyn_kind(found) == DYN_STRING ? dyn_string(found) : (Str){0};
}

bool
flag(Dyn node, const char *name)
{
    Dyn found = member(node, name);
    return dyn_kind(found) == DYN_BOOL && dyn_bool(found);
}

static int64_t
ticks(Dyn node, const char *name)
{
    int64_t value = 0;
    Str written = text(node, name);
    return written.len && datetime_parse(written, &value) ? value : 0;
}

AccessModel *
load_tenant(Run *run, Arena *arena, RoleSet *roles, ScopeTree *scopes, Dyn tenant)
{
    scope_tree_init(scopes, arena);
    Dyn list = member(tenant, "managementGroups");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        scope_add_management_group(scopes, text(dyn_at(list, i), "id"),
                                   text(dyn_at(list, i), "parent"));
    list = member(tenant, "subscriptions");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        scope_add_subscription(scopes, text(dyn_at(list, i), "id"),
                               text(dyn_at(list, i), "managementGroup"));
    list = member(tenant, "roleDefinitions");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        role_set_add(roles, dyn_at(list, i), false);

    AccessModel *model = access_new(arena, roles, scopes, run->star);
    list = member(tenant, "principals");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        access_add_principal(model, text(dyn_at(list, i), "id"), text(dyn_at(list, i), "type"),
                             (Str){0});
    static const char *const ALSO[] = {"users", "servicePrincipals"};
    for (size_t k = 0; k < 2; k++) {
        list = member(tenant, ALSO[k]);
        for (uint32_t i = 0; i < dyn_count(list); i++)
            access_add_principal(model, text(dyn_at(list, i), "id"), STR("User"), (Str){0});
    }
    list = member(tenant, "groups");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn group = dyn_at(list, i), members = member(group, "members");
        access_add_principal(model, text(group, "id"), STR("Group"), (Str){0});
        for (uint32_t j = 0; j < dyn_count(members); j++)
            access_add_member(model, text(group, "id"), dyn_string(dyn_at(members, j)));
    }
    list = member(tenant, "roleAssignments");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn item = dyn_at(list, i);
        AssignmentRecord record = {
            .id = text(item, "id"),
            .principal = text(item, "principalId"),
            .role_definition_id = text(item, "roleDefinitionId"),
            .scope = text(item, "scope"),
            .condition = text(item, "condition"),
            .start = ticks(item, "startDateTime"),
            .end = ticks(item, "endDateTime"),
            .eligible = str_equal_ci(text(item, "state"), STR("eligible")),
        };
        access_add_assignment(model, &record);
    }
    list = member(tenant, "denyAssignments");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        access_add_deny(model, text(dyn_at(list, i), "id"), dyn_at(list, i));
    access_finish(model);
    return model;
}

static ConditionContext
read_context(Dyn question)
{
    ConditionContext context = {.sub_operation = text(question, "subOperation")};
    context.attributes[ATTRIBUTE_REQUEST] = member(question, "request");
    context.attributes[ATTRIBUTE_RESOURCE] = member(question, "resource");
    context.attributes[ATTRIBUTE_PRINCIPAL] = member(question, "principalAttributes");
    context.attributes[ATTRIBUTE_ENVIRONMENT] = member(question, "environment");
    for (int i = 0; i < ATTRIBUTE_SOURCES; i++)
        context.complete[i] = true;
    return context;
}

static bool
list_holds(Dyn list, Str wanted)
{
    for (uint32_t i = 0; i < dyn_count(list); i++)
        if (str_equal_ci(dyn_string(dyn_at(list, i)), wanted))
            return true;
    return false;
}

// Whether who_can agrees about the principal of the question.
typedef struct Holders {
    uint32_t principal;
    AccessVerdict verdict;
} Holders;

static void
note_holder(void *context, const AccessHolder *holder)
{
    Holders *holders = context;
    if (holder->principal == holders->principal)
        holders->verdict = holder->verdict;
}

static bool
run_rbac(Run *run, Arena *arena, Dyn item, Str *why)
{
    RoleSet roles;
    role_set_init(&roles, arena);
    role_set_share(&roles, &run->built_in);
    ScopeTree scopes;
    AccessModel *model = load_tenant(run, arena, &roles, &scopes, member(item, "tenant"));
    Dyn asked = member(item, "question"), expected = member(item, "expected");
    AccessQuestion question = {
        .principal = text(asked, "principalId"),
        .action = text(asked, "action"),
        .is_data = flag(asked, "isDataAction"),
        .scope = text(asked, "scope"),
        .at = ticks(asked, "at"),
        .context = read_context(asked),
    };
    if (!question.at)
        question.at = clock_now_ticks();
    AccessAnswer answer = access_check(model, arena, &question);
    bool allowed = answer.verdict >= ACCESS_UNCERTAIN;
    if (allowed != flag(expected, "allowed")) {
        *why = str_format(arena, "the verdict is '%s'", access_verdict_name(answer.verdict));
        return false;
    }
    Dyn by = member(expected, "by");
    uint32_t granting = 0;
    for (uint32_t i = 0; allowed && i < answer.step_count; i++) {
        if (outcome_grants(answer.steps[i].outcome) && ++granting &&
            !list_holds(by, answer.steps[i].assignment->id)) {
            *why =
                str_format(arena, "granted by '%.*s' too", STR_ARG(answer.steps[i].assignment->id));
            return false;
        }
    }
    if (allowed && granting != dyn_count(by)) {
        *why = str_format(arena, "granted by %u assignments, not %u", granting, dyn_count(by));
        return false;
    }
    Holders holders = {access_find_principal(model, question.principal), ACCESS_NONE};
    WhoCan *who = who_can_new(model, arena);
    who_can(who, &question, note_holder, &holders);
    who_can_free(who);
    bool listed = holders.verdict >= ACCESS_UNCERTAIN;
    if (listed != allowed)
        *why = STR("who_can says otherwise");
    return listed == allowed;
}

static bool
run_condition(Run *run, Arena *arena, Dyn item, Str *why)
{
    AzError error = {0};
    Condition *condition = condition_parse(arena, text(item, "condition"), NULL, &error);
    if (!condition) {
        *why = str_copy(arena, str_from(error.message));
        return false;
    }
    ConditionContext context = read_context(member(item, "context"));
    context.action = text(member(item, "context"), "action");
    context.star = run->star;
    Tristate value = condition_evaluate(arena, condition, &context, NULL);
    *why = value == TRI_UNKNOWN ? STR("unknown") : value == TRI_TRUE ? STR("true") : STR("false");
    return value == (flag(member(item, "expected"), "value") ? TRI_TRUE : TRI_FALSE);
}

static bool
run_conditional_access(Run *run, Arena *arena, Dyn item, Str *why)
{
    (void)run;
    SignInAnswer answer =
        conditional_access_evaluate(arena, member(item, "policies"), member(item, "signIn"));
    Dyn expected = member(item, "expected"), controls = member(expected, "controls");
    *why = str_format(arena, "%s with %u controls", sign_in_result_name(answer.result),
                      answer.control_count);
    if (!str_equal_ci(text(expected, "result"), str_from(sign_in_result_name(answer.result))) ||
        answer.control_count != dyn_count(controls))
        return false;
    for (uint32_t i = 0; i < answer.control_count; i++)
        if (!list_holds(controls, answer.controls[i]))
            return false;
    return true;
}

static void
run_case(Run *run, Dyn item)
{
    static const struct {
        const char *kind;
        bool (*run)(Run *run, Arena *arena, Dyn item, Str *why);
    } KINDS[] = {
        {"rbac", run_rbac},
        {"condition", run_condition},
        {"conditionalAccess", run_conditional_access},
        {"path", run_path},
    };
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (!str_equal(text(item, "kind"), str_from(KINDS[i].kind)))
            continue;
        Arena arena = {0};
        Str why = {0};
        bool passed = KINDS[i].run(run, &arena, item, &why);
        bool disputed = dyn_kind(member(item, "disputed")) == DYN_STRING;
        if (!passed)
            printf("%s %.*s: %.*s\n", disputed ? "disputed" : "FAIL", STR_ARG(text(item, "id")),
                   STR_ARG(why));
        if (disputed)
            run->disputed++;
        else if (passed)
            run->passed++;
        else
            run->failed++;
        arena_free(&arena);
        return;
    }
    run->skipped++;
}

static bool
run_file(Run *run, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "identity_cases: cannot open '%s'\n", path);
        return false;
    }
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    bool good = true;
    for (uint32_t number = 1; (len = getline(&line, &room, file)) >= 0; number++) {
        Str json = str_trim((Str){line, (size_t)len});
        const char *why = NULL;
        size_t offset;
        Dyn item;
        dyn_builder_reset(builder);
        if (!json.len)
            continue;
        if (json_to_dynamic(parser, json, builder, &why, &offset) &&
            dyn_finish(builder, &item, &why)) {
            run_case(run, item);
        } else {
            fprintf(stderr, "identity_cases: '%s', line %u: %s\n", path, number, why);
            good = false;
        }
    }
    free(line);
    fclose(file);
    dyn_builder_free(builder);
    json_parser_free(parser);
    return good;
}

int
main(int argc, char **argv)
{
    Run run = {0};
    const char *content = getenv("AZIMUTH_CONTENT");
    AzError error = {0};
    role_set_init(&run.built_in, &run.arena);
    if (!role_set_add_built_in(&run.built_in, content ? content : "content", &error)) {
        fprintf(stderr, "identity_cases: %s\n", error.message);
        return 2;
    }
    if (!path_tables_load(&run.arena, content ? content : "content", &run.paths, &error)) {
        fprintf(stderr, "identity_cases: %s\n", error.message);
        return 2;
    }
    bool good = argc > 1;
    for (int i = 1; i < argc; i++) {
        if (str_starts(str_from(argv[i]), STR("--star-segment=")))
            run.star = str_ends(str_from(argv[i]), STR("=literal")) ? STAR_SEGMENT_LITERAL
                                                                    : STAR_SEGMENT_ZERO;
        else
            good &= run_file(&run, argv[i]);
    }
    if (run.skipped)
        printf("%u of kinds that are not run here\n", run.skipped);
    if (run.disputed)
        printf("%u disputed\n", run.disputed);
    if (run.shorter)
        printf("%u paths are shorter than the one given\n", run.shorter);
    if (run.exact)
        printf("%u paths are the very ones given, edge by edge\n", run.exact);
    printf("%u passed, %u failed\n", run.passed, run.failed);
    arena_free(&run.arena);
    return !good || run.failed;
}
