#include "collect/pace.h"

#include "base/array.h"

#include <stdio.h>

enum { FIRST_WINDOW = 4, MOST_PAUSE = 300 }; // calls; seconds
static const double NS = 1e9;
static const double COME_BACK = 0.002; // of rate and burst, each second after a refusal
static const double NEARLY_USED = 0.9; // of a quota: only what is filled is spent

void
pace_init(Pace *pace, Arena *arena, uint32_t most_in_flight)
{
    *pace = (Pace){.arena = arena, .most = most_in_flight, .steep = true};
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
    *bucket = (Bucket){
        .quota = quota, .scope = str_lower(pace->arena, scope), .rate_part = 1, .burst_part = 1};
    bucket->units = pace_burst(pace, bucket);
    ARRAY_PUSH(pace->arena, pace, bucket);
    return bucket;
}

double
pace_size(const Quota *quota, uint64_t users)
{
    double size = 1;
    for (size_t i = 0; i < quota->size_count; i++)
        if (users > quota->sizes[i].users)
            size = quota->sizes[i].times;
    return size;
}

double
pace_rate(const Pace *pace, const Bucket *bucket)
{
    return bucket->quota->rate * bucket->rate_part * pace_size(bucket->quota, pace->users);
}

double
pace_burst(const Pace *pace, const Bucket *bucket)
{
    double burst =
        bucket->quota->burst * bucket->burst_part * pace_size(bucket->quota, pace->users);
    return burst < 1 ? 1 : burst;
}

static void
come_back(double *part, double seconds)
{
    *part += seconds * COME_BACK;
    if (*part > 1)
        *part = 1;
}

static void
fill(const Pace *pace, Bucket *bucket, uint64_t now)
{
    if (bucket->filled && now > bucket->filled) {
        double seconds = (double)(now - bucket->filled) / NS;
        bucket->units += seconds * pace_rate(pace, bucket);
        come_back(&bucket->rate_part, seconds);
        come_back(&bucket->burst_part, seconds);
    }
    if (bucket->units > pace_burst(pace, bucket))
        bucket->units = pace_burst(pace, bucket);
    if (!bucket->filled || now > bucket->filled)
        bucket->filled = now;
}

bool
pace_take(Pace *pace, Bucket *bucket, double cost, uint64_t now, uint64_t *wait_ns)
{
    *wait_ns = 0;
    // A quota of the whole tenant always has one call on its way: the slowest of them decides how
    // long a run takes, and must not wait for its turn among the calls of many subscriptions.
    bool is_one = !bucket->quota->per_subscription && bucket->in_flight <= 0;
    if ((double)pace->in_flight + 1 > pace->window && !is_one)
        return false; // until another call ends
    if (now < bucket->closed_until) {
        *wait_ns = bucket->closed_until - now;
        return false;
    }
    fill(pace, bucket, now);
    // A batch may cost more than a small bucket holds: then it waits for a full one.
    double burst = pace_burst(pace, bucket), needed = cost < burst ? cost : burst;
    if (bucket->units < needed) {
        *wait_ns = (uint64_t)((needed - bucket->units) / pace_rate(pace, bucket) * NS) + 1;
        return false;
    }
    bucket->units -= cost;
    bucket->in_flight += cost;
    pace->in_flight++;
    pace->calls++;
    return true;
}

void
pace_unsent(Pace *pace, Bucket *bucket, double cost)
{
    pace->in_flight--;
    pace->calls--;
    bucket->in_flight -= cost;
    bucket->units += cost;
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
pace_answered(Pace *pace, Bucket *bucket, double cost, const HttpAnswer *answer, uint64_t now)
{
    const Quota *quota = bucket->quota;
    double number;
    pace->in_flight--;
    bucket->in_flight -= cost;
    if (answer->outcome != HTTP_ANSWERED || answer->status == 429 || answer->status >= 500)
        return;
    if (pace->window < pace->most)
        pace->window += pace->steep ? 1 : 1 / pace->window; // else one more each round
    if (quota->used.len && header_number(answer, quota->used, &number))
        pace_used(pace, bucket, number, now);
    if (!quota->remaining.len || !header_number(answer, quota->remaining, &number))
        return;
    fill(pace, bucket, now);
    if (number < 1 && quota->resets.len)
        close_for(bucket, header_time(answer, quota->resets), now);
    // Calls on their way may not be counted in what is left.
    number = number > bucket->in_flight ? number - bucket->in_flight : 0;
    if (number < bucket->units)
        bucket->units = number;
}

void
pace_used(Pace *pace, Bucket *bucket, double part, uint64_t now)
{
    if (part < NEARLY_USED)
        return;
    fill(pace, bucket, now);
    if (bucket->units > 0)
        bucket->units = 0;
}

void
pace_accepted(Bucket *bucket, uint64_t sent)
{
    if (sent >= bucket->refused_at)
        bucket->in_a_row = 0;
}

void
pace_trouble(Pace *pace, uint64_t now)
{
    pace->steep = false;
    // What was in flight together fails together: that is one trouble.
    if (pace->halved && now - pace->halved < (uint64_t)NS)
        return;
    pace->halved = now;
    pace->window = pace->window / 2 < 1 ? 1 : pace->window / 2;
}

uint64_t
pace_refused(Pace *pace, Bucket *bucket, uint64_t sent, double retry_after, uint64_t now)
{
    pace->refusals++;
    pace->steep = false;
    bucket->refusals++;
    // Others that were on their way when the first was refused say nothing new.
    bool known = bucket->refused_at && sent < bucket->refused_at;
    if (!known) {
        bucket->refused_at = now;
        bucket->in_a_row++;
        bucket->rate_part *= bucket->in_a_row > 1 ? 0.5 : 0.8;
        bucket->burst_part /= 4;
    }
    uint32_t turns = bucket->in_a_row < 6 ? bucket->in_a_row : 6;
    // Without a time: 2, 4, 8 ... 60 seconds, spread, so that many callers do not come
    // back together.
    double backoff = (double)(1u << turns);
    double spread = 0.75 + (double)(now / 1000 % 500) / 1000;
    double pause = retry_after >= 0 ? retry_after : (backoff > 60 ? 60 : backoff) * spread;
    if (pause > MOST_PAUSE)
        pause = MOST_PAUSE;
    close_for(bucket, pause, now);
    bucket->units = 0;
    bucket->filled = bucket->closed_until;
    return bucket->closed_until - now;
}
