// azimuth import: files become a snapshot or rows of a table.

#include "cli/cli.h"
#include "cli/import_logs.h"
#include "cli/store_upkeep.h"
#include "collect/archive.h"
#include "db/content.h"
#include "db/watchlist.h"
#include "store/ingest.h"
#include "version.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
show_progress(void *context, const IngestProgress *progress)
{
    (void)context;
    const char *name = progress->file ? strrchr(progress->file, '/') : NULL;
    cli_progress("import", progress->bytes_done, progress->bytes_total,
                 name ? name + 1 : progress->file);
}

static void
print_report(const IngestReport *report, bool color)
{
    printf("%-34s %12s %9s %9s\n", "table", "rows", "rejected", "unmapped");
    for (size_t i = 0; i < report->table_count; i++) {
        const IngestTableReport *table = &report->tables[i];
        printf("%-34.*s %12" PRIu64 " ", STR_ARG(table->table), table->rows);
        printf(table->rejected && color ? "\033[33m%9" PRIu64 "\033[0m" : "%9" PRIu64,
               table->rejected);
        printf(" %9" PRIu64 "\n", table->unmapped);
    }
    for (size_t i = 0; i < report->skipped_count; i++)
        printf("skipped: %.*s\n", STR_ARG(report->skipped[i]));
    double seconds = report->seconds > 0 ? report->seconds : 1e-9;
    printf("\n%" PRIu64 " rows from %.1f MB in %.2f s (%.0f MB/s)", report->rows,
           (double)report->bytes / 1e6, report->seconds, (double)report->bytes / 1e6 / seconds);
    if (report->snapshot)
        printf(", snapshot %" PRId64, report->snapshot);
    printf("\n");
    if (report->rejected)
        printf("%" PRIu64 " records could not be read: see %.*s\n", report->rejected,
               STR_ARG(report->reject_file));
}

// A folder of files only.
static void
remove_folder(const char *folder)
{
    char path[4096];
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir));)
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < (int)sizeof(path))
            unlink(path);
    if (dir)
        closedir(dir);
    rmdir(folder);
}

// The archive of a collection, by way of a folder that is removed again.
static bool
ingest_archive(Store *store, const char *path, const IngestOptions *options, Arena *arena,
               IngestReport *report, AzError *error)
{
    const char *temporary = getenv("TMPDIR");
    Str pattern =
        str_format(arena, "%s/azimuth-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    char *folder = mkdtemp(str_cstr(arena, pattern));
    if (!folder)
        return error_errno(error, "cannot make a folder '%.*s'", STR_ARG(pattern));
    IngestOptions of_archive = *options;
    of_archive.source = path;
    bool done = archive_unpack(path, folder, error) &&
                ingest_tenant(store, folder, &of_archive, arena, report, error);
    remove_folder(folder);
    return done;
}

static bool
run_ingest(Store *store, const IngestOptions *options, const char *table, bool answers,
           const char *const *files, size_t count, IngestReport *report, Arena *arena,
           AzError *error)
{
    if (table)
        return ingest_table(store, str_from(table), files, count, options, arena, report, error);
    if (answers)
        return ingest_answers(store, files, count, options, arena, report, error);
    if (archive_is_named(files[0]))
        return ingest_archive(store, files[0], options, arena, report, error);
    return ingest_tenant(store, files[0], options, arena, report, error);
}

static int
import_watchlist(const char *dir, const char *content, const char *name, const char *search_key,
                 const char *file, bool quiet)
{
    AzError error = {0};
    WatchlistReport report;
    if (!watchlist_import(dir, content, str_from(name), str_from(search_key), file, &report,
                          &error)) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    if (!quiet)
        printf("watchlist %s: %" PRIu64 " items, %" PRIu64 " removed\n", name, report.items,
               report.removed);
    return AZIMUTH_EXIT_OK;
}

static int
import_run(int argc, char **argv)
{
    const char *dir = NULL, *table = NULL, *content_folder = NULL, *threads_text = NULL,
               *watchlist = NULL, *search_key = NULL, *tenant = NULL, *arrived = NULL;
    bool answers = false, quiet = false, once = false, logs = false, again = false;
    const CliOption options[] = {
        {"--store", "DIR", "the store; created when absent (required)", &dir, NULL},
        {"--table", "NAME", "read all FILEs into this table", &table, NULL},
        {"--once", NULL, "with --table: skip files whose content it was given already", NULL,
         &once},
        {"--logs", NULL, "PATHs hold logs of any kind: each record goes to its table", NULL, &logs},
        {"--tenant", "ID", "with --logs: the TenantId of records that say none", &tenant, NULL},
        {"--again", NULL, "with --logs: read files whose content the store has, too", NULL, &again},
        {"--arrived", "TIME",
         "with --logs: when the records came (now, or a time): what ingestion_time() says",
         &arrived, NULL},
        {"--answers", NULL, "FILEs hold recorded request/answer pairs", NULL, &answers},
        {"--watchlist", "NAME", "make this watchlist what the CSV FILE holds", &watchlist, NULL},
        {"--search-key", "COLUMN", "the watchlist's column that rules look up", &search_key, NULL},
        {"--content", "DIR", "the content folder", &content_folder, NULL},
        {"--threads", "N", "worker threads", &threads_text, NULL},
        {"--quiet", NULL, "print nothing when all went well", NULL, &quiet},
    };
    int status;
    if (!cli_options(&CLI_IMPORT, options, sizeof(options) / sizeof(options[0]), &argc, argv,
                     &status))
        return status;
    if (dir && watchlist && search_key && argc == 2)
        return import_watchlist(dir, content_folder, watchlist, search_key, argv[1], quiet);
    if (!dir || argc < 2 || watchlist || search_key || (!table && !answers && !logs && argc != 2) ||
        (table != NULL) + answers + logs > 1) {
        cli_fail("usage: azimuth %s", CLI_IMPORT.usage);
        return AZIMUTH_EXIT_ERROR;
    }
    if (!logs && (tenant || arrived || again)) {
        cli_fail("--tenant, --arrived and --again go with --logs");
        return AZIMUTH_EXIT_ERROR;
    }
    if (once && !table) {
        cli_fail("--once goes with --table: a tenant folder becomes a new snapshot each time");
        return AZIMUTH_EXIT_ERROR;
    }
    int64_t threads = (int64_t)threads_default();
    if (threads_text && !cli_parse_number(threads_text, 1, 1024, "--threads", &threads))
        return AZIMUTH_EXIT_ERROR;
    AzError error = {0};
    Content *content = content_open(content_folder, &error);
    Store *store = content ? store_open(dir, STORE_WRITE, &error) : NULL;
    if (!store) {
        cli_error(&error, STR(""));
        content_close(content);
        return AZIMUTH_EXIT_ERROR;
    }
    ThreadPool *pool = thread_pool_new((size_t)threads);
    IngestOptions ingest = {
        .find_schema = content_find_schema,
        .schema_context = content,
        .progress = quiet ? NULL : show_progress,
        .threads = pool,
        .tool_version = AZIMUTH_VERSION,
        .once = once,
    };
    if (logs) {
        const ImportLogsOptions log = {tenant, arrived, again, quiet};
        int code = import_logs(store, content, &ingest, &log, (const char *const *)(argv + 1),
                               (size_t)argc - 1);
        if (code == AZIMUTH_EXIT_OK)
            store_merge_gathered(store);
        thread_pool_free(pool);
        store_close(store);
        content_close(content);
        return code;
    }
    Arena arena = {0};
    IngestReport report = {0};
    bool done = run_ingest(store, &ingest, table, answers, (const char *const *)(argv + 1),
                           (size_t)argc - 1, &report, &arena, &error);
    cli_progress_end();
    if (!done)
        cli_error(&error, STR(""));
    else if (!quiet || report.rejected)
        print_report(&report, cli_use_color(1));
    if (done)
        store_merge_gathered(store);
    arena_free(&arena);
    thread_pool_free(pool);
    store_close(store);
    content_close(content);
    return done ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}

const CliCommand CLI_IMPORT = {
    "import",
    "import --store DIR TENANT_DIR|FILE.tar.zst | --logs PATH... | --table NAME [--once] FILE... "
    "|\n"
    "       --answers FILE... | --watchlist NAME --search-key COLUMN FILE.csv",
    "reads a tenant folder or the archive of a collection (a new snapshot), logs, or files into "
    "one table",
    import_run,
};
