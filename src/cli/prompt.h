// The interactive prompt of `azimuth query`.
#pragma once

#include "cli/query_run.h"

// Reads queries until end of input. A query ends with `;` or an empty line; lines
// before that are collected. History is kept in $XDG_STATE_HOME/azimuth/history
// (~/.local/state by default). Tab completes tables, columns, operators, functions.
int prompt_run(const QuerySettings *settings);
