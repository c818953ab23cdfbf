// libcurl, opened when the first request is made: starting the program must not pay for it.
#pragma once

#include "base/error.h"

#include <curl/curl.h>

typedef struct CurlLibrary {
    typeof(curl_global_init) *global_init;
    typeof(curl_easy_init) *easy_init;
    typeof(curl_easy_cleanup) *easy_cleanup;
    typeof(curl_easy_setopt) *easy_setopt;
    typeof(curl_easy_getinfo) *easy_getinfo;
    typeof(curl_easy_strerror) *easy_strerror;
    typeof(curl_slist_append) *slist_append;
    typeof(curl_slist_free_all) *slist_free_all;
    typeof(curl_multi_init) *multi_init;
    typeof(curl_multi_cleanup) *multi_cleanup;
    typeof(curl_multi_setopt) *multi_setopt;
    typeof(curl_multi_add_handle) *multi_add_handle;
    typeof(curl_multi_remove_handle) *multi_remove_handle;
    typeof(curl_multi_perform) *multi_perform;
    typeof(curl_multi_poll) *multi_poll;
    typeof(curl_multi_info_read) *multi_info_read;
} CurlLibrary;

// The library, or NULL with an error that says what to install. Once a process.
const CurlLibrary *curl_library(AzError *error);
