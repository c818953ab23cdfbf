// What the collect commands share: the options about whom to sign in and where, and what is
// opened with them.
#pragma once

#include "cli/cli.h"
#include "collect/auth.h"
#include "collect/source.h"
#include "db/content.h"

typedef struct CollectLogin {
    const char *cloud, *tenant, *client, *auth, *content, *ca_file, *login;
    const char *endpoint[SERVICE_COUNT];
    bool loopback;
} CollectLogin;

// The options, for the list that cli_options takes.
#define COLLECT_LOGIN_OPTIONS(l)                                                                   \
    {"--auth", "WAY", "token, secret, certificate, workload, managed, cli, device-code",           \
     &(l)->auth, NULL},                                                                            \
        {"--tenant", "ID", "instead of AZURE_TENANT_ID", &(l)->tenant, NULL},                      \
        {"--client", "ID", "instead of AZURE_CLIENT_ID", &(l)->client, NULL},                      \
        {"--cloud", "NAME", "public, usgov, usgov-dod, china", &(l)->cloud, NULL},                 \
        {"--ca-file", "FILE", "trust these certificates (PEM)", &(l)->ca_file, NULL},              \
        {"--login-endpoint", "URL", "sign in there", &(l)->login, NULL},                           \
        {"--arm-endpoint", "URL", "Azure Resource Manager is there", &(l)->endpoint[SERVICE_ARM],  \
         NULL},                                                                                    \
        {"--graph-endpoint", "URL", "Microsoft Graph is there", &(l)->endpoint[SERVICE_GRAPH],     \
         NULL},                                                                                    \
        {"--logs-endpoint", "URL", "Log Analytics is there", &(l)->endpoint[SERVICE_LOGS], NULL},  \
        {"--http-loopback", NULL, "allow http:// to this machine, for tests", NULL,                \
         &(l)->loopback},                                                                          \
    {                                                                                              \
        "--content", "DIR", "the content folder", &(l)->content, NULL                              \
    }

typedef struct Collector {
    Arena arena;
    Content *content;
    Cloud cloud;
    Http *http;
    Auth *auth;
} Collector;

// The content and the cloud; with `network` also what speaks to it. To be closed in any case.
bool collector_open(Collector *collector, const CollectLogin *login, bool network, AzError *error);
void collector_close(Collector *collector);

// "a,b,c": the words; in the arena.
Str *collect_words(Arena *arena, const char *text, size_t *count);

// azimuth collect logs; argv[0] is "logs".
int collect_logs(int argc, char **argv);
