// Tables for a terminal and for Markdown.
//
// Widths are measured over the rows shown. When they do not fit the terminal, the
// widest columns are narrowed first, down to a readable least, and long cells are
// cut in the middle, so that both ends of a resource id stay visible. Control
// characters of hostile names are shown as a replacement sign, never sent to the
// terminal.

#include "report/result_text.h"

#include "value/scalar.h"
#include "value/unicode.h"

#include <utf8proc.h>

enum { NARROWEST = 12 };

// Cells of the rows shown, as clean text.
typedef struct TextGrid {
    Str *cells; // row-major
    uint64_t rows;
    uint32_t columns;
    uint32_t *widths;
} TextGrid;

static uint32_t
codepoint_width(uint32_t codepoint)
{
    int width = utf8proc_charwidth((utf8proc_int32_t)codepoint);
    return width < 0 ? 0 : (uint32_t)width;
}

uint32_t
text_display_width(Str text)
{
    uint32_t width = 0;
    for (size_t at = 0; at < text.len;)
        width += codepoint_width(utf8_next(text, &at));
    return width;
}

static bool
is_control(uint32_t codepoint)
{
    return codepoint < 0x20 || (codepoint >= 0x7F && codepoint < 0xA0) ||
           (codepoint >= 0x200B && codepoint <= 0x200F) ||
           (codepoint >= 0x2028 && codepoint <= 0x202E) ||
           (codepoint >= 0x2066 && codepoint <= 0x2069) || codepoint == 0x061C ||
           codepoint == 0xFEFF;
}

Str
text_clean(Arena *arena, Str text)
{
    Buffer clean = {0};
    for (size_t at = 0; at < text.len;) {
        uint32_t codepoint = utf8_next(text, &at);
        if (codepoint == '\n' || codepoint == '\r' || codepoint == '\t')
            buffer_char(&clean, ' ');
        else
            utf8_put(&clean, is_control(codepoint) ? 0xFFFD : codepoint);
    }
    Str result = str_copy(arena, buffer_slice(&clean));
    buffer_free(&clean);
    return result;
}

static TextGrid
grid_build(Arena *arena, const ResultTable *table, uint64_t max_rows)
{
    TextGrid grid = {.columns = table->schema.count};
    grid.rows = max_rows && table->row_count > max_rows ? max_rows : table->row_count;
    grid.cells = ARENA_ARRAY(arena, Str, grid.rows * grid.columns);
    grid.widths = ARENA_ARRAY(arena, uint32_t, grid.columns);
    for (uint32_t c = 0; c < grid.columns; c++)
        grid.widths[c] = text_display_width(text_clean(arena, table->schema.columns[c].name));
    Buffer cell = {0};
    uint64_t row = 0;
    for (uint32_t b = 0; b < table->batch_count && row < grid.rows; b++) {
        const Batch *batch = table->batches[b];
        for (uint32_t i = 0; i < batch->selected && row < grid.rows; i++, row++) {
            for (uint32_t c = 0; c < grid.columns; c++) {
                uint32_t at = batch_row(batch, i);
                buffer_clear(&cell);
                if (!vector_is_null(batch->columns[c], at))
                    data_print(&cell, batch->columns[c]->type, vector_cell(batch->columns[c], at));
                Str text = text_clean(arena, buffer_slice(&cell));
                uint32_t width = text_display_width(text);
                grid.cells[row * grid.columns + c] = text;
                if (width > grid.widths[c])
                    grid.widths[c] = width;
            }
        }
    }
    buffer_free(&cell);
    return grid;
}

// Takes away from the widest column until all fit `width` (two blanks between).
static void
grid_fit(TextGrid *grid, uint32_t width)
{
    if (!width || !grid->columns)
        return;
    for (;;) {
        uint64_t total = 2 * (uint64_t)(grid->columns - 1);
        uint32_t widest = 0;
        for (uint32_t c = 0; c < grid->columns; c++) {
            total += grid->widths[c];
            if (grid->widths[c] > grid->widths[widest])
                widest = c;
        }
        if (total <= width || grid->widths[widest] <= NARROWEST)
            return;
        uint64_t over = total - width;
        uint32_t spare = grid->widths[widest] - NARROWEST;
        // One step: at most down to half, so that several wide columns share.
        uint32_t step = grid->widths[widest] / 8 + 1;
        if (step > over)
            step = (uint32_t)over;
        grid->widths[widest] -= step > spare ? spare : step;
    }
}

static void
put_prefix(Buffer *out, Str text, uint32_t width)
{
    uint32_t used = 0;
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        uint32_t step = codepoint_width(utf8_next(text, &at));
        if (used + step > width)
            break;
        buffer_put(out, text.ptr + start, at - start);
        used += step;
    }
}

// The last `width` columns of the text.
static Str
text_tail(Str text, uint32_t width)
{
    uint32_t total = text_display_width(text);
    size_t at = 0;
    while (at < text.len && total > width)
        total -= codepoint_width(utf8_next(text, &at));
    return str_slice(text, at, text.len);
}

void
tree_paint(const TreeText *tree, const char *code)
{
    if (tree->style->color)
        buffer_printf(tree->out, "\033[%sm", code);
}

void
tree_put(const TreeText *tree, Str text)
{
    buffer_str(tree->out, text_clean(tree->arena, text));
}

void
text_put_middle(Buffer *out, Str text, uint32_t width)
{
    if (text_display_width(text) <= width) {
        buffer_str(out, text);
        return;
    }
    uint32_t head = (width - 1) / 2;
    put_prefix(out, text, head);
    buffer_text(out, "\u2026");
    buffer_str(out, text_tail(text, width - 1 - head));
}

static void
put_cell(Buffer *out, Str text, uint32_t width, bool right, bool last)
{
    uint32_t used = text_display_width(text);
    for (uint32_t i = used; right && i < width; i++)
        buffer_char(out, ' ');
    text_put_middle(out, text, width);
    for (uint32_t i = used; !right && !last && i < width; i++)
        buffer_char(out, ' ');
}

static bool
is_right_aligned(Type type)
{
    return type_is_numeric(type) || type == TYPE_TIMESPAN;
}

static void
put_row_note(Buffer *out, const ResultTable *table, uint64_t shown)
{
    if (shown < table->row_count)
        buffer_printf(out, "(%llu of %llu rows shown)\n", (unsigned long long)shown,
                      (unsigned long long)table->row_count);
    else
        buffer_printf(out, "(%llu row%s)\n", (unsigned long long)table->row_count,
                      table->row_count == 1 ? "" : "s");
}

void
result_write_table(Buffer *out, const ResultTable *table, const ResultStyle *style)
{
    Arena arena = {0};
    TextGrid grid = grid_build(&arena, table, style->max_rows);
    grid_fit(&grid, style->width);
    if (style->color)
        buffer_text(out, "\033[1m");
    for (uint32_t c = 0; c < grid.columns; c++) {
        buffer_text(out, c ? "  " : "");
        put_cell(out, text_clean(&arena, table->schema.columns[c].name), grid.widths[c],
                 is_right_aligned(table->schema.columns[c].type), c + 1 == grid.columns);
    }
    buffer_text(out, style->color ? "\033[0m\n" : "\n");
    for (uint32_t c = 0; c < grid.columns; c++) {
        buffer_text(out, c ? "  " : "");
        for (uint32_t i = 0; i < grid.widths[c]; i++)
            buffer_text(out, "\u2500");
    }
    buffer_char(out, '\n');
    for (uint64_t r = 0; r < grid.rows; r++) {
        for (uint32_t c = 0; c < grid.columns; c++) {
            buffer_text(out, c ? "  " : "");
            put_cell(out, grid.cells[r * grid.columns + c], grid.widths[c],
                     is_right_aligned(table->schema.columns[c].type), c + 1 == grid.columns);
        }
        buffer_char(out, '\n');
    }
    put_row_note(out, table, grid.rows);
    arena_free(&arena);
}

// Escapes what Markdown would read as structure.
static void
put_markdown(Buffer *out, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("|\\`*_<>[]#&", text.ptr[i]) && text.ptr[i])
            buffer_char(out, '\\');
        buffer_char(out, text.ptr[i]);
    }
}

void
result_write_markdown(Buffer *out, const ResultTable *table, const ResultStyle *style)
{
    Arena arena = {0};
    TextGrid grid = grid_build(&arena, table, style->max_rows);
    for (uint32_t c = 0; c < grid.columns; c++) {
        buffer_text(out, c ? " " : "| ");
        put_markdown(out, text_clean(&arena, table->schema.columns[c].name));
        buffer_text(out, " |");
    }
    buffer_text(out, "\n|");
    for (uint32_t c = 0; c < grid.columns; c++)
        buffer_text(out, is_right_aligned(table->schema.columns[c].type) ? " ---: |" : " --- |");
    buffer_char(out, '\n');
    for (uint64_t r = 0; r < grid.rows; r++) {
        for (uint32_t c = 0; c < grid.columns; c++) {
            buffer_text(out, c ? " " : "| ");
            put_markdown(out, grid.cells[r * grid.columns + c]);
            buffer_text(out, " |");
        }
        buffer_char(out, '\n');
    }
    if (grid.rows < table->row_count) {
        buffer_char(out, '\n');
        put_row_note(out, table, grid.rows);
    }
    arena_free(&arena);
}
