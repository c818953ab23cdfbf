// Time for measuring and time of day.
#pragma once

#include <stdint.h>

// Monotonic nanoseconds, for durations.
uint64_t clock_monotonic_ns(void);
// CPU time of the calling thread.
uint64_t clock_thread_cpu_ns(void);
// CPU time of all threads of the process.
uint64_t clock_process_cpu_ns(void);

// Now as Kusto ticks: 100 ns since 0001-01-01T00:00:00Z.
int64_t clock_now_ticks(void);
