// Templates of JSON objects: learning one from a text, and taking the values of a text
// that follows one. See split.h.

#include "store/split.h"
#include "value/json.h"
#include "value/json_template.h"

enum { NESTING_MAX = 256 }; // of a value that is kept as JSON

typedef struct Learning {
    Arena *arena;
    const char *start, *end;
    const char *behind; // the last value
    SplitPlace *places;
    uint32_t count;
} Learning;

static const char *
skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

static bool
ends_value(const char *p, const char *end)
{
    return p < end && memchr(",}] \t\r\n", *p, 7) != NULL;
}

// Behind a string with anything in it; NULL when it does not end.
static const char *
string_end(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\';
    return p < end ? p + 1 : NULL;
}

// Behind the value at p, by its quotes and brackets alone.
static const char *
value_end(const char *p, const char *end)
{
    uint32_t open = 0, nested = 0;
    while (p < end) {
        if (*p == '"') {
            p = string_end(p, end);
            if (!p)
                return NULL;
        } else if (*p == '{' || *p == '[') {
            open++;
            if (++nested > NESTING_MAX)
                return NULL;
            p++;
        } else if (*p == '}' || *p == ']') {
            if (!open)
                return NULL;
            open--;
            p++;
        } else {
            p++;
            if (open)
                continue;
            while (p < end && !ends_value(p, end))
                p++;
        }
        if (!open)
            return p;
    }
    return NULL;
}

// The value at p; false when it is none.
static bool
take_cell(const char *p, const char *end, SplitCell *cell)
{
    const char *behind = NULL;
    cell->ptr = p;
    if (p < end && *p == '"') {
        behind = json_plain_end(p + 1, end);
        if (behind) {
            cell->class_ = CLASS_STRING;
            cell->len = (uint32_t)(behind + 1 - p);
            return true;
        }
    } else {
        int64_t number;
        behind = json_plain_long(p, end, &number);
        if (behind && ends_value(behind, end)) {
            cell->class_ = CLASS_LONG;
            cell->len = (uint32_t)(behind - p);
            return true;
        }
    }
    behind = value_end(p, end);
    if (!behind || behind - p > UINT16_MAX * 16)
        return false;
    Str text = {p, (size_t)(behind - p)};
    if ((unsigned char)*p == 0xEF) // a byte order mark is one at the start of a text alone
        return false;
    cell->len = (uint32_t)text.len;
    cell->class_ = str_equal(text, STR("null")) ? CLASS_NULL : CLASS_OTHER;
    return cell->class_ == CLASS_NULL || str_equal(text, STR("true")) ||
           str_equal(text, STR("false")) || json_is_valid(text);
}

Str
split_path_below(Arena *arena, Str path, Str key)
{
    uint32_t len = (uint32_t)key.len;
    char *out = arena_alloc_aligned(arena, path.len + sizeof(len) + key.len, 1);
    memcpy(out, path.ptr, path.len);
    memcpy(out + path.len, &len, sizeof(len));
    memcpy(out + path.len + sizeof(len), key.ptr, key.len);
    return (Str){out, path.len + sizeof(len) + key.len};
}

static const char *learn_object(Learning *l, const char *p, Str path, uint32_t depth);

// Behind the value at p.
static const char *
learn_value(Learning *l, const char *p, Str path, uint32_t depth)
{
    if (p < l->end && *p == '{' && depth < SPLIT_DEPTH) {
        const char *behind = l->behind;
        uint32_t count = l->count;
        const char *after = learn_object(l, p, path, depth + 1);
        if (after)
            return after;
        l->behind = behind;
        l->count = count;
    }
    SplitCell cell;
    if (l->count == SPLIT_VALUES || !take_cell(p, l->end, &cell))
        return NULL;
    l->places[l->count++] =
        (SplitPlace){.before = {l->behind, (size_t)(p - l->behind)}, .path = path};
    l->behind = p + cell.len;
    return l->behind;
}

static bool
key_repeats(const Str *keys, uint32_t count, Str key)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_equal(keys[i], key))
            return true;
    return false;
}

// Behind the object at p, which has members; NULL when it cannot be split.
static const char *
learn_object(Learning *l, const char *p, Str path, uint32_t depth)
{
    Str keys[SPLIT_VALUES];
    uint32_t count = 0;
    do {
        p = skip_space(p + 1, l->end);
        const char *close = p < l->end && *p == '"' ? json_plain_end(p + 1, l->end) : NULL;
        if (!close || count == SPLIT_VALUES)
            return NULL;
        Str key = {p + 1, (size_t)(close - p - 1)};
        if (key_repeats(keys, count, key))
            return NULL;
        keys[count++] = key;
        p = skip_space(close + 1, l->end);
        if (p == l->end || *p != ':')
            return NULL;
        p = learn_value(l, skip_space(p + 1, l->end), split_path_below(l->arena, path, key), depth);
        if (!p)
            return NULL;
        p = skip_space(p, l->end);
    } while (p < l->end && *p == ',');
    return p < l->end && *p == '}' ? p + 1 : NULL;
}

bool
split_learn(Arena *arena, Str text, SplitTemplate *out)
{
    if (text.len < 2 || text.ptr[0] != '{')
        return false;
    SplitPlace places[SPLIT_VALUES];
    Learning l = {arena, text.ptr, text.ptr + text.len, text.ptr, places, 0};
    if (learn_object(&l, text.ptr, (Str){"", 0}, 1) != l.end || !l.count)
        return false;
    *out = (SplitTemplate){.count = l.count};
    out->places = arena_copy(arena, places, l.count * sizeof(*places));
    out->after = (Str){l.behind, (size_t)(l.end - l.behind)};
    size_t bytes = out->after.len;
    for (uint32_t i = 0; i < l.count; i++)
        bytes += places[i].before.len + places[i].path.len;
    return bytes <= SPLIT_TEMPLATE;
}

bool
split_follow(const SplitTemplate *t, Str text, SplitCell *cells)
{
    const char *p = text.ptr, *end = p + text.len;
    for (uint32_t i = 0; i < t->count; i++) {
        Str before = t->places[i].before;
        if ((size_t)(end - p) < before.len || memcmp(p, before.ptr, before.len) != 0 ||
            !take_cell(p + before.len, end, &cells[i]))
            return false;
        p += before.len + cells[i].len;
    }
    return (size_t)(end - p) == t->after.len && memcmp(p, t->after.ptr, t->after.len) == 0;
}
