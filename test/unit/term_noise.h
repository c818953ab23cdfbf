// Texts that terms are cut from, and needles cut from texts, at random.
#pragma once

#include "base/buffer.h"
#include "column/vector.h"
#include "value/unicode.h"

static uint64_t noise_state = 88172645463325252u;

static inline uint32_t
noise(uint32_t limit)
{
    noise_state ^= noise_state << 13;
    noise_state ^= noise_state >> 7;
    noise_state ^= noise_state << 17;
    return (uint32_t)(noise_state % limit);
}

static const char *const PIECES[] = {
    "error",
    "Error",
    "Kusto",
    "a",
    "b7",
    "the",
    "IGNORE",
    "instructions",
    " ",
    " ",
    "-",
    ".",
    "/",
    "_",
    ":",
    "\"",
    "\\",
    "203",
    "0",
    "113",
    "7",
    "10.1.2.3",
    "255.255.255.0",
    "1.2",
    "\xC3\xA4",
    "\xC3\x84",
    "\xC3\x9F",
    "\xE2\x80\x9C",
    "\xC5\xBF",
    "\xE2\x84\xAA",
    "\xCE\xB9",
    "\xCF\x82",
    "\xCF\x83",
    "\xD0\x96",
    "\xEF\xBC\x91",
    "\xFF",
    "\xC3",
    "\xA4",
    "c1db",
    "deadbeef",
    "f00dcafe1234",
    "5baf3542-278c-41fd-a9e7-1b8bf5bb67a9",
    "5BAF3542-278C-41FD-A9E7-1B8BF5BB67A9",
    "00000003-0000-0000-c000-000000000000",
    "5baf3542-278c-41fd-a9e7-1b8bf5bb67a",
};
static const char *const RARE[] = {"\xCD\x85", "\xC4\xB0"}; // of which no index may speak

static inline Str
random_text(Arena *arena, uint32_t most, bool rare)
{
    Buffer out = {0};
    for (uint32_t n = noise(most + 1); n > 0; n--) {
        uint32_t kind = noise(12);
        if (kind == 0)
            buffer_printf(&out, "w%x", noise(5000));
        else if (kind == 1)
            buffer_printf(&out, "%08x-%04x-%04x-%04x-%08x%04x", noise(UINT32_MAX), noise(65536),
                          noise(65536), noise(65536), noise(UINT32_MAX), noise(65536));
        else if (kind == 2)
            buffer_printf(&out, "%u.%u.%u.%u", noise(256), noise(256), noise(256), noise(256));
        else if (kind == 3 && rare && noise(20) == 0)
            buffer_text(&out, RARE[noise(COUNT_OF(RARE))]);
        else
            buffer_text(&out, PIECES[noise(COUNT_OF(PIECES))]);
    }
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

// A needle: cut from a text anywhere, its case changed now and then; or a text of its own.
static inline Str
random_needle(Arena *arena, const Vector *values)
{
    Str text = text_str((const Text *)values->data + noise(values->count));
    if (noise(8) == 0 || !text.len)
        return random_text(arena, 3, true);
    size_t from = noise((uint32_t)text.len), to = from + 1 + noise(40);
    Str needle = str_copy(arena, str_slice(text, from, to));
    Buffer changed = {0};
    if (noise(3) == 0) {
        unicode_upper(&changed, needle);
        needle = str_copy(arena, buffer_slice(&changed));
    }
    buffer_free(&changed);
    return needle;
}

static inline bool
stands(Str text, Str needle, bool begins, bool ends)
{
    return begins && ends ? term_has(text, needle, true)
           : begins       ? term_has_prefix(text, needle, true)
           : ends         ? term_has_suffix(text, needle, true)
                          : unicode_contains_ci(text, needle);
}
