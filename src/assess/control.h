// Controls: what is checked, as YAML + KQL (content/controls/<area>/<ID>.yaml).
#pragma once

#include "base/error.h"

typedef enum Severity {
    SEVERITY_INFO,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
} Severity;

const char *severity_name(Severity severity); // "info" ... "critical"
bool severity_parse(Str name, Severity *out);

typedef struct ControlMapping {
    Str framework; // "mcsb_v2", "owasp_llm_2025" ...
    Str *ids;
    size_t count;
} ControlMapping;

typedef struct Control {
    Str id, title, area, rationale, query;
    Severity severity;
    Str *needs; // data sets the verdict needs (`requires`)
    size_t need_count;
    Str fix_text, fix_az, fix_bicep, fix_policy, fix_breaks;
    ControlMapping *mappings;
    size_t mapping_count;
    Str file;            // path it came from
    uint32_t query_line; // line of the query's first line in the file
} Control;

typedef struct ControlSet {
    Control *items; // by area, then id
    size_t len, cap;
} ControlSet;

// One control from a file. False with an error that names the file, the line and what
// is missing or wrong (unknown severity, no query, unknown member ...).
bool control_load(Arena *arena, const char *path, Control *out, AzError *error);

// All controls below `dir` whose id matches `glob` ("ID-*", "*", NULL = all). Two
// controls of one id are an error. Stops at the first broken file.
bool controls_load(Arena *arena, const char *dir, const char *glob, ControlSet *out,
                   AzError *error);
