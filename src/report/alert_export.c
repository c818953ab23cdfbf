#include "report/alert_export.h"

#include "report/json_parts.h"
#include "value/dynamic.h"
#include "value/scalar.h"

static int64_t
unix_milliseconds(int64_t ticks)
{
    static const int64_t EPOCH = INT64_C(621355968000000000); // 1970-01-01
    return (ticks - EPOCH) / TICKS_PER_MILLISECOND;
}

// ---- CEF ----

static void
put_escaped(Buffer *out, Str text, const char *also)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n' || c == '\r')
            buffer_text(out, c == '\n' ? "\\n" : "\\r");
        else if ((unsigned char)c < 0x20 || c == 0x7F)
            buffer_char(out, ' ');
        else {
            if (c == '\\' || c == *also)
                buffer_char(out, '\\');
            buffer_char(out, c);
        }
    }
}

// Fields of the head: one line, and | is escaped.
static void
put_head(Buffer *out, Str text)
{
    buffer_char(out, '|');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if ((unsigned char)c < 0x20 || c == 0x7F) {
            buffer_char(out, ' ');
            continue;
        }
        if (c == '\\' || c == '|')
            buffer_char(out, '\\');
        buffer_char(out, c);
    }
}

static void
put_field(Buffer *out, const char *key, Str value)
{
    if (!value.len)
        return;
    buffer_printf(out, " %s=", key);
    put_escaped(out, value, "=");
}

static void
put_number(Buffer *out, const char *key, int64_t value)
{
    buffer_printf(out, " %s=%lld", key, (long long)value);
}

// The label of the first entity of a kind.
static Str
first_of(const EntityList *entities, Str type)
{
    for (size_t i = 0; i < entities->len; i++)
        if (str_equal_ci(entities->items[i].type, type) && entities->items[i].label.len)
            return entities->items[i].label;
    return (Str){0};
}

static int
cef_severity(AlertSeverity severity)
{
    static const int NUMBERS[] = {
        [ALERT_INFORMATIONAL] = 1, [ALERT_LOW] = 3, [ALERT_MEDIUM] = 6, [ALERT_HIGH] = 9};
    return NUMBERS[severity];
}

static void
alert_cef(Buffer *out, Arena *arena, const Alert *alert, const char *version)
{
    const AnalyticsRule *rule = alert->rule;
    buffer_text(out, "CEF:0");
    put_head(out, STR("Azimuth"));
    put_head(out, STR("azimuth"));
    put_head(out, str_from(version));
    put_head(out, rule->id);
    put_head(out, alert->name);
    buffer_printf(out, "|%d|", cef_severity(alert->severity));
    buffer_printf(out, "rt=%lld", (long long)unix_milliseconds(alert->run));
    put_number(out, "start", unix_milliseconds(alert->start));
    put_number(out, "end", unix_milliseconds(alert->end));
    put_number(out, "cnt", (int64_t)alert->results);
    put_field(out, "externalId", alert->id);
    put_field(out, "cat", rule->name);
    put_field(out, "msg", alert->description);
    put_field(out, "suser", first_of(&alert->entities, STR("Account")));
    put_field(out, "src", first_of(&alert->entities, STR("IP")));
    put_field(out, "shost", first_of(&alert->entities, STR("Host")));
    put_field(out, "request", first_of(&alert->entities, STR("URL")));
    put_field(out, "filePath", first_of(&alert->entities, STR("AzureResource")));
    Str tactics = alert_words(arena, alert->tactics, alert->tactic_count);
    Str techniques = alert_words(arena, rule->techniques, rule->technique_count);
    put_field(out, "cs1", tactics);
    put_field(out, "cs1Label", tactics.len ? STR("Tactics") : (Str){0});
    put_field(out, "cs2", techniques);
    put_field(out, "cs2Label", techniques.len ? STR("Techniques") : (Str){0});
    if (alert->entities.len) {
        put_field(out, "cs3", entities_json(arena, &alert->entities));
        put_field(out, "cs3Label", STR("Entities"));
    }
    buffer_char(out, '\n');
}

void
alerts_cef(Buffer *out, const AlertList *alerts, const char *version)
{
    Arena arena = {0};
    for (size_t i = 0; i < alerts->len; i++) {
        alert_cef(out, &arena, &alerts->items[i], version);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

// ---- OCSF ----

// The number and name of a type of observable (OCSF, "Observable", type_id).
static void
json_observable(JsonOut *json, const AlertEntity *entity)
{
    static const struct {
        Str type;
        int64_t id;
        const char *name;
    } TYPES[] = {
        {STR_INIT("Account"), 4, "User Name"},    {STR_INIT("IP"), 2, "IP Address"},
        {STR_INIT("Host"), 1, "Hostname"},        {STR_INIT("URL"), 6, "URL String"},
        {STR_INIT("File"), 7, "File Name"},       {STR_INIT("FileHash"), 8, "Hash"},
        {STR_INIT("Process"), 9, "Process Name"}, {STR_INIT("AzureResource"), 10, "Resource UID"},
    };
    int64_t id = 99;
    const char *name = "Other";
    for (size_t i = 0; i < COUNT_OF(TYPES); i++)
        if (str_equal_ci(TYPES[i].type, entity->type)) {
            id = TYPES[i].id;
            name = TYPES[i].name;
        }
    json_item(json);
    json_open(json, '{');
    json_member_string(json, "name", entity->type);
    json_member_string(json, "type", str_from(name));
    json_member_long(json, "type_id", id);
    json_member_string(json, "value", entity->label);
    json_close(json, '}');
}

static void
json_named(JsonOut *json, const char *key, const char *member, Str value)
{
    json_key(json, key);
    json_open(json, '{');
    json_member_string(json, member, value);
    json_close(json, '}');
}

// Tactics and techniques stand apart in rules: each technique is told with the first tactic.
static void
json_attacks(JsonOut *json, const Alert *alert)
{
    const AnalyticsRule *rule = alert->rule;
    size_t count = rule->technique_count ? rule->technique_count : alert->tactic_count;
    json_key(json, "attacks");
    json_open(json, '[');
    for (size_t i = 0; i < count; i++) {
        size_t tactic =
            rule->technique_count == alert->tactic_count || !rule->technique_count ? i : 0;
        json_item(json);
        json_open(json, '{');
        if (tactic < alert->tactic_count)
            json_named(json, "tactic", "name", alert->tactics[tactic]);
        if (i < rule->technique_count)
            json_named(json, "technique", "uid", rule->techniques[i]);
        json_member_string(json, "version", STR("17"));
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void
json_finding(JsonOut *json, const Alert *alert)
{
    const AnalyticsRule *rule = alert->rule;
    json_key(json, "finding_info");
    json_open(json, '{');
    json_member_string(json, "uid", alert->id);
    json_member_string(json, "title", alert->name);
    json_member_text(json, "desc", alert->description);
    json_member_long(json, "created_time", unix_milliseconds(alert->run));
    json_member_long(json, "first_seen_time", unix_milliseconds(alert->start));
    json_member_long(json, "last_seen_time", unix_milliseconds(alert->end));
    json_key(json, "analytic");
    json_open(json, '{');
    json_member_string(json, "uid", rule->id);
    json_member_string(json, "name", rule->name);
    json_member_string(json, "type", STR("Rule"));
    json_member_long(json, "type_id", 1);
    json_close(json, '}');
    json_attacks(json, alert);
    json_close(json, '}');
}

static void
alert_ocsf(JsonOut *json, Arena *arena, const Alert *alert, const char *version)
{
    static const int64_t SEVERITIES[] = {
        [ALERT_INFORMATIONAL] = 1, [ALERT_LOW] = 2, [ALERT_MEDIUM] = 3, [ALERT_HIGH] = 4};
    json_open(json, '{');
    json_member_long(json, "activity_id", 1); // Create
    json_member_long(json, "category_uid", 2);
    json_member_long(json, "class_uid", 2004);
    json_member_long(json, "type_uid", 200401);
    json_member_long(json, "severity_id", SEVERITIES[alert->severity]);
    json_member_long(json, "status_id", 1); // New
    json_member_long(json, "time", unix_milliseconds(alert->run));
    json_member_long(json, "count", (int64_t)alert->results);
    json_key(json, "metadata");
    json_open(json, '{');
    json_member_string(json, "version", STR("1.3.0"));
    json_key(json, "product");
    json_open(json, '{');
    json_member_string(json, "name", STR("Azimuth"));
    json_member_string(json, "vendor_name", STR("Azimuth"));
    json_member_string(json, "version", str_from(version));
    json_close(json, '}');
    json_close(json, '}');
    json_finding(json, alert);
    json_key(json, "observables");
    json_open(json, '[');
    for (size_t i = 0; i < alert->entities.len; i++)
        if (alert->entities.items[i].label.len)
            json_observable(json, &alert->entities.items[i]);
    json_close(json, ']');
    json_key(json, "unmapped");
    json_open(json, '{');
    json_key(json, "entities");
    json_raw(json, entities_json(arena, &alert->entities));
    json_close(json, '}');
    json_close(json, '}');
    buffer_char(json->out, '\n');
}

void
alerts_ocsf(Buffer *out, const AlertList *alerts, const char *version)
{
    Arena arena = {0};
    JsonOut json = {.out = out};
    for (size_t i = 0; i < alerts->len; i++) {
        json.first = true;
        alert_ocsf(&json, &arena, &alerts->items[i], version);
        arena_reset(&arena);
    }
    json_out_free(&json);
    arena_free(&arena);
}
