#include "base/clock.h"

#include <time.h>

// Ticks from 0001-01-01 to 1970-01-01.
static const int64_t UNIX_EPOCH_TICKS = 621355968000000000;

uint64_t
clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t
clock_now_ticks(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return UNIX_EPOCH_TICKS + (int64_t)now.tv_sec * 10000000 + now.tv_nsec / 100;
}
