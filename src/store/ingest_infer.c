// Schemas of tables nobody declared.
//
// The first records say which kinds of value each field has; the type is the
// narrowest that holds all of them without changing any: bool, long, real, datetime
// (only when every text is ISO 8601 with a time), string, and dynamic for objects,
// arrays and mixtures. Columns come in the order in which fields appeared. What later
// records bring beside that goes to `_Unmapped`.

#include "store/ingest_parts.h"

#include "base/array.h"
#include "value/scalar.h"

// Kinds of value a field was seen with.
enum {
    SEEN_BOOL = 1,
    SEEN_LONG = 2,
    SEEN_REAL = 4,
    SEEN_DECIMAL = 8,
    SEEN_ISO = 16,
    SEEN_STRING = 32,
    SEEN_TREE = 64,
};

void
ingest_infer_init(IngestInfer *infer, Arena *arena)
{
    *infer = (IngestInfer){.arena = arena};
    map_init(&infer->map, arena, false);
}

static void
infer_field(IngestInfer *infer, Str name, uint64_t seen)
{
    MapEntry *entry = map_find(&infer->map, name);
    if (!entry) {
        if (infer->map.len >= INFER_COLUMNS || str_equal(name, STR("_Unmapped")))
            return;
        bool is_new;
        entry = map_add(&infer->map, str_copy(infer->arena, name), &is_new);
    }
    entry->number |= seen;
}

void
ingest_infer_name(IngestInfer *infer, Str name)
{
    infer_field(infer, name, SEEN_STRING);
}

// ISO 8601 date and time: 2026-01-31T12:00...
static bool
is_iso_time(Str text)
{
    static const char shape[] = "dddd-dd-ddTdd:dd";
    int64_t ticks;
    if (text.len < sizeof(shape) - 1)
        return false;
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        if (shape[i] == 'd' ? !digit : text.ptr[i] != shape[i])
            return false;
    }
    return datetime_parse(text, &ticks);
}

uint64_t
ingest_infer_kind(const JsonMember *member)
{
    static const uint64_t seen[] = {
        [DYN_NULL] = 0,          [DYN_BOOL] = SEEN_BOOL,       [DYN_LONG] = SEEN_LONG,
        [DYN_REAL] = SEEN_REAL,  [DYN_DECIMAL] = SEEN_DECIMAL, [DYN_STRING] = SEEN_STRING,
        [DYN_ARRAY] = SEEN_TREE, [DYN_BAG] = SEEN_TREE,
    };
    uint64_t kind = (size_t)member->kind < COUNT_OF(seen) ? seen[member->kind] : SEEN_TREE;
    if (kind == SEEN_STRING && is_iso_time(member->string))
        kind = SEEN_ISO;
    return kind;
}

static bool
infer_member(void *context, const JsonMember *member)
{
    infer_field(context, member->key, ingest_infer_kind(member));
    return true;
}

bool
ingest_infer_json(IngestInfer *infer, IngestWorker *worker, Str record)
{
    const char *why;
    size_t offset;
    bool read =
        json_walk_object(worker->parser, worker->tree, record, infer_member, infer, &why, &offset);
    infer->records += read;
    return read;
}

uint64_t
ingest_infer_cell(Str cell)
{
    int64_t whole;
    double real;
    // A leading zero or plus is part of an identifier, not of a number.
    Str digits = str_starts(cell, STR("-")) ? str_slice(cell, 1, cell.len) : cell;
    bool numeric = digits.len && digits.ptr[0] >= '0' && digits.ptr[0] <= '9' &&
                   (digits.ptr[0] != '0' || digits.len == 1 || digits.ptr[1] == '.');
    if (!cell.len)
        return 0;
    if (str_equal_ci(cell, STR("true")) || str_equal_ci(cell, STR("false")))
        return SEEN_BOOL;
    if (numeric && long_parse(cell, &whole))
        return SEEN_LONG;
    if (numeric && real_parse(cell, &real))
        return SEEN_REAL;
    return is_iso_time(cell) ? SEEN_ISO : SEEN_STRING;
}

void
ingest_infer_csv(IngestInfer *infer, const CsvHeader *header, char delimiter, Str row,
                 Buffer *buffer)
{
    Str cell;
    CsvRow cells = csv_row(row, delimiter);
    for (size_t i = 0; i < header->count && csv_row_next(&cells, buffer, &cell); i++)
        infer_field(infer, header->names[i], ingest_infer_cell(cell));
    infer->records++;
    infer->csv = true;
}

Type
ingest_infer_type(uint64_t seen, bool csv)
{
    static const struct {
        uint64_t only;
        Type type;
    } types[] = {
        {SEEN_BOOL, TYPE_BOOL},
        {SEEN_LONG, TYPE_LONG},
        {SEEN_LONG | SEEN_REAL, TYPE_REAL},
        {SEEN_LONG | SEEN_DECIMAL, TYPE_DECIMAL},
        {SEEN_ISO, TYPE_DATETIME},
        {SEEN_ISO | SEEN_STRING, TYPE_STRING},
    };
    for (size_t i = 0; seen && i < COUNT_OF(types); i++)
        if (!(seen & ~types[i].only))
            return types[i].type;
    if (csv)
        return TYPE_STRING;
    return TYPE_DYNAMIC; // objects, arrays, mixtures; and fields that were always null
}

Schema
ingest_infer_schema(const IngestInfer *infer)
{
    Schema schema = {ARENA_ARRAY(infer->arena, Column, infer->map.len), 0};
    for (size_t i = 0; i < infer->map.len; i++)
        schema.columns[schema.count++] = (Column){
            infer->map.entries[i].key, ingest_infer_type(infer->map.entries[i].number, infer->csv)};
    return schema;
}
