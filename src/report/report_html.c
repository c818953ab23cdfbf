// The page: the skeleton with its placeholders filled, and in it the model as JSON.

#include "report/report_page_parts.h"

#include "base/array.h"
#include "report/page.h"
#include "report/path_picture.h"

// A page beyond this size is slow to open: evidence of low and info goes first (MODEL.md).
enum { PAGE_BYTES_MOST = 20 << 20 };

void
page_put_html(Page *page, Str text)
{
    markup_text(page->json.out, &page->arena, text);
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
    page_put_html(page, str_format(&page->arena, "Azimuth: %.*s%s%.*s", STR_ARG(name),
                                   name.len ? ", " : "", STR_ARG(day)));
}

static void
put_generator(Page *page)
{
    page_put_html(page,
                  str_format(&page->arena, "azimuth %.*s", STR_ARG(page->assessment->version)));
}

static void
put_subtitle(Page *page)
{
    Str name = tenant(page), date = report_date(&page->arena, page_time(page));
    page_put_html(
        page, str_format(&page->arena, "%.*s%s%s %.*s", STR_ARG(name), name.len ? " \u00b7 " : "",
                         page->assessment->snapshot ? "snapshot of" : "run of", STR_ARG(date)));
}

static void
put_headline(Page *page)
{
    page_put_html(page, page->headline);
}

static void
put_facts(Page *page)
{
    for (size_t i = 0; i < page->fact_count; i++) {
        buffer_text(page->json.out, "<li>");
        page_put_html(page, page->facts[i].text);
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
    page_write_model(page);
    if (out->len - start <= PAGE_BYTES_MOST - 200000)
        return;
    out->len = start;
    page->trimmed = true;
    page_write_model(page);
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
        {"risklink", page_put_risk_link},
        {"risk", page_put_risk},
        {"zones", page_put_zones},
        {"incidentslink", page_put_incidents_link},
        {"incidents", page_put_incidents},
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
report_html(Database *db, const Assessment *assessment, const ReportPaths *paths,
            const ReportIncidents *incidents, Buffer *out, AzError *error)
{
    Page page = {.db = db,
                 .assessment = assessment,
                 .paths = paths,
                 .incidents = incidents,
                 .json = {.out = out, .html_safe = true}};
    page.model = report_model_read(db, assessment, &page.arena);
    page.groups = report_groups(&page.arena, assessment);
    page.fact_count = report_facts(&page.arena, assessment, page.groups, page.facts);
    page.headline = page_headline(&page);
    bool done = fill_skeleton(&page, error);
    json_out_free(&page.json);
    arena_free(&page.arena);
    return done;
}
