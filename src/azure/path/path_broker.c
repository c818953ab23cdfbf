// AI as a broker of data: whoever may ask a model may be told what the identity of the
// model's account reads, wherever the account is wired to that data.
//
// The identity is not in the attacker's hands, so these edges end at "brokered": what is
// read that way does not go on to credentials in it. An editor of agents chooses the tools
// itself and goes the same way with CanUseAgentTools.

#include "azure/path/path_internal.h"

#include "azure/rbac/access_internal.h"

typedef struct ReadableList {
    uint32_t *items; // objects
    size_t len, cap;
} ReadableList;

typedef struct BrokerBuild {
    PathModel *model;
    Arena arena;
    Coverage *coverage;
    ReadableList **readable; // by scope object: data below it
    size_t readable_count;
} BrokerBuild;

static bool
holds_data(Str type)
{
    return str_equal(type, STR("microsoft.storage/storageaccounts")) ||
           str_equal(type, STR("microsoft.search/searchservices"));
}

static void
list_readable(BrokerBuild *build)
{
    PathModel *model = build->model;
    build->readable_count = model->objects.len;
    build->readable = ARENA_ARRAY(&build->arena, ReadableList *, build->readable_count);
    for (size_t i = 0; i < model->resources.len; i++) {
        uint32_t object = model->resources.items[i].object;
        if (!holds_data(model->objects.items[object].type))
            continue;
        for (uint32_t at = object; at != UINT32_MAX; at = model->objects.items[at].parent) {
            if (!build->readable[at])
                build->readable[at] = ARENA_NEW(&build->arena, ReadableList);
            ARRAY_PUSH(&build->arena, build->readable[at], object);
        }
    }
}

// Whether the assignment reads the data of the resource itself, without its keys.
static bool
reads(BrokerBuild *build, const Assignment *assignment, uint32_t object)
{
    const RuleList *rules =
        path_rules_of(build->model->tables, build->model->objects.items[object].type);
    for (size_t i = 0; rules && i < rules->len; i++) {
        const OperationRule *rule = rules->items[i];
        for (uint32_t j = 0; rule->gives == CAP_READ && j < rule->option_count; j++) {
            uint32_t operation = rule->options[j].operations[0].operation;
            if (rule->options[j].count == 1 &&
                build->model->tables->operations[operation].is_data &&
                coverage_of(build->coverage, assignment, operation) >= ACCESS_CONDITIONAL)
                return true;
        }
    }
    return false;
}

static void
broker_identity(BrokerBuild *build, uint32_t identity, uint32_t broker)
{
    PathModel *model = build->model;
    const PathObject *object = &model->objects.items[identity];
    uint32_t count;
    AssignmentStep *steps = access_assignments_of(model->access, &build->arena, object->id, &count);
    for (uint32_t i = 0; i < count; i++) {
        const Assignment *assignment = steps[i].assignment;
        const MapEntry *scope = map_find(&model->object_index, assignment->scope);
        if (!scope || scope->number >= build->readable_count || assignment->eligible ||
            !assignment->role || !assignment_in_time(model, assignment))
            continue;
        const ReadableList *list = build->readable[scope->number];
        uint32_t evidence = 0;
        for (size_t j = 0; list && j < list->len; j++) {
            if (!reads(build, assignment, list->items[j]))
                continue;
            if (!evidence)
                evidence = path_add_evidence(
                    model, assignment->id,
                    str_format(model->arena, "%.*s at %.*s",
                               STR_ARG(assignment->role->name.len ? assignment->role->name
                                                                  : assignment->role->id),
                               STR_ARG(path_label(model, (uint32_t)scope->number))));
            path_link(model, broker, path_capability_node(model, list->items[j], CAP_BROKERED),
                      "BrokeredRead", evidence);
        }
    }
}

// The identity of an account or of one of its projects.
static void
broker_resource(BrokerBuild *build, const ResourceFact *fact, uint32_t account)
{
    static const PathCapability WAYS[] = {CAP_INVOKE, CAP_EDIT_AGENT};
    static const char *const KINDS[] = {"IdentityOf", "CanUseAgentTools"};
    PathModel *model = build->model;
    Dyn own = path_property(fact->identity, STR("principalId"));
    if (dyn_kind(own) != DYN_STRING || !dyn_string(own).len)
        return;
    uint32_t identity = path_object_of(model, dyn_string(own), OBJECT_MANAGED_IDENTITY, (Str){0});
    uint32_t broker = path_capability_node(model, identity, CAP_BROKERED);
    for (size_t i = 0; i < COUNT_OF(WAYS); i++) {
        uint32_t here = path_capability_node(model, fact->object, WAYS[i]);
        path_link(model, path_capability_node(model, account, WAYS[i]), here, NULL, 0);
        path_link(model, here, broker, KINDS[i], 0);
    }
    broker_identity(build, identity, broker);
}

// The account that a project is part of.
static uint32_t
account_of(const PathModel *model, uint32_t project)
{
    uint32_t at = model->objects.items[project].parent;
    while (at != UINT32_MAX && model->objects.items[at].kind != OBJECT_RESOURCE)
        at = model->objects.items[at].parent;
    return at;
}

void
path_build_brokers(PathModel *model)
{
    BrokerBuild build = {.model = model};
    build.coverage = coverage_new(model, &build.arena);
    list_readable(&build);
    for (size_t i = 0; i < model->resources.len; i++) {
        const ResourceFact *fact = &model->resources.items[i];
        Str type = model->objects.items[fact->object].type;
        uint32_t account = UINT32_MAX;
        if (str_equal(type, STR("microsoft.cognitiveservices/accounts")))
            account = fact->object;
        else if (str_equal(type, STR("microsoft.cognitiveservices/accounts/projects")))
            account = account_of(model, fact->object);
        if (account != UINT32_MAX)
            broker_resource(&build, fact, account);
    }
    coverage_free(build.coverage);
    arena_free(&build.arena);
}
