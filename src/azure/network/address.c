#include "azure/network/address.h"

#include "base/array.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define IPV4_FIRST    ADDRESS_IPV4(0, 0, 0, 0)
#define IPV4_LAST     ADDRESS_IPV4(255, 255, 255, 255)
#define IPV4_SYMBOLIC ADDRESS_IPV4(240, 0, 0, 0)
#define TOP(byte)     ((Address)(byte) << 120) // of an IPv6 address

// ---- reading ----

static bool
parse_one(Str text, Address *out, bool *is_ipv4)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    text = str_trim(text);
    if (!text.len || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *is_ipv4 = !strchr(copy, ':');
    if (inet_pton(*is_ipv4 ? AF_INET : AF_INET6, copy, bytes) != 1)
        return false;
    *out = *is_ipv4 ? 0xFFFF : 0;
    for (size_t i = 0; i < (*is_ipv4 ? 4u : 16u); i++)
        *out = *out << 8 | bytes[i];
    return true;
}

static bool
parse_length(Str text, int most, int *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || *out > most)
            return false;
        *out = *out * 10 + (text.ptr[i] - '0');
    }
    return text.len && *out <= most;
}

static bool
parse_range(Arena *arena, Str low, Str high, RangeSet *out)
{
    Address from, to;
    bool from_ipv4, to_ipv4;
    if (!parse_one(low, &from, &from_ipv4) || !parse_one(high, &to, &to_ipv4) ||
        from_ipv4 != to_ipv4 || to < from)
        return false;
    *out = range_set_of(arena, from, to);
    return true;
}

bool
address_parse(Arena *arena, Str text, RangeSet *out, int *length)
{
    int unused;
    length = length ? length : &unused;
    *length = -1;
    text = str_trim(text);
    ptrdiff_t dash = str_find(text, STR("-")), slash = str_find(text, STR("/"));
    if (dash >= 0)
        return parse_range(arena, str_slice(text, 0, (size_t)dash),
                           str_slice(text, (size_t)dash + 1, text.len), out);
    Address first;
    bool is_ipv4;
    if (!parse_one(slash < 0 ? text : str_slice(text, 0, (size_t)slash), &first, &is_ipv4))
        return false;
    int width = is_ipv4 ? 32 : 128;
    *length = width;
    if (slash >= 0 && !parse_length(str_slice(text, (size_t)slash + 1, text.len), width, length))
        return false;
    Address host =
        *length == 0 && width == 128 ? ADDRESS_MAX : ((Address)1 << (width - *length)) - 1;
    first &= ~host;
    *out = range_set_of(arena, first, first | host);
    if (!is_ipv4 && first <= IPV4_FIRST && (first | host) >= IPV4_LAST)
        *out = range_set_subtract(arena, *out, address_ipv4());
    return true;
}

// ---- sets ----

RangeSet
address_all(void)
{
    static const Range ALL = {0, ADDRESS_MAX};
    return (RangeSet){&ALL, 1};
}

RangeSet
address_ipv4(void)
{
    static const Range IPV4 = {IPV4_FIRST, IPV4_LAST};
    return (RangeSet){&IPV4, 1};
}

RangeSet
address_public(void)
{
    // IANA special-purpose registries; below the first and above the last are IPv6.
    static const Range PUBLIC[] = {
        {ADDRESS_IPV4(1, 0, 0, 0), ADDRESS_IPV4(9, 255, 255, 255)},
        {ADDRESS_IPV4(11, 0, 0, 0), ADDRESS_IPV4(100, 63, 255, 255)},
        {ADDRESS_IPV4(100, 128, 0, 0), ADDRESS_IPV4(126, 255, 255, 255)},
        {ADDRESS_IPV4(128, 0, 0, 0), ADDRESS_IPV4(168, 63, 129, 15)},
        {ADDRESS_IPV4(168, 63, 129, 17), ADDRESS_IPV4(169, 253, 255, 255)},
        {ADDRESS_IPV4(169, 255, 0, 0), ADDRESS_IPV4(172, 15, 255, 255)},
        {ADDRESS_IPV4(172, 32, 0, 0), ADDRESS_IPV4(192, 167, 255, 255)},
        {ADDRESS_IPV4(192, 169, 0, 0), ADDRESS_IPV4(223, 255, 255, 255)},
        {ADDRESS_IPV4(240, 0, 0, 0), ADDRESS_IPV4(255, 255, 255, 254)},
        {TOP(0x20), TOP(0x40) - 1}, // global unicast, 2000::/3
    };
    return (RangeSet){PUBLIC, COUNT_OF(PUBLIC)};
}

// ---- writing ----

static void
print_one(Buffer *out, Address address, bool is_ipv4)
{
    uint8_t bytes[16];
    char text[INET6_ADDRSTRLEN] = "";
    for (int i = 15; i >= 0; i--, address >>= 8)
        bytes[i] = (uint8_t)(address & 0xFF);
    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, is_ipv4 ? bytes + 12 : bytes, text, sizeof text);
    buffer_text(out, text);
}

static void
print_range(Buffer *out, Range range)
{
    bool is_ipv4 = range.low >= IPV4_FIRST && range.high <= IPV4_LAST;
    int width = is_ipv4 ? 32 : 128, length = width;
    // The longest run of low bits that is free in both ends.
    while (length > 0) {
        Address host = ((Address)1 << (width - length)) * 2 - 1;
        if ((range.low & host) || (range.low | host) > range.high)
            break;
        length--;
    }
    print_one(out, range.low, is_ipv4);
    Address host = length ? ((Address)1 << (width - length)) - 1 : ADDRESS_MAX;
    if (is_ipv4 && !length)
        host = 0xFFFFFFFFu;
    if (range.high != (range.low | host)) {
        buffer_char(out, '-');
        print_one(out, range.high, is_ipv4);
    } else if (length < width) {
        buffer_printf(out, "/%d", length);
    }
}

void
address_print(Buffer *out, RangeSet set)
{
    if (range_set_covers(set, address_all())) {
        buffer_text(out, "any");
        return;
    }
    for (uint32_t i = 0; i < set.count; i++) {
        buffer_text(out, i ? ", " : "");
        print_range(out, set.items[i]);
    }
}

bool
address_is_anywhere(RangeSet set)
{
    if (range_set_contains(set, ADDRESS_ANYWHERE))
        return true;
    Address left = 1u << 24;
    for (uint32_t i = 0; i < set.count; i++) {
        Range range = set.items[i];
        // The symbolic addresses are no addresses to count.
        if (range.low >= IPV4_SYMBOLIC && range.low <= IPV4_LAST)
            continue;
        Address size = range.high - range.low;
        if (size >= left)
            return true;
        left -= size + 1;
    }
    return left == 0;
}
