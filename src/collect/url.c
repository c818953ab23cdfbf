#include "collect/url.h"

#include <string.h>

static bool
starts_ci(Str text, Str prefix)
{
    return text.len >= prefix.len && str_equal_ci(str_slice(text, 0, prefix.len), prefix);
}

static bool
is_plain(Str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == '\\' || text.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool
is_port(Str port)
{
    for (size_t i = 0; i < port.len; i++)
        if (port.ptr[i] < '0' || port.ptr[i] > '9')
            return false;
    return port.len > 0 && port.len <= 5;
}

// Letters that mean something else in one parser or another make the host no host.
static bool
is_host(Str host, bool bracketed)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool fits = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '.' ||
                    c == '-' || c == '_' || (bracketed && c == ':');
        if (!fits)
            return false;
    }
    return host.len > 0 && host.len < 256;
}

bool
url_parse(Str text, Url *out)
{
    *out = (Url){0};
    if (starts_ci(text, STR("https://")))
        out->scheme = STR("https");
    else if (starts_ci(text, STR("http://")))
        out->scheme = STR("http");
    if (!out->scheme.len || !is_plain(text))
        return false;
    size_t from = out->scheme.len + 3, at = from;
    while (at < text.len && !strchr("/?#", text.ptr[at]))
        at++;
    Str authority = str_slice(text, from, at);
    out->rest = str_slice(text, at, text.len);
    bool bracketed = authority.len && authority.ptr[0] == '[';
    size_t end = 0;
    if (bracketed) {
        ptrdiff_t close = str_find(authority, STR("]"));
        if (close < 0)
            return false;
        out->host = str_slice(authority, 1, (size_t)close);
        end = (size_t)close + 1;
    } else {
        while (end < authority.len && authority.ptr[end] != ':')
            end++;
        out->host = str_slice(authority, 0, end);
    }
    if (end < authority.len) {
        out->port = str_slice(authority, end + 1, authority.len);
        if (authority.ptr[end] != ':' || !is_port(out->port))
            return false;
    }
    return is_host(out->host, bracketed);
}

static Str
port_of(const Url *url)
{
    if (url->port.len)
        return url->port;
    return url->scheme.len == 5 ? STR("443") : STR("80");
}

bool
url_same_origin(Str a, Str b)
{
    Url left, right;
    return url_parse(a, &left) && url_parse(b, &right) && str_equal(left.scheme, right.scheme) &&
           str_equal_ci(left.host, right.host) && str_equal(port_of(&left), port_of(&right));
}

// Whether the host is four numbers that begin with `prefix`: "127.evil.example" is not.
static bool
is_address(Str host, Str prefix)
{
    size_t dots = 0;
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] == '.')
            dots++;
        else if (host.ptr[i] < '0' || host.ptr[i] > '9')
            return false;
    }
    return dots == 3 && str_starts(host, prefix);
}

bool
url_is_loopback(const Url *url)
{
    return str_equal_ci(url->host, STR("localhost")) || str_equal(url->host, STR("::1")) ||
           is_address(url->host, STR("127."));
}

bool
url_is_link_local(const Url *url)
{
    return is_address(url->host, STR("169.254."));
}

void
url_encode(Buffer *out, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
            (c && strchr("-._~", c)))
            buffer_char(out, c);
        else
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

Str
url_without_blanks(Arena *arena, Str path)
{
    Buffer out = {0};
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] == ' ')
            buffer_text(&out, "%20");
        else
            buffer_char(&out, path.ptr[i]);
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}
