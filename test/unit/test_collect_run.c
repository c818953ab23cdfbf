// A whole collection on the wire of replay/wire.h: what stays in memory of secrets.

#include "base/array.h"
#include "collect/collect.h"
#include "replay/world.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int
drop_file(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

// ---- secrets ----

// A sanitizer keeps what was freed to find wrong uses of it; then it is to fill it, too.
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
    return "max_free_fill_size=2147483647:free_fill_byte=90";
}

enum {
    SECRET_LENGTH = 64,
    // What is looked for: the beginning of freed memory is overwritten in any case.
    FOUND_FROM = 32,
    FOUND_LENGTH = SECRET_LENGTH - FOUND_FROM,
};

// The secret's character, so that no text of it stands in this program.
static char
secret_char(size_t i)
{
    return (char)('a' + ((uint32_t)i * 2654435761u >> 13) % 26);
}

// How often the secret stands in the memory that this process may write to.
static size_t
count_in_memory(void)
{
    static char chunk[1 << 16];
    size_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "re"), *memory = fopen("/proc/self/mem", "re");
    assert_true(maps && memory);
    // No copies of it in the streams' own memory, either.
    setvbuf(memory, NULL, _IONBF, 0);
    char line[512];
    while (fgets(line, sizeof(line), maps)) {
        unsigned long from, to;
        char may[8];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, may) != 3 || may[1] != 'w')
            continue;
        if (to - from > (1ul << 30)) // the shadow of a sanitizer
            continue;
        for (unsigned long at = from; at < to; at += sizeof(chunk) - FOUND_LENGTH) {
            size_t wanted = to - at < sizeof(chunk) ? to - at : sizeof(chunk);
            if (fseek(memory, (long)at, SEEK_SET) || fread(chunk, 1, wanted, memory) != wanted)
                break;
            for (size_t i = 0; i + FOUND_LENGTH <= wanted; i++) {
                size_t k = 0;
                while (k < FOUND_LENGTH && chunk[i + k] == secret_char(FOUND_FROM + k))
                    k++;
                found += k == FOUND_LENGTH;
            }
            explicit_bzero(chunk, sizeof(chunk));
        }
    }
    fclose(maps);
    fclose(memory);
    return found;
}

static WireService world_behind;

// The token is the secret.
static void
answer_with_secret(void *context, const HttpRequest *request, uint64_t sent, uint64_t now,
                   WireAnswer *out)
{
    if (str_find(request->url, STR("/oauth2/v2.0/token")) < 0) {
        world_behind.answer(context, request, sent, now, out);
        return;
    }
    *out = (WireAnswer){.outcome = HTTP_ANSWERED, .status = 200};
    buffer_reserve(&out->body, 256);
    buffer_text(&out->body, "{\"expires_in\":86399,\"access_token\":\"");
    for (size_t i = 0; i < SECRET_LENGTH; i++)
        buffer_char(&out->body, secret_char(i));
    buffer_text(&out->body, "\"}");
}

static void
test_memory(void **state)
{
    Arena arena = {0};
    AzError error = {0};
    SourceSet sources;
    Cloud cloud;
    CollectReport report;
    (void)state;
    WorldOptions size = {.subscriptions = 2,
                         .resources = 2000,
                         .users = 100,
                         .groups = 10,
                         .principals = 10,
                         .applications = 10};
    World *world = world_new(&size);
    world_service(world, &world_behind);
    WireService service = {.answer = answer_with_secret, .context = world};
    wire_serve(&service);
    const char *content = getenv("AZIMUTH_CONTENT");
    setenv("AZURE_TENANT_ID", "22222222-2222-2222-2222-222222222222", 1);
    setenv("AZURE_CLIENT_ID", "44444444-4444-4444-4444-444444444444", 1);
    setenv("AZURE_CLIENT_SECRET", "not looked for", 1);
    assert_non_null(content);
    assert_true(cloud_load(&arena, content, STR("public"), &cloud, &error));
    assert_true(sources_load(&arena, content, &sources, &error));
    Http *http = http_new(&(HttpOptions){0}, &error);
    Auth *auth = auth_new(&(AuthOptions){.cloud = &cloud, .method = "secret"}, http);
    char folder[] = "/tmp/azimuth-run-XXXXXX";
    assert_non_null(mkdtemp(folder));
    CollectOptions options = {.folder = folder,
                              .sources = &sources,
                              .cloud = &cloud,
                              .auth = auth,
                              .http = http,
                              .identity = STR("memory"),
                              .most_in_flight = 64,
                              .most_pages = 100};
    assert_true(collect_run(&options, &arena, &report, &error));
    assert_true(report.rows > 2000 && report.gap_count == 0);
    // Both services' tokens are held until they are erased; nothing else holds one.
    assert_int_equal(count_in_memory(), 2);
    auth_free(auth);
    assert_int_equal(count_in_memory(), 0);
    http_free(http);
    world_free(world);
    arena_free(&arena);
    nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
