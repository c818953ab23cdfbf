// Effective access against a slow and obvious evaluator of another kind, on random tenants
// with cycles, dangling ids, mixed case, times, eligibilities and deny assignments; and
// conditions and scopes that hostile data brings.

#include "azure/rbac/access.h"

#include "base/array.h"
#include "value/json.h"
#include "value/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// ---- random tenants ----

enum {
    TENANTS = 500,
    QUESTIONS = 200, // each
    PRINCIPALS = 8,
    GROUPS = 6,
    NODES = PRINCIPALS + GROUPS,
    ROLES = 6,
    ASSIGNMENTS = 14,
    DENIALS = 3,
    MANAGEMENT_GROUPS = 5,
    NOW = 1000,
};

static uint64_t seed;

static uint32_t
roll(uint32_t sides)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % sides;
}

static const char *const SCOPES[] = {
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

static const char *const ACTIONS[] = {
    "A.B/x/read",       "A.B/x/write",          "A.B/x/y/read", "A.B/x/y/write",
    "A.B/x/y/z/delete", "A.C/keys/list/action", "A.C/read",
};

static const char *const PATTERNS[] = {
    "*",          "*/read",    "A.B/*",       "A.B/x/read", "A.B/x/*/read",   "A.B/*/write",
    "A.C/keys/*", "A.B/x/y/*", "a.b/X/WRITE", "*/y/*",      "A.B/*/*/delete", "none",
};

typedef struct Block {
    uint32_t grants[2], takes[2];
    uint32_t grant_count, take_count;
} Block;

typedef struct Tenant {
    bool member[NODES][NODES];     // [group][member]
    int parent[MANAGEMENT_GROUPS]; // -1: none
    int group_of[3];               // management group of a subscription
    Block roles[ROLES][2];
    uint32_t blocks[ROLES];
    struct {
        uint32_t principal, role, scope;
        int64_t start, end;
        bool eligible;
    } assignments[ASSIGNMENTS];
    struct {
        uint32_t scope;
        bool own, everyone;
        uint32_t principal, excluded; // NODES = nobody
        Block block;
    } denials[DENIALS];
} Tenant;

static Block
random_block(void)
{
    Block block = {.grant_count = 1 + roll(2), .take_count = roll(3)};
    for (uint32_t i = 0; i < 2; i++) {
        block.grants[i] = roll(COUNT_OF(PATTERNS));
        block.takes[i] = roll(COUNT_OF(PATTERNS));
    }
    return block;
}

static void
random_tenant(Tenant *t)
{
    *t = (Tenant){0};
    for (uint32_t g = PRINCIPALS; g < NODES; g++)
        for (uint32_t m = 0; m < NODES; m++)
            t->member[g][m] = roll(5) == 0; // cycles and groups in themselves too
    for (int g = 0; g < MANAGEMENT_GROUPS; g++)
        t->parent[g] = (int)roll(MANAGEMENT_GROUPS + 1) - 1;
    for (int s = 0; s < 3; s++)
        t->group_of[s] = (int)roll(MANAGEMENT_GROUPS);
    for (uint32_t r = 0; r < ROLES; r++) {
        t->blocks[r] = 1 + roll(2);
        for (uint32_t b = 0; b < 2; b++)
            t->roles[r][b] = random_block();
    }
    for (uint32_t a = 0; a < ASSIGNMENTS; a++) {
        t->assignments[a].principal = roll(NODES);
        t->assignments[a].role = roll(ROLES + 1); // ROLES: a definition nobody has
        t->assignments[a].scope = roll(COUNT_OF(SCOPES));
        t->assignments[a].start = roll(4) ? 0 : roll(2 * NOW);
        t->assignments[a].end = roll(4) ? 0 : roll(2 * NOW) + 1;
        t->assignments[a].eligible = roll(4) == 0;
    }
    for (uint32_t d = 0; d < DENIALS; d++) {
        t->denials[d].scope = roll(COUNT_OF(SCOPES));
        t->denials[d].own = roll(2);
        t->denials[d].everyone = roll(3) == 0;
        t->denials[d].principal = roll(NODES);
        t->denials[d].excluded = roll(NODES + 2);
        t->denials[d].block = random_block();
        t->denials[d].block.take_count = 0;
    }
}

// ---- the obvious evaluator ----

// As a regular expression; with `zero`, /*/ is also a single slash.
static bool
obvious_match(uint32_t pattern, const char *action, bool zero)
{
    static Regex *compiled[COUNT_OF(PATTERNS)][2];
    Regex **regex = &compiled[pattern][zero];
    if (!*regex) {
        Buffer text = {0};
        buffer_text(&text, "^(?i:");
        for (const char *p = PATTERNS[pattern]; *p; p++) {
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

typedef enum Verdict { NO, UNSURE, YES } Verdict;

static Verdict
obvious_block(const Block *block, const char *action)
{
    bool granted = false, taken = false, taken_zero = false;
    for (uint32_t i = 0; i < block->grant_count; i++)
        granted |= obvious_match(block->grants[i], action, true);
    for (uint32_t i = 0; i < block->take_count; i++) {
        taken |= obvious_match(block->takes[i], action, false);
        taken_zero |= obvious_match(block->takes[i], action, true);
    }
    return !granted || taken ? NO : taken_zero ? UNSURE : YES;
}

// Whether `scope` is at or below `ancestor`: by the text, and by walking up the management
// groups at most as often as there are any.
static bool
obvious_below(const Tenant *t, const char *scope, const char *ancestor)
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
    for (int steps = 0; at >= 0 && steps <= MANAGEMENT_GROUPS; steps++) {
        if (at == wanted)
            return true;
        at = t->parent[at];
    }
    return false;
}

// in[a][b]: a is b or in b, over any number of groups.
static void
obvious_membership(const Tenant *t, bool in[NODES][NODES])
{
    for (uint32_t a = 0; a < NODES; a++)
        for (uint32_t b = 0; b < NODES; b++)
            in[a][b] = a == b || t->member[b][a];
    for (uint32_t k = 0; k < NODES; k++)
        for (uint32_t a = 0; a < NODES; a++)
            for (uint32_t b = 0; b < NODES; b++)
                in[a][b] |= in[a][k] && in[k][b];
}

static AccessVerdict
obvious_verdict(const Tenant *t, bool in[NODES][NODES], uint32_t principal, const char *action,
                const char *scope)
{
    for (uint32_t d = 0; d < DENIALS; d++) {
        const char *at = SCOPES[t->denials[d].scope];
        bool covers = t->denials[d].own ? strcmp(at, scope) == 0 : obvious_below(t, scope, at);
        bool spared = t->denials[d].excluded < NODES && in[principal][t->denials[d].excluded];
        bool concerned = t->denials[d].everyone || in[principal][t->denials[d].principal];
        if (covers && concerned && !spared && obvious_block(&t->denials[d].block, action) != NO)
            return ACCESS_DENIED;
    }
    AccessVerdict best = ACCESS_NONE;
    for (uint32_t a = 0; a < ASSIGNMENTS; a++) {
        uint32_t role = t->assignments[a].role;
        if (role == ROLES || !in[principal][t->assignments[a].principal] ||
            !obvious_below(t, scope, SCOPES[t->assignments[a].scope]) ||
            t->assignments[a].start > NOW ||
            (t->assignments[a].end && t->assignments[a].end <= NOW))
            continue;
        Verdict granted = NO;
        for (uint32_t b = 0; b < t->blocks[role]; b++) {
            Verdict block = obvious_block(&t->roles[role][b], action);
            granted = block > granted ? block : granted;
        }
        AccessVerdict verdict = granted == NO                ? ACCESS_NONE
                                : t->assignments[a].eligible ? ACCESS_ELIGIBLE
                                : granted == UNSURE          ? ACCESS_UNCERTAIN
                                                             : ACCESS_ALLOWED;
        best = verdict > best ? verdict : best;
    }
    return best;
}

// ---- the model of a tenant ----

// The text in a random case: ids and scopes compare without regard to it.
static Str
any_case(Arena *arena, const char *text)
{
    char *copy = str_cstr(arena, str_from(text));
    for (char *p = copy; *p; p++)
        if (*p >= 'a' && *p <= 'z' && roll(4) == 0)
            *p = (char)(*p - 32);
    return str_from(copy);
}

static Str
node_name(Arena *arena, uint32_t node)
{
    return any_case(arena,
                    str_format(arena, "%s%u", node < PRINCIPALS ? "user" : "group", node).ptr);
}

static void
put_patterns(Buffer *json, const char *name, const uint32_t *patterns, uint32_t count)
{
    buffer_printf(json, "\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++)
        buffer_printf(json, "%s\"%s\"", i ? "," : "", PATTERNS[patterns[i]]);
    buffer_char(json, ']');
}

static Dyn
tree_of(Arena *arena, const Buffer *json)
{
    Text *tree = ARENA_NEW(arena, Text);
    bool is_null;
    json_parse_text(arena, str_copy(arena, buffer_slice(json)), tree, &is_null);
    return dyn_of_text(tree);
}

static void
put_block(Buffer *json, const Block *block)
{
    buffer_char(json, '{');
    put_patterns(json, "actions", block->grants, block->grant_count);
    buffer_char(json, ',');
    put_patterns(json, "notActions", block->takes, block->take_count);
    buffer_char(json, '}');
}

static AccessModel *
build_model(Arena *arena, const Tenant *t, RoleSet *roles, ScopeTree *scopes)
{
    Buffer json = {0};
    role_set_init(roles, arena);
    scope_tree_init(scopes, arena);
    for (uint32_t r = 0; r < ROLES; r++) {
        buffer_clear(&json);
        buffer_printf(&json, "{\"id\":\"/x/role%u\",\"permissions\":[", r);
        for (uint32_t b = 0; b < t->blocks[r]; b++) {
            buffer_text(&json, b ? "," : "");
            put_block(&json, &t->roles[r][b]);
        }
        buffer_text(&json, "]}");
        assert_non_null(role_set_add(roles, tree_of(arena, &json), false));
    }
    for (int g = 0; g < MANAGEMENT_GROUPS; g++)
        scope_add_management_group(scopes, str_format(arena, "mg%d", g),
                                   t->parent[g] < 0 ? (Str){0}
                                                    : str_format(arena, "MG%d", t->parent[g]));
    for (int s = 0; s < 3; s++)
        scope_add_subscription(scopes, str_format(arena, "s%d", s),
                               str_format(arena, "mg%d", t->group_of[s]));

    AccessModel *model = access_new(arena, roles, scopes, STAR_SEGMENT_ZERO);
    for (uint32_t n = 0; n < NODES; n++)
        access_add_principal(model, node_name(arena, n),
                             n < PRINCIPALS ? STR("User") : STR("Group"), (Str){0});
    for (uint32_t g = PRINCIPALS; g < NODES; g++)
        for (uint32_t m = 0; m < NODES; m++)
            if (t->member[g][m])
                access_add_member(model, node_name(arena, g), node_name(arena, m));
    for (uint32_t a = 0; a < ASSIGNMENTS; a++) {
        AssignmentRecord record = {
            .id = str_format(arena, "ra%u", a),
            .principal = node_name(arena, t->assignments[a].principal),
            .role_definition_id =
                str_format(arena, "/subscriptions/%u/ROLE%u", roll(9), t->assignments[a].role),
            .scope = any_case(arena, SCOPES[t->assignments[a].scope]),
            .start = t->assignments[a].start,
            .end = t->assignments[a].end,
            .eligible = t->assignments[a].eligible,
        };
        access_add_assignment(model, &record);
    }
    for (uint32_t d = 0; d < DENIALS; d++) {
        buffer_clear(&json);
        buffer_printf(&json, "{\"scope\":\"%s/\",\"doNotApplyToChildScopes\":%s,\"permissions\":[",
                      SCOPES[t->denials[d].scope], t->denials[d].own ? "true" : "false");
        put_block(&json, &t->denials[d].block);
        Str principal = t->denials[d].everyone ? STR("00000000-0000-0000-0000-000000000000")
                                               : node_name(arena, t->denials[d].principal);
        buffer_printf(&json, "],\"principals\":[{\"id\":\"%.*s\"}],\"excludePrincipals\":[",
                      STR_ARG(principal));
        if (t->denials[d].excluded < NODES)
            buffer_printf(&json, "{\"id\":\"%.*s\"}",
                          STR_ARG(node_name(arena, t->denials[d].excluded)));
        buffer_text(&json, "]}");
        assert_true(access_add_deny(model, str_format(arena, "da%u", d), tree_of(arena, &json)));
    }
    buffer_free(&json);
    access_finish(model);
    return model;
}

typedef struct Found {
    AccessVerdict verdicts[NODES];
    const AccessModel *model;
} Found;

static void
note_holder(void *context, const AccessHolder *holder)
{
    Found *found = context;
    Str id = access_principal_id(found->model, holder->principal);
    uint32_t node = (uint32_t)(id.ptr[4] - '0'); // userN
    assert_int_equal(id.len, 5);
    assert_true(node < PRINCIPALS);
    assert_int_equal(found->verdicts[node], ACCESS_NONE); // each comes once
    found->verdicts[node] = holder->verdict;
}

static void
random_tenants_agree(void **state)
{
    (void)state;
    seed = 20261125;
    uint64_t asked = 0, allowed = 0;
    for (int i = 0; i < TENANTS; i++) {
        Arena arena = {0};
        Tenant *t = ARENA_NEW(&arena, Tenant);
        bool in[NODES][NODES];
        RoleSet roles;
        ScopeTree scopes;
        random_tenant(t);
        obvious_membership(t, in);
        AccessModel *model = build_model(&arena, t, &roles, &scopes);
        WhoCan *who = who_can_new(model, &arena);
        for (int q = 0; q < QUESTIONS / PRINCIPALS; q++) {
            const char *action = ACTIONS[roll(COUNT_OF(ACTIONS))];
            const char *scope = SCOPES[roll(COUNT_OF(SCOPES))];
            Found found = {.model = model};
            AccessQuestion question = {
                .action = str_from(action), .scope = any_case(&arena, scope), .at = NOW};
            who_can(who, &question, note_holder, &found);
            for (uint32_t p = 0; p < PRINCIPALS; p++, asked++) {
                question.principal = node_name(&arena, p);
                AccessAnswer answer = access_check(model, &arena, &question);
                AccessVerdict wanted = obvious_verdict(t, in, p, action, scope);
                if (answer.verdict != wanted)
                    fail_msg("tenant %d: user%u, %s at %s: %s, not %s", i, p, action, scope,
                             access_verdict_name(answer.verdict), access_verdict_name(wanted));
                AccessVerdict listed = wanted == ACCESS_DENIED ? ACCESS_NONE : wanted;
                if (found.verdicts[p] != listed)
                    fail_msg("tenant %d: who_can says %s of user%u, %s at %s, not %s", i,
                             access_verdict_name(found.verdicts[p]), p, action, scope,
                             access_verdict_name(listed));
                allowed += wanted == ACCESS_ALLOWED;
            }
        }
        who_can_free(who);
        arena_free(&arena);
    }
    assert_true(asked == (uint64_t)TENANTS * QUESTIONS);
    // A test in which nothing is allowed, or everything, shows nothing.
    assert_in_range(allowed, asked / 20, asked - asked / 5);
}

// ---- patterns ----

static void
star_segments(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *action;
        bool zero, literal;
    } CASES[] = {
        {"W/*/read", "W/read", true, false},
        {"W/*/read", "W/a/b/read", true, true},
        {"W/*/read", "Wread", false, false},
        {"W/*/*/read", "W/read", true, false},
        {"W/*/*/read", "W/a/read", true, false},
        {"W/*", "W/", true, true},
        {"W/*", "W", false, false},
        {"*/read", "/read", true, true},
        {"*/read", "read", false, false},
        {"/*/a", "/a", true, false},
        {"*", "", true, true},
        {"", "", true, true},
        {"", "a", false, false},
        {"**", "anything/at/all", true, true},
        {"A/*b*/c", "A/xbx/c", true, true},
        {"A/*b*/c", "A/c", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Str pattern = str_from(CASES[i].pattern), action = str_from(CASES[i].action);
        assert_int_equal(action_matches(pattern, action, STAR_SEGMENT_ZERO), CASES[i].zero);
        assert_int_equal(action_matches(pattern, action, STAR_SEGMENT_LITERAL), CASES[i].literal);
    }
}

// A pattern made to be slow takes as long as its size says.
static void
hostile_pattern(void **state)
{
    (void)state;
    char pattern[1000], action[4000];
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = "/*"[i % 2];
    memset(action, '/', sizeof action);
    action[sizeof action - 1] = 'x';
    pattern[sizeof pattern - 1] = 'y';
    assert_false(action_matches((Str){pattern, sizeof pattern}, (Str){action, sizeof action},
                                STAR_SEGMENT_ZERO));
}

// ---- conditions ----

static void
conditions_that_cannot_be_read(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "(",
        "ActionMatches",
        "ActionMatches{",
        "ActionMatches{'x'",
        "ActionMatches{x}",
        "@Resource[a] StringEquals",
        "@Resource[a StringEquals 'x'",
        "@Nobody[a] StringEquals 'x'",
        "@Resource[] StringEquals 'x'",
        "@Resource[a] StringLessThan 'x'",
        "@Resource[a] NumericLike 3",
        "@Resource[a] BoolNotLessThan true",
        "@Resource[a] ForSomeOfAnyValues:StringEquals {'x'}",
        "@Resource[a] ForAnyOfAnyValues StringEquals {'x'}",
        "@Resource[a] StringEquals {'x',}",
        "@Resource[a] StringEquals {}",
        "@Resource[a] StringEquals 'x' OR",
        "@Resource[a] StringEquals 'x') AND ('y' StringEquals 'y'",
        "@Resource[a] StringEquals 'x' 'y'",
        "Exists 'x'",
        "NOT",
        "!!!!",
        "'unclosed StringEquals 'x'",
    };
    Arena arena = {0};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        AzError error = {0};
        Str text = str_from(BAD[i]);
        if (condition_parse(&arena, text, NULL, &error))
            fail_msg("'%s' was read", BAD[i]);
        assert_true(error.has_span && error.span.start <= text.len);
    }
    // Deep nesting ends with a word, not with the stack.
    Buffer deep = {0};
    for (int i = 0; i < 20000; i++)
        buffer_char(&deep, i % 2 ? '(' : '!');
    AzError error = {0};
    assert_null(condition_parse(&arena, buffer_slice(&deep), NULL, &error));
    assert_non_null(strstr(error.message, "too deep"));
    buffer_free(&deep);
    arena_free(&arena);
}

static Tristate
evaluate(const char *text, const char *attributes, bool complete, bool *lint)
{
    Arena arena = {0};
    AzError error = {0};
    Buffer json = {0};
    Condition *condition = condition_parse(&arena, str_from(text), lint, &error);
    if (!condition)
        fail_msg("%s: %s", text, error.message);
    buffer_text(&json, attributes);
    ConditionContext context = {.action = STR("A/read")};
    context.attributes[ATTRIBUTE_RESOURCE] = tree_of(&arena, &json);
    for (int i = 0; i < ATTRIBUTE_SOURCES; i++)
        context.complete[i] = complete;
    AttributeList unknown = {0};
    Tristate answer = condition_evaluate(&arena, condition, &context, &unknown);
    assert_int_equal(unknown.len > 0, answer == TRI_UNKNOWN);
    buffer_free(&json);
    arena_free(&arena);
    return answer;
}

static void
conditions_in_three_values(void **state)
{
    (void)state;
    static const struct {
        const char *text, *attributes;
        Tristate closed, open; // when what is absent is missing; is not known
    } CASES[] = {
        {"@Resource[n] StringEquals 'a'", "{}", TRI_FALSE, TRI_UNKNOWN},
        {"@Resource[n] StringNotEquals 'a'", "{}", TRI_FALSE, TRI_UNKNOWN},
        {"NOT @Resource[n] StringEquals 'a'", "{}", TRI_TRUE, TRI_UNKNOWN},
        {"Exists @Resource[n]", "{}", TRI_FALSE, TRI_UNKNOWN},
        {"Exists @Resource[n]", "{\"n\":\"\"}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] StringEquals 'a' OR ActionMatches{'A/*'}", "{}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] StringEquals 'a' AND ActionMatches{'B/*'}", "{}", TRI_FALSE, TRI_FALSE},
        {"!ActionMatches{'B/*'} || @Resource[n] stringequals 'a'", "{}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] NumericLessThan 3", "{\"n\":2}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] NumericNotEquals 3", "{\"n\":\"three\"}", TRI_FALSE, TRI_FALSE},
        {"@Resource[n] DateTimeGreaterThan '2026-01-01T00:00:00Z'",
         "{\"n\":\"2026-01-01T00:00:00.0000001Z\"}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] StringLike 'a\\*c'", "{\"n\":\"a*c\"}", TRI_TRUE, TRI_TRUE},
        {"@Resource[n] ForAllOfAnyValues:StringEquals {'a','b'}", "{\"n\":[\"a\",\"b\"]}", TRI_TRUE,
         TRI_TRUE},
        {"@Resource[n] ForAllOfAnyValues:StringEquals {'a','b'}", "{\"n\":[\"a\",\"c\"]}",
         TRI_FALSE, TRI_FALSE},
        {"@Resource[N] StringEquals 'it''s'", "{\"n\":\"it's\"}", TRI_TRUE, TRI_TRUE},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        bool lint;
        Tristate closed = evaluate(CASES[i].text, CASES[i].attributes, true, &lint);
        Tristate open = evaluate(CASES[i].text, CASES[i].attributes, false, &lint);
        if (closed != CASES[i].closed || open != CASES[i].open)
            fail_msg("%s: %d and %d", CASES[i].text, closed, open);
    }
    bool lint;
    evaluate("ActionMatches{'A'} AND ActionMatches{'B'} OR ActionMatches{'C'}", "{}", true, &lint);
    assert_true(lint);
    evaluate("(ActionMatches{'A'} AND ActionMatches{'B'}) OR ActionMatches{'C'}", "{}", true,
             &lint);
    assert_false(lint);
}

// ---- scopes ----

static void
scope_chains(void **state)
{
    (void)state;
    Arena arena = {0};
    ScopeTree tree;
    scope_tree_init(&tree, &arena);
    scope_add_management_group(&tree, STR("a"), STR("B"));
    scope_add_management_group(&tree, STR("b"), STR("a")); // a cycle
    scope_add_subscription(&tree, STR("/subscriptions/S"), STR("a"));
    static const Str WANTED[] = {
        STR_INIT("/subscriptions/s/resourceGroups/r"),
        STR_INIT("/subscriptions/s/resourceGroups"),
        STR_INIT("/subscriptions/s"),
        STR_INIT("/providers/Microsoft.Management/managementGroups/a"),
        STR_INIT("/providers/Microsoft.Management/managementGroups/B"),
        STR_INIT("/"),
    };
    ScopeChain chain = {0};
    bool known;
    scope_chain(&tree, &arena, STR("//subscriptions/s/resourceGroups//r/"), &chain, &known);
    assert_true(known);
    assert_int_equal(chain.len, COUNT_OF(WANTED));
    for (size_t i = 0; i < chain.len; i++)
        assert_true(str_equal(chain.items[i], WANTED[i]));

    chain.len = 0;
    scope_chain(&tree, &arena, STR("/subscriptions/other"), &chain, &known);
    assert_false(known); // its management group is not in the data
    assert_int_equal(chain.len, 2);
    chain.len = 0;
    scope_chain(&tree, &arena, STR(""), &chain, &known);
    assert_int_equal(chain.len, 1);
    assert_true(scope_contains(STR("/a/b/"), STR("/A/b/c")));
    assert_false(scope_contains(STR("/a/b"), STR("/a/bc")));
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_tenants_agree),
        cmocka_unit_test(star_segments),
        cmocka_unit_test(hostile_pattern),
        cmocka_unit_test(conditions_that_cannot_be_read),
        cmocka_unit_test(conditions_in_three_values),
        cmocka_unit_test(scope_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
