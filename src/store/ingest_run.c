// One import from beginning to end: workers, errors, progress, commit.

#include "store/ingest_parts.h"

#include "base/array.h"
#include "base/clock.h"

#include <stdio.h>

enum { PROGRESS_NS = 50000000 }; // between two reports

bool
ingest_run_begin(IngestRun *run, Store *store, const IngestOptions *options, Arena *arena,
                 IngestReport *report)
{
    run->store = store;
    run->options = options;
    run->arena = arena;
    run->report = report;
    run->started = clock_monotonic_ns();
    run->rejects = ingest_rejects_new(store_dir(store));
    run->worker_count = options->threads ? thread_pool_size(options->threads) : 1;
    run->workers = calloc(run->worker_count, sizeof(*run->workers));
    if (!run->workers) {
        fprintf(stderr, "azimuth: out of memory (import)\n");
        abort();
    }
    pthread_mutex_init(&run->lock, NULL);
    for (size_t i = 0; i < run->worker_count; i++) {
        IngestWorker *worker = &run->workers[i];
        worker->run = run;
        worker->number = i;
        worker->parser = json_parser_new();
        worker->tree = dyn_builder_new();
        worker->unmapped = dyn_builder_new();
        worker->scalar = dyn_builder_new();
        worker->inner = json_parser_new();
        worker->inner_tree = dyn_builder_new();
    }
    *report = (IngestReport){0};
    return true;
}

bool
ingest_run_fail(IngestRun *run, const AzError *error)
{
    pthread_mutex_lock(&run->lock);
    if (!run->error.code)
        run->error = *error;
    run->failed = true;
    pthread_mutex_unlock(&run->lock);
    return false;
}

static void
run_free(IngestRun *run)
{
    for (size_t i = 0; i < run->worker_count; i++) {
        IngestWorker *worker = &run->workers[i];
        json_parser_free(worker->parser);
        dyn_builder_free(worker->tree);
        dyn_builder_free(worker->unmapped);
        dyn_builder_free(worker->scalar);
        json_parser_free(worker->inner);
        dyn_builder_free(worker->inner_tree);
        arena_free(&worker->scratch);
        ingest_chunk_free(&worker->chunk);
        buffer_free(&worker->redacted);
        buffer_free(&worker->cell);
        buffer_free(&worker->cell_redacted);
    }
    free(run->workers);
    ingest_rejects_free(run->rejects);
    pthread_mutex_destroy(&run->lock);
}

bool
ingest_run_end(IngestRun *run, AzError *error)
{
    IngestReport *report = run->report;
    report->rows = run->rows;
    report->rejected = run->rejected;
    report->bytes = run->bytes_done;
    if (!run->failed &&
        !ingest_rejects_finish(run->rejects, run->arena, &report->reject_file, &run->error))
        run->failed = true;
    bool done = !run->failed;
    if (done) {
        store_writer_stats(run->writer, report->bytes, report->rejected, str_from(run->tenant_id));
        done = store_commit(run->writer, &report->snapshot, error);
    } else {
        if (run->writer)
            store_abort(run->writer);
        if (error)
            *error = run->error;
    }
    report->seconds = (double)(clock_monotonic_ns() - run->started) / 1e9;
    run_free(run);
    return done;
}

void
ingest_progress(IngestWorker *worker)
{
    IngestRun *run = worker->run;
    if (worker->number != 0 || !run->options->progress)
        return;
    uint64_t now = clock_monotonic_ns();
    if (now - worker->progress_at < PROGRESS_NS)
        return;
    worker->progress_at = now;
    IngestProgress progress = {.file = run->progress_file ? run->progress_file : "",
                               .bytes_done = run->bytes_done,
                               .bytes_total = run->bytes_total,
                               .rows = run->rows,
                               .rejected = run->rejected};
    run->options->progress(run->options->progress_context, &progress);
}

void
ingest_workers_run(IngestRun *run, ThreadJob work, void *context)
{
    if (run->options->threads)
        thread_pool_run(run->options->threads, run->worker_count, work, context);
    else
        work(context, 0);
}

bool
ingest_declared_schema(IngestRun *run, Str name, Str *canonical, Schema *schema, TableKind *kind)
{
    *canonical = name;
    return run->options->find_schema &&
           run->options->find_schema(run->options->schema_context, name, run->arena, canonical,
                                     schema, kind);
}

void
ingest_row_put_text(IngestWorker *worker, IngestSink *sink, Str key, Str text)
{
    ingest_row_put(worker, sink,
                   &(JsonMember){.key = key, .kind = DYN_STRING, .string = text, .raw = text});
}

bool
ingest_status_write(IngestRun *run, const IngestStatus *rows, size_t count, AzError *error)
{
    static Column columns[] = {
        {STR_INIT("Dataset"), TYPE_STRING}, {STR_INIT("Scope"), TYPE_STRING},
        {STR_INIT("Status"), TYPE_STRING},  {STR_INIT("Reason"), TYPE_STRING},
        {STR_INIT("Rows"), TYPE_LONG},
    };
    Str name;
    Schema schema = {columns, COUNT_OF(columns)};
    TableKind kind = TABLE_INVENTORY;
    IngestTable table;
    ingest_declared_schema(run, STR("CollectionStatus"), &name, &schema, &kind);
    if (!ingest_table_make(run, name, &schema, kind, &table, error))
        return false;
    IngestWorker *worker = &run->workers[0];
    IngestSink *sink = ingest_sink_new(run, &table);
    IngestCounts counts = {0};
    uint64_t data_rows = run->rows; // the status rows are no data
    bool done = true;
    for (size_t i = 0; done && i < count; i++) {
        const char *why;
        ingest_row_begin(worker, sink);
        ingest_row_put_text(worker, sink, STR("Dataset"), rows[i].dataset);
        ingest_row_put_text(worker, sink, STR("Scope"), rows[i].scope);
        ingest_row_put_text(worker, sink, STR("Status"), rows[i].status);
        ingest_row_put_text(worker, sink, STR("Reason"), rows[i].reason);
        ingest_row_put(
            worker, sink,
            &(JsonMember){.key = STR("Rows"), .kind = DYN_LONG, .long_ = (int64_t)rows[i].rows});
        done = ingest_row_end(worker, sink, &counts, &why);
    }
    done = done && ingest_sink_flush(sink);
    ingest_sink_free(sink);
    run->rows = data_rows;
    if (!done && error && !error->code)
        *error = run->error;
    return done;
}
