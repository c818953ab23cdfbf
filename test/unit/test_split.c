// Split blocks: JSON texts and dynamics come back byte for byte, whatever they hold; what lies at a
// path is what parsing gives; damaged ones lead nowhere bad; a query's answer is the same with
// members read as columns and parsed.

#include "../store_rows.h"
#include "answers.h"
#include "base/array.h"
#include "db/db.h"
#include "kql/binder.h"
#include "store/split.h"
#include "term_noise.h"
#include "value/json.h"

#include <xxhash.h>

// ---- texts ----

static const char *const VALUES[] = {
    "0",
    "7",
    "-7",
    "-0",
    "1.0",
    "1e5",
    "1E-2",
    "123456789012345678",
    "1234567890123456789",
    "-9223372036854775808",
    "99999999999999999999",
    "1e400",
    "true",
    "false",
    "null",
    "\"\"",
    "\"plain\"",
    "\"a text that is longer than twelve\"",
    "\"es\\\"c\\n\"",
    "\"\\u00e9\\ud83d\\ude00\"",
    "\"\xC3\xA9\"",
    "\"\x7F\"",
    "\"2024-01-01T00:00:00Z\"",
    "\"{\\\"a\\\":1}\"",
    "[]",
    "{}",
    "[1,[2,{\"a\":3}]]",
    "{\"x\":1}",
    "{\"x\":1,\"x\":2}",
    "{\"x\": {\"y\":\"z\"}}",
    " 4",
    "5 ",
    "\"null\"",
    "\"12\"",
};
static const char *const BROKEN[] = {
    "nul",
    "01",
    "1.",
    "+1",
    "\"\\ud800\"",
    "\"\xFF\"",
    "\"\n\"",
    "\"open",
    "[1",
    "]",
    "",
    "\xEF\xBB\xBF"
    "1",
    "1,2",
    "\"a\" \"b\"",
    "tRUE",
    "NaN",
};
static const char *const SHAPES[] = {
    "{\"a\":%,\"b\":{\"c\":%,\"\":%},\"d\":[1,%]}",
    "{\"a\":%,\"b\":{\"c\":%}}",
    "{ \"a\" : % ,\r\n\t\"n\":%}",
    "{\"a\":%,\"x\":{\"y\":{\"z\":%}},\"long key with blanks\":%}",
    "{\"b\":%}",
    "{\"a\":%,\"a\":%}",
    "{\"k\\u0041\":%,\"a\":%}",
    "{\"A\":%,\"a\":%}",
    " {\"a\":%}",
    "{\"a\":%} ",
    "[%]",
    "%",
    "{}",
    "",
};
enum { PLAIN_SHAPES = 5 };

static Str
random_json(Arena *arena, uint32_t oddness)
{
    Buffer out = {0};
    bool odd = noise(100) < oddness;
    for (const char *p = SHAPES[noise(odd ? COUNT_OF(SHAPES) : PLAIN_SHAPES)]; *p; p++) {
        if (*p != '%')
            buffer_char(&out, *p);
        else if (noise(100) < oddness / 4)
            buffer_text(&out, BROKEN[noise(COUNT_OF(BROKEN))]);
        else if (odd || noise(4) == 0)
            buffer_text(&out, VALUES[noise(COUNT_OF(VALUES))]);
        else if (noise(2))
            buffer_printf(&out, "%u", noise(100000));
        else
            buffer_printf(&out, "\"%x-%x\"", noise(1000), noise(UINT32_MAX));
    }
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

static Vector *
random_texts(Arena *arena, uint32_t rows, uint32_t oddness)
{
    Vector *v = vector_new_flat(arena, TYPE_STRING, rows);
    for (uint32_t i = 0; i < rows; i++)
        ((Text *)v->data)[i] = text_copy(arena, random_json(arena, oddness));
    return v;
}

// What the text says, at times with values that JSON does not have.
static void
push_random_tree(DynBuilder *dyn, Str text, uint32_t oddness)
{
    Arena arena = {0};
    Text tree;
    bool is_null;
    json_parse_text(&arena, text, &tree, &is_null);
    Dyn node = dyn_of_text(&tree);
    if (is_null || dyn_kind(node) != DYN_BAG || noise(100) >= oddness) {
        dyn_push_tree(dyn, is_null ? dyn_null() : node);
    } else {
        dyn_begin_bag(dyn);
        for (uint32_t m = 0; m < dyn_count(node); m++) {
            dyn_key(dyn, dyn_key_at(node, m));
            if (noise(3) == 0)
                dyn_push_datetime(dyn, noise(UINT32_MAX));
            else
                dyn_push_tree(dyn, dyn_at(node, m));
        }
        dyn_end_bag(dyn);
    }
    arena_free(&arena);
}

static Vector *
random_trees(Arena *arena, uint32_t rows, uint32_t oddness)
{
    Vector *v = vector_new_flat(arena, TYPE_DYNAMIC, rows);
    DynBuilder *dyn = dyn_builder_new();
    for (uint32_t i = 0; i < rows; i++) {
        bool is_null;
        dyn_builder_reset(dyn);
        push_random_tree(dyn, random_json(arena, oddness), oddness);
        assert_true(dyn_finish_text(dyn, arena, (Text *)v->data + i, &is_null));
        if (is_null || noise(100) < oddness)
            vector_set_null(arena, v, i);
    }
    dyn_builder_free(dyn);
    return v;
}

static Vector *
random_values(Arena *arena, Type type, uint32_t rows, uint32_t oddness)
{
    return type == TYPE_DYNAMIC ? random_trees(arena, rows, oddness)
                                : random_texts(arena, rows, oddness);
}

// ---- blocks ----

static const char *const PATHS[][3] = {
    {"a"},           {"b"},       {"b", "c"},
    {"b", ""},       {"d"},       {"n"},
    {"x"},           {"x", "y"},  {"x", "y", "z"},
    {"A"},           {"a", "x"},  {"a", "x", "y"},
    {"b", "c", "x"}, {"nowhere"}, {"long key with blanks"},
    {"kA"},          {""},
};

static Str
path_of(Arena *arena, const char *const *keys)
{
    Buffer out = {0};
    for (uint32_t k = 0; k < 3 && keys[k]; k++)
        bytes_put_str(&out, str_from(keys[k]));
    Str path = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return path;
}

static bool
memory_read(void *context, uint64_t offset, void *out, uint32_t size)
{
    const Str *stored = context;
    if (offset > stored->len || size > stored->len - offset)
        return false;
    memcpy(out, stored->ptr + offset, size);
    return true;
}

// The tree of a row; none of a null.
static Dyn
tree_of(Arena *arena, const Vector *values, uint32_t row)
{
    const Text *value = (const Text *)values->data + row;
    Text *tree = ARENA_NEW(arena, Text);
    bool is_null = vector_is_null(values, row);
    if (values->type == TYPE_DYNAMIC)
        return is_null ? (Dyn){0} : dyn_of_text(value);
    json_parse_text(arena, text_str(value), tree, &is_null);
    return is_null ? (Dyn){0} : dyn_of_text(tree);
}

// What parsing finds, by other means than the store's.
static void
path_must_be_parsed(const Vector *values, const Block *found, const char *const *keys)
{
    assert_int_equal(found->vector.count, values->count);
    for (uint32_t i = 0; i < values->count; i++) {
        Arena arena = {0};
        Buffer shown = {0};
        Dyn node = tree_of(&arena, values, i);
        if (node.ptr)
            dyn_to_json(&shown, node);
        for (uint32_t k = 0; k < 3 && keys[k]; k++)
            node = dyn_get(node, str_from(keys[k]));
        bool null = vector_is_null(&found->vector, i);
        if (null != (dyn_kind(node) == DYN_NULL))
            fail_msg("%.*s: null", STR_ARG(buffer_slice(&shown)));
        if (!null) {
            const Text *have = vector_cell(&found->vector, i);
            assert_true(dyn_check((const uint8_t *)text_data(have), have->len));
            Dyn other = dyn_of_text(have);
            if (other.size != node.size || memcmp(other.ptr, node.ptr, node.size) != 0)
                fail_msg("%.*s: another value", STR_ARG(buffer_slice(&shown)));
        }
        buffer_free(&shown);
        arena_free(&arena);
    }
}

static void
paths_must_be_parsed(Arena *arena, BlockDecoder *decoder, const BlockInfo *info, Str stored,
                     const Vector *values, const Block *whole)
{
    for (size_t p = 0; p < COUNT_OF(PATHS); p++) {
        Str path = path_of(arena, PATHS[p]);
        const char *why = NULL;
        Block *found = NULL;
        if (info->encoding == BLOCK_SPLIT)
            found = split_path(decoder, info, values->type, values->count, path, memory_read,
                               &stored, &why);
        if (!found && why)
            fail_msg("%s", why);
        if (!found)
            found = split_path_of_values(whole, path);
        path_must_be_parsed(values, found, PATHS[p]);
        block_free(found);
    }
}

static void
must_come_back(Type type)
{
    BlockEncoder *encoder = block_encoder_new();
    BlockDecoder *decoder = block_decoder_new();
    uint32_t split = 0;
    for (uint32_t round = 0; round < 120; round++) {
        Arena arena = {0};
        Vector *values = random_values(&arena, type, 1 + noise(700), round % 4 * 4);
        BlockInfo info;
        Str stored;
        const Vector *distinct;
        const char *why = "";
        block_encode(encoder, &arena, values, &info, &stored, &distinct);
        split += info.encoding == BLOCK_SPLIT;
        Block *block = block_decode(decoder, &info, type, values->count, stored.ptr, &why);
        if (!block)
            fail_msg("%s", why);
        for (uint32_t i = 0; i < values->count; i++) {
            assert_int_equal(vector_is_null(&block->vector, i), vector_is_null(values, i));
            assert_true(vector_is_null(values, i) ||
                        text_equal(vector_cell(&block->vector, i), (Text *)values->data + i));
        }
        paths_must_be_parsed(&arena, decoder, &info, stored, values, block);
        block_free(block);
        arena_free(&arena);
    }
    assert_true(split > 40);
    block_encoder_free(encoder);
    block_decoder_free(decoder);
}

static void
test_texts_come_back(void **state)
{
    (void)state;
    must_come_back(TYPE_STRING);
}

static void
test_dynamics_come_back(void **state)
{
    (void)state;
    must_come_back(TYPE_DYNAMIC);
}

// Trees of one shape are the bytes of a builder, whatever the sizes of keys and values.
static void
test_wide_trees_come_back(void **state)
{
    (void)state;
    static const uint32_t SIZES[] = {0, 1, 200, 255, 256, 300, 65000, 65535, 65536, 70000};
    Arena arena = {0};
    char *long_text = arena_zalloc(&arena, 70000);
    memset(long_text, 'x', 70000);
    Vector *values = vector_new_flat(&arena, TYPE_DYNAMIC, 200);
    DynBuilder *dyn = dyn_builder_new();
    for (uint32_t i = 0; i < values->count; i++) {
        bool is_null;
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        dyn_key(dyn, STR("z"));
        dyn_push_string(dyn, (Str){long_text, SIZES[i % COUNT_OF(SIZES)]});
        dyn_key(dyn, STR("in"));
        dyn_begin_bag(dyn);
        dyn_key(dyn, STR("b"));
        dyn_push_long(dyn, (int64_t)(UINT64_C(0x80FF017F807F0081) >> i % 64));
        dyn_key(dyn, STR("a"));
        dyn_push_string(dyn, (Str){long_text, i});
        dyn_end_bag(dyn);
        dyn_key(dyn, STR(""));
        dyn_push_null(dyn);
        dyn_end_bag(dyn);
        assert_true(dyn_finish_text(dyn, &arena, (Text *)values->data + i, &is_null));
    }
    dyn_builder_free(dyn);
    BlockEncoder *encoder = block_encoder_new();
    BlockDecoder *decoder = block_decoder_new();
    BlockInfo info;
    Str stored;
    const Vector *distinct;
    const char *why = "";
    block_encode(encoder, &arena, values, &info, &stored, &distinct);
    assert_int_equal(info.encoding, BLOCK_SPLIT);
    Block *block = block_decode(decoder, &info, TYPE_DYNAMIC, values->count, stored.ptr, &why);
    assert_non_null(block);
    for (uint32_t i = 0; i < values->count; i++)
        assert_true(text_equal(vector_cell(&block->vector, i), (Text *)values->data + i));
    block_free(block);
    block_encoder_free(encoder);
    block_decoder_free(decoder);
    arena_free(&arena);
}

// A head that says something else, with checksums that fit.
static void
damage_head(char *bytes, uint32_t stored)
{
    uint32_t size;
    memcpy(&size, bytes, sizeof(size));
    for (uint32_t n = 1 + noise(3); n > 0; n--)
        bytes[SPLIT_PREFIX + noise(size)] ^= (char)(1 << noise(8));
    if (noise(8) == 0)
        size = noise(stored);
    memcpy(bytes, &size, sizeof(size));
    uint64_t checksum = size <= stored - SPLIT_PREFIX ? XXH3_64bits(bytes + SPLIT_PREFIX, size) : 0;
    memcpy(bytes + 8, &checksum, sizeof(checksum));
}

static void
damage_must_lead_nowhere(Type type)
{
    Arena arena = {0};
    BlockEncoder *encoder = block_encoder_new();
    BlockDecoder *decoder = block_decoder_new();
    Vector *values = random_values(&arena, type, 300, 5);
    BlockInfo whole;
    Str stored;
    const Vector *distinct;
    block_encode(encoder, &arena, values, &whole, &stored, &distinct);
    assert_int_equal(whole.encoding, BLOCK_SPLIT);
    uint32_t refused = 0;
    for (uint32_t round = 0; round < 2000; round++) {
        // A block of its own size, so that a read past its end is found out.
        BlockInfo info = whole;
        if (round % 4 == 0)
            info.stored = noise(whole.stored);
        char *bytes = malloc(info.stored + 1);
        memcpy(bytes, stored.ptr, info.stored);
        if (info.stored == whole.stored)
            damage_head(bytes, info.stored);
        info.checksum = XXH3_64bits(bytes, info.stored);
        Str part = {bytes, info.stored};
        const char *why;
        Block *block = block_decode(decoder, &info, type, values->count, bytes, &why);
        refused += !block;
        block_free(block);
        for (size_t p = 0; p < COUNT_OF(PATHS); p++)
            block_free(split_path(decoder, &info, type, values->count, path_of(&arena, PATHS[p]),
                                  memory_read, &part, &why));
        free(bytes);
    }
    assert_true(refused > 500);
    block_encoder_free(encoder);
    block_decoder_free(decoder);
    arena_free(&arena);
}

static void
test_damage_leads_nowhere(void **state)
{
    (void)state;
    damage_must_lead_nowhere(TYPE_STRING);
    damage_must_lead_nowhere(TYPE_DYNAMIC);
}

// ---- answers ----

enum { JSON_ROWS = 20000, JSON_BATCH = 1000 };

static Vector *
few_trees(Arena *arena, uint32_t rows)
{
    static const char *const TREES[] = {
        "[1,\"x\",null,[2]]", "[7]", "[]", "{}", "{\"a\":1,\"b\":[2,3]}", "5", "[\"12\",2.5]",
    };
    Vector *v = vector_new_flat(arena, TYPE_DYNAMIC, rows);
    for (uint32_t i = 0; i < rows; i++) {
        bool is_null;
        Text tree;
        json_parse_text(arena, str_from(TREES[noise(COUNT_OF(TREES))]), &tree, &is_null);
        ((Text *)v->data)[i] = tree;
    }
    return v;
}

// `s` and `g` are split, `t` now and then, `e` never; `few` is a dictionary.
static void
json_import(const char *path)
{
    static Column columns[] = {{STR_INIT("row"), TYPE_LONG},    {STR_INIT("s"), TYPE_STRING},
                               {STR_INIT("t"), TYPE_STRING},    {STR_INIT("e"), TYPE_STRING},
                               {STR_INIT("few"), TYPE_DYNAMIC}, {STR_INIT("g"), TYPE_DYNAMIC},
                               {STR_INIT("gt"), TYPE_DYNAMIC}};
    Schema schema = {columns, COUNT_OF(columns)};
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    assert_non_null(store);
    StoreImportInfo info = {STR(""), STR(""), STR(""), false};
    StoreWriter *writer = store_writer_new(store, &info, &error);
    TableWriter *table = store_writer_table(writer, STR("J"), TABLE_LOG, &schema, &error);
    for (uint32_t from = 0; from < JSON_ROWS; from += JSON_BATCH) {
        Arena arena = {0};
        Batch *batch = batch_new(&arena, COUNT_OF(columns), JSON_BATCH);
        Vector *row = vector_new_flat(&arena, TYPE_LONG, JSON_BATCH);
        for (uint32_t i = 0; i < JSON_BATCH; i++)
            ((int64_t *)row->data)[i] = from + i;
        batch->columns[0] = row;
        batch->columns[1] = random_texts(&arena, JSON_BATCH, 2);
        batch->columns[2] = random_texts(&arena, JSON_BATCH, from > 10000 ? 90 : 1);
        batch->columns[3] = random_texts(&arena, JSON_BATCH, 100);
        batch->columns[4] = few_trees(&arena, JSON_BATCH);
        batch->columns[5] = random_trees(&arena, JSON_BATCH, 2);
        batch->columns[6] = random_trees(&arena, JSON_BATCH, from > 10000 ? 90 : 1);
        assert_true(table_writer_append(table, batch, &error));
        arena_free(&arena);
    }
    assert_true(store_commit(writer, NULL, &error));
    store_close(store);
}

#define SUMS "| summarize n=count(), s=sum(row), h=sum(hash(tostring(v)) % 1000003)"
static const char *const QUERIES[] = {
    "J | extend v = parse_json(s).a " SUMS,
    "J | extend p = parse_json(s) | extend v = p.b.c " SUMS,
    "J | extend p = parse_json(s) | extend v = p.b " SUMS,
    "J | extend v = todynamic(s).x.y " SUMS,
    "J | extend v = parse_json(s)['long key with blanks'] " SUMS,
    "J | extend v = parse_json(s).d[1].nowhere " SUMS,
    "J | extend v = parse_json(s).d[0] " SUMS,
    "J | extend v = parse_json(t).a " SUMS,
    "J | extend v = parse_json(e).a " SUMS,
    "J | extend v = tolong(parse_json(s).a) " SUMS,
    "J | extend v = toreal(parse_json(s).a) " SUMS,
    "J | extend v = tobool(parse_json(s).a) " SUMS,
    "J | extend v = todatetime(parse_json(s).a) " SUMS,
    "J | extend v = gettype(parse_json(s).a) " SUMS,
    "J | extend v = bag_keys(parse_json(s).b) " SUMS,
    "J | extend v = s " SUMS,
    "J | where parse_json(s).a == 7 | extend v = 1 " SUMS,
    "J | where parse_json(s).a == 'plain' and row > 100 | extend v = s " SUMS,
    "J | extend p = parse_json(s) | where isempty(tostring(p.b.c)) and row % 2 == 0 "
    "| extend v = p.a " SUMS,
    "J | where tostring(parse_json(s).a) has 'plain' | extend v = 1 " SUMS,
    "J | extend p = parse_json(s), q = parse_json(t) | where tolong(p.a) > tolong(q.a) "
    "| extend v = strcat(p.a, q.b) " SUMS,
    "J | summarize n=count() by v = tostring(parse_json(s).b.c) | top 1 by n desc, v asc",
    "J | extend p = parse_json(s) | top 3 by tolong(p.a) desc, row asc | project row, p.a, s",
    "J | extend p = parse_json(s) | sort by tostring(p.a) asc, row asc | take 1",
    "J | extend p = parse_json(s) | project p, row | where row < 4000 | extend v = p.x.y.z " SUMS,
    "J | project-rename u = s | extend p = parse_json(u) | project-away u | extend v = p.a " SUMS,
    "union J, (J | where row < 1000 | project s, row) | extend v = parse_json(s).a " SUMS,
    "J | extend p = parse_json(s) | join kind=inner (J | where row < 50 | extend q = parse_json(t) "
    "| project row, w = q.a) on row | extend v = strcat(w, p.a) " SUMS,
    "J | extend p = parse_json(s) | join kind=inner (J | where row < 500 | project w = "
    "tostring(parse_json(s).a)) on $left.t == $right.w | count",
    "J | extend k = tostring(parse_json(s).a) | join kind=leftsemi (J | where row < 20 | project k "
    "= tostring(parse_json(s).a)) on k | summarize n=count(), s=sum(row)",
    "J | where row < 3000 | mv-expand v = parse_json(s).d " SUMS,
    "J | extend p = parse_json(s) | summarize n=countif(isnotnull(p.a)), m=max(tolong(p.a)), "
    "d=dcount(tostring(p.b.c))",
    "J | make-series n=count(), m=sum(tolong(parse_json(s).a)) on row from 0 to 20000 step 5000",
    "J | extend p = parse_json(s) | take 100 | extend v = isnull(p.a) or true | summarize "
    "n=count()",
    "let T = materialize(J | extend p = parse_json(s)); T | extend v = p.a " SUMS,
    "J | extend p = parse_json(s) | extend v = p.a, w = p.a | where v == w " SUMS,
    "J | extend p = parse_json(s) | serialize r = row_number() | extend v = strcat(r, p.a) "
    "| summarize n=count()",
    "J | where * has 'plain' | extend v = parse_json(s).a " SUMS,
    "J | extend p = parse_json(s) | where p.a has 'plain' or p.b.c has 'plain' | extend v=1 " SUMS,
    "J | extend p = parse_json(s) | partition by t (take 1) | count",
    "J | extend p = parse_json(s) | evaluate bag_unpack(p) | count",
    "J | extend p = parse_json(s) | top-nested 2 of tostring(p.x.y.z) by n=count()",
    "J | extend v = g.a " SUMS,
    "J | extend v = g.b.c " SUMS,
    "J | extend v = g.b " SUMS,
    "J | extend v = g.d[1].nowhere " SUMS,
    "J | extend v = g['long key with blanks'] " SUMS,
    "J | extend v = gt.a " SUMS,
    "J | extend v = strcat(tolong(g.a), todatetime(gt.a), gettype(g.x.y.z)) " SUMS,
    "J | where g.a == 7 or g.b.c has 'plain' | extend v = g " SUMS,
    "J | where g has 'plain' | extend v = g.a " SUMS,
    "J | extend v = g " SUMS,
    "J | extend v = parse_json(g).a, w = g.a | where tostring(v) == tostring(w) " SUMS,
    "J | extend q = g.x | extend v = q.y.z " SUMS,
    "J | summarize n=count() by v = tostring(g.b.c) | top 1 by n desc, v asc",
    "J | where row < 3000 | mv-expand v = g.d " SUMS,
    "J | extend p = bag_merge(g, gt) | extend v = p.a " SUMS,
    "J | where isnull(g) or isnotnull(g.n) | extend v = 1 " SUMS,
    "J | project-rename u = g | extend v = u.a | project-away u " SUMS,
    "union J, (J | where row < 1000 | project g, row) | extend v = g.a " SUMS,
    "J | join kind=inner (J | where row < 50 | project row, w = g.a) on row | extend v = strcat(w, "
    "g.a) " SUMS,
    "J | where row < 100 | evaluate bag_unpack(g) | count",
    // Through a join: members of either side, rows that met nobody, keys of both, joins of joins.
    "J | where row < 2000 | join kind=leftouter (J | where row % 3 == 0 | project row, h = g, z = "
    "s) "
    "on row | extend v = strcat(g.a, '|', h.a, '|', parse_json(z).b.c) " SUMS,
    "J | where row % 5 == 0 | join kind=fullouter (J | where row % 7 == 0 | project other = row, h "
    "= gt) "
    "on $left.row == $right.other | extend v = strcat(g.a, h.a), row = coalesce(row, other) " SUMS,
    "J | where row < 900 | join kind=rightouter (J | where row < 1000 | project row, h = g) on row "
    "| extend v = iff(isnull(g), h.x, g.b), row = row1 " SUMS,
    "J | where row < 3000 | join kind=innerunique (J | project row, k = tostring(g.a), h = g | "
    "where row "
    "< 40) on $left.t == $right.k | extend v = h.b " SUMS,
    "J | where row < 300 | join kind=inner (J | where row < 300 | project row, h = g) on "
    "$left.row == $right.row and $left.t == $right.h | extend v = g.a " SUMS,
    "J | where row < 500 | join kind=inner (J | join kind=inner (J | project row, i = g) on row | "
    "where "
    "tostring(i.a) != 'x' | project row, h = g, i) on row | extend v = strcat(h.a, i.b.c, "
    "g.a) " SUMS,
    "J | where row < 500 | join kind=leftanti (J | where g.a == 7 | project row) on row "
    "| extend v = g.a " SUMS,
    "union (J | where row < 500 | join kind=inner (J | project row, h = g) on row), (J | where row "
    "< 50) "
    "| extend v = strcat(h.a, g.a) " SUMS,
    "J | where row < 500 | lookup (J | project row, h = g | where row < 400) on row | where h.a == "
    "7 or "
    "isnull(h.a) | extend v = h " SUMS,
};

// The same expansion of a dictionary's entries, and of rows that are no dictionary.
static const char *const EXPANSIONS[] = {
    "mv-expand v = x ",
    "mv-expand kind=array v = x ",
    "mv-expand v = x to typeof(long) ",
    "mv-expand with_itemindex=k v = x | extend v = strcat(k, v) ",
    "mv-expand v = x limit 2 ",
    "mv-expand v = x, w = parse_json(s).d | extend v = strcat(v, w) ",
    "mv-expand v = x, w = few to typeof(string) | extend v = strcat(v, w) ",
};

static void
test_entries_expand_as_rows(void **state)
{
    (void)state;
    char *dir = temp_dir_new(), path[4200];
    snprintf(path, sizeof(path), "%s/store", dir);
    json_import(path);
    AzError error = {0};
    DatabaseOptions open = {.store = path, .threads = 2};
    Database *db = db_open(&open, &error);
    assert_non_null(db);
    for (size_t q = 0; q < COUNT_OF(EXPANSIONS); q++) {
        static const char *const X[] = {
            "few", "parse_json(strcat(tostring(few), substring('  ', 0, row % 3)))"};
        Arena arena = {0};
        QueryResult *results[2];
        for (size_t i = 0; i < 2; i++) {
            Str query = str_format(&arena, "J | extend x = %s | %s%s", X[i], EXPANSIONS[q], SUMS);
            QueryOptions options = {0};
            results[i] = db_query(db, &arena, query, &options, &error);
            if (!results[i])
                fail_msg("%s: %s", EXPANSIONS[q], error.message);
        }
        must_answer_alike(results[0]->tables[0], results[1]->tables[0], EXPANSIONS[q]);
        arena_free(&arena);
    }
    db_close(db);
    tree_remove(dir);
    free(dir);
}

// Whether most of a column is split.
static bool
is_split(const char *path, uint32_t column)
{
    AzError error = {0};
    Store *store = store_open(path, STORE_READ, &error);
    StoreView *view = store ? store_view_open(store, 0, &error) : NULL;
    assert_non_null(view);
    TableSource *source = store_view_source(view, STR("J"), &error);
    bool split = source->holds_paths(source, column);
    store_view_close(view);
    store_close(store);
    return split;
}

static void
test_answers_do_not_change(void **state)
{
    (void)state;
    char *dir = temp_dir_new(), path[4200];
    snprintf(path, sizeof(path), "%s/store", dir);
    json_import(path);
    AzError error = {0};
    assert_true(is_split(path, 1));
    assert_false(is_split(path, 3));
    assert_false(is_split(path, 4));
    assert_true(is_split(path, 5));
    for (size_t threads = 1; threads <= 4; threads += 3) {
        DatabaseOptions open = {.store = path, .threads = threads};
        Database *db = db_open(&open, &error);
        assert_non_null(db);
        for (size_t q = 0; q < COUNT_OF(QUERIES); q += threads) {
            static const uint32_t OFF[] = {0, OPTIMISE_PUSH_FILTER, OPTIMISE_PRUNE_COLUMNS};
            for (size_t off = 0; off < COUNT_OF(OFF); off++) {
                Arena arena = {0};
                QueryOptions plain = {.rules_off = OPTIMISE_ALL}, quick = {.rules_off = OFF[off]};
                QueryResult *one = db_query(db, &arena, str_from(QUERIES[q]), &plain, &error);
                QueryResult *other = db_query(db, &arena, str_from(QUERIES[q]), &quick, &error);
                if (!one || !other)
                    fail_msg("%s: %s", QUERIES[q], error.message);
                must_answer_alike(one->tables[0], other->tables[0], QUERIES[q]);
                arena_free(&arena);
            }
        }
        db_close(db);
    }
    tree_remove(dir);
    free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_come_back),       cmocka_unit_test(test_dynamics_come_back),
        cmocka_unit_test(test_wide_trees_come_back),  cmocka_unit_test(test_damage_leads_nowhere),
        cmocka_unit_test(test_answers_do_not_change), cmocka_unit_test(test_entries_expand_as_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
