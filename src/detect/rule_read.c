// One analytics rule from its YAML or JSON. The two forms differ in a few names only: a YAML
// rule has `name` where ARM's properties have `displayName`.

#include "detect/rule_read.h"

#include "base/array.h"
#include "detect/duration.h"
#include "value/scalar.h"

static const char *const SEVERITIES[] = {
    [ALERT_INFORMATIONAL] = "Informational",
    [ALERT_LOW] = "Low",
    [ALERT_MEDIUM] = "Medium",
    [ALERT_HIGH] = "High",
};

const char *
alert_severity_name(AlertSeverity severity)
{
    return SEVERITIES[severity];
}

bool
alert_severity_parse(Str text, AlertSeverity *out)
{
    for (size_t i = 0; i < COUNT_OF(SEVERITIES); i++) {
        if (str_equal_ci(text, str_from(SEVERITIES[i]))) {
            *out = (AlertSeverity)i;
            return true;
        }
    }
    return false;
}

static const struct {
    const char *yaml, *arm;
} TRIGGERS[] = {
    [TRIGGER_GT] = {"gt", "GreaterThan"},
    [TRIGGER_LT] = {"lt", "LessThan"},
    [TRIGGER_EQ] = {"eq", "Equal"},
    [TRIGGER_NE] = {"ne", "NotEqual"},
};

const char *
trigger_name(TriggerOperator trigger)
{
    return TRIGGERS[trigger].arm;
}

typedef struct RuleReader {
    Arena *arena;
    const char *path;
    YamlNode *node;   // of the members
    bool in_template; // in ARM's form
    AnalyticsRule *rule;
    AzError *error;
} RuleReader;

static bool
member_fails(const RuleReader *r, YamlNode *node, const char *member, const char *wanted)
{
    return error_set(r->error, AZ_INVALID, "%s:%u: rule '%.*s': member '%s' is '%.*s', not %s",
                     r->path, yaml_line(node), STR_ARG(r->rule->name), member,
                     STR_ARG(yaml_text(r->arena, node)), wanted);
}

// In a template, a text in brackets is an expression; one that is not begins with two of them
// (learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions).
static Str
text_of(const RuleReader *r, YamlNode *node)
{
    Str text = str_trim(yaml_text(r->arena, node));
    bool escaped = r->in_template && str_starts(text, STR("[[")) && str_ends(text, STR("]"));
    return escaped ? str_slice(text, 1, text.len) : text;
}

// The member under either of its names.
static YamlNode *
either(YamlNode *node, const char *yaml, const char *arm)
{
    YamlNode *found = yaml_get(node, yaml);
    return found ? found : yaml_get(node, arm);
}

static Str
required(const RuleReader *r, const char *yaml, const char *arm, bool *done)
{
    Str text = text_of(r, either(r->node, yaml, arm));
    if (text.len == 0 && *done)
        *done =
            error_set(r->error, AZ_INVALID, "%s:%u: rule '%.*s': member '%s' is missing or empty",
                      r->path, yaml_line(r->node), STR_ARG(r->rule->name), yaml);
    return text;
}

static bool
read_bool(const RuleReader *r, YamlNode *map, const char *member, bool *out)
{
    YamlNode *node = yaml_get(map, member);
    Str text = text_of(r, node);
    if (!node || text.len == 0)
        return true;
    *out = str_equal_ci(text, STR("true"));
    return *out || str_equal_ci(text, STR("false")) ||
           member_fails(r, node, member, "true or false");
}

static bool
read_duration(const RuleReader *r, YamlNode *map, const char *member, int64_t *out)
{
    YamlNode *node = yaml_get(map, member);
    if (!node)
        return true;
    return (duration_parse(text_of(r, node), out) && *out > 0) ||
           member_fails(r, node, member, "a length of time such as 5m, 1h, 14d or PT5M");
}

static bool
read_kind(RuleReader *r, YamlNode *outer)
{
    Str kind = text_of(r, yaml_get(r->node, "kind"));
    if (!kind.len)
        kind = text_of(r, yaml_get(outer, "kind"));
    bool timed = yaml_get(r->node, "queryFrequency") != NULL;
    if (str_equal_ci(kind, STR("NRT")) || (!kind.len && !timed))
        r->rule->kind = RULE_NRT;
    else if (!kind.len || str_equal_ci(kind, STR("Scheduled")))
        r->rule->kind = RULE_SCHEDULED;
    else
        return error_set(
            r->error, AZ_UNSUPPORTED,
            "%s: rule '%.*s' is of kind '%.*s', which only the service runs; Scheduled "
            "and NRT rules are run here",
            r->path, STR_ARG(r->rule->name), STR_ARG(kind));
    return true;
}

static bool
read_trigger(RuleReader *r)
{
    AnalyticsRule *rule = r->rule;
    YamlNode *node = yaml_get(r->node, "triggerOperator");
    Str text = text_of(r, node);
    bool known = !node;
    for (size_t i = 0; i < COUNT_OF(TRIGGERS); i++) {
        if (str_equal_ci(text, str_from(TRIGGERS[i].yaml)) ||
            str_equal_ci(text, str_from(TRIGGERS[i].arm))) {
            rule->trigger = (TriggerOperator)i;
            known = true;
        }
    }
    if (!known)
        return member_fails(r, node, "triggerOperator", "gt, lt, eq or ne");
    node = yaml_get(r->node, "triggerThreshold");
    text = text_of(r, node);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || i > 9)
            return member_fails(r, node, "triggerThreshold", "a whole number");
        else
            rule->threshold = rule->threshold * 10 + (text.ptr[i] - '0');
    return true;
}

// NRT rules have no schedule of their own: they run once a minute over the events of the last
// one (near-real-time-rules).
static bool
read_schedule(RuleReader *r)
{
    AnalyticsRule *rule = r->rule;
    if (rule->kind == RULE_NRT) {
        rule->frequency = rule->period = TICKS_PER_MINUTE;
        return true;
    }
    if (!read_duration(r, r->node, "queryFrequency", &rule->frequency) ||
        !read_duration(r, r->node, "queryPeriod", &rule->period) || !read_trigger(r))
        return false;
    if (rule->frequency <= 0)
        return error_set(r->error, AZ_INVALID,
                         "%s:%u: rule '%.*s': member 'queryFrequency' is missing", r->path,
                         yaml_line(r->node), STR_ARG(rule->name));
    if (rule->period <= 0)
        rule->period = rule->frequency;
    if (rule->frequency < TICKS_PER_MINUTE)
        return member_fails(r, yaml_get(r->node, "queryFrequency"), "queryFrequency",
                            "a minute or more");
    return true;
}

static bool
read_entities(RuleReader *r)
{
    AnalyticsRule *rule = r->rule;
    YamlNode *list = yaml_get(r->node, "entityMappings");
    rule->entity_count = yaml_is_list(list) ? yaml_count(list) : 0;
    rule->entities = ARENA_ARRAY(r->arena, RuleEntity, rule->entity_count + 1);
    for (size_t i = 0; i < rule->entity_count; i++) {
        YamlNode *item = yaml_item(list, i), *fields = yaml_get(item, "fieldMappings");
        RuleEntity *entity = &rule->entities[i];
        entity->type = text_of(r, yaml_get(item, "entityType"));
        if (!entity->type.len || !yaml_is_list(fields))
            return error_set(r->error, AZ_INVALID,
                             "%s:%u: rule '%.*s': an entity mapping wants entityType and "
                             "fieldMappings",
                             r->path, yaml_line(item), STR_ARG(rule->name));
        entity->fields = ARENA_ARRAY(r->arena, RuleField, yaml_count(fields) + 1);
        for (size_t f = 0; f < yaml_count(fields); f++) {
            YamlNode *field = yaml_item(fields, f);
            entity->fields[entity->field_count++] = (RuleField){
                .identifier = text_of(r, yaml_get(field, "identifier")),
                .column = text_of(r, yaml_get(field, "columnName")),
            };
        }
    }
    YamlNode *whole = either(r->node, "sentinelEntitiesMappings", "sentinelEntitiesMapping");
    if (yaml_is_list(whole) && yaml_count(whole))
        rule->entities_column = text_of(r, yaml_get(yaml_item(whole, 0), "columnName"));
    return true;
}

static void
read_overrides(RuleReader *r)
{
    AnalyticsRule *rule = r->rule;
    YamlNode *map = yaml_get(r->node, "alertDetailsOverride");
    rule->name_format = text_of(r, yaml_get(map, "alertDisplayNameFormat"));
    rule->description_format = text_of(r, yaml_get(map, "alertDescriptionFormat"));
    rule->tactics_column = text_of(r, yaml_get(map, "alertTacticsColumnName"));
    rule->severity_column = text_of(r, yaml_get(map, "alertSeverityColumnName"));
    YamlNode *list = yaml_get(map, "alertDynamicProperties");
    size_t count = yaml_is_list(list) ? yaml_count(list) : 0;
    rule->dynamic_properties = ARENA_ARRAY(r->arena, RulePair, count + 1);
    for (size_t i = 0; i < count; i++)
        rule->dynamic_properties[rule->dynamic_property_count++] = (RulePair){
            text_of(r, yaml_get(yaml_item(list, i), "alertProperty")),
            text_of(r, yaml_get(yaml_item(list, i), "value")),
        };
    YamlNode *details = yaml_get(r->node, "customDetails");
    count = yaml_is_map(details) ? yaml_count(details) : 0;
    rule->custom_details = ARENA_ARRAY(r->arena, RulePair, count + 1);
    for (size_t i = 0; i < count; i++)
        rule->custom_details[rule->custom_detail_count++] =
            (RulePair){text_of(r, yaml_key_at(details, i)), text_of(r, yaml_value_at(details, i))};
}

static bool
read_matching(const RuleReader *r, YamlNode *node, MatchingMethod *out)
{
    static const struct {
        const char *name;
        MatchingMethod method;
    } METHODS[] = {
        {"AllEntities", MATCH_ALL_ENTITIES}, {"All", MATCH_ALL_ENTITIES},
        {"AnyAlert", MATCH_ANY_ALERT},       {"None", MATCH_ANY_ALERT},
        {"Selected", MATCH_SELECTED},        {"Custom", MATCH_SELECTED},
    };
    Str text = text_of(r, node);
    for (size_t i = 0; i < COUNT_OF(METHODS); i++)
        if (str_equal_ci(text, str_from(METHODS[i].name))) {
            *out = METHODS[i].method;
            return true;
        }
    return !node || member_fails(r, node, "matchingMethod", "AllEntities, AnyAlert or Selected");
}

static bool
read_incidents(RuleReader *r)
{
    RuleGrouping *out = &r->rule->grouping;
    *out = (RuleGrouping){.create_incident = true, .lookback = 5 * TICKS_PER_HOUR};
    YamlNode *map = yaml_get(r->node, "incidentConfiguration");
    YamlNode *grouping = yaml_get(map, "groupingConfiguration");
    if (!read_bool(r, map, "createIncident", &out->create_incident) ||
        !read_bool(r, grouping, "enabled", &out->enabled) ||
        !read_bool(r, grouping, "reopenClosedIncident", &out->reopen_closed) ||
        !read_duration(r, grouping, "lookbackDuration", &out->lookback) ||
        !read_matching(r, either(grouping, "matchingMethod", "entitiesMatchingMethod"),
                       &out->matching))
        return false;
    out->entities = yaml_texts(r->arena, yaml_get(grouping, "groupByEntities"), &out->entity_count);
    out->alert_details =
        yaml_texts(r->arena, yaml_get(grouping, "groupByAlertDetails"), &out->alert_detail_count);
    out->custom_details =
        yaml_texts(r->arena, yaml_get(grouping, "groupByCustomDetails"), &out->custom_detail_count);
    return true;
}

static bool
read_grouping(RuleReader *r)
{
    YamlNode *node = yaml_get(yaml_get(r->node, "eventGroupingSettings"), "aggregationKind");
    Str kind = text_of(r, node);
    r->rule->alert_per_result = str_equal_ci(kind, STR("AlertPerResult"));
    if (node && kind.len && !r->rule->alert_per_result && !str_equal_ci(kind, STR("SingleAlert")))
        return member_fails(r, node, "aggregationKind", "SingleAlert or AlertPerResult");
    return read_bool(r, r->node, "suppressionEnabled", &r->rule->suppress) &&
           read_duration(r, r->node, "suppressionDuration", &r->rule->suppression);
}

static void
read_data_types(RuleReader *r)
{
    AnalyticsRule *rule = r->rule;
    YamlNode *list = yaml_get(r->node, "requiredDataConnectors");
    struct {
        Str *items;
        size_t len, cap;
    } types = {0};
    for (size_t i = 0; yaml_is_list(list) && i < yaml_count(list); i++) {
        size_t count;
        Str *names = yaml_texts(r->arena, yaml_get(yaml_item(list, i), "dataTypes"), &count);
        for (size_t t = 0; t < count; t++)
            ARRAY_PUSH(r->arena, &types, names[t]);
    }
    rule->data_types = types.items;
    rule->data_type_count = types.len;
}

// ARM has sub-techniques (T1078.004) apart, and their techniques in the other list; here they stand
// in one, and a technique that a sub-technique names is not told twice.
static void
read_techniques(RuleReader *r)
{
    AnalyticsRule *rule = r->rule;
    size_t count, sub_count;
    Str *list = yaml_texts(r->arena, either(r->node, "relevantTechniques", "techniques"), &count);
    Str *sub = yaml_texts(r->arena, yaml_get(r->node, "subTechniques"), &sub_count);
    rule->techniques = ARENA_ARRAY(r->arena, Str, count + sub_count + 1);
    for (size_t i = 0; i < count; i++) {
        bool named = false;
        for (size_t s = 0; s < sub_count; s++)
            named |= str_starts(sub[s], list[i]) && sub[s].len > list[i].len &&
                     sub[s].ptr[list[i].len] == '.';
        if (!named)
            rule->techniques[rule->technique_count++] = list[i];
    }
    for (size_t s = 0; s < sub_count; s++)
        rule->techniques[rule->technique_count++] = sub[s];
}

// The id of a rule in a template: its member `id` or `name`, whose last segment is the GUID.
static Str
rule_id(RuleReader *r, YamlNode *outer)
{
    Str id = text_of(r, yaml_get(r->node, "id"));
    if (!id.len && outer != r->node)
        id = text_of(r, either(outer, "name", "id"));
    size_t from = id.len;
    while (from > 0 && id.ptr[from - 1] != '/')
        from--;
    id = str_slice(id, from, id.len);
    // "[concat(parameters('workspace'),'/Microsoft.SecurityInsights/0b9a...')]"
    while (id.len &&
           (id.ptr[id.len - 1] == ']' || id.ptr[id.len - 1] == ')' || id.ptr[id.len - 1] == '\''))
        id.len--;
    return id;
}

bool
rule_read(Arena *arena, const char *path, YamlNode *outer, AnalyticsRule *out, AzError *error)
{
    YamlNode *properties = yaml_get(outer, "properties");
    bool in_template = yaml_is_map(properties);
    RuleReader r = {arena, path, in_template ? properties : outer, in_template, out, error};
    *out = (AnalyticsRule){.file = str_from(path), .enabled = true};
    if (!yaml_is_map(r.node))
        return error_set(error, AZ_INVALID, "%s: not a mapping of an analytics rule's members",
                         path);
    bool done = true;
    out->name = required(&r, "name", "displayName", &done);
    out->query = required(&r, "query", "query", &done);
    out->description = text_of(&r, yaml_get(r.node, "description"));
    // Public rules quote the description twice.
    if (out->description.len > 1 && out->description.ptr[0] == '\'' &&
        out->description.ptr[out->description.len - 1] == '\'')
        out->description = str_slice(out->description, 1, out->description.len - 1);
    out->version = text_of(&r, either(r.node, "version", "templateVersion"));
    out->id = rule_id(&r, outer);
    if (done && !out->id.len)
        done = error_set(error, AZ_INVALID, "%s:%u: rule '%.*s': member 'id' is missing or empty",
                         path, yaml_line(outer), STR_ARG(out->name));
    YamlNode *severity = yaml_get(r.node, "severity");
    out->severity = ALERT_MEDIUM;
    if (done && severity && !alert_severity_parse(text_of(&r, severity), &out->severity))
        done = member_fails(&r, severity, "severity", "High, Medium, Low or Informational");
    YamlNode *query = yaml_get(r.node, "query");
    Str text = yaml_text(arena, query);
    out->query_line = yaml_line(query);
    for (size_t i = 0; i < text.len && text.ptr[i] == '\n'; i++)
        out->query_line++;
    out->tactics = yaml_texts(arena, yaml_get(r.node, "tactics"), &out->tactic_count);
    read_techniques(&r);
    Str runs_there = text_of(&r, yaml_get(yaml_get(r.node, "azimuth"), "sentinel"));
    out->not_in_sentinel = str_equal_ci(runs_there, STR("false"));
    if (!done || !read_kind(&r, outer) || !read_schedule(&r) || !read_entities(&r) ||
        !read_bool(&r, r.node, "enabled", &out->enabled) || !read_grouping(&r) ||
        !read_incidents(&r))
        return false;
    read_overrides(&r);
    read_data_types(&r);
    return true;
}
