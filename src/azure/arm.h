// Objects as Azure Resource Manager and Resource Graph give them.
#pragma once

#include "value/dynamic.h"

// What the object says: its `properties`, or itself when it is written flat.
Dyn arm_body(Dyn object);

// A member's text, name in any case; empty when it is absent or no text.
Str arm_text(Dyn object, const char *name);

// The last segment of an id or a type, slashes at the end aside: a role definition's GUID,
// a resource's name.
Str arm_last_segment(Str path);
