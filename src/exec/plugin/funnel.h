// Funnels: what funnel_sequence and funnel_sequence_completion share: the events of each
// user in order of time, and their states as numbers.
#pragma once

#include "exec/plugin/timeline.h"

enum { STATE_NONE = UINT32_MAX };

typedef struct Funnel {
    PluginRun *run;
    Timeline timeline;
    Events events;
    uint32_t *states;     // of each row of the events, numbered
    uint32_t *state_rows; // a row of each state
    uint32_t *sequence;   // numbers of the states; STATE_NONE: nobody is ever in it
    uint32_t length;
    Dyn sequence_tree;
} Funnel;

// Reads events and sequence; the arguments say which parameter is what. The id and the
// timeline are the parameters 0 and 1.
bool funnel_read(Funnel *funnel, uint32_t start, uint32_t end, uint32_t step, uint32_t state,
                 uint32_t sequence);
// The end of the user whose events begin at `from`.
uint32_t funnel_user_end(const Funnel *funnel, uint32_t from);

static inline uint32_t
funnel_state(const Funnel *funnel, const Event *event)
{
    return funnel->states[event->row];
}

// Parameters that both have.
#define FUNNEL_STATE                                                                               \
    {                                                                                              \
        "state", PLUGIN_COLUMN, "string bool int long real decimal datetime timespan guid", 0      \
    }
#define FUNNEL_ARRAY(name)                                                                         \
    {                                                                                              \
        name, PLUGIN_CONSTANT, "dynamic", 0                                                        \
    }
