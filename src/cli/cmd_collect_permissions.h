// azimuth collect permissions [--check | --bicep | --script]
#pragma once

#include "cli/collect_login.h"

typedef enum PermissionsAsked {
    PERMISSIONS_LIST,
    PERMISSIONS_CHECK, // what is lacking to whoever is signed in
    PERMISSIONS_BICEP, // what grants it
    PERMISSIONS_SCRIPT,
} PermissionsAsked;

// The exit status: FINDINGS when something is lacking, ERROR with *error.
int collect_permissions(Collector *collector, SourceSet *sources, PermissionsAsked asked,
                        AzError *error);
