// Records: cuts whole records out of the bytes of a log that may still grow.
//
// Azure writes diagnostic logs into append blobs, one JSON object a line; flow logs are lists
// in an object, {"records":[...]}, whose end is written anew as they grow (Azure Monitor,
// "Azure resource logs: send to Azure Storage"). What has no end yet stays for the next time.
#pragma once

#include "base/buffer.h"

typedef enum RecordsForm { RECORDS_LINES, RECORDS_LIST } RecordsForm;

// By the first bytes of the log.
RecordsForm records_form(Str beginning);

// Appends the whole records to `out`, one a line, and counts them. Returns how many bytes they
// took: the next time begins behind those. `begins`: the bytes are the first ones.
size_t records_cut(RecordsForm form, bool begins, Str bytes, Buffer *out, uint64_t *count);
