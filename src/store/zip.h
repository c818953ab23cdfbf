// Zip archives in memory: the files in them, one after another.
//
// Reads what the archive's own directory lists (stored and deflated entries, also
// zip64 sizes); encrypted entries and other methods are an error that names the entry.
#pragma once

#include "base/buffer.h"
#include "base/error.h"

bool zip_is_archive(Str bytes);

// Calls `visit` with each file's name and content (valid during the call). `limit` is
// the most bytes an entry may unpack to. False with an error when the archive is damaged,
// or without one when `visit` returned false.
typedef bool (*ZipVisit)(void *context, Str name, Str content);
bool zip_each(Str bytes, uint64_t limit, ZipVisit visit, void *context, AzError *error);
