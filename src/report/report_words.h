// What all forms of an assessment's report say alike: findings grouped by fix, the
// headline and its facts, names of areas and frameworks, dates, commands for a resource.
#pragma once

#include "assess/assess.h"
#include "report/json_parts.h"

// The findings of one control. `rows` are indexes into Assessment.findings, the
// greatest risk first; failures and unknowns are mixed as they are there.
typedef struct FixGroup {
    uint32_t control;
    Severity severity;
    const uint32_t *rows;
    size_t count;
    size_t fails;
    int64_t risk_tenths; // sum over the failures, each as shown: to one decimal
    float worst;         // greatest risk of a failure
} FixGroup;

// One group a control, in the order of the controls (also those without findings).
FixGroup *report_groups(Arena *arena, const Assessment *assessment);
// The groups with failures, the greatest risk first.
FixGroup **report_fixes(Arena *arena, const Assessment *assessment, FixGroup *groups,
                        size_t *count);

// The state in one sentence, without a full stop where more may follow.
Str report_headline(Arena *arena, const Assessment *assessment);

enum { REPORT_FACTS = 3 };
typedef struct ReportFact {
    Str text;
    uint32_t control;
} ReportFact;
// The worst facts, each with the name of the resource; returns how many (at most REPORT_FACTS).
size_t report_facts(Arena *arena, const Assessment *assessment, FixGroup *groups,
                    ReportFact *facts);

// Share of rows that could not be judged, in percent; 0 when there are none.
uint32_t report_unknown_share(const Assessment *assessment);

// What a resource is called: its name, else the last part of its id, else "(no name)". A
// bare GUID is said with what it is: "role assignment 1b2c...".
Str report_label(Arena *arena, Str id, Str name);
Str report_id_subscription(Str id);
Str report_id_group(Str id);

Str report_area_title(Arena *arena, Str area);
Str report_framework_title(Str key); // the key itself when not known
// An object: shown name for each framework that the controls map to.
void report_frameworks(JsonOut *json, const ControlSet *controls);
const char *report_status_name(FindingStatus status);

Str report_time(Arena *arena, int64_t ticks); // 2026-11-20T08:15:00Z
Str report_date(Arena *arena, int64_t ticks); // 20 November 2026
Str report_day(Arena *arena, int64_t ticks);  // 2026-11-20
Str report_count(Arena *arena, uint64_t n);   // 12,345

// `template` with {id} {name} {resourceGroup} {subscriptionId} filled for one resource,
// each value quoted for a POSIX shell where it needs to be; placeholders in comments stay.
void report_command(Buffer *out, Str template, Str id);
