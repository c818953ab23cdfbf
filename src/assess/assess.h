// Assess: runs controls over a snapshot and keeps what they say.
//
// Each control's KQL yields a row a resource with a status. Data that was not
// collected turns a verdict into unknown, never into pass. Failing and unknown rows
// are kept for reports; passing ones are counted. All rows go to the table
// FindingsHistory (content/schemas/azimuth.kql) when the store can be written, and
// the function Findings shows those of the newest run.
#pragma once

#include "assess/control.h"
#include "db/db.h"

typedef enum FindingStatus { FINDING_PASS, FINDING_FAIL, FINDING_UNKNOWN } FindingStatus;

typedef struct Finding {
    uint32_t control; // index into Assessment.controls
    FindingStatus status;
    float risk;    // 0-100: severity x exposure x reach (assess/risk.c)
    int32_t asset; // index into Assessment.assets, -1 when it is none
    Str id, name, type;
    Str reason;   // why unknown
    Str evidence; // JSON text of an object, or empty
    uint64_t key; // stable over runs: hash of control id and resource id
} Finding;

typedef struct ControlResult {
    uint64_t pass, fail, unknown;
    double ms;
    Str error;   // the query could not run: message with the control's file and line
    Str missing; // data sets it needs that were not collected, with reasons
} ControlResult;

// A row of AIAssets.
typedef struct Asset {
    Str id, name, type, kind, asset_class, confidence, why, owner, environment, location;
    Str subscription, resource_group, public_network, network_default, identity_type;
    int64_t private_endpoints;
    Str models; // JSON text
    uint32_t fails;
    int worst; // Severity of the worst failing finding, -1 when none
} Asset;

typedef struct AreaScore {
    Str area;
    uint64_t pass, fail, unknown;
    double score; // 0-100: severity-weighted share of passes among verdicts; -1 without any
} AreaScore;

typedef struct Coverage { // a row of CollectionStatus
    Str dataset, scope, status, reason;
    int64_t rows;
} Coverage;

typedef struct Assessment {
    Arena *arena; // owns everything below
    const ControlSet *controls;
    ControlResult *results; // one a control
    Finding *findings;      // fail and unknown, by risk descending
    size_t finding_count;
    Asset *assets;
    size_t asset_count;
    Str asset_error; // the inventory could not run: why
    AreaScore *areas;
    size_t area_count;
    double score; // over all areas
    Coverage *coverage;
    size_t coverage_count;
    uint64_t pass, fail, unknown;
    uint64_t fail_by_severity[SEVERITY_CRITICAL + 1];
    uint64_t resources; // rows of the table resources

    Str run_id;      // GUID text
    int64_t started; // ticks
    double seconds;
    int64_t snapshot;
    SnapshotInfo snapshot_info; // zeroed when there is none
    Str tenant_id, user, host, version, content_hash;
    Str history_note; // why rows did not go to FindingsHistory, empty when they did
} Assessment;

typedef struct AssessOptions {
    const char *controls_glob;
    const char *version;
    bool write_history;
    // Called before each control; may be NULL.
    void (*progress)(void *context, size_t done, size_t total, const Control *control);
    void *progress_context;
} AssessOptions;

// NULL with an error when it could not run at all (no content, no store). A control
// that fails does not stop the others: see ControlResult.error.
Assessment *assess_run(Database *db, Arena *arena, const AssessOptions *options, AzError *error);

// Weight of a severity in scores and risks: critical 100, high 60, medium 25, low 8, info 2.
double severity_weight(Severity severity);

// Runs one control over what `db` holds now; `each` gets every row. Used by
// assess_run and by the fixtures of control tests.
typedef struct ControlRow {
    Str id, name, type, subscription, resource_group, reason, evidence;
    FindingStatus status;
} ControlRow;
bool control_run(Database *db, const Control *control, const Coverage *coverage,
                 size_t coverage_count, void (*each)(void *context, const ControlRow *row),
                 void *context, Str *missing, Arena *arena, AzError *error);

// The rows of CollectionStatus.
bool coverage_read(Database *db, Arena *arena, Coverage **out, size_t *count, AzError *error);
