// Dynamic values: reading paths, and building and changing property bags.
//
// `$path` is what x.a["b"][0] becomes and runs for nearly every row of a security
// log: it walks offset tables and hands out a view of the sub-tree, so it copies
// nothing. Functions that take keys read them as JSONPath when they start with `$`
// (Kusto docs, "JSONPath expressions": `.name`, `['name']`, `[0]`; no wildcards).
// Paths and keys that are constant are read once, while binding.

#include "base/array.h"
#include "base/map.h"
#include "function/registry.h"
#include "value/scalar.h"

// Row i gets a view of a node that lies in an argument or in the batch's arena.
static void
out_node(ScalarCall *call, uint32_t i, Dyn node)
{
    if (dyn_kind(node) == DYN_NULL)
        out_null(call, i);
    else
        out_view(call, i, (Str){(const char *)node.ptr, node.size});
}

// ---- $path ----

static Dyn
node_step_dynamic(Dyn node, Dyn step)
{
    if (dyn_kind(step) == DYN_STRING)
        return dyn_get(node, dyn_string(step));
    if (dyn_kind(step) == DYN_LONG && dyn_kind(node) == DYN_ARRAY)
        return dyn_at(node, dyn_long(step));
    return (Dyn){0};
}

static Dyn
node_step(const ScalarCall *call, Dyn node, uint32_t k, uint32_t i)
{
    switch (call->args[k].type) {
    case TYPE_STRING: return dyn_get(node, arg_str(call, k, i));
    case TYPE_LONG:
        return dyn_kind(node) == DYN_ARRAY ? dyn_at(node, ARG(call, k, int64_t, i)) : (Dyn){0};
    case TYPE_INT:
        return dyn_kind(node) == DYN_ARRAY ? dyn_at(node, ARG(call, k, int32_t, i)) : (Dyn){0};
    case TYPE_DYNAMIC: return node_step_dynamic(node, arg_dyn(call, k, i));
    default: return (Dyn){0};
    }
}

static void
path(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn node = arg_dyn(call, 0, i);
        for (uint32_t k = 1; k < call->arg_count && node.ptr; k++)
            node = node_step(call, node, k, i);
        out_node(call, i, node);
    }
}

static bool
path_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
          Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)fn, (void)span, (void)type, (void)bound;
    for (uint32_t k = 1; k < arg_count; k++) {
        Type step = args[k]->type;
        if (step != TYPE_STRING && step != TYPE_LONG && step != TYPE_INT && step != TYPE_DYNAMIC)
            return error_at(error, AZ_SEMANTIC, args[k]->span,
                            "a dynamic is read by a key (string) or an index (long), not by a %s",
                            type_name(step));
    }
    return true;
}

static const ScalarImpl path_impl = {path, path_bind};

// ---- JSONPath ----

typedef struct PathStep {
    Str key;
    int64_t index;
    bool is_index;
} PathStep;

typedef struct Path {
    PathStep *items;
    size_t len, cap;
} Path;

// Reads the quoted key behind `['`; *at is at the quote.
static bool
path_read_quoted(Arena *arena, Str text, size_t *at, Path *out)
{
    char quote = text.ptr[(*at)++];
    char *key = arena_alloc(arena, text.len);
    size_t len = 0;
    while (*at < text.len && text.ptr[*at] != quote) {
        if (text.ptr[*at] == '\\' && *at + 1 < text.len)
            ++*at;
        key[len++] = text.ptr[(*at)++];
    }
    if (*at == text.len)
        return false;
    ++*at;
    PathStep step = {.key = {key, len}};
    ARRAY_PUSH(arena, out, step);
    return true;
}

static bool
path_read_bracket(Arena *arena, Str text, size_t *at, Path *out)
{
    ++*at;
    if (*at < text.len && (text.ptr[*at] == '\'' || text.ptr[*at] == '"')) {
        if (!path_read_quoted(arena, text, at, out))
            return false;
    } else {
        size_t start = *at;
        while (*at < text.len && text.ptr[*at] != ']')
            ++*at;
        PathStep step = {.is_index = true};
        if (!long_parse(str_slice(text, start, *at), &step.index))
            return false;
        ARRAY_PUSH(arena, out, step);
    }
    if (*at == text.len || text.ptr[*at] != ']')
        return false;
    ++*at;
    return true;
}

// `$`, then .name, ['name'] or [index] each; false when it is no such path. Steps
// beyond the depth of any tree cannot match: they are refused too.
static bool
path_parse(Arena *arena, Str text, Path *out)
{
    if (!text.len || text.ptr[0] != '$')
        return false;
    size_t at = 1;
    while (at < text.len) {
        if (out->len == DYN_MAX_DEPTH)
            return false;
        if (text.ptr[at] == '[') {
            if (!path_read_bracket(arena, text, &at, out))
                return false;
        } else if (text.ptr[at] == '.') {
            size_t start = ++at;
            while (at < text.len && text.ptr[at] != '.' && text.ptr[at] != '[')
                at++;
            if (at == start)
                return false;
            PathStep step = {.key = str_slice(text, start, at)};
            ARRAY_PUSH(arena, out, step);
        } else {
            return false;
        }
    }
    return true;
}

// extract_json() also takes "$name" for "$.name", as published rules write it.
static bool
path_parse_loose(Arena *arena, Str text, Path *out)
{
    bool bare = text.len > 1 && text.ptr[0] == '$' && text.ptr[1] != '.' && text.ptr[1] != '[';
    if (bare)
        text = str_format(arena, "$.%.*s", (int)text.len - 1, text.ptr + 1);
    return path_parse(arena, text, out);
}

// A key argument: a path when it reads as one, else the plain key.
static Path
path_of_key(Arena *arena, Str text)
{
    Path path_steps = {0};
    if (path_parse(arena, text, &path_steps) && path_steps.len)
        return path_steps;
    path_steps = (Path){0};
    PathStep step = {.key = text};
    ARRAY_PUSH(arena, &path_steps, step);
    return path_steps;
}

static Dyn
path_walk(const Path *steps, Dyn node)
{
    for (size_t s = 0; s < steps->len && node.ptr; s++) {
        const PathStep *step = &steps->items[s];
        if (!step->is_index)
            node = dyn_get(node, step->key);
        else
            node = dyn_kind(node) == DYN_ARRAY ? dyn_at(node, step->index) : (Dyn){0};
    }
    return node;
}

// Binds a constant key of argument 1.
static bool
key_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
         Type *type, const void **bound, AzError *error)
{
    (void)fn, (void)arg_count, (void)span, (void)type, (void)error;
    if (args[1]->kind != EXPR_CONST)
        return true;
    Path *steps = ARENA_NEW(arena, Path);
    *steps = path_of_key(arena, str_copy(arena, text_str(&args[1]->value.text)));
    *bound = steps;
    return true;
}

static Path
arg_key_path(ScalarCall *call, uint32_t i)
{
    return call->bound ? *(const Path *)call->bound : path_of_key(call->arena, arg_str(call, 1, i));
}

// ---- extract_json ----

// The optional third argument names the type of the result: typeof(long) comes as 'long'.
static bool
extract_json_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count,
                  Span span, Type *type, const void **bound, AzError *error)
{
    (void)fn, (void)span;
    *type = TYPE_STRING;
    if (arg_count > 2) {
        if (args[2]->kind == EXPR_CONST)
            *type = type_from_name(text_str(&args[2]->value.text));
        if (args[2]->kind != EXPR_CONST || *type == TYPE_NONE)
            return error_at(error, AZ_SEMANTIC, args[2]->span,
                            "the third argument of extract_json() is a type, as in typeof(long)");
    }
    if (args[0]->kind != EXPR_CONST)
        return true;
    Path *steps = ARENA_NEW(arena, Path);
    Str text = str_copy(arena, text_str(&args[0]->value.text));
    // What is no JSONPath leads nowhere, as it does when the path comes from a column.
    if (path_parse_loose(arena, text, steps))
        *bound = steps;
    return true;
}

static void
extract_json_row(ScalarCall *call, uint32_t i, const Path *steps)
{
    const char *why;
    size_t offset;
    Dyn tree;
    dyn_builder_reset(call->scratch->dyn);
    if (!json_to_dynamic(call->scratch->json, arg_str(call, 1, i), call->scratch->dyn, &why,
                         &offset) ||
        !dyn_finish(call->scratch->dyn, &tree, &why)) {
        if (call->type != TYPE_STRING)
            out_null(call, i);
        return;
    }
    Dyn node = path_walk(steps, tree);
    if (call->type == TYPE_STRING) {
        Buffer *text = &call->scratch->text;
        buffer_clear(text);
        if (node.ptr)
            dyn_to_text(text, node);
        out_str(call, i, buffer_slice(text));
    } else if (!node.ptr) {
        out_null(call, i);
    } else {
        Value value = dyn_convert(call->arena, node, call->type);
        out_value(call, i, &value);
    }
}

static void
extract_json(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Path steps = {0};
        if (call->bound)
            extract_json_row(call, i, call->bound);
        else if (path_parse_loose(call->arena, arg_str(call, 0, i), &steps))
            extract_json_row(call, i, &steps);
        else if (call->type != TYPE_STRING)
            out_null(call, i);
    }
    dyn_builder_reset(call->scratch->dyn);
}

static const ScalarImpl extract_json_impl = {extract_json, extract_json_bind};

// ---- making bags ----

static bool
bag_pack_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
              Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)type, (void)bound;
    if (arg_count % 2)
        return error_at(error, AZ_SEMANTIC, span, "%s() takes pairs of a key and a value",
                        fn->name);
    static const char *const SHAPES[] = {
        [SHAPE_ARRAY] = "dynamic array", [SHAPE_BAG] = "dynamic bag"};
    for (uint32_t i = 0; i < arg_count; i += 2) {
        bool may_be = args[i]->type == TYPE_DYNAMIC && args[i]->holds == SHAPE_ANY;
        if (args[i]->type != TYPE_STRING && !may_be)
            return error_at(error, AZ_SEMANTIC, args[i]->span,
                            "a key of %s() must be a string, not a %s", fn->name,
                            args[i]->type == TYPE_DYNAMIC ? SHAPES[args[i]->holds]
                                                          : type_name(args[i]->type));
    }
    return true;
}

static void
bag_pack(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    Buffer *text = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        for (uint32_t k = 0; k + 1 < call->arg_count; k += 2) {
            Value key = arg_value(call, k, i);
            buffer_clear(text);
            if (!key.is_null)
                data_print(text, key.type, value_data(&key));
            dyn_key(dyn, buffer_slice(text));
            Value value = arg_value(call, k + 1, i);
            dyn_push_value(dyn, &value);
        }
        dyn_end_bag(dyn);
        out_dyn(call, i);
    }
}

static const ScalarImpl bag_pack_impl = {bag_pack, bag_pack_bind};

// Values go to the string keys in order; keys of other types lose theirs, keys
// without a value get null.
static void
bag_zip(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn keys = arg_dyn(call, 0, i), values = arg_dyn(call, 1, i);
        if (arg_is_null(call, 0, i) || dyn_kind(keys) != DYN_ARRAY) {
            out_null(call, i);
            continue;
        }
        bool has_values = !arg_is_null(call, 1, i) && dyn_kind(values) == DYN_ARRAY;
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        for (uint32_t e = 0; e < dyn_count(keys); e++) {
            Dyn key = dyn_at(keys, e);
            if (dyn_kind(key) != DYN_STRING)
                continue;
            dyn_key(dyn, dyn_string(key));
            if (has_values && e < dyn_count(values))
                dyn_push_tree(dyn, dyn_at(values, e));
            else
                dyn_push_null(dyn);
        }
        dyn_end_bag(dyn);
        out_dyn(call, i);
    }
}

static const ScalarImpl bag_zip_impl = {bag_zip, NULL};

// Of a repeated key the leftmost value stays; arguments that are no bags add nothing.
static void
bag_merge(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        bool any = false;
        Arena keys = {0};
        Map seen;
        map_init(&seen, &keys, false);
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        for (uint32_t k = 0; k < call->arg_count; k++) {
            Dyn bag = arg_dyn(call, k, i);
            if (arg_is_null(call, k, i) || dyn_kind(bag) != DYN_BAG)
                continue;
            any = true;
            for (uint32_t m = 0; m < dyn_count(bag); m++) {
                bool is_new;
                Str key = dyn_key_at(bag, m);
                map_add(&seen, key, &is_new);
                if (!is_new)
                    continue;
                dyn_key(dyn, key);
                dyn_push_tree(dyn, dyn_at(bag, m));
            }
        }
        dyn_end_bag(dyn);
        if (any)
            out_dyn(call, i);
        else
            out_null(call, i);
        arena_free(&keys);
    }
}

static const ScalarImpl bag_merge_impl = {bag_merge, NULL};

// ---- reading bags ----

static void
bag_keys(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn bag = arg_dyn(call, 0, i);
        if (dyn_kind(bag) != DYN_BAG) {
            out_null(call, i);
            continue;
        }
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        for (uint32_t m = 0; m < dyn_count(bag); m++)
            dyn_push_string(dyn, dyn_key_at(bag, m));
        dyn_end_array(dyn);
        out_dyn(call, i);
    }
}

static const ScalarImpl bag_keys_impl = {bag_keys, NULL};

static void
bag_has_key(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Path steps = arg_key_path(call, i);
        ((uint8_t *)call->out)[i] = path_walk(&steps, arg_dyn(call, 0, i)).ptr != NULL;
    }
}

static const ScalarImpl bag_has_key_impl = {bag_has_key, key_bind};

// The paths of everything inside, as ['a']['b'][0]; all elements of an array count
// as [0], as Kusto shows them, and a path is listed once.
typedef struct TreePaths {
    DynBuilder *dyn;
    Buffer *text;
    Arena *arena;
    Map seen;
} TreePaths;

static void
tree_paths_walk(TreePaths *paths, Dyn node)
{
    DynKind kind = dyn_kind(node);
    if (kind != DYN_BAG && kind != DYN_ARRAY)
        return;
    size_t len = paths->text->len;
    for (uint32_t m = 0; m < dyn_count(node); m++) {
        if (kind == DYN_BAG) {
            buffer_text(paths->text, "['");
            buffer_str(paths->text, dyn_key_at(node, m));
            buffer_text(paths->text, "']");
        } else {
            buffer_text(paths->text, "[0]");
        }
        Str text = buffer_slice(paths->text);
        if (!map_find(&paths->seen, text)) {
            bool is_new;
            map_add(&paths->seen, str_copy(paths->arena, text), &is_new);
            dyn_push_string(paths->dyn, text);
        }
        tree_paths_walk(paths, dyn_at(node, m));
        paths->text->len = len;
    }
}

static void
treepath(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn node = arg_dyn(call, 0, i);
        if (dyn_kind(node) != DYN_BAG && dyn_kind(node) != DYN_ARRAY) {
            out_null(call, i);
            continue;
        }
        Arena arena = {0};
        TreePaths paths = {.dyn = call->scratch->dyn, .text = &call->scratch->text};
        paths.arena = &arena;
        map_init(&paths.seen, &arena, false);
        buffer_clear(paths.text);
        dyn_builder_reset(paths.dyn);
        dyn_begin_array(paths.dyn);
        tree_paths_walk(&paths, node);
        dyn_end_array(paths.dyn);
        out_dyn(call, i);
        arena_free(&arena);
    }
}

static const ScalarImpl treepath_impl = {treepath, NULL};

// ---- changing bags ----

// Keys to remove: those of one step in a map, longer paths one by one.
typedef struct Removal {
    Map keys;
    Path *items;
    size_t len, cap;
} Removal;

static void
removal_add(Arena *arena, Removal *removal, Str key)
{
    Path steps = path_of_key(arena, key);
    if (steps.len == 1 && !steps.items[0].is_index) {
        bool is_new;
        map_add(&removal->keys, steps.items[0].key, &is_new);
    } else {
        ARRAY_PUSH(arena, removal, steps);
    }
}

// `keys`: an array of keys, or one key. Must outlive the removal.
static Removal *
removal_new(Arena *arena, Dyn keys)
{
    Removal *removal = ARENA_NEW(arena, Removal);
    map_init(&removal->keys, arena, false);
    if (dyn_kind(keys) == DYN_STRING)
        removal_add(arena, removal, dyn_string(keys));
    for (uint32_t e = 0; dyn_kind(keys) == DYN_ARRAY && e < dyn_count(keys); e++)
        if (dyn_kind(dyn_at(keys, e)) == DYN_STRING)
            removal_add(arena, removal, dyn_string(dyn_at(keys, e)));
    return removal;
}

// Pushes `bag` without what the paths remove. `paths` are those that led here, each
// with `depth` steps behind it; `keys` are removed at the first level only.
static void
bag_push_without(DynBuilder *dyn, Arena *arena, Dyn bag, const Map *keys, const Path *paths,
                 size_t count, size_t depth)
{
    dyn_begin_bag(dyn);
    Path *inner = ARENA_ARRAY(arena, Path, count);
    for (uint32_t m = 0; m < dyn_count(bag); m++) {
        Str key = dyn_key_at(bag, m);
        Dyn value = dyn_at(bag, m);
        bool removed = keys && map_find(keys, key);
        size_t inner_count = 0;
        for (size_t p = 0; p < count && !removed; p++) {
            const PathStep *step = &paths[p].items[depth];
            if (step->is_index || !str_equal(step->key, key))
                continue;
            removed = paths[p].len == depth + 1;
            inner[inner_count++] = paths[p];
        }
        if (removed)
            continue;
        dyn_key(dyn, key);
        if (inner_count && dyn_kind(value) == DYN_BAG)
            bag_push_without(dyn, arena, value, NULL, inner, inner_count, depth + 1);
        else
            dyn_push_tree(dyn, value);
    }
    dyn_end_bag(dyn);
}

static bool
bag_remove_keys_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count,
                     Span span, Type *type, const void **bound, AzError *error)
{
    (void)fn, (void)arg_count, (void)span, (void)type, (void)error;
    if (args[1]->kind == EXPR_CONST && !args[1]->value.is_null) {
        Text *keys = ARENA_NEW(arena, Text);
        *keys = text_copy(arena, text_str(&args[1]->value.text));
        *bound = removal_new(arena, dyn_of_text(keys));
    }
    return true;
}

static void
bag_remove_keys(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn bag = arg_dyn(call, 0, i);
        if (dyn_kind(bag) != DYN_BAG) {
            out_null(call, i);
            continue;
        }
        Arena arena = {0};
        const Removal *removal =
            call->bound ? call->bound : removal_new(&arena, arg_dyn(call, 1, i));
        dyn_builder_reset(call->scratch->dyn);
        bag_push_without(call->scratch->dyn, &arena, bag, &removal->keys, removal->items,
                         removal->len, 0);
        out_dyn(call, i);
        arena_free(&arena);
    }
}

static const ScalarImpl bag_remove_keys_impl = {bag_remove_keys, bag_remove_keys_bind};

// Pushes `bag` (or a new one) with the value at the steps; false when something on
// the way is no bag.
static bool
bag_push_with(DynBuilder *dyn, Dyn bag, const PathStep *steps, size_t count, const Value *value)
{
    if (!count) {
        dyn_push_value(dyn, value);
        return true;
    }
    if (steps->is_index || (bag.ptr && dyn_kind(bag) != DYN_BAG))
        return false;
    bool ok = true, found = false;
    dyn_begin_bag(dyn);
    for (uint32_t m = 0; ok && m < dyn_count(bag); m++) {
        Str key = dyn_key_at(bag, m);
        dyn_key(dyn, key);
        if (str_equal(key, steps->key)) {
            found = true;
            ok = bag_push_with(dyn, dyn_at(bag, m), steps + 1, count - 1, value);
        } else {
            dyn_push_tree(dyn, dyn_at(bag, m));
        }
    }
    if (ok && !found) {
        dyn_key(dyn, steps->key);
        ok = bag_push_with(dyn, (Dyn){0}, steps + 1, count - 1, value);
    }
    if (ok)
        dyn_end_bag(dyn);
    return ok;
}

static void
bag_set_key(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn bag = arg_dyn(call, 0, i);
        Path steps = arg_key_path(call, i);
        Value value = arg_value(call, 2, i);
        dyn_builder_reset(call->scratch->dyn);
        if (!arg_is_null(call, 0, i) && dyn_kind(bag) == DYN_BAG &&
            bag_push_with(call->scratch->dyn, bag, steps.items, steps.len, &value))
            out_dyn(call, i);
        else
            out_null(call, i);
    }
    dyn_builder_reset(call->scratch->dyn);
}

static const ScalarImpl bag_set_key_impl = {bag_set_key, key_bind};

// pack_all(true): members that are null or the empty string are left out.
static void
drop_empty(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Dyn bag = arg_dyn(call, 0, i);
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        for (uint32_t m = 0; m < dyn_count(bag); m++) {
            Dyn value = dyn_at(bag, m);
            DynKind kind = dyn_kind(value);
            if (kind == DYN_NULL || (kind == DYN_STRING && !dyn_string(value).len))
                continue;
            dyn_key(dyn, dyn_key_at(bag, m));
            dyn_push_tree(dyn, value);
        }
        dyn_end_bag(dyn);
        out_dyn(call, i);
    }
}

static const ScalarImpl drop_empty_impl = {drop_empty, NULL};

// ---- rows ----

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("$path", NULL, "(value:dynamic, step:scalar...) : dynamic", NULL, NULL, FN_INTERNAL,
             path),
    FUNCTION("$drop_empty", NULL, "(bag:dynamic) : dynamic", NULL, NULL, FN_INTERNAL, drop_empty),
    FUNCTION("bag_pack", "pack pack_dictionary", "(key:strings, value:scalar...) : bag",
             "A bag of the keys and values, which come in turn.", "tolong(bag_pack('a', 1).a) == 1",
             FN_OWN_NULLS, bag_pack),
    FUNCTION("bag_zip", NULL, "(keys:array, values:array) : dynamic",
             "A bag of the keys of one array with the values of another.",
             "tolong(bag_zip(dynamic(['a']), dynamic([1])).a) == 1", FN_OWN_NULLS, bag_zip),
    FUNCTION("bag_merge", NULL, "(bag:bag, other:bag...) : bag",
             "One bag with the members of all; of a repeated key the leftmost value stays.",
             "tolong(bag_merge(bag_pack('a', 1), bag_pack('a', 2)).a) == 1", FN_OWN_NULLS,
             bag_merge),
    FUNCTION("bag_keys", NULL, "(bag:bag) : dynamic", "The keys of the bag as an array.",
             "tostring(bag_keys(dynamic({'a': 1}))[0]) == 'a'", 0, bag_keys),
    FUNCTION("bag_has_key", NULL, "(bag:bag, key:string) : bool",
             "Whether the bag has the key, given by name or as JSONPath.",
             "bag_has_key(dynamic({'a': {'b': 1}}), '$.a.b')", 0, bag_has_key),
    FUNCTION("bag_remove_keys", NULL, "(bag:bag, keys:array) : dynamic",
             "The bag without the keys, given by name or as JSONPath.",
             "array_length(bag_keys(bag_remove_keys(dynamic({'a': 1, 'b': 2}), "
             "dynamic(['a'])))) == 1",
             0, bag_remove_keys),
    FUNCTION("bag_set_key", NULL, "(bag:bag, key:constant(string), value:scalar) : bag",
             "The bag with the key, given by name or as JSONPath, set to the value.",
             "tolong(bag_set_key(dynamic({}), 'a', 1).a) == 1", FN_OWN_NULLS, bag_set_key),
    FUNCTION("treepath", NULL, "(value:bag) : dynamic",
             "The paths of everything inside the dynamic.",
             "array_length(treepath(dynamic({'a': {'b': 1}}))) == 2", 0, treepath),
    FUNCTION("extract_json", "extractjson",
             "(path:constant(string), text:string, type:string=) : *",
             "The value at a JSONPath of a JSON text, as text or as the given type.",
             "extract_json('$.a[0]', '{\"a\":[7]}') == '7'", 0, extract_json),
};

const FunctionSet DYNAMIC_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
