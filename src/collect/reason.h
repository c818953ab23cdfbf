// Reason: why something was not read, in words for a person.
#pragma once

#include "collect/answer.h"
#include "collect/auth.h"

// What a refusal is about.
typedef struct Refused {
    int status;
    ServiceError said;
    Str need, licence; // what must be granted, or bought, to read it; may be empty
    int tries;         // after how many it was given up, for a server's trouble
    int refusals;      // the same for a pace
} Refused;

// A sentence, with the service's words cut, on one line and without secrets. In `arena`.
Str refused_reason(Arena *arena, const Auth *auth, const Refused *refused);
