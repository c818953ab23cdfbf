#include "collect/crypto_library.h"
#include "base/library.h"

#include <pthread.h>
#include <string.h>

static struct {
    pthread_once_t once;
    bool loaded;
    CryptoLibrary library;
} state = {.once = PTHREAD_ONCE_INIT};

static void
open_library(void)
{
    static const char *const NAMES[] = {"libcrypto.so.3"};
    void *library = library_open(NAMES, 1);
    state.loaded = library != NULL;
#define LOAD(name)                                                                                 \
    state.loaded = state.loaded && library_function(library, #name, &state.library.name);
    CRYPTO_FUNCTIONS(LOAD)
#undef LOAD
}

const CryptoLibrary *
crypto_library(AzError *error)
{
    pthread_once(&state.once, open_library);
    if (state.loaded)
        return &state.library;
    error_set(error, AZ_NOT_FOUND,
              "signing in by certificate needs libcrypto 3 of OpenSSL, which could not be opened: "
              "install the package libssl3");
    return NULL;
}
