// Sign-ins to evaluate against the Conditional Access policies of a snapshot: who signs in
// to what, with what the directory knows of them, and the tables that show the answers.
// Source of the rules: conditional_access.h.
#pragma once

#include "azure/entra/conditional_access.h"
#include "db/table_builder.h"

// What every question needs, read once.
typedef struct Directory {
    Dyn policies;                   // an array of Graph's conditionalAccessPolicy objects
    struct DirectoryPairs *members; // group and member
    struct DirectoryPairs *roles;   // principal and role template
} Directory;
bool directory_load(Database *db, Arena *arena, Directory *out, AzError *error);

// The bag of facts of conditional_access.h for `principal` (an id, user principal name or
// display name) signing in to `app` (an application id or a name in the snapshot, or one of
// Microsoft's resource applications for AI by name). `more` is a bag of facts that join
// these and win over them; its "ip" becomes namedLocationIds and ipTrusted. False with what
// is not known.
bool sign_in_facts(Database *db, const Directory *directory, Arena *arena, Str principal, Str app,
                   Dyn more, Dyn *out, AzError *error);

enum { SIGN_IN_COLUMN_COUNT = 6 };
extern const TableColumn SIGN_IN_COLUMNS[];
// A row a policy that is not off: Policy, State, Applies (yes, perhaps, no), Effect, Because, Id.
ResultTable *sign_in_table(const SignInAnswer *answer, Arena *arena);
// "needs multifactor authentication", "is blocked": the answer in words.
Str sign_in_words(const SignInAnswer *answer, Arena *arena);

// One of Microsoft's own applications that give access to AI or to its control plane.
typedef struct AIResourceApplication {
    const char *app_id, *name;
} AIResourceApplication;
extern const AIResourceApplication AI_RESOURCE_APPLICATIONS[];
extern const size_t AI_RESOURCE_APPLICATION_COUNT;
