// How a dynamic tree lies in memory. Internal to src/value.
//
// A node is a tag byte and a payload; its size comes from whoever holds it (the
// parent's table, or the Text of the root). The low four bits of the tag are the
// DynKind. Numbers are little-endian.
//
//   null                   nothing
//   bool                   nothing; bit 4 of the tag is the value
//   long                   1, 2, 4 or 8 bytes, signed
//   real, datetime,
//   timespan               8 bytes
//   decimal, guid          16 bytes
//   string                 its bytes
//   array                  count, ends[count], elements
//   bag                    count, ends[2 * count], order[count], members
//
// Words of a container's head are 1, 2 or 4 bytes wide (tag bits 4-5: 0, 1, 2).
// ends[] are offsets from the first byte behind the head. The members of a bag
// are key, value, key, value ... as they came; order[] lists their numbers by
// ascending key (bytes), which is what the binary search walks. Every offset is
// relative to its own container, so a node can be copied anywhere as it is.
#pragma once

#include "value/dynamic.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read in place");

enum { DYN_KIND_MASK = 15, DYN_TAG_SHIFT = 4 };

typedef struct DynContainer {
    uint32_t count;
    uint32_t width; // bytes of a word
    const uint8_t *ends;
    const uint8_t *order; // of a bag
    const uint8_t *data;
} DynContainer;

static inline uint32_t
dyn_word(const uint8_t *words, uint32_t width, uint32_t index)
{
    if (width == 1)
        return words[index];
    if (width == 2) {
        uint16_t word;
        memcpy(&word, words + (size_t)index * 2, 2);
        return word;
    }
    uint32_t word;
    memcpy(&word, words + (size_t)index * 4, 4);
    return word;
}

// ---- writing ----

static inline uint8_t *
dyn_put_word(uint8_t *out, uint32_t width, uint32_t word)
{
    memcpy(out, &word, width); // little-endian
    return out + width;
}

// The width of the words of a head, given the bytes of all members: as no count
// and no end is larger.
static inline uint32_t
dyn_word_width(uint64_t bytes)
{
    if (bytes <= UINT8_MAX)
        return 1;
    return bytes <= UINT16_MAX ? 2 : 4;
}

static inline uint8_t
dyn_container_tag(uint8_t kind, uint32_t width)
{
    return (uint8_t)(kind | (width >> 1) << DYN_TAG_SHIFT); // 1, 2, 4 -> 0, 1, 2
}

// Bytes of the node of a long.
static inline uint32_t
dyn_long_size(int64_t l)
{
    if (l == (int8_t)l)
        return 2;
    if (l == (int16_t)l)
        return 3;
    return l == (int32_t)l ? 5 : 9;
}

// ---- reading ----

// Of an array or bag that has passed dyn_check().
static inline DynContainer
dyn_open(Dyn node)
{
    DynContainer c;
    c.width = 1u << (*node.ptr >> DYN_TAG_SHIFT);
    c.count = dyn_word(node.ptr + 1, c.width, 0);
    c.ends = node.ptr + 1 + c.width;
    size_t words = c.count;
    if ((*node.ptr & DYN_KIND_MASK) == DYN_BAG) {
        c.order = c.ends + words * 2 * c.width;
        c.data = c.order + words * c.width;
    } else {
        c.order = NULL;
        c.data = c.ends + words * c.width;
    }
    return c;
}

// The bytes between end number `index - 1` and end number `index`.
static inline Dyn
dyn_piece(const DynContainer *c, uint32_t index)
{
    uint32_t start = index ? dyn_word(c->ends, c->width, index - 1) : 0;
    return (Dyn){c->data + start, dyn_word(c->ends, c->width, index) - start};
}

static inline Str
dyn_member_key(const DynContainer *c, uint32_t member)
{
    Dyn piece = dyn_piece(c, member * 2);
    return (Str){(const char *)piece.ptr, piece.size};
}

static inline Dyn
dyn_member_value(const DynContainer *c, uint32_t member)
{
    return dyn_piece(c, member * 2 + 1);
}
