// Libraries that are opened when something first needs them, so that they cost nothing at
// the start of the program.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// The first of `names` that can be opened, or NULL. It stays open.
void *library_open(const char *const *names, size_t count);

// Puts the address of a function where `function` points (a pointer to a function pointer);
// false when the library has none of that name.
bool library_function(void *library, const char *name, void *function);
