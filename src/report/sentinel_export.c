// The template: saved functions first, then the rules, each after the functions it calls. A rule is
// checked by the service when it is created, so its functions must be there; a function is not, so
// functions need no order among themselves.

#include "report/sentinel_export.h"

#include "base/array.h"
#include "base/map.h"
#include "detect/alert.h"
#include "detect/rule_check.h"
#include "value/scalar.h"

#include <string.h>

enum {
    MOST_RESOURCES = 800,
    MOST_BYTES = 4 * 1024 * 1024,
    MOST_SCHEDULED = 512, // rules of a workspace
    MOST_NRT = 50,
};

typedef struct ExportedRule {
    const AnalyticsRule *rule;
    Str guid;
    Str *functions; // names, of those that are exported
    size_t function_count;
} ExportedRule;

typedef struct Exporter {
    Database *db;
    Arena *arena;
    SentinelExport *job;
    TemplateWriter w;
    Map known; // name -> UsedFunction
    struct {
        const UsedFunction **items;
        size_t len, cap;
    } functions;
    struct {
        ExportedRule *items;
        size_t len, cap;
    } rules;
} Exporter;

// ---- what can be exported ----

static void
leave_out(Exporter *e, const AnalyticsRule *rule, Str why)
{
    RuleProblem problem = {rule->file,
                           str_format(e->arena, "%.*s: rule '%.*s' is left out: %.*s",
                                      STR_ARG(rule->file), STR_ARG(rule->name), STR_ARG(why)),
                           true};
    ARRAY_PUSH(e->arena, &e->job->left_out, problem);
}

// Why the rule cannot run in Sentinel; empty when it can. Tables of logs are in a workspace,
// Defender's by its connector, products' parsers by their solutions; what Resource Graph, Microsoft
// Graph and Azimuth have is not.
static Str
hindrance(Exporter *e, const AnalyticsRule *rule, const QueryUses *uses)
{
    static const char *const LOGS[] = {"log-analytics", "application-insights", "defender-xdr",
                                       "community-parsers"};
    if (rule->not_in_sentinel)
        return STR("it says 'sentinel: false'");
    for (size_t i = 0; i < uses->tables.len; i++) {
        const UsedTable *table = &uses->tables.items[i];
        bool is_log = str_ends(table->name, STR("_CL"));
        for (size_t l = 0; l < COUNT_OF(LOGS); l++)
            is_log |= str_equal(table->declared_in, str_from(LOGS[l]));
        if (!is_log)
            return str_format(e->arena, "it reads the table %.*s, which a workspace does not have",
                              STR_ARG(table->name));
    }
    for (size_t i = 0; i < uses->functions.len; i++)
        if (str_equal(uses->functions.items[i].folder, STR("defender-xdr")))
            return str_format(e->arena,
                              "it calls %.*s(), which only advanced hunting in Microsoft Defender "
                              "has",
                              STR_ARG(uses->functions.items[i].name));
    return STR("");
}

// Functions that a workspace with Sentinel has of itself.
static bool
is_built_in(const UsedFunction *function)
{
    return str_equal(function->folder, STR("asim")) || str_equal(function->folder, STR("sentinel"));
}

static void
add_rule(Exporter *e, const AnalyticsRule *rule, const QueryUses *uses)
{
    Guid guid;
    ExportedRule exported = {
        .rule = rule,
        .guid = guid_parse(rule->id, &guid) ? str_lower(e->arena, rule->id)
                                            : text_guid(e->arena, rule->id),
        .functions = ARENA_ARRAY(e->arena, Str, uses->functions.len + 1),
    };
    for (size_t i = 0; i < uses->functions.len; i++) {
        const UsedFunction *function = &uses->functions.items[i];
        if (is_built_in(function))
            continue;
        exported.functions[exported.function_count++] = function->name;
        if (map_get(&e->known, function->name))
            continue;
        map_put(&e->known, function->name, (void *)(uintptr_t)function);
        ARRAY_PUSH(e->arena, &e->functions, function);
    }
    ARRAY_PUSH(e->arena, &e->rules, exported);
}

// The first fault that the service would refuse the rule for.
static bool
rule_is_sound(Exporter *e, const AnalyticsRule *rule, AzError *error)
{
    RuleSet one = {.items = (AnalyticsRule *)(uintptr_t)rule, .len = 1, .cap = 1};
    RuleProblems problems = {0};
    rules_check(e->db, e->arena, &one, false, &problems);
    for (size_t i = 0; i < problems.len; i++)
        if (!problems.items[i].is_warning)
            return error_set(error, AZ_INVALID, "%.*s", STR_ARG(problems.items[i].text));
    return true;
}

static bool
choose_rules(Exporter *e, AzError *error)
{
    size_t kinds[2] = {0};
    for (size_t i = 0; i < e->job->rules->len; i++) {
        const AnalyticsRule *rule = &e->job->rules->items[i];
        if (!rule_is_sound(e, rule, error))
            return false;
        QueryUses uses;
        if (!db_query_uses(e->db, e->arena, rule->query, &uses, error))
            return false;
        Str why = hindrance(e, rule, &uses);
        if (why.len) {
            leave_out(e, rule, why);
            continue;
        }
        add_rule(e, rule, &uses);
        kinds[rule->kind]++;
    }
    if (e->rules.len == 0)
        return error_set(error, AZ_NOT_FOUND,
                         "none of the %zu rules can run in Microsoft Sentinel, so there is nothing "
                         "to export",
                         e->job->rules->len);
    if (kinds[RULE_SCHEDULED] > MOST_SCHEDULED || kinds[RULE_NRT] > MOST_NRT)
        return error_set(error, AZ_LIMIT,
                         "%zu scheduled and %zu near-real-time rules are more than the %d and %d "
                         "that a workspace takes: export fewer with --rules",
                         kinds[RULE_SCHEDULED], kinds[RULE_NRT], MOST_SCHEDULED, MOST_NRT);
    size_t resources = e->rules.len + e->functions.len;
    return resources <= MOST_RESOURCES ||
           error_set(error, AZ_LIMIT,
                     "%zu resources are more than the %d that a template takes: export fewer rules "
                     "with --rules",
                     resources, MOST_RESOURCES);
}

// ---- resources ----

static Str
symbol(Exporter *e, const char *prefix, Str name)
{
    Str text = str_format(e->arena, "%s_%.*s", prefix, STR_ARG(name));
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '-')
            ((char *)(uintptr_t)text.ptr)[i] = '_';
    return text;
}

// Bicep declares a resource by name; in ARM it is an item of the list.
static void
open_resource(Exporter *e, const char *prefix, Str name, const char *type, const char *version)
{
    TemplateWriter *w = &e->w;
    if (w->form == TEMPLATE_BICEP) {
        buffer_printf(w->out, "\nresource %.*s '%s@%s' = ", STR_ARG(symbol(e, prefix, name)), type,
                      version);
        w->is_later = false;
        template_open(w, NULL, '{');
        return;
    }
    template_open(w, NULL, '{');
    template_text(w, "type", str_from(type));
    template_text(w, "apiVersion", str_from(version));
}

static void
close_resource(Exporter *e)
{
    template_close(&e->w, '}');
    if (e->w.form == TEMPLATE_BICEP)
        buffer_char(e->w.out, '\n');
}

static void
put_name(Exporter *e, const char *bicep_relation, const char *between, Str name)
{
    TemplateWriter *w = &e->w;
    if (w->form == TEMPLATE_BICEP) {
        template_expression(w, bicep_relation, STR(""), STR("sentinelWorkspace"));
        template_text(w, "name", name);
        return;
    }
    template_expression(w, "name",
                        str_format(e->arena, "concat(parameters('%.*s'), '%s%.*s')",
                                   STR_ARG(e->job->workspace), between, STR_ARG(name)),
                        STR(""));
}

static void
put_function(Exporter *e, const UsedFunction *function)
{
    TemplateWriter *w = &e->w;
    open_resource(e, "function", function->name,
                  "Microsoft.OperationalInsights/workspaces/savedSearches", "2020-08-01");
    put_name(e, "parent", "/", function->name);
    template_open(w, "properties", '{');
    template_text(w, "category", STR("Azimuth"));
    template_text(w, "displayName", function->name);
    template_text(w, "functionAlias", function->name);
    Str parameters = str_slice(function->parameters, 1, function->parameters.len - 1);
    if (parameters.len)
        template_text(w, "functionParameters", parameters);
    template_text(w, "query", function->body);
    template_number(w, "version", 2);
    template_close(w, '}');
    close_resource(e);
}

static void
put_rule(Exporter *e, const ExportedRule *exported)
{
    TemplateWriter *w = &e->w;
    open_resource(e, "rule", exported->guid,
                  w->form == TEMPLATE_ARM
                      ? "Microsoft.OperationalInsights/workspaces/providers/alertRules"
                      : "Microsoft.SecurityInsights/alertRules",
                  sentinel_rule_version(exported->rule));
    put_name(e, "scope", "/Microsoft.SecurityInsights/", exported->guid);
    template_text(w, "kind", exported->rule->kind == RULE_NRT ? STR("NRT") : STR("Scheduled"));
    sentinel_rule_properties(w, e->arena, exported->rule);
    if (exported->function_count) {
        template_open(w, "dependsOn", '[');
        for (size_t i = 0; i < exported->function_count; i++)
            template_expression(
                w, NULL,
                str_format(e->arena,
                           "resourceId('Microsoft.OperationalInsights/workspaces/savedSearches', "
                           "parameters('%.*s'), '%.*s')",
                           STR_ARG(e->job->workspace), STR_ARG(exported->functions[i])),
                symbol(e, "function", exported->functions[i]));
        template_close(w, ']');
    }
    close_resource(e);
}

// ---- the template ----

static const char ABOUT[] = "The workspace, with Microsoft Sentinel, that gets the rules.";

static void
put_head(Exporter *e)
{
    TemplateWriter *w = &e->w;
    if (w->form == TEMPLATE_BICEP) {
        buffer_printf(w->out,
                      "@description('%s')\nparam %.*s string\n\n"
                      "resource sentinelWorkspace "
                      "'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {\n"
                      "  name: %.*s\n}\n",
                      ABOUT, STR_ARG(e->job->workspace), STR_ARG(e->job->workspace));
        return;
    }
    template_open(w, NULL, '{');
    template_text(
        w, "$schema",
        STR("https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"));
    template_text(w, "contentVersion", STR("1.0.0.0"));
    template_open(w, "parameters", '{');
    template_open(w, str_cstr(e->arena, e->job->workspace), '{');
    template_text(w, "type", STR("string"));
    template_open(w, "metadata", '{');
    template_text(w, "description", str_from(ABOUT));
    template_close(w, '}');
    template_close(w, '}');
    template_close(w, '}');
    template_open(w, "resources", '[');
}

bool
sentinel_export(Database *db, Arena *arena, SentinelExport *job, Buffer *out, AzError *error)
{
    Exporter e = {.db = db, .arena = arena, .job = job, .w = {.out = out, .form = job->form}};
    map_init(&e.known, arena, false);
    if (!choose_rules(&e, error))
        return false;
    job->rule_count = e.rules.len;
    job->function_count = e.functions.len;
    size_t before = out->len;
    put_head(&e);
    for (size_t i = 0; i < e.functions.len; i++)
        put_function(&e, e.functions.items[i]);
    for (size_t i = 0; i < e.rules.len; i++)
        put_rule(&e, &e.rules.items[i]);
    if (job->form == TEMPLATE_ARM) {
        template_close(&e.w, ']');
        template_close(&e.w, '}');
        buffer_char(out, '\n');
    }
    return out->len - before <= MOST_BYTES ||
           error_set(error, AZ_LIMIT,
                     "the template has %zu bytes, more than the 4 MB that Azure Resource Manager "
                     "takes: export fewer rules with --rules",
                     out->len - before);
}
