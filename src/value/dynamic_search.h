// Looking for a text in the JSON of a dynamic without writing that JSON.
#pragma once

#include "value/dynamic.h"

// A part of a needle that the bytes of a tree hold, regardless of case, whenever the text
// that tostring() gives of the tree holds the needle; or else its value, where it is a GUID.
enum { DYN_PROBE_TAIL = 8 };
typedef struct DynProbe {
    Str text; // empty: there is no such part
    bool is_guid;
    uint8_t tail[DYN_PROBE_TAIL]; // the last bytes of the GUID
} DynProbe;
DynProbe dyn_search_probe(Str needle);

// Whether tostring() of the tree may hold a needle with that probe (not empty).
bool dyn_may_print(Dyn node, const DynProbe *probe);
