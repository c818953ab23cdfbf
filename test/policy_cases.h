// What the levels of policy cases share.
#pragma once

#include "azure/policy/assignment.h"
#include "azure/policy/related.h"

typedef struct CaseRun {
    Arena arena; // of the catalogues
    AliasTable standard;
    Map named; // alias catalogues by name: AliasTable*
    uint32_t passed, failed, disputed, disputed_passed, skipped;
} CaseRun;

// One case: true when it is as expected, else *why.
typedef bool (*CaseLevel)(CaseRun *run, Arena *arena, Dyn item, Str *why);
bool case_rule(CaseRun *run, Arena *arena, Dyn item, Str *why);
bool case_scope(CaseRun *run, Arena *arena, Dyn item, Str *why);
bool case_change(CaseRun *run, Arena *arena, Dyn item, Str *why);
bool case_suite(CaseRun *run, Arena *arena, Dyn item, Str *why);

Dyn case_member(Dyn node, const char *name);
Str case_text(Dyn node, const char *name);

// The aliases a case means: a catalogue's name, a table of its own, or the shipped ones.
const AliasTable *case_aliases(CaseRun *run, Arena *arena, Dyn item);
