// What the verbs of `azimuth policy` share.
#pragma once

#include "azure/policy/policy_world.h"

typedef struct PolicyCommand {
    Database *db;
    Arena arena;
    const char *format, *scope, *state, *definitions, *parameters;
    bool summary, stats, all;
    int64_t at;
    int status; // when all went well
} PolicyCommand;

// A file of JSON, comments allowed, as a tree in the command's arena.
bool policy_command_read(PolicyCommand *command, const char *path, Dyn *out, AzError *error);
// Says on stderr which objects of the store are left out.
void policy_command_unreadable(const PolicyWorld *world);

bool policy_check_command(PolicyCommand *command, char **argv, AzError *error);
