// A query's plan as text and as JSON.
#pragma once

#include "db/db.h"
#include "report/result.h"

// As a tree for a terminal, cut to style->width columns (0 = whole); of a query that ran
// with a table of what each operator did.
void explain_write_text(Buffer *out, const Explain *explain, const ResultStyle *style);
// {"plans":[{"operator","details",...,"inputs":[...]}], ...} on one line.
void explain_write_json(Buffer *out, const Explain *explain);
