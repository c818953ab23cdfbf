// The prompt: libedit does the line editing and the history; this file collects lines
// into queries. What may be completed is db/complete.c's to know.

#include "cli/prompt.h"

#include "cli/cli.h"
#include "cli/edit_library.h"
#include "db/complete.h"
#include "report/help_text.h"
#include "report/result_text.h"

#include <stdio.h>
#include <sys/stat.h>

static EditLibrary lib; // opened by prompt_run

typedef struct Prompt {
    const QuerySettings *settings;
    Buffer query; // lines collected so far
} Prompt;

static Prompt *
prompt_of(EditLine *edit)
{
    Prompt *prompt = NULL;
    lib.el_get(edit, EL_CLIENTDATA, &prompt);
    return prompt;
}

static const char *
prompt_text(EditLine *edit)
{
    return prompt_of(edit)->query.len ? "     -> " : "azimuth> ";
}

enum { LISTED = 200, DETAILED = 12 };

// One a line, with signature, syntax or type.
static void
list_detailed(const Completion *found, const Str *names, Buffer *out)
{
    size_t widest = 0;
    for (size_t i = 0; i < found->len; i++)
        if (found->items[i].kind != CANDIDATE_FUNCTION && names[i].len > widest)
            widest = names[i].len;
    for (size_t i = 0; i < found->len; i++) {
        const Candidate *candidate = &found->items[i];
        bool is_signature = candidate->kind == CANDIDATE_FUNCTION && candidate->detail.len;
        if (is_signature)
            buffer_printf(out, "%.*s\n", STR_ARG(candidate->detail));
        else if (candidate->detail.len)
            buffer_printf(out, "%.*s%*s%.*s\n", STR_ARG(names[i]), (int)(widest + 2 - names[i].len),
                          "", STR_ARG(candidate->detail));
        else
            buffer_printf(out, "%.*s\n", STR_ARG(names[i]));
    }
}

// Few candidates with what they are, many side by side; last what is being called.
static void
list_candidates(const Completion *found, Buffer *out)
{
    Arena arena = {0};
    size_t shown = found->len < LISTED ? found->len : LISTED;
    Str *names = ARENA_ARRAY(&arena, Str, shown);
    for (size_t i = 0; i < shown; i++)
        names[i] = text_clean(&arena, found->items[i].text);
    if (shown <= DETAILED)
        list_detailed(found, names, out);
    else
        text_columns(out, names, shown, cli_terminal_width(), "");
    if (shown < found->len)
        buffer_printf(out, "... and %zu more\n", found->len - shown);
    if (found->hint.len)
        buffer_printf(out, "%.*s\n", STR_ARG(found->hint));
    arena_free(&arena);
}

static unsigned char
complete(EditLine *edit, int key)
{
    (void)key;
    Prompt *prompt = prompt_of(edit);
    const LineInfo *line = lib.el_line(edit);
    Arena arena = {0};
    Buffer text = {0}, list = {0};
    buffer_str(&text, buffer_slice(&prompt->query));
    buffer_str(&text, (Str){line->buffer, (size_t)(line->cursor - line->buffer)});
    Completion found = complete_query(prompt->settings->db, &arena, buffer_slice(&text), text.len);
    size_t word = text.len - found.from;
    unsigned char what = CC_ERROR;
    if (found.len && (found.common.len > word || found.len == 1)) {
        // The name as it is declared takes the place of what was typed.
        lib.el_deletestr(edit, (int)word);
        what = lib.el_insertstr(edit, str_cstr(&arena, found.common)) ? CC_ERROR : CC_REFRESH;
    } else if (found.len || found.hint.len) {
        list_candidates(&found, &list);
        printf("\n%.*s", STR_ARG(buffer_slice(&list)));
        what = CC_REDISPLAY;
    }
    buffer_free(&text);
    buffer_free(&list);
    arena_free(&arena);
    return what;
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
    while ((line = lib.el_gets(edit, &count))) {
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
        lib.history(log, event, H_ENTER, str_cstr(&arena, query));
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
    AzError error = {0};
    if (!edit_library_open(&lib, &error)) {
        cli_error(&error, STR(""));
        return AZIMUTH_EXIT_ERROR;
    }
    EditLine *edit = lib.el_init("azimuth", stdin, stdout, stderr);
    History *log = lib.history_init();
    if (!edit || !log) {
        cli_fail("the prompt could not be started on this terminal");
        return AZIMUTH_EXIT_ERROR;
    }
    HistEvent event;
    lib.history(log, &event, H_SETSIZE, 1000);
    Str path = history_path(&arena);
    if (path.len)
        lib.history(log, &event, H_LOAD, path.ptr);
    lib.el_set(edit, EL_CLIENTDATA, &prompt);
    lib.el_set(edit, EL_PROMPT, prompt_text);
    lib.el_set(edit, EL_EDITOR, "emacs");
    lib.el_set(edit, EL_HIST, lib.history, log);
    lib.el_set(edit, EL_ADDFN, "complete", "Completes a name", complete);
    lib.el_set(edit, EL_BIND, "^I", "complete", NULL);
    lib.el_source(edit, NULL);
    puts("KQL; a query ends with ';' or an empty line, Tab completes, exit leaves.");
    read_queries(&prompt, edit, log, &event);
    if (path.len)
        lib.history(log, &event, H_SAVE, path.ptr);
    lib.history_end(log);
    lib.el_end(edit);
    buffer_free(&prompt.query);
    arena_free(&arena);
    return AZIMUTH_EXIT_OK;
}
