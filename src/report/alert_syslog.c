#include "report/alert_syslog.h"

#include "report/alert_export.h"
#include "report/alert_outbox.h"
#include "value/scalar.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 5000,         // for the connection, and for the other side to take what was sent
    DATAGRAM_MOST = 65000,  // bytes of a message over UDP
    FACILITY_LOG_ALERT = 14 // RFC 5424, table 1
};

bool
syslog_parse(Arena *arena, const char *address, const char *dir, SyslogTarget *out, AzError *error)
{
    Str text = str_from(address);
    *out = (SyslogTarget){.is_tcp = str_starts(text, STR("tcp://"))};
    bool known = out->is_tcp || str_starts(text, STR("udp://"));
    Str rest = known ? str_slice(text, 6, text.len) : (Str){0};
    size_t colon = rest.len;
    while (colon > 0 && rest.ptr[colon - 1] != ':')
        colon--;
    if (colon > 1) {
        out->host = str_slice(rest, 0, colon - 1);
        out->port = str_slice(rest, colon, rest.len);
    }
    if (out->host.len > 2 && out->host.ptr[0] == '[' && out->host.ptr[out->host.len - 1] == ']')
        out->host = str_slice(out->host, 1, out->host.len - 1);
    bool digits = out->port.len > 0 && out->port.len <= 5;
    for (size_t i = 0; i < out->port.len; i++)
        digits = digits && out->port.ptr[i] >= '0' && out->port.ptr[i] <= '9';
    if (!out->host.len || !digits)
        return error_set(error, AZ_INVALID,
                         "--syslog takes udp://HOST:PORT or tcp://HOST:PORT, not '%s'", address);
    out->host = str_copy(arena, out->host);
    out->port = str_copy(arena, out->port);
    out->outbox = outbox_folder(arena, dir, "syslog", address);
    return true;
}

// ---- the message ----

// RFC 5424: emergency 0 ... debug 7.
static int
severity_number(AlertSeverity severity)
{
    static const int NUMBERS[] = {
        [ALERT_INFORMATIONAL] = 6, [ALERT_LOW] = 5, [ALERT_MEDIUM] = 4, [ALERT_HIGH] = 2};
    return NUMBERS[severity];
}

// HEADER NILVALUE(structured data) MSG; names are printable ASCII without spaces (6.2).
void
syslog_message(Buffer *out, const Alert *alert, const char *version)
{
    char host[256] = "-";
    if (gethostname(host, sizeof host - 1) || !host[0])
        strcpy(host, "-");
    Buffer time = {0};
    datetime_print(&time, alert->run); // seven digits of a second, of which six are allowed
    Str when = str_slice(buffer_slice(&time), 0, 26);
    Str id = str_slice(alert->id, 0, 32); // MSGID has at most 32
    buffer_printf(out, "<%d>1 %.*sZ %s azimuth %ld %.*s - ",
                  FACILITY_LOG_ALERT * 8 + severity_number(alert->severity), STR_ARG(when), host,
                  (long)getpid(), STR_ARG(id));
    buffer_free(&time);
    Alert one = *alert;
    AlertList list = {.items = &one, .len = 1};
    alerts_cef(out, &list, version);
    out->len--; // without the end of the line
}

// ---- the connection ----

static bool
wait_for(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};
    int ready;
    do
        ready = poll(&one, 1, WAIT_MS);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0;
}

static int
try_address(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    address->ai_protocol);
    if (fd < 0)
        return -1;
    int problem = 0;
    socklen_t size = sizeof problem;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
        (errno == EINPROGRESS && wait_for(fd, POLLOUT) &&
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && !problem))
        return fd;
    problem = problem ? problem : errno;
    close(fd);
    errno = problem;
    return -1;
}

static int
connect_target(const SyslogTarget *target, AzError *error)
{
    Arena arena = {0};
    struct addrinfo hints = {.ai_socktype = target->is_tcp ? SOCK_STREAM : SOCK_DGRAM};
    struct addrinfo *found = NULL;
    int fd = -1, code = getaddrinfo(str_cstr(&arena, target->host), str_cstr(&arena, target->port),
                                    &hints, &found);
    if (code)
        error_set(error, AZ_IO, "there is no such host: %s", gai_strerror(code));
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = try_address(at);
    if (!code && fd < 0)
        error_errno(error, "no connection");
    if (found)
        freeaddrinfo(found);
    arena_free(&arena);
    return fd;
}

static bool
send_all(int fd, Str text)
{
    while (text.len) {
        ssize_t count = send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno != EAGAIN || !wait_for(fd, POLLOUT)))
            return false;
        if (count > 0)
            text = str_slice(text, (size_t)count, text.len);
    }
    return true;
}

// Until the other side's system has acknowledged all that was sent.
static bool
wait_taken(int fd)
{
    for (int i = 0; i < WAIT_MS / 10; i++) {
        int waiting = 0, problem = 0;
        socklen_t size = sizeof problem;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) || problem) {
            errno = problem ? problem : errno;
            return false;
        }
        if (ioctl(fd, SIOCOUTQ, &waiting) == 0 && waiting == 0)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    errno = ETIMEDOUT;
    return false;
}

// Syslog has no receipts. What tells most is how the connection ends: a server that threw away
// what it had not read resets it, one that read all closes it or lets it stand.
static bool
end_stream(int fd)
{
    enum { GRACE_MS = 1000 };
    char block[256];
    if (!wait_taken(fd) || shutdown(fd, SHUT_WR))
        return false;
    struct pollfd one = {.fd = fd, .events = POLLIN};
    ssize_t count = 1;
    while (count > 0 && poll(&one, 1, GRACE_MS) > 0)
        count = recv(fd, block, sizeof block, MSG_DONTWAIT);
    return count >= 0 || errno == EAGAIN;
}

// Nothing tells that a datagram came; that nobody listens there is told soon, if at all.
static bool
was_refused(int fd)
{
    struct pollfd one = {.fd = fd};
    int problem = 0;
    socklen_t size = sizeof problem;
    poll(&one, 1, 20);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem)
        errno = problem;
    return problem != 0;
}

// One message as it travels: counted over TCP, cut to a datagram over UDP.
static bool
send_message(const SyslogTarget *target, int fd, Str text)
{
    if (!target->is_tcp)
        return send_all(fd,
                        str_slice(text, 0, text.len < DATAGRAM_MOST ? text.len : DATAGRAM_MOST)) &&
               !was_refused(fd);
    char head[24];
    snprintf(head, sizeof head, "%zu ", text.len);
    return send_all(fd, str_from(head)) && send_all(fd, text);
}

// ---- sending ----

// All that waits, in one connection; *sent counts those that went out.
static bool
send_waiting(const SyslogTarget *target, const Outbox *outbox, size_t *sent, AzError *error)
{
    int fd = connect_target(target, error);
    if (fd < 0)
        return false;
    bool done = true;
    for (size_t i = 0; done && i < outbox->count; i++) {
        Buffer text = {0};
        done = outbox_read(outbox, i, &text) && send_message(target, fd, buffer_slice(&text));
        buffer_free(&text);
        *sent += done;
    }
    done = done && (!target->is_tcp || end_stream(fd));
    if (!done)
        error_errno(error, "after %zu messages", *sent);
    close(fd);
    return done;
}

bool
syslog_send(const SyslogTarget *target, size_t *sent, size_t *left, AzError *error)
{
    Outbox outbox;
    size_t tried = 0;
    outbox_open(target->outbox, &outbox);
    bool done = !outbox.count || send_waiting(target, &outbox, &tried, error);
    // Only now are they known to be there: all go, or all are sent again.
    while (done && outbox.removed < outbox.count)
        done = outbox_remove(&outbox, outbox.removed, error);
    *sent = outbox.removed;
    *left = outbox.count - outbox.removed;
    done = done && outbox_sound(&outbox, error);
    outbox_close(&outbox);
    return done;
}
