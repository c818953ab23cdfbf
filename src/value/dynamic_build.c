// Builder of dynamic trees.
//
// A container's head holds its count and a table of ends, which are only known
// when the last member has come. So values first go to a tape, one item each (a
// container is followed by what is in it), with their bytes in `bytes`; when a
// container ends its size is worked out from its members; dyn_finish() then writes
// the tree from the front in one go. Each byte is copied twice whatever the depth,
// and there is no allocation per value.
//
// At the end of a bag its keys are sorted, and `members` gets three runs of words:
// the order of the keys, the item of each key, the item of each value. A repeated
// key is resolved there: the first keeps its place and gets the last one's value.

#include "value/dynamic.h"
#include "value/dynamic_layout.h"
#include "value/scalar.h"

#include <assert.h>

enum {
    ITEM_KEY = 16,        // beyond the DynKinds
    ITEM_TREE = 17,       // a finished tree in `bytes`
    KEEP_BYTES = 1 << 26, // what a reset keeps of a buffer
    SMALL_SORT = 24,
};

typedef struct Item {
    uint32_t size; // of the node; of a key: its length
    uint8_t kind;
    union {
        bool boolean;
        int64_t l;
        double r;
        uint32_t at; // in `bytes` (string, key, decimal, guid, tree)
        struct {
            uint32_t span;  // items of this container, with itself
            uint32_t extra; // array: count; bag: index into `members`
        };
    };
} Item;

_Static_assert(sizeof(Item) == 16, "an item is 16 bytes");

typedef struct Frame {
    uint32_t item;
    uint32_t count;
    uint64_t bytes; // of keys and values so far
    bool is_bag;
    bool has_key; // a key waits for its value
} Frame;

typedef struct SortKey {
    uint64_t prefix; // first eight bytes, big-endian
    uint32_t member;
    uint32_t item;
} SortKey;

struct DynBuilder {
    Buffer items, bytes, members, sorting, out;
    uint32_t depth;
    bool has_root;
    const char *why;
    // By the number of members, how the keys of the last bag of so many were sorted: records of a
    // table have the same keys in the same order, and the next bag's are looked at in this one.
    uint8_t orders[SMALL_SORT + 1][SMALL_SORT];
    Frame frames[DYN_MAX_DEPTH];
};

DynBuilder *
dyn_builder_new(void)
{
    DynBuilder *builder = calloc(1, sizeof(DynBuilder));
    if (!builder)
        abort();
    buffer_reserve(&builder->bytes, 1);
    for (uint32_t count = 0; count <= SMALL_SORT; count++)
        for (uint32_t i = 0; i < count; i++)
            builder->orders[count][i] = (uint8_t)i;
    return builder;
}

void
dyn_builder_free(DynBuilder *builder)
{
    if (!builder)
        return;
    buffer_free(&builder->items);
    buffer_free(&builder->bytes);
    buffer_free(&builder->members);
    buffer_free(&builder->sorting);
    buffer_free(&builder->out);
    free(builder);
}

static void
buffer_recycle(Buffer *buffer)
{
    if (buffer->cap > KEEP_BYTES)
        buffer_free(buffer);
    else
        buffer_clear(buffer);
}

void
dyn_builder_reset(DynBuilder *builder)
{
    buffer_recycle(&builder->items);
    buffer_recycle(&builder->bytes);
    buffer_recycle(&builder->members);
    buffer_recycle(&builder->sorting);
    buffer_recycle(&builder->out);
    buffer_reserve(&builder->bytes, 1); // never NULL, so that views of nothing are fine
    builder->depth = 0;
    builder->has_root = false;
    builder->why = NULL;
}

static Item *
item_at(const DynBuilder *builder, uint32_t index)
{
    return (Item *)(void *)builder->items.data + index;
}

static uint32_t
item_count(const DynBuilder *builder)
{
    return (uint32_t)(builder->items.len / sizeof(Item));
}

static Str
item_key(const DynBuilder *builder, uint32_t index)
{
    const Item *item = item_at(builder, index);
    return (Str){builder->bytes.data + item->at, item->size};
}

static bool
builder_fail(DynBuilder *builder, const char *why)
{
    if (!builder->why)
        builder->why = why;
    return false;
}

// Counts a value of `size` bytes into its container.
static bool
frame_count(DynBuilder *builder, uint64_t size)
{
    if (builder->depth == 0) {
        assert(!builder->has_root && "one value a tree");
        builder->has_root = true;
        return true;
    }
    Frame *frame = &builder->frames[builder->depth - 1];
    assert(frame->is_bag == frame->has_key && "values of a bag follow a key");
    frame->has_key = false;
    frame->count++;
    frame->bytes += size;
    return frame->bytes <= UINT32_MAX || builder_fail(builder, "the value is larger than 4 GiB");
}

static bool
item_put(DynBuilder *builder, Item item)
{
    if (builder->items.len / sizeof(Item) >= UINT32_MAX - 1)
        return builder_fail(builder, "the value is larger than 4 GiB");
    buffer_put(&builder->items, &item, sizeof(item));
    return true;
}

static void
push_item(DynBuilder *builder, Item item)
{
    if (!builder->why && frame_count(builder, item.size))
        item_put(builder, item);
}

// Keeps `size` bytes; false (and the error sticks) beyond 4 GiB.
static bool
bytes_put(DynBuilder *builder, const void *data, size_t size, uint32_t *at)
{
    if (builder->why)
        return false;
    if (size >= UINT32_MAX - builder->bytes.len)
        return builder_fail(builder, "the value is larger than 4 GiB");
    *at = (uint32_t)builder->bytes.len;
    buffer_put(&builder->bytes, data, size);
    return true;
}

static void
push_bytes(DynBuilder *builder, int kind, const void *data, size_t size, size_t tag)
{
    uint32_t at;
    if (bytes_put(builder, data, size, &at))
        push_item(builder, (Item){.size = (uint32_t)(size + tag), .kind = (uint8_t)kind, .at = at});
}

void
dyn_push_null(DynBuilder *builder)
{
    push_item(builder, (Item){.size = 1, .kind = DYN_NULL});
}

void
dyn_push_bool(DynBuilder *builder, bool b)
{
    push_item(builder, (Item){.size = 1, .kind = DYN_BOOL, .boolean = b});
}

void
dyn_push_long(DynBuilder *builder, int64_t l)
{
    push_item(builder, (Item){.size = dyn_long_size(l), .kind = DYN_LONG, .l = l});
}

void
dyn_push_real(DynBuilder *builder, double r)
{
    push_item(builder, (Item){.size = 9, .kind = DYN_REAL, .r = r});
}

void
dyn_push_decimal(DynBuilder *builder, Decimal m)
{
    push_bytes(builder, DYN_DECIMAL, &m, sizeof(m), 1);
}

void
dyn_push_datetime(DynBuilder *builder, int64_t ticks)
{
    push_item(builder, (Item){.size = 9, .kind = DYN_DATETIME, .l = ticks});
}

void
dyn_push_timespan(DynBuilder *builder, int64_t ticks)
{
    push_item(builder, (Item){.size = 9, .kind = DYN_TIMESPAN, .l = ticks});
}

void
dyn_push_guid(DynBuilder *builder, Guid g)
{
    push_bytes(builder, DYN_GUID, &g, sizeof(g), 1);
}

void
dyn_push_string(DynBuilder *builder, Str s)
{
    push_bytes(builder, DYN_STRING, s.ptr, s.len, 1);
}

void
dyn_push_value(DynBuilder *builder, const Value *value)
{
    if (value->is_null) {
        dyn_push_null(builder);
        return;
    }
    switch (value->type) {
    case TYPE_BOOL: dyn_push_bool(builder, value->boolean); break;
    case TYPE_INT: dyn_push_long(builder, value->int32); break;
    case TYPE_LONG: dyn_push_long(builder, value->int64); break;
    case TYPE_REAL: dyn_push_real(builder, value->real); break;
    case TYPE_DECIMAL: dyn_push_decimal(builder, value->decimal); break;
    case TYPE_DATETIME: dyn_push_datetime(builder, value->int64); break;
    case TYPE_TIMESPAN: dyn_push_timespan(builder, value->int64); break;
    case TYPE_GUID: dyn_push_guid(builder, value->guid); break;
    case TYPE_STRING: dyn_push_string(builder, text_str(&value->text)); break;
    case TYPE_DYNAMIC: dyn_push_tree(builder, dyn_of_text(&value->text)); break;
    case TYPE_NONE:
    case TYPE_LIMIT: assert(false && "a type without data");
    }
}

// Whether containers nest at most `levels` deep. A container takes two bytes, and
// three when something is in it, so small trees need no walk.
static bool
depth_within(Dyn node, uint32_t levels)
{
    if (dyn_kind(node) < DYN_ARRAY || node.size / 3 + 1 <= levels)
        return true;
    if (levels == 0)
        return false;
    DynContainer c = dyn_open(node);
    for (uint32_t i = 0; i < c.count; i++) {
        if (!depth_within(c.order ? dyn_member_value(&c, i) : dyn_piece(&c, i), levels - 1))
            return false;
    }
    return true;
}

void
dyn_push_tree(DynBuilder *builder, Dyn node)
{
    if (!node.ptr || !node.size)
        dyn_push_null(builder);
    else if (!depth_within(node, DYN_MAX_DEPTH - builder->depth))
        builder_fail(builder, "the value is nested too deeply");
    else
        push_bytes(builder, ITEM_TREE, node.ptr, node.size, 0);
}

static void
container_begin(DynBuilder *builder, bool is_bag)
{
    if (builder->why)
        return;
    if (builder->depth == DYN_MAX_DEPTH) {
        builder_fail(builder, "the value is nested too deeply");
        return;
    }
    uint32_t item = item_count(builder);
    if (!item_put(builder, (Item){.kind = is_bag ? DYN_BAG : DYN_ARRAY}))
        return;
    assert(builder->depth || !builder->has_root);
    builder->frames[builder->depth++] = (Frame){.item = item, .is_bag = is_bag};
}

void
dyn_begin_array(DynBuilder *builder)
{
    container_begin(builder, false);
}

void
dyn_begin_bag(DynBuilder *builder)
{
    container_begin(builder, true);
}

void
dyn_key(DynBuilder *builder, Str key)
{
    uint32_t at;
    if (!bytes_put(builder, key.ptr, key.len, &at))
        return;
    assert(builder->depth);
    Frame *frame = &builder->frames[builder->depth - 1];
    assert(frame->is_bag && !frame->has_key);
    if (item_put(builder, (Item){.size = (uint32_t)key.len, .kind = ITEM_KEY, .at = at})) {
        frame->has_key = true;
        frame->bytes += key.len;
    }
}

// Closes the innermost container: `count` members with `bytes` bytes.
static void
container_end(DynBuilder *builder, uint32_t count, uint64_t bytes, uint32_t extra)
{
    Frame *frame = &builder->frames[--builder->depth];
    Item *item = item_at(builder, frame->item);
    uint32_t words = frame->is_bag ? 3 : 1;
    uint64_t width = dyn_word_width(bytes);
    uint64_t size = 1 + width + count * width * words + bytes;
    if (size > UINT32_MAX) {
        builder_fail(builder, "the value is larger than 4 GiB");
        return;
    }
    item->size = (uint32_t)size;
    item->span = item_count(builder) - frame->item;
    item->extra = extra;
    frame_count(builder, size);
}

void
dyn_end_array(DynBuilder *builder)
{
    if (builder->why)
        return;
    assert(builder->depth && !builder->frames[builder->depth - 1].is_bag);
    const Frame *frame = &builder->frames[builder->depth - 1];
    container_end(builder, frame->count, frame->bytes, frame->count);
}

static uint32_t
item_span(const Item *item)
{
    return item->kind == DYN_ARRAY || item->kind == DYN_BAG ? item->span : 1;
}

static uint64_t
key_prefix(Str key)
{
    uint64_t prefix = 0;
    if (key.len)
        memcpy(&prefix, key.ptr, key.len < 8 ? key.len : 8);
    return __builtin_bswap64(prefix);
}

// By key, then in the order in which they came.
static int
order_keys(const DynBuilder *builder, const SortKey *a, const SortKey *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    int order = str_compare(item_key(builder, a->item), item_key(builder, b->item));
    return order ? order : (a->member > b->member) - (a->member < b->member);
}

static int
order_keys_qsort(const void *a, const void *b, void *builder)
{
    return order_keys(builder, a, b);
}

// The members of a bag by their keys, of which items[i] is the i-th.
static void
sort_keys(DynBuilder *builder, SortKey *keys, uint32_t count, const uint32_t *items)
{
    uint8_t *last = count <= SMALL_SORT ? builder->orders[count] : NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t member = last ? last[i] : i;
        keys[i] = (SortKey){key_prefix(item_key(builder, items[member])), member, items[member]};
    }
    uint32_t sorted = count ? 1 : 0;
    while (sorted < count && order_keys(builder, &keys[sorted - 1], &keys[sorted]) < 0)
        sorted++;
    if (sorted == count)
        return;
    if (count > SMALL_SORT) {
        qsort_r(keys, count, sizeof(SortKey), order_keys_qsort, builder);
        return;
    }
    for (uint32_t i = sorted; i < count; i++) {
        SortKey key = keys[i];
        uint32_t k = i;
        for (; k && order_keys(builder, &key, &keys[k - 1]) < 0; k--)
            keys[k] = keys[k - 1];
        keys[k] = key;
    }
    for (uint32_t i = 0; i < count; i++)
        last[i] = (uint8_t)keys[i].member;
}

// Whether two of the sorted keys are equal.
static bool
has_repeated(const DynBuilder *builder, const SortKey *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (keys[i - 1].prefix == keys[i].prefix &&
            str_equal(item_key(builder, keys[i - 1].item), item_key(builder, keys[i].item)))
            return true;
    return false;
}

enum { MEMBER_DROPPED = UINT32_MAX };

// Folds runs of equal keys in the sorted `keys`: the first member of a run takes
// the value of the last, the others go. Returns how many are left in `keys`; their
// member numbers still count the dropped ones.
static uint32_t
drop_repeated(DynBuilder *builder, SortKey *keys, uint32_t count, uint32_t *items, uint32_t *values,
              uint64_t *bytes)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i + 1;
        Str key = item_key(builder, keys[i].item);
        while (end < count && str_equal(key, item_key(builder, keys[end].item)))
            end++;
        uint32_t last = keys[end - 1].member, first = keys[i].member;
        for (uint32_t k = i; k + 1 < end; k++) {
            *bytes -= key.len + item_at(builder, values[keys[k].member])->size;
            items[keys[k + 1].member] = MEMBER_DROPPED;
        }
        values[first] = values[last];
        keys[kept++] = keys[i];
        i = end;
    }
    return kept;
}

// Closes the gaps that dropped members left and renumbers the order.
static void
renumber(SortKey *keys, uint32_t kept, uint32_t *items, uint32_t *values, uint32_t count,
         uint32_t *numbers)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = next;
        if (items[i] != MEMBER_DROPPED) {
            items[next] = items[i];
            values[next++] = values[i];
        }
    }
    for (uint32_t i = 0; i < kept; i++)
        keys[i].member = numbers[keys[i].member];
}

void
dyn_end_bag(DynBuilder *builder)
{
    if (builder->why)
        return;
    assert(builder->depth);
    const Frame *frame = &builder->frames[builder->depth - 1];
    assert(frame->is_bag && !frame->has_key);
    uint32_t count = frame->count;
    uint64_t bytes = frame->bytes;
    uint64_t at = builder->members.len / sizeof(uint32_t);
    if (at + 1 + (uint64_t)count * 3 > UINT32_MAX) {
        builder_fail(builder, "the value has too many members");
        return;
    }
    // count, order[count], key items[count], value items[count]
    uint32_t *run = (uint32_t *)(void *)buffer_reserve(&builder->members,
                                                       (1 + (size_t)count * 3) * sizeof(uint32_t));
    uint32_t *order = run + 1, *items = order + count, *values = items + count;
    buffer_clear(&builder->sorting);
    SortKey *keys =
        (SortKey *)(void *)buffer_reserve(&builder->sorting, (size_t)count * sizeof(SortKey) + 1);
    uint32_t item = frame->item + 1;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = item;
        values[i] = item + 1;
        item += 1 + item_span(item_at(builder, item + 1));
    }
    sort_keys(builder, keys, count, items);
    uint32_t kept = count;
    if (has_repeated(builder, keys, count)) {
        kept = drop_repeated(builder, keys, count, items, values, &bytes);
        renumber(keys, kept, items, values, count, order);
        memmove(order + kept, items, kept * sizeof(uint32_t));
        memmove(order + 2 * (size_t)kept, values, kept * sizeof(uint32_t));
    }
    run[0] = kept;
    for (uint32_t i = 0; i < kept; i++)
        order[i] = keys[i].member;
    builder->members.len += (1 + (size_t)kept * 3) * sizeof(uint32_t);
    container_end(builder, kept, bytes, (uint32_t)at);
}

static uint8_t *item_write(const DynBuilder *builder, const Item *item, uint8_t *out);

// What the members of a container of `size` bytes take, and how wide its words
// are: the inverse of container_end().
static uint32_t
container_width(uint32_t size, uint32_t count, uint32_t words)
{
    for (uint32_t width = 1; width < 4; width *= 2) {
        uint64_t head = 1 + width + (uint64_t)count * width * words;
        if (size >= head && dyn_word_width(size - head) == width)
            return width;
    }
    return 4;
}

static uint8_t *
array_write(const DynBuilder *builder, const Item *array, uint8_t *out)
{
    uint32_t count = array->extra, width = container_width(array->size, count, 1), end = 0;
    *out++ = dyn_container_tag(DYN_ARRAY, width);
    out = dyn_put_word(out, width, count);
    const Item *item = array + 1;
    for (uint32_t i = 0; i < count; i++, item += item_span(item)) {
        end += item->size;
        out = dyn_put_word(out, width, end);
    }
    item = array + 1;
    for (uint32_t i = 0; i < count; i++, item += item_span(item))
        out = item_write(builder, item, out);
    return out;
}

static uint8_t *
bag_write(const DynBuilder *builder, const Item *bag, uint8_t *out)
{
    const uint32_t *run = (const uint32_t *)(const void *)builder->members.data + bag->extra;
    uint32_t count = *run, width = container_width(bag->size, count, 3), end = 0;
    const uint32_t *order = run + 1, *keys = order + count, *values = keys + count;
    *out++ = dyn_container_tag(DYN_BAG, width);
    out = dyn_put_word(out, width, count);
    for (uint32_t i = 0; i < count; i++) {
        end += item_at(builder, keys[i])->size;
        out = dyn_put_word(out, width, end);
        end += item_at(builder, values[i])->size;
        out = dyn_put_word(out, width, end);
    }
    for (uint32_t i = 0; i < count; i++)
        out = dyn_put_word(out, width, order[i]);
    for (uint32_t i = 0; i < count; i++) {
        Str key = item_key(builder, keys[i]);
        if (key.len)
            memcpy(out, key.ptr, key.len);
        out = item_write(builder, item_at(builder, values[i]), out + key.len);
    }
    return out;
}

static uint8_t *
item_write(const DynBuilder *builder, const Item *item, uint8_t *out)
{
    uint32_t payload = item->size - 1;
    switch (item->kind) {
    case DYN_ARRAY: return array_write(builder, item, out);
    case DYN_BAG: return bag_write(builder, item, out);
    case ITEM_TREE: memcpy(out, builder->bytes.data + item->at, item->size); break;
    case DYN_NULL: *out = DYN_NULL; break;
    case DYN_BOOL: *out = (uint8_t)(DYN_BOOL | item->boolean << DYN_TAG_SHIFT); break;
    case DYN_LONG:
    case DYN_REAL:
    case DYN_DATETIME:
    case DYN_TIMESPAN:
        *out = item->kind;
        memcpy(out + 1, &item->l, payload); // little-endian: the low bytes come first
        break;
    default:
        *out = item->kind;
        if (payload)
            memcpy(out + 1, builder->bytes.data + item->at, payload);
    }
    return out + item->size;
}

static bool
builder_is_done(const DynBuilder *builder, const char **why)
{
    *why = builder->why;
    if (*why)
        return false;
    assert(builder->depth == 0 && builder->has_root && "the tree is not complete");
    return true;
}

bool
dyn_finish(DynBuilder *builder, Dyn *out, const char **why)
{
    if (!builder_is_done(builder, why))
        return false;
    const Item *root = item_at(builder, 0);
    buffer_clear(&builder->out);
    uint8_t *start = (uint8_t *)buffer_reserve(&builder->out, root->size);
    item_write(builder, root, start);
    builder->out.len = root->size;
    *out = (Dyn){start, root->size};
    return true;
}

bool
dyn_finish_text(DynBuilder *builder, Arena *arena, Text *out, bool *is_null)
{
    const char *why;
    if (!builder_is_done(builder, &why))
        return false;
    const Item *root = item_at(builder, 0);
    uint8_t small[TEXT_INLINE];
    uint8_t *start =
        root->size <= TEXT_INLINE ? small : (uint8_t *)arena_alloc_aligned(arena, root->size, 1);
    item_write(builder, root, start);
    *out = text_view((const char *)start, root->size);
    *is_null = (*start & DYN_KIND_MASK) == DYN_NULL;
    return true;
}

Text
dyn_text_of_value(Arena *arena, const Value *value)
{
    uint8_t small[1 + sizeof(Decimal)] = {DYN_NULL};
    size_t size = 1;
    int64_t l = value->int64;
    if (value->type == TYPE_DYNAMIC && !value->is_null)
        return value->text;
    if (value->type == TYPE_STRING) {
        Str s = text_str(&value->text);
        char *bytes =
            s.len < TEXT_INLINE ? (char *)small : arena_alloc_aligned(arena, s.len + 1, 1);
        bytes[0] = DYN_STRING;
        if (s.len)
            memcpy(bytes + 1, s.ptr, s.len);
        return text_view(bytes, s.len + 1);
    }
    if (value->is_null)
        return text_view((char *)small, size);
    switch (value->type) {
    case TYPE_BOOL: small[0] = (uint8_t)(DYN_BOOL | value->boolean << DYN_TAG_SHIFT); break;
    case TYPE_INT: l = value->int32; // fall through
    case TYPE_LONG:
        small[0] = DYN_LONG;
        size = dyn_long_size(l);
        memcpy(small + 1, &l, size - 1);
        break;
    case TYPE_REAL:
    case TYPE_DATETIME:
    case TYPE_TIMESPAN:
        small[0] = value->type == TYPE_REAL       ? DYN_REAL
                   : value->type == TYPE_DATETIME ? DYN_DATETIME
                                                  : DYN_TIMESPAN;
        size = 9;
        memcpy(small + 1, value_data(value), 8);
        break;
    case TYPE_DECIMAL:
    case TYPE_GUID:
        small[0] = value->type == TYPE_DECIMAL ? DYN_DECIMAL : DYN_GUID;
        size = 17;
        memcpy(small + 1, value_data(value), 16);
        break;
    default: assert(false && "a type without data");
    }
    return text_copy(arena, (Str){(const char *)small, size});
}
