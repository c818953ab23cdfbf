// Files of rows; see spill.h.
//
// A piece is laid out so that columns of numbers are used where they were read: each array begins
// at a multiple of 16 bytes. A column: its encoding, the number of its payloads and whether some
// are null; codes of a dictionary; null bits; payloads, of texts their lengths and then the bytes.

#include "exec/spill.h"

#include "base/array.h"
#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

struct SpillFile {
    int fd;
    _Atomic uint64_t size;
    Exec *exec;
    SpillFile *next;
};

struct SpillArea {
    pthread_mutex_t mutex;
    SpillFile *files;
    _Atomic uint64_t bytes;
};

// ---- files ----

// Where temporary files go: not /tmp, which on many machines is memory.
static const char *
spill_dir(const Exec *exec)
{
    const char *chosen = exec->options->spill_dir;
    if (!chosen || !*chosen)
        chosen = getenv("TMPDIR");
    return chosen && *chosen ? chosen : "/var/tmp";
}

static int
open_unlinked(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    Arena arena = {0};
    char *path = (char *)(uintptr_t)str_format(&arena, "%s/azimuth-XXXXXX", dir).ptr;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    arena_free(&arena);
    return fd;
}

static bool
fail(const SpillFile *file, const char *what, AzError *error)
{
    return error_errno(
        error,
        "the query's memory (--memory) has no room for all its rows, and the temporary file in "
        "'%s' %s; free some space, name another folder with --spill-dir, or give "
        "the query more memory",
        spill_dir(file->exec), what);
}

// Under the area's mutex.
static SpillFile *
add_file(Exec *exec, AzError *error)
{
    SpillFile *file = calloc(1, sizeof(*file));
    if (!file) {
        error_set(error, AZ_LIMIT, "not enough memory for a temporary file");
        return NULL;
    }
    file->exec = exec;
    file->fd = open_unlinked(spill_dir(exec));
    if (file->fd < 0) {
        fail(file, "cannot be made", error);
        free(file);
        return NULL;
    }
    file->next = exec->spill->files;
    exec->spill->files = file;
    return file;
}

SpillFile *
spill_file_shared(Exec *exec, SpillFile **file, AzError *error)
{
    pthread_mutex_lock(&exec->spill->mutex);
    if (!*file)
        *file = add_file(exec, error);
    SpillFile *shared = *file;
    pthread_mutex_unlock(&exec->spill->mutex);
    return shared;
}

SpillFile *
spill_file_new(Exec *exec, AzError *error)
{
    SpillFile *file = NULL;
    return spill_file_shared(exec, &file, error);
}

SpillArea *
spill_area_new(Arena *arena)
{
    SpillArea *area = ARENA_NEW(arena, SpillArea);
    pthread_mutex_init(&area->mutex, NULL);
    return area;
}

SpillFile *
spill_last(const Exec *exec)
{
    return exec->spill->files;
}

void
spill_close_since(Exec *exec, const SpillFile *last)
{
    SpillArea *area = exec->spill;
    while (area->files != last) {
        SpillFile *file = area->files;
        area->files = file->next;
        close(file->fd);
        free(file);
    }
}

void
spill_close(Exec *exec)
{
    spill_close_since(exec, NULL);
    pthread_mutex_destroy(&exec->spill->mutex);
}

uint64_t
spill_bytes(const Exec *exec)
{
    return exec->spill->bytes;
}

// ---- writing ----

enum { ALIGN = 16, SOME_NULL = 4 }; // the encoding takes the two bits below

static void
put_padding(Buffer *out)
{
    static const char ZEROES[ALIGN];
    buffer_put(out, ZEROES, (ALIGN - out->len % ALIGN) % ALIGN);
}

static void
put_array(Buffer *out, const void *data, size_t size)
{
    buffer_put(out, data, size);
    put_padding(out);
}

static void
put_texts(Buffer *out, const Text *texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buffer_put(out, &texts[i].len, sizeof(texts[i].len));
    for (uint32_t i = 0; i < count; i++)
        buffer_str(out, text_str(&texts[i]));
    put_padding(out);
}

static void
put_column(Buffer *out, const Vector *v)
{
    const Vector *payload = vector_payload(v);
    uint32_t count = v->encoding == ENC_CONST ? 1 : payload->count;
    uint32_t head[ALIGN / sizeof(uint32_t)] = {
        (uint32_t)v->encoding | (payload->valid ? SOME_NULL : 0), count};
    buffer_put(out, head, sizeof(head));
    if (v->encoding == ENC_DICT)
        put_array(out, v->codes, v->count * sizeof(uint32_t));
    if (payload->valid)
        put_array(out, payload->valid, bit_words(count) * sizeof(uint64_t));
    if (type_is_text(v->type))
        put_texts(out, payload->data, count);
    else
        put_array(out, payload->data, count * type_size(v->type));
}

static bool
write_all(const SpillFile *file, uint64_t offset, Str bytes, AzError *error)
{
    while (bytes.len) {
        ssize_t written = pwrite(file->fd, bytes.ptr, bytes.len, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(file, "cannot be written", error);
        offset += (uint64_t)written;
        bytes = str_slice(bytes, (size_t)written, bytes.len);
    }
    return true;
}

// For the operator that is being run: all it writes is told of it.
static void
count_bytes(const Exec *exec, size_t bytes)
{
    atomic_fetch_add(&exec->spill->bytes, bytes);
    if (exec->node)
        atomic_fetch_add(&exec->node->spilled, bytes);
}

// Adds rows `places` of the batch to the buffer, as a piece.
static bool
put_piece(Buffer *buffer, Arena *arena, const Batch *batch, const uint32_t *places, uint32_t rows,
          SpillPiece *piece, AzError *error)
{
    piece->offset = buffer->len;
    piece->rows = (uint16_t)rows;
    for (uint32_t c = 0; c < batch->column_count; c++) {
        const Vector *v = vector_gather(arena, batch->columns[c], places, rows);
        // A dictionary of more entries than rows would be written for nothing.
        if (v->encoding == ENC_DICT && v->dict->count > rows)
            v = vector_flatten(arena, v);
        put_column(buffer, v);
    }
    Str bytes = str_slice(buffer_slice(buffer), piece->offset, buffer->len);
    if (bytes.len > UINT32_MAX)
        return error_set(error, AZ_LIMIT, "%u rows of more than 4 GB cannot be kept on disk", rows);
    piece->bytes = (uint32_t)bytes.len;
    piece->checksum = XXH3_64bits(bytes.ptr, bytes.len);
    return true;
}

// Writes what the buffer holds behind all that is in the file, from `offset` on.
static bool
write_buffer(SpillFile *file, const Buffer *buffer, uint64_t *offset, AzError *error)
{
    *offset = atomic_fetch_add(&file->size, buffer->len);
    if (!write_all(file, *offset, buffer_slice(buffer), error))
        return false;
    count_bytes(file->exec, buffer->len);
    return true;
}

static void
add_piece(Arena *arena, SpillPieces *pieces, SpillPiece piece)
{
    ARRAY_PUSH(arena, pieces, piece);
    pieces->rows += piece.rows;
}

static uint32_t
piece_rows(uint32_t left)
{
    return left < SPILL_PIECE_ROWS ? left : SPILL_PIECE_ROWS;
}

bool
spill_write(SpillFile *file, const Batch *batch, uint64_t sequence, Arena *arena,
            SpillPieces *pieces, AzError *error)
{
    Arena scratch = {0};
    Buffer buffer = {0};
    bool done = true;
    uint32_t rows;
    for (uint32_t from = 0; done && from < batch->selected; from += rows) {
        rows = piece_rows(batch->selected - from);
        uint32_t *places = arena_alloc_array(&scratch, rows, sizeof(uint32_t));
        for (uint32_t i = 0; i < rows; i++)
            places[i] = batch_row(batch, from + i);
        SpillPiece piece = {.sequence = sequence + from};
        uint64_t offset = 0;
        buffer_clear(&buffer);
        done = put_piece(&buffer, &scratch, batch, places, rows, &piece, error) &&
               write_buffer(file, &buffer, &offset, error);
        piece.offset = offset;
        if (done)
            add_piece(arena, pieces, piece);
        arena_reset(&scratch);
    }
    buffer_free(&buffer);
    arena_free(&scratch);
    return done;
}

bool
spill_write_deal(SpillFile *file, const SpillDeal *deal, Arena *arena, SpillPieces *pieces,
                 Buffer *buffer, AzError *error)
{
    SpillPieces made = *pieces;
    buffer_clear(buffer);
    uint32_t rows;
    for (uint32_t p = 0; p < deal->lists; p++)
        for (uint32_t at = deal->starts[p]; at < deal->starts[p + 1]; at += rows) {
            rows = piece_rows(deal->starts[p + 1] - at);
            SpillPiece piece = {.sequence = deal->sequences[deal->rows[at]], .list = (uint16_t)p};
            if (!put_piece(buffer, arena, deal->batch, deal->rows + at, rows, &piece, error))
                return false;
            add_piece(arena, &made, piece);
        }
    uint64_t offset;
    if (!write_buffer(file, buffer, &offset, error))
        return false;
    for (size_t i = pieces->len; i < made.len; i++)
        made.items[i].offset += offset;
    *pieces = made;
    return true;
}

static int
piece_order(const void *a, const void *b)
{
    const SpillPiece *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

SpillPieces
spill_pieces_join(Arena *arena, const SpillPieces *const *lists, size_t count)
{
    SpillPieces all = {0};
    for (size_t l = 0; l < count; l++)
        all.len += lists[l]->len;
    all.items = ARENA_ARRAY(arena, SpillPiece, all.len + 1);
    size_t at = 0;
    for (size_t l = 0; l < count; l++) {
        if (lists[l]->len)
            memcpy(all.items + at, lists[l]->items, lists[l]->len * sizeof(SpillPiece));
        at += lists[l]->len;
        all.rows += lists[l]->rows;
    }
    if (all.len)
        qsort(all.items, all.len, sizeof(SpillPiece), piece_order);
    all.cap = all.len;
    return all;
}

// ---- reading ----

typedef struct Reader {
    char *at;
    Arena *arena;
} Reader;

static void *
take_array(Reader *reader, size_t size)
{
    void *array = reader->at;
    reader->at += (size + ALIGN - 1) / ALIGN * ALIGN;
    return array;
}

static Text *
take_texts(Reader *reader, uint32_t count)
{
    Text *texts = arena_alloc_array(reader->arena, count, sizeof(Text));
    const uint32_t *lengths = (const uint32_t *)(const void *)reader->at;
    const char *bytes = reader->at + count * sizeof(uint32_t);
    size_t used = count * sizeof(uint32_t);
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = text_view(bytes, lengths[i]);
        bytes += lengths[i];
        used += lengths[i];
    }
    take_array(reader, used);
    return texts;
}

static const Vector *
take_column(Reader *reader, Type type, uint32_t rows)
{
    const uint32_t *head = take_array(reader, ALIGN);
    Encoding encoding = (Encoding)(head[0] & 3);
    uint32_t count = head[1];
    Vector *payload = ARENA_NEW(reader->arena, Vector);
    *payload = (Vector){.type = type, .encoding = ENC_FLAT, .count = count};
    const uint32_t *codes =
        encoding == ENC_DICT ? take_array(reader, rows * sizeof(uint32_t)) : NULL;
    if (head[0] & SOME_NULL)
        payload->valid = take_array(reader, bit_words(count) * sizeof(uint64_t));
    payload->data = type_is_text(type) ? (void *)take_texts(reader, count)
                                       : take_array(reader, count * type_size(type));
    if (encoding == ENC_DICT)
        return vector_new_dict(reader->arena, payload, codes, rows);
    payload->encoding = encoding;
    payload->count = rows;
    return payload;
}

static bool
read_all(const SpillFile *file, char *out, const SpillPiece *piece, AzError *error)
{
    if (!piece->bytes)
        return true; // rows without columns
    for (uint32_t done = 0; done < piece->bytes;) {
        ssize_t got =
            pread(file->fd, out + done, piece->bytes - done, (off_t)(piece->offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(file, "cannot be read", error);
        if (!got)
            break;
        done += (uint32_t)got;
        if (done == piece->bytes && XXH3_64bits(out, done) == piece->checksum)
            return true;
    }
    return error_set(error, AZ_CORRUPT,
                     "the temporary file in '%s' is not what was written to it; check the disk, or "
                     "name another folder with --spill-dir",
                     spill_dir(file->exec));
}

Batch *
spill_read(const SpillFile *file, const SpillPiece *piece, const Schema *schema, Arena *arena,
           AzError *error)
{
    Reader reader = {arena_alloc_aligned(arena, piece->bytes, ALIGN), arena};
    if (!read_all(file, reader.at, piece, error))
        return NULL;
    Batch *batch = batch_new(arena, schema->count, piece->rows);
    for (uint32_t c = 0; c < schema->count; c++)
        batch->columns[c] = take_column(&reader, schema->columns[c].type, piece->rows);
    return batch;
}
