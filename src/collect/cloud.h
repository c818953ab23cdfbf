// Cloud: the endpoints of an Azure cloud, read from content/collect/clouds.yaml.
#pragma once

#include "base/error.h"

typedef enum Service {
    SERVICE_ARM,
    SERVICE_GRAPH,
    SERVICE_LOGS,    // queries of Log Analytics
    SERVICE_STORAGE, // blobs; the account's name goes before the endpoint's host
    SERVICE_COUNT
} Service;

typedef struct Cloud {
    Str name, login;             // no slash at the end, as all of them
    Str endpoint[SERVICE_COUNT]; // where requests go
    Str audience[SERVICE_COUNT]; // for whom tokens are
} Cloud;

const char *service_name(Service service); // "arm", "graph", "logs", "storage"

// The cloud of that name; an error names those there are.
bool cloud_load(Arena *arena, const char *content_dir, Str name, Cloud *out, AzError *error);

// Sends requests for the service, or for sign-in (`login`), elsewhere. False when `url` is
// no address.
bool cloud_set_endpoint(Arena *arena, Cloud *cloud, Service service, const char *url,
                        AzError *error);
bool cloud_set_login(Arena *arena, Cloud *cloud, const char *url, AzError *error);
