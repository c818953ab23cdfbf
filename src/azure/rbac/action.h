// Operations and the patterns that roles are made of.
//
// An operation is a text such as Microsoft.Storage/storageAccounts/listKeys/action;
// whether it belongs to the data plane is a property of the operation and not in its
// text. A pattern is the same with `*` for any run of characters, `/` included; the
// whole text must match, without regard to case.
// Source: Microsoft Learn, "Understand Azure role definitions", Actions format.
#pragma once

#include "base/slice.h"

// What `/*/` may stand for. The documentation's text ("* matches any run") leaves open
// whether workspaces/*/read matches workspaces/read; the behaviour it describes for
// AzureML Data Scientist and Sentinel Responder needs it to. docs/access.md has the
// argument.
typedef enum StarSegment {
    STAR_SEGMENT_ZERO,    // `/*/` also matches a single `/`: the default
    STAR_SEGMENT_LITERAL, // it does not
} StarSegment;

// Whether `pattern` covers `action`.
bool action_matches(Str pattern, Str action, StarSegment star);
