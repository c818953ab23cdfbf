// Finding the ends of JSON values and the rows of a document, without parsing.
//
// The scan knows only quotes, escapes and brackets, and can stop anywhere and go on
// with more bytes. It reads a byte at a time through two small tables, which is
// several times faster than parsing; it is the serial part of an import.

#include "store/ingest_scan.h"

#include "base/array.h"

#include <string.h>

static const char NEVER_ENDS[] = "the file ends inside the record";
static const char STRAY[] = "a bracket that closes nothing, or text that is no JSON";

// Characters the JSON scan stops at, outside strings and inside.
enum { PLAIN, QUOTE, OPEN, CLOSE, ESCAPE, NEWLINE };
static const uint8_t outside[256] = {
    ['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE};
static const uint8_t inside[256] = {['"'] = QUOTE, ['\\'] = ESCAPE, ['\n'] = NEWLINE};

ScanEnd
ingest_scan(JsonScan *scan, const char *text, size_t len, size_t *at)
{
    size_t i = *at;
    uint32_t depth = scan->depth;
    uint64_t *braces = scan->braces;
    ScanEnd end = SCAN_MORE;
    while (i < len) {
        if (scan->in_string) {
            i += scan->escaped;
            scan->escaped = false;
            while (i < len && !inside[(uint8_t)text[i]])
                i++;
            if (i >= len)
                break;
            uint8_t kind = inside[(uint8_t)text[i]];
            if (kind == NEWLINE) {
                end = SCAN_BROKEN;
                break;
            }
            i++;
            scan->escaped = kind == ESCAPE;
            scan->in_string = kind == ESCAPE;
            if (!scan->in_string && depth == 0) {
                end = SCAN_DONE;
                break;
            }
            continue;
        }
        while (i < len && !outside[(uint8_t)text[i]])
            i++;
        if (i >= len)
            break;
        uint8_t kind = outside[(uint8_t)text[i++]];
        scan->in_string = kind == QUOTE;
        uint64_t brace = text[i - 1] == '{' || text[i - 1] == '}';
        if (kind == OPEN) {
            if (depth < INGEST_SCAN_DEPTH)
                braces[depth / 64] =
                    (braces[depth / 64] & ~((uint64_t)1 << depth % 64)) | brace << depth % 64;
            depth++;
        } else if (kind == CLOSE) {
            depth -= depth > 0;
            if (depth < INGEST_SCAN_DEPTH && (braces[depth / 64] >> depth % 64 & 1) != brace) {
                end = SCAN_BROKEN;
                break;
            }
            if (depth == 0) {
                end = SCAN_DONE;
                break;
            }
        }
    }
    scan->depth = depth;
    *at = i < len ? i : len;
    return end;
}

bool
ingest_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t
ingest_skip_blanks(Str text, size_t at)
{
    while (at < text.len && ingest_is_blank(text.ptr[at]))
        at++;
    return at;
}

size_t
ingest_scalar_end(const char *text, size_t at, size_t len)
{
    while (at < len && !ingest_is_blank(text[at]) && !strchr(",:]}[{\"", text[at]))
        at++;
    return at;
}

size_t
ingest_value_end(Str text, size_t from)
{
    if (from >= text.len)
        return SIZE_MAX;
    size_t at = from;
    if (text.ptr[at] != '{' && text.ptr[at] != '[' && text.ptr[at] != '"') {
        at = ingest_scalar_end(text.ptr, at, text.len);
        return at == from ? SIZE_MAX : at;
    }
    JsonScan scan = {0};
    return ingest_scan(&scan, text.ptr, text.len, &at) == SCAN_DONE ? at : SIZE_MAX;
}

// Members that stand beside the rows of a page in answers of ARM, Microsoft Graph
// and Resource Graph (REST and az graph query), and the one of Event Hubs' messages.
bool
ingest_is_page_key(Str key)
{
    static const Str words[] = {
        STR_INIT("value"),           STR_INIT("data"),
        STR_INIT("nextLink"),        STR_INIT("count"),
        STR_INIT("totalCount"),      STR_INIT("totalRecords"),
        STR_INIT("total_records"),   STR_INIT("facets"),
        STR_INIT("resultTruncated"), STR_INIT("result_truncated"),
        STR_INIT("skipToken"),       STR_INIT("skip_token"),
        STR_INIT("$skipToken"),      STR_INIT("records"),
    };
    if (key.len && key.ptr[0] == '@')
        return true;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_equal(words[i], key))
            return true;
    return false;
}

static bool
is_rows_key(Str key)
{
    return str_equal(key, STR("value")) || str_equal(key, STR("data")) ||
           str_equal(key, STR("records"));
}

// Reads `"key" :` at text[at] and moves to the value. False when there is none.
static bool
member_key(Str text, size_t *at, Str *key)
{
    size_t from = ingest_skip_blanks(text, *at);
    if (from >= text.len || text.ptr[from] != '"')
        return false;
    size_t end = ingest_value_end(text, from);
    if (end == SIZE_MAX)
        return false;
    *key = (Str){text.ptr + from + 1, end - from - 2};
    size_t colon = ingest_skip_blanks(text, end);
    if (colon >= text.len || text.ptr[colon] != ':')
        return false;
    *at = ingest_skip_blanks(text, colon + 1);
    return *at < text.len;
}

// Whether an array of rows begins at text[at]: "[]" or "[{".
static bool
rows_begin(Str text, size_t at)
{
    if (text.ptr[at] != '[')
        return false;
    size_t first = ingest_skip_blanks(text, at + 1);
    return first < text.len && (text.ptr[first] == '{' || text.ptr[first] == ']');
}

// Walks the members of what may be a page. Returns the offset behind the "[" of
// its rows (0 when it is none); `whole` demands that the text ends as a page too and
// then gives the array.
static size_t
page_rows(Str text, bool whole, Str *array)
{
    size_t at = ingest_skip_blanks(text, 0), rows = 0;
    if (at >= text.len || text.ptr[at++] != '{')
        return 0;
    Str key;
    while (member_key(text, &at, &key) && ingest_is_page_key(key)) {
        bool here = !rows && is_rows_key(key) && rows_begin(text, at);
        if (here)
            rows = at + 1;
        if (here && !whole)
            return rows;
        size_t end = ingest_value_end(text, at);
        if (end == SIZE_MAX)
            return 0;
        if (here)
            *array = str_slice(text, at, end);
        at = ingest_skip_blanks(text, end);
        if (at >= text.len)
            return 0;
        if (text.ptr[at] == '}')
            return ingest_skip_blanks(text, at + 1) == text.len ? rows : 0;
        if (text.ptr[at++] != ',')
            return 0;
    }
    return 0;
}

size_t
ingest_page_begins(Str text)
{
    return page_rows(text, false, NULL);
}

bool
ingest_page_find(Str text, Str *array)
{
    return page_rows(text, true, array) != 0;
}

IngestRows
ingest_rows_of(Str text)
{
    text = str_trim(text);
    Str array;
    if (text.len && text.ptr[0] == '[')
        return (IngestRows){text, 1, false, false};
    if (text.len && text.ptr[0] == '{' && ingest_page_find(text, &array))
        return (IngestRows){array, 1, false, false};
    return (IngestRows){text, 0, true, false};
}

bool
ingest_rows_next(IngestRows *rows, IngestRecord *record)
{
    if (rows->done)
        return false;
    Str text = rows->text;
    if (rows->single) {
        rows->done = true;
        *record = (IngestRecord){text, NULL};
        return true;
    }
    size_t at = rows->at;
    while (at < text.len && (ingest_is_blank(text.ptr[at]) || text.ptr[at] == ','))
        at++;
    if (at < text.len && text.ptr[at] == ']' && ingest_skip_blanks(text, at + 1) == text.len) {
        rows->done = true;
        return false;
    }
    size_t end = ingest_value_end(text, at);
    if (end == SIZE_MAX) {
        rows->done = true;
        *record = (IngestRecord){str_slice(text, at, text.len), at < text.len ? STRAY : NEVER_ENDS};
        return true;
    }
    rows->at = end;
    *record = (IngestRecord){str_slice(text, at, end), NULL};
    return true;
}
