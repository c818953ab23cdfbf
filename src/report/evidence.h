// Evidence: rows in a file that shows whether it was changed.
//
// One line of JSON each: first what the file is, then the rows, then their number. Each line
// carries the hash of the line before it and its own:
//
//     {"prev":"<64 hex digits>","hash":"<64 hex digits>",BODY}
//
// hash = SHA-256(prev, a line feed, BODY), the first prev is 64 zeros; BODY is "about":{...},
// "row":{...} or "end":{...}, as its bytes stand in the line. So a row that is changed, added, left
// out or moved breaks the chain there, and a file that was cut lacks its end. Who wrote the head
// (the last hash) down elsewhere can tell that no new chain was made.
#pragma once

#include "db/db.h"

enum { EVIDENCE_HASH = 64 };

typedef struct EvidenceAbout {
    Str query, note; // note: of the user, may be empty
    Str store, tool_version;
    int64_t snapshot, created; // ticks
} EvidenceAbout;

typedef bool (*EvidenceWrite)(void *context, Str text);

// Writes the rows of the table; `head` gets the last hash. False when `write` says so.
bool evidence_write(const EvidenceAbout *about, const ResultTable *table, EvidenceWrite write,
                    void *context, char head[EVIDENCE_HASH + 1]);

typedef struct EvidenceReport {
    uint64_t rows;
    bool whole;        // the chain holds, and the end is there
    uint64_t bad_line; // from 1; where it does not hold
    char problem[160];
    char head[EVIDENCE_HASH + 1]; // of the last line that holds
    Str query, note;
    Str created;
} EvidenceReport;

// Follows the chain of a file. False only when it cannot be read. Texts in `arena`.
bool evidence_verify(const char *path, Arena *arena, EvidenceReport *report, AzError *error);
