// IngestSplitter: a file's text cut into chunks of whole records.
//
// Three formats: JSON lines (a document a line), JSON documents (arrays, pages
// {"value": [...]}, pretty-printed or concatenated documents) and CSV. Cutting is
// the serial part of an import, so it only looks for the ends of records; workers
// parse. A chunk holds about a megabyte, more only when one record is longer;
// records beyond INGEST_RECORD_MAX are reported and skipped, so that memory is
// bounded whatever the file holds.
#pragma once

#include "store/ingest_stream.h"

enum {
    INGEST_CHUNK = 1 << 20,
    INGEST_RECORD_MAX = 64 << 20,
    INGEST_PADDING = 64, // zero bytes behind a chunk
};

typedef enum IngestFormat { INGEST_GUESS, INGEST_LINES, INGEST_DOCUMENTS, INGEST_CSV } IngestFormat;

// A record of a chunk: one JSON document (which may be a page or an array of
// records) or one CSV row. With a problem it could not be cut out and `text` is its
// beginning.
typedef struct IngestRecord {
    Str text;
    const char *problem; // NULL, or a static or stream-owned sentence
} IngestRecord;

typedef struct IngestSpan {
    size_t from, len;
    const char *problem;
} IngestSpan;

// Owned by a worker and reused; zeroed is empty. The bytes are one piece of the
// file, so that a record's line and offset can be told from its place.
typedef struct IngestChunk {
    char *data;
    size_t len, cap;
    uint64_t offset, line; // of data[0] in the decompressed file; lines from 1
    bool lines;            // records are the lines; else the spans
    IngestSpan *spans;
    size_t span_count, span_cap;
    size_t next; // where ingest_chunk_next stands: byte or span
} IngestChunk;

void ingest_chunk_free(IngestChunk *chunk);
bool ingest_chunk_next(IngestChunk *chunk, IngestRecord *record);
// Line and byte of `at`, which points into the chunk.
void ingest_chunk_place(const IngestChunk *chunk, const char *at, uint64_t *line, uint64_t *offset);

typedef struct IngestSplitter IngestSplitter;

// Takes the stream over. `format` INGEST_GUESS: by content.
IngestSplitter *ingest_splitter_new(IngestStream *stream, IngestFormat format);
void ingest_splitter_free(IngestSplitter *splitter);
// Before the first ingest_splitter_next: reads only bytes [begin, end) (end 0: to the end) of the
// content, which must begin and end between records.
void ingest_splitter_range(IngestSplitter *splitter, uint64_t begin, uint64_t end);
// The format; known after the first ingest_splitter_next.
IngestFormat ingest_splitter_format(const IngestSplitter *splitter);
const IngestStream *ingest_splitter_stream(const IngestSplitter *splitter);
// The delimiter of a CSV file: ',', ';' or a tab.
char ingest_splitter_delimiter(const IngestSplitter *splitter);

// The next chunk; false at the end. One thread at a time. A stream that is cut
// gives a last record whose problem says so.
bool ingest_splitter_next(IngestSplitter *splitter, IngestChunk *chunk);

// The rows in a document: `text` is one JSON value. An array gives its elements; a
// page ({"value": [...]}, Resource Graph's {"data": [...]} or Event Hubs' {"records": [...]}, all
// other members known paging words or annotations) the elements of that; any other value itself.
// Malformed rests come as a record with a problem.
typedef struct IngestRows {
    Str text;
    size_t at;
    bool single, done;
} IngestRows;
IngestRows ingest_rows_of(Str text);
bool ingest_rows_next(IngestRows *rows, IngestRecord *record);
// Whether `text` is a page, and where the text of its array lies.
bool ingest_page_find(Str text, Str *array);

// End of the JSON value at text[from] by its brackets and quotes alone, or
// SIZE_MAX when it does not end.
size_t ingest_value_end(Str text, size_t from);
