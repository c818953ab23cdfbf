#include "db/explain.h"

#include "base/array.h"

struct Analysis {
    Arena *arena;
    const BoundQuery *bound;
    const ExecOptions *exec;
    PlanLines lines; // of all plans
};

static void
collect_lines(Analysis *analysis)
{
    analysis->lines.arena = analysis->arena;
    for (uint32_t i = 0; i < analysis->bound->count; i++)
        plan_explain(analysis->bound->results[i], &analysis->lines);
}

static Explain *
make_rows(const Analysis *analysis, const QueryResult *times)
{
    Explain *explain = ARENA_NEW(analysis->arena, Explain);
    explain->count = (uint32_t)analysis->lines.len;
    explain->rows = ARENA_ARRAY(analysis->arena, ExplainRow, explain->count);
    explain->parse_ms = times->parse_ms;
    explain->plan_ms = times->bind_ms;
    for (uint32_t i = 0; i < explain->count; i++) {
        const PlanLine *line = &analysis->lines.items[i];
        explain->rows[i] = (ExplainRow){line->name, line->details, line->depth, {0}};
    }
    return explain;
}

Explain *
explain_plan(Arena *arena, const BoundQuery *bound, const QueryResult *times)
{
    Analysis analysis = {.arena = arena, .bound = bound};
    collect_lines(&analysis);
    return make_rows(&analysis, times);
}

Analysis *
analysis_begin(Arena *arena, const BoundQuery *bound, ExecOptions *exec)
{
    Analysis *analysis = ARENA_NEW(arena, Analysis);
    *analysis = (Analysis){.arena = arena, .bound = bound, .exec = exec};
    collect_lines(analysis);
    uint32_t count = (uint32_t)analysis->lines.len;
    const Plan **plans = ARENA_ARRAY(arena, const Plan *, count);
    for (uint32_t i = 0; i < count; i++)
        plans[i] = analysis->lines.items[i].plan;
    exec->profile = profile_new(arena, plans, count, thread_pool_size(exec->threads));
    if (exec->budget)
        exec->budget->peak = exec->budget->used;
    return analysis;
}

// Only tables of the store have row groups worth telling of: an operator that reads back
// what it has gathered does so in batches.
static ProfileCounters
row_counters(const Profile *profile, uint32_t node)
{
    ProfileCounters counters = profile_total(profile, &profile->nodes[node]);
    if (profile->nodes[node].plan->kind != PLAN_SCAN)
        counters.groups_read = counters.groups_skipped = counters.rows_read =
            counters.rows_skipped = 0;
    return counters;
}

Explain *
analysis_end(Analysis *analysis, const QueryResult *result)
{
    Explain *explain = make_rows(analysis, result);
    explain->analyzed = true;
    explain->run_ms = result->run_ms;
    explain->threads = thread_pool_size(analysis->exec->threads);
    if (analysis->exec->budget)
        explain->memory_peak = analysis->exec->budget->peak;
    const Profile *profile = analysis->exec->profile;
    for (uint32_t i = 0; i < explain->count; i++)
        explain->rows[i].counters = row_counters(profile, i);
    explain->answer = profile_total(profile, &profile->nodes[explain->count]);
    return explain;
}
