// Following: rules run on as their rows arrive, each at the multiples of its frequency by the
// clock, near-real-time rules every minute (learn.microsoft.com/azure/sentinel:
// scheduled-rules-overview, near-real-time-rules, ingestion-delay).
//
// A run begins `delay` after its time, once no import that began before is still writing: all
// that had arrived by then is seen. Its time stays that of the schedule. What a run raises and
// that it ran (a row of AnalyticsRuleRuns) are kept in one commit, so that after a crash each rule
// goes on after its last kept run, and what it raised has the ids it had.
#pragma once

#include "detect/detect.h"

typedef enum FollowEvent {
    FOLLOW_BEGUN,   // `since`: the run after which the furthest behind goes on
    FOLLOW_BOUNDED, // so much was missed that only the runs after `since` are caught up
    FOLLOW_IDLE,    // nothing is due; told about five times a second
    FOLLOW_WAITING, // another process writes to the store
    FOLLOW_ROUND,   // rules ran: `detection`
    FOLLOW_FAILED,  // a round could not be run or kept: `error`; it is tried again
} FollowEvent;

typedef struct FollowNews {
    FollowEvent event;
    int64_t since;              // ticks
    int64_t next;               // of FOLLOW_IDLE: the next run of any rule, ticks
    const Detection *detection; // of FOLLOW_ROUND, valid during the call
    const AzError *error;
} FollowNews;

typedef struct FollowOptions {
    int64_t delay;    // ticks
    int64_t catch_up; // ticks: runs further back than this are not caught up
    void (*tell)(void *context, const FollowNews *news); // from the calling thread
    void *context;
} FollowOptions;

// Runs until options->cancel is set, which is no error. Rules go on where they were, or with
// options->since there; one that never ran begins with its last run that is due. False with an error when the store or the
// content cannot be opened, or when the first round cannot be kept.
bool detect_follow(const DetectOptions *options, const FollowOptions *follow, AzError *error);
