// Attack paths as text and JSON.
#pragma once

#include "azure/path/path_list.h"
#include "base/buffer.h"
#include "report/json_parts.h"
#include "report/result_text.h"

// Numbered chains, each step with its evidence, technique and the command that breaks it;
// choke points at the end.
void path_report_text(Buffer *out, const PathModel *model, const PathList *list,
                      const TreeStyle *style);

// {"found","paths":[{"id","severity","from","goal","steps":[...]}],"chokePoints":[...]}
void path_report_json(Buffer *out, const PathModel *model, const PathList *list);
// Its members, for a document that has more.
void path_json_members(JsonOut *json, Arena *arena, const PathModel *model, const PathList *list);
