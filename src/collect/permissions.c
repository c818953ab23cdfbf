#include "collect/permissions.h"

#include "base/array.h"
#include "base/glob.h"
#include "collect/request.h"
#include "collect/url.h"
#include "value/base64.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 16, PAGES_MOST = 1000, BODY_BYTES = 16 << 20 };
static const char SUBSCRIPTIONS_VERSION[] = "2022-12-01", PERMISSIONS_VERSION[] = "2022-04-01";

// ---- what is needed ----

// Whether what `broad` allows contains what `action`, a pattern too, allows.
static bool
action_covers(Str broad, Str action)
{
    return glob_match(broad, action, GLOB_IGNORE_CASE);
}

static Need *
find_need(NeedSet *set, Str name, Service service)
{
    for (size_t i = 0; i < set->len; i++)
        if (str_equal(set->items[i].name, name) && set->items[i].service == service)
            return &set->items[i];
    return NULL;
}

static bool
read_role(Arena *arena, JsonParser *parser, DynBuilder *builder, Str line, NeedSet *set)
{
    const char *why;
    size_t offset;
    Dyn role;
    dyn_builder_reset(builder);
    if (!json_to_dynamic(parser, line, builder, &why, &offset) || !dyn_finish(builder, &role, &why))
        return false;
    Need *need = find_need(set, dyn_string(dyn_get(role, STR("roleName"))), SERVICE_ARM);
    if (!need)
        return true;
    Dyn permissions = dyn_get(role, STR("permissions"));
    need->role_id = str_copy(arena, dyn_string(dyn_get(role, STR("id"))));
    for (uint32_t i = 0; i < dyn_count(permissions); i++) {
        Dyn actions = dyn_get(dyn_at(permissions, i), STR("actions"));
        need->actions = ARENA_ARRAY(arena, Str, dyn_count(actions) + 1);
        for (uint32_t k = 0; k < dyn_count(actions); k++)
            if (str_ends(dyn_string(dyn_at(actions, k)), STR("/read")))
                need->actions[need->action_count++] =
                    str_copy(arena, dyn_string(dyn_at(actions, k)));
        if (need->action_count)
            break;
    }
    return true;
}

static bool
read_roles(Arena *arena, const char *content_dir, NeedSet *set, AzError *error)
{
    char *path = str_cstr(arena, str_format(arena, "%s/azure/builtin-roles.jsonl", content_dir));
    FILE *file = fopen(path, "re");
    if (!file)
        return error_errno(error, "cannot read '%s'", path);
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    char *line = NULL;
    size_t room = 0, number = 0;
    bool done = true;
    for (ssize_t len; done && (len = getline(&line, &room, file)) > 0;) {
        number++;
        done = read_role(arena, parser, builder, str_trim((Str){line, (size_t)len}), set) ||
               error_set(error, AZ_CORRUPT, "'%s', line %zu: no role", path, number);
    }
    for (size_t i = 0; done && i < set->len; i++)
        if (set->items[i].service == SERVICE_ARM && !set->items[i].action_count)
            done = error_set(error, AZ_INVALID,
                             "the source '%.*s' needs '%.*s', which is no role of '%s' that reads",
                             STR_ARG(set->items[i].first->name), STR_ARG(set->items[i].name), path);
    free(line);
    dyn_builder_free(builder);
    json_parser_free(parser);
    fclose(file);
    return done;
}

static bool
role_contains(const Need *broad, const Need *need)
{
    for (size_t i = 0; i < need->action_count; i++) {
        bool found = false;
        for (size_t k = 0; k < broad->action_count && !found; k++)
            found = action_covers(broad->actions[k], need->actions[i]);
        if (!found)
            return false;
    }
    return true;
}

// Permissions of Microsoft Graph that contain others ("Permissions reference", and the tables of
// least and higher privileged permissions of each list).
static bool
permission_contains(Str broad, Str need)
{
    static const Str pairs[][2] = {
        {STR_INIT("Directory.Read.All"), STR_INIT("User.Read.All")},
        {STR_INIT("Directory.Read.All"), STR_INIT("Group.Read.All")},
        {STR_INIT("Directory.Read.All"), STR_INIT("GroupMember.Read.All")},
        {STR_INIT("Directory.Read.All"), STR_INIT("Application.Read.All")},
        {STR_INIT("Directory.Read.All"), STR_INIT("RoleManagement.Read.Directory")},
        {STR_INIT("Group.Read.All"), STR_INIT("GroupMember.Read.All")},
        {STR_INIT("RoleManagement.Read.All"), STR_INIT("RoleManagement.Read.Directory")},
        {STR_INIT("PrivilegedAccess.Read.AzureADGroup"),
         STR_INIT("PrivilegedEligibilitySchedule.Read.AzureADGroup")},
        {STR_INIT("PrivilegedAccess.Read.AzureADGroup"),
         STR_INIT("PrivilegedAssignmentSchedule.Read.AzureADGroup")},
    };
    if (str_equal_ci(broad, need))
        return true;
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (str_equal_ci(broad, pairs[i][0]) && str_equal_ci(need, pairs[i][1]))
            return true;
    // "User.ReadWrite.All" reads as well.
    ptrdiff_t at = str_find(broad, STR(".ReadWrite."));
    if (at < 0)
        return false;
    char read[200];
    int len = snprintf(read, sizeof(read), "%.*s.Read.%.*s", (int)at, broad.ptr,
                       (int)(broad.len - (size_t)at - 11), broad.ptr + at + 11);
    return len > 0 && len < (int)sizeof(read) &&
           permission_contains((Str){read, (size_t)len}, need);
}

static bool
need_contains(const Need *broad, const Need *need)
{
    if (broad->service != need->service)
        return false;
    return need->service == SERVICE_ARM ? role_contains(broad, need)
                                        : permission_contains(broad->name, need->name);
}

bool
permissions_needed(Arena *arena, const SourceSet *sources, const char *content_dir, NeedSet *out,
                   AzError *error)
{
    *out = (NeedSet){.items = ARENA_ARRAY(arena, Need, sources->len)};
    for (size_t i = 0; i < sources->len; i++) {
        const Source *source = &sources->items[i];
        if (source->need.len && !find_need(out, source->need, source->service))
            out->items[out->len++] =
                (Need){.name = source->need, .service = source->service, .first = source};
    }
    if (!read_roles(arena, content_dir, out, error))
        return false;
    for (size_t i = 0; i < out->len; i++)
        for (size_t k = 0; k < out->len && !out->items[i].covered; k++) {
            // Of two that contain each other the first is the one to grant.
            const Need *need = &out->items[i], *other = &out->items[k];
            out->items[i].covered =
                i != k && need_contains(other, need) && (k < i || !need_contains(need, other));
        }
    return true;
}

bool
permissions_lack(const NeedSet *needs)
{
    for (size_t i = 0; i < needs->len; i++)
        if (!needs->items[i].covered && needs->items[i].known && !needs->items[i].granted)
            return true;
    return false;
}

// ---- what is granted: Azure ----

typedef struct Check {
    const CollectOptions *options;
    Arena *arena;
    NeedSet *needs;
    JsonParser *parser;
    DynBuilder *builder;
    Str *subscriptions;
    size_t count, cap;
} Check;

static bool
parse(Check *check, Str body, Dyn *root)
{
    const char *why;
    size_t offset;
    dyn_builder_reset(check->builder);
    return json_to_dynamic(check->parser, body, check->builder, &why, &offset) &&
           dyn_finish(check->builder, root, &why);
}

static Str
problem_of(Check *check, const HttpAnswer *answer)
{
    if (answer->outcome != HTTP_ANSWERED)
        return str_copy(check->arena, answer->problem);
    ServiceError said = service_error(check->arena, check->parser, check->builder, answer->body);
    return str_format(check->arena, "the service answered %d%s%.*s", answer->status,
                      said.code.len ? " " : "", STR_ARG(said.code));
}

// Gets the page; NULL with the problem in *why. The token goes only where it belongs.
static HttpAnswer *
get(Check *check, Str url, Str *why, AzError *error)
{
    Wire wire;
    const CollectOptions *options = check->options;
    if (!url_same_origin(url, options->cloud->endpoint[SERVICE_ARM])) {
        *why = STR("the next page is said to be on another host: not followed");
        return NULL;
    }
    if (!wire_get(options->auth, check->arena, SERVICE_ARM, url, &wire, error)) {
        *why = str_copy(check->arena, str_from(error->message));
        return NULL;
    }
    wire.request.most_bytes = BODY_BYTES;
    HttpAnswer *answer = http_fetch(options->http, &wire.request);
    if (answer->outcome == HTTP_ANSWERED && answer->status == 200)
        return answer;
    *why = problem_of(check, answer);
    http_answer_free(answer);
    return NULL;
}

static bool
list_subscriptions(Check *check, AzError *error)
{
    Str url =
        str_format(check->arena, "%.*s/subscriptions?api-version=%s",
                   STR_ARG(check->options->cloud->endpoint[SERVICE_ARM]), SUBSCRIPTIONS_VERSION);
    for (int page = 0; url.len && page < PAGES_MOST; page++) {
        HttpAnswer *answer = get(check, url, &check->needs->arm_problem, error);
        Dyn root;
        if (!answer)
            return false;
        bool read = parse(check, answer->body, &root);
        Dyn rows = read ? dyn_get(root, STR("value")) : (Dyn){0};
        url = read ? str_copy(check->arena, dyn_string(dyn_get(root, STR("nextLink")))) : STR("");
        for (uint32_t i = 0; i < dyn_count(rows); i++) {
            Str id = dyn_string(dyn_get(dyn_at(rows, i), STR("subscriptionId")));
            struct {
                Str *items;
                size_t len, cap;
            } list = {check->subscriptions, check->count, check->cap};
            ARRAY_PUSH(check->arena, &list, str_copy(check->arena, id));
            check->subscriptions = list.items;
            check->count = list.len;
            check->cap = list.cap;
        }
        http_answer_free(answer);
        if (!read) {
            check->needs->arm_problem = STR("the list of subscriptions is no list");
            return false;
        }
    }
    return true;
}

static bool
matches_one(Dyn patterns, Str action)
{
    for (uint32_t i = 0; i < dyn_count(patterns); i++)
        if (action_covers(dyn_string(dyn_at(patterns, i)), action))
            return true;
    return false;
}

// Whether one of the permissions allows the action.
static bool
is_allowed(Dyn permissions, Str action)
{
    for (uint32_t i = 0; i < dyn_count(permissions); i++) {
        Dyn permission = dyn_at(permissions, i);
        if (matches_one(dyn_get(permission, STR("actions")), action) &&
            !matches_one(dyn_get(permission, STR("notActions")), action))
            return true;
    }
    return false;
}

static void
take_permissions(Check *check, Str subscription, const HttpAnswer *answer)
{
    Dyn root;
    bool read = answer->outcome == HTTP_ANSWERED && answer->status == 200 &&
                parse(check, answer->body, &root);
    if (!read && !(answer->outcome == HTTP_ANSWERED && answer->status == 403)) {
        if (!check->needs->arm_problem.len)
            check->needs->arm_problem =
                str_format(check->arena, "subscription %.*s: %.*s", STR_ARG(subscription),
                           STR_ARG(problem_of(check, answer)));
        return;
    }
    Dyn permissions = read ? dyn_get(root, STR("value")) : (Dyn){0};
    for (size_t i = 0; i < check->needs->len; i++) {
        Need *need = &check->needs->items[i];
        bool all = need->service == SERVICE_ARM;
        for (size_t k = 0; all && k < need->action_count; k++)
            all = is_allowed(permissions, need->actions[k]);
        if (need->service == SERVICE_ARM && !all)
            need->lacking[need->lacking_count++] = subscription;
    }
}

static bool
send_one(Check *check, Str *subscription, AzError *error)
{
    Wire wire;
    const CollectOptions *options = check->options;
    Str url = str_format(
        check->arena,
        "%.*s/subscriptions/%.*s/providers/Microsoft.Authorization/permissions?api-version=%s",
        STR_ARG(options->cloud->endpoint[SERVICE_ARM]), STR_ARG(*subscription),
        PERMISSIONS_VERSION);
    if (!wire_get(options->auth, check->arena, SERVICE_ARM, url, &wire, error))
        return false;
    wire.request.most_bytes = BODY_BYTES;
    http_send(options->http, &wire.request, subscription);
    return true;
}

static void
check_azure(Check *check, AzError *error)
{
    NeedSet *needs = check->needs;
    if (!list_subscriptions(check, error))
        return;
    needs->subscriptions = check->count;
    for (size_t i = 0; i < needs->len; i++)
        needs->items[i].lacking = ARENA_ARRAY(check->arena, Str, check->count + 1);
    for (size_t sent = 0, got = 0; got < check->count;) {
        while (sent < check->count && sent - got < AT_ONCE) {
            if (!send_one(check, &check->subscriptions[sent], error)) {
                needs->arm_problem = str_copy(check->arena, str_from(error->message));
                return;
            }
            sent++;
        }
        HttpAnswer *answer = http_next(check->options->http, 1000);
        if (!answer)
            continue;
        take_permissions(check, *(Str *)answer->tag, answer);
        http_answer_free(answer);
        got++;
    }
    for (size_t i = 0; i < needs->len; i++) {
        Need *need = &needs->items[i];
        if (need->service != SERVICE_ARM)
            continue;
        need->granted = !need->lacking_count && check->count;
        need->known = !needs->arm_problem.len || need->lacking_count;
    }
    if (!check->count)
        needs->arm_problem = STR("whoever is signed in sees no subscription");
}

// ---- what is granted: Microsoft Graph ----

static void
grant(NeedSet *needs, Str permission)
{
    for (size_t i = 0; i < needs->len; i++)
        if (needs->items[i].service == SERVICE_GRAPH &&
            permission_contains(permission, needs->items[i].name))
            needs->items[i].granted = true;
}

// The claims of a JSON Web Token (RFC 7519): its second part.
static bool
read_claims(Check *check, Str token)
{
    ptrdiff_t first = str_find(token, STR("."));
    Buffer claims = {0};
    Dyn root = {0};
    Str rest = first < 0 ? STR("") : str_slice(token, (size_t)first + 1, token.len);
    base64_read_prefix(&claims, rest);
    bool read = claims.len && parse(check, buffer_slice(&claims), &root);
    Dyn roles = read ? dyn_get(root, STR("roles")) : (Dyn){0};
    Str scopes = read ? dyn_string(dyn_get(root, STR("scp"))) : STR("");
    bool said = read && (dyn_kind(roles) == DYN_ARRAY || scopes.len ||
                         dyn_kind(dyn_get(root, STR("aud"))) == DYN_STRING);
    for (uint32_t i = 0; i < dyn_count(roles); i++)
        grant(check->needs, dyn_string(dyn_at(roles, i)));
    for (Str word; str_next_word(&scopes, &word);)
        grant(check->needs, word);
    // What a token holds of somebody is not left in memory.
    if (claims.data)
        explicit_bzero(claims.data, claims.cap);
    buffer_free(&claims);
    return said;
}

static void
check_graph(Check *check, AzError *error)
{
    Str token;
    uint32_t generation;
    NeedSet *needs = check->needs;
    if (!auth_token(check->options->auth, SERVICE_GRAPH, &token, &generation, error)) {
        needs->graph_problem = str_copy(check->arena, str_from(error->message));
        return;
    }
    bool said = read_claims(check, token);
    if (!said)
        needs->graph_problem = STR("the token does not say what it may");
    for (size_t i = 0; i < needs->len; i++)
        if (needs->items[i].service == SERVICE_GRAPH)
            needs->items[i].known = said;
}

bool
permissions_check(const CollectOptions *options, Arena *arena, NeedSet *needs, AzError *error)
{
    Check check = {.options = options, .arena = arena, .needs = needs};
    AzError arm = {0}, graph = {0};
    bool wants[SERVICE_COUNT] = {false};
    for (size_t i = 0; i < needs->len; i++)
        wants[needs->items[i].service] = true;
    check.parser = json_parser_new();
    check.builder = dyn_builder_new();
    if (wants[SERVICE_ARM])
        check_azure(&check, &arm);
    if (wants[SERVICE_GRAPH])
        check_graph(&check, &graph);
    json_parser_free(check.parser);
    dyn_builder_free(check.builder);
    bool none = (arm.code || !wants[SERVICE_ARM]) && (graph.code || !wants[SERVICE_GRAPH]);
    if (none && (arm.code || graph.code))
        return error_set(error, arm.code ? arm.code : graph.code, "%s",
                         arm.code ? arm.message : graph.message);
    return true;
}
