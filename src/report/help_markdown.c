// Pages are made of topics alone; results of operators' examples are what the engine
// answers at that moment, so that a page cannot promise what does not run.

#include "report/help_markdown.h"

#include "base/array.h"
#include "report/result.h"

typedef struct Pages {
    Database *db;
    HelpPageWriter write;
    void *context;
    AzError *error;
    Buffer text;
    Buffer index;
} Pages;

static void
page_begin(Pages *pages, const char *title, const char *intro)
{
    buffer_clear(&pages->text);
    buffer_printf(
        &pages->text,
        "# %s\n\n%s\n\n<!-- Made by `azimuth help --markdown docs/reference`; edit the rows "
        "it is made from. -->\n",
        title, intro);
}

static bool
page_end(Pages *pages, const char *name, const char *title, size_t count)
{
    buffer_printf(&pages->index, "- [%s](%s) (%zu)\n", title, name, count);
    return pages->write(pages->context, name, buffer_slice(&pages->text));
}

// ---- one topic ----

static bool
put_answer(Pages *pages, const Topic *topic, Str example)
{
    Arena arena = {0};
    AzError error = {0};
    Buffer *out = &pages->text;
    static const ResultStyle STYLE = {0};
    QueryResult *result = help_run_example(pages->db, &arena, example, &error);
    bool runs = result || error.code == AZ_UNSUPPORTED;
    if (!runs)
        error_set(pages->error, AZ_INVALID, "the example of %.*s fails: %s", STR_ARG(topic->name),
                  error.message);
    else if (!result)
        buffer_text(out, "\nNot supported yet.\n");
    for (uint32_t i = 0; result && i < result->count; i++) {
        buffer_char(out, '\n');
        result_write(out, result->tables[i], RESULT_MARKDOWN, &STYLE);
    }
    error_clear(&error);
    arena_free(&arena);
    return runs;
}

static void
put_options(Buffer *out, Str options)
{
    Str option;
    buffer_text(out, "\nOptions:\n\n");
    while (str_next_word(&options, &option)) {
        // A leading `=` says that the values stand alone, as the chart of render does.
        size_t start = str_starts(option, STR("=")) ? 1 : 0;
        buffer_printf(out, "- `%.*s%s`\n", STR_ARG(str_slice(option, start, option.len)),
                      str_ends(option, STR("=")) ? "NAME" : "");
    }
}

static bool
put_topic(Pages *pages, const Topic *topic, const char *heading)
{
    Buffer *out = &pages->text;
    buffer_printf(out, "\n%s `%.*s`\n\n", heading, STR_ARG(topic->name));
    if (topic->doc.len)
        buffer_printf(out, "%.*s\n\n", STR_ARG(topic->doc));
    buffer_text(out, "```text\n");
    for (size_t i = 0; i < topic->signatures.len; i++)
        buffer_printf(out, "%.*s\n", STR_ARG(topic->signatures.items[i]));
    buffer_text(out, "```\n");
    if (topic->aliases.len)
        buffer_printf(out, "\nAlso written: `%.*s`\n", STR_ARG(topic->aliases));
    if (topic->options.len)
        put_options(out, topic->options);
    for (size_t i = 0; i < topic->examples.len; i++)
        buffer_printf(out, "\n```kql\n%.*s\n```\n", STR_ARG(topic->examples.items[i]));
    for (size_t i = 0; i < topic->queries.len; i++) {
        buffer_printf(out, "\n```kql\n%.*s\n```\n", STR_ARG(topic->queries.items[i]));
        if (!put_answer(pages, topic, topic->queries.items[i]))
            return false;
    }
    return true;
}

// ---- pages ----

static bool
put_kind(Pages *pages, const TopicList *list, const char *heading)
{
    for (size_t i = 0; i < list->len; i++)
        if (!put_topic(pages, list->items[i], heading))
            return false;
    return true;
}

static int
group_order(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

// The groups of the topics, each once, in alphabetical order.
static size_t
list_groups(Arena *arena, const TopicList *list, Str **out)
{
    Str *groups = ARENA_ARRAY(arena, Str, list->len);
    size_t count = 0;
    for (size_t i = 0; i < list->len; i++) {
        size_t g = 0;
        while (g < count && !str_equal(groups[g], list->items[i]->group))
            g++;
        if (g == count)
            groups[count++] = list->items[i]->group;
    }
    if (count)
        qsort(groups, count, sizeof(Str), group_order);
    *out = groups;
    return count;
}

static TopicList
of_group(Arena *arena, const TopicList *list, Str group)
{
    TopicList part = {0};
    for (size_t i = 0; i < list->len; i++)
        if (str_equal(list->items[i]->group, group))
            ARRAY_PUSH(arena, &part, list->items[i]);
    return part;
}

static bool
page_of_kind(Pages *pages, Arena *arena, TopicKind kind, const char *name, const char *title,
             const char *intro)
{
    TopicList list = help_topics(pages->db, arena, kind, false);
    if (!list.len)
        return true;
    page_begin(pages, title, intro);
    Str *groups;
    size_t count = list_groups(arena, &list, &groups);
    for (size_t g = 0; g < count; g++) {
        TopicList part = of_group(arena, &list, groups[g]);
        if (count > 1)
            buffer_printf(&pages->text, "\n## %.*s\n", STR_ARG(groups[g]));
        if (!put_kind(pages, &part, count > 1 ? "###" : "##"))
            return false;
    }
    return page_end(pages, name, title, list.len);
}

// A table is its columns by type, to be short: hundreds of tables stand on a page.
static void
put_table(Buffer *out, const Topic *table)
{
    buffer_printf(out, "\n## %.*s\n\n", STR_ARG(table->name));
    if (table->doc.len && !str_starts(table->doc, STR("Source of the facts")))
        buffer_printf(out, "%.*s\n\n", STR_ARG(table->doc));
    for (Type type = TYPE_BOOL; type < TYPE_LIMIT; type++) {
        bool first = true;
        for (uint32_t c = 0; c < table->columns.count; c++) {
            const Column *column = &table->columns.columns[c];
            if (column->type != type)
                continue;
            if (first)
                buffer_printf(out, "- %s: `", type_name(type));
            buffer_printf(out, "%s%.*s", first ? "" : " ", STR_ARG(column->name));
            first = false;
        }
        if (!first)
            buffer_text(out, "`\n");
    }
}

static bool
table_pages(Pages *pages, Arena *arena)
{
    TopicList list = help_topics(pages->db, arena, TOPIC_TABLE, true);
    Str *groups;
    size_t count = list_groups(arena, &list, &groups);
    bool done = true;
    for (size_t g = 0; g < count && done; g++) {
        TopicList part = of_group(arena, &list, groups[g]);
        if (!groups[g].len)
            continue; // put into memory, not declared
        Str name = str_format(arena, "tables-%.*s.md", STR_ARG(groups[g]));
        Str title = str_format(arena, "Tables: %.*s", STR_ARG(groups[g]));
        page_begin(pages, title.ptr, "Columns by type, in the order of the schema.");
        for (size_t i = 0; i < part.len; i++)
            put_table(&pages->text, part.items[i]);
        done = page_end(pages, name.ptr, title.ptr, part.len);
    }
    return done;
}

static bool
all_pages(Pages *pages, Arena *arena)
{
    static const struct {
        TopicKind kind;
        const char *name, *title, *intro;
    } KINDS[] = {
        {TOPIC_STATEMENT, "statements.md", "Statements",
         "What may stand before the query, each ended by a semicolon."},
        {TOPIC_OPERATOR, "operators.md", "Tabular operators",
         "What begins a pipeline and what stands behind `|`, each with an example and its answer."},
        {TOPIC_EXPRESSION, "expressions.md", "Operators in expressions",
         "Each example is true; the test suite runs them all."},
        {TOPIC_SCALAR, "scalar-functions.md", "Scalar functions",
         "Signatures show `name:type`, `=` after what may be left out and `...` after what may be "
         "repeated. Each example is true; the test suite runs them all."},
        {TOPIC_AGGREGATE, "aggregates.md", "Aggregates",
         "For summarize and make-series, each with an example and its answer."},
        {TOPIC_WINDOW, "window-functions.md", "Window functions",
         "They need rows in a defined order: behind sort, top, range or serialize."},
        {TOPIC_PLUGIN, "plugins.md", "Plugins", "For the operator evaluate."},
        {TOPIC_COMPUTED, "computed-tables.md", "Computed tables",
         "Tables that are computed from the snapshot when a query names them."},
        {TOPIC_KQL_FUNCTION, "kql-functions.md", "Functions written in KQL",
         "They stand in `content/functions`, one a file, and may be changed there."},
    };
    page_begin(pages, "Reference",
               "Everything the language knows by name, from the program's own "
               "rows; `azimuth help NAME` shows the same.");
    buffer_str(&pages->index, buffer_slice(&pages->text));
    buffer_char(&pages->index, '\n');
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        if (!page_of_kind(pages, arena, KINDS[i].kind, KINDS[i].name, KINDS[i].title,
                          KINDS[i].intro))
            return false;
    return table_pages(pages, arena) &&
           pages->write(pages->context, "README.md", buffer_slice(&pages->index));
}

bool
help_write_pages(Database *db, HelpPageWriter write, void *context, AzError *error)
{
    Arena arena = {0};
    Pages pages = {.db = db, .write = write, .context = context, .error = error};
    bool done = all_pages(&pages, &arena);
    buffer_free(&pages.text);
    buffer_free(&pages.index);
    arena_free(&arena);
    return done;
}
