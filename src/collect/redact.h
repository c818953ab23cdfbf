// Redaction: names and addresses in rows of a collection become others, the same everywhere.
//
// A pseudonym is a keyed hash (HMAC-SHA256) of what it stands for, without case; the key is made
// for one redactor and never written. So a name becomes the same word in an id, a host name, a
// reference or another table, and nobody can try names against it. Replaced are: names of
// resources and resource groups, of subscriptions and management groups, of people, groups and
// applications, what is said of people, mail addresses and their domains, public IP addresses,
// tenant and subscription ids. Names that Azure gives (default, web, a type, a location, a model)
// stay, private addresses stay, and so do object ids of the directory, which say nothing outside.
// Public addresses keep what they have in common: two that share their first bytes still do.
#pragma once

#include "base/buffer.h"
#include "base/error.h"

typedef struct Redactor Redactor;
Redactor *redactor_new(void);
void redactor_free(Redactor *redactor);

// Learns the names in a file of rows; all files are learnt before the first is written. `file` is
// its name ("users.jsonl"), by which it is known what its members mean.
bool redactor_learn(Redactor *redactor, Str file, const char *path, AzError *error);

// Writes the file's rows, redacted, to `target`, which is replaced.
bool redactor_write(Redactor *redactor, Str file, const char *path, const char *target,
                    AzError *error);

// One row, for both (the file's name as above).
void redactor_learn_row(Redactor *redactor, Str file, Str row);
void redactor_row(Redactor *redactor, Str file, Str row, Buffer *out);

// An IPv4 or IPv6 address as text becomes another; false when it stays (redact_address.c).
bool redact_address(const uint8_t key[32], Str text, Buffer *out);
// The first bytes of the keyed hash of `text`, without case.
void redact_hash(const uint8_t key[32], Str text, uint8_t *out, size_t size);
