// Reading the tables of path_tables.h: one JSON object a line.

#include "azure/path/path_tables.h"

#include "azure/facts.h"
#include "base/array.h"
#include "value/json.h"

typedef struct Reader {
    PathTables *out;
    Arena *arena;
    Map operations; // written with its plane -> index
    struct {
        OperationRule *items;
        size_t len, cap;
    } rules;
    struct {
        PathOperation *items;
        size_t len, cap;
    } operation_list;
    struct {
        DirectoryRule *items;
        size_t len, cap;
    } directory;
} Reader;

static const char *const SEVERITIES[] = {"info", "medium", "high", "critical"};
static const char *const CAPABILITIES[] = {
#define X(id, name) name,
    PATH_CAPABILITIES(X)
#undef X
};

const char *
edge_severity_name(EdgeSeverity severity)
{
    return SEVERITIES[severity];
}

const char *
path_capability_name(PathCapability capability)
{
    return CAPABILITIES[capability];
}

static Dyn
parse(Arena *arena, Str line)
{
    Text *tree = ARENA_NEW(arena, Text);
    bool is_null;
    json_parse_text(arena, line, tree, &is_null);
    return is_null ? dyn_null() : dyn_of_text(tree);
}

static Str
text(Arena *arena, Dyn bag, const char *name)
{
    Dyn node = dyn_get(bag, str_from(name));
    return dyn_kind(node) == DYN_STRING ? str_copy(arena, dyn_string(node)) : (Str){0};
}

static bool
flag(Dyn bag, const char *name)
{
    Dyn node = dyn_get(bag, str_from(name));
    return dyn_kind(node) == DYN_BOOL && dyn_bool(node);
}

static StrList
list(Arena *arena, Dyn bag, const char *name)
{
    Dyn node = dyn_get(bag, str_from(name));
    uint32_t count = dyn_kind(node) == DYN_ARRAY ? dyn_count(node) : 0, kept = 0;
    Str *items = ARENA_ARRAY(arena, Str, count);
    for (uint32_t i = 0; i < count; i++)
        if (dyn_kind(dyn_at(node, i)) == DYN_STRING)
            items[kept++] = str_copy(arena, dyn_string(dyn_at(node, i)));
    return (StrList){items, kept};
}

static bool
take_kind(void *context, Str line, AzError *error)
{
    Reader *reader = context;
    Arena *arena = reader->arena;
    Dyn bag = parse(arena, line);
    EdgeKind *kind = ARENA_NEW(arena, EdgeKind);
    *kind = (EdgeKind){
        .name = text(arena, bag, "edge"),
        .attack = text(arena, bag, "attack"),
        .atlas = text(arena, bag, "atlas"),
        .about = text(arena, bag, "condition"),
        .remedy = text(arena, bag, "break"),
        .command = text(arena, bag, "command"),
        .from_resource = flag(bag, "fromResource"),
    };
    Dyn commands = dyn_get(bag, STR("commands"));
    map_init(&kind->commands, arena, true);
    for (uint32_t i = 0; dyn_kind(commands) == DYN_BAG && i < dyn_count(commands); i++) {
        Str *command = ARENA_NEW(arena, Str);
        if (dyn_kind(dyn_at(commands, i)) == DYN_STRING)
            *command = str_copy(arena, dyn_string(dyn_at(commands, i)));
        map_put(&kind->commands, str_copy(arena, dyn_key_at(commands, i)), command);
    }
    Str severity = text(arena, bag, "severity");
    uint32_t at = 0;
    while (at < COUNT_OF(SEVERITIES) && !str_equal(severity, str_from(SEVERITIES[at])))
        at++;
    if (!kind->name.len || at == COUNT_OF(SEVERITIES))
        return error_set(error, AZ_INVALID,
                         "a kind of edge needs 'edge' and 'severity' (info, medium, high, "
                         "critical)");
    kind->severity = (EdgeSeverity)at;
    map_put(&reader->out->kinds, kind->name, kind);
    return true;
}

static bool
read_capability(Str name, PathCapability *out, AzError *error)
{
    for (uint32_t i = 0; i < PATH_CAPABILITY_COUNT; i++) {
        if (str_equal(name, str_from(CAPABILITIES[i]))) {
            *out = (PathCapability)i;
            return true;
        }
    }
    return error_set(error, AZ_INVALID, "there is no capability '%.*s'", STR_ARG(name));
}

static bool
find_kind(Reader *reader, Str name, const EdgeKind **out, AzError *error)
{
    *out = map_get(&reader->out->kinds, name);
    return *out ||
           error_set(error, AZ_INVALID, "'%.*s' is no kind of edge of edges.jsonl", STR_ARG(name));
}

// "data:container:Microsoft.X/y/action": the plane and the place come before the operation.
static RuleOperation
read_operation(Reader *reader, Str written)
{
    static const struct {
        Str prefix;
        OperationPlace place;
    } PLACES[] = {
        {STR_INIT("container:"), PLACE_CONTAINER},
        {STR_INIT("anywhere:"), PLACE_ANYWHERE},
        {STR_INIT("unconditional:"), PLACE_UNCONDITIONAL},
    };
    RuleOperation operation = {.place = PLACE_TARGET};
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        if (str_starts(written, PLACES[i].prefix)) {
            written = str_slice(written, PLACES[i].prefix.len, written.len);
            operation.place = PLACES[i].place;
        }
    }
    bool is_new;
    MapEntry *entry = map_add(&reader->operations, written, &is_new);
    if (is_new) {
        bool is_data = str_starts(written, STR("data:"));
        PathOperation known = {str_slice(written, is_data ? 5 : 0, written.len), is_data};
        entry->number = reader->operation_list.len;
        ARRAY_PUSH(reader->arena, &reader->operation_list, known);
    }
    operation.operation = (uint32_t)entry->number;
    return operation;
}

static void
read_options(Reader *reader, Dyn any, OperationRule *rule)
{
    rule->option_count = dyn_kind(any) == DYN_ARRAY ? dyn_count(any) : 0;
    rule->options = ARENA_ARRAY(reader->arena, RuleOption, rule->option_count);
    for (uint32_t i = 0; i < rule->option_count; i++) {
        Dyn all = dyn_at(any, i);
        RuleOption *option = &rule->options[i];
        option->count = dyn_kind(all) == DYN_ARRAY ? dyn_count(all) : 0;
        option->operations = ARENA_ARRAY(reader->arena, RuleOperation, option->count);
        for (uint32_t j = 0; j < option->count; j++) {
            Dyn name = dyn_at(all, j);
            Str written = dyn_string(name);
            option->operations[j] = read_operation(reader, str_copy(reader->arena, written));
        }
    }
}

static bool
take_operation_rule(void *context, Str line, AzError *error)
{
    Reader *reader = context;
    Arena *arena = reader->arena;
    Dyn bag = parse(arena, line);
    OperationRule rule = {
        .type = text(arena, bag, "type"),
        .needs_reach = flag(bag, "reach"),
        .partial = flag(bag, "part"),
        .when = list(arena, bag, "when"),
        .switch_ = text(arena, bag, "switch"),
        .index = (uint32_t)reader->rules.len,
    };
    Str from = text(arena, bag, "from");
    read_options(reader, dyn_get(bag, STR("any")), &rule);
    if (!rule.type.len || (rule.option_count != 0) == (from.len != 0))
        return error_set(error, AZ_INVALID, "a rule needs 'type', and either 'any' or 'from'");
    for (uint32_t i = 0; i < rule.option_count; i++)
        if (!rule.options[i].count)
            return error_set(error, AZ_INVALID, "a list of 'any' needs an operation");
    if (!find_kind(reader, text(arena, bag, "edge"), &rule.kind, error) ||
        !read_capability(text(arena, bag, "gives"), &rule.gives, error) ||
        (from.len && !read_capability(from, &rule.from, error)))
        return false;
    ARRAY_PUSH(arena, &reader->rules, rule);
    return true;
}

static bool
take_directory_rule(void *context, Str line, AzError *error)
{
    Reader *reader = context;
    Arena *arena = reader->arena;
    Dyn bag = parse(arena, line);
    DirectoryRule rule = {
        .to = text(arena, bag, "to"),
        .roles = list(arena, bag, "roles"),
        .permissions = list(arena, bag, "permissions"),
        .actions = list(arena, bag, "actions"),
        .is_bounded = dyn_kind(dyn_get(bag, STR("only"))) == DYN_ARRAY,
        .only = list(arena, bag, "only"),
    };
    if (!rule.to.len)
        return error_set(error, AZ_INVALID, "a rule of the directory needs 'to'");
    if (!find_kind(reader, text(arena, bag, "edge"), &rule.kind, error))
        return false;
    ARRAY_PUSH(arena, &reader->directory, rule);
    return true;
}

static bool
take_name(void *context, Str line, AzError *error)
{
    Reader *reader = context;
    Dyn bag = parse(reader->arena, line);
    Str role = text(reader->arena, bag, "role"), id = text(reader->arena, bag, "id");
    Str permission = text(reader->arena, bag, "permission");
    if (!id.len || (!role.len && !permission.len))
        return error_set(error, AZ_INVALID, "a name needs 'id', and 'role' or 'permission'");
    Str *name = ARENA_NEW(reader->arena, Str);
    *name = role.len ? role : permission;
    map_put(role.len ? &reader->out->role_names : &reader->out->permission_names, id, name);
    return true;
}

static void
index_rules(PathTables *tables)
{
    for (uint32_t i = 0; i < tables->rule_count; i++) {
        bool is_new;
        MapEntry *entry = map_add(&tables->rules_of, tables->rules[i].type, &is_new);
        if (is_new)
            entry->pointer = ARENA_NEW(tables->arena, RuleList);
        RuleList *rules = entry->pointer;
        ARRAY_PUSH(tables->arena, rules, &tables->rules[i]);
    }
}

bool
path_tables_load(Arena *arena, const char *content, PathTables *out, AzError *error)
{
    *out = (PathTables){.arena = arena};
    map_init(&out->kinds, arena, false);
    map_init(&out->rules_of, arena, true);
    map_init(&out->role_names, arena, true);
    map_init(&out->permission_names, arena, true);
    Reader reader = {.out = out, .arena = arena};
    map_init(&reader.operations, arena, true);
    static const struct {
        const char *file;
        bool (*take)(void *context, Str line, AzError *error);
    } FILES[] = {
        {"edges.jsonl", take_kind},
        {"edge-operations.jsonl", take_operation_rule},
        {"edge-directory.jsonl", take_directory_rule},
        {"directory-names.jsonl", take_name},
    };
    for (size_t i = 0; i < COUNT_OF(FILES); i++)
        if (!facts_each_line(arena, content, FILES[i].file, FILES[i].take, &reader, error))
            return false;
    out->rules = reader.rules.items;
    out->rule_count = (uint32_t)reader.rules.len;
    out->operations = reader.operation_list.items;
    out->operation_count = (uint32_t)reader.operation_list.len;
    out->directory = reader.directory.items;
    out->directory_count = (uint32_t)reader.directory.len;
    index_rules(out);
    return true;
}

const EdgeKind *
path_kind(const PathTables *tables, const char *name)
{
    // Content that lost a kind still gives paths; the step then has no technique.
    static const EdgeKind UNKNOWN = {.name = STR_INIT("Unknown")};
    const EdgeKind *kind = map_get(&tables->kinds, str_from(name));
    return kind ? kind : &UNKNOWN;
}

const RuleList *
path_rules_of(const PathTables *tables, Str type)
{
    return map_get(&tables->rules_of, type);
}

static Str
name_of(const Map *names, Str id)
{
    const Str *name = map_get(names, id);
    return name ? *name : id;
}

Str
path_role_name(const PathTables *tables, Str id)
{
    return name_of(&tables->role_names, id);
}

Str
path_permission_name(const PathTables *tables, Str id)
{
    return name_of(&tables->permission_names, id);
}
