// One rule as a resource. Names are ARM's; rule_read.c reads them back into an equal rule.

#include "detect/duration.h"
#include "report/sentinel_export.h"
#include "value/scalar.h"

static bool
is_sub_technique(Str technique)
{
    return str_find(technique, STR(".")) >= 0;
}

static bool
has_sub_techniques(const AnalyticsRule *rule)
{
    for (size_t i = 0; i < rule->technique_count; i++)
        if (is_sub_technique(rule->techniques[i]))
            return true;
    return false;
}

// Near-real-time rules, sub-techniques and entities as a column are in previews only.
const char *
sentinel_rule_version(const AnalyticsRule *rule)
{
    bool is_preview =
        rule->kind == RULE_NRT || rule->entities_column.len || has_sub_techniques(rule);
    return is_preview ? "2025-07-01-preview" : "2025-09-01";
}

static void
put_optional(TemplateWriter *w, const char *key, Str text)
{
    if (text.len)
        template_text(w, key, text);
}

static void
put_texts(TemplateWriter *w, const char *key, const Str *items, size_t count)
{
    template_open(w, key, '[');
    for (size_t i = 0; i < count; i++)
        template_text(w, NULL, items[i]);
    template_close(w, ']');
}

// T1078 of T1078.004.
static Str
technique_of(Str text)
{
    ptrdiff_t dot = str_find(text, STR("."));
    return dot < 0 ? text : str_slice(text, 0, (size_t)dot);
}

static void
put_techniques(TemplateWriter *w, const AnalyticsRule *rule)
{
    template_open(w, "techniques", '[');
    for (size_t i = 0; i < rule->technique_count; i++) {
        Str technique = technique_of(rule->techniques[i]);
        bool told = false;
        for (size_t before = 0; before < i; before++)
            told |= str_equal(technique_of(rule->techniques[before]), technique);
        if (!told)
            template_text(w, NULL, technique);
    }
    template_close(w, ']');
    if (!has_sub_techniques(rule))
        return;
    template_open(w, "subTechniques", '[');
    for (size_t i = 0; i < rule->technique_count; i++)
        if (is_sub_technique(rule->techniques[i]))
            template_text(w, NULL, rule->techniques[i]);
    template_close(w, ']');
}

static void
put_schedule(TemplateWriter *w, Arena *arena, const AnalyticsRule *rule)
{
    template_text(w, "queryFrequency", duration_iso(arena, rule->frequency));
    template_text(w, "queryPeriod", duration_iso(arena, rule->period));
    template_text(w, "triggerOperator", str_from(trigger_name(rule->trigger)));
    template_number(w, "triggerThreshold", rule->threshold);
}

static void
put_entities(TemplateWriter *w, const AnalyticsRule *rule)
{
    if (rule->entity_count) {
        template_open(w, "entityMappings", '[');
        for (size_t i = 0; i < rule->entity_count; i++) {
            const RuleEntity *entity = &rule->entities[i];
            template_open(w, NULL, '{');
            template_text(w, "entityType", entity->type);
            template_open(w, "fieldMappings", '[');
            for (size_t f = 0; f < entity->field_count; f++) {
                template_open(w, NULL, '{');
                template_text(w, "identifier", entity->fields[f].identifier);
                template_text(w, "columnName", entity->fields[f].column);
                template_close(w, '}');
            }
            template_close(w, ']');
            template_close(w, '}');
        }
        template_close(w, ']');
    }
    if (!rule->entities_column.len)
        return;
    template_open(w, "sentinelEntitiesMappings", '[');
    template_open(w, NULL, '{');
    template_text(w, "columnName", rule->entities_column);
    template_close(w, '}');
    template_close(w, ']');
}

static void
put_details(TemplateWriter *w, Arena *arena, const AnalyticsRule *rule)
{
    if (rule->custom_detail_count) {
        template_open(w, "customDetails", '{');
        for (size_t i = 0; i < rule->custom_detail_count; i++)
            template_text(w, str_cstr(arena, rule->custom_details[i].key),
                          rule->custom_details[i].value);
        template_close(w, '}');
    }
    if (!rule->name_format.len && !rule->description_format.len && !rule->tactics_column.len &&
        !rule->severity_column.len && !rule->dynamic_property_count)
        return;
    template_open(w, "alertDetailsOverride", '{');
    put_optional(w, "alertDisplayNameFormat", rule->name_format);
    put_optional(w, "alertDescriptionFormat", rule->description_format);
    put_optional(w, "alertTacticsColumnName", rule->tactics_column);
    put_optional(w, "alertSeverityColumnName", rule->severity_column);
    if (rule->dynamic_property_count) {
        template_open(w, "alertDynamicProperties", '[');
        for (size_t i = 0; i < rule->dynamic_property_count; i++) {
            template_open(w, NULL, '{');
            template_text(w, "alertProperty", rule->dynamic_properties[i].key);
            template_text(w, "value", rule->dynamic_properties[i].value);
            template_close(w, '}');
        }
        template_close(w, ']');
    }
    template_close(w, '}');
}

static void
put_incidents(TemplateWriter *w, Arena *arena, const RuleGrouping *grouping)
{
    static const char *const METHODS[] = {
        [MATCH_ALL_ENTITIES] = "AllEntities",
        [MATCH_ANY_ALERT] = "AnyAlert",
        [MATCH_SELECTED] = "Selected",
    };
    template_open(w, "incidentConfiguration", '{');
    template_flag(w, "createIncident", grouping->create_incident);
    template_open(w, "groupingConfiguration", '{');
    template_flag(w, "enabled", grouping->enabled);
    template_flag(w, "reopenClosedIncident", grouping->reopen_closed);
    template_text(w, "lookbackDuration", duration_iso(arena, grouping->lookback));
    template_text(w, "matchingMethod", str_from(METHODS[grouping->matching]));
    put_texts(w, "groupByEntities", grouping->entities, grouping->entity_count);
    put_texts(w, "groupByAlertDetails", grouping->alert_details, grouping->alert_detail_count);
    put_texts(w, "groupByCustomDetails", grouping->custom_details, grouping->custom_detail_count);
    template_close(w, '}');
    template_close(w, '}');
}

// The service wants three numbers.
static bool
is_version(Str text)
{
    int dots = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool is_dot = text.ptr[i] == '.';
        if (!is_dot && (text.ptr[i] < '0' || text.ptr[i] > '9'))
            return false;
        if (is_dot && (i == 0 || i + 1 == text.len || text.ptr[i - 1] == '.'))
            return false;
        dots += is_dot;
    }
    return dots == 2;
}

void
sentinel_rule_properties(TemplateWriter *w, Arena *arena, const AnalyticsRule *rule)
{
    template_open(w, "properties", '{');
    template_text(w, "displayName", rule->name);
    template_text(w, "description", rule->description);
    template_text(w, "severity", str_from(alert_severity_name(rule->severity)));
    template_flag(w, "enabled", rule->enabled);
    template_text(w, "query", rule->query);
    if (rule->kind == RULE_SCHEDULED)
        put_schedule(w, arena, rule);
    // The duration is wanted even where it says nothing; 5 hours is what the portal writes.
    template_flag(w, "suppressionEnabled", rule->suppress);
    template_text(
        w, "suppressionDuration",
        duration_iso(arena, rule->suppression > 0 ? rule->suppression : 5 * TICKS_PER_HOUR));
    put_texts(w, "tactics", rule->tactics, rule->tactic_count);
    put_techniques(w, rule);
    put_entities(w, rule);
    put_details(w, arena, rule);
    template_open(w, "eventGroupingSettings", '{');
    template_text(w, "aggregationKind",
                  rule->alert_per_result ? STR("AlertPerResult") : STR("SingleAlert"));
    template_close(w, '}');
    put_incidents(w, arena, &rule->grouping);
    if (is_version(rule->version))
        template_text(w, "templateVersion", rule->version);
    template_close(w, '}');
}
