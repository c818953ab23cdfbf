// An item's id is made of the alias, its search key and how many items of that key came
// before it, so that importing a list again updates its items. Items that are no longer
// in the file get a row that says so: the table only grows.

#include "db/watchlist.h"

#include "base/clock.h"
#include "base/map.h"
#include "db/row_builder.h"
#include "db/rows.h"
#include "store/ingest_parts.h"
#include "value/scalar.h"

#include <stdio.h>
#include <xxhash.h>

typedef struct Import {
    Arena arena;
    Str alias, search_key, source;
    int64_t now;
    RowBuilder rows;
    CsvHeader header;
    ptrdiff_t key_column;
    Map ids;   // of the file's items
    Map count; // items of each search key so far
    WatchlistReport *report;
} Import;

static void
put(Import *import, const char *column, Value value)
{
    ptrdiff_t at = schema_find(&import->rows.schema, str_from(column));
    if (at >= 0)
        row_builder_put(&import->rows, (uint32_t)at, &value);
}

static void
put_text(Import *import, const char *column, Str text)
{
    put(import, column, value_string(text));
}

static Str
hash_text(Arena *arena, Str text)
{
    XXH128_hash_t hash = XXH3_128bits(text.ptr, text.len);
    return str_format(arena, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(hash.high64 >> 32),
                      (unsigned)(hash.high64 >> 16) & 0xFFFF, (unsigned)hash.high64 & 0xFFFF,
                      (unsigned)(hash.low64 >> 48),
                      (unsigned long long)(hash.low64 & 0xFFFFFFFFFFFF));
}

static Str
item_id(Import *import, Str key)
{
    MapEntry *seen = map_add(&import->count, str_copy(&import->arena, key), NULL);
    Str text = str_format(&import->arena, "%.*s\n%.*s\n%llu", STR_ARG(import->alias), STR_ARG(key),
                          (unsigned long long)seen->number++);
    return hash_text(&import->arena, text);
}

// What every row says.
static void
put_common(Import *import, Str id, const char *status)
{
    Value now = {.type = TYPE_DATETIME, .int64 = import->now};
    put(import, "TimeGenerated", now);
    put(import, "_DTTimestamp", now);
    put(import, "LastUpdatedTimeUTC", now);
    put_text(import, "_DTItemId", id);
    put_text(import, "WatchlistItemId", id);
    put_text(import, "_DTItemType", STR("watchlist-item"));
    put_text(import, "_DTItemStatus", str_from(status));
    put_text(import, "WatchlistAlias", import->alias);
    put_text(import, "WatchlistName", import->alias);
    put_text(import, "WatchlistId", hash_text(&import->arena, import->alias));
    put_text(import, "Source", import->source);
    put_text(import, "Type", STR("Watchlist"));
}

static void
add_item(Import *import, Str record, char delimiter)
{
    DynBuilder *bag = dyn_builder_new();
    Buffer buffer = {0};
    Str cell, key = STR("");
    dyn_begin_bag(bag);
    CsvRow row = csv_row(record, delimiter);
    for (size_t c = 0; c < import->header.count; c++) {
        if (!csv_row_next(&row, &buffer, &cell))
            cell = STR("");
        dyn_key(bag, import->header.names[c]);
        dyn_push_string(bag, cell);
        if ((ptrdiff_t)c == import->key_column)
            key = str_copy(&import->arena, cell);
    }
    dyn_end_bag(bag);
    Value item = {.type = TYPE_DYNAMIC};
    dyn_finish_text(bag, &import->arena, &item.text, &item.is_null);
    Str id = item_id(import, key);
    map_add(&import->ids, id, NULL);
    put_common(import, id, "Create");
    put_text(import, "SearchKey", key);
    put(import, "WatchlistItem", item);
    row_builder_end(&import->rows);
    import->report->items++;
    dyn_builder_free(bag);
    buffer_free(&buffer);
}

static bool
take_header(Import *import, Str record, char delimiter, AzError *error)
{
    if (!csv_header_read(&import->arena, record, delimiter, &import->header))
        return error_set(error, AZ_INVALID, "'%.*s' has no header line, or too many columns",
                         STR_ARG(import->source));
    import->key_column = -1;
    for (size_t c = 0; c < import->header.count; c++)
        if (str_equal_ci(import->header.names[c], import->search_key))
            import->key_column = (ptrdiff_t)c;
    if (import->key_column >= 0)
        return true;
    ptrdiff_t near = str_nearest(import->search_key, import->header.names, import->header.count);
    return error_set(error, AZ_INVALID, "'%.*s' has no column '%.*s' for the search key%s%.*s%s",
                     STR_ARG(import->source), STR_ARG(import->search_key),
                     near >= 0 ? "; did you mean '" : "",
                     (int)(near >= 0 ? import->header.names[near].len : 0),
                     near >= 0 ? import->header.names[near].ptr : "", near >= 0 ? "'?" : "");
}

static bool
read_items(Import *import, const char *file, AzError *error)
{
    IngestStream *stream = ingest_stream_open(file, error);
    if (!stream)
        return false;
    IngestSplitter *splitter = ingest_splitter_new(stream, INGEST_CSV);
    IngestChunk chunk = {0};
    IngestRecord record;
    bool done = true;
    while (done && ingest_splitter_next(splitter, &chunk))
        while (done && ingest_chunk_next(&chunk, &record)) {
            char delimiter = ingest_splitter_delimiter(splitter);
            if (record.problem)
                done =
                    error_set(error, AZ_INVALID, "'%s' cannot be read: %s", file, record.problem);
            else if (!import->header.count)
                done = take_header(import, record.text, delimiter, error);
            else if (str_trim(record.text).len)
                add_item(import, record.text, delimiter);
        }
    if (done && !import->header.count)
        done = error_set(error, AZ_INVALID, "'%s' is empty: a watchlist needs a header line", file);
    ingest_chunk_free(&chunk);
    ingest_splitter_free(splitter);
    return done;
}

// Rows for the items that the store has and the file has not.
static bool
remove_others(Import *import, Database *db, AzError *error)
{
    static const Str QUERY = STR_INIT("declare query_parameters(watchlist:string);"
                                      "_ASIM_GetWatchlistRaw(watchlist) | project _DTItemId");
    QueryParameter parameter = {STR("watchlist"), import->alias};
    QueryOptions options = {.parameters = &parameter, .parameter_count = 1};
    QueryResult *result = db_query(db, &import->arena, QUERY, &options, error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    while (rows_next(&reader)) {
        Str id = rows_text(&reader, 0, &import->arena);
        if (map_find(&import->ids, id))
            continue;
        put_common(import, id, "Delete");
        row_builder_end(&import->rows);
        import->report->removed++;
    }
    return true;
}

static bool
write_rows(Import *import, const char *dir, AzError *error)
{
    Store *store = store_open(dir, STORE_WRITE, error);
    if (!store)
        return false;
    StoreImportInfo info = {.source = import->source};
    StoreWriter *writer = store_writer_new(store, &info, error);
    TableWriter *table = writer ? store_writer_table(writer, STR("Watchlist"), TABLE_LOG,
                                                     &import->rows.schema, error)
                                : NULL;
    uint32_t count;
    Batch **batches = row_builder_batches(&import->rows, &count);
    bool done = table != NULL;
    for (uint32_t b = 0; b < count && done; b++)
        done = table_writer_append(table, batches[b], error);
    int64_t snapshot;
    if (done)
        done = store_commit(writer, &snapshot, error);
    else if (writer)
        store_abort(writer);
    store_close(store);
    return done;
}

// The store is made when it is not there, so that it can be read.
static bool
make_store(const char *dir, AzError *error)
{
    Store *store = store_open(dir, STORE_WRITE, error);
    if (store)
        store_close(store);
    return store != NULL;
}

bool
watchlist_import(const char *dir, const char *content, Str alias, Str search_key, const char *file,
                 WatchlistReport *report, AzError *error)
{
    *report = (WatchlistReport){0};
    DatabaseOptions options = {.store = dir, .content = content, .threads = 1};
    Database *db = make_store(dir, error) ? db_open(&options, error) : NULL;
    if (!db)
        return false;
    Import import = {
        .alias = alias,
        .search_key = search_key,
        .source = str_from(file),
        .now = clock_now_ticks(),
        .report = report,
    };
    map_init(&import.ids, &import.arena, false);
    map_init(&import.count, &import.arena, false);
    const Schema *schema;
    Str canonical;
    TableKind kind;
    bool done =
        content_schema(db_content(db), STR("Watchlist"), &canonical, &schema, &kind) ||
        error_set(error, AZ_NOT_FOUND,
                  "the content folder declares no table Watchlist: name one with --content");
    if (done) {
        row_builder_init(&import.rows, &import.arena, schema);
        done = read_items(&import, file, error) && remove_others(&import, db, error) &&
               write_rows(&import, dir, error);
        row_builder_free(&import.rows);
    }
    db_close(db);
    arena_free(&import.arena);
    return done;
}
