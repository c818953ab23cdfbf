// Writing a segment: row group by row group, column by column, then the footer.
//
// The file is made whole under its temporary name and synced before anybody may
// name it, so a crash leaves at most rubbish in tmp/.

#include "store/os.h"
#include "store/segment.h"
#include "store/segment_layout.h"
#include "store/term_index.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

enum { WRITE_BUFFER = 1 << 20 };

// What a block of nothing but nulls (of strings: empty ones) is written as; most columns of a
// wide table are that.
typedef struct NothingBlock {
    uint32_t rows; // 0: not made yet
    BlockInfo info;
    Buffer stored, zone;
} NothingBlock;

// What was stored of the row group being written: columns that are equal to another (an id under
// two names) are stored once.
typedef struct StoredBlock {
    uint64_t checksum, offset;
    uint32_t size;
} StoredBlock;

typedef struct SegmentOut {
    const char *path;
    int fd;
    uint64_t offset; // of the next byte, buffered ones counted
    Buffer pending, footer;
    TermIndexBuilder *terms;
    NothingBlock nothing[TYPE_LIMIT];
    Buffer group; // its stored bytes, from offset group_from on
    uint64_t group_from;
    StoredBlock *blocks; // two a column at most
    size_t block_count;
    AzError *error;
} SegmentOut;

static bool
out_flush(SegmentOut *out)
{
    bool ok = os_write(out->fd, out->pending.data, out->pending.len, out->path, out->error);
    buffer_clear(&out->pending);
    return ok;
}

static bool
out_put(SegmentOut *out, const void *data, size_t size)
{
    out->offset += size;
    if (out->pending.len + size > WRITE_BUFFER && !out_flush(out))
        return false;
    if (size > WRITE_BUFFER)
        return os_write(out->fd, data, size, out->path, out->error);
    buffer_put(&out->pending, data, size);
    return true;
}

static bool
write_head(SegmentOut *out)
{
    Buffer head = {0};
    buffer_put(&head, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE);
    bytes_put_u32(&head, SEGMENT_VERSION);
    bytes_put_u32(&head, ~(uint32_t)SEGMENT_VERSION);
    assert(head.len == SEGMENT_HEAD_SIZE);
    bool ok = out_put(out, head.data, head.len);
    buffer_free(&head);
    return ok;
}

static void
put_schema(Buffer *footer, const Schema *schema)
{
    bytes_put_u32(footer, schema->count);
    for (uint32_t c = 0; c < schema->count; c++) {
        bytes_put_str(footer, schema->columns[c].name);
        bytes_put_u8(footer, (uint8_t)schema->columns[c].type);
    }
}

static void
put_block_info(Buffer *footer, const BlockInfo *info)
{
    bytes_put_u64(footer, info->offset);
    bytes_put_u32(footer, info->stored);
    bytes_put_u32(footer, info->raw);
    bytes_put_u64(footer, info->checksum);
    bytes_put_u8(footer, info->encoding);
    bytes_put_u8(footer, info->codec);
    bytes_put_u8(footer, info->has_nulls);
}

static void
group_begin(SegmentOut *out)
{
    buffer_clear(&out->group);
    out->group_from = out->offset;
    out->block_count = 0;
}

// Stores a block of the group, or finds the same bytes in it; sets where they are.
static bool
put_block(SegmentOut *out, BlockInfo *info, Str stored)
{
    enum { SHORTEST = 64 }; // bytes; smaller ones are not worth a look
    for (size_t i = 0; i < out->block_count && stored.len >= SHORTEST; i++) {
        const StoredBlock *block = &out->blocks[i];
        if (block->checksum == info->checksum && block->size == stored.len &&
            memcmp(out->group.data + (block->offset - out->group_from), stored.ptr, stored.len) ==
                0) {
            info->offset = block->offset;
            put_block_info(&out->footer, info);
            return true;
        }
    }
    info->offset = out->offset;
    out->blocks[out->block_count++] =
        (StoredBlock){info->checksum, info->offset, (uint32_t)stored.len};
    buffer_str(&out->group, stored);
    put_block_info(&out->footer, info);
    return out_put(out, stored.ptr, stored.len);
}

// Texts that a predicate may look into; a zone's set of all values says more than an index.
static bool
is_indexed(Type type, const Zone *zone, uint32_t rows)
{
    bool texts = type == TYPE_STRING || type == TYPE_DYNAMIC || type == TYPE_GUID;
    return texts && !zone->has_set && zone->null_count < rows;
}

// Whether the texts are long enough for postings; texts that stand often are in dictionaries, whose
// entries are searched once each.
static bool
is_prose(const Vector *values)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; type_is_text(values->type) && i < values->count; i++)
        bytes += ((const Text *)values->data)[i].len;
    return bytes / values->count >= TERM_PROSE_MIN;
}

// The term index of what was collected, encoded; false when none pays.
static bool
make_terms(TermIndexBuilder *terms, uint32_t stored, BlockEncoder *encoder, BlockInfo *info,
           Str *index)
{
    if (term_index_postings(terms, stored, index)) {
        block_encode_bytes(encoder, *index, info, index);
        if (term_postings_pay(index->len, stored))
            return true;
    }
    if (term_index_list(terms, stored, index)) {
        block_encode_bytes(encoder, *index, info, index);
        if (term_list_pays(index->len, stored))
            return true;
    }
    bool built = term_index_filter(terms, stored, index);
    if (built)
        block_encode_bytes(encoder, *index, info, index);
    return built;
}

// The term index of the column just written, when one pays. `distinct` are its values, when
// they are few.
static bool
write_terms(SegmentOut *out, const Vector *values, const Vector *distinct, bool indexed,
            uint32_t stored, BlockEncoder *encoder)
{
    Str index;
    BlockInfo info;
    bool prose = indexed && !distinct && is_prose(values);
    bool built = indexed && term_index_collect(out->terms, distinct ? distinct : values, prose) &&
                 make_terms(out->terms, stored, encoder, &info, &index);
    bytes_put_u8(&out->footer, built);
    if (!built)
        return true;
    return put_block(out, &info, index);
}

static bool
write_nothing(SegmentOut *out, Arena *scratch, Type type, uint32_t rows, BlockEncoder *encoder)
{
    NothingBlock *block = &out->nothing[type];
    if (block->rows != rows) {
        Vector *values = vector_new_flat(scratch, type, rows);
        if (type != TYPE_STRING)
            values->valid = ARENA_ARRAY(scratch, uint64_t, bit_words(rows));
        const Vector *distinct;
        Str stored;
        Zone zone;
        block_encode(encoder, scratch, values, &block->info, &stored, &distinct);
        zone_build(scratch, &zone, values, distinct);
        buffer_clear(&block->stored);
        buffer_clear(&block->zone);
        buffer_str(&block->stored, stored);
        zone_put(&block->zone, type, &zone);
        block->rows = rows;
    }
    bool ok = put_block(out, &block->info, buffer_slice(&block->stored));
    buffer_str(&out->footer, buffer_slice(&block->zone));
    bytes_put_u8(&out->footer, false); // no term index
    return ok;
}

static bool
write_group(SegmentOut *out, const Schema *schema, const Vector *const *columns,
            const uint32_t *order, uint32_t rows, BlockEncoder *encoder)
{
    bytes_put_u32(&out->footer, rows);
    group_begin(out);
    Arena scratch;
    arena_init(&scratch);
    bool ok = true;
    for (uint32_t c = 0; ok && c < schema->count; c++) {
        arena_reset(&scratch);
        if (vector_is_nothing(columns[c])) {
            ok = write_nothing(out, &scratch, schema->columns[c].type, rows, encoder);
            continue;
        }
        const Vector *values = vector_gather(&scratch, columns[c], order, rows);
        const Vector *distinct;
        BlockInfo info;
        Zone zone;
        Str stored;
        block_encode(encoder, &scratch, values, &info, &stored, &distinct);
        zone_build(&scratch, &zone, values, distinct);
        ok = put_block(out, &info, stored);
        zone_put(&out->footer, schema->columns[c].type, &zone);
        bool indexed = is_indexed(values->type, &zone, rows);
        ok = ok && write_terms(out, values, distinct, indexed, info.stored, encoder);
    }
    arena_free(&scratch);
    return ok;
}

// Bytes of each row's texts, in the order of `columns`; NULL when there is no memory.
static uint64_t *
text_bytes(const Schema *schema, const Vector *const *columns, uint32_t rows)
{
    uint64_t *bytes = calloc(rows, sizeof(*bytes));
    for (uint32_t c = 0; bytes && c < schema->count; c++) {
        if (!type_is_text(schema->columns[c].type) || vector_is_nothing(columns[c]))
            continue;
        const Text *texts = columns[c]->data;
        for (uint32_t i = 0; i < rows; i++)
            bytes[i] += texts[i].len;
    }
    return bytes;
}

// Rows of the next group: as many as fit by count and by bytes, at least one.
static uint32_t
group_cut(const uint64_t *bytes, const uint32_t *order, uint32_t rows)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rows && i < GROUP_ROWS; i++) {
        sum += bytes[order[i]];
        if (sum > GROUP_BYTES && i)
            return i;
    }
    return rows < GROUP_ROWS ? rows : GROUP_ROWS;
}

// The rows of each group, malloc'ed; NULL when there is no memory.
static uint32_t *
groups_cut(const Schema *schema, const Vector *const *columns, const uint32_t *order, uint32_t rows,
           uint32_t *count)
{
    uint64_t *bytes = text_bytes(schema, columns, rows);
    uint32_t cap = rows / GROUP_ROWS + 16;
    uint32_t *cuts = bytes ? malloc(cap * sizeof(*cuts)) : NULL;
    *count = 0;
    for (uint32_t from = 0; cuts && from < rows; from += cuts[(*count)++]) {
        if (*count == cap) {
            cap *= 2;
            uint32_t *more = realloc(cuts, cap * sizeof(*cuts));
            if (!more)
                free(cuts);
            cuts = more;
            if (!cuts)
                break;
        }
        cuts[*count] = group_cut(bytes, order + from, rows - from);
    }
    free(bytes);
    return cuts;
}

static bool
write_tail(SegmentOut *out, SegmentSummary *summary)
{
    uint64_t at = out->offset, size = out->footer.len;
    summary->checksum = XXH3_64bits(out->footer.data, out->footer.len);
    if (!out_put(out, out->footer.data, out->footer.len))
        return false;
    Buffer tail = {0};
    bytes_put_u64(&tail, at);
    bytes_put_u64(&tail, size);
    bytes_put_u64(&tail, summary->checksum);
    buffer_put(&tail, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE);
    assert(tail.len == SEGMENT_TAIL_SIZE);
    bool ok = out_put(out, tail.data, tail.len) && out_flush(out);
    buffer_free(&tail);
    summary->bytes = out->offset;
    return ok;
}

static bool
write_all(SegmentOut *out, const Schema *schema, const Vector *const *columns,
          const uint32_t *order, uint32_t rows, BlockEncoder *encoder, SegmentSummary *summary)
{
    if (!write_head(out))
        return false;
    put_schema(&out->footer, schema);
    // The number of groups comes before them: cut first.
    uint32_t count;
    uint32_t *cuts = groups_cut(schema, columns, order, rows, &count);
    if (!cuts)
        return error_set(out->error, AZ_LIMIT, "not enough memory to write '%s'", out->path);
    summary->group_rows = cuts;
    summary->group_count = count;
    summary->rows = rows;
    bytes_put_u32(&out->footer, count);
    uint32_t from = 0;
    for (uint32_t g = 0; g < count; from += cuts[g++])
        if (!write_group(out, schema, columns, order + from, cuts[g], encoder))
            return false;
    return write_tail(out, summary) && os_sync(out->fd, out->path, out->error);
}

bool
segment_write(const char *path, const Schema *schema, const Vector *const *columns,
              const uint32_t *order, uint32_t rows, BlockEncoder *encoder, SegmentSummary *summary,
              AzError *error)
{
    assert(rows);
    *summary = (SegmentSummary){0};
    SegmentOut out = {.path = path, .error = error, .terms = term_index_builder_new()};
    out.blocks = calloc(2 * (size_t)schema->count, sizeof(*out.blocks));
    bool ok = out.terms && out.blocks;
    if (!ok)
        error_set(error, AZ_LIMIT, "not enough memory to write '%s'", path);
    out.fd = ok ? os_create(path, error) : -1;
    if (out.fd < 0) {
        term_index_builder_free(out.terms);
        free(out.blocks);
        return false;
    }
    ok = write_all(&out, schema, columns, order, rows, encoder, summary);
    // After a sync, close has nothing left to report.
    close(out.fd);
    buffer_free(&out.pending);
    buffer_free(&out.footer);
    buffer_free(&out.group);
    free(out.blocks);
    for (int type = 0; type < TYPE_LIMIT; type++) {
        buffer_free(&out.nothing[type].stored);
        buffer_free(&out.nothing[type].zone);
    }
    term_index_builder_free(out.terms);
    if (!ok) {
        free(summary->group_rows);
        *summary = (SegmentSummary){0};
        os_unlink(path);
    }
    return ok;
}
