// How rows of log tables read as events: content/telemetry/events.yaml, as KQL over a table.
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/map.h"
#include "column/schema.h"

// Columns of a timeline that rules give, in this order.
typedef enum EventColumn {
    EVENT_TIME,
    EVENT_NAME,
    EVENT_ACTOR,
    EVENT_ADDRESS,
    EVENT_TARGET,
    EVENT_RESULT,
    EVENT_TEXT,
    EVENT_COLUMNS
} EventColumn;

typedef struct EventPlace {
    Str literal; // or, when it has no bytes, a column with steps into it
    Str *steps;
    size_t step_count;
} EventPlace;

typedef struct EventPlaces {
    EventPlace *items;
    size_t len, cap;
} EventPlaces;

typedef struct EventTable {
    EventPlaces places[EVENT_COLUMNS];
    Str pipe; // empty: none
    bool skip;
} EventTable;

typedef struct EventRules {
    EventTable common;
    Map tables; // name (any case) -> EventTable
} EventRules;

// Everything in `arena`. False with an error that names the file and line.
bool event_rules_load(Arena *arena, const char *content_dir, EventRules *rules, AzError *error);

// The column of a row's time; -1 when the table is none of events.
ptrdiff_t event_time_column(const EventRules *rules, Str table, const Schema *schema);
// KQL that runs over the table's rows first; empty when none does.
Str event_pipe(const EventRules *rules, Str table);
// Appends a KQL expression of type string for the column; "''" when the table has nothing for it.
void event_expression(const EventRules *rules, Str table, const Schema *schema, EventColumn column,
                      Buffer *out);

// KQL literals and names, escaped.
void kql_write_text(Buffer *out, Str text);
void kql_write_name(Buffer *out, Str name);
void kql_write_time(Buffer *out, int64_t ticks);
