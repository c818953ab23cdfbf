// Ingest: files as they are met, good and hostile, become the rows they should.
//
// Each test writes its files into a folder of its own, imports them into a new store
// and compares what the store then holds, as text: one line a row, "column=value"
// for every value that is not null, rows in the order of their text.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/array.h"
#include "store/ingest.h"
#include "store/ingest_parts.h"
#include "store/ingest_redact.h"
#include "value/dynamic.h"
#include "value/scalar.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

typedef struct Fixture {
    Arena arena;
    char root[64], folder[96], dir[96];
    ThreadPool *threads;
    Store *store;
    IngestReport report;
    AzError error;
} Fixture;

typedef struct Declared {
    const char *name;
    TableKind kind;
    Column columns[12];
} Declared;

#define NAME(text) STR_INIT(text)
static const Declared declared[] = {
    {"Resources",
     TABLE_INVENTORY,
     {{NAME("id"), TYPE_STRING},
      {NAME("name"), TYPE_STRING},
      {NAME("type"), TYPE_STRING},
      {NAME("tenantId"), TYPE_STRING},
      {NAME("location"), TYPE_STRING},
      {NAME("resourceGroup"), TYPE_STRING},
      {NAME("subscriptionId"), TYPE_STRING},
      {NAME("properties"), TYPE_DYNAMIC},
      {NAME("tags"), TYPE_DYNAMIC}}},
    {"Events",
     TABLE_LOG,
     {{NAME("TimeGenerated"), TYPE_DATETIME},
      {NAME("Text"), TYPE_STRING},
      {NAME("Count"), TYPE_LONG},
      {NAME("Small"), TYPE_INT},
      {NAME("Ratio"), TYPE_REAL},
      {NAME("Flag"), TYPE_BOOL},
      {NAME("Id"), TYPE_GUID},
      {NAME("Took"), TYPE_TIMESPAN},
      {NAME("Price"), TYPE_DECIMAL},
      {NAME("Bag"), TYPE_DYNAMIC}}},
};

static bool
find_schema(void *context, Str table, Arena *arena, Str *canonical, Schema *schema, TableKind *kind)
{
    (void)context;
    for (size_t i = 0; i < COUNT_OF(declared); i++) {
        if (!str_equal_ci(table, str_from(declared[i].name)))
            continue;
        Schema all = {(Column *)declared[i].columns, 0};
        while (all.count < COUNT_OF(declared[i].columns) && all.columns[all.count].name.len)
            all.count++;
        *canonical = str_from(declared[i].name);
        *schema = schema_copy(arena, &all);
        *kind = declared[i].kind;
        return true;
    }
    return false;
}

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    strcpy(f->root, "/tmp/azimuth-ingest-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->folder, sizeof(f->folder), "%s/tenant", f->root);
    snprintf(f->dir, sizeof(f->dir), "%s/store", f->root);
    assert_int_equal(mkdir(f->folder, 0700), 0);
    f->threads = thread_pool_new(2);
    f->store = store_open(f->dir, STORE_WRITE, &f->error);
    assert_non_null(f->store);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;
    char command[128];
    store_close(f->store);
    thread_pool_free(f->threads);
    snprintf(command, sizeof(command), "rm -rf '%s'", f->root);
    assert_int_equal(system(command), 0);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static char *
file_path(Fixture *f, const char *name)
{
    return str_cstr(&f->arena, str_format(&f->arena, "%s/%s", f->folder, name));
}

static void
write_bytes(Fixture *f, const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(file_path(f, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void
write_text(Fixture *f, const char *name, const char *text)
{
    write_bytes(f, name, text, strlen(text));
}

static IngestOptions
options_of(Fixture *f)
{
    return (IngestOptions){
        .find_schema = find_schema, .threads = f->threads, .tool_version = "test"};
}

static void
import_tenant(Fixture *f)
{
    IngestOptions options = options_of(f);
    bool done = ingest_tenant(f->store, f->folder, &options, &f->arena, &f->report, &f->error);
    if (!done)
        fail_msg("%s", f->error.message);
}

static void
import_table(Fixture *f, const char *table, const char *name)
{
    IngestOptions options = options_of(f);
    const char *path = file_path(f, name);
    bool done = ingest_table(f->store, str_from(table), &path, 1, &options, &f->arena, &f->report,
                             &f->error);
    if (!done)
        fail_msg("%s", f->error.message);
}

static int
compare_lines(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

// The rows of a table as text, or NULL when there is no such table.
static const char *
rows_of(Fixture *f, const char *table)
{
    StoreView *view = store_view_open(f->store, 0, &f->error);
    assert_non_null(view);
    TableSource *source = store_view_source(view, str_from(table), &f->error);
    if (!source) {
        store_view_close(view);
        return NULL;
    }
    struct {
        Str *items;
        size_t len, cap;
    } lines = {0};
    Buffer text = {0};
    for (uint32_t m = 0; m < source->morsel_count; m++)
        for (uint32_t i = 0; i < source->morsel_rows(source, m); i++) {
            buffer_clear(&text);
            for (uint32_t c = 0; c < source->schema.count; c++) {
                const Vector *v = source->read(source, m, c, i, 1, &f->arena, &f->error);
                assert_non_null(v);
                const Text *cell = vector_cell(v, 0);
                if (vector_is_null(v, 0) || (v->type == TYPE_STRING && !cell->len))
                    continue;
                buffer_printf(&text, "%s%.*s=", text.len ? " " : "",
                              STR_ARG(source->schema.columns[c].name));
                data_print(&text, v->type, vector_cell(v, 0));
            }
            ARRAY_PUSH(&f->arena, &lines, str_copy(&f->arena, buffer_slice(&text)));
        }
    if (lines.len)
        qsort(lines.items, lines.len, sizeof(Str), compare_lines);
    buffer_clear(&text);
    for (size_t i = 0; i < lines.len; i++)
        buffer_printf(&text, "%.*s\n", STR_ARG(lines.items[i]));
    const char *all = str_cstr(&f->arena, buffer_slice(&text));
    buffer_free(&text);
    store_view_close(view);
    return all;
}

static uint64_t
count_rows(Fixture *f, const char *table)
{
    StoreView *view = store_view_open(f->store, 0, &f->error);
    assert_non_null(view);
    size_t count;
    uint64_t rows = 0;
    const StoreTable *tables = store_view_tables(view, &count);
    for (size_t i = 0; i < count; i++)
        if (str_equal_ci(tables[i].name, str_from(table)))
            rows = tables[i].rows;
    store_view_close(view);
    return rows;
}

// "name:type ..." of the table's columns.
static const char *
columns_of(Fixture *f, const char *table)
{
    StoreView *view = store_view_open(f->store, 0, &f->error);
    TableSource *source = store_view_source(view, str_from(table), &f->error);
    assert_non_null(source);
    Buffer text = {0};
    for (uint32_t c = 0; c < source->schema.count; c++)
        buffer_printf(&text, "%s%.*s:%s", c ? " " : "", STR_ARG(source->schema.columns[c].name),
                      type_name(source->schema.columns[c].type));
    const char *all = str_cstr(&f->arena, buffer_slice(&text));
    buffer_free(&text);
    store_view_close(view);
    return all;
}

static const char *
rejects_of(Fixture *f)
{
    assert_true(f->report.reject_file.len > 0);
    FILE *file = fopen(str_cstr(&f->arena, f->report.reject_file), "rb");
    assert_non_null(file);
    static char text[1 << 20];
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = 0;
    fclose(file);
    return text;
}

static void
test_shapes_of_json(void **state)
{
    Fixture *f = *state;
    static const struct {
        const char *name, *text;
    } shapes[] = {
        {"lines.jsonl", "{\"a\":1}\n{\"a\":2}\n"},
        {"crlf.jsonl", "\xEF\xBB\xBF{\"a\":1}\r\n\r\n  {\"a\":2}"},
        {"array.json", "[{\"a\":1},{\"a\":2}]"},
        {"pretty.json", "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]\n"},
        {"page.json",
         "{\"@odata.context\":\"x\",\"value\":[{\"a\":1},{\"a\":2}],\"nextLink\":\"y\"}"},
        {"prettypage.json", "{\n  \"value\": [\n    {\"a\": 1},\n    {\"a\": 2}\n  ]\n}\n"},
        {"graph.json", "{\"count\":2,\"data\":[{\"a\":1},{\"a\":2}],\"total_records\":2}"},
        {"pages.jsonl", "{\"value\":[{\"a\":1}]}\n{\"value\":[]}\n{\"value\":[{\"a\":2}]}\n"},
        {"pagearray.json", "[{\"value\":[{\"a\":1}]},{\"value\":[{\"a\":2}]}]"},
        {"side.json", "{\"a\":1}{\"a\":2}"},
        {"mixed.jsonl", "{\"a\":1}\n"
                        "{\"a\":2}{\"a\":3}\n"},
        {"concatenated.json", "{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n"},
    };
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        write_text(f, shapes[i].name, shapes[i].text);
    import_tenant(f);
    assert_int_equal(f->report.rejected, 0);
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        char table[32];
        snprintf(table, sizeof(table), "%.*s", (int)strcspn(shapes[i].name, "."), shapes[i].name);
        const char *expected = strcmp(table, "mixed") ? "a=1\na=2\n" : "a=1\na=2\na=3\n";
        assert_string_equal(rows_of(f, table), expected);
    }
}

static void
test_a_record_with_value_is_no_page(void **state)
{
    Fixture *f = *state;
    write_text(f, "settings.jsonl",
               "{\"name\":\"n\",\"value\":[{\"a\":1}]}\n"
               "{\"value\":[{\"a\":1}],\"name\":\"m\"}\n"
               "{\"value\":[1,2]}\n");
    import_tenant(f);
    assert_string_equal(rows_of(f, "settings"), "name=m value=[{\"a\":1}]\n"
                                                "name=n value=[{\"a\":1}]\n"
                                                "value=[1,2]\n");
}

static void
test_inferred_types(void **state)
{
    Fixture *f = *state;
    write_text(f, "things.jsonl",
               "{\"b\":true,\"l\":1,\"r\":1,\"t\":\"2026-01-31T12:00:00Z\",\"s\":\"x\",\"o\":{},"
               "\"m\":1,\"n\":null,\"@odata.type\":\"#t\",\"g\":"
               "\"8e3af657-a8ff-443c-a75c-2fe8c4bcb635\",\"d\":\"2026-01-31\"}\n"
               "{\"b\":null,\"l\":-2,\"r\":1.5,\"t\":\"2026-02-01T00:00:00.5+01:00\",\"s\":"
               "\"2026-01-31T12:00:00Z\",\"o\":[1],\"m\":\"x\",\"later\":7}\n");
    import_tenant(f);
    assert_string_equal(columns_of(f, "things"),
                        "b:bool l:long r:real t:datetime s:string o:dynamic m:dynamic n:dynamic "
                        "@odata.type:string g:string d:string later:long");
    assert_string_equal(rows_of(f, "things"),
                        "b=true l=1 r=1.0 t=2026-01-31T12:00:00.0000000Z s=x o={} m=1 "
                        "@odata.type=#t g=8e3af657-a8ff-443c-a75c-2fe8c4bcb635 d=2026-01-31\n"
                        "l=-2 r=1.5 t=2026-01-31T23:00:00.5000000Z s=2026-01-31T12:00:00Z o=[1] "
                        "m=x later=7\n");
}

static void
test_declared_types(void **state)
{
    Fixture *f = *state;
    write_text(f, "Events.jsonl",
               // what fits, also from text and in another letter case
               "{\"timegenerated\":\"2026-01-31T12:00:00Z\",\"Text\":{\"k\": [1, true]},\"Count\":"
               "\"42\",\"Small\":7,\"Ratio\":2,\"Flag\":\"True\",\"Id\":"
               "\"8E3AF657-A8FF-443C-A75C-2FE8C4BCB635\",\"Took\":\"00:00:01\",\"Price\":0.1,"
               "\"Bag\":\"{\\\"a\\\":1}\"}\n"
               // what does not, or only without its fraction
               "{\"Text\":1.50,\"Count\":1.5,\"Small\":3000000000,\"Ratio\":\"much\",\"Flag\":{},"
               "\"Id\":\"x\",\"Took\":[],\"TimeGenerated\":\"soon\",\"Other\":null,\"More\":"
               "\"m\"}\n"
               // nothing at all
               "{\"Count\":null,\"Flag\":\"\",\"TimeGenerated\":\"\"}\n");
    import_table(f, "events", "Events.jsonl");
    assert_int_equal(f->report.rows, 3);
    assert_int_equal(f->report.tables[0].unmapped, 1);
    assert_string_equal(
        rows_of(f, "Events"),
        "\n"
        "Text=1.50 Count=1 "
        "_Unmapped={\"Count\":1.5,\"Small\":3000000000,\"Ratio\":\"much\",\"Flag\":{},"
        "\"Id\":\"x\",\"Took\":[],\"TimeGenerated\":\"soon\",\"Other\":null,\"More\":\"m\"}\n"
        "TimeGenerated=2026-01-31T12:00:00.0000000Z Text={\"k\":[1,true]} Count=42 Small=7 "
        "Ratio=2.0 Flag=true Id=8e3af657-a8ff-443c-a75c-2fe8c4bcb635 Took=00:00:01 Price=0.1 "
        "Bag={\"a\":1}\n");
}

static void
test_names_in_two_spellings(void **state)
{
    Fixture *f = *state;
    write_text(f, "Events.jsonl",
               "{\"Count\":1,\"Count\":2}\n"
               "{\"count\":3,\"Count\":4}\n"
               "{\"Count\":5,\"COUNT\":6}\n"
               "{\"Count\":7,\"_Unmapped\":{\"Old\":8}}\n");
    import_table(f, "Events", "Events.jsonl");
    assert_string_equal(rows_of(f, "Events"), "Count=2\n"
                                              "Count=4 _Unmapped={\"count\":3}\n"
                                              "Count=5 _Unmapped={\"COUNT\":6}\n"
                                              "Count=7 _Unmapped={\"Old\":8}\n");
}

static void
test_unmapped_column_only_when_needed(void **state)
{
    Fixture *f = *state;
    write_text(f, "Events.jsonl", "{\"Count\":1}\n");
    import_table(f, "Events", "Events.jsonl");
    assert_null(strstr(columns_of(f, "Events"), "_Unmapped"));
    write_text(f, "more.jsonl", "{\"Count\":2,\"New\":true}\n");
    import_table(f, "Events", "more.jsonl");
    assert_string_equal(rows_of(f, "Events"), "Count=1\nCount=2 _Unmapped={\"New\":true}\n");
}

static void
test_csv(void **state)
{
    Fixture *f = *state;
    write_text(f, "Events.csv",
               "\xEF\xBB\xBF\"TimeGenerated [UTC]\",Text,count,Bag,Extra\r\n"
               "\"1/31/2026, 4:05:06.789 PM\",\"a \"\"quoted\"\", text\",5,"
               "\"{\"\"a\"\":[1]}\",x\r\n"
               "2026-01-31T12:00:00Z,\"two\r\nlines\",,not json,\r\n"
               "\r\n"
               ",short\r\n"
               "soon,,many,,\r\n"
               "1,2,3,4,5,6\r\n");
    import_table(f, "Events", "Events.csv");
    assert_int_equal(f->report.rejected, 1);
    assert_non_null(strstr(rejects_of(f), "\"line\":8,"));
    assert_non_null(strstr(rejects_of(f), "more cells"));
    assert_string_equal(
        rows_of(f, "Events"),
        "Text=short\n"
        "TimeGenerated=2026-01-31T12:00:00.0000000Z Text=two\r\nlines Bag=not json\n"
        "TimeGenerated=2026-01-31T16:05:06.7890000Z Text=a \"quoted\", text "
        "Count=5 Bag={\"a\":[1]} _Unmapped={\"Extra\":\"x\"}\n"
        "_Unmapped={\"TimeGenerated\":\"soon\",\"count\":\"many\"}\n");
}

static void
test_csv_inferred(void **state)
{
    Fixture *f = *state;
    write_text(f, "list.csv",
               "n;zip;when;same;same;\n"
               "1;01234;2026-01-31T12:00:00Z;a;b;\n"
               "-2;99;2026-01-31T13:00:00Z;;;\n");
    import_table(f, "list", "list.csv");
    assert_string_equal(columns_of(f, "list"), "n:long zip:string when:datetime same:string "
                                               "same_2:string Column6:string");
    assert_string_equal(rows_of(f, "list"),
                        "n=-2 zip=99 when=2026-01-31T13:00:00.0000000Z\n"
                        "n=1 zip=01234 when=2026-01-31T12:00:00.0000000Z same=a same_2=b\n");
}

static size_t
pack_gzip(const char *text, void *out, size_t cap)
{
    z_stream z = {.next_in = (Bytef *)text,
                  .avail_in = (uInt)strlen(text),
                  .next_out = out,
                  .avail_out = (uInt)cap};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = cap - z.avail_out;
    deflateEnd(&z);
    return size;
}

// JSON lines {"n":0} ... whose text does not compress to nothing.
static const char *
many_lines(Fixture *f, size_t count, const char *before, const char *between, const char *after)
{
    Buffer text = {0};
    buffer_text(&text, before);
    uint32_t noise = 1;
    for (size_t i = 0; i < count; i++) {
        noise = noise * 1664525 + 1013904223;
        buffer_printf(&text, "%s{\"n\": %zu, \"pad\": \"%08x, [}\\\" %08x\"}", i ? between : "", i,
                      noise, noise * 7);
    }
    buffer_text(&text, after);
    const char *copy = str_cstr(&f->arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static void
test_compressed_by_content(void **state)
{
    Fixture *f = *state;
    char packed[4096];
    size_t first = pack_gzip("{\"a\":1}\n", packed, sizeof(packed));
    size_t both = first + pack_gzip("{\"a\":2}\n", packed + first, sizeof(packed) - first);
    write_bytes(f, "gz.jsonl.gz", packed, both); // two members
    write_bytes(f, "hidden.jsonl", packed, both);
    size_t size = ZSTD_compress(packed, sizeof(packed), "{\"a\":1}\n{\"a\":2}", 15, 3);
    assert_false(ZSTD_isError(size));
    write_bytes(f, "zst.json.zst", packed, size);
    write_text(f, "plain.jsonl.gz", "{\"a\":1}\n{\"a\":2}\n");
    import_tenant(f);
    static const char *const tables[] = {"gz", "hidden", "zst", "plain"};
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        assert_string_equal(rows_of(f, tables[i]), "a=1\na=2\n");
}

static void
test_utf16(void **state)
{
    Fixture *f = *state;
    // {"a":"x"} with U+1F600 for the x, as Windows PowerShell writes it
    static const char little[] = "\xFF\xFE{\0\"\0a\0\"\0:\0\"\0\x3D\xD8\x00\xDE\"\0}\0\r\0\n";
    static const char big[] = "\xFE\xFF\0{\0\"\0a\0\"\0:\0\"\xD8\x3D\xDE\x00\0\"\0}";
    write_bytes(f, "little.jsonl", little, sizeof(little));
    write_bytes(f, "big.jsonl", big, sizeof(big) - 1);
    write_bytes(f, "cut.jsonl", big, sizeof(big) - 2);
    import_tenant(f);
    assert_string_equal(rows_of(f, "little"), "a=\xF0\x9F\x98\x80\n");
    assert_string_equal(rows_of(f, "big"), "a=\xF0\x9F\x98\x80\n");
    assert_non_null(strstr(rejects_of(f), "the UTF-16 text ends inside a character"));
}

static void
test_cut_files_keep_what_was_read(void **state)
{
    Fixture *f = *state;
    enum { LINES = 60000, CAP = 8 << 20 };
    const char *text = many_lines(f, LINES, "", "\n", "\n");
    char *packed = arena_alloc(&f->arena, CAP);
    size_t size = pack_gzip(text, packed, CAP);
    write_bytes(f, "gzip.jsonl.gz", packed, size / 2);
    size = ZSTD_compress(packed, CAP, text, strlen(text), 3);
    write_bytes(f, "zstd.jsonl.zst", packed, size / 2);
    write_bytes(f, "cut.jsonl", text, strlen(text) / 2);
    import_tenant(f);
    assert_int_equal(f->report.rejected, 3);
    assert_in_range(count_rows(f, "gzip"), LINES / 4, LINES - 1);
    assert_in_range(count_rows(f, "zstd"), LINES / 8, LINES - 1);
    assert_in_range(count_rows(f, "cut"), LINES / 4, LINES - 1);
    assert_non_null(strstr(rejects_of(f), "the gzip data ends early at byte"));
    assert_non_null(strstr(rejects_of(f), "the zstd data ends early at byte"));
    assert_non_null(strstr(rows_of(f, "CollectionStatus"), "the gzip data ends early"));
}

// The end of a file that falls on the end of a chunk, inside a record.
static void
test_end_on_a_chunk(void **state)
{
    Fixture *f = *state;
    static const char *const starts[] = {"[\n{\"a\":1},\n", "{\"a\":1}\n", "a,b\n1,2\n"};
    static const char *const names[] = {"documents.json", "lines.jsonl", "cells.csv"};
    char *text = arena_alloc(&f->arena, INGEST_CHUNK + 1);
    for (size_t i = 0; i < COUNT_OF(starts); i++)
        for (size_t size = INGEST_CHUNK - 1; size <= INGEST_CHUNK + 1; size++) {
            memset(text, 'x', size);
            memcpy(text, starts[i], strlen(starts[i]));
            memcpy(text + strlen(starts[i]), i == 2 ? "3,\"" : "{\"b\":\"", i == 2 ? 3 : 6);
            write_bytes(f, names[i], text, size);
            import_table(f, "ends", names[i]);
            assert_int_equal(f->report.rows, 1);
            assert_int_equal(f->report.rejected, 1);
        }
}

static void
test_large_files_in_every_format(void **state)
{
    Fixture *f = *state;
    enum { ROWS = 150000 }; // about 6 MB: several chunks, more than a page is held whole
    static const struct {
        const char *table, *before, *between, *after;
    } forms[] = {
        {"lines", "", "\n", "\n"},
        {"list", "[", ",", "]"},
        {"pretty", "[\n  ", ",\n  ", "\n]\n"},
        {"page", "{\"value\": [\n", ",\n", "], \"nextLink\": \"x\"}"},
        {"oneline", "{\"@odata.context\":\"x\",\"value\":[", ",", "]}\n"},
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const char *text = many_lines(f, ROWS, forms[i].before, forms[i].between, forms[i].after);
        write_text(f, "big.json", text);
        import_table(f, forms[i].table, "big.json");
        assert_int_equal(f->report.rejected, 0);
        assert_int_equal(f->report.rows, ROWS);
        assert_int_equal(count_rows(f, forms[i].table), ROWS);
    }
    Buffer csv = {0};
    buffer_text(&csv, "n,text\n");
    for (int i = 0; i < ROWS; i++)
        buffer_printf(&csv, "%d,\"a, \"\"b\"\"\nc %d\"\n", i, i);
    write_bytes(f, "big.csv", csv.data, csv.len);
    buffer_free(&csv);
    import_table(f, "cells", "big.csv");
    assert_int_equal(f->report.rejected, 0);
    assert_int_equal(count_rows(f, "cells"), ROWS);
}

static void
test_members_beside_a_streamed_page(void **state)
{
    Fixture *f = *state;
    write_text(
        f, "big.json",
        many_lines(f, 150000, "{\"value\": [\n", ",\n", "], \"count\": 1, \"name\": \"x\"}"));
    import_table(f, "big", "big.json");
    assert_int_equal(f->report.rows, 150000);
    assert_int_equal(f->report.rejected, 1);
    assert_non_null(strstr(rejects_of(f), "beside the rows of a page"));
}

static void
test_bad_records_are_kept_apart(void **state)
{
    Fixture *f = *state;
    write_text(f, "bad.jsonl",
               "{\"a\":1}\n"
               "{\"a\":}\n"
               "not json\n"
               "{\"a\":\"\xFF\xFE\"}\n"
               "[1,{\"a\":2}]\n"
               "{\"a\":3\n"
               "{\"a\":4}\n");
    static const char nul[] = "{\"a\":1}\n{\"a\":\0}\n{\"a\":\"\0\"}\n{\"a\":2}\n";
    write_bytes(f, "nul.jsonl", nul, sizeof(nul) - 1);
    import_tenant(f);
    assert_string_equal(rows_of(f, "bad"), "a=1\na=2\na=4\n");
    assert_string_equal(rows_of(f, "nul"), "a=1\na=2\n");
    assert_int_equal(f->report.rejected, 7);
    const char *rejects = rejects_of(f);
    assert_non_null(strstr(rejects, "{\"file\":\"bad.jsonl\",\"line\":2,\"offset\":8,"));
    assert_non_null(strstr(rejects, "{\"file\":\"bad.jsonl\",\"line\":6,\"offset\":47,"));
    assert_non_null(strstr(rejects, "{\"file\":\"nul.jsonl\",\"line\":3,"));
    assert_non_null(strstr(rejects, "\"record\":\"not json\""));
    assert_non_null(strstr(rejects, "\xEF\xBF\xBD")); // bytes that are no UTF-8
}

static void
test_broken_record_in_pretty_array(void **state)
{
    Fixture *f = *state;
    write_text(f, "a.json",
               "[\n  {\n    \"a\": 1\n  },\n"
               "  {\n    \"a\": \"never closed,\n    \"in\": {\n      \"a\": 9\n"
               "    }\n  },\n"
               "  {\n    \"a\": 2\n  }\n]\n");
    write_text(f, "b.json",
               "[\n  {\n    \"a\": 1\n  },\n"
               "  {\n    \"a\": {\n      \"x\": 1\n  },\n" // one bracket is missing
               "  {\n    \"a\": 2\n  }\n]\n");
    import_tenant(f);
    assert_string_equal(rows_of(f, "a"), "a=1\na=2\n");
    assert_string_equal(rows_of(f, "b"), "a=1\na=2\n");
    assert_int_equal(f->report.rejected, 2);
}

static void
put_nested(Buffer *out, int depth)
{
    buffer_text(out, "{\"a\":");
    for (int i = 0; i < depth; i++)
        buffer_char(out, '[');
    for (int i = 0; i < depth; i++)
        buffer_char(out, ']');
    buffer_text(out, "}\n");
}

static void
test_depth_and_length(void **state)
{
    Fixture *f = *state;
    enum { HUGE = 100 << 20 };
    Buffer text = {0};
    put_nested(&text, 400);
    put_nested(&text, 600);
    write_bytes(f, "deep.jsonl", text.data, text.len);
    buffer_clear(&text);
    buffer_text(&text, "{\"a\":1}\n{\"a\":\"");
    memset(buffer_reserve(&text, HUGE), 'x', HUGE);
    text.len += HUGE;
    buffer_text(&text, "\"}\n{\"a\":2}\n");
    write_bytes(f, "long.jsonl", text.data, text.len);
    text.data[0] = '[';
    memcpy(text.data, "[{ },\n  ", 8);
    memcpy(text.data + text.len - 9, ",{\"a\":2}]", 9);
    write_bytes(f, "longarray.json", text.data, text.len);
    buffer_free(&text);
    import_tenant(f);
    assert_int_equal(count_rows(f, "deep"), 1);
    assert_string_equal(rows_of(f, "long"), "a=1\na=2\n");
    assert_string_equal(rows_of(f, "longarray"), "\na=2\n");
    assert_int_equal(f->report.rejected, 3);
    assert_non_null(strstr(rejects_of(f), "too deep"));
    assert_non_null(strstr(rejects_of(f), "longer than 64 MiB"));
}

static void
test_arm_columns(void **state)
{
    Fixture *f = *state;
    write_text(
        f, "resources.jsonl",
        "{\"id\":\"/subscriptions/AA/resourceGroups/RG-One/providers/Microsoft.Storage/"
        "storageAccounts/Acc/blobServices/default\",\"location\":\"East US 2\",\"etag\":\"e\","
        "\"tags\":{\"k\":\"v\"}}\n"
        "{\"id\":\"/subscriptions/bb\",\"name\":\"n\"}\n"
        "{\"id\":\"/subscriptions/bb/resourceGroups/Rg\",\"type\":\"Microsoft.Resources/"
        "resourceGroups\"}\n"
        "{\"id\":\"/providers/Microsoft.Management/managementGroups/Root\",\"resourceGroup\":\"\","
        "\"subscriptionId\":\"\"}\n"
        "{\"id\":\"x\",\"type\":\"a.b/C\",\"resourceGroup\":\"Kept\",\"tenantId\":"
        "\"2e75b413-e71a-48a4-a1a2-3ece1b19d628\"}\n");
    import_tenant(f);
    assert_string_equal(
        rows_of(f, "Resources"),
        "id=/providers/Microsoft.Management/managementGroups/Root name=Root "
        "type=microsoft.management/managementgroups\n"
        "id=/subscriptions/AA/resourceGroups/RG-One/providers/Microsoft.Storage/storageAccounts/"
        "Acc/blobServices/default name=default "
        "type=microsoft.storage/storageaccounts/blobservices location=eastus2 "
        "resourceGroup=rg-one subscriptionId=aa tags={\"k\":\"v\"} _Unmapped={\"etag\":\"e\"}\n"
        "id=/subscriptions/bb name=n type=microsoft.resources/subscriptions subscriptionId=bb\n"
        "id=/subscriptions/bb/resourceGroups/Rg name=Rg "
        "type=microsoft.resources/subscriptions/resourcegroups resourceGroup=rg "
        "subscriptionId=bb\n"
        "id=x type=a.b/c tenantId=2e75b413-e71a-48a4-a1a2-3ece1b19d628 resourceGroup=Kept\n");
}

static const char *
redacted(Fixture *f, const char *text)
{
    Buffer out = {0};
    Str masked = ingest_redact(&out, str_from(text));
    if (masked.ptr != text)
        assert_true(ingest_may_hold_secret(str_from(text)));
    const char *copy = str_cstr(&f->arena, masked);
    buffer_free(&out);
    return copy;
}

#define RANDOM "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="

static void
test_secrets_are_masked(void **state)
{
    Fixture *f = *state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"keys\":[{\"keyName\":\"key1\",\"value\":\"" RANDOM "\",\"permissions\":\"FULL\"}]}",
         "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"***\",\"permissions\":\"FULL\"}]}"},
        {"{\"primaryKey\": \"abc\", \"SecondaryMasterKey\":\"d\\\"ef\"}",
         "{\"primaryKey\": \"***\", \"SecondaryMasterKey\":\"***\"}"},
        {"{\"v\":\"AccountName=x;AccountKey=" RANDOM ";EndpointSuffix=y\"}",
         "{\"v\":\"AccountName=x;AccountKey=***;EndpointSuffix=y\"}"},
        {"{\"connectionString\":\"Endpoint=sb://x/;SharedAccessKey=abc\"}",
         "{\"connectionString\":\"Endpoint=sb://x/;SharedAccessKey=***\"}"},
        {"{\"u\":\"https://x.blob.core.windows.net/c?sv=1&sig=a%2Bb&se=2\"}",
         "{\"u\":\"https://x.blob.core.windows.net/c?sv=1&sig=***&se=2\"}"},
        {"{\"s\":\"{\\\"adminPassword\\\":\\\"p w\\\",\\\"a\\\":1}\"}",
         "{\"s\":\"{\\\"adminPassword\\\":\\\"***\\\",\\\"a\\\":1}\"}"},
        {"{\"adminPassword\":\"ends with \\\\\",\"a\":1}", "{\"adminPassword\":\"***\",\"a\":1}"},
        // and what is none
        {"{\"key\":\"env\",\"value\":\"prod\",\"password\":null,\"design\":\"a=b\"}",
         "{\"key\":\"env\",\"value\":\"prod\",\"password\":null,\"design\":\"a=b\"}"},
        {"{\"keyId\":\"8e3af657-a8ff-443c-a75c-2fe8c4bcb635\",\"value\":"
         "\"8e3af657-a8ff-443c-a75c-2fe8c4bcb635\"}",
         "{\"keyId\":\"8e3af657-a8ff-443c-a75c-2fe8c4bcb635\",\"value\":"
         "\"8e3af657-a8ff-443c-a75c-2fe8c4bcb635\"}"},
        {"{\"value\":\"/subscriptions/1/resourceGroups/a/providers/Microsoft.Web/sites/b2\"}",
         "{\"value\":\"/subscriptions/1/resourceGroups/a/providers/Microsoft.Web/sites/b2\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(redacted(f, cases[i].text), cases[i].expected);
    // The cheap search finds a secret wherever it lies in its block.
    for (int pad = 0; pad < 140; pad++) {
        Str text = str_format(&f->arena, "%*s\"primaryKey\":\"x\"%*s", pad, "", 140 - pad, "");
        assert_true(ingest_may_hold_secret(text));
        Str cut = str_slice(text, 0, (size_t)pad + 11); // before the quote that ends the name
        assert_false(ingest_may_hold_secret(str_copy(&f->arena, cut)));
        Str whole = str_slice(text, 0, (size_t)pad + 12);
        assert_true(ingest_may_hold_secret(str_copy(&f->arena, whole)));
    }
}

// A name's end found a byte at a time, to compare the search with that takes many at once.
static bool
ends_name(const char *p)
{
    static const char *const ENDS[] = {"key", "ord", "ey1", "ey2", "ret",
                                       "ext", "ing", "ken", "lue"};
    if (p[3] == '=')
        return strchr("ygdtn", p[2] | 32) != NULL;
    bool found = false;
    for (size_t i = 0; i < COUNT_OF(ENDS) && (p[3] == '"' || p[3] == '\\'); i++)
        found |= str_equal_ci((Str){p, 3}, str_from(ENDS[i]));
    return found;
}

static void
test_name_ends_are_found(void **state)
{
    (void)state;
    static const char LETTERS[] = "kKeEyYoOrRdDtTxXiInNgGlLuU12\"\\=aq Zm{,4";
    char text[160];
    int found = 0;
    enum { ROUNDS = 200000 };
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        size_t len = 4 + (size_t)rand() % (sizeof(text) - 4), letters = 3 + (size_t)rand() % 36;
        bool expected = false;
        for (size_t i = 0; i < len; i++)
            text[i] = LETTERS[((size_t)rand() % letters + (size_t)round) % (sizeof(LETTERS) - 1)];
        for (size_t i = 0; i + 4 <= len; i++)
            expected |= ends_name(text + i);
        assert_int_equal(ingest_may_hold_secret((Str){text, len}), expected);
        found += expected;
    }
    assert_in_range(found, ROUNDS / 10, ROUNDS - ROUNDS / 10);
}

static void
test_secrets_are_never_stored(void **state)
{
    Fixture *f = *state;
    write_text(f, "keys.jsonl",
               "{\"name\":\"a\",\"properties\":{\"primaryKey\":\"s3cret\"}}\n"
               "{\"name\":\"b\",\"password\":\"s3cret\",\"x\":}\n"
               "{\"name\": password=s3cret; \"token\":\"s3cret s3cret}\n"
               "{\"clientSecrets\":[\"s3cret\",{\"a\":\"s3cret\"}], " RANDOM "\n");
    write_text(f, "cells.csv", "name,primaryKey,note\nn,s3cret,SharedAccessKey=s3cret\n");
    write_text(f, "broken.csv", "name,password\nn,s3cret,too,many\n");
    import_tenant(f);
    assert_string_equal(rows_of(f, "keys"), "name=a properties={\"primaryKey\":\"***\"}\n");
    assert_string_equal(rows_of(f, "cells"), "name=n primaryKey=*** note=SharedAccessKey=***\n");
    assert_int_equal(f->report.rejected, 4);
    assert_null(strstr(rejects_of(f), "s3cret"));
    assert_null(strstr(rejects_of(f), RANDOM));
}

static void
test_tenant_folder(void **state)
{
    Fixture *f = *state;
    write_text(f, "RESOURCES.part1.jsonl", "{\"id\":\"a\"}\n");
    write_text(f, "resources.part2.jsonl", "{\"id\":\"b\"}\n{\"id\":\"c\"}\n");
    write_text(f, "users.json", "[]");
    write_text(f, "groups.jsonl", "");
    write_text(f, "wrong.jsonl", "nothing\n");
    write_text(f, "notes.txt", "x");
    write_text(f, ".hidden.jsonl", "{\"a\":1}\n");
    assert_int_equal(mkdir(file_path(f, "roles.jsonl"), 0700), 0);
    assert_int_equal(symlink("/nowhere", file_path(f, "gone.jsonl")), 0);
    import_tenant(f);
    assert_int_equal(f->report.snapshot, 1);
    assert_int_equal(f->report.rows, 3);
    assert_int_equal(f->report.skipped_count, 2);
    assert_non_null(strstr(str_cstr(&f->arena, f->report.skipped[0]), "notes.txt: its name"));
    assert_non_null(strstr(str_cstr(&f->arena, f->report.skipped[1]), "roles.jsonl: it is a fol"));
    assert_string_equal(rows_of(f, "resources"), "id=a\nid=b\nid=c\n");
    const char *status = rows_of(f, "CollectionStatus");
    assert_non_null(strstr(status, "Dataset=Resources Scope=tenant Status=collected Rows=1\n"));
    assert_non_null(strstr(status, "Dataset=Resources Scope=tenant Status=collected Rows=2\n"));
    assert_non_null(strstr(status, "Dataset=users Scope=tenant Status=empty Rows=0\n"));
    assert_non_null(strstr(status, "Dataset=groups Scope=tenant Status=empty Rows=0\n"));
    assert_non_null(strstr(status, "Dataset=wrong Scope=tenant Status=not collected Reason=1 of"));
    assert_non_null(strstr(status, "Dataset=gone Scope=tenant Status=not collected Reason=cannot"));
}

static void
test_own_collection_status(void **state)
{
    Fixture *f = *state;
    write_text(f, "resources.jsonl", "{\"id\":\"a\"}\n");
    write_text(f, "CollectionStatus.jsonl", "{\"Dataset\":\"users\",\"Status\":\"empty\"}\n");
    import_tenant(f);
    assert_string_equal(rows_of(f, "CollectionStatus"), "Dataset=users Status=empty\n");
}

static void
test_errors_name_the_file(void **state)
{
    Fixture *f = *state;
    IngestOptions options = options_of(f);
    assert_false(ingest_tenant(f->store, "/nowhere", &options, &f->arena, &f->report, &f->error));
    assert_non_null(strstr(f->error.message, "/nowhere"));
    error_clear(&f->error);
    assert_false(ingest_tenant(f->store, f->folder, &options, &f->arena, &f->report, &f->error));
    assert_non_null(strstr(f->error.message, "holds no table"));
    error_clear(&f->error);
    const char *path = "/nowhere/x.jsonl";
    assert_false(
        ingest_table(f->store, STR("t"), &path, 1, &options, &f->arena, &f->report, &f->error));
    assert_non_null(strstr(f->error.message, "/nowhere/x.jsonl"));
}

static void
test_answers(void **state)
{
    Fixture *f = *state;
    write_text(
        f, "a.jsonl",
        "{\"method\":\"GET\",\"url\":\"https://management.azure.com/subscriptions/s/resources?x\","
        "\"status\":200,\"body\":{\"value\":[{\"id\":\"/subscriptions/s/resourceGroups/g/providers"
        "/Microsoft.Web/sites/w\",\"name\":\"w\"},{\"odd\":1}]}}\n"
        "{\"method\":\"GET\",\"url\":\"https://graph.microsoft.com/v1.0/groups/g1/members\","
        "\"status\":200,\"body\":\"{\\\"value\\\":[{\\\"id\\\":\\\"u1\\\"}]}\"}\n"
        "{\"method\":\"GET\",\"url\":\"https://graph.microsoft.com/v1.0/users\",\"status\":200,"
        "\"body\":{\"value\":[]}}\n"
        "{\"method\":\"POST\",\"url\":\"https://management.azure.com/x/listKeys\",\"status\":200,"
        "\"body\":{\"keys\":[{\"value\":\"" RANDOM "\"}]}}\n"
        "{\"method\":\"GET\",\"url\":\"https://x/\",\"status\":200,\"body\":\"<xml/>\"}\n"
        "{\"method\":\"GET\",\"url\":\"https://management.azure.com/y\",\"status\":404,\"body\":"
        "{\"error\":{\"code\":\"NotFound\"}}}\n"
        "{\"url\":\"https://x/empty\",\"status\":204,\"body\":null}\n"
        "{\"something\":\"else\"}\n");
    IngestOptions options = options_of(f);
    const char *path = file_path(f, "a.jsonl");
    assert_true(ingest_answers(f->store, &path, 1, &options, &f->arena, &f->report, &f->error));
    assert_int_equal(f->report.rejected, 1);
    assert_string_equal(rows_of(f, "Resources"),
                        "id=/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/w "
                        "name=w type=microsoft.web/sites resourceGroup=g subscriptionId=s\n");
    assert_string_equal(rows_of(f, "groupMembers"), "groupId=g1 id=u1\n");
    const char *rest = rows_of(f, "RestAnswers");
    assert_non_null(strstr(rest, "Status=200 Body={\"odd\":1}\n"));
    assert_non_null(strstr(rest, "users Status=200 Body={\"value\":[]}\n"));
    assert_non_null(strstr(rest, "Body={\"keys\":[{\"value\":\"***\"}]}\n"));
    assert_non_null(strstr(rest, "Body=<xml/>\n"));
    assert_non_null(strstr(rest, "Url=https://x/empty Status=204\n"));
    assert_string_equal(rows_of(f, "RestErrors"),
                        "Method=GET Url=https://management.azure.com/y Status=404 "
                        "Body={\"error\":{\"code\":\"NotFound\"}}\n");
}

static void
test_tables_one_by_one_share_a_snapshot(void **state)
{
    Fixture *f = *state;
    write_text(f, "r.jsonl", "{\"id\":\"a\"}\n");
    write_text(f, "e.jsonl", "{\"Count\":1}\n");
    import_table(f, "Resources", "r.jsonl");
    assert_int_equal(f->report.snapshot, 1);
    import_table(f, "Events", "e.jsonl");
    import_table(f, "Resources", "r.jsonl");
    assert_string_equal(rows_of(f, "Resources"), "id=a\nid=a\n");
    assert_string_equal(rows_of(f, "Events"), "Count=1\n");
    // A tenant is a new snapshot: its inventory replaces what is seen, logs stay.
    assert_int_equal(unlink(file_path(f, "e.jsonl")), 0);
    assert_int_equal(rename(file_path(f, "r.jsonl"), file_path(f, "resources.jsonl")), 0);
    import_tenant(f);
    assert_int_equal(f->report.snapshot, 2);
    assert_string_equal(rows_of(f, "Resources"), "id=a\n");
    assert_string_equal(rows_of(f, "Events"), "Count=1\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_shapes_of_json),
        TEST(test_a_record_with_value_is_no_page),
        TEST(test_inferred_types),
        TEST(test_declared_types),
        TEST(test_names_in_two_spellings),
        TEST(test_unmapped_column_only_when_needed),
        TEST(test_csv),
        TEST(test_csv_inferred),
        TEST(test_compressed_by_content),
        TEST(test_utf16),
        TEST(test_cut_files_keep_what_was_read),
        TEST(test_end_on_a_chunk),
        TEST(test_large_files_in_every_format),
        TEST(test_members_beside_a_streamed_page),
        TEST(test_bad_records_are_kept_apart),
        TEST(test_broken_record_in_pretty_array),
        TEST(test_depth_and_length),
        TEST(test_arm_columns),
        TEST(test_secrets_are_masked),
        TEST(test_name_ends_are_found),
        TEST(test_secrets_are_never_stored),
        TEST(test_tenant_folder),
        TEST(test_own_collection_status),
        TEST(test_errors_name_the_file),
        TEST(test_tables_one_by_one_share_a_snapshot),
        TEST(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
