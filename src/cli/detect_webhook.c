#include "cli/detect_webhook.h"

#include "report/alert_export.h"
#include "report/alert_outbox.h"
#include "value/base64.h"

#include <errno.h>
#include <nettle/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ATTEMPTS = 3,
    MOST_PAUSE_S = 10,
    DEADLINE_S = 15,
    SECRET_LEAST = 16, // bytes
};

bool
webhook_parse(Arena *arena, const char *url, const char *variable, const char *dir,
              WebhookTarget *out, AzError *error)
{
    Str text = str_from(url);
    *out = (WebhookTarget){.url = url};
    if (!str_starts(text, STR("https://")) && !str_starts(text, STR("http://")))
        return error_set(error, AZ_INVALID, "--webhook takes an address with https://, not '%s'",
                         url);
    if (!variable)
        return error_set(error, AZ_INVALID,
                         "--webhook signs what it sends: name the environment variable of the "
                         "secret with --webhook-secret-env");
    const char *secret = getenv(variable);
    static const Str PREFIX = STR_INIT("whsec_");
    Str bytes = str_from(secret ? secret : "");
    bool coded = str_starts(bytes, PREFIX);
    if (coded && !base64_read(&out->key, str_slice(bytes, PREFIX.len, bytes.len)))
        return error_set(error, AZ_INVALID, "the secret in %s begins with whsec_ and is no base64",
                         variable);
    if (!coded)
        buffer_str(&out->key, bytes);
    if (out->key.len < SECRET_LEAST)
        return error_set(error, AZ_INVALID,
                         "the environment variable %s holds no secret of at least %d bytes",
                         variable, SECRET_LEAST);
    out->outbox = outbox_folder(arena, dir, "webhook", url);
    return true;
}

void
webhook_free(WebhookTarget *target)
{
    if (target->key.len)
        explicit_bzero(target->key.data, target->key.len);
    buffer_free(&target->key);
}

void
webhook_message(Buffer *out, const Alert *alert, const char *version)
{
    Alert one = *alert;
    AlertList list = {.items = &one, .len = 1};
    alerts_ocsf(out, &list, version);
    out->len--; // without the end of the line
}

// ---- one alert ----

// "v1," and the base64 of the HMAC over id, time and body.
static Str
signature(Arena *arena, const WebhookTarget *target, Str id, Str seconds, Str body)
{
    struct hmac_sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    hmac_sha256_set_key(&context, target->key.len, (const uint8_t *)target->key.data);
    const Str parts[] = {id, STR("."), seconds, STR("."), body};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hmac_sha256_update(&context, parts[i].len, (const uint8_t *)parts[i].ptr);
    hmac_sha256_digest(&context, sizeof digest, digest);
    explicit_bzero(&context, sizeof context);
    Buffer text = {0};
    buffer_text(&text, "v1,");
    base64_put(&text, (Str){.ptr = (const char *)digest, .len = sizeof digest});
    Str kept = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return kept;
}

static bool
is_worth_another(const HttpAnswer *answer)
{
    if (answer->outcome != HTTP_ANSWERED)
        return answer->outcome == HTTP_UNREACHABLE || answer->outcome == HTTP_CUT ||
               answer->outcome == HTTP_TIMED_OUT;
    return answer->status == 408 || answer->status == 425 || answer->status == 429 ||
           answer->status >= 500;
}

static void
pause_before(const HttpAnswer *answer, int attempt)
{
    double seconds = answer->retry_after >= 0 ? answer->retry_after : attempt;
    if (seconds > MOST_PAUSE_S)
        seconds = MOST_PAUSE_S;
    struct timespec rest = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&rest, &rest) && errno == EINTR)
        continue;
}

typedef enum Posted {
    POST_TAKEN,
    POST_AGAIN,   // another attempt may do better
    POST_REFUSED, // this alert; others may be taken
    POST_FAILED,  // no use in sending others
} Posted;

static Posted
outcome_of(const HttpAnswer *answer)
{
    if (answer->outcome == HTTP_ANSWERED && answer->status / 100 == 2)
        return POST_TAKEN;
    if (is_worth_another(answer))
        return POST_AGAIN;
    bool is_about_it = answer->outcome == HTTP_ANSWERED &&
                       (answer->status == 400 || answer->status == 413 || answer->status == 422);
    return is_about_it ? POST_REFUSED : POST_FAILED;
}

static Posted
post(Http *http, const WebhookTarget *target, Str id, Str body, int attempt, AzError *error)
{
    Arena arena = {0};
    Str seconds = str_format(&arena, "%lld", (long long)time(NULL));
    const HttpHeader headers[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("webhook-id"), id},
        {STR("webhook-timestamp"), seconds},
        {STR("webhook-signature"), signature(&arena, target, id, seconds, body)},
    };
    HttpRequest request = {.method = STR("POST"),
                           .url = str_from(target->url),
                           .body = body,
                           .headers = headers,
                           .header_count = sizeof headers / sizeof *headers,
                           .seconds = DEADLINE_S,
                           .connect_seconds = DEADLINE_S,
                           .most_bytes = 1 << 20};
    HttpAnswer *answer = http_fetch(http, &request);
    Posted outcome = outcome_of(answer);
    if (outcome == POST_AGAIN && attempt < ATTEMPTS)
        pause_before(answer, attempt);
    else if (outcome != POST_TAKEN && answer->outcome == HTTP_ANSWERED)
        error_set(error, AZ_IO, "it answered with status %d", answer->status);
    else if (outcome != POST_TAKEN)
        error_set(error, AZ_IO, "%.*s", STR_ARG(answer->problem));
    http_answer_free(answer);
    arena_free(&arena);
    return outcome;
}

static Posted
post_message(Http *http, const WebhookTarget *target, const Outbox *outbox, size_t message,
             AzError *error)
{
    Buffer body = {0};
    Posted outcome = POST_AGAIN;
    if (!outbox_read(outbox, message, &body)) {
        error_errno(error, "cannot read the outbox '%s'", target->outbox);
        outcome = POST_FAILED;
    }
    for (int attempt = 1; outcome == POST_AGAIN && attempt <= ATTEMPTS; attempt++)
        outcome =
            post(http, target, outbox_id(outbox, message), buffer_slice(&body), attempt, error);
    buffer_free(&body);
    return outcome;
}

bool
webhook_send(const WebhookTarget *target, size_t *sent, size_t *left, AzError *error)
{
    Outbox outbox;
    outbox_open(target->outbox, &outbox);
    HttpOptions options = {.plain_loopback = true};
    Http *http = outbox.count ? http_new(&options, error) : NULL;
    bool go_on = http != NULL;
    for (size_t i = 0; go_on && i < outbox.count; i++) {
        Posted outcome = post_message(http, target, &outbox, i, error);
        go_on = outcome == POST_TAKEN ? outbox_remove(&outbox, i, error) : outcome == POST_REFUSED;
    }
    *sent = outbox.removed;
    *left = outbox.count - outbox.removed;
    if (http)
        http_free(http);
    bool done = *left == 0 && outbox_sound(&outbox, error);
    outbox_close(&outbox);
    return done;
}
