// Any bytes as a dynamic tree: what dyn_check() lets through must be safe to walk,
// print, compare, hash and copy.

#include "value/dynamic.h"

#include <stdlib.h>

static DynBuilder *builder;

static void
require(bool condition)
{
    if (!condition)
        abort();
}

static void
walk(Dyn node)
{
    Buffer text = {0};
    Arena arena = {0};
    dyn_type_name(node);
    dyn_to_text(&text, node);
    for (Type type = TYPE_BOOL; type < TYPE_LIMIT; type++)
        require(dyn_convert(&arena, node, type).type == type);
    buffer_free(&text);
    arena_free(&arena);
    uint32_t count = dyn_count(node);
    for (uint32_t i = 0; i < count; i++) {
        Dyn member = dyn_at(node, i);
        require(member.ptr != NULL);
        require(dyn_at(node, (int64_t)i - count).ptr == member.ptr);
        if (dyn_kind(node) == DYN_BAG) {
            Str key = dyn_key_at(node, i);
            require(dyn_get(node, key).ptr == member.ptr);
            require(dyn_get_ci(node, key).ptr == member.ptr);
        }
        walk(member);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!builder)
        builder = dyn_builder_new();
    if (!dyn_check(data, size))
        return 0;
    Dyn tree = {data, (uint32_t)size}, copy;
    const char *why;
    if (size < 4096) // printing at every level is quadratic in the depth
        walk(tree);
    dyn_builder_reset(builder);
    dyn_push_tree(builder, tree);
    require(dyn_finish(builder, &copy, &why));
    require(copy.size == tree.size && memcmp(copy.ptr, tree.ptr, tree.size) == 0);
    require(dyn_equal(tree, copy) && dyn_compare(tree, copy) == 0);
    require(dyn_hash(tree) == dyn_hash(copy));
    // Two members, in both orders.
    Dyn a = dyn_at(tree, 0), b = dyn_at(tree, -1);
    int order = dyn_compare(a, b), back = dyn_compare(b, a);
    require((order > 0) == (back < 0) && (order == 0) == (back == 0));
    require((order == 0) == dyn_equal(a, b));
    require(order != 0 || dyn_hash(a) == dyn_hash(b));
    Buffer text = {0};
    dyn_to_json(&text, tree);
    buffer_free(&text);
    return 0;
}
