// Alerts posted to a webhook, signed as the Standard Webhooks specification says
// (https://www.standardwebhooks.com): a POST an alert, its body the alert as OCSF JSON, with
//
//     webhook-id: the alert's id, the same each time the alert is sent
//     webhook-timestamp: seconds since 1970 of this attempt
//     webhook-signature: v1,BASE64(HMAC-SHA256(secret, "ID.TIMESTAMP.BODY"))
//
// The secret comes from the environment: "whsec_" and base64, or the bytes as they are. It is
// written nowhere. Only https, or http to this machine; no redirect is followed.
#pragma once

#include "collect/http.h"
#include "detect/alert.h"

typedef struct WebhookTarget {
    const char *url;
    const char *outbox;
    Buffer key; // of the signatures
} WebhookTarget;

// `variable` names the environment variable of the secret. In the arena; webhook_free takes the
// key out of memory.
bool webhook_parse(Arena *arena, const char *url, const char *variable, const char *dir,
                   WebhookTarget *out, AzError *error);
void webhook_free(WebhookTarget *target);

// The body of an alert (OutboxWrite).
void webhook_message(Buffer *out, const Alert *alert, const char *version);

// Posts what is in the outbox, one after the other, and removes each that was answered with 2xx.
// What is throttled, fails on the other side or gets no answer is tried three times, with the
// pause that Retry-After asks for up to ten seconds, else one and two seconds; after that the
// others are left too, unless the alert itself was refused (400, 413, 422). *sent and *left count
// alerts; false with an error when some are left.
bool webhook_send(const WebhookTarget *target, size_t *sent, size_t *left, AzError *error);
