// The page's model but for its rows: what was assessed, scores, scopes; and the tables that
// rows refer to. Everything that repeats (ids, their beginnings, evidence, texts) is
// written once and referred to by index.

#include "report/report_page_parts.h"

#include "base/array.h"
#include "report/result_text.h"

#include <string.h>

// ---- tables -----------------------------------------------------------------

int64_t
page_intern(Map *map, Str text)
{
    return map_add(map, text, NULL) - map->entries;
}

// -1 for an empty text: what is not known.
int64_t
page_intern_known(Map *map, Str text)
{
    return text.len ? page_intern(map, text) : -1;
}

size_t
page_prefix_length(Str id)
{
    size_t len = id.len;
    while (len && id.ptr[len - 1] != '/')
        len--;
    return len;
}

int64_t
page_intern_id(Page *page, Str id)
{
    bool is_new;
    MapEntry *entry = map_add(&page->ids, id, &is_new);
    int64_t index = entry - page->ids.entries;
    if (is_new)
        entry->number =
            (uint64_t)page_intern(&page->prefixes, str_slice(id, 0, page_prefix_length(id)));
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
int64_t
page_intern_named(Page *page, Str id, Str name)
{
    int64_t index = page_intern_id(page, id);
    bool is_new;
    MapEntry *entry = map_add(&page->names, id, &is_new);
    if (is_new) {
        Str shown = shown_name(page, id, name);
        bool same = str_equal(shown, str_slice(id, page_prefix_length(id), id.len));
        entry->number = same ? UINT64_MAX : (uint64_t)page_intern(&page->strings, shown);
    }
    return index;
}

int64_t
page_finding_evidence(Page *page, const Finding *finding)
{
    Severity severity = page->assessment->controls->items[finding->control].severity;
    if (page->trimmed && severity <= SEVERITY_LOW)
        return -1;
    return page_intern_known(&page->evidence, finding->evidence);
}

// ---- the parts of the model -------------------------------------------------

void
page_key_long(JsonOut *json, const char *key, uint64_t number)
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
        page_key_long(&page->json, "n", COUNTS[i].n);
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

void
page_write_meta(Page *page)
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
    page_key_long(json, "controls", a->controls->len);
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

void
page_write_headline(Page *page)
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
    page_key_long(json, "pass", pass);
    page_key_long(json, "fail", fail);
    page_key_long(json, "unknown", unknown);
}

void
page_write_scores(Page *page)
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

void
page_write_scopes(Page *page)
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
