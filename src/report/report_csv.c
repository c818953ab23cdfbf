// Findings for a spreadsheet: one line a failing or unknown finding.
//
// Columns: finding (stable over runs, as FindingsHistory.FindingId), control, title,
// severity, area, status, risk, id, name, type, subscription, resourceGroup, owner,
// environment, reason, evidence (JSON). Remediation is in the page and the JSON, not
// repeated on each line.

#include "report/assessment_report.h"

#include "base/array.h"
#include "report/report_words.h"
#include "report/result.h"
#include "value/unicode.h"

#include <math.h>

// A field; what is not UTF-8 and NUL, which some readers take for the end, become U+FFFD.
static void
put_field(Buffer *out, Buffer *scratch, Str text)
{
    buffer_char(out, ',');
    if (!text.len)
        return;
    if (utf8_valid(text) && !memchr(text.ptr, 0, text.len)) {
        csv_write_field(out, text);
        return;
    }
    buffer_clear(scratch);
    for (size_t at = 0; at < text.len;) {
        uint32_t codepoint = utf8_next(text, &at);
        utf8_put(scratch, codepoint ? codepoint : 0xFFFD);
    }
    csv_write_field(out, buffer_slice(scratch));
}

static void
put_finding(Buffer *out, Buffer *scratch, const Assessment *assessment, const Finding *finding)
{
    const Control *control = &assessment->controls->items[finding->control];
    const Asset *asset = finding->asset >= 0 ? &assessment->assets[finding->asset] : NULL;
    buffer_printf(out, "%016llx", (unsigned long long)finding->key);
    put_field(out, scratch, control->id);
    put_field(out, scratch, control->title);
    put_field(out, scratch, str_from(severity_name(control->severity)));
    put_field(out, scratch, control->area);
    put_field(out, scratch, str_from(report_status_name(finding->status)));
    buffer_printf(out, ",%.1f", isfinite(finding->risk) ? (double)finding->risk : 0.0);
    const Str rest[] = {
        finding->id,
        finding->name,
        finding->type,
        report_id_subscription(finding->id),
        report_id_group(finding->id),
        asset ? asset->owner : STR(""),
        asset ? asset->environment : STR(""),
        finding->reason,
        finding->evidence,
    };
    for (size_t i = 0; i < COUNT_OF(rest); i++)
        put_field(out, scratch, rest[i]);
    buffer_text(out, "\r\n");
}

void
report_csv(const Assessment *assessment, Buffer *out)
{
    Buffer scratch = {0};
    buffer_text(out, "finding,control,title,severity,area,status,risk,id,name,type,subscription,"
                     "resourceGroup,owner,environment,reason,evidence\r\n");
    for (size_t i = 0; i < assessment->finding_count; i++)
        put_finding(out, &scratch, assessment, &assessment->findings[i]);
    buffer_free(&scratch);
}
