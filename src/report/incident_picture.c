// The timeline of incidents as SVG: a lane an incident, its alerts as marks at their first event.
// Colours come from the page's style by class; severity is also the shape of a mark.

#include "report/path_picture.h"
#include "report/report_incidents.h"
#include "report/report_words.h"
#include "value/scalar.h"

enum {
    WIDTH = 1184,
    LANE_HEIGHT = 24,
    TOP = 30,
    PLOT_X = 388,
    PLOT_WIDTH = 776,
    TITLE_COLUMNS = 40,
    TICKS_MOST = 7,
    MARK_APART = 6, // marks of one severity that stand closer are drawn as one
};

typedef struct Timeline {
    Buffer *out;
    Arena *arena;
    int64_t from, to;    // ticks: what the width stands for
    int64_t first, last; // of all that is drawn
} Timeline;

static double
place(const Timeline *line, int64_t at)
{
    return PLOT_X + PLOT_WIDTH * (double)(at - line->from) / (double)(line->to - line->from);
}

static void
stretch(Timeline *line, int64_t at)
{
    if (at <= 0)
        return;
    line->from = !line->from || at < line->from ? at : line->from;
    line->to = at > line->to ? at : line->to;
}

// From the first to the last event of all that is drawn, an hour at least, with some air.
static void
find_range(Timeline *line, const ReportIncidents *incidents)
{
    for (size_t i = 0; i < incidents->len; i++) {
        const ReportIncident *incident = &incidents->items[i];
        stretch(line, incident->first);
        stretch(line, incident->last);
        for (size_t a = 0; a < incident->alerts.len; a++)
            stretch(line, incident->alerts.items[a].start);
    }
    line->first = line->from;
    line->last = line->to;
    int64_t air = (line->to - line->from) / 60;
    if (line->to - line->from < TICKS_PER_HOUR)
        air = TICKS_PER_HOUR / 2;
    line->from = line->from > air ? line->from - air : 0;
    line->to = line->to < DATETIME_MAX - air ? line->to + air : DATETIME_MAX;
}

static int64_t
tick_step(int64_t span)
{
    static const int64_t STEPS[] = {
        5 * TICKS_PER_MINUTE, 15 * TICKS_PER_MINUTE, 30 * TICKS_PER_MINUTE, TICKS_PER_HOUR,
        3 * TICKS_PER_HOUR,   6 * TICKS_PER_HOUR,    12 * TICKS_PER_HOUR,   TICKS_PER_DAY,
        2 * TICKS_PER_DAY,    7 * TICKS_PER_DAY,     14 * TICKS_PER_DAY,    28 * TICKS_PER_DAY,
    };
    for (size_t i = 0; i < COUNT_OF(STEPS); i++)
        if (span / STEPS[i] <= TICKS_MOST)
            return STEPS[i];
    int64_t step = STEPS[COUNT_OF(STEPS) - 1];
    while (span / step > TICKS_MOST)
        step *= 2;
    return step;
}

// 2026-06-02 or 06-02 07:00
static Str
tick_text(const Timeline *line, int64_t at, int64_t step)
{
    Str time = report_time(line->arena, at);
    if (step >= TICKS_PER_DAY || time.len < 16)
        return str_slice(time, 0, 10);
    return str_format(line->arena, "%.*s %.*s", STR_ARG(str_slice(time, 5, 10)),
                      STR_ARG(str_slice(time, 11, 16)));
}

static void
put_axis(const Timeline *line, double bottom)
{
    int64_t step = tick_step(line->to - line->from);
    int64_t at = line->from - line->from % step;
    for (; at <= line->to; at += step) {
        double x = place(line, at);
        if (at < line->from)
            continue;
        buffer_printf(line->out, "<path class=\"grid\" d=\"M%.1f %dV%.0f\"/>", x, TOP - 8, bottom);
        svg_text(line->out, line->arena, x, TOP - 13, "c mid", tick_text(line, at, step), 20);
    }
}

static void
put_shape(Buffer *out, AlertSeverity severity, double x, double y)
{
    buffer_printf(out, "<path class=\"m s-%s\" d=\"", incident_severity_class(severity));
    if (severity == ALERT_HIGH)
        buffer_printf(out, "M%.1f %.1fl6 11h-12z", x, y - 6.5);
    else if (severity == ALERT_MEDIUM)
        buffer_printf(out, "M%.1f %.1fh10v10h-10z", x - 5, y - 5);
    else
        buffer_printf(out, "M%.1f %.1fa4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z", x - 4.5, y);
    buffer_text(out, "\">");
}

static Str
mark_title(const Timeline *line, const IncidentAlert *first, const IncidentAlert *last,
           size_t count)
{
    const char *word = alert_severity_name(first->severity);
    Str start = report_time(line->arena, first->start);
    Str end = report_time(line->arena, last->end);
    if (count == 1)
        return str_format(line->arena, "%s: %.*s, %.*s to %.*s", word, STR_ARG(first->name),
                          STR_ARG(start), STR_ARG(end));
    return str_format(line->arena, "%s: %zu alerts, the first %.*s, %.*s to %.*s", word, count,
                      STR_ARG(first->name), STR_ARG(start), STR_ARG(end));
}

static void
put_mark(const Timeline *line, const IncidentAlert *first, const IncidentAlert *last, size_t count,
         double y)
{
    put_shape(line->out, first->severity, place(line, first->start), y);
    buffer_text(line->out, "<title>");
    markup_text(line->out, line->arena, mark_title(line, first, last, count));
    buffer_text(line->out, "</title></path>");
}

// Alerts of one severity, those that would cover each other as one mark.
static void
put_marks(const Timeline *line, const ReportIncident *incident, AlertSeverity severity, double y)
{
    const IncidentAlert *first = NULL, *last = NULL;
    size_t count = 0;
    for (size_t a = 0; a < incident->alerts.len; a++) {
        const IncidentAlert *alert = &incident->alerts.items[a];
        if (alert->severity != severity || alert->start <= 0)
            continue;
        if (first && place(line, alert->start) - place(line, first->start) >= MARK_APART) {
            put_mark(line, first, last, count, y);
            first = NULL;
        }
        count = first ? count + 1 : 1;
        last = first && last->end > alert->end ? last : alert;
        first = first ? first : alert;
    }
    if (first)
        put_mark(line, first, last, count, y);
}

// The bar from the first to the last activity, and the alerts on it.
static void
put_activity(const Timeline *line, const ReportIncident *incident, double y)
{
    double x = place(line, incident->first), end = place(line, incident->last);
    double length = end > x ? end - x : 0;
    buffer_printf(line->out,
                  "<rect class=\"span s-%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"6\" "
                  "rx=\"3\"/>",
                  incident_severity_class(incident->severity), x - 3, y - 3, length + 6);
    for (int severity = ALERT_INFORMATIONAL; severity <= ALERT_HIGH; severity++)
        put_marks(line, incident, (AlertSeverity)severity, y);
}

static void
put_lane(const Timeline *line, const ReportIncident *incident, size_t number, double y)
{
    Buffer *out = line->out;
    const char *class = incident_severity_class(incident->severity);
    buffer_printf(out, "<g class=\"lane\"><path class=\"grid\" d=\"M0 %.1fH%d\"/>",
                  y + LANE_HEIGHT / 2.0, WIDTH);
    buffer_printf(out, "<text class=\"m s-%s\" x=\"2\" y=\"%.1f\">%s</text>", class, y + 4.5,
                  incident_severity_shape(incident->severity));
    buffer_printf(out, "<a href=\"#incident-%zu\">", number);
    svg_text(out, line->arena, 20, y + 4.5, "b",
             incident->title.len ? incident->title : STR("(no title)"), TITLE_COLUMNS);
    buffer_text(out, "</a>");
    if (incident->first > 0) // else nothing says when
        put_activity(line, incident, y);
    buffer_text(out, "</g>\n");
}

void
incident_picture_svg(Buffer *out, Arena *arena, const ReportIncidents *incidents)
{
    Timeline line = {.out = out, .arena = arena};
    int height = TOP + (int)incidents->len * LANE_HEIGHT + 4;
    find_range(&line, incidents);
    buffer_printf(out,
                  "<svg class=\"ap\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
                  "aria-labelledby=\"timeline-title\" aria-describedby=\"timeline-desc\" "
                  "viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">"
                  "<title id=\"timeline-title\">Timeline of incidents</title>"
                  "<desc id=\"timeline-desc\">",
                  WIDTH, height, WIDTH, height);
    markup_text(out, arena,
                str_format(arena,
                           "%zu %s from %.*s to %.*s, a lane each, with their alerts as "
                           "marks. The table below says the same in words.",
                           incidents->len, incidents->len == 1 ? "incident" : "incidents",
                           STR_ARG(report_time(arena, line.first)),
                           STR_ARG(report_time(arena, line.last))));
    buffer_text(out, "</desc>\n");
    put_axis(&line, height - 4);
    for (size_t i = 0; i < incidents->len; i++)
        put_lane(&line, &incidents->items[i], i + 1,
                 TOP + (double)i * LANE_HEIGHT + LANE_HEIGHT / 2.0);
    buffer_text(out, "</svg>\n");
}
