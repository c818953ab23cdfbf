// Tables that commands print.
#pragma once

#include "report/result.h"

// Prints the table in the form that `--format` names. False with an error that says which
// forms there are, or, said already, when standard output takes no more.
bool cli_print_table(const char *format, const ResultTable *table, AzError *error);
