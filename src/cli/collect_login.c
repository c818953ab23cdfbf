#include "cli/collect_login.h"

#include <stdio.h>
#include <stdlib.h>

static void
tell_person(void *context, Str message)
{
    (void)context;
    fprintf(stderr, "%.*s\n", STR_ARG(message));
}

static bool
open_network(Collector *collector, const CollectLogin *login, AzError *error)
{
    Arena *arena = &collector->arena;
    const char *host = login->login ? login->login : getenv("AZURE_AUTHORITY_HOST");
    if (host && *host && !cloud_set_login(arena, &collector->cloud, host, error))
        return false;
    for (int i = 0; i < SERVICE_COUNT; i++)
        if (login->endpoint[i] &&
            !cloud_set_endpoint(arena, &collector->cloud, (Service)i, login->endpoint[i], error))
            return false;
    HttpOptions http = {.plain_loopback = login->loopback, .ca_file = login->ca_file};
    collector->http = http_new(&http, error);
    if (!collector->http)
        return false;
    AuthOptions auth = {.cloud = &collector->cloud,
                        .method = login->auth,
                        .tenant = login->tenant,
                        .client = login->client,
                        .tell = tell_person};
    collector->auth = auth_new(&auth, collector->http);
    return true;
}

bool
collector_open(Collector *collector, const CollectLogin *login, bool network, AzError *error)
{
    *collector = (Collector){.content = content_open(login->content, error)};
    if (!collector->content)
        return false;
    Str cloud = str_from(login->cloud ? login->cloud : "public");
    return cloud_load(&collector->arena, content_dir(collector->content), cloud, &collector->cloud,
                      error) &&
           (!network || open_network(collector, login, error));
}

void
collector_close(Collector *collector)
{
    auth_free(collector->auth);
    http_free(collector->http);
    content_close(collector->content);
    arena_free(&collector->arena);
}

Str *
collect_words(Arena *arena, const char *text, size_t *count)
{
    Str left = str_from(text);
    size_t most = 1;
    for (size_t i = 0; i < left.len; i++)
        most += left.ptr[i] == ',';
    Str *words = ARENA_ARRAY(arena, Str, most);
    *count = 0;
    while (left.len) {
        ptrdiff_t comma = str_find(left, STR(","));
        size_t end = comma < 0 ? left.len : (size_t)comma;
        Str word = str_trim(str_slice(left, 0, end));
        left = str_slice(left, end + 1, left.len);
        if (word.len)
            words[(*count)++] = word;
    }
    return words;
}
