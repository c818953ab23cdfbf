// A log import from beginning to end: find the files, learn, settle the tables, write, report.
//
// Both readings go over the same files: large ones one after another with all workers, small
// ones (a tree of PT1H.json blobs has thousands) dealt out, a file a worker. A file that holds
// nothing but rows of tables with known columns is only begun the first time.

#include "store/ingest_logs_parts.h"

#include "base/array.h"
#include "base/clock.h"
#include "value/scalar.h"

#include <stdio.h>
#include <stdlib.h>

enum { SMALL_FILE = 8 << 20 };

void
log_worker_begin(LogWorker *worker, LogFile *file)
{
    worker->file = file;
    worker->row_learnt = NULL;
    worker->row_table = NULL;
    worker->all_rows = true;
}

static LogWorker *
log_worker(void *context, const IngestWorker *base, IngestFile *file)
{
    LogImport *import = context;
    LogWorker *worker = &import->workers[base->number];
    LogFile *log_file = (LogFile *)(void *)file; // its first member
    if (worker->file != log_file)
        log_worker_begin(worker, log_file);
    arena_reset(&worker->arena);
    return worker;
}

static bool
take_json(void *context, IngestWorker *base, IngestFile *file, Str record, Str original,
          const char **why)
{
    LogWorker *worker = log_worker(context, base, file);
    worker->original = original;
    *why = NULL;
    return worker->import->writing ? log_write_json(worker, record, why)
                                   : log_learn_json(worker, record, why);
}

static bool
take_csv(void *context, IngestWorker *base, IngestFile *file, const CsvHeader *header,
         char delimiter, Str row, const char **why)
{
    LogWorker *worker = log_worker(context, base, file);
    worker->file->source.csv = true;
    worker->original = row;
    Dyn tree;
    dyn_builder_reset(base->tree);
    if (!ingest_csv_bag(base, base->tree, header, delimiter, row, why) ||
        !dyn_finish(base->tree, &tree, why))
        return false;
    *why = NULL;
    return log_map(worker, tree, worker->import->writing ? log_write_row : log_learn_row);
}

static bool
take_enough(void *context, IngestWorker *base, IngestFile *file)
{
    LogWorker *worker = log_worker(context, base, file);
    if (worker->import->writing)
        return !log_sinks_bound(worker);
    return worker->all_rows && worker->row_learnt;
}

static bool
file_is_small(const LogFile *file)
{
    return file->file.size < SMALL_FILE;
}

static void
deal_files(void *context, size_t number)
{
    LogImport *import = context;
    const IngestTaker taker = {import, take_json, take_csv, take_enough};
    for (;;) {
        size_t i = atomic_fetch_add(&import->next, 1);
        if (i >= import->files.len || import->run.failed)
            return;
        LogFile *file = import->files.items[i];
        if (file_is_small(file))
            ingest_file_take(&import->run, &import->run.workers[number], &file->file, &taker,
                             import->writing);
    }
}

// One reading of all files.
static bool
read_files(LogImport *import)
{
    IngestRun *run = &import->run;
    const IngestTaker taker = {import, take_json, take_csv, take_enough};
    for (size_t i = 0; i < import->files.len && !run->failed; i++)
        if (!file_is_small(import->files.items[i]))
            ingest_file_take(run, NULL, &import->files.items[i]->file, &taker, import->writing);
    import->next = 0;
    if (!run->failed)
        ingest_workers_run(run, deal_files, import);
    for (size_t w = 0; w < run->worker_count; w++)
        import->workers[w].file = NULL;
    return !run->failed;
}

static void
flush_work(void *context, size_t number)
{
    LogImport *import = context;
    log_sinks_flush(&import->workers[number]);
}

static bool
write_files(LogImport *import)
{
    IngestRun *run = &import->run;
    import->writing = true;
    bool done = read_files(import);
    ingest_workers_run(run, flush_work, import);
    for (size_t w = 0; w < run->worker_count; w++) // the pool may have run fewer
        log_sinks_flush(&import->workers[w]);
    return done && !run->failed;
}

// ---- report ----

static int
row_order(const void *a, const void *b)
{
    const LogReportRow *x = a, *y = b;
    int order = str_compare(x->format, y->format);
    return order ? order : str_compare(x->table, y->table);
}

static void
report_rows(LogImport *import, LogReport *report)
{
    IngestRun *run = &import->run;
    size_t count = 0;
    for (size_t w = 0; w < run->worker_count; w++)
        count += import->workers[w].counts.len;
    report->rows = ARENA_ARRAY(run->arena, LogReportRow, count + 1);
    for (size_t w = 0; w < run->worker_count; w++)
        for (size_t i = 0; i < import->workers[w].counts.len; i++) {
            const LogCount *from = import->workers[w].counts.items[i];
            LogReportRow *to = NULL;
            for (size_t k = 0; k < report->row_count && !to; k++)
                if (str_equal(report->rows[k].format, from->format) &&
                    str_equal(report->rows[k].table, from->table->table.name))
                    to = &report->rows[k];
            if (!to) {
                to = &report->rows[report->row_count++];
                to->format = str_copy(run->arena, from->format);
                to->table = from->table->table.name;
            }
            to->rows += from->counts.rows;
            to->unmapped += from->counts.unmapped;
            to->timeless += from->timeless;
            to->ahead += from->ahead;
        }
    qsort(report->rows, report->row_count, sizeof(*report->rows), row_order);
    for (size_t i = report->row_count; i-- > 0;)
        if (!report->rows[i].rows)
            report->rows[i] = report->rows[--report->row_count];
    qsort(report->rows, report->row_count, sizeof(*report->rows), row_order);
}

static void
report_files(LogImport *import, LogReport *report)
{
    IngestRun *run = &import->run;
    report->files =
        ARENA_ARRAY(run->arena, LogFileReport, import->files.len + import->skipped_count + 1);
    for (size_t i = 0; i < import->files.len; i++) {
        const IngestFile *file = &import->files.items[i]->file;
        Str remark = import->files.items[i]->remark;
        if (file->problem[0])
            remark = str_copy(run->arena, str_from(file->problem));
        if (file->counts.rejected || remark.len)
            report->files[report->file_count++] =
                (LogFileReport){file->name, file->counts.rejected, remark};
    }
    for (size_t i = 0; i < import->skipped_count; i++)
        report->files[report->file_count++] = (LogFileReport){.name = import->skipped[i]};
    report->files_read = import->files.len;
}

// ---- the run ----

static void
workers_begin(LogImport *import)
{
    IngestRun *run = &import->run;
    import->workers = ARENA_ARRAY(run->arena, LogWorker, run->worker_count);
    for (size_t w = 0; w < run->worker_count; w++) {
        LogWorker *worker = &import->workers[w];
        worker->import = import;
        worker->base = &run->workers[w];
        map_init(&worker->learnt, &worker->kept, true);
    }
}

static bool
import_files(LogImport *import, LogReport *report, AzError *error)
{
    IngestRun *run = &import->run;
    StoreImportInfo info = {STR("logs"), {0}, str_from(run->options->tool_version), false};
    if (!log_files_choose(import, report, error))
        return false;
    run->writer = store_writer_new(run->store, &info, error);
    if (!run->writer)
        return false;
    run->bytes_total *= 2;
    if (!read_files(import) || !log_tables_make(import, error))
        return false;
    run->bytes_done = run->bytes_total / 2; // what needed no learning is as good as learnt
    if (!write_files(import))
        return false;
    log_files_keep(import);
    return true;
}

bool
ingest_logs(Store *store, const char *const *paths, size_t path_count, const IngestOptions *options,
            const LogOptions *log, Arena *arena, LogReport *report, AzError *error)
{
    LogImport import = {.options = log};
    IngestReport totals;
    AzError failure = {0};
    *report = (LogReport){0};
    import.latest = clock_now_ticks() + TICKS_PER_DAY;
    ingest_run_begin(&import.run, store, options, arena, &totals);
    pthread_rwlock_init(&import.lock, NULL);
    map_init(&import.tables, arena, true);
    workers_begin(&import);
    bool done = log_files_find(&import, paths, path_count, &failure) &&
                import_files(&import, report, &failure);
    import.run.report = &totals;
    if (done) {
        report_rows(&import, report);
        report_files(&import, report);
        import.run.bytes_done -= import.run.bytes_total / 2;
    } else if (failure.code) {
        ingest_run_fail(&import.run, &failure);
    }
    size_t workers = import.run.worker_count;
    bool ended = ingest_run_end(&import.run, error);
    for (size_t w = 0; w < workers; w++) {
        arena_free(&import.workers[w].arena);
        arena_free(&import.workers[w].kept);
    }
    pthread_rwlock_destroy(&import.lock);
    report->total = totals.rows;
    report->rejected = totals.rejected;
    report->bytes = totals.bytes;
    report->reject_file = totals.reject_file;
    report->seconds = totals.seconds;
    return ended;
}
