// parseCidr(), cidrSubnet(), cidrHost(): blocks of addresses, IPv4 and IPv6.
// Source: Microsoft Learn, "CIDR functions for ARM templates".

#include "azure/template/template_scope.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 Wide;

typedef struct Block {
    Wide first; // the lowest address, as a number
    int family, bits, width;
} Block;

static Wide
mask_of(const Block *block)
{
    Wide all = block->width == 128 ? ~(Wide)0 : (Wide)0xFFFFFFFFu;
    return block->bits == 0 ? 0 : all & ~((((Wide)1) << (block->width - block->bits)) - 1);
}

static bool
read_block(const PolicyValue *value, Block *out)
{
    char text[64];
    uint8_t bytes[16];
    if (value->kind != POLICY_STRING || value->text.len >= sizeof text || !value->text.len)
        return false;
    memcpy(text, value->text.ptr, value->text.len);
    text[value->text.len] = '\0';
    char *slash = strchr(text, '/'), *end = NULL;
    if (!slash)
        return false;
    *slash = '\0';
    out->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    out->width = out->family == AF_INET6 ? 128 : 32;
    long bits = strtol(slash + 1, &end, 10);
    if (end == slash + 1 || *end || bits < 0 || bits > out->width ||
        inet_pton(out->family, text, bytes) != 1)
        return false;
    out->bits = (int)bits;
    out->first = 0;
    for (int i = 0; i < out->width / 8; i++)
        out->first = (out->first << 8) | bytes[i];
    out->first &= mask_of(out);
    return true;
}

static Str
address_text(Arena *arena, const Block *block, Wide address)
{
    uint8_t bytes[16];
    char text[INET6_ADDRSTRLEN] = "";
    for (int i = block->width / 8 - 1; i >= 0; i--, address >>= 8)
        bytes[i] = (uint8_t)(address & 0xFF);
    inet_ntop(block->family, bytes, text, sizeof text);
    return str_copy(arena, str_from(text));
}

static bool
need_block(Eval *eval, const PolicyValue *value, Block *out)
{
    return read_block(value, out) ||
           eval_fail(eval, "a block of addresses such as '10.0.0.0/16' is expected");
}

static bool
fn_parse_cidr(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    static const Str KEYS[] = {STR_INIT("network"),    STR_INIT("netmask"), STR_INIT("firstUsable"),
                               STR_INIT("lastUsable"), STR_INIT("cidr"),    STR_INIT("broadcast")};
    Block block = {0};
    (void)count;
    if (!need_block(eval, &args[0], &block))
        return false;
    Wide all = block.width == 128 ? ~(Wide)0 : (Wide)0xFFFFFFFFu;
    Wide last = block.first | (all & ~mask_of(&block));
    // IPv4 keeps the first address for the network and the last for the broadcast.
    Wide kept = block.width == 32 && block.bits < 31 ? 1 : 0;
    PolicyValue *values = ARENA_ARRAY(eval->arena, PolicyValue, 6);
    values[0] = policy_text(address_text(eval->arena, &block, block.first));
    values[1] = policy_text(address_text(eval->arena, &block, mask_of(&block)));
    values[2] = policy_text(address_text(eval->arena, &block, block.first + kept));
    values[3] = policy_text(address_text(eval->arena, &block, last - kept));
    values[4] = policy_long(block.bits);
    values[5] = policy_text(address_text(eval->arena, &block, last));
    *out = policy_object(KEYS, values, block.width == 32 ? 6 : 5);
    return true;
}

static bool
fn_cidr_subnet(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    Block block = {0};
    (void)count;
    if (!need_block(eval, &args[0], &block))
        return false;
    if (args[1].kind != POLICY_LONG || args[2].kind != POLICY_LONG ||
        args[1].integer < block.bits || args[1].integer > block.width || args[2].integer < 0)
        return eval_fail(eval, "cidrSubnet() takes a length within the block and a number from 0");
    int more = (int)args[1].integer - block.bits;
    if (more < 63 && args[2].integer >= (int64_t)1 << more)
        return eval_fail(eval, "the block has no subnet of that number");
    Block inner = block;
    inner.bits = (int)args[1].integer;
    int shift = block.width - inner.bits;
    if (shift < 128)
        inner.first += (Wide)args[2].integer << shift;
    *out = policy_text(str_format(eval->arena, "%.*s/%d",
                                  STR_ARG(address_text(eval->arena, &inner, inner.first)),
                                  inner.bits));
    return true;
}

static bool
fn_cidr_host(Eval *eval, const PolicyValue *args, uint32_t count, PolicyValue *out)
{
    Block block = {0};
    (void)count;
    if (!need_block(eval, &args[0], &block))
        return false;
    if (args[1].kind != POLICY_LONG || args[1].integer < 0)
        return eval_fail(eval, "cidrHost() takes a number from 0");
    Wide host = (Wide)args[1].integer + (block.width == 32 && block.bits < 31 ? 1 : 0);
    int free_bits = block.width - block.bits;
    if (free_bits < 127 && host >= ((Wide)1 << free_bits))
        return eval_fail(eval, "the block has no host of that number");
    *out = policy_text(address_text(eval->arena, &block, block.first + host));
    return true;
}

const PolicyFunction FUNCTIONS_CIDR[] = {
    {"parseCidr", 1, 1, true, fn_parse_cidr, NULL},
    {"cidrSubnet", 3, 3, true, fn_cidr_subnet, NULL},
    {"cidrHost", 2, 2, true, fn_cidr_host, NULL},
    {NULL, 0, 0, false, NULL, NULL},
};
