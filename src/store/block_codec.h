// Block codec: the values of one column in one row group, as bytes and back.
//
// When a block is written its encoding is chosen by the data: CONST (one value),
// DICT (few distinct values, codes of 8, 16 or 32 bits), NARROW (whole numbers as
// unsigned distances of 1, 2 or 4 bytes from the least), SPLIT (strings that are
// JSON objects, or dynamics, of few templates: their values by columns, split.h), GUIDS (strings
// that are GUIDs, 16 bytes each), PACKED (whole numbers in the bits they need, where that
// is no larger than NARROW), SCALED (reals of few decimals, packed) or PLAIN; then the bytes of
// all but SPLIT are compressed with zstd when that saves more than a tenth. Blocks that are read
// are hostile input: nothing in them is used before it is checked, and each dynamic tree passes
// dyn_check once, here. Internal to src/store.
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "column/vector.h"

typedef enum BlockEncoding {
    BLOCK_PLAIN,
    BLOCK_CONST,
    BLOCK_DICT,
    BLOCK_NARROW,
    BLOCK_SPLIT,
    BLOCK_GUIDS,
    BLOCK_PACKED,
    BLOCK_SCALED,
    BLOCK_ENCODING_LIMIT
} BlockEncoding;

typedef enum BlockCodec { CODEC_NONE, CODEC_ZSTD, CODEC_LIMIT } BlockCodec;

enum {
    BLOCK_ROWS_MAX = 1 << 20,   // a row group never has more
    BLOCK_RAW_MAX = 320 << 20,  // bytes of a block before compression
    BLOCK_VALUE_MAX = 128 << 20 // bytes of one text or tree
};

// What the footer of a segment says of a block.
typedef struct BlockInfo {
    uint64_t offset;   // in the file
    uint32_t stored;   // bytes there
    uint32_t raw;      // bytes when decompressed; of SPLIT those of its values
    uint64_t checksum; // XXH3 of the stored bytes
    uint8_t encoding, codec;
    bool has_nulls;
} BlockInfo;

// A decoded block; owned by whoever holds it.
typedef struct Block {
    Vector vector; // FLAT, CONST or DICT
    Vector dict;   // the entries, when vector is DICT
    Arena arena;   // what they point to
} Block;

typedef struct BlockEncoder BlockEncoder;
BlockEncoder *block_encoder_new(void);
void block_encoder_free(BlockEncoder *encoder);

// Encodes a flat vector (1 .. BLOCK_ROWS_MAX rows; nulls have zero payloads).
// Fills all of *info but the offset; *stored views the encoder's memory until the
// next call. *distinct gets the distinct values as a flat vector in `arena` when
// the encoding found them, else NULL.
void block_encode(BlockEncoder *encoder, Arena *arena, const Vector *flat, BlockInfo *info,
                  Str *stored, const Vector **distinct);

// Bytes that are no column (a term index), stored as those of a block.
void block_encode_bytes(BlockEncoder *encoder, Str bytes, BlockInfo *info, Str *stored);

// Decoder: the scratch memory of decompression. One thread at a time.
typedef struct BlockDecoder BlockDecoder;
BlockDecoder *block_decoder_new(void);
void block_decoder_free(BlockDecoder *decoder);
// Room for the stored bytes of a block.
void *block_decoder_buffer(BlockDecoder *decoder, size_t size);

// Decodes `info->stored` bytes as `rows` values. NULL with *why (a static text)
// when they are damaged.
Block *block_decode(BlockDecoder *decoder, const BlockInfo *info, Type type, uint32_t rows,
                    const void *stored, const char **why);
// What block_encode_bytes stored: a constant vector of one string.
Block *block_decode_bytes(BlockDecoder *decoder, const BlockInfo *info, const void *stored,
                          const char **why);
void block_free(Block *block);
