// Diagnostics: all that is wrong with a text, for those who want more than the first error.
//
// A reader that can go on behind a mistake notes it here and goes on; whoever only wants
// to know whether the text is right looks at the first. Warnings do not stop anything.
#pragma once

#include "base/error.h"

enum { DIAGNOSTICS_MAX = 10 };

typedef struct Diagnostics {
    AzError errors[DIAGNOSTICS_MAX], warnings[DIAGNOSTICS_MAX];
    uint32_t error_count, warning_count;
} Diagnostics;

// Notes an error; the same message at the same place is noted once. False when the list
// is full: it is time to stop.
bool diagnostics_error(Diagnostics *diagnostics, const AzError *error);
void diagnostics_warn(Diagnostics *diagnostics, Span span, const char *message);
