// Term indexes: building; see term_index.h.

#include "store/term_parts.h"
#include "value/term.h"

#include <assert.h>
#include <stdlib.h>

enum {
    LIST_TERMS_MAX = 1 << 18, // more terms are a filter without trying
    LIST_TEXT_MAX = 4 << 20,  // and so are more bytes
    TERMS_MAX = 1 << 23,      // more are not indexed
    PAIRS_MAX = 1 << 23,      // terms of rows; more have no postings
};

typedef struct Slot {
    uint64_t hash;   // 0 = free
    uint32_t number; // of the term
    uint32_t latest; // row that has it, + 1
} Slot;

struct TermIndexBuilder {
    Slot *slots;
    size_t slot_cap; // allocated
    size_t mask;     // of those in use
    uint32_t count, row_count;
    bool listed; // `entries` and `texts` have all terms
    bool paired; // `pairs` says which rows have them
    Buffer texts, entries, printed, out;
    Buffer pairs; // TermRow
    Arena scratch;
    TermWalk walk;
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
    buffer_free(&builder->pairs);
    arena_free(&builder->scratch);
    buffer_free(&builder->texts);
    buffer_free(&builder->entries);
    buffer_free(&builder->printed);
    buffer_free(&builder->out);
    term_cutter_free(&builder->walk.cutter);
    free(builder);
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
    Slot *old = b->slots;
    size_t count = b->mask + 1, want = count * 2;
    Slot *fresh = calloc(want, sizeof(*fresh));
    if (!fresh)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!old[i].hash)
            continue;
        size_t slot = old[i].hash & (want - 1);
        while (fresh[slot].hash)
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
    if (term.len > TERM_ENTRY_MAX || b->count > LIST_TERMS_MAX || b->texts.len > LIST_TEXT_MAX) {
        b->listed = false;
        return;
    }
    TermEntry entry = {(uint32_t)b->texts.len, (uint8_t)term.len};
    buffer_str(&b->texts, term);
    buffer_put(&b->entries, &entry, sizeof(entry));
}

// Notes that the row at hand has the term.
static void
pair_add(TermIndexBuilder *b, Slot *slot)
{
    if (slot->latest == b->walk.row + 1)
        return;
    slot->latest = b->walk.row + 1;
    TermRow pair = {slot->number, b->walk.row};
    buffer_put(&b->pairs, &pair, sizeof(pair));
    if (b->pairs.len > PAIRS_MAX * sizeof(pair))
        b->paired = false;
}

static bool
builder_take(void *context, Str term)
{
    TermIndexBuilder *b = context;
    uint64_t hash = term_entry_hash(term);
    size_t at = hash & b->mask;
    while (b->slots[at].hash && b->slots[at].hash != hash)
        at = (at + 1) & b->mask;
    Slot *slot = &b->slots[at];
    bool fresh = !slot->hash;
    if (fresh) {
        *slot = (Slot){.hash = hash, .number = b->count++};
        if (b->listed)
            list_add(b, term);
        b->paired = b->paired && b->listed;
    }
    if (b->paired)
        pair_add(b, slot);
    if (b->count > TERMS_MAX)
        return false;
    return !fresh || (size_t)b->count * 2 <= b->mask || slots_double(b);
}

static int
entry_compare(const void *a, const void *z, void *context)
{
    const char *texts = context;
    const TermEntry *one = a, *other = z;
    return str_compare((Str){texts + one->at, one->len}, (Str){texts + other->at, other->len});
}

static void
put_list(TermIndexBuilder *b)
{
    TermEntry *entries = (TermEntry *)(void *)b->entries.data;
    if (b->count)
        qsort_r(entries, b->count, sizeof(*entries), entry_compare, b->texts.data);
    Buffer *out = &b->out;
    uint32_t restarts = (b->count + TERM_RESTART_EVERY - 1) / TERM_RESTART_EVERY;
    bytes_put_u32(out, restarts);
    size_t places = out->len;
    for (uint32_t i = 0; i < restarts; i++)
        bytes_put_u32(out, 0);
    size_t start = out->len;
    Str before = STR("");
    for (uint32_t i = 0; i < b->count; i++) {
        Str term = {b->texts.data + entries[i].at, entries[i].len};
        size_t shared = 0;
        if (i % TERM_RESTART_EVERY == 0) {
            uint32_t place = (uint32_t)(out->len - start);
            memcpy(out->data + places + i / TERM_RESTART_EVERY * sizeof(place), &place,
                   sizeof(place));
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
    arena_reset(&b->scratch);
    uint64_t *hashes = arena_alloc_array(&b->scratch, b->count, sizeof(*hashes));
    uint32_t count = 0;
    for (size_t i = 0; i <= b->mask; i++)
        if (b->slots[i].hash)
            hashes[count++] = b->slots[i].hash;
    assert(count == b->count);
    return fuse_put(&b->out, &b->scratch, hashes, count);
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
    bytes_put_u8(&b->out, b->walk.guids_cut ? TERM_FLAG_GUIDS_CUT : 0);
    bytes_put_u8(&b->out, 0);
    bytes_put_u8(&b->out, 0);
    bytes_put_u32(&b->out, b->count);
}

bool
term_index_collect(TermIndexBuilder *b, const Vector *values, bool rows)
{
    enum { SLOTS_AT_FIRST = 1024 };
    if (!slots_clear(b, SLOTS_AT_FIRST))
        return false;
    b->count = 0;
    b->listed = true;
    b->paired = b->walk.each_row = rows;
    b->row_count = values->count;
    buffer_clear(&b->pairs);
    buffer_clear(&b->texts);
    buffer_clear(&b->entries);
    b->walk.guids_cut = false;
    b->walk.take = builder_take;
    b->walk.context = b;
    return term_walk_values(&b->walk, values, &b->printed);
}

bool
term_index_list(TermIndexBuilder *b, size_t stored, Str *out)
{
    // Compression makes it half as long, or a third: what is twice too long is not tried.
    if (!b->listed || !term_list_pays((b->texts.len + b->count) / 3, stored))
        return false;
    put_head(b, TERM_KIND_LIST);
    put_list(b);
    *out = buffer_slice(&b->out);
    return true;
}

bool
term_postings_pay(size_t size, size_t stored)
{
    return size <= stored / TERM_POSTINGS_SHARE;
}

bool
term_index_postings(TermIndexBuilder *b, size_t stored, Str *out)
{
    // A pair takes a byte or less, a term some more.
    if (!b->paired || !term_postings_pay(b->pairs.len / sizeof(TermRow) / 2, stored))
        return false;
    put_head(b, TERM_KIND_POSTINGS);
    arena_reset(&b->scratch);
    postings_put(&b->out, &b->scratch, b->texts.data,
                 (const TermEntry *)(const void *)b->entries.data, b->count,
                 (const TermRow *)(const void *)b->pairs.data, b->pairs.len / sizeof(TermRow),
                 b->row_count);
    *out = buffer_slice(&b->out);
    return out->len <= TERM_INDEX_RAW_MAX;
}

bool
term_index_filter(TermIndexBuilder *b, size_t stored, Str *out)
{
    size_t size = fuse_size(b->count) + TERM_HEAD_SIZE;
    if (size > TERM_INDEX_SMALL && size > stored / TERM_FILTER_SHARE)
        return false;
    put_head(b, TERM_KIND_FILTER);
    bool done = put_filter(b);
    *out = buffer_slice(&b->out);
    return done && out->len <= TERM_INDEX_RAW_MAX;
}
