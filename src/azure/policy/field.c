// Fields: what a name in a condition means, and which values it selects from a resource.

#include "azure/policy/program.h"

#include <string.h>

bool
path_parse(Arena *arena, Str text, PolicyPath *out)
{
    size_t room = 1;
    for (size_t i = 0; i < text.len; i++)
        room += text.ptr[i] == '.' || text.ptr[i] == '[' || text.ptr[i] == ']';
    *out = (PolicyPath){.segments = ARENA_ARRAY(arena, PathSegment, room)};
    size_t at = 0;
    if (room > UINT16_MAX)
        return false;
    while (at < text.len) {
        PathSegment *segment = &out->segments[out->count++];
        if (text.ptr[at] == '[') {
            const char *end = memchr(text.ptr + at, ']', text.len - at);
            Str inner = end ? str_slice(text, at + 1, (size_t)(end - text.ptr))
                            : str_slice(text, at + 1, text.len);
            at += inner.len + 2;
            segment->star = str_equal(inner, STR("*"));
            if (!segment->star && inner.len >= 2 && inner.ptr[0] == '\'')
                inner = str_slice(inner, 1, inner.len - 1);
            segment->key = segment->star ? (Str){0} : inner;
            out->stars += segment->star;
        } else {
            size_t end = at;
            while (end < text.len && text.ptr[end] != '.' && text.ptr[end] != '[')
                end++;
            segment->key = str_slice(text, at, end);
            at = end;
        }
        if (at < text.len && text.ptr[at] == '.')
            at++;
    }
    return out->count > 0 && out->stars <= STAR_LIMIT;
}

// The name of a tag from tags.x, tags[x], tags['x'], tags['''x''']; empty when it is none.
static Str
tag_name(Arena *arena, Str name)
{
    if (name.len < 6 || !str_equal_ci(str_slice(name, 0, 4), STR("tags")))
        return (Str){0};
    if (name.ptr[4] == '.')
        return str_slice(name, 5, name.len);
    if (name.ptr[4] != '[' || name.ptr[name.len - 1] != ']')
        return (Str){0};
    Str inner = str_slice(name, 5, name.len - 1);
    if (inner.len < 2 || inner.ptr[0] != '\'' || inner.ptr[inner.len - 1] != '\'')
        return inner;
    inner = str_slice(inner, 1, inner.len - 1);
    char *text = arena_alloc(arena, inner.len);
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        text[len++] = inner.ptr[i];
        if (inner.ptr[i] == '\'' && i + 1 < inner.len && inner.ptr[i + 1] == '\'')
            i++;
    }
    return (Str){text, len};
}

static bool
set_path(Arena *arena, PolicyField *field, FieldKind kind, Str path)
{
    field->kind = kind;
    field->targets = ARENA_NEW(arena, FieldTarget);
    field->target_count = 1;
    if (!path_parse(arena, path, &field->targets->path)) {
        field->kind = FIELD_UNKNOWN;
        return false;
    }
    field->stars = field->targets->path.stars;
    return true;
}

static void
read_versions(Arena *arena, Str text, FieldTarget *target)
{
    uint32_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ';';
    target->versions = ARENA_ARRAY(arena, FieldVersion, count);
    while (text.len) {
        ptrdiff_t end = str_find(text, STR(";"));
        Str one = end < 0 ? text : str_slice(text, 0, (size_t)end);
        text = end < 0 ? (Str){0} : str_slice(text, (size_t)end + 1, text.len);
        ptrdiff_t at = str_find(one, STR("@"));
        FieldVersion *version = &target->versions[target->version_count];
        if (at > 0 && path_parse(arena, str_slice(one, 0, (size_t)at), &version->path) &&
            version->path.stars == target->path.stars) {
            version->apis = str_slice(one, (size_t)at + 1, one.len);
            target->version_count++;
        }
    }
}

static bool
set_alias(Arena *arena, const AliasTable *table, PolicyField *field)
{
    const Alias *first = table ? alias_find(table, field->name) : NULL;
    uint32_t count = 0;
    for (const Alias *alias = first; alias; alias = alias->next)
        count++;
    field->targets = ARENA_ARRAY(arena, FieldTarget, count);
    for (const Alias *alias = first; alias; alias = alias->next) {
        FieldTarget *target = &field->targets[field->target_count];
        if (!path_parse(arena, alias->path, &target->path))
            continue;
        target->type = alias->type;
        target->modifiable = alias->modifiable;
        read_versions(arena, alias->versions, target);
        field->stars = target->path.stars;
        field->target_count++;
    }
    field->kind = FIELD_ALIAS;
    return field->target_count > 0;
}

// Stars that `name` shares with the alias of a count: the whole alias when the name lies below
// it, else as many as their common beginning has.
static uint16_t
shared_stars(Str name, Str counted)
{
    uint16_t stars = 0;
    size_t i = 0;
    while (i < name.len && i < counted.len &&
           str_equal_ci(str_slice(name, i, i + 1), str_slice(counted, i, i + 1))) {
        if (name.ptr[i] == ']' && i >= 2 && name.ptr[i - 1] == '*') {
            stars++;
        }
        i++;
    }
    return stars;
}

static void
find_scope(PolicyField *field, const FieldScopes *scopes)
{
    if (!scopes || !field->stars)
        return;
    for (uint32_t up = 1; up <= scopes->count; up++) {
        const PolicyField *counted = scopes->fields[scopes->count - up];
        if (!counted)
            continue;
        uint16_t shared = shared_stars(field->name, counted->name);
        if (shared > field->stars)
            shared = field->stars;
        if (shared > field->scope_stars) {
            field->scope_stars = shared;
            field->scope_up = (uint16_t)up;
        }
    }
}

static const struct {
    const char *name;
    FieldKind kind;
} ROOT_FIELDS[] = {
    {"name", FIELD_NAME},
    {"fullName", FIELD_FULL_NAME},
    {"type", FIELD_TYPE},
    {"kind", FIELD_KIND},
    {"id", FIELD_ID},
    {"location", FIELD_LOCATION},
    {"apiVersion", FIELD_API_VERSION},
};

PolicyField *
field_parse(Arena *arena, const PolicyCompileOptions *options, Str name, const FieldScopes *scopes)
{
    PolicyField *field = ARENA_NEW(arena, PolicyField);
    field->name = name;
    for (size_t i = 0; i < sizeof ROOT_FIELDS / sizeof ROOT_FIELDS[0]; i++) {
        if (str_equal_ci(name, str_from(ROOT_FIELDS[i].name))) {
            field->kind = ROOT_FIELDS[i].kind;
            return field;
        }
    }
    field->key = tag_name(arena, name);
    if (field->key.len) {
        field->kind = FIELD_TAG;
        return field;
    }
    bool root = str_equal_ci(name, STR("tags")) || str_equal_ci(name, STR("identity")) ||
                str_equal_ci(name, STR("identity.type")) ||
                str_equal_ci(name, STR("identity.userAssignedIdentities"));
    if (root || options->paths)
        set_path(arena, field, FIELD_PATH, name);
    else if (!set_alias(arena, options->aliases, field))
        field->kind = FIELD_UNKNOWN;
    find_scope(field, scopes);
    return field;
}

// Selecting -----------------------------------------------------------------

typedef struct Selection {
    FieldVisit visit;
    void *context;
    bool stopped;
} Selection;

static void
visit(Selection *selection, const PolicyValue *value)
{
    if (!selection->visit(selection->context, value))
        selection->stopped = true;
}

// A property, or the member of an array that a number names.
static Dyn
step(Dyn node, Str key)
{
    if (dyn_kind(node) != DYN_ARRAY)
        return dyn_get_ci(node, key);
    int64_t index = 0;
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] < '0' || key.ptr[i] > '9' || key.len > 6)
            return (Dyn){0};
        index = index * 10 + (key.ptr[i] - '0');
    }
    return key.len ? dyn_at(node, index) : (Dyn){0};
}

static void
walk(Selection *selection, Dyn node, const PolicyPath *path, uint32_t from)
{
    for (uint32_t i = from; i < path->count; i++) {
        const PathSegment *segment = &path->segments[i];
        if (dyn_kind(node) == DYN_TIMESPAN) // unknown, so is what lies below
            break;
        if (!segment->star) {
            node = step(node, segment->key);
            continue;
        }
        if (dyn_kind(node) != DYN_ARRAY)
            return;
        uint32_t count = dyn_count(node);
        for (uint32_t k = 0; k < count && !selection->stopped; k++)
            walk(selection, dyn_at(node, k), path, i + 1);
        return;
    }
    PolicyValue value = policy_value_of(node);
    visit(selection, &value);
}

static bool
lists_version(Str apis, Str wanted)
{
    while (apis.len) {
        ptrdiff_t comma = str_find(apis, STR(","));
        Str one = comma < 0 ? apis : str_slice(apis, 0, (size_t)comma);
        if (str_equal_ci(one, wanted))
            return true;
        apis = comma < 0 ? (Str){0} : str_slice(apis, (size_t)comma + 1, apis.len);
    }
    return false;
}

// Some aliases of a child type are listed with its parent: their name tells.
static bool
is_named_for(Str alias, Str type)
{
    return type.len && alias.len > type.len && alias.ptr[type.len] == '/' &&
           str_equal_ci(str_slice(alias, 0, type.len), type) &&
           !memchr(alias.ptr + type.len + 1, '/', alias.len - type.len - 1);
}

const PolicyPath *
field_path(const Eval *eval, const PolicyResource *resource, const PolicyField *field)
{
    Str api_version = eval->context->api_version;
    for (uint32_t i = 0; i < field->target_count; i++) {
        const FieldTarget *target = &field->targets[i];
        if (target->type && target->type != resource->alias_type &&
            !is_named_for(field->name, resource->type))
            continue;
        for (uint32_t v = 0; api_version.len && v < target->version_count; v++)
            if (lists_version(target->versions[v].apis, api_version))
                return &target->versions[v].path;
        return &target->path;
    }
    return NULL;
}

const CountScope *
field_scope(const Eval *eval, const PolicyField *field)
{
    const CountScope *scope = field->scope_up ? eval->scope : NULL;
    for (uint16_t up = 1; scope && up < field->scope_up; up++)
        scope = scope->up;
    return scope && scope->field ? scope : NULL;
}

uint32_t
path_after(const PolicyPath *path, uint32_t stars)
{
    uint32_t at = 0;
    for (uint32_t seen = 0; seen < stars && at < path->count; at++)
        seen += path->segments[at].star;
    return at;
}

static PolicyValue
text_or_null(Str text)
{
    return text.len ? policy_text(text) : policy_null();
}

// What the deployment decides: the name, and with it the id, or the kind or location.
static bool
root_unknown(const PolicyValue *body, const PolicyField *field, PolicyValue *out)
{
    const char *member = NULL;
    switch (field->kind) {
    case FIELD_NAME:
    case FIELD_FULL_NAME:
    case FIELD_ID: member = "name"; break;
    case FIELD_KIND: member = "kind"; break;
    case FIELD_LOCATION: member = "location"; break;
    case FIELD_TAG: member = "tags"; break;
    default: return false;
    }
    return policy_get(body, str_from(member), out) && out->kind == POLICY_UNKNOWN;
}

static PolicyValue
root_value(const Eval *eval, const PolicyResource *resource, const PolicyField *field)
{
    PolicyValue body = policy_value_of(resource->body), value = {0};
    if (eval->context->unknowns && root_unknown(&body, field, &value))
        return value;
    switch (field->kind) {
    case FIELD_NAME: return text_or_null(resource->name);
    case FIELD_FULL_NAME: return text_or_null(resource->full_name);
    case FIELD_TYPE: return text_or_null(resource->type);
    case FIELD_KIND: return text_or_null(resource->kind);
    case FIELD_ID: return text_or_null(resource->id);
    case FIELD_LOCATION:
        return resource->has_location ? policy_text(resource->location) : policy_null();
    case FIELD_API_VERSION:
        if (eval->context->api_version.len)
            return policy_text(eval->context->api_version);
        policy_get(&body, STR("apiVersion"), &value);
        return value;
    default: break;
    }
    PolicyValue tags = {0};
    if (policy_get(&body, STR("tags"), &tags))
        policy_get(&tags, field->key, &value);
    return value;
}

void
field_each(Eval *eval, const PolicyResource *resource, const PolicyField *field,
           FieldVisit visit_one, void *context)
{
    Selection selection = {visit_one, context, false};
    if (field->kind < FIELD_PATH) {
        PolicyValue value = root_value(eval, resource, field);
        visit(&selection, &value);
        return;
    }
    const PolicyPath *path = field_path(eval, resource, field);
    if (!path) { // no alias, or one of another type
        PolicyValue value = policy_null();
        if (!field->stars)
            visit(&selection, &value);
        return;
    }
    Dyn node = resource->body;
    uint32_t from = 0;
    const CountScope *scope = field_scope(eval, field);
    if (scope) {
        node = scope->members[field->scope_stars - 1];
        from = path_after(path, field->scope_stars);
    }
    walk(&selection, node, path, from);
}

typedef struct Collector {
    Arena *arena;
    PolicyValue *items;
    uint32_t len, cap;
} Collector;

// Members without the property are left out: built-in definitions compare the length of such a
// list with that of the array.
static bool
collect(void *context, const PolicyValue *value)
{
    Collector *all = context;
    if (value->kind == POLICY_NULL)
        return true;
    if (all->len == all->cap) {
        uint32_t cap = all->cap ? all->cap * 2 : 8;
        PolicyValue *items = arena_alloc_array(all->arena, cap, sizeof(*items));
        if (all->len)
            memcpy(items, all->items, all->len * sizeof(*items));
        all->items = items;
        all->cap = cap;
    }
    all->items[all->len++] = *value;
    return true;
}

PolicyValue
field_value(Eval *eval, const PolicyResource *resource, const PolicyField *field)
{
    Collector all = {.arena = eval->arena};
    field_each(eval, resource, field, collect, &all);
    if (field->stars)
        return policy_array(all.items, all.len);
    return all.len && all.items[0].kind != POLICY_NULL ? all.items[0] : policy_text(STR(""));
}
