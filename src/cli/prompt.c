// The prompt: libedit does the line editing and the history; this file collects
// lines into queries and offers names for completion.
//
// Completion is by kind of place: after `|` operators; otherwise tables and functions,
// and the columns of every table that the text so far names.

#include "cli/prompt.h"

#include "base/map.h"
#include "cli/cli.h"

#include <ctype.h>
#include <histedit.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *const OPERATORS[] = {
    "as",
    "consume",
    "count",
    "distinct",
    "evaluate",
    "extend",
    "facet",
    "find",
    "fork",
    "getschema",
    "invoke",
    "join",
    "lookup",
    "make-series",
    "mv-apply",
    "mv-expand",
    "order by",
    "parse",
    "parse-kv",
    "parse-where",
    "partition",
    "project",
    "project-away",
    "project-keep",
    "project-rename",
    "project-reorder",
    "reduce",
    "render",
    "sample",
    "sample-distinct",
    "scan",
    "search",
    "serialize",
    "sort by",
    "summarize",
    "take",
    "top",
    "top-hitters",
    "top-nested",
    "union",
    "where",
};

typedef struct Prompt {
    const QuerySettings *settings;
    Buffer query; // lines collected so far
    Arena arena;  // of one completion
    Str word;
    Str match; // the only match, or the common prefix of all
    size_t matches;
    Buffer list;
} Prompt;

static Prompt *
prompt_of(EditLine *edit)
{
    Prompt *prompt = NULL;
    el_get(edit, EL_CLIENTDATA, &prompt);
    return prompt;
}

static const char *
prompt_text(EditLine *edit)
{
    return prompt_of(edit)->query.len ? "     -> " : "azimuth> ";
}

static void
offer(Prompt *prompt, Str name)
{
    if (name.len < prompt->word.len ||
        !str_equal_ci(str_slice(name, 0, prompt->word.len), prompt->word))
        return;
    if (prompt->matches++ == 0) {
        prompt->match = str_copy(&prompt->arena, name);
    } else {
        size_t common = 0;
        while (common < name.len && common < prompt->match.len &&
               tolower((unsigned char)name.ptr[common]) ==
                   tolower((unsigned char)prompt->match.ptr[common]))
            common++;
        prompt->match.len = common;
    }
    if (prompt->matches <= 200)
        buffer_printf(&prompt->list, "%.*s  ", STR_ARG(name));
}

static void
offer_name(void *context, Str name)
{
    offer(context, name);
}

static void
offer_function(void *context, const FunctionDef *fn)
{
    if (!(fn->flags & (FN_INTERNAL | FN_OBSOLETE)))
        offer(context, str_from(fn->name));
}

typedef struct ColumnOffer {
    Prompt *prompt;
    Str text;
} ColumnOffer;

static void
offer_plugin(void *context, const PluginDef *plugin)
{
    offer(context, str_from(plugin->name));
}

// Columns of a table that the query text names.
static void
offer_columns(void *context, Str table)
{
    ColumnOffer *columns = context;
    if (str_find(str_lower(&columns->prompt->arena, columns->text),
                 str_lower(&columns->prompt->arena, table)) < 0)
        return;
    Schema schema;
    if (!db_table_schema(columns->prompt->settings->db, &columns->prompt->arena, table, &schema))
        return;
    for (uint32_t i = 0; i < schema.count; i++)
        offer(columns->prompt, schema.columns[i].name);
}

static void
collect_matches(Prompt *prompt, Str before)
{
    Str rest = str_trim(str_slice(before, 0, before.len - prompt->word.len));
    if (str_ends(rest, STR("|"))) {
        for (size_t i = 0; i < sizeof(OPERATORS) / sizeof(OPERATORS[0]); i++)
            offer(prompt, str_from(OPERATORS[i]));
        return;
    }
    Database *db = prompt->settings->db;
    db_each_table(db, offer_name, prompt);
    db_each_function(db, offer_function, prompt);
    db_each_plugin(offer_plugin, prompt);
    content_each_function(db_content(db), offer_name, prompt);
    ColumnOffer columns = {
        .prompt = prompt,
        .text = str_format(&prompt->arena, "%.*s\n%.*s", STR_ARG(buffer_slice(&prompt->query)),
                           STR_ARG(before)),
    };
    db_each_table(db, offer_columns, &columns);
}

static unsigned char
complete(EditLine *edit, int key)
{
    (void)key;
    Prompt *prompt = prompt_of(edit);
    const LineInfo *line = el_line(edit);
    const char *start = line->cursor;
    while (start > line->buffer && (isalnum((unsigned char)start[-1]) || start[-1] == '_'))
        start--;
    arena_reset(&prompt->arena);
    buffer_clear(&prompt->list);
    prompt->matches = 0;
    prompt->word = (Str){start, (size_t)(line->cursor - start)};
    collect_matches(prompt, (Str){line->buffer, (size_t)(line->cursor - line->buffer)});
    if (prompt->matches == 0)
        return CC_ERROR;
    if (prompt->match.len > prompt->word.len) {
        el_deletestr(edit, (int)prompt->word.len);
        el_insertstr(edit, str_cstr(&prompt->arena, prompt->match));
        return CC_REFRESH;
    }
    if (prompt->matches == 1)
        return CC_REFRESH;
    printf("\n%.*s\n", STR_ARG(buffer_slice(&prompt->list)));
    return CC_REDISPLAY;
}

static Str
history_path(Arena *arena)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    Str dir = state && *state ? str_format(arena, "%s/azimuth", state)
              : home && *home ? str_format(arena, "%s/.local/state/azimuth", home)
                              : STR("");
    if (!dir.len)
        return dir;
    for (size_t i = 1; i <= dir.len; i++)
        if (i == dir.len || dir.ptr[i] == '/')
            mkdir(str_cstr(arena, str_slice(dir, 0, i)), 0700);
    return str_format(arena, "%.*s/history", STR_ARG(dir));
}

// Whether the collected text is a whole query now: it ends with `;`, or the line was empty.
static bool
is_complete(const Prompt *prompt, Str line)
{
    Str text = str_trim(buffer_slice(&prompt->query));
    return str_ends(text, STR(";")) || (text.len && str_trim(line).len == 0);
}

static void
read_queries(Prompt *prompt, EditLine *edit, History *log, HistEvent *event)
{
    const char *line;
    int count;
    while ((line = el_gets(edit, &count))) {
        Str text = {line, (size_t)(count > 0 ? count : 0)};
        Str word = str_trim(text);
        if (!prompt->query.len && (str_equal(word, STR("exit")) || str_equal(word, STR("quit"))))
            return;
        buffer_str(&prompt->query, text);
        if (!is_complete(prompt, text)) {
            if (!str_trim(buffer_slice(&prompt->query)).len)
                buffer_clear(&prompt->query);
            continue;
        }
        Str query = str_trim(buffer_slice(&prompt->query));
        Arena arena = {0};
        history(log, event, H_ENTER, str_cstr(&arena, query));
        arena_free(&arena);
        query_run(prompt->settings, query);
        buffer_clear(&prompt->query);
    }
    putchar('\n');
}

int
prompt_run(const QuerySettings *settings)
{
    Prompt prompt = {.settings = settings};
    Arena arena = {0};
    EditLine *edit = el_init("azimuth", stdin, stdout, stderr);
    History *log = history_init();
    if (!edit || !log) {
        cli_fail("the prompt could not be started on this terminal");
        return AZIMUTH_EXIT_ERROR;
    }
    HistEvent event;
    history(log, &event, H_SETSIZE, 1000);
    Str path = history_path(&arena);
    if (path.len)
        history(log, &event, H_LOAD, path.ptr);
    el_set(edit, EL_CLIENTDATA, &prompt);
    el_set(edit, EL_PROMPT, prompt_text);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_HIST, history, log);
    el_set(edit, EL_ADDFN, "complete", "Completes a name", complete);
    el_set(edit, EL_BIND, "^I", "complete", NULL);
    el_source(edit, NULL);
    puts("KQL; a query ends with ';' or an empty line, Tab completes, exit leaves.");
    read_queries(&prompt, edit, log, &event);
    if (path.len)
        history(log, &event, H_SAVE, path.ptr);
    history_end(log);
    el_end(edit);
    buffer_free(&prompt.query);
    buffer_free(&prompt.list);
    arena_free(&prompt.arena);
    arena_free(&arena);
    return AZIMUTH_EXIT_OK;
}
