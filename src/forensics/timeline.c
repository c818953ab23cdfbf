// Making a timeline: one KQL query over all tables that have events, in which each table is a leg
// of a union; then each event is told the access that was in force at its time.

#include "forensics/timeline.h"

#include "base/array.h"
#include "db/row_builder.h"
#include "forensics/access_spans.h"
#include "forensics/event_rules.h"

#include <stdlib.h>

const TableColumn TIMELINE_COLUMNS[TIMELINE_COLUMN_COUNT] = {
    {"Time", TYPE_DATETIME}, {"Source", TYPE_STRING},  {"Event", TYPE_STRING},
    {"Actor", TYPE_STRING},  {"Address", TYPE_STRING}, {"Target", TYPE_STRING},
    {"Result", TYPE_STRING}, {"Part", TYPE_STRING},    {"Access", TYPE_STRING},
    {"Text", TYPE_STRING},   {"Record", TYPE_DYNAMIC},
};
enum { COLUMN_TIME = 0, COLUMN_ACTOR = 3, COLUMN_ACCESS = 8 };

static const TableFunctionParam PARAMS[] = {
    {"entity", TYPE_STRING, false}, {"since", TYPE_DATETIME, true}, {"until", TYPE_DATETIME, true}};

static const TableFunctionDef TIMELINE = {
    "Timeline",
    "Everything that logs hold of a principal, resource, address, key, deployment or correlation "
    "id, in order of time, with the access it had; Part says how it takes part.",
    PARAMS,
    COUNT_OF(PARAMS),
    TIMELINE_COLUMNS,
    TIMELINE_COLUMN_COUNT,
};

typedef struct Question {
    Database *db;
    Arena *arena;
    Entity entity;
    int64_t since, until;
    EventRules rules;
    AccessSpans spans;
    Str pattern; // finds the entity's names
    Buffer query;
    size_t legs;
} Question;

static void
write_texts(Buffer *out, const Entity *entity)
{
    for (size_t i = 0; i < entity->name_count; i++) {
        buffer_text(out, i ? ", " : "");
        kql_write_text(out, entity->names[i]);
    }
}

static void
write_range(const Question *question, Str time, Buffer *out)
{
    if (question->since != INT64_MIN) {
        buffer_text(out, " | where ");
        kql_write_name(out, time);
        buffer_text(out, " >= ");
        kql_write_time(out, question->since);
    }
    if (question->until != INT64_MAX) {
        buffer_text(out, " | where ");
        kql_write_name(out, time);
        buffer_text(out, " < ");
        kql_write_time(out, question->until);
    }
}

static void
write_begin(Question *question)
{
    buffer_text(&question->query, question->legs++ ? ",\n" : "union\n");
}

// A table's rows that hold the entity, as events. `has` finds candidates by the term index; the
// pattern then leaves out names of which the entity's is only a part.
static void
write_leg(Question *question, Str table, const Schema *schema, Str time)
{
    static const char *const names[EVENT_COLUMNS] = {"",       "Event",  "Actor", "Address",
                                                     "Target", "Result", "Text"};
    Buffer *out = &question->query;
    write_begin(question);
    buffer_char(out, '(');
    kql_write_name(out, table);
    write_range(question, time, out);
    buffer_text(out, " | where ");
    for (size_t i = 0; i < question->entity.name_count; i++) {
        buffer_text(out, i ? " or * has " : "* has ");
        kql_write_text(out, question->entity.names[i]);
    }
    buffer_text(out, " | extend Record = pack_all(true) | where tostring(Record) matches regex ");
    kql_write_text(out, question->pattern);
    Str pipe = event_pipe(&question->rules, table);
    if (pipe.len)
        buffer_printf(out, " | %.*s", STR_ARG(pipe));
    buffer_text(out, " | project Time = ");
    kql_write_name(out, time);
    buffer_text(out, ", Source = ");
    kql_write_text(out, table);
    for (int c = EVENT_NAME; c < EVENT_COLUMNS; c++) {
        buffer_printf(out, ", %s = ", names[c]);
        event_expression(&question->rules, table, schema, (EventColumn)c, out);
    }
    buffer_text(out, ", Record)");
}

static void
add_table(void *context, Str name)
{
    Question *question = context;
    Schema schema;
    if (!db_table_schema(question->db, question->arena, name, &schema) ||
        schema_find(&schema, STR("Record")) >= 0)
        return;
    ptrdiff_t time = event_time_column(&question->rules, name, &schema);
    if (time >= 0)
        write_leg(question, name, &schema, schema.columns[time].name);
}

static void
write_access(Buffer *out, const Question *question, const AccessSpan *span, bool end, bool *first)
{
    int64_t time = end ? span->to : span->from;
    if (end && span->to == INT64_MAX)
        return;
    // What was held already when the range begins is told at its beginning.
    if (time < question->since)
        time = question->since;
    buffer_text(out, *first ? "" : ", ");
    *first = false;
    kql_write_time(out, time);
    buffer_printf(out, ", \"snapshot %lld\", ",
                  (long long)(end ? span->until_snapshot : span->since_snapshot));
    Buffer event = {0};
    buffer_printf(&event, "Access: %.*s", STR_ARG(span->role));
    if (span->via.len)
        buffer_printf(&event, " through %.*s", STR_ARG(span->via));
    if (!str_equal(span->state, STR("active")) && span->state.len)
        buffer_printf(&event, " (%.*s)", STR_ARG(span->state));
    kql_write_text(out, buffer_slice(&event));
    buffer_free(&event);
    buffer_text(out, ", ");
    kql_write_text(out, span->principal.len ? span->principal : span->principal_id);
    buffer_text(out, ", ");
    kql_write_text(out, span->scope);
    buffer_printf(out, ", \"%s\", ", end ? "lost" : span->first ? "held" : "gained");
    kql_write_text(out, span->can);
}

// The changes of access, as a table in the query.
static void
write_spans(Question *question)
{
    if (!question->spans.len)
        return;
    bool first = true;
    write_begin(question);
    buffer_text(&question->query,
                "(datatable(Time:datetime, Source:string, Event:string, Actor:string, "
                "Target:string, Result:string, Text:string)[");
    for (size_t i = 0; i < question->spans.len; i++)
        for (int end = 0; end < 2; end++)
            write_access(&question->query, question, &question->spans.items[i], end, &first);
    buffer_text(&question->query, "])");
}

static void
write_query(Question *question)
{
    Buffer *out = &question->query;
    Buffer pattern = {0};
    entity_pattern(&question->entity, &pattern);
    question->pattern = str_copy(question->arena, buffer_slice(&pattern));
    buffer_free(&pattern);
    write_spans(question);
    db_each_table(question->db, add_table, question);
    if (!question->legs)
        return;
    buffer_text(out,
                "\n| extend Address = column_ifexists(\"Address\", \"\"), Record = "
                "column_ifexists(\"Record\", dynamic(null))"
                "\n| extend Part = case(Source startswith \"snapshot \", \"access\", Actor in~ (");
    write_texts(out, &question->entity);
    buffer_text(out, "), \"actor\", Address matches regex ");
    kql_write_text(out, question->pattern);
    buffer_text(out, ", \"address\", Target matches regex ");
    kql_write_text(out, question->pattern);
    buffer_text(out,
                ", \"target\", \"mentioned\")"
                "\n| extend At = tolower(coalesce(tostring(Record._ResourceId), "
                "tostring(Record.ResourceId), Target))"
                "\n| order by Time asc, Source asc, Event asc"
                "\n| project Time, Source, Event, Actor, Address, Target, Result, Part, Access = "
                "\"\", Text, Record, At");
}

// Whether a resource lies at or below the scope. What a management group holds is not in an
// id; its assignments count for everything.
static bool
scope_covers(Str scope, Str resource)
{
    if (str_equal(scope, STR("/")) ||
        str_starts(scope, STR("/providers/microsoft.management/managementgroups/")))
        return true;
    return str_starts(resource, scope) &&
           (resource.len == scope.len || resource.ptr[scope.len] == '/');
}

// The roles in force for an event: those of the principal at its target; those of its actor
// at the resource.
static Str
roles_at(const Question *question, int64_t time, Str actor, Str at)
{
    Buffer roles = {0};
    for (size_t i = 0; i < question->spans.len; i++) {
        const AccessSpan *span = &question->spans.items[i];
        bool covers = question->entity.kind == ENTITY_PRINCIPAL
                          ? str_starts(at, STR("/")) && scope_covers(span->scope, at)
                          : actor.len && (str_equal_ci(actor, span->principal) ||
                                          str_equal_ci(actor, span->principal_id));
        // Before the first snapshot nothing is known.
        if (!covers || time < span->from || time >= span->to)
            continue;
        Str one = str_format(question->arena, "%.*s%s", STR_ARG(span->role),
                             str_equal(span->state, STR("eligible")) ? " (eligible)" : "");
        if (str_find(buffer_slice(&roles), one) >= 0)
            continue;
        buffer_text(&roles, roles.len ? ", " : "");
        buffer_str(&roles, one);
    }
    Str text = str_copy(question->arena, buffer_slice(&roles));
    buffer_free(&roles);
    return text;
}

static Schema
timeline_schema(Arena *arena)
{
    Schema schema = {ARENA_ARRAY(arena, Column, TIMELINE_COLUMN_COUNT), TIMELINE_COLUMN_COUNT};
    for (uint32_t c = 0; c < TIMELINE_COLUMN_COUNT; c++)
        schema.columns[c] = (Column){str_from(TIMELINE_COLUMNS[c].name), TIMELINE_COLUMNS[c].type};
    return schema;
}

static void
take_event(const Question *question, const Batch *batch, uint32_t row, RowBuilder *rows)
{
    Value cells[TIMELINE_COLUMN_COUNT + 1];
    for (uint32_t c = 0; c <= TIMELINE_COLUMN_COUNT; c++)
        cells[c] = vector_value(batch->columns[c], row);
    Value *access = &cells[COLUMN_ACCESS];
    Str actor = text_str(&cells[COLUMN_ACTOR].text),
        at = text_str(&cells[TIMELINE_COLUMN_COUNT].text);
    if (question->spans.len && !cells[COLUMN_TIME].is_null &&
        !cells[TIMELINE_COLUMN_COUNT - 1].is_null)
        *access = value_string(roles_at(question, cells[COLUMN_TIME].int64, actor, at));
    for (uint32_t c = 0; c < TIMELINE_COLUMN_COUNT; c++)
        row_builder_put(rows, c, &cells[c]);
    row_builder_end(rows);
}

static TableSource *
events_source(const Question *question, const ResultTable *events)
{
    Schema schema = timeline_schema(question->arena);
    RowBuilder rows;
    uint32_t count;
    row_builder_init(&rows, question->arena, &schema);
    for (uint32_t b = 0; events && b < events->batch_count; b++) {
        const Batch *batch = events->batches[b];
        for (uint32_t i = 0; i < batch->selected; i++)
            take_event(question, batch, batch_row(batch, i), &rows);
    }
    Batch **batches = row_builder_batches(&rows, &count);
    row_builder_free(&rows);
    return memory_source_new(question->arena, &schema, batches, count);
}

static TableSource *
timeline_open(void *context, Database *db, Arena *arena, const TableFunctionDef *fn,
              const Value *args, AzError *error)
{
    (void)context;
    (void)fn;
    Question question = {
        .db = db,
        .arena = arena,
        .since = args[1].is_null ? INT64_MIN : args[1].int64,
        .until = args[2].is_null ? INT64_MAX : args[2].int64,
    };
    Str text = args[0].is_null ? (Str){0} : text_str(&args[0].text);
    if (!event_rules_load(arena, content_dir(db_content(db)), &question.rules, error) ||
        !entity_resolve(db, arena, text, &question.entity, error) ||
        !access_spans_read(db, arena, &question.entity, question.since, question.until,
                           &question.spans, error))
        return NULL;
    write_query(&question);
    QueryResult *result = NULL;
    AzError failure = {0};
    bool empty = question.legs == 0;
    if (!empty)
        result = db_query(db, arena, buffer_slice(&question.query), &(QueryOptions){0}, &failure);
    buffer_free(&question.query);
    if (!empty && !result) {
        // The place is in a query that nobody wrote.
        error_set(error, failure.code, "the timeline of '%.*s': %s", STR_ARG(text),
                  failure.message);
        return NULL;
    }
    return events_source(&question, empty ? NULL : result->tables[result->primary]);
}

void
forensics_add_tables(Database *db)
{
    TableFunctionSet set = {&TIMELINE, 1, timeline_open, NULL, NULL};
    db_add_table_functions(db, set, NULL);
}
