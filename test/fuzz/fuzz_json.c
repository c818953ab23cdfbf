// Any bytes as JSON: what is accepted must be a sound tree whose text reads back
// as an equal tree; the walk over members and the split of arrays must agree with
// the tree on what is accepted.

#include "value/json.h"
#include "value/scalar.h"

#include <stdlib.h>

static JsonParser *parser;
static DynBuilder *builder, *members;

static void
require(bool condition)
{
    if (!condition)
        abort();
}

static bool
push_member(void *context, const JsonMember *member)
{
    DynBuilder *whole = context;
    Value value;
    dyn_key(whole, member->key);
    switch (member->kind) {
    case DYN_BOOL: dyn_push_bool(whole, member->boolean); break;
    case DYN_LONG: dyn_push_long(whole, member->long_); break;
    case DYN_REAL: dyn_push_real(whole, member->real); break;
    case DYN_STRING: dyn_push_string(whole, member->string); break;
    case DYN_DECIMAL:
        value = value_null(TYPE_DECIMAL);
        require(decimal_parse(member->string, &value.decimal));
        value.is_null = false;
        dyn_push_value(whole, &value);
        break;
    case DYN_ARRAY:
    case DYN_BAG: dyn_push_tree(whole, member->tree); break;
    default: dyn_push_null(whole);
    }
    return true;
}

static bool
count_element(void *context, Str raw)
{
    require(raw.len > 0);
    ++*(size_t *)context;
    return true;
}

// The same object, member by member.
static void
check_walk(Str text, Dyn tree)
{
    const char *why;
    size_t offset;
    Dyn again;
    dyn_builder_reset(members);
    dyn_begin_bag(members);
    dyn_builder_reset(builder);
    require(json_walk_object(parser, builder, text, push_member, members, &why, &offset));
    dyn_end_bag(members);
    require(dyn_finish(members, &again, &why));
    require(dyn_check(again.ptr, again.size));
    require(dyn_equal(tree, again));
}

static void
check_tree(Str text, Dyn tree)
{
    const char *why;
    size_t offset, count = 0;
    bool is_page;
    Buffer printed = {0};
    require(dyn_check(tree.ptr, tree.size));
    uint8_t *copy = malloc(tree.size); // the builder is needed again
    memcpy(copy, tree.ptr, tree.size);
    tree.ptr = copy;
    dyn_to_json(&printed, tree);
    dyn_builder_reset(builder);
    require(json_to_dynamic(parser, buffer_slice(&printed), builder, &why, &offset));
    Dyn again;
    require(dyn_finish(builder, &again, &why));
    require(dyn_equal(tree, again) && dyn_hash(tree) == dyn_hash(again));
    require(dyn_compare(tree, again) == 0);
    if (dyn_kind(tree) == DYN_BAG) {
        check_walk(text, tree);
    } else if (dyn_kind(tree) == DYN_ARRAY) {
        require(json_split_array(parser, text, count_element, &count, &is_page, &why, &offset));
        require(!is_page && count == dyn_count(tree));
    }
    buffer_free(&printed);
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why;
    size_t offset, count = 0;
    bool is_page, is_null;
    if (!parser) {
        parser = json_parser_new();
        builder = dyn_builder_new();
        members = dyn_builder_new();
    }
    Str text = {(const char *)data, size};
    dyn_builder_reset(builder);
    if (json_to_dynamic(parser, text, builder, &why, &offset)) {
        Dyn tree;
        require(dyn_finish(builder, &tree, &why));
        check_tree(text, tree);
    } else {
        require(why && offset <= size);
        dyn_builder_reset(builder);
        dyn_builder_reset(members);
        dyn_begin_bag(members);
        require(!json_walk_object(parser, builder, text, push_member, members, &why, &offset));
        json_split_array(parser, text, count_element, &count, &is_page, &why, &offset);
    }
    Arena arena = {0};
    Text lenient;
    json_parse_lenient(parser, builder, &arena, text, &lenient, &is_null);
    require(dyn_check((const uint8_t *)text_data(&lenient), lenient.len));
    arena_free(&arena);
    return 0;
}
