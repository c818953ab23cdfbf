// A pool of workers that sleep on a condition variable between jobs.
//
// Each job has a generation number; a worker runs a generation once when its
// number is below the job's worker count, and the last one out wakes the caller.

#include "base/threads.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Worker {
    ThreadPool *pool;
    size_t number;
    pthread_t thread;
} Worker;

struct ThreadPool {
    size_t count;
    size_t started; // threads running; worker 0 has none
    Worker *workers;
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
    size_t generation;
    size_t job_workers, busy;
    ThreadJob job;
    void *context;
    bool stop;
};

static void *
worker_main(void *argument)
{
    Worker *worker = argument;
    ThreadPool *pool = worker->pool;
    size_t seen = 0;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (!pool->stop && (pool->generation == seen || worker->number >= pool->job_workers)) {
            seen = pool->generation;
            pthread_cond_wait(&pool->wake, &pool->mutex);
        }
        if (pool->stop)
            break;
        seen = pool->generation;
        ThreadJob job = pool->job;
        void *context = pool->context;
        pthread_mutex_unlock(&pool->mutex);
        job(context, worker->number);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

ThreadPool *
thread_pool_new(size_t count)
{
    ThreadPool *pool = calloc(1, sizeof(*pool));
    Worker *workers = calloc(count ? count : 1, sizeof(*workers));
    if (!pool || !workers) {
        fprintf(stderr, "azimuth: out of memory (thread pool)\n");
        abort();
    }
    pool->count = count ? count : 1;
    pool->workers = workers;
    pool->started = 1;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    return pool;
}

void
thread_pool_free(ThreadPool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 1; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->done);
    free(pool->workers);
    free(pool);
}

size_t
thread_pool_size(const ThreadPool *pool)
{
    return pool->count;
}

// Starts threads up to `wanted`; when the system gives fewer, the job runs on
// those there are.
static size_t
start_workers(ThreadPool *pool, size_t wanted)
{
    while (pool->started < wanted) {
        Worker *worker = &pool->workers[pool->started];
        *worker = (Worker){.pool = pool, .number = pool->started};
        if (pthread_create(&worker->thread, NULL, worker_main, worker))
            return pool->started;
        pool->started++;
    }
    return wanted;
}

void
thread_pool_run(ThreadPool *pool, size_t workers, ThreadJob job, void *context)
{
    if (workers > pool->count)
        workers = pool->count;
    if (workers > 1)
        workers = start_workers(pool, workers);
    if (workers <= 1) {
        job(context, 0);
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    assert(pool->busy == 0);
    pool->job = job;
    pool->context = context;
    pool->job_workers = workers;
    pool->busy = workers - 1;
    pool->generation++;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    job(context, 0);
    pthread_mutex_lock(&pool->mutex);
    while (pool->busy)
        pthread_cond_wait(&pool->done, &pool->mutex);
    pool->job_workers = 0;
    pthread_mutex_unlock(&pool->mutex);
}

size_t
threads_default(void)
{
    const char *wanted = getenv("AZIMUTH_THREADS");
    if (wanted && *wanted) {
        char *end;
        unsigned long count = strtoul(wanted, &end, 10);
        if (!*end && count >= 1 && count <= 1024)
            return count;
    }
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
        return (size_t)CPU_COUNT(&cores);
    return 1;
}
