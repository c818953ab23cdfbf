#include "azure/facts.h"

#include <stdio.h>
#include <stdlib.h>

bool
facts_each_line(Arena *arena, const char *content, const char *name,
                bool (*take)(void *context, Str line, AzError *error), void *context,
                AzError *error)
{
    Str path = str_format(arena, "%s/azure/%s", content, name);
    FILE *file = fopen(path.ptr, "rb");
    if (!file)
        return error_errno(error, "cannot open '%s'", path.ptr);
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    bool done = true;
    AzError cause = {0};
    for (uint32_t number = 1; done && (len = getline(&line, &room, file)) >= 0; number++) {
        Str text = str_trim((Str){line, (size_t)len});
        if (!text.len || text.ptr[0] == '#')
            continue;
        done = take(context, text, &cause);
        if (!done)
            error_set(error, cause.code, "'%s', line %u: %s", path.ptr, number, cause.message);
    }
    if (done && ferror(file))
        done = error_errno(error, "cannot read '%s'", path.ptr);
    free(line);
    fclose(file);
    return done;
}
