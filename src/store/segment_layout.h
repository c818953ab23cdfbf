// How the ends of a segment file lie; shared by its writer and its reader.
#pragma once

#include <stdint.h>

// The line ends and the DOS end-of-file in the magic tell a file that was sent as text.
#define SEGMENT_MAGIC "AZS\r\n\x1a\n\xA7"

enum {
    SEGMENT_MAGIC_SIZE = 8,
    SEGMENT_HEAD_SIZE = 16, // magic, version u32, zero u32
    SEGMENT_TAIL_SIZE = 32, // footer offset u64, size u64, checksum u64, magic
};
