// TableFunctionDef: what the language knows of a table that is computed rather than stored:
// EffectiveAccess, or WhoCan("operation", "scope"). One without required parameters may be
// named like a table. How the rows come about belongs to the room that added it.
#pragma once

#include "value/type.h"

typedef struct TableColumn {
    const char *name;
    Type type;
} TableColumn;

typedef struct TableFunctionParam {
    const char *name;
    Type type;
    bool optional; // a null of its type when left out
} TableFunctionParam;

typedef struct TableFunctionDef {
    const char *name;
    const char *doc; // one sentence, for help
    const TableFunctionParam *params;
    uint32_t param_count;
    const TableColumn *columns;
    uint32_t column_count;
} TableFunctionDef;

// Arguments that must be given.
static inline uint32_t
table_function_required(const TableFunctionDef *fn)
{
    uint32_t count = 0;
    while (count < fn->param_count && !fn->params[count].optional)
        count++;
    return count;
}
