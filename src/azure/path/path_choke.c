#include "azure/path/path_choke.h"

#include "base/array.h"

#include <stdlib.h>

enum { CHOKES_SHOWN = 5, TRIED_MOST = 2000 };

typedef struct ChokeArray {
    ChokePoint *items;
    size_t len, cap;
} ChokeArray;

// One assignment, credential or rule is one thing to fix, however many steps hang on it.
static Str
choke_key(Arena *arena, const PathModel *model, const PathStep *step)
{
    if (step->evidence && step->evidence->id.len)
        return step->evidence->id;
    const PathEdge *edge = path_edge(model, step->edge);
    return str_format(arena, "%u>%u:%u", edge->from, edge->to, edge->kind);
}

static int
choke_order(const void *a, const void *b)
{
    const ChokePoint *x = a, *y = b;
    if (x->paths != y->paths)
        return x->paths > y->paths ? -1 : 1;
    return x->step.edge < y->step.edge ? -1 : x->step.edge > y->step.edge;
}

void
path_find_chokes(const PathModel *model, Arena *arena, PathList *list)
{
    ChokeArray chokes = {0};
    Map known; // key -> index; the path that counted last is kept beside it
    map_init(&known, arena, true);
    struct {
        uint32_t *items;
        size_t len, cap;
    } counted_by = {0};
    for (uint32_t i = 0; i < list->found; i++) {
        const AttackPath *path = &list->paths[i];
        for (uint32_t j = 0; j < path->count; j++) {
            const PathStep *step = &path->steps[j];
            if (!step->kind->remedy.len && !step->kind->command.len && !step->kind->commands.len)
                continue;
            bool is_new;
            MapEntry *entry = map_add(&known, choke_key(arena, model, step), &is_new);
            if (is_new) {
                ChokePoint choke = {.step = *step};
                entry->number = chokes.len;
                ARRAY_PUSH(arena, &chokes, choke);
                ARRAY_PUSH(arena, &counted_by, UINT32_MAX);
            }
            if (counted_by.items[entry->number] != i)
                chokes.items[entry->number].paths++;
            counted_by.items[entry->number] = i;
        }
    }
    if (chokes.len)
        qsort(chokes.items, chokes.len, sizeof *chokes.items, choke_order);
    list->chokes = chokes.items;
    list->choke_count = chokes.len < CHOKES_SHOWN ? (uint32_t)chokes.len : CHOKES_SHOWN;
}

static void
ban(const PathModel *model, const PathStep *step, uint8_t *banned)
{
    const PathEdge *cut = path_edge(model, step->edge);
    Str id = step->evidence ? step->evidence->id : (Str){0};
    for (uint32_t i = 0; i < path_edge_count(model); i++) {
        const PathEdge *edge = path_edge(model, i);
        if (id.len)
            banned[i] =
                edge->evidence && str_equal_ci(path_evidence(model, edge->evidence)->id, id);
        else
            banned[i] = edge->from == cut->from && edge->to == cut->to && edge->kind == cut->kind;
    }
}

bool
path_step_is_choke(const PathModel *model, const PathStep *step, const ChokePoint *choke)
{
    Str cut = choke->step.evidence ? choke->step.evidence->id : (Str){0};
    Str id = step->evidence ? step->evidence->id : (Str){0};
    if (cut.len || id.len)
        return str_equal_ci(cut, id);
    const PathEdge *a = path_edge(model, choke->step.edge), *b = path_edge(model, step->edge);
    return a->from == b->from && a->to == b->to && a->kind == b->kind;
}

// Whether an earlier path of the list has the same start and goal, or the same start.
static bool
came_before(const PathList *list, uint32_t at, bool same_goal)
{
    for (uint32_t i = 0; i < at; i++)
        if (list->paths[i].start_node == list->paths[at].start_node &&
            (!same_goal || list->paths[i].goal == list->paths[at].goal))
            return true;
    return false;
}

void
path_try_choke(const PathModel *model, PathSearch *search, const PathList *list, ChokePoint *choke)
{
    if (list->found > TRIED_MOST)
        return;
    Arena scratch = {0};
    uint8_t *banned = ARENA_ARRAY(&scratch, uint8_t, path_edge_count(model));
    ban(model, &choke->step, banned);
    choke->tried = true;
    for (uint32_t i = 0; i < list->found; i++) {
        const AttackPath *path = &list->paths[i];
        if (came_before(list, i, false))
            continue;
        path_search_run(search, &path->start_node, 1, path->inside, banned);
        for (uint32_t j = i; j < list->found; j++)
            if (list->paths[j].start_node == path->start_node && !came_before(list, j, true) &&
                !path_search_reached(search, list->paths[j].goal))
                choke->closed++;
    }
    arena_free(&scratch);
}
