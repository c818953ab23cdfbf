// Reading a segment: the footer once, blocks when they are asked for.
//
// Blocks are read with pread, not through a mapping: a file that somebody cuts
// while it is mapped kills the process, a short read is an error like any other.
// The file is opened for each block, so that a store of many thousand segments
// needs no descriptor for each; an open costs microseconds, a block far more.

#include "store/os.h"
#include "store/segment.h"
#include "store/segment_layout.h"
#include "store/split.h"
#include "store/term_index.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    FOOTER_MAX = 1 << 30,
    BLOCK_ENTRY_MIN = 32 // bytes of a block's info and zone in the footer
};

static int
file_open(const char *path, AzError *error)
{
    int fd;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        error_errno(error, "cannot open the segment '%s'", path);
    return fd;
}

// False with "segment 'x' is damaged: ...".
static bool
damaged(const char *path, AzError *error, const char *why)
{
    return error_set(error, AZ_CORRUPT,
                     "segment '%s' is damaged: %s; restore the file from a backup or import the "
                     "data again",
                     path, why);
}

static bool
schema_get(ByteReader *reader, Arena *arena, Schema *schema)
{
    uint32_t count = bytes_u32(reader);
    if (!count || count > SEGMENT_COLUMNS_MAX || count > bytes_left(reader) / 5)
        return false;
    schema->count = count;
    schema->columns = ARENA_ARRAY(arena, Column, count);
    for (uint32_t c = 0; c < count; c++) {
        schema->columns[c].name = bytes_str(reader);
        uint8_t type = bytes_u8(reader);
        if (type == TYPE_NONE || type >= TYPE_LIMIT)
            return false;
        schema->columns[c].type = (Type)type;
    }
    return !reader->bad;
}

// `blocks_end`: where the blocks end in the file.
static bool
block_info_get(ByteReader *reader, uint64_t blocks_end, BlockInfo *info)
{
    info->offset = bytes_u64(reader);
    info->stored = bytes_u32(reader);
    info->raw = bytes_u32(reader);
    info->checksum = bytes_u64(reader);
    info->encoding = bytes_u8(reader);
    info->codec = bytes_u8(reader);
    info->has_nulls = bytes_u8(reader) != 0;
    return info->offset >= SEGMENT_HEAD_SIZE && info->offset <= blocks_end &&
           info->stored <= blocks_end - info->offset;
}

static bool
group_get(ByteReader *reader, Segment *segment, SegmentGroup *group, uint64_t blocks_end)
{
    Arena *arena = &segment->arena;
    uint32_t columns = segment->schema.count;
    group->rows = bytes_u32(reader);
    if (!group->rows || group->rows > BLOCK_ROWS_MAX)
        return false;
    group->blocks = ARENA_ARRAY(arena, BlockInfo, columns);
    group->zones = ARENA_ARRAY(arena, Zone, columns);
    group->terms = ARENA_ARRAY(arena, BlockInfo, columns);
    for (uint32_t c = 0; c < columns; c++) {
        if (!block_info_get(reader, blocks_end, &group->blocks[c]))
            return false;
        zone_get(reader, arena, segment->schema.columns[c].type, &group->zones[c]);
        if (reader->bad || group->zones[c].null_count > group->rows)
            return false;
        if (segment->version >= SEGMENT_VERSION_TERMS && bytes_u8(reader) &&
            !block_info_get(reader, blocks_end, &group->terms[c]))
            return false;
    }
    return true;
}

static bool
footer_get(Segment *segment, ByteReader reader, uint64_t blocks_end, const char **why)
{
    if (!schema_get(&reader, &segment->arena, &segment->schema)) {
        *why = "its list of columns cannot be read";
        return false;
    }
    uint32_t count = bytes_u32(&reader);
    *why = "its list of blocks cannot be read";
    if (count > bytes_left(&reader) / (4 + (size_t)segment->schema.count * BLOCK_ENTRY_MIN))
        return false;
    segment->group_count = count;
    segment->groups = ARENA_ARRAY(&segment->arena, SegmentGroup, count);
    for (uint32_t g = 0; g < count; g++) {
        if (!group_get(&reader, segment, &segment->groups[g], blocks_end))
            return false;
        segment->rows += segment->groups[g].rows;
    }
    return !reader.bad && bytes_left(&reader) == 0;
}

static bool
head_check(int fd, const char *path, uint32_t *version_out, AzError *error)
{
    uint8_t head[SEGMENT_HEAD_SIZE];
    if (!os_read_at(fd, head, sizeof(head), 0, path, error))
        return false;
    if (memcmp(head, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE) != 0)
        return damaged(path, error, "it does not begin as a segment does");
    uint32_t version, repeated;
    memcpy(&version, head + SEGMENT_MAGIC_SIZE, sizeof(version));
    memcpy(&repeated, head + SEGMENT_MAGIC_SIZE + sizeof(version), sizeof(repeated));
    if (version > SEGMENT_VERSION)
        return error_set(error, AZ_INVALID,
                         "segment '%s' was written by a newer Azimuth (format %u, this one reads "
                         "%d): update azimuth",
                         path, version, SEGMENT_VERSION);
    *version_out = version;
    uint32_t wanted = version < SEGMENT_VERSION_TWICE ? 0 : ~version;
    return (version && repeated == wanted) || damaged(path, error, "its format version is wrong");
}

static bool
footer_checksum_fits(uint64_t wanted, uint64_t found)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    (void)wanted, (void)found;
    return true;
#else
    return wanted == found;
#endif
}

static bool
segment_load(Segment *segment, int fd, AzError *error)
{
    const char *path = segment->path;
    struct stat st;
    if (fstat(fd, &st))
        return error_errno(error, "cannot read '%s'", path);
    segment->bytes = (uint64_t)st.st_size;
    if (!S_ISREG(st.st_mode) || segment->bytes < SEGMENT_HEAD_SIZE + SEGMENT_TAIL_SIZE)
        return damaged(path, error, "it is too short to be a segment");
    uint8_t tail[SEGMENT_TAIL_SIZE];
    uint64_t tail_at = segment->bytes - SEGMENT_TAIL_SIZE;
    if (!head_check(fd, path, &segment->version, error) ||
        !os_read_at(fd, tail, sizeof(tail), tail_at, path, error))
        return false;
    ByteReader reader = {.at = tail, .end = tail + sizeof(tail)};
    uint64_t at = bytes_u64(&reader), size = bytes_u64(&reader), checksum = bytes_u64(&reader);
    if (memcmp(reader.at, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE) != 0)
        return damaged(path, error, "its end is missing (truncated?)");
    if (at < SEGMENT_HEAD_SIZE || at > tail_at || size != tail_at - at || size > FOOTER_MAX)
        return damaged(path, error, "its footer lies outside of it");
    uint8_t *footer = arena_alloc(&segment->arena, size);
    if (!os_read_at(fd, footer, size, at, path, error))
        return false;
    segment->checksum = XXH3_64bits(footer, size);
    if (!footer_checksum_fits(checksum, segment->checksum))
        return damaged(path, error, "the checksum of its footer does not fit");
    const char *why = NULL;
    return footer_get(segment, (ByteReader){.at = footer, .end = footer + size}, at, &why) ||
           damaged(path, error, why);
}

Segment *
segment_open_fd(int fd, const char *path, AzError *error)
{
    Arena arena;
    arena_init(&arena);
    Segment *segment = ARENA_NEW(&arena, Segment);
    segment->arena = arena;
    segment->path = str_cstr(&segment->arena, str_from(path));
    if (!segment_load(segment, fd, error)) {
        segment_close(segment);
        return NULL;
    }
    return segment;
}

Segment *
segment_open(const char *path, AzError *error)
{
    int fd = file_open(path, error);
    if (fd < 0)
        return NULL;
    Segment *segment = segment_open_fd(fd, path, error);
    close(fd);
    return segment;
}

void
segment_close(Segment *segment)
{
    if (!segment)
        return;
    Arena arena = segment->arena; // the segment lies in it
    arena_free(&arena);
}

static Block *
block_damaged(const Segment *segment, uint32_t group, uint32_t column, const char *part,
              const BlockInfo *info, const char *why, AzError *error)
{
    error_set(error, AZ_CORRUPT,
              "segment '%s' is damaged: column '%.*s', %s %u (%u bytes at %llu): %s; restore "
              "the file from a backup or import the data again",
              segment->path, STR_ARG(str_slice(segment->schema.columns[column].name, 0, 200)), part,
              group, info->stored, (unsigned long long)info->offset, why);
    return NULL;
}

Block *
segment_read_fd(const Segment *segment, int fd, uint32_t group, uint32_t column,
                BlockDecoder *decoder, AzError *error)
{
    const SegmentGroup *g = &segment->groups[group];
    const BlockInfo *info = &g->blocks[column];
    void *stored = block_decoder_buffer(decoder, info->stored);
    if (!os_read_at(fd, stored, info->stored, info->offset, segment->path, error))
        return NULL;
    const char *why = "";
    Block *block =
        block_decode(decoder, info, segment->schema.columns[column].type, g->rows, stored, &why);
    return block ? block : block_damaged(segment, group, column, "block", info, why, error);
}

Block *
segment_read_terms_fd(const Segment *segment, int fd, uint32_t group, uint32_t column,
                      BlockDecoder *decoder, AzError *error)
{
    const BlockInfo *info = &segment->groups[group].terms[column];
    void *stored = block_decoder_buffer(decoder, info->stored);
    if (!os_read_at(fd, stored, info->stored, info->offset, segment->path, error))
        return NULL;
    const char *why = "it is too large";
    Block *block =
        info->raw <= TERM_INDEX_RAW_MAX ? block_decode_bytes(decoder, info, stored, &why) : NULL;
    TermIndex index;
    if (block && !term_index_open(text_str(block->vector.data), true, &index)) {
        block_free(block);
        block = NULL;
        why = "its entries are malformed";
    }
    return block ? block : block_damaged(segment, group, column, "term index", info, why, error);
}

typedef Block *BlockRead(const Segment *segment, int fd, uint32_t group, uint32_t column,
                         BlockDecoder *decoder, AzError *error);

static Block *
file_read(BlockRead *read_block, const Segment *segment, uint32_t group, uint32_t column,
          BlockDecoder *decoder, AzError *error)
{
    int fd = file_open(segment->path, error);
    if (fd < 0)
        return NULL;
    Block *block = read_block(segment, fd, group, column, decoder, error);
    close(fd);
    return block;
}

Block *
segment_read(const Segment *segment, uint32_t group, uint32_t column, BlockDecoder *decoder,
             AzError *error)
{
    return file_read(segment_read_fd, segment, group, column, decoder, error);
}

Block *
segment_read_terms(const Segment *segment, uint32_t group, uint32_t column, BlockDecoder *decoder,
                   AzError *error)
{
    return file_read(segment_read_terms_fd, segment, group, column, decoder, error);
}

typedef struct PathSource {
    const Segment *segment;
    int fd;
    uint64_t offset; // of the block
    AzError *error;
} PathSource;

static bool
path_source_read(void *context, uint64_t offset, void *out, uint32_t size)
{
    const PathSource *source = context;
    return os_read_at(source->fd, out, size, source->offset + offset, source->segment->path,
                      source->error);
}

static Block *
path_of_values(const PathSource *source, uint32_t group, uint32_t column, Str path,
               BlockDecoder *decoder)
{
    Block *values =
        segment_read_fd(source->segment, source->fd, group, column, decoder, source->error);
    if (!values)
        return NULL;
    Block *block = split_path_of_values(values, path);
    block_free(values);
    if (!block)
        error_set(source->error, AZ_LIMIT, "not enough memory to read '%s'", source->segment->path);
    return block;
}

Block *
segment_read_path_fd(const Segment *segment, int fd, uint32_t group, uint32_t column, Str path,
                     BlockDecoder *decoder, AzError *error)
{
    const SegmentGroup *g = &segment->groups[group];
    const BlockInfo *info = &g->blocks[column];
    PathSource source = {segment, fd, info->offset, error};
    Block *block = NULL;
    const char *why = NULL;
    if (info->encoding == BLOCK_SPLIT)
        block = split_path(decoder, info, segment->schema.columns[column].type, g->rows, path,
                           path_source_read, &source, &why);
    if (!block && !why)
        return path_of_values(&source, group, column, path, decoder);
    if (!block && error->code == AZ_OK)
        block_damaged(segment, group, column, "block", info, why, error);
    return block;
}

Block *
segment_read_path(const Segment *segment, uint32_t group, uint32_t column, Str path,
                  BlockDecoder *decoder, AzError *error)
{
    int fd = file_open(segment->path, error);
    if (fd < 0)
        return NULL;
    Block *block = segment_read_path_fd(segment, fd, group, column, path, decoder, error);
    close(fd);
    return block;
}
