// Numbers at random, the same in every run.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Dice {
    uint64_t state;
} Dice;

// 0 .. sides - 1.
static inline uint32_t
roll(Dice *dice, uint32_t sides)
{
    dice->state = dice->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice->state >> 33) % sides;
}

static inline bool
one_in(Dice *dice, uint32_t sides)
{
    return roll(dice, sides) == 0;
}
