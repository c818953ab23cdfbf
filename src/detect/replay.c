// The runs of all rules, day by day: rules that read the same table follow each other while its
// blocks are in the cache. Workers take pieces (a rule on a day) one after another; each has a
// database of its own, so that nothing is shared but the list of pieces.

#include "detect/replay.h"

#include "azure/tables.h"
#include "base/clock.h"
#include "value/scalar.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

// What a rule's pieces tell each other.
typedef struct RuleState {
    atomic_uint failures; // in a row
    atomic_bool looked;   // at the tables it reads: they hold rows at all its runs or at none
    atomic_bool stopped;
    _Atomic uint64_t alerts;
} RuleState;

typedef struct Piece {
    size_t rule;
    int64_t first, last; // its runs, at multiples of the rule's frequency
    AlertList alerts;
} Piece;

typedef struct Worker {
    Database *db;
    PreparedQuery **queries; // one a rule, once it ran
    Arena arena;             // alerts
    RuleOutcome *outcomes;   // one a rule, added up at the end
    AzError error;
} Worker;

typedef struct Work {
    const Replay *replay;
    RuleState *states;
    struct {
        Piece *items;
        size_t len, cap;
    } pieces;
    atomic_size_t next;
    _Atomic uint64_t done;
    uint64_t total;
    Worker *workers;
    size_t worker_count;
    Store *store; // that all of them read; NULL: there is none
} Work;

// ---- one run ----

// The error as people find its place: file, line in the file, rule.
static Str
locate(Arena *arena, const AnalyticsRule *rule, const AzError *cause)
{
    uint32_t line = 1, column = 1;
    if (cause->has_span)
        text_position(rule->query, cause->span.start, &line, &column);
    return str_format(arena, "%.*s:%u: rule '%.*s': %s", STR_ARG(rule->file),
                      (rule->query_line ? rule->query_line : 1) + line - 1, STR_ARG(rule->name),
                      cause->message);
}

// A query that cannot be read or bound will not get better with time.
static bool
is_for_good(AzCode code)
{
    return code == AZ_SYNTAX || code == AZ_SEMANTIC || code == AZ_UNSUPPORTED ||
           code == AZ_NOT_FOUND || code == AZ_INVALID;
}

static void
run_failed(Work *work, Worker *worker, const Piece *piece, const AzError *cause)
{
    const DetectOptions *options = work->replay->options;
    RuleState *state = &work->states[piece->rule];
    RuleOutcome *outcome = &worker->outcomes[piece->rule];
    outcome->failed++;
    outcome->lacking |= cause->of_table;
    if (!outcome->reason.len)
        outcome->reason = locate(&worker->arena, &options->rules->items[piece->rule], cause);
    if (atomic_fetch_add(&state->failures, 1) + 1 >= FAILED_RUNS || is_for_good(cause->code))
        atomic_store(&state->stopped, true);
}

// Replayed history says little of when it arrived. Of what comes while rules run, near-real-time
// rules look at what arrived (near-real-time-rules), and a rule that asks ingestion_time(), so as
// to take late rows once (ingestion-delay), must not see what arrives after its run: the next
// run would see it again.
static WindowBy
window_by(const DetectOptions *options, const AnalyticsRule *rule)
{
    if (!options->live)
        return WINDOW_EVENT;
    if (rule->kind == RULE_NRT)
        return WINDOW_ARRIVAL;
    return str_find(rule->query, STR("ingestion_time")) >= 0 ? WINDOW_SEEN : WINDOW_EVENT;
}

// Of a rule that read nothing, what was empty; the first ten say enough.
static void
note_empty(Worker *worker, RuleOutcome *outcome, const TablesRead *tables)
{
    enum { NAMED = 10 };
    if (tables->holds_rows || !tables->empty.len)
        return;
    Buffer names = {0};
    for (size_t i = 0; i < tables->empty.len && i < NAMED; i++)
        buffer_printf(&names, "%s%.*s", i ? ", " : "", STR_ARG(tables->empty.items[i]));
    if (tables->empty.len > NAMED)
        buffer_printf(&names, " and %zu more", tables->empty.len - NAMED);
    outcome->blind = true;
    outcome->empty_tables = str_copy(&worker->arena, buffer_slice(&names));
    buffer_free(&names);
}

// The rule's query, which each worker parses once.
static PreparedQuery *
query_of(Worker *worker, size_t number, const AnalyticsRule *rule, AzError *error)
{
    if (!worker->queries[number])
        worker->queries[number] = db_prepare(worker->db, rule->query, error);
    return worker->queries[number];
}

static void
run_once(Work *work, Worker *worker, Piece *piece, int64_t run)
{
    const DetectOptions *options = work->replay->options;
    const AnalyticsRule *rule = &options->rules->items[piece->rule];
    RuleState *state = &work->states[piece->rule];
    RuleOutcome *outcome = &worker->outcomes[piece->rule];
    QueryOptions query = {
        .cancel = options->cancel,
        .timeout_ns = options->timeout_ns,
        .now = run,
        .window_from = run - rule->period,
        .window_to = run,
        .window_by = window_by(options, rule),
        .assume_custom_tables = true,
    };
    Arena scratch = {0};
    AzError cause = {0};
    TablesRead tables = {.arena = &scratch};
    if (!atomic_exchange(&state->looked, true))
        query.tables_read = &tables;
    uint64_t start = clock_monotonic_ns();
    PreparedQuery *prepared = query_of(worker, piece->rule, rule, &cause);
    QueryResult *result = prepared ? db_run_prepared(prepared, &scratch, &query, &cause) : NULL;
    outcome->runs++;
    if (!outcome->first_run || run < outcome->first_run)
        outcome->first_run = run;
    if (run > outcome->last_run)
        outcome->last_run = run;
    if (!result) {
        run_failed(work, worker, piece, &cause);
    } else {
        size_t before = piece->alerts.len;
        atomic_store(&state->failures, 0);
        note_empty(worker, outcome, &tables);
        alerts_from_result(&worker->arena, rule, run, result->tables[result->primary],
                           &piece->alerts);
        size_t raised = piece->alerts.len - before;
        outcome->alerts += raised;
        if (atomic_fetch_add(&state->alerts, raised) + raised > ALERTS_OF_RULE &&
            !atomic_exchange(&state->stopped, true))
            outcome->reason = str_format(
                &worker->arena,
                "%.*s: rule '%.*s' raised more than %d alerts and was stopped: raise its "
                "threshold, group its results (eventGroupingSettings) or narrow the query",
                STR_ARG(rule->file), STR_ARG(rule->name), ALERTS_OF_RULE);
    }
    outcome->milliseconds += (double)(clock_monotonic_ns() - start) / 1e6;
    arena_free(&scratch);
}

static bool
stopped(const DetectOptions *options)
{
    return options->cancel && atomic_load(options->cancel);
}

static void
run_piece(Work *work, Worker *worker, Piece *piece)
{
    const DetectOptions *options = work->replay->options;
    const AnalyticsRule *rule = &options->rules->items[piece->rule];
    RuleState *state = &work->states[piece->rule];
    RuleOutcome *outcome = &worker->outcomes[piece->rule];
    int64_t raised = work->replay->last_alerts[piece->rule];
    for (int64_t run = piece->first; run <= piece->last; run += rule->frequency) {
        if (stopped(options))
            return;
        if (atomic_load(&state->stopped)) {
            outcome->stopped = true;
            db_prepared_free(worker->queries[piece->rule]);
            worker->queries[piece->rule] = NULL;
        } else if (rule->suppress && raised && run > raised && run - raised < rule->suppression) {
            outcome->suppressed++;
        } else {
            size_t before = piece->alerts.len;
            run_once(work, worker, piece, run);
            if (piece->alerts.len > before)
                raised = run;
        }
        atomic_fetch_add(&work->done, 1);
    }
}

// ---- workers ----

typedef struct Job {
    Work *work;
    size_t number;
} Job;

static void *
worker_main(void *context)
{
    Job *job = context;
    Work *work = job->work;
    Worker *worker = &work->workers[job->number];
    const DetectOptions *options = work->replay->options;
    DatabaseOptions database = options->database;
    database.threads = 1;
    database.opened = work->store;
    if (database.memory_limit)
        database.memory_limit /= work->worker_count;
    worker->db = db_open(&database, &worker->error);
    if (!worker->db)
        return NULL;
    azure_add_tables(worker->db);
    size_t rules = options->rules->len;
    worker->queries = ARENA_ARRAY(&worker->arena, PreparedQuery *, rules + 1);
    for (;;) {
        size_t next = atomic_fetch_add(&work->next, 1);
        if (next >= work->pieces.len || stopped(options))
            break;
        run_piece(work, worker, &work->pieces.items[next]);
        if (job->number == 0 && options->progress)
            options->progress(options->progress_context, atomic_load(&work->done), work->total);
    }
    for (size_t r = 0; r < rules; r++)
        db_prepared_free(worker->queries[r]);
    db_close(worker->db);
    return NULL;
}

static void
run_workers(Work *work)
{
    pthread_t threads[work->worker_count];
    Job jobs[work->worker_count];
    size_t started = 1;
    for (size_t i = 0; i < work->worker_count; i++)
        jobs[i] = (Job){work, i};
    // Where a thread cannot be had the others do its work.
    while (started < work->worker_count &&
           pthread_create(&threads[started], NULL, worker_main, &jobs[started]) == 0)
        started++;
    worker_main(&jobs[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
}

// ---- pieces ----

static int64_t
first_run_after(int64_t time, int64_t frequency)
{
    return (time / frequency + 1) * frequency;
}

// The runs of a rule cut by days; a rule with suppression in one piece, since a run depends on
// those before it.
static void
cut_rule(Arena *arena, Work *work, size_t number)
{
    const Replay *replay = work->replay;
    const AnalyticsRule *rule = &replay->options->rules->items[number];
    int64_t frequency = rule->frequency,
            since = replay->from ? replay->from[number] : replay->since;
    int64_t first = first_run_after(since, frequency);
    int64_t last = replay->until / frequency * frequency;
    if (replay->whole && last < replay->until)
        last += frequency;
    while (first <= last) {
        int64_t end = rule->suppress ? last : (first / TICKS_PER_DAY + 1) * TICKS_PER_DAY;
        end = end < last ? (end - 1) / frequency * frequency : last;
        if (end < first)
            end = first;
        Piece piece = {.rule = number, .first = first, .last = end};
        ARRAY_PUSH(arena, &work->pieces, piece);
        work->total += (uint64_t)((end - first) / frequency + 1);
        first = end + frequency;
    }
}

static int
by_day(const void *a, const void *b)
{
    const Piece *x = a, *y = b;
    int64_t day_x = x->first / TICKS_PER_DAY, day_y = y->first / TICKS_PER_DAY;
    return day_x != day_y       ? (day_x < day_y ? -1 : 1)
           : x->rule != y->rule ? (x->rule < y->rule ? -1 : 1)
                                : (x->first > y->first) - (x->first < y->first);
}

static int
by_time(const void *a, const void *b)
{
    const Alert *x = a, *y = b;
    int order = (x->run > y->run) - (x->run < y->run);
    order = order ? order : str_compare_ci(x->rule->id, y->rule->id);
    return order ? order : (x->part > y->part) - (x->part < y->part);
}

// Alerts live in the workers' arenas, which the caller's takes over.
static void
gather(Arena *arena, Work *work)
{
    const Replay *replay = work->replay;
    size_t rules = replay->options->rules->len;
    for (size_t i = 0; i < work->pieces.len; i++)
        for (size_t a = 0; a < work->pieces.items[i].alerts.len; a++)
            ARRAY_PUSH(arena, replay->alerts, work->pieces.items[i].alerts.items[a]);
    if (replay->alerts->len)
        qsort(replay->alerts->items, replay->alerts->len, sizeof(Alert), by_time);
    for (size_t w = 0; w < work->worker_count; w++) {
        for (size_t r = 0; r < rules; r++) {
            const RuleOutcome *part = &work->workers[w].outcomes[r];
            RuleOutcome *whole = &replay->outcomes[r];
            whole->runs += part->runs;
            whole->failed += part->failed;
            whole->suppressed += part->suppressed;
            whole->alerts += part->alerts;
            whole->milliseconds += part->milliseconds;
            whole->stopped |= part->stopped;
            whole->lacking |= part->lacking;
            if (part->blind && !whole->blind)
                whole->empty_tables = str_copy(arena, part->empty_tables);
            whole->blind |= part->blind;
            if (part->first_run && (!whole->first_run || part->first_run < whole->first_run))
                whole->first_run = part->first_run;
            if (part->last_run > whole->last_run)
                whole->last_run = part->last_run;
            if (!whole->reason.len && part->reason.len)
                whole->reason = str_copy(arena, part->reason);
        }
    }
}

bool
replay_run(Arena *arena, Replay *replay, AzError *error)
{
    const DetectOptions *options = replay->options;
    Work work = {.replay = replay};
    work.store = options->database.opened;
    if (!work.store && options->database.store &&
        !(work.store = store_open(options->database.store, STORE_READ, error)))
        return false;
    if (work.store && !options->database.opened)
        store_keep(work.store, REPLAY_KEPT_BYTES);
    work.states = ARENA_ARRAY(arena, RuleState, options->rules->len + 1);
    for (size_t r = 0; r < options->rules->len; r++)
        if (replay->chosen[r])
            cut_rule(arena, &work, r);
    if (work.pieces.len)
        qsort(work.pieces.items, work.pieces.len, sizeof(Piece), by_day);
    work.worker_count = options->database.threads ? options->database.threads : threads_default();
    work.workers = ARENA_ARRAY(arena, Worker, work.worker_count);
    for (size_t w = 0; w < work.worker_count; w++)
        work.workers[w].outcomes = ARENA_ARRAY(arena, RuleOutcome, options->rules->len + 1);
    run_workers(&work);
    if (!options->database.opened)
        store_close(work.store);
    gather(arena, &work);
    bool done = true;
    for (size_t w = 0; w < work.worker_count; w++) {
        arena_adopt(arena, &work.workers[w].arena);
        if (done && work.workers[w].error.code != AZ_OK) {
            *error = work.workers[w].error;
            done = false;
        }
    }
    if (done && stopped(options))
        done = error_set(error, AZ_CANCELLED, "stopped; nothing was kept of this run");
    return done;
}
