// Following: wait until a rule is due, until who wrote before is done, run what is due, keep it.
//
// The store stays open, so that decoded rows are kept from round to round; each round looks at
// its newest state. After long downtime runs are caught up an hour at a time, oldest first: what
// is done is kept before the next hour begins.

#include "detect/follow.h"

#include "base/clock.h"
#include "detect/detect_store.h"
#include "detect/replay.h"
#include "value/scalar.h"

#include <stdatomic.h>
#include <time.h>

enum { REMEMBERED_DAYS = 90, IDLE_NS = 200000000, RETRY_SECONDS = 5 };

typedef struct Follow {
    DetectOptions options;
    const FollowOptions *follow;
    Arena arena;
    int64_t *after; // one a rule: the run, or the time, after which it goes on
    bool any_round;
} Follow;

static bool
cancelled(const Follow *f)
{
    return f->options.cancel && atomic_load(f->options.cancel);
}

static void
tell(const Follow *f, FollowNews news)
{
    if (f->follow->tell)
        f->follow->tell(f->follow->context, &news);
}

static const AnalyticsRule *
rule_at(const Follow *f, size_t number)
{
    return &f->options.rules->items[number];
}

static int64_t
next_run(const Follow *f, size_t number)
{
    int64_t frequency = rule_at(f, number)->frequency;
    return (f->after[number] / frequency + 1) * frequency;
}

// Of all rules that are enabled; INT64_MAX when there is none.
static int64_t
next_of_all(const Follow *f)
{
    int64_t next = INT64_MAX;
    for (size_t r = 0; r < f->options.rules->len; r++)
        if (rule_at(f, r)->enabled && next_run(f, r) < next)
            next = next_run(f, r);
    return next;
}

// ---- where each rule goes on ----

static bool
read_positions(Follow *f, AzError *error)
{
    int64_t now = clock_now_ticks();
    size_t count = f->options.rules->len;
    f->after = ARENA_ARRAY(&f->arena, int64_t, count + 1);
    for (size_t r = 0; r < count; r++)
        f->after[r] = f->options.since ? f->options.since : now - rule_at(f, r)->frequency;
    if (!f->options.since) {
        Database *db = db_open(&f->options.database, error);
        bool done = db && detect_last_runs(db, f->options.rules,
                                           now - REMEMBERED_DAYS * TICKS_PER_DAY, f->after, error);
        db_close(db);
        if (!done)
            return false;
    }
    int64_t bound = now - f->follow->catch_up, oldest = now;
    bool bounded = false;
    for (size_t r = 0; r < count; r++) {
        // The last run that is due is never too old: a rule that never ran begins with it.
        int64_t last = now - rule_at(f, r)->frequency, least = bound < last ? bound : last;
        if (!f->options.since && f->after[r] < least) {
            bounded |= next_run(f, r) <= least;
            f->after[r] = least;
        }
        if (f->after[r] < oldest)
            oldest = f->after[r];
    }
    tell(f, (FollowNews){.event = bounded ? FOLLOW_BOUNDED : FOLLOW_BEGUN, .since = oldest});
    return true;
}

// ---- a round ----

// What arrived before now was stamped under the store's lock: once the lock could be had, all of
// it is there.
static bool
wait_for_writers(Follow *f, AzError *error)
{
    AzError cause = {0};
    Store *store = store_open(f->options.database.store, STORE_WRITE, &cause);
    if (!store && cause.code == AZ_BUSY) {
        tell(f, (FollowNews){.event = FOLLOW_WAITING});
        store = detect_open_writing(&f->options, &cause);
    }
    store_close(store);
    // A store that may only be read has no writer but others', which cannot be waited for.
    if (store || !f->options.keep)
        return !cancelled(f);
    *error = cause;
    return false;
}

static bool
run_round(Follow *f, int64_t until, AzError *error)
{
    size_t count = f->options.rules->len;
    Arena arena = {0};
    Detection *detection = detection_new(&arena, f->options.rules);
    int64_t *from = ARENA_ARRAY(&arena, int64_t, count + 1);
    detection->since = detection->until = until;
    for (size_t r = 0; r < count; r++) {
        from[r] = f->after[r];
        if (rule_at(f, r)->enabled && next_run(f, r) <= until && from[r] < detection->since)
            detection->since = from[r];
    }
    bool done = detect_rounds(&arena, &f->options, detection, from, false, error);
    for (size_t r = 0; done && r < count; r++)
        if (f->after[r] < until)
            f->after[r] = until;
    f->any_round |= done;
    // Rules on alerts failed as a whole, those before them had been kept: their alerts are told
    // now, since the next try knows them.
    if (!done)
        detection->alerts.len = detection->kept;
    if (done || detection->kept)
        tell(f, (FollowNews){.event = FOLLOW_ROUND, .detection = detection});
    arena_free(&arena);
    return done;
}

static void
pause_ns(long nanoseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

// Runs what is due, or waits a moment. False when it must end.
static bool
follow_step(Follow *f, AzError *error)
{
    int64_t until = clock_now_ticks() - f->follow->delay, next = next_of_all(f);
    if (next > until) {
        tell(f, (FollowNews){.event = FOLLOW_IDLE, .next = next});
        pause_ns(IDLE_NS);
        return true;
    }
    if (next + TICKS_PER_HOUR < until)
        until = next + TICKS_PER_HOUR;
    AzError cause = {0};
    if (wait_for_writers(f, &cause) && run_round(f, until, &cause))
        return true;
    if (cancelled(f))
        return true;
    if (!f->any_round) {
        *error = cause;
        return false;
    }
    tell(f, (FollowNews){.event = FOLLOW_FAILED, .error = &cause});
    for (int i = 0; i < RETRY_SECONDS * 5 && !cancelled(f); i++)
        pause_ns(IDLE_NS);
    return true;
}

bool
detect_follow(const DetectOptions *options, const FollowOptions *follow, AzError *error)
{
    Follow f = {.options = *options, .follow = follow};
    f.options.live = true;
    Store *store = store_open(options->database.store, STORE_READ, error);
    if (!store)
        return false;
    store_keep(store, REPLAY_KEPT_BYTES);
    f.options.database.opened = store;
    bool done = read_positions(&f, error);
    while (done && !cancelled(&f))
        done = follow_step(&f, error);
    store_close(store);
    arena_free(&f.arena);
    return done;
}
