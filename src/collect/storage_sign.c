// Requests for a storage account: by its key, by a shared access signature, by a token.
//
// Source: Azure Storage REST API, "Authorize with Shared Key": HMAC-SHA256 over the verb,
// eleven standard headers, the x-ms- headers and the resource with its parameters.

#include "collect/logs_parts.h"

#include "collect/url.h"
#include "value/base64.h"

#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char API_VERSION[] = "2021-12-02";

static void
put_date(char *out, size_t size, int64_t now)
{
    static const char DAYS[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char MONTHS[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)now;
    struct tm t;
    gmtime_r(&seconds, &t);
    snprintf(out, size, "%s, %02d %s %04d %02d:%02d:%02d GMT", DAYS[t.tm_wday], t.tm_mday,
             MONTHS[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void
put_path(Buffer *out, Str path)
{
    for (size_t from = 0, i = 0; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/')
            continue;
        url_encode(out, str_slice(path, from, i));
        if (i < path.len)
            buffer_char(out, '/');
        from = i + 1;
    }
}

// The address, without the signature of a shared access.
static void
put_address(Buffer *out, const StorageAccount *account, Str path, const StorageParam *params,
            size_t count)
{
    buffer_str(out, account->url);
    put_path(out, path.len ? path : STR("/"));
    for (size_t i = 0; i < count; i++) {
        buffer_text(out, i ? "&" : "?");
        buffer_text(out, params[i].name);
        buffer_char(out, '=');
        url_encode(out, params[i].value);
    }
}

// "SharedKey account:signature"
static void
put_signature(Buffer *out, const StorageAccount *account, Str key, Str url,
              const StorageParam *params, size_t count, Str range, const char *date)
{
    Buffer text = {0}, secret = {0};
    Url parts;
    uint8_t digest[SHA256_DIGEST_SIZE];
    url_parse(url, &parts);
    ptrdiff_t query = str_find(parts.rest, STR("?"));
    Str path = str_slice(parts.rest, 0, query < 0 ? parts.rest.len : (size_t)query);
    // The standard headers that we do not send are empty lines.
    buffer_printf(&text, "GET\n\n\n\n\n\n\n\n\n\n\n%.*s\nx-ms-date:%s\nx-ms-version:%s\n/%.*s%.*s",
                  STR_ARG(range), date, API_VERSION, STR_ARG(account->name), STR_ARG(path));
    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "\n%s:%.*s", params[i].name, STR_ARG(params[i].value));
    base64_read(&secret, key);
    struct hmac_sha256_ctx context;
    hmac_sha256_set_key(&context, secret.len, (const uint8_t *)secret.data);
    hmac_sha256_update(&context, text.len, (const uint8_t *)text.data);
    hmac_sha256_digest(&context, sizeof(digest), digest);
    buffer_printf(out, "SharedKey %.*s:", STR_ARG(account->name));
    base64_put(out, (Str){(const char *)digest, sizeof(digest)});
    if (secret.data)
        explicit_bzero(secret.data, secret.cap);
    explicit_bzero(&context, sizeof(context));
    buffer_free(&secret);
    buffer_free(&text);
}

static void
add_header(StorageRequest *out, Str name, Str value)
{
    out->headers[out->request.header_count++] = (HttpHeader){name, value};
    out->request.headers = out->headers;
}

bool
storage_request(Arena *arena, const LogsOptions *options, const StorageAccount *account, Str path,
                const StorageParam *params, size_t param_count, Str range, int64_t now,
                StorageRequest *out, AzError *error)
{
    Buffer url = {0}, signature = {0};
    char date[64];
    *out = (StorageRequest){.request = {.method = STR("GET")}};
    put_date(date, sizeof(date), now);
    put_address(&url, account, path, params, param_count);
    if (options->storage_key.len) {
        put_signature(&signature, account, options->storage_key, buffer_slice(&url), params,
                      param_count, range, date);
        add_header(out, STR("Authorization"), str_copy(arena, buffer_slice(&signature)));
    } else if (options->storage_sas.len) {
        Str sas = options->storage_sas;
        buffer_char(&url, param_count ? '&' : '?');
        buffer_str(&url, str_slice(sas, str_starts(sas, STR("?")), sas.len));
    } else {
        Str token;
        if (!auth_token(options->auth, SERVICE_STORAGE, &token, &out->generation, error)) {
            buffer_free(&url);
            return false;
        }
        out->request.bearer = token;
    }
    add_header(out, STR("x-ms-date"), str_copy(arena, str_from(date)));
    add_header(out, STR("x-ms-version"), str_from(API_VERSION));
    if (range.len)
        add_header(out, STR("Range"), range);
    out->request.url = str_copy(arena, buffer_slice(&url));
    buffer_free(&url);
    buffer_free(&signature);
    return true;
}
