// CSV: rows of RFC 4180 and the habits of portal exports.
//
// The splitter has cut the file into rows; here a row becomes cells. Exports of the
// Azure portal call time columns "TimeGenerated [UTC]" and write times as people
// read them ("1/31/2026, 4:05:06.789 PM"); dynamic columns hold JSON text.

#include "store/ingest_logs.h"
#include "store/ingest_parts.h"

#include "base/array.h"
#include "store/ingest_redact.h"
#include "value/scalar.h"
#include "value/unicode.h"

#include <string.h>

static const Str UTC_SUFFIX = STR_INIT(" [UTC]");

CsvRow
csv_row(Str text, char delimiter)
{
    if (str_ends(text, STR("\n")))
        text.len--;
    if (str_ends(text, STR("\r")))
        text.len--;
    return (CsvRow){text, 0, delimiter, false};
}

bool
csv_row_next(CsvRow *row, Buffer *buffer, Str *cell)
{
    if (row->done)
        return false;
    Str text = row->text;
    size_t from = row->at, at = from;
    if (at < text.len && text.ptr[at] == '"') {
        buffer_clear(buffer);
        size_t pieces = 0;
        for (from = ++at; at < text.len; at++) {
            if (text.ptr[at] != '"')
                continue;
            bool doubled = at + 1 < text.len && text.ptr[at + 1] == '"';
            if (!doubled)
                break;
            buffer_str(buffer, str_slice(text, from, at + 1)); // with one of the two
            pieces++;
            from = ++at + 1;
        }
        *cell = str_slice(text, from, at);
        at += at < text.len;
        size_t rest = at; // text behind the closing quote belongs to the cell
        while (at < text.len && text.ptr[at] != row->delimiter)
            at++;
        if (pieces || at > rest) {
            buffer_str(buffer, *cell);
            buffer_str(buffer, str_slice(text, rest, at));
            *cell = buffer_slice(buffer);
        }
    } else {
        while (at < text.len && text.ptr[at] != row->delimiter)
            at++;
        *cell = str_slice(text, from, at);
    }
    row->done = at >= text.len;
    row->at = at + 1;
    return true;
}

// Two columns of one name: the second is called name_2.
static Str
unique_name(Arena *arena, const CsvHeader *header, Str name)
{
    Str unique = name;
    for (size_t number = 2, i = 0; i < header->count; i++)
        if (str_equal(header->names[i], unique)) {
            unique = str_format(arena, "%.*s_%zu", STR_ARG(name), number++);
            i = (size_t)-1;
        }
    return unique;
}

bool
csv_header_read(Arena *arena, Str row, char delimiter, CsvHeader *header)
{
    typedef struct Names {
        Str *items;
        size_t len, cap;
    } Names;
    Names names = {0};
    Buffer buffer = {0};
    Str cell;
    *header = (CsvHeader){0};
    for (CsvRow cells = csv_row(row, delimiter); csv_row_next(&cells, &buffer, &cell);) {
        Str name = str_trim(cell);
        if (str_ends(name, UTC_SUFFIX))
            name.len -= UTC_SUFFIX.len;
        if (!name.len)
            name = str_format(arena, "Column%zu", names.len + 1);
        header->names = names.items;
        header->count = names.len;
        Str unique = str_copy(arena, unique_name(arena, header, name));
        header->secret |= ingest_secret_name(name);
        ARRAY_PUSH(arena, &names, unique);
        if (names.len > INFER_COLUMNS)
            break;
    }
    buffer_free(&buffer);
    header->names = names.items;
    header->count = names.len;
    return names.len > 0 && names.len <= INFER_COLUMNS;
}

// An unsigned number of at most `digits` digits at text[*at].
static bool
take_number(Str text, size_t *at, size_t digits, int32_t *out)
{
    size_t from = *at;
    int32_t number = 0;
    while (*at < text.len && *at - from < digits && text.ptr[*at] >= '0' && text.ptr[*at] <= '9')
        number = number * 10 + (text.ptr[(*at)++] - '0');
    *out = number;
    return *at > from;
}

static bool
take_char(Str text, size_t *at, char c)
{
    bool there = *at < text.len && text.ptr[*at] == c;
    *at += there;
    return there;
}

// "1/31/2026, 4:05:06.789 PM", as the portal's grid exports it; always UTC here
// (columns in local time say so in their name, which then matches no column).
static bool
portal_datetime_parse(Str text, int64_t *out)
{
    int32_t month, day, year, hour, minute, second;
    size_t at = 0;
    if (!take_number(text, &at, 2, &month) || !take_char(text, &at, '/') ||
        !take_number(text, &at, 2, &day) || !take_char(text, &at, '/') ||
        !take_number(text, &at, 4, &year) || !take_char(text, &at, ',') ||
        !take_char(text, &at, ' ') || !take_number(text, &at, 2, &hour) ||
        !take_char(text, &at, ':') || !take_number(text, &at, 2, &minute) ||
        !take_char(text, &at, ':') || !take_number(text, &at, 2, &second))
        return false;
    int64_t ticks = 0;
    if (take_char(text, &at, '.')) {
        int64_t unit = TICKS_PER_SECOND;
        for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++) {
            unit /= 10;
            ticks += unit * (text.ptr[at] - '0');
        }
    }
    Str half = str_trim(str_slice(text, at, text.len));
    bool afternoon = str_equal_ci(half, STR("PM"));
    if (half.len && (!(afternoon || str_equal_ci(half, STR("AM"))) || hour < 1 || hour > 12))
        return false;
    if (half.len)
        hour = hour % 12 + (afternoon ? 12 : 0);
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    ticks += hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second * (int64_t)TICKS_PER_SECOND;
    return datetime_from_civil(year, month, day, ticks, out);
}

bool
ingest_time_parse(Str text, int64_t *out)
{
    return datetime_parse(text, out) || portal_datetime_parse(str_trim(text), out);
}

// The cell as it is stored: secrets masked.
static Str
masked_cell(IngestWorker *worker, Str name, Str cell)
{
    if (ingest_is_secret(name, cell))
        return STR("***");
    return ingest_redact(&worker->cell_redacted, cell);
}

static bool
row_readable(Str row, const char **why)
{
    *why = NULL;
    if (!utf8_valid(row))
        *why = "invalid UTF-8";
    else if (row.len && memchr(row.ptr, 0, row.len))
        *why = "a NUL byte";
    return !*why;
}

static const char TOO_MANY[] = "the row has more cells than the header has names";

bool
ingest_csv_bag(IngestWorker *worker, DynBuilder *builder, const CsvHeader *header, char delimiter,
               Str row, const char **why)
{
    Str cell;
    size_t i = 0;
    bool mask = header->secret || ingest_may_hold_secret(row);
    if (!row_readable(row, why))
        return false;
    dyn_begin_bag(builder);
    for (CsvRow cells = csv_row(row, delimiter); csv_row_next(&cells, &worker->redacted, &cell);
         i++) {
        if (i >= header->count) {
            if (!cell.len && cells.done)
                break; // a delimiter at the end of the row
            *why = TOO_MANY;
            return false;
        }
        if (!cell.len)
            continue;
        dyn_key(builder, header->names[i]);
        dyn_push_string(builder, mask ? masked_cell(worker, header->names[i], cell) : cell);
    }
    dyn_end_bag(builder);
    return true;
}

bool
ingest_sink_csv(IngestWorker *worker, IngestSink *sink, const CsvHeader *header,
                const ptrdiff_t *columns, char delimiter, Str row, IngestCounts *counts,
                const char **why)
{
    Str cell;
    size_t i = 0;
    bool mask = header->secret || ingest_may_hold_secret(row);
    if (!row_readable(row, why))
        return false;
    ingest_row_begin(worker, sink);
    for (CsvRow cells = csv_row(row, delimiter); csv_row_next(&cells, &worker->redacted, &cell);) {
        if (i == header->count && !cell.len && cells.done)
            break; // a delimiter at the end of the row
        if (i >= header->count) {
            ingest_row_drop(worker, sink);
            *why = TOO_MANY;
            return false;
        }
        if (mask)
            cell = masked_cell(worker, header->names[i], cell);
        ingest_row_text(worker, sink, columns[i], header->names[i], cell);
        i++;
    }
    return ingest_row_end(worker, sink, counts, why);
}
