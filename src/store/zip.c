// Zip archives: see zip.h. The directory at the end says where each entry lies (PKWARE
// APPNOTE); every number in it is checked against the bytes there are.

#include "store/zip.h"

#include <string.h>
#include <zlib.h>

enum {
    END_SIZE = 22,   // end of central directory, without its comment
    ENTRY_SIZE = 46, // central directory entry, without its texts
    LOCAL_SIZE = 30, // local header, without its texts
    END64_LOCATOR = 20,
    END64_SIZE = 56,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1,
    EXTRA_ZIP64 = 1,
    UNPACK_STEP = 1 << 18,
};

static uint64_t
number_at(Str bytes, size_t at, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = size; i-- > 0;)
        number = number << 8 | (unsigned char)bytes.ptr[at + i];
    return number;
}

bool
zip_is_archive(Str bytes)
{
    return bytes.len >= 4 &&
           (memcmp(bytes.ptr, "PK\3\4", 4) == 0 || memcmp(bytes.ptr, "PK\5\6", 4) == 0);
}

static bool
damaged(AzError *error, const char *why)
{
    return error_set(error, AZ_INVALID, "the zip archive is damaged (%s)", why);
}

typedef struct Entry {
    Str name;
    uint64_t method, flags, packed, size, offset, checksum;
} Entry;

// Sizes that do not fit 32 bits are in an extra field, in this order.
static bool
read_zip64(Str extra, Entry *entry)
{
    for (size_t at = 0; at + 4 <= extra.len;) {
        size_t size = (size_t)number_at(extra, at + 2, 2);
        if (size > extra.len - at - 4)
            return false;
        if (number_at(extra, at, 2) == EXTRA_ZIP64) {
            uint64_t *fields[] = {&entry->size, &entry->packed, &entry->offset};
            size_t field = at + 4, end = field + size;
            for (size_t i = 0; i < 3; i++) {
                if (*fields[i] != UINT32_MAX)
                    continue;
                if (end - field < 8)
                    return false;
                *fields[i] = number_at(extra, field, 8);
                field += 8;
            }
            return true;
        }
        at += 4 + size;
    }
    return true;
}

static bool
read_entry(Str bytes, size_t *at, Entry *entry, AzError *error)
{
    if (bytes.len - *at < ENTRY_SIZE || memcmp(bytes.ptr + *at, "PK\1\2", 4) != 0)
        return damaged(error, "its directory ends early");
    *entry = (Entry){
        .flags = number_at(bytes, *at + 8, 2),
        .method = number_at(bytes, *at + 10, 2),
        .checksum = number_at(bytes, *at + 16, 4),
        .packed = number_at(bytes, *at + 20, 4),
        .size = number_at(bytes, *at + 24, 4),
        .offset = number_at(bytes, *at + 42, 4),
    };
    size_t name = (size_t)number_at(bytes, *at + 28, 2);
    size_t extra = (size_t)number_at(bytes, *at + 30, 2);
    size_t comment = (size_t)number_at(bytes, *at + 32, 2);
    if (bytes.len - *at - ENTRY_SIZE < name + extra + comment)
        return damaged(error, "its directory ends early");
    size_t texts = *at + ENTRY_SIZE;
    entry->name = str_slice(bytes, texts, texts + name);
    *at = texts + name + extra + comment;
    return read_zip64(str_slice(bytes, texts + name, texts + name + extra), entry) ||
           damaged(error, "a size is missing");
}

// The packed bytes behind the entry's local header.
static bool
packed_bytes(Str bytes, const Entry *entry, Str *out, AzError *error)
{
    if (entry->offset > bytes.len || bytes.len - entry->offset < LOCAL_SIZE ||
        memcmp(bytes.ptr + entry->offset, "PK\3\4", 4) != 0)
        return damaged(error, "an entry is not where the directory says");
    size_t header = (size_t)entry->offset;
    size_t texts = (size_t)(number_at(bytes, header + 26, 2) + number_at(bytes, header + 28, 2));
    size_t start = header + LOCAL_SIZE + texts;
    if (start > bytes.len || bytes.len - start < entry->packed)
        return damaged(error, "an entry is cut");
    *out = str_slice(bytes, start, start + (size_t)entry->packed);
    return true;
}

static bool
inflate_entry(Str packed, const Entry *entry, uint64_t limit, Buffer *out, AzError *error)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return error_set(error, AZ_LIMIT, "not enough memory to unpack '%.*s'",
                         STR_ARG(entry->name));
    int status = Z_OK;
    size_t taken = 0;
    while (status == Z_OK && out->len <= limit) {
        if (!stream.avail_in && taken < packed.len) {
            size_t size = packed.len - taken < UNPACK_STEP ? packed.len - taken : UNPACK_STEP;
            stream.next_in = (Bytef *)(uintptr_t)(packed.ptr + taken);
            stream.avail_in = (uInt)size;
            taken += size;
        }
        stream.next_out = (Bytef *)buffer_reserve(out, UNPACK_STEP);
        stream.avail_out = UNPACK_STEP;
        status = inflate(&stream, Z_NO_FLUSH);
        out->len += UNPACK_STEP - stream.avail_out;
        if (status == Z_BUF_ERROR)
            break;
    }
    inflateEnd(&stream);
    if (out->len > limit)
        return error_set(error, AZ_LIMIT, "'%.*s' in the zip archive unpacks to more than %llu MB",
                         STR_ARG(entry->name), (unsigned long long)(limit >> 20));
    return status == Z_STREAM_END || damaged(error, "an entry does not unpack");
}

static bool
read_content(Str bytes, const Entry *entry, uint64_t limit, Buffer *out, Str *content,
             AzError *error)
{
    Str packed;
    if (entry->flags & FLAG_ENCRYPTED)
        return error_set(error, AZ_UNSUPPORTED, "'%.*s' in the zip archive is encrypted",
                         STR_ARG(entry->name));
    if (!packed_bytes(bytes, entry, &packed, error))
        return false;
    *content = packed;
    if (entry->method == METHOD_DEFLATED) {
        if (!inflate_entry(packed, entry, limit, out, error))
            return false;
        *content = buffer_slice(out);
    } else if (entry->method != METHOD_STORED) {
        return error_set(error, AZ_UNSUPPORTED,
                         "'%.*s' in the zip archive is packed by method %llu, which is not read: "
                         "pack it with deflate",
                         STR_ARG(entry->name), (unsigned long long)entry->method);
    }
    uLong checksum = crc32_z(crc32(0, NULL, 0), (const Bytef *)content->ptr, content->len);
    return (content->len == entry->size && checksum == entry->checksum) ||
           damaged(error, "an entry's checksum does not fit");
}

// Where the directory starts, and how many entries it lists.
static bool
find_directory(Str bytes, size_t *start, uint64_t *count, AzError *error)
{
    if (bytes.len < END_SIZE)
        return damaged(error, "it is cut");
    size_t least = bytes.len > END_SIZE + UINT16_MAX ? bytes.len - END_SIZE - UINT16_MAX : 0;
    size_t end = bytes.len - END_SIZE;
    while (memcmp(bytes.ptr + end, "PK\5\6", 4) != 0)
        if (end-- == least)
            return damaged(error, "it has no directory");
    *count = number_at(bytes, end + 10, 2);
    uint64_t offset = number_at(bytes, end + 16, 4);
    bool zip64 = end >= END64_LOCATOR && memcmp(bytes.ptr + end - END64_LOCATOR, "PK\6\7", 4) == 0;
    if (zip64) {
        uint64_t record = number_at(bytes, end - END64_LOCATOR + 8, 8);
        if (record > bytes.len || bytes.len - record < END64_SIZE ||
            memcmp(bytes.ptr + record, "PK\6\6", 4) != 0)
            return damaged(error, "it has no directory");
        *count = number_at(bytes, (size_t)record + 32, 8);
        offset = number_at(bytes, (size_t)record + 48, 8);
    }
    if (offset > bytes.len)
        return damaged(error, "its directory lies outside of it");
    *start = (size_t)offset;
    return true;
}

bool
zip_each(Str bytes, uint64_t limit, ZipVisit visit, void *context, AzError *error)
{
    size_t at = 0;
    uint64_t count = 0;
    if (!find_directory(bytes, &at, &count, error))
        return false;
    Buffer out = {0};
    bool done = true;
    for (uint64_t i = 0; i < count && done; i++) {
        Entry entry = {0};
        Str content = {0};
        done = read_entry(bytes, &at, &entry, error);
        if (!done || str_ends(entry.name, STR("/")))
            continue;
        buffer_clear(&out);
        done = read_content(bytes, &entry, limit, &out, &content, error) &&
               visit(context, entry.name, content);
    }
    buffer_free(&out);
    return done;
}
