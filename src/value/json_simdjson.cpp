// The only file that knows simdjson (3.0): its first stage, as json_index.h says.
//
// Of simdjson only the stage that needs SIMD is used, chosen for the processor at
// run time. The library is opened by the first text, so that what reads no JSON starts without it
// and without libstdc++, which it brings: of its functions one is called by name, all others are
// virtual. Its second stage cannot give us what we need at once: the raw text of
// members, integers beyond 64 bits, and a depth limit with the place of the error.

#include "value/json_index.h"

extern "C" {
#include "base/library.h"
}

#include <simdjson.h>

#include <cstdio>
#include <memory>
#include <new>
#include <unistd.h>

struct JsonIndex {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

// simdjson::get_active_implementation() of the opened library. Without it every JSON text would look
// like one that is none: the program ends, as one does whose library is missing when it starts.
using ActiveImplementation = decltype(&simdjson::get_active_implementation);

static ActiveImplementation
active_implementation()
{
    static const ActiveImplementation opened = [] {
        static const char *const NAMES[] = {SIMDJSON_LIBRARY};
        ActiveImplementation function = nullptr;
        void *library = library_open(NAMES, 1);
        if (!library ||
            !library_function(library, "_ZN8simdjson25get_active_implementationEv", &function)) {
            fprintf(stderr,
                    "azimuth: reading JSON needs the library %s, which could not be opened: "
                    "install it (Debian 12: libsimdjson14)\n",
                    SIMDJSON_LIBRARY);
            _exit(1);
        }
        return function;
    }();
    return opened;
}

extern "C" JsonIndex *
json_index_new(void)
{
    return new (std::nothrow) JsonIndex;
}

extern "C" void
json_index_free(JsonIndex *index)
{
    delete index;
}

// Room for `len` bytes. Grows by doubling; a huge one is not kept for small texts.
static simdjson::error_code
reserve(JsonIndex *index, size_t len)
{
    constexpr size_t FIRST = 64 * 1024, KEEP = 32 * 1024 * 1024, DEPTH = 1;
    constexpr size_t LARGEST = simdjson::SIMDJSON_MAXSIZE_BYTES;
    size_t have = index->parser ? index->parser->capacity() : 0;
    if (have >= len && (have <= KEEP || len * 4 >= have))
        return simdjson::SUCCESS;
    size_t wanted = have > KEEP ? len : have * 2;
    if (wanted < len)
        wanted = len;
    if (wanted < FIRST)
        wanted = FIRST;
    if (wanted > LARGEST)
        wanted = LARGEST;
    index->parser.reset();
    return active_implementation()()->create_dom_parser_implementation(wanted, DEPTH,
                                                                       index->parser);
}

extern "C" JsonIndexResult
json_index_build(JsonIndex *index, const char *text, size_t len, const uint32_t **offsets,
                 uint32_t *count)
{
    try {
        if (len == 0)
            return JSON_INDEX_EMPTY;
        simdjson::error_code error = reserve(index, len);
        if (error == simdjson::SUCCESS)
            error = index->parser->stage1(reinterpret_cast<const uint8_t *>(text), len,
                                          simdjson::stage1_mode::regular);
        switch (error) {
        case simdjson::SUCCESS: break;
        case simdjson::EMPTY: return JSON_INDEX_EMPTY;
        case simdjson::UTF8_ERROR: return JSON_INDEX_UTF8;
        case simdjson::UNCLOSED_STRING: return JSON_INDEX_UNCLOSED;
        case simdjson::UNESCAPED_CHARS: return JSON_INDEX_CONTROL;
        case simdjson::MEMALLOC:
        case simdjson::CAPACITY: index->parser.reset(); return JSON_INDEX_MEMORY;
        default: return JSON_INDEX_OTHER;
        }
        *offsets = index->parser->structural_indexes.get();
        *count = index->parser->n_structural_indexes;
        return JSON_INDEX_OK;
    } catch (...) {
        index->parser.reset();
        return JSON_INDEX_MEMORY;
    }
}
