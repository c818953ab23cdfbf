// Alerts to a syslog server: RFC 5424 messages that carry CEF, over UDP (RFC 5426, a datagram a
// message) or TCP (RFC 6587, octet counting).
//
// The alert's id is the message's MSGID and CEF's externalId. What waits to be sent lies in an
// outbox (alert_outbox.h).
#pragma once

#include "base/error.h"
#include "detect/alert.h"

typedef struct SyslogTarget {
    Str host, port;
    bool is_tcp;
    const char *outbox; // folder of the messages to this address
} SyslogTarget;

// "udp://HOST:PORT" or "tcp://HOST:PORT", the host of IPv6 in brackets; the outbox lies in
// DIR/outbox. In the arena.
bool syslog_parse(Arena *arena, const char *address, const char *dir, SyslogTarget *out,
                  AzError *error);

// The message of an alert (OutboxWrite).
void syslog_message(Buffer *out, const Alert *alert, const char *version);

// Sends what is in the outbox and removes it when all was taken: over TCP when the other side has
// acknowledged it and did not reset the connection. Waits at most about ten seconds for it. *sent
// and *left count messages; false with an error when some are left.
bool syslog_send(const SyslogTarget *target, size_t *sent, size_t *left, AzError *error);
