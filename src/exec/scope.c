// How long the memory of a run lives: parts of a run that leave nothing behind, and memory of operators
// that is given back when they no longer need it.

#include "exec/internal.h"

// ---- memory that is held ----

Held *
held_new(Exec *exec)
{
    Held *held = ARENA_NEW(exec->arena, Held);
    held->next = exec->held;
    return exec->held = held;
}

// The budget forgets it.
static void
held_give(const Exec *exec, Held *held)
{
    if (exec->options->budget)
        budget_give(exec->options->budget, held->charged);
    held->charged = 0;
}

void
held_free(const Exec *exec, Held *held)
{
    arena_free(&held->arena);
    held_give(exec, held);
}

void
held_free_all(Exec *exec)
{
    for (; exec->held; exec->held = exec->held->next)
        held_free(exec, exec->held);
}

// ---- a part of a run ----

void
exec_scope_enter(ExecScope *scope, Exec *exec, size_t workers)
{
    scope->workers = workers > 1 ? ARENA_ARRAY(exec->arena, ScopeWorker, workers) : &scope->one;
    scope->count = workers;
    scope->worker_count = exec->worker_count;
    scope->prepared = exec->prepared;
    scope->outer_held = exec->held;
    scope->run = *exec->arena;
    arena_init(exec->arena);
    for (size_t w = 0; w < workers; w++) {
        Worker *worker = &exec->workers[w];
        scope->workers[w] = (ScopeWorker){worker->keep, worker->charged};
        arena_init(&worker->keep);
        worker->charged = worker->result.allocated;
    }
    exec->worker_count = workers;
}

void
exec_scope_leave(ExecScope *scope, Exec *exec)
{
    Arena inner = *exec->arena;
    *exec->arena = scope->run;
    scope->run = inner;
    for (size_t w = 0; w < scope->count; w++) {
        Worker *worker = &exec->workers[w];
        ScopeWorker part = {worker->keep, worker->charged};
        if (exec->options->budget)
            budget_give(exec->options->budget, part.charged - worker->result.allocated);
        worker->keep = scope->workers[w].keep;
        worker->charged = scope->workers[w].charged;
        scope->workers[w] = part;
    }
    scope->held = exec->held;
    for (Held *held = scope->held; held != scope->outer_held; held = held->next)
        held_give(exec, held);
    exec->held = scope->outer_held;
    exec->worker_count = scope->worker_count;
    exec->prepared = scope->prepared; // forgets what was evaluated in this part alone
}

void
exec_scope_free(ExecScope *scope)
{
    for (size_t w = 0; w < scope->count; w++)
        arena_free(&scope->workers[w].keep);
    for (Held *held = scope->held; held != scope->outer_held; held = held->next)
        arena_free(&held->arena);
    arena_free(&scope->run);
}
