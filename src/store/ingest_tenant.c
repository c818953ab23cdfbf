// A tenant folder, and single tables.
//
// Every file of the folder is a table, or is listed as skipped with the reason. The
// schemas are settled first, in the calling thread. Large tables are then read one
// after another by all workers; the many small ones are dealt out, a table a worker,
// which saves each of them a hand-over and gives each one segment instead of one for
// every worker.

#include "store/ingest_parts.h"

#include "base/array.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SMALL_TABLE = 8 << 20 }; // bytes on disk a single worker reads

typedef struct TenantFile {
    IngestFile file;
    Str table; // by the file's name
    size_t job;
} TenantFile;

typedef struct TenantFiles {
    TenantFile *items;
    size_t len, cap;
} TenantFiles;

// A table with its files.
typedef struct TableJob {
    IngestTable table;
    IngestFile **files;
    size_t file_count;
    uint64_t bytes;
    bool empty; // nothing to learn a schema from
} TableJob;

typedef struct Tenant {
    IngestRun *run;
    TenantFiles files;
    TableJob *jobs;
    size_t job_count;
    _Atomic size_t next_small;
} Tenant;

typedef struct StrArray {
    Str *items;
    size_t len, cap;
} StrArray;

static int
compare_names(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

static bool
list_folder(const char *folder, Arena *arena, StrArray *names, AzError *error)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return error_errno(error, "cannot read the folder '%s'", folder);
    errno = 0;
    for (struct dirent *entry; (entry = readdir(dir)); errno = 0)
        if (entry->d_name[0] != '.')
            ARRAY_PUSH(arena, names, str_copy(arena, str_from(entry->d_name)));
    bool done = errno == 0 || error_errno(error, "cannot read the folder '%s'", folder);
    closedir(dir);
    if (done && names->len)
        qsort(names->items, names->len, sizeof(*names->items), compare_names);
    return done;
}

// Sorts the folder's entries into tables and skipped ones.
static bool
find_files(Tenant *tenant, const char *folder, AzError *error)
{
    Arena *arena = tenant->run->arena;
    StrArray names = {0}, skipped = {0};
    if (!list_folder(folder, arena, &names, error))
        return false;
    for (size_t i = 0; i < names.len; i++) {
        TenantFile found = {0};
        const char *why = NULL;
        struct stat info;
        Str name = names.items[i];
        if (str_equal(name, STR("manifest.collect")))
            continue; // of a collection: it says how the tables came about
        char *path = str_cstr(arena, str_format(arena, "%s/%.*s", folder, STR_ARG(name)));
        // An entry that cannot be examined is opened later, and that error reported.
        if (stat(path, &info) == 0) {
            if (S_ISDIR(info.st_mode))
                why = "it is a folder";
            else if (!S_ISREG(info.st_mode))
                why = "it is no regular file";
            else
                found.file.size = (uint64_t)info.st_size;
        }
        if (!why)
            ingest_file_name(arena, name, &found.table, &found.file.format, &why);
        if (why) {
            ARRAY_PUSH(arena, &skipped, str_format(arena, "%.*s: %s", STR_ARG(name), why));
            continue;
        }
        found.file.path = path;
        found.file.name = name;
        tenant->run->bytes_total += found.file.size;
        ARRAY_PUSH(arena, &tenant->files, found);
    }
    tenant->run->report->skipped = skipped.items;
    tenant->run->report->skipped_count = skipped.len;
    if (!tenant->files.len)
        return error_set(error, AZ_INVALID,
                         "the folder '%s' holds no table: a table is a file such as "
                         "resources.jsonl, users.json.gz or groups.csv",
                         folder);
    return true;
}

// Makes one job of the files of each table, with its schema.
static bool
plan_job(Tenant *tenant, size_t first, TableJob *job, AzError *error)
{
    IngestRun *run = tenant->run;
    Str name = tenant->files.items[first].table, canonical;
    Schema schema = {0};
    TableKind kind = TABLE_INVENTORY;
    job->files = ARENA_ARRAY(run->arena, IngestFile *, tenant->files.len);
    for (size_t i = first; i < tenant->files.len; i++) {
        TenantFile *file = &tenant->files.items[i];
        if (!str_equal_ci(file->table, name))
            continue;
        file->job = tenant->job_count + 1;
        job->files[job->file_count++] = &file->file;
        job->bytes += file->file.size;
    }
    bool declared = ingest_declared_schema(run, name, &canonical, &schema, &kind);
    if (!declared)
        job->empty = !ingest_files_infer(run, job->files, job->file_count, &schema);
    return ingest_table_make(run, canonical, &schema, kind, &job->table, error);
}

static bool
plan_tables(Tenant *tenant, AzError *error)
{
    tenant->jobs = ARENA_ARRAY(tenant->run->arena, TableJob, tenant->files.len);
    for (size_t i = 0; i < tenant->files.len; i++) {
        if (tenant->files.items[i].job)
            continue;
        if (!plan_job(tenant, i, &tenant->jobs[tenant->job_count], error))
            return false;
        tenant->job_count++;
    }
    return true;
}

static void
read_small(void *context, size_t number)
{
    Tenant *tenant = context;
    IngestRun *run = tenant->run;
    for (;;) {
        size_t i = atomic_fetch_add(&tenant->next_small, 1);
        if (i >= tenant->job_count || run->failed)
            return;
        TableJob *job = &tenant->jobs[i];
        if (job->bytes >= SMALL_TABLE)
            continue;
        if (number == 0)
            run->progress_file = job->files[0]->path;
        ingest_files_alone(&run->workers[number], &job->table, job->files, job->file_count);
    }
}

static bool
read_tables(Tenant *tenant)
{
    IngestRun *run = tenant->run;
    for (size_t i = 0; i < tenant->job_count && !run->failed; i++) {
        TableJob *job = &tenant->jobs[i];
        if (job->bytes >= SMALL_TABLE)
            ingest_files_parallel(run, &job->table, job->files, job->file_count);
    }
    if (!run->failed)
        ingest_workers_run(run, read_small, tenant);
    return !run->failed;
}

static void
report_tables(Tenant *tenant)
{
    IngestReport *report = tenant->run->report;
    report->tables = ARENA_ARRAY(tenant->run->arena, IngestTableReport, tenant->files.len);
    for (size_t i = 0; i < tenant->files.len; i++) {
        const TenantFile *file = &tenant->files.items[i];
        report->tables[report->table_count++] =
            (IngestTableReport){.table = tenant->jobs[file->job - 1].table.name,
                                .file = file->file.name,
                                .rows = file->file.counts.rows,
                                .rejected = file->file.counts.rejected,
                                .unmapped = file->file.counts.unmapped};
    }
}

// Status of one file, as CollectionStatus says it.
static Str
file_status(IngestRun *run, const IngestFile *file, Str *reason)
{
    uint64_t rows = file->counts.rows, rejected = file->counts.rejected;
    *reason = str_copy(run->arena, str_from(file->problem));
    if (!reason->len && rejected)
        *reason = str_format(run->arena, "%llu of its records could not be read",
                             (unsigned long long)rejected);
    if (rows)
        return STR("collected");
    return rejected || file->unreadable ? STR("not collected") : STR("empty");
}

// One row a file in CollectionStatus, unless the folder brings that table itself.
static bool
write_status(Tenant *tenant, AzError *error)
{
    IngestRun *run = tenant->run;
    IngestStatus *rows = ARENA_ARRAY(run->arena, IngestStatus, tenant->files.len);
    for (size_t i = 0; i < tenant->files.len; i++) {
        const TenantFile *file = &tenant->files.items[i];
        const IngestTable *table = &tenant->jobs[file->job - 1].table;
        if (str_equal_ci(table->name, STR("CollectionStatus")))
            return true;
        rows[i] = (IngestStatus){
            .dataset = table->name, .scope = STR("tenant"), .rows = file->file.counts.rows};
        rows[i].status = file_status(run, &file->file, &rows[i].reason);
    }
    return ingest_status_write(run, rows, tenant->files.len, error);
}

bool
ingest_tenant(Store *store, const char *folder, const IngestOptions *options, Arena *arena,
              IngestReport *report, AzError *error)
{
    IngestRun run = {0};
    Tenant tenant = {.run = &run};
    AzError failure = {0};
    ingest_run_begin(&run, store, options, arena, report);
    bool done = find_files(&tenant, folder, &failure);
    if (done) {
        StoreImportInfo info = {str_from(options->source ? options->source : folder),
                                {0},
                                str_from(options->tool_version),
                                true};
        run.writer = store_writer_new(store, &info, &failure);
        done = run.writer && plan_tables(&tenant, &failure) && read_tables(&tenant) &&
               write_status(&tenant, &failure);
    }
    if (done)
        report_tables(&tenant);
    else if (failure.code)
        ingest_run_fail(&run, &failure);
    return ingest_run_end(&run, error);
}

// Kind and schema of a table by declaration, store or (into `schema`) inference.
static bool
plan_table(IngestRun *run, Str name, IngestFile **files, size_t count, IngestTable *table,
           AzError *error)
{
    Str canonical;
    Schema schema = {0};
    TableKind kind = TABLE_LOG;
    if (!ingest_declared_schema(run, name, &canonical, &schema, &kind))
        ingest_files_infer(run, files, count, &schema);
    return ingest_table_make(run, canonical, &schema, kind, table, error);
}

static bool
read_table(IngestRun *run, Str name, IngestFile **files, size_t count, AzError *error)
{
    IngestTable table;
    if (!plan_table(run, name, files, count, &table, error) ||
        !ingest_files_parallel(run, &table, files, count))
        return false;
    run->report->tables = ARENA_ARRAY(run->arena, IngestTableReport, count);
    for (size_t i = 0; i < count; i++) {
        if (files[i]->unreadable)
            return error_set(error, AZ_IO, "%s", files[i]->problem);
        run->report->tables[run->report->table_count++] =
            (IngestTableReport){.table = table.name,
                                .file = files[i]->name,
                                .rows = files[i]->counts.rows,
                                .rejected = files[i]->counts.rejected,
                                .unmapped = files[i]->counts.unmapped};
    }
    return true;
}

IngestFile **
ingest_files_named(IngestRun *run, const char *const *paths, size_t count)
{
    IngestFile **files = ARENA_ARRAY(run->arena, IngestFile *, count);
    for (size_t i = 0; i < count; i++) {
        struct stat info;
        const char *slash = strrchr(paths[i], '/'), *why;
        Str table;
        files[i] = ARENA_NEW(run->arena, IngestFile);
        files[i]->path = paths[i];
        files[i]->name = str_copy(run->arena, str_from(paths[i]));
        ingest_file_name(run->arena, str_from(slash ? slash + 1 : paths[i]), &table,
                         &files[i]->format, &why);
        if (stat(paths[i], &info) == 0)
            files[i]->size = (uint64_t)info.st_size;
        run->bytes_total += files[i]->size;
    }
    return files;
}

// Whether this import must begin a snapshot: rows of an inventory table join the
// newest one, so that tables imported one by one are seen together; a store that has
// none yet gets its first.
static bool
needs_snapshot(IngestRun *run, Str name, bool *needed, AzError *error)
{
    Str canonical;
    Schema schema = {0};
    TableKind kind = TABLE_LOG;
    SnapshotInfo *snapshots;
    size_t count;
    ingest_declared_schema(run, name, &canonical, &schema, &kind);
    if (!store_snapshots(run->store, run->arena, &snapshots, &count, error))
        return false;
    *needed = kind == TABLE_INVENTORY && count == 0;
    return true;
}

// Chooses the files that are new to the table, reads them and keeps that they were read.
static bool
read_once(IngestRun *run, Str name, IngestFile **files, size_t count, AzError *error)
{
    Str canonical;
    Schema schema = {0};
    TableKind kind = TABLE_LOG;
    ingest_declared_schema(run, name, &canonical, &schema, &kind);
    if (kind != TABLE_LOG)
        return error_set(error, AZ_INVALID,
                         "'%.*s' is an inventory table, whose rows belong to a snapshot: --once is "
                         "for logs",
                         STR_ARG(canonical));
    IngestOnce *list = ARENA_ARRAY(run->arena, IngestOnce, count);
    if (!ingest_once_choose(run, canonical, files, &count, list, error))
        return false;
    return !count || (read_table(run, name, files, count, error) &&
                      ingest_once_keep(run, canonical, list, count, error));
}

bool
ingest_table(Store *store, Str table, const char *const *files, size_t file_count,
             const IngestOptions *options, Arena *arena, IngestReport *report, AzError *error)
{
    bool new_snapshot = false;
    *report = (IngestReport){0};
    if (!table.len || !file_count)
        return error_set(error, AZ_INVALID, "an import of one table needs its name and a file");
    IngestRun run = {0};
    AzError failure = {0};
    ingest_run_begin(&run, store, options, arena, report);
    IngestFile **list = ingest_files_named(&run, files, file_count);
    if (needs_snapshot(&run, table, &new_snapshot, &failure)) {
        StoreImportInfo info = {
            str_from(files[0]), {0}, str_from(options->tool_version), new_snapshot};
        run.writer = store_writer_new(store, &info, &failure);
    }
    bool done = run.writer && (options->once ? read_once(&run, table, list, file_count, &failure)
                                             : read_table(&run, table, list, file_count, &failure));
    if (!done && failure.code)
        ingest_run_fail(&run, &failure);
    return ingest_run_end(&run, error);
}
