// Pace: how fast we may ask, so that the services never have to say it twice.
//
// Each class of calls (a quota of sources.yaml, and a subscription where it counts by
// subscription) has a bucket of units that fills at the documented rate; a call costs what its
// source says. Answers correct it: what a header says is left is the most a bucket holds; when
// a call is refused for its pace, the bucket is closed for the time the answer names and fills
// more slowly from then on, coming back to its rate by and by. How many calls are in flight at
// once grows while all goes well and halves on trouble.
//
// All times are nanoseconds of http_now().
#pragma once

#include "collect/http.h"
#include "collect/source.h"

typedef struct Bucket {
    const Quota *quota;
    Str scope;                     // subscription id, lower case; empty
    double units;                  // left; below 0 after a batch that cost more than a burst
    double rate_part, burst_part;  // of the quota's rate and burst: 1, less after refusals
    double in_flight;              // units of the calls whose answers are not here
    uint64_t filled, closed_until; //
    uint64_t refused_at;           // when the last refusal was learnt; 0: never
    uint32_t refusals, in_a_row;   // in_a_row: of calls sent after the last refusal was known
} Bucket;

typedef struct Pace {
    Arena *arena;
    Bucket **items;
    size_t len, cap;
    double window; // calls that may be in flight
    bool steep;    // the window doubles each round: no trouble yet
    uint32_t most, in_flight;
    uint64_t users; // of the directory, as far as they are known: some quotas grow with them
    uint64_t calls, refusals;
    uint64_t halved; // when the window was last halved
} Pace;

void pace_init(Pace *pace, Arena *arena, uint32_t most_in_flight);
Bucket *pace_bucket(Pace *pace, const Quota *quota, Str scope);
// How much larger the quota is in a directory of that many users.
double pace_size(const Quota *quota, uint64_t users);
// Units that the bucket fills by each second, and that it holds at most.
double pace_rate(const Pace *pace, const Bucket *bucket);
double pace_burst(const Pace *pace, const Bucket *bucket);

// Takes `cost` units for one call. False with the time to wait in *wait_ns; 0: until another
// call ends.
bool pace_take(Pace *pace, Bucket *bucket, double cost, uint64_t now, uint64_t *wait_ns);
// The call was not made after all.
void pace_unsent(Pace *pace, Bucket *bucket, double cost);
// The call has ended; corrects the bucket by what the answer's headers say.
void pace_answered(Pace *pace, Bucket *bucket, double cost, const HttpAnswer *answer, uint64_t now);
// A call that was sent at `sent`, or one in a batch, was not refused for its pace.
void pace_accepted(Bucket *bucket, uint64_t sent);
// It was refused. `retry_after` in seconds, below 0 when it did not say. Returns the
// nanoseconds to wait.
uint64_t pace_refused(Pace *pace, Bucket *bucket, uint64_t sent, double retry_after, uint64_t now);
// The service says which part of the quota is used (1: all of it).
void pace_used(Pace *pace, Bucket *bucket, double part, uint64_t now);
// A connection failed or a server was in trouble: fewer at once.
void pace_trouble(Pace *pace, uint64_t now);
