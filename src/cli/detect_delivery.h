// azimuth detect --syslog and --webhook: alerts on their way out, tried again while it follows.
#pragma once

#include "cli/detect_webhook.h"
#include "report/alert_outbox.h"
#include "report/alert_syslog.h"

typedef struct Delivery {
    const char *address; // as given; NULL: not asked for
    const char *outbox;
    OutboxWrite write;
    uint64_t next; // monotonic nanoseconds: when to try again; 0: nothing is left
    uint64_t wait; // nanoseconds, doubled at each failure
} Delivery;

enum { DELIVERY_SYSLOG, DELIVERY_WEBHOOK, DELIVERY_KINDS };

typedef struct Deliveries {
    Delivery of[DELIVERY_KINDS];
    SyslogTarget syslog;
    WebhookTarget webhook;
} Deliveries;

// What the options say, NULL each when not given; `store` is the folder of the outboxes. Free
// also after a failure.
bool deliveries_parse(Arena *arena, const char *syslog, const char *webhook, const char *secret,
                      const char *store, Deliveries *out, AzError *error);
void deliveries_free(Deliveries *deliveries);

// DetectOptions.keeping: the alerts go to the outboxes.
bool deliveries_keeping(void *deliveries, const AlertList *alerts, AzError *error);

// Sends what is in the outboxes, also of earlier runs. False, said on stderr, when some is left.
bool deliveries_send(Deliveries *deliveries);
// New alerts while following: receivers that failed last wait for deliveries_retry.
void deliveries_send_new(Deliveries *deliveries);
// The same once the wait after a failure is over.
void deliveries_retry(Deliveries *deliveries);
