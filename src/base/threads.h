// Threads: a fixed pool that runs one job on several workers and waits.
#pragma once

#include <stddef.h>

typedef struct ThreadPool ThreadPool;

// Called once on each worker, with worker numbers 0 .. count-1; worker 0 is the
// calling thread.
typedef void (*ThreadJob)(void *context, size_t worker);

// A pool of `count` workers (>= 1); threads start at the first job that needs
// them, so that a small query costs none. Owned by the caller.
ThreadPool *thread_pool_new(size_t count);
void thread_pool_free(ThreadPool *pool);
size_t thread_pool_size(const ThreadPool *pool);

// Runs `job` on all workers (on `workers` of them when fewer) and returns when
// the last has ended. One job at a time; a job must not start another one.
void thread_pool_run(ThreadPool *pool, size_t workers, ThreadJob job, void *context);

// Cores this process may use, or AZIMUTH_THREADS when that is set (1 to 1024).
size_t threads_default(void);
