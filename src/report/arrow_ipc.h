// Arrow IPC: a stream of arrays as bytes, in the streaming format (no footer), which both a pipe
// and a file can hold and every reader of Arrow takes.
#pragma once

#include "azimuth_arrow.h"
#include "base/error.h"

// Writes all of `stream` (of the types arrow_export makes) through `put`, in order, without
// releasing it. False when the stream fails (with error) or `put` does (which told its own).
bool arrow_ipc_write(struct ArrowArrayStream *stream, bool (*put)(void *context, Str bytes),
                     void *context, AzError *error);
