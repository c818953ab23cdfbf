// The words of a report: what is worst, said with names, and how values are written.
//
// A fix is a control with its failures: the reader mends a class of mistakes, not a
// resource. Groups come from one counting pass over the findings, which are already
// ordered by risk, so that 100,000 of them cost nothing worth mentioning.

#include "report/report_words.h"

#include "azure/arm.h"
#include "base/array.h"
#include "base/buffer.h"
#include "base/map.h"
#include "report/result_text.h"
#include "value/scalar.h"

#include <math.h>
#include <string.h>

FixGroup *
report_groups(Arena *arena, const Assessment *assessment)
{
    size_t controls = assessment->controls->len, findings = assessment->finding_count;
    FixGroup *groups = ARENA_ARRAY(arena, FixGroup, controls);
    uint32_t *rows = ARENA_ARRAY(arena, uint32_t, findings);
    size_t *next = ARENA_ARRAY(arena, size_t, controls + 1);
    for (size_t i = 0; i < findings; i++)
        next[assessment->findings[i].control + 1]++;
    for (size_t c = 0; c < controls; c++) {
        next[c + 1] += next[c];
        groups[c] = (FixGroup){.control = (uint32_t)c,
                               .severity = assessment->controls->items[c].severity,
                               .rows = rows + next[c]};
    }
    for (size_t i = 0; i < findings; i++) {
        const Finding *finding = &assessment->findings[i];
        FixGroup *group = &groups[finding->control];
        rows[next[finding->control]++] = (uint32_t)i;
        group->count++;
        if (finding->status != FINDING_FAIL)
            continue;
        group->fails++;
        group->risk_tenths += llround((double)finding->risk * 10);
        if (finding->risk > group->worst)
            group->worst = finding->risk;
    }
    return groups;
}

// As the page orders fixes: risk, then severity, then how many resources.
static int
group_order(const FixGroup *x, const FixGroup *y)
{
    if (x->risk_tenths != y->risk_tenths)
        return x->risk_tenths < y->risk_tenths ? 1 : -1;
    if (x->severity != y->severity)
        return x->severity < y->severity ? 1 : -1;
    if (x->fails != y->fails)
        return x->fails < y->fails ? 1 : -1;
    return x->control < y->control ? -1 : x->control > y->control;
}

static int
fix_order(const void *a, const void *b)
{
    return group_order(*(FixGroup *const *)a, *(FixGroup *const *)b);
}

// For facts: the one worst finding counts first, then how many there are.
static int
fact_order(const void *a, const void *b)
{
    const FixGroup *x = *(FixGroup *const *)a, *y = *(FixGroup *const *)b;
    if (x->worst < y->worst || x->worst > y->worst)
        return x->worst < y->worst ? 1 : -1;
    return group_order(x, y);
}

static FixGroup **
failing_groups(Arena *arena, const Assessment *assessment, FixGroup *groups, size_t *count)
{
    FixGroup **fixes = ARENA_ARRAY(arena, FixGroup *, assessment->controls->len);
    *count = 0;
    for (size_t c = 0; c < assessment->controls->len; c++)
        if (groups[c].fails)
            fixes[(*count)++] = &groups[c];
    return fixes;
}

FixGroup **
report_fixes(Arena *arena, const Assessment *assessment, FixGroup *groups, size_t *count)
{
    FixGroup **fixes = failing_groups(arena, assessment, groups, count);
    if (*count)
        qsort(fixes, *count, sizeof(FixGroup *), fix_order);
    return fixes;
}

static const Finding *
first_failure(const Assessment *assessment, const FixGroup *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (assessment->findings[group->rows[i]].status == FINDING_FAIL)
            return &assessment->findings[group->rows[i]];
    return NULL;
}

size_t
report_facts(Arena *arena, const Assessment *assessment, FixGroup *groups, ReportFact *facts)
{
    size_t count;
    FixGroup **fixes = failing_groups(arena, assessment, groups, &count);
    if (count)
        qsort(fixes, count, sizeof(FixGroup *), fact_order);
    if (count > REPORT_FACTS)
        count = REPORT_FACTS;
    for (size_t i = 0; i < count; i++) {
        const Control *control = &assessment->controls->items[fixes[i]->control];
        const Finding *worst = first_failure(assessment, fixes[i]);
        Buffer text = {0};
        buffer_str(&text, text_clean(arena, control->title));
        buffer_text(&text, ": ");
        text_put_middle(&text, text_clean(arena, report_label(arena, worst->id, worst->name)), 48);
        if (fixes[i]->fails > 1)
            buffer_printf(&text, " and %.*s more",
                          STR_ARG(report_count(arena, fixes[i]->fails - 1)));
        facts[i] = (ReportFact){str_copy(arena, buffer_slice(&text)), fixes[i]->control};
        buffer_free(&text);
    }
    return count;
}

// Failures of the worst severities that are about no AI asset (the directory, a policy).
static uint64_t
count_elsewhere(const Assessment *assessment, Severity severity)
{
    uint64_t count = 0;
    for (size_t i = 0; i < assessment->finding_count; i++) {
        const Finding *finding = &assessment->findings[i];
        count += finding->status == FINDING_FAIL && finding->asset < 0 &&
                 assessment->controls->items[finding->control].severity == severity;
    }
    return count;
}

Str
report_headline(Arena *arena, const Assessment *assessment)
{
    uint64_t judged = assessment->pass + assessment->fail;
    if (!judged)
        return STR("Nothing could be judged");
    uint64_t worst[SEVERITY_CRITICAL + 1] = {0}, weak = 0, lesser = 0;
    for (size_t i = 0; i < assessment->asset_count; i++) {
        int severity = assessment->assets[i].worst;
        if (severity < 0)
            continue;
        weak++;
        worst[severity]++;
        lesser += severity < SEVERITY_HIGH;
    }
    Buffer text = {0};
    if (!assessment->fail)
        buffer_text(&text, "Every check that could be judged passed");
    else if (!assessment->asset_count)
        buffer_printf(&text, "%.*s of %.*s checks failed",
                      STR_ARG(report_count(arena, assessment->fail)),
                      STR_ARG(report_count(arena, judged)));
    else if (!weak)
        buffer_printf(&text, "None of %.*s AI assets has a known weakness",
                      STR_ARG(report_count(arena, assessment->asset_count)));
    else
        buffer_printf(&text, "%.*s of %.*s AI assets have a weakness",
                      STR_ARG(report_count(arena, weak)),
                      STR_ARG(report_count(arena, assessment->asset_count)));
    const struct {
        uint64_t count;
        const char *word;
    } parts[] = {
        {worst[SEVERITY_CRITICAL], "critical"}, {worst[SEVERITY_HIGH], "high"}, {lesser, "lesser"}};
    bool first = true;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!parts[i].count)
            continue;
        buffer_printf(&text, "%s%.*s %s", first ? ": " : ", ",
                      STR_ARG(report_count(arena, parts[i].count)), parts[i].word);
        first = false;
    }
    uint64_t critical = count_elsewhere(assessment, SEVERITY_CRITICAL);
    uint64_t high = count_elsewhere(assessment, SEVERITY_HIGH);
    if (assessment->asset_count && critical + high)
        buffer_printf(&text, "; %.*s critical or high finding%s on other resources",
                      STR_ARG(report_count(arena, critical + high)),
                      critical + high == 1 ? "" : "s");
    Str headline = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return headline;
}

uint32_t
report_unknown_share(const Assessment *assessment)
{
    uint64_t all = assessment->pass + assessment->fail + assessment->unknown;
    return all ? (uint32_t)((assessment->unknown * 200 / all + 1) / 2) : 0;
}

static bool
is_guid(Str text)
{
    Guid guid;
    return text.len == 36 && guid_parse(text, &guid);
}

Str
report_label(Arena *arena, Str id, Str name)
{
    Str shown = name.len ? name : arm_last_segment(id);
    if (!shown.len)
        return STR("(no name)");
    Str collection = arm_last_segment(str_slice(id, 0, id.len - arm_last_segment(id).len));
    if (!is_guid(shown) || !collection.len)
        return shown;
    Buffer label = {0};
    Str stem =
        str_ends(collection, STR("s")) ? str_slice(collection, 0, collection.len - 1) : collection;
    for (size_t i = 0; i < stem.len; i++) {
        bool upper = stem.ptr[i] >= 'A' && stem.ptr[i] <= 'Z';
        if (upper && i)
            buffer_char(&label, ' ');
        buffer_char(&label, (char)(stem.ptr[i] + (upper ? 'a' - 'A' : 0)));
    }
    buffer_char(&label, ' ');
    buffer_str(&label, shown);
    Str result = str_copy(arena, buffer_slice(&label));
    buffer_free(&label);
    return result;
}

// What stands between `before` at the start of `id` and the next slash.
static Str
id_part(Str *id, Str before)
{
    if (id->len < before.len || !str_equal_ci(str_slice(*id, 0, before.len), before))
        return STR("");
    Str rest = str_slice(*id, before.len, id->len);
    const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
    size_t len = slash ? (size_t)(slash - rest.ptr) : rest.len;
    *id = str_slice(rest, len, rest.len);
    return str_slice(rest, 0, len);
}

Str
report_id_subscription(Str id)
{
    return id_part(&id, STR("/subscriptions/"));
}

Str
report_id_group(Str id)
{
    id_part(&id, STR("/subscriptions/"));
    return id_part(&id, STR("/resourceGroups/"));
}

Str
report_area_title(Arena *arena, Str area)
{
    static const struct {
        Str area, title;
    } TITLES[] = {
        {STR_INIT("data"), STR_INIT("Data")},
        {STR_INIT("governance"), STR_INIT("Governance")},
        {STR_INIT("identity"), STR_INIT("Identity")},
        {STR_INIT("model"), STR_INIT("Models")},
        {STR_INIT("monitoring"), STR_INIT("Monitoring")},
        {STR_INIT("network"), STR_INIT("Network")},
        {STR_INIT("shadow-ai"), STR_INIT("Shadow AI")},
        {STR_INIT("supply-chain"), STR_INIT("Supply chain")},
    };
    for (size_t i = 0; i < COUNT_OF(TITLES); i++)
        if (str_equal(area, TITLES[i].area))
            return TITLES[i].title;
    Str title = str_copy(arena, area); // an area of the reader's own: "my-area" -> "My area"
    char *letters = (char *)title.ptr;
    for (size_t i = 0; i < title.len; i++)
        if (letters[i] == '-' || letters[i] == '_')
            letters[i] = ' ';
    if (title.len && letters[0] >= 'a' && letters[0] <= 'z')
        letters[0] = (char)(letters[0] - 32);
    return title;
}

Str
report_framework_title(Str key)
{
    static const struct {
        Str key, title;
    } TITLES[] = {
        {STR_INIT("mcsb_v2"), STR_INIT("Microsoft cloud security benchmark v2")},
        {STR_INIT("owasp_llm_2025"), STR_INIT("OWASP Top 10 for LLM applications 2025")},
        {STR_INIT("mitre_atlas"), STR_INIT("MITRE ATLAS")},
        {STR_INIT("nist_ai_rmf"), STR_INIT("NIST AI RMF")},
        {STR_INIT("eu_ai_act_article"), STR_INIT("EU AI Act, article")},
        {STR_INIT("iso_42001_annex_a"), STR_INIT("ISO/IEC 42001, annex A")},
    };
    for (size_t i = 0; i < COUNT_OF(TITLES); i++)
        if (str_equal(key, TITLES[i].key))
            return TITLES[i].title;
    return key;
}

void
report_frameworks(JsonOut *json, const ControlSet *controls)
{
    Arena arena = {0};
    Map seen;
    map_init(&seen, &arena, false);
    json_open(json, '{');
    for (size_t c = 0; c < controls->len; c++) {
        const Control *control = &controls->items[c];
        for (size_t m = 0; m < control->mapping_count; m++) {
            bool is_new;
            map_add(&seen, control->mappings[m].framework, &is_new);
            if (!is_new)
                continue;
            json_key_str(json, control->mappings[m].framework);
            json_string(json, report_framework_title(control->mappings[m].framework));
        }
    }
    json_close(json, '}');
    arena_free(&arena);
}

const char *
report_status_name(FindingStatus status)
{
    static const char *const NAMES[] = {
        [FINDING_PASS] = "pass", [FINDING_FAIL] = "fail", [FINDING_UNKNOWN] = "unknown"};
    return NAMES[status];
}

Str
report_time(Arena *arena, int64_t ticks)
{
    CivilTime t = datetime_civil(ticks);
    return str_format(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.year, t.month, t.day, t.hour,
                      t.minute, t.second);
}

Str
report_day(Arena *arena, int64_t ticks)
{
    return str_slice(report_time(arena, ticks), 0, 10);
}

Str
report_date(Arena *arena, int64_t ticks)
{
    static const char *const MONTHS[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    CivilTime t = datetime_civil(ticks);
    return str_format(arena, "%d %s %d", t.day, MONTHS[t.month - 1], t.year);
}

Str
report_count(Arena *arena, uint64_t n)
{
    char digits[32];
    size_t at = sizeof(digits);
    for (int i = 0; i == 0 || n; i++, n /= 10) {
        if (i && i % 3 == 0)
            digits[--at] = ',';
        digits[--at] = (char)('0' + n % 10);
    }
    return str_copy(arena, (Str){digits + at, sizeof(digits) - at});
}
