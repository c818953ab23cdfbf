#include "collect/pace.h"

#include "base/array.h"

#include <stdio.h>

enum { FIRST_WINDOW = 4, MOST_PAUSE = 300 }; // calls; seconds
static const double NS = 1e9;

void
pace_init(Pace *pace, Arena *arena, uint32_t most_in_flight)
{
    *pace = (Pace){.arena = arena, .most = most_in_flight};
    pace->window = most_in_flight < FIRST_WINDOW ? most_in_flight : FIRST_WINDOW;
}

Bucket *
pace_bucket(Pace *pace, const Quota *quota, Str scope)
{
    if (!quota->per_subscription)
        scope = STR("");
    for (size_t i = 0; i < pace->len; i++)
        if (pace->items[i]->quota == quota && str_equal_ci(pace->items[i]->scope, scope))
            return pace->items[i];
    Bucket *bucket = ARENA_NEW(pace->arena, Bucket);
    *bucket = (Bucket){.quota = quota,
                       .scope = str_lower(pace->arena, scope),
                       .tokens = quota->burst,
                       .rate = quota->rate,
                       .burst = quota->burst};
    ARRAY_PUSH(pace->arena, pace, bucket);
    return bucket;
}

static void
fill(Bucket *bucket, uint64_t now)
{
    if (bucket->filled && now > bucket->filled)
        bucket->tokens += (double)(now - bucket->filled) / NS * bucket->rate;
    if (bucket->tokens > bucket->burst)
        bucket->tokens = bucket->burst;
    bucket->filled = now;
}

bool
pace_take(Pace *pace, Bucket *bucket, double cost, uint64_t now, uint64_t *wait_ns)
{
    *wait_ns = 0;
    if ((double)pace->in_flight + 1 > pace->window)
        return false; // until another call ends
    if (now < bucket->closed_until) {
        *wait_ns = bucket->closed_until - now;
        return false;
    }
    fill(bucket, now);
    // A batch may cost more than a small bucket holds: then it waits for a full one.
    double needed = cost < bucket->burst ? cost : bucket->burst;
    if (bucket->tokens < needed) {
        *wait_ns = (uint64_t)((needed - bucket->tokens) / bucket->rate * NS) + 1;
        return false;
    }
    bucket->tokens -= cost;
    pace->in_flight++;
    pace->calls++;
    return true;
}

static bool
header_number(const HttpAnswer *answer, Str name, double *out)
{
    char text[128], *end;
    snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
    Str value = http_header(answer, text);
    snprintf(text, sizeof(text), "%.*s", STR_ARG(value));
    *out = strtod(text, &end);
    return value.len && end != text && *out >= 0;
}

// "00:00:05"
static double
header_time(const HttpAnswer *answer, Str name)
{
    char text[128];
    unsigned hours, minutes, seconds;
    snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
    Str value = http_header(answer, text);
    snprintf(text, sizeof(text), "%.*s", STR_ARG(value));
    if (sscanf(text, "%4u:%2u:%2u", &hours, &minutes, &seconds) != 3)
        return 0;
    double all = hours * 3600.0 + minutes * 60.0 + seconds;
    return all > MOST_PAUSE ? MOST_PAUSE : all;
}

static void
close_for(Bucket *bucket, double seconds, uint64_t now)
{
    uint64_t until = now + (uint64_t)(seconds * NS);
    if (until > bucket->closed_until)
        bucket->closed_until = until;
}

void
pace_answered(Pace *pace, Bucket *bucket, const HttpAnswer *answer, uint64_t now)
{
    double left;
    pace->in_flight--;
    if (answer->outcome != HTTP_ANSWERED || answer->status == 429 || answer->status >= 500)
        return;
    bucket->in_a_row = 0;
    if (pace->window < pace->most)
        pace->window += 1 / pace->window; // one more for each round that went well
    if (!bucket->quota->remaining.len || !header_number(answer, bucket->quota->remaining, &left))
        return;
    fill(bucket, now);
    if (left < bucket->tokens)
        bucket->tokens = left;
    if (left < 1 && bucket->quota->resets.len)
        close_for(bucket, header_time(answer, bucket->quota->resets), now);
}

void
pace_trouble(Pace *pace, uint64_t now)
{
    // What was in flight together fails together: that is one trouble.
    if (pace->halved && now - pace->halved < (uint64_t)NS)
        return;
    pace->halved = now;
    pace->window = pace->window / 2 < 1 ? 1 : pace->window / 2;
}

uint64_t
pace_refused(Pace *pace, Bucket *bucket, double retry_after, uint64_t now)
{
    pace->refusals++;
    bucket->refusals++;
    // Others that were on their way when the first was refused say nothing new.
    bool known = now < bucket->closed_until;
    if (!known) {
        bucket->in_a_row++;
        bucket->rate *= bucket->in_a_row > 1 ? 0.5 : 0.8;
        bucket->burst = bucket->burst > 4 ? bucket->burst / 4 : 1;
        pace_trouble(pace, now);
    }
    uint32_t turns = bucket->in_a_row < 6 ? bucket->in_a_row : 6;
    // Without a time: 2, 4, 8 ... 60 seconds, spread, so that many callers do not come
    // back together.
    double backoff = (double)(1u << turns);
    double spread = 0.75 + (double)(now / 1000 % 500) / 1000;
    double pause = retry_after >= 0 ? retry_after : (backoff > 60 ? 60 : backoff) * spread;
    if (pause > MOST_PAUSE)
        pause = MOST_PAUSE;
    bucket->tokens = 0;
    bucket->filled = now + (uint64_t)(pause * NS);
    close_for(bucket, pause, now);
    return bucket->closed_until - now;
}
