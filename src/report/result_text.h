// The two forms of a result that people read as text (result_text.c).
#pragma once

#include "report/result.h"

void result_write_table(Buffer *out, const ResultTable *table, const ResultStyle *style);
void result_write_markdown(Buffer *out, const ResultTable *table, const ResultStyle *style);

// Columns a terminal needs to show the text (East Asian wide characters count 2).
uint32_t text_display_width(Str text);

// Text without control and direction characters (shown as U+FFFD); line breaks and
// tabs become a blank. For everything from outside that goes to a terminal.
Str text_clean(Arena *arena, Str text);

// What is told as a tree for a terminal: attack paths, exposure.
typedef struct TreeStyle {
    bool color;
    uint32_t width; // of the terminal; 0 = unbounded
} TreeStyle;

typedef struct TreeText {
    Buffer *out;
    Arena *arena; // of cleaned texts
    const TreeStyle *style;
} TreeText;

void tree_paint(const TreeText *tree,
                const char *code);             // "1;31"; "0" ends it; nothing without color
void tree_put(const TreeText *tree, Str text); // text_clean

// `text` when it fits `width` (> 0) columns, else its beginning and end around an ellipsis,
// so that both ends of a resource id stay visible.
void text_put_middle(Buffer *out, Str text, uint32_t width);
