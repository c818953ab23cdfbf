// Managed identity: the platform hands out tokens at a local address.
//
// App Service, Functions and Container Apps name the address in IDENTITY_ENDPOINT and prove
// the caller by IDENTITY_HEADER; virtual machines and AKS nodes answer at 169.254.169.254.
// Source: Microsoft Entra, "How to use managed identities ... to acquire an access token".

#include "collect/auth_parts.h"

#include "collect/url.h"

#include <time.h>

enum { TRIES = 6, PROBE_SECONDS = 1, SECONDS = 20, ANSWER_BYTES = 1 << 20 };

static bool
is_app_service(void)
{
    return auth_env("IDENTITY_ENDPOINT").len && auth_env("IDENTITY_HEADER").len;
}

static bool
managed_is_set(const Auth *auth)
{
    (void)auth;
    return is_app_service() || auth_env("AZURE_POD_IDENTITY_AUTHORITY_HOST").len;
}

static void
write_address(const Auth *auth, Service service, Buffer *url)
{
    Str host = auth_env("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    if (is_app_service()) {
        buffer_str(url, auth_env("IDENTITY_ENDPOINT"));
        buffer_text(url, "?api-version=2019-08-01&resource=");
    } else {
        while (host.len && host.ptr[host.len - 1] == '/')
            host.len--;
        buffer_str(url, host.len ? host : STR("http://169.254.169.254"));
        buffer_text(url, "/metadata/identity/oauth2/token/?api-version=2018-02-01&resource=");
    }
    url_encode(url, auth->options.cloud->audience[service]);
    if (auth->client.len) {
        buffer_text(url, "&client_id=");
        url_encode(url, auth->client);
    }
}

// The metadata service answers 404 and 410 while it starts or is updated.
static bool
may_retry(const Auth *auth, const HttpAnswer *answer)
{
    if (answer->outcome != HTTP_ANSWERED)
        return auth->managed_found && answer->outcome != HTTP_REFUSED;
    return answer->status == 404 || answer->status == 410 || answer->status == 429 ||
           answer->status >= 500;
}

static bool
managed_get(Auth *auth, Service service, Str claims, AuthToken *out, AzError *error)
{
    Buffer url = {0};
    bool app = is_app_service();
    HttpHeader header = app ? (HttpHeader){STR("X-IDENTITY-HEADER"), auth_env("IDENTITY_HEADER")}
                            : (HttpHeader){STR("Metadata"), STR("true")};
    (void)claims; // the platform does not take them; a new token is all there is to get
    write_address(auth, service, &url);
    HttpRequest request = {
        .method = STR("GET"),
        .url = buffer_slice(&url),
        .headers = &header,
        .header_count = 1,
        .seconds = SECONDS,
        // Where there is no such service, nothing answers at all.
        .connect_seconds = managed_is_set(auth) || auth->managed_found ? 0 : PROBE_SECONDS,
        .most_bytes = ANSWER_BYTES,
        .local = true,
    };
    bool done = false;
    for (int attempt = 1;; attempt++) {
        HttpAnswer *answer = http_fetch(auth->http, &request);
        auth->managed_found = auth->managed_found || answer->outcome == HTTP_ANSWERED;
        bool again = may_retry(auth, answer) && attempt < TRIES;
        if (!again) {
            done = auth_read(auth, answer, out, error);
            http_answer_free(answer);
            break;
        }
        double pause = answer->retry_after >= 0 ? answer->retry_after : (double)(1 << attempt) / 8;
        http_answer_free(answer);
        pause = pause > 60 ? 60 : pause;
        nanosleep(&(struct timespec){(time_t)pause, (long)((pause - (double)(time_t)pause) * 1e9)},
                  NULL);
    }
    buffer_free(&url);
    return done;
}

const AuthMethod AUTH_MANAGED = {"managed", managed_is_set, managed_get, true};
