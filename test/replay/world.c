#include "replay/world_parts.h"

#include "base/array.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double NS = 1e9;

// ---- quotas ----

static WorldBucket *
find_bucket(World *world, Str name)
{
    WorldBucket *bucket = map_get(&world->by_name, name);
    if (bucket)
        return bucket;
    bucket = ARENA_NEW(&world->arena, WorldBucket);
    bucket->name = str_copy(&world->arena, name);
    map_put(&world->by_name, bucket->name, bucket);
    return bucket;
}

static WorldBucket *
filling(World *world, Str name, double burst, double rate)
{
    WorldBucket *bucket = find_bucket(world, name);
    if (!bucket->rate) {
        bucket->burst = bucket->units = burst;
        bucket->rate = rate * (1 - world->options.others);
    }
    return bucket;
}

static WorldBucket *
stretch(World *world, Str name, double most, double seconds, bool sliding)
{
    WorldBucket *bucket = find_bucket(world, name);
    double left = floor(most * (1 - world->options.others));
    bucket->most = left < 1 ? 1 : left;
    bucket->stretch = seconds;
    bucket->sliding = sliding;
    return bucket;
}

// Seconds until the call may come; 0: it is taken.
static double
take(WorldBucket *bucket, double cost, uint64_t now)
{
    if (bucket->rate > 0) {
        bucket->units += (double)(now - bucket->filled) / NS * bucket->rate;
        bucket->units = bucket->units > bucket->burst ? bucket->burst : bucket->units;
        bucket->filled = now;
        if (bucket->units < cost)
            return (cost - bucket->units) / bucket->rate;
        bucket->units -= cost;
        return 0;
    }
    if (bucket->sliding) {
        size_t most = (size_t)bucket->most;
        uint64_t oldest = bucket->last[most - 1], until = oldest + (uint64_t)(bucket->stretch * NS);
        if (oldest && now < until)
            return (double)(until - now) / NS;
        memmove(bucket->last + 1, bucket->last, (most - 1) * sizeof(bucket->last[0]));
        bucket->last[0] = now;
        return 0;
    }
    if (now >= bucket->ends) {
        bucket->units = bucket->most;
        bucket->ends = now + (uint64_t)(bucket->stretch * NS);
    }
    if (bucket->units < 1)
        return (double)(bucket->ends - now) / NS;
    bucket->units--;
    return 0;
}

double
world_charge(WorldBucket *bucket, double cost, const WorldCall *call)
{
    double wait = take(bucket, cost, call->now);
    if (wait <= 0) {
        bucket->calls++;
        bucket->spent += cost;
        bucket->in_a_row = 0;
        return 0;
    }
    if (bucket->in_a_row && call->sent >= bucket->learnt)
        bucket->not_heard++;
    // Until the caller knows of it, its other calls are on their way.
    if (!bucket->in_a_row || call->sent >= bucket->learnt)
        bucket->learnt = call->now + call->way_ns;
    bucket->refused++;
    bucket->in_a_row++;
    if (bucket->in_a_row > bucket->most_so)
        bucket->most_so = bucket->in_a_row;
    return ceil(wait);
}

double
world_ideal(const WorldBucket *bucket)
{
    if (bucket->rate > 0)
        return bucket->spent > bucket->burst ? (bucket->spent - bucket->burst) / bucket->rate : 0;
    return bucket->calls ? (ceil((double)bucket->calls / bucket->most) - 1) * bucket->stretch : 0;
}

// The bucket of a call of Microsoft Graph, and what it costs there.
WorldBucket *
world_graph_bucket(World *world, Str path, double *cost)
{
    *cost = 1;
    if (str_starts(path, STR("/reports/")))
        return stretch(world, STR("graph reports"), 5, 10, true);
    if (str_starts(path, STR("/identity/conditionalAccess/")) ||
        str_starts(path, STR("/identityProtection/")))
        return stretch(world, STR("graph policies"), 1, 1, true);
    uint32_t users = world->options.users;
    double units = users < 50 ? 3500 : users <= 500 ? 5000 : 8000;
    ptrdiff_t end = str_find(path, STR("?"));
    Str plain = str_slice(path, 0, end < 0 ? path.len : (size_t)end);
    static const struct {
        const char *whole, *begins, *ends;
        double cost;
    } COSTS[] = {
        {"/users", NULL, NULL, 2},
        {"/applications", NULL, NULL, 2},
        {"/oauth2PermissionGrants", NULL, NULL, 2},
        {NULL, "/groups/", "/members", 3},
        {NULL, "/servicePrincipals/", "/appRoleAssignments", 2},
    };
    for (size_t i = 0; i < COUNT_OF(COSTS); i++)
        if (COSTS[i].whole ? str_equal(plain, str_from(COSTS[i].whole))
                           : str_starts(plain, str_from(COSTS[i].begins)) &&
                                 str_ends(plain, str_from(COSTS[i].ends)))
            *cost = COSTS[i].cost;
    *cost += (str_find(path, STR("$expand=")) >= 0) - (str_find(path, STR("$select=")) >= 0);
    *cost = *cost < 1 ? 1 : *cost;
    return filling(world, STR("graph"), units, units / 10);
}

WorldBucket *
world_arm_bucket(World *world, Str path)
{
    Str prefix = STR("/subscriptions/");
    if (!str_starts(path, prefix))
        return filling(world, STR("arm tenant"), 250, 25);
    char name[64];
    snprintf(name, sizeof(name), "arm %.36s", path.ptr + prefix.len);
    return filling(world, str_from(name), 250, 25);
}

WorldBucket *
world_query_bucket(World *world)
{
    return stretch(world, STR("resource graph"), 15, 5, false);
}

// ---- the world ----

World *
world_new(const WorldOptions *options)
{
    World *world = calloc(1, sizeof(*world));
    if (!world)
        abort();
    world->options = *options;
    world->random = 88172645463325252u;
    world->parser = json_parser_new();
    world->builder = dyn_builder_new();
    map_init(&world->by_name, &world->arena, false);
    return world;
}

void
world_free(World *world)
{
    json_parser_free(world->parser);
    dyn_builder_free(world->builder);
    arena_free(&world->arena);
    free(world);
}

size_t
world_bucket_count(const World *world)
{
    return world->by_name.len;
}

const WorldBucket *
world_bucket(const World *world, size_t index)
{
    return world->by_name.entries[index].pointer;
}

uint64_t
world_rows(const World *world)
{
    return world->rows;
}

// Nanoseconds between two numbers of milliseconds.
static uint64_t
between(World *world, uint64_t least_ms, uint64_t most_ms)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (least_ms * 1000 + world->random % ((most_ms - least_ms) * 1000)) * 1000;
}

static uint64_t
way(void *context)
{
    return between(context, 5, 60);
}

static void
add_header(WireAnswer *out, const char *name, Str value)
{
    out->headers[out->header_count++] = (HttpHeader){str_from(name), value};
}

static void
refuse(double wait, WireAnswer *out)
{
    out->status = 429;
    buffer_text(&out->body, "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}");
    add_header(out, "Retry-After", str_format(&out->arena, "%.0f", wait));
}

static void
answer_query(World *world, const HttpRequest *request, const WorldCall *call, WireAnswer *out)
{
    WorldBucket *bucket = world_query_bucket(world);
    double wait = world_charge(bucket, 1, call);
    double ends = call->now < bucket->ends ? (double)(bucket->ends - call->now) / NS : 0;
    if (wait > 0)
        refuse(wait, out);
    else
        world_query_rows(world, request->body, &out->body);
    add_header(out, "x-ms-user-quota-remaining", str_format(&out->arena, "%.0f", bucket->units));
    add_header(out, "x-ms-user-quota-resets-after",
               str_format(&out->arena, "00:00:%02.0f", ceil(ends)));
}

static void
answer_batch(World *world, const HttpRequest *request, const WorldCall *call, WireAnswer *out)
{
    const char *why;
    size_t offset;
    Dyn root;
    dyn_builder_reset(world->builder);
    if (!json_to_dynamic(world->parser, request->body, world->builder, &why, &offset) ||
        !dyn_finish(world->builder, &root, &why)) {
        out->status = 400;
        return;
    }
    Dyn requests = dyn_get(root, STR("requests"));
    buffer_text(&out->body, "{\"responses\":[");
    for (uint32_t i = dyn_count(requests); i-- > 0;) { // in any order
        Dyn part = dyn_at(requests, i);
        double cost;
        Str url = dyn_string(dyn_get(part, STR("url")));
        WorldBucket *bucket = world_graph_bucket(world, url, &cost);
        double wait = world_charge(bucket, cost, call);
        Str id = dyn_string(dyn_get(part, STR("id")));
        buffer_printf(&out->body, "{\"id\":\"%.*s\",\"status\":%d,", STR_ARG(id), wait ? 429 : 200);
        if (wait > 0)
            buffer_printf(&out->body,
                          "\"headers\":{\"Retry-After\":\"%.0f\"},\"body\":{\"error\":"
                          "{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}}",
                          wait);
        else {
            buffer_text(&out->body, "\"headers\":{},\"body\":");
            world_graph_rows(world, url, &out->body);
            buffer_char(&out->body, '}');
        }
        buffer_text(&out->body, i ? "," : "");
    }
    buffer_text(&out->body, "]}");
}

static void
answer_graph(World *world, Str path, const WorldCall *call, WireAnswer *out)
{
    double cost;
    WorldBucket *bucket = world_graph_bucket(world, path, &cost);
    double wait = world_charge(bucket, cost, call);
    if (wait > 0) {
        refuse(wait, out);
        return;
    }
    world_graph_rows(world, path, &out->body);
    double used = bucket->rate > 0 ? 1 - bucket->units / bucket->burst : 0;
    if (used > 0.8)
        add_header(out, "x-ms-throttle-limit-percentage", str_format(&out->arena, "%.2f", used));
}

static void
answer_arm(World *world, Str path, const WorldCall *call, WireAnswer *out)
{
    WorldBucket *bucket = world_arm_bucket(world, path);
    double wait = world_charge(bucket, 1, call);
    if (wait > 0)
        refuse(wait, out);
    else
        world_arm_rows(world, path, &out->body);
    add_header(out, "x-ms-ratelimit-remaining-subscription-reads",
               str_format(&out->arena, "%.0f", floor(bucket->units)));
}

static void
answer(void *context, const HttpRequest *request, uint64_t sent, uint64_t now, WireAnswer *out)
{
    World *world = context;
    // https://host/path
    ptrdiff_t host = str_find(request->url, STR("://"));
    Str rest = str_slice(request->url, (size_t)host + 3, request->url.len);
    ptrdiff_t slash = str_find(rest, STR("/"));
    Str path = str_slice(rest, (size_t)slash, rest.len);
    bool is_query = str_find(path, STR("Microsoft.ResourceGraph/resources")) >= 0;
    *out = (WireAnswer){.outcome = HTTP_ANSWERED, .status = 200};
    out->way_ns = is_query ? between(world, 250, 900) : between(world, 120, 480);
    WorldCall call = {.sent = sent, .now = now, .way_ns = out->way_ns};
    if (str_find(path, STR("/oauth2/v2.0/token")) >= 0)
        buffer_text(&out->body, "{\"token_type\":\"Bearer\",\"expires_in\":86399,"
                                "\"access_token\":\"a-token-of-this-world\"}");
    else if (is_query)
        answer_query(world, request, &call, out);
    else if (str_ends(path, STR("/$batch")))
        answer_batch(world, request, &call, out);
    else if (str_starts(path, STR("/v1.0/")))
        answer_graph(world, str_slice(path, 5, path.len), &call, out);
    else
        answer_arm(world, path, &call, out);
}

void
world_service(World *world, WireService *out)
{
    *out = (WireService){.answer = answer, .context = world, .way = way};
}
