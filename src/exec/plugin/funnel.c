// Reading the events and the sequence of a funnel; see funnel.h.

#include "exec/plugin/funnel.h"

#include "value/scalar.h"

// The number of the state whose text is that of the sequence's element.
static uint32_t
find_state(const Funnel *f, uint32_t state_count, Dyn element)
{
    const Vector *v = f->events.columns->columns[2];
    Buffer wanted = {0}, text = {0};
    dyn_to_text(&wanted, element);
    uint32_t found = STATE_NONE;
    for (uint32_t s = 0; s < state_count && found == STATE_NONE; s++) {
        buffer_clear(&text);
        if (!vector_is_null(v, f->state_rows[s]))
            data_print(&text, v->type, vector_cell(v, f->state_rows[s]));
        if (str_equal(buffer_slice(&text), buffer_slice(&wanted)))
            found = s;
    }
    buffer_free(&wanted);
    buffer_free(&text);
    return found;
}

static bool
read_sequence(Funnel *f, uint32_t param)
{
    PluginRun *run = f->run;
    Arena *arena = &run->exec->workers[0].keep;
    uint32_t rows = f->events.count;
    Value *value = ARENA_NEW(arena, Value);
    if (!plugin_value(run, param, TYPE_DYNAMIC, value))
        return false;
    f->sequence_tree = value->is_null ? dyn_null() : dyn_of_text(&value->text);
    f->length = dyn_kind(f->sequence_tree) == DYN_ARRAY ? dyn_count(f->sequence_tree) : 0;
    if (!f->length) {
        plugin_error(run, AZ_INVALID, plugin_arg(run->call, param)->span,
                     "the sequence must be an array of states");
        return false;
    }
    f->states = ARENA_ARRAY(arena, uint32_t, rows + 1);
    f->state_rows = ARENA_ARRAY(arena, uint32_t, rows + 1);
    uint32_t count = number_keys(run, f->events.columns, 2, 1, f->states, f->state_rows);
    f->sequence = ARENA_ARRAY(arena, uint32_t, f->length);
    for (uint32_t k = 0; k < f->length; k++)
        f->sequence[k] = find_state(f, count, dyn_at(f->sequence_tree, k));
    return true;
}

bool
funnel_read(Funnel *f, uint32_t start, uint32_t end, uint32_t step, uint32_t state,
            uint32_t sequence)
{
    PluginRun *run = f->run;
    const PluginCall *call = run->call;
    Expr **exprs = ARENA_ARRAY(run->exec->arena, Expr *, 3);
    exprs[0] = plugin_arg(call, 0)->expr;
    exprs[1] = plugin_arg(call, 1)->expr;
    exprs[2] = plugin_arg(call, state)->expr;
    f->timeline.type = exprs[1]->type;
    return timeline_argument(run, plugin_arg(call, start), "start", &f->timeline.start) &&
           timeline_argument(run, plugin_arg(call, end), "end", &f->timeline.end) &&
           timeline_open(run, plugin_arg(call, step), &f->timeline, 0) &&
           events_read(run, &f->timeline, exprs, 3, 0, &f->events) && read_sequence(f, sequence);
}

uint32_t
funnel_user_end(const Funnel *f, uint32_t from)
{
    uint32_t end = from;
    while (end < f->events.count && f->events.items[end].id == f->events.items[from].id)
        end++;
    return end;
}
