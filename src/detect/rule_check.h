// What is wrong with a rule before it runs: limits of the service, names, the query.
#pragma once

#include "detect/detect.h"

// Adds what is wrong with each rule: a query that does not bind, a mapped column that the query
// does not yield, periods and counts that Microsoft Sentinel refuses, unknown tactics, entity
// types, identifiers. Things that Sentinel takes but that are likely a mistake are warnings. With
// `strict`, what the shipped rules must have and others need not: the member `azimuth` with
// false positives, tuning, response and mappings.
void rules_check(Database *db, Arena *arena, const RuleSet *rules, bool strict,
                 RuleProblems *problems);
