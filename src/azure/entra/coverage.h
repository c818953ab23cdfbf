// Which AI applications and identities Conditional Access covers, and which it leaves out.
//
// An application is covered when an enforced policy that blocks or asks for something applies
// to every member who signs in to it. It is covered on conditions when such a policy also asks
// for a place, a platform, a client or a risk, or when it is for some users only. Managed
// identities are outside Conditional Access whatever the policies say.
// Source: Microsoft Learn, "Conditional Access for workload identities", "Conditional Access:
// Target resources".
#pragma once

#include "azure/entra/sign_in.h"

enum { COVERAGE_COLUMN_COUNT = 7 };
extern const TableColumn COVERAGE_COLUMNS[];

// A row for each AI application (those of AIApplications, and Microsoft's own that give
// access to AI) and each identity of an AI workload (AIIdentities): Kind, Name, Coverage (all,
// conditions, some, none, outside), Guests (the same for guests; empty for identities),
// Policies (an array of names), AppId, Id. NULL with `error` filled.
ResultTable *coverage_table(Database *db, const Directory *directory, Arena *arena, AzError *error);
