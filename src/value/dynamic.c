// Dynamic: reading, checking, comparing and hashing trees in place. The layout is
// described in dynamic_layout.h.
//
// Only dyn_check() looks at bytes it does not trust; the rest relies on it. All
// recursion goes one level a container and containers nest at most DYN_MAX_DEPTH
// deep, which dyn_check() and the builder both see to.

#include "value/dynamic.h"

#include "value/dynamic_layout.h"
#include "value/json.h"
#include "value/scalar.h"

#include <assert.h>
#include <math.h>
#include <xxhash.h>

static const uint8_t NULL_TREE[] = {DYN_NULL};

Dyn
dyn_null(void)
{
    return (Dyn){NULL_TREE, sizeof(NULL_TREE)};
}

static bool node_check(const uint8_t *bytes, size_t size, int depth);

// The head of a container lies inside, its ends rise and the last is the end.
static bool
container_check(const uint8_t *bytes, size_t size, int depth)
{
    unsigned shift = *bytes >> DYN_TAG_SHIFT;
    bool is_bag = (*bytes & DYN_KIND_MASK) == DYN_BAG;
    if (shift > 2 || depth == DYN_MAX_DEPTH)
        return false;
    size_t width = (size_t)1 << shift;
    if (size < 1 + width)
        return false;
    Dyn node = {bytes, (uint32_t)size};
    uint64_t count = dyn_word(bytes + 1, (uint32_t)width, 0);
    uint64_t head = 1 + width + count * width * (is_bag ? 3 : 1);
    if (head > size)
        return false;
    DynContainer c = dyn_open(node);
    size_t limit = size - (size_t)head, from = 0, pieces = (size_t)count * (is_bag ? 2 : 1);
    for (size_t i = 0; i < pieces; i++) {
        size_t to = dyn_word(c.ends, c.width, (uint32_t)i);
        if (to < from || to > limit)
            return false;
        bool is_key = is_bag && i % 2 == 0;
        if (!is_key && !node_check(c.data + from, to - from, depth + 1))
            return false;
        from = to;
    }
    if (from != limit)
        return false;
    for (uint32_t i = 0; is_bag && i < c.count; i++) {
        uint32_t member = dyn_word(c.order, c.width, i);
        if (member >= c.count)
            return false;
        if (i && str_compare(dyn_member_key(&c, dyn_word(c.order, c.width, i - 1)),
                             dyn_member_key(&c, member)) >= 0)
            return false;
    }
    return true;
}

static bool
node_check(const uint8_t *bytes, size_t size, int depth)
{
    static const uint8_t PAYLOADS[] = {
        [DYN_NULL] = 0,     [DYN_BOOL] = 0,     [DYN_REAL] = 8,  [DYN_DECIMAL] = 16,
        [DYN_DATETIME] = 8, [DYN_TIMESPAN] = 8, [DYN_GUID] = 16,
    };
    if (size == 0 || size > UINT32_MAX)
        return false;
    unsigned kind = *bytes & DYN_KIND_MASK, high = *bytes >> DYN_TAG_SHIFT;
    size_t payload = size - 1;
    if (kind == DYN_ARRAY || kind == DYN_BAG)
        return container_check(bytes, size, depth);
    if (high > (kind == DYN_BOOL))
        return false;
    if (kind == DYN_STRING)
        return true;
    if (kind == DYN_LONG)
        return payload == 1 || payload == 2 || payload == 4 || payload == 8;
    return kind < DYN_STRING && payload == PAYLOADS[kind];
}

bool
dyn_check(const uint8_t *bytes, size_t size)
{
    return bytes && node_check(bytes, size, 0);
}

DynKind
dyn_kind(Dyn node)
{
    return node.ptr && node.size ? (DynKind)(*node.ptr & DYN_KIND_MASK) : DYN_NULL;
}

bool
dyn_bool(Dyn node)
{
    assert(dyn_kind(node) == DYN_BOOL);
    return *node.ptr >> DYN_TAG_SHIFT;
}

int64_t
dyn_long(Dyn node)
{
    const uint8_t *p = node.ptr + 1;
    switch (node.size) {
    case 2: return (int8_t)*p;
    case 3: {
        int16_t l;
        memcpy(&l, p, sizeof(l));
        return l;
    }
    case 5: {
        int32_t l;
        memcpy(&l, p, sizeof(l));
        return l;
    }
    case 9: {
        int64_t l;
        memcpy(&l, p, sizeof(l));
        return l;
    }
    default: assert(false && "not a long"); return 0;
    }
}

double
dyn_real(Dyn node)
{
    double r;
    assert(dyn_kind(node) == DYN_REAL);
    memcpy(&r, node.ptr + 1, sizeof(r));
    return r;
}

bool
dyn_number(Dyn node, double *out)
{
    switch (dyn_kind(node)) {
    case DYN_LONG: *out = (double)dyn_long(node); return true;
    case DYN_REAL: *out = dyn_real(node); return true;
    case DYN_DECIMAL: *out = decimal_to_real(dyn_decimal(node)); return true;
    default: return false;
    }
}

Decimal
dyn_decimal(Dyn node)
{
    Decimal m;
    assert(dyn_kind(node) == DYN_DECIMAL);
    memcpy(&m, node.ptr + 1, sizeof(m));
    return m;
}

Guid
dyn_guid(Dyn node)
{
    Guid g;
    assert(dyn_kind(node) == DYN_GUID);
    memcpy(&g, node.ptr + 1, sizeof(g));
    return g;
}

Str
dyn_string(Dyn node)
{
    return dyn_kind(node) == DYN_STRING ? (Str){(const char *)node.ptr + 1, node.size - 1}
                                        : (Str){0};
}

static bool
is_container(Dyn node)
{
    return dyn_kind(node) >= DYN_ARRAY;
}

uint32_t
dyn_count(Dyn node)
{
    return is_container(node) ? dyn_open(node).count : 0;
}

Dyn
dyn_at(Dyn node, int64_t index)
{
    if (!is_container(node))
        return (Dyn){0};
    DynContainer c = dyn_open(node);
    if (index < 0)
        index += c.count;
    if (index < 0 || index >= c.count)
        return (Dyn){0};
    return c.order ? dyn_member_value(&c, (uint32_t)index) : dyn_piece(&c, (uint32_t)index);
}

Str
dyn_key_at(Dyn node, uint32_t index)
{
    assert(dyn_kind(node) == DYN_BAG);
    DynContainer c = dyn_open(node);
    assert(index < c.count);
    return dyn_member_key(&c, index);
}

Dyn
dyn_get(Dyn node, Str key)
{
    if (dyn_kind(node) != DYN_BAG)
        return (Dyn){0};
    DynContainer c = dyn_open(node);
    uint32_t low = 0, high = c.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t member = dyn_word(c.order, c.width, middle);
        int order = str_compare(dyn_member_key(&c, member), key);
        if (order == 0)
            return dyn_member_value(&c, member);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (Dyn){0};
}

Dyn
dyn_get_ci(Dyn node, Str key)
{
    Dyn exact = dyn_get(node, key);
    if (exact.ptr || dyn_kind(node) != DYN_BAG)
        return exact;
    DynContainer c = dyn_open(node);
    for (uint32_t i = 0; i < c.count; i++) {
        if (str_equal_ci(dyn_member_key(&c, i), key))
            return dyn_member_value(&c, i);
    }
    return (Dyn){0};
}

// Classes of kinds whose values are compared with each other, in their order.
static int
kind_class(DynKind kind)
{
    static const uint8_t CLASSES[] = {
        [DYN_NULL] = 0,    [DYN_BOOL] = 1,     [DYN_LONG] = 2,     [DYN_REAL] = 2,
        [DYN_DECIMAL] = 2, [DYN_DATETIME] = 3, [DYN_TIMESPAN] = 4, [DYN_GUID] = 5,
        [DYN_STRING] = 6,  [DYN_ARRAY] = 7,    [DYN_BAG] = 8,
    };
    return CLASSES[kind];
}

static int
order_long(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

// Exact, where converting the long to a double would round; NaN is least.
static int
order_long_real(int64_t l, double r)
{
    if (r != r || r < -9223372036854775808.0)
        return 1;
    if (r >= 9223372036854775808.0)
        return -1;
    int64_t whole = (int64_t)r;
    double rest = r - (double)whole;
    return l != whole ? order_long(l, whole) : (rest < 0) - (rest > 0);
}

static Decimal
number_as_decimal(Dyn node)
{
    switch (dyn_kind(node)) {
    case DYN_LONG: return decimal_from_long(dyn_long(node));
    case DYN_REAL: return decimal_from_real_exact(dyn_real(node));
    default: return dyn_decimal(node);
    }
}

// Numbers of any kind by value. Mapping reals to 34 digits keeps their order and
// their distinctness, so the order is total over all three kinds.
static int
order_numbers(Dyn a, Dyn b)
{
    DynKind ka = dyn_kind(a), kb = dyn_kind(b);
    if (ka == DYN_DECIMAL || kb == DYN_DECIMAL)
        return decimal_compare(number_as_decimal(a), number_as_decimal(b));
    if (ka == DYN_LONG)
        return kb == DYN_LONG ? order_long(dyn_long(a), dyn_long(b))
                              : order_long_real(dyn_long(a), dyn_real(b));
    if (kb == DYN_LONG)
        return -order_long_real(dyn_long(b), dyn_real(a));
    double ra = dyn_real(a), rb = dyn_real(b);
    return data_compare(TYPE_REAL, &ra, &rb);
}

// Arrays element by element; bags member by member in the order of their keys.
static int
order_containers(Dyn a, Dyn b)
{
    DynContainer ca = dyn_open(a), cb = dyn_open(b);
    uint32_t common = ca.count < cb.count ? ca.count : cb.count;
    for (uint32_t i = 0; i < common; i++) {
        int order;
        if (ca.order) {
            uint32_t ma = dyn_word(ca.order, ca.width, i), mb = dyn_word(cb.order, cb.width, i);
            order = str_compare(dyn_member_key(&ca, ma), dyn_member_key(&cb, mb));
            if (!order)
                order = dyn_compare(dyn_member_value(&ca, ma), dyn_member_value(&cb, mb));
        } else {
            order = dyn_compare(dyn_piece(&ca, i), dyn_piece(&cb, i));
        }
        if (order)
            return order;
    }
    return (ca.count > cb.count) - (ca.count < cb.count);
}

int
dyn_compare(Dyn a, Dyn b)
{
    DynKind kind = dyn_kind(a);
    int class_a = kind_class(kind), class_b = kind_class(dyn_kind(b));
    if (class_a != class_b)
        return class_a < class_b ? -1 : 1;
    switch (kind) {
    case DYN_NULL: return 0;
    case DYN_BOOL: return (int)dyn_bool(a) - (int)dyn_bool(b);
    case DYN_LONG:
    case DYN_REAL:
    case DYN_DECIMAL: return order_numbers(a, b);
    case DYN_DATETIME:
    case DYN_TIMESPAN: return order_long(dyn_long(a), dyn_long(b));
    case DYN_GUID: return memcmp(a.ptr + 1, b.ptr + 1, sizeof(Guid));
    case DYN_STRING: return str_compare(dyn_string(a), dyn_string(b));
    case DYN_ARRAY:
    case DYN_BAG: return order_containers(a, b);
    }
    return 0;
}

bool
dyn_equal(Dyn a, Dyn b)
{
    // The same bytes are the same value: NaN equals itself here.
    if (a.size == b.size && a.ptr && b.ptr && memcmp(a.ptr, b.ptr, a.size) == 0)
        return true;
    if (is_container(a) && (dyn_kind(a) != dyn_kind(b) || dyn_count(a) != dyn_count(b)))
        return false;
    return dyn_compare(a, b) == 0;
}

static uint64_t
mix(uint64_t seed, uint64_t hash)
{
    uint64_t pair[2] = {seed, hash};
    return XXH3_64bits(pair, sizeof(pair));
}

// Numbers of equal value hash alike: whole ones as longs, others as reals.
static uint64_t
hash_number(Dyn node)
{
    int64_t whole;
    double r;
    if (dyn_kind(node) == DYN_LONG) {
        whole = dyn_long(node);
        return data_hash(TYPE_LONG, &whole);
    }
    r = dyn_kind(node) == DYN_REAL ? dyn_real(node) : decimal_to_real(dyn_decimal(node));
    if (dyn_kind(node) == DYN_DECIMAL && decimal_to_long(dyn_decimal(node), &whole) &&
        decimal_compare(decimal_from_long(whole), dyn_decimal(node)) == 0)
        return data_hash(TYPE_LONG, &whole);
    if (r >= -9223372036854775808.0 && r < 9223372036854775808.0 && r == (double)(int64_t)r) {
        whole = (int64_t)r;
        return data_hash(TYPE_LONG, &whole);
    }
    return data_hash(TYPE_REAL, &r);
}

uint64_t
dyn_hash(Dyn node)
{
    DynKind kind = dyn_kind(node);
    uint64_t seed = (uint64_t)kind_class(kind) + 1;
    switch (kind) {
    case DYN_NULL: return mix(seed, 0);
    case DYN_BOOL: return mix(seed, dyn_bool(node));
    case DYN_LONG:
    case DYN_REAL:
    case DYN_DECIMAL: return mix(seed, hash_number(node));
    case DYN_DATETIME:
    case DYN_TIMESPAN: return mix(seed, (uint64_t)dyn_long(node));
    case DYN_GUID: return mix(seed, XXH3_64bits(node.ptr + 1, sizeof(Guid)));
    case DYN_STRING: return mix(seed, str_hash(dyn_string(node)));
    case DYN_ARRAY:
    case DYN_BAG: break;
    }
    DynContainer c = dyn_open(node);
    uint64_t hash = mix(seed, c.count);
    for (uint32_t i = 0; i < c.count; i++) {
        if (kind == DYN_ARRAY) {
            hash = mix(hash, dyn_hash(dyn_piece(&c, i)));
        } else {
            uint32_t member = dyn_word(c.order, c.width, i);
            hash = mix(hash, str_hash(dyn_member_key(&c, member)));
            hash = mix(hash, dyn_hash(dyn_member_value(&c, member)));
        }
    }
    return hash;
}

Value
dyn_value(Dyn node)
{
    Value value = value_null(TYPE_DYNAMIC);
    value.is_null = false;
    switch (dyn_kind(node)) {
    case DYN_NULL: return value_null(TYPE_DYNAMIC);
    case DYN_BOOL: return value_bool(dyn_bool(node));
    case DYN_LONG: return value_long(dyn_long(node));
    case DYN_REAL: return value_real(dyn_real(node));
    case DYN_DECIMAL:
        value.type = TYPE_DECIMAL;
        value.decimal = dyn_decimal(node);
        return value;
    case DYN_DATETIME: return value_datetime(dyn_long(node));
    case DYN_TIMESPAN: return value_timespan(dyn_long(node));
    case DYN_GUID:
        value.type = TYPE_GUID;
        value.guid = dyn_guid(node);
        return value;
    case DYN_STRING: return value_string(dyn_string(node));
    case DYN_ARRAY:
    case DYN_BAG: value.text = text_view((const char *)node.ptr, node.size); return value;
    }
    return value;
}

Value
dyn_convert(Arena *arena, Dyn node, Type to)
{
    DynKind kind = dyn_kind(node);
    Value result = value_null(to);
    if (kind == DYN_NULL)
        return result;
    if (to == TYPE_DYNAMIC) {
        result.text = text_view((const char *)node.ptr, node.size);
        result.is_null = false;
        return result;
    }
    if (kind == DYN_STRING) {
        if (to == TYPE_STRING)
            return value_string(dyn_string(node));
        value_parse(arena, to, dyn_string(node), &result);
        return result;
    }
    if (to == TYPE_STRING) {
        Buffer text = {0};
        dyn_to_text(&text, node);
        result.text = text_copy(arena, buffer_slice(&text));
        buffer_free(&text);
        return result;
    }
    if (is_container(node))
        return result;
    Value scalar = dyn_value(node);
    return value_convert(arena, &scalar, to);
}
