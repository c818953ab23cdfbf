// azimuth detect --syslog: alerts on their way out, tried again while it follows.
#pragma once

#include "report/alert_syslog.h"

typedef struct Delivery {
    bool on;
    SyslogTarget target;
    const char *address; // as given
    uint64_t next;       // monotonic nanoseconds: when to try again; 0: nothing is left
    uint64_t wait;       // nanoseconds, doubled at each failure
} Delivery;

// DetectOptions.keeping: the alerts go to the outbox.
bool delivery_keeping(void *delivery, const AlertList *alerts, AzError *error);

// Sends what is in the outbox, also of earlier runs. False, said on stderr, when some is left.
bool delivery_send(Delivery *delivery);

// The same once the wait after a failure is over.
void delivery_retry(Delivery *delivery);
