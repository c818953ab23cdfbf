// Reals of few decimals as whole numbers. Durations, costs and rates in logs are written with one
// to three decimals; as doubles they are eight bytes that hardly compress, as whole numbers they
// take the bits they need.

#include "store/block_forms.h"

#include <math.h>

const double SCALED_POWERS[SCALED_POWER_MAX + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

// The whole number by which the real comes back bit by bit.
static inline bool
scale(double real, uint32_t power, int64_t *whole)
{
    static const double limit = 2251799813685248.0; // 2^51: whole numbers and halves are exact
    double scaled = real * SCALED_POWERS[power];
    if (!(fabs(scaled) < limit))
        return false;
    *whole = llrint(scaled);
    double back = scaled_real(*whole, power);
    return memcmp(&back, &real, sizeof(real)) == 0;
}

static inline bool
is_valid(const Vector *v, uint32_t i)
{
    return !v->valid || bit_get(v->valid, i);
}

bool
scaled_reals_fit(const Vector *reals, Arena *arena, uint32_t *power, int64_t **whole)
{
    const double *values = reals->data;
    int64_t *numbers = NULL, number, min = INT64_MAX, max = INT64_MIN;
    *power = 0;
    // A larger power takes what a smaller one does, so it only grows.
    for (uint32_t i = 0; i < reals->count; i++) {
        if (!is_valid(reals, i))
            continue;
        while (!scale(values[i], *power, &number))
            if (++*power > SCALED_POWER_MAX)
                return false;
    }
    numbers = arena_zalloc_array(arena, reals->count, sizeof(*numbers));
    for (uint32_t i = 0; i < reals->count; i++) {
        if (!is_valid(reals, i)) {
            numbers[i] = i ? numbers[i - 1] : 0;
            continue;
        }
        if (!scale(values[i], *power, &numbers[i]))
            return false;
        min = numbers[i] < min ? numbers[i] : min;
        max = numbers[i] > max ? numbers[i] : max;
    }
    *whole = numbers;
    return min <= max && (uint64_t)max - (uint64_t)min <= UINT32_MAX;
}
