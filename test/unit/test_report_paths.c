// Attack paths in the report: names that would be markup, none and one and many paths,
// chains that share everything and chains that close circles.

#include "report/assessment_report.h"
#include "report/path_picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OWNER "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"

typedef struct World {
    Arena arena;
    RoleSet roles;
    ScopeTree scopes;
    AccessModel *access;
    PathTables tables;
    PathModel *model;
    ReportPaths paths;
    Assessment assessment;
    ControlSet controls;
    Buffer out;
} World;

static int
setup(void **state)
{
    World *w = calloc(1, sizeof *w);
    const char *content = getenv("AZIMUTH_CONTENT");
    content = content ? content : "content";
    role_set_init(&w->roles, &w->arena);
    scope_tree_init(&w->scopes, &w->arena);
    assert_true(role_set_add_built_in(&w->roles, content, NULL));
    assert_true(path_tables_load(&w->arena, content, &w->tables, NULL));
    w->access = access_new(&w->arena, &w->roles, &w->scopes, STAR_SEGMENT_ZERO);
    w->model = path_new(&w->arena, &w->tables, w->access, 1000);
    w->assessment = (Assessment){.arena = &w->arena, .controls = &w->controls, .score = -1};
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    World *w = *state;
    buffer_free(&w->out);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static void
own(World *w, Str id, Str principal, Str scope)
{
    AssignmentRecord record = {
        .id = id, .principal = principal, .role_definition_id = STR(OWNER), .scope = scope};
    access_add_assignment(w->access, &record);
}

static void
subscription(World *w, Str id, Str name)
{
    path_add_resource(w->model, id, STR("microsoft.resources/subscriptions"), (Str){0}, (Dyn){0},
                      (Dyn){0});
    path_add_scope(w->model, id, name);
}

static void
finish(World *w, uint32_t limit)
{
    PathRequest request = {.limit = limit};
    access_finish(w->access);
    path_finish(w->model);
    AzError error = {0};
    assert_true(path_list(w->model, &w->arena, &request, &w->paths.list, &error));
    w->paths.model = w->model;
}

static Str
html(World *w)
{
    buffer_clear(&w->out);
    assert_true(report_html(NULL, &w->assessment, &w->paths, NULL, &w->out, NULL));
    return buffer_slice(&w->out);
}

static bool
contains(Str text, const char *part)
{
    return str_find(text, str_from(part)) >= 0;
}

static size_t
count_text(Str text, Str part)
{
    size_t count = 0;
    for (ptrdiff_t at; (at = str_find(text, part)) >= 0; count++)
        text = str_slice(text, (size_t)at + part.len, text.len);
    return count;
}

// The part of the page that this file is about.
static Str
risk(World *w)
{
    Str page = html(w);
    ptrdiff_t start = str_find(page, STR("<section id=\"risk\""));
    assert_true(start >= 0);
    page = str_slice(page, (size_t)start, page.len);
    return str_slice(page, 0, (size_t)str_find(page, STR("</section>")));
}

// A guest, as many groups one in the other as asked for, and the subscription they own.
static void
chain(World *w, uint32_t number, uint32_t groups)
{
    Str member = str_format(&w->arena, "guest-%u", number);
    path_add_user(w->model, member, member, true, true);
    access_add_principal(w->access, member, STR("User"), member);
    for (uint32_t g = 0; g < groups; g++) {
        Str group = str_format(&w->arena, "group-%u-%u", number, g);
        path_add_group(w->model, group, group, false, (Str){0});
        access_add_principal(w->access, group, STR("Group"), group);
        access_add_member(w->access, group, member);
        member = group;
    }
    Str scope = str_format(&w->arena, "/subscriptions/s-%u", number);
    subscription(w, scope, str_format(&w->arena, "subscription-%u", number));
    own(w, str_format(&w->arena, "%.*s/owner", STR_ARG(scope)), member, scope);
}

static void
names_stay_text(void **state)
{
    static const Str HOSTILE[] = {
        STR_INIT("</title></svg><script>alert(1)</script><!--"),
        STR_INIT("\"quote' & <b onload=x>"),
        STR_INIT("abc\u202Egnp.exe\033[31m"),
        STR_INIT("]]></text><a href=\"javascript:x\">"),
        STR_INIT("bad\xff\xfe utf8 \xe2\x80"),
        STR_INIT("{{data}}{{js}}"),
        STR_INIT("a_#EXT#@x"),
        STR_INIT("#EXT#@"),
    };
    World *w = *state;
    for (size_t i = 0; i < sizeof HOSTILE / sizeof *HOSTILE; i++) {
        Str guest = str_format(&w->arena, "g%zu", i);
        Str scope = str_format(&w->arena, "/subscriptions/s%zu", i);
        path_add_user(w->model, guest, HOSTILE[i], true, true);
        access_add_principal(w->access, guest, STR("User"), HOSTILE[i]);
        subscription(w, scope, HOSTILE[i]);
        own(w, str_format(&w->arena, "%.*s; %.*s", STR_ARG(scope), STR_ARG(HOSTILE[i])), guest,
            scope);
    }
    finish(w, REPORT_PATHS);
    assert_true(w->paths.list.found >= sizeof HOSTILE / sizeof *HOSTILE);
    Asset asset = {.id = HOSTILE[0], .name = HOSTILE[1], .asset_class = HOSTILE[2]};
    AccessGroup group = {HOSTILE[0], HOSTILE[1], HOSTILE[3], HOSTILE[4], 1, 1, 1};
    w->paths.access_count = 1;
    w->paths.access[0].asset = &asset;
    for (int v = 0; v < ACCESS_VERBS; v++)
        w->paths.access[0].verbs[v] = (AccessVerb){.groups = &group, .group_count = 1};
    w->paths.missing = HOSTILE[0];
    Str part = risk(w);
    assert_int_equal(count_text(part, STR("<script")), 0);
    assert_int_equal(count_text(part, STR("<!--")), 0);
    assert_false(contains(part, "<b onload"));
    assert_false(contains(part, "href=\"javascript"));
    assert_false(contains(part, "\033"));
    assert_false(contains(part, "\u202E"));
    assert_true(contains(part, "&lt;script&gt;alert(1)"));
    assert_true(contains(part, "{{data}}{{js}}"));
    assert_int_equal(count_text(part, STR("<svg")), count_text(part, STR("</svg>")));
    assert_int_equal(count_text(html(w), STR("</script>")), 2);
    // As data, the same names are JSON strings.
    Buffer json = {0};
    report_json(&w->assessment, &w->paths, NULL, &json);
    assert_true(contains(buffer_slice(&json), "\"attackPaths\":{\"error\":null,\"missing\":"));
    buffer_clear(&json);
    report_terminal(&w->assessment, &w->paths, &json, false, 80);
    assert_false(contains(buffer_slice(&json), "\033"));
    buffer_free(&json);
}

static void
no_path_is_said(void **state)
{
    World *w = *state;
    path_add_user(w->model, STR("g"), STR("guest"), true, true);
    finish(w, REPORT_PATHS);
    Str part = risk(w);
    assert_true(contains(part, "No attack path from outside was found"));
    assert_false(contains(part, "<svg"));
    w->paths.missing = STR("users, groups");
    assert_true(contains(risk(w), "does not hold users, groups"));
    w->paths = (ReportPaths){.error = STR("no <table>")};
    part = risk(w);
    assert_true(contains(part, "were not worked out.</b> no &lt;table&gt;"));
    Buffer out = {0};
    report_terminal(&w->assessment, &w->paths, &out, false, 80);
    assert_true(contains(buffer_slice(&out), "were not worked out: no <table>"));
    buffer_clear(&out);
    report_json(&w->assessment, &w->paths, NULL, &out);
    assert_true(contains(buffer_slice(&out), "\"attackPaths\":{\"error\":\"no <table>\""));
    buffer_clear(&out);
    // Without paths the page does not speak of them.
    assert_true(report_html(NULL, &w->assessment, NULL, NULL, &out, NULL));
    assert_false(contains(buffer_slice(&out), "href=\"#risk\""));
    buffer_clear(&out);
    report_json(&w->assessment, NULL, NULL, &out);
    assert_true(contains(buffer_slice(&out), "\"attackPaths\":null"));
    buffer_free(&out);
}

static void
one_path_is_one_picture(void **state)
{
    World *w = *state;
    chain(w, 1, 2);
    finish(w, 1);
    assert_int_equal(w->paths.list.count, 1);
    Str part = risk(w);
    assert_int_equal(count_text(part, STR("<svg class=\"ap\" xmlns")), 1);
    assert_int_equal(count_text(part, STR("class=\"box start\"")), 1);
    assert_int_equal(count_text(part, STR("class=\"box goal s-")), 1);
    assert_int_equal(count_text(part, STR("<details")), 1);
    assert_true(contains(part, "id=\"path-1\"") && contains(part, "href=\"#path-1\""));
    assert_true(contains(part, "class=\"cut\""));
    assert_true(contains(part, "az role assignment delete"));
    assert_true(contains(part, "T1098.003"));
}

// What is written once stays once, and the picture does not depend on the run.
static void
many_paths_are_bounded(void **state)
{
    World *w = *state;
    for (uint32_t i = 0; i < 40; i++)
        chain(w, i, 11);
    finish(w, REPORT_PATHS);
    assert_true(w->paths.list.found >= 40);
    Picture *picture = path_picture_build(&w->arena, w->model, &w->paths.list);
    assert_true(picture->boxes.len <= PICTURE_BOXES_MOST);
    assert_true(picture->paths > 1 && picture->paths < REPORT_PATHS);
    path_picture_place(picture);
    for (size_t a = 0; a < picture->boxes.len; a++) {
        const PictureBox *x = &picture->boxes.items[a];
        assert_true(x->x >= 0 && x->y >= 0 && x->x + x->width <= picture->width &&
                    x->y + x->height <= picture->height);
        for (size_t b = a + 1; b < picture->boxes.len; b++) {
            const PictureBox *y = &picture->boxes.items[b];
            assert_true(x->layer != y->layer || x->y + x->height <= y->y + 0.001 ||
                        y->y + y->height <= x->y + 0.001);
        }
    }
    Str first = str_copy(&w->arena, risk(w));
    assert_true(str_equal(first, risk(w)));
    assert_true(contains(first, "more; <code>azimuth paths"));
    assert_true(contains(first, "of 20 paths are drawn"));
    assert_true(first.len < 400000);
}

// Two groups that hold each other: no layer is before the other, and the drawing ends.
static void
circles_are_drawn(void **state)
{
    World *w = *state;
    for (int i = 0; i < 2; i++) {
        chain(w, (uint32_t)i, 1);
        access_add_member(w->access, str_format(&w->arena, "group-%d-0", 1 - i),
                          str_format(&w->arena, "group-%d-0", i));
    }
    finish(w, 0);
    // Each guest to what the other owns: one over 0 and 1, one over 1 and 0.
    PathRequest requests[] = {{.from = STR("guest-0"), .to = STR("subscription-1")},
                              {.from = STR("guest-1"), .to = STR("subscription-0")}};
    AttackPath crossed[2];
    for (int i = 0; i < 2; i++) {
        PathList list;
        assert_true(path_list(w->model, &w->arena, &requests[i], &list, NULL));
        assert_true(list.found > 0 && list.paths[0].count >= 3);
        crossed[i] = list.paths[0];
    }
    w->paths.list = (PathList){.paths = crossed, .count = 2, .found = 2};
    Picture *picture = path_picture_build(&w->arena, w->model, &w->paths.list);
    path_picture_place(picture);
    size_t back = 0;
    for (size_t i = 0; i < picture->lines.len; i++)
        back += picture->lines.items[i].is_back;
    assert_int_equal(back, 1);
    assert_true(contains(risk(w), "</svg>"));
}

static void
starts_are_bounded(void **state)
{
    World *w = *state;
    for (uint32_t i = 0; i < 12; i++)
        chain(w, i, 1);
    access_finish(w->access);
    path_finish(w->model);
    PathRequest request = {.starts_most = 5};
    assert_true(path_list(w->model, &w->arena, &request, &w->paths.list, NULL));
    w->paths.model = w->model;
    // The internet is a class of its own.
    assert_int_equal(w->paths.list.starts_left, 7);
    assert_true(w->paths.list.starts_tried >= 5);
    assert_true(contains(risk(w), "7 were not"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_stay_text, setup, teardown),
        cmocka_unit_test_setup_teardown(no_path_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(one_path_is_one_picture, setup, teardown),
        cmocka_unit_test_setup_teardown(many_paths_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(circles_are_drawn, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_are_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
