#include "report/report_paths.h"

#include "azure/path/path_load.h"
#include "azure/rbac/access_table.h"
#include "base/array.h"
#include "base/buffer.h"
#include "db/rows.h"

#include <stdlib.h>

// A search takes about 12 ms in a tenant of 100,000 resources, and each start is searched
// once for its paths and once for each choke point.
enum { STARTS_MOST = 100, COUNTED_MOST = 2000 };

// ---- what is missing ----

static Str
missing_data(const Assessment *assessment, Arena *arena)
{
    static const char *const NEEDED[] = {
        "resources",
        "resourcecontainers",
        "authorizationresources",
        "users",
        "groups",
        "groupMembers",
        "servicePrincipals",
        "applications",
        "directoryRoleAssignments",
        "appRoleAssignments",
        "federatedIdentityCredentials",
    };
    Buffer text = {0};
    for (size_t i = 0; i < COUNT_OF(NEEDED); i++) {
        bool held = false;
        for (size_t c = 0; c < assessment->coverage_count; c++) {
            const Coverage *row = &assessment->coverage[c];
            if (str_equal_ci(row->dataset, str_from(NEEDED[i])))
                held |= !str_equal_ci(row->status, STR("not collected"));
        }
        if (!held)
            buffer_printf(&text, "%s%s", text.len ? ", " : "", NEEDED[i]);
    }
    Str missing = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return missing;
}

// ---- who may ask, read, administer ----

typedef struct VerbSpec {
    const char *verb, *operation;
    bool is_data;
} VerbSpec;

// The first verb of a type orders its resources.
static const struct {
    const char *type;
    VerbSpec verbs[ACCESS_VERBS];
} ACCESS_TYPES[] = {
    {"microsoft.cognitiveservices/accounts",
     {{"may ask its models",
       "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action", true},
      {"may read its keys", "Microsoft.CognitiveServices/accounts/listKeys/action", false},
      {"may administer it", "Microsoft.CognitiveServices/accounts/write", false}}},
    {"microsoft.machinelearningservices/workspaces",
     {{"may ask its endpoints",
       "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action", false},
      {"may read its keys",
       "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/listKeys/action", false},
      {"may administer it", "Microsoft.MachineLearningServices/workspaces/write", false}}},
    {"microsoft.search/searchservices",
     {{"may read its indexes", "Microsoft.Search/searchServices/indexes/documents/read", true},
      {"may read its keys", "Microsoft.Search/searchServices/listAdminKeys/action", false},
      {"may administer it", "Microsoft.Search/searchServices/write", false}}},
};

static AccessQuestion
question_of(const VerbSpec *spec, Str scope, int64_t at)
{
    return (AccessQuestion){
        .action = str_from(spec->operation), .is_data = spec->is_data, .scope = scope, .at = at};
}

static int
group_order(const void *a, const void *b)
{
    const AccessGroup *x = a, *y = b;
    uint32_t of_x = x->count + x->conditional + x->eligible;
    uint32_t of_y = y->count + y->conditional + y->eligible;
    if (of_x != of_y)
        return of_x > of_y ? -1 : 1;
    int order = str_compare_ci(x->role, y->role);
    if (!order)
        order = str_compare_ci(x->via, y->via);
    return order ? order : str_compare_ci(x->scope, y->scope);
}

static void
read_verb(const AccessWorld *world, Arena *arena, const VerbSpec *spec, Str scope, int64_t at,
          AccessVerb *out)
{
    AccessQuestion question = question_of(spec, scope, at);
    Arena rows = {0};
    const ResultTable *table = access_who_can(world, &rows, &question);
    ptrdiff_t name = rows_column(table, "Principal"), verdict = rows_column(table, "Verdict"),
              role = rows_column(table, "Role"), place = rows_column(table, "Scope"),
              via = rows_column(table, "Via");
    struct {
        AccessGroup *items;
        size_t len, cap;
    } groups = {0};
    Map known;
    map_init(&known, &rows, true);
    *out = (AccessVerb){.verb = str_from(spec->verb), .operation = str_from(spec->operation)};
    RowReader reader = {.table = table};
    while (rows_next(&reader)) {
        AccessGroup group = {.role = rows_text(&reader, role, arena),
                             .scope = rows_text(&reader, place, arena),
                             .via = rows_text(&reader, via, arena)};
        bool is_new;
        MapEntry *entry = map_add(&known,
                                  str_format(&rows, "%.*s\n%.*s\n%.*s", STR_ARG(group.role),
                                             STR_ARG(group.scope), STR_ARG(group.via)),
                                  &is_new);
        if (is_new) {
            entry->number = groups.len;
            group.first = rows_text(&reader, name, arena);
            ARRAY_PUSH(arena, &groups, group);
        }
        AccessGroup *into = &groups.items[entry->number];
        Str word = rows_text(&reader, verdict, &rows);
        bool eligible = str_equal_ci(word, str_from(access_verdict_name(ACCESS_ELIGIBLE)));
        bool allowed = str_equal_ci(word, str_from(access_verdict_name(ACCESS_ALLOWED)));
        into->count += allowed;
        into->eligible += eligible;
        into->conditional += !allowed && !eligible;
        out->count += allowed;
        out->eligible += eligible;
        out->conditional += !allowed && !eligible;
    }
    if (groups.len)
        qsort(groups.items, groups.len, sizeof *groups.items, group_order);
    out->groups = groups.items;
    out->group_count = (uint32_t)groups.len;
    arena_free(&rows);
}

typedef struct Exposed {
    const Asset *asset;
    size_t type;
    bool is_open; // to the Internet, as far as the data says
    int64_t callers;
} Exposed;

static int
exposed_order(const void *a, const void *b)
{
    const Exposed *x = a, *y = b;
    int64_t of_x = x->callers * (x->is_open ? 2 : 1), of_y = y->callers * (y->is_open ? 2 : 1);
    if (of_x != of_y)
        return of_x > of_y ? -1 : 1;
    if (x->is_open != y->is_open)
        return x->is_open ? -1 : 1;
    return str_compare_ci(x->asset->id, y->asset->id);
}

static bool
is_open(const Asset *asset)
{
    return !str_equal_ci(asset->public_network, STR("Disabled")) &&
           !str_equal_ci(asset->network_default, STR("Deny"));
}

// How many may use the resource now: ask it, or read the keys that ask it.
static int64_t
callers_of(const AccessWorld *world, const Exposed *exposed, int64_t at)
{
    int64_t most = 0;
    for (int v = 0; v < 2; v++) {
        AccessQuestion question =
            question_of(&ACCESS_TYPES[exposed->type].verbs[v], exposed->asset->id, at);
        Arena rows = {0};
        RowReader reader = {
            .table = access_who_can_each(world, &rows, &question, &exposed->asset->id, 1)};
        int64_t count = 0;
        if (rows_next(&reader))
            count = rows_long(&reader, rows_column(reader.table, "Allowed"));
        most = count > most ? count : most;
        arena_free(&rows);
    }
    return most;
}

// By how many may use them; what the Internet reaches counts twice.
static void
read_access(const AccessWorld *world, const Assessment *assessment, int64_t at, Arena *arena,
            ReportPaths *out)
{
    Arena scratch = {0};
    Exposed *all = ARENA_ARRAY(&scratch, Exposed, assessment->asset_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < assessment->asset_count; i++)
        for (size_t t = 0; t < COUNT_OF(ACCESS_TYPES); t++)
            if (str_equal_ci(assessment->assets[i].type, str_from(ACCESS_TYPES[t].type)))
                all[count++] = (Exposed){.asset = &assessment->assets[i],
                                         .type = t,
                                         .is_open = is_open(&assessment->assets[i])};
    if (count)
        qsort(all, count, sizeof *all, exposed_order); // open ones are counted first
    out->access_left = count > COUNTED_MOST ? (uint32_t)(count - COUNTED_MOST) : 0;
    count -= out->access_left;
    for (size_t i = 0; i < count; i++)
        all[i].callers = callers_of(world, &all[i], at);
    if (count)
        qsort(all, count, sizeof *all, exposed_order);
    for (size_t i = 0; i < count && i < REPORT_ACCESS; i++) {
        AccessTree *tree = &out->access[out->access_count++];
        tree->asset = all[i].asset;
        for (size_t v = 0; v < ACCESS_VERBS; v++)
            read_verb(world, arena, &ACCESS_TYPES[all[i].type].verbs[v], tree->asset->id, at,
                      &tree->verbs[v]);
    }
    arena_free(&scratch);
}

void
report_paths_read(Database *db, const Assessment *assessment, int64_t at, Arena *arena,
                  ReportPaths *out)
{
    *out = (ReportPaths){.missing = missing_data(assessment, arena)};
    PathWorld *world = ARENA_ARRAY(arena, PathWorld, 1);
    PathRequest request = {.limit = REPORT_PATHS, .starts_most = STARTS_MOST};
    AzError error = {0};
    if (!path_load(db, arena, at, world, &error) ||
        !path_list(world->model, arena, &request, &out->list, &error)) {
        out->error = str_copy(arena, str_from(error.message));
        error_clear(&error);
        return;
    }
    out->model = world->model;
    read_access(&world->access, assessment, at, arena, out);
}

// ---- words ----

Str
report_choke_text(Arena *arena, const PathModel *model, const ChokePoint *choke)
{
    const PathStep *step = &choke->step;
    Str source = path_step_source(model, arena, step);
    bool is_role = step->evidence && step->evidence->id.len && step->evidence->text.len;
    if (is_role)
        return str_format(arena, "%.*s, %.*s", STR_ARG(source), STR_ARG(step->evidence->text));
    return str_format(arena, "%.*s, %.*s of %.*s", STR_ARG(source), STR_ARG(step->kind->name),
                      STR_ARG(path_label(model, step->target)));
}

Str
report_paths_summary(Arena *arena, const ReportPaths *paths)
{
    if (!paths->model)
        return str_format(arena, "Attack paths were not worked out: %.*s", STR_ARG(paths->error));
    const PathList *list = &paths->list;
    Str silent = paths->missing.len ? str_format(arena, " (without %.*s, which the snapshot lacks)",
                                                 STR_ARG(paths->missing))
                                    : STR("");
    if (!list->found)
        return str_format(arena, "No attack path from outside%.*s.", STR_ARG(silent));
    Str head =
        str_format(arena, "%s%u attack path%s from outside%.*s", list->is_full ? "At least " : "",
                   list->found, list->found == 1 ? "" : "s", STR_ARG(silent));
    if (!list->choke_count)
        return str_format(arena, "%.*s.", STR_ARG(head));
    return str_format(arena, "%.*s, cut %u of them by removing: %.*s.", STR_ARG(head),
                      list->chokes[0].paths,
                      STR_ARG(report_choke_text(arena, paths->model, &list->chokes[0])));
}
