// Putting a row together: cells for the columns a table has, and cells beside them.

#include "telemetry/formats.h"

#include "base/array.h"

enum { MAP_FROM = 64 };

void
row_begin(RowBuilder *row, const Telemetry *telemetry, Record *record, const TableInfo *table,
          bool csv)
{
    Arena *arena = record->scratch->arena;
    *row = (RowBuilder){.telemetry = telemetry, .record = record, .table = table, .csv = csv};
    row->cap = record->count + 24;
    row->cells = ARENA_ARRAY(arena, JsonMember, row->cap);
    row->types = ARENA_ARRAY(arena, Type, row->cap);
    row->filled = ARENA_ARRAY(arena, uint32_t, table->schema->count + 1);
    record->table = table->name;
}

static bool
same_value(const JsonMember *a, const JsonMember *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == DYN_ARRAY || a->kind == DYN_BAG)
        return dyn_equal(a->tree, b->tree);
    return str_equal(a->string, b->string);
}

// Few cells are looked through, many have a map.
static const JsonMember *
find_cell(const RowBuilder *row, Str name)
{
    if (row->len >= MAP_FROM) {
        const MapEntry *entry = map_find(&row->names, name);
        return entry ? &row->cells[entry->number] : NULL;
    }
    for (size_t i = 0; i < row->len; i++)
        if (str_equal(row->cells[i].key, name))
            return &row->cells[i];
    return NULL;
}

static void
note_cell(RowBuilder *row)
{
    if (row->len < MAP_FROM)
        return;
    bool is_new;
    if (row->len == MAP_FROM)
        map_init(&row->names, row->record->scratch->arena, false);
    for (size_t i = row->len == MAP_FROM ? 0 : row->len - 1; i < row->len; i++)
        map_add(&row->names, row->cells[i].key, &is_new)->number = i;
}

// Two values under one name (a.b and a_b, Level and properties.Level): the second is name_2.
static bool
name_free(const RowBuilder *row, Str *name, const JsonMember *value)
{
    Str wanted = *name;
    const JsonMember *cell = find_cell(row, *name);
    for (size_t number = 2; cell; number = number == 2 ? row->len + 1 : number + 1) {
        if (same_value(cell, value))
            return false;
        *name = str_format(row->record->scratch->arena, "%.*s_%zu", STR_ARG(wanted), number);
        cell = find_cell(row, *name);
    }
    return true;
}

void
row_add(RowBuilder *row, Str name, const JsonMember *value, Type type)
{
    if (value->kind == DYN_NULL || !name_free(row, &name, value))
        return;
    if (row->len == row->cap) {
        Arena *arena = row->record->scratch->arena;
        JsonMember *cells = ARENA_ARRAY(arena, JsonMember, row->cap * 2);
        Type *types = ARENA_ARRAY(arena, Type, row->cap * 2);
        memcpy(cells, row->cells, row->len * sizeof(*cells));
        memcpy(types, row->types, row->len * sizeof(*types));
        row->cells = cells;
        row->types = types;
        row->cap *= 2;
    }
    row->cells[row->len] = *value;
    row->cells[row->len].key = name;
    row->types[row->len++] = type;
    note_cell(row);
}

bool
row_put(RowBuilder *row, Str column, const JsonMember *value)
{
    const MapEntry *entry = map_find(&row->table->columns, column);
    if (!entry)
        return false;
    uint32_t *filled = &row->filled[entry->number];
    if (*filled) // the same value from two places is one value
        return value->kind == DYN_NULL || same_value(&row->cells[*filled - 1], value);
    if (value->kind == DYN_NULL)
        return true;
    const Column *target = &row->table->schema->columns[entry->number];
    size_t before = row->len;
    row_add(row, target->name, value, target->type);
    if (row->len > before)
        *filled = (uint32_t)row->len;
    return true;
}

bool
row_emit(RowBuilder *row, Str format, bool plain, LogEmit emit, void *context)
{
    LogRow out = {.format = format,
                  .table = row->table->name,
                  .open = row->table->open,
                  .plain = plain,
                  .cells = row->cells,
                  .types = row->types,
                  .count = row->len};
    return emit(context, &out);
}
