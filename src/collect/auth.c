// The order of the methods, the cache, and masking.

#include "collect/auth_parts.h"

#include "base/array.h"

#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    RENEW_BEFORE = 300, // seconds before the end, or a tenth of the life when that is less
    RENEW_PAUSE = 30,   // after a renewal that failed while the old token is good
    MASK_LEAST = 6,     // shorter secrets would mask ordinary words
};

Str
auth_env(const char *name)
{
    return str_trim(str_from(getenv(name)));
}

void
auth_erase(Buffer *buffer)
{
    if (buffer->data)
        explicit_bzero(buffer->data, buffer->cap);
    buffer_clear(buffer);
}

// Tokens given by hand.

static const char *const TOKEN_VARIABLES[SERVICE_COUNT] = {
    "AZIMUTH_ARM_TOKEN", "AZIMUTH_GRAPH_TOKEN", "AZIMUTH_LOGS_TOKEN", "AZIMUTH_STORAGE_TOKEN"};

static bool
token_is_set(const Auth *auth)
{
    (void)auth;
    for (int i = 0; i < SERVICE_COUNT; i++)
        if (auth_env(TOKEN_VARIABLES[i]).len)
            return true;
    return false;
}

static bool
token_get(Auth *auth, Service service, Str claims, AuthToken *out, AzError *error)
{
    Str text = auth_env(TOKEN_VARIABLES[service]);
    const Buffer *refused = &auth->tokens[service].text;
    if (!text.len)
        return error_set(error, AZ_INVALID, "%s is not set", TOKEN_VARIABLES[service]);
    if (claims.len || (refused->len && str_equal(buffer_slice(refused), text)))
        return error_set(error, AZ_INVALID,
                         "the token in %s has expired or was refused, and only you can renew it",
                         TOKEN_VARIABLES[service]);
    buffer_str(&out->text, text);
    out->expires = INT64_MAX;
    return true;
}

static const AuthMethod AUTH_TOKEN = {"token", token_is_set, token_get, false};

static const AuthMethod *const ORDER[] = {&AUTH_TOKEN,    &AUTH_SECRET,  &AUTH_CERTIFICATE,
                                          &AUTH_WORKLOAD, &AUTH_MANAGED, &AUTH_CLI};

// Our own copies of secrets are erased. What libraries make of them on their way (buffers of
// TLS and of answers) is not ours to erase; glibc overwrites what is freed, from a kilobyte on.
static void
guard_memory(bool on)
{
    if (on)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    mallopt(M_PERTURB, on ? 0x5a : 0);
}

Auth *
auth_new(const AuthOptions *options, Http *http)
{
    Auth *auth = calloc(1, sizeof(*auth));
    if (!auth)
        abort();
    guard_memory(true);
    auth->options = *options;
    auth->http = http;
    auth->tenant = options->tenant ? str_from(options->tenant) : auth_env("AZURE_TENANT_ID");
    auth->client = options->client ? str_from(options->client) : auth_env("AZURE_CLIENT_ID");
    auth->tenant = str_copy(&auth->arena, auth->tenant);
    auth->client = str_copy(&auth->arena, auth->client);
    auth->login = options->cloud->login;
    buffer_str(&auth->secret, auth_env("AZURE_CLIENT_SECRET"));
    return auth;
}

static void
buffer_drop(Buffer *buffer)
{
    auth_erase(buffer);
    buffer_free(buffer);
}

void
auth_free(Auth *auth)
{
    if (!auth)
        return;
    for (int i = 0; i < SERVICE_COUNT; i++) {
        buffer_drop(&auth->tokens[i].text);
        buffer_drop(&auth->claims[i]);
    }
    buffer_drop(&auth->secret);
    buffer_drop(&auth->refresh);
    buffer_drop(&auth->other);
    auth_drop_certificate(auth);
    buffer_free(&auth->chain);
    buffer_free(&auth->thumbprint);
    arena_free(&auth->arena);
    free(auth);
    guard_memory(false);
}

Str
auth_method(const Auth *auth)
{
    return auth->method ? str_from(auth->method->name) : STR("");
}

// The parser's copy of a short answer lies on the stack below us: calls that go as deep overwrite it,
// and need not come.
static __attribute__((noinline)) void
erase_stack(void)
{
    char below[1 << 15];
    explicit_bzero(below, sizeof(below));
}

// Gets a token into the cache by `method`.
static bool
renew(Auth *auth, const AuthMethod *method, Service service, AzError *error)
{
    AuthToken *token = &auth->tokens[service], fresh = {.text = {0}};
    bool got = method->get(auth, service, buffer_slice(&auth->claims[service]), &fresh, error);
    erase_stack();
    if (!got) {
        buffer_drop(&fresh.text);
        return false;
    }
    buffer_drop(&token->text);
    fresh.generation = token->generation + 1;
    *token = fresh;
    token->begun = (int64_t)time(NULL);
    auth_erase(&auth->claims[service]);
    return true;
}

static bool
named_method(Auth *auth, const AuthMethod **out, AzError *error)
{
    Str wanted = str_from(auth->options.method);
    for (size_t i = 0; i < COUNT_OF(ORDER); i++)
        if (str_equal(wanted, str_from(ORDER[i]->name)))
            return (*out = ORDER[i]) != NULL;
    if (str_equal(wanted, str_from(AUTH_DEVICE_CODE.name)))
        return (*out = &AUTH_DEVICE_CODE) != NULL;
    return error_set(error, AZ_INVALID,
                     "there is no way to sign in called '%.*s'; there are token, secret, "
                     "certificate, workload, managed, cli and device-code",
                     STR_ARG(wanted));
}

// The first token: finds the method.
static bool
sign_in(Auth *auth, Service service, AzError *error)
{
    Str said = STR("");
    const AuthMethod *method = NULL;
    if (auth->options.method) {
        if (!named_method(auth, &method, error) || !renew(auth, method, service, error))
            return false;
        auth->method = method;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(ORDER); i++) {
        AzError why = {0};
        method = ORDER[i];
        bool set = method->is_set(auth);
        if (!set && !method->always)
            continue;
        if (renew(auth, method, service, &why)) {
            auth->method = method;
            return true;
        }
        if (set)
            return error_set(error, why.code, "sign-in by %s failed: %s", method->name,
                             why.message);
        said = str_format(&auth->arena, "%.*s%s%s: %s", STR_ARG(said), said.len ? "; " : "",
                          method->name, why.message);
    }
    return error_set(error, AZ_INVALID,
                     "nobody is signed in: no variables of a service principal or a workload are "
                     "set, and %.*s. Run 'az login', or see docs/collect.md",
                     STR_ARG(said));
}

bool
auth_token(Auth *auth, Service service, Str *out, uint32_t *generation, AzError *error)
{
    AuthToken *token = &auth->tokens[service];
    int64_t now = (int64_t)time(NULL);
    bool have = token->text.len > 0;
    bool claimed = auth->claims[service].len > 0;
    if (!have || claimed) {
        bool done = auth->method ? renew(auth, auth->method, service, error)
                                 : sign_in(auth, service, error);
        if (!done)
            return false;
    } else if (token->expires != INT64_MAX) {
        int64_t life = token->expires - token->begun;
        int64_t before = life / 10 < RENEW_BEFORE ? life / 10 : RENEW_BEFORE;
        AzError why = {0};
        if (now >= token->expires - before && now >= token->retry_at &&
            !renew(auth, auth->method, service, &why)) {
            if (now >= token->expires)
                return error_set(error, why.code, "the token could not be renewed: %s",
                                 why.message);
            token->retry_at = now + RENEW_PAUSE;
        }
    }
    *out = buffer_slice(&token->text);
    *generation = token->generation;
    return true;
}

void
auth_refused(Auth *auth, Service service, uint32_t generation, Str claims)
{
    AuthToken *held = &auth->tokens[service];
    if (held->generation != generation)
        return; // another request has had it renewed already
    if (auth->method == &AUTH_TOKEN)
        held->expires = 0; // kept, so that the renewal can say that it is the same one
    else
        auth_erase(&held->text);
    auth_erase(&auth->claims[service]);
    buffer_str(&auth->claims[service], claims);
}

static bool
is_token_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '_' ||
           c == '.';
}

enum { KNOWN_MOST = 3 + SERVICE_COUNT };

// The secrets this object knows that are long enough to be masked.
static size_t
known_secrets(const Auth *auth, Str *out)
{
    const Buffer *all[KNOWN_MOST] = {&auth->secret, &auth->refresh, &auth->other};
    size_t count = 0;
    for (int i = 0; i < SERVICE_COUNT; i++)
        all[3 + i] = &auth->tokens[i].text;
    for (size_t i = 0; i < KNOWN_MOST; i++)
        if (all[i]->len >= MASK_LEAST)
            out[count++] = buffer_slice(all[i]);
    return count;
}

// Length of the secret at `text`, 0 when none begins there.
static size_t
secret_at(const Str *known, size_t count, Str text)
{
    for (size_t i = 0; i < count; i++)
        if (str_starts(text, known[i]))
            return known[i].len;
    // A JWT, whose ever it is: base64url of {" begins with eyJ.
    size_t len = 0;
    if (str_starts(text, STR("eyJ")))
        while (len < text.len && is_token_char(text.ptr[len]))
            len++;
    Str jwt = str_slice(text, 0, len);
    return len > 20 && str_find(jwt, STR(".")) > 0 ? len : 0;
}

bool
auth_mask(const Auth *auth, Buffer *out, Str text)
{
    Str known[KNOWN_MOST];
    size_t count = known_secrets(auth, known);
    bool masked = false;
    for (size_t i = 0; i < text.len;) {
        size_t len = secret_at(known, count, str_slice(text, i, text.len));
        if (len) {
            buffer_text(out, "***");
            masked = true;
        } else {
            buffer_char(out, text.ptr[i]);
        }
        i += len ? len : 1;
    }
    return masked;
}

bool
auth_knows(const Auth *auth, Str text)
{
    Str known[KNOWN_MOST];
    size_t count = known_secrets(auth, known);
    if (memmem(text.ptr, text.len, "eyJ", 3))
        return true;
    for (size_t i = 0; i < count; i++)
        if (memmem(text.ptr, text.len, known[i].ptr, known[i].len))
            return true;
    return false;
}

void
auth_keep_secret(Auth *auth, Str secret)
{
    auth_erase(&auth->other);
    buffer_str(&auth->other, secret);
}
