// The parts of fetching logs that decide what a record is, and where it lies.

#include "base/array.h"
#include "collect/log_files.h"
#include "collect/logs_parts.h"
#include "collect/records.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

// Reads a log that grows to each length in turn, as a fetcher does: the rows, and how many.
static uint64_t
read_growing(Str whole, size_t step, Buffer *rows)
{
    uint64_t count = 0;
    size_t offset = 0;
    RecordsForm form = RECORDS_LINES;
    for (size_t end = step < whole.len ? step : whole.len;; end += step) {
        end = end < whole.len ? end : whole.len;
        Str there = str_slice(whole, offset, end);
        if (offset == 0)
            form = records_form(there);
        // A copy, so that a sanitizer sees what reads past the end.
        char *bytes = malloc(there.len + 1);
        memcpy(bytes, there.ptr, there.len);
        offset += records_cut(form, offset == 0, (Str){bytes, there.len}, rows, &count);
        free(bytes);
        if (end == whole.len)
            return count;
    }
}

static void
test_records(void **state)
{
    static const struct {
        const char *log, *rows;
        size_t least; // bytes of the beginning that say which form it is
    } cases[] = {
        {"{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}\n", 1},
        {"{\"a\":1}\r\n\r\n{\"b\":\"}\\\"\\n\"}", "{\"a\":1}\n{\"b\":\"}\\\"\\n\"}\n", 1},
        {"\xef\xbb\xbf{\"a\":1}\n", "{\"a\":1}\n", 3},
        {"{\"a\":{\"b\":[{}]}}\n{\"open\":", "{\"a\":{\"b\":[{}]}}\n", 1},
        {"not json\n{\"a\":1}\n", "not json\n{\"a\":1}\n", 1},
        {"", "", 1},
        {"\n\n", "", 1},
        {"{\"records\":[]}", "", 13},
        {" {\n\"records\" : [ {\"a\" : 1},\n{\"b\":[\"]\"]} ]\n}", "{\"a\":1}\n{\"b\":[\"]\"]}\n",
         18},
        {"{\"records\":[{\"a\":1},{\"b\":", "{\"a\":1}\n", 13},
        {"{\"recordsToo\":[1]}\n", "{\"recordsToo\":[1]}\n", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str log = str_from(cases[i].log);
        for (size_t step = cases[i].least; step <= log.len + 1; step++) {
            Buffer rows = {0};
            uint64_t lines = 0, count = read_growing(log, step, &rows);
            if (!str_equal(buffer_slice(&rows), str_from(cases[i].rows)))
                fail_msg("case %zu in steps of %zu: %.*s", i, step, (int)rows.len, rows.data);
            for (size_t k = 0; k < rows.len; k++)
                lines += rows.data[k] == '\n';
            assert_int_equal(count, lines);
            buffer_free(&rows);
        }
    }
}

static void
test_listing(void **state)
{
    Arena arena = {0};
    StorageListing listing;
    (void)state;
    Str good = STR("<?xml version=\"1.0\"?><EnumerationResults><Blobs>"
                   "<Blob><Name>a&amp;b&#x41;&lt;Blob&gt;</Name><Properties><Content-Length>12"
                   "</Content-Length><Etag>x</Etag></Properties></Blob>"
                   "<Blob><Name Encoded=\"true\">c%2Fd%</Name><Properties/></Blob>"
                   "<BlobPrefix><Name>no</Name></BlobPrefix></Blobs>"
                   "<NextMarker>m&amp;1</NextMarker></EnumerationResults>");
    assert_true(storage_listing_read(&arena, good, "Blob", &listing));
    assert_int_equal(listing.len, 2);
    assert_true(str_equal(listing.items[0].name, STR("a&bA<Blob>")));
    assert_int_equal(listing.items[0].size, 12);
    assert_true(str_equal(listing.items[1].name, STR("c/d%")));
    assert_true(str_equal(listing.marker, STR("m&1")));
    assert_true(storage_listing_read(
        &arena, STR("<EnumerationResults a=\"b\"><Containers/><NextMarker /></EnumerationResults>"),
        "Container", &listing));
    assert_true(!listing.len && !listing.marker.len);
    static const char *const bad[] = {"", "<", "<html>", "<EnumerationResults>",
                                      "<EnumerationResults><Blob></Blob></EnumerationResults>"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(storage_listing_read(&arena, str_from(bad[i]), "Blob", &listing));
    // Cut anywhere, it is none or a part, and nothing is read past its end.
    for (size_t end = 0; end < good.len; end++) {
        char *bytes = malloc(end + 1);
        memcpy(bytes, good.ptr, end);
        storage_listing_read(&arena, (Str){bytes, end}, "Blob", &listing);
        free(bytes);
    }
    arena_free(&arena);
}

static void
test_paths(void **state)
{
    static const struct {
        const char *part, *path;
    } cases[] = {
        {"resourceId=/SUBSCRIPTIONS/y=2026/PT1H.json",
         "F/resourceId=/SUBSCRIPTIONS/y=2026/PT1H.json"},
        {"../../etc/passwd", "F/%2E%2E/%2E%2E/etc/passwd"},
        {"a//b/./c", "F/a/%00/b/%2E/c"},
        {"a\\b:c\n%", "F/a%5Cb%3Ac%0A%25"},
        {"", "F/%00"},
        {"...", "F/..."},
    };
    Arena arena = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str path = log_path(&arena, STR("F"), str_from(cases[i].part));
        if (!str_equal(path, str_from(cases[i].path)))
            fail_msg("'%s' became '%.*s'", cases[i].part, STR_ARG(path));
    }
    arena_free(&arena);
}

static int
drop_file(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static void
test_spans(void **state)
{
    Arena arena = {0};
    AzError error = {0};
    LogSpans spans;
    LogSpan missing;
    uint64_t begin, end;
    char folder[] = "/tmp/azimuth-spans-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    Str deep = log_path(&arena, str_from(folder), STR("a/b"));
    Buffer rows = {0};
    buffer_text(&rows, "{}\n");
    assert_true(log_spans(&arena, deep, LOG_BYTES, &spans, &error));
    assert_int_equal(spans.len, 0);
    assert_true(log_missing(&spans, (LogSpan){0, 10}, &missing) && missing.to == 10);
    assert_true(log_write(deep, LOG_BYTES, (LogSpan){20, 30}, false, &rows, &error));
    assert_true(log_write(deep, LOG_BYTES, (LogSpan){0, 10}, true, &rows, &error));
    // What a kill left, and files of others, say nothing.
    static const char *const others[] = {"new", "x.json", "1-2.json", "000000000001-x.json",
                                         "000000000030-000000000020.json"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s/a/b/%s", folder, others[i]);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fclose(file);
    }
    assert_true(log_spans(&arena, deep, LOG_BYTES, &spans, &error));
    assert_int_equal(spans.len, 2);
    assert_true(spans.is_list);
    assert_true(log_missing(&spans, (LogSpan){0, 50}, &missing));
    assert_true(missing.from == 10 && missing.to == 20);
    assert_true(log_missing(&spans, (LogSpan){25, 50}, &missing));
    assert_true(missing.from == 30 && missing.to == 50);
    assert_false(log_missing(&spans, (LogSpan){22, 30}, &missing));
    // The name that a kill left is free again.
    assert_true(log_write(deep, LOG_BYTES, (LogSpan){10, 20}, true, &rows, &error));
    assert_true(log_time_parse(STR("20260601T000000Z"), &begin));
    assert_true(log_time_parse(STR("20260601T013005Z"), &end));
    assert_int_equal(end - begin, (uint64_t)5405 * 10000000);
    assert_true(log_write(deep, LOG_TIME, (LogSpan){begin, end}, false, &rows, &error));
    assert_true(log_spans(&arena, deep, LOG_TIME, &spans, &error));
    assert_true(spans.len == 1 && spans.items[0].from == begin && spans.items[0].to == end);
    static const char *const bad[] = {"", "20260601T000000", "20261301T000000Z",
                                      "20260601 000000Z"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(log_time_parse(str_from(bad[i]), &begin));
    buffer_free(&rows);
    arena_free(&arena);
    nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
