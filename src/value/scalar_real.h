// Shortest decimal digits of a double and back, over the C++ library's
// <charconv> (Ryu and fast_float), which is exact, fast and deaf to the locale.
// Internal to src/value.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { REAL_CHARS = 32 };

// Writes the shortest scientific form that reads back, such as "-1.25e+02", and
// returns its length. `r` must be finite.
size_t real_shortest(double r, char out[REAL_CHARS]);

// Reads digits [. digits] [e [sign] digits] with an optional minus; the whole
// text must be of that form. Magnitudes beyond a double give infinity or zero.
bool real_read(const char *text, size_t len, double *out);

#ifdef __cplusplus
}
#endif
