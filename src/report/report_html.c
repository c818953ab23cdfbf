// The page: the skeleton with its placeholders filled, and in it the model as JSON.
//
// page/MODEL.md is the contract; the names here are the names there. Everything that
// repeats (ids, their beginnings, evidence, texts) is written once and referred to by
// index; rows are columns. One pass over the findings collects the tables, a second
// writes the rows, so that time and size grow with the findings and nothing else.

#include "report/assessment_report.h"

#include "base/array.h"
#include "base/map.h"
#include "report/page.h"
#include "report/report_model.h"
#include "report/report_words.h"
#include "report/result_text.h"

#include <string.h>

// A page beyond this size is slow to open: evidence of low and info goes first (MODEL.md).
enum { PAGE_BYTES_MOST = 20 << 20 };

typedef struct Page {
    Arena arena;
    const Assessment *assessment;
    const ReportModel *model;
    FixGroup *groups;
    ReportFact facts[REPORT_FACTS];
    size_t fact_count;
    Str headline;
    bool trimmed; // evidence of low and info is left out

    JsonOut json;
    Map strings;  // text -> its index is its place in the map
    Map prefixes; // likewise
    Map evidence; // likewise
    Map ids;      // without regard to case; number = index of the prefix
    Map names;    // id -> index of its name in `strings`, for ids that do not end in it
} Page;

// ---- tables -----------------------------------------------------------------

static int64_t
intern(Map *map, Str text)
{
    return map_add(map, text, NULL) - map->entries;
}

// -1 for an empty text: what is not known.
static int64_t
intern_known(Map *map, Str text)
{
    return text.len ? intern(map, text) : -1;
}

static size_t
prefix_length(Str id)
{
    size_t len = id.len;
    while (len && id.ptr[len - 1] != '/')
        len--;
    return len;
}

static int64_t
intern_id(Page *page, Str id)
{
    bool is_new;
    MapEntry *entry = map_add(&page->ids, id, &is_new);
    int64_t index = entry - page->ids.entries;
    if (is_new)
        entry->number = (uint64_t)intern(&page->prefixes, str_slice(id, 0, prefix_length(id)));
    return index;
}

// What the id's last part does not say: the name of a subscription, of a thing in the
// directory, the kind of what has only a GUID.
static Str
shown_name(Page *page, Str id, Str name)
{
    Str subscription = report_id_subscription(id);
    if (subscription.len && id.len == strlen("/subscriptions/") + subscription.len) {
        const MapEntry *entry = map_find(&page->model->scope_index, subscription);
        if (entry && !page->model->scopes[entry->number].is_group)
            name = page->model->scopes[entry->number].name;
    }
    return report_label(&page->arena, id, name);
}

// As intern_id, and remembers the name to show when it is not the end of the id.
static int64_t
intern_named(Page *page, Str id, Str name)
{
    int64_t index = intern_id(page, id);
    bool is_new;
    MapEntry *entry = map_add(&page->names, id, &is_new);
    if (is_new) {
        Str shown = shown_name(page, id, name);
        bool same = str_equal(shown, str_slice(id, prefix_length(id), id.len));
        entry->number = same ? UINT64_MAX : (uint64_t)intern(&page->strings, shown);
    }
    return index;
}

static int64_t
finding_evidence(Page *page, const Finding *finding)
{
    Severity severity = page->assessment->controls->items[finding->control].severity;
    if (page->trimmed && severity <= SEVERITY_LOW)
        return -1;
    return intern_known(&page->evidence, finding->evidence);
}

// ---- the parts of the model -------------------------------------------------

static void
key_long(JsonOut *json, const char *key, uint64_t number)
{
    json_member_long(json, key, (int64_t)number);
}

static void
key_time(Page *page, const char *key, int64_t ticks)
{
    json_member_text(&page->json, key, ticks ? report_time(&page->arena, ticks) : STR(""));
}

static void
write_counts_list(Page *page)
{
    const Assessment *a = page->assessment;
    const struct {
        const char *what;
        uint64_t n;
    } COUNTS[] = {
        {"Resources", a->resources},
        {"AI assets", a->asset_count},
        {"Checks passed", a->pass},
        {"Checks failed", a->fail},
        {"Checks not judged", a->unknown},
        {"Records that could not be read", a->snapshot_info.rejected},
    };
    json_open(&page->json, '[');
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        json_item(&page->json);
        json_open(&page->json, '{');
        json_member_string(&page->json, "what", str_from(COUNTS[i].what));
        key_long(&page->json, "n", COUNTS[i].n);
        json_close(&page->json, '}');
    }
    json_close(&page->json, ']');
}

static void
write_duration(Page *page, const char *what, double ms)
{
    if (ms <= 0)
        return;
    json_item(&page->json);
    json_open(&page->json, '{');
    json_member_string(&page->json, "what", str_from(what));
    json_key(&page->json, "ms");
    json_tenths(&page->json, ms);
    json_close(&page->json, '}');
}

static void
write_hash(Page *page, const char *of, Str value)
{
    if (!value.len)
        return;
    json_item(&page->json);
    json_open(&page->json, '{');
    json_member_string(&page->json, "of", str_from(of));
    json_member_string(&page->json, "algorithm", STR("XXH3-128"));
    json_member_string(&page->json, "value", value);
    json_close(&page->json, '}');
}

static void
write_snapshot(Page *page)
{
    const Assessment *a = page->assessment;
    const ReportModel *model = page->model;
    JsonOut *json = &page->json;
    json_key(json, "snapshot");
    json_open(json, '{');
    json_member_text(json, "id",
                     a->snapshot ? str_format(&page->arena, "%lld", (long long)a->snapshot)
                                 : STR(""));
    key_time(page, "takenAt", a->snapshot_info.created);
    json_member_text(json, "previousId",
                     model->previous_snapshot
                         ? str_format(&page->arena, "%lld", (long long)model->previous_snapshot)
                         : STR(""));
    key_time(page, "previousAt", model->previous_created);
    json_close(json, '}');
}

static void
write_meta(Page *page)
{
    const Assessment *a = page->assessment;
    JsonOut *json = &page->json;
    json_key(json, "meta");
    json_open(json, '{');
    json_key(json, "tenant");
    json_open(json, '{');
    json_member_string(json, "id", a->tenant_id);
    json_member_string(json, "name", page->model->tenant_name);
    json_close(json, '}');
    write_snapshot(page);
    json_key(json, "run");
    json_open(json, '{');
    json_member_string(json, "id", a->run_id);
    key_time(page, "at", a->started);
    json_member_string(
        json, "by",
        a->host.len ? str_format(&page->arena, "%.*s on %.*s", STR_ARG(a->user), STR_ARG(a->host))
                    : a->user);
    json_member_string(json, "version", a->version);
    json_key(json, "durations");
    json_open(json, '[');
    write_duration(page, "import", (double)a->snapshot_info.duration_ms);
    write_duration(page, "assessment", a->seconds * 1000);
    json_close(json, ']');
    json_close(json, '}');
    json_key(json, "content");
    json_open(json, '{');
    json_member_string(json, "version", str_slice(a->content_hash, 0, 12));
    key_long(json, "controls", a->controls->len);
    json_close(json, '}');
    json_key(json, "counts");
    write_counts_list(page);
    json_key(json, "hashes");
    json_open(json, '[');
    write_hash(page, "Snapshot", a->snapshot_info.content_hash);
    write_hash(page, "Content pack", a->content_hash);
    json_close(json, ']');
    json_member_text(json, "omitted",
                     page->trimmed
                         ? STR("evidence of low and info findings, to keep the page small;"
                               " the JSON export has it")
                         : STR(""));
    json_close(json, '}');
}

static void
write_headline(Page *page)
{
    JsonOut *json = &page->json;
    json_key(json, "headline");
    json_open(json, '{');
    json_member_string(json, "text", page->headline);
    json_key(json, "facts");
    json_open(json, '[');
    for (size_t i = 0; i < page->fact_count; i++) {
        const Control *control = &page->assessment->controls->items[page->facts[i].control];
        json_item(json);
        json_open(json, '{');
        json_member_string(json, "text", page->facts[i].text);
        json_member_string(json, "severity", str_from(severity_name(control->severity)));
        json_member_string(json, "control", control->id);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

static void
write_score(JsonOut *json, double score, double previous, uint64_t pass, uint64_t fail,
            uint64_t unknown)
{
    json_key(json, "score");
    json_score(json, score);
    json_key(json, "previous");
    json_score(json, previous);
    key_long(json, "pass", pass);
    key_long(json, "fail", fail);
    key_long(json, "unknown", unknown);
}

static void
write_scores(Page *page)
{
    const Assessment *a = page->assessment;
    JsonOut *json = &page->json;
    json_key(json, "score");
    json_open(json, '{');
    write_score(json, a->score, page->model->previous_score, a->pass, a->fail, a->unknown);
    json_close(json, '}');
    json_key(json, "areas");
    json_open(json, '[');
    for (size_t i = 0; i < a->area_count; i++) {
        const AreaScore *area = &a->areas[i];
        json_item(json);
        json_open(json, '{');
        json_member_string(json, "id", area->area);
        json_member_string(json, "title", report_area_title(&page->arena, area->area));
        write_score(json, area->score, page->model->previous_areas[i], area->pass, area->fail,
                    area->unknown);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void
write_scopes(Page *page)
{
    JsonOut *json = &page->json;
    json_key(json, "scopes");
    json_open(json, '[');
    for (size_t i = 0; i < page->model->scope_count; i++) {
        const ReportScope *scope = &page->model->scopes[i];
        json_item(json);
        json_open(json, '{');
        json_member_string(json, "id", scope->id);
        json_member_string(json, "name", scope->name);
        json_member_string(json, "kind", scope->is_group ? STR("mg") : STR("sub"));
        json_member_long(json, "parent", scope->parent);
        json_close(json, '}');
    }
    json_close(json, ']');
}

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
    case ASSET_ID: return intern_id(page, asset->id);
    case ASSET_KIND: return intern(&page->strings, str_lower(&page->arena, asset->type));
    case ASSET_CLASS: return intern(&page->strings, asset->asset_class);
    case ASSET_SCOPE: return asset_scope(page, asset);
    case ASSET_ENVIRONMENT: return intern_known(&page->strings, asset->environment);
    case ASSET_OWNER: return intern_known(&page->strings, asset->owner);
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
        Str last = str_slice(id, prefix_length(id), id.len);
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
        column_long(json, intern_named(page, finding->id, finding->name));
    }
    json_close(json, ']');
    json_key(json, "status");
    buffer_char(json->out, '"');
    for (size_t i = 0; i < group->count; i++)
        buffer_char(json->out, findings[group->rows[i]].status == FINDING_FAIL ? 'f' : 'u');
    buffer_char(json->out, '"');
    column_open(json, "evidence");
    for (size_t i = 0; i < group->count; i++)
        column_long(json, finding_evidence(page, &findings[group->rows[i]]));
    json_close(json, ']');
    column_open(json, "reason");
    for (size_t i = 0; i < group->count; i++) {
        const Finding *finding = &findings[group->rows[i]];
        column_long(json, finding->status == FINDING_UNKNOWN
                              ? intern_known(&page->strings, finding->reason)
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
    key_long(json, "pass", result->pass);
    key_long(json, "fail", result->fail);
    key_long(json, "unknown", result->unknown);
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
        json_string(json, str_slice(id, prefix_length(id), id.len));
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

static void
write_model(Page *page)
{
    map_init(&page->strings, &page->arena, false);
    map_init(&page->prefixes, &page->arena, false);
    map_init(&page->evidence, &page->arena, false);
    map_init(&page->ids, &page->arena, true);
    map_init(&page->names, &page->arena, true);
    JsonOut *json = &page->json;
    json_open(json, '{');
    json_member_string(json, "schema", STR("azimuth.report/1"));
    write_meta(page);
    write_headline(page);
    write_scores(page);
    write_scopes(page);
    write_assets(page);
    write_controls(page);
    write_gaps(page);
    json_key(json, "frameworks");
    report_frameworks(json, page->assessment->controls);
    write_tables(page);
    json_close(json, '}');
}

// ---- the skeleton -----------------------------------------------------------

static void
put_html(Page *page, Str text)
{
    static const struct {
        char c;
        const char *entity;
    } ENTITIES[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    Str clean = text_clean(&page->arena, text);
    for (size_t i = 0; i < clean.len; i++) {
        const char *entity = NULL;
        for (size_t e = 0; e < COUNT_OF(ENTITIES); e++)
            if (ENTITIES[e].c == clean.ptr[i])
                entity = ENTITIES[e].entity;
        if (entity)
            buffer_text(page->json.out, entity);
        else
            buffer_char(page->json.out, clean.ptr[i]);
    }
}

// The tenant's name, else its id.
static Str
tenant(const Page *page)
{
    return page->model->tenant_name.len ? page->model->tenant_name : page->assessment->tenant_id;
}

static int64_t
page_time(const Page *page)
{
    int64_t created = page->assessment->snapshot_info.created;
    return created ? created : page->assessment->started;
}

static void
put_title(Page *page)
{
    Str name = tenant(page), day = report_day(&page->arena, page_time(page));
    put_html(page, str_format(&page->arena, "Azimuth: %.*s%s%.*s", STR_ARG(name),
                              name.len ? ", " : "", STR_ARG(day)));
}

static void
put_generator(Page *page)
{
    put_html(page, str_format(&page->arena, "azimuth %.*s", STR_ARG(page->assessment->version)));
}

static void
put_subtitle(Page *page)
{
    Str name = tenant(page), date = report_date(&page->arena, page_time(page));
    put_html(page,
             str_format(&page->arena, "%.*s%s%s %.*s", STR_ARG(name), name.len ? " \u00b7 " : "",
                        page->assessment->snapshot ? "snapshot of" : "run of", STR_ARG(date)));
}

static void
put_headline(Page *page)
{
    put_html(page, page->headline);
}

static void
put_facts(Page *page)
{
    for (size_t i = 0; i < page->fact_count; i++) {
        buffer_text(page->json.out, "<li>");
        put_html(page, page->facts[i].text);
        buffer_text(page->json.out, "</li>");
    }
}

static void
put_css(Page *page)
{
    buffer_put(page->json.out, REPORT_PAGE_CSS, REPORT_PAGE_CSS_LEN);
}

static void
put_js(Page *page)
{
    buffer_put(page->json.out, REPORT_PAGE_JS, REPORT_PAGE_JS_LEN);
}

static void
put_data(Page *page)
{
    Buffer *out = page->json.out;
    size_t start = out->len;
    write_model(page);
    if (out->len - start <= PAGE_BYTES_MOST - 200000)
        return;
    out->len = start;
    page->trimmed = true;
    write_model(page);
}

static bool
fill_skeleton(Page *page, AzError *error)
{
    static const struct {
        const char *name;
        void (*put)(Page *page);
    } PLACEHOLDERS[] = {
        {"title", put_title},
        {"generator", put_generator},
        {"subtitle", put_subtitle},
        {"headline", put_headline},
        {"facts", put_facts},
        {"css", put_css},
        {"js", put_js},
        {"data", put_data},
    };
    Str rest = {REPORT_PAGE_HTML, REPORT_PAGE_HTML_LEN};
    for (;;) {
        ptrdiff_t open = str_find(rest, STR("{{"));
        if (open < 0)
            break;
        buffer_put(page->json.out, rest.ptr, (size_t)open);
        rest = str_slice(rest, (size_t)open + 2, rest.len);
        ptrdiff_t close = str_find(rest, STR("}}"));
        Str name = str_slice(rest, 0, close < 0 ? 0 : (size_t)close);
        size_t i = 0;
        while (i < COUNT_OF(PLACEHOLDERS) && !str_equal(name, str_from(PLACEHOLDERS[i].name)))
            i++;
        if (i == COUNT_OF(PLACEHOLDERS))
            return error_set(error, AZ_INVALID,
                             "the page's skeleton has an unknown placeholder '%.*s'",
                             STR_ARG(name));
        PLACEHOLDERS[i].put(page);
        rest = str_slice(rest, (size_t)close + 2, rest.len);
    }
    buffer_str(page->json.out, rest);
    return true;
}

// State, then whether it gets better.
static Str
page_headline(Page *page)
{
    Str state = report_headline(&page->arena, page->assessment);
    double now = page->assessment->score, before = page->model->previous_score;
    if (now < 0 || before < 0)
        return str_format(&page->arena, "%.*s.", STR_ARG(state));
    double change = now - before;
    const char *trend = change >= 0.5 ? "Better" : change <= -0.5 ? "Worse" : "No better";
    return str_format(&page->arena, "%.*s. %s than at the previous snapshot: score %.0f, was %.0f.",
                      STR_ARG(state), trend, now, before);
}

bool
report_html(Database *db, const Assessment *assessment, Buffer *out, AzError *error)
{
    Page page = {.assessment = assessment, .json = {.out = out, .html_safe = true}};
    page.model = report_model_read(db, assessment, &page.arena);
    page.groups = report_groups(&page.arena, assessment);
    page.fact_count = report_facts(&page.arena, assessment, page.groups, page.facts);
    page.headline = page_headline(&page);
    bool done = fill_skeleton(&page, error);
    json_out_free(&page.json);
    arena_free(&page.arena);
    return done;
}
