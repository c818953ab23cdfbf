// Reading files for ingest: see ingest_stream.h.
//
// One `fill` brings raw bytes, one decoder for each compression turns them into
// the stream's bytes. A decoder that meets damage sets `problem` and ends the
// stream: what came before it was read correctly (gzip and zstd check each member
// only at its end, so the last rows of a damaged file may be wrong in principle;
// the problem is reported with the import).

#include "store/ingest_stream.h"

#include "value/unicode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { RAW_SIZE = 1 << 17 };

typedef enum StreamKind { STREAM_PLAIN, STREAM_GZIP, STREAM_ZSTD, STREAM_UTF16 } StreamKind;

struct IngestStream {
    int file;   // -1 for bytes in memory
    Str memory; // what is left of them
    StreamKind kind;
    uint64_t size, taken; // raw bytes: at opening, and brought by fill so far
    uint64_t left;        // bytes it may still give
    bool between;         // between two members or frames: the end may come here
    z_stream inflate;
    ZSTD_DStream *zstd;
    // UTF-16: the unit that is half read, the high surrogate that waits for its partner,
    // and UTF-8 that did not fit.
    bool big_endian, half;
    uint8_t first;
    uint32_t high;
    Buffer utf8;
    size_t utf8_from;
    size_t raw_from, raw_len; // unread bytes of raw
    bool failed;
    char problem[200];
    unsigned char raw[RAW_SIZE];
};

static void
stream_fail(IngestStream *stream, const char *what)
{
    uint64_t at = stream->taken - stream->raw_len;
    snprintf(stream->problem, sizeof(stream->problem), "%s at byte %llu of the file", what,
             (unsigned long long)at);
    stream->failed = true;
}

// Brings more raw bytes when there are none. False at the end of the file.
static bool
stream_fill(IngestStream *stream)
{
    if (stream->raw_len)
        return true;
    if (stream->failed || stream->taken >= stream->size)
        return false;
    uint64_t left = stream->size - stream->taken;
    size_t wanted = left < RAW_SIZE ? (size_t)left : RAW_SIZE;
    ssize_t got = 0;
    if (stream->file < 0) {
        memcpy(stream->raw, stream->memory.ptr, wanted); // wanted > 0
        stream->memory = str_slice(stream->memory, wanted, stream->memory.len);
        got = (ssize_t)wanted;
    } else {
        do
            got = read(stream->file, stream->raw, wanted);
        while (got < 0 && errno == EINTR);
    }
    if (got < 0) {
        char what[120];
        snprintf(what, sizeof(what), "the file cannot be read (%s)", strerror(errno));
        stream_fail(stream, what);
        return false;
    }
    if (got == 0) { // it has shrunk since it was opened
        stream->size = stream->taken;
        return false;
    }
    stream->raw_from = 0;
    stream->raw_len = (size_t)got;
    stream->taken += (uint64_t)got;
    return true;
}

static void
raw_advance(IngestStream *stream, size_t count)
{
    stream->raw_from += count;
    stream->raw_len -= count;
}

static void
stream_detect(IngestStream *stream)
{
    static const unsigned char gzip_magic[] = {0x1F, 0x8B};
    static const unsigned char zstd_magic[] = {0x28, 0xB5, 0x2F, 0xFD};
    if (!stream_fill(stream))
        return;
    const unsigned char *head = stream->raw + stream->raw_from;
    if (stream->raw_len >= 2 && memcmp(head, gzip_magic, 2) == 0) {
        // 15 + 16: largest window, gzip wrapper only.
        if (inflateInit2(&stream->inflate, 15 + 16) != Z_OK)
            stream_fail(stream, "there is no memory to unpack gzip");
        else
            stream->kind = STREAM_GZIP;
    } else if (stream->raw_len >= 4 && memcmp(head, zstd_magic, 4) == 0) {
        stream->zstd = ZSTD_createDStream();
        // A window beyond 128 MiB (zstd's own limit) is refused: memory stays bounded.
        if (!stream->zstd || ZSTD_isError(ZSTD_initDStream(stream->zstd)))
            stream_fail(stream, "there is no memory to unpack zstd");
        else
            stream->kind = STREAM_ZSTD;
    } else if (stream->raw_len >= 2 &&
               (memcmp(head, "\xFF\xFE", 2) == 0 || memcmp(head, "\xFE\xFF", 2) == 0)) {
        // What Windows PowerShell writes when output is sent to a file.
        stream->kind = STREAM_UTF16;
        stream->big_endian = head[0] == 0xFE;
        raw_advance(stream, 2);
    }
}

static IngestStream *
stream_new(int file, Str memory, uint64_t size)
{
    IngestStream *stream = calloc(1, sizeof(*stream));
    if (!stream) {
        fprintf(stderr, "azimuth: out of memory (opening a file)\n");
        abort();
    }
    stream->file = file;
    stream->memory = memory;
    stream->size = size;
    stream->left = UINT64_MAX;
    stream_detect(stream);
    return stream;
}

IngestStream *
ingest_stream_open(const char *path, AzError *error)
{
    // Non-blocking, so that opening a pipe nobody writes to does not hang.
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        error_errno(error, "cannot open '%s'", path);
        return NULL;
    }
    struct stat info;
    if (fstat(file, &info) || !S_ISREG(info.st_mode)) {
        close(file);
        error_set(error, AZ_INVALID, "'%s' is not a regular file", path);
        return NULL;
    }
    return stream_new(file, (Str){0}, (uint64_t)info.st_size);
}

IngestStream *
ingest_stream_memory(Str bytes)
{
    return stream_new(-1, bytes, bytes.len);
}

void
ingest_stream_close(IngestStream *stream)
{
    if (!stream)
        return;
    if (stream->kind == STREAM_GZIP)
        inflateEnd(&stream->inflate);
    ZSTD_freeDStream(stream->zstd);
    buffer_free(&stream->utf8);
    if (stream->file >= 0)
        close(stream->file);
    free(stream);
}

static size_t
read_plain(IngestStream *stream, char *out, size_t cap)
{
    size_t count = stream->raw_len < cap ? stream->raw_len : cap;
    memcpy(out, stream->raw + stream->raw_from, count);
    raw_advance(stream, count);
    return count;
}

static size_t
read_gzip(IngestStream *stream, char *out, size_t cap)
{
    if (stream->between && stream->raw_len) {
        // After a member: another one, or padding that gzip ignores too.
        if (stream->raw[stream->raw_from] != 0x1F) {
            raw_advance(stream, 1);
            return 0;
        }
        inflateReset(&stream->inflate);
        stream->between = false;
    }
    z_stream *z = &stream->inflate;
    z->next_in = stream->raw + stream->raw_from;
    z->avail_in = (uInt)stream->raw_len;
    z->next_out = (Bytef *)out;
    z->avail_out = cap > 1u << 30 ? 1u << 30 : (uInt)cap;
    uInt room = z->avail_out;
    int status = inflate(z, Z_NO_FLUSH);
    raw_advance(stream, stream->raw_len - z->avail_in);
    if (status == Z_STREAM_END)
        stream->between = true;
    else if (status != Z_OK && status != Z_BUF_ERROR)
        stream_fail(stream, "the gzip data is damaged");
    return room - z->avail_out;
}

static size_t
read_zstd(IngestStream *stream, char *out, size_t cap)
{
    ZSTD_inBuffer in = {stream->raw + stream->raw_from, stream->raw_len, 0};
    ZSTD_outBuffer to = {out, cap, 0};
    size_t status = ZSTD_decompressStream(stream->zstd, &to, &in);
    raw_advance(stream, in.pos);
    if (ZSTD_isError(status))
        stream_fail(stream, "the zstd data is damaged");
    stream->between = status == 0;
    return to.pos;
}

// A lone surrogate becomes U+FFFD.
static void
put_unit(IngestStream *stream, uint32_t unit)
{
    bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
    bool is_high = unit >= 0xD800 && unit <= 0xDBFF;
    if (stream->high && is_low) {
        utf8_put(&stream->utf8, 0x10000 + ((stream->high - 0xD800) << 10) + (unit - 0xDC00));
        stream->high = 0;
        return;
    }
    if (stream->high)
        utf8_put(&stream->utf8, 0xFFFD);
    stream->high = is_high ? unit : 0;
    if (!is_high)
        utf8_put(&stream->utf8, is_low ? 0xFFFD : unit);
}

static size_t
read_utf16(IngestStream *stream, char *out, size_t cap)
{
    if (stream->utf8_from == stream->utf8.len) {
        buffer_clear(&stream->utf8);
        stream->utf8_from = 0;
        for (; stream->raw_len; raw_advance(stream, 1)) {
            uint8_t byte = stream->raw[stream->raw_from];
            if (stream->half)
                put_unit(stream, stream->big_endian ? (uint32_t)(stream->first << 8 | byte)
                                                    : (uint32_t)(byte << 8 | stream->first));
            stream->first = byte;
            stream->half = !stream->half;
        }
    }
    size_t left = stream->utf8.len - stream->utf8_from;
    size_t count = left < cap ? left : cap;
    if (count)
        memcpy(out, stream->utf8.data + stream->utf8_from, count);
    stream->utf8_from += count;
    return count;
}

// Whether a decoder may still hold output although the file has ended.
static size_t
read_rest(IngestStream *stream, char *out, size_t cap)
{
    if (stream->failed || stream->kind == STREAM_PLAIN || stream->between)
        return 0;
    if (stream->kind == STREAM_UTF16) {
        if (stream->utf8_from < stream->utf8.len)
            return read_utf16(stream, out, cap);
        if (stream->half || stream->high)
            stream_fail(stream, "the UTF-16 text ends inside a character");
        return 0;
    }
    size_t count =
        stream->kind == STREAM_GZIP ? read_gzip(stream, out, cap) : read_zstd(stream, out, cap);
    if (!count && !stream->failed && !stream->between)
        stream_fail(stream, stream->kind == STREAM_GZIP ? "the gzip data ends early"
                                                        : "the zstd data ends early");
    return count;
}

size_t
ingest_stream_read(IngestStream *stream, char *out, size_t cap)
{
    static size_t (*const readers[])(IngestStream *, char *,
                                     size_t) = {[STREAM_PLAIN] = read_plain,
                                                [STREAM_GZIP] = read_gzip,
                                                [STREAM_ZSTD] = read_zstd,
                                                [STREAM_UTF16] = read_utf16};
    size_t done = 0;
    if (cap > stream->left)
        cap = (size_t)stream->left;
    while (done < cap && !stream->failed) {
        if (stream_fill(stream)) {
            done += readers[stream->kind](stream, out + done, cap - done);
            continue;
        }
        size_t count = read_rest(stream, out + done, cap - done);
        if (!count)
            break;
        done += count;
    }
    stream->left -= stream->left == UINT64_MAX ? 0 : done;
    return done;
}

void
ingest_stream_limit(IngestStream *stream, uint64_t bytes)
{
    stream->left = bytes;
}

const char *
ingest_stream_problem(const IngestStream *stream)
{
    return stream->failed ? stream->problem : NULL;
}

uint64_t
ingest_stream_position(const IngestStream *stream)
{
    return stream->taken - stream->raw_len;
}

uint64_t
ingest_stream_size(const IngestStream *stream)
{
    return stream->size;
}
