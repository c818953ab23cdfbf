// Vacuum: what a store no longer needs goes: old snapshots when asked, expired rows of log tables,
// files that nothing refers to. Each step is a transaction, and files go after it.

#include "store/store_upkeep.h"

bool
upkeep_writable(const Store *store, AzError *error)
{
    if (store->mode != STORE_WRITE)
        return error_set(error, AZ_INVALID, "the store '%s' was opened for reading only",
                         store->dir);
    return !store->writer ||
           error_set(error, AZ_INVALID, "the store '%s' is being written already", store->dir);
}

bool
upkeep_clear(Store *store, UpkeepReport *report, AzError *error)
{
    Arena arena = {0};
    RemovedFiles removed = store->cleared;
    removed.waiting = 0;
    pthread_mutex_lock(&store->mutex);
    bool ok = store_remove_retired(store, &arena, &removed, error);
    pthread_mutex_unlock(&store->mutex);
    store->cleared = (RemovedFiles){0};
    report->files_removed = removed.files;
    report->bytes_removed = removed.bytes;
    report->files_waiting = removed.waiting;
    arena_free(&arena);
    return ok;
}

bool
store_vacuum_plan(Store *store, int64_t keep, Arena *arena, SnapshotInfo **gone, size_t *count,
                  AzError *error)
{
    if (!store_snapshots(store, arena, gone, count, error))
        return false;
    *count = keep < 1 || (uint64_t)keep >= *count ? 0 : *count - (size_t)keep;
    return true;
}

static bool
snapshots_drop(Store *store, int64_t keep, AzError *error)
{
    Arena arena = {0};
    SnapshotInfo *gone;
    size_t count;
    bool ok = store_vacuum_plan(store, keep, &arena, &gone, &count, error);
    if (ok && count) {
        pthread_mutex_lock(&store->mutex);
        ok = catalog_drop_snapshots(store->catalog, gone[count - 1].id + 1, error);
        pthread_mutex_unlock(&store->mutex);
    }
    arena_free(&arena);
    return ok;
}

bool
store_vacuum(Store *store, int64_t keep, const UpkeepOptions *options, UpkeepReport *report,
             AzError *error)
{
    *report = (UpkeepReport){0};
    return upkeep_writable(store, error) && (keep < 1 || snapshots_drop(store, keep, error)) &&
           upkeep_rewrite(store, false, options, report, error) &&
           upkeep_clear(store, report, error);
}

// The number of a table by its name; 0 with an error when there is none.
static int64_t
log_table(Store *store, Str name, AzError *error)
{
    Arena arena = {0};
    CatalogState state;
    int64_t id = 0;
    if (catalog_load(store->catalog, &arena, 0, &state, error)) {
        const CatalogTable *table = NULL;
        for (size_t i = 0; i < state.table_count; i++)
            if (str_equal_ci(state.tables[i].name, name))
                table = &state.tables[i];
        if (!table)
            error_set(error, AZ_NOT_FOUND,
                      "the store has no table '%.*s': azimuth store info lists them",
                      STR_ARG(str_slice(name, 0, 200)));
        else if (table->kind != TABLE_LOG)
            error_set(
                error, AZ_INVALID,
                "'%.*s' is an inventory table, whose rows go with their snapshot: see azimuth "
                "store vacuum --keep",
                STR_ARG(table->name));
        else if (time_column_find(&table->schema) < 0)
            error_set(error, AZ_INVALID,
                      "table '%.*s' has no column TimeGenerated or Timestamp to count days by",
                      STR_ARG(table->name));
        else
            id = table->id;
    }
    arena_free(&arena);
    return id;
}

bool
store_retention_set(Store *store, Str name, int64_t days, AzError *error)
{
    if (!upkeep_writable(store, error))
        return false;
    pthread_mutex_lock(&store->mutex);
    int64_t table = log_table(store, name, error);
    bool ok = table && catalog_retention_set(store->catalog, table, days, error);
    pthread_mutex_unlock(&store->mutex);
    return ok;
}

bool
store_retention(Store *store, Str name, int64_t *days, AzError *error)
{
    pthread_mutex_lock(&store->mutex);
    int64_t table = log_table(store, name, error);
    bool ok = table && catalog_retention(store->catalog, table, days, error);
    pthread_mutex_unlock(&store->mutex);
    return ok;
}
