// Term indexes: reading and asking; see term_index.h.

#include "store/term_parts.h"
#include "value/unicode.h"

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
    char term[TERM_ENTRY_MAX];
    size_t len;
} ListReader;

static void
list_begin(const TermIndex *index, uint32_t restart, ListReader *reader)
{
    reader->at = index->entries + (restart < index->restarts ? restart_place(index, restart) : 0);
    reader->next = restart * TERM_RESTART_EVERY;
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
    char term[2][TERM_ENTRY_MAX];
    size_t len = 0;
    for (uint32_t i = 0; i < index->count; i++) {
        const char *before = term[i & 1];
        char *here = term[~i & 1];
        bool restart = i % TERM_RESTART_EVERY == 0;
        if (restart &&
            restart_place(index, i / TERM_RESTART_EVERY) != (size_t)(at - index->entries))
            return false;
        if (index->end - at < 2)
            return false;
        size_t shared = at[0], more = at[1];
        if (shared > (restart ? 0 : len) || shared + more > TERM_ENTRY_MAX ||
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
    *index = (TermIndex){.bytes = bytes};
    ByteReader reader = {(const uint8_t *)bytes.ptr, (const uint8_t *)bytes.ptr + bytes.len, false};
    uint8_t kind = bytes_u8(&reader), flags = bytes_u8(&reader);
    bool zero = bytes_u8(&reader) == 0;
    zero = bytes_u8(&reader) == 0 && zero;
    index->count = bytes_u32(&reader);
    index->is_list = kind == TERM_KIND_LIST;
    index->cuts_guids = flags & TERM_FLAG_GUIDS_CUT;
    if (reader.bad || !zero || flags > TERM_FLAG_GUIDS_CUT)
        return false;
    if (kind == TERM_KIND_FILTER)
        return fuse_get(&reader, &index->filter);
    if (kind == TERM_KIND_POSTINGS)
        return postings_open(&reader, index);
    index->restarts = bytes_u32(&reader);
    uint64_t wanted = ((uint64_t)index->count + TERM_RESTART_EVERY - 1) / TERM_RESTART_EVERY;
    if (kind != TERM_KIND_LIST || reader.bad || index->restarts != wanted)
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
    for (uint32_t i = 0; i < TERM_RESTART_EVERY && list_next(index, &reader); i++)
        if (str_equal((Str){reader.term, reader.len}, term))
            return true;
    return false;
}

static bool
index_holds(const TermIndex *index, Str entry)
{
    if (index->rows)
        return postings_rows(index, entry, NULL);
    return index->is_list ? list_holds(index, entry)
                          : fuse_may_hold(&index->filter, term_entry_hash(entry));
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
    return fits && term_all_hex(folded);
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
    if (index->rows)
        return postings_part_rows(index, folded, begins, ends, NULL);
    return !index->is_list || list_holds_part(index, folded, begins, ends);
}

bool
term_index_may_hold(const TermIndex *index, Str needle, bool begins, bool ends)
{
    // Bytes that are no characters could be found inside of one.
    if (!utf8_valid(needle))
        return true;
    TermCutter cutter = {.text = needle};
    TermNumbers numbers = {0};
    Term term;
    bool may = true;
    while (may && term_next(&cutter, &term)) {
        bool begun = begins || term.start > 0, ended = ends || term.end < needle.len;
        may = part_may_stand(index, term.folded, begun, ended);
        Str three = STR("");
        if (begun && ended)
            three = term_numbers_take(&numbers, needle, &term);
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

// ---- rows ----

// What of a needle's terms narrows its rows.
typedef struct RowSearch {
    const TermIndex *index;
    Arena *arena;
    uint64_t *rows, *other; // those that have all terms so far; memory for the next
    bool narrowed;
} RowSearch;

static uint64_t *
row_set(const RowSearch *search)
{
    size_t words = (search->index->rows + 63) / 64;
    uint64_t *set = arena_alloc_array(search->arena, words, sizeof(*set));
    memset(set, 0, words * sizeof(*set));
    return set;
}

static void
search_term(RowSearch *search, Str folded, bool begins, bool ends)
{
    size_t words = (search->index->rows + 63) / 64;
    uint64_t *set = search->narrowed ? search->other : search->rows;
    memset(set, 0, words * sizeof(*set));
    if (begins && ends)
        postings_rows(search->index, folded, set);
    else
        postings_part_rows(search->index, folded, begins, ends, set);
    for (size_t i = 0; search->narrowed && i < words; i++)
        search->rows[i] &= set[i];
    search->narrowed = true;
}

bool
term_index_rows(const TermIndex *index, Arena *arena, Str needle, bool begins, bool ends,
                uint64_t *rows, bool *exact)
{
    *exact = false;
    if (!index->rows || !utf8_valid(needle))
        return false;
    RowSearch search = {.index = index, .arena = arena};
    search.rows = row_set(&search);
    search.other = row_set(&search);
    TermCutter cutter = {.text = needle};
    TermNumbers numbers = {0};
    Term term;
    while (term_next(&cutter, &term)) {
        bool begun = begins || term.start > 0, ended = ends || term.end < needle.len;
        bool told = term.folded.len >= TERM_MIN &&
                    !(index->cuts_guids && may_be_of_guid(term.folded, begun && ended));
        if (told)
            search_term(&search, term.folded, begun, ended);
        // A needle that is one whole term is where the term is.
        if (told && begins && ends && term.start == 0 && term.end == needle.len)
            *exact = true;
        Str three = STR("");
        if (begun && ended)
            three = term_numbers_take(&numbers, needle, &term);
        else
            numbers.count = 0;
        if (three.len)
            search_term(&search, three, true, true);
    }
    bool told = search.narrowed && !cutter.doubtful;
    term_cutter_free(&cutter);
    for (size_t i = 0; told && i < (index->rows + 63) / 64; i++)
        rows[i] |= search.rows[i];
    *exact = *exact && told;
    return told;
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

// Postings of the same values are the same bytes.
static bool
postings_are(const TermIndex *index, const Vector *values)
{
    TermIndexBuilder *builder = term_index_builder_new();
    Str made;
    bool same = builder && term_index_collect(builder, values, true) &&
                term_index_postings(builder, SIZE_MAX, &made) && str_equal(made, index->bytes);
    term_index_builder_free(builder);
    return same;
}

bool
term_index_covers(const TermIndex *index, const Vector *values)
{
    if (index->rows) {
        Arena arena;
        arena_init(&arena);
        bool same = postings_are(index, vector_flatten(&arena, vector_payload(values)));
        arena_free(&arena);
        return same;
    }
    Cover cover = {.index = index};
    TermWalk walk = {.take = cover_take, .context = &cover};
    Buffer printed = {0};
    Arena arena;
    arena_init(&arena);
    bool all = term_walk_values(&walk, vector_flatten(&arena, vector_payload(values)), &printed);
    arena_free(&arena);
    buffer_free(&printed);
    term_cutter_free(&walk.cutter);
    return all && !cover.misses && (index->cuts_guids || !walk.guids_cut);
}
