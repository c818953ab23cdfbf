// The scan that finds where JSON values end (ingest_scan.c), for the splitter.
#pragma once

#include "store/ingest_split.h"

enum { INGEST_SCAN_DEPTH = 640 }; // deeper brackets are counted, not paired: no parser takes them

typedef struct JsonScan {
    uint32_t depth;
    bool in_string, escaped;
    uint64_t braces[INGEST_SCAN_DEPTH / 64]; // bit d: the bracket at depth d is a brace
} JsonScan;

typedef enum ScanEnd { SCAN_MORE, SCAN_DONE, SCAN_BROKEN } ScanEnd;

// Goes on scanning a bracketed value or a string; *at moves to its end, or to
// where it broke, or to `len`.
ScanEnd ingest_scan(JsonScan *scan, const char *text, size_t len, size_t *at);
// End of the number or word at text[at].
size_t ingest_scalar_end(const char *text, size_t at, size_t len);
// Offset of the first byte from `at` on that is no JSON white space.
size_t ingest_skip_blanks(Str text, size_t at);
bool ingest_is_blank(char c);
// Whether a member of that name may stand beside the rows of a page.
bool ingest_is_page_key(Str key);
// Offset behind the "[" of the rows when `text` begins as a page, else 0.
size_t ingest_page_begins(Str text);
