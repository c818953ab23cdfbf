// Three questions to the store: how many incidents, the newest of them, and the alerts of these.

#include "report/report_incidents.h"

#include "azure/arm.h"
#include "db/rows.h"

// The newest state of each incident; an incident without times of its own has those of its row.
#define NEWEST                                                                                     \
    "SecurityIncident | summarize arg_max(coalesce(LastModifiedTime, TimeGenerated), *) by "       \
    "IncidentName | extend firstOn = coalesce(FirstActivityTime, CreatedTime, TimeGenerated)"      \
    " | extend lastOn = coalesce(LastActivityTime, firstOn)"
#define SHOWN NEWEST " | order by lastOn desc, IncidentNumber desc, IncidentName asc | take 100"
_Static_assert(REPORT_INCIDENTS == 100, "as SHOWN takes");
_Static_assert(INCIDENT_ALERTS_MOST == 150, "as read_alerts() slices");

static ResultTable *
ask(Database *db, Arena *arena, ReportIncidents *out, const char *text)
{
    QueryOptions options = {0};
    AzError error = {0};
    QueryResult *result =
        out->error.len ? NULL : db_query(db, arena, str_from(text), &options, &error);
    if (!result && !out->error.len)
        out->error = str_copy(arena, str_from(error.message));
    return result ? result->tables[result->primary] : NULL;
}

static AlertSeverity
severity_of(Str text)
{
    AlertSeverity severity = ALERT_INFORMATIONAL;
    alert_severity_parse(text, &severity);
    return severity;
}

static void
read_counts(Database *db, Arena *arena, ReportIncidents *out)
{
    ResultTable *table = ask(db, arena, out,
                             NEWEST " | summarize count(), countif(Status !~ 'Closed') by Severity"
                                    " | order by Severity asc");
    RowReader row = {.table = table};
    while (table && rows_next(&row)) {
        out->by_severity[severity_of(rows_text(&row, 0, arena))] += rows_long(&row, 1);
        out->total += rows_long(&row, 1);
        out->open += rows_long(&row, 2);
    }
}

static void
read_tactics(ReportIncident *incident, Arena *arena, Dyn list)
{
    size_t count = dyn_kind(list) == DYN_ARRAY ? dyn_count(list) : 0;
    incident->tactics = ARENA_ARRAY(arena, Str, count + 1);
    for (size_t i = 0; i < count; i++) {
        Str tactic = dyn_string(dyn_at(list, (uint32_t)i));
        if (tactic.len)
            incident->tactics[incident->tactic_count++] = str_copy(arena, tactic);
    }
}

static void
read_shown(Database *db, Arena *arena, ReportIncidents *out, Map *by_name)
{
    ResultTable *table =
        ask(db, arena, out,
            SHOWN " | project IncidentName, tolong(IncidentNumber), Title, Severity, Status,"
                  " CreatedTime, LastModifiedTime, firstOn, lastOn,"
                  " coalesce(tolong(array_length(AlertIds)), tolong(AdditionalData.alertsCount)),"
                  " AdditionalData.tactics");
    RowReader row = {.table = table};
    out->items = ARENA_ARRAY(arena, ReportIncident, REPORT_INCIDENTS);
    while (table && rows_next(&row) && out->len < REPORT_INCIDENTS) {
        ReportIncident *incident = &out->items[out->len++];
        *incident = (ReportIncident){
            .name = rows_text(&row, 0, arena),
            .number = rows_long(&row, 1),
            .title = rows_text(&row, 2, arena),
            .severity = severity_of(rows_text(&row, 3, arena)),
            .status = rows_text(&row, 4, arena),
            .created = rows_long(&row, 5),
            .modified = rows_long(&row, 6),
            .first = rows_long(&row, 7),
            .last = rows_long(&row, 8),
            .alert_count = rows_long(&row, 9),
        };
        read_tactics(incident, arena, rows_dynamic(&row, 10));
        map_init(&incident->seen, arena, true);
        map_put(by_name, incident->name, incident);
    }
}

// What a person calls an entity (entities-reference): the account with its suffix, the address,
// the name of a resource; of other kinds the first identifier.
static Str
entity_name(Arena *arena, Dyn entity)
{
    static const char *const NAMES[] = {"Address", "HostName", "DomainName", "Url"};
    Str name = dyn_string(dyn_get_ci(entity, STR("Name")));
    Str suffix = dyn_string(dyn_get_ci(entity, STR("UPNSuffix")));
    Str domain = dyn_string(dyn_get_ci(entity, STR("NTDomain")));
    Str resource = dyn_string(dyn_get_ci(entity, STR("ResourceId")));
    if (name.len && suffix.len)
        return str_format(arena, "%.*s@%.*s", STR_ARG(name), STR_ARG(suffix));
    if (name.len && domain.len)
        return str_format(arena, "%.*s\\%.*s", STR_ARG(domain), STR_ARG(name));
    if (resource.len)
        name = arm_last_segment(resource);
    for (size_t i = 0; !name.len && i < COUNT_OF(NAMES); i++)
        name = dyn_string(dyn_get_ci(entity, str_from(NAMES[i])));
    for (uint32_t i = 0; !name.len && i < dyn_count(entity); i++) {
        Str key = dyn_key_at(entity, i);
        if (!str_starts(key, STR("$")) && !str_equal_ci(key, STR("Type")))
            name = dyn_string(dyn_at(entity, i));
    }
    return str_copy(arena, name);
}

static void
add_entities(ReportIncident *incident, Arena *arena, Dyn list)
{
    for (uint32_t i = 0; dyn_kind(list) == DYN_ARRAY && i < dyn_count(list); i++) {
        Dyn node = dyn_at(list, i);
        if (dyn_kind(node) != DYN_BAG)
            continue;
        bool is_new;
        Str type = dyn_string(dyn_get_ci(node, STR("Type"))), name = entity_name(arena, node);
        if (!name.len)
            continue;
        map_add(&incident->seen, str_format(arena, "%.*s\n%.*s", STR_ARG(type), STR_ARG(name)),
                &is_new);
        if (!is_new)
            continue;
        IncidentEntity entity = {str_copy(arena, type), name};
        if (incident->entities.len < INCIDENT_ENTITIES_MOST)
            ARRAY_PUSH(arena, &incident->entities, entity);
        else
            incident->entities_left++;
    }
}

static void
read_alerts(Database *db, Arena *arena, ReportIncidents *out, const Map *by_name)
{
    ResultTable *table =
        ask(db, arena, out,
            SHOWN " | project IncidentName, AlertId = array_slice(AlertIds, 0, 149)"
                  " | mv-expand AlertId to typeof(string) | distinct IncidentName, AlertId"
                  " | join kind=inner (SecurityAlert"
                  " | summarize arg_max(TimeGenerated, *) by SystemAlertId)"
                  " on $left.AlertId == $right.SystemAlertId"
                  " | extend startOn = coalesce(StartTime, TimeGenerated)"
                  " | extend endOn = coalesce(EndTime, startOn)"
                  " | order by IncidentName asc, startOn asc, SystemAlertId asc"
                  " | project IncidentName, SystemAlertId, coalesce(DisplayName, AlertName),"
                  " AlertSeverity, startOn, endOn, parse_json(Entities)");
    RowReader row = {.table = table};
    while (table && rows_next(&row)) {
        ReportIncident *incident = map_get(by_name, rows_view(&row, 0));
        if (!incident || incident->alerts.len >= INCIDENT_ALERTS_MOST)
            continue;
        IncidentAlert alert = {
            .id = rows_text(&row, 1, arena),
            .name = rows_text(&row, 2, arena),
            .severity = severity_of(rows_text(&row, 3, arena)),
            .start = rows_long(&row, 4),
            .end = rows_long(&row, 5),
        };
        ARRAY_PUSH(arena, &incident->alerts, alert);
        add_entities(incident, arena, rows_dynamic(&row, 6));
    }
}

void
report_incidents_read(Database *db, Arena *arena, ReportIncidents *out)
{
    Map by_name;
    *out = (ReportIncidents){0};
    if (!db)
        return;
    map_init(&by_name, arena, false);
    read_counts(db, arena, out);
    if (!out->total)
        return;
    read_shown(db, arena, out, &by_name);
    read_alerts(db, arena, out, &by_name);
}

bool
report_incidents_any(const ReportIncidents *incidents)
{
    return incidents && (incidents->total || incidents->error.len);
}

const char *
incident_severity_class(AlertSeverity severity)
{
    static const char *const CLASSES[INCIDENT_SEVERITIES] = {
        [ALERT_INFORMATIONAL] = "info",
        [ALERT_LOW] = "low",
        [ALERT_MEDIUM] = "medium",
        [ALERT_HIGH] = "high",
    };
    return CLASSES[severity];
}

const char *
incident_severity_shape(AlertSeverity severity)
{
    static const char *const SHAPES[INCIDENT_SEVERITIES] = {
        [ALERT_INFORMATIONAL] = "\u25cb",
        [ALERT_LOW] = "\u25cf",
        [ALERT_MEDIUM] = "\u25a0",
        [ALERT_HIGH] = "\u25b2",
    };
    return SHAPES[severity];
}
