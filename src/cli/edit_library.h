// libedit, opened when the prompt starts: no other command pays for it.
#pragma once

#include "base/error.h"

#include <histedit.h>

#define EDIT_FUNCTIONS(X)                                                                          \
    X(el_deletestr)                                                                                \
    X(el_end)                                                                                      \
    X(el_get)                                                                                      \
    X(el_gets)                                                                                     \
    X(el_init)                                                                                     \
    X(el_insertstr)                                                                                \
    X(el_line)                                                                                     \
    X(el_set)                                                                                      \
    X(el_source)                                                                                   \
    X(history)                                                                                     \
    X(history_end)                                                                                 \
    X(history_init)

#define EDIT_MEMBER(name) typeof(name) *name;
typedef struct EditLibrary {
    EDIT_FUNCTIONS(EDIT_MEMBER)
} EditLibrary;
#undef EDIT_MEMBER

// Fills `library`; false with an error that says what to install.
bool edit_library_open(EditLibrary *library, AzError *error);
