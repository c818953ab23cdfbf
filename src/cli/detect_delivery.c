#include "cli/detect_delivery.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "version.h"

#include <inttypes.h>

#define FIRST_WAIT_NS (UINT64_C(5) * 1000000000)
#define MOST_WAIT_NS  (UINT64_C(300) * 1000000000)

bool
delivery_keeping(void *context, const AlertList *alerts, AzError *error)
{
    Delivery *delivery = context;
    return syslog_put(&delivery->target, alerts, AZIMUTH_VERSION, error);
}

bool
delivery_send(Delivery *delivery)
{
    if (!delivery->on)
        return true;
    AzError error = {0};
    size_t sent, left;
    if (syslog_send(&delivery->target, &sent, &left, &error)) {
        if (delivery->wait)
            cli_fail("%s takes alerts again: %zu were sent", delivery->address, sent);
        delivery->next = delivery->wait = 0;
        return true;
    }
    if (!delivery->wait)
        cli_fail(
            "%zu alerts could not be delivered to %s: %s; they are kept in '%s' and sent at the "
            "next try or by the next run",
            left, delivery->address, error.message, delivery->target.outbox);
    delivery->wait = delivery->wait ? delivery->wait * 2 : FIRST_WAIT_NS;
    if (delivery->wait > MOST_WAIT_NS)
        delivery->wait = MOST_WAIT_NS;
    delivery->next = clock_monotonic_ns() + delivery->wait;
    return false;
}

void
delivery_retry(Delivery *delivery)
{
    if (delivery->next && clock_monotonic_ns() >= delivery->next)
        delivery_send(delivery);
}
