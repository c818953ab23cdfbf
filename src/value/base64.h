// Base64 (RFC 4648), plain and for URLs.
#pragma once

#include "base/buffer.h"

void base64_put(Buffer *out, Str bytes);    // padded
void base64url_put(Buffer *out, Str bytes); // `-` and `_`, without padding

// Appends the bytes of a padded text; blanks around it do not count, nor do bits left over
// before the padding. False, with nothing appended, when it is no base64.
bool base64_read(Buffer *out, Str text);

// Appends the bytes of the digits of either kind at the beginning of the text.
void base64_read_prefix(Buffer *out, Str text);
