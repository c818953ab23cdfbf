// append and modify: what they would make of a resource, and how that differs.
// Source: Microsoft Learn, "Author policies for array properties", "append effect", "modify".

#include "azure/policy/program.h"

#include <string.h>

// A tree that can be changed: built from values on the way down.
typedef enum ChangeKind {
    CHANGE_ADD,     // only where nothing is; an array gets a member
    CHANGE_REPLACE, // addOrReplace
    CHANGE_REMOVE,
    CHANGE_APPEND, // as add, and another value that is there conflicts
} ChangeKind;

typedef struct Changer {
    Arena *arena;
    ChangeKind kind;
    const PolicyValue *value;
    Buffer *diff;
    Str field;
    bool conflict;
    bool open; // an unknown value stands in the way
} Changer;

static bool
is_null(const PolicyValue *value)
{
    return value->kind == POLICY_NULL;
}

// What cannot be compared with, or gone into, before the deployment runs.
static bool
is_open(Changer *changer, const PolicyValue *value)
{
    PolicyValue found;
    bool open = policy_has_unknown(value, &found);
    changer->open |= open;
    return open;
}

static void
note(Changer *changer, const PolicyValue *old, const PolicyValue *new)
{
    if (policy_same(old, new))
        return;
    buffer_printf(changer->diff, "%s%.*s: ", changer->diff->len ? "\n" : "",
                  STR_ARG(changer->field));
    policy_to_json(changer->diff, old);
    buffer_text(changer->diff, " -> ");
    policy_to_json(changer->diff, new);
}

// The value at the end of the path.
static PolicyValue
change_leaf(Changer *changer, const PolicyValue *old)
{
    PolicyValue new = *old;
    switch (changer->kind) {
    case CHANGE_REMOVE: new = policy_null(); break;
    case CHANGE_REPLACE: new = *changer->value; break;
    case CHANGE_ADD:
        if (is_null(old))
            new = *changer->value;
        break;
    case CHANGE_APPEND:
        if (is_null(old))
            new = *changer->value;
        else if (is_open(changer, old))
            break;
        else if (!policy_value_equal(old, changer->value))
            changer->conflict = true;
        break;
    }
    note(changer, old, &new);
    return new;
}

// The members of an array: one more, or one instead of all.
static PolicyValue
change_members(Changer *changer, const PolicyValue *old)
{
    uint32_t count = old->kind == POLICY_ARRAY ? policy_count(old) : 0, kept = 0;
    PolicyValue *items = arena_alloc_array(changer->arena, count + 1, sizeof(*items));
    for (uint32_t i = 0; i < count && changer->kind != CHANGE_REPLACE; i++) {
        PolicyValue item = policy_at(old, i);
        bool removed = changer->kind == CHANGE_REMOVE &&
                       (is_null(changer->value) || policy_value_equal(&item, changer->value));
        if (!removed)
            items[kept++] = item;
    }
    if (changer->kind != CHANGE_REMOVE)
        items[kept++] = *changer->value;
    if (old->kind == POLICY_UNKNOWN && is_open(changer, old))
        return *old;
    if (old->kind != POLICY_ARRAY && !is_null(old)) {
        changer->conflict = true;
        return *old;
    }
    if (changer->kind == CHANGE_REMOVE && old->kind != POLICY_ARRAY)
        return *old;
    PolicyValue new = policy_array(items, kept);
    note(changer, old, &new);
    return new;
}

static PolicyValue change_at(Changer *changer, const PolicyValue *old, const PolicyPath *path,
                             uint32_t at);

static PolicyValue
change_each(Changer *changer, const PolicyValue *old, const PolicyPath *path, uint32_t at)
{
    if (old->kind != POLICY_ARRAY)
        return *old;
    uint32_t count = policy_count(old);
    PolicyValue *items = arena_alloc_array(changer->arena, count, sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        PolicyValue item = policy_at(old, i);
        items[i] = change_at(changer, &item, path, at + 1);
    }
    return policy_array(items, count);
}

static PolicyValue
change_member(Changer *changer, const PolicyValue *old, const PolicyPath *path, uint32_t at)
{
    if (old->kind == POLICY_UNKNOWN && is_open(changer, old))
        return *old;
    if (old->kind != POLICY_OBJECT && !is_null(old)) {
        changer->conflict = true;
        return *old;
    }
    Str key = path->segments[at].key;
    uint32_t count = policy_count(old), kept = 0;
    Str *keys = arena_alloc_array(changer->arena, count + 1, sizeof(*keys));
    PolicyValue *items = arena_alloc_array(changer->arena, count + 1, sizeof(*items));
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        Str name = policy_key_at(old, i);
        PolicyValue item = policy_at(old, i);
        if (!found && str_equal_ci(name, key)) {
            found = true;
            item = change_at(changer, &item, path, at + 1);
            if (is_null(&item))
                continue;
        }
        keys[kept] = name;
        items[kept++] = item;
    }
    if (!found) {
        PolicyValue item = policy_null();
        item = change_at(changer, &item, path, at + 1);
        if (is_null(&item))
            return *old;
        keys[kept] = key;
        items[kept++] = item;
    }
    return policy_object(keys, items, kept);
}

static PolicyValue
change_at(Changer *changer, const PolicyValue *old, const PolicyPath *path, uint32_t at)
{
    if (at == path->count)
        return change_leaf(changer, old);
    if (!path->segments[at].star)
        return change_member(changer, old, path, at);
    return at + 1 == path->count ? change_members(changer, old)
                                 : change_each(changer, old, path, at);
}

// The path a name stands for: of a tag, of a root property, of an alias.
static const PolicyPath *
target_path(Eval *eval, const PolicyResource *resource, Str name)
{
    const PolicyCompileOptions *options = eval->binding->definition->options;
    PolicyField *field = field_parse(eval->arena, options, name, NULL);
    if (field->kind == FIELD_TAG) {
        PolicyPath *path = ARENA_NEW(eval->arena, PolicyPath);
        path->count = 2;
        path->segments = ARENA_ARRAY(eval->arena, PathSegment, 2);
        path->segments[0].key = STR("tags");
        path->segments[1].key = field->key;
        return path;
    }
    if (field->kind >= FIELD_PATH && field->kind != FIELD_UNKNOWN)
        return field_path(eval, resource, field);
    PolicyPath *path = ARENA_NEW(eval->arena, PolicyPath);
    return field->kind != FIELD_UNKNOWN && path_parse(eval->arena, name, path) ? path : NULL;
}

static bool
find_kind(Str operation, ChangeKind *kind)
{
    static const struct {
        Str name;
        ChangeKind kind;
    } KINDS[] = {{STR_INIT("add"), CHANGE_ADD},
                 {STR_INIT("addOrReplace"), CHANGE_REPLACE},
                 {STR_INIT("remove"), CHANGE_REMOVE},
                 {STR_INIT("append"), CHANGE_APPEND}};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (str_equal_ci(operation, KINDS[i].name)) {
            *kind = KINDS[i].kind;
            return true;
        }
    }
    return false;
}

static bool
condition_met(Eval *eval, const PolicyOperation *operation, bool *met, PolicyValue *open)
{
    PolicyValue value = policy_bool(true);
    if (operation->condition && !expr_evaluate(eval, operation->condition, &value))
        return false;
    if (value.kind == POLICY_UNKNOWN)
        *open = value;
    *met = value.kind == POLICY_UNKNOWN ? true
           : value.kind == POLICY_BOOL
               ? value.boolean
               : value.kind == POLICY_STRING && str_equal_ci(value.text, STR("true"));
    return true;
}

static bool
apply(Eval *eval, const PolicyOperation *operation, PolicyValue *body, Buffer *diff,
      PolicyChange *out)
{
    bool met;
    PolicyValue name, value = policy_null(), open = policy_null();
    if (!condition_met(eval, operation, &met, &open))
        return false;
    if (!met)
        return true;
    if (!expr_evaluate(eval, operation->field, &name) ||
        (operation->value && !expr_evaluate(eval, operation->value, &value)))
        return false;
    Changer changer = {.arena = eval->arena, .value = &value, .diff = diff};
    if (name.kind != POLICY_STRING || !find_kind(operation->operation, &changer.kind))
        return eval_fail(eval, "there is no operation '%.*s'", STR_ARG(operation->operation));
    changer.field = name.text;
    if (open.kind == POLICY_UNKNOWN) { // it is changed or not
        value = open;
        changer.kind = CHANGE_REPLACE;
        changer.open = true;
    }
    const PolicyPath *path = target_path(eval, eval->subject, name.text);
    if (!path) {
        out->denied = true;
        out->why =
            str_format(eval->arena, "'%.*s' is no property of this type", STR_ARG(name.text));
        return true;
    }
    *body = change_at(&changer, body, path, 0);
    if (changer.open) {
        out->open = true;
        out->why =
            str_format(eval->arena, "what becomes of '%.*s' is known when the deployment runs",
                       STR_ARG(name.text));
        return true;
    }
    if (changer.conflict) {
        out->denied = true;
        out->why = str_format(eval->arena, "'%.*s' holds another value", STR_ARG(name.text));
    }
    return true;
}

// conflictEffect: a change that cannot be made is denied unless that says audit or disabled.
static bool
conflict_denies(Eval *eval)
{
    const PolicyExpr *expr = eval->binding->definition->conflict_effect;
    PolicyValue value;
    return !expr || !expr_evaluate(eval, expr, &value) || value.kind != POLICY_STRING ||
           policy_effect_of(value.text) == EFFECT_DENY;
}

bool
policy_change(Arena *arena, const PolicyBinding *binding, const PolicyResource *resource,
              const PolicyContext *context, PolicyChange *out)
{
    const PolicyDefinition *definition = binding->definition;
    Eval eval = {.arena = arena,
                 .binding = binding,
                 .context = context,
                 .subject = resource,
                 .resource = resource};
    *out = (PolicyChange){.resource = resource->body};
    PolicyValue body = policy_value_of(resource->body);
    Buffer diff = {0};
    bool good = true;
    for (uint32_t i = 0; i < definition->operation_count && good && !out->denied; i++)
        good = apply(&eval, &definition->operations[i], &body, &diff, out);
    if (!good) {
        out->denied = true;
        out->why = eval.why;
    }
    if (!out->denied)
        out->resource = policy_to_tree(arena, &body);
    else if (good && binding->effect == EFFECT_MODIFY)
        out->denied = conflict_denies(&eval);
    out->diff = str_copy(arena, buffer_slice(&diff));
    buffer_free(&diff);
    return good;
}
