// Who may ask, read and administer the most exposed AI resources: a small tree each, from
// the resource over what may be done to the roles and groups that give it.

#include "report/report_page_parts.h"

#include "base/array.h"
#include "report/path_picture.h"

enum {
    GROUPS_SHOWN = 5,
    ROW = 22,
    VERB_X = 236,
    GROUP_X = 500,
    WIDTH = 1184,
    MIDDLE = 14,
    BOX = 38,
};

static uint32_t
verb_rows(const AccessVerb *verb)
{
    if (!verb->group_count)
        return 1;
    return verb->group_count > GROUPS_SHOWN ? GROUPS_SHOWN + 1 : verb->group_count;
}

static double
verb_height(const AccessVerb *verb)
{
    double height = (double)verb_rows(verb) * ROW;
    return height < BOX + 4 ? BOX + 4 : height;
}

// "12 + 2 after activation".
static Str
count_words(Page *page, uint32_t count, uint32_t conditional, uint32_t eligible)
{
    Buffer text = {0};
    if (!count && !conditional && !eligible)
        return STR("nobody");
    if (count)
        buffer_printf(&text, "%u", count);
    if (conditional)
        buffer_printf(&text, "%s%u under a condition", text.len ? " + " : "", conditional);
    if (eligible)
        buffer_printf(&text, "%s%u after activation", text.len ? " + " : "", eligible);
    Str words = str_copy(&page->arena, buffer_slice(&text));
    buffer_free(&text);
    return words;
}

static void
put_curve(Page *page, double x1, double y1, double x2, double y2)
{
    double half = (x1 + x2) / 2;
    buffer_printf(page->json.out,
                  "<path class=\"t\" d=\"M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f\"/>", x1, y1,
                  half, y1, half, y2, x2, y2);
}

// Where a role was given: the subscription's name, else the end of the id.
static Str
scope_words(Page *page, Str scope)
{
    Str subscription = report_id_subscription(scope);
    if (scope.len <= 1)
        return STR("the whole tenant");
    if (subscription.len && scope.len == STR("/subscriptions/").len + subscription.len) {
        const MapEntry *entry = map_find(&page->model->scope_index, subscription);
        if (entry)
            return page->model->scopes[entry->number].name;
    }
    Str last = str_slice(scope, page_prefix_length(scope), scope.len);
    const MapEntry *group = map_find(&page->model->scope_index, last);
    if (str_find(scope, STR("managementGroups")) >= 0 && group)
        return page->model->scopes[group->number].name;
    return last;
}

static void
put_group(Page *page, const AccessGroup *group, double y)
{
    Buffer *out = page->json.out;
    uint32_t all = group->count + group->conditional + group->eligible;
    Str who = group->via.len ? str_format(&page->arena, "group %.*s", STR_ARG(group->via))
              : all == 1
                  ? group->first
                  : str_format(&page->arena, "%.*s and %u more", STR_ARG(group->first), all - 1);
    bool open = group->count > 0;
    buffer_printf(out, "<circle class=\"%s\" cx=\"%d\" cy=\"%.0f\" r=\"3.5\"/>",
                  open ? "dot" : "ring", GROUP_X, y);
    svg_text(out, &page->arena, GROUP_X + 12, y + 4, "b", who, 38);
    svg_text(out, &page->arena, GROUP_X + 300, y + 4, "c",
             str_format(&page->arena, "%.*s at %.*s", STR_ARG(group->role),
                        STR_ARG(scope_words(page, group->scope))),
             42);
    svg_text(out, &page->arena, WIDTH - 6, y + 4, "n",
             count_words(page, group->count, group->conditional, group->eligible), 40);
}

static double
put_verb(Page *page, const AccessVerb *verb, double top, double root_y)
{
    Buffer *out = page->json.out;
    uint32_t rows = verb_rows(verb);
    double slot = verb_height(verb), y = top + slot / 2;
    put_curve(page, VERB_X - 46, root_y, VERB_X, y);
    buffer_printf(out,
                  "<rect class=\"box\" x=\"%d\" y=\"%.0f\" width=\"196\" height=\"38\" rx=\"5\"/>",
                  VERB_X, y - 19);
    svg_text(out, &page->arena, VERB_X + 10, y - 3, "b", verb->verb, 28);
    svg_text(out, &page->arena, VERB_X + 10, y + 12, "c",
             count_words(page, verb->count, verb->conditional, verb->eligible), 34);
    for (uint32_t i = 0; i < rows; i++) {
        double at = y + (i - (rows - 1) / 2.0) * ROW;
        put_curve(page, VERB_X + 196, y, GROUP_X - 5, at);
        if (i < GROUPS_SHOWN && i < verb->group_count)
            put_group(page, &verb->groups[i], at);
        else
            svg_text(out, &page->arena, GROUP_X + 12, at + 4, "c",
                     verb->group_count ? str_format(&page->arena, "and %u more roles and groups",
                                                    verb->group_count - GROUPS_SHOWN)
                                       : STR("nobody that the snapshot knows"),
                     60);
    }
    return top + slot + MIDDLE;
}

static void
put_tree(Page *page, const AccessTree *tree)
{
    Buffer *out = page->json.out;
    double height = 4;
    for (int v = 0; v < ACCESS_VERBS; v++)
        height += verb_height(&tree->verbs[v]) + MIDDLE;
    height -= MIDDLE - 4;
    double root_y = height / 2;
    Str name = tree->asset->name.len ? tree->asset->name : tree->asset->id;
    buffer_printf(out,
                  "<div class=\"ap-wrap\" tabindex=\"0\"><svg class=\"ap\" "
                  "xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %.0f\" "
                  "width=\"%d\" height=\"%.0f\"><title>Who may ask, read and administer ",
                  WIDTH, height, WIDTH, height);
    page_put_html(page, name);
    buffer_printf(out,
                  "</title>\n<rect class=\"box start\" x=\"1\" y=\"%.0f\" width=\"188\" "
                  "height=\"46\" rx=\"5\"/>",
                  root_y - 23);
    svg_text(out, &page->arena, 11, root_y - 5, "c", tree->asset->asset_class, 28);
    svg_text(out, &page->arena, 11, root_y + 12, "b", name, 25);
    double top = 4;
    for (int v = 0; v < ACCESS_VERBS; v++)
        top = put_verb(page, &tree->verbs[v], top, root_y);
    buffer_text(out, "</svg></div>\n");
}

void
page_put_access(Page *page)
{
    const ReportPaths *paths = page->paths;
    if (!paths->access_count)
        return;
    buffer_text(page->json.out,
                "<h3>Who holds access to the most exposed AI resources</h3><p class=\"note\">By "
                "how many may "
                "use them; those open to the internet count twice. A full dot: may now; a ring: "
                "only under a condition or after activation. Keys pass every role by.");
    if (paths->access_left)
        buffer_printf(page->json.out, " %u resources were not counted.", paths->access_left);
    buffer_text(page->json.out, "</p>");
    for (uint32_t i = 0; i < paths->access_count; i++)
        put_tree(page, &paths->access[i]);
}
