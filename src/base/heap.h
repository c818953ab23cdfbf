// Heap: how the process gets its memory from the system.
#pragma once

// Asks the system for large pages behind the first part of the heap, and keeps what is
// freed for the next query or morsel. Called once, first thing in a program; a system
// that cannot do so is left as it is.
void heap_prepare(void);
