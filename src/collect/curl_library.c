#include "collect/curl_library.h"

#include "base/array.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static struct {
    pthread_once_t once;
    bool loaded;
    CurlLibrary library;
} state = {.once = PTHREAD_ONCE_INIT};

static bool
load(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof(found));
    return found != NULL;
}

static void
open_library(void)
{
    static const char *const NAMES[] = {"libcurl.so.4", "libcurl.so"};
    CurlLibrary *curl = &state.library;
    void *library = NULL;
    for (size_t i = 0; !library && i < COUNT_OF(NAMES); i++)
        library = dlopen(NAMES[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    state.loaded = library && load(library, "curl_global_init", &curl->global_init) &&
                   load(library, "curl_easy_init", &curl->easy_init) &&
                   load(library, "curl_easy_cleanup", &curl->easy_cleanup) &&
                   load(library, "curl_easy_setopt", &curl->easy_setopt) &&
                   load(library, "curl_easy_getinfo", &curl->easy_getinfo) &&
                   load(library, "curl_easy_strerror", &curl->easy_strerror) &&
                   load(library, "curl_slist_append", &curl->slist_append) &&
                   load(library, "curl_slist_free_all", &curl->slist_free_all) &&
                   load(library, "curl_multi_init", &curl->multi_init) &&
                   load(library, "curl_multi_cleanup", &curl->multi_cleanup) &&
                   load(library, "curl_multi_setopt", &curl->multi_setopt) &&
                   load(library, "curl_multi_add_handle", &curl->multi_add_handle) &&
                   load(library, "curl_multi_remove_handle", &curl->multi_remove_handle) &&
                   load(library, "curl_multi_perform", &curl->multi_perform) &&
                   load(library, "curl_multi_poll", &curl->multi_poll) &&
                   load(library, "curl_multi_info_read", &curl->multi_info_read) &&
                   curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const CurlLibrary *
curl_library(AzError *error)
{
    pthread_once(&state.once, open_library);
    if (state.loaded)
        return &state.library;
    error_set(error, AZ_NOT_FOUND,
              "collecting needs libcurl 7.66 or newer, which could not be opened: install the "
              "package libcurl4");
    return NULL;
}
