// Cutting text into records: see ingest_split.h.
//
// JSON is cut by a scan that knows only quotes, escapes and brackets; whether a
// record is JSON is the parser's business. When a record is broken (a line break
// inside a string, brackets that do not pair, the end of the file inside a record) the
// splitter looks for the next line that begins with "{" no deeper indented than the
// broken record, so that one bad record in a pretty-printed array costs one record and
// its inner objects are never taken for rows.

#include "store/ingest_scan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    PAGE_LIMIT = 4 << 20, // documents longer than this are searched for rows while they come
    REJECT_KEEP = 4096,   // bytes of a record that cannot be cut out that are kept
    RETRIES = 64,         // records that never end: how often a file may be read on after one
    DETECT_LINES = 20,
};

static const char TOO_LONG[] = "the record is longer than 64 MiB";
static const char NEVER_ENDS[] = "the file ends inside the record";
static const char BROKEN[] = "brackets that do not pair, or a line break inside a string";
static const char STRAY[] = "a bracket that closes nothing, or text that is no JSON";
static const char BESIDE_PAGE[] = "a member beside the rows of a page is not imported";
static const char OPEN_QUOTE[] = "a quoted field is never closed";

// Where the documents scan stands between values.
typedef enum Place { AT_TOP, IN_ARRAY, IN_PAGE, PAGE_REST } Place;

struct IngestSplitter {
    IngestStream *stream;
    IngestFormat format;
    bool begun;
    char delimiter;
    char *carry; // the beginning of a record whose end has not come yet
    size_t carry_len, carry_cap;
    uint64_t offset, line; // of the next byte to hand out
    bool ended, reported;
    bool skipping; // inside a record that is too long
    // Documents
    Place place;
    bool in_value, resync, page_key;
    uint32_t indent, retries;
    size_t value_from, scanned; // in the chunk being filled
    JsonScan scan;
};

static void *
must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "azimuth: out of memory (cutting a file into records)\n");
        abort();
    }
    return memory;
}

void
ingest_chunk_free(IngestChunk *chunk)
{
    free(chunk->data);
    free(chunk->spans);
    *chunk = (IngestChunk){0};
}

static void
chunk_reserve(IngestChunk *chunk, size_t cap)
{
    if (chunk->cap < cap) {
        chunk->data = must(realloc(chunk->data, cap + INGEST_PADDING));
        chunk->cap = cap;
    }
}

static void
chunk_span(IngestChunk *chunk, size_t from, size_t end, const char *problem)
{
    if (chunk->span_count == chunk->span_cap) {
        chunk->span_cap = chunk->span_cap ? chunk->span_cap * 2 : 256;
        chunk->spans = must(realloc(chunk->spans, chunk->span_cap * sizeof(*chunk->spans)));
    }
    chunk->spans[chunk->span_count++] = (IngestSpan){from, end - from, problem};
}

bool
ingest_chunk_next(IngestChunk *chunk, IngestRecord *record)
{
    while (chunk->lines && chunk->next < chunk->len) {
        const char *from = chunk->data + chunk->next;
        const char *end = memchr(from, '\n', chunk->len - chunk->next);
        size_t len = end ? (size_t)(end - from) : chunk->len - chunk->next;
        chunk->next += len + (end != NULL);
        record->text = str_trim((Str){from, len});
        record->problem = NULL;
        if (record->text.len)
            return true;
    }
    // Lines come first; a span beside them is the report on a cut file.
    size_t index = chunk->lines ? chunk->next - chunk->len : chunk->next;
    if (index >= chunk->span_count)
        return false;
    chunk->next++;
    const IngestSpan *span = &chunk->spans[index];
    *record = (IngestRecord){{chunk->data + span->from, span->len}, span->problem};
    return true;
}

static uint64_t
count_lines(const char *text, size_t len)
{
    uint64_t lines = 0;
    const char *end = text + len;
    for (const char *at = text; at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    return lines;
}

void
ingest_chunk_place(const IngestChunk *chunk, const char *at, uint64_t *line, uint64_t *offset)
{
    assert(at >= chunk->data && at <= chunk->data + chunk->len);
    size_t before = (size_t)(at - chunk->data);
    *offset = chunk->offset + before;
    *line = chunk->line + count_lines(chunk->data, before);
}

IngestSplitter *
ingest_splitter_new(IngestStream *stream, IngestFormat format)
{
    IngestSplitter *splitter = must(calloc(1, sizeof(*splitter)));
    splitter->stream = stream;
    splitter->format = format;
    splitter->delimiter = ',';
    splitter->line = 1;
    return splitter;
}

void
ingest_splitter_free(IngestSplitter *splitter)
{
    if (!splitter)
        return;
    ingest_stream_close(splitter->stream);
    free(splitter->carry);
    free(splitter);
}

void
ingest_splitter_range(IngestSplitter *splitter, uint64_t begin, uint64_t end)
{
    char skipped[1 << 12];
    while (splitter->offset < begin) {
        uint64_t left = begin - splitter->offset;
        size_t wanted = left < sizeof(skipped) ? (size_t)left : sizeof(skipped);
        size_t got = ingest_stream_read(splitter->stream, skipped, wanted);
        splitter->offset += got;
        splitter->line += count_lines(skipped, got);
        if (got < wanted)
            break;
    }
    if (end)
        ingest_stream_limit(splitter->stream, end - splitter->offset);
}

IngestFormat
ingest_splitter_format(const IngestSplitter *splitter)
{
    return splitter->format;
}

const IngestStream *
ingest_splitter_stream(const IngestSplitter *splitter)
{
    return splitter->stream;
}

char
ingest_splitter_delimiter(const IngestSplitter *splitter)
{
    return splitter->delimiter;
}

// Reads until the chunk holds `wanted` bytes or the file ends.
static void
chunk_fill(IngestSplitter *splitter, IngestChunk *chunk, size_t wanted)
{
    if (splitter->ended || chunk->len >= wanted)
        return;
    chunk_reserve(chunk, wanted);
    size_t room = wanted - chunk->len;
    size_t got = ingest_stream_read(splitter->stream, chunk->data + chunk->len, room);
    chunk->len += got;
    splitter->ended = got < room;
}

// Keeps what follows data[whole] for the next chunk.
static void
chunk_cut(IngestSplitter *splitter, IngestChunk *chunk, size_t whole)
{
    size_t rest = chunk->len - whole;
    if (splitter->carry_cap < rest) {
        splitter->carry = must(realloc(splitter->carry, rest));
        splitter->carry_cap = rest;
    }
    if (rest)
        memcpy(splitter->carry, chunk->data + whole, rest);
    splitter->carry_len = rest;
    chunk->len = whole;
    splitter->offset += whole;
    splitter->line += count_lines(chunk->data, whole);
}

// Column of data[at] in its line, for the indentation of a record.
static uint32_t
column_of(const char *data, size_t at)
{
    uint32_t column = 0;
    while (at > column && data[at - column - 1] != '\n')
        column++;
    return column;
}

// Moves to the next line that begins with "{" at most `indent` deep. False when it
// has not come yet; *at is then what may be given away.
static bool
resync(const IngestSplitter *splitter, const IngestChunk *chunk, size_t *at)
{
    for (;;) {
        const char *line = memchr(chunk->data + *at, '\n', chunk->len - *at);
        if (!line) {
            *at = chunk->len;
            return false;
        }
        size_t newline = (size_t)(line - chunk->data), i = newline + 1;
        while (i < chunk->len && (chunk->data[i] == ' ' || chunk->data[i] == '\t'))
            i++;
        if (i == chunk->len && !splitter->ended) {
            *at = newline;
            return false;
        }
        *at = i;
        if (i < chunk->len && chunk->data[i] == '{' && i - newline - 1 <= splitter->indent)
            return true;
    }
}

static void
begin_resync(IngestSplitter *splitter, const IngestChunk *chunk, size_t from)
{
    splitter->in_value = false;
    splitter->resync = true;
    splitter->indent = column_of(chunk->data, from);
}

// Takes the bracket or separator at data[*at] when it belongs to the frame around
// the records. False when a value begins there.
static bool
take_frame(IngestSplitter *splitter, const IngestChunk *chunk, size_t *at)
{
    char c = chunk->data[*at];
    bool taken = true;
    if (ingest_is_blank(c) || c == ',' || (c == ':' && splitter->place == PAGE_REST))
        ;
    else if (c == '[' && splitter->place == AT_TOP)
        splitter->place = IN_ARRAY;
    else if (c == ']' && splitter->place == IN_ARRAY)
        splitter->place = AT_TOP;
    else if (c == ']' && splitter->place == IN_PAGE)
        splitter->place = PAGE_REST;
    else if (c == '}' && splitter->place == PAGE_REST)
        splitter->place = AT_TOP;
    else
        taken = false;
    *at += taken;
    return taken;
}

// A value has ended: a record, or a name or value in the rest of a page.
static void
end_value(IngestSplitter *splitter, IngestChunk *chunk, size_t end)
{
    size_t from = splitter->value_from;
    splitter->in_value = false;
    if (splitter->skipping) {
        splitter->skipping = false;
        return;
    }
    if (splitter->place != PAGE_REST) {
        chunk_span(chunk, from, end, NULL);
        return;
    }
    Str text = {chunk->data + from, end - from};
    size_t after = ingest_skip_blanks((Str){chunk->data, chunk->len}, end);
    if (text.ptr[0] == '"' && after < chunk->len && chunk->data[after] == ':')
        splitter->page_key = ingest_is_page_key(str_slice(text, 1, text.len - 1));
    else if (!splitter->page_key)
        chunk_span(chunk, from, end, BESIDE_PAGE);
}

// The scan of a value broke at data[*at]. The next record is looked for behind the
// value's first line; after RETRIES times only behind the break, so that text made to
// break late is not read again and again.
static void
value_broken(IngestSplitter *splitter, IngestChunk *chunk, size_t *at)
{
    size_t from = splitter->skipping ? *at : splitter->value_from;
    if (!splitter->skipping)
        chunk_span(chunk, from, *at, BROKEN);
    begin_resync(splitter, chunk, from);
    if (splitter->retries++ < RETRIES)
        *at = from;
    splitter->skipping = false;
}

// The value that has begun needs more bytes than there are. Returns true when the
// scan goes on all the same.
static bool
value_unfinished(IngestSplitter *splitter, IngestChunk *chunk, size_t *at)
{
    size_t from = splitter->value_from;
    if (splitter->skipping) {
        *at = chunk->len;
        return false;
    }
    if (splitter->ended) {
        const char *problem = ingest_stream_problem(splitter->stream);
        chunk_span(chunk, from, chunk->len, problem ? problem : NEVER_ENDS);
        splitter->reported = true;
        if (problem || splitter->retries++ >= RETRIES) {
            *at = chunk->len;
            splitter->in_value = false;
            return false;
        }
        begin_resync(splitter, chunk, from);
        *at = from;
        return true;
    }
    Str text = {chunk->data + from, chunk->len - from};
    if (splitter->place == AT_TOP && text.len >= PAGE_LIMIT) {
        size_t rows = ingest_page_begins(text);
        if (rows) {
            splitter->place = IN_PAGE;
            splitter->page_key = true;
            splitter->in_value = false;
            *at = from + rows;
            return true;
        }
    }
    if (text.len >= INGEST_RECORD_MAX) {
        chunk_span(chunk, from, from + REJECT_KEEP, TOO_LONG);
        splitter->skipping = true;
        *at = chunk->len;
        return false;
    }
    *at = from;
    return false;
}

// Begins the value at data[at]. False when it is a stray closing bracket.
static bool
begin_value(IngestSplitter *splitter, IngestChunk *chunk, size_t at)
{
    if (strchr("}]:", chunk->data[at])) {
        const char *line = memchr(chunk->data + at, '\n', chunk->len - at);
        chunk_span(chunk, at, line ? (size_t)(line - chunk->data) : chunk->len, STRAY);
        begin_resync(splitter, chunk, at);
        return false;
    }
    splitter->in_value = true;
    splitter->value_from = splitter->scanned = at;
    splitter->scan = (JsonScan){0};
    return true;
}

static ScanEnd
scan_value(IngestSplitter *splitter, IngestChunk *chunk)
{
    char first = chunk->data[splitter->skipping ? 0 : splitter->value_from];
    bool bracketed = splitter->skipping || first == '{' || first == '[' || first == '"';
    if (bracketed)
        return ingest_scan(&splitter->scan, chunk->data, chunk->len, &splitter->scanned);
    splitter->scanned = ingest_scalar_end(chunk->data, splitter->scanned, chunk->len);
    return splitter->scanned < chunk->len || splitter->ended ? SCAN_DONE : SCAN_MORE;
}

// Spans of the whole documents in the chunk; returns how many bytes they take.
static size_t
split_documents(IngestSplitter *splitter, IngestChunk *chunk)
{
    size_t at = splitter->in_value ? splitter->scanned : 0;
    // A value that is begun is looked at even when the file brought nothing more.
    while (at < chunk->len || splitter->in_value) {
        if (splitter->resync) {
            if (!resync(splitter, chunk, &at))
                return at;
            splitter->resync = false;
        }
        if (!splitter->in_value) {
            if (take_frame(splitter, chunk, &at))
                continue;
            if (!begin_value(splitter, chunk, at))
                continue;
        }
        ScanEnd end = scan_value(splitter, chunk);
        at = splitter->scanned;
        // Whether a string in the rest of a page is a name is seen by what follows.
        if (end == SCAN_DONE && splitter->place == PAGE_REST && !splitter->skipping &&
            !splitter->ended &&
            ingest_skip_blanks((Str){chunk->data, chunk->len}, at) == chunk->len) {
            splitter->in_value = false;
            return splitter->value_from;
        }
        if (end == SCAN_DONE) {
            end_value(splitter, chunk, at);
        } else if (end == SCAN_BROKEN) {
            value_broken(splitter, chunk, &at);
        } else if (!value_unfinished(splitter, chunk, &at)) {
            return at;
        }
    }
    return at;
}

// Bytes of whole lines; the file's last line needs no end.
static size_t
split_lines(IngestSplitter *splitter, IngestChunk *chunk)
{
    const char *last = chunk->len ? memrchr(chunk->data, '\n', chunk->len) : NULL;
    if (splitter->skipping) {
        const char *first = chunk->len ? memchr(chunk->data, '\n', chunk->len) : NULL;
        size_t gone = first ? (size_t)(first - chunk->data) : chunk->len;
        memset(chunk->data, ' ', gone); // blank: no record
        splitter->skipping = !first;
        return first ? (size_t)(last - chunk->data) + 1 : chunk->len;
    }
    if (splitter->ended && !ingest_stream_problem(splitter->stream))
        return chunk->len;
    if (last)
        return (size_t)(last - chunk->data) + 1;
    if (splitter->ended)
        return 0;
    if (chunk->len >= INGEST_RECORD_MAX) {
        splitter->skipping = true;
        chunk->lines = false;
        chunk_span(chunk, 0, REJECT_KEEP, TOO_LONG);
        return chunk->len;
    }
    return 0;
}

// End of the CSV row at data[from], with its line break, or SIZE_MAX when it has
// not come (RFC 4180: a quote opens a field only at its beginning).
static size_t
csv_row_end(const IngestSplitter *splitter, const IngestChunk *chunk, size_t from, bool *quoted)
{
    const char *data = chunk->data;
    size_t len = chunk->len, i = from;
    *quoted = false;
    for (;;) {
        if (i < len && data[i] == '"') {
            *quoted = true;
            for (i++;; i++) {
                const char *quote = i < len ? memchr(data + i, '"', len - i) : NULL;
                if (!quote || (quote + 1 == data + len && !splitter->ended))
                    return SIZE_MAX;
                i = (size_t)(quote - data) + 1;
                if (i >= len || data[i] != '"')
                    break;
            }
            *quoted = false;
        }
        while (i < len && data[i] != splitter->delimiter && data[i] != '\n')
            i++;
        if (i >= len)
            return splitter->ended ? len : SIZE_MAX;
        if (data[i++] == '\n')
            return i;
    }
}

static size_t
split_csv(IngestSplitter *splitter, IngestChunk *chunk)
{
    size_t at = 0;
    if (splitter->skipping) {
        const char *line = chunk->len ? memchr(chunk->data, '\n', chunk->len) : NULL;
        if (!line)
            return chunk->len;
        splitter->skipping = false;
        at = (size_t)(line - chunk->data) + 1;
    }
    while (at < chunk->len) {
        bool quoted;
        size_t end = csv_row_end(splitter, chunk, at, &quoted);
        const char *problem = ingest_stream_problem(splitter->stream);
        bool cut =
            end == chunk->len && splitter->ended && problem && chunk->data[chunk->len - 1] != '\n';
        if (cut) {
            chunk_span(chunk, at, end, problem);
            splitter->reported = true;
            return end;
        }
        if (end != SIZE_MAX) {
            if (str_trim(str_slice((Str){chunk->data, chunk->len}, at, end)).len)
                chunk_span(chunk, at, end, NULL);
            at = end;
            continue;
        }
        if (splitter->ended) {
            chunk_span(chunk, at, chunk->len, problem ? problem : OPEN_QUOTE);
            splitter->reported = true;
            return chunk->len;
        }
        if (chunk->len - at < INGEST_RECORD_MAX)
            return at;
        chunk_span(chunk, at, at + REJECT_KEEP, quoted ? OPEN_QUOTE : TOO_LONG);
        splitter->skipping = true;
        return chunk->len;
    }
    return at;
}

// Whether the text is JSON lines: some line near the top is "{...}" as a whole. An
// unfinished first line still is one when the next begins with "{" in its first
// column (then the first is a damaged record, not a pretty-printed one).
static bool
is_json_lines(Str text)
{
    bool object_seen = false;
    for (size_t at = ingest_skip_blanks(text, 0), lines = 0; at < text.len && lines < DETECT_LINES;
         lines++) {
        const char *newline = memchr(text.ptr + at, '\n', text.len - at);
        Str line = str_slice(text, at, newline ? (size_t)(newline - text.ptr) : text.len);
        Str trimmed = str_trim(line);
        at += line.len + 1;
        if (!trimmed.len)
            continue;
        if (line.ptr[0] != '{') {
            if (object_seen || line.ptr[0] == '[')
                return false;
            continue;
        }
        if (ingest_value_end(trimmed, 0) == trimmed.len)
            return newline || text.len < INGEST_CHUNK;
        if (ingest_value_end(trimmed, 0) != SIZE_MAX)
            return false; // documents side by side
        object_seen = true;
    }
    return !object_seen;
}

static IngestFormat
detect_format(Str text)
{
    size_t first = ingest_skip_blanks(text, 0);
    if (first < text.len && text.ptr[first] != '{' && text.ptr[first] != '[' &&
        text.ptr[first] != '"')
        return INGEST_CSV;
    return INGEST_DOCUMENTS;
}

// The delimiter: the one that is most frequent in the header of the three that
// spreadsheets write.
static char
detect_delimiter(Str text)
{
    const char *newline = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    size_t end = newline ? (size_t)(newline - text.ptr) : text.len, commas = 0, semis = 0, tabs = 0;
    for (size_t i = 0; i < end; i++) {
        commas += text.ptr[i] == ',';
        semis += text.ptr[i] == ';';
        tabs += text.ptr[i] == '\t';
    }
    if (commas >= semis && commas >= tabs)
        return ',';
    return semis >= tabs ? ';' : '\t';
}

// Looks at the first bytes: byte-order mark, format, delimiter.
static void
splitter_begin(IngestSplitter *splitter, IngestChunk *chunk)
{
    chunk_fill(splitter, chunk, INGEST_CHUNK);
    size_t bom = chunk->len >= 3 && memcmp(chunk->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    memset(chunk->data, ' ', bom);
    Str text = {chunk->data, chunk->len};
    if (splitter->format == INGEST_GUESS)
        splitter->format = detect_format(text);
    if (splitter->format == INGEST_DOCUMENTS && is_json_lines(text))
        splitter->format = INGEST_LINES;
    if (splitter->format == INGEST_CSV)
        splitter->delimiter = detect_delimiter(text);
    // The mark is dropped so that a quote behind it opens a field.
    if (bom && splitter->format == INGEST_CSV) {
        chunk->len -= bom;
        memmove(chunk->data, chunk->data + bom, chunk->len);
        chunk->offset = splitter->offset = bom;
    }
}

// A cut stream is reported once, with what is left of its last record.
static bool
report_cut(IngestSplitter *splitter, IngestChunk *chunk)
{
    const char *problem = ingest_stream_problem(splitter->stream);
    if (!problem || splitter->reported || chunk->span_count)
        return false;
    splitter->reported = true;
    chunk_reserve(chunk, chunk->len);
    chunk->lines = false;
    chunk_span(chunk, 0, chunk->len, problem);
    chunk_cut(splitter, chunk, chunk->len);
    return true;
}

bool
ingest_splitter_next(IngestSplitter *splitter, IngestChunk *chunk)
{
    static size_t (*const split[])(IngestSplitter *,
                                   IngestChunk *) = {[INGEST_LINES] = split_lines,
                                                     [INGEST_DOCUMENTS] = split_documents,
                                                     [INGEST_CSV] = split_csv};
    bool first = !splitter->begun;
    splitter->begun = true;
    for (size_t wanted = INGEST_CHUNK;;) {
        chunk->len = 0;
        chunk_reserve(chunk, wanted > splitter->carry_len ? wanted : splitter->carry_len);
        chunk->span_count = chunk->next = 0;
        chunk->offset = splitter->offset;
        chunk->line = splitter->line;
        if (splitter->carry_len)
            memcpy(chunk->data, splitter->carry, splitter->carry_len);
        chunk->len = splitter->carry_len;
        splitter->carry_len = 0;
        if (first)
            splitter_begin(splitter, chunk);
        first = false;
        chunk_fill(splitter, chunk, wanted);
        memset(chunk->data + chunk->len, 0, INGEST_PADDING);
        if (!chunk->len)
            return report_cut(splitter, chunk);
        chunk->lines = splitter->format == INGEST_LINES;
        size_t whole = split[splitter->format](splitter, chunk);
        bool grows = whole == 0 && !splitter->ended;
        if (splitter->ended && whole < chunk->len && !chunk->span_count && whole == 0)
            return report_cut(splitter, chunk);
        chunk_cut(splitter, chunk, whole);
        if (splitter->in_value) {
            // What is carried over begins with the value; a skipped one is gone.
            splitter->scanned -= whole;
            splitter->value_from = splitter->skipping ? 0 : splitter->value_from - whole;
        }
        if (chunk->span_count || (chunk->lines && chunk->len))
            return true;
        if (splitter->ended && !splitter->carry_len)
            return report_cut(splitter, chunk);
        if (grows && wanted <= SIZE_MAX / 2)
            wanted = wanted * 2 > INGEST_RECORD_MAX ? INGEST_RECORD_MAX + INGEST_CHUNK : wanted * 2;
    }
}
