// Attack paths and their graph as tables, for commands and for the database.
#pragma once

#include "azure/path/path_list.h"
#include "db/table_builder.h"

extern const TableColumn ATTACK_PATH_COLUMNS[], PATH_NODE_COLUMNS[], PATH_EDGE_COLUMNS[];
enum { ATTACK_PATH_COLUMN_COUNT = 14, PATH_NODE_COLUMN_COUNT = 7, PATH_EDGE_COLUMN_COUNT = 9 };

// One row a step: Path, Step, Severity, Edge, Source, SourceId, Target, TargetId, Gains,
// Technique, Atlas, Evidence, Break, Certain.
ResultTable *attack_paths_table(Arena *arena, const PathModel *model, const PathList *list);

// The graph: one row a node; one row an edge. Edges that only hold the graph together (sets,
// needs of several things) have an empty Edge.
ResultTable *path_nodes_table(Arena *arena, const PathModel *model);
ResultTable *path_edges_table(Arena *arena, const PathModel *model);
