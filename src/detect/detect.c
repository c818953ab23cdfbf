// The whole of a detection: what is known already, the rules in two rounds (those that read
// alerts come after those that raise them), incidents, and what is kept.

#include "detect/detect_store.h"
#include "detect/replay.h"

#include "base/clock.h"

#include <stdatomic.h>

static bool
reads_alerts(const AnalyticsRule *rule)
{
    return str_find(rule->query, STR("SecurityAlert")) >= 0 ||
           str_find(rule->query, STR("SecurityIncident")) >= 0;
}

typedef struct Memory {
    Map known; // ids of alerts
    int64_t *last_alerts;
    IncidentList *incidents;
} Memory;

static bool
read_memory(Database *db, Arena *arena, const DetectOptions *options, const Detection *detection,
            Memory *memory, AzError *error)
{
    map_init(&memory->known, arena, false);
    memory->last_alerts = ARENA_ARRAY(arena, int64_t, options->rules->len + 1);
    // Each rule of those that go on has a beginning of its own.
    int64_t raised_by = options->live ? detection->until : detection->since;
    return detect_known_alerts(db, arena, detection->since, detection->until, &memory->known,
                               error) &&
           detect_last_alerts(db, options->rules, raised_by, memory->last_alerts, error) &&
           detect_read_incidents(db, arena, memory->incidents, error);
}

static RuleOutcome *
outcome_of(Detection *detection, const AnalyticsRule *rule, const RuleSet *rules)
{
    return &detection->outcomes[rule - rules->items];
}

// Alerts that were there before are dropped; the others go to incidents, in the order of time.
static void
take_alerts(Arena *arena, Detection *detection, const RuleSet *rules, Memory *memory,
            const AlertList *raised, AlertList *fresh)
{
    for (size_t i = 0; i < raised->len; i++) {
        const Alert *alert = &raised->items[i];
        bool is_new;
        map_add(&memory->known, alert->id, &is_new);
        if (!is_new) {
            outcome_of(detection, alert->rule, rules)->known++;
            detection->known++;
            continue;
        }
        ARRAY_PUSH(arena, fresh, *alert);
        ARRAY_PUSH(arena, &detection->alerts, *alert);
        incidents_add(memory->incidents, alert);
    }
}

static bool
run_round(Arena *arena, const DetectOptions *options, Detection *detection, Memory *memory,
          const bool *chosen, const int64_t *from, bool whole, AzError *error)
{
    size_t count = options->rules->len;
    AlertList raised = {0}, fresh = {0};
    Replay replay = {
        .options = options,
        .chosen = chosen,
        .last_alerts = memory->last_alerts,
        .from = from,
        .since = detection->since,
        .until = detection->until,
        .whole = whole,
        .outcomes = detection->outcomes,
        .alerts = &raised,
    };
    if (!replay_run(arena, &replay, error))
        return false;
    take_alerts(arena, detection, options->rules, memory, &raised, &fresh);
    if (!options->keep)
        return true;
    if (options->keeping && fresh.len && !options->keeping(options->keeping_context, &fresh, error))
        return false;
    RuleOutcome *ran = ARENA_ARRAY(arena, RuleOutcome, count + 1);
    size_t ran_count = 0;
    for (size_t r = 0; r < count; r++)
        if (chosen[r])
            ran[ran_count++] = detection->outcomes[r];
    if (!detect_write(options, &fresh, memory->incidents, ran, ran_count, error))
        return false;
    detection->kept = detection->alerts.len;
    for (size_t i = 0; i < memory->incidents->len; i++)
        memory->incidents->items[i].changed = false;
    return true;
}

// The range asked for, where it is not given the range of the data.
static bool
find_range(Database *db, const DetectOptions *options, Detection *detection, AzError *error)
{
    int64_t first = 0, last = 0;
    detection->since = options->since;
    detection->until = options->until;
    if (!options->since || !options->until) {
        if (!detect_data_range(db, &first, &last, error))
            return false;
        if (!last)
            return error_set(error, AZ_NOT_FOUND,
                             "the store '%s' holds no log rows with a TimeGenerated: import "
                             "telemetry first (azimuth import --logs)",
                             options->database.store);
    }
    if (!options->since)
        detection->since = first - 1;
    if (!options->until)
        detection->until = last;
    if (detection->since >= detection->until)
        return error_set(error, AZ_INVALID, "the range of time is empty: it ends before it begins");
    return true;
}

static bool
run_rounds(Arena *arena, const DetectOptions *options, Detection *detection, Memory *memory,
           const int64_t *from, bool whole, AzError *error)
{
    size_t count = options->rules->len;
    bool *first = ARENA_ARRAY(arena, bool, count + 1),
         *second = ARENA_ARRAY(arena, bool, count + 1);
    bool any_first = false, any_second = false;
    for (size_t r = 0; r < count; r++) {
        const AnalyticsRule *rule = &options->rules->items[r];
        first[r] = rule->enabled && !reads_alerts(rule);
        second[r] = rule->enabled && reads_alerts(rule);
        any_first |= first[r];
        any_second |= second[r];
    }
    return (!any_first ||
            run_round(arena, options, detection, memory, first, from, whole, error)) &&
           (!any_second ||
            run_round(arena, options, detection, memory, second, from, whole, error));
}

Detection *
detection_new(Arena *arena, const RuleSet *rules)
{
    Detection *detection = ARENA_NEW(arena, Detection);
    detection->outcome_count = rules->len;
    detection->outcomes = ARENA_ARRAY(arena, RuleOutcome, rules->len + 1);
    for (size_t r = 0; r < rules->len; r++)
        detection->outcomes[r].rule = &rules->items[r];
    incidents_init(&detection->incidents, arena);
    return detection;
}

bool
detect_rounds(Arena *arena, const DetectOptions *options, Detection *detection, const int64_t *from,
              bool whole, AzError *error)
{
    uint64_t start = clock_monotonic_ns();
    Memory memory = {.incidents = &detection->incidents};
    Database *db = db_open(&options->database, error);
    bool done = db && read_memory(db, arena, options, detection, &memory, error);
    db_close(db);
    done = done && run_rounds(arena, options, detection, &memory, from, whole, error);
    for (size_t r = 0; r < options->rules->len; r++)
        detection->runs += detection->outcomes[r].runs;
    detection->seconds = (double)(clock_monotonic_ns() - start) / 1e9;
    return done;
}

Detection *
detect_run(Arena *arena, const DetectOptions *options, AzError *error)
{
    Detection *detection = detection_new(arena, options->rules);
    Database *db = db_open(&options->database, error);
    bool done = db && find_range(db, options, detection, error);
    db_close(db);
    // A range that was not given ends with the run of each rule that sees the last row.
    bool whole = options->until == 0;
    return done && detect_rounds(arena, options, detection, NULL, whole, error) ? detection : NULL;
}
