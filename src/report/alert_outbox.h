// The outbox of one receiver of alerts: a folder of one file an alert.
//
// A message is put there before its alert is kept and removed when it was sent: after a crash
// or while the receiver is away it waits, and it may be sent twice but not never. Files are
// named by the time of the run, the alert's id and a checksum, so that their order is that of the
// runs. A message that is not what was put there is set aside: it gets the ending `.damaged`.
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "detect/alert.h"

#include <dirent.h>

// DIR/outbox/GUID, the same for the same kind and address. In the arena.
const char *outbox_folder(Arena *arena, const char *dir, const char *kind, const char *address);

// Appends the message of one alert.
typedef void (*OutboxWrite)(Buffer *out, const Alert *alert, const char *version);

// Puts a message for each alert; durable on return.
bool outbox_put(const char *folder, const AlertList *alerts, OutboxWrite write, const char *version,
                AzError *error);

typedef struct Outbox {
    const char *path;
    int folder; // -1 when nothing waits
    struct dirent **names;
    size_t count, removed;
    size_t damaged; // messages that were set aside when it was opened
} Outbox;

// The messages that wait, oldest first; a folder that is not there holds none.
void outbox_open(const char *folder, Outbox *out);
void outbox_close(Outbox *outbox);
bool outbox_read(const Outbox *outbox, size_t message, Buffer *out); // errno when false
// The alert's id as the name of the file has it; valid while the outbox is open.
Str outbox_id(const Outbox *outbox, size_t message);
bool outbox_remove(Outbox *outbox, size_t message, AzError *error);
// False when messages were set aside, with an error that says so.
bool outbox_sound(const Outbox *outbox, AzError *error);
