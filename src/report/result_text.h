// The two forms of a result that people read as text (result_text.c).
#pragma once

#include "report/result.h"

void result_write_table(Buffer *out, const ResultTable *table, const ResultStyle *style);
void result_write_markdown(Buffer *out, const ResultTable *table, const ResultStyle *style);

// Columns a terminal needs to show the text (East Asian wide characters count 2).
uint32_t text_display_width(Str text);
