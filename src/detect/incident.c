#include "detect/incident.h"

#include <stdlib.h>

void
incidents_init(IncidentList *list, Arena *arena)
{
    *list = (IncidentList){0};
    map_init(&list->newest, arena, false);
}

void
incidents_take(IncidentList *list, const Incident *incident)
{
    bool is_new;
    Arena *arena = list->newest.arena;
    ARRAY_PUSH(arena, list, *incident);
    if (incident->number > list->last_number)
        list->last_number = incident->number;
    map_add(&list->newest, incident->key, &is_new)->number = list->len - 1;
}

// ---- what alerts must share ----

static int
compare_texts(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

static bool
is_among(Str text, const Str *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_ci(text, items[i]))
            return true;
    return false;
}

static void
put_entities(Arena *arena, Buffer *key, const Alert *alert)
{
    const RuleGrouping *grouping = &alert->rule->grouping;
    Str *keys = ARENA_ARRAY(arena, Str, alert->entities.len + 1);
    size_t count = 0;
    for (size_t i = 0; i < alert->entities.len; i++) {
        const AlertEntity *entity = &alert->entities.items[i];
        if (grouping->matching == MATCH_ALL_ENTITIES ||
            is_among(entity->type, grouping->entities, grouping->entity_count))
            keys[count++] = entity->key;
    }
    if (count)
        qsort(keys, count, sizeof(Str), compare_texts);
    for (size_t i = 0; i < count; i++)
        buffer_printf(key, "\n%.*s", STR_ARG(keys[i]));
}

// The same for alerts that belong together.
static Str
grouping_key(Arena *arena, const Alert *alert)
{
    const AnalyticsRule *rule = alert->rule;
    const RuleGrouping *grouping = &rule->grouping;
    Buffer key = {0};
    buffer_printf(&key, "%.*s", STR_ARG(rule->id));
    if (!grouping->enabled)
        buffer_printf(&key, "\n%.*s", STR_ARG(alert->id)); // each for itself
    else if (grouping->matching != MATCH_ANY_ALERT)
        put_entities(arena, &key, alert);
    if (grouping->enabled && grouping->matching == MATCH_SELECTED) {
        if (is_among(STR("DisplayName"), grouping->alert_details, grouping->alert_detail_count))
            buffer_printf(&key, "\nname %.*s", STR_ARG(alert->name));
        if (is_among(STR("Severity"), grouping->alert_details, grouping->alert_detail_count))
            buffer_printf(&key, "\nseverity %d", (int)alert->severity);
        for (size_t d = 0; d < alert->detail_count; d++)
            if (is_among(alert->details[d].key, grouping->custom_details,
                         grouping->custom_detail_count))
                buffer_printf(&key, "\ndetail %.*s %.*s", STR_ARG(alert->details[d].key),
                              STR_ARG(alert->details[d].value));
    }
    Str guid = text_guid(arena, buffer_slice(&key));
    buffer_free(&key);
    return guid;
}

// ---- opening and growing ----

static void
add_text(Arena *arena, Str **items, size_t *count, size_t *cap, Str text)
{
    if (is_among(text, *items, *count))
        return;
    struct {
        Str *items;
        size_t len, cap;
    } texts = {*items, *count, *cap};
    ARRAY_PUSH(arena, &texts, str_copy(arena, text));
    *items = texts.items;
    *count = texts.len;
    *cap = texts.cap;
}

static void
take_alert(Arena *arena, Incident *incident, const Alert *alert)
{
    const AnalyticsRule *rule = alert->rule;
    add_text(arena, &incident->alerts, &incident->alert_count, &incident->alert_cap, alert->id);
    for (size_t i = 0; i < alert->tactic_count; i++)
        add_text(arena, &incident->tactics, &incident->tactic_count, &incident->tactic_cap,
                 alert->tactics[i]);
    for (size_t i = 0; i < rule->technique_count; i++)
        add_text(arena, &incident->techniques, &incident->technique_count, &incident->technique_cap,
                 rule->techniques[i]);
    if (alert->severity > incident->severity)
        incident->severity = alert->severity;
    if (alert->start < incident->first_activity)
        incident->first_activity = alert->start;
    if (alert->end > incident->last_activity)
        incident->last_activity = alert->end;
    incident->modified = alert->run;
    incident->changed = incident->touched = true;
}

static bool
takes_more(const Incident *incident, const Alert *alert)
{
    const RuleGrouping *grouping = &alert->rule->grouping;
    if (!grouping->enabled || incident->alert_count >= ALERTS_OF_INCIDENT ||
        alert->run - incident->created > grouping->lookback)
        return false;
    return !incident->closed || grouping->reopen_closed;
}

static void
open_incident(IncidentList *list, Str key, const Alert *alert)
{
    Arena *arena = list->newest.arena;
    Incident incident = {
        .name = text_guid(arena, str_format(arena, "incident %.*s", STR_ARG(alert->id))),
        .number = list->last_number + 1,
        .key = key,
        .rule_id = alert->rule->id,
        .title = str_copy(arena, alert->name),
        .description = str_copy(arena, alert->description),
        .status = STR("New"),
        .severity = alert->severity,
        .created = alert->run,
        .first_activity = alert->start,
        .last_activity = alert->end,
    };
    take_alert(arena, &incident, alert);
    incidents_take(list, &incident);
}

void
incidents_add(IncidentList *list, const Alert *alert)
{
    if (!alert->rule->grouping.create_incident)
        return;
    Arena *arena = list->newest.arena;
    Str key = grouping_key(arena, alert);
    const MapEntry *entry = map_find(&list->newest, key);
    Incident *incident = entry ? &list->items[entry->number] : NULL;
    if (!incident || !takes_more(incident, alert)) {
        open_incident(list, key, alert);
        return;
    }
    if (incident->closed) {
        incident->closed = 0;
        incident->status = STR("Active");
    }
    take_alert(arena, incident, alert);
}
