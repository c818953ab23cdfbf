// Columns that mostly say nothing: tables of Azure declare hundreds of columns of which a
// record has a few. Writers keep nothing of them, and the file is the same as if they did.

#include "../store_rows.h"
#include "store/store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BATCH = 1000, BATCHES = 150 }; // more than one segment

static Column columns[] = {
    {STR_INIT("Row"), TYPE_LONG},        {STR_INIT("Bool"), TYPE_BOOL},
    {STR_INIT("Int"), TYPE_INT},         {STR_INIT("Real"), TYPE_REAL},
    {STR_INIT("Decimal"), TYPE_DECIMAL}, {STR_INIT("Timestamp"), TYPE_DATETIME},
    {STR_INIT("Span"), TYPE_TIMESPAN},   {STR_INIT("Text"), TYPE_STRING},
    {STR_INIT("Guid"), TYPE_GUID},       {STR_INIT("Tree"), TYPE_DYNAMIC},
    {STR_INIT("Never"), TYPE_STRING},    {STR_INIT("NeverReal"), TYPE_REAL},
};
enum { COLUMNS = COUNT_OF(columns), NEVER = 10 };
static const Schema schema = {columns, COLUMNS};

// The value of the type that row n has: of `row_value`'s columns one of that type.
static Value
value_of(Arena *arena, uint32_t column, uint64_t n)
{
    static const uint32_t like[COLUMNS] = {0, 19, 4, 7, 8, 9, 10, 17, 11, 14};
    return row_value(arena, n, like[column]);
}

// Column c has values in one batch of (c + 3) only, beginning with a later one for later columns;
// there in every other row.
static bool
has_values(uint32_t column, uint32_t batch)
{
    return column == 0 || (column < NEVER && batch >= column * 9 && batch % (column + 3) == 1);
}

static const Vector *
column_of(Arena *arena, uint32_t column, uint32_t batch, bool as_constant)
{
    Type type = columns[column].type;
    if (!has_values(column, batch) && as_constant)
        return vector_new_const(arena, &(Value){.type = type, .is_null = true}, BATCH);
    VectorBuilder builder;
    vector_builder_init(&builder, type);
    for (uint32_t i = 0; i < BATCH; i += column ? 2 : 1) {
        if (!has_values(column, batch))
            break;
        vector_builder_pad(&builder, i);
        Value value = value_of(arena, column, (uint64_t)batch * BATCH + i);
        vector_builder_value(&builder, arena, &value);
    }
    vector_builder_pad(&builder, BATCH);
    Vector *v = vector_builder_cut(&builder, arena, 0, BATCH);
    vector_builder_free(&builder);
    return v;
}

static void
write_store(const char *path, bool as_constant)
{
    AzError error = {0};
    Store *store = store_open(path, STORE_WRITE, &error);
    assert_non_null(store);
    StoreImportInfo info = {STR("x"), STR(""), STR(""), false};
    StoreWriter *writer = store_writer_new(store, &info, &error);
    TableWriter *table = store_writer_table(writer, STR("T"), TABLE_LOG, &schema, &error);
    for (uint32_t b = 0; b < BATCHES; b++) {
        Arena arena = {0};
        Batch *batch = batch_new(&arena, COLUMNS, BATCH);
        for (uint32_t c = 0; c < COLUMNS; c++)
            batch->columns[c] = column_of(&arena, c, b, as_constant);
        assert_true(table_writer_append(table, batch, &error));
        arena_free(&arena);
    }
    assert_true(store_commit(writer, NULL, &error));
    store_close(store);
}

// The bytes of all segments, in the order of their names.
static Buffer
segment_bytes(const char *store)
{
    Buffer bytes = {0};
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/segments", store);
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    assert_true(count > 3); // two segments beside . and ..
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        FILE *file = entries[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
        char part[4096];
        for (size_t got; file && (got = fread(part, 1, sizeof(part), file)) > 0;)
            buffer_put(&bytes, part, got);
        if (file)
            fclose(file);
        free(entries[i]);
    }
    free(entries);
    return bytes;
}

static void
test_the_file_is_the_same(void **state)
{
    (void)state;
    char *dir = temp_dir_new(), dense[512], sparse[512];
    snprintf(dense, sizeof(dense), "%s/dense", dir);
    snprintf(sparse, sizeof(sparse), "%s/sparse", dir);
    write_store(dense, false);
    write_store(sparse, true);
    Buffer a = segment_bytes(dense), b = segment_bytes(sparse);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    buffer_free(&a);
    buffer_free(&b);
    tree_remove(dir);
    free(dir);
}

static void
test_what_comes_back(void **state)
{
    (void)state;
    char *dir = temp_dir_new(), path[512];
    snprintf(path, sizeof(path), "%s/store", dir);
    write_store(path, true);
    AzError error = {0};
    Store *store = store_open(path, STORE_READ, &error);
    StoreView *view = store_view_open(store, 0, &error);
    TableSource *source = store_view_source(view, STR("T"), &error);
    assert_non_null(source);
    uint32_t rows = 0;
    for (uint32_t m = 0; m < source->morsel_count; m++) {
        Arena arena = {0};
        uint32_t count = source->morsel_rows(source, m);
        const Vector *row = source->read(source, m, 0, 0, count, &arena, &error);
        for (uint32_t c = 1; c < COLUMNS; c++) {
            const Vector *found = source->read(source, m, c, 0, count, &arena, &error);
            assert_non_null(found);
            for (uint32_t i = 0; i < count; i++) {
                uint64_t n = (uint64_t)vector_value(row, i).int64;
                Value wanted = {.type = columns[c].type, .is_null = true};
                if (has_values(c, (uint32_t)(n / BATCH)) && n % 2 == 0)
                    wanted = value_of(&arena, c, n);
                wanted.is_null &= wanted.type != TYPE_STRING; // a string is empty, never null
                assert_true(cell_equals(found, i, &wanted));
            }
        }
        rows += count;
        source->release(source, m);
        arena_free(&arena);
    }
    assert_int_equal(rows, BATCH * BATCHES);
    store_view_close(view);
    store_close(store);
    tree_remove(dir);
    free(dir);
}

// A column under two names takes the room of one.
static void
test_equal_columns_are_stored_once(void **state)
{
    (void)state;
    char *dir = temp_dir_new();
    size_t sizes[2];
    for (uint32_t names = 1; names <= 2; names++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/store%u", dir, names);
        AzError error = {0};
        static Column pair[] = {{STR_INIT("CorrelationId"), TYPE_STRING},
                                {STR_INIT("OperationId"), TYPE_STRING}};
        Schema schema_pair = {pair, names};
        Store *store = store_open(path, STORE_WRITE, &error);
        StoreImportInfo info = {STR("x"), STR(""), STR(""), false};
        StoreWriter *writer = store_writer_new(store, &info, &error);
        TableWriter *table = store_writer_table(writer, STR("T"), TABLE_LOG, &schema_pair, &error);
        Arena arena = {0};
        Batch *batch = batch_new(&arena, names, BATCH);
        Vector *ids = vector_new_flat(&arena, TYPE_STRING, BATCH);
        for (uint32_t i = 0; i < BATCH; i++)
            ((Text *)ids->data)[i] = text_copy(
                &arena, str_format(&arena, "id %llx", (unsigned long long)row_noise(i, 9)));
        batch->columns[0] = batch->columns[names - 1] = ids;
        for (uint32_t b = 0; b < BATCHES; b++)
            assert_true(table_writer_append(table, batch, &error));
        assert_true(store_commit(writer, NULL, &error));
        StoreView *view = store_view_open(store, 0, &error);
        TableSource *source = store_view_source(view, STR("T"), &error);
        const Vector *found = source->read(source, 0, names - 1, 0, BATCH, &arena, &error);
        for (uint32_t i = 0; i < BATCH; i++)
            assert_true(text_equal(vector_cell(found, i), &((Text *)ids->data)[i]));
        source->release(source, 0);
        store_view_close(view);
        store_close(store);
        arena_free(&arena);
        Buffer bytes = segment_bytes(path);
        sizes[names - 1] = bytes.len;
        buffer_free(&bytes);
    }
    assert_true(sizes[1] < sizes[0] + sizes[0] / 10);
    tree_remove(dir);
    free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_file_is_the_same),
        cmocka_unit_test(test_what_comes_back),
        cmocka_unit_test(test_equal_columns_are_stored_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
