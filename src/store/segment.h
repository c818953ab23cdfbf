// Segment: an immutable file that holds some rows of one table by columns.
//
//     head      magic, format version, all its bits turned (0 before version 3)
//     blocks    one a row group and column (block_codec.h), one after another,
//               each followed by the term index of its texts where one pays; equal
//               ones of a row group stand there once
//     footer    schema, rows of each row group, place, checksum and zone of each block,
//               place and checksum of its term index
//     tail      place, size and XXH3 checksum of the footer, magic
//
// A segment is read from its end. Nothing in it is trusted: it may be truncated,
// damaged or made by somebody else. Segments of version 1 have no term indexes,
// those of version 2 none with postings, those of version 3 no split blocks, those of
// version 4 none whose values are packed (block_forms.h).
// Internal to src/store.
#pragma once

#include "store/block_codec.h"
#include "store/zone_map.h"

enum {
    // 3: postings; 4: split blocks; 5: packed GUIDs and numbers; 6: split dynamics
    SEGMENT_VERSION = 6,
    SEGMENT_VERSION_TERMS = 2, // the first with term indexes
    SEGMENT_VERSION_TWICE = 3, // the first that says its version twice
    SEGMENT_COLUMNS_MAX = 4096,
    GROUP_ROWS = 16384,     // rows of a row group, the morsel of a scan
    GROUP_BYTES = 32 << 20, // a row group is cut when its payloads pass this
};

typedef struct SegmentSummary {
    uint64_t rows, bytes; // bytes of the file
    uint64_t checksum;    // of the footer, which holds those of all blocks
    uint32_t *group_rows; // malloc'ed
    uint32_t group_count;
} SegmentSummary;

// Writes rows `order[0..rows)` of the `columns` (each flat, or vector_is_nothing) as a new file
// and syncs it.
// On failure the file is removed. The summary's group_rows are the caller's to free.
bool segment_write(const char *path, const Schema *schema, const Vector *const *columns,
                   const uint32_t *order, uint32_t rows, BlockEncoder *encoder,
                   SegmentSummary *summary, AzError *error);

typedef struct SegmentGroup {
    uint32_t rows;
    BlockInfo *blocks; // one a column
    Zone *zones;
    BlockInfo *terms; // one a column: its term index; offset 0 = there is none
} SegmentGroup;

typedef struct Segment {
    Arena arena; // holds all below
    const char *path;
    Schema schema;
    SegmentGroup *groups;
    uint32_t group_count;
    uint64_t rows, bytes, checksum;
    uint32_t version;
} Segment;

// Reads and checks the footer; the file is not kept open. NULL with an error that
// names the file. `fd` is the open file, which stays the caller's.
Segment *segment_open(const char *path, AzError *error);
Segment *segment_open_fd(int fd, const char *path, AzError *error);
void segment_close(Segment *segment);

// Reads and decodes one block; NULL with an error that names file, column and
// block. The _fd form reads from an open file.
Block *segment_read(const Segment *segment, uint32_t group, uint32_t column, BlockDecoder *decoder,
                    AzError *error);
Block *segment_read_fd(const Segment *segment, int fd, uint32_t group, uint32_t column,
                       BlockDecoder *decoder, AzError *error);

// What lies at a path (split.h) in each JSON text of a column of strings, as dynamics. Of a split
// block only the values at the path are read.
Block *segment_read_path(const Segment *segment, uint32_t group, uint32_t column, Str path,
                         BlockDecoder *decoder, AzError *error);
Block *segment_read_path_fd(const Segment *segment, int fd, uint32_t group, uint32_t column,
                            Str path, BlockDecoder *decoder, AzError *error);

// The same for the term index of a block, which there must be: its bytes as a constant
// vector of one string, and sound (term_index_open).
Block *segment_read_terms(const Segment *segment, uint32_t group, uint32_t column,
                          BlockDecoder *decoder, AzError *error);
Block *segment_read_terms_fd(const Segment *segment, int fd, uint32_t group, uint32_t column,
                             BlockDecoder *decoder, AzError *error);
