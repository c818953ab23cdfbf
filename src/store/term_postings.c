// Postings: the terms of a row group's texts, sorted, each with the rows it stands in.
//
// A term that is in few rows has the distances between them, each a byte or more; one that
// is in many a bit for each row, whichever is shorter.

#include "store/term_parts.h"

#include <stdlib.h>

// ---- writing ----

typedef struct SortTerm {
    uint64_t prefix; // the first eight bytes, so that memcmp order is the order of numbers
    uint32_t number;
} SortTerm;

typedef struct SortTerms {
    const char *texts;
    const TermEntry *entries;
} SortTerms;

static Str
entry_text(const SortTerms *terms, uint32_t number)
{
    return (Str){terms->texts + terms->entries[number].at, terms->entries[number].len};
}

static int
sort_compare(const void *a, const void *z, void *context)
{
    const SortTerm *one = a, *other = z;
    if (one->prefix != other->prefix)
        return one->prefix < other->prefix ? -1 : 1;
    return str_compare(entry_text(context, one->number), entry_text(context, other->number));
}

static uint64_t
prefix_of(Str text)
{
    uint64_t prefix = 0;
    memcpy(&prefix, text.ptr, text.len < sizeof(prefix) ? text.len : sizeof(prefix));
    return __builtin_bswap64(prefix);
}

static SortTerm *
terms_sorted(Arena *arena, SortTerms *terms, uint32_t count)
{
    SortTerm *order = arena_alloc_array(arena, count, sizeof(*order));
    for (uint32_t i = 0; i < count; i++)
        order[i] = (SortTerm){prefix_of(entry_text(terms, i)), i};
    if (count)
        qsort_r(order, count, sizeof(*order), sort_compare, terms);
    return order;
}

// The rows of each term: those of term t lie from starts[t] to starts[t + 1].
static uint32_t *
rows_by_term(Arena *arena, const TermRow *pairs, size_t pair_count, uint32_t count,
             uint32_t **starts_out)
{
    uint32_t *starts = arena_alloc_array(arena, (size_t)count + 2, sizeof(*starts));
    memset(starts, 0, ((size_t)count + 2) * sizeof(*starts));
    for (size_t i = 0; i < pair_count; i++)
        starts[pairs[i].term + 2]++;
    for (uint32_t t = 2; t < count + 2; t++)
        starts[t] += starts[t - 1];
    uint32_t *rows = arena_alloc_array(arena, pair_count, sizeof(*rows));
    for (size_t i = 0; i < pair_count; i++)
        rows[starts[pairs[i].term + 1]++] = pairs[i].row;
    *starts_out = starts;
    return rows;
}

static size_t
varint_size(uint32_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

static void
put_varint(Buffer *out, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes_put_u8(out, (uint8_t)(value | 0x80));
    bytes_put_u8(out, (uint8_t)value);
}

// Appends the rows of a term; the word that says how many bytes and whether they are bits.
static uint32_t
put_rows(Buffer *out, const uint32_t *term_rows, uint32_t count, uint32_t rows)
{
    size_t size = 0, bits_size = (rows + 7) / 8;
    uint32_t before = 0;
    for (uint32_t i = 0; i < count; before = term_rows[i++])
        size += varint_size(term_rows[i] - before);
    if (size <= bits_size) {
        before = 0;
        for (uint32_t i = 0; i < count; before = term_rows[i++])
            put_varint(out, term_rows[i] - before);
        return (uint32_t)size << 1;
    }
    char *bits = buffer_reserve(out, bits_size);
    memset(bits, 0, bits_size);
    for (uint32_t i = 0; i < count; i++)
        bits[term_rows[i] / 8] = (char)(bits[term_rows[i] / 8] | 1 << term_rows[i] % 8);
    out->len += bits_size;
    return (uint32_t)bits_size << 1 | 1;
}

static size_t
shared_with(Str before, Str term)
{
    size_t shared = 0;
    while (shared < before.len && shared < term.len && before.ptr[shared] == term.ptr[shared])
        shared++;
    return shared;
}

static void
place_put(Buffer *out, size_t at, size_t value)
{
    uint32_t place = (uint32_t)value;
    memcpy(out->data + at, &place, sizeof(place));
}

void
postings_put(Buffer *out, Arena *scratch, const char *texts, const TermEntry *entries,
             uint32_t count, const TermRow *pairs, size_t pair_count, uint32_t rows)
{
    SortTerms terms = {texts, entries};
    const SortTerm *order = terms_sorted(scratch, &terms, count);
    uint32_t *starts;
    const uint32_t *by_term = rows_by_term(scratch, pairs, pair_count, count, &starts);
    Buffer postings = {0};
    uint32_t restarts = (count + TERM_RESTART_EVERY - 1) / TERM_RESTART_EVERY;
    bytes_put_u32(out, rows);
    size_t size_at = out->len;
    bytes_put_u32(out, 0); // bytes of the entries
    size_t places = out->len;
    for (uint32_t i = 0; i < 2 * restarts; i++)
        bytes_put_u32(out, 0);
    size_t start = out->len;
    Str before = STR("");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t term = order[i].number;
        Str text = entry_text(&terms, term);
        size_t shared = i % TERM_RESTART_EVERY ? shared_with(before, text) : 0;
        if (i % TERM_RESTART_EVERY == 0) {
            size_t at = places + i / TERM_RESTART_EVERY * 2 * sizeof(uint32_t);
            place_put(out, at, out->len - start);
            place_put(out, at + sizeof(uint32_t), postings.len);
        }
        bytes_put_u8(out, (uint8_t)shared);
        bytes_put_u8(out, (uint8_t)(text.len - shared));
        buffer_put(out, text.ptr + shared, text.len - shared);
        put_varint(out, put_rows(&postings, by_term + starts[term], starts[term + 1] - starts[term],
                                 rows));
        before = text;
    }
    place_put(out, size_at, out->len - start);
    buffer_str(out, buffer_slice(&postings));
    buffer_free(&postings);
}

// ---- reading ----

bool
postings_open(ByteReader *reader, TermIndex *index)
{
    index->rows = bytes_u32(reader);
    uint32_t entries = bytes_u32(reader);
    uint64_t restarts = ((uint64_t)index->count + TERM_RESTART_EVERY - 1) / TERM_RESTART_EVERY;
    if (reader->bad || restarts > bytes_left(reader) / (2 * sizeof(uint32_t)))
        return false;
    index->restarts = (uint32_t)restarts;
    index->places = bytes_take(reader, (size_t)restarts * 2 * sizeof(uint32_t));
    index->entries = bytes_take(reader, entries);
    index->end = reader->at;
    index->postings = reader->at;
    index->postings_size = bytes_left(reader);
    return !reader->bad && index->rows > 0 && index->rows <= TERM_ROWS_MAX;
}

// A walk through the terms.
typedef struct Reader {
    const TermIndex *index;
    const uint8_t *at;
    uint32_t next; // number of the term that comes
    size_t posting, posting_size;
    bool bits; // how the posting of the latest term lies
    char term[TERM_ENTRY_MAX];
    size_t len;
} Reader;

static uint32_t
place_at(const TermIndex *index, uint32_t number)
{
    uint32_t place;
    memcpy(&place, index->places + number * sizeof(place), sizeof(place));
    return place;
}

static bool
reader_begin(Reader *reader, const TermIndex *index, uint32_t restart)
{
    *reader = (Reader){.index = index, .next = restart * TERM_RESTART_EVERY};
    if (restart >= index->restarts)
        return false;
    uint32_t place = place_at(index, 2 * restart);
    reader->posting = place_at(index, 2 * restart + 1);
    if (place > (size_t)(index->end - index->entries))
        return false;
    reader->at = index->entries + place;
    return true;
}

static bool
take_varint(const uint8_t **at, const uint8_t *end, uint32_t *value)
{
    *value = 0;
    for (unsigned shift = 0; *at < end && shift < 32; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint32_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

// The next term and where its rows lie; false at the end, or when the bytes are no term.
static bool
reader_next(Reader *reader)
{
    const TermIndex *index = reader->index;
    if (reader->next >= index->count || index->end - reader->at < 2)
        return false;
    size_t shared = reader->at[0], more = reader->at[1];
    if (shared > reader->len || shared + more > TERM_ENTRY_MAX ||
        more > (size_t)(index->end - reader->at) - 2)
        return false;
    memcpy(reader->term + shared, reader->at + 2, more);
    reader->len = shared + more;
    reader->at += 2 + more;
    reader->next++;
    uint32_t word;
    reader->posting += reader->posting_size;
    if (!take_varint(&reader->at, index->end, &word))
        return false;
    reader->posting_size = word >> 1;
    reader->bits = word & 1;
    return reader->posting <= index->postings_size &&
           reader->posting_size <= index->postings_size - reader->posting;
}

static void
add_rows(const Reader *reader, uint64_t *rows)
{
    const TermIndex *index = reader->index;
    const uint8_t *at = index->postings + reader->posting, *end = at + reader->posting_size;
    if (reader->bits) {
        for (size_t i = 0; at + i < end && i < (index->rows + 7) / 8; i++)
            rows[i / 8] |= (uint64_t)at[i] << i % 8 * 8;
        return;
    }
    uint32_t row = 0, distance;
    while (at < end && take_varint(&at, end, &distance)) {
        if (distance >= index->rows - row)
            return;
        row += distance;
        rows[row / 64] |= UINT64_C(1) << row % 64;
    }
}

// The first term behind a restart, for a search among restarts.
static Str
restart_term(const TermIndex *index, uint32_t restart)
{
    size_t place = place_at(index, 2 * restart), size = (size_t)(index->end - index->entries);
    if (place > size || size - place < 2 || index->entries[place + 1] > size - place - 2)
        return STR("");
    return (Str){(const char *)index->entries + place + 2, index->entries[place + 1]};
}

// The last restart whose term is not behind the one looked for; 0 when there is none.
static uint32_t
restart_before(const TermIndex *index, Str term)
{
    uint32_t low = 0, high = index->restarts;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (str_compare(restart_term(index, middle), term) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

bool
postings_rows(const TermIndex *index, Str term, uint64_t *rows)
{
    Reader reader;
    if (!reader_begin(&reader, index, restart_before(index, term)))
        return false;
    for (uint32_t i = 0; i < TERM_RESTART_EVERY && reader_next(&reader); i++) {
        if (!str_equal((Str){reader.term, reader.len}, term))
            continue;
        if (rows)
            add_rows(&reader, rows);
        return true;
    }
    return false;
}

static bool
has_part(Str term, Str part, bool begins, bool ends)
{
    return begins ? str_starts(term, part)
           : ends ? str_ends(term, part)
                  : str_find(term, part) >= 0;
}

bool
postings_part_rows(const TermIndex *index, Str part, bool begins, bool ends, uint64_t *rows)
{
    Reader reader;
    bool some = false;
    if (!reader_begin(&reader, index, begins ? restart_before(index, part) : 0))
        return false;
    while (reader_next(&reader)) {
        Str term = {reader.term, reader.len};
        if (has_part(term, part, begins, ends)) {
            some = true;
            if (!rows)
                return true;
            add_rows(&reader, rows);
        } else if (begins && str_compare(term, part) > 0) {
            break; // terms ascend
        }
    }
    return some;
}
