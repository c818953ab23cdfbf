// Pace: how fast we may ask, so that the services never have to say it twice.
//
// Each class of calls (a quota of sources.yaml, and a subscription where it counts by
// subscription) has a bucket of tokens that fills at the documented rate. Answers correct
// it: what a header says is left is the most a bucket holds; when a call is refused for its
// pace, the bucket is closed for the time the answer names and fills more slowly from then
// on. How many calls are in flight at once grows while all goes well and halves on trouble.
#pragma once

#include "collect/http.h"
#include "collect/source.h"

typedef struct Bucket {
    const Quota *quota;
    Str scope;                     // subscription id, lower case; empty
    double tokens, rate, burst;    // the quota's, less after refusals
    uint64_t filled, closed_until; // monotonic nanoseconds
    uint32_t refusals, in_a_row;
} Bucket;

typedef struct Pace {
    Arena *arena;
    Bucket **items;
    size_t len, cap;
    double window; // calls that may be in flight
    uint32_t most, in_flight;
    uint64_t calls, refusals;
    uint64_t halved; // when the window was last halved
} Pace;

void pace_init(Pace *pace, Arena *arena, uint32_t most_in_flight);
Bucket *pace_bucket(Pace *pace, const Quota *quota, Str scope);

// Takes `cost` tokens for one call. False with the time to wait in *wait_ns.
bool pace_take(Pace *pace, Bucket *bucket, double cost, uint64_t now, uint64_t *wait_ns);
// The call has ended; corrects the bucket by what the answer says.
void pace_answered(Pace *pace, Bucket *bucket, const HttpAnswer *answer, uint64_t now);
// The call, or one in a batch, was refused for its pace. `retry_after` in seconds, below 0
// when it did not say. Returns the nanoseconds to wait.
uint64_t pace_refused(Pace *pace, Bucket *bucket, double retry_after, uint64_t now);
// A connection failed or a server was in trouble: fewer at once.
void pace_trouble(Pace *pace, uint64_t now);
