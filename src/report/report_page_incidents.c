// The part "Incidents" of the page: how many, the timeline, and the newest as a table. Plain HTML
// and SVG, complete without a script.

#include "report/report_page_parts.h"

#include "report/report_incidents.h"

enum { ENTITIES_SHOWN = 8 };

static void
put(Page *page, const char *html)
{
    buffer_text(page->json.out, html);
}

static void
put_severity(Page *page, AlertSeverity severity)
{
    buffer_printf(page->json.out, "<span class=\"sev %s\"><i aria-hidden=\"true\">%s</i>%s</span>",
                  incident_severity_class(severity), incident_severity_shape(severity),
                  alert_severity_name(severity));
}

static void
put_counts(Page *page, const ReportIncidents *incidents)
{
    Buffer *out = page->json.out;
    put(page, "<p class=\"legend\">");
    buffer_printf(out, "<span><b>%lld %s</b>, %lld not closed</span>", (long long)incidents->total,
                  incidents->total == 1 ? "incident" : "incidents", (long long)incidents->open);
    for (int s = ALERT_HIGH; s >= ALERT_INFORMATIONAL; s--) {
        put(page, "<span>");
        put_severity(page, (AlertSeverity)s);
        buffer_printf(out, " %lld</span>", (long long)incidents->by_severity[s]);
    }
    put(page, "</p>");
}

static void
put_entities(Page *page, const ReportIncident *incident)
{
    size_t shown =
        incident->entities.len < ENTITIES_SHOWN ? incident->entities.len : ENTITIES_SHOWN;
    size_t left = incident->entities.len - shown + incident->entities_left;
    for (size_t i = 0; i < shown; i++) {
        put(page, i ? ", " : "");
        page_put_html(page, incident->entities.items[i].name);
    }
    if (left)
        buffer_printf(page->json.out, ", %zu more", left);
}

// 2026-06-02 07:00
static void
put_time(Page *page, int64_t ticks)
{
    if (ticks <= 0) {
        put(page, "not known");
        return;
    }
    Str time = report_time(&page->arena, ticks);
    page_put_html(page, str_slice(time, 0, 10));
    put(page, " ");
    page_put_html(page, str_slice(time, 11, 16));
}

static void
put_cell(Page *page, const char *label, size_t count)
{
    buffer_printf(page->json.out, "<td%s data-label=\"%s\">", count ? "" : " class=\"blank\"",
                  label);
}

static void
put_row(Page *page, size_t number, const ReportIncident *incident)
{
    Buffer *out = page->json.out;
    buffer_printf(out, "<tr id=\"incident-%zu\"><td data-label=\"Severity\">", number);
    put_severity(page, incident->severity);
    put(page, "</td><td class=\"name\" data-label=\"Incident\">");
    page_put_html(page, incident->title.len ? incident->title : STR("(no title)"));
    buffer_printf(out, "<span class=\"under\">%lld, ", (long long)incident->number);
    page_put_html(page, incident->status.len ? incident->status : STR("no status"));
    put(page, "</span></td>");
    put_cell(page, "Entities", incident->entities.len);
    put_entities(page, incident);
    put(page, "</td>");
    put_cell(page, "Tactics", incident->tactic_count);
    for (size_t i = 0; i < incident->tactic_count; i++) {
        put(page, i ? ", " : "");
        page_put_html(page, incident->tactics[i]);
    }
    put(page, "</td><td data-label=\"First activity\">");
    put_time(page, incident->first);
    put(page, "</td><td data-label=\"Last activity\">");
    put_time(page, incident->last);
    buffer_printf(out, "</td><td class=\"num\" data-label=\"Alerts\">%lld</td></tr>\n",
                  (long long)incident->alert_count);
}

static void
put_table(Page *page, const ReportIncidents *incidents)
{
    put(page,
        "<div class=\"wrap\"><table class=\"data cards\"><thead><tr><th scope=\"col\">Severity</th>"
        "<th scope=\"col\">Incident</th><th scope=\"col\">Entities</th>"
        "<th scope=\"col\">Tactics</th><th scope=\"col\">First activity</th>"
        "<th scope=\"col\">Last activity</th><th scope=\"col\" class=\"num\">Alerts</th>"
        "</tr></thead><tbody>\n");
    for (size_t i = 0; i < incidents->len; i++)
        put_row(page, i + 1, &incidents->items[i]);
    put(page, "</tbody></table></div>");
}

static void
put_note(Page *page, const ReportIncidents *incidents)
{
    put(page, "<p class=\"note\">Times are UTC. A mark stands at an alert's first event; the bar "
              "reaches from an incident's first to its last activity.");
    int64_t left = incidents->total - (int64_t)incidents->len;
    if (left > 0)
        buffer_printf(
            page->json.out, " The %zu with the latest activity are shown, %lld more are %s.",
            incidents->len, (long long)left, "in the table SecurityIncident of the store");
    put(page, "</p>");
}

void
page_put_incidents(Page *page)
{
    const ReportIncidents *incidents = page->incidents;
    if (!report_incidents_any(incidents))
        return;
    put(page, "<section id=\"incidents\" aria-labelledby=\"incidents-title\"><div class=\"head\">"
              "<h2 id=\"incidents-title\">Incidents</h2><p>What analytics rules raised over the "
              "logs, the latest activity first.</p></div>");
    if (incidents->error.len) {
        put(page, "<p class=\"gap\"><b>Incidents could not be read.</b> ");
        page_put_html(page, incidents->error);
        put(page, "</p>");
    }
    if (incidents->total)
        put_counts(page, incidents);
    if (incidents->len) {
        put(page, "<div class=\"ap-wrap\" tabindex=\"0\">");
        incident_picture_svg(page->json.out, &page->arena, incidents);
        put(page, "</div>");
        put_note(page, incidents);
        put_table(page, incidents);
    }
    put(page, "</section>");
}

void
page_put_incidents_link(Page *page)
{
    if (report_incidents_any(page->incidents))
        put(page, "<a href=\"#incidents\">Incidents</a>\n    ");
}
