#include "azure/path/path_result.h"

#include "base/array.h"

const TableColumn ATTACK_PATH_COLUMNS[] = {
    {"Path", TYPE_LONG},        {"Step", TYPE_LONG},       {"Severity", TYPE_STRING},
    {"Edge", TYPE_STRING},      {"Source", TYPE_STRING},   {"SourceId", TYPE_STRING},
    {"Target", TYPE_STRING},    {"TargetId", TYPE_STRING}, {"Gains", TYPE_STRING},
    {"Technique", TYPE_STRING}, {"Atlas", TYPE_STRING},    {"Evidence", TYPE_STRING},
    {"Break", TYPE_STRING},     {"Certain", TYPE_BOOL},
};
const TableColumn PATH_NODE_COLUMNS[] = {
    {"NodeId", TYPE_LONG}, {"Kind", TYPE_STRING},     {"Capability", TYPE_STRING},
    {"Name", TYPE_STRING}, {"ObjectId", TYPE_STRING}, {"ObjectKind", TYPE_STRING},
    {"Type", TYPE_STRING},
};
const TableColumn PATH_EDGE_COLUMNS[] = {
    {"SourceNodeId", TYPE_LONG}, {"TargetNodeId", TYPE_LONG}, {"Edge", TYPE_STRING},
    {"Severity", TYPE_STRING},   {"Technique", TYPE_STRING},  {"Atlas", TYPE_STRING},
    {"Evidence", TYPE_STRING},   {"EvidenceId", TYPE_STRING}, {"Certain", TYPE_BOOL},
};
_Static_assert(COUNT_OF(ATTACK_PATH_COLUMNS) == ATTACK_PATH_COLUMN_COUNT &&
                   COUNT_OF(PATH_NODE_COLUMNS) == PATH_NODE_COLUMN_COUNT &&
                   COUNT_OF(PATH_EDGE_COLUMNS) == PATH_EDGE_COLUMN_COUNT,
               "the columns as declared");

static Str
object_id(const PathModel *model, uint32_t object)
{
    return path_object(model, object)->id;
}

ResultTable *
attack_paths_table(Arena *arena, const PathModel *model, const PathList *list)
{
    TableBuilder *builder = table_builder_new(ATTACK_PATH_COLUMNS, COUNT_OF(ATTACK_PATH_COLUMNS));
    for (uint32_t i = 0; i < list->count; i++) {
        for (uint32_t j = 0; j < list->paths[i].count; j++) {
            const PathStep *step = &list->paths[i].steps[j];
            Str command = path_step_command(model, arena, step);
            table_put_long(builder, i + 1);
            table_put_long(builder, j + 1);
            table_put_text(builder, str_from(edge_severity_name(step->kind->severity)));
            table_put_text(builder, step->kind->name);
            table_put_text(builder, path_step_source(model, arena, step));
            table_put_text(builder,
                           step->source_count ? object_id(model, step->sources[0]) : (Str){0});
            table_put_text(builder, path_label(model, step->target));
            table_put_text(builder, object_id(model, step->target));
            table_put_text(builder, str_from(path_capability_name(step->capability)));
            table_put_text(builder, step->kind->attack);
            table_put_text(builder, step->kind->atlas);
            table_put_text(builder, step->evidence ? step->evidence->text : (Str){0});
            table_put_text(builder, command.len ? command : step->kind->remedy);
            table_put_bool(builder, !step->doubt);
        }
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

ResultTable *
path_nodes_table(Arena *arena, const PathModel *model)
{
    static const char *const KINDS[] = {
        [NODE_OBJECT] = "object", [NODE_CAPABILITY] = "capability",
        [NODE_STEP] = "step",     [NODE_SET] = "set",
        [NODE_ALL] = "all",
    };
    TableBuilder *builder = table_builder_new(PATH_NODE_COLUMNS, COUNT_OF(PATH_NODE_COLUMNS));
    for (uint32_t i = 1; i < path_node_count(model); i++) {
        const PathNode *node = path_node(model, i);
        const PathObject *object = path_object(model, node->object);
        table_put_long(builder, i);
        table_put_text(builder, str_from(KINDS[node->kind]));
        table_put_text(builder, str_from(path_capability_name((PathCapability)node->capability)));
        table_put_text(builder, path_label(model, node->object));
        table_put_text(builder, object->id);
        table_put_text(builder, str_from(object_kind_name(object->kind)));
        table_put_text(builder, object->type);
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

ResultTable *
path_edges_table(Arena *arena, const PathModel *model)
{
    TableBuilder *builder = table_builder_new(PATH_EDGE_COLUMNS, COUNT_OF(PATH_EDGE_COLUMNS));
    for (uint32_t i = 0; i < path_edge_count(model); i++) {
        const PathEdge *edge = path_edge(model, i);
        const EdgeKind *kind = path_edge_kind(model, edge);
        const PathEvidence *evidence = path_evidence(model, edge->evidence);
        table_put_long(builder, edge->from);
        table_put_long(builder, edge->to);
        table_put_text(builder, kind ? kind->name : STR(""));
        table_put_text(builder, kind ? str_from(edge_severity_name(kind->severity)) : STR(""));
        table_put_text(builder, kind ? kind->attack : STR(""));
        table_put_text(builder, kind ? kind->atlas : STR(""));
        table_put_text(builder, evidence->text);
        table_put_text(builder, evidence->id);
        table_put_bool(builder, !edge->doubt);
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}
