#include "cli/edit_library.h"
#include "base/library.h"

bool
edit_library_open(EditLibrary *library, AzError *error)
{
    static const char *const NAMES[] = {"libedit.so.2"};
    void *opened = library_open(NAMES, 1);
    bool loaded = opened != NULL;
#define LOAD(name) loaded = loaded && library_function(opened, #name, &library->name);
    EDIT_FUNCTIONS(LOAD)
#undef LOAD
    if (!loaded)
        error_set(error, AZ_NOT_FOUND,
                  "the prompt needs libedit, which could not be opened: install the package "
                  "libedit2, or give the query as an argument or with --file");
    return loaded;
}
