#include "collect/archive.h"

#include "base/array.h"
#include "collect/redact.h"
#include "store/ingest_stream.h"
#include "store/os.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static const Str MANIFEST = STR_INIT("manifest.collect");
enum { BLOCK = 512, NAME_MOST = 100, LEVEL = 9, PART = 1 << 17 };

// The header of an entry (POSIX.1-2001, ustar interchange format).
typedef struct TarHeader {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], kind, link[100],
        magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
} TarHeader;
_Static_assert(sizeof(TarHeader) == BLOCK, "a tar header is one block");

static unsigned
header_sum(const TarHeader *header)
{
    TarHeader copy = *header;
    unsigned sum = 0;
    memset(copy.checksum, ' ', sizeof(copy.checksum));
    for (size_t i = 0; i < sizeof(copy); i++)
        sum += ((const unsigned char *)&copy)[i];
    return sum;
}

static bool
is_member(Str name)
{
    bool plain = name.len > 0 && name.len <= NAME_MOST && name.ptr[0] != '.';
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        plain = plain && ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                          c == '-' || c == '.');
    }
    return plain && (str_ends(name, STR(".jsonl")) || str_equal(name, MANIFEST));
}

// ---- writing ----

typedef struct Writer {
    ZSTD_CCtx *zstd;
    int fd;
    const char *path;
    AzError *error;
    char out[PART];
} Writer;

static bool
put(Writer *writer, const void *data, size_t size, bool end)
{
    ZSTD_inBuffer in = {data, size, 0};
    for (;;) {
        ZSTD_outBuffer out = {writer->out, sizeof(writer->out), 0};
        size_t left =
            ZSTD_compressStream2(writer->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return error_set(writer->error, AZ_IO, "cannot pack '%s': %s", writer->path,
                             ZSTD_getErrorName(left));
        if (out.pos && !os_write(writer->fd, writer->out, out.pos, writer->path, writer->error))
            return false;
        if (end ? left == 0 : in.pos == in.size)
            return true;
    }
}

static bool
put_header(Writer *writer, Str name, uint64_t size)
{
    TarHeader header = {.kind = '0'};
    memcpy(header.name, name.ptr, name.len);
    memcpy(header.mode, "0000600", 8);
    memcpy(header.uid, "0000000", 8);
    memcpy(header.gid, "0000000", 8);
    memcpy(header.mtime, "00000000000", 12);
    memcpy(header.magic, "ustar", 6);
    memcpy(header.version, "00", 2);
    if (size >> 33) { // more than eleven octal digits: binary, as GNU tar has it
        header.size[0] = (char)0x80;
        for (int i = 0; i < 8; i++)
            header.size[11 - i] = (char)(size >> (8 * i) & 255);
    } else {
        snprintf(header.size, sizeof(header.size), "%011llo", (unsigned long long)size);
    }
    snprintf(header.checksum, sizeof(header.checksum), "%06o", header_sum(&header) & 0777777);
    header.checksum[7] = ' ';
    return put(writer, &header, sizeof(header), false);
}

static bool
put_file(Writer *writer, Str name, const char *path)
{
    char part[PART];
    struct stat info;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &info)) {
        error_errno(writer->error, "cannot read '%s'", path);
        if (file)
            fclose(file);
        return false;
    }
    uint64_t left = (uint64_t)info.st_size;
    bool done = put_header(writer, name, left);
    while (done && left) {
        size_t got = fread(part, 1, left < sizeof(part) ? (size_t)left : sizeof(part), file);
        left -= got;
        done = got ? put(writer, part, got, false)
                   : error_set(writer->error, AZ_IO, "'%s' became shorter while it was read", path);
    }
    static const char zeros[BLOCK];
    size_t over = (size_t)((uint64_t)info.st_size % BLOCK);
    fclose(file);
    return done && (!over || put(writer, zeros, BLOCK - over, false));
}

typedef struct Names {
    Str *items;
    size_t len, cap;
} Names;

static int
compare_names(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

static bool
list_members(Arena *arena, const char *folder, Names *names, AzError *error)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return error_errno(error, "cannot read the folder '%s'", folder);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (is_member(str_from(entry->d_name)))
            ARRAY_PUSH(arena, names, str_copy(arena, str_from(entry->d_name)));
    closedir(dir);
    if (names->len)
        qsort(names->items, names->len, sizeof(*names->items), compare_names);
    return true;
}

// The manifest's last line says that nothing is missing.
static bool
is_complete(Arena *arena, const char *folder)
{
    static const char END[] = "{\"kind\":\"end\"}\n";
    char tail[sizeof(END) - 1];
    char *path = str_cstr(arena, str_format(arena, "%s/%.*s", folder, STR_ARG(MANIFEST)));
    FILE *file = fopen(path, "re");
    bool complete = file && !fseek(file, -(long)sizeof(tail), SEEK_END) &&
                    fread(tail, 1, sizeof(tail), file) == sizeof(tail) &&
                    memcmp(tail, END, sizeof(tail)) == 0;
    if (file)
        fclose(file);
    return complete;
}

// Each file, redacted into one beside the archive first: a header tells its size.
static bool
put_redacted(Writer *writer, Arena *arena, const char *folder, const Names *names)
{
    Redactor *redactor = redactor_new();
    char *fresh = str_cstr(arena, str_format(arena, "%s.redacted", writer->path));
    bool done = true;
    for (size_t i = 0; done && i < names->len; i++)
        if (!str_equal(names->items[i], MANIFEST))
            done = redactor_learn(
                redactor, names->items[i],
                str_cstr(arena, str_format(arena, "%s/%.*s", folder, STR_ARG(names->items[i]))),
                writer->error);
    for (size_t i = 0; done && i < names->len; i++) {
        if (str_equal(names->items[i], MANIFEST))
            continue;
        char *path =
            str_cstr(arena, str_format(arena, "%s/%.*s", folder, STR_ARG(names->items[i])));
        done = redactor_write(redactor, names->items[i], path, fresh, writer->error) &&
               put_file(writer, names->items[i], fresh);
    }
    os_unlink(fresh);
    redactor_free(redactor);
    return done;
}

static bool
put_all(Writer *writer, Arena *arena, const char *folder, bool redact)
{
    static const char zeros[2 * BLOCK];
    Names names = {0};
    bool done = list_members(arena, folder, &names, writer->error);
    if (redact)
        done = done && put_redacted(writer, arena, folder, &names);
    for (size_t i = 0; !redact && done && i < names.len; i++)
        done = put_file(
            writer, names.items[i],
            str_cstr(arena, str_format(arena, "%s/%.*s", folder, STR_ARG(names.items[i]))));
    return done && put(writer, zeros, sizeof(zeros), true);
}

bool
archive_write(const char *folder, const char *path, bool redact, AzError *error)
{
    Arena arena = {0};
    if (!is_complete(&arena, folder)) {
        arena_free(&arena);
        return error_set(error, AZ_INVALID,
                         "'%s' holds no complete collection: run 'azimuth collect %s' to its end "
                         "first",
                         folder, folder);
    }
    char *fresh = str_cstr(&arena, str_format(&arena, "%s.new", path));
    Writer *writer = calloc(1, sizeof(*writer));
    if (!writer)
        abort();
    writer->path = fresh;
    writer->error = error;
    os_unlink(fresh);
    // What a tenant holds is for its owner.
    writer->fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool done = writer->fd >= 0 || error_errno(error, "cannot create '%s'", fresh);
    if (done) {
        writer->zstd = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
        done = put_all(writer, &arena, folder, redact) && os_sync(writer->fd, fresh, error);
        ZSTD_freeCCtx(writer->zstd);
        close(writer->fd);
        done = done && os_rename(fresh, path, error);
        if (!done)
            os_unlink(fresh);
    }
    free(writer);
    arena_free(&arena);
    return done;
}

// ---- reading ----

bool
archive_is_named(const char *path)
{
    return str_ends(str_from(path), STR(".tar.zst"));
}

static bool
read_size(const TarHeader *header, uint64_t *size)
{
    const unsigned char *text = (const unsigned char *)header->size;
    *size = 0;
    if (text[0] == 0x80) {
        for (int i = 1; i < 4; i++)
            if (text[i])
                return false;
        for (int i = 4; i < 12; i++)
            *size = *size << 8 | text[i];
        return *size >> 62 == 0;
    }
    for (int i = 0; i < 12 && text[i] && text[i] != ' '; i++) {
        if (text[i] < '0' || text[i] > '7')
            return false;
        *size = *size << 3 | (uint64_t)(text[i] - '0');
    }
    return true;
}

static bool
all_zero(const TarHeader *header)
{
    static const TarHeader zero;
    return memcmp(header, &zero, sizeof(zero)) == 0;
}

// One entry; *end at the end of the archive.
static bool
take_entry(IngestStream *stream, const char *path, const char *folder, bool *end, AzError *error)
{
    TarHeader header;
    Arena arena = {0};
    uint64_t size = 0;
    size_t got = ingest_stream_read(stream, (char *)&header, sizeof(header));
    *end = got == sizeof(header) && all_zero(&header);
    if (*end)
        return true;
    if (got < sizeof(header))
        return error_set(error, AZ_CORRUPT, "'%s' is cut: %s", path,
                         ingest_stream_problem(stream) ? ingest_stream_problem(stream)
                                                       : "it has no end");
    char *stop;
    char sum[sizeof(header.checksum) + 1] = {0};
    memcpy(sum, header.checksum, sizeof(header.checksum));
    if (memcmp(header.magic, "ustar", 5) != 0 || strtoul(sum, &stop, 8) != header_sum(&header) ||
        !read_size(&header, &size))
        return error_set(error, AZ_CORRUPT, "'%s' is no archive of a collection, or is damaged",
                         path);
    Str name = {header.name, strnlen(header.name, sizeof(header.name))};
    if (header.kind != '0' || header.prefix[0] || !is_member(name))
        return error_set(
            error, AZ_INVALID,
            "'%s' holds '%.*s', which is no file of a collection: nothing was imported", path,
            STR_ARG(name));
    char *target = str_cstr(&arena, str_format(&arena, "%s/%.*s", folder, STR_ARG(name)));
    int fd = os_create(target, error);
    bool done = fd >= 0;
    uint64_t left = (size + BLOCK - 1) / BLOCK * BLOCK, written = 0;
    char part[PART];
    while (done && left) {
        got = ingest_stream_read(stream, part, left < sizeof(part) ? (size_t)left : sizeof(part));
        if (!got) {
            done = error_set(error, AZ_CORRUPT, "'%s' is cut in %.*s", path, STR_ARG(name));
            break;
        }
        left -= got;
        size_t rows = size - written < got ? (size_t)(size - written) : got;
        done = !rows || os_write(fd, part, rows, target, error);
        written += rows;
    }
    if (fd >= 0)
        close(fd);
    arena_free(&arena);
    return done;
}

bool
archive_unpack(const char *path, const char *folder, AzError *error)
{
    IngestStream *stream = ingest_stream_open(path, error);
    if (!stream)
        return false;
    bool end = false, done = true;
    while (done && !end)
        done = take_entry(stream, path, folder, &end, error);
    // The frame's checksum comes after the last entry.
    char rest[BLOCK];
    while (done && ingest_stream_read(stream, rest, sizeof(rest)) > 0)
        ;
    if (done && ingest_stream_problem(stream))
        done = error_set(error, AZ_CORRUPT, "'%s' is damaged: %s", path,
                         ingest_stream_problem(stream));
    ingest_stream_close(stream);
    return done;
}
