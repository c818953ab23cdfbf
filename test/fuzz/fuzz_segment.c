// Fuzz target: arbitrary bytes as a segment file. Whatever opens is read whole,
// through footer, zones and every block; each value is looked at, dynamic trees
// are walked by printing them. Built with -fsanitize=fuzzer, which defines
// FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION for the store too: checksums are then
// not compared, so that the fuzzer gets behind them.
//
// Inputs of a few bytes are replaced by a well-formed segment now and then, from
// which the mutations go on.

#include "../store_rows.h"
#include "store/segment.h"
#include "store/store_internal.h"
#include "store/term_index.h"
#include "value/json.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { SEED_MAX = 1 << 16 };
static char *seed_bytes, *json_bytes;
static size_t seed_size, json_size;

// A segment with blocks that are split (texts, dynamics), of GUIDs and of scaled reals.
static void
json_seed_make(void)
{
    Column all[] = {{STR("s"), TYPE_STRING},
                    {STR("g"), TYPE_STRING},
                    {STR("r"), TYPE_REAL},
                    {STR("d"), TYPE_DYNAMIC}};
    Schema schema = {all, COUNT_OF(all)};
    Arena arena = {0};
    uint32_t order[64];
    Vector *texts = vector_new_flat(&arena, TYPE_STRING, 64);
    Vector *guids = vector_new_flat(&arena, TYPE_STRING, 64);
    Vector *reals = vector_new_flat(&arena, TYPE_REAL, 64);
    Vector *trees = vector_new_flat(&arena, TYPE_DYNAMIC, 64);
    for (uint32_t i = 0; i < 64; i++) {
        order[i] = i;
        ((Text *)texts->data)[i] = text_copy(
            &arena,
            i % 9 ? str_format(&arena, "{\"a\":%u,\"b\":{\"c\":\"x%u\"},\"d\":[%u]}", i, i, i)
                  : str_format(&arena, "{\"e\": %s, \"a\":\"%u\"}", i % 2 ? "1.5" : "null", i));
        if (i == 40)
            ((Text *)texts->data)[i] = text_view("none", 4);
        bool is_null;
        json_parse_text(&arena, text_str((Text *)texts->data + i), (Text *)trees->data + i,
                        &is_null);
        if (i % 11 == 5)
            vector_set_null(&arena, trees, i);
        uint64_t low = row_noise(i, 2) & 0xFFFFFFFFFFFF;
        ((Text *)guids->data)[i] = text_copy(
            &arena, i % 20 ? str_format(&arena, "%08x-1234-abcd-9876-%012llx",
                                        (uint32_t)row_noise(i, 1), (unsigned long long)low)
                           : STR("none"));
        ((double *)reals->data)[i] = (double)(row_noise(i, 3) % 100000) / 10;
    }
    const Vector *columns[] = {texts, guids, reals, trees};
    char *dir = temp_dir_new(), path[4200];
    snprintf(path, sizeof(path), "%s/json", dir);
    BlockEncoder *encoder = block_encoder_new();
    SegmentSummary summary;
    AzError error = {0};
    if (!segment_write(path, &schema, columns, order, 64, encoder, &summary, &error))
        abort();
    free(summary.group_rows);
    block_encoder_free(encoder);
    arena_free(&arena);
    FILE *file = fopen(path, "rb");
    json_bytes = malloc(SEED_MAX);
    json_size = fread(json_bytes, 1, SEED_MAX, file);
    fclose(file);
    tree_remove(dir);
    free(dir);
}

// A segment with all encodings in a few kilobytes.
static void
seed_make(void)
{
    char *dir = temp_dir_new();
    char path[4200];
    AzError error = {0};
    Store *store = store_open(dir, STORE_WRITE, &error);
    if (!store || rows_import(store, "T", TABLE_LOG, &ROW_SCHEMA, 0, 40, &error) < 0 ||
        files_in(dir, "segments", path, sizeof(path)) != 1) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    store_close(store);
    FILE *file = fopen(path, "rb");
    seed_bytes = malloc(1 << 16);
    seed_size = fread(seed_bytes, 1, 1 << 16, file);
    fclose(file);
    tree_remove(dir);
    free(dir);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    if (!seed_bytes)
        seed_make();
    if (!json_bytes)
        json_seed_make();
    if ((size < 256 || seed % 64 == 1) && json_size <= max_size) {
        memcpy(data, json_bytes, json_size);
        size = json_size;
    }
    if (seed % 64 == 0 && seed_size <= max_size) {
        memcpy(data, seed_bytes, seed_size);
        size = seed_size;
    }
    return LLVMFuzzerMutate(data, size, max_size);
}

static void
vector_touch(const Vector *v, Buffer *out)
{
    for (uint32_t i = 0; i < v->count && i < 1000; i++) {
        buffer_clear(out);
        if (!vector_is_null(v, i))
            data_print(out, v->type, vector_cell(v, i));
    }
}

static void
zone_touch(const Segment *segment, const SegmentGroup *group, uint32_t column, const Vector *v)
{
    if (!v->count)
        return;
    Value value = vector_value(v, 0);
    for (ScanOp op = SCAN_EQ; op <= SCAN_IN_CI; op++) {
        if ((op == SCAN_EQ_CI || op == SCAN_IN_CI) && value.type != TYPE_STRING)
            continue;
        ScanPredicate predicate = {.column = column, .op = op, .values = &value, .value_count = 1};
        zone_may_match(&group->zones[column], segment->schema.columns[column].type, group->rows,
                       &predicate);
    }
}

static void
rows_touch(const TermIndex *index, Str needle, bool begins, bool ends)
{
    Arena arena = {0};
    bool exact;
    term_index_rows(index, &arena, needle, begins, ends,
                    ARENA_ARRAY(&arena, uint64_t, index->rows / 64 + 1), &exact);
    arena_free(&arena);
}

static void
terms_touch(const Segment *segment, int fd, uint32_t group, uint32_t column, BlockDecoder *decoder)
{
    static const char *const NEEDLES[] = {"note", "of some", "\xC3\xA4 no", "10.0.0.1", "x7", ""};
    AzError error = {0};
    Block *terms = segment->groups[group].terms[column].offset
                       ? segment_read_terms_fd(segment, fd, group, column, decoder, &error)
                       : NULL;
    TermIndex index;
    for (size_t i = 0; terms && i < COUNT_OF(NEEDLES); i++)
        for (unsigned sides = 0; sides < 4; sides++)
            if (term_index_open(text_str(terms->vector.data), false, &index)) {
                term_index_may_hold(&index, str_from(NEEDLES[i]), sides & 1, sides & 2);
                rows_touch(&index, str_from(NEEDLES[i]), sides & 1, sides & 2);
            }
    block_free(terms);
}

static void
paths_touch(const Segment *segment, int fd, uint32_t group, uint32_t column, BlockDecoder *decoder,
            Buffer *out)
{
    static const Str PATHS[] = {
        STR_INIT("\1\0\0\0a"),          STR_INIT("\1\0\0\0b"), STR_INIT("\1\0\0\0b\1\0\0\0c"),
        STR_INIT("\1\0\0\0d\1\0\0\0x"), STR_INIT("\1\0\0\0e"),
    };
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        AzError error = {0};
        Block *block = segment_read_path_fd(segment, fd, group, column, PATHS[i], decoder, &error);
        error_clear(&error);
        if (block)
            vector_touch(&block->vector, out);
        block_free(block);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static BlockDecoder *decoder;
    if (fd < 0) {
        fd = memfd_create("segment", MFD_CLOEXEC);
        decoder = block_decoder_new();
    }
    if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    AzError error = {0};
    Segment *segment = segment_open_fd(fd, "fuzzed", &error);
    Buffer out = {0};
    for (uint32_t g = 0; segment && g < segment->group_count && g < 8; g++) {
        for (uint32_t c = 0; c < segment->schema.count && c < 64; c++) {
            error_clear(&error);
            terms_touch(segment, fd, g, c, decoder);
            Block *block = segment_read_fd(segment, fd, g, c, decoder, &error);
            if (!block)
                continue;
            vector_touch(&block->vector, &out);
            zone_touch(segment, &segment->groups[g], c, &block->vector);
            if (type_is_text(segment->schema.columns[c].type))
                paths_touch(segment, fd, g, c, decoder, &out);
            block_free(block);
        }
    }
    buffer_free(&out);
    segment_close(segment);
    return 0;
}
