// Sets of planned resources.

#include "azure/template/template.h"

#include <string.h>

static void *
grow(Arena *arena, void *items, uint32_t len, size_t size)
{
    if (len & (len - 1)) // room is made at powers of two
        return items;
    void *room = arena_zalloc_array(arena, len ? len * 2 : 1, size);
    if (len)
        memcpy(room, items, len * size);
    return room;
}

void
planned_add(PlannedSet *set, const PlannedResource *resource)
{
    set->items = grow(set->arena, set->items, set->count, sizeof(*set->items));
    set->items[set->count++] = *resource;
}

void
planned_note(PlannedSet *set, Str note)
{
    for (uint32_t i = 0; i < set->note_count; i++)
        if (str_equal(set->notes[i], note))
            return;
    set->notes = grow(set->arena, set->notes, set->note_count, sizeof(*set->notes));
    set->notes[set->note_count++] = note;
}

PolicyValue
planned_unknown(PlannedSet *set, Str why)
{
    enum { REASON_LIMIT = 1000 };
    for (uint32_t i = 0; i < set->unknown_count; i++)
        if (str_equal(set->unknowns[i], why))
            return policy_unknown(i);
    if (set->unknown_count >= REASON_LIMIT)
        return policy_unknown(REASON_LIMIT - 1);
    set->unknowns = grow(set->arena, set->unknowns, set->unknown_count, sizeof(*set->unknowns));
    set->unknowns[set->unknown_count] = str_copy(set->arena, why);
    return policy_unknown(set->unknown_count++);
}

static Str
next_segment(Str *rest)
{
    const char *slash = rest->len ? memchr(rest->ptr, '/', rest->len) : NULL;
    size_t len = slash ? (size_t)(slash - rest->ptr) : rest->len;
    Str segment = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len + 1, rest->len);
    return segment;
}

static void
put_segment(Buffer *out, Str segment)
{
    buffer_char(out, '/');
    buffer_str(out, segment);
}

// A resource group is no resource of a provider: /subscriptions/S/resourceGroups/NAME.
static bool
is_group(Str type)
{
    return str_equal_ci(type, STR("Microsoft.Resources/resourceGroups")) ||
           str_equal_ci(type, STR("Microsoft.Resources/subscriptions/resourceGroups"));
}

Str
planned_id(Arena *arena, Str scope, Str type, Str name, Str *plain_type)
{
    *plain_type = type;
    while (scope.len && scope.ptr[scope.len - 1] == '/')
        scope.len--;
    if (is_group(type)) {
        *plain_type = STR("Microsoft.Resources/subscriptions/resourceGroups");
        return str_format(arena, "%.*s/resourceGroups/%.*s", STR_ARG(scope), STR_ARG(name));
    }
    Buffer id = {0};
    Str rest = type, start = type, names = name;
    bool fits = true;
    buffer_str(&id, scope);
    while (rest.len && fits) {
        Str segment = next_segment(&rest);
        bool provider = start.ptr == segment.ptr;
        if (provider || str_equal_ci(segment, STR("providers"))) {
            if (!provider) { // an extension: its provider stands in the name, too
                start = rest;
                segment = next_segment(&rest);
                fits = str_equal_ci(next_segment(&names), segment);
            }
            buffer_text(&id, "/providers");
            put_segment(&id, segment);
            continue;
        }
        Str one = next_segment(&names);
        put_segment(&id, segment);
        put_segment(&id, one);
        fits = one.len > 0;
    }
    fits &= !names.len && start.len < id.len;
    *plain_type = start;
    Str kept = fits ? str_copy(arena, buffer_slice(&id)) : (Str){0};
    buffer_free(&id);
    return kept;
}

void
template_blank_comments(char *text, size_t len)
{
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (quoted) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                quoted = false;
            continue;
        }
        quoted = text[i] == '"';
        if (text[i] != '/' || i + 1 == len || (text[i + 1] != '/' && text[i + 1] != '*'))
            continue;
        bool line = text[i + 1] == '/';
        for (text[i++] = ' '; i < len && !(line && text[i] == '\n'); i++) {
            bool end = !line && text[i] == '*' && i + 1 < len && text[i + 1] == '/';
            if (text[i] != '\n')
                text[i] = ' ';
            if (end) {
                text[++i] = ' ';
                break;
            }
        }
    }
}
