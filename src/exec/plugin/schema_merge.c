// schema_merge: several schemas, as getschema shows them, made one.
//
// A column of several schemas gets the type all its types widen to; when there is none,
// or when it stands at another place than in its first schema and the order is to be
// kept, its row says so in place of a type. Without that, columns come in the order of
// the last place each was seen at (Kusto docs, schema_merge plugin).

#include "base/array.h"
#include "base/map.h"
#include "exec/plugin.h"
#include "kql/signature.h"

enum { PARAM_PRESERVE };
enum { IN_NAME, IN_ORDINAL, IN_TYPE, IN_COLUMNS };
static const struct {
    Str name;
    Type type, other;
} INPUT[IN_COLUMNS] = {
    [IN_NAME] = {STR_INIT("ColumnName"), TYPE_STRING, TYPE_STRING},
    [IN_ORDINAL] = {STR_INIT("ColumnOrdinal"), TYPE_LONG, TYPE_INT},
    [IN_TYPE] = {STR_INIT("ColumnType"), TYPE_STRING, TYPE_STRING},
};

static bool
merge_bind(PluginBind *bind)
{
    PluginCall *call = bind->call;
    const Schema *input = &call->input->schema;
    uint32_t *columns = ARENA_ARRAY(bind->arena, uint32_t, IN_COLUMNS);
    for (uint32_t i = 0; i < IN_COLUMNS; i++) {
        ptrdiff_t at = schema_find(input, INPUT[i].name);
        if (at < 0 ||
            (input->columns[at].type != INPUT[i].type && input->columns[at].type != INPUT[i].other))
            return plugin_fail(bind, call->span,
                               "schema_merge reads what getschema yields: the column '%.*s' of "
                               "type %s is missing",
                               STR_ARG(INPUT[i].name), type_name(INPUT[i].type));
        columns[i] = (uint32_t)at;
    }
    static const Column COLUMNS[] = {
        {STR_INIT("ColumnName"), TYPE_STRING},
        {STR_INIT("ColumnOrdinal"), TYPE_INT},
        {STR_INIT("DataType"), TYPE_STRING},
        {STR_INIT("ColumnType"), TYPE_STRING},
    };
    call->bound = columns;
    call->schema = (Schema){arena_copy(bind->arena, COLUMNS, sizeof(COLUMNS)), COUNT_OF(COLUMNS)};
    call->serialized = true;
    return true;
}

typedef struct Merged {
    Str name;
    Type type;
    int64_t first, last; // ordinals
    size_t place;        // of appearance
    const char *wrong;   // NULL: nothing
} Merged;

static int
first_order(const void *a, const void *b)
{
    const Merged *x = a, *y = b;
    if (!x->wrong != !y->wrong)
        return x->wrong ? 1 : -1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static void
merge_row(Map *columns, Merged *all, Str name, int64_t ordinal, Str type_text, bool preserve)
{
    Type type = type_from_name(type_text);
    bool is_new;
    MapEntry *entry = map_add(columns, name, &is_new);
    if (is_new) {
        entry->number = columns->len - 1;
        all[entry->number] = (Merged){name, type, ordinal, ordinal, columns->len, NULL};
        if (type == TYPE_NONE)
            all[entry->number].wrong = "unknown type";
        return;
    }
    Merged *column = &all[entry->number];
    Type common = type == column->type ? type : type_common(type, column->type);
    if (column->wrong)
        return;
    if (ordinal > column->last)
        column->last = ordinal;
    if (preserve && ordinal != column->first)
        column->wrong = "columns are out of order";
    else if (common == TYPE_NONE)
        column->wrong = "types have no common type";
    column->type = common;
}

static ResultTable *
write_merged(PluginRun *run, Merged *all, size_t count, bool preserve)
{
    Arena *arena = run->exec->arena;
    for (size_t i = 0; i < count && !preserve; i++)
        all[i].first = all[i].last;
    if (count)
        qsort(all, count, sizeof(*all), first_order);
    RowWriter writer;
    writer_open(&writer, run);
    for (size_t i = 0; i < count; i++) {
        const Merged *column = &all[i];
        Str type = column->wrong ? str_format(arena, "ERROR(%s)", column->wrong)
                                 : str_from(type_name(column->type));
        Str data = column->wrong ? str_format(arena, "ERROR(unknown CSL type:%.*s)", STR_ARG(type))
                                 : str_from(type_dotnet_name(column->type));
        Value cells[] = {value_string(column->name), value_int(column->wrong ? -1 : (int32_t)i),
                         value_string(data), value_string(type)};
        for (size_t c = 0; c < COUNT_OF(cells); c++)
            writer_value(&writer, &cells[c]);
        if (!writer_end_row(&writer))
            break;
    }
    return writer_finish(&writer);
}

static ResultTable *
merge_run(PluginRun *run)
{
    Value preserve;
    const uint32_t *columns = run->call->bound;
    if (!plugin_value(run, PARAM_PRESERVE, TYPE_BOOL, &preserve))
        return NULL;
    const Batch *input = plugin_input(run);
    if (!input)
        return NULL;
    bool keep_order = preserve.is_null || preserve.boolean;
    Arena *arena = run->exec->arena;
    Merged *all = ARENA_ARRAY(arena, Merged, input->count + 1);
    Map names;
    map_init(&names, arena, false);
    for (uint32_t i = 0; i < input->count; i++) {
        const Vector *ordinals = input->columns[columns[IN_ORDINAL]];
        int64_t ordinal = ordinals->type == TYPE_INT ? *(const int32_t *)vector_cell(ordinals, i)
                                                     : *(const int64_t *)vector_cell(ordinals, i);
        merge_row(&names, all, text_str(vector_cell(input->columns[columns[IN_NAME]], i)), ordinal,
                  text_str(vector_cell(input->columns[columns[IN_TYPE]], i)), keep_order);
    }
    return write_merged(run, all, names.len, keep_order);
}

static const PluginImpl MERGE = {.bind = merge_bind, .run = merge_run};
static const PluginParam PARAMS[] = {
    [PARAM_PRESERVE] = {"preserve_order", PLUGIN_CONSTANT, "bool", PLUGIN_OPTIONAL},
};
static const PluginDef ROWS[] = {
    {.name = "schema_merge",
     .doc = "Makes one schema of several that getschema yields.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &MERGE},
};

const PluginSet SCHEMA_MERGE_PLUGINS = {ROWS, COUNT_OF(ROWS)};
