#include "collect/request.h"

#include "collect/url.h"

#include <sys/random.h>

static const char QUERY_VERSION[] = "2022-10-01";

static void
add_header(Wire *wire, Str name, Str value)
{
    wire->headers[wire->request.header_count++] = (HttpHeader){name, value};
    wire->request.headers = wire->headers;
}

bool
wire_get(Auth *auth, Arena *arena, Service service, Str url, Wire *out, AzError *error)
{
    Str token;
    unsigned char id[16] = {0};
    *out = (Wire){.request = {.method = STR("GET"), .url = url}};
    if (!auth_token(auth, service, &token, &out->generation, error))
        return false;
    if (getrandom(id, sizeof(id), 0) != sizeof(id))
        return error_errno(error, "no random numbers");
    Str text = STR("");
    for (size_t i = 0; i < sizeof(id); i++)
        text = str_format(arena, "%.*s%s%02x", STR_ARG(text),
                          i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    out->request.bearer = token;
    add_header(out, STR("Accept"), STR("application/json"));
    add_header(out, STR("x-ms-client-request-id"), text);
    return true;
}

bool
wire_post(Auth *auth, Arena *arena, Service service, Str url, Str body, Wire *out, AzError *error)
{
    if (!wire_get(auth, arena, service, url, out, error))
        return false;
    out->request.method = STR("POST");
    out->request.body = body;
    add_header(out, STR("Content-Type"), STR("application/json"));
    return true;
}

Str
query_url(Arena *arena, const Cloud *cloud)
{
    return str_format(arena, "%.*s/providers/Microsoft.ResourceGraph/resources?api-version=%s",
                      STR_ARG(cloud->endpoint[SERVICE_ARM]), QUERY_VERSION);
}

Str
query_body(Arena *arena, Str query, uint32_t top, Str token)
{
    Buffer body = {0};
    buffer_text(&body, "{\"query\":");
    json_write_string(&body, query, false);
    buffer_printf(&body, ",\"options\":{\"resultFormat\":\"objectArray\",\"$top\":%u", top);
    if (token.len) {
        buffer_text(&body, ",\"$skipToken\":");
        json_write_string(&body, token, false);
    }
    buffer_text(&body, "}}");
    Str text = str_copy(arena, buffer_slice(&body));
    buffer_free(&body);
    return text;
}

static Str
first_url(Run *run, const Task *task)
{
    const Source *source = task->source;
    Str endpoint = run->options->cloud->endpoint[source->service];
    Str path = url_without_blanks(&run->scratch, task->path);
    if (source->service == SERVICE_GRAPH)
        return str_format(&run->scratch, "%.*s/v1.0%.*s", STR_ARG(endpoint), STR_ARG(path));
    Str version = run->versions[source->number];
    return str_format(&run->scratch, "%.*s%.*s%sapi-version=%.*s", STR_ARG(endpoint), STR_ARG(path),
                      str_find(path, STR("?")) < 0 ? "?" : "&",
                      STR_ARG(version.len ? version : source->version));
}

bool
request_may_batch(const Task *task)
{
    return task->source->batch && !task->next.len && !task->tries;
}

static Str
batch_body(Run *run, Task *const *tasks, size_t count)
{
    Buffer body = {0};
    buffer_text(&body, "{\"requests\":[");
    for (size_t i = 0; i < count; i++) {
        buffer_printf(&body, "%s{\"id\":\"%zu\",\"method\":\"GET\",\"url\":", i ? "," : "", i + 1);
        json_write_string(&body, url_without_blanks(&run->scratch, tasks[i]->path), false);
        buffer_char(&body, '}');
    }
    buffer_text(&body, "]}");
    Str text = str_copy(&run->scratch, buffer_slice(&body));
    buffer_free(&body);
    return text;
}

bool
request_send(Run *run, Task *const *tasks, size_t count, void *tag, uint32_t *generation, Str *why,
             AzError *error)
{
    const CollectOptions *options = run->options;
    const Source *source = tasks[0]->source;
    Str endpoint = options->cloud->endpoint[source->service];
    Wire wire;
    bool done;
    *why = STR("");
    if (count > 1) {
        Str url = str_format(&run->scratch, "%.*s/v1.0/$batch", STR_ARG(endpoint));
        done = wire_post(options->auth, &run->scratch, source->service, url,
                         batch_body(run, tasks, count), &wire, error);
    } else if (source->query.len) {
        done = wire_post(
            options->auth, &run->scratch, SERVICE_ARM, query_url(&run->scratch, options->cloud),
            query_body(&run->scratch, tasks[0]->query.len ? tasks[0]->query : source->query,
                       tasks[0]->top, tasks[0]->next),
            &wire, error);
    } else {
        Str url = tasks[0]->next.len ? tasks[0]->next : first_url(run, tasks[0]);
        if (str_equal(url, STR("-"))) {
            *why = STR("an earlier run could not read its rest");
            return false;
        }
        // The token goes only where it was asked for.
        if (!url_same_origin(url, endpoint)) {
            Url parsed;
            *why = str_format(&run->tasks,
                              "the next page is said to be on another host (%.*s): not followed",
                              STR_ARG(url_parse(url, &parsed) ? str_slice(parsed.host, 0, 100)
                                                              : STR("no address")));
            return false;
        }
        done = wire_get(options->auth, &run->scratch, source->service, url, &wire, error);
    }
    if (!done)
        return false;
    *generation = wire.generation;
    http_send(options->http, &wire.request, tag);
    return true;
}
