// A run over all controls.
//
// Inventory first (AIAssets), so that each finding can be weighed by the asset it is
// about; then the controls one after another (each query uses all cores); then order,
// scores and the history in the store.

#include "assess/assess.h"

#include "assess/history.h"
#include "assess/risk.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"
#include "db/rows.h"
#include "value/scalar.h"

#include <stdio.h>
#include <unistd.h>

typedef struct FindingArray {
    Finding *items;
    size_t len, cap;
} FindingArray;

typedef struct Run {
    Assessment *assessment;
    FindingArray findings;
    Map assets; // lower-case id -> index + 1
    Map texts;  // interned names, types and reasons: findings repeat them
    History *history;
    uint32_t control;
    Buffer lower;
} Run;

static Str
intern(Run *run, Str text)
{
    MapEntry *entry = map_find(&run->texts, text);
    if (!entry)
        entry = map_add(&run->texts, str_copy(run->assessment->arena, text), NULL);
    return entry->key;
}

static Str
lower_id(Run *run, Str id)
{
    buffer_clear(&run->lower);
    for (size_t i = 0; i < id.len; i++)
        buffer_char(&run->lower,
                    (char)(id.ptr[i] >= 'A' && id.ptr[i] <= 'Z' ? id.ptr[i] + 32 : id.ptr[i]));
    return buffer_slice(&run->lower);
}

// The asset itself, or the one that a sub-resource (a deployment, a setting) belongs to.
static int32_t
asset_of(Run *run, Str id)
{
    Str key = lower_id(run, id);
    for (;;) {
        MapEntry *entry = map_find(&run->assets, key);
        if (entry)
            return (int32_t)entry->number - 1;
        for (int step = 0; step < 2; step++) {
            while (key.len && key.ptr[key.len - 1] != '/')
                key.len--;
            if (key.len)
                key.len--;
        }
        if (key.len < 2)
            return -1;
    }
}

static uint64_t
finding_key(const Control *control, Str lower_case_id)
{
    return str_hash(control->id) * 0x9E3779B97F4A7C15u ^ str_hash(lower_case_id);
}

static void
take_row(void *context, const ControlRow *row)
{
    Run *run = context;
    Assessment *assessment = run->assessment;
    const Control *control = &assessment->controls->items[run->control];
    ControlResult *result = &assessment->results[run->control];
    uint64_t key = finding_key(control, lower_id(run, row->id));
    int32_t asset = asset_of(run, row->id);
    float risk = 0;
    if (row->status == FINDING_PASS) {
        result->pass++;
    } else {
        risk = finding_risk(control->severity, row->status,
                            asset >= 0 ? &assessment->assets[asset] : NULL);
        Finding finding = {
            .control = run->control,
            .status = row->status,
            .risk = risk,
            .asset = asset,
            .id = str_copy(assessment->arena, row->id),
            .name = intern(run, row->name),
            .type = intern(run, row->type),
            .reason = intern(run, row->reason),
            .evidence = intern(run, row->evidence),
            .key = key,
        };
        ARRAY_PUSH(assessment->arena, &run->findings, finding);
        if (row->status == FINDING_FAIL)
            result->fail++;
        else
            result->unknown++;
    }
    if (row->status == FINDING_FAIL && asset >= 0) {
        Asset *about = &assessment->assets[asset];
        about->fails++;
        if ((int)control->severity > about->worst)
            about->worst = (int)control->severity;
    }
    if (run->history)
        history_add(run->history, control, row, risk, key);
}

static void
read_assets(Database *db, Run *run)
{
    Assessment *assessment = run->assessment;
    Arena *arena = assessment->arena;
    Arena scratch = {0};
    AzError error = {0};
    QueryOptions options = {0};
    QueryResult *result = db_query(db, &scratch, STR("AIAssets"), &options, &error);
    if (!result) {
        assessment->asset_error = str_copy(arena, str_from(error.message));
        arena_free(&scratch);
        return;
    }
    const ResultTable *table = result->tables[0];
    assessment->assets = ARENA_ARRAY(arena, Asset, table->row_count);
    static const struct {
        const char *name;
        size_t offset;
    } TEXTS[] = {
        {"id", offsetof(Asset, id)},
        {"name", offsetof(Asset, name)},
        {"type", offsetof(Asset, type)},
        {"kind", offsetof(Asset, kind)},
        {"assetClass", offsetof(Asset, asset_class)},
        {"confidence", offsetof(Asset, confidence)},
        {"why", offsetof(Asset, why)},
        {"owner", offsetof(Asset, owner)},
        {"environment", offsetof(Asset, environment)},
        {"location", offsetof(Asset, location)},
        {"subscriptionId", offsetof(Asset, subscription)},
        {"resourceGroup", offsetof(Asset, resource_group)},
        {"publicNetworkAccess", offsetof(Asset, public_network)},
        {"networkDefault", offsetof(Asset, network_default)},
        {"identityType", offsetof(Asset, identity_type)},
        {"models", offsetof(Asset, models)},
    };
    ptrdiff_t columns[COUNT_OF(TEXTS)];
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
        columns[i] = rows_column(table, TEXTS[i].name);
    ptrdiff_t endpoints = rows_column(table, "privateEndpoints");
    RowReader reader = {.table = table};
    while (rows_next(&reader)) {
        Asset *asset = &assessment->assets[assessment->asset_count++];
        for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
            Str text = rows_text(&reader, columns[i], &scratch);
            *(Str *)((char *)asset + TEXTS[i].offset) = intern(run, text);
        }
        asset->private_endpoints = rows_long(&reader, endpoints);
        asset->worst = -1;
        Str key = str_copy(arena, lower_id(run, asset->id));
        map_add(&run->assets, key, NULL)->number = assessment->asset_count;
    }
    arena_free(&scratch);
}

static uint64_t
count_rows(Database *db, Str query)
{
    Arena scratch = {0};
    QueryOptions options = {0};
    QueryResult *result = db_query(db, &scratch, query, &options, NULL);
    uint64_t count = 0;
    if (result) {
        RowReader reader = {.table = result->tables[0]};
        if (rows_next(&reader))
            count = (uint64_t)rows_long(&reader, 0);
    }
    arena_free(&scratch);
    return count;
}

static int
finding_order(const void *a, const void *b)
{
    const Finding *x = a, *y = b;
    if (x->risk < y->risk || x->risk > y->risk)
        return x->risk < y->risk ? 1 : -1;
    if (x->control != y->control)
        return x->control > y->control ? 1 : -1;
    return str_compare(x->id, y->id);
}

static Str
new_run_id(Arena *arena)
{
    Buffer text = {0};
    guid_print(&text, guid_random());
    Str id = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return id;
}

static void
read_provenance(Database *db, Assessment *assessment, const AssessOptions *options)
{
    Arena *arena = assessment->arena;
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    const char *user = getenv("USER");
    char number[32];
    snprintf(number, sizeof(number), "uid %u", (unsigned)getuid());
    assessment->run_id = new_run_id(arena);
    assessment->started = clock_now_ticks();
    assessment->snapshot = db_snapshot(db);
    assessment->user = str_copy(arena, str_from(user && *user ? user : number));
    assessment->host = str_copy(arena, str_from(host));
    assessment->version = str_copy(arena, str_from(options->version));
    assessment->content_hash = content_hash(db_content(db), arena);
    SnapshotInfo *snapshots = NULL;
    size_t count = 0;
    if (db_store(db) && store_snapshots(db_store(db), arena, &snapshots, &count, NULL))
        for (size_t i = 0; i < count; i++)
            if (snapshots[i].id == assessment->snapshot)
                assessment->snapshot_info = snapshots[i];
    assessment->tenant_id = assessment->snapshot_info.tenant_id;
}

static void
open_history(Database *db, Run *run, const AssessOptions *options)
{
    if (!options->write_history || !db_store(db))
        return;
    AzError error = {0};
    run->history = history_open(store_dir(db_store(db)), run->assessment, &error);
    if (!run->history)
        run->assessment->history_note = str_copy(run->assessment->arena, str_from(error.message));
}

static void
close_history(Run *run)
{
    if (!run->history)
        return;
    AzError error = {0};
    if (!history_commit(run->history, &error))
        run->assessment->history_note = str_copy(run->assessment->arena, str_from(error.message));
}

static void
run_controls(Database *db, Run *run, const AssessOptions *options)
{
    Assessment *assessment = run->assessment;
    size_t total = assessment->controls->len;
    for (size_t i = 0; i < total; i++) {
        const Control *control = &assessment->controls->items[i];
        ControlResult *result = &assessment->results[i];
        if (options->progress)
            options->progress(options->progress_context, i, total, control);
        run->control = (uint32_t)i;
        uint64_t start = clock_monotonic_ns();
        AzError error = {0};
        if (!control_run(db, control, assessment->coverage, assessment->coverage_count, take_row,
                         run, &result->missing, assessment->arena, &error))
            result->error = str_copy(assessment->arena, str_from(error.message));
        result->ms = (double)(clock_monotonic_ns() - start) / 1e6;
        assessment->pass += result->pass;
        assessment->fail += result->fail;
        assessment->unknown += result->unknown;
        assessment->fail_by_severity[control->severity] += result->fail;
    }
}

Assessment *
assess_run(Database *db, Arena *arena, const AssessOptions *options, AzError *error)
{
    uint64_t start = clock_monotonic_ns();
    const char *content = content_dir(db_content(db));
    if (!*content) {
        error_set(error, AZ_NOT_FOUND,
                  "no content folder was found: give --content DIR, or set AZIMUTH_CONTENT");
        return NULL;
    }
    ControlSet *controls = ARENA_NEW(arena, ControlSet);
    if (!controls_load(arena, str_format(arena, "%s/controls", content).ptr, options->controls_glob,
                       controls, error))
        return NULL;
    if (!controls->len) {
        error_set(error, AZ_NOT_FOUND, "no control in %s/controls matches '%s'", content,
                  options->controls_glob ? options->controls_glob : "*");
        return NULL;
    }
    Assessment *assessment = ARENA_NEW(arena, Assessment);
    assessment->arena = arena;
    assessment->controls = controls;
    assessment->results = ARENA_ARRAY(arena, ControlResult, controls->len);
    if (!coverage_read(db, arena, &assessment->coverage, &assessment->coverage_count, error))
        return NULL;
    read_provenance(db, assessment, options);
    Run run = {.assessment = assessment};
    map_init(&run.assets, arena, false);
    map_init(&run.texts, arena, false);
    read_assets(db, &run);
    open_history(db, &run, options);
    run_controls(db, &run, options);
    close_history(&run);
    buffer_free(&run.lower);
    assessment->findings = run.findings.items;
    assessment->finding_count = run.findings.len;
    if (run.findings.len)
        qsort(run.findings.items, run.findings.len, sizeof(Finding), finding_order);
    area_scores(assessment);
    assessment->resources = count_rows(db, STR("resources | count"));
    assessment->seconds = (double)(clock_monotonic_ns() - start) / 1e9;
    return assessment;
}
