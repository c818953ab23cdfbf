// Telemetry: what the records of Azure's logs are, and which table they belong to.
//
// Formats, tables and columns are content (content/telemetry/); here is what reads it and maps
// a record: an export of Log Analytics (its rows, or an answer of its query API), a record of a
// diagnostic setting, of the activity log, of Microsoft Graph's audit logs ..., or something
// nobody declared, which goes to a custom table named as Azure names them. docs/telemetry.md.
#pragma once

#include "db/content.h"
#include "store/ingest_logs.h"

typedef struct Telemetry Telemetry;

// Reads content/telemetry. `content` must outlive it. NULL with an error that names the file
// and line. Thread-safe once open.
Telemetry *telemetry_open(Content *content, AzError *error);
void telemetry_close(Telemetry *telemetry);
LogMapper telemetry_mapper(const Telemetry *telemetry);

// The table that records without a table of their own get by their file's name: a declared
// table the name begins with, NAME_CL with it as it is; else the letters and digits of the
// name, and _CL. In the arena. `declared` says which it was.
Str telemetry_file_table(const Telemetry *telemetry, Arena *arena, Str path, bool *declared);
