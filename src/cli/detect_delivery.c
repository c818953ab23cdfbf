#include "cli/detect_delivery.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "version.h"

#define FIRST_WAIT_NS (UINT64_C(5) * 1000000000)
#define MOST_WAIT_NS  (UINT64_C(300) * 1000000000)

bool
deliveries_parse(Arena *arena, const char *syslog, const char *webhook, const char *secret,
                 const char *store, Deliveries *out, AzError *error)
{
    *out = (Deliveries){0};
    if (secret && !webhook)
        return error_set(error, AZ_INVALID, "--webhook-secret-env goes with --webhook");
    if (syslog && !syslog_parse(arena, syslog, store, &out->syslog, error))
        return false;
    if (webhook && !webhook_parse(arena, webhook, secret, store, &out->webhook, error))
        return false;
    out->of[DELIVERY_SYSLOG] =
        (Delivery){.address = syslog, .outbox = out->syslog.outbox, .write = syslog_message};
    out->of[DELIVERY_WEBHOOK] =
        (Delivery){.address = webhook, .outbox = out->webhook.outbox, .write = webhook_message};
    return true;
}

void
deliveries_free(Deliveries *deliveries)
{
    webhook_free(&deliveries->webhook);
}

bool
deliveries_keeping(void *context, const AlertList *alerts, AzError *error)
{
    Deliveries *deliveries = context;
    for (size_t i = 0; i < DELIVERY_KINDS; i++) {
        const Delivery *delivery = &deliveries->of[i];
        if (delivery->address &&
            !outbox_put(delivery->outbox, alerts, delivery->write, AZIMUTH_VERSION, error))
            return false;
    }
    return true;
}

static bool
send_one(Deliveries *deliveries, size_t kind)
{
    Delivery *delivery = &deliveries->of[kind];
    if (!delivery->address)
        return true;
    AzError error = {0};
    size_t sent, left;
    bool done = kind == DELIVERY_SYSLOG ? syslog_send(&deliveries->syslog, &sent, &left, &error)
                                        : webhook_send(&deliveries->webhook, &sent, &left, &error);
    if (done) {
        if (delivery->wait)
            cli_fail("%s takes alerts again: %zu were sent", delivery->address, sent);
        delivery->next = delivery->wait = 0;
        return true;
    }
    if (!left) { // nothing that could be tried again
        cli_fail("%s", error.message);
        return false;
    }
    if (!delivery->wait)
        cli_fail(
            "%zu alerts could not be delivered to %s: %s; they are kept in '%s' and sent at the "
            "next try or by the next run",
            left, delivery->address, error.message, delivery->outbox);
    delivery->wait = delivery->wait ? delivery->wait * 2 : FIRST_WAIT_NS;
    if (delivery->wait > MOST_WAIT_NS)
        delivery->wait = MOST_WAIT_NS;
    delivery->next = clock_monotonic_ns() + delivery->wait;
    return false;
}

bool
deliveries_send(Deliveries *deliveries)
{
    bool done = true;
    for (size_t i = 0; i < DELIVERY_KINDS; i++)
        done = send_one(deliveries, i) && done;
    return done;
}

void
deliveries_send_new(Deliveries *deliveries)
{
    for (size_t i = 0; i < DELIVERY_KINDS; i++)
        if (!deliveries->of[i].wait)
            send_one(deliveries, i);
}

void
deliveries_retry(Deliveries *deliveries)
{
    for (size_t i = 0; i < DELIVERY_KINDS; i++)
        if (deliveries->of[i].next && clock_monotonic_ns() >= deliveries->of[i].next)
            send_one(deliveries, i);
}
