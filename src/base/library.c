#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

void *
library_open(const char *const *names, size_t count)
{
    void *library = NULL;
    for (size_t i = 0; !library && i < count; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    return library;
}

bool
library_function(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof(found)); // C has no cast between the two kinds of pointer
    return found != NULL;
}
