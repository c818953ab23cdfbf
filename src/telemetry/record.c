// A record's members, and which of its nodes have gone into a column. Nodes are views into
// the record's tree, so "taken" is a set of addresses, and a bag holds a taken node when one
// of them lies within its bytes.

#include "telemetry/value.h"

#include "base/array.h"

void
record_open(Record *record, LogScratch *scratch, Dyn bag)
{
    *record = (Record){.scratch = scratch, .count = dyn_count(bag)};
    record->members = ARENA_ARRAY(scratch->arena, RecordMember, record->count);
    for (uint32_t i = 0; i < record->count; i++)
        record->members[i] = (RecordMember){dyn_key_at(bag, i), dyn_at(bag, i)};
}

RecordMember *
record_member(const Record *record, Str key)
{
    RecordMember *other = NULL;
    for (uint32_t i = 0; i < record->count; i++) {
        RecordMember *member = &record->members[i];
        if (str_equal(member->key, key))
            return member;
        if (!other && str_equal_ci(member->key, key))
            other = member;
    }
    return other;
}

void
record_unpack(Record *record, Str key)
{
    RecordMember *member = record_member(record, key);
    if (!member || dyn_kind(member->value) != DYN_STRING)
        return;
    Str text = str_trim(dyn_string(member->value));
    if (!text.len || (text.ptr[0] != '{' && text.ptr[0] != '['))
        return;
    const char *why;
    size_t offset;
    Text tree;
    bool is_null;
    LogScratch *scratch = record->scratch;
    dyn_builder_reset(scratch->builder);
    if (!json_to_dynamic(scratch->parser, text, scratch->builder, &why, &offset) ||
        !dyn_finish_text(scratch->builder, scratch->arena, &tree, &is_null) || is_null)
        return; // it stays the text it is
    // Small trees lie inside the Text itself, which must stay where it is.
    Text *kept = ARENA_NEW(scratch->arena, Text);
    *kept = tree;
    member->value = dyn_of_text(kept);
}

void
record_take(Record *record, Dyn node)
{
    ARRAY_PUSH(record->scratch->arena, &record->taken, node.ptr);
}

bool
record_is_taken(const Record *record, Dyn node)
{
    for (size_t i = 0; i < record->taken.len; i++)
        if (record->taken.items[i] == node.ptr)
            return true;
    return false;
}

bool
record_has_taken(const Record *record, Dyn node)
{
    for (size_t i = 0; i < record->taken.len; i++)
        if (record->taken.items[i] >= node.ptr && record->taken.items[i] < node.ptr + node.size)
            return true;
    return false;
}

JsonMember
member_of_text(Str text)
{
    return (JsonMember){.kind = DYN_STRING, .string = text, .raw = text};
}

JsonMember
member_of_node(Arena *arena, Dyn node)
{
    JsonMember member = {.kind = dyn_kind(node), .tree = node};
    switch (member.kind) {
    case DYN_STRING: member.string = member.raw = dyn_string(node); return member;
    case DYN_ARRAY:
    case DYN_BAG:
    case DYN_NULL: return member;
    case DYN_BOOL: member.boolean = dyn_bool(node); break;
    case DYN_LONG: member.long_ = dyn_long(node); break;
    case DYN_REAL: member.real = dyn_real(node); break;
    default: break;
    }
    Buffer text = {0}; // digits, for columns of text
    dyn_to_json(&text, node);
    member.raw = member.string = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return member;
}
