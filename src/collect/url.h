// Url: the few things a collector must know about an address before it sends a token there.
#pragma once

#include "base/buffer.h"
#include "base/error.h"

typedef struct Url {
    Str scheme, host, port, rest; // views; `host` without brackets; `rest` is path and query
} Url;

// Splits an absolute http or https address. False for anything else, and for what parsers
// read in different ways: user names, backslashes, blanks, control characters.
bool url_parse(Str text, Url *out);

// Same scheme, host and port; the default port and its absence are the same.
bool url_same_origin(Str a, Str b);

bool url_is_loopback(const Url *url);   // 127.0.0.0/8, ::1, localhost
bool url_is_link_local(const Url *url); // 169.254.0.0/16

// Appends `text` percent-encoded, as query values and forms need it.
void url_encode(Buffer *out, Str text);
// A path that people wrote, with its blanks as %20; all else must be right already.
Str url_without_blanks(Arena *arena, Str path);
