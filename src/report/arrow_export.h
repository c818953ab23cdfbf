// Result tables as streams of Arrow arrays; the types are told in include/azimuth_arrow.h.
#pragma once

#include "azimuth_arrow.h"
#include "exec/exec.h"

// Makes *out a stream over `table`, which lives in `owned`: the stream takes the arena over
// (it is empty afterwards) and keeps it until stream, schemas and arrays are all released.
void arrow_export(Arena *owned, const ResultTable *table, struct ArrowArrayStream *out);

// Bytes of texts a column of one array may have (its offsets are 32 bits); a batch with more
// is handed over in parts. Tests lower it.
extern size_t arrow_text_bytes_max;
