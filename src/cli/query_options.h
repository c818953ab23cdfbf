// Options of `azimuth query` that are more than a word.
#pragma once

#include "base/buffer.h"
#include "db/db.h"

// The whole of a descriptor; false with a message that names it.
bool query_read_all(int fd, Buffer *out, const char *name);

// Maps of the file (may be NULL; lines NAME = TARGET, # starts a comment), then those of
// the command line, into `db`. False with a message.
bool query_read_maps(Arena *arena, const char *file, const char *const *words, DatabaseOptions *db);
// NAME=VALUE of query parameters.
bool query_read_parameters(Arena *arena, const char *const *words, QueryOptions *options);
