// One answer about access, explained: each assignment, group and condition that decides.
#pragma once

#include "azure/rbac/access_table.h"

// As a tree of text. `color` puts terminal colours around verdicts.
void access_explain_text(Buffer *out, const AccessWorld *world, const AccessQuestion *question,
                         const AccessAnswer *answer, bool color);

// As one JSON object: principal, operation, plane, scope, verdict, deniedBy,
// unknownAttributes, assignments: [{id, role, scope, outcome, via, condition}].
void access_explain_json(Buffer *out, const AccessWorld *world, const AccessQuestion *question,
                         const AccessAnswer *answer);
