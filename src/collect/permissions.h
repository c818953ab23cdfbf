// Permissions: what the chosen data sets need to be granted, and what is.
//
// Azure: built-in roles that read. A role whose reads another needed role allows too is not
// needed ("*/read" of Reader is most of it). What is granted is asked for by subscription
// (Azure REST API, "Permissions - List For Resource Group", at the scope of a subscription).
// Microsoft Graph: application permissions, which are the claim `roles` of a token, and delegated
// ones, its `scp`; a broader permission counts for those it contains.
#pragma once

#include "collect/collect.h"

typedef struct Need {
    Str name; // "Reader", "User.Read.All"
    Service service;
    Str role_id;  // of Azure's roles
    Str *actions; // reads that the role is for
    size_t action_count;
    bool covered;        // by another need
    const Source *first; // of the sources that name it
    // Filled by permissions_check:
    bool known, granted; // known: Graph's token said what it may
    Str *lacking;        // subscriptions
    size_t lacking_count;
} Need;

typedef struct NeedSet {
    Need *items;
    size_t len;
    size_t subscriptions;           // seen by the check
    Str arm_problem, graph_problem; // why something could not be checked; empty
} NeedSet;

// In the order of the sources. A need of Azure that is no built-in role is an error.
bool permissions_needed(Arena *arena, const SourceSet *sources, const char *content_dir,
                        NeedSet *out, AzError *error);

// Asks what is granted to whoever is signed in. An error only when nobody is signed in at all.
bool permissions_check(const CollectOptions *options, Arena *arena, NeedSet *needs, AzError *error);

// Whether something that is needed is known to be lacking.
bool permissions_lack(const NeedSet *needs);
