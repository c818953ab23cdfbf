// What the files of the page share: the page being written, and the tables its model
// refers to by index. page/MODEL.md is the contract; the names here are the names there.
#pragma once

#include "base/map.h"
#include "report/assessment_report.h"
#include "report/json_parts.h"
#include "report/report_model.h"
#include "report/report_words.h"

typedef struct Page {
    Arena arena;
    Database *db; // NULL: nothing beyond the assessment
    const Assessment *assessment;
    const ReportModel *model;
    const ReportPaths *paths;         // NULL: nothing is said of them
    const ReportIncidents *incidents; // likewise
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

// The model as JSON (report_page_rows.c).
void page_write_model(Page *page);
// Its parts that are no rows (report_page_meta.c).
void page_write_meta(Page *page);
void page_write_headline(Page *page);
void page_write_scores(Page *page);
void page_write_scopes(Page *page);

// Texts that repeat are written once: their index in a table, -1 for what is not known.
int64_t page_intern(Map *map, Str text);
int64_t page_intern_known(Map *map, Str text);
int64_t page_intern_id(Page *page, Str id);
int64_t page_intern_named(Page *page, Str id, Str name);
int64_t page_finding_evidence(Page *page, const Finding *finding);
// How much of an id is its beginning, up to the last slash.
size_t page_prefix_length(Str id);
void page_key_long(JsonOut *json, const char *key, uint64_t number);

// Text as HTML, in elements and attributes: clean, and nothing in it is markup.
void page_put_html(Page *page, Str text);
// The part "Attack paths" and its link in the head; nothing when there are no paths to
// speak of (report_page_paths.c). Complete without a script.
void page_put_risk(Page *page);
void page_put_risk_link(Page *page);
// The part "Landing zones": management groups with their AI; nothing when none are known
// (report_page_zones.c).
void page_put_zones(Page *page);
// The part "Incidents" and its link in the head; nothing when there are none
// (report_page_incidents.c).
void page_put_incidents(Page *page);
void page_put_incidents_link(Page *page);
// Who may ask, read and administer, as pictures (report_page_access.c).
void page_put_access(Page *page);
