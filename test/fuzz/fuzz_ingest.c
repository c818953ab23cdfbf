// Fuzz target: arbitrary bytes as a file of JSON and as one of CSV, plain or packed,
// through the splitter, the parser, schema inference and redaction. Checks that what
// comes out lies inside what went in and that masking leaves nothing to mask.

#include "store/ingest_parts.h"
#include "store/ingest_redact.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "fuzz_ingest: %s does not hold\n", #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static IngestWorker worker;

static void
check_redaction(Str text)
{
    Buffer once = {0}, twice = {0}, broken = {0};
    Str masked = ingest_redact(&once, text);
    CHECK(masked.ptr == text.ptr || ingest_may_hold_secret(text));
    CHECK(str_equal(masked, ingest_redact(&twice, masked)));
    ingest_redact_broken(&broken, text);
    buffer_free(&once);
    buffer_free(&twice);
    buffer_free(&broken);
}

static void
read_rows(IngestInfer *infer, Str text, int depth)
{
    IngestRows rows = ingest_rows_of(text);
    IngestRecord row;
    while (ingest_rows_next(&rows, &row)) {
        CHECK(row.text.ptr >= text.ptr && row.text.ptr + row.text.len <= text.ptr + text.len);
        if (row.problem)
            continue;
        if (!rows.single && depth < 3)
            read_rows(infer, row.text, depth + 1);
        else
            ingest_infer_json(infer, &worker, row.text);
    }
}

static void
read_csv(IngestInfer *infer, Arena *arena, CsvHeader *header, char delimiter, Str row)
{
    if (!header->count) {
        csv_header_read(arena, row, delimiter, header);
        return;
    }
    ingest_infer_csv(infer, header, delimiter, row, &worker.cell);
    Str cell;
    size_t bytes = 0;
    for (CsvRow cells = csv_row(row, delimiter); csv_row_next(&cells, &worker.cell, &cell);)
        bytes += cell.len;
    CHECK(bytes <= row.len);
}

static void
read_file(Str bytes, IngestFormat format)
{
    Arena arena = {0};
    IngestInfer infer;
    CsvHeader header = {0};
    IngestChunk *chunk = &worker.chunk;
    IngestRecord record;
    ingest_infer_init(&infer, &arena);
    IngestSplitter *splitter = ingest_splitter_new(ingest_stream_memory(bytes), format);
    uint64_t end = 0;
    while (ingest_splitter_next(splitter, chunk)) {
        CHECK(chunk->offset >= end);
        end = chunk->offset + chunk->len;
        while (ingest_chunk_next(chunk, &record)) {
            uint64_t line, offset;
            CHECK(record.text.ptr >= chunk->data &&
                  record.text.ptr + record.text.len <= chunk->data + chunk->len);
            ingest_chunk_place(chunk, record.text.ptr, &line, &offset);
            check_redaction(record.text);
            if (record.problem)
                continue;
            if (ingest_splitter_format(splitter) == INGEST_CSV)
                read_csv(&infer, &arena, &header, ingest_splitter_delimiter(splitter), record.text);
            else
                read_rows(&infer, record.text, 0);
        }
    }
    ingest_infer_schema(&infer);
    ingest_splitter_free(splitter);
    arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!worker.parser) {
        worker.parser = json_parser_new();
        worker.tree = dyn_builder_new();
    }
    Str bytes = {(const char *)data, size};
    read_file(bytes, INGEST_DOCUMENTS);
    read_file(bytes, INGEST_CSV);
    read_file(bytes, INGEST_GUESS);
    ArmId id;
    arena_reset(&worker.scratch);
    arm_id_parse(&worker.scratch, bytes, &id);
    answer_route(&worker.scratch, bytes, bytes, (Str){0}, true);
    return 0;
}
