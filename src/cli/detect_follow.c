#include "cli/detect_follow.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "report/alert_export.h"
#include "report/json_parts.h"
#include "value/scalar.h"
#include "version.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

typedef struct FollowCall {
    const DetectOptions *options;
    const char *format;
    Deliveries *deliveries;
    uint64_t *said; // of each rule, the hash of the error that was said last; 0: none
    uint64_t runs, alerts;
    char problem[sizeof((AzError){0}).message]; // of a round, said once
    bool waiting;                               // for another writer, and said
    bool closed;                                // nobody reads what we write
} FollowCall;

static Str
time_text(Arena *arena, int64_t ticks)
{
    Buffer out = {0};
    datetime_print(&out, ticks);
    Str text = str_copy(arena, str_slice(buffer_slice(&out), 0, 19));
    buffer_free(&out);
    return text;
}

// ---- one line an alert ----

// Names are made from rows that others wrote: what moves a cursor or ends a line is left out.
static void
put_plain(Buffer *out, Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_c1 = c == 0xC2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xA0;
        i += is_c1;
        buffer_char(out, is_c1 || c < 0x20 || c == 0x7F ? ' ' : (char)c);
    }
}

static void
put_text(Buffer *out, Arena *arena, const Alert *alert)
{
    buffer_printf(out, "%.*sZ %s ", STR_ARG(time_text(arena, alert->run)),
                  alert_severity_name(alert->severity));
    put_plain(out, alert->name);
    for (size_t i = 0; i < alert->entities.len && i < 5; i++) {
        buffer_text(out, i ? ", " : ": ");
        put_plain(out, alert->entities.items[i].label);
    }
    if (alert->entities.len > 5)
        buffer_printf(out, " and %zu more", alert->entities.len - 5);
    buffer_printf(out, " [%.*s]\n", STR_ARG(alert->id));
}

// The members that `--format jsonl` gives an alert without --follow.
static void
put_json(JsonOut *json, Arena *arena, const Alert *alert)
{
    const AnalyticsRule *rule = alert->rule;
    json->first = true;
    json_open(json, '{');
    json_member_string(json, "Time",
                       str_format(arena, "%.*sZ", STR_ARG(time_text(arena, alert->run))));
    json_member_string(json, "Severity", str_from(alert_severity_name(alert->severity)));
    json_member_string(json, "Alert", alert->name);
    json_member_string(json, "Rule", rule->name);
    json_key(json, "Entities");
    json_raw(json, entities_json(arena, &alert->entities));
    json_member_string(json, "Tactics", alert_words(arena, alert->tactics, alert->tactic_count));
    json_member_string(json, "Techniques",
                       alert_words(arena, rule->techniques, rule->technique_count));
    json_member_long(json, "Results", (int64_t)alert->results);
    json_member_string(json, "Start",
                       str_format(arena, "%.*sZ", STR_ARG(time_text(arena, alert->start))));
    json_member_string(json, "End",
                       str_format(arena, "%.*sZ", STR_ARG(time_text(arena, alert->end))));
    json_member_string(json, "AlertId", alert->id);
    json_close(json, '}');
    buffer_char(json->out, '\n');
}

static void
put_lines(Buffer *out, const AlertList *alerts, const char *format)
{
    if (!strcmp(format, "cef")) {
        alerts_cef(out, alerts, AZIMUTH_VERSION);
        return;
    }
    if (!strcmp(format, "ocsf")) {
        alerts_ocsf(out, alerts, AZIMUTH_VERSION);
        return;
    }
    Arena arena = {0};
    JsonOut json = {.out = out};
    for (size_t i = 0; i < alerts->len; i++) {
        if (!strcmp(format, "json"))
            put_json(&json, &arena, &alerts->items[i]);
        else
            put_text(out, &arena, &alerts->items[i]);
        arena_reset(&arena);
    }
    json_out_free(&json);
    arena_free(&arena);
}

bool
detect_follow_format(const char *format)
{
    static const char *const NAMES[] = {"text", "json", "jsonl", "cef", "ocsf"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (!strcmp(format, NAMES[i]))
            return true;
    cli_fail("--follow writes alerts as text, json, cef or ocsf, not '%s'", format);
    return false;
}

// ---- what is told meanwhile ----

// An error of a rule is said when it is another than before, not at every run.
static void
say_rules(FollowCall *call, const Detection *detection)
{
    for (size_t r = 0; r < detection->outcome_count; r++) {
        const RuleOutcome *outcome = &detection->outcomes[r];
        if (!outcome->runs)
            continue;
        uint64_t hash =
            outcome->reason.len ? XXH3_64bits(outcome->reason.ptr, outcome->reason.len) : 0;
        if (hash && hash != call->said[r])
            cli_fail("%.*s", STR_ARG(outcome->reason));
        call->said[r] = hash;
    }
}

static void
say_round(FollowCall *call, const Detection *detection)
{
    Buffer out = {0};
    put_lines(&out, &detection->alerts, call->format);
    call->closed |= !cli_write(STDOUT_FILENO, buffer_slice(&out));
    buffer_free(&out);
    call->runs += detection->runs;
    call->alerts += detection->alerts.len;
    call->problem[0] = 0;
    say_rules(call, detection);
}

static void
say_status(FollowCall *call, int64_t next)
{
    if (!cli_is_terminal(STDERR_FILENO))
        return;
    Arena arena = {0};
    Str until = next == INT64_MAX ? STR("-------- --:--:--") : time_text(&arena, next);
    fprintf(stderr, "\r\033[Kfollowing: %" PRIu64 " runs, %" PRIu64 " alerts; next run %.*s UTC",
            call->runs, call->alerts, STR_ARG(str_slice(until, 11, until.len)));
    fflush(stderr);
    arena_free(&arena);
}

static void
say_begun(const FollowNews *news)
{
    Arena arena = {0};
    if (news->event == FOLLOW_BOUNDED)
        cli_fail("more runs were missed than are caught up: those after %.*sZ are "
                 "(--catch-up HOURS; earlier ones: azimuth detect --since TIME --until TIME)",
                 STR_ARG(time_text(&arena, news->since)));
    else
        cli_fail("following from %.*sZ", STR_ARG(time_text(&arena, news->since)));
    arena_free(&arena);
}

// Names of new files have numbers that differ at each try: they make no other problem of it.
static bool
same_problem(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "0123456789abcdef");
        b += strspn(b, "0123456789abcdef");
        if (*a != *b || !*a)
            return *a == *b;
    }
}

static void
hear(void *context, const FollowNews *news)
{
    FollowCall *call = context;
    bool was_waiting = call->waiting;
    call->waiting = news->event == FOLLOW_WAITING;
    if (news->event != FOLLOW_IDLE)
        cli_progress_end();
    switch (news->event) {
    case FOLLOW_BEGUN:
    case FOLLOW_BOUNDED:
        say_begun(news);
        deliveries_send(call->deliveries); // what an earlier process left
        break;
    case FOLLOW_IDLE:
        say_status(call, news->next);
        deliveries_retry(call->deliveries);
        break;
    case FOLLOW_WAITING:
        if (!was_waiting && cli_is_terminal(STDERR_FILENO))
            fputs("\r\033[Kfollowing: an import writes to the store; waiting until it is done",
                  stderr);
        break;
    case FOLLOW_ROUND:
        say_round(call, news->detection);
        if (news->detection->alerts.len)
            deliveries_send_new(call->deliveries);
        break;
    case FOLLOW_FAILED:
        if (!same_problem(call->problem, news->error->message))
            cli_error(news->error, STR(""));
        snprintf(call->problem, sizeof call->problem, "%s", news->error->message);
        break;
    }
    // Whoever read the alerts is gone: the signal of a stop is what ends the loop.
    if (call->closed)
        raise(SIGTERM);
}

int
detect_follow_command(const DetectOptions *options, FollowOptions *follow, const char *format,
                      Deliveries *deliveries)
{
    FollowCall call = {.options = options,
                       .deliveries = deliveries,
                       .format = strcmp(format, "jsonl") ? format : "json"};
    call.said = calloc(options->rules->len + 1, sizeof *call.said);
    if (!call.said) {
        cli_fail("out of memory");
        return AZIMUTH_EXIT_ERROR;
    }
    follow->tell = hear;
    follow->context = &call;
    AzError error = {0};
    bool done = detect_follow(options, follow, &error);
    cli_progress_end();
    if (!done)
        cli_error(&error, STR(""));
    else
        cli_fail("stopped after %" PRIu64 " runs and %" PRIu64 " alerts", call.runs, call.alerts);
    free(call.said);
    return done && !call.closed ? AZIMUTH_EXIT_OK : AZIMUTH_EXIT_ERROR;
}
