#include "exec/profile.h"

#include "base/clock.h"
#include "exec/internal.h"

Profile *
profile_new(Arena *arena, const Plan *const *plans, uint32_t count, size_t workers)
{
    Profile *profile = ARENA_NEW(arena, Profile);
    profile->nodes = ARENA_ARRAY(arena, ProfileNode, count + 1);
    profile->count = count + 1;
    profile->slots = workers + 1;
    for (uint32_t i = 0; i <= count; i++) {
        profile->nodes[i].plan = i < count ? plans[i] : NULL;
        profile->nodes[i].slots = ARENA_ARRAY(arena, ProfileCounters, profile->slots);
    }
    return profile;
}

ProfileNode *
profile_node(const Profile *profile, const Plan *plan)
{
    for (uint32_t i = 0; i < profile->count; i++)
        if (profile->nodes[i].plan == plan)
            return &profile->nodes[i];
    return NULL;
}

ProfileCounters
profile_total(const Profile *profile, const ProfileNode *node)
{
    ProfileCounters sum = {.spilled = node->spilled};
    size_t coordinator = profile->slots - 1;
    for (size_t s = 0; s < profile->slots; s++) {
        const ProfileCounters *slot = &node->slots[s];
        sum.rows_in += slot->rows_in;
        sum.rows_out += slot->rows_out;
        sum.batches += slot->batches;
        sum.cpu_ns += slot->cpu_ns;
        sum.groups_read += slot->groups_read;
        sum.groups_skipped += slot->groups_skipped;
        sum.rows_read += slot->rows_read;
        sum.rows_skipped += slot->rows_skipped;
        sum.left_out += slot->left_out;
        if (s != coordinator && slot->wall_ns > sum.wall_ns)
            sum.wall_ns = slot->wall_ns;
    }
    // Workers run side by side, the coordinating thread before and after them.
    sum.wall_ns += node->slots[coordinator].wall_ns;
    return sum;
}

void
profile_switch(ProfileClock *clock, ProfileNode *node)
{
    uint64_t wall_ns = clock_monotonic_ns(), cpu_ns = clock_thread_cpu_ns();
    if (clock->node) {
        ProfileCounters *counters = &clock->node->slots[clock->slot];
        counters->wall_ns += wall_ns - clock->wall_ns;
        counters->cpu_ns += cpu_ns - clock->cpu_ns;
    }
    *clock = (ProfileClock){node, wall_ns, cpu_ns, clock->slot};
}

void
profile_batch(ProfileNode *from, ProfileNode *to, size_t slot, uint64_t rows)
{
    if (from == to) // two steps of one operator
        return;
    if (from) {
        from->slots[slot].rows_out += rows;
        from->slots[slot].batches++;
    }
    if (to)
        to->slots[slot].rows_in += rows;
}

// ---- what a run does with it ----

ProfileNode *
profile_of(const Exec *exec, const Plan *plan)
{
    Profile *profile = exec->options->profile;
    ProfileNode *node = profile ? profile_node(profile, plan) : NULL;
    return node ? node : exec->node;
}

ProfileNode *
profile_enter_node(Exec *exec, ProfileNode *node)
{
    ProfileNode *before = exec->node;
    if (exec->options->profile) {
        exec->node = node;
        profile_switch(&exec->clock, exec->node);
    }
    return before;
}

ProfileNode *
profile_enter(Exec *exec, const Plan *plan)
{
    return profile_enter_node(exec, profile_of(exec, plan));
}

void
profile_leave(Exec *exec, ProfileNode *before)
{
    if (exec->options->profile) {
        exec->node = before;
        profile_switch(&exec->clock, before);
    }
}
