// Templates of JSON: see json_template.h.
//
// A template is a flat object: what stands between its values, and the order of its keys.
// A text fits when it has exactly those bytes between its values, no white space, and each
// value is a string of plain ASCII, a whole number, a boolean or null. Everything else, so
// also whatever is not JSON, takes the parser's way.

#include "value/json_template.h"
#include "value/dynamic_layout.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    TEMPLATES = 4,
    MEMBERS_MAX = 64,
    BYTES_MAX = 2048, // between the values
    DIGITS_MAX = 18,  // of a number that surely fits
    TRIES = 64,       // texts in a row that fit nothing; then only some are learnt from
};

typedef struct Template {
    uint32_t count; // members; 0 = free
    uint32_t keys_size;
    char bytes[BYTES_MAX];            // `{"a":` `,"b":` ...
    uint16_t starts[MEMBERS_MAX + 1]; // of each of them in `bytes`
    uint8_t order[MEMBERS_MAX];       // members by ascending key
} Template;

struct JsonTemplates {
    Template items[TEMPLATES];
    uint32_t next;  // to be replaced
    uint32_t tried; // texts that fitted nothing since one did
};

// A value of a text: where its payload is, or what it is.
typedef struct Member {
    const char *text; // of a string
    int64_t number;
    uint32_t size; // of the node
    uint8_t tag;
} Member;

JsonTemplates *
json_templates_new(void)
{
    return calloc(1, sizeof(JsonTemplates));
}

void
json_templates_free(JsonTemplates *templates)
{
    free(templates);
}

static Str
template_key(const Template *t, uint32_t member)
{
    // Without the mark and quote before it, the quote and colon behind.
    return (Str){t->bytes + t->starts[member] + 2,
                 (size_t)(t->starts[member + 1] - t->starts[member]) - 4};
}

// ---- values ----

const char *
json_plain_end(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    for (; end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        // As signed bytes what is beyond ASCII is below the space too.
        __m128i hit = _mm_or_si128(
            _mm_cmplt_epi8(bytes, space),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        unsigned bits = (unsigned)_mm_movemask_epi8(hit);
        if (bits) {
            p += __builtin_ctz(bits);
            return *p == '"' ? p : NULL;
        }
    }
#endif
    for (; p < end; p++) {
        if (*p == '"')
            return p;
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x80 || *p == '\\')
            return NULL;
    }
    return NULL;
}

const char *
json_plain_long(const char *p, const char *end, int64_t *out)
{
    bool negative = p < end && *p == '-';
    const char *digits = p + negative;
    int64_t number = 0;
    for (p = digits; p < end && *p >= '0' && *p <= '9'; p++) {
        if (p - digits == DIGITS_MAX) // a digit more might not fit
            return NULL;
        number = number * 10 + (*p - '0');
    }
    // 07 is no number, -0 is a real.
    if (p == digits || (*digits == '0' && (p - digits > 1 || negative)))
        return NULL;
    *out = negative ? -number : number;
    return p;
}

// What goes on with . or e the parser knows.
static const char *
take_number(const char *p, const char *end, Member *out)
{
    p = json_plain_long(p, end, &out->number);
    if (p) {
        out->tag = DYN_LONG;
        out->size = dyn_long_size(out->number);
    }
    return p;
}

static const char *
take_word(const char *p, const char *end, Str word, uint8_t tag, Member *out)
{
    if ((size_t)(end - p) < word.len || memcmp(p, word.ptr, word.len) != 0)
        return NULL;
    *out = (Member){.tag = tag, .size = 1};
    return p + word.len;
}

// Behind the value at p; NULL when it is none that templates have.
static const char *
take_value(const char *p, const char *end, Member *out)
{
    if (p == end)
        return NULL;
    switch (*p) {
    case '"': {
        const char *close = json_plain_end(p + 1, end);
        if (!close)
            return NULL;
        out->tag = DYN_STRING;
        out->text = p + 1;
        out->size = (uint32_t)(close - p);
        return close + 1;
    }
    case 't': return take_word(p, end, STR("true"), DYN_BOOL | 1 << DYN_TAG_SHIFT, out);
    case 'f': return take_word(p, end, STR("false"), DYN_BOOL, out);
    case 'n': return take_word(p, end, STR("null"), DYN_NULL, out);
    default: return take_number(p, end, out);
    }
}

// ---- trees ----

// As bag_write() of dynamic_build.c.
static void
write_bag(const Template *t, const Member *members, uint32_t width, uint8_t *out)
{
    uint32_t end = 0;
    *out++ = dyn_container_tag(DYN_BAG, width);
    out = dyn_put_word(out, width, t->count);
    for (uint32_t m = 0; m < t->count; m++) {
        end += (uint32_t)template_key(t, m).len;
        out = dyn_put_word(out, width, end);
        end += members[m].size;
        out = dyn_put_word(out, width, end);
    }
    for (uint32_t m = 0; m < t->count; m++)
        out = dyn_put_word(out, width, t->order[m]);
    for (uint32_t m = 0; m < t->count; m++) {
        Str key = template_key(t, m);
        memcpy(out, key.ptr, key.len);
        out += key.len;
        *out = members[m].tag;
        if (members[m].tag == DYN_STRING)
            memcpy(out + 1, members[m].text, members[m].size - 1);
        else
            memcpy(out + 1, &members[m].number, members[m].size - 1);
        out += members[m].size;
    }
}

static bool
template_parse(const Template *t, Arena *arena, Str text, Text *out)
{
    Member members[MEMBERS_MAX];
    const char *p = text.ptr, *end = p + text.len;
    uint32_t data = t->keys_size;
    for (uint32_t m = 0; m < t->count; m++) {
        size_t len = (size_t)(t->starts[m + 1] - t->starts[m]);
        if ((size_t)(end - p) < len || memcmp(p, t->bytes + t->starts[m], len) != 0)
            return false;
        p = take_value(p + len, end, &members[m]);
        if (!p)
            return false;
        data += members[m].size;
    }
    if (p + 1 != end || *p != '}')
        return false;
    uint32_t width = data <= UINT8_MAX ? 1 : data <= UINT16_MAX ? 2 : 4;
    uint32_t size = 1 + width + t->count * width * 3 + data;
    uint8_t small[TEXT_INLINE];
    uint8_t *start = size <= TEXT_INLINE ? small : arena_alloc_aligned(arena, size, 1);
    write_bag(t, members, width, start);
    *out = text_view((const char *)start, size);
    return true;
}

bool
json_templates_parse(JsonTemplates *templates, Arena *arena, Str text, Text *out)
{
    if (!templates || text.len < 2 || text.len > UINT16_MAX * 64u)
        return false;
    for (uint32_t i = 0; i < TEMPLATES; i++) {
        const Template *t = &templates->items[i];
        if (t->count && template_parse(t, arena, text, out)) {
            templates->tried = 0;
            return true;
        }
    }
    return false;
}

// ---- learning ----

// Sorts the members by key; false when two are alike, of which the last counts.
static bool
sort_members(Template *t)
{
    for (uint32_t m = 0; m < t->count; m++) {
        uint32_t at = m;
        Str key = template_key(t, m);
        for (; at; at--) {
            int order = str_compare(template_key(t, t->order[at - 1]), key);
            if (order == 0)
                return false;
            if (order < 0)
                break;
            t->order[at] = t->order[at - 1];
        }
        t->order[at] = (uint8_t)m;
    }
    return true;
}

static bool
template_make(Template *t, Str text)
{
    const char *p = text.ptr, *end = p + text.len;
    *t = (Template){0};
    for (char mark = '{'; p < end && *p == mark; mark = ',') {
        Member ignored = {0};
        const char *close = end - p > 2 && p[1] == '"' ? json_plain_end(p + 2, end) : NULL;
        if (!close || close + 1 == end || close[1] != ':' || t->count == MEMBERS_MAX)
            return false;
        size_t len = (size_t)(close + 2 - p), at = t->starts[t->count];
        if (at + len > BYTES_MAX)
            return false;
        memcpy(t->bytes + at, p, len);
        t->starts[++t->count] = (uint16_t)(at + len);
        t->keys_size += (uint32_t)len - 4;
        p = take_value(close + 2, end, &ignored);
        if (!p)
            return false;
    }
    return t->count && p + 1 == end && *p == '}' && sort_members(t);
}

void
json_templates_learn(JsonTemplates *templates, Str text)
{
    if (!templates || text.len < 2 || text.ptr[0] != '{' ||
        (++templates->tried > TRIES && templates->tried % TRIES))
        return;
    Template *t = &templates->items[templates->next];
    if (template_make(t, text))
        templates->next = (templates->next + 1) % TEMPLATES;
    else
        t->count = 0;
}
