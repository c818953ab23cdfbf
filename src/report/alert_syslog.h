// Alerts to a syslog server: RFC 5424 messages that carry CEF, over UDP (RFC 5426, a datagram a
// message) or TCP (RFC 6587, octet counting).
//
// A message is written to an outbox, a folder of one file an alert, before its alert is kept,
// and removed when it was sent: after a crash or while the server is away it waits there, and it
// may be sent twice but not never. The alert's id is the message's MSGID and CEF's externalId.
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

// Puts the alerts into the outbox; durable on return.
bool syslog_put(const SyslogTarget *target, const AlertList *alerts, const char *version,
                AzError *error);

// Sends what is in the outbox and removes it when all was taken: over TCP when the other side has
// acknowledged it and did not reset the connection. Waits at most about ten seconds for it. *sent and *left count messages;
// false with an error when some are left.
bool syslog_send(const SyslogTarget *target, size_t *sent, size_t *left, AzError *error);
