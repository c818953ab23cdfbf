// Term indexes: building, reading and asking; see term_index.h.

#include "store/term_index.h"
#include "value/scalar.h"
#include "value/term.h"
#include "value/unicode.h"

#include <assert.h>

enum {
    KIND_LIST = 1,
    KIND_FILTER = 2,
    FLAG_GUIDS_CUT = 1,
    HEAD_SIZE = 8,
    RESTART_EVERY = 16,
    LIST_TERM_MAX = 255,      // bytes of a term in a list
    LIST_TERMS_MAX = 1 << 18, // more terms are a filter without trying
    LIST_TEXT_MAX = 4 << 20,  // and so are more bytes
    TERMS_MAX = 1 << 23,      // more are not indexed
    GUID_SIZE = 36,
    NUMBER_MAX = 3, // digits of a part of an address
};

// ---- what of a text goes into an index ----

// The last two terms when they can be parts of an address.
typedef struct Numbers {
    size_t starts[2], end;
    uint32_t count;
} Numbers;

static bool
is_number(Str folded)
{
    if (folded.len > NUMBER_MAX)
        return false;
    for (size_t i = 0; i < folded.len; i++)
        if (folded.ptr[i] < '0' || folded.ptr[i] > '9')
            return false;
    return true;
}

// Takes the next term; the three numbers that end with it, or the empty text.
static Str
numbers_take(Numbers *numbers, Str text, const Term *term)
{
    if (!is_number(term->folded)) {
        numbers->count = 0;
        return STR("");
    }
    bool follows =
        numbers->count && term->start == numbers->end + 1 && text.ptr[numbers->end] == '.';
    if (!follows)
        numbers->count = 0;
    numbers->end = term->end;
    if (numbers->count < 2) {
        numbers->starts[numbers->count++] = term->start;
        return STR("");
    }
    Str three = str_slice(text, numbers->starts[0], term->end);
    numbers->starts[0] = numbers->starts[1];
    numbers->starts[1] = term->start;
    return three;
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool
all_hex(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_hex(s.ptr[i]))
            return false;
    return true;
}

// Whether a GUID begins at `start`, whose first eight bytes are a term, and ends with a term.
static bool
is_guid_at(Str text, size_t start)
{
    if (text.len - start < GUID_SIZE)
        return false;
    const char *p = text.ptr + start;
    for (size_t i = 8; i < GUID_SIZE; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? p[i] != '-' : !is_hex(p[i]))
            return false;
    }
    if (text.len - start == GUID_SIZE)
        return true;
    // Bytes beyond ASCII may be of a term: not looked into.
    unsigned char next = (unsigned char)p[GUID_SIZE];
    return next < 0x80 && !unicode_is_term(next);
}

typedef struct Walk {
    TermCutter cutter;
    bool guids_cut;
    bool (*take)(void *context, Str entry); // false: enough
    void *context;
} Walk;

// Calls `take` for each entry of the text; false when it had enough.
static bool
walk_text(Walk *walk, Str text)
{
    term_cutter_begin(&walk->cutter, text);
    Numbers numbers = {0};
    Term term;
    while (term_next(&walk->cutter, &term)) {
        if (term.end - term.start <= NUMBER_MAX) {
            Str three = numbers_take(&numbers, text, &term);
            if (three.len && !walk->take(walk->context, three))
                return false;
        } else {
            numbers.count = 0;
        }
        if (term.folded.len >= TERM_MIN && !walk->take(walk->context, term.folded))
            return false;
        if (term.end - term.start == 8 && term.end < text.len && text.ptr[term.end] == '-' &&
            all_hex(term.folded) && is_guid_at(text, term.start)) {
            walk->guids_cut = true;
            walk->cutter.at = term.start + GUID_SIZE;
        }
    }
    return !walk->cutter.doubtful;
}

// The same for all values of a vector. Neighbours that are equal count once.
static bool
walk_values(Walk *walk, const Vector *values, Buffer *printed)
{
    size_t size = type_size(values->type);
    const char *before = NULL;
    for (uint32_t i = 0; i < values->count; i++) {
        if (values->valid && !bit_get(values->valid, i))
            continue;
        const char *payload = (const char *)values->data + i * size;
        if (before && memcmp(before, payload, size) == 0)
            continue;
        before = payload;
        Str text;
        if (values->type == TYPE_STRING) {
            text = text_str((const Text *)(const void *)payload);
        } else {
            buffer_clear(printed);
            data_print(printed, values->type, payload);
            text = buffer_slice(printed);
        }
        if (!walk_text(walk, text))
            return false;
    }
    return true;
}

// ---- building ----

typedef struct Entry {
    uint32_t at; // in `texts`
    uint8_t len;
} Entry;

struct TermIndexBuilder {
    uint64_t *slots; // hashes; 0 = free
    size_t slot_cap; // allocated
    size_t mask;     // of those in use
    uint32_t count;
    bool listed; // `entries` and `texts` have all terms
    Buffer texts, entries, printed, out;
    Walk walk;
};

TermIndexBuilder *
term_index_builder_new(void)
{
    return calloc(1, sizeof(TermIndexBuilder));
}

void
term_index_builder_free(TermIndexBuilder *builder)
{
    if (!builder)
        return;
    free(builder->slots);
    buffer_free(&builder->texts);
    buffer_free(&builder->entries);
    buffer_free(&builder->printed);
    buffer_free(&builder->out);
    term_cutter_free(&builder->walk.cutter);
    free(builder);
}

static uint64_t
entry_hash(Str entry)
{
    uint64_t hash = str_hash(entry);
    return hash ? hash : 1;
}

// Slots for at least `want` hashes in use, empty. Without memory there is no index.
static bool
slots_clear(TermIndexBuilder *b, size_t want)
{
    if (want > b->slot_cap) {
        free(b->slots);
        b->slots = malloc(want * sizeof(*b->slots));
        b->slot_cap = b->slots ? want : 0;
        if (!b->slots)
            return false;
    }
    memset(b->slots, 0, want * sizeof(*b->slots));
    b->mask = want - 1;
    return true;
}

static bool
slots_double(TermIndexBuilder *b)
{
    uint64_t *old = b->slots;
    size_t count = b->mask + 1, want = count * 2;
    uint64_t *fresh = calloc(want, sizeof(*fresh));
    if (!fresh)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!old[i])
            continue;
        size_t slot = old[i] & (want - 1);
        while (fresh[slot])
            slot = (slot + 1) & (want - 1);
        fresh[slot] = old[i];
    }
    free(old);
    b->slots = fresh;
    b->slot_cap = want;
    b->mask = want - 1;
    return true;
}

static void
list_add(TermIndexBuilder *b, Str term)
{
    if (term.len > LIST_TERM_MAX || b->count > LIST_TERMS_MAX || b->texts.len > LIST_TEXT_MAX) {
        b->listed = false;
        return;
    }
    Entry entry = {(uint32_t)b->texts.len, (uint8_t)term.len};
    buffer_str(&b->texts, term);
    buffer_put(&b->entries, &entry, sizeof(entry));
}

static bool
builder_take(void *context, Str term)
{
    TermIndexBuilder *b = context;
    uint64_t hash = entry_hash(term);
    size_t slot = hash & b->mask;
    while (b->slots[slot]) {
        if (b->slots[slot] == hash)
            return true;
        slot = (slot + 1) & b->mask;
    }
    b->slots[slot] = hash;
    b->count++;
    if (b->listed)
        list_add(b, term);
    if (b->count > TERMS_MAX)
        return false;
    return (size_t)b->count * 2 <= b->mask || slots_double(b);
}

static int
entry_compare(const void *a, const void *z, void *context)
{
    const char *texts = context;
    const Entry *one = a, *other = z;
    return str_compare((Str){texts + one->at, one->len}, (Str){texts + other->at, other->len});
}

static void
put_list(TermIndexBuilder *b)
{
    Entry *entries = (Entry *)(void *)b->entries.data;
    if (b->count)
        qsort_r(entries, b->count, sizeof(*entries), entry_compare, b->texts.data);
    Buffer *out = &b->out;
    uint32_t restarts = (b->count + RESTART_EVERY - 1) / RESTART_EVERY;
    bytes_put_u32(out, restarts);
    size_t places = out->len;
    for (uint32_t i = 0; i < restarts; i++)
        bytes_put_u32(out, 0);
    size_t start = out->len;
    Str before = STR("");
    for (uint32_t i = 0; i < b->count; i++) {
        Str term = {b->texts.data + entries[i].at, entries[i].len};
        size_t shared = 0;
        if (i % RESTART_EVERY == 0) {
            uint32_t place = (uint32_t)(out->len - start);
            memcpy(out->data + places + i / RESTART_EVERY * sizeof(place), &place, sizeof(place));
        } else {
            while (shared < before.len && shared < term.len &&
                   before.ptr[shared] == term.ptr[shared])
                shared++;
        }
        bytes_put_u8(out, (uint8_t)shared);
        bytes_put_u8(out, (uint8_t)(term.len - shared));
        buffer_put(out, term.ptr + shared, term.len - shared);
        before = term;
    }
}

static bool
put_filter(TermIndexBuilder *b)
{
    Arena scratch;
    arena_init(&scratch);
    uint64_t *hashes = arena_alloc_array(&scratch, b->count, sizeof(*hashes));
    uint32_t count = 0;
    for (size_t i = 0; i <= b->mask; i++)
        if (b->slots[i])
            hashes[count++] = b->slots[i];
    assert(count == b->count);
    bool ok = fuse_put(&b->out, &scratch, hashes, count);
    arena_free(&scratch);
    return ok;
}

bool
term_list_pays(size_t size, size_t stored)
{
    return size <= TERM_INDEX_SMALL || size <= stored / TERM_LIST_SHARE;
}

static void
put_head(TermIndexBuilder *b, uint8_t kind)
{
    buffer_clear(&b->out);
    bytes_put_u8(&b->out, kind);
    bytes_put_u8(&b->out, b->walk.guids_cut ? FLAG_GUIDS_CUT : 0);
    bytes_put_u8(&b->out, 0);
    bytes_put_u8(&b->out, 0);
    bytes_put_u32(&b->out, b->count);
}

bool
term_index_collect(TermIndexBuilder *b, const Vector *values)
{
    enum { SLOTS_AT_FIRST = 1024 };
    if (!slots_clear(b, SLOTS_AT_FIRST))
        return false;
    b->count = 0;
    b->listed = true;
    buffer_clear(&b->texts);
    buffer_clear(&b->entries);
    b->walk.guids_cut = false;
    b->walk.take = builder_take;
    b->walk.context = b;
    return walk_values(&b->walk, values, &b->printed);
}

bool
term_index_list(TermIndexBuilder *b, size_t stored, Str *out)
{
    // Compression makes it half as long, or a third: what is twice too long is not tried.
    if (!b->listed || !term_list_pays((b->texts.len + b->count) / 3, stored))
        return false;
    put_head(b, KIND_LIST);
    put_list(b);
    *out = buffer_slice(&b->out);
    return true;
}

bool
term_index_filter(TermIndexBuilder *b, size_t stored, Str *out)
{
    size_t size = fuse_size(b->count) + HEAD_SIZE;
    if (size > TERM_INDEX_SMALL && size > stored / TERM_FILTER_SHARE)
        return false;
    put_head(b, KIND_FILTER);
    bool done = put_filter(b);
    *out = buffer_slice(&b->out);
    return done && out->len <= TERM_INDEX_RAW_MAX;
}

// ---- reading ----

static uint32_t
restart_place(const TermIndex *index, uint32_t restart)
{
    uint32_t place;
    memcpy(&place, index->places + restart * sizeof(place), sizeof(place));
    return place;
}

// A walk through the entries of a list.
typedef struct ListReader {
    const uint8_t *at;
    uint32_t next; // number of the entry that comes
    char term[LIST_TERM_MAX];
    size_t len;
} ListReader;

static void
list_begin(const TermIndex *index, uint32_t restart, ListReader *reader)
{
    reader->at = index->entries + (restart < index->restarts ? restart_place(index, restart) : 0);
    reader->next = restart * RESTART_EVERY;
    reader->len = 0;
}

// The list has been walked whole before: its lengths hold.
static bool
list_next(const TermIndex *index, ListReader *reader)
{
    if (reader->next >= index->count)
        return false;
    size_t shared = reader->at[0], more = reader->at[1];
    memcpy(reader->term + shared, reader->at + 2, more);
    reader->len = shared + more;
    reader->at += 2 + more;
    reader->next++;
    return true;
}

// That lengths hold, terms ascend, and restarts stand where they are said to.
static bool
list_check(const TermIndex *index)
{
    const uint8_t *at = index->entries;
    char term[2][LIST_TERM_MAX];
    size_t len = 0;
    for (uint32_t i = 0; i < index->count; i++) {
        const char *before = term[i & 1];
        char *here = term[~i & 1];
        bool restart = i % RESTART_EVERY == 0;
        if (restart && restart_place(index, i / RESTART_EVERY) != (size_t)(at - index->entries))
            return false;
        if (index->end - at < 2)
            return false;
        size_t shared = at[0], more = at[1];
        if (shared > (restart ? 0 : len) || shared + more > LIST_TERM_MAX ||
            more > (size_t)(index->end - at) - 2)
            return false;
        memcpy(here, before, shared);
        memcpy(here + shared, at + 2, more);
        if (i && str_compare((Str){before, len}, (Str){here, shared + more}) >= 0)
            return false;
        len = shared + more;
        at += 2 + more;
    }
    return at == index->end;
}

bool
term_index_open(Str bytes, bool whole, TermIndex *index)
{
    *index = (TermIndex){0};
    ByteReader reader = {(const uint8_t *)bytes.ptr, (const uint8_t *)bytes.ptr + bytes.len, false};
    uint8_t kind = bytes_u8(&reader), flags = bytes_u8(&reader);
    bool zero = bytes_u8(&reader) == 0;
    zero = bytes_u8(&reader) == 0 && zero;
    index->count = bytes_u32(&reader);
    index->is_list = kind == KIND_LIST;
    index->cuts_guids = flags & FLAG_GUIDS_CUT;
    if (reader.bad || !zero || flags > FLAG_GUIDS_CUT)
        return false;
    if (kind == KIND_FILTER)
        return fuse_get(&reader, &index->filter);
    index->restarts = bytes_u32(&reader);
    uint64_t wanted = ((uint64_t)index->count + RESTART_EVERY - 1) / RESTART_EVERY;
    if (kind != KIND_LIST || reader.bad || index->restarts != wanted)
        return false;
    index->places = bytes_take(&reader, (size_t)index->restarts * sizeof(uint32_t));
    if (!index->places)
        return false;
    index->entries = reader.at;
    index->end = reader.end;
    return !whole || list_check(index);
}

// ---- asking ----

static bool
list_holds(const TermIndex *index, Str term)
{
    // The last restart whose term is not behind the one looked for.
    uint32_t low = 0, high = index->restarts;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const uint8_t *at = index->entries + restart_place(index, middle);
        if (str_compare((Str){(const char *)at + 2, at[1]}, term) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return false;
    ListReader reader;
    list_begin(index, low - 1, &reader);
    for (uint32_t i = 0; i < RESTART_EVERY && list_next(index, &reader); i++)
        if (str_equal((Str){reader.term, reader.len}, term))
            return true;
    return false;
}

static bool
index_holds(const TermIndex *index, Str entry)
{
    return index->is_list ? list_holds(index, entry)
                          : fuse_may_hold(&index->filter, entry_hash(entry));
}

// Whether a term with this part in it is listed: at its beginning, at its end, anywhere.
static bool
list_holds_part(const TermIndex *index, Str part, bool begins, bool ends)
{
    ListReader reader;
    list_begin(index, 0, &reader);
    while (list_next(index, &reader)) {
        Str term = {reader.term, reader.len};
        if (begins ? str_starts(term, part)
            : ends ? str_ends(term, part)
                   : str_find(term, part) >= 0)
            return true;
    }
    return false;
}

// A part that may be of those of a GUID that are not kept.
static bool
may_be_of_guid(Str folded, bool whole)
{
    enum { MIDDLE = 4, LAST = 12 };
    bool fits = whole ? folded.len == MIDDLE || folded.len == LAST : folded.len <= LAST;
    return fits && all_hex(folded);
}

static bool
part_may_stand(const TermIndex *index, Str folded, bool begins, bool ends)
{
    if (folded.len < TERM_MIN)
        return true;
    if (index->cuts_guids && may_be_of_guid(folded, begins && ends))
        return true;
    if (begins && ends)
        return index_holds(index, folded);
    return !index->is_list || list_holds_part(index, folded, begins, ends);
}

bool
term_index_may_hold(const TermIndex *index, Str needle, bool begins, bool ends)
{
    // Bytes that are no characters could be found inside of one.
    if (!utf8_valid(needle))
        return true;
    TermCutter cutter = {.text = needle};
    Numbers numbers = {0};
    Term term;
    bool may = true;
    while (may && term_next(&cutter, &term)) {
        bool begun = begins || term.start > 0, ended = ends || term.end < needle.len;
        may = part_may_stand(index, term.folded, begun, ended);
        Str three = STR("");
        if (begun && ended)
            three = numbers_take(&numbers, needle, &term);
        else
            numbers.count = 0;
        if (may && three.len)
            may = index_holds(index, three);
    }
    while (!cutter.doubtful && term_next(&cutter, &term))
        continue; // a doubtful character further on counts too
    term_cutter_free(&cutter);
    return may || cutter.doubtful;
}

typedef struct Cover {
    const TermIndex *index;
    bool misses;
} Cover;

static bool
cover_take(void *context, Str entry)
{
    Cover *cover = context;
    cover->misses = !index_holds(cover->index, entry);
    return !cover->misses;
}

bool
term_index_covers(const TermIndex *index, const Vector *values)
{
    Cover cover = {.index = index};
    Walk walk = {.take = cover_take, .context = &cover};
    Buffer printed = {0};
    Arena arena;
    arena_init(&arena);
    bool all = walk_values(&walk, vector_flatten(&arena, vector_payload(values)), &printed);
    arena_free(&arena);
    buffer_free(&printed);
    term_cutter_free(&walk.cutter);
    return all && !cover.misses && (index->cuts_guids || !walk.guids_cut);
}
