// Looking for a text in the JSON of a dynamic without writing that JSON.
//
// Strings lie in a tree as they are (value/dynamic_layout.h), so most of what JSON shows can
// be looked for in the tree's bytes. What else a JSON text is made of, and a probe therefore
// keeps clear of: the marks between values, the escapes of characters, and scalars that are
// no strings.

#include "value/dynamic_search.h"
#include "base/array.h"
#include "value/unicode.h"

enum { PROBE_MIN = 3 };

// A GUID in a text, and as much of its end as is asked for.
enum { GUID_TEXT = 36, GUID_TAIL_TEXT = 23 };

static char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static bool
is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

// Whether JSON shows the character as it is, within strings and other scalars alone.
static bool
is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && !is_one_of(c, "{}[]\",:\\");
}

// How much of the run may be the end of an escape whose begin is before it: `n` of `\n`, or
// some of `u001f`.
static size_t
escape_tail(Str run)
{
    static const char FORM[] = "u00hh";
    enum { LEN = sizeof(FORM) - 1 };
    for (size_t len = LEN; len; len--) {
        const char *form = FORM + LEN - len;
        size_t i = 0;
        while (i < len && i < run.len &&
               (form[i] == 'h' ? is_one_of(lower(run.ptr[i]), "0123456789abcdef")
                               : lower(run.ptr[i]) == form[i]))
            i++;
        if (i == len || i == run.len)
            return i;
    }
    return run.len && is_one_of(lower(run.ptr[0]), "bfnrt") ? 1 : 0;
}

static int
hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, lower(c));
    return c && at ? (int)(at - digits) : -1;
}

// Whether the run is a GUID but for some digits at its begin; its last bytes. No scalar but a GUID has such an end.
static bool
guid_tail(Str run, uint8_t *tail)
{
    static const char FORM[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    if (run.len < GUID_TAIL_TEXT || run.len > GUID_TEXT)
        return false;
    const char *form = FORM + GUID_TEXT - run.len;
    for (size_t i = 0; i < run.len; i++)
        if (form[i] == '-' ? run.ptr[i] != '-' : hex_digit(run.ptr[i]) < 0)
            return false;
    const char *at = run.ptr + run.len;
    for (size_t b = DYN_PROBE_TAIL; b--;) {
        at -= at[-1] == '-';
        at -= 2;
        tail[b] = (uint8_t)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
    }
    return true;
}

// Whether the run may stand in a scalar that is no string.
static bool
may_be_scalar(Str run)
{
    static const Str WORDS[] = {STR_INIT("true"), STR_INIT("false"), STR_INIT("null"),
                                STR_INIT("nan"), STR_INIT("infinity")};
    for (size_t w = 0; w < COUNT_OF(WORDS); w++)
        if (unicode_contains_ci(WORDS[w], run))
            return true;
    // Numbers, times, spans and GUIDs; infinity may follow a sign.
    bool numeric = true;
    for (size_t i = 0; i < run.len; i++)
        numeric = numeric && is_one_of(lower(run.ptr[i]), "0123456789abcdefinqstyz+-.");
    return numeric;
}

DynProbe
dyn_search_probe(Str needle)
{
    DynProbe best = {0};
    for (size_t at = 0; at < needle.len;) {
        size_t end = at;
        while (end < needle.len && is_plain(needle.ptr[end]))
            end++;
        Str run = str_slice(needle, at, end);
        run = str_slice(run, escape_tail(run), run.len);
        DynProbe probe = {.text = run};
        probe.is_guid = guid_tail(run, probe.tail);
        if (run.len >= PROBE_MIN && run.len > best.text.len &&
            (probe.is_guid || !may_be_scalar(run)))
            best = probe;
        at = end + 1;
    }
    return best;
}

bool
dyn_may_print(Dyn node, const DynProbe *probe)
{
    return bytes_may_contain_ci((Str){(const char *)node.ptr, node.size}, probe->text) ||
           (probe->is_guid && memmem(node.ptr, node.size, probe->tail, sizeof(probe->tail)));
}
