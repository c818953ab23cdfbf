// FindingsHistory: every row of every run, in the store.
#pragma once

#include "assess/assess.h"

typedef struct History History;

// `dir` is the store. NULL with an error when the store cannot be written (read-only, another writer).
History *history_open(const char *dir, const Assessment *assessment, AzError *error);
void history_add(History *history, const Control *control, const ControlRow *row, float risk,
                 uint64_t key);
// Publishes all rows at once and frees the history. False with an error: nothing is kept.
bool history_commit(History *history, AzError *error);
