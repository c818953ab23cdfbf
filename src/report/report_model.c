// The tree of scopes, approvals and the previous scores, each from one KQL query.
//
// The tree comes from three sources, the first that names a scope wins: the groups' own
// rows, the subscriptions, and the ancestors that subscriptions name (a reader without
// rights on the groups sees only those). Parents are put before their children; what
// stands in a circle, which only damaged data can hold, becomes a root.

#include "report/report_model.h"

#include "base/array.h"
#include "db/rows.h"
#include "report/report_words.h"

typedef struct Node {
    Str id, name, parent;
    bool is_group;
} Node;

typedef struct NodeArray {
    Node *items;
    size_t len, cap;
} NodeArray;

static const ResultTable *
run_query(Database *db, Arena *arena, Str query)
{
    if (!db)
        return NULL;
    QueryOptions options = {0};
    QueryResult *result = db_query(db, arena, query, &options, NULL);
    return result && result->count ? result->tables[result->primary] : NULL;
}

static void
add_node(NodeArray *nodes, Map *seen, Arena *arena, Node node)
{
    if (!node.id.len || map_find(seen, node.id))
        return;
    if (!node.name.len)
        node.name = node.id;
    map_add(seen, node.id, NULL)->number = nodes->len;
    ARRAY_PUSH(arena, nodes, node);
}

static void
read_nodes(Database *db, NodeArray *nodes, Map *seen, Arena *arena)
{
    static const struct {
        bool is_group;
        Str query; // id, name, parent
    } SOURCES[] = {
        {true, STR_INIT("resourcecontainers"
                        "| where type =~ 'microsoft.management/managementgroups'"
                        "| project name, tostring(properties.displayName),"
                        " tostring(properties.details.parent.name)")},
        {false, STR_INIT("resourcecontainers"
                         "| where type =~ 'microsoft.resources/subscriptions'"
                         "| project iff(isempty(subscriptionId), tostring(split(id, '/')[2]),"
                         " subscriptionId), name,"
                         " tostring(properties.managementGroupAncestorsChain[0].name)")},
        {true, STR_INIT("resourcecontainers"
                        "| where type =~ 'microsoft.resources/subscriptions'"
                        "| extend chain = properties.managementGroupAncestorsChain"
                        "| mv-expand with_itemindex = at ancestor = chain"
                        "| project id = tostring(ancestor.name),"
                        " name = tostring(ancestor.displayName),"
                        " parent = tostring(chain[at + 1].name)"
                        "| summarize name = max(name), parent = max(parent) by id"
                        "| project id, name, parent")},
    };
    for (size_t i = 0; i < COUNT_OF(SOURCES); i++) {
        const ResultTable *table = run_query(db, arena, SOURCES[i].query);
        if (!table)
            continue;
        RowReader reader = {.table = table};
        while (rows_next(&reader))
            add_node(nodes, seen, arena,
                     (Node){.id = rows_text(&reader, 0, arena),
                            .name = rows_text(&reader, 1, arena),
                            .parent = rows_text(&reader, 2, arena),
                            .is_group = SOURCES[i].is_group});
    }
}

// Appends the node at `from` and all below it, parents first. `child` and `sibling`
// are the tree as lists (index + 1); `placed` is each node's place + 1.
static void
place_tree(ReportModel *model, const NodeArray *nodes, const uint32_t *child,
           const uint32_t *sibling, uint32_t *placed, uint32_t from, uint32_t *queue)
{
    size_t head = 0, tail = 0;
    ReportScope *scope = &model->scopes[model->scope_count];
    *scope = (ReportScope){nodes->items[from].id, nodes->items[from].name,
                           nodes->items[from].is_group, -1};
    placed[from] = (uint32_t)++model->scope_count;
    queue[tail++] = from;
    while (head < tail) {
        uint32_t parent = queue[head++];
        for (uint32_t next = child[parent]; next; next = sibling[next - 1]) {
            const Node *node = &nodes->items[next - 1];
            if (placed[next - 1]) // the root of a circle
                continue;
            model->scopes[model->scope_count] =
                (ReportScope){node->id, node->name, node->is_group, (int32_t)placed[parent] - 1};
            placed[next - 1] = (uint32_t)++model->scope_count;
            queue[tail++] = next - 1;
        }
    }
}

static void
order_nodes(ReportModel *model, const NodeArray *nodes, const Map *seen, Arena *arena)
{
    size_t count = nodes->len;
    uint32_t *child = ARENA_ARRAY(arena, uint32_t, count);
    uint32_t *sibling = ARENA_ARRAY(arena, uint32_t, count);
    uint32_t *placed = ARENA_ARRAY(arena, uint32_t, count);
    uint32_t *queue = ARENA_ARRAY(arena, uint32_t, count);
    bool *is_root = ARENA_ARRAY(arena, bool, count);
    for (size_t i = count; i-- > 0;) { // backwards, so that lists keep the order of the rows
        const MapEntry *parent = map_find(seen, nodes->items[i].parent);
        is_root[i] = !parent || parent->number == i;
        if (is_root[i])
            continue;
        sibling[i] = child[parent->number];
        child[parent->number] = (uint32_t)i + 1;
    }
    model->scopes = ARENA_ARRAY(arena, ReportScope, count);
    for (uint32_t i = 0; i < count; i++)
        if (is_root[i])
            place_tree(model, nodes, child, sibling, placed, i, queue);
    for (uint32_t i = 0; i < count; i++) // circles
        if (!placed[i])
            place_tree(model, nodes, child, sibling, placed, i, queue);
    for (size_t i = 0; i < count; i++)
        map_add(&model->scope_index, model->scopes[i].id, NULL)->number = i;
}

static void
read_scopes(Database *db, const Assessment *assessment, ReportModel *model, Arena *arena)
{
    NodeArray nodes = {0};
    Map seen;
    map_init(&seen, arena, true);
    read_nodes(db, &nodes, &seen, arena);
    for (size_t i = 0; i < assessment->asset_count; i++)
        add_node(&nodes, &seen, arena, (Node){.id = assessment->assets[i].subscription});
    order_nodes(model, &nodes, &seen, arena);
}

static void
read_approved(Database *db, ReportModel *model, Arena *arena)
{
    const ResultTable *table = run_query(
        db, arena,
        STR("SubscriptionPlacement() | where isnotnull(approved) | project subscriptionId,"
            " approved"));
    if (!table)
        return;
    RowReader reader = {.table = table};
    while (rows_next(&reader)) {
        Str subscription = rows_text(&reader, 0, arena);
        bool yes = str_equal_ci(rows_text(&reader, 1, arena), STR("true"));
        map_add(&model->approved, subscription, NULL)->number = yes ? 'y' : 'n';
    }
}

static void
read_tenant_name(Database *db, ReportModel *model, Arena *arena)
{
    const ResultTable *table =
        run_query(db, arena, STR("organization | project displayName | take 1"));
    if (!table)
        return;
    RowReader reader = {.table = table};
    if (rows_next(&reader))
        model->tenant_name = rows_text(&reader, 0, arena);
}

typedef struct Share {
    double good, total;
} Share;

static double
share_score(Share share)
{
    return share.total > 0 ? 100 * share.good / share.total : -1;
}

// Scores of the newest run over an earlier snapshot, by the rule of area_scores, over the
// controls of today's run. When that run left out an area that is judged today, the
// whole is not comparable.
static void
read_previous(Database *db, const Assessment *assessment, ReportModel *model, Arena *arena)
{
    Str query = str_format(
        arena,
        "let run = toscalar(FindingsHistory | where SnapshotId < %lld"
        " | top 1 by SnapshotId desc, AssessedOn desc | project RunId);"
        "FindingsHistory | where RunId == run"
        " | summarize countif(Status == 'pass'), countif(Status == 'fail'), max(SnapshotId)"
        " by ControlId",
        (long long)assessment->snapshot);
    const ResultTable *table = assessment->snapshot ? run_query(db, arena, query) : NULL;
    if (!table)
        return;
    Map controls;
    map_init(&controls, arena, false);
    for (size_t i = 0; i < assessment->controls->len; i++)
        map_add(&controls, assessment->controls->items[i].id, NULL)->number = i;
    Share all = {0};
    Share *areas = ARENA_ARRAY(arena, Share, assessment->area_count);
    RowReader reader = {.table = table};
    while (rows_next(&reader)) {
        const MapEntry *entry = map_find(&controls, rows_text(&reader, 0, arena));
        double pass = (double)rows_long(&reader, 1), fail = (double)rows_long(&reader, 2);
        model->previous_snapshot = rows_long(&reader, 3);
        if (!entry || pass + fail <= 0)
            continue;
        const Control *control = &assessment->controls->items[entry->number];
        double weight = severity_weight(control->severity);
        double good = weight * pass / (pass + fail);
        all = (Share){all.good + good, all.total + weight};
        for (size_t a = 0; a < assessment->area_count; a++)
            if (str_equal(assessment->areas[a].area, control->area))
                areas[a] = (Share){areas[a].good + good, areas[a].total + weight};
    }
    model->previous_score = share_score(all);
    for (size_t a = 0; a < assessment->area_count; a++) {
        model->previous_areas[a] = share_score(areas[a]);
        if (model->previous_areas[a] < 0 && assessment->areas[a].score >= 0)
            model->previous_score = -1;
    }
    SnapshotInfo *snapshots;
    size_t count;
    if (db_store(db) && store_snapshots(db_store(db), arena, &snapshots, &count, NULL))
        for (size_t i = 0; i < count; i++)
            if (snapshots[i].id == model->previous_snapshot)
                model->previous_created = snapshots[i].created;
}

ReportModel *
report_model_read(Database *db, const Assessment *assessment, Arena *arena)
{
    ReportModel *model = ARENA_NEW(arena, ReportModel);
    map_init(&model->scope_index, arena, true);
    map_init(&model->approved, arena, true);
    model->tenant_name = STR("");
    model->previous_score = -1;
    model->previous_areas = ARENA_ARRAY(arena, double, assessment->area_count);
    for (size_t a = 0; a < assessment->area_count; a++)
        model->previous_areas[a] = -1;
    read_scopes(db, assessment, model, arena);
    read_approved(db, model, arena);
    read_tenant_name(db, model, arena);
    read_previous(db, assessment, model, arena);
    return model;
}
