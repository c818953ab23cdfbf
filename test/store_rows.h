// Rows for the tests of the store: what row `n` of a test table holds in each
// column is a function of n, so a test can write any rows and check what comes
// back in whatever order. Also a temporary directory and its removal.
#pragma once

#include "base/error.h"
#include "store/store.h"
#include "value/dynamic.h"
#include "value/scalar.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// All ten types; nulls; few, many and one distinct value.
static Column ROW_COLUMNS[] = {
    {STR_INIT("row"), TYPE_LONG},         {STR_INIT("type"), TYPE_STRING},
    {STR_INIT("id"), TYPE_STRING},        {STR_INIT("flag"), TYPE_BOOL},
    {STR_INIT("small"), TYPE_INT},        {STR_INIT("few"), TYPE_LONG},
    {STR_INIT("wide"), TYPE_LONG},        {STR_INIT("ratio"), TYPE_REAL},
    {STR_INIT("price"), TYPE_DECIMAL},    {STR_INIT("Timestamp"), TYPE_DATETIME},
    {STR_INIT("took"), TYPE_TIMESPAN},    {STR_INIT("key"), TYPE_GUID},
    {STR_INIT("owner"), TYPE_GUID},       {STR_INIT("tags"), TYPE_DYNAMIC},
    {STR_INIT("tree"), TYPE_DYNAMIC},     {STR_INIT("same"), TYPE_STRING},
    {STR_INIT("nothing"), TYPE_REAL},     {STR_INIT("note"), TYPE_STRING},
    {STR_INIT("nulltree"), TYPE_DYNAMIC}, {STR_INIT("on"), TYPE_BOOL},
};
enum { ROW_COLUMN_COUNT = sizeof(ROW_COLUMNS) / sizeof(ROW_COLUMNS[0]) };
static const Schema ROW_SCHEMA = {ROW_COLUMNS, ROW_COLUMN_COUNT};

static inline uint64_t
row_noise(uint64_t n, uint64_t salt)
{
    uint64_t x = (n + 1) * 0x9E3779B97F4A7C15u + salt * 0xD1B54A32D192ED03u;
    x = (x ^ (x >> 31)) * 0xBF58476D1CE4E5B9u;
    return x ^ (x >> 29);
}

static inline Guid
row_guid(uint64_t n)
{
    Guid guid;
    uint64_t words[] = {row_noise(n, 1), row_noise(n, 2)};
    memcpy(&guid, words, sizeof(guid));
    return guid;
}

static inline Value
row_tree(Arena *arena, uint64_t n, bool deep)
{
    DynBuilder *builder = dyn_builder_new();
    dyn_begin_bag(builder);
    dyn_key(builder, STR("env"));
    dyn_push_string(builder, n % 3 ? STR("production") : STR("test"));
    if (deep) {
        dyn_key(builder, STR("rules"));
        dyn_begin_array(builder);
        dyn_push_long(builder, (int64_t)n);
        dyn_push_real(builder, (double)n / 7);
        dyn_push_datetime(builder, (int64_t)n * TICKS_PER_SECOND);
        dyn_push_bool(builder, n & 1);
        dyn_push_null(builder);
        dyn_end_array(builder);
    }
    dyn_end_bag(builder);
    Value value = {.type = TYPE_DYNAMIC};
    dyn_finish_text(builder, arena, &value.text, &value.is_null);
    dyn_builder_free(builder);
    return value;
}

static inline Value
row_type(Arena *arena, uint64_t n)
{
    static const char *const TYPES[] = {
        "microsoft.compute/virtualmachines", "microsoft.cognitiveservices/accounts",
        "microsoft.storage/storageaccounts", "Microsoft.MachineLearningServices/workspaces"};
    (void)arena;
    return value_string(str_from(TYPES[row_noise(n, 3) % 4]));
}

// What row `n` holds in column `c` of ROW_COLUMNS.
static inline Value
row_value(Arena *arena, uint64_t n, uint32_t c)
{
    Type type = ROW_COLUMNS[c].type;
    uint64_t noise = row_noise(n, c + 10);
    switch (c) {
    case 0: return value_long((int64_t)n);
    case 1: return row_type(arena, n);
    case 2:
        return value_string(str_format(arena, "/subscriptions/%016llx/resourceGroups/rg%llu/x%llu",
                                       (unsigned long long)row_noise(n % 5, 4),
                                       (unsigned long long)(n % 17), (unsigned long long)n));
    case 3: return noise % 5 ? value_bool(noise & 1) : value_null(type);
    case 4: return noise % 7 ? value_int((int32_t)noise) : value_null(type);
    case 5: return noise % 9 ? value_long((int64_t)(noise % 6) * 1000000007) : value_null(type);
    case 6: return noise % 11 ? value_long((int64_t)noise) : value_null(type);
    case 7: return noise % 6 ? value_real((double)(int64_t)noise / 3) : value_null(type);
    case 8: {
        Value value = {.type = type, .is_null = noise % 4 == 0};
        if (!value.is_null)
            value.decimal = decimal_from_long((int64_t)noise);
        return value;
    }
    case 9:
        return noise % 13 ? value_datetime(TICKS_UNIX_EPOCH + (int64_t)(noise % 1000000) * 10000000)
                          : value_null(type);
    case 10: return noise % 3 ? value_timespan(-(int64_t)(noise % 200)) : value_null(type);
    case 11: return (Value){.type = type, .guid = row_guid(n)};
    case 12:
        return noise % 4 ? (Value){.type = type, .guid = row_guid(noise % 8)} : value_null(type);
    case 13: return noise % 5 ? row_tree(arena, noise % 3, false) : value_null(type);
    case 14: return row_tree(arena, n, true);
    case 15: return value_string(STR("a value that is everywhere the same"));
    case 16: return value_null(type);
    case 17:
        return value_string(str_format(arena, "%.*s", (int)(noise % 40),
                                       "\xC3\xA4 note of some length, cut anywhere, also at 0"));
    case 18: return value_null(type);
    default: return value_bool(true);
    }
}

// Rows [from, from + count) as a batch with the columns of `schema`, which are
// found by name in ROW_COLUMNS.
static inline Batch *
rows_batch(Arena *arena, const Schema *schema, uint64_t from, uint32_t count)
{
    Batch *batch = batch_new(arena, schema->count, count);
    for (uint32_t c = 0; c < schema->count; c++) {
        uint32_t source = (uint32_t)schema_find(&ROW_SCHEMA, schema->columns[c].name);
        VectorBuilder builder;
        vector_builder_init(&builder, schema->columns[c].type);
        for (uint32_t i = 0; i < count; i++) {
            Value value = row_value(arena, from + i, source);
            vector_builder_value(&builder, arena, &value);
        }
        batch->columns[c] = vector_builder_cut(&builder, arena, 0, count);
        vector_builder_free(&builder);
    }
    return batch;
}

static inline bool
rows_append(TableWriter *table, const Schema *schema, uint64_t from, uint64_t count, AzError *error)
{
    Arena arena = {0};
    bool ok = true;
    for (uint64_t done = 0; ok && done < count;) {
        uint32_t piece = count - done < 4096 ? (uint32_t)(count - done) : 4096;
        arena_reset(&arena);
        ok = table_writer_append(table, rows_batch(&arena, schema, from + done, piece), error);
        done += piece;
    }
    arena_free(&arena);
    return ok;
}

// One import of rows [from, from + count) into `name`; the new snapshot's id, 0
// when there is none, -1 on failure.
static inline int64_t
rows_import(Store *store, const char *name, TableKind kind, const Schema *schema, uint64_t from,
            uint64_t count, AzError *error)
{
    StoreImportInfo info = {STR("test"), STR("tenant"), STR("0"), kind == TABLE_INVENTORY};
    StoreWriter *writer = store_writer_new(store, &info, error);
    if (!writer)
        return -1;
    TableWriter *table = store_writer_table(writer, str_from(name), kind, schema, error);
    if (!table || !rows_append(table, schema, from, count, error)) {
        store_abort(writer);
        return -1;
    }
    int64_t snapshot;
    return store_commit(writer, &snapshot, error) ? snapshot : -1;
}

static inline bool
cell_equals(const Vector *v, uint32_t i, const Value *wanted)
{
    Value found = vector_value(v, i);
    if (found.type != wanted->type || found.is_null != wanted->is_null)
        return false;
    if (found.is_null)
        return true;
    if (type_is_text(found.type))
        return str_equal(text_str(&found.text), text_str(&wanted->text));
    return memcmp(value_data(&found), value_data(wanted), type_size(found.type)) == 0;
}

// Reads a whole source whose first column is `row` and compares every cell. Rows
// must be [from, from + count), each once. NULL when all is well, else what is not
// (a static text, or the error's message).
static inline const char *
rows_check(TableSource *source, uint64_t from, uint64_t count, AzError *error)
{
    static const char *const WRONG[] = {"a wrong row count", "a row twice", "a wrong value",
                                        "an unknown row"};
    if (source->row_count != count)
        return WRONG[0];
    uint8_t *seen = calloc(count + 1, 1);
    const char *wrong = NULL;
    uint64_t total = 0;
    Arena arena = {0};
    for (uint32_t m = 0; m < source->morsel_count && !wrong; m++) {
        uint32_t rows = source->morsel_rows(source, m);
        for (uint32_t at = 0; at < rows && !wrong; at += 4096) {
            uint32_t n = rows - at < 4096 ? rows - at : 4096;
            arena_reset(&arena);
            const Vector *row = source->read(source, m, 0, at, n, &arena, error);
            for (uint32_t c = 0; row && c < source->schema.count && !wrong; c++) {
                const Vector *v = source->read(source, m, c, at, n, &arena, error);
                ptrdiff_t known = schema_find(&ROW_SCHEMA, source->schema.columns[c].name);
                if (!v || v->count != n || known < 0) {
                    wrong = v ? WRONG[2] : error->message;
                    break;
                }
                for (uint32_t i = 0; i < n && !wrong; i++) {
                    uint64_t number = (uint64_t)vector_value(row, i).int64;
                    Value wanted = row_value(&arena, number, (uint32_t)known);
                    if (number < from || number >= from + count)
                        wrong = WRONG[3];
                    else if (!cell_equals(v, i, &wanted))
                        wrong = WRONG[2];
                    else if (c == 0 && seen[number - from]++)
                        wrong = WRONG[1];
                }
            }
            if (!row)
                wrong = error->message;
            total += n;
        }
        source->release(source, m);
    }
    if (!wrong && total != count)
        wrong = WRONG[0];
    free(seen);
    arena_free(&arena);
    return wrong;
}

static inline char *
temp_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof(path), "%s/azimuth-test-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(path) ? strdup(path) : NULL;
}

static inline void
tree_remove(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return;
    if (!S_ISDIR(st.st_mode)) {
        unlink(path);
        return;
    }
    chmod(path, 0700);
    DIR *dir = opendir(path);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        char child[4096];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) < (int)sizeof(child))
            tree_remove(child);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

// Files in DIR/part; the last one's path into `path` when it is not NULL.
static inline size_t
files_in(const char *dir, const char *part, char *path, size_t size)
{
    char folder[4096];
    snprintf(folder, sizeof(folder), "%s/%s", dir, part);
    DIR *handle = opendir(folder);
    size_t count = 0;
    for (const struct dirent *entry; handle && (entry = readdir(handle));) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (path && snprintf(path, size, "%s/%s", folder, entry->d_name) >= (int)size)
            abort();
    }
    if (handle)
        closedir(handle);
    return count;
}
