// How long the collection of a very large tenant takes beside what the quotas allow.
//
//   collect_pace CONTENT_DIR [SUBSCRIPTIONS RESOURCES USERS] [--others PART]
//
// The tenant and its quotas are test/replay/world.h, on a clock that jumps: minutes of waiting
// take none. The ideal is the time in which the slowest bucket could have given what was taken
// of it. Prints one line of Markdown a bucket, and one of all; the exit status is 1 when a bar is missed
// (1.2 times the ideal, no second refusal, 1 GiB).

#include "base/clock.h"
#include "collect/collect.h"
#include "replay/world.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { IN_FLIGHT = 384, MOST_PAGES = 20000 };

typedef struct Sum {
    Str name;
    uint64_t calls, refused, not_heard;
    double spent, ideal;
    uint32_t most_so, buckets;
} Sum;

// Buckets of subscriptions together; their ideal is that of the slowest.
static size_t
sum_up(const World *world, Sum *sums)
{
    size_t count = 0;
    for (size_t i = 0; i < world_bucket_count(world); i++) {
        const WorldBucket *bucket = world_bucket(world, i);
        Str name = bucket->name;
        if (str_starts(name, STR("arm ")) && !str_equal(name, STR("arm tenant")))
            name = STR("arm, by subscription");
        size_t at = 0;
        while (at < count && !str_equal(sums[at].name, name))
            at++;
        count += at == count;
        sums[at].name = name;
        sums[at].calls += bucket->calls;
        sums[at].refused += bucket->refused;
        sums[at].not_heard += bucket->not_heard;
        sums[at].spent += bucket->spent;
        sums[at].buckets++;
        double ideal = world_ideal(bucket);
        sums[at].ideal = ideal > sums[at].ideal ? ideal : sums[at].ideal;
        sums[at].most_so = bucket->most_so > sums[at].most_so ? bucket->most_so : sums[at].most_so;
    }
    return count;
}

static int
print(const World *world, const CollectReport *report, const WorldOptions *size, double real)
{
    Sum sums[16] = {0};
    double ideal = 0;
    uint64_t refused = 0, not_heard = 0;
    size_t count = sum_up(world, sums);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "| bucket | of them | calls | units | ideal | 429 | 429 in a row, sent after the first was "
        "known |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for (size_t i = 0; i < count; i++) {
        printf("| %.*s | %u | %" PRIu64 " | %.0f | %.0f s | %" PRIu64 " | %" PRIu64 " |\n",
               STR_ARG(sums[i].name), sums[i].buckets, sums[i].calls, sums[i].spent, sums[i].ideal,
               sums[i].refused, sums[i].not_heard);
        ideal = sums[i].ideal > ideal ? sums[i].ideal : ideal;
        refused += sums[i].refused;
        not_heard += sums[i].not_heard;
    }
    double megabytes = (double)usage.ru_maxrss / 1024;
    printf("\n%u subscriptions, %u resources, %u users%s: %" PRIu64 " calls, %" PRIu64
           " rows, %.0f s; ideal %.0f s; %.2f times; %" PRIu64 " times 429, %" PRIu64
           " in a row; %zu gaps; peak memory %.0f MB; really %.0f s\n",
           size->subscriptions, size->resources, size->users,
           size->others > 0 ? ", others take a part of each quota" : "", report->calls,
           report->rows, report->seconds, ideal, report->seconds / ideal, refused, not_heard,
           report->gap_count, megabytes, real);
    bool good =
        report->seconds <= 1.2 * ideal && !not_heard && megabytes < 1024 && !report->gap_count;
    return good ? 0 : 1;
}

static bool
run(const WorldOptions *size, const char *content, const char *folder, int *status, AzError *error)
{
    Arena arena = {0};
    SourceSet sources;
    Cloud cloud;
    CollectReport report;
    World *world = world_new(size);
    WireService service;
    world_service(world, &service);
    wire_serve(&service);
    setenv("AZURE_TENANT_ID", "22222222-2222-2222-2222-222222222222", 1);
    setenv("AZURE_CLIENT_ID", "44444444-4444-4444-4444-444444444444", 1);
    setenv("AZURE_CLIENT_SECRET", "a-secret-of-this-world", 1);
    bool done = cloud_load(&arena, content, STR("public"), &cloud, error) &&
                sources_load(&arena, content, &sources, error);
    Http *http = http_new(&(HttpOptions){0}, error);
    Auth *auth = done ? auth_new(&(AuthOptions){.cloud = &cloud, .method = "secret"}, http) : NULL;
    CollectOptions options = {.folder = folder,
                              .sources = &sources,
                              .cloud = &cloud,
                              .auth = auth,
                              .http = http,
                              .identity = STR("the tenant of the pace"),
                              .most_in_flight = IN_FLIGHT,
                              .most_pages = MOST_PAGES};
    uint64_t begun = clock_monotonic_ns();
    done = done && collect_run(&options, &arena, &report, error);
    if (done)
        *status = print(world, &report, size, (double)(clock_monotonic_ns() - begun) / 1e9);
    for (size_t i = 0; done && i < report.gap_count && i < 3; i++)
        printf("gap: %.*s: %.*s\n", STR_ARG(report.gaps[i].source), STR_ARG(report.gaps[i].reason));
    auth_free(auth);
    http_free(http);
    world_free(world);
    arena_free(&arena);
    return done;
}

static int
drop_file(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

int
main(int argc, char **argv)
{
    WorldOptions size = {.subscriptions = 500, .resources = 500000, .users = 200000};
    if (argc >= 5) {
        size.subscriptions = (uint32_t)strtoul(argv[2], NULL, 10);
        size.resources = (uint32_t)strtoul(argv[3], NULL, 10);
        size.users = (uint32_t)strtoul(argv[4], NULL, 10);
    }
    if (argc >= 4 && strcmp(argv[argc - 2], "--others") == 0)
        size.others = strtod(argv[argc - 1], NULL);
    if (argc < 2 || !size.subscriptions || size.others < 0 || size.others >= 1) {
        fprintf(stderr, "usage: collect_pace CONTENT_DIR [SUBSCRIPTIONS RESOURCES USERS] "
                        "[--others PART]\n");
        return 2;
    }
    size.groups = size.users / 10;
    size.principals = size.users / 10 + 1;
    size.applications = size.users / 20;
    char folder[4096];
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/azimuth-pace-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        return 2;
    }
    AzError error = {0};
    int status = 1;
    if (!run(&size, argv[1], folder, &status, &error)) {
        fprintf(stderr, "collect_pace: %s\n", error.message);
        status = 2;
    }
    nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}
