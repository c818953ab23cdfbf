#include "report/help_text.h"

#include "base/array.h"

static const struct {
    const char *word; // azimuth help WORD lists the kind
    const char *heading;
} KINDS[] = {
    [TOPIC_STATEMENT] = {"statements", "statements"},
    [TOPIC_OPERATOR] = {"operators", "tabular operators"},
    [TOPIC_EXPRESSION] = {"expressions", "operators in expressions"},
    [TOPIC_SCALAR] = {"functions", "scalar functions"},
    [TOPIC_AGGREGATE] = {"aggregates", "aggregates"},
    [TOPIC_WINDOW] = {"window", "window functions"},
    [TOPIC_PLUGIN] = {"plugins", "plugins of evaluate"},
    [TOPIC_KQL_FUNCTION] = {"kql", "functions in KQL"},
    [TOPIC_COMPUTED] = {"computed", "computed tables"},
    [TOPIC_TABLE] = {"tables", "tables"},
};

TopicKind
help_kind_of_word(Str word)
{
    TopicKind kind = 0;
    while (kind < TOPIC_KINDS && !str_equal_ci(word, str_from(KINDS[kind].word)))
        kind++;
    return kind;
}

void
text_columns(Buffer *out, const Str *names, size_t count, uint32_t width, const char *indent)
{
    size_t widest = 1, room = (width ? width : 80) - 1, margin = strlen(indent);
    for (size_t i = 0; i < count; i++)
        if (names[i].len > widest)
            widest = names[i].len;
    size_t columns = room > margin ? (room - margin + 2) / (widest + 2) : 1;
    columns = columns ? columns : 1;
    size_t rows = (count + columns - 1) / columns;
    for (size_t r = 0; r < rows; r++) {
        buffer_text(out, indent);
        for (size_t i = r; i < count; i += rows) {
            buffer_str(out, names[i]);
            if (i + rows < count)
                buffer_printf(out, "%*s", (int)(widest + 2 - names[i].len), "");
        }
        buffer_char(out, '\n');
    }
}

// ---- one topic ----

static void
write_columns(Buffer *out, const Schema *schema)
{
    size_t widest = 0;
    for (uint32_t c = 0; c < schema->count; c++)
        if (schema->columns[c].name.len > widest)
            widest = schema->columns[c].name.len;
    buffer_text(out, "\ncolumns:\n");
    for (uint32_t c = 0; c < schema->count; c++) {
        Str name = schema->columns[c].name;
        buffer_printf(out, "    %.*s%*s%s\n", STR_ARG(name), (int)(widest + 2 - name.len), "",
                      type_name(schema->columns[c].type));
    }
}

static void
write_answer(Buffer *out, Database *db, Str example, const ResultStyle *style)
{
    Arena arena = {0};
    AzError error = {0};
    QueryResult *result = help_run_example(db, &arena, example, &error);
    for (uint32_t i = 0; result && i < result->count; i++) {
        buffer_char(out, '\n');
        result_write(out, result->tables[i], RESULT_TABLE, style);
    }
    if (!result)
        buffer_printf(out, "\n    (%s)\n", error.message);
    error_clear(&error);
    arena_free(&arena);
}

static void
write_options(Buffer *out, Str options)
{
    Str option;
    buffer_text(out, "\noptions:\n");
    while (str_next_word(&options, &option))
        buffer_printf(out, "    %.*s%s\n", STR_ARG(option),
                      str_ends(option, STR("=")) ? "NAME" : "");
}

void
help_write_topic(Buffer *out, Database *db, const Topic *topic, const ResultStyle *style)
{
    buffer_printf(out, "%.*s: %s", STR_ARG(topic->name), topic_kind_name(topic->kind));
    if (topic->group.len)
        buffer_printf(out, " (%.*s)", STR_ARG(topic->group));
    buffer_char(out, '\n');
    if (topic->doc.len)
        buffer_printf(out, "%.*s\n", STR_ARG(topic->doc));
    if (topic->signatures.len)
        buffer_char(out, '\n');
    for (size_t i = 0; i < topic->signatures.len; i++)
        buffer_printf(out, "    %.*s\n", STR_ARG(topic->signatures.items[i]));
    if (topic->aliases.len)
        buffer_printf(out, "\nalso written: %.*s\n", STR_ARG(topic->aliases));
    if (topic->options.len)
        write_options(out, topic->options);
    if (topic->has_columns)
        write_columns(out, &topic->columns);
    size_t examples = topic->examples.len + topic->queries.len;
    if (examples)
        buffer_text(out, examples > 1 ? "\nexamples:\n" : "\nexample:\n");
    for (size_t i = 0; i < topic->examples.len; i++)
        buffer_printf(out, "    %.*s\n", STR_ARG(topic->examples.items[i]));
    for (size_t i = 0; i < topic->queries.len; i++) {
        buffer_printf(out, "    %.*s\n", STR_ARG(topic->queries.items[i]));
        write_answer(out, db, topic->queries.items[i], style);
    }
}

// ---- lists ----

void
help_write_names(Buffer *out, Database *db, TopicKind kind, uint32_t width)
{
    Arena arena = {0};
    TopicList list = help_topics(db, &arena, kind, false);
    Str *names = ARENA_ARRAY(&arena, Str, list.len);
    for (size_t i = 0; i < list.len; i++)
        names[i] = list.items[i]->name;
    text_columns(out, names, list.len, width, "  ");
    arena_free(&arena);
}

void
help_write_list(Buffer *out, Database *db, uint32_t width)
{
    buffer_text(out, "azimuth help NAME tells about one of these, or about a table.\n");
    for (TopicKind kind = 0; kind < TOPIC_KINDS; kind++) {
        Arena arena = {0};
        size_t count = help_topics(db, &arena, kind, false).len;
        arena_free(&arena);
        if (!count)
            continue;
        buffer_printf(out, "\n%s (%zu)%s\n", KINDS[kind].heading, count,
                      kind == TOPIC_TABLE ? ": azimuth help tables names them" : "");
        if (kind != TOPIC_TABLE)
            help_write_names(out, db, kind, width);
    }
}
