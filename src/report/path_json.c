// Paths for machines: JSON.

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
path_json_members(JsonOut *json, Arena *arena, const PathModel *model, const PathList *list)
{
    json_member_long(json, "found", list->found);
    json_key(json, "paths");
    json_open(json, '[');
    for (uint32_t i = 0; i < list->count; i++) {
        json_item(json);
        put_path(json, arena, model, &list->paths[i], i + 1);
    }
    json_close(json, ']');
    json_key(json, "chokePoints");
    json_open(json, '[');
    for (uint32_t i = 0; i < list->choke_count; i++) {
        const ChokePoint *choke = &list->chokes[i];
        json_item(json);
        json_open(json, '{');
        json_member_long(json, "cuts", choke->paths);
        if (choke->tried)
            json_member_long(json, "closes", choke->closed);
        json_key(json, "step");
        put_step(json, arena, model, &choke->step);
        json_close(json, '}');
    }
    json_close(json, ']');
}

void
path_report_json(Buffer *out, const PathModel *model, const PathList *list)
{
    Arena arena = {0};
    JsonOut json = {.out = out};
    json_open(&json, '{');
    path_json_members(&json, &arena, model, list);
    json_close(&json, '}');
    buffer_char(out, '\n');
    json_out_free(&json);
    arena_free(&arena);
}
