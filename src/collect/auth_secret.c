// The token endpoint: client secret, client certificate, federated workload.
//
// One POST of a form; only the proof differs. Source: Microsoft identity platform, "OAuth 2.0
// client credentials flow"; the order of the fields is that of Microsoft's own library.

#include "collect/auth_parts.h"

#include "collect/url.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TRIES = 4, TOKEN_SECONDS = 30, ANSWER_BYTES = 1 << 20, ASSERTION_BYTES = 64 << 10 };

void
auth_form(Buffer *form, const char *name, Str value)
{
    if (form->len)
        buffer_char(form, '&');
    buffer_text(form, name);
    buffer_char(form, '=');
    url_encode(form, value);
}

Str
auth_scope(Arena *arena, const Auth *auth, Service service)
{
    return str_format(arena, "%.*s/.default", STR_ARG(auth->options.cloud->audience[service]));
}

typedef struct Find {
    Arena *arena;
    Str name, value;
} Find;

static bool
find_member(void *context, const JsonMember *member)
{
    Find *find = context;
    if (!str_equal(member->key, find->name))
        return true;
    if (member->kind == DYN_STRING)
        find->value = str_copy(find->arena, member->string);
    else if (member->kind == DYN_LONG || member->kind == DYN_REAL)
        find->value = str_copy(find->arena, str_trim(member->raw));
    return true;
}

Str
auth_member(Arena *arena, Str json, const char *name)
{
    Find find = {arena, str_from(name), {0}};
    const char *why;
    size_t offset;
    JsonParser *parser = json_parser_new();
    DynBuilder *builder = dyn_builder_new();
    json_walk_object(parser, builder, json, find_member, &find, &why, &offset);
    dyn_builder_free(builder);
    json_parser_free(parser);
    return find.value;
}

bool
auth_read_text(Str json, AuthToken *out)
{
    Arena arena = {0};
    Str token = auth_member(&arena, json, "access_token");
    Str in = auth_member(&arena, json, "expires_in"), on = auth_member(&arena, json, "expires_on");
    int64_t now = (int64_t)time(NULL);
    buffer_str(&out->text, token);
    // expires_on is the service's clock, which need not be ours; expires_in is safe.
    if (in.len)
        out->expires = now + strtoll(str_cstr(&arena, in), NULL, 10);
    else if (on.len)
        out->expires = strtoll(str_cstr(&arena, on), NULL, 10);
    if (out->expires <= now)
        out->expires = now + 60; // no sensible time: ask again soon
    arena_free(&arena);
    return token.len > 0;
}

bool
auth_fail(Auth *auth, const HttpAnswer *answer, AzError *error)
{
    if (answer->outcome != HTTP_ANSWERED)
        return error_set(error, AZ_IO, "%.*s", STR_ARG(answer->problem));
    Arena arena = {0};
    Buffer text = {0};
    Str code = auth_member(&arena, answer->body, "error");
    Str description = auth_member(&arena, answer->body, "error_description");
    size_t end = 0;
    while (end < description.len && end < 300 && (unsigned char)description.ptr[end] >= ' ')
        end++;
    // The description begins with the AADSTS number. It is the service's text: masked.
    auth_mask(auth, &text, str_slice(description, 0, end));
    if (code.len || text.len)
        error_set(error, AZ_INVALID, "the sign-in service answered %d %.*s: %.*s", answer->status,
                  STR_ARG(str_slice(code, 0, 60)), STR_ARG(buffer_slice(&text)));
    else
        error_set(error, AZ_INVALID, "the sign-in service answered %d without a token",
                  answer->status);
    buffer_free(&text);
    arena_free(&arena);
    return false;
}

bool
auth_read(Auth *auth, const HttpAnswer *answer, AuthToken *out, AzError *error)
{
    if (answer->outcome == HTTP_ANSWERED && answer->status == 200 &&
        auth_read_text(answer->body, out))
        return true;
    return auth_fail(auth, answer, error);
}

HttpAnswer *
auth_post(Auth *auth, const char *what, const Buffer *form)
{
    Arena arena = {0};
    HttpHeader headers[] = {{STR("Content-Type"), STR("application/x-www-form-urlencoded")},
                            {STR("Accept"), STR("application/json")}};
    HttpRequest request = {
        .method = STR("POST"),
        .url = str_format(&arena, "%.*s/%.*s/oauth2/v2.0/%s", STR_ARG(auth->login),
                          STR_ARG(auth->tenant), what),
        .body = buffer_slice(form),
        .headers = headers,
        .header_count = 2,
        .seconds = TOKEN_SECONDS,
        .most_bytes = ANSWER_BYTES,
    };
    HttpAnswer *answer = http_fetch(auth->http, &request);
    arena_free(&arena);
    return answer;
}

static bool
may_retry(const HttpAnswer *answer)
{
    if (answer->outcome == HTTP_REFUSED || answer->outcome == HTTP_TOO_LARGE)
        return false;
    return answer->outcome != HTTP_ANSWERED || answer->status == 429 || answer->status >= 500;
}

bool
auth_request(Auth *auth, const Buffer *form, AuthToken *out, AzError *error)
{
    for (int attempt = 1;; attempt++) {
        HttpAnswer *answer = auth_post(auth, "token", form);
        if (!may_retry(answer) || attempt == TRIES) {
            bool done = auth_read(auth, answer, out, error);
            http_answer_free(answer);
            return done;
        }
        double pause = answer->retry_after >= 0 ? answer->retry_after : (double)(1 << attempt) / 4;
        http_answer_free(answer);
        pause = pause > 60 ? 60 : pause;
        nanosleep(&(struct timespec){(time_t)pause, (long)((pause - (double)(time_t)pause) * 1e9)},
                  NULL);
    }
}

static bool
check_names(const Auth *auth, AzError *error)
{
    // They become part of an address.
    for (int i = 0; i < 2; i++) {
        Str name = i ? auth->client : auth->tenant;
        bool fits = name.len > 0 && name.len < 256;
        for (size_t k = 0; fits && k < name.len; k++) {
            char c = name.ptr[k];
            fits = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
                   c == '.';
        }
        if (!fits)
            return error_set(error, AZ_INVALID,
                             i ? "AZURE_CLIENT_ID is not set to the id of an application"
                               : "AZURE_TENANT_ID is not set to the id or domain of a tenant");
    }
    return true;
}

static void
form_begin(Auth *auth, Service service, Str claims, Buffer *form)
{
    Arena arena = {0};
    auth_form(form, "client_id", auth->client);
    auth_form(form, "scope", auth_scope(&arena, auth, service));
    auth_form(form, "grant_type", STR("client_credentials"));
    if (claims.len)
        auth_form(form, "claims", claims);
    arena_free(&arena);
}

static bool
secret_is_set(const Auth *auth)
{
    return auth->client.len && auth->tenant.len && auth->secret.len;
}

static bool
secret_get(Auth *auth, Service service, Str claims, AuthToken *out, AzError *error)
{
    Buffer form = {0};
    if (!check_names(auth, error))
        return false;
    if (!auth->secret.len)
        return error_set(error, AZ_INVALID, "AZURE_CLIENT_SECRET is not set");
    form_begin(auth, service, claims, &form);
    auth_form(&form, "client_secret", buffer_slice(&auth->secret));
    bool done = auth_request(auth, &form, out, error);
    auth_erase(&form);
    buffer_free(&form);
    return done;
}

static bool
assertion_get(Auth *auth, Service service, Str claims, Str assertion, AuthToken *out,
              AzError *error)
{
    Buffer form = {0};
    form_begin(auth, service, claims, &form);
    auth_form(&form, "client_assertion", assertion);
    auth_form(&form, "client_assertion_type",
              STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    bool done = auth_request(auth, &form, out, error);
    auth_erase(&form);
    buffer_free(&form);
    return done;
}

static bool
certificate_is_set(const Auth *auth)
{
    return auth->client.len && auth->tenant.len && auth_env("AZURE_CLIENT_CERTIFICATE_PATH").len;
}

static bool
certificate_get(Auth *auth, Service service, Str claims, AuthToken *out, AzError *error)
{
    if (!check_names(auth, error) || (!auth->key && !auth_read_certificate(auth, error)))
        return false;
    Arena arena = {0};
    Buffer assertion = {0};
    Str audience = str_format(&arena, "%.*s/%.*s/oauth2/v2.0/token", STR_ARG(auth->login),
                              STR_ARG(auth->tenant));
    bool done = auth_assertion(auth, audience, &assertion, error) &&
                assertion_get(auth, service, claims, buffer_slice(&assertion), out, error);
    auth_erase(&assertion);
    buffer_free(&assertion);
    arena_free(&arena);
    return done;
}

static bool
workload_is_set(const Auth *auth)
{
    return auth->client.len && auth->tenant.len && auth_env("AZURE_FEDERATED_TOKEN_FILE").len;
}

// The file is read each time: the platform replaces it before its token expires.
static bool
workload_get(Auth *auth, Service service, Str claims, AuthToken *out, AzError *error)
{
    Str path = auth_env("AZURE_FEDERATED_TOKEN_FILE");
    if (!check_names(auth, error))
        return false;
    if (!path.len)
        return error_set(error, AZ_INVALID, "AZURE_FEDERATED_TOKEN_FILE is not set");
    char text[ASSERTION_BYTES];
    FILE *file = fopen(path.ptr, "re");
    if (!file)
        return error_errno(error, "cannot read the federated token '%s'", path.ptr);
    size_t len = fread(text, 1, sizeof(text), file);
    bool whole = !ferror(file) && len < sizeof(text);
    fclose(file);
    Str assertion = str_trim((Str){text, len});
    bool done = whole && assertion.len;
    if (!done)
        error_set(error, AZ_INVALID, "the federated token '%s' is empty or no token", path.ptr);
    done = done && assertion_get(auth, service, claims, assertion, out, error);
    explicit_bzero(text, sizeof(text));
    return done;
}

const AuthMethod AUTH_SECRET = {"secret", secret_is_set, secret_get, false};
const AuthMethod AUTH_CERTIFICATE = {"certificate", certificate_is_set, certificate_get, false};
const AuthMethod AUTH_WORKLOAD = {"workload", workload_is_set, workload_get, false};
