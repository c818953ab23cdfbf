#include "oracle/access_oracle.h"

#include "base/array.h"
#include "value/regex.h"

#include <string.h>

const char *const ORACLE_SCOPES[] = {
    "/",
    "/providers/Microsoft.Management/managementGroups/mg0",
    "/providers/Microsoft.Management/managementGroups/mg2",
    "/providers/Microsoft.Management/managementGroups/mg4",
    "/subscriptions/s0",
    "/subscriptions/s1",
    "/subscriptions/s2",
    "/subscriptions/s0/resourceGroups/rg-dat",
    "/subscriptions/s0/resourceGroups/rg-data",
    "/subscriptions/s1/resourceGroups/rg-data",
    "/subscriptions/s0/resourceGroups/rg-data/providers/Microsoft.Storage/storageAccounts/a",
    "/subscriptions/s0/resourceGroups/rg-data/providers/Microsoft.Storage/storageAccounts/a/"
    "blobServices/default/containers/c",
    "/subscriptions/s1/resourceGroups/rg-data/providers/Microsoft.Search/searchServices/x",
};
const uint32_t ORACLE_SCOPE_COUNT = COUNT_OF(ORACLE_SCOPES);

const char *const ORACLE_ACTIONS[] = {
    "A.B/x/read",       "A.B/x/write",          "A.B/x/y/read", "A.B/x/y/write",
    "A.B/x/y/z/delete", "A.C/keys/list/action", "A.C/read",
};
const uint32_t ORACLE_ACTION_COUNT = COUNT_OF(ORACLE_ACTIONS);

const char *const ORACLE_PATTERNS[] = {
    "*",
    "*/read",
    "A.B/*",
    "A.B/x/read",
    "A.B/x/*/read",
    "A.B/*/write",
    "A.C/keys/*",
    "A.B/x/y/*",
    "a.b/X/WRITE",
    "*/y/*",
    "A.B/*/*/delete",
    "none",
    "A.B/x/*/write",
    "A.C/*/read",
    "A.B/*/x/read",
    "A.B/x/*/y/*",
    "a.c/*/KEYS/*/action",
};
enum { PATTERN_COUNT = COUNT_OF(ORACLE_PATTERNS) };

// ---- making ----

static int
random_condition(Dice *dice)
{
    if (!one_in(dice, 3))
        return ORACLE_NO_CONDITION;
    return one_in(dice, 10) ? ORACLE_BAD_CONDITION : (int)roll(dice, ORACLE_CONDITIONS);
}

static OracleBlock
random_block(Dice *dice)
{
    OracleBlock block = {.condition = ORACLE_NO_CONDITION};
    for (int plane = 0; plane < 2; plane++) {
        OraclePlane *at = &block.planes[plane];
        at->grant_count = plane ? roll(dice, 3) : 1 + roll(dice, 2);
        at->take_count = one_in(dice, 2) ? 0 : roll(dice, 3);
        for (uint32_t i = 0; i < 2; i++) {
            at->grants[i] = roll(dice, PATTERN_COUNT);
            // Half of them with /*/, which has two readings.
            at->takes[i] =
                one_in(dice, 2) ? roll(dice, PATTERN_COUNT) : PATTERN_COUNT - 1 - roll(dice, 5);
        }
    }
    return block;
}

static void
random_assignment(Dice *dice, OracleTenant *t, uint32_t index)
{
    t->assignments[index].principal = roll(dice, ORACLE_NODES);
    t->assignments[index].role = roll(dice, ORACLE_ROLES + 1);
    t->assignments[index].scope = roll(dice, ORACLE_SCOPE_COUNT);
    t->assignments[index].start = roll(dice, 4) ? 0 : roll(dice, 2 * ORACLE_NOW);
    t->assignments[index].end = roll(dice, 4) ? 0 : roll(dice, 2 * ORACLE_NOW) + 1;
    t->assignments[index].eligible = one_in(dice, 4);
    t->assignments[index].source = one_in(dice, 6) ? SOURCE_DELEGATION : SOURCE_ASSIGNMENT;
    t->assignments[index].condition = random_condition(dice);
}

// in[a][b]: a is b or in b, over any number of groups.
static void
close_memberships(OracleTenant *t)
{
    for (uint32_t a = 0; a < ORACLE_NODES; a++)
        for (uint32_t b = 0; b < ORACLE_NODES; b++)
            t->in[a][b] = a == b || t->member[b][a];
    for (uint32_t k = 0; k < ORACLE_NODES; k++)
        for (uint32_t a = 0; a < ORACLE_NODES; a++)
            for (uint32_t b = 0; b < ORACLE_NODES; b++)
                t->in[a][b] |= t->in[a][k] && t->in[k][b];
}

void
oracle_tenant(Dice *dice, Arena *arena, OracleTenant *out)
{
    OracleTenant *t = out;
    *t = (OracleTenant){0};
    for (uint32_t g = ORACLE_PRINCIPALS; g < ORACLE_NODES; g++)
        for (uint32_t m = 0; m < ORACLE_NODES; m++)
            t->member[g][m] = one_in(dice, 5); // cycles and groups in themselves too
    for (int g = 0; g < ORACLE_MANAGEMENT_GROUPS; g++)
        t->parent[g] = (int)roll(dice, ORACLE_MANAGEMENT_GROUPS + 2) - 1;
    for (int s = 0; s < ORACLE_SUBSCRIPTIONS; s++)
        t->group_of[s] = (int)roll(dice, ORACLE_MANAGEMENT_GROUPS + 1);
    for (int c = 0; c < ORACLE_CONDITIONS; c++)
        t->conditions[c] = oracle_condition(dice, arena);
    for (uint32_t r = 0; r < ORACLE_ROLES; r++) {
        t->blocks[r] = 1 + roll(dice, 2);
        for (uint32_t b = 0; b < 2; b++) {
            t->roles[r][b] = random_block(dice);
            t->roles[r][b].condition = random_condition(dice);
        }
    }
    for (uint32_t a = 0; a < ORACLE_ASSIGNMENTS; a++)
        random_assignment(dice, t, a);
    for (uint32_t d = 0; d < ORACLE_DENIALS; d++) {
        t->denials[d].scope = roll(dice, ORACLE_SCOPE_COUNT);
        t->denials[d].own = roll(dice, 2);
        t->denials[d].everyone = one_in(dice, 3);
        t->denials[d].principal = roll(dice, ORACLE_NODES);
        t->denials[d].excluded = roll(dice, ORACLE_NODES + 2);
        t->denials[d].block = random_block(dice);
    }
    close_memberships(t);
}

// ---- the obvious evaluator ----

// As a regular expression; with `zero`, /*/ is also a single slash.
static bool
matches(uint32_t pattern, const char *action, bool zero)
{
    static Regex *compiled[PATTERN_COUNT][2];
    Regex **regex = &compiled[pattern][zero];
    if (!*regex) {
        Buffer text = {0};
        buffer_text(&text, "^(?i:");
        for (const char *p = ORACLE_PATTERNS[pattern]; *p; p++) {
            bool segment = zero && p[0] == '/' && p[1] == '*' && p[2] == '/';
            if (segment) {
                buffer_text(&text, "(?:/|/.*/)");
                p += 2;
                // The slash that ends this segment may begin the next one.
                while (p[1] == '*' && p[2] == '/') {
                    buffer_text(&text, "(?:|.*/)");
                    p += 2;
                }
            } else if (*p == '*') {
                buffer_text(&text, ".*");
            } else {
                regex_quote((Str){p, 1}, &text);
            }
        }
        buffer_text(&text, ")$");
        *regex = regex_new(buffer_slice(&text), false, NULL);
        buffer_free(&text);
    }
    return regex_matches(*regex, str_from(action));
}

static AccessVerdict
least(AccessVerdict a, AccessVerdict b)
{
    return a < b ? a : b;
}

static AccessVerdict
plane_verdict(const OraclePlane *plane, const char *action)
{
    bool granted = false, taken = false, taken_zero = false;
    for (uint32_t i = 0; i < plane->grant_count; i++)
        granted |= matches(plane->grants[i], action, true);
    for (uint32_t i = 0; i < plane->take_count; i++) {
        taken |= matches(plane->takes[i], action, false);
        taken_zero |= matches(plane->takes[i], action, true);
    }
    return !granted || taken ? ACCESS_NONE : taken_zero ? ACCESS_UNCERTAIN : ACCESS_ALLOWED;
}

static AccessVerdict
condition_verdict(const OracleTenant *t, int condition, const OracleFacts *facts)
{
    if (condition == ORACLE_NO_CONDITION)
        return ACCESS_ALLOWED;
    if (condition == ORACLE_BAD_CONDITION)
        return ACCESS_CONDITIONAL;
    switch (oracle_evaluate(t->conditions[condition], facts)) {
    case ORACLE_FALSE: return ACCESS_NONE;
    case ORACLE_UNKNOWN: return ACCESS_CONDITIONAL;
    default: return ACCESS_ALLOWED;
    }
}

static AccessVerdict
role_verdict(const OracleTenant *t, uint32_t role, const OracleQuestion *question)
{
    AccessVerdict best = ACCESS_NONE;
    for (uint32_t b = 0; role < ORACLE_ROLES && b < t->blocks[role]; b++) {
        const OracleBlock *block = &t->roles[role][b];
        AccessVerdict verdict =
            least(plane_verdict(&block->planes[question->is_data], question->facts.action),
                  condition_verdict(t, block->condition, &question->facts));
        best = verdict > best ? verdict : best;
    }
    return best;
}

// Whether `scope` is at or below `ancestor`: by the text, and by walking up the management
// groups at most as often as there are any.
static bool
is_below(const OracleTenant *t, const char *scope, const char *ancestor)
{
    static const char GROUP[] = "/providers/Microsoft.Management/managementGroups/mg";
    size_t len = strlen(ancestor);
    if (strcmp(ancestor, "/") == 0 || strcmp(scope, ancestor) == 0)
        return true;
    if (strncmp(scope, ancestor, len) == 0 && scope[len] == '/')
        return true;
    if (strncmp(ancestor, GROUP, sizeof GROUP - 1) != 0)
        return false;
    int wanted = ancestor[sizeof GROUP - 1] - '0', at = -1;
    if (strncmp(scope, "/subscriptions/s", 16) == 0)
        at = t->group_of[scope[16] - '0'];
    else if (strncmp(scope, GROUP, sizeof GROUP - 1) == 0)
        at = scope[sizeof GROUP - 1] - '0';
    for (int steps = 0; at >= 0 && steps <= ORACLE_MANAGEMENT_GROUPS; steps++) {
        if (at == wanted)
            return true;
        at = at < ORACLE_MANAGEMENT_GROUPS ? t->parent[at] : -1;
    }
    return false;
}

static bool
is_denied(const OracleTenant *t, const OracleQuestion *question)
{
    for (uint32_t d = 0; d < ORACLE_DENIALS; d++) {
        const char *at = ORACLE_SCOPES[t->denials[d].scope];
        const bool *in = t->in[question->principal];
        bool covers =
            t->denials[d].own ? strcmp(at, question->scope) == 0 : is_below(t, question->scope, at);
        bool spared = t->denials[d].excluded < ORACLE_NODES && in[t->denials[d].excluded];
        bool concerned = t->denials[d].everyone || in[t->denials[d].principal];
        if (covers && concerned && !spared &&
            plane_verdict(&t->denials[d].block.planes[question->is_data], question->facts.action) !=
                ACCESS_NONE)
            return true;
    }
    return false;
}

static AccessVerdict
assignment_verdict(const OracleTenant *t, uint32_t index, const OracleQuestion *question)
{
    if (!t->in[question->principal][t->assignments[index].principal] ||
        !is_below(t, question->scope, ORACLE_SCOPES[t->assignments[index].scope]) ||
        t->assignments[index].start > ORACLE_NOW ||
        (t->assignments[index].end && t->assignments[index].end <= ORACLE_NOW) ||
        (t->assignments[index].source == SOURCE_DELEGATION && question->is_data))
        return ACCESS_NONE;
    AccessVerdict verdict =
        least(role_verdict(t, t->assignments[index].role, question),
              condition_verdict(t, t->assignments[index].condition, &question->facts));
    return t->assignments[index].eligible ? least(verdict, ACCESS_ELIGIBLE) : verdict;
}

AccessVerdict
oracle_verdict(const OracleTenant *tenant, const OracleQuestion *question)
{
    if (is_denied(tenant, question))
        return ACCESS_DENIED;
    AccessVerdict best = ACCESS_NONE;
    for (uint32_t a = 0; a < ORACLE_ASSIGNMENTS; a++) {
        AccessVerdict verdict = assignment_verdict(tenant, a, question);
        best = verdict > best ? verdict : best;
    }
    return best;
}
