// Where the S2 module is: beside the executable; in the folder above it, where the build
// has it for the tests; or in the folder for libraries of the installed program. Nowhere
// else, and only a file of root or of the executable's owner: what is loaded runs.

#include "value/geo_module.h"

#include "version.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MODULE_FILE[] = "libazimuth_geo.so";

static struct {
    pthread_once_t once;
    const GeoModule *module;
    AzError error; // why there is none
} state = {.once = PTHREAD_ONCE_INIT};

// Opens the module in `folder`; false when there is none, or none that fits.
static bool
open_in(const char *folder)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", folder, MODULE_FILE);
    struct stat program, file;
    if (stat(path, &file) != 0 || stat("/proc/self/exe", &program) != 0 ||
        (file.st_uid != 0 && file.st_uid != program.st_uid))
        return false;
    // Its symbols stay its own, and it stays open: plans and caches point into it.
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        error_clear(&state.error);
        return error_set(&state.error, AZ_NOT_FOUND,
                         "geo functions need the library S2, which could not be opened: %s",
                         dlerror());
    }
    GeoModuleFunction function;
    void *symbol = dlsym(library, GEO_MODULE_SYMBOL);
    memcpy(&function, &symbol, sizeof(function));
    const GeoModule *module = function ? function() : NULL;
    if (!module || module->version != GEO_MODULE_VERSION) {
        error_clear(&state.error);
        return error_set(&state.error, AZ_NOT_FOUND,
                         "%s is of another version of azimuth: install both anew", path);
    }
    state.module = module;
    return true;
}

static void
open_module(void)
{
    char folder[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", folder, sizeof(folder) - sizeof("/.."));
    if (len > 0) {
        folder[len] = 0;
        char *slash = strrchr(folder, '/');
        if (slash) {
            *slash = 0;
            if (open_in(folder))
                return;
            memcpy(slash, "/..", sizeof("/.."));
            if (open_in(folder))
                return;
        }
    }
    if (open_in(AZIMUTH_MODULE_DIR) || state.error.code != AZ_OK)
        return;
    error_set(&state.error, AZ_NOT_FOUND,
              "geo functions need %s, which is neither beside the program nor in %s: install it "
              "with the program",
              MODULE_FILE, AZIMUTH_MODULE_DIR);
}

const GeoModule *
geo_module(AzError *error)
{
    pthread_once(&state.once, open_module);
    if (!state.module)
        error_set(error, state.error.code, "%s", state.error.message);
    return state.module;
}
