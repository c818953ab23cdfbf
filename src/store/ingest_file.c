// Files to rows: the loop every import runs.
//
// Workers take turns at the splitter (under the job's mutex) and parse what they got
// on their own, so reading and unpacking overlap with parsing and no worker waits
// for another. Each worker has one chunk and one batch in memory.

#include "store/ingest_parts.h"

#include "base/array.h"
#include "store/ingest_redact.h"

#include <stdio.h>
#include <string.h>

enum {
    ROWS_DEPTH = 3,         // pages in arrays in lines: how deep rows are looked for
    INFER_BYTES = 32 << 20, // of a file, at most, to learn an unknown schema from
    NAME_MAX_LEN = 128,
};

// One file on its way into one table.
typedef struct FileJob {
    IngestRun *run;
    IngestFile *file;
    const IngestTable *table;
    const IngestTaker *taker; // instead of a table
    _Atomic bool enough;
    IngestSplitter *splitter;
    pthread_mutex_t mutex; // of the splitter
    uint64_t position;     // of the file, counted in run->bytes_done
    bool first_taken;      // the chunk that worker `opener` holds already
    size_t opener;
    Arena arena; // of the header
    CsvHeader header;
    ptrdiff_t *columns;
} FileJob;

static bool
has_extension(Str name, Str extension)
{
    return name.len > extension.len &&
           str_equal_ci(str_slice(name, name.len - extension.len, name.len), extension);
}

bool
ingest_file_name(Arena *arena, Str name, Str *table, IngestFormat *format, const char **why)
{
    static const Str packed[] = {STR_INIT(".gz"), STR_INIT(".zst")};
    static const struct {
        Str extension;
        IngestFormat format;
    } formats[] = {
        {STR_INIT(".json"), INGEST_DOCUMENTS},
        {STR_INIT(".jsonl"), INGEST_DOCUMENTS},
        {STR_INIT(".ndjson"), INGEST_DOCUMENTS},
        {STR_INIT(".csv"), INGEST_CSV},
    };
    ptrdiff_t dot = str_find(name, STR("."));
    *table = str_copy(arena, str_slice(name, 0, dot < 0 ? name.len : (size_t)dot));
    *format = INGEST_GUESS;
    for (size_t i = 0; i < COUNT_OF(packed); i++)
        if (has_extension(name, packed[i])) {
            name.len -= packed[i].len;
            break;
        }
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (has_extension(name, formats[i].extension))
            *format = formats[i].format;
    *why = NULL;
    if (*format == INGEST_GUESS)
        *why = "its name does not end in .json, .jsonl, .ndjson or .csv (.gz, .zst)";
    else if (!table->len)
        *why = "its name has nothing before the first dot";
    else if (table->len > NAME_MAX_LEN)
        *why = "its table name is longer than 128 bytes";
    return !*why;
}

bool
ingest_reject(IngestRun *run, IngestFile *file, const IngestChunk *chunk, Str record,
              const char *reason, bool hide)
{
    AzError error = {0};
    uint64_t line, offset;
    if (file->quiet)
        return true;
    ingest_chunk_place(chunk, record.ptr, &line, &offset);
    atomic_fetch_add(&file->counts.rejected, 1);
    atomic_fetch_add(&run->rejected, 1);
    if (hide)
        record = STR("***");
    return ingest_rejects_add(run->rejects, file->name, line, offset, reason, record, &error) ||
           ingest_run_fail(run, &error);
}

// A rejected line may hold several documents side by side; then each is a record.
static bool
is_several(Str text)
{
    size_t end = ingest_value_end(text, 0);
    return text.ptr[0] == '{' && end < text.len && str_trim(str_slice(text, end, text.len)).len &&
           str_trim(str_slice(text, end, text.len)).ptr[0] == '{';
}

static bool read_document(FileJob *job, IngestWorker *worker, Str text, int depth);

static bool
read_several(FileJob *job, IngestWorker *worker, Str text, int depth)
{
    while ((text = str_trim(text)).len) {
        size_t end = ingest_value_end(text, 0);
        if (end == SIZE_MAX)
            end = text.len;
        if (!read_document(job, worker, str_slice(text, 0, end), depth + 1))
            return false;
        text = str_slice(text, end, text.len);
    }
    return true;
}

static bool
read_object(FileJob *job, IngestWorker *worker, Str text, int depth)
{
    const char *why;
    Str masked = ingest_redact(&worker->redacted, text);
    const IngestTaker *taker = job->taker;
    if (taker ? taker->json(taker->context, worker, job->file, masked, text, &why)
              : ingest_sink_json(worker, worker->sink, masked, &job->file->counts, &why))
        return true;
    if (!why)
        return false;
    if (depth < ROWS_DEPTH && text.len && is_several(text))
        return read_several(job, worker, text, depth);
    return ingest_reject(job->run, job->file, &worker->chunk, text, why, false);
}

static bool
read_document(FileJob *job, IngestWorker *worker, Str text, int depth)
{
    IngestRows rows = ingest_rows_of(text);
    if (rows.single || depth >= ROWS_DEPTH)
        return read_object(job, worker, text, depth);
    IngestRecord row;
    while (ingest_rows_next(&rows, &row)) {
        bool done = row.problem ? ingest_reject(job->run, job->file, &worker->chunk, row.text,
                                                row.problem, false)
                                : read_document(job, worker, row.text, depth + 1);
        if (!done)
            return false;
    }
    return true;
}

static bool
read_csv(FileJob *job, IngestWorker *worker, Str row)
{
    const char *why;
    char delimiter = ingest_splitter_delimiter(job->splitter);
    const IngestTaker *taker = job->taker;
    if (taker ? taker->csv(taker->context, worker, job->file, &job->header, delimiter, row, &why)
              : ingest_sink_csv(worker, worker->sink, &job->header, job->columns, delimiter, row,
                                &job->file->counts, &why))
        return true;
    return why && ingest_reject(job->run, job->file, &worker->chunk, row, why, job->header.secret);
}

static bool
read_chunk(FileJob *job, IngestWorker *worker)
{
    IngestRecord record;
    bool is_csv = ingest_splitter_format(job->splitter) == INGEST_CSV;
    while (ingest_chunk_next(&worker->chunk, &record)) {
        bool done;
        if (record.problem)
            done = ingest_reject(job->run, job->file, &worker->chunk, record.text, record.problem,
                                 is_csv && job->header.secret);
        else if (is_csv)
            done = read_csv(job, worker, record.text);
        else
            done = read_document(job, worker, record.text, 0);
        if (!done)
            return false;
    }
    return true;
}

static bool
next_chunk(FileJob *job, IngestWorker *worker)
{
    if (worker->number == job->opener && !job->first_taken) {
        job->first_taken = true; // only the opener reads and writes it
        return true;
    }
    pthread_mutex_lock(&job->mutex);
    bool more = ingest_splitter_next(job->splitter, &worker->chunk);
    uint64_t position = ingest_stream_position(ingest_splitter_stream(job->splitter));
    atomic_fetch_add(&job->run->bytes_done, position - job->position);
    job->position = position;
    pthread_mutex_unlock(&job->mutex);
    return more;
}

static void
job_work(void *context, size_t number)
{
    FileJob *job = context;
    IngestWorker *worker = &job->run->workers[number];
    while (!job->run->failed && !job->enough && next_chunk(job, worker)) {
        if (!read_chunk(job, worker))
            return;
        if (job->taker && job->taker->enough(job->taker->context, worker, job->file))
            job->enough = true;
        ingest_progress(worker);
    }
}

// The header of a CSV file: the first row, when it can be read.
static bool
read_header(FileJob *job, IngestWorker *worker)
{
    IngestRecord record;
    if (!ingest_chunk_next(&worker->chunk, &record))
        return true;
    char delimiter = ingest_splitter_delimiter(job->splitter);
    bool read =
        !record.problem && csv_header_read(&job->arena, record.text, delimiter, &job->header);
    if (!read && !job->table && !job->taker)
        return false; // only learning: the reject is written when the rows are read
    if (!read)
        return ingest_reject(job->run, job->file, &worker->chunk, record.text,
                             record.problem ? record.problem : "the header has too many columns",
                             false) &&
               false;
    if (!job->table)
        return true;
    job->columns = ARENA_ARRAY(&job->arena, ptrdiff_t, job->header.count);
    for (size_t i = 0; i < job->header.count; i++) {
        const MapEntry *entry = map_find(&job->table->exact, job->header.names[i]);
        if (!entry)
            entry = map_find(&job->table->any_case, job->header.names[i]);
        job->columns[i] = entry ? (ptrdiff_t)entry->number : -1;
        // Two names for one column: the second is kept in `_Unmapped`.
        for (size_t k = 0; k < i; k++)
            if (job->columns[k] == job->columns[i])
                job->columns[i] = -1;
    }
    return true;
}

// Opens the file and takes its first chunk. False when there is nothing to read
// (file->problem may say why).
static bool
job_open(FileJob *job, IngestRun *run, const IngestTable *table, const IngestTaker *taker,
         IngestFile *file, IngestWorker *worker)
{
    AzError error = {0};
    *job = (FileJob){
        .run = run, .file = file, .table = table, .taker = taker, .opener = worker->number};
    IngestStream *stream = ingest_stream_open(file->path, &error);
    if (!stream) {
        file->unreadable = true;
        snprintf(file->problem, sizeof(file->problem), "%s", error.message);
        return false;
    }
    job->splitter = ingest_splitter_new(stream, file->format);
    if (file->begin || file->end)
        ingest_splitter_range(job->splitter, file->begin, file->end);
    pthread_mutex_init(&job->mutex, NULL);
    if (ingest_splitter_next(job->splitter, &worker->chunk))
        return ingest_splitter_format(job->splitter) != INGEST_CSV || read_header(job, worker);
    return false;
}

static void
job_close(FileJob *job)
{
    if (!job->splitter)
        return;
    const char *problem = ingest_stream_problem(ingest_splitter_stream(job->splitter));
    if (problem)
        snprintf(job->file->problem, sizeof(job->file->problem), "%s", problem);
    uint64_t position = ingest_stream_position(ingest_splitter_stream(job->splitter));
    if (position > job->position)
        atomic_fetch_add(&job->run->bytes_done, position - job->position);
    ingest_splitter_free(job->splitter);
    pthread_mutex_destroy(&job->mutex);
    arena_free(&job->arena);
}

// An unreadable file is a reject of its own.
static void
report_unreadable(IngestRun *run, IngestFile *file)
{
    AzError error = {0};
    atomic_fetch_add(&file->counts.rejected, 1);
    atomic_fetch_add(&run->rejected, 1);
    if (!ingest_rejects_add(run->rejects, file->name, 0, 0, file->problem, (Str){0}, &error))
        ingest_run_fail(run, &error);
}

bool
ingest_files_alone(IngestWorker *worker, const IngestTable *table, IngestFile **files, size_t count)
{
    IngestRun *run = worker->run;
    worker->sink = ingest_sink_new(run, table);
    for (size_t i = 0; i < count && !run->failed; i++) {
        FileJob job;
        if (job_open(&job, run, table, NULL, files[i], worker))
            job_work(&job, worker->number);
        job_close(&job);
        if (files[i]->unreadable)
            report_unreadable(run, files[i]);
    }
    if (!run->failed)
        ingest_sink_flush(worker->sink);
    ingest_sink_free(worker->sink);
    worker->sink = NULL;
    return !run->failed;
}

static void
flush_work(void *context, size_t number)
{
    IngestRun *run = context;
    IngestWorker *worker = &run->workers[number];
    if (!run->failed)
        ingest_sink_flush(worker->sink);
    ingest_sink_free(worker->sink);
    worker->sink = NULL;
}

bool
ingest_files_parallel(IngestRun *run, const IngestTable *table, IngestFile **files, size_t count)
{
    for (size_t i = 0; i < run->worker_count; i++)
        run->workers[i].sink = ingest_sink_new(run, table);
    for (size_t i = 0; i < count && !run->failed; i++) {
        FileJob job;
        run->progress_file = files[i]->path;
        if (job_open(&job, run, table, NULL, files[i], &run->workers[0]))
            ingest_workers_run(run, job_work, &job);
        job_close(&job);
        if (files[i]->unreadable)
            report_unreadable(run, files[i]);
    }
    // The pool may run fewer workers than there are sinks when threads are short.
    ingest_workers_run(run, flush_work, run);
    for (size_t i = 0; i < run->worker_count; i++)
        if (run->workers[i].sink)
            flush_work(run, i);
    return !run->failed;
}

bool
ingest_file_take(IngestRun *run, IngestWorker *alone, IngestFile *file, const IngestTaker *taker,
                 bool again)
{
    FileJob job;
    IngestWorker *opener = alone ? alone : &run->workers[0];
    file->quiet = !again;
    file->problem[0] = 0;
    if (opener->number == 0)
        run->progress_file = file->path;
    if (job_open(&job, run, NULL, taker, file, opener)) {
        if (alone)
            job_work(&job, alone->number);
        else
            ingest_workers_run(run, job_work, &job);
    }
    job_close(&job);
    if (file->unreadable && again)
        report_unreadable(run, file);
    return !run->failed;
}

static bool
visit_rows(IngestWorker *worker, Str text, int depth, IngestVisit visit, void *context)
{
    IngestRows rows = ingest_rows_of(text);
    IngestRecord row = {text, NULL};
    if (rows.single || depth >= ROWS_DEPTH)
        return visit(context, &worker->chunk, &row);
    while (ingest_rows_next(&rows, &row)) {
        bool more = row.problem ? visit(context, &worker->chunk, &row)
                                : visit_rows(worker, row.text, depth + 1, visit, context);
        if (!more)
            return false;
    }
    return true;
}

bool
ingest_file_visit(IngestWorker *worker, IngestFile *file, IngestVisit visit, void *context)
{
    FileJob job;
    bool open = job_open(&job, worker->run, NULL, NULL, file, worker);
    for (bool more = open; more && next_chunk(&job, worker);) {
        IngestRecord record;
        while (more && ingest_chunk_next(&worker->chunk, &record))
            more = record.problem ? visit(context, &worker->chunk, &record)
                                  : visit_rows(worker, record.text, 0, visit, context);
        ingest_progress(worker);
    }
    job_close(&job);
    return !file->unreadable;
}

// Learning a schema.
typedef struct Learn {
    IngestInfer infer;
    IngestWorker *worker;
    const CsvHeader *header;
    char delimiter;
    uint64_t bytes;
} Learn;

static bool
learn_record(Learn *learn, const IngestRecord *record)
{
    learn->bytes += record->text.len;
    if (record->problem)
        ;
    else if (learn->header)
        ingest_infer_csv(&learn->infer, learn->header, learn->delimiter, record->text,
                         &learn->worker->cell);
    else
        ingest_infer_json(&learn->infer, learn->worker, record->text);
    return learn->infer.records < INFER_RECORDS && learn->bytes < INFER_BYTES;
}

static bool
learn_visit(void *context, const IngestChunk *chunk, const IngestRecord *record)
{
    (void)chunk;
    return learn_record(context, record);
}

static void
learn_file(Learn *learn, IngestRun *run, IngestFile *file)
{
    FileJob job;
    IngestWorker *worker = learn->worker;
    bool more = job_open(&job, run, NULL, NULL, file, worker);
    learn->header = NULL;
    if (more && ingest_splitter_format(job.splitter) == INGEST_CSV) {
        learn->header = &job.header;
        learn->delimiter = ingest_splitter_delimiter(job.splitter);
    }
    while (more && (!job.first_taken ? (job.first_taken = true)
                                     : ingest_splitter_next(job.splitter, &worker->chunk))) {
        IngestRecord record;
        while (more && ingest_chunk_next(&worker->chunk, &record))
            more = record.problem || learn->header
                       ? learn_record(learn, &record)
                       : visit_rows(worker, record.text, 0, learn_visit, learn);
    }
    job.position = UINT64_MAX; // what is read here is read again: not progress
    job_close(&job);
}

bool
ingest_files_infer(IngestRun *run, IngestFile **files, size_t count, Schema *schema)
{
    Learn learn = {.worker = &run->workers[0]};
    ingest_infer_init(&learn.infer, run->arena);
    for (size_t i = 0; i < count && learn.infer.records < INFER_RECORDS; i++)
        learn_file(&learn, run, files[i]);
    *schema = ingest_infer_schema(&learn.infer);
    return schema->count > 0;
}
