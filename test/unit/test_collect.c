// The parts of a collection that decide where a token goes and what an answer means.

#include "base/array.h"
#include "collect/answer.h"
#include "collect/collect_parts.h"
#include "collect/pace.h"
#include "collect/redact.h"
#include "collect/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_addresses(void **state)
{
    static const char *const bad[] = {
        "",
        "ftp://host/",
        "https:/host",
        "https://",
        "https://user@host/",
        "https://127.0.0.1@evil.example/",
        "https://host:99x/",
        "https://host:/",
        "https://host:123456/",
        "https://host\\@evil.example/",
        "https://host /",
        "https://host\n/",
        "https://[::1/",
        "https://[::1]x/",
        "https://h%6fst/",
        "//host/",
        "/subscriptions",
    };
    Url url;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (url_parse(str_from(bad[i]), &url))
            fail_msg("'%s' was taken for an address", bad[i]);
    assert_true(url_parse(STR("HTTPS://Management.Azure.com:443/a?b#c"), &url));
    assert_true(str_equal(url.host, STR("Management.Azure.com")));
    assert_true(str_equal(url.port, STR("443")));
    assert_true(str_equal(url.rest, STR("/a?b#c")));
    assert_true(url_parse(STR("http://[::1]:80/"), &url) && url_is_loopback(&url));
    assert_true(url_parse(STR("http://127.0.0.9"), &url) && url_is_loopback(&url));
    assert_true(url_parse(STR("http://127.evil.example"), &url) && !url_is_loopback(&url));
    assert_true(url_parse(STR("http://127.0.0.1.evil.example"), &url) && !url_is_loopback(&url));
    assert_true(url_parse(STR("http://169.254.169.254"), &url) && url_is_link_local(&url));
    assert_true(url_parse(STR("http://169.254.evil.example"), &url) && !url_is_link_local(&url));
}

static void
test_origins(void **state)
{
    Str arm = STR("https://management.azure.com");
    (void)state;
    assert_true(url_same_origin(STR("https://MANAGEMENT.azure.com:443/x?y"), arm));
    assert_false(url_same_origin(STR("http://management.azure.com/x"), arm));
    assert_false(url_same_origin(STR("https://management.azure.com:444/x"), arm));
    assert_false(url_same_origin(STR("https://management.azure.com.evil.example/x"), arm));
    assert_false(url_same_origin(STR("https://management.azure.com@evil.example/x"), arm));
    assert_false(url_same_origin(STR("management.azure.com/x"), arm));
}

typedef struct Tools {
    Arena arena;
    JsonParser *parser;
    DynBuilder *builder;
} Tools;

static int
setup(void **state)
{
    static Tools tools;
    tools = (Tools){.parser = json_parser_new(), .builder = dyn_builder_new()};
    *state = &tools;
    return 0;
}

static int
teardown(void **state)
{
    Tools *tools = *state;
    json_parser_free(tools->parser);
    dyn_builder_free(tools->builder);
    arena_free(&tools->arena);
    return 0;
}

static bool
read_page(Tools *tools, const char *body, Page *page, const char **why)
{
    return page_read(&tools->arena, tools->parser, tools->builder, str_from(body), false, page,
                     why);
}

static void
test_pages(void **state)
{
    Tools *tools = *state;
    Page page;
    const char *why;
    assert_true(read_page(
        tools, "{\"value\":[{\"a\":1}, {\"b\":[1]}],\"nextLink\":\"https://x/y\"}", &page, &why));
    assert_int_equal(page.count, 2);
    assert_true(str_equal(page.next, STR("https://x/y")));
    assert_true(read_page(tools, "{\"value\":[],\"@odata.nextLink\":\"n\"}", &page, &why));
    assert_int_equal(page.count, 0);
    assert_true(str_equal(page.next, STR("n")));
    // Resource Graph says "true" as a text, and gives a token unless it cannot go on.
    assert_true(read_page(tools, "{\"data\":[{}],\"resultTruncated\":\"true\"}", &page, &why));
    assert_true(page.truncated);
    assert_true(read_page(tools, "{\"data\":[{}],\"resultTruncated\":true,\"$skipToken\":\"t\"}",
                          &page, &why));
    assert_false(page.truncated);
    assert_true(str_equal(page.next, STR("t")));
    // A list without a page around it, and an object itself.
    assert_true(read_page(tools, " [{\"a\":1},{}]", &page, &why) && page.count == 2);
    assert_true(page_read(&tools->arena, tools->parser, tools->builder,
                          STR("{\"id\":\"/x\",\"value\":[1]}"), true, &page, &why));
    assert_true(page.count == 1 && !page.next.len);
    assert_false(
        page_read(&tools->arena, tools->parser, tools->builder, STR("[1]"), true, &page, &why));
    static const char *const bad[] = {"",
                                      "{",
                                      "[",
                                      "[1]",
                                      "<html>",
                                      "{\"value\":12}",
                                      "{\"value\":{}}",
                                      "{\"value\":[1]}",
                                      "{\"value\":[{}]",
                                      "{\"error\":{\"code\":\"x\"}}"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(read_page(tools, bad[i], &page, &why));
}

static void
test_errors(void **state)
{
    static const struct {
        const char *body, *code, *message;
    } cases[] = {
        {"{\"error\":{\"code\":\"A\",\"message\":\"m\",\"details\":[]}}", "A", "m"},
        {"{\"Code\":\"A\",\"Message\":\"m\",\"Target\":null}", "A", "m"},
        {"{\"code\":\"A\",\"message\":\"m\"}", "A", "m"},
        {"{\"odata.error\":{\"code\":\"A\",\"message\":{\"lang\":\"en\",\"value\":\"m\"}}}", "A",
         "m"},
        {"{\"Message\":\"m\"}", "", "m"},
        {"<?xml version=\"1.0\"?><Error><Code>A</Code><Message>m</Message></Error>", "A", "m"},
        {"", "", ""},
        {"not json", "", ""},
        {"{\"error\":\"text\"}", "", ""},
        {"[1,2]", "", ""},
        {"{\"error\":{\"code\":\"A\",\"details\":[{\"message\":\"m\"}]}}", "A", "m"},
        {"{\"code\":\"A\",\"message\":\"Message: {\\\"message\\\":\\\"Message: "
         "{\\\\\\\"Errors\\\\\\\":[\\\\\\\"m\\\\\\\"]}\\\"}, Request: {1}\"}",
         "A", "m"},
        {"{\"code\":\"A\",\"message\":\"not {json} at all\"}", "A", "not {json} at all"},
    };
    Tools *tools = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ServiceError said =
            service_error(&tools->arena, tools->parser, tools->builder, str_from(cases[i].body));
        assert_true(str_equal(said.code, str_from(cases[i].code)));
        assert_true(str_equal(said.message, str_from(cases[i].message)));
    }
}

static void
test_texts(void **state)
{
    Tools *tools = *state;
    Arena *arena = &tools->arena;
    Str header = STR("Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"");
    assert_true(str_equal(claims_challenge(arena, header), STR("{\"a\":1}")));
    assert_int_equal(claims_challenge(arena, STR("Bearer")).len, 0);
    Str said = STR("version '2099-01-01' is not there. The supported api-versions are "
                   "'2020-01-01, 2022-05-01, 2023-01-01-preview'.");
    assert_true(str_equal(offered_version(arena, said), STR("2022-05-01")));
    assert_true(str_equal(offered_version(arena, STR("supported: 2023-01-01-preview")),
                          STR("2023-01-01-preview")));
    assert_int_equal(offered_version(arena, STR("supported: none")).len, 0);
    Buffer out = {0};
    json_compact(&out, STR("{ \"a b\" : [ 1 ,\n\t\"c \\\" \\\\\" ] }"));
    assert_true(str_equal(buffer_slice(&out), STR("{\"a b\":[1,\"c \\\" \\\\\"]}")));
    buffer_free(&out);
}

static Dyn
parse(Tools *tools, const char *json)
{
    const char *why;
    size_t offset;
    Dyn tree;
    dyn_builder_reset(tools->builder);
    assert_true(json_to_dynamic(tools->parser, str_from(json), tools->builder, &why, &offset));
    assert_true(dyn_finish(tools->builder, &tree, &why));
    return tree;
}

static Str
filled(Tools *tools, const char *text, const char *parent)
{
    return template_fill(&tools->arena, str_from(text), parse(tools, parent), (Dyn){0}, true);
}

static void
test_templates(void **state)
{
    Tools *tools = *state;
    assert_true(
        str_equal(filled(tools, "{id}/a", "{\"id\":\"/s/x y/(z)\"}"), STR("/s/x%20y/%28z%29/a")));
    // A hostile id becomes no host, no query and no other path.
    assert_true(str_equal(filled(tools, "{id}/a", "{\"id\":\"@evil.example\"}"), STR("/a")));
    assert_true(
        str_equal(filled(tools, "{id}/a", "{\"id\":\"/s?x=1#y\"}"), STR("/s%3Fx%3D1%23y/a")));
    assert_true(str_equal(filled(tools, "/groups/{id}/members", "{\"id\":\"a/../b?c\"}"),
                          STR("/groups/a%2F..%2Fb%3Fc/members")));
    Dyn own = parse(tools, "{\"name\":\"n\"}");
    assert_true(str_equal(
        template_fill(&tools->arena, STR("{.name}-{.none}"), (Dyn){0}, own, false), STR("n-")));
}

static void
test_pace(void **state)
{
    static const uint64_t SECOND = 1000000000;
    Tools *tools = *state;
    Quota quota = {.name = STR("q"),
                   .remaining = STR("left"),
                   .burst = 3,
                   .rate = 2,
                   .per_subscription = true};
    Pace pace;
    uint64_t now = 1000 * SECOND, wait;
    pace_init(&pace, &tools->arena, 64);
    pace.window = 64;
    Bucket *bucket = pace_bucket(&pace, &quota, STR("A"));
    assert_ptr_equal(bucket, pace_bucket(&pace, &quota, STR("a")));
    assert_ptr_not_equal(bucket, pace_bucket(&pace, &quota, STR("b")));
    for (int i = 0; i < 3; i++)
        assert_true(pace_take(&pace, bucket, 1, now, &wait));
    assert_false(pace_take(&pace, bucket, 1, now, &wait));
    assert_in_range(wait, SECOND / 2 - 10, SECOND / 2 + 10);
    assert_true(pace_take(&pace, bucket, 1, now + wait, &wait));
    // What a header says is left is believed, less what is on its way.
    now += 10 * SECOND;
    HttpHeader header = {STR("LEFT"), STR("1")};
    HttpAnswer answer = {.status = 200, .headers = &header, .header_count = 1};
    for (int i = 0; i < 3; i++)
        pace_answered(&pace, bucket, 1, &(HttpAnswer){.status = 200}, now);
    pace_answered(&pace, bucket, 1, &answer, now);
    assert_true(pace_take(&pace, bucket, 1, now, &wait));
    assert_false(pace_take(&pace, bucket, 1, now, &wait));
    now += 10 * SECOND;
    header.value = STR("3");
    assert_true(pace_take(&pace, bucket, 1, now, &wait));
    pace_answered(&pace, bucket, 1, &answer, now); // one of two is still on its way
    assert_true(bucket->units == 2);
    pace_answered(&pace, bucket, 1, &answer, now);
    // A refusal closes the bucket for as long as it says, and what was in flight adds nothing.
    double rate = pace_rate(&pace, bucket);
    assert_int_equal(pace_refused(&pace, bucket, now - 1, 7, now), 7 * SECOND);
    assert_true(pace_rate(&pace, bucket) < rate);
    rate = pace_rate(&pace, bucket);
    pace_refused(&pace, bucket, now - 1, 7, now + 1);
    assert_true(pace_rate(&pace, bucket) == rate);
    assert_int_equal(bucket->in_a_row, 1);
    assert_false(pace_take(&pace, bucket, 1, now + 6 * SECOND, &wait));
    assert_true(pace_take(&pace, bucket, 1, now + 9 * SECOND, &wait));
    // What was sent before says nothing about the pace since.
    pace_accepted(bucket, now - 1);
    assert_int_equal(bucket->in_a_row, 1);
    pace_accepted(bucket, now + 9 * SECOND);
    assert_int_equal(bucket->in_a_row, 0);
    // By and by the old rate comes back.
    pace.window = 1000;
    for (int i = 10; i < 200; i++)
        pace_take(&pace, bucket, 1, now + (uint64_t)i * SECOND, &wait);
    assert_true(bucket->rate_part == 1);
}

// Some quotas are larger in a larger directory, and count in units.
static void
test_pace_units(void **state)
{
    Tools *tools = *state;
    QuotaSize sizes[] = {{50, 1.5}, {500, 2}};
    Quota quota = {.burst = 40, .rate = 10, .sizes = sizes, .size_count = COUNT_OF(sizes)};
    Pace pace;
    uint64_t now = 1, wait;
    pace_init(&pace, &tools->arena, 64);
    pace.window = 64;
    Bucket *bucket = pace_bucket(&pace, &quota, STR(""));
    assert_true(pace_take(&pace, bucket, 40, now, &wait));
    assert_false(pace_take(&pace, bucket, 5, now, &wait));
    assert_in_range(wait, 499999990, 500000010);
    pace.users = 50;
    assert_true(pace_rate(&pace, bucket) == 10);
    pace.users = 51;
    assert_true(pace_rate(&pace, bucket) == 15);
    pace.users = 501;
    assert_true(pace_rate(&pace, bucket) == 20 && pace_burst(&pace, bucket) == 80);
    // A batch that is larger than the burst waits for a full bucket and goes below nothing.
    now += 10000000000;
    assert_true(pace_take(&pace, bucket, 100, now, &wait));
    assert_true(bucket->units == -20);
    // Nearly used up: only what is filled is spent.
    now += 10000000000;
    pace_used(&pace, bucket, 0.85, now);
    assert_true(pace_take(&pace, bucket, 1, now, &wait) && bucket->units == 79);
    pace_used(&pace, bucket, 0.95, now);
    assert_true(bucket->units == 0);
}

static Str
other_address(Arena *arena, const uint8_t key[32], const char *text)
{
    Buffer out = {0};
    if (!redact_address(key, str_from(text), &out))
        buffer_text(&out, text);
    Str other = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return other;
}

static void
test_redacted_addresses(void **state)
{
    static const char *const kept[] = {
        "10.1.2.3",   "192.168.0.1", "172.31.9.9",      "127.0.0.1", "168.63.129.16", "0.0.0.0",
        "100.64.1.1", "fd00::1",     "169.254.169.254", "::1",       "255.255.255.0"};
    Arena arena = {0};
    uint8_t key[32];
    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof(key); i++)
            key[i] = (uint8_t)(round * 37 + i * 11);
        for (size_t i = 0; i < COUNT_OF(kept); i++)
            assert_true(str_equal(other_address(&arena, key, kept[i]), str_from(kept[i])));
        // Equal prefixes stay equal, a network's zeros stay, no two become one.
        Str net = other_address(&arena, key, "20.30.40.0"),
            host = other_address(&arena, key, "20.30.40.7"),
            next = other_address(&arena, key, "20.30.40.8");
        assert_true(str_ends(net, STR(".0")));
        assert_true(str_starts(host, str_slice(net, 0, net.len - 1)));
        assert_false(str_equal(host, next));
        // Never one of the networks that mean something.
        for (unsigned a = 1; a < 224; a += 3) {
            Str from = str_format(&arena, "%u.%u.1.1", a, a * 5 % 256);
            Str other = other_address(&arena, key, str_cstr(&arena, from));
            if (str_equal(from, other))
                continue;
            Str again = other_address(&arena, key, str_cstr(&arena, other));
            assert_false(str_starts(other, STR("10.")) || str_starts(other, STR("192.168.")) ||
                         str_starts(other, STR("127.")));
            assert_true(again.len > 0);
        }
        assert_true(str_starts(other_address(&arena, key, "2603:1020:206:1::5"), STR("2603:")));
    }
    arena_free(&arena);
}

static void
test_redacted_rows(void **state)
{
    Str vm = STR(
            "{\"id\":\"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-pay/"
            "providers/Microsoft.Compute/virtualMachines/vm-pay-01\",\"name\":\"vm-pay-01\","
            "\"type\":\"microsoft.compute/virtualmachines\",\"properties\":{\"disk\":"
            "\"osdisk-vm-pay-01\",\"host\":\"VM-PAY-01.azure.com\",\"n\":[1,null,\"\\u00e4\\\"\"]}"
            "}"),
        user = STR("{\"displayName\":\"Ines \\\"A\\\"\",\"mail\":\"ines@pay.example\"}");
    Buffer out = {0}, second = {0};
    Redactor *redactor = redactor_new();
    (void)state;
    redactor_learn_row(redactor, STR("resources.jsonl"), vm);
    redactor_learn_row(redactor, STR("users.jsonl"), user);
    redactor_row(redactor, STR("resources.jsonl"), vm, &out);
    redactor_row(redactor, STR("users.jsonl"), user, &second);
    Str text = buffer_slice(&out), person = buffer_slice(&second);
    assert_true(str_find(text, STR("pay")) < 0 && str_find(text, STR("PAY")) < 0);
    assert_true(str_find(text, STR("1111")) < 0);
    assert_true(str_find(text, STR("\"microsoft.compute/virtualmachines\"")) > 0);
    assert_true(str_find(text, STR(",\"n\":[1,null,\"\\u00e4\\\"\"]}}")) > 0);
    assert_true(str_find(text, STR(".azure.com\"")) > 0 && str_find(text, STR("osdisk-x")) > 0);
    assert_true(str_find(person, STR("Ines")) < 0 && str_find(person, STR("pay")) < 0);
    assert_true(str_find(person, STR("@d")) > 0);
    // Broken rows are no reason to read beyond them.
    static const char *const broken[] = {"\"",        "{\"a", "{\"a\\", "{\"a\":\"\\ud800\"",
                                         "}}}}\"x\"", ""};
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        redactor_learn_row(redactor, STR("x.jsonl"), str_from(broken[i]));
        redactor_row(redactor, STR("x.jsonl"), str_from(broken[i]), &out);
    }
    redactor_free(redactor);
    buffer_free(&out);
    buffer_free(&second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_redacted_addresses),
        cmocka_unit_test(test_redacted_rows),
        cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_templates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pace_units, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
