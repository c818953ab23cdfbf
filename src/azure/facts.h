// Facts about Azure that ship as files of the content folder (content/azure): tables of
// lines, a comment where one starts with '#'.
#pragma once

#include "base/error.h"
#include "base/slice.h"

// Calls `take` for each line that is not empty and no comment. An error of `take` comes
// back with the file's name and the line's number in front.
bool facts_each_line(Arena *arena, const char *content, const char *name,
                     bool (*take)(void *context, Str line, AzError *error), void *context,
                     AzError *error);
