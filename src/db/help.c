// Topics are made anew at each call: a few hundred rows cost less than a millisecond, and
// so nothing has to be kept true.

#include "db/help.h"

#include "base/array.h"
#include "base/map.h"
#include "function/query_example.h"
#include "kql/operator_def.h"

typedef struct Gather {
    Database *db;
    Arena *arena;
    TopicKind kind;
    bool columns;
    TopicList list;
    Map names; // name -> Topic: overloads of a function make one topic
} Gather;

static Topic *
add_topic(Gather *gather, Str name, bool *is_new)
{
    MapEntry *entry = map_add(&gather->names, name, is_new);
    if (*is_new) {
        Topic *topic = ARENA_NEW(gather->arena, Topic);
        topic->kind = gather->kind;
        topic->name = name;
        entry->pointer = topic;
        ARRAY_PUSH(gather->arena, &gather->list, topic);
    }
    return entry->pointer;
}

static void
add_text(Gather *gather, TopicText *texts, Str text)
{
    for (size_t i = 0; i < texts->len; i++)
        if (str_equal(texts->items[i], text))
            return;
    ARRAY_PUSH(gather->arena, texts, text);
}

// ---- operators ----

static TopicKind
operator_topic(const OperatorDef *op)
{
    switch (op->kind) {
    case OPERATOR_STATEMENT: return TOPIC_STATEMENT;
    case OPERATOR_EXPRESSION: return TOPIC_EXPRESSION;
    default: return TOPIC_OPERATOR;
    }
}

static void
add_operator(void *context, const OperatorDef *op)
{
    Gather *gather = context;
    bool is_new;
    if (operator_topic(op) != gather->kind)
        return;
    Topic *topic = add_topic(gather, str_from(op->name), &is_new);
    topic->aliases = str_from(op->aliases);
    topic->doc = str_from(op->doc);
    topic->options = str_from(op->options);
    add_text(gather, &topic->signatures, str_from(op->syntax));
    bool is_query = gather->kind != TOPIC_EXPRESSION;
    if (op->example)
        add_text(gather, is_query ? &topic->queries : &topic->examples, str_from(op->example));
}

// ---- functions ----

static TopicKind
function_topic(const FunctionDef *fn)
{
    return fn->kind == FUNCTION_AGGREGATE ? TOPIC_AGGREGATE
           : fn->kind == FUNCTION_WINDOW  ? TOPIC_WINDOW
                                          : TOPIC_SCALAR;
}

static void
add_function(void *context, const FunctionDef *fn)
{
    Gather *gather = context;
    bool is_new;
    if ((fn->flags & (FN_INTERNAL | FN_OBSOLETE)) || function_topic(fn) != gather->kind)
        return;
    Topic *topic = add_topic(gather, str_from(fn->name), &is_new);
    if (is_new)
        topic->group = str_from(registry_family(fn));
    if (fn->aliases && !topic->aliases.len)
        topic->aliases = str_from(fn->aliases);
    if (fn->doc && !topic->doc.len)
        topic->doc = str_from(fn->doc);
    add_text(gather, &topic->signatures,
             str_format(gather->arena, "%s%s", fn->name, fn->signature));
    if (fn->example)
        add_text(gather, &topic->examples, str_from(fn->example));
    const char *query = fn->kind == FUNCTION_SCALAR ? NULL : function_query_example(topic->name);
    if (query)
        add_text(gather, &topic->queries, str_from(query));
}

static void
add_plugin(void *context, const PluginDef *plugin)
{
    Gather *gather = context;
    bool is_new;
    if (plugin->flags & PLUGIN_HIDDEN)
        return;
    Topic *topic = add_topic(gather, str_from(plugin->name), &is_new);
    topic->group = plugin->needs ? STR("Named, not run") : STR("Plugins");
    topic->doc = plugin->needs ? str_format(gather->arena, "%s Not run here: it needs %s.",
                                            plugin->doc ? plugin->doc : "", plugin->needs)
                               : str_from(plugin->doc);
    add_text(gather, &topic->signatures, plugin_signature(gather->arena, plugin));
}

// ---- content ----

static Str
kql_signature(Arena *arena, const AstFunctionFile *file)
{
    Buffer text = {0};
    buffer_str(&text, file->name.text);
    buffer_char(&text, '(');
    for (size_t i = 0; i < file->function->parameter_count; i++) {
        const AstParameter *parameter = &file->function->parameters[i];
        buffer_printf(&text, "%s%.*s:%s%s", i ? ", " : "", STR_ARG(parameter->name.text),
                      parameter->is_table ? "table" : type_name(parameter->type),
                      parameter->default_ ? "=" : "");
    }
    buffer_char(&text, ')');
    Str copy = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static void
add_kql_function(void *context, Str name)
{
    Gather *gather = context;
    bool is_new;
    const AstFunctionFile *file = content_function(db_content(gather->db), name, NULL);
    if (!file)
        return;
    Topic *topic = add_topic(gather, file->name.text, &is_new);
    topic->group = file->folder;
    topic->doc = file->docstring;
    add_text(gather, &topic->signatures, kql_signature(gather->arena, file));
}

static void
add_table(void *context, Str name)
{
    Gather *gather = context;
    bool is_new;
    Topic *topic = add_topic(gather, name, &is_new);
    if (!is_new)
        return;
    Content *content = db_content(gather->db);
    topic->group = content_table_source(content, name);
    if (!gather->columns)
        return;
    topic->doc = content_table_doc(content, name);
    topic->has_columns = db_table_schema(gather->db, gather->arena, name, &topic->columns);
}

static void
add_computed(void *context, const TableFunctionDef *fn)
{
    Gather *gather = context;
    bool is_new;
    Topic *topic = add_topic(gather, str_from(fn->name), &is_new);
    topic->doc = str_from(fn->doc);
    Buffer text = {0};
    buffer_text(&text, fn->name);
    for (uint32_t i = 0; i < fn->param_count; i++)
        buffer_printf(&text, "%s%s:%s%s%s", i ? ", " : "(", fn->params[i].name,
                      type_name(fn->params[i].type), fn->params[i].optional ? "=" : "",
                      i + 1 == fn->param_count ? ")" : "");
    add_text(gather, &topic->signatures, str_copy(gather->arena, buffer_slice(&text)));
    buffer_free(&text);
    topic->has_columns = true;
    topic->columns =
        (Schema){ARENA_ARRAY(gather->arena, Column, fn->column_count), fn->column_count};
    for (uint32_t c = 0; c < fn->column_count; c++)
        topic->columns.columns[c] = (Column){str_from(fn->columns[c].name), fn->columns[c].type};
}

// ---- lists ----

static int
topic_order(const void *a, const void *b)
{
    const Topic *x = *(Topic *const *)a, *y = *(Topic *const *)b;
    return str_compare_ci(x->name, y->name);
}

static Gather
gather_kind(Database *db, Arena *arena, TopicKind kind, bool columns)
{
    Gather gather = {.db = db, .arena = arena, .kind = kind, .columns = columns};
    map_init(&gather.names, arena, kind == TOPIC_TABLE);
    switch (kind) {
    case TOPIC_STATEMENT:
    case TOPIC_OPERATOR:
    case TOPIC_EXPRESSION: operator_each(add_operator, &gather); return gather;
    case TOPIC_SCALAR:
    case TOPIC_AGGREGATE:
    case TOPIC_WINDOW: db_each_function(db, add_function, &gather); break;
    case TOPIC_PLUGIN: db_each_plugin(add_plugin, &gather); break;
    case TOPIC_KQL_FUNCTION:
        content_each_function(db_content(db), add_kql_function, &gather);
        break;
    case TOPIC_COMPUTED: db_each_table_function(db, add_computed, &gather); break;
    case TOPIC_TABLE:
        db_each_table(db, add_table, &gather);
        content_each_table(db_content(db), CONTENT_ALL, add_table, &gather);
        break;
    case TOPIC_KINDS: break;
    }
    if (gather.list.len)
        qsort(gather.list.items, gather.list.len, sizeof(Topic *), topic_order);
    return gather;
}

TopicList
help_topics(Database *db, Arena *arena, TopicKind kind, bool columns)
{
    return gather_kind(db, arena, kind, columns).list;
}

static bool
topic_is_called(const Topic *topic, Str name, bool any_case)
{
    bool (*equal)(Str, Str) = any_case ? str_equal_ci : str_equal;
    Str rest = topic->aliases, alias;
    if (equal(topic->name, name))
        return true;
    while (str_next_word(&rest, &alias))
        if (equal(alias, name))
            return true;
    return false;
}

TopicList
help_find(Database *db, Arena *arena, Str name)
{
    TopicList found = {0};
    for (int any_case = 0; any_case < 2 && !found.len; any_case++) {
        for (TopicKind kind = 0; kind < TOPIC_KINDS; kind++) {
            Gather gather = gather_kind(db, arena, kind, false);
            for (size_t i = 0; i < gather.list.len; i++) {
                Topic *topic = gather.list.items[i];
                if (!topic_is_called(topic, name, any_case))
                    continue;
                if (kind == TOPIC_TABLE) {
                    topic->doc = content_table_doc(db_content(db), topic->name);
                    topic->has_columns = db_table_schema(db, arena, topic->name, &topic->columns);
                }
                ARRAY_PUSH(arena, &found, topic);
            }
        }
    }
    return found;
}

Str
help_nearest(Database *db, Arena *arena, Str name)
{
    struct {
        Str *items;
        size_t len, cap;
    } names = {0};
    for (TopicKind kind = 0; kind < TOPIC_KINDS; kind++) {
        TopicList list = help_topics(db, arena, kind, false);
        for (size_t i = 0; i < list.len; i++)
            ARRAY_PUSH(arena, &names, list.items[i]->name);
    }
    ptrdiff_t near = str_nearest(name, names.items, names.len);
    return near < 0 ? STR("") : names.items[near];
}

const char *
topic_kind_name(TopicKind kind)
{
    static const char *const NAMES[] = {
        [TOPIC_STATEMENT] = "statement",
        [TOPIC_OPERATOR] = "operator",
        [TOPIC_EXPRESSION] = "operator in expressions",
        [TOPIC_SCALAR] = "scalar function",
        [TOPIC_AGGREGATE] = "aggregate",
        [TOPIC_WINDOW] = "window function",
        [TOPIC_PLUGIN] = "plugin of evaluate",
        [TOPIC_KQL_FUNCTION] = "function in KQL",
        [TOPIC_COMPUTED] = "computed table",
        [TOPIC_TABLE] = "table",
    };
    return NAMES[kind];
}

QueryResult *
help_run_example(Database *db, Arena *arena, Str example, AzError *error)
{
    // A fixed point in time, so that pages made on different days are the same.
    QueryOptions options = {.now = 638712864000000000};
    return db_query(db, arena, example, &options, error);
}
