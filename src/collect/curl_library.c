#include "collect/curl_library.h"

#include "base/array.h"
#include "base/library.h"

#include <pthread.h>
#include <string.h>

static struct {
    pthread_once_t once;
    bool loaded;
    CurlLibrary library;
} state = {.once = PTHREAD_ONCE_INIT};

static void
open_library(void)
{
    static const char *const NAMES[] = {"libcurl.so.4", "libcurl.so"};
    CurlLibrary *curl = &state.library;
    void *library = library_open(NAMES, COUNT_OF(NAMES));
    state.loaded =
        library && library_function(library, "curl_global_init", &curl->global_init) &&
        library_function(library, "curl_easy_init", &curl->easy_init) &&
        library_function(library, "curl_easy_cleanup", &curl->easy_cleanup) &&
        library_function(library, "curl_easy_setopt", &curl->easy_setopt) &&
        library_function(library, "curl_easy_getinfo", &curl->easy_getinfo) &&
        library_function(library, "curl_easy_strerror", &curl->easy_strerror) &&
        library_function(library, "curl_slist_append", &curl->slist_append) &&
        library_function(library, "curl_slist_free_all", &curl->slist_free_all) &&
        library_function(library, "curl_multi_init", &curl->multi_init) &&
        library_function(library, "curl_multi_cleanup", &curl->multi_cleanup) &&
        library_function(library, "curl_multi_setopt", &curl->multi_setopt) &&
        library_function(library, "curl_multi_add_handle", &curl->multi_add_handle) &&
        library_function(library, "curl_multi_remove_handle", &curl->multi_remove_handle) &&
        library_function(library, "curl_multi_perform", &curl->multi_perform) &&
        library_function(library, "curl_multi_poll", &curl->multi_poll) &&
        library_function(library, "curl_multi_info_read", &curl->multi_info_read) &&
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
