// parse_user_agent(): browser, system and device from the text a client sends of itself.
//
// The knowledge is the ua-parser project's list of patterns (Debian's uap-core), read from
// where it is installed when the first call is bound, once for the process. The list is long
// and most patterns are never tried, so a pattern is compiled when it is first tried. The
// first pattern that matches decides; its replacements, or by default its groups, give the
// parts. Sources: Kusto docs, parse_user_agent(); uap-core's specification.

#include "base/array.h"
#include "function/registry.h"

#include <libfyaml.h>
#include <pthread.h>
#include <stdatomic.h>

enum { PARTS_MOST = 5, GROUPS_MOST = 10 };

typedef enum Target { TARGET_BROWSER, TARGET_SYSTEM, TARGET_DEVICE, TARGETS } Target;

static const struct TargetShape {
    const char *option;                   // what look_for names
    const char *list;                     // in the file of patterns
    const char *bag;                      // in the answer
    const char *parts[PARTS_MOST];        // members of the bag
    const char *replacements[PARTS_MOST]; // members of a pattern
    int groups[PARTS_MOST];               // the group taken without a replacement; 0 = none
    int part_count;
} SHAPES[TARGETS] = {
    {"browser",
     "user_agent_parsers",
     "Browser",
     {"Family", "MajorVersion", "MinorVersion", "Patch"},
     {"family_replacement", "v1_replacement", "v2_replacement", "v3_replacement"},
     {1, 2, 3, 4},
     4},
    {"os",
     "os_parsers",
     "OperatingSystem",
     {"Family", "MajorVersion", "MinorVersion", "Patch", "PatchMinor"},
     {"os_replacement", "os_v1_replacement", "os_v2_replacement", "os_v3_replacement",
      "os_v4_replacement"},
     {1, 2, 3, 4, 5},
     5},
    {"device",
     "device_parsers",
     "Device",
     {"Family", "Brand", "Model"},
     {"device_replacement", "brand_replacement", "model_replacement"},
     {1, 0, 1},
     3},
};

typedef struct Pattern {
    Str text;
    bool ignore_case;
    atomic_bool tried;            // set after `regex`
    Regex *regex;                 // NULL when not tried yet, or not valid
    Str replacements[PARTS_MOST]; // ptr NULL: none
} Pattern;

typedef struct PatternList {
    Pattern *items;
    size_t len, cap;
} PatternList;

static struct {
    pthread_once_t once;
    pthread_mutex_t mutex; // guards the compiling of patterns
    Arena arena;
    PatternList lists[TARGETS];
    bool loaded;
} agents = {.once = PTHREAD_ONCE_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER};

static Str
member_text(struct fy_node *map, const char *name)
{
    size_t len = 0;
    const char *text = NULL;
    struct fy_node *node = fy_node_mapping_lookup_by_string(map, name, FY_NT);
    if (node)
        text = fy_node_get_scalar(node, &len);
    return text ? str_copy(&agents.arena, (Str){text, len}) : (Str){0};
}

static void
read_list(struct fy_node *root, Target target)
{
    const struct TargetShape *shape = &SHAPES[target];
    struct fy_node *list = fy_node_mapping_lookup_by_string(root, shape->list, FY_NT);
    void *at = NULL;
    struct fy_node *item;
    while (list && (item = fy_node_sequence_iterate(list, &at))) {
        Pattern pattern = {.text = member_text(item, "regex")};
        if (!pattern.text.len)
            continue;
        pattern.ignore_case = str_equal(member_text(item, "regex_flag"), STR("i"));
        for (int p = 0; p < shape->part_count; p++)
            pattern.replacements[p] = member_text(item, shape->replacements[p]);
        ARRAY_PUSH(&agents.arena, &agents.lists[target], pattern);
    }
}

static void
load_patterns(void)
{
    static const char *const FILES[] = {"/usr/share/uap-core/regexes.yaml",
                                        "/usr/local/share/uap-core/regexes.yaml"};
    struct fy_document *document = NULL;
    for (size_t f = 0; !document && f < COUNT_OF(FILES); f++) {
        struct fy_parse_cfg config = {.flags = FYPCF_QUIET};
        document = fy_document_build_from_file(&config, FILES[f]);
    }
    if (!document)
        return;
    struct fy_node *root = fy_document_root(document);
    for (Target target = 0; target < TARGETS; target++) {
        read_list(root, target);
        agents.loaded |= agents.lists[target].len > 0;
    }
    fy_document_destroy(document);
}

// A pattern that RE2 does not take is skipped, as if it never matched.
static const Regex *
pattern_regex(Pattern *pattern)
{
    if (!atomic_load_explicit(&pattern->tried, memory_order_acquire)) {
        pthread_mutex_lock(&agents.mutex);
        if (!pattern->tried)
            pattern->regex = regex_new(pattern->text, pattern->ignore_case, NULL);
        atomic_store_explicit(&pattern->tried, true, memory_order_release);
        pthread_mutex_unlock(&agents.mutex);
    }
    return pattern->regex;
}

// The replacement with $1 .. $9 filled in, without blanks around.
static Str
fill_groups(Arena *arena, Str replacement, const Str *groups)
{
    Buffer out = {0};
    for (size_t i = 0; i < replacement.len; i++) {
        char c = replacement.ptr[i];
        char next = i + 1 < replacement.len ? replacement.ptr[i + 1] : 0;
        if (c == '$' && next >= '1' && next <= '9') {
            Str group = groups[next - '0'];
            buffer_str(&out, group.ptr ? group : STR(""));
            i++;
        } else {
            buffer_str(&out, (Str){&replacement.ptr[i], 1});
        }
    }
    Str text = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    while (text.len && text.ptr[0] == ' ')
        text = (Str){text.ptr + 1, text.len - 1};
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

static void
find_parts(Arena *arena, Target target, Str agent, Str *parts)
{
    const struct TargetShape *shape = &SHAPES[target];
    PatternList *list = &agents.lists[target];
    for (size_t i = 0; i < list->len; i++) {
        Pattern *pattern = &list->items[i];
        const Regex *regex = pattern_regex(pattern);
        Str groups[GROUPS_MOST] = {0};
        int count = regex ? regex_group_count(regex) + 1 : 0;
        count = count < GROUPS_MOST ? count : GROUPS_MOST;
        if (!regex || !regex_find(regex, agent, 0, groups, count))
            continue;
        for (int p = 0; p < shape->part_count; p++) {
            Str group = groups[shape->groups[p]];
            if (pattern->replacements[p].ptr)
                parts[p] = fill_groups(arena, pattern->replacements[p], groups);
            else if (shape->groups[p] && group.ptr)
                parts[p] = group;
        }
        return;
    }
    parts[0] = STR("Other");
}

static void
push_target(DynBuilder *dyn, Arena *arena, Target target, Str agent)
{
    const struct TargetShape *shape = &SHAPES[target];
    Str parts[PARTS_MOST] = {0};
    find_parts(arena, target, agent, parts);
    dyn_key(dyn, str_from(shape->bag));
    dyn_begin_bag(dyn);
    for (int p = 0; p < shape->part_count; p++) {
        dyn_key(dyn, str_from(shape->parts[p]));
        dyn_push_string(dyn, parts[p].ptr ? parts[p] : STR(""));
    }
    dyn_end_bag(dyn);
}

// Sets the bit of the target that the option names; false when there is none.
static bool
add_target(Str option, unsigned *targets)
{
    for (Target target = 0; target < TARGETS; target++) {
        if (str_equal_ci(option, str_from(SHAPES[target].option))) {
            *targets |= 1u << target;
            return true;
        }
    }
    return false;
}

static bool
read_targets(Dyn tree, unsigned *targets)
{
    *targets = 0;
    if (dyn_kind(tree) == DYN_STRING)
        return add_target(dyn_string(tree), targets);
    bool known = dyn_kind(tree) == DYN_ARRAY && dyn_count(tree);
    for (uint32_t e = 0; known && e < dyn_count(tree); e++) {
        Dyn option = dyn_at(tree, e);
        known = dyn_kind(option) == DYN_STRING && add_target(dyn_string(option), targets);
    }
    return known;
}

// parse_user_agent(text [, look_for])
static void
parse_user_agent(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        unsigned targets = (1u << TARGETS) - 1;
        Str agent = arg_str(call, 0, i);
        bool known = agent.len > 0;
        if (known && call->arg_count > 1)
            known = !arg_is_null(call, 1, i) && read_targets(arg_dyn(call, 1, i), &targets);
        if (!known) {
            out_null(call, i);
            continue;
        }
        Arena arena = {0};
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        for (Target target = 0; target < TARGETS; target++)
            if (targets & 1u << target)
                push_target(dyn, &arena, target, agent);
        dyn_end_bag(dyn);
        out_dyn(call, i);
        arena_free(&arena);
    }
}

static bool
agent_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
           Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)type, (void)bound;
    unsigned targets;
    if (arg_count > 1 && args[1]->kind == EXPR_CONST &&
        (args[1]->value.is_null || !read_targets(dyn_of_text(&args[1]->value.text), &targets)))
        return error_at(error, AZ_SEMANTIC, args[1]->span,
                        "%s() can look for 'browser', 'os' and 'device', or an array of these",
                        fn->name);
    pthread_once(&agents.once, load_patterns);
    return agents.loaded ||
           error_at(error, AZ_SEMANTIC, span,
                    "%s() needs the patterns of the package uap-core, which are not installed "
                    "here (/usr/share/uap-core/regexes.yaml)",
                    fn->name);
}

static const ScalarImpl IMPL = {parse_user_agent, agent_bind};

static const FunctionDef ROWS[] = {
    {"parse_user_agent", NULL, "(agent:string, look_for:dynamic=) : dynamic",
     "Browser, system and device that a user-agent text names.",
     "tostring(parse_user_agent('Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 "
     "Firefox/120.0', 'browser').Browser.Family) == 'Firefox'",
     FUNCTION_SCALAR, FN_OWN_NULLS, &IMPL},
};

const FunctionSet USER_AGENT_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
