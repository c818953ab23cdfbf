// Skipping of row groups; see group_match.h.
//
// Zones lie in memory with the footer, indexes are read: so all predicates are asked by
// zones alone before any index is opened.

#include "store/group_match.h"
#include "store/term_index.h"
#include "value/scalar.h"
#include "value/unicode.h"

static bool
is_text_search(ScanOp op)
{
    return op >= SCAN_HAS && op <= SCAN_CONTAINS;
}

// ---- by zones ----

static bool
text_meets(ScanOp op, Str text, Str needle)
{
    switch (op) {
    case SCAN_HAS: return term_has(text, needle, true);
    case SCAN_HAS_PREFIX: return term_has_prefix(text, needle, true);
    case SCAN_HAS_SUFFIX: return term_has_suffix(text, needle, true);
    default: return unicode_contains_ci(text, needle);
    }
}

// The characters that texts of a type are made of, in lower case, and how many dots one
// has at most.
typedef struct TypeText {
    const char *characters; // NULL: any
    uint32_t dots;
} TypeText;

static TypeText
text_of(Type type)
{
    switch (type) {
    case TYPE_BOOL: return (TypeText){"truefals", 0};
    case TYPE_INT:
    case TYPE_LONG: return (TypeText){"0123456789-", 0};
    case TYPE_DATETIME: return (TypeText){"0123456789-:.tz", 1};
    case TYPE_TIMESPAN: return (TypeText){"0123456789-:.", 2};
    // 1.5E-07, Infinity, NaN.
    case TYPE_REAL:
    case TYPE_DECIMAL: return (TypeText){"0123456789-+.einfatysq", 1};
    case TYPE_GUID: return (TypeText){"0123456789abcdef-", 0};
    default: return (TypeText){NULL, 0};
    }
}

// Whether a text of the type may be made so that it holds the needle. Characters beyond
// ASCII may stand for others in folded case and are not looked at.
static bool
type_may_hold(Type type, Str needle)
{
    TypeText text = text_of(type);
    uint32_t dots = 0;
    for (size_t i = 0; text.characters && i < needle.len; i++) {
        unsigned char c = (unsigned char)needle.ptr[i];
        char lower = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        dots += c == '.';
        if (c < 0x80 && (!c || !strchr(text.characters, lower)))
            return false;
    }
    return dots <= text.dots || !text.characters;
}

// Whether digits alone may be a whole term: of a time they are its year, month, minute;
// of whole numbers one of the zone, or its opposite.
static bool
digits_may_hold(const Zone *zone, Type type, Str needle)
{
    enum { DIGITS_MAX = 18, YEAR = 4 };
    int64_t number = 0;
    for (size_t i = 0; i < needle.len; i++) {
        if (needle.ptr[i] < '0' || needle.ptr[i] > '9')
            return true;
        if (i < DIGITS_MAX)
            number = number * 10 + (needle.ptr[i] - '0');
    }
    if (type == TYPE_DATETIME)
        return needle.len <= YEAR;
    if ((type != TYPE_INT && type != TYPE_LONG) || !zone->bounded || needle.len > DIGITS_MAX)
        return true;
    if (needle.ptr[0] == '0' && needle.len > 1)
        return false;
    int64_t min = type == TYPE_INT ? zone->min.int32 : zone->min.int64;
    int64_t max = type == TYPE_INT ? zone->max.int32 : zone->max.int64;
    return (min <= number && number <= max) || (min <= -number && -number <= max);
}

static bool
zone_may_hold(const Zone *zone, Type type, uint32_t rows, ScanOp op, Str needle)
{
    if (!needle.len)
        return true; // also in the empty text of a null
    if (zone->null_count == rows)
        return false;
    if (zone->has_set) {
        for (uint32_t i = 0; i < zone->set_count; i++)
            if (text_meets(op, zone->set[i], needle))
                return true;
        return false;
    }
    if (op == SCAN_HAS && !digits_may_hold(zone, type, needle))
        return false;
    return type_may_hold(type, needle);
}

static bool
zones_may_meet(const GroupFacts *facts, const ScanPredicate *predicate)
{
    const SegmentGroup *group = &facts->segment->groups[facts->group];
    Type type = facts->schema->columns[predicate->column].type;
    int32_t c = facts->columns[predicate->column];
    if (!is_text_search(predicate->op)) {
        if (c < 0) // all null: a comparison with null is never true, but "" is a text
            return type == TYPE_STRING || type == TYPE_DYNAMIC;
        return zone_may_match(&group->zones[c], type, group->rows, predicate);
    }
    for (uint32_t i = 0; i < predicate->value_count; i++) {
        Str needle = text_str(&predicate->values[i].text);
        if (c < 0 ? !needle.len
                  : zone_may_hold(&group->zones[c], type, group->rows, predicate->op, needle))
            return true;
    }
    return false;
}

// ---- by indexes ----

// Whether a text that meets the comparison with `value` may be among those of the index.
static bool
index_may_meet(const TermIndex *index, ScanOp op, const Value *value)
{
    if (value->is_null || (value->type != TYPE_STRING && value->type != TYPE_GUID))
        return true;
    bool begins = op != SCAN_HAS_SUFFIX && op != SCAN_CONTAINS;
    bool ends = op != SCAN_HAS_PREFIX && op != SCAN_CONTAINS;
    if (value->type == TYPE_STRING)
        return term_index_may_hold(index, text_str(&value->text), begins, ends);
    Buffer printed = {0};
    guid_print(&printed, value->guid);
    bool may = term_index_may_hold(index, buffer_slice(&printed), begins, ends);
    buffer_free(&printed);
    return may;
}

static bool
is_index_op(ScanOp op, Type type)
{
    bool equality = op == SCAN_EQ || op == SCAN_EQ_CI || op == SCAN_IN || op == SCAN_IN_CI;
    // Dynamics are equal by value, not by text.
    return is_text_search(op) || (equality && (type == TYPE_STRING || type == TYPE_GUID));
}

// The term index that may answer the predicate, pinned until block_cache_unpin; NULL when there is
// none. Without its index a group is read: errors show there.
static CachedBlock *
terms_pin(const GroupFacts *facts, const ScanPredicate *predicate, TermIndex *index)
{
    const SegmentGroup *group = &facts->segment->groups[facts->group];
    int32_t c = facts->columns[predicate->column];
    if (!is_index_op(predicate->op, facts->schema->columns[predicate->column].type) || c < 0 ||
        !group->terms[c].offset)
        return NULL;
    AzError ignored = {0};
    CachedBlock *block = block_cache_pin_terms(facts->cache, facts->segment, facts->segment_id,
                                               facts->group, (uint32_t)c, &ignored);
    if (!block)
        return NULL;
    if (!term_index_open(text_str(cached_block_vector(block)->data), false, index)) {
        block_cache_unpin(facts->cache, block);
        return NULL;
    }
    term_hold_keep(facts->hold, block);
    return block;
}

static bool
terms_may_meet(const GroupFacts *facts, const ScanPredicate *predicate)
{
    TermIndex index;
    CachedBlock *block = terms_pin(facts, predicate, &index);
    if (!block)
        return true;
    bool may = false;
    for (uint32_t i = 0; i < predicate->value_count && !may; i++)
        may = index_may_meet(&index, predicate->op, &predicate->values[i]);
    block_cache_unpin(facts->cache, block);
    return may;
}

bool
group_match_rows(const GroupFacts *facts, const ScanPredicate *predicate, uint64_t *rows,
                 bool *exact)
{
    TermIndex index;
    ScanOp op = predicate->op;
    CachedBlock *block = terms_pin(facts, predicate, &index);
    *exact = false;
    if (!block)
        return false;
    Arena arena;
    arena_init(&arena);
    size_t words = (facts->segment->groups[facts->group].rows + 63) / 64;
    uint64_t *found = arena_alloc_array(&arena, words, sizeof(*found));
    memset(found, 0, words * sizeof(*found));
    bool known = index.rows == facts->segment->groups[facts->group].rows,
         all_exact = op == SCAN_HAS;
    for (uint32_t i = 0; i < predicate->value_count && known; i++) {
        const Value *value = &predicate->values[i];
        bool exactly, begins = op != SCAN_HAS_SUFFIX && op != SCAN_CONTAINS;
        known = !value->is_null && value->type == TYPE_STRING &&
                term_index_rows(&index, &arena, text_str(&value->text), begins,
                                op != SCAN_HAS_PREFIX && op != SCAN_CONTAINS, found, &exactly);
        all_exact = all_exact && known && exactly;
    }
    for (size_t i = 0; i < words && known; i++)
        rows[i] |= found[i];
    *exact = known && all_exact;
    arena_free(&arena);
    block_cache_unpin(facts->cache, block);
    return known;
}

// ---- the whole ----

static bool
may_meet(const GroupFacts *facts, const ScanPredicate *predicate, bool indexes)
{
    if (predicate->op == SCAN_ANY || predicate->op == SCAN_ALL) {
        bool any = predicate->op == SCAN_ANY;
        for (uint32_t i = 0; i < predicate->part_count; i++)
            if (may_meet(facts, &predicate->parts[i], indexes) == any)
                return any;
        return !any;
    }
    return zones_may_meet(facts, predicate) && (!indexes || terms_may_meet(facts, predicate));
}

bool
group_may_match(const GroupFacts *facts, const ScanPredicate *predicates, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!may_meet(facts, &predicates[i], false))
            return false;
    for (uint32_t i = 0; i < count; i++)
        if (!may_meet(facts, &predicates[i], true))
            return false;
    return true;
}

bool
times_may_match(const CatalogSegment *entry, const ScanPredicate *predicate)
{
    if (!entry->has_time || predicate->op > SCAN_IN)
        return true;
    Zone zone = {
        .bounded = true,
        .min = value_datetime(entry->time_min),
        .max = value_datetime(entry->time_max),
    };
    return zone_may_match(&zone, TYPE_DATETIME, 1, predicate);
}
