#include "assess/history.h"

#include "base/array.h"
#include "store/upkeep.h"
#include "value/json.h"

#include <stdio.h>

typedef struct HistoryColumn {
    const char *name;
    Type type;
} HistoryColumn;

// As content/schemas/azimuth.kql declares the table.
enum {
    COLUMN_RUN,
    COLUMN_SNAPSHOT,
    COLUMN_ASSESSED,
    COLUMN_FINDING,
    COLUMN_CONTROL,
    COLUMN_TITLE,
    COLUMN_SEVERITY,
    COLUMN_AREA,
    COLUMN_STATUS,
    COLUMN_RESOURCE,
    COLUMN_NAME,
    COLUMN_TYPE,
    COLUMN_SUBSCRIPTION,
    COLUMN_GROUP,
    COLUMN_REASON,
    COLUMN_EVIDENCE,
    COLUMN_RISK,
    COLUMN_COUNT
};
static const HistoryColumn COLUMNS[COLUMN_COUNT] = {
    {"RunId", TYPE_STRING},
    {"SnapshotId", TYPE_LONG},
    {"AssessedOn", TYPE_DATETIME},
    {"FindingId", TYPE_STRING},
    {"ControlId", TYPE_STRING},
    {"Title", TYPE_STRING},
    {"Severity", TYPE_STRING},
    {"Area", TYPE_STRING},
    {"Status", TYPE_STRING},
    {"ResourceId", TYPE_STRING},
    {"ResourceName", TYPE_STRING},
    {"ResourceType", TYPE_STRING},
    {"SubscriptionId", TYPE_STRING},
    {"ResourceGroup", TYPE_STRING},
    {"Reason", TYPE_STRING},
    {"Evidence", TYPE_DYNAMIC},
    {"Risk", TYPE_REAL},
};

struct History {
    const Assessment *assessment;
    Store *store;
    StoreWriter *writer;
    TableWriter *table;
    VectorBuilder builders[COLUMN_COUNT];
    Arena texts; // of the rows buffered
    JsonParser *json;
    DynBuilder *dyn;
    AzError error; // the first that happened
};

static void
history_free(History *history)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        vector_builder_free(&history->builders[c]);
    arena_free(&history->texts);
    json_parser_free(history->json);
    dyn_builder_free(history->dyn);
    store_close(history->store);
    free(history);
}

History *
history_open(const char *dir, const Assessment *assessment, AzError *error)
{
    Store *store = store_open(dir, STORE_WRITE, error);
    if (!store)
        return NULL;
    StoreImportInfo info = {.source = STR("assess"), .tool_version = assessment->version};
    StoreWriter *writer = store_writer_new(store, &info, error);
    if (!writer) {
        store_close(store);
        return NULL;
    }
    Column columns[COLUMN_COUNT];
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        columns[c] = (Column){str_from(COLUMNS[c].name), COLUMNS[c].type};
    Schema schema = {columns, COLUMN_COUNT};
    TableWriter *table =
        store_writer_table(writer, STR("FindingsHistory"), TABLE_LOG, &schema, error);
    History *history = table ? calloc(1, sizeof(*history)) : NULL;
    if (!history) {
        store_abort(writer);
        store_close(store);
        return NULL;
    }
    history->store = store;
    history->assessment = assessment;
    history->writer = writer;
    history->table = table;
    history->json = json_parser_new();
    history->dyn = dyn_builder_new();
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        vector_builder_init(&history->builders[c], COLUMNS[c].type);
    return history;
}

static void
history_flush(History *history)
{
    Arena arena = {0};
    uint32_t count = history->builders[0].count;
    Batch *batch = batch_new(&arena, COLUMN_COUNT, count);
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        batch->columns[c] = vector_builder_cut(&history->builders[c], &arena, 0, count);
        vector_builder_clear(&history->builders[c]);
    }
    if (count && history->error.code == AZ_OK)
        table_writer_append(history->table, batch, &history->error);
    arena_free(&arena);
    arena_reset(&history->texts);
}

static void
put_text(History *history, size_t column, Str text)
{
    Value value = value_string(text);
    vector_builder_value(&history->builders[column], &history->texts, &value);
}

static void
put_value(History *history, size_t column, Value value)
{
    vector_builder_value(&history->builders[column], &history->texts, &value);
}

static void
put_evidence(History *history, Str json)
{
    Value value = {.type = TYPE_DYNAMIC, .is_null = true};
    if (json.len) {
        dyn_builder_reset(history->dyn);
        value.is_null = false;
        json_parse_lenient(history->json, history->dyn, &history->texts, json, &value.text,
                           &value.is_null);
    }
    vector_builder_value(&history->builders[COLUMN_EVIDENCE], &history->texts, &value);
}

void
history_add(History *history, const Control *control, const ControlRow *row, float risk,
            uint64_t key)
{
    static const Str STATUS[] = {STR_INIT("pass"), STR_INIT("fail"), STR_INIT("unknown")};
    const Assessment *run = history->assessment;
    char id[17];
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)key);
    put_text(history, COLUMN_RUN, run->run_id);
    put_value(history, COLUMN_SNAPSHOT, value_long(run->snapshot));
    put_value(history, COLUMN_ASSESSED, value_datetime(run->started));
    put_text(history, COLUMN_FINDING, str_from(id));
    put_text(history, COLUMN_CONTROL, control->id);
    put_text(history, COLUMN_TITLE, control->title);
    put_text(history, COLUMN_SEVERITY, str_from(severity_name(control->severity)));
    put_text(history, COLUMN_AREA, control->area);
    put_text(history, COLUMN_STATUS, STATUS[row->status]);
    put_text(history, COLUMN_RESOURCE, row->id);
    put_text(history, COLUMN_NAME, row->name);
    put_text(history, COLUMN_TYPE, row->type);
    put_text(history, COLUMN_SUBSCRIPTION, row->subscription);
    put_text(history, COLUMN_GROUP, row->resource_group);
    put_text(history, COLUMN_REASON, row->reason);
    put_evidence(history, row->evidence);
    put_value(history, COLUMN_RISK, value_real((double)risk));
    if (history->builders[0].count >= BATCH_ROWS_MAX)
        history_flush(history);
}

bool
history_commit(History *history, AzError *error)
{
    history_flush(history);
    bool done = history->error.code == AZ_OK;
    if (done) {
        int64_t snapshot;
        done = store_commit(history->writer, &snapshot, error);
        UpkeepReport merged;
        if (done) // the findings are kept, whatever comes of this; the next writer tries again
            store_merge(history->store, &merged, NULL);
    } else {
        if (error)
            *error = history->error;
        store_abort(history->writer);
    }
    history_free(history);
    return done;
}
