// Term indexes: no needle that stands in a text is ever ruled out, whatever the texts,
// the needles and the kind of index; damaged indexes are refused; segments of before
// there were any are read; a query's answer is the same with and without them.

#include "../store_rows.h"
#include "answers.h"
#include "base/array.h"
#include "db/db.h"
#include "kql/binder.h"
#include "store/segment.h"
#include "store/term_index.h"
#include "term_noise.h"
#include "value/scalar.h"
#include "value/term.h"
#include "value/unicode.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// ---- what an index stands on ----

// Characters that comparisons take for the same are alike in being of a term, but for
// those at which the cutter doubts.
static void
test_folds_agree_on_terms(void **state)
{
    (void)state;
    uint32_t doubtful = 0;
    Buffer lower = {0};
    TermCutter cutter = {0};
    for (uint32_t point = 0; point < 0x110000; point++) {
        char bytes[4];
        Buffer text = {0};
        utf8_put(&text, point);
        memcpy(bytes, text.data, text.len);
        Str one = {bytes, text.len};
        buffer_free(&text);
        Term term;
        term_cutter_begin(&cutter, one);
        bool of_term = term_next(&cutter, &term);
        assert_int_equal(of_term, unicode_is_term(point));
        uint32_t fold = unicode_fold(point);
        buffer_clear(&lower);
        unicode_lower(&lower, one);
        size_t at = 0;
        bool lower_agrees = unicode_fold(utf8_next(buffer_slice(&lower), &at)) == fold;
        bool surrogate = point >= 0xd800 && point < 0xe000;
        if (!surrogate && (unicode_is_term(fold) != of_term || !lower_agrees))
            assert_true(cutter.doubtful);
        doubtful += cutter.doubtful;
    }
    assert_in_range(doubtful, 1, 10);
    buffer_free(&lower);
    term_cutter_free(&cutter);
}

static void
must_cut(const char *text, const char *terms)
{
    TermCutter cutter = {.text = str_from(text)};
    Term term;
    Buffer out = {0};
    while (term_next(&cutter, &term)) {
        buffer_str(&out, term.folded);
        buffer_char(&out, '|');
    }
    buffer_char(&out, 0);
    assert_string_equal(out.data, terms);
    buffer_free(&out);
    term_cutter_free(&cutter);
}

static void
test_terms_are_cut(void **state)
{
    (void)state;
    must_cut("", "");
    must_cut("Kusto: ad67D136;x", "kusto|ad67d136|x|");
    must_cut("\xC3\x84rger stra\xC3\x9F"
             "e\xE2\x80\x94"
             "A1",
             "\xC3\xA4rger|stra\xC3\x9F"
             "e|a1|");
    must_cut("\xC5\xBF"
             "ecret \xE2\x84\xAA"
             "ey",
             "secret|key|"); // long s, Kelvin
    must_cut("ab\xFF"
             "cd\xC3",
             "ab|cd|");
}

// Blocks of bytes give the terms that characters one by one give.
static void
test_blocks_cut_as_characters_do(void **state)
{
    (void)state;
    static const char *const PARTS[] = {
        "a",    "Z",    "9",         "@", "[", "`", "{", "/", ":", " ", "\xC3\x84", "\xE2\x80\x94",
        "\xFF", "\xC3", "Microsoft", "-", "\0"};
    Buffer text = {0}, folded = {0};
    TermCutter cutter = {0};
    srand(7);
    for (int round = 0; round < 20000; round++) {
        buffer_clear(&text);
        size_t pieces = (size_t)rand() % 150, of = 1 + (size_t)rand() % COUNT_OF(PARTS);
        for (size_t i = 0; i < pieces; i++) {
            const char *piece = PARTS[((size_t)rand() % of + (size_t)round) % COUNT_OF(PARTS)];
            buffer_put(&text, piece, *piece ? strlen(piece) : 1);
        }
        Str all = buffer_slice(&text);
        Term term;
        term_cutter_begin(&cutter, all);
        for (size_t at = 0; at < all.len;) {
            size_t start = at, next = at;
            buffer_clear(&folded);
            for (uint32_t point; at < all.len; at = next) {
                point = utf8_next(all, &next);
                if (!unicode_is_term(point))
                    break;
                utf8_put(&folded, unicode_fold(point));
            }
            if (at > start) {
                assert_true(term_next(&cutter, &term));
                assert_int_equal(term.start, start);
                assert_int_equal(term.end, at);
                assert_true(str_equal(term.folded, buffer_slice(&folded)));
            }
            at = next;
        }
        assert_false(term_next(&cutter, &term));
    }
    buffer_free(&text);
    buffer_free(&folded);
    term_cutter_free(&cutter);
}

// ---- no text is lost ----

static bool
any_stands(const Vector *values, Str needle, bool begins, bool ends)
{
    const Text *texts = values->data;
    for (uint32_t i = 0; i < values->count; i++)
        if (stands(text_str(&texts[i]), needle, begins, ends))
            return true;
    return false;
}

static void
test_nothing_is_lost(void **state)
{
    (void)state;
    TermIndexBuilder *builder = term_index_builder_new();
    uint32_t built = 0, lists = 0, ruled_out = 0, refused = 0;
    for (uint32_t round = 0; round < 400; round++) {
        Arena arena = {0};
        Vector *values = vector_new_flat(&arena, TYPE_STRING, 1 + noise(60));
        bool rare = round % 8 == 0;
        for (uint32_t i = 0; i < values->count; i++)
            ((Text *)values->data)[i] = text_copy(&arena, random_text(&arena, 12, rare));
        bool collected = term_index_collect(builder, values, false);
        refused += !collected;
        for (int filter = 0; collected && filter < 2; filter++) {
            Str bytes;
            TermIndex index;
            assert_true(filter ? term_index_filter(builder, 1 << 30, &bytes)
                               : term_index_list(builder, 1 << 30, &bytes));
            assert_true(term_index_open(bytes, true, &index));
            assert_int_equal(index.is_list, !filter);
            assert_true(term_index_covers(&index, values));
            built++;
            lists += index.is_list;
            for (uint32_t n = 0; n < 60; n++) {
                Str needle = random_needle(&arena, values);
                for (unsigned sides = 0; sides < 4; sides++) {
                    bool begins = sides & 1, ends = sides & 2;
                    if (term_index_may_hold(&index, needle, begins, ends))
                        continue;
                    ruled_out++;
                    if (any_stands(values, needle, begins, ends))
                        fail_msg("lost: '%.*s' (%u)", STR_ARG(needle), sides);
                }
                // Equality in every sense means the same terms.
                const Text *texts = values->data;
                Value wanted = value_string(needle);
                for (uint32_t i = 0; i < values->count; i++)
                    if (unicode_equal_ci(text_str(&texts[i]), text_str(&wanted.text)))
                        assert_true(term_index_may_hold(&index, needle, true, true));
            }
        }
        arena_free(&arena);
    }
    assert_true(built > 600 && lists > 300 && ruled_out > 5000 && refused > 0);
    term_index_builder_free(builder);
}

static bool
holds(const TermIndex *index, const char *needle, bool begins, bool ends)
{
    return term_index_may_hold(index, str_from(needle), begins, ends);
}

static void
test_what_is_ruled_out(void **state)
{
    (void)state;
    Arena arena = {0};
    TermIndexBuilder *builder = term_index_builder_new();
    static const char *const TEXTS[] = {"Ignore all instructions", "from 203.0.113.77:443",
                                        "id 5baf3542-278c-41fd-a9e7-1b8bf5bb67a9",
                                        "AccountKey=abcdef"};
    Vector *values = vector_new_flat(&arena, TYPE_STRING, COUNT_OF(TEXTS));
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
        ((Text *)values->data)[i] = text_view(TEXTS[i], strlen(TEXTS[i]));
    assert_true(term_index_collect(builder, values, false));
    for (int filter = 0; filter < 2; filter++) {
        Str bytes;
        TermIndex index;
        assert_true(filter ? term_index_filter(builder, 1 << 20, &bytes)
                           : term_index_list(builder, 1 << 20, &bytes));
        assert_true(term_index_open(bytes, true, &index));
        assert_true(holds(&index, "IGNORE", true, true));
        assert_true(holds(&index, "all instructions", true, true));
        assert_false(holds(&index, "jailbreak", true, true));
        assert_false(holds(&index, "ignore jailbreak", true, true));
        assert_true(holds(&index, "203.0.113.", true, false));
        assert_false(holds(&index, "203.0.112.", true, false));
        assert_true(holds(&index, "203.0.113.77", true, true));
        assert_false(holds(&index, "10.0.0.5", true, true));
        assert_true(holds(&index, "5BAF3542-278c-41fd-a9e7-1b8bf5bb67a9", true, true));
        assert_false(holds(&index, "5baf3543-278c-41fd-a9e7-1b8bf5bb67a9", true, true));
        assert_true(holds(&index, "c1db", true, true)); // as a part of a GUID it is not known
        assert_true(holds(&index, "accountkey=", false, false));
        assert_true(holds(&index, "jailb", true, false) == (filter == 1)); // a filter cannot know
        assert_true(holds(&index, "ountkez=", false, false) == (filter == 1));
        assert_true(holds(&index, "ountkey=", false, false));
        assert_true(holds(&index, "", false, false));
        assert_true(holds(&index, "no", true, true)); // too short
    }
    term_index_builder_free(builder);
    arena_free(&arena);
}

static void
test_filters_keep_their_word(void **state)
{
    (void)state;
    static const uint32_t COUNTS[] = {0, 1, 2, 3, 10, 100, 1000, 16384, 200000};
    for (size_t k = 0; k < COUNT_OF(COUNTS); k++) {
        Arena arena = {0};
        Buffer out = {0};
        uint32_t count = COUNTS[k], wrong = 0;
        uint64_t *hashes = arena_alloc_array(&arena, count + 1, sizeof(*hashes));
        for (uint32_t i = 0; i < count; i++)
            hashes[i] = row_noise(i, 1);
        assert_true(fuse_put(&out, &arena, hashes, count));
        assert_int_equal(out.len, fuse_size(count));
        FuseFilter filter;
        ByteReader reader = {(const uint8_t *)out.data, (const uint8_t *)out.data + out.len, false};
        assert_true(fuse_get(&reader, &filter));
        for (uint32_t i = 0; i < count; i++)
            assert_true(fuse_may_hold(&filter, hashes[i]));
        for (uint32_t i = 0; i < 100000; i++)
            wrong += fuse_may_hold(&filter, row_noise(i, 2));
        assert_true(wrong < 600); // 390 of 100,000 are expected
        if (count > 10000)
            assert_true(out.len < count * 1.3);
        buffer_free(&out);
        arena_free(&arena);
    }
}

// ---- bytes that nobody vouches for ----

static void
test_damaged_indexes(void **state)
{
    (void)state;
    Arena arena = {0};
    TermIndexBuilder *builder = term_index_builder_new();
    Vector *values = vector_new_flat(&arena, TYPE_STRING, 50);
    for (uint32_t i = 0; i < values->count; i++)
        ((Text *)values->data)[i] = text_copy(&arena, random_text(&arena, 12, false));
    assert_true(term_index_collect(builder, values, false));
    uint32_t refused = 0;
    for (int filter = 0; filter < 2; filter++) {
        Str whole;
        assert_true(filter ? term_index_filter(builder, 1 << 20, &whole)
                           : term_index_list(builder, 1 << 20, &whole));
        for (uint32_t round = 0; round < 20000; round++) {
            // A block of its own size, so that a read past its end is found out.
            size_t len = round < whole.len ? round : whole.len;
            char *bytes = malloc(len + 1);
            memcpy(bytes, whole.ptr, len);
            for (uint32_t n = noise(4); len && n > 0; n--)
                bytes[noise(2) ? noise((uint32_t)len) : noise(len < 24 ? (uint32_t)len : 24)] =
                    (char)noise(256);
            char *exact = realloc(bytes, len ? len : 1);
            TermIndex index;
            if (!term_index_open((Str){exact, len}, true, &index)) {
                refused++;
            } else {
                holds(&index, "ignore instructions", true, true);
                holds(&index, "203.0.113.7", true, true);
                holds(&index, "nstruc", false, false);
                holds(&index, "instruct", true, false);
            }
            free(exact);
        }
    }
    assert_true(refused > 5000);
    term_index_builder_free(builder);
    arena_free(&arena);
}

// A segment of version 1: two rows of id, note and n.
static const char OLD_SEGMENT[] = "415a530d0a1a0aa7010000000000000001000000000000000100000000000000"
                                  "00012f00000005000000616c70686120"
                                  "626574612035626166333534322d323738632d343166642d613965372d316238"
                                  "62663562623637613967616d6d610500"
                                  "000000000000010000000000000000020300000002000000696403040000006e"
                                  "6f746508010000006e03010000000200"
                                  "00001000000000000000120000001200000063090f6f8b22eefa030000000000"
                                  "00010100000000000000020000000000"
                                  "000022000000000000003c0000003c0000005715be638a68310f000000000000"
                                  "000120000000616c7068612062657461"
                                  "2035626166333534322d323738632d343166642d61390500000067616d6d615e"
                                  "000000000000001200000012000000ec"
                                  "c9c1105f968bf903000000000000010500000000000000070000000000000070"
                                  "00000000000000cf0000000000000071"
                                  "8a7b3a1c9e72f8415a530d0a1a0aa7";

static void
test_old_segments_are_read(void **state)
{
    (void)state;
    char *dir = temp_dir_new(), path[4200];
    snprintf(path, sizeof(path), "%s/old.azs", dir);
    FILE *file = fopen(path, "wb");
    for (const char *p = OLD_SEGMENT; *p; p += 2) {
        unsigned byte;
        assert_int_equal(1, sscanf(p, "%2x", &byte));
        fputc((int)byte, file);
    }
    fclose(file);
    AzError error = {0};
    Segment *segment = segment_open(path, &error);
    if (!segment)
        fail_msg("%s", error.message);
    assert_int_equal(segment->version, 1);
    assert_int_equal(segment->rows, 2);
    assert_int_equal(segment->schema.count, 3);
    BlockDecoder *decoder = block_decoder_new();
    for (uint32_t c = 0; c < 3; c++)
        assert_int_equal(segment->groups[0].terms[c].offset, 0);
    Block *block = segment_read(segment, 0, 1, decoder, &error);
    assert_non_null(block);
    Value note = vector_value(&block->vector, 1);
    assert_true(str_equal(text_str(&note.text), STR("gamma")));
    block_free(block);
    block_decoder_free(decoder);
    segment_close(segment);
    tree_remove(dir);
    free(dir);
}

// ---- through the store ----

static bool
op_meets(ScanOp op, Str text, Str needle)
{
    switch (op) {
    case SCAN_EQ: return str_equal(text, needle);
    case SCAN_EQ_CI: return unicode_equal_ci(text, needle);
    default:
        return stands(text, needle, op == SCAN_HAS || op == SCAN_HAS_PREFIX,
                      op == SCAN_HAS || op == SCAN_HAS_SUFFIX);
    }
}

// Whether some text of the column in the morsel meets it, by reading all of them.
static bool
morsel_meets(TableSource *source, uint32_t morsel, const ScanPredicate *predicate)
{
    Arena arena = {0};
    AzError error = {0};
    uint32_t rows = source->morsel_rows(source, morsel);
    const Vector *v = source->read(source, morsel, predicate->column, 0, rows, &arena, &error);
    assert_non_null(v);
    Str needle = text_str(&predicate->values[0].text);
    Buffer text = {0};
    bool found = false;
    for (uint32_t i = 0; i < rows && !found; i++) {
        buffer_clear(&text);
        if (!vector_is_null(v, i))
            data_print(&text, v->type, vector_cell(v, i));
        found = op_meets(predicate->op, buffer_slice(&text), needle);
    }
    buffer_free(&text);
    source->release(source, morsel);
    arena_free(&arena);
    return found;
}

// A piece of what some row has in the column, or of another column.
static Value
random_piece(Arena *arena, uint32_t column)
{
    uint32_t from_column = noise(2) ? column : noise(ROW_COLUMN_COUNT);
    Value value = row_value(arena, noise(40000), from_column);
    Buffer text = {0};
    if (!value.is_null)
        data_print(&text, value.type, value_data(&value));
    Str whole = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    if (!whole.len || noise(3) == 0)
        return value_string(whole);
    size_t from = noise(2) ? 0 : noise((uint32_t)whole.len);
    return value_string(str_slice(whole, from, from + 1 + noise(24)));
}

static void
test_row_groups_are_not_lost(void **state)
{
    (void)state;
    static const ScanOp OPS[] = {SCAN_HAS,      SCAN_HAS_PREFIX, SCAN_HAS_SUFFIX,
                                 SCAN_CONTAINS, SCAN_EQ,         SCAN_EQ_CI};
    char *dir = temp_dir_new(), path[4200];
    snprintf(path, sizeof(path), "%s/store", dir);
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    assert_true(rows_import(store, "T", TABLE_LOG, &ROW_SCHEMA, 0, 40000, &error) >= 0);
    StoreView *view = store_view_open(store, 0, &error);
    TableSource *source = store_view_source(view, STR("T"), &error);
    uint32_t skipped[ROW_COLUMN_COUNT] = {0}, total = 0;
    Arena arena = {0};
    for (uint32_t round = 0; round < 6000; round++) {
        uint32_t column = noise(ROW_COLUMN_COUNT);
        Value needle = random_piece(&arena, column);
        ScanPredicate predicate = {
            .column = column,
            .op = OPS[noise(COUNT_OF(OPS))],
            .values = &needle,
            .value_count = 1,
        };
        bool comparison = predicate.op == SCAN_EQ || predicate.op == SCAN_EQ_CI;
        if (comparison && ROW_COLUMNS[column].type != TYPE_STRING)
            continue;
        uint32_t morsel = noise(source->morsel_count);
        bool may = source->may_match(source, morsel, &predicate, 1);
        ScanPredicate any = {.op = SCAN_ANY, .parts = &predicate, .part_count = 1};
        ScanPredicate all = {.op = SCAN_ALL, .parts = &predicate, .part_count = 1};
        ScanPredicate never = {.op = SCAN_ANY};
        assert_int_equal(may, source->may_match(source, morsel, &any, 1));
        assert_int_equal(may, source->may_match(source, morsel, &all, 1));
        assert_false(source->may_match(source, morsel, &never, 1));
        if (may)
            continue;
        skipped[column]++;
        total++;
        if (morsel_meets(source, morsel, &predicate))
            fail_msg("lost: column %.*s, op %d, '%.*s'", STR_ARG(ROW_COLUMNS[column].name),
                     (int)predicate.op, STR_ARG(text_str(&needle.text)));
    }
    assert_true(total > 500);
    for (uint32_t c = 0; c < ROW_COLUMN_COUNT; c++)
        assert_true(skipped[c] > 0); // each type is ruled out for something
    arena_free(&arena);
    store_view_close(view);
    store_close(store);
    tree_remove(dir);
    free(dir);
}

static const char *const QUERIES[] = {
    "T | where id has 'x60001' | summarize n=count(), s=sum(row)",
    "T | where id has_cs 'X60001' | count",
    "T | where id endswith 'rg3/x8503' | count",
    "T | where id has_any ('x5', 'x17000', 'x69999') | summarize n=count(), s=sum(row)",
    "T | where id has_all ('x17000', 'resourceGroups') | summarize n=count(), s=sum(row)",
    "T | where id has_any (dynamic(['x12','nowhere'])) | summarize n=count(), s=sum(row)",
    "T | where id hasprefix 'x6999' | summarize n=count(), s=sum(row)",
    "T | where id hassuffix '9999' | summarize n=count(), s=sum(row)",
    "T | where id contains '/x6543' | summarize n=count(), s=sum(row)",
    "T | where id =~ '/SUBSCRIPTIONS/nothing' | count",
    "T | where id in~ ('nothing', 'more') | count",
    "T | where tree has '31337' | summarize n=count(), s=sum(row)",
    "T | where tostring(tree) has 'PRODUCTION' and row < 20 | summarize n=count(), s=sum(row)",
    "T | where tree has 'nowhere' | count",
    "T | where * has '31337' | summarize n=count(), s=sum(row)",
    "T | where * has 'nowhereatall' | count",
    "T | where id has 'x17000' or row == 5 | summarize n=count(), s=sum(row)",
    "T | where (id has 'x17000' and few > 0) or (row > 69990 and id has 'x69999') | count",
    "T | where not(id has 'x17000') | summarize n=count(), s=sum(row)",
    "T | where id !has 'x17000' | summarize n=count(), s=sum(row)",
    "T | where note has '' | count",
    "T | where note contains '\xC3\x84 NOTE' | count",
    "T | where nulltree has '' | count",
    "T | where nulltree has 'x' | count",
    "T | where key == toguid('00000000-0000-0000-0000-000000000001') | count",
    "T | where key in (toscalar(T | where row == 4711 | project key)) | project row",
    "search 'x4711' | project row, $table",
    "search in (T) 'x4711*' | summarize count(), sum(row)",
    "union T, U | where * has 'x123' | summarize n=count(), s=sum(row)",
    "union T, U | where only has 'here5' | summarize n=count(), s=sum(n)",
    "find in (T, U) where id has 'x4711' or only has 'here7' | count",
};

static bool
open_both(Database *dbs[2], const char *path, AzError *error)
{
    for (int i = 0; i < 2; i++) {
        DatabaseOptions options = {.store = path, .threads = i ? 4 : 1};
        if (!(dbs[i] = db_open(&options, error)))
            return false;
    }
    return true;
}

static void
test_answers_do_not_change(void **state)
{
    (void)state;
    char *dir = temp_dir_new(), path[4200];
    snprintf(path, sizeof(path), "%s/store", dir);
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    assert_non_null(store);
    assert_true(rows_import(store, "T", TABLE_LOG, &ROW_SCHEMA, 0, 70000, &error) >= 0);
    static Column columns[] = {{STR_INIT("n"), TYPE_LONG}, {STR_INIT("only"), TYPE_STRING}};
    Schema schema = {columns, 2};
    StoreImportInfo info = {STR(""), STR(""), STR(""), false};
    StoreWriter *writer = store_writer_new(store, &info, &error);
    TableWriter *table = store_writer_table(writer, STR("U"), TABLE_LOG, &schema, &error);
    Arena arena = {0};
    Batch *batch = batch_new(&arena, 2, 1000);
    Vector *numbers = vector_new_flat(&arena, TYPE_LONG, 1000);
    Vector *texts = vector_new_flat(&arena, TYPE_STRING, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        ((int64_t *)numbers->data)[i] = i;
        ((Text *)texts->data)[i] = text_copy(&arena, str_format(&arena, "here%u now", i));
    }
    batch->columns[0] = numbers;
    batch->columns[1] = texts;
    assert_true(table_writer_append(table, batch, &error));
    assert_true(store_commit(writer, NULL, &error));
    store_close(store);

    Database *dbs[2];
    if (!open_both(dbs, path, &error))
        fail_msg("%s", error.message);
    static const uint32_t OFF[] = {0, OPTIMISE_TEXT_PREDICATES, OPTIMISE_ANY_PREDICATES,
                                   OPTIMISE_PUSH_FILTER};
    for (size_t q = 0; q < COUNT_OF(QUERIES); q++) {
        QueryOptions none = {.rules_off = OPTIMISE_ALL};
        QueryResult *plain = db_query(dbs[0], &arena, str_from(QUERIES[q]), &none, &error);
        if (!plain)
            fail_msg("%s: %s", QUERIES[q], error.message);
        for (size_t v = 0; v < 2 * COUNT_OF(OFF); v++) {
            QueryOptions options = {.rules_off = OFF[v / 2]};
            QueryResult *result =
                db_query(dbs[v % 2], &arena, str_from(QUERIES[q]), &options, &error);
            assert_non_null(result);
            must_answer_alike(plain->tables[0], result->tables[0], QUERIES[q]);
        }
    }
    // What is nowhere is not looked for in any row group; a needle in one of them.
    static const struct {
        const char *query;
        uint64_t most;
    } READS[] = {
        {"T | where * has 'nowhereatall' | count", 0},
        {"T | where id has 'x60001' | count", 1},
        {"union T, U | where * has 'nowhereatall' | count", 0},
        {"search 'nowhereatall' | count", 0},
        {"T | where id has 'x60001' or id has 'x17000' | count", 2},
    };
    for (size_t i = 0; i < COUNT_OF(READS); i++) {
        QueryOptions options = {.analyze = true};
        QueryResult *result = db_query(dbs[0], &arena, str_from(READS[i].query), &options, &error);
        assert_non_null(result);
        uint64_t groups = 0;
        for (uint32_t r = 0; r < result->explain->count; r++)
            groups += result->explain->rows[r].counters.groups_read;
        if (groups > READS[i].most)
            fail_msg("%s: %llu row groups read", READS[i].query, (unsigned long long)groups);
    }
    arena_free(&arena);
    db_close(dbs[0]);
    db_close(dbs[1]);
    tree_remove(dir);
    free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds_agree_on_terms),
        cmocka_unit_test(test_terms_are_cut),
        cmocka_unit_test(test_blocks_cut_as_characters_do),
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_what_is_ruled_out),
        cmocka_unit_test(test_filters_keep_their_word),
        cmocka_unit_test(test_damaged_indexes),
        cmocka_unit_test(test_old_segments_are_read),
        cmocka_unit_test(test_row_groups_are_not_lost),
        cmocka_unit_test(test_answers_do_not_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
