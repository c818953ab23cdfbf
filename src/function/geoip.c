// A reader of MaxMind's database format (version 2; GeoLite2-City.mmdb and its like).
//
// The file is a binary tree over the bits of an address, then data, then metadata behind
// a marker. A node is two records of 24, 28 or 32 bits: less than the number of nodes is the
// next node, the number itself "not known", more an offset into the data. A tree for IPv6
// has the IPv4 addresses below ::/96. Data are typed values; a pointer stands for a value
// elsewhere. The file is mapped, not read: a lookup touches a few pages.
//
// Nothing in the file is trusted: every offset is checked, and pointers and nesting are
// followed to a fixed depth. Source: the MaxMind DB file format specification.

#include "function/geoip.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MOST = 16, METADATA_MOST = 128 * 1024, SEPARATOR = 16 };

typedef enum ValueKind {
    KIND_EXTENDED = 0,
    KIND_POINTER = 1,
    KIND_TEXT = 2,
    KIND_DOUBLE = 3,
    KIND_UINT16 = 5,
    KIND_UINT32 = 6,
    KIND_MAP = 7,
    KIND_UINT64 = 9,
    KIND_ARRAY = 11,
    KIND_BOOL = 14,
    KIND_FLOAT = 15,
} ValueKind;

typedef struct Section {
    const uint8_t *bytes;
    size_t len;
} Section;

// A value: `size` bytes at `at`, or so many members of a map, elements of an array.
typedef struct Item {
    uint32_t kind;
    size_t size, at;
} Item;

struct GeoIp {
    void *map;
    size_t size;
    Section tree, data;
    uint32_t nodes, record_bits;
    bool is_v6;
};

static uint64_t
big_endian(const uint8_t *bytes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

// ---- values ----

// Moves *at by `count` bytes; NULL when they are not there.
static const uint8_t *
take(const Section *data, size_t *at, size_t count)
{
    if (*at > data->len || count > data->len - *at)
        return NULL;
    *at += count;
    return data->bytes + *at - count;
}

static bool
read_pointer(const Section *data, size_t *at, uint8_t control, size_t *target)
{
    static const uint32_t BASE[] = {0, 2048, 526336, 0};
    size_t form = control >> 3 & 3, count = form + 1;
    const uint8_t *bytes = take(data, at, count);
    if (!bytes)
        return false;
    uint64_t high = form < 3 ? (uint64_t)(control & 7) << (8 * count) : 0;
    *target = (size_t)(high + big_endian(bytes, count) + BASE[form]);
    return true;
}

static bool
read_size(const Section *data, size_t *at, size_t *size)
{
    static const uint32_t BASE[] = {29, 285, 65821};
    if (*size < 29)
        return true;
    size_t form = *size - 29;
    const uint8_t *bytes = take(data, at, form + 1);
    if (!bytes)
        return false;
    *size = BASE[form] + (size_t)big_endian(bytes, form + 1);
    return true;
}

// Reads the value at *at, through pointers, and moves *at behind it; behind the head of a
// map or an array.
static bool
read_item(const Section *data, size_t *at, Item *item)
{
    size_t place = *at;
    for (int depth = 0; depth < DEPTH_MOST; depth++) {
        const uint8_t *control = take(data, &place, 1);
        if (!control)
            return false;
        item->kind = *control >> 5;
        if (item->kind == KIND_POINTER) {
            size_t target;
            if (!read_pointer(data, &place, *control, &target))
                return false;
            if (depth == 0)
                *at = place;
            place = target;
            continue;
        }
        if (item->kind == KIND_EXTENDED) {
            const uint8_t *more = take(data, &place, 1);
            if (!more)
                return false;
            item->kind = (uint32_t)*more + 7;
        }
        item->size = *control & 31;
        if (!read_size(data, &place, &item->size))
            return false;
        item->at = place;
        bool nests = item->kind == KIND_MAP || item->kind == KIND_ARRAY;
        if (!nests && item->kind != KIND_BOOL && !take(data, &place, item->size))
            return false;
        if (depth == 0)
            *at = place;
        return true;
    }
    return false;
}

static bool
is_behind_pointer(const Section *data, size_t at)
{
    return at < data->len && data->bytes[at] >> 5 == KIND_POINTER;
}

// Moves *at behind the value there.
static bool
skip_item(const Section *data, size_t *at, int depth)
{
    bool by_pointer = is_behind_pointer(data, *at);
    Item item;
    if (depth > DEPTH_MOST || !read_item(data, at, &item))
        return false;
    if (by_pointer || (item.kind != KIND_MAP && item.kind != KIND_ARRAY))
        return true;
    uint64_t count = (uint64_t)item.size * (item.kind == KIND_MAP ? 2 : 1);
    for (uint64_t i = 0; i < count; i++)
        if (!skip_item(data, at, depth + 1))
            return false;
    return true;
}

// The member of a map.
static bool
item_member(const Section *data, const Item *map, Str name, Item *out)
{
    if (map->kind != KIND_MAP)
        return false;
    size_t at = map->at;
    for (size_t i = 0; i < map->size; i++) {
        Item key;
        if (!read_item(data, &at, &key) || key.kind != KIND_TEXT)
            return false;
        if (str_equal((Str){(const char *)data->bytes + key.at, key.size}, name))
            return read_item(data, &at, out);
        if (!skip_item(data, &at, 0))
            return false;
    }
    return false;
}

static bool
item_number(const Section *data, const Item *item, uint64_t *number)
{
    bool whole =
        item->kind == KIND_UINT16 || item->kind == KIND_UINT32 || item->kind == KIND_UINT64;
    if (!whole || item->size > sizeof(*number))
        return false;
    *number = big_endian(data->bytes + item->at, item->size);
    return true;
}

static bool
item_real(const Section *data, const Item *item, double *real)
{
    if (item->kind == KIND_DOUBLE && item->size == sizeof(double)) {
        uint64_t bits = big_endian(data->bytes + item->at, sizeof(bits));
        memcpy(real, &bits, sizeof(*real));
        return true;
    }
    if (item->kind == KIND_FLOAT && item->size == sizeof(float)) {
        uint32_t bits = (uint32_t)big_endian(data->bytes + item->at, sizeof(bits));
        float narrow;
        memcpy(&narrow, &bits, sizeof(narrow));
        *real = narrow;
        return true;
    }
    return false;
}

// The English name of a country, a subdivision, a city.
static Str
item_name(const Section *data, const Item *item)
{
    Item names, name;
    if (item_member(data, item, STR("names"), &names) &&
        item_member(data, &names, STR("en"), &name) && name.kind == KIND_TEXT)
        return (Str){(const char *)data->bytes + name.at, name.size};
    return STR("");
}

// ---- the file ----

static size_t
find_metadata(const GeoIp *geoip)
{
    static const char MARKER[] = "\xAB\xCD\xEFMaxMind.com";
    size_t length = sizeof(MARKER) - 1;
    const char *bytes = geoip->map;
    size_t least = geoip->size > METADATA_MOST ? geoip->size - METADATA_MOST : 0;
    for (size_t at = geoip->size; at >= least + length; at--)
        if (memcmp(bytes + at - length, MARKER, length) == 0)
            return at;
    return 0;
}

static bool
metadata_number(const Section *data, const Item *root, Str name, uint64_t *number)
{
    Item item;
    return item_member(data, root, name, &item) && item_number(data, &item, number);
}

static bool
read_metadata(GeoIp *geoip)
{
    const uint8_t *bytes = geoip->map;
    size_t start = find_metadata(geoip), at = 0;
    Section metadata = {bytes + start, geoip->size - start};
    Item root;
    uint64_t nodes, bits, version, major;
    if (!start || !read_item(&metadata, &at, &root) ||
        !metadata_number(&metadata, &root, STR("node_count"), &nodes) ||
        !metadata_number(&metadata, &root, STR("record_size"), &bits) ||
        !metadata_number(&metadata, &root, STR("ip_version"), &version) ||
        !metadata_number(&metadata, &root, STR("binary_format_major_version"), &major))
        return false;
    bool known = (bits == 24 || bits == 28 || bits == 32) && (version == 4 || version == 6);
    uint64_t tree = nodes * bits / 4;
    if (!known || major != 2 || nodes > UINT32_MAX || tree + SEPARATOR > start)
        return false;
    geoip->nodes = (uint32_t)nodes;
    geoip->record_bits = (uint32_t)bits;
    geoip->is_v6 = version == 6;
    geoip->tree = (Section){bytes, (size_t)tree};
    geoip->data = (Section){bytes + tree + SEPARATOR, start - (size_t)tree - SEPARATOR};
    return true;
}

GeoIp *
geoip_open(const char *path, AzError *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (file >= 0)
            close(file);
        error_set(error, AZ_IO, "the database of addresses %s cannot be read", path);
        return NULL;
    }
    GeoIp *geoip = calloc(1, sizeof(*geoip));
    if (!geoip)
        abort();
    geoip->size = (size_t)status.st_size;
    void *map = geoip->size ? mmap(NULL, geoip->size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    close(file);
    geoip->map = map == MAP_FAILED ? NULL : map;
    if (geoip->map && read_metadata(geoip))
        return geoip;
    geoip_close(geoip);
    error_set(error, AZ_INVALID,
              "%s is no database of addresses in MaxMind's format (GeoLite2-City.mmdb and "
              "its like)",
              path);
    return NULL;
}

void
geoip_close(GeoIp *geoip)
{
    if (!geoip)
        return;
    if (geoip->map)
        munmap(geoip->map, geoip->size);
    free(geoip);
}

// ---- lookups ----

static uint32_t
node_record(const GeoIp *geoip, uint32_t node, int side)
{
    const uint8_t *bytes = geoip->tree.bytes + (size_t)node * geoip->record_bits / 4;
    switch (geoip->record_bits) {
    case 24: return (uint32_t)big_endian(bytes + 3 * side, 3);
    case 28: {
        uint32_t high = side ? bytes[3] & 15u : bytes[3] >> 4;
        return high << 24 | (uint32_t)big_endian(bytes + 4 * side, 3);
    }
    default: return (uint32_t)big_endian(bytes + 4 * side, 4);
    }
}

// The offset of what is known of the address; false when nothing is.
static bool
find_record(const GeoIp *geoip, const Ip *ip, size_t *at)
{
    static const uint8_t MAPPED[12] = {[10] = 0xFF, [11] = 0xFF};
    bool v4 = memcmp(ip->bytes, MAPPED, sizeof(MAPPED)) == 0;
    if (!v4 && !geoip->is_v6)
        return false;
    uint32_t node = 0;
    for (int bit = v4 && !geoip->is_v6 ? V4_SHIFT : 0; bit < IP_BITS && node < geoip->nodes;
         bit++) {
        // ::/96, not ::ffff:0:0/96, has the IPv4 addresses.
        bool zero = v4 && bit < V4_SHIFT;
        node = node_record(geoip, node, zero ? 0 : ip->bytes[bit / 8] >> (7 - bit % 8) & 1);
    }
    if (node < (uint64_t)geoip->nodes + SEPARATOR)
        return false;
    *at = node - geoip->nodes - SEPARATOR;
    return *at < geoip->data.len;
}

bool
geoip_find(const GeoIp *geoip, const Ip *ip, GeoPlace *place)
{
    const Section *data = &geoip->data;
    size_t at;
    Item root, item;
    *place = (GeoPlace){STR(""), STR(""), STR(""), 0, 0, false};
    if (ip_is_private(ip) || !find_record(geoip, ip, &at) || !read_item(data, &at, &root) ||
        root.kind != KIND_MAP)
        return false;
    if (item_member(data, &root, STR("country"), &item))
        place->country = item_name(data, &item);
    if (item_member(data, &root, STR("city"), &item))
        place->city = item_name(data, &item);
    if (item_member(data, &root, STR("subdivisions"), &item) && item.kind == KIND_ARRAY &&
        item.size > 0 && (at = item.at, read_item(data, &at, &item)))
        place->state = item_name(data, &item);
    Item location;
    place->has_position = item_member(data, &root, STR("location"), &location) &&
                          item_member(data, &location, STR("latitude"), &item) &&
                          item_real(data, &item, &place->latitude) &&
                          item_member(data, &location, STR("longitude"), &item) &&
                          item_real(data, &item, &place->longitude);
    return true;
}
