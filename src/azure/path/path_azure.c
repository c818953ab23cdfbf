// Edges that hang on operations of Azure.
//
// Each rule of edge-operations.jsonl that fits a resource gives the resource an entry: the
// node that whoever passes the rule arrives at. Above it stands one hidden node a rule and
// scope, linked down the tree, so that an assignment at a subscription is one edge and not
// one to each resource. A grant is a role at a scope; principals lead to it, and it leads
// to the hidden nodes of the rules that the role covers.
//
// Where a deny assignment stands, nothing is handed down: callers are asked one by one.

#include "azure/path/path_azure.h"

// ---- where assignments and denials stand ----

static void
place_scopes(AzureBuild *build)
{
    PathModel *model = build->model;
    for (size_t i = 0; i < model->resources.len; i++)
        path_scope_of(model, azure_object(build, model->resources.items[i].object)->id);
    for (size_t i = 0; i < model->access->assignments.len; i++)
        path_scope_of(model, model->access->assignments.items[i].scope);
    for (size_t i = 0; i < model->access->denials.len; i++)
        azure_object(build, path_scope_of(model, model->access->denials.items[i].scope))
            ->is_guarded = true;
    build->object_count = (uint32_t)model->objects.len;
    build->has_own = ARENA_ARRAY(&build->arena, bool, build->object_count);
    for (size_t i = 0; i < model->access->assignments.len; i++) {
        uint32_t at = path_scope_of(model, model->access->assignments.items[i].scope);
        while (at != UINT32_MAX && azure_object(build, at)->kind != OBJECT_RESOURCE)
            at = azure_object(build, at)->parent;
        for (; at != UINT32_MAX && azure_object(build, at)->kind == OBJECT_RESOURCE;
             at = azure_object(build, at)->parent)
            build->has_own[at] = true;
    }
    // Parents come before children in a chain only by chance: walk up from each.
    for (uint32_t i = 0; model->access->denials.len && i < build->object_count; i++)
        for (uint32_t at = i; at != UINT32_MAX; at = azure_object(build, at)->parent)
            if (azure_object(build, at)->is_guarded) {
                azure_object(build, i)->is_guarded = true;
                break;
            }
}

// ---- rules at scopes ----

static void guard_rule(AzureBuild *build, uint32_t scope, const OperationRule *rule, uint32_t node);

static uint32_t
rule_node(AzureBuild *build, uint32_t scope, const OperationRule *rule)
{
    PathModel *model = build->model;
    PathObject *at = azure_object(build, scope);
    if (!at->rules)
        at->rules = ARENA_ARRAY(model->arena, uint32_t, model->tables->rule_count);
    if (at->rules[rule->index])
        return at->rules[rule->index];
    uint32_t node = path_add_node(model, NODE_STEP, scope, CAP_CONTROL);
    at->rules[rule->index] = node;
    if (at->is_guarded)
        guard_rule(build, scope, rule, node);
    else if (at->parent != UINT32_MAX)
        path_link(model, rule_node(build, at->parent, rule), node, NULL, 0);
    return node;
}

// Whether an all-of node must stand before what the rule gives, and the node to arrive at.
static uint32_t
rule_entry(AzureBuild *build, const ResourceFact *fact, const OperationRule *rule)
{
    PathModel *model = build->model;
    uint32_t target = path_capability_node(model, fact->object, rule->gives);
    bool switched_off = rule->switch_.len && !path_property_holds(fact, rule->switch_);
    if (rule->needs_reach)
        target = path_reached(model, fact, rule->gives);
    if (!switched_off)
        return target;
    uint32_t all = path_add_node(model, NODE_ALL, fact->object, CAP_CONTROL);
    path_link(model, path_capability_node(model, fact->object, CAP_LOCAL_AUTH), all, NULL, 0);
    uint32_t entry = path_add_node(model, NODE_STEP, fact->object, rule->gives);
    path_link(model, entry, all, NULL, 0);
    path_link(model, all, target, NULL, 0);
    return entry;
}

static bool
rule_fits(const ResourceFact *fact, const OperationRule *rule)
{
    for (uint32_t i = 0; i < rule->when.count; i++)
        if (!path_property_holds(fact, rule->when.items[i]))
            return false;
    return true;
}

static void
build_resource(AzureBuild *build, const ResourceFact *fact)
{
    PathModel *model = build->model;
    const RuleList *rules = path_rules_of(model->tables, azure_object(build, fact->object)->type);
    for (size_t i = 0; rules && i < rules->len; i++) {
        const OperationRule *rule = rules->items[i];
        if (!rule_fits(fact, rule))
            continue;
        uint32_t entry = rule_entry(build, fact, rule);
        uint32_t from;
        if (!rule->option_count)
            from = path_capability_node(model, fact->object, rule->from);
        else if (build->has_own[fact->object] || azure_object(build, fact->object)->is_guarded ||
                 azure_object(build, fact->object)->parent == UINT32_MAX)
            from = rule_node(build, fact->object, rule);
        else
            from = rule_node(build, azure_object(build, fact->object)->parent, rule);
        path_link_kind(model, from, entry, rule->kind, 0, false);
    }
}

// ---- callers of several operations, and those under deny assignments ----

typedef struct CallerLink {
    AzureBuild *build;
    uint32_t scope, node;
    const RuleOption *option;
    bool check; // each caller, against deny assignments
} CallerLink;

static void
link_checked(const CallerLink *link, uint32_t principal, uint32_t evidence, bool doubt)
{
    AzureBuild *build = link->build;
    for (uint32_t i = 0; i < link->option->count; i++) {
        RuleOperation asked = link->option->operations[i];
        if (asked.place == PLACE_CONTAINER || asked.place == PLACE_ANYWHERE)
            continue;
        const PathOperation *operation = &build->model->tables->operations[asked.operation];
        AccessQuestion question = {
            .principal = access_principal_id(build->model->access, principal),
            .action = operation->name,
            .is_data = operation->is_data,
            .scope = azure_object(build, link->scope)->id,
            .at = build->model->at,
        };
        Arena scratch = {0};
        AccessVerdict verdict = access_check(build->model->access, &scratch, &question).verdict;
        arena_free(&scratch);
        if (verdict < ACCESS_CONDITIONAL)
            return;
        doubt |= verdict != ACCESS_ALLOWED;
    }
    path_link_kind(build->model, azure_principal_node(build, principal), link->node, NULL, evidence,
                   doubt);
}

static void
caller_found(void *context, uint32_t principal, const Assignment *assignment, bool doubt)
{
    CallerLink *link = context;
    AzureBuild *build = link->build;
    const AccessModel *access = build->model->access;
    uint32_t evidence = 0;
    if (assignment)
        evidence =
            path_add_evidence(build->model, assignment->id,
                              azure_grant_name(build, assignment->role,
                                               path_scope_of(build->model, assignment->scope)));
    if (!link->check) {
        path_link_kind(build->model, azure_principal_node(build, principal), link->node, NULL,
                       evidence, doubt);
        return;
    }
    // A denial may spare some members of a group: each is asked.
    Arena scratch = {0};
    bool *seen = ARENA_ARRAY(&scratch, bool, access->principals.len);
    struct {
        uint32_t *items;
        size_t len, cap;
    } queue = {0};
    ARRAY_PUSH(&scratch, &queue, principal);
    while (queue.len) {
        uint32_t node = queue.items[--queue.len];
        if (seen[node])
            continue;
        seen[node] = true;
        if (access->kinds.items[node] != PRINCIPAL_GROUP)
            link_checked(link, node, evidence, doubt);
        for (uint32_t i = access->members_of.offsets[node];
             i < access->members_of.offsets[node + 1]; i++)
            ARRAY_PUSH(&scratch, &queue, access->members_of.targets[i]);
    }
    arena_free(&scratch);
}

static void
guard_rule(AzureBuild *build, uint32_t scope, const OperationRule *rule, uint32_t node)
{
    for (uint32_t i = 0; i < rule->option_count; i++) {
        CallerLink link = {build, scope, node, &rule->options[i], true};
        callers_of(build->callers, &rule->options[i], scope, caller_found, &link);
    }
}

// Whether some assignment at the scope itself gives an operation of the option: else what
// holds above is handed down.
static bool
concerns(AzureBuild *build, const RuleOption *option, uint32_t scope)
{
    const AccessModel *access = build->model->access;
    const ScopeRun *run = map_get(&access->runs, azure_object(build, scope)->id);
    for (uint32_t i = run ? run->from : 0; run && i < run->to; i++)
        for (uint32_t j = 0; j < option->count; j++)
            if (option->operations[j].place < PLACE_CONTAINER &&
                coverage_of(build->coverage, &access->assignments.items[i],
                            option->operations[j].operation) >= ACCESS_CONDITIONAL)
                return true;
    return false;
}

static void
build_callers(AzureBuild *build)
{
    PathModel *model = build->model;
    for (uint32_t s = 0; s < build->object_count; s++) {
        if (!azure_object(build, s)->rules || azure_object(build, s)->is_guarded ||
            !map_find(&model->access->runs, azure_object(build, s)->id))
            continue;
        for (uint32_t r = 0; r < model->tables->rule_count; r++) {
            const OperationRule *rule = &model->tables->rules[r];
            for (uint32_t i = 0; azure_object(build, s)->rules[r] && i < rule->option_count; i++) {
                const RuleOption *option = &rule->options[i];
                CallerLink link = {build, s, azure_object(build, s)->rules[r], option, false};
                if (option->count > 1 && concerns(build, option, s))
                    callers_of(build->callers, option, s, caller_found, &link);
            }
        }
    }
}

// Whoever may assign any role at a scope passes every rule there.
static void
link_any_role(AzureBuild *build)
{
    PathModel *model = build->model;
    for (uint32_t i = 0; i < model->objects.len; i++) {
        const PathObject *at = azure_object(build, i);
        if (!at->capabilities || !at->capabilities[CAP_ANY_ROLE] || !at->rules)
            continue;
        for (uint32_t r = 0; r < model->tables->rule_count; r++)
            if (at->rules[r])
                path_link(model, at->capabilities[CAP_ANY_ROLE], at->rules[r], NULL, 0);
    }
}

static uint32_t
operation_index(const PathTables *tables, Str name)
{
    for (uint32_t i = 0; i < tables->operation_count; i++)
        if (str_equal_ci(tables->operations[i].name, name))
            return i;
    return UINT32_MAX;
}

void
path_build_azure(PathModel *model)
{
    AzureBuild build = {.model = model};
    build.assign_roles =
        operation_index(model->tables, STR("Microsoft.Authorization/roleAssignments/write"));
    build.coverage = coverage_new(model, &build.arena);
    place_scopes(&build);
    build.callers = callers_new(model, build.coverage, &build.arena);
    for (size_t i = 0; i < model->resources.len; i++)
        build_resource(&build, &model->resources.items[i]);
    azure_build_grants(&build);
    build_callers(&build);
    link_any_role(&build);
    callers_free(build.callers);
    coverage_free(build.coverage);
    arena_free(&build.arena);
}
