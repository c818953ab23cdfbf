// Analytics rules and the functions they call, as a template that deploys to Microsoft Sentinel.
//
// Sources: learn.microsoft.com/azure/templates: microsoft.securityinsights/alertrules,
// microsoft.operationalinsights/workspaces/savedsearches; learn.microsoft.com/azure/sentinel:
// sentinel-service-limits (rules of a workspace); learn.microsoft.com/azure/azure-resource-manager:
// templates/best-practices (limits of a template).
#pragma once

#include "db/db.h"
#include "detect/rule.h"
#include "report/template_write.h"

typedef struct SentinelExport {
    TemplateForm form;
    Str workspace; // the template's parameter that names the workspace: an identifier
    const RuleSet *rules;
    // Filled by sentinel_export:
    size_t rule_count, function_count; // that were written
    RuleProblems left_out;             // rules that cannot run in Sentinel, each with why
} SentinelExport;

// Appends the template to `out`. A rule that reads what a workspace does not have, or says of
// itself that it runs here only, is left out. False with an error that names the rule, when one
// does not bind or breaks a limit of the service, or when the whole breaks one: nothing of `out`
// is of use then. Texts lie in `arena`.
bool sentinel_export(Database *db, Arena *arena, SentinelExport *job, Buffer *out, AzError *error);

// The properties of the resource of a rule, as the object `properties`.
void sentinel_rule_properties(TemplateWriter *w, Arena *arena, const AnalyticsRule *rule);
// The version of the service's interface that knows all that the rule says.
const char *sentinel_rule_version(const AnalyticsRule *rule);
