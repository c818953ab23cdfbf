// Redaction: keeps secrets out of the store and out of reject files.
#pragma once

#include "base/buffer.h"

// Whether `text` may hold something ingest_redact would mask: a cheap search; "no"
// is certain.
bool ingest_may_hold_secret(Str text);

// `text` (JSON or any text) with the values of known secrets replaced by "***": itself
// where it holds none, else a copy in `scratch`, which is valid until that changes. Text of
// JSON stays JSON.
Str ingest_redact(Buffer *scratch, Str text);

// Whether `value` under this name (a CSV column) is masked on ingest, and whether any
// value under the name may be.
bool ingest_is_secret(Str name, Str value);
bool ingest_secret_name(Str name);

// For reject files: text that may be broken. Masks the value behind every name
// that suggests a secret (password, secret, key, token, connectionString, sas ...)
// and every run that looks random. May mask too much, never the other way.
void ingest_redact_broken(Buffer *out, Str text);
