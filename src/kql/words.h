// The words of the language, and where each may still name something: `union` never does
// without brackets, `by` only where a name is given (`extend by = 1`), `take` anywhere.
// Source: the keyword lists of the official parser (microsoft/Kusto-Query-Language,
// KustoFacts: KeywordsAsIdentifiers, ExtendedKeywordsAsIdentifiers, SpecialKeywordsAsIdentifiers).
#pragma once

#include "base/slice.h"

typedef enum WordUse {
    WORD_FREE,     // no word of the language, or one that is a name anywhere
    WORD_ASSIGNED, // a name where one is assigned: `name = expression`, parameters, parse
    WORD_SPECIAL,  // a name where one is used, not where one is given
    WORD_RESERVED, // a name only in brackets
} WordUse;

// How a name without brackets may be used. Words differ from names in letter case.
WordUse word_use(Str name);
