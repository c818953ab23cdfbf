#include "azure/rbac/access_gaps.h"

#include "base/array.h"
#include "db/rows.h"

static const struct {
    Str dataset, what;
    bool decides;
    bool optional; // said only when the collection says so: an import has it in another table
} NEEDED[] = {
    {STR_INIT("authorizationresources"), STR_INIT("role assignments"), true, false},
    {STR_INIT("resourcecontainers"), STR_INIT("management groups and subscriptions"), true, false},
    {STR_INIT("groupMembers"), STR_INIT("members of groups"), true, false},
    {STR_INIT("deny-assignments"), STR_INIT("deny assignments"), false, true},
    {STR_INIT("roleEligibilityScheduleInstances"), STR_INIT("eligible assignments"), false, false},
    {STR_INIT("managedservicesresources"), STR_INIT("delegations to other tenants"), false, false},
};

typedef struct GapList {
    AccessGap *items;
    size_t len, cap;
} GapList;

typedef struct Status {
    bool said[COUNT_OF(NEEDED)];
    bool any;
} Status;

// The spelling that older documentation has for the table.
static Str
known_name(Str dataset)
{
    return str_equal_ci(dataset, STR("managedserviceresources")) ? STR("managedservicesresources")
                                                                 : dataset;
}

static void
take_row(Arena *arena, const RowReader *row, Status *status, GapList *gaps)
{
    Str dataset = known_name(rows_view(row, 0));
    status->any = true;
    for (size_t i = 0; i < COUNT_OF(NEEDED); i++) {
        if (!str_equal_ci(dataset, NEEDED[i].dataset))
            continue;
        status->said[i] = true;
        if (!str_equal_ci(rows_view(row, 2), STR("not collected")))
            continue;
        Str scope = rows_text(row, 1, arena);
        AccessGap gap = {
            .dataset = NEEDED[i].dataset,
            .what = NEEDED[i].what,
            .where = str_equal_ci(scope, STR("tenant")) ? (Str){0} : scope,
            .reason = rows_text(row, 3, arena),
            .decides = NEEDED[i].decides,
        };
        ARRAY_PUSH(arena, gaps, gap);
    }
}

bool
access_gaps_read(Database *db, Arena *arena, AccessGaps *out, AzError *error)
{
    *out = (AccessGaps){0};
    Arena rows = {0};
    QueryOptions options = {0};
    QueryResult *result =
        db_query(db, &rows, STR("CollectionStatus | project Dataset, Scope, Status, Reason"),
                 &options, error);
    Status status = {0};
    GapList gaps = {0};
    RowReader reader = {.table = result ? result->tables[0] : NULL};
    while (result && rows_next(&reader))
        take_row(arena, &reader, &status, &gaps);
    arena_free(&rows);
    for (size_t i = 0; status.any && i < COUNT_OF(NEEDED); i++) {
        AccessGap gap = {
            .dataset = NEEDED[i].dataset, .what = NEEDED[i].what, .decides = NEEDED[i].decides};
        if (!status.said[i] && !NEEDED[i].optional)
            ARRAY_PUSH(arena, &gaps, gap);
    }
    *out = (AccessGaps){gaps.items, (uint32_t)gaps.len};
    return result != NULL;
}

bool
access_gaps_decide(const AccessGaps *gaps)
{
    for (uint32_t i = 0; i < gaps->count; i++)
        if (gaps->items[i].decides)
            return true;
    return false;
}

Str
access_gap_text(Arena *arena, const AccessGap *gap)
{
    return str_format(arena, "%.*s (%.*s) are not in the snapshot%s%.*s%s%.*s", STR_ARG(gap->what),
                      STR_ARG(gap->dataset), gap->where.len ? " for " : "", STR_ARG(gap->where),
                      gap->reason.len ? ": " : "", STR_ARG(gap->reason));
}
