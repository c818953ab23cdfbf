// Answers of Azimuth in the memory layout of Apache Arrow.
//
// The three structs are those of the Arrow specification, "The Arrow C data interface" and
// "The Arrow C stream interface": any library that reads them (pyarrow, Polars, DuckDB,
// nanoarrow ...) takes an answer without copying and without knowing Azimuth.
//
// | Kusto    | Arrow                                                                       |
// | -------- | --------------------------------------------------------------------------- |
// | bool     | bool                                                                        |
// | int      | int32                                                                       |
// | long     | int64                                                                       |
// | real     | float64 (NaN and infinities are values, not nulls)                          |
// | decimal  | decimal128(38, s), s = the most digits behind the point that a value of the |
// |          | column needs; when the values do not all fit into 38 digits without a loss, |
// |          | or one is NaN or infinite: utf8 (metadata azimuth:type = decimal)           |
// | datetime | timestamp[ns, UTC]; a column with years outside 1677 .. 2262 is             |
// |          | timestamp[us, UTC], without its seventh digit of a second                   |
// | timespan | duration[ns]; beyond 292 years duration[us], likewise                       |
// | string   | utf8, never null                                                            |
// | guid     | fixed_size_binary(16), extension arrow.uuid                                 |
// | dynamic  | utf8 that is JSON, extension arrow.json                                     |
//
// Each field's metadata has azimuth:type, the Kusto type's name. Columns of int, long, real and
// guid and all null bitmaps are handed over as they lie in memory; the others are converted, a
// batch at a time. (Azimuth's strings are views with pointers where Arrow's utf8_view has buffer
// numbers, so they cannot be shared.)
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
    // Array type description
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;

    // Release callback
    void (*release)(struct ArrowSchema *);
    // Opaque producer-specific data
    void *private_data;
};

struct ArrowArray {
    // Array data description
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;

    // Release callback
    void (*release)(struct ArrowArray *);
    // Opaque producer-specific data
    void *private_data;
};

#endif // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    // Callbacks providing stream functionality
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);

    // Release callback
    void (*release)(struct ArrowArrayStream *);
    // Opaque producer-specific data
    void *private_data;
};

#endif // ARROW_C_STREAM_INTERFACE

// Runs a query in KQL (the name of a table is one) over the store in `store_dir` (NULL: an empty
// database) and hands its answer over as a stream of struct arrays, one a batch. 0 when done;
// else an errno-like number, *out is untouched, and `message` (may be NULL) gets a sentence that
// says why, cut to `message_size` bytes. Of several tables the first of the last statement is
// taken. The stream, the schemas and the arrays are the caller's: each is given back by its
// release callback, in any order and from any thread; arrays outlive their stream.
int az_query_arrow(const char *store_dir, const char *query, struct ArrowArrayStream *out,
                   char *message, size_t message_size);

#ifdef __cplusplus
}
#endif
