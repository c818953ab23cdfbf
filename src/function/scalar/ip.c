// IP addresses: parsing, printing, comparing, and searching texts for them. Source: Kusto
// docs, pages of the ipv4 and ipv6 functions.
//
// Every address becomes an `Ip`: 128 bits and the number of them that count. An IPv4
// address lies in its place in IPv6 (::ffff:a.b.c.d), so one comparison serves both;
// its "/24" counts 96 + 24 bits. A prefix in the text masks the address, a prefix
// argument too: the smaller one of all is used.

#include "function/ip.h"

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

#include <arpa/inet.h>

// ---- parsing ----

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Reads a number of up to three digits and at most `most`; moves *at behind it.
static bool
small_number(Str text, size_t *at, int most, int *out)
{
    size_t start = *at;
    int number = 0;
    while (*at < text.len && is_digit(text.ptr[*at]) && *at - start < 3)
        number = number * 10 + (text.ptr[(*at)++] - '0');
    *out = number;
    return *at > start && number <= most;
}

// Reads a.b.c.d from *at and moves *at behind it.
static bool
read_quad(Str text, size_t *at, uint8_t out[4])
{
    for (int n = 0; n < 4; n++) {
        int octet;
        if (n && (*at >= text.len || text.ptr[(*at)++] != '.'))
            return false;
        if (!small_number(text, at, 255, &octet))
            return false;
        out[n] = (uint8_t)octet;
    }
    return true;
}

static void
ip_from_v4(Ip *ip, const uint8_t quad[4])
{
    *ip = (Ip){.bits = IP_BITS, .is_v4 = true};
    ip->bytes[10] = ip->bytes[11] = 0xFF;
    memcpy(ip->bytes + 12, quad, 4);
}

// Clears the bits behind ip->bits.
void
ip_mask(Ip *ip, int bits)
{
    if (bits < ip->bits)
        ip->bits = bits;
    for (int n = 0; n < 16; n++) {
        int kept = ip->bits - n * 8;
        if (kept <= 0)
            ip->bytes[n] = 0;
        else if (kept < 8)
            ip->bytes[n] &= (uint8_t)(0xFF << (8 - kept));
    }
}

// Takes "/prefix" off the text: *bits is -1 when there is none.
static bool
cut_prefix(Str *text, int most, int *bits)
{
    *bits = -1;
    const char *slash = text->len ? memchr(text->ptr, '/', text->len) : NULL;
    if (!slash)
        return true;
    size_t at = (size_t)(slash - text->ptr) + 1;
    bool good = small_number(*text, &at, most, bits) && at == text->len;
    *text = str_slice(*text, 0, (size_t)(slash - text->ptr));
    return good;
}

bool
ip_read_v4(Str text, Ip *ip)
{
    int bits;
    uint8_t quad[4];
    size_t at = 0;
    text = str_trim(text);
    if (!cut_prefix(&text, V4_BITS, &bits) || !read_quad(text, &at, quad) || at != text.len)
        return false;
    ip_from_v4(ip, quad);
    ip_mask(ip, bits < 0 ? IP_BITS : V4_SHIFT + bits);
    return true;
}

// IPv6, or IPv4 in its place. In "::192.168.1.1/24" the prefix counts IPv4's bits, and
// the address is the mapped one (ipv6-is-match-function page).
bool
ip_read_v6(Str text, Ip *ip)
{
    static const uint8_t ZEROS[12];
    char copy[INET6_ADDRSTRLEN];
    int bits;
    if (ip_read_v4(text, ip))
        return true;
    text = str_trim(text);
    if (!cut_prefix(&text, IP_BITS, &bits) || text.len >= sizeof(copy) || !text.len ||
        memchr(text.ptr, 0, text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    *ip = (Ip){.bits = IP_BITS};
    if (inet_pton(AF_INET6, copy, ip->bytes) != 1)
        return false;
    if (memchr(text.ptr, '.', text.len)) {
        if (memcmp(ip->bytes, ZEROS, sizeof(ZEROS)) == 0)
            ip->bytes[10] = ip->bytes[11] = 0xFF;
        if (bits >= 0 && bits <= V4_BITS)
            bits += V4_SHIFT;
    }
    ip_mask(ip, bits < 0 ? IP_BITS : bits);
    return true;
}

static uint32_t
v4_number(const Ip *ip)
{
    return (uint32_t)ip->bytes[12] << 24 | (uint32_t)ip->bytes[13] << 16 |
           (uint32_t)ip->bytes[14] << 8 | ip->bytes[15];
}

static void
v4_from_number(Ip *ip, uint32_t number)
{
    uint8_t quad[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                       (uint8_t)number};
    ip_from_v4(ip, quad);
}

// ---- reading arguments ----

typedef bool (*IpRead)(Str text, Ip *ip);

// The optional prefix argument k, `whole` when absent; false when it is out of range.
static bool
arg_prefix(const ScalarCall *call, uint32_t k, uint32_t i, int whole, int *bits)
{
    *bits = whole;
    if (k >= call->arg_count)
        return true;
    int64_t prefix = ARG(call, k, int64_t, i);
    if (arg_is_null(call, k, i) || prefix < 0 || prefix > whole)
        return false;
    *bits = (int)prefix;
    return true;
}

// Reads the addresses of arguments 0 and 1 and masks both by the shortest prefix.
static bool
read_pair(const ScalarCall *call, uint32_t i, IpRead read, Ip *a, Ip *b)
{
    bool v4_only = read == ip_read_v4;
    int bits;
    if (!read(arg_str(call, 0, i), a) || !read(arg_str(call, 1, i), b) ||
        !arg_prefix(call, 2, i, v4_only ? V4_BITS : IP_BITS, &bits))
        return false;
    // Between two IPv4 addresses a prefix counts IPv4's bits.
    if (a->is_v4 && b->is_v4 && bits <= V4_BITS)
        bits += V4_SHIFT;
    if (a->bits < bits)
        bits = a->bits;
    if (b->bits < bits)
        bits = b->bits;
    ip_mask(a, bits);
    ip_mask(b, bits);
    return true;
}

static void
compare_rows(ScalarCall *call, IpRead read)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Ip a, b;
        if (!read_pair(call, i, read, &a, &b)) {
            out_null(call, i);
            continue;
        }
        int order = memcmp(a.bytes, b.bytes, sizeof(a.bytes));
        ((int64_t *)call->out)[i] = (order > 0) - (order < 0);
    }
}

static void
match_rows(ScalarCall *call, IpRead read)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Ip a, b;
        if (!read_pair(call, i, read, &a, &b))
            out_null(call, i);
        else
            ((uint8_t *)call->out)[i] = memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
    }
}

static void
ipv4_compare(ScalarCall *call)
{
    compare_rows(call, ip_read_v4);
}

static void
ipv6_compare(ScalarCall *call)
{
    compare_rows(call, ip_read_v6);
}

static void
ipv4_is_match(ScalarCall *call)
{
    match_rows(call, ip_read_v4);
}

static void
ipv6_is_match(ScalarCall *call)
{
    match_rows(call, ip_read_v6);
}

// ---- ranges ----

static bool
in_range(Ip ip, const Ip *range)
{
    bool wider = ip.bits < range->bits; // a network that is larger than the range
    ip_mask(&ip, range->bits);
    return !wider && memcmp(ip.bytes, range->bytes, sizeof(ip.bytes)) == 0;
}

// Walks over the texts of the arguments from `first` on: strings, and the elements of
// dynamic arrays.
typedef struct TextWalk {
    const ScalarCall *call;
    uint32_t row, arg, element;
} TextWalk;

static bool
next_text(TextWalk *walk, Str *out)
{
    for (; walk->arg < walk->call->arg_count; walk->arg++, walk->element = 0) {
        if (walk->call->args[walk->arg].type == TYPE_STRING) {
            *out = arg_str(walk->call, walk->arg, walk->row);
            walk->arg++;
            return true;
        }
        if (walk->call->args[walk->arg].type != TYPE_DYNAMIC ||
            arg_is_null(walk->call, walk->arg, walk->row))
            continue;
        Dyn list = arg_dyn(walk->call, walk->arg, walk->row);
        bool array = dyn_kind(list) == DYN_ARRAY;
        while (walk->element < (array ? dyn_count(list) : 1)) {
            Dyn node = array ? dyn_at(list, walk->element) : list;
            walk->element++;
            if (dyn_kind(node) == DYN_STRING) {
                *out = dyn_string(node);
                return true;
            }
        }
    }
    return false;
}

// True when a range holds the address; else null when a text is no address.
static void
range_rows(ScalarCall *call, IpRead read)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Ip ip, range;
        bool good = read(arg_str(call, 0, i), &ip), hit = false;
        TextWalk walk = {.call = call, .row = i, .arg = 1};
        for (Str text; !hit && next_text(&walk, &text);) {
            bool known = read(text, &range);
            hit = good && known && in_range(ip, &range);
            good = good && (known || hit);
        }
        ((uint8_t *)call->out)[i] = hit;
        if (!hit && !good)
            out_null(call, i);
    }
}

static void
ipv4_in_range(ScalarCall *call)
{
    range_rows(call, ip_read_v4);
}

static void
ipv6_in_range(ScalarCall *call)
{
    range_rows(call, ip_read_v6);
}

bool
ip_is_private(const Ip *ip)
{
    static const struct {
        uint32_t network, mask;
    } PRIVATE[] = {
        {0x0A000000u, 0xFF000000u}, {0xAC100000u, 0xFFF00000u}, {0xC0A80000u, 0xFFFF0000u}};
    static const uint8_t MAPPED[12] = {[10] = 0xFF, [11] = 0xFF};
    bool hit = false;
    for (size_t n = 0; n < COUNT_OF(PRIVATE); n++)
        hit = hit || (v4_number(ip) & PRIVATE[n].mask) == PRIVATE[n].network;
    return hit && memcmp(ip->bytes, MAPPED, sizeof(MAPPED)) == 0;
}

static void
ipv4_is_private(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Ip ip;
        if (ip_read_v4(arg_str(call, 0, i), &ip))
            ((uint8_t *)call->out)[i] = ip_is_private(&ip);
        else
            out_null(call, i);
    }
}

static void
ipv4_netmask_suffix(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Ip ip;
        if (ip_read_v4(arg_str(call, 0, i), &ip))
            ((int64_t *)call->out)[i] = ip.bits - V4_SHIFT;
        else
            out_null(call, i);
    }
}

static Str
quad_print(char out[INET_ADDRSTRLEN], const Ip *ip)
{
    inet_ntop(AF_INET, ip->bytes + 12, out, INET_ADDRSTRLEN);
    return str_from(out);
}

// The fewest networks that cover first .. last, in order: each is as large as its
// start's trailing zeros and the end allow; at most 62.
static void
ipv4_range_to_cidr_list(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Ip first, last;
        if (!ip_read_v4(arg_str(call, 0, i), &first) || !ip_read_v4(arg_str(call, 1, i), &last) ||
            v4_number(&first) > v4_number(&last)) {
            out_null(call, i);
            continue;
        }
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        uint64_t at = v4_number(&first), end = (uint64_t)v4_number(&last) + 1;
        while (at < end) {
            int free_bits = 0;
            while (free_bits < V4_BITS && at % ((uint64_t)2 << free_bits) == 0 &&
                   at + ((uint64_t)2 << free_bits) <= end)
                free_bits++;
            Ip network;
            char text[INET_ADDRSTRLEN];
            v4_from_number(&network, (uint32_t)at);
            Buffer *cidr = &call->scratch->text;
            buffer_clear(cidr);
            buffer_str(cidr, quad_print(text, &network));
            buffer_printf(cidr, "/%d", V4_BITS - free_bits);
            dyn_push_string(dyn, buffer_slice(cidr));
            at += (uint64_t)1 << free_bits;
        }
        dyn_end_array(dyn);
        out_dyn(call, i);
    }
}

// ---- numbers and texts of addresses ----

static void
parse_ipv4(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Ip ip;
        int bits;
        if (!ip_read_v4(arg_str(call, 0, i), &ip) || !arg_prefix(call, 1, i, V4_BITS, &bits)) {
            out_null(call, i);
            continue;
        }
        ip_mask(&ip, V4_SHIFT + bits);
        ((int64_t *)call->out)[i] = v4_number(&ip);
    }
}

static void
parse_ipv6(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Ip ip;
        int bits;
        if (!ip_read_v6(arg_str(call, 0, i), &ip) || !arg_prefix(call, 1, i, IP_BITS, &bits))
            continue;
        ip_mask(&ip, bits);
        Buffer *out = &call->scratch->text;
        buffer_clear(out);
        for (int n = 0; n < 16; n += 2)
            buffer_printf(out, "%s%02x%02x", n ? ":" : "", ip.bytes[n], ip.bytes[n + 1]);
        out_str(call, i, buffer_slice(out));
    }
}

// An address given as text or as a number.
static bool
arg_v4(ScalarCall *call, uint32_t i, Ip *ip)
{
    if (call->args[0].type == TYPE_STRING)
        return ip_read_v4(arg_str(call, 0, i), ip);
    Value value = arg_value(call, 0, i);
    if (value.type == TYPE_DYNAMIC && !value.is_null &&
        dyn_kind(dyn_of_text(&value.text)) == DYN_STRING)
        return ip_read_v4(dyn_string(dyn_of_text(&value.text)), ip);
    value = value_convert(call->arena, &value, TYPE_LONG);
    if (value.is_null || value.int64 < 0 || value.int64 > UINT32_MAX)
        return false;
    v4_from_number(ip, (uint32_t)value.int64);
    return true;
}

static void
format_rows(ScalarCall *call, bool with_mask)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Ip ip;
        int bits;
        if (!arg_v4(call, i, &ip) || !arg_prefix(call, 1, i, V4_BITS, &bits))
            continue;
        ip_mask(&ip, V4_SHIFT + bits);
        char text[INET_ADDRSTRLEN];
        Buffer *out = &call->scratch->text;
        buffer_clear(out);
        buffer_str(out, quad_print(text, &ip));
        if (with_mask)
            buffer_printf(out, "/%d", ip.bits - V4_SHIFT);
        out_str(call, i, buffer_slice(out));
    }
}

static void
format_ipv4(ScalarCall *call)
{
    format_rows(call, false);
}

static void
format_ipv4_mask(ScalarCall *call)
{
    format_rows(call, true);
}

// ---- addresses in texts ----

static bool
is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Finds the next address at or after *at and moves *at behind it. An address is bounded
// by ends of the text or characters that are no letters or digits, and is no part of a
// longer run of dotted numbers.
static bool
next_quad(Str text, size_t *at, uint8_t quad[4])
{
    for (size_t p = *at; p < text.len; p++) {
        if (!is_digit(text.ptr[p]) || (p > 0 && is_word(text.ptr[p - 1])) ||
            (p > 1 && text.ptr[p - 1] == '.' && is_digit(text.ptr[p - 2])))
            continue;
        size_t end = p;
        if (!read_quad(text, &end, quad) || (end < text.len && is_word(text.ptr[end])) ||
            (end + 1 < text.len && text.ptr[end] == '.' && is_digit(text.ptr[end + 1])))
            continue;
        *at = end;
        return true;
    }
    return false;
}

// How many octets the needle gives, 0 when it is none: an address, or with `prefix` also
// one to three octets that end with a dot.
static size_t
read_needle(Str text, bool prefix, uint8_t octets[4])
{
    size_t at = 0;
    for (size_t n = 0; n < 4; n++) {
        int octet;
        if (!small_number(text, &at, 255, &octet))
            return 0;
        octets[n] = (uint8_t)octet;
        if (n == 3)
            return at == text.len ? 4 : 0;
        if (at >= text.len || text.ptr[at++] != '.')
            return 0;
        if (prefix && at == text.len)
            return n + 1;
    }
    return 0;
}

static bool
text_has_address(Str text, Str needle, bool prefix)
{
    uint8_t wanted[4], quad[4];
    size_t octets = read_needle(needle, prefix, wanted);
    for (size_t at = 0; octets && next_quad(text, &at, quad);)
        if (memcmp(quad, wanted, octets) == 0)
            return true;
    return false;
}

static void
has_rows(ScalarCall *call, bool prefix)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        TextWalk walk = {.call = call, .row = i, .arg = 1};
        bool hit = false;
        for (Str needle; !hit && next_text(&walk, &needle);)
            hit = text_has_address(text, needle, prefix);
        ((uint8_t *)call->out)[i] = hit;
    }
}

static void
has_ipv4(ScalarCall *call)
{
    has_rows(call, false);
}

static void
has_ipv4_prefix(ScalarCall *call)
{
    has_rows(call, true);
}

// ---- rows ----

#define IMPL(NAME) static const ScalarImpl NAME##_impl = {NAME, NULL}
IMPL(parse_ipv4);
IMPL(parse_ipv6);
IMPL(format_ipv4);
IMPL(format_ipv4_mask);
IMPL(ipv4_compare);
IMPL(ipv6_compare);
IMPL(ipv4_is_match);
IMPL(ipv6_is_match);
IMPL(ipv4_in_range);
IMPL(ipv6_in_range);
IMPL(ipv4_is_private);
IMPL(ipv4_netmask_suffix);
IMPL(ipv4_range_to_cidr_list);
IMPL(has_ipv4);
IMPL(has_ipv4_prefix);

#define FUNCTION(NAME, SIGNATURE, DOC, EXAMPLE, KERNEL)                                            \
    {                                                                                              \
        NAME, NULL, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, 0, &(KERNEL##_impl)                  \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("parse_ipv4", "(ip:string) : long",
             "The IPv4 address as a number; a prefix in the text masks it.",
             "parse_ipv4('192.168.1.1') == 3232235777", parse_ipv4),
    FUNCTION("parse_ipv4_mask", "(ip:string, prefix:long) : long",
             "The IPv4 address as a number, masked by the prefix.",
             "parse_ipv4_mask('127.0.0.1', 24) == 2130706432", parse_ipv4),
    FUNCTION(
        "parse_ipv6", "(ip:string) : string", "The IPv6 or IPv4 address as a whole IPv6 address.",
        "parse_ipv6('192.168.255.255') == '0000:0000:0000:0000:0000:ffff:c0a8:ffff'", parse_ipv6),
    FUNCTION("parse_ipv6_mask", "(ip:string, prefix:long) : string",
             "The IPv6 or IPv4 address as a whole IPv6 address, masked by the prefix.",
             "parse_ipv6_mask('fe80::1', 16) == 'fe80:0000:0000:0000:0000:0000:0000:0000'",
             parse_ipv6),
    FUNCTION("format_ipv4", "(ip:scalar, prefix:long=) : string",
             "The IPv4 address, given as text or number, as text, masked by the prefix.",
             "format_ipv4('192.168.1.255', 24) == '192.168.1.0'", format_ipv4),
    FUNCTION("format_ipv4_mask", "(ip:scalar, prefix:long=) : string",
             "The IPv4 network of the address as text with its prefix.",
             "format_ipv4_mask('192.168.1.255', 24) == '192.168.1.0/24'", format_ipv4_mask),
    FUNCTION("ipv4_compare", "(a:string, b:string, prefix:long=) : long",
             "-1, 0 or 1 by the order of two IPv4 addresses under the shortest prefix.",
             "ipv4_compare('192.168.1.1/24', '192.168.1.255') == 0", ipv4_compare),
    FUNCTION("ipv6_compare", "(a:string, b:string, prefix:long=) : long",
             "-1, 0 or 1 by the order of two IPv6 or IPv4 addresses under the shortest prefix.",
             "ipv6_compare('::ffff:7f00:1', '127.0.0.1') == 0", ipv6_compare),
    FUNCTION("ipv4_is_match", "(a:string, b:string, prefix:long=) : bool",
             "Whether two IPv4 addresses are equal under the shortest prefix.",
             "ipv4_is_match('192.168.1.1/24', '192.168.1.255')", ipv4_is_match),
    FUNCTION("ipv6_is_match", "(a:string, b:string, prefix:long=) : bool",
             "Whether two IPv6 or IPv4 addresses are equal under the shortest prefix.",
             "ipv6_is_match('::ffff:7f00:1', '127.0.0.1')", ipv6_is_match),
    FUNCTION("ipv4_is_in_range", "(ip:string, range:string) : bool",
             "Whether the IPv4 address is in the range.",
             "ipv4_is_in_range('127.0.0.1', '127.0.0.0/8')", ipv4_in_range),
    FUNCTION("ipv6_is_in_range", "(ip:string, range:string) : bool",
             "Whether the IPv6 or IPv4 address is in the range.",
             "ipv6_is_in_range('fe80::1', 'fe80::/10')", ipv6_in_range),
    FUNCTION("ipv4_is_in_any_range", "(ip:textual, range:strings...) : bool",
             "Whether the IPv4 address is in any of the ranges.",
             "ipv4_is_in_any_range('127.0.0.1', '10.0.0.0/8', '127.0.0.0/8')", ipv4_in_range),
    FUNCTION("ipv6_is_in_any_range", "(ip:textual, range:strings...) : bool",
             "Whether the IPv6 or IPv4 address is in any of the ranges.",
             "ipv6_is_in_any_range('fe80::1', dynamic(['::1', 'fe80::/10']))", ipv6_in_range),
    FUNCTION("ipv4_is_private", "(ip:string) : bool",
             "Whether the IPv4 address is of a private network (RFC 1918).",
             "ipv4_is_private('10.1.2.3')", ipv4_is_private),
    FUNCTION("ipv4_netmask_suffix", "(ip:string) : long",
             "The prefix length of the IPv4 address, 32 when it has none.",
             "ipv4_netmask_suffix('10.0.0.0/8') == 8", ipv4_netmask_suffix),
    FUNCTION("ipv4_range_to_cidr_list", "(first:string, last:string) : dynamic",
             "The fewest networks that cover the addresses from first to last.",
             "tostring(ipv4_range_to_cidr_list('1.1.1.0', '1.1.1.255')) == '[\"1.1.1.0/24\"]'",
             ipv4_range_to_cidr_list),
    FUNCTION("has_ipv4", "(text:textual, ip:string) : bool",
             "Whether the text has the IPv4 address.", "has_ipv4('from 10.1.2.3:80', '10.1.2.3')",
             has_ipv4),
    FUNCTION("has_any_ipv4", "(text:textual, ip:strings...) : bool",
             "Whether the text has any of the IPv4 addresses.",
             "has_any_ipv4('from 10.1.2.3:80', '127.0.0.1', '10.1.2.3')", has_ipv4),
    FUNCTION("has_ipv4_prefix", "(text:textual, prefix:string) : bool",
             "Whether the text has an IPv4 address that starts so.",
             "has_ipv4_prefix('from 10.1.2.3:80', '10.1.')", has_ipv4_prefix),
    FUNCTION("has_any_ipv4_prefix", "(text:textual, prefix:strings...) : bool",
             "Whether the text has an IPv4 address that starts with any of the prefixes.",
             "has_any_ipv4_prefix('from 10.1.2.3:80', dynamic(['127.', '10.']))", has_ipv4_prefix),
};

const FunctionSet IP_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
