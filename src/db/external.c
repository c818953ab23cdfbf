// External files become rows: see external.h.
//
// Text formats give a record's cells by position, JSON formats members by name; an
// ingestion mapping says otherwise. A cell that is no value of its column's type is null,
// as in the service.

#include "db/external_files.h"

#include "base/array.h"
#include "db/row_builder.h"
#include "store/ingest_parts.h"
#include "value/scalar.h"

typedef enum Format {
    FORMAT_DELIMITED, // cells may be quoted
    FORMAT_TABS,      // cells are as they stand
    FORMAT_TABS_ESCAPED,
    FORMAT_LINES,
    FORMAT_RAW,
    FORMAT_JSON,
    FORMAT_W3C,
    FORMAT_UNREAD, // known, and not read here
} Format;

static const struct {
    Str name;
    Format format;
    char delimiter;
} FORMATS[] = {
    {STR_INIT("csv"), FORMAT_DELIMITED, ','},
    {STR_INIT("psv"), FORMAT_DELIMITED, '|'},
    {STR_INIT("scsv"), FORMAT_DELIMITED, ';'},
    {STR_INIT("ssv"), FORMAT_DELIMITED, ' '},
    {STR_INIT("sohsv"), FORMAT_DELIMITED, 1},
    {STR_INIT("tsv"), FORMAT_TABS, '\t'},
    {STR_INIT("tsve"), FORMAT_TABS_ESCAPED, 0},
    {STR_INIT("txt"), FORMAT_LINES, 0},
    {STR_INIT("raw"), FORMAT_RAW, 0},
    {STR_INIT("json"), FORMAT_JSON, 0},
    {STR_INIT("jsonl"), FORMAT_JSON, 0},
    {STR_INIT("singlejson"), FORMAT_JSON, 0},
    {STR_INIT("multijson"), FORMAT_JSON, 0},
    {STR_INIT("w3clogfile"), FORMAT_W3C, 0},
    {STR_INIT("w3clog"), FORMAT_W3C, 0},
    {STR_INIT("parquet"), FORMAT_UNREAD, 0},
    {STR_INIT("avro"), FORMAT_UNREAD, 0},
    {STR_INIT("apacheavro"), FORMAT_UNREAD, 0},
    {STR_INIT("orc"), FORMAT_UNREAD, 0},
    {STR_INIT("sstream"), FORMAT_UNREAD, 0},
    {STR_INIT("azmonstream"), FORMAT_UNREAD, 0},
};

// Where a column's value comes from.
typedef struct CellSource {
    ptrdiff_t ordinal; // cell of a text record; -1 = none
    Str path;          // JSON path; empty = the member of the column's name
    bool is_constant;
    Str constant;
} CellSource;

typedef struct Reader {
    Arena *arena;
    const ExternalRequest *request;
    ExternalAccess *access;
    const ExternalFile *file;
    RowBuilder rows;
    CellSource *sources; // one a column
    CellSource *w3c;     // by the field names of the file being read
    bool mapped;
    Format format;
    char delimiter;
    JsonParser *json;
    DynBuilder *tree;
} Reader;

static bool
find_format(Reader *reader, AzError *error)
{
    Str written = reader->request->format;
    Str name = written.len ? written : reader->file->extension;
    for (size_t i = 0; i < COUNT_OF(FORMATS); i++) {
        if (!str_equal_ci(name, FORMATS[i].name))
            continue;
        reader->format = FORMATS[i].format;
        reader->delimiter = FORMATS[i].delimiter;
        return reader->format != FORMAT_UNREAD ||
               error_set(error, AZ_UNSUPPORTED,
                         "files of format %.*s are not read: convert '%.*s' to csv or json",
                         STR_ARG(name), STR_ARG(reader->file->name));
    }
    if (written.len)
        return error_set(error, AZ_INVALID,
                         "there is no format '%.*s'; csv, tsv, psv, scsv, txt, raw, json and "
                         "multijson are read",
                         STR_ARG(written));
    reader->format = FORMAT_DELIMITED; // a name that says nothing
    reader->delimiter = ',';
    return true;
}

// ---- mappings ----

static Dyn
member(Dyn bag, const char *first, const char *second)
{
    Dyn found = dyn_get_ci(bag, str_from(first));
    return found.ptr || !second ? found : dyn_get_ci(bag, str_from(second));
}

static Str
text_of(Arena *arena, Dyn node)
{
    Value text = dyn_convert(arena, node, TYPE_STRING);
    return str_copy(arena, text_str(&text.text));
}

// [{"Column": "x", "Properties": {"Path": "$.a"}}], or the older form with the properties
// beside the name (Kusto docs: ingestion mappings).
static bool
take_mapping(Reader *reader, Dyn entry, AzError *error)
{
    Dyn name = member(entry, "Column", "Name");
    if (dyn_kind(name) != DYN_STRING)
        return error_set(error, AZ_INVALID, "an entry of ingestionMapping has no 'Column'");
    ptrdiff_t column = schema_find(&reader->request->schema, dyn_string(name));
    if (column < 0)
        return true; // maps to a column the query does not ask for
    CellSource *source = &reader->sources[column];
    Dyn properties = member(entry, "Properties", NULL);
    if (dyn_kind(properties) != DYN_BAG)
        properties = entry;
    Dyn path = member(properties, "Path", NULL), ordinal = member(properties, "Ordinal", NULL);
    Dyn constant = member(properties, "ConstValue", "ConstantValue");
    if (dyn_kind(path) == DYN_STRING)
        source->path = text_of(reader->arena, path);
    Value number = dyn_convert(reader->arena, ordinal, TYPE_LONG);
    source->ordinal = number.is_null ? -1 : (ptrdiff_t)number.int64;
    source->is_constant = dyn_kind(constant) != DYN_NULL;
    if (source->is_constant)
        source->constant = text_of(reader->arena, constant);
    return true;
}

static bool
read_mapping(Reader *reader, AzError *error)
{
    uint32_t columns = reader->request->schema.count;
    Str mapping = str_trim(reader->request->mapping);
    reader->sources = ARENA_ARRAY(reader->arena, CellSource, columns + 1);
    reader->mapped = mapping.len > 0;
    for (uint32_t c = 0; c < columns; c++)
        reader->sources[c] = (CellSource){.ordinal = reader->mapped ? -1 : (ptrdiff_t)c};
    if (!reader->mapped)
        return true;
    Text text;
    bool is_null;
    json_parse_lenient(reader->json, reader->tree, reader->arena, mapping, &text, &is_null);
    Dyn list = dyn_of_text(&text);
    if (is_null || dyn_kind(list) != DYN_ARRAY)
        return error_set(error, AZ_INVALID,
                         "ingestionMapping must be a JSON array: [{\"Column\": \"x\", "
                         "\"Properties\": {\"Path\": \"$.x\"}}]");
    for (uint32_t i = 0; i < dyn_count(list); i++)
        if (!take_mapping(reader, dyn_at(list, i), error))
            return false;
    return true;
}

// ---- text records ----

static void
put_text(Reader *reader, uint32_t column, Str text)
{
    Type type = reader->request->schema.columns[column].type;
    Value value;
    if (type != TYPE_STRING)
        text = str_trim(text);
    if (!text.len)
        value = value_null(type);
    else
        value_parse(reader->arena, type, text, &value);
    row_builder_put(&reader->rows, column, &value);
}

// The record's cells are known: each column takes its own.
static void
put_cells(Reader *reader, const CellSource *sources, const Str *cells, size_t count)
{
    for (uint32_t c = 0; c < reader->request->schema.count; c++) {
        const CellSource *source = &sources[c];
        if (source->is_constant)
            put_text(reader, c, source->constant);
        else if (source->ordinal >= 0 && (size_t)source->ordinal < count)
            put_text(reader, c, cells[source->ordinal]);
    }
    row_builder_end(&reader->rows);
}

static bool
is_cancelled(const Reader *reader, AzError *error)
{
    const _Atomic bool *cancel = reader->access->cancel;
    if (!cancel || reader->rows.rows % 4096 || !*cancel)
        return false;
    error_set(error, AZ_CANCELLED, "the query was cancelled");
    return true;
}

// The end of the record at `at`, behind its line break. A quoted cell may hold breaks.
static size_t
record_end(Str text, size_t at, char delimiter, bool quoted)
{
    bool cell_starts = true;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (quoted && cell_starts && c == '"') {
            for (at++; at < text.len; at++)
                if (text.ptr[at] == '"') {
                    if (at + 1 >= text.len || text.ptr[at + 1] != '"')
                        break;
                    at++;
                }
        } else if (c == '\n') {
            return at + 1;
        }
        cell_starts = c == delimiter;
    }
    return text.len;
}

static Str
without_break(Str line)
{
    if (str_ends(line, STR("\n")))
        line.len--;
    if (str_ends(line, STR("\r")))
        line.len--;
    return line;
}

typedef struct CellList {
    Str *items;
    size_t len, cap;
} CellList;

static void
quoted_cells(Arena *arena, Str record, char delimiter, CellList *out)
{
    Buffer buffer = {0};
    Str cell;
    for (CsvRow row = csv_row(record, delimiter); csv_row_next(&row, &buffer, &cell);)
        ARRAY_PUSH(arena, out, str_copy(arena, cell));
    buffer_free(&buffer);
}

// Backslash escapes of tsve.
static Str
unescaped(Arena *arena, Str cell)
{
    if (!memchr(cell.ptr, '\\', cell.len))
        return cell;
    char *out = arena_alloc(arena, cell.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < cell.len; i++) {
        char c = cell.ptr[i];
        if (c == '\\' && i + 1 < cell.len) {
            c = cell.ptr[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        out[len++] = c;
    }
    return (Str){out, len};
}

static void
plain_cells(Arena *arena, Str record, char delimiter, bool escaped, CellList *out)
{
    Str rest = without_break(record);
    for (;;) {
        const char *end = rest.len ? memchr(rest.ptr, delimiter, rest.len) : NULL;
        Str cell = end ? str_slice(rest, 0, (size_t)(end - rest.ptr)) : rest;
        Str kept = escaped ? unescaped(arena, cell) : cell;
        ARRAY_PUSH(arena, out, kept);
        if (!end)
            return;
        rest = str_slice(rest, cell.len + 1, rest.len);
    }
}

static bool
read_cells(Reader *reader, Str text, AzError *error)
{
    bool quoted = reader->format == FORMAT_DELIMITED;
    char delimiter = quoted ? reader->delimiter : '\t';
    bool skip = reader->request->skip_first;
    Arena scratch = {0};
    bool done = true;
    for (size_t at = 0; at < text.len && done;) {
        size_t end = record_end(text, at, delimiter, quoted);
        Str record = str_slice(text, at, end);
        at = end;
        if (skip || !without_break(record).len) {
            skip = false;
            continue;
        }
        CellList cells = {0};
        if (quoted)
            quoted_cells(&scratch, record, delimiter, &cells);
        else
            plain_cells(&scratch, record, delimiter, reader->format == FORMAT_TABS_ESCAPED, &cells);
        put_cells(reader, reader->sources, cells.items, cells.len);
        arena_reset(&scratch);
        done = !is_cancelled(reader, error);
    }
    arena_free(&scratch);
    return done;
}

// txt: a line is a record of one cell.
static bool
read_lines(Reader *reader, Str text, AzError *error)
{
    bool skip = reader->request->skip_first;
    for (size_t at = 0; at < text.len;) {
        size_t end = record_end(text, at, 0, false);
        Str line = without_break(str_slice(text, at, end));
        at = end;
        if (!skip)
            put_cells(reader, reader->sources, &line, 1);
        skip = false;
        if (is_cancelled(reader, error))
            return false;
    }
    return true;
}

// w3clogfile: `#Fields:` names the cells of the lines that follow; `-` is no value.
static void
read_w3c_fields(Reader *reader, Str fields)
{
    CellList names = {0};
    plain_cells(reader->arena, str_trim(fields), ' ', false, &names);
    for (uint32_t c = 0; c < reader->request->schema.count; c++) {
        CellSource *source = &reader->w3c[c];
        *source = reader->sources[c];
        Str wanted = reader->mapped && source->path.len ? source->path
                                                        : reader->request->schema.columns[c].name;
        for (size_t i = 0; i < names.len; i++)
            if (str_equal_ci(names.items[i], wanted))
                source->ordinal = (ptrdiff_t)i;
    }
}

static bool
read_w3c(Reader *reader, Str text, AzError *error)
{
    static const Str FIELDS = STR_INIT("#Fields:");
    uint32_t columns = reader->request->schema.count;
    reader->w3c = ARENA_ARRAY(reader->arena, CellSource, columns + 1);
    memcpy(reader->w3c, reader->sources, columns * sizeof(CellSource));
    Arena scratch = {0};
    bool done = true;
    for (size_t at = 0; at < text.len && done;) {
        size_t end = record_end(text, at, 0, false);
        Str line = without_break(str_slice(text, at, end));
        at = end;
        if (str_starts(line, FIELDS))
            read_w3c_fields(reader, str_slice(line, FIELDS.len, line.len));
        if (!line.len || line.ptr[0] == '#')
            continue;
        CellList cells = {0};
        plain_cells(&scratch, line, ' ', false, &cells);
        for (size_t i = 0; i < cells.len; i++)
            if (str_equal(cells.items[i], STR("-")))
                cells.items[i] = STR("");
        put_cells(reader, reader->w3c, cells.items, cells.len);
        arena_reset(&scratch);
        done = !is_cancelled(reader, error);
    }
    arena_free(&scratch);
    return done;
}

// ---- JSON ----

// Follows $.a['b c'][0]; none when a step is missing or cannot be read.
static Dyn
follow_path(Dyn node, Str path)
{
    size_t at = path.len && path.ptr[0] == '$';
    while (at < path.len && node.ptr) {
        if (path.ptr[at] == '.') {
            size_t end = ++at;
            while (end < path.len && path.ptr[end] != '.' && path.ptr[end] != '[')
                end++;
            node = dyn_get(node, str_slice(path, at, end));
            at = end;
            continue;
        }
        size_t end = at + 1;
        bool named = end < path.len && (path.ptr[end] == '\'' || path.ptr[end] == '"');
        if (path.ptr[at] != '[')
            return (Dyn){0};
        while (end < path.len &&
               (named ? path.ptr[end] != ']' || path.ptr[end - 1] != path.ptr[at + 1]
                      : path.ptr[end] != ']'))
            end++;
        if (end >= path.len || (named && end < at + 3))
            return (Dyn){0};
        int64_t index = 0;
        if (named)
            node = dyn_get(node, str_slice(path, at + 2, end - 1));
        else if (long_parse(str_slice(path, at + 1, end), &index))
            node = dyn_at(node, index);
        else
            return (Dyn){0};
        at = end + 1;
    }
    return node;
}

static void
put_member(Reader *reader, uint32_t column, Dyn node)
{
    if (!node.ptr || dyn_kind(node) == DYN_NULL)
        return;
    Type type = reader->request->schema.columns[column].type;
    Value value;
    if (type == TYPE_DYNAMIC) {
        value = (Value){.type = TYPE_DYNAMIC};
        value.text = text_view((const char *)node.ptr, node.size);
    } else {
        value = dyn_convert(reader->arena, node, type);
    }
    row_builder_put(&reader->rows, column, &value);
}

static bool
read_json_record(Reader *reader, Str text, AzError *error)
{
    const char *why = NULL;
    size_t offset = 0;
    Dyn record;
    dyn_builder_reset(reader->tree);
    if (!json_to_dynamic(reader->json, text, reader->tree, &why, &offset) ||
        !dyn_finish(reader->tree, &record, &why))
        return error_set(error, AZ_INVALID, "'%.*s' holds a record that is no JSON: %s",
                         STR_ARG(reader->file->name), why ? why : "it cannot be read");
    for (uint32_t c = 0; c < reader->request->schema.count; c++) {
        const CellSource *source = &reader->sources[c];
        if (source->is_constant)
            put_text(reader, c, source->constant);
        else if (source->path.len)
            put_member(reader, c, follow_path(record, source->path));
        else if (!reader->mapped)
            put_member(reader, c, dyn_get(record, reader->request->schema.columns[c].name));
    }
    row_builder_end(&reader->rows);
    return !is_cancelled(reader, error);
}

static bool
read_json_chunk(Reader *reader, IngestChunk *chunk, AzError *error)
{
    IngestRecord document, record;
    while (ingest_chunk_next(chunk, &document)) {
        if (document.problem)
            return error_set(error, AZ_INVALID, "'%.*s' holds a record that is no JSON: %s",
                             STR_ARG(reader->file->name), document.problem);
        IngestRows rows = ingest_rows_of(document.text);
        while (ingest_rows_next(&rows, &record)) {
            if (record.problem)
                return error_set(error, AZ_INVALID, "'%.*s' holds a record that is no JSON: %s",
                                 STR_ARG(reader->file->name), record.problem);
            if (!read_json_record(reader, record.text, error))
                return false;
        }
    }
    return true;
}

static bool
read_json(Reader *reader, Str text, AzError *error)
{
    IngestStream *stream = ingest_stream_memory(text);
    IngestSplitter *splitter = ingest_splitter_new(stream, INGEST_DOCUMENTS);
    IngestChunk chunk = {0};
    bool done = true;
    while (done && ingest_splitter_next(splitter, &chunk))
        done = read_json_chunk(reader, &chunk, error);
    ingest_chunk_free(&chunk);
    ingest_splitter_free(splitter);
    return done;
}

// ---- all files ----

static bool
read_bytes(void *context, Str bytes, AzError *error)
{
    Reader *reader = context;
    switch (reader->format) {
    case FORMAT_DELIMITED:
    case FORMAT_TABS:
    case FORMAT_TABS_ESCAPED: return read_cells(reader, bytes, error);
    case FORMAT_LINES: return read_lines(reader, bytes, error);
    case FORMAT_W3C: return read_w3c(reader, bytes, error);
    case FORMAT_JSON: return read_json(reader, bytes, error);
    case FORMAT_RAW: put_cells(reader, reader->sources, &bytes, 1); return true;
    case FORMAT_UNREAD: break;
    }
    return true;
}

static bool
read_address(Reader *reader, Str address, AzError *error)
{
    ExternalFiles files = {0};
    if (!external_files(reader->arena, address, reader->request, reader->access, &files, error))
        return false;
    for (size_t i = 0; i < files.len; i++) {
        reader->file = &files.items[i];
        if (!find_format(reader, error) ||
            !external_bytes(reader->file, reader->access, read_bytes, reader, error))
            return false;
    }
    return true;
}

TableSource *
external_read(Arena *arena, const ExternalRequest *request, ExternalAccess *access, AzError *error)
{
    Reader reader = {
        .arena = arena,
        .request = request,
        .access = access,
        .json = json_parser_new(),
        .tree = dyn_builder_new(),
    };
    row_builder_init(&reader.rows, arena, &request->schema);
    bool done = read_mapping(&reader, error);
    for (uint32_t i = 0; i < request->address_count && done; i++)
        done = read_address(&reader, request->addresses[i], error);
    TableSource *source = NULL;
    if (done) {
        uint32_t count;
        Batch **batches = row_builder_batches(&reader.rows, &count);
        source = memory_source_new(arena, &reader.rows.schema, batches, count);
    }
    row_builder_free(&reader.rows);
    json_parser_free(reader.json);
    dyn_builder_free(reader.tree);
    return source;
}
