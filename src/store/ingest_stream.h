// IngestStream: the bytes of a file, decompressed by what the file holds.
//
// gzip and zstd are told by their first bytes, never by the name; several members
// or frames one after another are one stream. Plain UTF-16 with a byte-order mark
// becomes UTF-8. A file that grows while it is read
// is read up to the size it had when it was opened. Memory: two fixed buffers.
#pragma once

#include "base/error.h"

typedef struct IngestStream IngestStream;

// NULL with an error that names the file when it cannot be opened or is no
// regular file.
IngestStream *ingest_stream_open(const char *path, AzError *error);
// Over bytes that outlive the stream, as if they were a file's.
IngestStream *ingest_stream_memory(Str bytes);
void ingest_stream_close(IngestStream *stream);

// Up to `cap` bytes into `out`; less only at the end. A file that is cut or damaged
// ends there: ingest_stream_problem then says what is wrong and at which byte of
// the file (NULL when all is well).
size_t ingest_stream_read(IngestStream *stream, char *out, size_t cap);
const char *ingest_stream_problem(const IngestStream *stream);

// Gives only `bytes` more; what comes after is as if it were not there.
void ingest_stream_limit(IngestStream *stream, uint64_t bytes);

// Bytes of the file read so far, and its size when it was opened.
uint64_t ingest_stream_position(const IngestStream *stream);
uint64_t ingest_stream_size(const IngestStream *stream);
