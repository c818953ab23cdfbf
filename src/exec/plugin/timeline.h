// Timeline: what the plugins about users over time share: bins between a start and an
// end, and the events of the input sorted by dimensions, user and time.
//
// A bin is [bounds[i], bounds[i + 1]). Steps are a length, or "week", "month", "year" of
// the calendar. An event at the end itself belongs to the analysis (Kusto docs,
// activity_counts_metrics plugin, example).
#pragma once

#include "exec/plugin.h"

// A point or a length on the timeline, ticks or numbers: wide enough for every long.
typedef long double Instant;

enum { ID_NONE = UINT32_MAX };

typedef struct Timeline {
    Type type; // of the column
    Instant start, end;
    Instant from;    // `start` less what is looked back
    Instant *bounds; // count + 1 of them
    uint32_t count;
    uint32_t first; // the bin of `start`; those before are looked back at only
} Timeline;

typedef struct Event {
    Instant time;
    uint32_t group; // of dimensions
    uint32_t id;    // ID_NONE: null
    uint32_t bin;
    uint32_t row; // of the input
} Event;

typedef struct Events {
    Event *items; // by group, id, time, row
    uint32_t count;
    uint32_t group_count;
    uint32_t *group_rows; // a row of each group
    const Batch *columns; // id, time, then what else was asked for
    uint32_t dimension;   // first column of the dimensions in `columns`
    uint32_t dimension_count;
} Events;

// Types a timeline may have.
#define TIMELINE_TYPES "datetime timespan long int real"

// The value of a constant argument as an Instant of the timeline; an error when it is
// absent or of another kind.
bool timeline_argument(PluginRun *run, const PluginArg *arg, const char *name, Instant *out);
// The same for a length, which must be greater than 0.
bool timeline_length(PluginRun *run, const PluginArg *arg, const char *name, Instant *out);
// Lays the bins from `start - lookback` to `end`; `step` is a length or the name of one.
bool timeline_open(PluginRun *run, const PluginArg *step, Timeline *timeline, Instant lookback);
// The bin of a time, which lies between the first and the last bound.
uint32_t timeline_bin(const Timeline *timeline, Instant time);

// Reads the events between `from` and the end. `exprs` are the id, the time and
// what else is wanted; the last `dimension_count` of them make the groups.
bool events_read(PluginRun *run, const Timeline *timeline, Expr *const *exprs, uint32_t count,
                 uint32_t dimension_count, Events *out);
// Number of the key (columns [from, from + count) of a batch) of each row, in order of
// appearance, and a row of each key (may be NULL).
uint32_t number_keys(PluginRun *run, const Batch *batch, uint32_t from, uint32_t count,
                     uint32_t *numbers, uint32_t *firsts);
// The time of a row of a column, false when it is null or no number.
bool instant_of(const Vector *v, uint32_t row, Instant *out);
// Cells of the timeline's type, and the dimensions of a group.
void writer_instant(RowWriter *writer, Type type, Instant time);
void writer_group(RowWriter *writer, const Events *events, uint32_t group);

// Adds the columns: timeline, dimensions, then the given ones.
void timeline_schema(PluginBind *bind, uint32_t timeline, const PluginArgs *dimensions,
                     const Column *columns, size_t count);

// Parameters that the plugins over a timeline have in common.
#define TIMELINE_ID                                                                                \
    {                                                                                              \
        "id", PLUGIN_COLUMN, NULL, 0                                                               \
    }
#define TIMELINE_TIME                                                                              \
    {                                                                                              \
        "timeline", PLUGIN_COLUMN, TIMELINE_TYPES, 0                                               \
    }
#define TIMELINE_POINT(name)                                                                       \
    {                                                                                              \
        name, PLUGIN_CONSTANT, TIMELINE_TYPES, 0                                                   \
    }
#define TIMELINE_STEP(name)                                                                        \
    {                                                                                              \
        name, PLUGIN_CONSTANT, TIMELINE_TYPES " string", 0                                         \
    }
