// Boxes and lines of the picture.
//
// A path is a set of steps in an order: what a step gains may be needed only at the end. So
// a step whose target does nothing later ("GrantSelfRole at the subscription") is a means,
// and the line to the goal leaves from the means: the picture reads from left to right as
// the path does. Goals that are gained in the same manner from the same boxes share one
// box, which keeps twenty paths to a page.

#include "report/path_picture.h"

#include "azure/arm.h"
#include "azure/path/path_choke.h"
#include "base/array.h"
#include "report/result_text.h"

#include <stdlib.h>

typedef struct Indexes {
    uint32_t *items;
    size_t len, cap;
} Indexes;

typedef struct Builder {
    Picture *picture;
    const PathModel *model;
    const PathList *list;
    Map objects; // object -> box
    Map groups;  // manner and boxes before it -> box
    Map lines;   // from>to -> line
} Builder;

// A guest as people know it: "kate_fabrikam.com#EXT#@contoso.onmicrosoft.com" is
// kate@fabrikam.com.
static Str
guest_name(Arena *arena, Str name)
{
    ptrdiff_t mark = str_find(name, STR("#EXT#@"));
    size_t at = mark > 0 ? (size_t)mark : 0;
    while (at && name.ptr[at - 1] != '_')
        at--;
    if (at < 2)
        return name;
    return str_format(arena, "%.*s@%.*s", STR_ARG(str_slice(name, 0, at - 1)),
                      STR_ARG(str_slice(name, at, (size_t)mark)));
}

static uint32_t
box_of(Builder *b, uint32_t index, bool is_start)
{
    Arena *arena = b->picture->arena;
    bool is_new;
    MapEntry *entry = map_add(&b->objects, str_format(arena, "%u", index), &is_new);
    if (is_new) {
        const PathObject *object = path_object(b->model, index);
        bool typed = object->kind == OBJECT_RESOURCE && object->type.len;
        PictureBox box = {
            .caption =
                typed ? arm_last_segment(object->type) : str_from(object_kind_name(object->kind)),
            .name = path_label(b->model, index),
            .shown = path_label(b->model, index),
        };
        if (object->kind == OBJECT_GUEST)
            box.shown = guest_name(arena, box.name);
        entry->number = b->picture->boxes.len;
        ARRAY_PUSH(arena, &b->picture->boxes, box);
    }
    b->picture->boxes.items[entry->number].is_start |= is_start;
    return (uint32_t)entry->number;
}

// Adds a word to a list of words, once.
static Str
with_word(Arena *arena, Str words, Str word)
{
    if (!words.len)
        return word;
    Str rest = words;
    while (rest.len) {
        ptrdiff_t comma = str_find(rest, STR(", "));
        if (str_equal(str_slice(rest, 0, comma < 0 ? rest.len : (size_t)comma), word))
            return words;
        rest = comma < 0 ? (Str){0} : str_slice(rest, (size_t)comma + 2, rest.len);
    }
    return str_format(arena, "%.*s, %.*s", STR_ARG(words), STR_ARG(word));
}

static void
connect(Builder *b, uint32_t from, uint32_t to, const PathStep *step, EdgeSeverity severity,
        uint32_t path)
{
    Picture *picture = b->picture;
    if (from == to)
        return;
    bool is_new;
    MapEntry *entry = map_add(&b->lines, str_format(picture->arena, "%u>%u", from, to), &is_new);
    if (is_new) {
        PictureLine line = {.from = from, .to = to};
        entry->number = picture->lines.len;
        ARRAY_PUSH(picture->arena, &picture->lines, line);
    }
    PictureLine *line = &picture->lines.items[entry->number];
    if (severity > line->severity)
        line->severity = severity;
    line->doubt |= step->doubt;
    line->kinds = with_word(picture->arena, line->kinds, step->kind->name);
    if (line->counted != path) {
        line->counted = path;
        line->paths++;
    }
    PictureBox *box = &picture->boxes.items[to];
    if (box->kind == BOX_OBJECT)
        box->reached = with_word(picture->arena, box->reached, step->kind->name);
    for (uint32_t i = 0; i < b->list->choke_count && !line->choke; i++)
        if (path_step_is_choke(b->model, step, &b->list->chokes[i]))
            line->choke = i + 1;
}

static bool
acts_later(const AttackPath *path, uint32_t after, uint32_t object)
{
    for (uint32_t i = after + 1; i < path->count; i++)
        for (uint32_t s = 0; s < path->steps[i].source_count; s++)
            if (path->steps[i].sources[s] == object)
                return true;
    return false;
}

static void
add_index(Arena *arena, Indexes *list, uint32_t index)
{
    for (size_t i = 0; i < list->len; i++)
        if (list->items[i] == index)
            return;
    ARRAY_PUSH(arena, list, index);
}

static int
index_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// The box of goals that this path's goal belongs to, with the goal in it.
static uint32_t
goal_box(Builder *b, const AttackPath *path, uint32_t number, const Indexes *before)
{
    Arena *arena = b->picture->arena;
    Str label = path_label(b->model, path_node(b->model, path->goal)->object);
    Str manner = path_goal_text(b->model, arena, path);
    if (manner.len > label.len && str_ends(manner, label))
        manner = str_trim(str_slice(manner, 0, manner.len - label.len));
    Buffer key = {0};
    buffer_printf(&key, "%.*s\n%d", STR_ARG(manner), (int)path->severity);
    for (size_t i = 0; i < before->len; i++)
        buffer_printf(&key, ",%u", before->items[i]);
    bool is_new;
    MapEntry *entry = map_add(&b->groups, str_copy(arena, buffer_slice(&key)), &is_new);
    buffer_free(&key);
    if (is_new) {
        PictureBox box = {.kind = BOX_GOALS, .severity = path->severity, .caption = manner};
        entry->number = b->picture->boxes.len;
        ARRAY_PUSH(arena, &b->picture->boxes, box);
    }
    PictureBox *box = &b->picture->boxes.items[entry->number];
    BoxItem item = {label, number};
    ARRAY_PUSH(arena, &box->goals, item);
    return (uint32_t)entry->number;
}

static void
add_path(Builder *b, const AttackPath *path, uint32_t number)
{
    Arena *arena = b->picture->arena;
    uint32_t goal = path_node(b->model, path->goal)->object;
    const PathStep *last = &path->steps[path->count - 1];
    Indexes before = {0}, finals = {0}, actors = {0};
    box_of(b, path->start, true);
    for (uint32_t i = 0; i < path->count; i++) {
        const PathStep *step = &path->steps[i];
        bool acts = acts_later(path, i, step->target);
        if (!acts && (step->target == goal || step->target == last->target)) {
            add_index(arena, &finals, i);
            continue;
        }
        uint32_t target = box_of(b, step->target, false);
        for (uint32_t s = 0; s < step->source_count; s++) {
            connect(b, box_of(b, step->sources[s], false), target, step, step->kind->severity,
                    number);
            if (!acts)
                add_index(arena, &actors, step->sources[s]);
        }
        if (!acts)
            add_index(arena, &before, target);
    }
    for (size_t i = 0; i < finals.len; i++) {
        const PathStep *step = &path->steps[finals.items[i]];
        for (uint32_t s = 0; s < step->source_count; s++) {
            bool spoken_for = false; // a means of its own already leads to the goal
            for (size_t a = 0; a < actors.len; a++)
                spoken_for |= actors.items[a] == step->sources[s];
            if (!spoken_for)
                add_index(arena, &before, box_of(b, step->sources[s], false));
        }
    }
    if (before.len)
        qsort(before.items, before.len, sizeof *before.items, index_order);
    uint32_t box = goal_box(b, path, number, &before);
    for (size_t i = 0; i < finals.len; i++)
        for (size_t f = 0; f < before.len; f++)
            connect(b, before.items[f], box, &path->steps[finals.items[i]], path->severity, number);
}

Picture *
path_picture_build(Arena *arena, const PathModel *model, const PathList *list)
{
    Picture *picture = ARENA_ARRAY(arena, Picture, 1);
    picture->arena = arena;
    Builder b = {.picture = picture, .model = model, .list = list};
    map_init(&b.objects, arena, false);
    map_init(&b.groups, arena, false);
    map_init(&b.lines, arena, false);
    for (uint32_t i = 0; i < list->count; i++) {
        if (picture->boxes.len + list->paths[i].count + 1 > PICTURE_BOXES_MOST)
            break;
        if (list->paths[i].count)
            add_path(&b, &list->paths[i], i + 1);
        picture->paths = i + 1;
    }
    // One badge a choke point: on the line that most paths take.
    for (uint32_t c = 1; c <= list->choke_count; c++) {
        PictureLine *best = NULL;
        for (size_t i = 0; i < picture->lines.len; i++) {
            PictureLine *line = &picture->lines.items[i];
            if (line->choke != c)
                continue;
            if (best && best->paths >= line->paths) {
                line->choke = 0;
                continue;
            }
            if (best)
                best->choke = 0;
            best = line;
        }
    }
    return picture;
}
