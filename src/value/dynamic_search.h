// Looking for a text in the JSON of a dynamic without writing that JSON.
#pragma once

#include "value/dynamic.h"

// A part of `needle` that the bytes of a tree hold, regardless of case, whenever the text
// that tostring() gives of the tree holds the needle. Empty when there is no such part.
Str dyn_search_probe(Str needle);

// Whether tostring() of the tree may hold a needle with that probe (not empty).
bool dyn_may_print(Dyn node, Str probe);
