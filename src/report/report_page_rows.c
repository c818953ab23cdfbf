// The rows of the page's model: rows are columns. One pass over the findings collects the
// tables, a second writes the rows, so that time and size grow with the findings and
// nothing else.

#include "report/report_page_parts.h"

#include "base/array.h"
#include "report/result_text.h"

#include <string.h>

// ---- columns ----------------------------------------------------------------

static void
column_open(JsonOut *json, const char *key)
{
    json_key(json, key);
    json_open(json, '[');
}

static void
column_long(JsonOut *json, int64_t number)
{
    json_item(json);
    json_long(json, number);
}

// The assets to write: the first of those that bear one id.
static const Asset **
unique_assets(Page *page, size_t *count)
{
    const Assessment *a = page->assessment;
    const Asset **assets = ARENA_ARRAY(&page->arena, const Asset *, a->asset_count);
    Map seen;
    map_init(&seen, &page->arena, true);
    *count = 0;
    for (size_t i = 0; i < a->asset_count; i++) {
        bool is_new;
        map_add(&seen, a->assets[i].id, &is_new);
        if (is_new)
            assets[(*count)++] = &a->assets[i];
    }
    return assets;
}

static int64_t
asset_scope(const Page *page, const Asset *asset)
{
    const MapEntry *entry =
        asset->subscription.len ? map_find(&page->model->scope_index, asset->subscription) : NULL;
    return entry ? (int64_t)entry->number : -1;
}

static char
asset_approved(const Page *page, const Asset *asset)
{
    const MapEntry *entry =
        asset->subscription.len ? map_find(&page->model->approved, asset->subscription) : NULL;
    return entry ? (char)entry->number : '?';
}

// One number an asset for each of the columns that are numbers.
enum AssetColumn {
    ASSET_ID,
    ASSET_KIND,
    ASSET_CLASS,
    ASSET_SCOPE,
    ASSET_ENVIRONMENT,
    ASSET_OWNER,
    ASSET_WORST,
    ASSET_FAIL,
    ASSET_UNKNOWN,
    ASSET_REACH,
    ASSET_COLUMNS
};
static const char *const ASSET_KEYS[ASSET_COLUMNS] = {
    "id", "kind", "class", "scope", "environment", "owner", "worst", "fail", "unknown", "reach"};

static int64_t
asset_number(Page *page, const Asset *asset, const uint32_t *unknowns, enum AssetColumn column)
{
    switch (column) {
    case ASSET_ID: return page_intern_id(page, asset->id);
    case ASSET_KIND: return page_intern(&page->strings, str_lower(&page->arena, asset->type));
    case ASSET_CLASS: return page_intern(&page->strings, asset->asset_class);
    case ASSET_SCOPE: return asset_scope(page, asset);
    case ASSET_ENVIRONMENT: return page_intern_known(&page->strings, asset->environment);
    case ASSET_OWNER: return page_intern_known(&page->strings, asset->owner);
    // The page counts from the worst: 0 is critical.
    case ASSET_WORST: return asset->worst < 0 ? -1 : SEVERITY_CRITICAL - asset->worst;
    case ASSET_FAIL: return asset->fails;
    case ASSET_UNKNOWN: return unknowns[asset - page->assessment->assets];
    default: return -1; // reach: not computed yet
    }
}

static void
write_assets(Page *page)
{
    const Assessment *a = page->assessment;
    JsonOut *json = &page->json;
    size_t count;
    const Asset **assets = unique_assets(page, &count);
    uint32_t *unknowns = ARENA_ARRAY(&page->arena, uint32_t, a->asset_count);
    for (size_t i = 0; i < a->finding_count; i++)
        if (a->findings[i].status == FINDING_UNKNOWN && a->findings[i].asset >= 0)
            unknowns[a->findings[i].asset]++;
    json_key(json, "assets");
    json_open(json, '{');
    for (int column = 0; column < ASSET_COLUMNS; column++) {
        column_open(json, ASSET_KEYS[column]);
        for (size_t i = 0; i < count; i++)
            column_long(json, asset_number(page, assets[i], unknowns, (enum AssetColumn)column));
        json_close(json, ']');
    }
    column_open(json, "name");
    for (size_t i = 0; i < count; i++) {
        Str id = assets[i]->id;
        Str last = str_slice(id, page_prefix_length(id), id.len);
        json_item(json);
        json_string_or_null(json, str_equal(last, assets[i]->name) ? STR("") : assets[i]->name);
    }
    json_close(json, ']');
    json_key(json, "approved");
    buffer_char(json->out, '"');
    for (size_t i = 0; i < count; i++)
        buffer_char(json->out, asset_approved(page, assets[i]));
    buffer_char(json->out, '"');
    json_close(json, '}');
}

static void
write_rows(Page *page, const FixGroup *group)
{
    const Finding *findings = page->assessment->findings;
    JsonOut *json = &page->json;
    json_key(json, "rows");
    json_open(json, '{');
    column_open(json, "id");
    for (size_t i = 0; i < group->count; i++) {
        const Finding *finding = &findings[group->rows[i]];
        column_long(json, page_intern_named(page, finding->id, finding->name));
    }
    json_close(json, ']');
    json_key(json, "status");
    buffer_char(json->out, '"');
    for (size_t i = 0; i < group->count; i++)
        buffer_char(json->out, findings[group->rows[i]].status == FINDING_FAIL ? 'f' : 'u');
    buffer_char(json->out, '"');
    column_open(json, "evidence");
    for (size_t i = 0; i < group->count; i++)
        column_long(json, page_finding_evidence(page, &findings[group->rows[i]]));
    json_close(json, ']');
    column_open(json, "reason");
    for (size_t i = 0; i < group->count; i++) {
        const Finding *finding = &findings[group->rows[i]];
        column_long(json, finding->status == FINDING_UNKNOWN
                              ? page_intern_known(&page->strings, finding->reason)
                              : -1);
    }
    json_close(json, ']');
    column_open(json, "risk");
    for (size_t i = 0; i < group->count; i++) {
        const Finding *finding = &findings[group->rows[i]];
        json_item(json);
        json_tenths(json, finding->status == FINDING_FAIL ? (double)finding->risk : 0);
    }
    json_close(json, ']');
    json_close(json, '}');
}

static void
write_control(Page *page, const FixGroup *group)
{
    const Control *control = &page->assessment->controls->items[group->control];
    const ControlResult *result = &page->assessment->results[group->control];
    JsonOut *json = &page->json;
    json_open(json, '{');
    json_member_string(json, "id", control->id);
    json_member_string(json, "title", control->title);
    json_member_string(json, "severity", str_from(severity_name(control->severity)));
    json_member_string(json, "area", control->area);
    json_member_string(json, "rationale", control->rationale);
    json_remedy(json, control);
    json_key(json, "count");
    json_open(json, '{');
    page_key_long(json, "pass", result->pass);
    page_key_long(json, "fail", result->fail);
    page_key_long(json, "unknown", result->unknown);
    json_close(json, '}');
    write_rows(page, group);
    json_close(json, '}');
}

static void
write_controls(Page *page)
{
    JsonOut *json = &page->json;
    json_key(json, "controls");
    json_open(json, '[');
    for (size_t c = 0; c < page->assessment->controls->len; c++) {
        if (!page->groups[c].count)
            continue;
        json_item(json);
        write_control(page, &page->groups[c]);
    }
    json_close(json, ']');
}

static void
write_gaps(Page *page)
{
    const Assessment *a = page->assessment;
    JsonOut *json = &page->json;
    json_key(json, "collection");
    json_open(json, '[');
    for (size_t i = 0; i < a->coverage_count; i++) {
        json_item(json);
        json_open(json, '{');
        json_member_string(json, "dataset", a->coverage[i].dataset);
        json_member_string(json, "scope", a->coverage[i].scope);
        json_member_string(json, "status", str_lower(&page->arena, a->coverage[i].status));
        json_member_string(json, "reason", a->coverage[i].reason);
        json_member_long(json, "rows", a->coverage[i].rows);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_key(json, "notRun");
    json_open(json, '[');
    if (a->asset_error.len) {
        json_item(json);
        json_open(json, '{');
        json_member_string(json, "control", STR("The inventory of AI assets"));
        json_member_string(json, "reason", a->asset_error);
        json_close(json, '}');
    }
    for (size_t c = 0; c < a->controls->len; c++) {
        const ControlResult *result = &a->results[c];
        bool silent = result->missing.len && !(result->pass + result->fail + result->unknown);
        if (!result->error.len && !silent)
            continue;
        const Control *control = &a->controls->items[c];
        json_item(json);
        json_open(json, '{');
        json_member_string(
            json, "control",
            str_format(&page->arena, "%.*s %.*s", STR_ARG(control->id), STR_ARG(control->title)));
        json_member_string(json, "reason", result->error.len ? result->error : result->missing);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void
write_map_keys(JsonOut *json, const char *key, const Map *map)
{
    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < map->len; i++) {
        json_item(json);
        json_string(json, map->entries[i].key);
    }
    json_close(json, ']');
}

// Written last: by then all rows have left their texts in the tables.
static void
write_tables(Page *page)
{
    JsonOut *json = &page->json;
    write_map_keys(json, "strings", &page->strings);
    json_key(json, "evidence");
    json_open(json, '[');
    for (size_t i = 0; i < page->evidence.len; i++) {
        json_item(json);
        json_raw(json, page->evidence.entries[i].key);
    }
    json_close(json, ']');
    json_key(json, "ids");
    json_open(json, '{');
    write_map_keys(json, "prefixes", &page->prefixes);
    column_open(json, "prefix");
    for (size_t i = 0; i < page->ids.len; i++)
        column_long(json, (int64_t)page->ids.entries[i].number);
    json_close(json, ']');
    column_open(json, "suffix");
    for (size_t i = 0; i < page->ids.len; i++) {
        Str id = page->ids.entries[i].key;
        json_item(json);
        json_string(json, str_slice(id, page_prefix_length(id), id.len));
    }
    json_close(json, ']');
    column_open(json, "name");
    for (size_t i = 0; i < page->ids.len; i++) {
        const MapEntry *name = map_find(&page->names, page->ids.entries[i].key);
        column_long(json, name ? (int64_t)name->number : -1);
    }
    json_close(json, ']');
    json_close(json, '}');
}

void
page_write_model(Page *page)
{
    map_init(&page->strings, &page->arena, false);
    map_init(&page->prefixes, &page->arena, false);
    map_init(&page->evidence, &page->arena, false);
    map_init(&page->ids, &page->arena, true);
    map_init(&page->names, &page->arena, true);
    JsonOut *json = &page->json;
    json_open(json, '{');
    json_member_string(json, "schema", STR("azimuth.report/1"));
    page_write_meta(page);
    page_write_headline(page);
    page_write_scores(page);
    page_write_scopes(page);
    write_assets(page);
    write_controls(page);
    write_gaps(page);
    json_key(json, "frameworks");
    report_frameworks(json, page->assessment->controls);
    write_tables(page);
    json_close(json, '}');
}
