// Plugins of `evaluate`: how one is written.
//
// A file of exec/plugin/ ends with rows (kql/plugin_def.h) whose `impl` is a PluginImpl:
// `bind` says which columns come out, `run` or `build` makes the rows. The rows are listed
// in plugin/registry.c, and the language finds them through the catalog.
//
// `bind` is called once the arguments are bound. A plugin whose columns depend on the
// rows asks plugin_look() for them; when rows may not be looked at (the query is only
// checked) or there are none, it yields the columns it is sure of and sets call->open.
#pragma once

#include "exec/internal.h"
#include "kql/column_namer.h"
#include "kql/plugin_def.h"

typedef struct PluginBind {
    Arena *arena; // of the plan
    PluginCall *call;
    AzError *error;
    // Runs a plan now; its rows live in the arena. NULL: rows may not be looked at.
    ResultTable *(*run)(void *context, Arena *arena, const Plan *plan, AzError *error);
    void *context;
} PluginBind;

typedef struct PluginRun {
    Exec *exec;
    const Plan *plan;
    const PluginCall *call;
    AzError *error;
} PluginRun;

typedef struct PluginImpl {
    // Fills call->schema (open, serialized, bound). NULL: the schema of the input.
    bool (*bind)(PluginBind *bind);
    // One of the two: makes all rows, or appends to a pipeline what streams.
    ResultTable *(*run)(PluginRun *run);
    bool (*build)(PluginRun *run, Pipeline *out);
} PluginImpl;

// ---- binding ----

bool plugin_fail(PluginBind *bind, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The value of a constant argument that the columns depend on; a null when it is absent.
// False with an error when it is not known yet (a sub-query).
bool plugin_bind_value(PluginBind *bind, uint32_t param, Value *out);
// Runs a plan over the input. True with *rows NULL when rows may not be looked at.
bool plugin_look(PluginBind *bind, const Plan *plan, Arena *arena, ResultTable **rows);

// ---- running ----

// The value of a constant argument, converted to `type` (TYPE_NONE: as it is); a null
// when it is absent.
bool plugin_value(PluginRun *run, uint32_t param, Type type, Value *out);
// The values of expressions over all rows of the input, in order, as flat columns.
Batch *plugin_columns(PluginRun *run, const Plan *input, Expr *const *exprs, uint32_t count);
// All rows of the input, as flat columns.
Batch *plugin_input(PluginRun *run);
// Sets an error at the call and returns NULL.
void *plugin_error(PluginRun *run, AzCode code, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Writes rows of plan->schema: cells of a row in order, then the next row.
typedef struct RowWriter {
    PluginRun *run;
    VectorBuilder *columns;
    uint32_t column; // next cell
    uint64_t rows;
    bool failed;
} RowWriter;
void writer_open(RowWriter *writer, PluginRun *run);
void writer_value(RowWriter *writer, const Value *value);
void writer_cell(RowWriter *writer, const Vector *v, uint32_t row);
void writer_null(RowWriter *writer);
void writer_long(RowWriter *writer, int64_t value);
void writer_real(RowWriter *writer, double value);
// The row is whole. False when the query must stop; the error is told by writer_finish.
bool writer_end_row(RowWriter *writer);
// The table, or NULL with the error; the writer is done with either way.
ResultTable *writer_finish(RowWriter *writer);

// Whether the query must stop; for loops without a writer.
bool plugin_check(PluginRun *run);

// ---- registry ----

typedef struct PluginSet {
    const PluginDef *rows;
    size_t count;
} PluginSet;

const PluginDef *plugin_find(Str name);
void plugin_each(void (*each)(void *arg, const PluginDef *plugin), void *arg);
bool plugin_bind(PluginBind *bind);
bool build_evaluate(Exec *exec, const Plan *plan, Pipeline *out, AzError *error);

// The sets, one a file of plugin/.
extern const PluginSet BASIC_PLUGINS; // identity, preview, narrow, estimate_rows_count ...
extern const PluginSet BAG_UNPACK_PLUGINS;
extern const PluginSet PIVOT_PLUGINS;
extern const PluginSet IP_LOOKUP_PLUGINS;
extern const PluginSet ACTIVITY_METRICS_PLUGINS;
extern const PluginSet ACTIVITY_WINDOWS_PLUGINS;
extern const PluginSet GEO_LOOKUP_PLUGINS;
extern const PluginSet ROLLING_PLUGINS;
extern const PluginSet ROWS_NEAR_PLUGINS;
extern const PluginSet DCOUNT_INTERSECT_PLUGINS;
extern const PluginSet NEW_ACTIVITY_PLUGINS;
extern const PluginSet FUNNEL_SEQUENCE_PLUGINS;
extern const PluginSet FUNNEL_COMPLETION_PLUGINS;
extern const PluginSet SEQUENCE_DETECT_PLUGINS;
extern const PluginSet SCHEMA_MERGE_PLUGINS;
extern const PluginSet CLUSTER_PLUGINS;
extern const PluginSet DIFFPATTERNS_PLUGINS;
extern const PluginSet DIFFPATTERNS_TEXT_PLUGINS;
extern const PluginSet SERVICE_PLUGINS; // what needs a service that is not here
