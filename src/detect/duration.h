// Lengths of time as analytics rules write them: "5m", "1h", "14d" in Sentinel's YAML,
// "PT5M", "P1DT2H" in ARM templates, "1.00:00:00" as Kusto prints a timespan.
#pragma once

#include "base/slice.h"

// Ticks of 100 ns. False when `text` is none of these forms, negative, or longer than a
// thousand years.
bool duration_parse(Str text, int64_t *ticks);

// In ISO 8601, as alerts and templates say it: "PT5M", "P14D", "P1DT2H".
Str duration_iso(Arena *arena, int64_t ticks);
