// Archive: the folder of a complete collection as one file, FILE.tar.zst.
//
// A tar (POSIX ustar) of the folder's files, sorted by name and without times or owners, in
// one zstd frame with a checksum: `tar --zstd -xf` opens it as well. The file is made as
// FILE.new and takes its name when it is whole and durable.
#pragma once

#include "base/error.h"

// `folder` must hold a complete collection. `redact`: names and addresses are replaced
// (redact.h), and the manifest, which is full of them, is left out. An existing file is
// replaced.
bool archive_write(const char *folder, const char *path, bool redact, AzError *error);

// Whether the file is named as an archive (*.tar.zst).
bool archive_is_named(const char *path);

// Unpacks an archive into a folder that is there and empty. Only plain files with names that a
// collection gives are taken; anything else, and an archive that is cut or damaged, is an error.
bool archive_unpack(const char *path, const char *folder, AzError *error);
