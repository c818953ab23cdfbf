#include "collect/cloud.h"

#include "collect/url.h"
#include "value/yaml.h"

const char *
service_name(Service service)
{
    static const char *const names[SERVICE_COUNT] = {"arm", "graph", "logs", "storage"};
    return names[service];
}

static bool
unknown_cloud(YamlNode *root, Str name, AzError *error)
{
    Arena scratch = {0};
    Str names = STR("");
    for (size_t i = 0; i < yaml_count(root); i++) {
        Str known = yaml_text(&scratch, yaml_key_at(root, i));
        names = str_format(&scratch, "%.*s%s%.*s", STR_ARG(names), i ? ", " : "", STR_ARG(known));
    }
    error_set(error, AZ_INVALID, "there is no cloud '%.*s'; there are %.*s", STR_ARG(name),
              STR_ARG(names));
    arena_free(&scratch);
    return false;
}

bool
cloud_load(Arena *arena, const char *content_dir, Str name, Cloud *out, AzError *error)
{
    char *path = str_cstr(arena, str_format(arena, "%s/collect/clouds.yaml", content_dir));
    YamlDoc *doc = yaml_load(path, error);
    if (!doc)
        return false;
    YamlNode *root = yaml_root(doc), *cloud = yaml_get(root, str_cstr(arena, name));
    bool found = cloud != NULL || unknown_cloud(root, name, error);
    if (found) {
        *out = (Cloud){.name = str_copy(arena, name),
                       .login = yaml_text(arena, yaml_get(cloud, "login"))};
        bool whole = out->login.len > 0;
        for (int i = 0; i < SERVICE_COUNT; i++) {
            const char *service = service_name((Service)i);
            Str audience = str_format(arena, "%s-audience", service);
            out->endpoint[i] = yaml_text(arena, yaml_get(cloud, service));
            out->audience[i] = yaml_text(arena, yaml_get(cloud, str_cstr(arena, audience)));
            whole = whole && out->endpoint[i].len && out->audience[i].len;
        }
        if (!whole)
            found = error_set(error, AZ_INVALID,
                              "%s: the cloud '%.*s' needs login, and arm, graph, logs and storage, "
                              "each with its audience",
                              path, STR_ARG(name));
    }
    yaml_free(doc);
    return found;
}

static bool
set_address(Arena *arena, Str *where, const char *url, AzError *error)
{
    Url parsed;
    Str text = str_from(url);
    while (text.len && text.ptr[text.len - 1] == '/')
        text.len--;
    if (!url_parse(text, &parsed))
        return error_set(error, AZ_INVALID, "'%s' is no address of an endpoint", url);
    *where = str_copy(arena, text);
    return true;
}

bool
cloud_set_endpoint(Arena *arena, Cloud *cloud, Service service, const char *url, AzError *error)
{
    return set_address(arena, &cloud->endpoint[service], url, error);
}

bool
cloud_set_login(Arena *arena, Cloud *cloud, const char *url, AzError *error)
{
    return set_address(arena, &cloud->login, url, error);
}
