// Choke points: steps that many paths share.
#pragma once

#include "azure/path/path_list.h"

// Fills the choke points of a list: the steps with a way to break them, by the number of
// paths through them.
void path_find_chokes(const PathModel *model, Arena *arena, PathList *list);

// Searches again without the step, from every start of the list's paths, and counts the
// paths that are left without any other way.
void path_try_choke(const PathModel *model, PathSearch *search, const PathList *list,
                    ChokePoint *choke);

// Whether cutting there breaks this step.
bool path_step_is_choke(const PathModel *model, const PathStep *step, const ChokePoint *choke);
