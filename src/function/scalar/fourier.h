// The discrete Fourier transform, in place, of any length.
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Complex {
    double re, im;
} Complex;

// n log n for every length; the inverse divides by the length. Room comes from the arena.
void fourier_transform(Arena *arena, Complex *x, size_t len, bool inverse);
