// The part "Attack paths" of the page: the picture, where to cut, each path in words. Plain
// HTML; the page's script only adds buttons that copy.

#include "report/report_page_parts.h"

#include "base/array.h"
#include "report/path_picture.h"

static void
put(Page *page, const char *html)
{
    buffer_text(page->json.out, html);
}

static void
put_severity(Page *page, EdgeSeverity severity)
{
    const char *word = edge_severity_name(severity);
    buffer_printf(page->json.out, "<span class=\"sev %s\"><i aria-hidden=\"true\">%s</i>%s</span> ",
                  word, svg_severity_shape(severity), word);
}

// The command when the step has one, else what to change in words.
static void
put_break(Page *page, const PathStep *step)
{
    Str command = path_step_command(page->paths->model, &page->arena, step);
    if (command.len) {
        put(page, "<div class=\"code\"><div><span>Azure CLI</span></div><pre tabindex=\"0\">"
                  "<code>");
        page_put_html(page, command);
        put(page, "</code></pre></div>");
    } else if (step->kind->remedy.len) {
        put(page, "<p>");
        page_put_html(page, step->kind->remedy);
        put(page, "</p>");
    }
}

static void
put_technique(Page *page, const EdgeKind *kind)
{
    if (!kind->attack.len && !kind->atlas.len)
        return;
    put(page, "<span class=\"tech\">");
    if (kind->attack.len) {
        put(page, "ATT&amp;CK ");
        page_put_html(page, kind->attack);
    }
    if (kind->atlas.len) {
        put(page, kind->attack.len ? " \u00b7 ATLAS " : "ATLAS ");
        page_put_html(page, kind->atlas);
    }
    put(page, "</span>");
}

static void
put_step(Page *page, const PathStep *step)
{
    const PathModel *model = page->paths->model;
    put(page, "<li><p><b>");
    page_put_html(page, path_step_source(model, &page->arena, step));
    buffer_printf(page->json.out, "</b> <span class=\"kind s-%s\">",
                  edge_severity_name(step->kind->severity));
    page_put_html(page, step->kind->name);
    put(page, "</span> \u2192 <b>");
    page_put_html(page, path_label(model, step->target));
    put(page, "</b> ");
    put_technique(page, step->kind);
    put(page, step->doubt ? " <em>not certain</em></p>" : "</p>");
    if (step->evidence && (step->evidence->id.len || step->evidence->text.len)) {
        put(page, "<p class=\"because\">because ");
        page_put_html(page, step->evidence->text);
        if (step->evidence->id.len) {
            put(page, step->evidence->text.len ? ", <code>" : "<code>");
            page_put_html(page, step->evidence->id);
            put(page, "</code>");
        }
        put(page, "</p>");
    }
    put_break(page, step);
    put(page, "</li>");
}

static void
put_path(Page *page, uint32_t number, const AttackPath *path)
{
    const PathModel *model = page->paths->model;
    buffer_printf(page->json.out, "<details class=\"chain\"><summary><span class=\"num\">%u</span>",
                  number);
    put_severity(page, path->severity);
    put(page, "<b>");
    page_put_html(page, path_label(model, path->start));
    put(page, "</b> ");
    page_put_html(page, path_goal_text(model, &page->arena, path));
    // Named inside, so that a link to it opens the chain.
    buffer_printf(page->json.out, "<small>%u step%s%s</small></summary><ol id=\"path-%u\">",
                  path->count, path->count == 1 ? "" : "s", path->doubt ? ", not certain" : "",
                  number);
    for (uint32_t i = 0; i < path->count; i++)
        put_step(page, &path->steps[i]);
    put(page, "</ol></details>\n");
}

static void
put_chokes(Page *page)
{
    const PathList *list = &page->paths->list;
    if (!list->choke_count)
        return;
    put(page, "<h3>Where cutting helps most</h3><ol class=\"cuts\">");
    for (uint32_t i = 0; i < list->choke_count; i++) {
        const ChokePoint *choke = &list->chokes[i];
        buffer_printf(page->json.out, "<li id=\"cut-%u\"><p><b>cuts %u of %u paths</b> ", i + 1,
                      choke->paths, list->found);
        page_put_html(page, report_choke_text(&page->arena, page->paths->model, choke));
        if (choke->tried)
            buffer_printf(page->json.out,
                          " <span class=\"soft\">\u00b7 %u of them have no other way</span>",
                          choke->closed);
        put(page, "</p>");
        put_break(page, &choke->step);
        put(page, "</li>");
    }
    put(page, "</ol>");
}

static void
put_notes(Page *page)
{
    const ReportPaths *paths = page->paths;
    const PathList *list = &paths->list;
    if (paths->missing.len) {
        put(page, "<p class=\"gap\"><b>Paths may be missing.</b> The snapshot does not hold ");
        page_put_html(page, paths->missing);
        put(page, ", on which paths stand.</p>");
    }
    if (list->starts_left)
        buffer_printf(page->json.out,
                      "<p class=\"gap\"><b>Not every start was tried.</b> %u distinct starts were, "
                      "%u were not; <code>azimuth paths --from guest</code> tries all.</p>",
                      list->starts_tried, list->starts_left);
}

static void
put_legend(Page *page)
{
    put(page, "<p class=\"ap-legend\">");
    for (int s = EDGE_CRITICAL; s >= EDGE_INFO; s--) {
        const char *word = edge_severity_name((EdgeSeverity)s);
        buffer_printf(page->json.out,
                      "<span><svg class=\"ap\" width=\"34\" height=\"10\" aria-hidden=\"true\">"
                      "<path class=\"l s-%s\" stroke-width=\"2.4\" d=\"M0 5H34\"/></svg>%s</span>",
                      word, s == EDGE_INFO ? "belongs to, no attack step" : word);
    }
    put(page, "<span>A box between start and goal that gains nothing by itself is used on the "
              "way; a wider line carries more paths.</span></p>");
}

static void
put_list(Page *page)
{
    const ReportPaths *paths = page->paths;
    const PathList *list = &paths->list;
    if (!list->found) {
        put(page, "<p class=\"empty\">No attack path from outside was found: the internet, guests "
                  "and external workloads reach nothing of value by the ways Azimuth knows.</p>");
        return;
    }
    put(page, "<div class=\"ap-wrap\" tabindex=\"0\">");
    uint32_t drawn = path_picture_svg(page->json.out, &page->arena, paths->model, list);
    put(page, "</div>");
    if (drawn < list->count)
        buffer_printf(page->json.out,
                      "<p class=\"note\">%u of %u paths are drawn: they are long and share "
                      "little. The list below has all.</p>",
                      drawn, list->count);
    put_legend(page);
    put_chokes(page);
    buffer_printf(page->json.out, "<h3>The paths, step by step</h3>");
    for (uint32_t i = 0; i < list->count; i++)
        put_path(page, i + 1, &list->paths[i]);
    if (list->count < list->found)
        buffer_printf(page->json.out,
                      "<p class=\"note\">%u more; <code>azimuth paths --limit 0 --store DIR</code> "
                      "lists all %u.</p>",
                      list->found - list->count, list->found);
}

void
page_put_risk_link(Page *page)
{
    if (page->paths)
        put(page, "<a href=\"#risk\">Attack paths</a>\n    ");
}

void
page_put_risk(Page *page)
{
    const ReportPaths *paths = page->paths;
    if (!paths)
        return;
    put(page, "<section id=\"risk\" aria-labelledby=\"risk-title\">\n<div class=\"head\"><h2 "
              "id=\"risk-title\">Attack paths</h2><p>");
    page_put_html(page, paths->model && paths->list.found
                            ? str_format(&page->arena,
                                         "How far somebody from outside gets, and the change that "
                                         "stops it. %s%u found, the gravest %u shown.",
                                         paths->list.is_full ? "At least " : "", paths->list.found,
                                         paths->list.count)
                            : STR("How far somebody from outside gets."));
    put(page, "</p></div>\n");
    if (paths->model) {
        put_notes(page);
        put_list(page);
        page_put_access(page);
    } else {
        put(page, "<p class=\"gap\"><b>Attack paths were not worked out.</b> ");
        page_put_html(page, paths->error);
        put(page, "</p>");
    }
    put(page, "</section>");
}
