// What Azure Resource Graph would refuse of a query that runs here.
#pragma once

#include "base/buffer.h"
#include "kql/ast.h"

// Appends a line "line:column: what" for each breach of the service's limits; nothing
// when the query would run there.
void kql_graph_limits(const AstQuery *query, Buffer *out);
