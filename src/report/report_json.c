// Findings and the run as one JSON document, for pipelines and other tools.
//
//     schema      "azimuth.findings/1"; members may be added, none change their meaning
//     tenant      {id}
//     snapshot    {id, createdAt, source, rows, rejected, contentHash}; null when there is none
//     run         {id, at, user, host, version, seconds, contentHash, historyNote}
//     summary     {score, pass, fail, unknown, failBySeverity: {critical ... info},
//                  assets, resources, assetError}; score is null when nothing was judged
//     areas       [{id, title, score, pass, fail, unknown}]
//     controls    [{id, title, severity, area, rationale, requires, remediation: {text, az,
//                  bicep, policy, breaks}, mappings: {framework: [id]}, pass, fail, unknown,
//                  error, missing}]: all that ran, by area and id. `error`: why it could not
//                  run; `missing`: the data it needs that was not collected
//     assets      [{id, name, type, kind, class, confidence, why, owner, environment, location,
//                  subscriptionId, resourceGroup, fails, worst}]
//     findings    [{id, control, status, severity, risk, resource: {id, name, type}, asset,
//                  reason, evidence}]: all failing and unknown ones, the greatest risk first.
//                  `id` is the same in each run; `asset` is an id of `assets` or null;
//                  `risk` is 0 to 100
//     collection  [{dataset, scope, status, reason, rows}]
//     frameworks  shown name for each key of `mappings`
//     attackPaths from outside to what is of value; null when they were not worked out:
//                 {error, missing, startsTried, startsLeft, found, paths: [{id, severity,
//                 summary, from, to, gains, certain, steps: [{edge, severity, sources, target,
//                 gains, attack, atlas, evidence, evidenceId, certain, remedy, command}]}],
//                 chokePoints: [{cuts, closes, step}]}. `found` counts all, `paths` holds the
//                 gravest; `missing` names data sets they stand on and the snapshot lacks;
//                 `startsLeft` counts distinct starts that were not tried. With an error only
//                 error and missing are there. An object is {id, name, kind, type}
//     incidents   of the tables SecurityIncident and SecurityAlert; null when there are none:
//                 {error, total, open, bySeverity: {high, medium, low, informational},
//                 newest: [{name, number, title, severity, status, createdAt, modifiedAt,
//                 firstActivity, lastActivity, alertCount, tactics: [text], entities: [{type,
//                 name}], entitiesLeft, alerts: [{id, name, severity, start, end}]}]}. `newest`
//                 are the 100 with the latest activity, `total` counts all; `alerts` are those of
//                 the incident's alerts that the store holds, `alertCount` those it names
//
// Times are ISO 8601 with Z. What does not exist is null, never left out. One element of
// an array stands on one line, so that two documents can be compared line by line.

#include "report/assessment_report.h"

#include "report/json_parts.h"
#include "report/path_report.h"
#include "report/report_words.h"

static void
line_item(JsonOut *json)
{
    json_item(json);
    buffer_text(json->out, "\n  ");
}

static void
section(JsonOut *json, const char *key, char bracket)
{
    json_item(json);
    buffer_text(json->out, "\n ");
    json_string(json, str_from(key));
    buffer_char(json->out, ':');
    json_open(json, bracket);
}

static void
member_time(JsonOut *json, const char *key, int64_t ticks)
{
    Arena arena = {0};
    json_member_text(json, key, ticks ? report_time(&arena, ticks) : STR(""));
    arena_free(&arena);
}

static void
write_run(JsonOut *json, const Assessment *a)
{
    section(json, "tenant", '{');
    json_member_text(json, "id", a->tenant_id);
    json_close(json, '}');
    if (a->snapshot) {
        const SnapshotInfo *info = &a->snapshot_info;
        section(json, "snapshot", '{');
        json_member_long(json, "id", a->snapshot);
        member_time(json, "createdAt", info->created);
        json_member_text(json, "source", info->source);
        json_member_long(json, "rows", (int64_t)info->rows);
        json_member_long(json, "rejected", (int64_t)info->rejected);
        json_member_text(json, "contentHash", info->content_hash);
        json_close(json, '}');
    } else {
        json_key(json, "snapshot");
        json_null(json);
    }
    section(json, "run", '{');
    json_member_text(json, "id", a->run_id);
    member_time(json, "at", a->started);
    json_member_text(json, "user", a->user);
    json_member_text(json, "host", a->host);
    json_member_text(json, "version", a->version);
    json_key(json, "seconds");
    buffer_printf(json->out, "%.3f", a->seconds);
    json_member_text(json, "contentHash", a->content_hash);
    json_member_text(json, "historyNote", a->history_note);
    json_close(json, '}');
}

static void
write_counts(JsonOut *json, uint64_t pass, uint64_t fail, uint64_t unknown)
{
    json_member_long(json, "pass", (int64_t)pass);
    json_member_long(json, "fail", (int64_t)fail);
    json_member_long(json, "unknown", (int64_t)unknown);
}

static void
write_summary(JsonOut *json, const Assessment *a)
{
    section(json, "summary", '{');
    json_key(json, "score");
    json_score(json, a->score);
    write_counts(json, a->pass, a->fail, a->unknown);
    json_key(json, "failBySeverity");
    json_open(json, '{');
    for (int s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--)
        json_member_long(json, severity_name((Severity)s), (int64_t)a->fail_by_severity[s]);
    json_close(json, '}');
    json_member_long(json, "assets", (int64_t)a->asset_count);
    json_member_long(json, "resources", (int64_t)a->resources);
    json_member_text(json, "assetError", a->asset_error);
    json_close(json, '}');
    Arena arena = {0};
    section(json, "areas", '[');
    for (size_t i = 0; i < a->area_count; i++) {
        line_item(json);
        json_open(json, '{');
        json_member_string(json, "id", a->areas[i].area);
        json_member_string(json, "title", report_area_title(&arena, a->areas[i].area));
        json_key(json, "score");
        json_score(json, a->areas[i].score);
        write_counts(json, a->areas[i].pass, a->areas[i].fail, a->areas[i].unknown);
        json_close(json, '}');
    }
    json_close(json, ']');
    arena_free(&arena);
}

static void
write_control(JsonOut *json, const Control *control, const ControlResult *result)
{
    json_open(json, '{');
    json_member_string(json, "id", control->id);
    json_member_string(json, "title", control->title);
    json_member_string(json, "severity", str_from(severity_name(control->severity)));
    json_member_string(json, "area", control->area);
    json_member_text(json, "rationale", control->rationale);
    json_key(json, "requires");
    json_strings(json, control->needs, control->need_count);
    json_remedy(json, control);
    write_counts(json, result->pass, result->fail, result->unknown);
    json_member_text(json, "error", result->error);
    json_member_text(json, "missing", result->missing);
    json_close(json, '}');
}

static void
write_asset(JsonOut *json, const Asset *asset)
{
    json_open(json, '{');
    json_member_string(json, "id", asset->id);
    json_member_string(json, "name", asset->name);
    json_member_text(json, "type", asset->type);
    json_member_text(json, "kind", asset->kind);
    json_member_text(json, "class", asset->asset_class);
    json_member_text(json, "confidence", asset->confidence);
    json_member_text(json, "why", asset->why);
    json_member_text(json, "owner", asset->owner);
    json_member_text(json, "environment", asset->environment);
    json_member_text(json, "location", asset->location);
    json_member_text(json, "subscriptionId", asset->subscription);
    json_member_text(json, "resourceGroup", asset->resource_group);
    json_member_long(json, "fails", asset->fails);
    json_member_text(json, "worst",
                     asset->worst < 0 ? STR("") : str_from(severity_name((Severity)asset->worst)));
    json_close(json, '}');
}

static void
write_finding(JsonOut *json, const Assessment *a, const Finding *finding)
{
    const Control *control = &a->controls->items[finding->control];
    json_open(json, '{');
    json_key(json, "id");
    buffer_printf(json->out, "\"%016llx\"", (unsigned long long)finding->key);
    json_member_string(json, "control", control->id);
    json_member_string(json, "status", str_from(report_status_name(finding->status)));
    json_member_string(json, "severity", str_from(severity_name(control->severity)));
    json_key(json, "risk");
    json_tenths(json, (double)finding->risk);
    json_key(json, "resource");
    json_open(json, '{');
    json_member_string(json, "id", finding->id);
    json_member_string(json, "name", finding->name);
    json_member_text(json, "type", finding->type);
    json_close(json, '}');
    json_member_text(json, "asset", finding->asset < 0 ? STR("") : a->assets[finding->asset].id);
    json_member_text(json, "reason", finding->reason);
    json_key(json, "evidence");
    if (finding->evidence.len)
        json_raw(json, finding->evidence);
    else
        json_null(json);
    json_close(json, '}');
}

static void
write_collection(JsonOut *json, const Assessment *a)
{
    section(json, "collection", '[');
    for (size_t i = 0; i < a->coverage_count; i++) {
        const Coverage *row = &a->coverage[i];
        line_item(json);
        json_open(json, '{');
        json_member_string(json, "dataset", row->dataset);
        json_member_string(json, "scope", row->scope);
        json_member_string(json, "status", row->status);
        json_member_text(json, "reason", row->reason);
        json_member_long(json, "rows", row->rows);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void
write_paths(JsonOut *json, const ReportPaths *paths)
{
    if (!paths) {
        json_key(json, "attackPaths");
        json_null(json);
        return;
    }
    Arena arena = {0};
    section(json, "attackPaths", '{');
    json_member_text(json, "error", paths->error);
    json_member_text(json, "missing", paths->missing);
    if (paths->model) {
        json_member_long(json, "startsTried", paths->list.starts_tried);
        json_member_long(json, "startsLeft", paths->list.starts_left);
        path_json_members(json, &arena, paths->model, &paths->list);
    }
    json_close(json, '}');
    arena_free(&arena);
}

static void
write_incident(JsonOut *json, const ReportIncident *incident)
{
    json_open(json, '{');
    json_member_string(json, "name", incident->name);
    json_member_long(json, "number", incident->number);
    json_member_string(json, "title", incident->title);
    json_member_string(json, "severity", str_from(alert_severity_name(incident->severity)));
    json_member_text(json, "status", incident->status);
    member_time(json, "createdAt", incident->created);
    member_time(json, "modifiedAt", incident->modified);
    member_time(json, "firstActivity", incident->first);
    member_time(json, "lastActivity", incident->last);
    json_member_long(json, "alertCount", incident->alert_count);
    json_key(json, "tactics");
    json_strings(json, incident->tactics, incident->tactic_count);
    json_key(json, "entities");
    json_open(json, '[');
    for (size_t i = 0; i < incident->entities.len; i++) {
        json_item(json);
        json_open(json, '{');
        json_member_text(json, "type", incident->entities.items[i].type);
        json_member_string(json, "name", incident->entities.items[i].name);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_member_long(json, "entitiesLeft", (int64_t)incident->entities_left);
    json_key(json, "alerts");
    json_open(json, '[');
    for (size_t i = 0; i < incident->alerts.len; i++) {
        const IncidentAlert *alert = &incident->alerts.items[i];
        json_item(json);
        json_open(json, '{');
        json_member_string(json, "id", alert->id);
        json_member_string(json, "name", alert->name);
        json_member_string(json, "severity", str_from(alert_severity_name(alert->severity)));
        member_time(json, "start", alert->start);
        member_time(json, "end", alert->end);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

static void
write_incidents(JsonOut *json, const ReportIncidents *incidents)
{
    static const char *const NAMES[INCIDENT_SEVERITIES] = {
        [ALERT_INFORMATIONAL] = "informational",
        [ALERT_LOW] = "low",
        [ALERT_MEDIUM] = "medium",
        [ALERT_HIGH] = "high",
    };
    if (!report_incidents_any(incidents)) {
        json_key(json, "incidents");
        json_null(json);
        return;
    }
    section(json, "incidents", '{');
    json_member_text(json, "error", incidents->error);
    json_member_long(json, "total", incidents->total);
    json_member_long(json, "open", incidents->open);
    json_key(json, "bySeverity");
    json_open(json, '{');
    for (int s = ALERT_HIGH; s >= ALERT_INFORMATIONAL; s--)
        json_member_long(json, NAMES[s], incidents->by_severity[s]);
    json_close(json, '}');
    json_key(json, "newest");
    json_open(json, '[');
    for (size_t i = 0; i < incidents->len; i++) {
        line_item(json);
        write_incident(json, &incidents->items[i]);
    }
    json_close(json, ']');
    json_close(json, '}');
}

void
report_json(const Assessment *assessment, const ReportPaths *paths,
            const ReportIncidents *incidents, Buffer *out)
{
    JsonOut json = {.out = out};
    json_open(&json, '{');
    json_member_string(&json, "schema", STR("azimuth.findings/1"));
    write_run(&json, assessment);
    write_summary(&json, assessment);
    section(&json, "controls", '[');
    for (size_t i = 0; i < assessment->controls->len; i++) {
        line_item(&json);
        write_control(&json, &assessment->controls->items[i], &assessment->results[i]);
    }
    json_close(&json, ']');
    section(&json, "assets", '[');
    for (size_t i = 0; i < assessment->asset_count; i++) {
        line_item(&json);
        write_asset(&json, &assessment->assets[i]);
    }
    json_close(&json, ']');
    section(&json, "findings", '[');
    for (size_t i = 0; i < assessment->finding_count; i++) {
        line_item(&json);
        write_finding(&json, assessment, &assessment->findings[i]);
    }
    json_close(&json, ']');
    write_collection(&json, assessment);
    json_key(&json, "frameworks");
    report_frameworks(&json, assessment->controls);
    write_paths(&json, paths);
    write_incidents(&json, incidents);
    json_close(&json, '}');
    buffer_char(out, '\n');
    json_out_free(&json);
}
