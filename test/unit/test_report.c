// The writers of an assessment: what hostile names become in each form, what the numbers
// are, and that a large tenant stays small and fast.

#include "report/assessment_report.h"

#include "base/array.h"
#include "base/clock.h"
#include "report/report_words.h"
#include "report/result_text.h"
#include "value/json.h"
#include "value/scalar.h"
#include "value/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char SUB[] =
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-ai";

// Names that would be structure in one of the forms.
static const Str HOSTILE[] = {
    STR_INIT("</script><script>alert(1)</script><!--"),
    STR_INIT("\"quote' & <b>"),
    STR_INIT("\033[31mred\033]0;title\a"),
    STR_INIT("abc\u202Egnp.exe"),
    STR_INIT("line\u2028end\u2029"),
    STR_INIT("=cmd|' /C calc'!A0"),
    STR_INIT("$(touch /tmp/x) `id`; rm -rf ~"),
    STR_INIT("bad\xff\xfe utf8 \xe2\x80"),
    STR_INIT("{{data}}{{js}}"),
    STR_INIT("new\nline\r\ttab"),
    STR_INIT("nul\0inside"),
    STR_INIT(""),
};

typedef struct World {
    Arena arena;
    Assessment a;
    ControlSet set;
} World;

static Str
with_name(World *w, Str name)
{
    Buffer id = {0};
    buffer_text(&id, SUB);
    buffer_text(&id, "/providers/Microsoft.CognitiveServices/accounts/");
    buffer_str(&id, name);
    Str copy = str_copy(&w->arena, buffer_slice(&id));
    buffer_free(&id);
    return copy;
}

static void
add_control(World *w, const char *id, const char *area, Severity severity, const char *az)
{
    static Str mapped[] = {STR_INIT("IM-1"), STR_INIT("</script>")};
    static ControlMapping mapping[] = {{STR_INIT("mcsb_v2"), mapped, 2}};
    static Str needs[] = {STR_INIT("Resources")};
    Control control = {
        .id = str_from(id),
        .title = str_format(&w->arena, "Account of %s is open", id),
        .area = str_from(area),
        .severity = severity,
        .rationale = STR("Because \"it\" is </style> bad."),
        .needs = needs,
        .need_count = 1,
        .fix_text = STR("Close it."),
        .fix_az = str_from(az),
        .mappings = mapping,
        .mapping_count = 1,
        .file = STR("content/controls/x.yaml"),
    };
    ARRAY_PUSH(&w->arena, &w->set, control);
}

// Findings of control 0 for each hostile name, unknowns of control 1, none of control 2,
// and a control 3 that failed to run.
static void
build(World *w)
{
    add_control(
        w, "DA-001", "data", SEVERITY_CRITICAL,
        "az resource update --ids {id} --set properties.open=false\n# or {name}\n"
        "az x --query \"[?id=='{id}']\" -g {resourceGroup} --subscription {subscriptionId}");
    add_control(w, "ID-001", "identity", SEVERITY_LOW, "");
    add_control(w, "NE-001", "my-area", SEVERITY_HIGH, "az network");
    add_control(w, "NE-002", "my-area", SEVERITY_HIGH, "az network");
    Assessment *a = &w->a;
    a->arena = &w->arena;
    a->controls = &w->set;
    a->results = ARENA_ARRAY(&w->arena, ControlResult, w->set.len);
    a->results[3].error = STR("content/controls/x.yaml:3: there is no table '<b>'");
    size_t names = COUNT_OF(HOSTILE);
    a->findings = ARENA_ARRAY(&w->arena, Finding, 2 * names + 2);
    a->assets = ARENA_ARRAY(&w->arena, Asset, names + 1);
    for (size_t i = 0; i < names; i++) {
        Str id = with_name(w, HOSTILE[i]);
        a->assets[a->asset_count++] = (Asset){
            .id = id,
            .name = HOSTILE[i],
            .type = STR("Microsoft.CognitiveServices/accounts"),
            .asset_class = STR("AI account"),
            .owner = HOSTILE[i],
            .environment = STR("prod"),
            .subscription = STR("11111111-2222-3333-4444-555555555555"),
            .fails = 1,
            .worst = SEVERITY_CRITICAL,
        };
        Str evidence[] = {STR("{\"path\":\"a\",\"found\":\"</script>\u2028\"}"),
                          STR("{ not json <!--"), STR("")};
        a->findings[a->finding_count++] = (Finding){
            .control = 0,
            .status = FINDING_FAIL,
            .risk = 99.96F,
            .asset = (int32_t)i,
            .id = id,
            .name = HOSTILE[i],
            .type = STR("t"),
            .evidence = evidence[i % COUNT_OF(evidence)],
            .key = i + 1,
        };
    }
    // Assets of one id in two spellings are one asset on the page.
    a->assets[a->asset_count++] =
        (Asset){.id = str_lower(&w->arena, a->assets[5].id), .name = STR("again"), .worst = -1};
    for (size_t i = 0; i < names; i++)
        a->findings[a->finding_count++] = (Finding){
            .control = 1,
            .status = FINDING_UNKNOWN,
            .risk = 2.4F,
            .asset = (int32_t)i,
            .id = a->assets[i].id,
            .name = HOSTILE[i],
            .reason = HOSTILE[names - 1 - i],
            .key = 100 + i,
        };
    char *longest = arena_alloc(&w->arena, 400);
    memset(longest, 'x', 400);
    longest[0] = '/';
    a->findings[a->finding_count++] = (Finding){
        .control = 1, .status = FINDING_FAIL, .risk = 8, .asset = -1, .id = {longest, 400}};
    a->findings[a->finding_count++] = (Finding){.control = 1, .status = FINDING_FAIL, .asset = -1};
    a->results[0] = (ControlResult){.fail = names, .pass = 4};
    a->results[1] = (ControlResult){.fail = 2, .unknown = names};
    a->results[2].missing = STR("Resources was not collected: 403");
    static AreaScore areas[] = {{STR_INIT("data"), 4, 12, 0, 25},
                                {STR_INIT("identity"), 0, 2, 12, 0},
                                {STR_INIT("my-area"), 0, 0, 0, -1}};
    static Coverage coverage[] = {
        {STR_INIT("Resources"), STR_INIT(""), STR_INIT("not collected"),
         STR_INIT("</script>\033[2J"), 0},
        {STR_INIT("users"), STR_INIT(""), STR_INIT("collected"), STR_INIT(""), 7}};
    a->areas = areas;
    a->area_count = COUNT_OF(areas);
    a->coverage = coverage;
    a->coverage_count = COUNT_OF(coverage);
    a->score = 24;
    a->pass = 4;
    a->fail = names + 2;
    a->unknown = names;
    a->fail_by_severity[SEVERITY_CRITICAL] = names;
    a->fail_by_severity[SEVERITY_LOW] = 2;
    a->tenant_id = HOSTILE[0];
    a->version = STR("9.9");
    a->run_id = STR("run");
    a->user = HOSTILE[2];
    a->snapshot = 3;
    datetime_from_civil(2026, 11, 20, 0, &a->snapshot_info.created);
    a->started = a->snapshot_info.created;
}

static int
setup(void **state)
{
    World *world = test_calloc(1, sizeof(*world));
    build(world);
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    World *world = *state;
    arena_free(&world->arena);
    test_free(world);
    return 0;
}

static size_t
count_text(Str text, Str needle)
{
    size_t count = 0;
    for (ptrdiff_t at; (at = str_find(text, needle)) >= 0; count++)
        text = str_slice(text, (size_t)at + needle.len, text.len);
    return count;
}

static bool
contains(Str text, const char *needle)
{
    return str_find(text, str_from(needle)) >= 0;
}

// The document as a tree; fails the test when it is not JSON.
static Dyn
parse(DynBuilder *builder, JsonParser *parser, Str text)
{
    const char *why = NULL;
    size_t offset = 0;
    Dyn tree;
    if (!json_to_dynamic(parser, text, builder, &why, &offset))
        fail_msg("not JSON at %zu: %s: %.80s", offset, why, text.ptr + offset);
    assert_true(dyn_finish(builder, &tree, &why));
    return tree;
}

static Str
text_of(Arena *arena, Dyn node)
{
    Buffer out = {0};
    dyn_to_text(&out, node);
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

static int64_t
long_of(Dyn node)
{
    Arena arena = {0};
    Value value = dyn_convert(&arena, node, TYPE_LONG);
    arena_free(&arena);
    assert_false(value.is_null);
    return value.int64;
}

// What stands between the opening of the data script and its end.
static Str
page_data(Str html)
{
    Str open = STR("id=\"azimuth-data\">");
    ptrdiff_t at = str_find(html, open);
    assert_true(at >= 0);
    Str rest = str_slice(html, (size_t)at + open.len, html.len);
    ptrdiff_t end = str_find(rest, STR("</script>"));
    assert_true(end > 0);
    return str_slice(rest, 0, (size_t)end);
}

static void
html_is_inert(void **state)
{
    World *w = *state;
    Buffer out = {0};
    AzError error = {0};
    assert_true(report_html(NULL, &w->a, NULL, NULL, &out, &error));
    Str html = buffer_slice(&out);
    assert_true(utf8_valid(html));
    // Only the page's own two scripts, and nothing that opens a comment or leaves text.
    assert_int_equal(count_text(html, STR("</script>")), 2);
    assert_int_equal(count_text(html, STR("<script")), 2);
    assert_int_equal(count_text(html, STR("<!--")), 0);
    assert_int_equal(count_text(html, STR("</style>")), 1);
    assert_false(contains(html, "<b>\""));
    assert_false(contains(html, "\033"));
    assert_int_equal(count_text(page_data(html), STR("<")), 0);
    assert_int_equal(count_text(page_data(html), STR("\u2028")), 0);
    assert_int_equal(count_text(page_data(html), STR("\u2029")), 0);
    // Placeholders are filled; those in names stay names, once each in `ids` and `strings`.
    assert_false(contains(html, "{{title}}"));
    assert_true(contains(page_data(html), "{{data}}{{js}}"));
    assert_true(contains(html, "<title>Azimuth: &lt;/script&gt;&lt;script&gt;alert(1)"));
    assert_true(contains(html, ", 2026-11-20</title>"));
    assert_true(contains(html, "snapshot of 20 November 2026"));
    buffer_free(&out);
}

static void
html_model_is_what_was_found(void **state)
{
    World *w = *state;
    Buffer out = {0};
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    assert_true(report_html(NULL, &w->a, NULL, NULL, &out, NULL));
    Dyn model = parse(builder, parser, page_data(buffer_slice(&out)));
    // Every row leads back to the id that was judged.
    Dyn ids = dyn_get(model, STR("ids")), controls = dyn_get(model, STR("controls"));
    assert_int_equal(dyn_count(controls), 2); // those with rows
    size_t names = COUNT_OF(HOSTILE);
    Dyn first = dyn_get(dyn_at(controls, 0), STR("rows"));
    for (size_t i = 0; i < names; i++) {
        int64_t id = long_of(dyn_at(dyn_get(first, STR("id")), (int64_t)i));
        int64_t prefix = long_of(dyn_at(dyn_get(ids, STR("prefix")), id));
        Str head = text_of(&w->arena, dyn_at(dyn_get(ids, STR("prefixes")), prefix));
        Str tail = text_of(&w->arena, dyn_at(dyn_get(ids, STR("suffix")), id));
        Str whole = str_format(&w->arena, "%.*s%.*s", STR_ARG(head), STR_ARG(tail));
        if (utf8_valid(HOSTILE[i]) && !memchr(HOSTILE[i].ptr, 0, HOSTILE[i].len))
            assert_true(str_equal(whole, w->a.findings[i].id));
        assert_int_equal(long_of(dyn_at(dyn_get(first, STR("risk")), (int64_t)i)), 100);
    }
    Str status = text_of(&w->arena, dyn_get(first, STR("status")));
    assert_int_equal(status.len, names);
    assert_int_equal(count_text(status, STR("f")), names);
    // Equal evidence once; an object stays one, what is not JSON is text.
    Dyn evidence = dyn_get(model, STR("evidence"));
    assert_int_equal(dyn_count(evidence), 2);
    assert_true(str_equal(text_of(&w->arena, dyn_get(dyn_at(evidence, 0), STR("path"))), STR("a")));
    assert_true(str_equal(text_of(&w->arena, dyn_at(evidence, 1)), STR("{ not json <!--")));
    Dyn assets = dyn_get(model, STR("assets"));
    assert_int_equal(dyn_count(dyn_get(assets, STR("id"))), names);
    assert_int_equal(text_of(&w->arena, dyn_get(assets, STR("approved"))).len, names);
    assert_int_equal(long_of(dyn_at(dyn_get(assets, STR("worst")), 0)), 0); // critical
    assert_int_equal(long_of(dyn_at(dyn_get(assets, STR("unknown")), 0)), 1);
    // The subscription the assets name is a root of the tree; no database gave another.
    assert_int_equal(dyn_count(dyn_get(model, STR("scopes"))), 1);
    assert_int_equal(long_of(dyn_at(dyn_get(assets, STR("scope")), 0)), 0);
    // What could not run, and what had no data to judge.
    assert_int_equal(dyn_count(dyn_get(model, STR("notRun"))), 2);
    assert_int_equal(dyn_count(dyn_get(model, STR("areas"))), 3);
    Str area = text_of(&w->arena, dyn_at(dyn_get(model, STR("areas")), 2));
    assert_true(contains(area, "\"title\":\"My area\",\"score\":null"));
    dyn_builder_free(builder);
    json_parser_free(parser);
    buffer_free(&out);
}

static void
json_holds_every_finding(void **state)
{
    World *w = *state;
    Buffer out = {0};
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    report_json(&w->a, NULL, NULL, &out);
    assert_true(utf8_valid(buffer_slice(&out)));
    Dyn document = parse(builder, parser, buffer_slice(&out));
    assert_true(
        str_equal(text_of(&w->arena, dyn_get(document, STR("schema"))), STR("azimuth.findings/1")));
    Dyn findings = dyn_get(document, STR("findings"));
    assert_int_equal(dyn_count(findings), w->a.finding_count);
    for (size_t i = 0; i < COUNT_OF(HOSTILE); i++) {
        Dyn resource = dyn_get(dyn_at(findings, (int64_t)i), STR("resource"));
        if (utf8_valid(HOSTILE[i]))
            assert_true(str_equal(text_of(&w->arena, dyn_get(resource, STR("name"))), HOSTILE[i]));
    }
    assert_true(str_equal(text_of(&w->arena, dyn_get(dyn_at(findings, 0), STR("id"))),
                          STR("0000000000000001")));
    assert_int_equal(dyn_count(dyn_get(document, STR("controls"))), 4);
    Dyn control = dyn_at(dyn_get(document, STR("controls")), 0);
    assert_int_equal(long_of(dyn_get(control, STR("pass"))), 4);
    assert_true(
        contains(text_of(&w->arena, dyn_get(dyn_get(control, STR("remediation")), STR("az"))),
                 "az resource update"));
    assert_true(contains(
        text_of(&w->arena, dyn_get(dyn_at(dyn_get(document, STR("controls")), 3), STR("error"))),
        "there is no table"));
    dyn_builder_free(builder);
    json_parser_free(parser);
    buffer_free(&out);
}

// Splits CSV text as RFC 4180 says; returns the number of records and checks that each
// has as many fields as the first. `third` is called with each field.
static size_t
check_csv(Str text, void (*each)(Str field))
{
    size_t records = 0, fields = 0, wanted = 0;
    Buffer field = {0};
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quoted) {
            if (c != '"')
                buffer_char(&field, c);
            else if (i + 1 < text.len && text.ptr[i + 1] == '"')
                buffer_char(&field, text.ptr[++i]);
            else
                quoted = false;
        } else if (c == '"') {
            assert_int_equal(field.len, 0);
            quoted = true;
        } else if (c == ',' || c == '\r') {
            each(buffer_slice(&field));
            buffer_clear(&field);
            fields++;
            if (c == '\r') {
                assert_true(text.ptr[++i] == '\n');
                wanted = wanted ? wanted : fields;
                assert_int_equal(fields, wanted);
                fields = 0;
                records++;
            }
        } else {
            buffer_char(&field, c);
        }
    }
    assert_false(quoted);
    buffer_free(&field);
    return records;
}

static void
no_formula(Str field)
{
    assert_false(field.len && strchr("=+-@\t\r", field.ptr[0]));
    assert_null(field.len ? memchr(field.ptr, 0, field.len) : NULL);
    assert_true(utf8_valid(field));
}

static void
csv_is_tables_not_formulas(void **state)
{
    World *w = *state;
    w->a.findings[1].name = STR("@SUM(1)");
    w->a.findings[2].name = STR("\t=1");
    w->a.findings[3].name = STR("-1+1");
    Buffer out = {0};
    report_csv(&w->a, &out);
    assert_int_equal(check_csv(buffer_slice(&out), no_formula), w->a.finding_count + 1);
    assert_true(contains(buffer_slice(&out), "'=cmd|"));
    buffer_free(&out);
}

// Lines are within the width, unless they hold a quoted word of a command, which
// cannot be broken.
static void
check_terminal(World *w, uint32_t width)
{
    Buffer out = {0};
    report_terminal(&w->a, NULL, &out, false, width);
    Str text = buffer_slice(&out);
    assert_true(utf8_valid(text));
    for (size_t at = 0; at < text.len;) {
        uint32_t c = utf8_next(text, &at);
        assert_true(c == '\n' || (c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0)));
        assert_false(c >= 0x202A && c <= 0x202E);
    }
    while (text.len) {
        ptrdiff_t end = str_find(text, STR("\n"));
        assert_true(end >= 0);
        Str line = str_slice(text, 0, (size_t)end);
        if (text_display_width(line) > width && !contains(line, "'"))
            fail_msg("%u columns: %.*s", text_display_width(line), STR_ARG(line));
        text = str_slice(text, (size_t)end + 1, text.len);
    }
    buffer_free(&out);
}

static void
terminal_is_clean_and_fits(void **state)
{
    World *w = *state;
    for (uint32_t width = 60; width <= 120; width++)
        check_terminal(w, width);
    Buffer out = {0};
    report_terminal(&w->a, NULL, &out, false, 80);
    Str text = buffer_slice(&out);
    assert_true(contains(text, "Score 24 of 100, 14 of 18 checks failed. 40 % could not be"));
    assert_true(contains(text, "12 of 13 AI assets have a weakness: 12 critical."));
    assert_true(contains(text, "Resources: </script>\uFFFD[2J"));
    assert_true(contains(text, "1 control could not run."));
    assert_true(contains(text, "1 control found no data to judge."));
    assert_true(contains(text, "2 fixes, the greatest risk first"));
    // Without colour nothing but text; with it, only colours.
    assert_int_equal(count_text(text, STR("\033")), 0);
    buffer_clear(&out);
    report_terminal(&w->a, NULL, &out, true, 80);
    text = buffer_slice(&out);
    assert_true(count_text(text, STR("\033[")) > 10);
    assert_int_equal(count_text(text, STR("\033")), count_text(text, STR("\033[")));
    assert_int_equal(count_text(text, STR("\033]")), 0);
    buffer_free(&out);
}

// The id's last part holds a quote, a command and a line break; a shell must see words.
static void
commands_are_words(void **state)
{
    (void)state;
    static const struct {
        Str template, id, wanted;
    } CASES[] = {
        {STR_INIT("az a --ids {id} -n {name}"), STR_INIT("/subscriptions/s/resourceGroups/g/x"),
         STR_INIT("az a --ids /subscriptions/s/resourceGroups/g/x -n x")},
        {STR_INIT("az -g {resourceGroup} -s {subscriptionId}"),
         STR_INIT("/SUBSCRIPTIONS/s/resourcegroups/g;id/x"), STR_INIT("az -g 'g;id' -s s")},
        {STR_INIT("az -n {name}"), STR_INIT("/a/$(id)"), STR_INIT("az -n '$(id)'")},
        {STR_INIT("az -n {name}"), STR_INIT("/a/it's"), STR_INIT("az -n 'it'\\''s'")},
        {STR_INIT("az -n {name}"), STR_INIT("/a/=x"), STR_INIT("az -n '=x'")},
        {STR_INIT("az -n {name} -g {resourceGroup}"), STR_INIT(""), STR_INIT("az -n '' -g ''")},
        {STR_INIT("az -q \"[?id=='{id}']\""), STR_INIT("/a b"),
         STR_INIT("az -q \"[?id=='\"'/a b'\"']\"")},
        {STR_INIT("az -b '{\"n\":\"{name}\"}'"), STR_INIT("/a/`id`"),
         STR_INIT("az -b '{\"n\":\"''`id`''\"}'")},
        // Quotes mean nothing in a comment, so nothing is put there.
        {STR_INIT("az x # it's {name}\naz {name}"), STR_INIT("/a/b c"),
         STR_INIT("az x # it's {name}\naz 'b c'")},
        {STR_INIT("echo \\' {name} \\{name}"), STR_INIT("/a/b c"),
         STR_INIT("echo \\' 'b c' \\{name}")},
        {STR_INIT("a#b {other} {name"), STR_INIT("/x"), STR_INIT("a#b {other} {name")},
    };
    Buffer out = {0};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        buffer_clear(&out);
        report_command(&out, CASES[i].template, CASES[i].id);
        if (!str_equal(buffer_slice(&out), CASES[i].wanted))
            fail_msg("%.*s: %.*s", STR_ARG(CASES[i].template), STR_ARG(buffer_slice(&out)));
    }
    buffer_free(&out);
}

static void
long_ids_break_where_a_shell_joins(void **state)
{
    World *w = *state;
    char id[240];
    snprintf(id, sizeof(id), "%s/providers/Microsoft.CognitiveServices/accounts/%s", SUB,
             "an-account-with-a-long-name-for-a-terminal");
    w->a.findings[0].id = str_from(id);
    w->a.findings[0].name = STR("an-account");
    Buffer out = {0}, joined = {0};
    report_terminal(&w->a, NULL, &out, false, 80);
    Str text = buffer_slice(&out);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len && text.ptr[i + 1] == '\n')
            i++;
        else
            buffer_char(&joined, text.ptr[i]);
    }
    // The second command holds it in quotes, where it is left whole.
    assert_int_equal(count_text(buffer_slice(&joined), str_from(id)), 2);
    assert_int_equal(count_text(text, str_from(id)), 1);
    buffer_free(&out);
    buffer_free(&joined);
}

static void
nothing_to_say(void **state)
{
    (void)state;
    Arena arena = {0};
    ControlSet none = {0};
    Assessment empty = {.arena = &arena, .controls = &none, .score = -1};
    Buffer out = {0};
    assert_true(report_html(NULL, &empty, NULL, NULL, &out, NULL));
    assert_true(contains(buffer_slice(&out), "Nothing could be judged."));
    buffer_clear(&out);
    report_json(&empty, NULL, NULL, &out);
    assert_true(contains(buffer_slice(&out), "\"score\":null"));
    buffer_clear(&out);
    report_csv(&empty, &out);
    assert_int_equal(check_csv(buffer_slice(&out), no_formula), 1);
    buffer_clear(&out);
    report_terminal(&empty, NULL, &out, false, 80);
    assert_true(contains(buffer_slice(&out), "No score"));
    buffer_free(&out);
    arena_free(&arena);
}

enum { MANY = 100000, MANY_IDS = 52000, MANY_CONTROLS = 120 };

static void
build_many(World *w, size_t evidence_bytes)
{
    for (int c = 0; c < MANY_CONTROLS; c++)
        add_control(w, str_format(&w->arena, "XX-%03d", c).ptr, "data",
                    (Severity)(c % (SEVERITY_CRITICAL + 1)), "az resource update --ids {id}");
    Assessment *a = &w->a;
    a->arena = &w->arena;
    a->controls = &w->set;
    a->results = ARENA_ARRAY(&w->arena, ControlResult, MANY_CONTROLS);
    a->findings = ARENA_ARRAY(&w->arena, Finding, MANY);
    a->finding_count = MANY;
    a->fail = MANY;
    char *filler = arena_alloc(&w->arena, evidence_bytes);
    memset(filler, 'e', evidence_bytes);
    for (size_t i = 0; i < MANY; i++) {
        size_t resource = i % MANY_IDS;
        Str name = str_format(&w->arena, "account-%zu", resource);
        Str id = str_format(
            &w->arena,
            "/subscriptions/%08zx-2222-3333-4444-555555555555/resourceGroups/rg-%zu/providers/"
            "Microsoft.CognitiveServices/accounts/%.*s",
            resource / 200, resource / 20, STR_ARG(name));
        a->findings[i] = (Finding){
            .control = (uint32_t)(i % MANY_CONTROLS),
            .status = FINDING_FAIL,
            .risk = (float)(i % 1000) / 10,
            .asset = -1,
            .id = id,
            .name = name,
            .type = STR("microsoft.cognitiveservices/accounts"),
            .evidence = str_format(&w->arena, "{\"path\":\"properties.x\",\"found\":\"%zu%.*s\"}",
                                   i / 4, (int)evidence_bytes, filler),
            .key = i,
        };
    }
}

static void
many_findings_stay_small_and_fast(void **state)
{
    (void)state;
    World w = {0};
    build_many(&w, 16);
    Buffer out = {0};
    uint64_t start = clock_monotonic_ns();
    assert_true(report_html(NULL, &w.a, NULL, NULL, &out, NULL));
    double seconds = (double)(clock_monotonic_ns() - start) / 1e9;
    printf("page of %d findings: %.1f MB, %.2f s\n", MANY, (double)out.len / 1e6, seconds);
    assert_true(out.len < 20 << 20);
    assert_true(seconds < 10); // a second on a quiet machine; sanitizers are slower
    assert_true(contains(page_data(buffer_slice(&out)), "\"omitted\":null"));
    buffer_clear(&out);
    start = clock_monotonic_ns();
    report_json(&w.a, NULL, NULL, &out);
    report_csv(&w.a, &out);
    report_terminal(&w.a, NULL, &out, true, 80);
    printf("the other forms: %.2f s\n", (double)(clock_monotonic_ns() - start) / 1e9);
    buffer_free(&out);
    arena_free(&w.arena);
}

static void
a_page_too_large_sheds_evidence(void **state)
{
    (void)state;
    World w = {0};
    build_many(&w, 700);
    Buffer out = {0};
    assert_true(report_html(NULL, &w.a, NULL, NULL, &out, NULL));
    Str data = page_data(buffer_slice(&out));
    assert_true(contains(data, "\"omitted\":\"evidence of low"));
    assert_int_equal(count_text(data, STR("{{")), 0);
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    Dyn controls = dyn_get(parse(builder, parser, data), STR("controls"));
    for (uint32_t c = 0; c < MANY_CONTROLS; c++) {
        Dyn control = dyn_at(controls, c);
        Dyn rows = dyn_get(control, STR("rows"));
        bool kept = long_of(dyn_at(dyn_get(rows, STR("evidence")), 0)) >= 0;
        Str severity = text_of(&w.arena, dyn_get(control, STR("severity")));
        assert_true(kept != (str_equal(severity, STR("low")) || str_equal(severity, STR("info"))));
    }
    dyn_builder_free(builder);
    json_parser_free(parser);
    buffer_free(&out);
    arena_free(&w.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(html_is_inert, setup, teardown),
        cmocka_unit_test_setup_teardown(html_model_is_what_was_found, setup, teardown),
        cmocka_unit_test_setup_teardown(json_holds_every_finding, setup, teardown),
        cmocka_unit_test_setup_teardown(csv_is_tables_not_formulas, setup, teardown),
        cmocka_unit_test_setup_teardown(terminal_is_clean_and_fits, setup, teardown),
        cmocka_unit_test(commands_are_words),
        cmocka_unit_test_setup_teardown(long_ids_break_where_a_shell_joins, setup, teardown),
        cmocka_unit_test(nothing_to_say),
        cmocka_unit_test(many_findings_stay_small_and_fast),
        cmocka_unit_test(a_page_too_large_sheds_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
