// The summary for a terminal: headline, scores, and the first ten fixes.
//
// Everything fits the width; names that do not are cut in the middle. Commands are not
// cut, because somebody will copy them: a long line is broken with a backslash, which a
// POSIX shell joins again. Severity is a sign and a word, colour only underlines it.

#include "report/assessment_report.h"

#include "base/array.h"
#include "report/report_words.h"
#include "report/result_text.h"

#include <math.h>
#include <string.h>

enum { FIXES_SHOWN = 10, NAMES_SHOWN = 3, GAPS_SHOWN = 3, NARROWEST = 60, WIDEST = 120 };

typedef struct Terminal {
    Arena arena;
    Buffer *out;
    const Assessment *assessment;
    bool color;
    uint32_t width;
} Terminal;

#define STYLE_BOLD "1"
#define STYLE_SOFT "2"

static const struct {
    const char *sign, *style;
} SEVERITY_STYLE[] = {
    [SEVERITY_CRITICAL] = {"\u25c6", "1;31"}, [SEVERITY_HIGH] = {"\u25b2", "31"},
    [SEVERITY_MEDIUM] = {"\u25a0", "33"},     [SEVERITY_LOW] = {"\u25cf", "36"},
    [SEVERITY_INFO] = {"\u25cb", "2"},
};

static void
style_on(Terminal *t, const char *style)
{
    if (t->color)
        buffer_printf(t->out, "\033[%sm", style);
}

static void
style_off(Terminal *t)
{
    if (t->color)
        buffer_text(t->out, "\033[0m");
}

static void
put_blanks(Terminal *t, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buffer_char(t->out, ' ');
}

static Str
clean(Terminal *t, Str text)
{
    return text_clean(&t->arena, text);
}

// Words of `text` in lines: the first begins where the cursor is (`column`), the others
// are indented. A word longer than a line is cut in the middle.
static void
put_wrapped(Terminal *t, Str text, uint32_t column, uint32_t indent)
{
    bool first = true;
    for (size_t at = 0; at < text.len;) {
        while (at < text.len && text.ptr[at] == ' ')
            at++;
        size_t start = at;
        while (at < text.len && text.ptr[at] != ' ')
            at++;
        if (start == at)
            break;
        Str word = str_slice(text, start, at);
        uint32_t width = text_display_width(word);
        if (!first && column + 1 + width > t->width) {
            buffer_char(t->out, '\n');
            put_blanks(t, indent);
            column = indent;
        } else if (!first) {
            buffer_char(t->out, ' ');
            column++;
        }
        text_put_middle(t->out, word, t->width > column ? t->width - column : 1);
        column += width;
        first = false;
    }
    buffer_char(t->out, '\n');
}

static void
put_headline(Terminal *t, FixGroup *groups)
{
    const Assessment *a = t->assessment;
    Buffer line = {0};
    buffer_text(&line, "Azimuth");
    if (a->tenant_id.len)
        buffer_printf(&line, " \u00b7 %.*s", STR_ARG(clean(t, a->tenant_id)));
    if (a->snapshot)
        buffer_printf(&line, " \u00b7 snapshot %lld", (long long)a->snapshot);
    if (a->snapshot && a->snapshot_info.created)
        buffer_printf(&line, " of %.*s", STR_ARG(report_date(&t->arena, a->snapshot_info.created)));
    style_on(t, STYLE_SOFT);
    text_put_middle(t->out, buffer_slice(&line), t->width);
    style_off(t);
    buffer_text(t->out, "\n\n");
    buffer_free(&line);
    style_on(t, STYLE_BOLD);
    put_wrapped(t, str_format(&t->arena, "%.*s.", STR_ARG(report_headline(&t->arena, a))), 0, 0);
    style_off(t);
    ReportFact facts[REPORT_FACTS];
    size_t count = report_facts(&t->arena, a, groups, facts);
    for (size_t i = 0; i < count; i++) {
        Severity severity = a->controls->items[facts[i].control].severity;
        buffer_text(t->out, "  ");
        style_on(t, SEVERITY_STYLE[severity].style);
        buffer_text(t->out, SEVERITY_STYLE[severity].sign);
        style_off(t);
        buffer_char(t->out, ' ');
        put_wrapped(t, facts[i].text, 4, 4);
    }
}

// Eighths of a cell at the end, so that 61 and 64 of 100 look different.
static void
put_bar(Terminal *t, double score, uint32_t cells)
{
    static const char *const PARTS[] = {"",       "\u258f", "\u258e", "\u258d",
                                        "\u258c", "\u258b", "\u258a", "\u2589"};
    uint32_t eighths = score > 0 ? (uint32_t)lround(fmin(score, 100) * cells * 8 / 100) : 0;
    uint32_t full = eighths / 8, used = full + (eighths % 8 ? 1 : 0);
    for (uint32_t i = 0; i < full; i++)
        buffer_text(t->out, "\u2588");
    buffer_text(t->out, PARTS[eighths % 8]);
    style_on(t, STYLE_SOFT);
    for (uint32_t i = used; i < cells; i++)
        buffer_text(t->out, "\u00b7");
    style_off(t);
}

static void
put_score_number(Terminal *t, double score)
{
    if (score < 0)
        buffer_text(t->out, "     \u2013");
    else
        buffer_printf(t->out, "%6.0f", score);
}

enum { AREA_TITLE = 20, AREA_NUMBERS = 34 };

static void
put_area(Terminal *t, const AreaScore *area)
{
    Str title = clean(t, report_area_title(&t->arena, area->area));
    buffer_text(t->out, "  ");
    text_put_middle(t->out, title, AREA_TITLE);
    uint32_t used = text_display_width(title);
    put_blanks(t, used < AREA_TITLE ? AREA_TITLE - used + 1 : 1);
    put_bar(t, area->score, t->width - AREA_TITLE - AREA_NUMBERS - 3);
    put_score_number(t, area->score);
    buffer_printf(t->out, "%9.*s%9.*s%10.*s\n", STR_ARG(report_count(&t->arena, area->fail)),
                  STR_ARG(report_count(&t->arena, area->pass)),
                  STR_ARG(report_count(&t->arena, area->unknown)));
}

static void
put_scores(Terminal *t)
{
    const Assessment *a = t->assessment;
    buffer_char(t->out, '\n');
    // How much is not known is said as loudly as the score.
    Str score =
        a->score < 0 ? STR("No score") : str_format(&t->arena, "Score %.0f of 100", a->score);
    style_on(t, STYLE_BOLD);
    put_wrapped(
        t,
        str_format(&t->arena, "%.*s, %.*s of %.*s checks failed. %u %% could not be judged.",
                   STR_ARG(score), STR_ARG(report_count(&t->arena, a->fail)),
                   STR_ARG(report_count(&t->arena, a->pass + a->fail)), report_unknown_share(a)),
        0, 0);
    style_off(t);
    if (!a->area_count)
        return;
    style_on(t, STYLE_SOFT);
    put_blanks(t, t->width - AREA_NUMBERS);
    buffer_text(t->out, " score   failed   passed   unknown\n");
    style_off(t);
    for (size_t i = 0; i < a->area_count; i++)
        put_area(t, &a->areas[i]);
}

// Data sets that were not collected, and controls that could not run.
static void
put_gaps(Terminal *t)
{
    const Assessment *a = t->assessment;
    size_t missing = 0, broken = 0, blind = 0;
    for (size_t i = 0; i < a->controls->len; i++) {
        const ControlResult *result = &a->results[i];
        broken += result->error.len > 0;
        blind += !result->error.len && result->missing.len &&
                 !(result->pass + result->fail + result->unknown);
    }
    for (size_t i = 0; i < a->coverage_count; i++) {
        const Coverage *row = &a->coverage[i];
        if (!str_equal_ci(row->status, STR("not collected")) || missing++ >= GAPS_SHOWN)
            continue;
        if (missing == 1)
            buffer_text(t->out, "\nNot collected\n");
        buffer_text(t->out, "  ");
        put_wrapped(
            t,
            str_format(&t->arena, "%.*s%s%.*s: %.*s", STR_ARG(clean(t, row->dataset)),
                       row->scope.len ? " in " : "", STR_ARG(clean(t, row->scope)),
                       STR_ARG(clean(t, row->reason.len ? row->reason : STR("no reason given")))),
            2, 4);
    }
    if (missing > GAPS_SHOWN)
        buffer_printf(t->out, "  and %zu more\n", missing - GAPS_SHOWN);
    if (blind)
        buffer_printf(t->out, "\n%zu control%s found no data to judge.\n", blind,
                      blind == 1 ? "" : "s");
    if (broken)
        buffer_printf(t->out, "\n%zu control%s could not run.\n", broken, broken == 1 ? "" : "s");
}

// ---- fixes ------------------------------------------------------------------

// Bytes of the next word of a command line: up to a blank that is not quoted.
static size_t
word_length(Str line, char *quote)
{
    size_t at = 0;
    for (; at < line.len && (*quote || line.ptr[at] != ' '); at++) {
        char c = line.ptr[at];
        if (c == '\\' && *quote != '\'')
            at++;
        else if (c == *quote)
            *quote = 0;
        else if (!*quote && (c == '"' || c == '\''))
            *quote = c;
    }
    return at < line.len ? at : line.len;
}

// Whether the word may be broken anywhere: inside quotes a backslash means itself, and
// after one it would be the character that is escaped.
static bool
is_breakable(Str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (memchr("'\"\\", word.ptr[i], 3) || (unsigned char)word.ptr[i] >= 0x80)
            return false;
    return true;
}

// A word; one that goes beyond the line is broken after slashes: a backslash at the end of a
// line joins it with what begins the next one at its first column.
static uint32_t
put_word(Terminal *t, Str word, uint32_t column)
{
    if (!is_breakable(word)) {
        buffer_str(t->out, word);
        return column + text_display_width(word);
    }
    while (column + word.len >= t->width) {
        size_t room = column + 1 < t->width ? t->width - 1 - column : 0, cut = room;
        while (cut && word.ptr[cut - 1] != '/')
            cut--;
        if (!cut && !column)
            cut = room; // no slash in a whole line
        buffer_put(t->out, word.ptr, cut);
        buffer_text(t->out, "\\\n");
        word = str_slice(word, cut, word.len);
        column = 0;
    }
    buffer_str(t->out, word);
    return column + (uint32_t)word.len;
}

static void
put_comment(Terminal *t, Str line, uint32_t indent)
{
    style_on(t, STYLE_SOFT);
    put_blanks(t, indent);
    Str text = str_trim(str_slice(line, 1, line.len));
    buffer_text(t->out, "# ");
    text_put_middle(t->out, text, t->width - indent - 2);
    style_off(t);
    buffer_char(t->out, '\n');
}

// Columns of the words from the start of `line` up to the next option: an option is not
// parted from its values when they fit a line together.
static size_t
option_width(Str line)
{
    char quote = 0;
    size_t at = word_length(line, &quote);
    for (;;) {
        size_t next = at;
        while (next < line.len && line.ptr[next] == ' ')
            next++;
        if (next == line.len || line.ptr[next] == '-')
            return text_display_width(str_slice(line, 0, at));
        at = next + word_length(str_slice(line, next, line.len), &quote);
    }
}

// One line of a command, broken at blanks to fit the width.
static void
put_command_line(Terminal *t, Str line, uint32_t indent)
{
    uint32_t column = indent;
    char quote = 0;
    put_blanks(t, indent);
    for (size_t at = 0; at < line.len;) {
        Str rest = str_slice(line, at, line.len);
        Str word = str_slice(rest, 0, word_length(rest, &quote));
        uint32_t width = text_display_width(word);
        size_t together = option_width(rest);
        bool first = at == 0, too_long = width + indent + 4 > t->width;
        // A long word that will be broken begins at the margin, where its rest goes too.
        uint32_t next = too_long && is_breakable(word) ? 0 : indent + 2;
        bool fits = column + 1 + width + 2 <= t->width &&
                    (column + 1 + together + 2 <= t->width ||
                     indent + 2 + together + 2 > t->width || word.ptr[0] != '-');
        if (!first)
            buffer_char(t->out, ' ');
        column += !first;
        if (!first && !fits) {
            buffer_text(t->out, "\\\n");
            put_blanks(t, next);
            column = next;
        }
        column = put_word(t, word, column);
        at += word.len;
        while (at < line.len && line.ptr[at] == ' ')
            at++;
    }
    buffer_char(t->out, '\n');
}

// Bytes before a comment in the line, all when there is none.
static size_t
comment_start(Str line)
{
    char quote = 0;
    for (size_t at = 0; at < line.len;) {
        if (line.ptr[at] == '#')
            return at;
        at += word_length(str_slice(line, at, line.len), &quote);
        while (at < line.len && line.ptr[at] == ' ')
            at++;
    }
    return line.len;
}

static void
put_command(Terminal *t, Str template, Str id, uint32_t indent)
{
    Buffer filled = {0};
    // Clean before quoting: a replacement sign is quoted like any other character.
    report_command(&filled, str_trim(template), clean(t, id));
    Str text = buffer_slice(&filled);
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        Str line = str_trim(clean(t, str_slice(text, 0, len)));
        // A comment goes before its command: behind it, it could not be broken.
        size_t comment = comment_start(line);
        if (comment < line.len)
            put_comment(t, str_slice(line, comment, line.len), indent);
        if (comment)
            put_command_line(t, str_trim(str_slice(line, 0, comment)), indent);
        text = str_slice(text, len + 1, text.len);
    }
    buffer_free(&filled);
}

static void
put_names(Terminal *t, const FixGroup *group, uint32_t indent)
{
    const Assessment *a = t->assessment;
    Buffer names = {0};
    size_t shown = 0;
    for (size_t i = 0; i < group->count && shown < NAMES_SHOWN; i++) {
        const Finding *finding = &a->findings[group->rows[i]];
        if (finding->status != FINDING_FAIL)
            continue;
        buffer_text(&names, shown++ ? ", " : "");
        text_put_middle(&names, clean(t, report_label(&t->arena, finding->id, finding->name)), 56);
    }
    if (group->fails > shown)
        buffer_printf(&names, " and %.*s more",
                      STR_ARG(report_count(&t->arena, group->fails - shown)));
    put_blanks(t, indent);
    put_wrapped(t, buffer_slice(&names), indent, indent);
    buffer_free(&names);
}

static void
put_fix(Terminal *t, size_t rank, const FixGroup *group)
{
    enum { INDENT = 4 };
    const Assessment *a = t->assessment;
    const Control *control = &a->controls->items[group->control];
    const char *severity = severity_name(control->severity);
    buffer_printf(t->out, "\n%2zu. ", rank);
    style_on(t, SEVERITY_STYLE[control->severity].style);
    buffer_printf(t->out, "%s %s", SEVERITY_STYLE[control->severity].sign, severity);
    style_off(t);
    buffer_text(t->out, "  ");
    style_on(t, STYLE_BOLD);
    put_wrapped(t, clean(t, control->title), INDENT + 4 + (uint32_t)strlen(severity), INDENT);
    style_off(t);
    put_blanks(t, INDENT);
    style_on(t, STYLE_SOFT);
    buffer_printf(t->out, "%.*s, %.*s, %.*s resource%s", STR_ARG(clean(t, control->id)),
                  STR_ARG(clean(t, report_area_title(&t->arena, control->area))),
                  STR_ARG(report_count(&t->arena, group->fails)), group->fails == 1 ? "" : "s");
    style_off(t);
    buffer_char(t->out, '\n');
    put_names(t, group, INDENT);
    if (control->fix_az.len) {
        for (size_t i = 0; i < group->count; i++) {
            const Finding *finding = &a->findings[group->rows[i]];
            if (finding->status == FINDING_FAIL) {
                put_command(t, control->fix_az, finding->id, INDENT);
                return;
            }
        }
    }
    put_blanks(t, INDENT);
    put_wrapped(t, clean(t, control->fix_text), INDENT, INDENT);
}

static void
put_fixes(Terminal *t, FixGroup *groups)
{
    size_t count;
    FixGroup **fixes = report_fixes(&t->arena, t->assessment, groups, &count);
    if (!count)
        return;
    size_t shown = count < FIXES_SHOWN ? count : FIXES_SHOWN;
    buffer_char(t->out, '\n');
    style_on(t, STYLE_BOLD);
    if (shown < count)
        buffer_printf(t->out, "The first %zu of %zu fixes", shown, count);
    else
        buffer_printf(t->out, "%zu fix%s", count, count == 1 ? "" : "es");
    style_off(t);
    buffer_text(t->out, ", the greatest risk first\n");
    for (size_t i = 0; i < shown; i++)
        put_fix(t, i + 1, fixes[i]);
}

void
report_terminal(const Assessment *assessment, const ReportPaths *paths, Buffer *out, bool color,
                uint32_t width)
{
    Terminal t = {
        .out = out,
        .assessment = assessment,
        .color = color,
        .width = width < NARROWEST ? NARROWEST
                 : width > WIDEST  ? WIDEST
                                   : width,
    };
    FixGroup *groups = report_groups(&t.arena, assessment);
    put_headline(&t, groups);
    put_scores(&t);
    if (paths) {
        buffer_char(out, '\n');
        put_wrapped(&t, clean(&t, report_paths_summary(&t.arena, paths)), 0, 0);
    }
    put_gaps(&t);
    put_fixes(&t, groups);
    arena_free(&t.arena);
}
