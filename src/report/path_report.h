// Attack paths as text, JSON and tables.
#pragma once

#include "azure/path/path_list.h"
#include "db/table_builder.h"

typedef struct PathStyle {
    bool color;
    uint32_t width; // of the terminal; 0 = unbounded
} PathStyle;

// Numbered chains, each step with its evidence, technique and the command that breaks it;
// choke points at the end.
void path_report_text(Buffer *out, const PathModel *model, const PathList *list,
                      const PathStyle *style);

// {"found","paths":[{"id","severity","from","goal","steps":[...]}],"chokePoints":[...]}
void path_report_json(Buffer *out, const PathModel *model, const PathList *list);

// One row a step: Path, Step, Severity, Edge, Source, SourceId, Target, TargetId, Gains,
// Technique, Atlas, Evidence, Break, Certain.
ResultTable *path_report_table(Arena *arena, const PathModel *model, const PathList *list);

// The graph as tables for the database: one row an object with a node, one row an edge with
// what is hidden folded away is not made: hidden edges come with an empty Kind.
ResultTable *path_nodes_table(Arena *arena, const PathModel *model);
ResultTable *path_edges_table(Arena *arena, const PathModel *model);
