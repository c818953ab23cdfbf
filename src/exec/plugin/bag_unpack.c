// bag_unpack: each member of a property bag becomes a column.
//
// Without a declared schema the columns depend on the rows: a hidden plugin, $bag_slots,
// reads the bag column once while the query is bound and yields every slot with the types
// it was seen with. The columns are the input's, without the bag, then the slots by name
// (Kusto docs, bag_unpack plugin: the type of a slot is the one all its values have, else
// dynamic; nulls do not count).

#include "base/array.h"
#include "base/map.h"
#include "exec/plugin.h"

enum { PARAM_BAG, PARAM_PREFIX, PARAM_CONFLICT, PARAM_IGNORED };
enum { SLOTS_MAX = 10000 };

// ---- which slots there are ----

typedef struct Slot {
    Str name;
    uint32_t kinds; // bit set of DynKind
} Slot;

typedef struct SlotScan {
    Map *workers; // slot name -> bit set of DynKind
} SlotScan;

static bool
slots_consume(Sink *self, Worker *worker, Batch *batch)
{
    SlotScan *scan = self->state;
    Map *slots = &scan->workers[worker->number];
    const Vector *bags = batch->columns[0];
    for (uint32_t i = 0; i < batch->selected; i++) {
        uint32_t row = batch_row(batch, i);
        if (vector_is_null(bags, row))
            continue;
        Dyn bag = dyn_of_text(vector_cell(bags, row));
        uint32_t count = dyn_kind(bag) == DYN_BAG ? dyn_count(bag) : 0;
        for (uint32_t m = 0; m < count; m++) {
            Str key = dyn_key_at(bag, m);
            MapEntry *entry = map_find(slots, key);
            if (!entry)
                entry = map_add(slots, str_copy(&worker->keep, key), NULL);
            entry->number |= 1u << dyn_kind(dyn_at(bag, m));
        }
    }
    return worker_charge(worker, "the slots of a property bag");
}

static int
slot_order(const void *a, const void *b)
{
    return str_compare(((const Slot *)a)->name, ((const Slot *)b)->name);
}

static ResultTable *
slots_run(PluginRun *run)
{
    Exec *exec = run->exec;
    Pipeline pipeline = {0};
    if (!pipeline_build(exec, run->plan->input, &pipeline, run->error))
        return NULL;
    SlotScan scan = {ARENA_ARRAY(exec->arena, Map, exec->worker_count)};
    for (size_t w = 0; w < exec->worker_count; w++)
        map_init(&scan.workers[w], &exec->workers[w].keep, false);
    Sink sink = {&scan, slots_consume, NULL};
    if (!pipeline_run(exec, &pipeline, &sink, run->error))
        return NULL;
    Map all;
    map_init(&all, exec->arena, false);
    for (size_t w = 0; w < exec->worker_count; w++)
        for (size_t i = 0; i < scan.workers[w].len; i++)
            map_add(&all, scan.workers[w].entries[i].key, NULL)->number |=
                scan.workers[w].entries[i].number;
    Slot *slots = ARENA_ARRAY(exec->arena, Slot, all.len + 1);
    for (size_t i = 0; i < all.len; i++)
        slots[i] = (Slot){all.entries[i].key, (uint32_t)all.entries[i].number};
    qsort(slots, all.len, sizeof(*slots), slot_order);
    RowWriter writer;
    writer_open(&writer, run);
    bool going = true;
    for (size_t i = 0; i < all.len && going; i++) {
        Value name = value_string(slots[i].name);
        writer_value(&writer, &name);
        writer_long(&writer, slots[i].kinds);
        going = writer_end_row(&writer);
    }
    return writer_finish(&writer);
}

static const PluginImpl SLOTS_IMPL = {.run = slots_run};
static const PluginDef SLOTS = {.name = "$bag_slots", .flags = PLUGIN_HIDDEN, .impl = &SLOTS_IMPL};

// A plan that yields the slots of the call's bag.
static Plan *
slots_plan(PluginBind *bind)
{
    static const Column COLUMNS[] = {{STR_INIT("Slot"), TYPE_STRING},
                                     {STR_INIT("Kinds"), TYPE_LONG}};
    Arena *arena = bind->arena;
    PluginCall *call = bind->call;
    Plan *bags = plan_new(arena, PLAN_PROJECT, call->span);
    bags->input = call->input;
    bags->schema = (Schema){ARENA_ARRAY(arena, Column, 1), 1};
    bags->schema.columns[0] = (Column){STR("bag"), TYPE_DYNAMIC};
    bags->project.exprs = ARENA_ARRAY(arena, Expr *, 1);
    bags->project.exprs[0] = plugin_arg(call, PARAM_BAG)->expr;
    Plan *slots = plan_new(arena, PLAN_EVALUATE, call->span);
    slots->input = bags;
    slots->schema = (Schema){arena_copy(arena, COLUMNS, sizeof(COLUMNS)), COUNT_OF(COLUMNS)};
    slots->evaluate.call = ARENA_NEW(arena, PluginCall);
    *slots->evaluate.call = (PluginCall){.plugin = &SLOTS, .input = bags, .span = call->span};
    return slots;
}

// ---- which columns there are ----

typedef enum Conflict { CONFLICT_ERROR, CONFLICT_REPLACE, CONFLICT_KEEP } Conflict;

// What an output column is: a column of the input, or a slot.
typedef struct UnpackColumn {
    bool is_slot;
    uint32_t column;
    Str slot;
} UnpackColumn;

typedef struct Unpack {
    Expr *bag;
    UnpackColumn *columns; // of the output
} Unpack;

typedef struct UnpackBinder {
    PluginBind *bind;
    Conflict conflict;
    Str prefix;
    Dyn ignored;     // an array of names
    uint32_t bag;    // the column that goes; UINT32_MAX: none
    Map names;       // of the output's columns -> number
    Column *columns; // of the output
    UnpackColumn *kinds;
    uint32_t count;
} UnpackBinder;

static bool
bind_options(UnpackBinder *u)
{
    PluginBind *bind = u->bind;
    Value prefix, conflict, ignored;
    if (!plugin_bind_value(bind, PARAM_PREFIX, &prefix) ||
        !plugin_bind_value(bind, PARAM_CONFLICT, &conflict) ||
        !plugin_bind_value(bind, PARAM_IGNORED, &ignored))
        return false;
    if (!prefix.is_null)
        u->prefix = str_copy(bind->arena, text_str(&prefix.text));
    if (!ignored.is_null) {
        Text *kept = arena_copy(bind->arena, &ignored.text, sizeof(Text));
        u->ignored = dyn_of_text(kept);
        if (dyn_kind(u->ignored) != DYN_ARRAY)
            return plugin_fail(bind, plugin_arg(bind->call, PARAM_IGNORED)->span,
                               "ignoredProperties must be an array of names");
    }
    if (conflict.is_null)
        return true;
    static const struct {
        Str name;
        Conflict conflict;
    } NAMES[] = {
        {STR_INIT("error"), CONFLICT_ERROR},
        {STR_INIT("replace_source"), CONFLICT_REPLACE},
        {STR_INIT("keep_source"), CONFLICT_KEEP},
    };
    Str text = text_str(&conflict.text);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (str_equal(text, NAMES[i].name)) {
            u->conflict = NAMES[i].conflict;
            return true;
        }
    }
    return plugin_fail(bind, plugin_arg(bind->call, PARAM_CONFLICT)->span,
                       "columnsConflict is 'error', 'replace_source' or 'keep_source'");
}

static bool
is_ignored(const UnpackBinder *u, Str slot)
{
    for (uint32_t i = 0; i < dyn_count(u->ignored); i++) {
        Dyn name = dyn_at(u->ignored, i);
        if (dyn_kind(name) == DYN_STRING && str_equal(dyn_string(name), slot))
            return true;
    }
    return false;
}

static void
add_column(UnpackBinder *u, Column column, UnpackColumn kind)
{
    map_add(&u->names, column.name, NULL)->number = u->count;
    u->columns[u->count] = column;
    u->kinds[u->count++] = kind;
}

static bool
add_slot(UnpackBinder *u, Str name, Str slot, Type type)
{
    UnpackColumn kind = {.is_slot = true, .slot = slot};
    MapEntry *known = map_find(&u->names, name);
    if (!known) {
        add_column(u, (Column){name, type}, kind);
        return true;
    }
    if (u->conflict == CONFLICT_KEEP)
        return true;
    if (u->conflict == CONFLICT_ERROR)
        return plugin_fail(u->bind, plugin_arg(u->bind->call, PARAM_BAG)->span,
                           "the slot '%.*s' has the name of a column of the table; give "
                           "columnsConflict='replace_source' or 'keep_source', or a prefix",
                           STR_ARG(slot));
    u->columns[known->number].type = type;
    u->kinds[known->number] = kind;
    return true;
}

static void
add_input(UnpackBinder *u)
{
    const Schema *input = &u->bind->call->input->schema;
    for (uint32_t c = 0; c < input->count; c++)
        if (c != u->bag)
            add_column(u, input->columns[c], (UnpackColumn){.column = c});
}

static Type
slot_type(uint32_t kinds)
{
    static const Type TYPES[] = {
        [DYN_BOOL] = TYPE_BOOL,         [DYN_LONG] = TYPE_LONG,
        [DYN_REAL] = TYPE_REAL,         [DYN_DECIMAL] = TYPE_DECIMAL,
        [DYN_DATETIME] = TYPE_DATETIME, [DYN_TIMESPAN] = TYPE_TIMESPAN,
        [DYN_GUID] = TYPE_GUID,         [DYN_STRING] = TYPE_STRING,
        [DYN_ARRAY] = TYPE_DYNAMIC,     [DYN_BAG] = TYPE_DYNAMIC,
    };
    kinds &= ~(1u << DYN_NULL);
    if (!kinds || (kinds & (kinds - 1)))
        return TYPE_DYNAMIC;
    return TYPES[__builtin_ctz(kinds)];
}

// The slots of the rows there are.
static bool
add_seen_slots(UnpackBinder *u)
{
    PluginBind *bind = u->bind;
    ResultTable *rows;
    Arena scratch = {0};
    if (!plugin_look(bind, slots_plan(bind), &scratch, &rows)) {
        arena_free(&scratch);
        return false;
    }
    uint64_t count = rows ? rows->row_count : 0;
    bind->call->open = !count;
    bool done = true;
    if (count > SLOTS_MAX)
        done = plugin_fail(bind, bind->call->span,
                           "the bags have %llu different slots; declare the ones that are needed: "
                           "bag_unpack(...) : (name:type, ...)",
                           (unsigned long long)count);
    uint32_t most = bind->call->input->schema.count + (uint32_t)(done ? count : 0);
    u->columns = ARENA_ARRAY(bind->arena, Column, most + 1);
    u->kinds = ARENA_ARRAY(bind->arena, UnpackColumn, most + 1);
    add_input(u);
    for (uint32_t b = 0; rows && done && b < rows->batch_count; b++) {
        const Batch *batch = rows->batches[b];
        for (uint32_t i = 0; i < batch->count && done; i++) {
            const Text *text = vector_cell(batch->columns[0], i);
            int64_t kinds = *(const int64_t *)vector_cell(batch->columns[1], i);
            Str slot = str_copy(bind->arena, text_str(text));
            if (is_ignored(u, slot))
                continue;
            Str name = u->prefix.len
                           ? str_format(bind->arena, "%.*s%.*s", STR_ARG(u->prefix), STR_ARG(slot))
                           : slot;
            done = add_slot(u, name, slot, slot_type((uint32_t)kinds));
        }
    }
    arena_free(&scratch);
    return done;
}

// The slot that a declared column shows: its name without the prefix.
static Str
declared_slot(const UnpackBinder *u, Str name)
{
    return u->prefix.len && str_starts(name, u->prefix) ? str_slice(name, u->prefix.len, name.len)
                                                        : name;
}

// With `*` the input's columns come first; without it a declared column that the input
// has with that type is that one.
static bool
add_declared(UnpackBinder *u)
{
    PluginCall *call = u->bind->call;
    const Schema *input = &call->input->schema;
    u->columns = ARENA_ARRAY(u->bind->arena, Column, input->count + call->declared.count + 1);
    u->kinds = ARENA_ARRAY(u->bind->arena, UnpackColumn, input->count + call->declared.count + 1);
    if (call->declared_open)
        add_input(u);
    for (uint32_t c = 0; c < call->declared.count; c++) {
        const Column *column = &call->declared.columns[c];
        ptrdiff_t at = schema_find(input, column->name);
        Str slot = declared_slot(u, column->name);
        if (call->declared_open || at < 0 || (uint32_t)at == u->bag ||
            input->columns[at].type != column->type || u->conflict == CONFLICT_REPLACE) {
            if (!add_slot(u, column->name, slot, column->type))
                return false;
        } else {
            add_column(u, *column, (UnpackColumn){.column = (uint32_t)at});
        }
    }
    return true;
}

static bool
bag_unpack_bind(PluginBind *bind)
{
    PluginCall *call = bind->call;
    Expr *bag = plugin_arg(call, PARAM_BAG)->expr;
    UnpackBinder u = {.bind = bind};
    u.bag = bag->kind == EXPR_COLUMN ? bag->column : UINT32_MAX;
    map_init(&u.names, bind->arena, false);
    if (!bind_options(&u) || !(call->has_declared ? add_declared(&u) : add_seen_slots(&u)))
        return false;
    // Ignored slots that are declared all the same stay null.
    for (uint32_t c = 0; c < u.count; c++)
        if (u.kinds[c].is_slot && is_ignored(&u, u.kinds[c].slot))
            u.kinds[c].slot.ptr = NULL;
    Unpack *unpack = ARENA_NEW(bind->arena, Unpack);
    *unpack = (Unpack){bag, u.kinds};
    call->bound = unpack;
    call->schema = (Schema){u.columns, u.count};
    call->open |= call->input->open && (!call->has_declared || call->declared_open);
    call->serialized = call->input->serialized;
    return true;
}

// ---- running ----

static const Vector *
slot_column(Worker *worker, const Vector *bags, Str slot, Type type, uint32_t rows)
{
    Arena *arena = &worker->batch;
    Vector *out = vector_new_flat(arena, type, rows);
    size_t size = type_size(type);
    for (uint32_t i = 0; i < rows; i++) {
        Dyn member = {0};
        if (slot.ptr && !vector_is_null(bags, i))
            member = dyn_get(dyn_of_text(vector_cell(bags, i)), slot);
        Value value = dyn_convert(arena, member, type);
        if (value.is_null)
            vector_set_null(arena, out, i);
        else
            memcpy((char *)out->data + i * size, value_data(&value), size);
    }
    return out;
}

static bool
bag_unpack_push(Operator *self, Worker *worker, Batch *batch)
{
    const Unpack *unpack = self->state;
    const Schema *schema = &self->plan->schema;
    const Vector *bags = evaluate(worker, unpack->bag, batch);
    if (!bags)
        return false;
    Batch *out = batch_new(&worker->batch, schema->count, batch->selected);
    for (uint32_t c = 0; c < schema->count; c++)
        out->columns[c] = unpack->columns[c].is_slot
                              ? slot_column(worker, bags, unpack->columns[c].slot,
                                            schema->columns[c].type, batch->selected)
                              : batch_column(&worker->batch, batch, unpack->columns[c].column);
    return operator_emit(self, worker, out);
}

static bool
bag_unpack_build(PluginRun *run, Pipeline *out)
{
    Unpack *unpack = ARENA_NEW(run->exec->arena, Unpack);
    *unpack = *(const Unpack *)run->call->bound;
    unpack->bag = resolve_subqueries(run->exec, unpack->bag, run->error);
    if (!unpack->bag || !pipeline_build(run->exec, run->plan->input, out, run->error))
        return false;
    pipeline_append(run->exec, out, run->plan, unpack, bag_unpack_push);
    return true;
}

static const PluginImpl BAG_UNPACK = {.bind = bag_unpack_bind, .build = bag_unpack_build};
static const PluginParam PARAMS[] = {
    [PARAM_BAG] = {"bag", PLUGIN_COLUMN, "dynamic", 0},
    [PARAM_PREFIX] = {"output_column_prefix", PLUGIN_CONSTANT, "string", PLUGIN_OPTIONAL},
    [PARAM_CONFLICT] = {"columns_conflict", PLUGIN_CONSTANT, "string", PLUGIN_OPTIONAL},
    [PARAM_IGNORED] = {"ignored_properties", PLUGIN_CONSTANT, "dynamic", PLUGIN_OPTIONAL},
};
static const PluginDef ROWS[] = {
    {.name = "bag_unpack",
     .doc = "Makes each slot of a property bag a column.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .flags = PLUGIN_DECLARED,
     .impl = &BAG_UNPACK},
};

const PluginSet BAG_UNPACK_PLUGINS = {ROWS, COUNT_OF(ROWS)};
