// Paths for machines: JSON, and tables for other formats and for the database.

#include "base/array.h"
#include "report/json_parts.h"
#include "report/path_report.h"

static void
put_object(JsonOut *json, const PathModel *model, uint32_t index)
{
    const PathObject *object = path_object(model, index);
    json_open(json, '{');
    json_member_string(json, "id", object->id);
    json_member_string(json, "name", path_label(model, index));
    json_member_string(json, "kind", str_from(object_kind_name(object->kind)));
    json_member_text(json, "type", object->kind == OBJECT_RESOURCE ? object->type : (Str){0});
    json_close(json, '}');
}

static void
put_flag(JsonOut *json, const char *key, bool flag)
{
    json_key(json, key);
    buffer_text(json->out, flag ? "true" : "false");
}

static void
put_step(JsonOut *json, Arena *arena, const PathModel *model, const PathStep *step)
{
    json_open(json, '{');
    json_member_string(json, "edge", step->kind->name);
    json_member_string(json, "severity", str_from(edge_severity_name(step->kind->severity)));
    json_key(json, "sources");
    json_open(json, '[');
    for (uint32_t i = 0; i < step->source_count; i++) {
        json_item(json);
        put_object(json, model, step->sources[i]);
    }
    json_close(json, ']');
    json_key(json, "target");
    put_object(json, model, step->target);
    json_member_string(json, "gains", str_from(path_capability_name(step->capability)));
    json_member_text(json, "attack", step->kind->attack);
    json_member_text(json, "atlas", step->kind->atlas);
    json_member_text(json, "evidence", step->evidence ? step->evidence->text : (Str){0});
    json_member_text(json, "evidenceId", step->evidence ? step->evidence->id : (Str){0});
    put_flag(json, "certain", !step->doubt);
    json_member_text(json, "remedy", step->kind->remedy);
    json_member_text(json, "command", path_step_command(model, arena, step));
    json_close(json, '}');
}

static void
put_path(JsonOut *json, Arena *arena, const PathModel *model, const AttackPath *path,
         uint32_t number)
{
    const PathNode *goal = path_node(model, path->goal);
    json_open(json, '{');
    json_member_long(json, "id", number);
    json_member_string(json, "severity", str_from(edge_severity_name(path->severity)));
    json_member_string(json, "summary",
                       str_format(arena, "%.*s %.*s", STR_ARG(path_label(model, path->start)),
                                  STR_ARG(path_goal_text(model, arena, path))));
    json_key(json, "from");
    put_object(json, model, path->start);
    json_key(json, "to");
    put_object(json, model, goal->object);
    json_member_string(json, "gains",
                       str_from(path_capability_name((PathCapability)goal->capability)));
    put_flag(json, "certain", !path->doubt);
    json_key(json, "steps");
    json_open(json, '[');
    for (uint32_t i = 0; i < path->count; i++) {
        json_item(json);
        put_step(json, arena, model, &path->steps[i]);
    }
    json_close(json, ']');
    json_close(json, '}');
}

void
path_report_json(Buffer *out, const PathModel *model, const PathList *list)
{
    Arena arena = {0};
    JsonOut json = {.out = out};
    json_open(&json, '{');
    json_member_long(&json, "found", list->found);
    json_key(&json, "paths");
    json_open(&json, '[');
    for (uint32_t i = 0; i < list->count; i++) {
        json_item(&json);
        put_path(&json, &arena, model, &list->paths[i], i + 1);
    }
    json_close(&json, ']');
    json_key(&json, "chokePoints");
    json_open(&json, '[');
    for (uint32_t i = 0; i < list->choke_count; i++) {
        const ChokePoint *choke = &list->chokes[i];
        json_item(&json);
        json_open(&json, '{');
        json_member_long(&json, "cuts", choke->paths);
        if (choke->tried)
            json_member_long(&json, "closes", choke->closed);
        json_key(&json, "step");
        put_step(&json, &arena, model, &choke->step);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    buffer_char(out, '\n');
    json_out_free(&json);
    arena_free(&arena);
}

// ---- tables ----

static Str
object_id(const PathModel *model, uint32_t object)
{
    return path_object(model, object)->id;
}

ResultTable *
path_report_table(Arena *arena, const PathModel *model, const PathList *list)
{
    static const TableColumn COLUMNS[] = {
        {"Path", TYPE_LONG},        {"Step", TYPE_LONG},       {"Severity", TYPE_STRING},
        {"Edge", TYPE_STRING},      {"Source", TYPE_STRING},   {"SourceId", TYPE_STRING},
        {"Target", TYPE_STRING},    {"TargetId", TYPE_STRING}, {"Gains", TYPE_STRING},
        {"Technique", TYPE_STRING}, {"Atlas", TYPE_STRING},    {"Evidence", TYPE_STRING},
        {"Break", TYPE_STRING},     {"Certain", TYPE_BOOL},
    };
    TableBuilder *builder = table_builder_new(COLUMNS, COUNT_OF(COLUMNS));
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
    static const TableColumn COLUMNS[] = {
        {"NodeId", TYPE_LONG}, {"Kind", TYPE_STRING},     {"Capability", TYPE_STRING},
        {"Name", TYPE_STRING}, {"ObjectId", TYPE_STRING}, {"ObjectKind", TYPE_STRING},
        {"Type", TYPE_STRING},
    };
    static const char *const KINDS[] = {
        [NODE_OBJECT] = "object", [NODE_CAPABILITY] = "capability",
        [NODE_STEP] = "step",     [NODE_SET] = "set",
        [NODE_ALL] = "all",
    };
    TableBuilder *builder = table_builder_new(COLUMNS, COUNT_OF(COLUMNS));
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
    static const TableColumn COLUMNS[] = {
        {"SourceNodeId", TYPE_LONG}, {"TargetNodeId", TYPE_LONG}, {"Edge", TYPE_STRING},
        {"Severity", TYPE_STRING},   {"Technique", TYPE_STRING},  {"Atlas", TYPE_STRING},
        {"Evidence", TYPE_STRING},   {"EvidenceId", TYPE_STRING}, {"Certain", TYPE_BOOL},
    };
    TableBuilder *builder = table_builder_new(COLUMNS, COUNT_OF(COLUMNS));
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
