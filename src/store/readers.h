// Readers: which states of the catalog somebody still looks at.
//
// A segment that left the catalog may still be read by a view that was opened before, in this
// process or another. Each view holds a shared lock on one byte of DIR/READERS: byte 1 + g, where
// g is the generation of its state (the catalog counts it up whenever segments leave); byte 0
// while it does not know g yet. Whoever wants to remove a file of generation g asks whether
// somebody holds a byte up to g. The locks are the kernel's (fcntl, of the open file), so a dead
// reader's are gone. Where the file is missing or cannot be locked a reader goes unseen. Internal
// to src/store.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Before the state is loaded. The descriptor to hand on, or -1.
int readers_enter(const char *store_dir);
// The state is loaded and of this generation.
void readers_settle(int reader, int64_t generation);
void readers_leave(int reader);

// Whether somebody may look at a state of generation < `generation`.
bool readers_before(const char *store_dir, int64_t generation);
