// The reference as Markdown pages: docs/reference/ is what this writes.
#pragma once

#include "db/help.h"

// Called for each page; false ends the writing.
typedef bool (*HelpPageWriter)(void *context, const char *name, Str text);

// Makes all pages. False when the writer said so, or with an error when an example fails.
bool help_write_pages(Database *db, HelpPageWriter write, void *context, AzError *error);
