// Sources: learn.microsoft.com/azure/sentinel: create-analytics-rules and map-data-fields-to-
// entities (limits), entities-reference (types and identifiers); attack.mitre.org (tactics).

#include "detect/rule_check.h"

#include "value/scalar.h"
#include "value/yaml.h"

typedef struct RuleCheck {
    Database *db;
    Arena *arena;
    const AnalyticsRule *rule;
    RuleProblems *problems;
} RuleCheck;

static void say(RuleCheck *check, bool is_warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(RuleCheck *check, bool is_warning, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str what = str_vformat(check->arena, format, args);
    va_end(args);
    RuleProblem problem = {check->rule->file,
                           str_format(check->arena, "%.*s: rule '%.*s': %.*s",
                                      STR_ARG(check->rule->file), STR_ARG(check->rule->name),
                                      STR_ARG(what)),
                           is_warning};
    ARRAY_PUSH(check->arena, check->problems, problem);
}

// ---- names ----

static const char *const TACTICS[] = {
    "Reconnaissance",
    "ResourceDevelopment",
    "InitialAccess",
    "Execution",
    "Persistence",
    "PrivilegeEscalation",
    "DefenseEvasion",
    "CredentialAccess",
    "Discovery",
    "LateralMovement",
    "Collection",
    "CommandAndControl",
    "Exfiltration",
    "Impact",
    "ImpairProcessControl",
    "InhibitResponseFunction",
    "PreAttack",
};

// Types of entities with the identifiers a mapping may name.
static const struct {
    const char *type, *identifiers;
} ENTITIES[] = {
    {"Account", "Name FullName NTDomain DnsDomain UPNSuffix Sid AadTenantId AadUserId PUID "
                "IsDomainJoined DisplayName ObjectGuid CloudAppAccountId IsAnonymized Stream"},
    {"Host", "DnsDomain NTDomain HostName FullName NetBiosName AzureID OMSAgentID OSFamily "
             "OSVersion IsDomainJoined"},
    {"IP", "Address AddressScope"},
    {"URL", "Url"},
    {"AzureResource", "ResourceId"},
    {"CloudApplication", "AppId Name InstanceName InstanceId Risk Stream"},
    {"DNS", "DomainName"},
    {"File", "Directory Name"},
    {"FileHash", "Algorithm Value"},
    {"Malware", "Name Category"},
    {"Process", "ProcessId CommandLine ElevationToken CreationTimeUtc"},
    {"RegistryKey", "Hive Key"},
    {"RegistryValue", "Name Value ValueType"},
    {"SecurityGroup", "DistinguishedName SID ObjectGuid"},
    {"Mailbox", "MailboxPrimaryAddress DisplayName Upn AadId RiskLevel ExternalDirectoryObjectId"},
    {"MailCluster", "NetworkMessageIds CountByDeliveryStatus CountByThreatType "
                    "CountByProtectionStatus Threats Query QueryTime MailCount IsVolumeAnomaly "
                    "Source ClusterSourceIdentifier ClusterSourceType ClusterQueryStartTime "
                    "ClusterQueryEndTime ClusterGroup"},
    {"MailMessage", "Recipient Urls Threats Sender P1Sender P1SenderDisplayName P1SenderDomain "
                    "SenderIP P2Sender P2SenderDisplayName P2SenderDomain ReceivedDate "
                    "NetworkMessageId InternetMessageId Subject BodyFingerprintBin1 "
                    "BodyFingerprintBin2 BodyFingerprintBin3 BodyFingerprintBin4 "
                    "BodyFingerprintBin5 AntispamDirection DeliveryAction DeliveryLocation "
                    "Language ThreatDetectionMethods"},
    {"SubmissionMail", "NetworkMessageId Timestamp Recipient Sender SenderIp Subject ReportType "
                       "SubmissionId SubmissionDate Submitter"},
};

static bool
is_tactic(Str text)
{
    for (size_t i = 0; i < COUNT_OF(TACTICS); i++)
        if (str_equal_ci(text, str_from(TACTICS[i])))
            return true;
    return false;
}

// "T1078" or "T1078.004".
static bool
is_technique(Str text)
{
    if (text.len != 5 && text.len != 9)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool fits = i == 0 ? c == 'T' : i == 5 ? c == '.' : c >= '0' && c <= '9';
        if (!fits)
            return false;
    }
    return true;
}

static void
check_names(RuleCheck *check)
{
    const AnalyticsRule *rule = check->rule;
    Guid guid;
    if (!guid_parse(rule->id, &guid))
        say(check, false, "the id '%.*s' is no GUID", STR_ARG(rule->id));
    for (size_t i = 0; i < rule->tactic_count; i++)
        if (!is_tactic(rule->tactics[i]))
            say(check, false, "there is no tactic '%.*s'", STR_ARG(rule->tactics[i]));
    for (size_t i = 0; i < rule->technique_count; i++)
        if (!is_technique(rule->techniques[i]))
            say(check, false, "'%.*s' is no technique such as T1078 or T1078.004",
                STR_ARG(rule->techniques[i]));
    if (!rule->tactic_count)
        say(check, true, "it names no tactic");
    if (!rule->version.len)
        say(check, true, "it has no version");
}

// ---- limits ----

static void
check_limits(RuleCheck *check)
{
    const AnalyticsRule *rule = check->rule;
    int64_t least = 5 * TICKS_PER_MINUTE, most = 14 * TICKS_PER_DAY;
    if (rule->kind == RULE_SCHEDULED) {
        if (rule->frequency < least || rule->frequency > most)
            say(check, false, "queryFrequency lies outside 5m to 14d");
        if (rule->period < least || rule->period > most)
            say(check, false, "queryPeriod lies outside 5m to 14d");
        if (rule->period < rule->frequency)
            say(check, false,
                "queryPeriod is shorter than queryFrequency: events between the runs "
                "are never looked at");
        if (rule->period > 2 * TICKS_PER_DAY && rule->frequency < TICKS_PER_HOUR)
            say(check, false, "a query over more than two days runs at most once an hour");
    }
    if (rule->threshold > 10000)
        say(check, false, "triggerThreshold is more than 10000");
    if (rule->entity_count > 10)
        say(check, false, "%zu entity mappings are more than 10", rule->entity_count);
    if (rule->custom_detail_count > 20)
        say(check, false, "%zu custom details are more than 20", rule->custom_detail_count);
    if (rule->query.len > 10000)
        say(check, false, "the query has more than 10000 characters");
    if (rule->suppress && rule->suppression <= 0)
        say(check, false, "suppressionEnabled wants suppressionDuration");
}

// ---- columns ----

static void
check_column(RuleCheck *check, const Schema *schema, Str column, const char *where)
{
    if (!column.len || schema_find(schema, column) >= 0)
        return;
    say(check, false, "%s names the column '%.*s', which the query does not yield", where,
        STR_ARG(column));
}

static void
check_format(RuleCheck *check, const Schema *schema, Str format, const char *where)
{
    int parameters = 0;
    for (Str rest = format;;) {
        ptrdiff_t open = str_find(rest, STR("{{"));
        if (open < 0)
            break;
        rest = str_slice(rest, (size_t)open + 2, rest.len);
        ptrdiff_t close = str_find(rest, STR("}}"));
        if (close < 0)
            break;
        check_column(check, schema, str_trim(str_slice(rest, 0, (size_t)close)), where);
        parameters++;
    }
    if (parameters > 3)
        say(check, false, "%s has %d columns, more than 3", where, parameters);
}

static bool
has_word(const char *words, Str word)
{
    Str rest = str_from(words), next;
    while (str_next_word(&rest, &next))
        if (str_equal_ci(next, word))
            return true;
    return false;
}

static void
check_entity(RuleCheck *check, const Schema *schema, const RuleEntity *entity)
{
    const char *identifiers = NULL;
    for (size_t i = 0; i < COUNT_OF(ENTITIES); i++)
        if (str_equal_ci(entity->type, str_from(ENTITIES[i].type)))
            identifiers = ENTITIES[i].identifiers;
    if (!identifiers)
        say(check, false, "there is no entity type '%.*s'", STR_ARG(entity->type));
    if (entity->field_count > 3)
        say(check, false, "an entity of type %.*s has %zu identifiers, more than 3",
            STR_ARG(entity->type), entity->field_count);
    for (size_t f = 0; f < entity->field_count; f++) {
        if (identifiers && !has_word(identifiers, entity->fields[f].identifier))
            say(check, false, "entities of type %.*s have no identifier '%.*s'",
                STR_ARG(entity->type), STR_ARG(entity->fields[f].identifier));
        check_column(check, schema, entity->fields[f].column, "an entity mapping");
    }
}

static void
check_columns(RuleCheck *check, const Schema *schema)
{
    const AnalyticsRule *rule = check->rule;
    for (size_t i = 0; i < rule->entity_count; i++)
        check_entity(check, schema, &rule->entities[i]);
    for (size_t i = 0; i < rule->custom_detail_count; i++)
        check_column(check, schema, rule->custom_details[i].value, "customDetails");
    for (size_t i = 0; i < rule->dynamic_property_count; i++)
        check_column(check, schema, rule->dynamic_properties[i].value, "alertDynamicProperties");
    check_column(check, schema, rule->entities_column, "sentinelEntitiesMappings");
    check_column(check, schema, rule->tactics_column, "alertTacticsColumnName");
    check_column(check, schema, rule->severity_column, "alertSeverityColumnName");
    check_format(check, schema, rule->name_format, "alertDisplayNameFormat");
    check_format(check, schema, rule->description_format, "alertDescriptionFormat");
    if (!rule->entity_count && !rule->entities_column.len)
        say(check, true, "it maps no entities: its alerts cannot be put together");
}

static void
check_query(RuleCheck *check)
{
    const AnalyticsRule *rule = check->rule;
    AzError error = {0};
    Schema schema = {0};
    if (!db_check(check->db, rule->query, NULL, &error)) {
        uint32_t line = 1, column = 1;
        if (error.has_span)
            text_position(rule->query, error.span.start, &line, &column);
        say(check, false, "line %u: %s", rule->query_line + line - 1, error.message);
        return;
    }
    if (db_query_schema(check->db, check->arena, rule->query, &schema))
        check_columns(check, &schema);
}

// ---- what the shipped rules say of themselves ----

static void
check_notes(RuleCheck *check)
{
    static const char *const WANTED[] = {"falsePositives", "tuning", "response", "mappings"};
    AzError error = {0};
    YamlDoc *doc = yaml_load(str_cstr(check->arena, check->rule->file), &error);
    YamlNode *notes = doc ? yaml_get(yaml_root(doc), "azimuth") : NULL;
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        YamlNode *member = yaml_get(notes, WANTED[i]);
        bool filled = yaml_is_map(member) || yaml_is_list(member)
                          ? yaml_count(member) > 0
                          : str_trim(yaml_text(check->arena, member)).len > 0;
        if (!filled)
            say(check, false, "the member azimuth.%s is missing or empty", WANTED[i]);
    }
    if (doc)
        yaml_free(doc);
}

void
rules_check(Database *db, Arena *arena, const RuleSet *rules, bool strict, RuleProblems *problems)
{
    for (size_t i = 0; i < rules->len; i++) {
        RuleCheck check = {db, arena, &rules->items[i], problems};
        check_names(&check);
        check_limits(&check);
        check_query(&check);
        if (strict)
            check_notes(&check);
    }
}
