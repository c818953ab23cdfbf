// Ip: an IPv4 or IPv6 address with the number of its bits that count (scalar/ip.c).
#pragma once

#include "base/slice.h"

enum { IP_BITS = 128, V4_BITS = 32, V4_SHIFT = IP_BITS - V4_BITS };

// An IPv4 address lies in its place in IPv6 (::ffff:a.b.c.d); its "/24" counts 96 + 24.
typedef struct Ip {
    uint8_t bytes[16];
    int bits;   // that count, 0 .. IP_BITS; those behind are 0
    bool is_v4; // written as an IPv4 address
} Ip;

// Reads an address, with or without "/prefix". False when it is none. The second takes
// both kinds.
bool ip_read_v4(Str text, Ip *ip);
bool ip_read_v6(Str text, Ip *ip);
// Whether it is one of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918).
bool ip_is_private(const Ip *ip);
// Lets at most `bits` count and clears those behind.
void ip_mask(Ip *ip, int bits);
