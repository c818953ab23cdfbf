// Zones: built when a row group is written, asked before it is read.
//
// In KQL a comparison with null is never true, so nulls are counted and left out
// of the bounds. NaN has no place in an order: a column that holds one has no
// bounds. Bounds of strings are cut to a prefix: a cut minimum is still a lower
// bound; a cut maximum stands for all strings that start with it.

#include "store/zone_map.h"

#include <math.h>

enum { ZONE_BOUNDED = 1, ZONE_MAX_CUT = 2, ZONE_HAS_SET = 4 };

static bool
is_nan(Type type, const void *payload)
{
    if (type == TYPE_REAL)
        return isnan(*(const double *)payload);
    // BID: the combination field of a NaN starts with 11111.
    return type == TYPE_DECIMAL && (((const Decimal *)payload)->w[1] >> 58 & 31) == 31;
}

static void
value_set(Value *value, Type type, const void *payload)
{
    *value = (Value){.type = type};
    switch (type_size(type)) {
    case 1: value->boolean = *(const uint8_t *)payload != 0; break;
    case 4: memcpy(&value->int32, payload, 4); break;
    case 8: memcpy(&value->int64, payload, 8); break;
    default: memcpy(&value->text, payload, 16); break;
    }
}

static void
bounds_build(Zone *zone, const Vector *v)
{
    size_t size = type_size(v->type);
    const char *data = v->data;
    const void *min = NULL, *max = NULL;
    for (uint32_t i = 0; i < v->count; i++) {
        const void *payload = data + i * size;
        if (v->valid && !bit_get(v->valid, i))
            continue;
        if (is_nan(v->type, payload))
            return;
        if (!min || data_compare(v->type, payload, min) < 0)
            min = payload;
        if (!max || data_compare(v->type, payload, max) > 0)
            max = payload;
    }
    if (!min)
        return;
    zone->bounded = true;
    value_set(&zone->min, v->type, min);
    value_set(&zone->max, v->type, max);
    if (v->type == TYPE_STRING) {
        if (zone->min.text.len > ZONE_PREFIX)
            zone->min.text = text_view(text_data(&zone->min.text), ZONE_PREFIX);
        if (zone->max.text.len > ZONE_PREFIX) {
            zone->max.text = text_view(text_data(&zone->max.text), ZONE_PREFIX);
            zone->max_cut = true;
        }
    }
}

static void
set_build(Arena *arena, Zone *zone, const Vector *distinct)
{
    if (distinct->count > ZONE_SET_MAX)
        return;
    const Text *texts = distinct->data;
    size_t bytes = 0;
    for (uint32_t i = 0; i < distinct->count; i++)
        bytes += texts[i].len;
    if (bytes > ZONE_SET_BYTES)
        return;
    Str *set = ARENA_ARRAY(arena, Str, distinct->count);
    for (uint32_t i = 0; i < distinct->count; i++)
        set[i] = text_str(&texts[i]);
    zone->has_set = true;
    zone->set = set;
    zone->set_count = distinct->count;
}

void
zone_build(Arena *arena, Zone *zone, const Vector *flat, const Vector *distinct)
{
    *zone = (Zone){0};
    if (flat->valid)
        for (uint32_t i = 0; i < flat->count; i++)
            zone->null_count += !bit_get(flat->valid, i);
    if (flat->type == TYPE_DYNAMIC)
        return;
    bounds_build(zone, distinct ? distinct : flat);
    if (distinct && flat->type == TYPE_STRING)
        set_build(arena, zone, distinct);
}

static void
value_put(Buffer *out, Type type, const Value *value)
{
    if (type == TYPE_STRING)
        bytes_put_str(out, text_str(&value->text));
    else
        buffer_put(out, value_data(value), type_size(type));
}

void
zone_put(Buffer *out, Type type, const Zone *zone)
{
    bytes_put_u32(out, zone->null_count);
    bytes_put_u8(out,
                 (uint8_t)((zone->bounded ? ZONE_BOUNDED : 0) | (zone->max_cut ? ZONE_MAX_CUT : 0) |
                           (zone->has_set ? ZONE_HAS_SET : 0)));
    if (zone->bounded) {
        value_put(out, type, &zone->min);
        value_put(out, type, &zone->max);
    }
    if (zone->has_set) {
        bytes_put_u32(out, zone->set_count);
        for (uint32_t i = 0; i < zone->set_count; i++)
            bytes_put_str(out, zone->set[i]);
    }
}

static void
value_get(ByteReader *reader, Type type, Value *value)
{
    if (type == TYPE_STRING) {
        Str s = bytes_str(reader);
        *value = (Value){.type = type, .text = text_view(s.ptr, s.len)};
        return;
    }
    uint64_t payload[2] = {0};
    bytes_read(reader, payload, type_size(type));
    value_set(value, type, payload);
}

void
zone_get(ByteReader *reader, Arena *arena, Type type, Zone *zone)
{
    *zone = (Zone){.null_count = bytes_u32(reader)};
    uint8_t flags = bytes_u8(reader);
    zone->bounded = flags & ZONE_BOUNDED;
    zone->max_cut = flags & ZONE_MAX_CUT;
    zone->has_set = flags & ZONE_HAS_SET;
    if ((zone->bounded && type == TYPE_DYNAMIC) ||
        ((zone->has_set || zone->max_cut) && type != TYPE_STRING)) {
        reader->bad = true;
        return;
    }
    if (zone->bounded) {
        value_get(reader, type, &zone->min);
        value_get(reader, type, &zone->max);
    }
    if (zone->has_set) {
        zone->set_count = bytes_u32(reader);
        if (zone->set_count > ZONE_SET_MAX) {
            reader->bad = true;
            return;
        }
        Str *set = ARENA_ARRAY(arena, Str, zone->set_count);
        for (uint32_t i = 0; i < zone->set_count; i++)
            set[i] = bytes_str(reader);
        zone->set = set;
    }
}

// Sign of (wanted - greatest value), 0 also when wanted may be at most that.
static int
compare_with_max(const Zone *zone, Type type, const void *wanted)
{
    if (!zone->max_cut)
        return data_compare(type, wanted, value_data(&zone->max));
    Str s = text_str(wanted), prefix = text_str(&zone->max.text);
    if (s.len > prefix.len)
        s.len = prefix.len;
    int order = str_compare(s, prefix);
    return order > 0 ? 1 : 0;
}

static bool
is_ascii(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] & 0x80)
            return false;
    return true;
}

// Other letters than ASCII's fold by Unicode's rules, sometimes to ASCII (the
// Kelvin sign to k), so they may always match.
static bool
set_may_equal_ci(const Zone *zone, Str wanted)
{
    bool ascii = is_ascii(wanted);
    for (uint32_t i = 0; i < zone->set_count; i++)
        if (!ascii || !is_ascii(zone->set[i]) || str_equal_ci(zone->set[i], wanted))
            return true;
    return false;
}

static bool
may_equal(const Zone *zone, Type type, const Value *wanted)
{
    const void *payload = value_data(wanted);
    if (zone->bounded && (data_compare(type, payload, value_data(&zone->min)) < 0 ||
                          compare_with_max(zone, type, payload) > 0))
        return false;
    if (!zone->has_set)
        return true;
    for (uint32_t i = 0; i < zone->set_count; i++)
        if (str_equal(zone->set[i], text_str(&wanted->text)))
            return true;
    return false;
}

// The constant in the column's type when both are whole numbers; false when the
// two are not comparable here.
static bool
value_align(Type type, const Value *value, Value *out)
{
    *out = *value;
    if (value->is_null || is_nan(value->type, value_data(value)))
        return false;
    if (value->type == type)
        return true;
    if (type == TYPE_LONG && value->type == TYPE_INT) {
        *out = value_long(value->int32);
        return true;
    }
    if (type == TYPE_INT && value->type == TYPE_LONG && value->int64 == (int32_t)value->int64) {
        *out = value_int((int32_t)value->int64);
        return true;
    }
    return false;
}

static bool
may_compare(const Zone *zone, Type type, ScanOp op, const Value *value)
{
    Value wanted;
    if (!value_align(type, value, &wanted))
        return true;
    if (op == SCAN_EQ_CI || op == SCAN_IN_CI)
        return type != TYPE_STRING || !zone->has_set ||
               set_may_equal_ci(zone, text_str(&wanted.text));
    if (op == SCAN_EQ || op == SCAN_IN)
        return may_equal(zone, type, &wanted);
    if (!zone->bounded)
        return true;
    const void *payload = value_data(&wanted);
    int to_min = data_compare(type, payload, value_data(&zone->min));
    int to_max = compare_with_max(zone, type, payload);
    switch (op) {
    case SCAN_LT: return to_min > 0;
    case SCAN_LE: return to_min >= 0;
    case SCAN_GT: return to_max < 0 || (to_max == 0 && zone->max_cut);
    case SCAN_GE: return to_max <= 0;
    default: return true;
    }
}

bool
zone_may_match(const Zone *zone, Type type, uint32_t rows, const ScanPredicate *predicate)
{
    if (zone->null_count == rows && rows)
        return false; // a comparison with null is never true
    if (type == TYPE_DYNAMIC)
        return true;
    for (uint32_t i = 0; i < predicate->value_count; i++)
        if (may_compare(zone, type, predicate->op, &predicate->values[i]))
            return true;
    return false;
}
