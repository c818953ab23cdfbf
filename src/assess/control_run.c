// Running one control: its query, and what missing data makes of the verdicts.
//
// A control names the data sets its verdict needs. When one was not collected for a
// scope that holds the resource, the row's status becomes unknown with the reason;
// when it was not collected at all and the query found nothing to judge, the control
// itself is unknown. A verdict is never better than the data behind it.

#include "assess/assess.h"
#include "db/rows.h"

static bool
is_tenant_scope(Str scope)
{
    return scope.len == 0 || str_equal(scope, STR("/")) || str_equal_ci(scope, STR("tenant"));
}

static bool
scope_holds(Str scope, Str id)
{
    return is_tenant_scope(scope) ||
           (id.len >= scope.len && str_equal_ci(str_slice(id, 0, scope.len), scope));
}

// Why `dataset` is not known for the resource `id`; false when it is.
static bool
dataset_gap(const Coverage *coverage, size_t count, Str dataset, Str id, Str *reason)
{
    bool seen = false;
    for (size_t i = 0; i < count; i++) {
        if (!str_equal_ci(coverage[i].dataset, dataset))
            continue;
        seen = true;
        bool missing = str_equal_ci(coverage[i].status, STR("not collected"));
        if (missing && scope_holds(coverage[i].scope, id)) {
            *reason = coverage[i].reason;
            return true;
        }
    }
    if (!seen)
        *reason = STR("the snapshot holds no such data");
    return !seen;
}

// The reason the row cannot be judged, empty when it can.
static Str
row_gap(const Control *control, const Coverage *coverage, size_t count, Str id, Arena *arena)
{
    for (size_t i = 0; i < control->need_count; i++) {
        Str reason;
        if (dataset_gap(coverage, count, control->needs[i], id, &reason))
            return str_format(arena, "%.*s was not collected: %.*s", STR_ARG(control->needs[i]),
                              STR_ARG(reason));
    }
    return STR("");
}

typedef struct ControlColumns {
    ptrdiff_t id, name, type, subscription, resource_group, status, reason, evidence;
} ControlColumns;

static bool
find_columns(const Control *control, const ResultTable *table, ControlColumns *out, AzError *error)
{
    *out = (ControlColumns){
        .id = rows_column(table, "id"),
        .name = rows_column(table, "name"),
        .type = rows_column(table, "type"),
        .subscription = rows_column(table, "subscriptionId"),
        .resource_group = rows_column(table, "resourceGroup"),
        .status = rows_column(table, "status"),
        .reason = rows_column(table, "reason"),
        .evidence = rows_column(table, "evidence"),
    };
    if (out->id < 0 || out->status < 0)
        return error_set(error, AZ_INVALID,
                         "%.*s: the query of control %.*s must yield the columns id and status",
                         STR_ARG(control->file), STR_ARG(control->id));
    return true;
}

static bool
read_status(const Control *control, Str text, FindingStatus *out, AzError *error)
{
    if (str_equal(text, STR("pass")))
        *out = FINDING_PASS;
    else if (str_equal(text, STR("fail")))
        *out = FINDING_FAIL;
    else if (str_equal(text, STR("unknown")))
        *out = FINDING_UNKNOWN;
    else
        return error_set(error, AZ_INVALID,
                         "%.*s: control %.*s yielded status '%.*s', which is none of pass, fail, "
                         "unknown",
                         STR_ARG(control->file), STR_ARG(control->id), STR_ARG(text));
    return true;
}

// The error of the query, said with the control's file and the line in it.
static bool
locate_error(const Control *control, const AzError *cause, AzError *error)
{
    uint32_t line = 1, column = 1;
    if (cause->has_span)
        text_position(control->query, cause->span.start, &line, &column);
    uint32_t first = control->query_line ? control->query_line : 1;
    return error_set(error, cause->code, "%.*s:%u: control %.*s: %s", STR_ARG(control->file),
                     first + line - 1, STR_ARG(control->id), cause->message);
}

bool
control_run(Database *db, const Control *control, const Coverage *coverage, size_t coverage_count,
            void (*each)(void *context, const ControlRow *row), void *context, Str *missing,
            Arena *arena, AzError *error)
{
    Arena scratch = {0};
    AzError cause = {0};
    QueryOptions options = {0};
    QueryResult *result = db_query(db, &scratch, control->query, &options, &cause);
    ControlColumns columns;
    if (!result) {
        arena_free(&scratch);
        return locate_error(control, &cause, error);
    }
    const ResultTable *table = result->tables[result->primary];
    bool done = find_columns(control, table, &columns, error);
    RowReader reader = {.table = table};
    while (done && rows_next(&reader)) {
        ControlRow row = {
            .id = rows_text(&reader, columns.id, &scratch),
            .name = rows_text(&reader, columns.name, &scratch),
            .type = rows_text(&reader, columns.type, &scratch),
            .subscription = rows_text(&reader, columns.subscription, &scratch),
            .resource_group = rows_text(&reader, columns.resource_group, &scratch),
            .reason = rows_text(&reader, columns.reason, &scratch),
            .evidence = rows_text(&reader, columns.evidence, &scratch),
        };
        done =
            read_status(control, rows_text(&reader, columns.status, &scratch), &row.status, error);
        Str gap = row_gap(control, coverage, coverage_count, row.id, &scratch);
        if (gap.len) {
            row.status = FINDING_UNKNOWN;
            row.reason = gap;
        }
        if (done)
            each(context, &row);
    }
    *missing = row_gap(control, coverage, coverage_count, STR(""), arena);
    arena_free(&scratch);
    return done;
}

bool
coverage_read(Database *db, Arena *arena, Coverage **out, size_t *count, AzError *error)
{
    Arena scratch = {0};
    QueryOptions options = {0};
    *count = 0;
    QueryResult *result = db_query(
        db, &scratch, STR("CollectionStatus | project Dataset, Scope, Status, Reason, Rows"),
        &options, error);
    if (!result) {
        arena_free(&scratch);
        return false;
    }
    RowReader reader = {.table = result->tables[0]};
    *out = ARENA_ARRAY(arena, Coverage, reader.table->row_count);
    while (rows_next(&reader))
        (*out)[(*count)++] = (Coverage){
            .dataset = rows_text(&reader, 0, arena),
            .scope = rows_text(&reader, 1, arena),
            .status = rows_text(&reader, 2, arena),
            .reason = rows_text(&reader, 3, arena),
            .rows = rows_long(&reader, 4),
        };
    arena_free(&scratch);
    return true;
}
