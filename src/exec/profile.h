// Profile: what each operator of a plan did in a run, counted when it is asked for.
//
// Every worker counts for itself, so that counting takes no locks; the coordinating
// thread has a slot of its own behind theirs. A clock belongs to one operator at a time:
// where a batch is handed on, its time so far goes to the giver and the clock to the
// receiver, so that times are those of the operator alone and add up to the run's.
// Without a profile an operator's `node` is NULL, and all that is left is that test.
#pragma once

#include "kql/plan.h"

#include <stdatomic.h>

typedef struct ProfileCounters {
    uint64_t rows_in, rows_out, batches; // batches it handed on
    uint64_t wall_ns;                    // of the worker that took longest
    uint64_t cpu_ns;                     // of all workers
    // Scans: row groups and their rows that were read, and that zone maps ruled out.
    uint64_t groups_read, groups_skipped, rows_read, rows_skipped;
    uint64_t spilled;  // bytes written to temporary files, because memory did not hold the rows
    uint64_t left_out; // rows of groups that are not among those wanted (aggregate_top.c)
} ProfileCounters;

typedef struct ProfileNode {
    const Plan *plan; // NULL: collecting the answer
    ProfileCounters *slots;
    _Atomic uint64_t spilled; // of all workers: who writes is no matter there
} ProfileNode;

typedef struct Profile {
    ProfileNode *nodes; // one a plan, and last the answer's
    uint32_t count;
    size_t slots; // workers, and the coordinating thread
} Profile;

typedef struct ProfileClock {
    ProfileNode *node; // whose time it is; NULL: nobody's
    uint64_t wall_ns, cpu_ns;
    size_t slot;
} ProfileClock;

// A profile of the operators `plans`; those that are not among them count for the one
// that runs them.
Profile *profile_new(Arena *arena, const Plan *const *plans, uint32_t count, size_t workers);
ProfileNode *profile_node(const Profile *profile, const Plan *plan); // NULL when unknown
// The sum over all slots.
ProfileCounters profile_total(const Profile *profile, const ProfileNode *node);

// Gives the time since the last switch to the clock's node and the clock to `node`.
void profile_switch(ProfileClock *clock, ProfileNode *node);
// `rows` rows went from one operator to another in one batch; either may be NULL.
void profile_batch(ProfileNode *from, ProfileNode *to, size_t slot, uint64_t rows);
