// The part "Landing zones" of the page: the tree of management groups with the subscriptions that
// hold AI, how much, and whether it stands where it should. Plain SVG, complete without a script.

#include "report/report_page_parts.h"

#include "base/array.h"
#include "db/rows.h"
#include "report/path_picture.h"

enum {
    ROWS_MOST = 160, // drawn ones
    DEPTH_MOST = 16, // Azure has six; more is a broken snapshot
    ROW_HEIGHT = 30,
    INDENT = 30,
    BOX_WIDTH = 300,
    WIDTH = 1184,
    ROLE_X = 560,
    COUNT_X = 760,
    STATE_X = 790,
};

typedef struct ZoneGroup {
    Str name, label, parent, role;
    bool own_role, drawn;
    int64_t ai, subscriptions; // below, at any depth
} ZoneGroup;

typedef struct Zone { // a subscription
    Str name, group, role;
    bool is_approved, is_known; // below a group for AI; whether that is known
    int64_t ai, signals;
} Zone;

typedef struct Zones {
    Page *page;
    ZoneGroup *groups;
    Zone *zones;
    Map by_name; // ZoneGroup*
    size_t group_count, zone_count;
    Buffer svg;
    uint32_t rows, left;
} Zones;

// Reading -----------------------------------------------------------------------

static ResultTable *
query(Page *page, const char *text)
{
    QueryOptions options = {0};
    AzError error = {0}; // tables that are not there leave the part out
    QueryResult *result = db_query(page->db, &page->arena, str_from(text), &options, &error);
    return result ? result->tables[0] : NULL;
}

static bool
read_groups(Zones *zones)
{
    Arena *arena = &zones->page->arena;
    ResultTable *table = query(
        zones->page, "ManagementGroupTree() | project name, displayName, parent, role,"
                     " own = tolong(isnotempty(ownRole)) | order by displayName asc, name asc");
    if (!table || !table->row_count)
        return false;
    RowReader reader = {.table = table};
    zones->groups = ARENA_ARRAY(arena, ZoneGroup, table->row_count);
    map_init(&zones->by_name, arena, true);
    while (rows_next(&reader)) {
        ZoneGroup *group = &zones->groups[zones->group_count++];
        *group = (ZoneGroup){.name = rows_text(&reader, 0, arena),
                             .label = rows_text(&reader, 1, arena),
                             .parent = rows_text(&reader, 2, arena),
                             .role = rows_text(&reader, 3, arena),
                             .own_role = rows_long(&reader, 4) != 0};
        map_put(&zones->by_name, group->name, group);
    }
    return true;
}

static void
read_zones(Zones *zones)
{
    Arena *arena = &zones->page->arena;
    ResultTable *table = query(
        zones->page, "LandingZones() | project subscriptionName, managementGroup, role,"
                     " approved = tolong(approved == true), known = tolong(isnotnull(approved)),"
                     " ai, signals | order by ai desc, subscriptionName asc");
    RowReader reader = {.table = table};
    zones->zones = ARENA_ARRAY(arena, Zone, table ? table->row_count : 0);
    while (table && rows_next(&reader)) {
        Zone *zone = &zones->zones[zones->zone_count++];
        *zone = (Zone){.name = rows_text(&reader, 0, arena),
                       .group = rows_text(&reader, 1, arena),
                       .role = rows_text(&reader, 2, arena),
                       .is_approved = rows_long(&reader, 3) != 0,
                       .is_known = rows_long(&reader, 4) != 0,
                       .ai = rows_long(&reader, 5),
                       .signals = rows_long(&reader, 6)};
    }
}

// A subscription counts in every group above it.
static void
count_up(Zones *zones, const Zone *zone)
{
    Str at = zone->group;
    for (int depth = 0; at.len && depth < DEPTH_MOST; depth++) {
        ZoneGroup *found = map_get(&zones->by_name, at);
        if (!found)
            return;
        found->ai += zone->ai;
        found->subscriptions++;
        at = found->parent;
    }
}

// Drawing -----------------------------------------------------------------------

typedef struct ZoneState {
    const char *mark, *words;
} ZoneState;

static ZoneState
state_of(const Zone *zone)
{
    if (!zone->ai)
        return (ZoneState){"", ""};
    if (str_equal(zone->role, STR("platform")) || str_equal(zone->role, STR("decommissioned")))
        return (ZoneState){"\u25c6", "not meant for workloads"};
    if (!zone->is_known)
        return (ZoneState){"?", "not known whether AI belongs here"};
    return zone->is_approved ? (ZoneState){"\u2713", "in a group for AI"}
                             : (ZoneState){"\u25b2", "outside the groups for AI"};
}

static bool
next_row(Zones *zones, double *y)
{
    if (zones->rows >= ROWS_MOST) {
        zones->left++;
        return false;
    }
    *y = 4 + (double)zones->rows++ * ROW_HEIGHT;
    return true;
}

static void
put_elbow(Zones *zones, int depth, double from, double y)
{
    if (depth)
        buffer_printf(&zones->svg, "<path class=\"t\" d=\"M%d %.0fV%.0fH%d\"/>",
                      (depth - 1) * INDENT + 14, from + 24, y + 12, depth * INDENT + 1);
}

static void
put_count(Zones *zones, double y, int64_t ai, Str more)
{
    Arena *arena = &zones->page->arena;
    svg_text(&zones->svg, arena, COUNT_X, y + 16, ai ? "b n" : "c n",
             str_format(arena, "%lld AI", (long long)ai), 12);
    svg_text(&zones->svg, arena, STATE_X, y + 16, "c", more, 56);
}

static void
put_zone(Zones *zones, const Zone *zone, int depth, double from)
{
    double y;
    Arena *arena = &zones->page->arena;
    ZoneState state = state_of(zone);
    if (!next_row(zones, &y))
        return;
    put_elbow(zones, depth, from, y);
    buffer_printf(&zones->svg, "<circle class=\"%s\" cx=\"%d\" cy=\"%.0f\" r=\"4\"/>",
                  state.mark[0] && !zone->is_approved ? "dot" : "ring", depth * INDENT + 6, y + 12);
    svg_text(&zones->svg, arena, depth * INDENT + 18, y + 16, "b", zone->name, 40);
    Str words = state.mark[0] ? str_format(arena, "%s %s", state.mark, state.words) : (Str){0};
    if (zone->signals)
        words = str_format(arena, "%.*s%s%lld %s to look at", STR_ARG(words), words.len ? ", " : "",
                           (long long)zone->signals, zone->signals == 1 ? "signal" : "signals");
    put_count(zones, y, zone->ai, words);
}

// Subscriptions with AI one by one, the others as a number.
static void
put_group_zones(Zones *zones, Str group, int depth, double from)
{
    double y;
    uint32_t plain = 0;
    for (size_t i = 0; i < zones->zone_count; i++) {
        const Zone *zone = &zones->zones[i];
        if (!str_equal_ci(zone->group, group))
            continue;
        if (zone->ai || zone->signals)
            put_zone(zones, zone, depth, from);
        else
            plain++;
    }
    if (!plain || !next_row(zones, &y))
        return;
    put_elbow(zones, depth, from, y);
    svg_text(&zones->svg, &zones->page->arena, depth * INDENT + 4, y + 16, "c",
             str_format(&zones->page->arena, "%u %s without AI", plain,
                        plain == 1 ? "subscription" : "subscriptions"),
             40);
}

static void
put_group(Zones *zones, ZoneGroup *group, int depth, double from)
{
    double y;
    Arena *arena = &zones->page->arena;
    Str label = group->label.len ? group->label : group->name;
    if (group->drawn || depth >= DEPTH_MOST)
        return;
    group->drawn = true;
    if (!next_row(zones, &y))
        return;
    put_elbow(zones, depth, from, y);
    buffer_printf(&zones->svg,
                  "<rect class=\"box%s\" x=\"%d\" y=\"%.0f\" width=\"%d\" height=\"24\" rx=\"4\"/>",
                  group->ai ? " start" : "", depth * INDENT + 1, y, BOX_WIDTH);
    svg_text(&zones->svg, arena, depth * INDENT + 10, y + 16, "b", label, 40);
    if (group->own_role)
        svg_text(&zones->svg, arena, ROLE_X, y + 16, "c", group->role, 24);
    put_count(zones, y, group->ai,
              str_format(arena, "%lld %s below", (long long)group->subscriptions,
                         group->subscriptions == 1 ? "subscription" : "subscriptions"));
    put_group_zones(zones, group->name, depth + 1, y);
    for (size_t i = 0; i < zones->group_count; i++)
        if (str_equal_ci(zones->groups[i].parent, group->name))
            put_group(zones, &zones->groups[i], depth + 1, y);
}

static bool
has_parent(const Zones *zones, const ZoneGroup *group)
{
    return group->parent.len && map_find(&zones->by_name, group->parent);
}

static void
draw(Zones *zones)
{
    for (size_t i = 0; i < zones->group_count; i++)
        if (!has_parent(zones, &zones->groups[i]))
            put_group(zones, &zones->groups[i], 0, 0);
    for (size_t i = 0; i < zones->group_count; i++) // groups in a circle
        put_group(zones, &zones->groups[i], 0, 0);
}

void
page_put_zones(Page *page)
{
    Zones zones = {.page = page};
    Buffer *out = page->json.out;
    if (!page->db || !read_groups(&zones))
        return;
    read_zones(&zones);
    for (size_t i = 0; i < zones.zone_count; i++)
        count_up(&zones, &zones.zones[i]);
    draw(&zones);
    int height = (int)zones.rows * ROW_HEIGHT + 8;
    buffer_text(out, "<section id=\"zones\" aria-labelledby=\"zones-title\"><div class=\"head\">"
                     "<h2 id=\"zones-title\">Landing zones</h2><p>The tree of management groups, "
                     "and where in it AI stands.</p></div>");
    buffer_printf(out,
                  "<div class=\"ap-wrap\" tabindex=\"0\"><svg class=\"ap\" "
                  "xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %d\" "
                  "width=\"%d\" height=\"%d\"><title>Management groups and subscriptions with "
                  "AI</title>\n",
                  WIDTH, height, WIDTH, height);
    buffer_str(out, buffer_slice(&zones.svg));
    buffer_text(out, "</svg></div><p class=\"note\">\u2713 in a group for AI, \u25b2 outside of "
                     "them, \u25c6 in a platform or decommissioned subscription. AI counts assets "
                     "that their type or configuration proves; a signal needs a second look.");
    if (zones.left)
        buffer_printf(out, " %u more rows are not drawn.", zones.left);
    buffer_text(out, "</p></section>");
    buffer_free(&zones.svg);
}
