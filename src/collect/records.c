#include "collect/records.h"

#include "collect/answer.h"

#include <string.h>

static const Str BOM = {"\xef\xbb\xbf", 3};

static size_t
skip_blank(Str text, size_t at)
{
    while (at < text.len && strchr(" \t\r\n", text.ptr[at]) && text.ptr[at])
        at++;
    return at;
}

RecordsForm
records_form(Str beginning)
{
    size_t at = str_starts(beginning, BOM) ? BOM.len : 0;
    at = skip_blank(beginning, at);
    if (at == beginning.len || beginning.ptr[at] != '{')
        return RECORDS_LINES;
    at = skip_blank(beginning, at + 1);
    Str name = STR("\"records\"");
    if (!str_starts(str_slice(beginning, at, beginning.len), name))
        return RECORDS_LINES;
    at = skip_blank(beginning, at + name.len);
    if (at == beginning.len || beginning.ptr[at] != ':')
        return RECORDS_LINES;
    at = skip_blank(beginning, at + 1);
    return at < beginning.len && beginning.ptr[at] == '[' ? RECORDS_LIST : RECORDS_LINES;
}

// Behind the object that begins at `at`; 0 when it does not end.
static size_t
object_end(Str text, size_t at)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = at; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static void
put_line(Buffer *out, Str line, uint64_t *count)
{
    line = str_trim(line);
    if (!line.len)
        return;
    buffer_str(out, line);
    buffer_char(out, '\n');
    ++*count;
}

static size_t
cut_lines(bool begins, Str bytes, Buffer *out, uint64_t *count)
{
    size_t at = begins && str_starts(bytes, BOM) ? BOM.len : 0;
    for (const char *end; (end = memchr(bytes.ptr + at, '\n', bytes.len - at));) {
        size_t to = (size_t)(end - bytes.ptr);
        put_line(out, str_slice(bytes, at, to), count);
        at = to + 1;
    }
    // The last line may have no end and still be whole: writers put the break before a record.
    size_t from = skip_blank(bytes, at);
    size_t to = from < bytes.len && bytes.ptr[from] == '{' ? object_end(bytes, from) : 0;
    if (!to || skip_blank(bytes, to) != bytes.len)
        return at;
    put_line(out, str_slice(bytes, from, to), count);
    return bytes.len;
}

static size_t
cut_list(bool begins, Str bytes, Buffer *out, uint64_t *count)
{
    size_t at = 0, taken = 0;
    if (begins) {
        const char *open = memchr(bytes.ptr, '[', bytes.len);
        at = open ? (size_t)(open - bytes.ptr) + 1 : bytes.len;
    }
    for (;;) {
        while (at < bytes.len && bytes.ptr[at] != '{')
            at++;
        size_t end = at < bytes.len ? object_end(bytes, at) : 0;
        if (!end)
            return taken;
        Buffer line = {0};
        json_compact(&line, str_slice(bytes, at, end));
        put_line(out, buffer_slice(&line), count);
        buffer_free(&line);
        at = taken = end;
    }
}

size_t
records_cut(RecordsForm form, bool begins, Str bytes, Buffer *out, uint64_t *count)
{
    if (form == RECORDS_LIST)
        return cut_list(begins, bytes, out, count);
    return cut_lines(begins, bytes, out, count);
}
