// An assessment as people and programs read it: the HTML page, JSON, CSV and the
// summary for a terminal. All append to `out`. Names in an assessment were chosen by
// others; each form escapes what it would read as structure.
#pragma once

#include "assess/assess.h"
#include "db/db.h"
#include "report/report_incidents.h"
#include "report/report_paths.h"

// One self-contained page (page/MODEL.md says what is in it). `db` gives what the
// assessment lacks: the tree of management groups and subscriptions, and the scores of
// the previous snapshot; NULL, or tables that are missing, leave those parts empty. `paths`
// may be NULL here and below: then nothing is said of attack paths; `incidents` likewise.
// False with an error only when the page's skeleton is damaged.
bool report_html(Database *db, const Assessment *assessment, const ReportPaths *paths,
                 const ReportIncidents *incidents, Buffer *out, AzError *error);

// One JSON document; its form is documented in report_json.c.
void report_json(const Assessment *assessment, const ReportPaths *paths,
                 const ReportIncidents *incidents, Buffer *out);

// A header and one line a failing or unknown finding, RFC 4180; formulas are defused.
void report_csv(const Assessment *assessment, Buffer *out);

// The headline, the scores and the first ten fixes, in `width` columns (at least 60 are
// used, at most 120). Colour by escape sequences only when `color`.
void report_terminal(const Assessment *assessment, const ReportPaths *paths, Buffer *out,
                     bool color, uint32_t width);
