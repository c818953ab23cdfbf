// Objects as Azure Resource Manager and Resource Graph give them.
#pragma once

#include "value/dynamic.h"

// What the object says: its `properties`, or itself when it is written flat.
Dyn arm_body(Dyn object);

// A member's text, name in any case; empty when it is absent or no text.
Str arm_text(Dyn object, const char *name);

// What a path of member names leads to, "networkAcls.defaultAction", names in any case; no
// node when it leads nowhere.
Dyn arm_path(Dyn object, Str path);
Str arm_path_text(Dyn object, const char *path); // empty when it is no text
bool arm_path_is_true(Dyn object, const char *path);
// The items of an array there; 0 of anything else.
uint32_t arm_path_count(Dyn object, const char *path);

// The last segment of an id or a type, slashes at the end aside: a role definition's GUID,
// a resource's name.
Str arm_last_segment(Str path);
