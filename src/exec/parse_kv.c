// parse-kv: values of named keys cut out of a text.
//
// A scanner walks the text once and hands each key with its value to `found`, which
// keeps the first value of every listed key. Its three forms (Kusto docs, parse-kv
// operator):
//
// delimited: the text is pieces between pair delimiters. A piece with a kv delimiter is
// a key and its value; one without is nothing, or, when greedy, more of the value before
// it. A key or value that begins with a quote goes up to the closing one, whatever is in
// between; behind a quoted value the rest of its piece is passed over.
// loose: words are runs of letters and digits, or quoted; the word after a listed key is
// its value.
// regex: every match is a key, group 1, and its value, group 2.
//
// The page leaves open what is decided here: a quote that never closes is a plain
// character; an escape character stands for the next one only before a quote or an
// escape character, so that paths with backslashes survive. White space around keys and
// values is dropped, not inside quotes. A key that is absent, or whose value is not of
// its type, is null (a string: empty).
//
// The walk is linear in the text: no part of it is read again, but for a quote of each
// kind that does not close. A text that is a dictionary is parsed once for each entry.

#include "base/map.h"
#include "exec/internal.h"
#include "function/scalar.h"
#include "value/regex.h"
#include "value/scalar.h"
#include "value/unicode.h"

typedef struct ParseKv {
    const Plan *plan;
    Expr *text;
    const Regex *regex;
    Map keys;           // name -> slot
    uint32_t *outputs;  // slot -> output column
    uint32_t key_count; // slots
} ParseKv;

// One worker's walk over one text.
typedef struct Scan {
    const ParseKv *kv;
    Arena *arena;
    Vector **columns; // by slot
    bool *unclosed;   // by quote: no closing one is ahead in this text
    uint64_t *seen;   // by slot: row + 1 of the last row that had the key
    uint32_t missing; // keys this row has not shown yet
    uint32_t row;
    Str text;
    size_t at;
    size_t word_end; // PARSE_KV_LOOSE: where a word without quotes ended last
} Scan;

// ---- preparation ----

static bool
regex_prepare(ParseKv *kv, AzError *error)
{
    // Compiled once a process for equal patterns, so that plans may be run again.
    Expr *pattern = kv->plan->parse_kv.pattern;
    const void *bound = NULL;
    AzError why = {0};
    if (!bind_regex(&pattern, 0, false, &bound, &why))
        return error_at(error, why.code, pattern->span, "%s", why.message);
    kv->regex = bound;
    int groups = regex_group_count(kv->regex);
    return groups == 2 ||
           error_at(error, AZ_SEMANTIC, pattern->span,
                    "the regular expression of parse-kv needs two groups, for the key and the "
                    "value; this one has %d",
                    groups);
}

bool
parse_kv_prepare(Exec *exec, const Plan *plan, void **state, AzError *error)
{
    ParseKv *kv = ARENA_NEW(exec->arena, ParseKv);
    *state = kv;
    kv->plan = plan;
    kv->text = resolve_subqueries(exec, plan->parse_kv.text, error);
    if (!kv->text)
        return false;
    map_init(&kv->keys, exec->arena, false);
    kv->outputs = ARENA_ARRAY(exec->arena, uint32_t, plan->schema.count);
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        if (plan->parse_kv.carried[c] != UINT32_MAX)
            continue;
        bool is_new;
        map_add(&kv->keys, plan->schema.columns[c].name, &is_new)->number = kv->key_count;
        kv->outputs[kv->key_count++] = c;
    }
    return plan->parse_kv.form != PARSE_KV_REGEX || regex_prepare(kv, error);
}

// ---- what is found ----

static const MapEntry *
find_key(const Scan *scan, Str key)
{
    return map_find(&scan->kv->keys, key);
}

static void
found(Scan *scan, Str key, Str value)
{
    const MapEntry *entry = find_key(scan, key);
    if (!entry || scan->seen[entry->number] == (uint64_t)scan->row + 1)
        return;
    scan->seen[entry->number] = (uint64_t)scan->row + 1;
    scan->missing--;
    parse_write_cell(scan->arena, scan->columns[entry->number], value, scan->row);
}

// ---- quotes ----

static Str
rest_of(const Scan *scan)
{
    return str_slice(scan->text, scan->at, scan->text.len);
}

// Length of the escape character at the start of `s`, 0 when there is none.
static size_t
escape_length(const Scan *scan, Str s)
{
    const Plan *plan = scan->kv->plan;
    for (uint32_t i = 0; i < plan->parse_kv.escape_count; i++)
        if (str_starts(s, plan->parse_kv.escapes[i]))
            return plan->parse_kv.escapes[i].len;
    return 0;
}

// Length of the character at the start of `s` when an escape before it counts.
static size_t
escaped_length(const Scan *scan, Str s, const KvQuote *quote)
{
    if (str_starts(s, quote->close))
        return quote->close.len;
    if (str_starts(s, quote->open))
        return quote->open.len;
    return escape_length(scan, s);
}

// Reads `s` up to the closing quote: *out gets the text, without its escapes. Returns
// how much was read with the quote, 0 when it does not close.
static size_t
read_to_close(Scan *scan, Str s, const KvQuote *quote, Str *out)
{
    Buffer plain = {0}; // as soon as there is an escape
    size_t i = 0, copied = 0;
    while (i < s.len) {
        Str rest = str_slice(s, i, s.len);
        size_t escape = escape_length(scan, rest);
        size_t skip = escape ? escaped_length(scan, str_slice(rest, escape, rest.len), quote) : 0;
        if (skip) {
            buffer_str(&plain, str_slice(s, copied, i));
            copied = i + escape;
            i += escape + skip;
        } else if (str_starts(rest, quote->close)) {
            break;
        } else {
            i++;
        }
    }
    bool closed = i < s.len;
    *out = str_slice(s, 0, i);
    if (closed && copied) {
        buffer_str(&plain, str_slice(s, copied, i));
        *out = str_copy(scan->arena, buffer_slice(&plain));
    }
    buffer_free(&plain);
    return closed ? i + quote->close.len : 0;
}

// Reads the quoted text at the cursor, if there is one, and moves behind it.
static bool
read_quoted(Scan *scan, Str *out)
{
    const Plan *plan = scan->kv->plan;
    Str rest = rest_of(scan);
    for (uint32_t q = 0; q < plan->parse_kv.quote_count; q++) {
        const KvQuote *quote = &plan->parse_kv.quotes[q];
        if (scan->unclosed[q] || !str_starts(rest, quote->open))
            continue;
        size_t length = read_to_close(scan, str_slice(rest, quote->open.len, rest.len), quote, out);
        if (length) {
            scan->at += quote->open.len + length;
            return true;
        }
        scan->unclosed[q] = true;
    }
    return false;
}

// ---- delimited ----

static bool
at_pair(const Scan *scan)
{
    return str_starts(rest_of(scan), scan->kv->plan->parse_kv.pair_delimiter);
}

// Where both could begin, the longer one does.
static bool
at_kv(const Scan *scan)
{
    const Plan *plan = scan->kv->plan;
    bool pair_wins = plan->parse_kv.pair_delimiter.len > plan->parse_kv.kv_delimiter.len;
    return str_starts(rest_of(scan), plan->parse_kv.kv_delimiter) && !(pair_wins && at_pair(scan));
}

// White space that is not (the start of) a delimiter.
static void
skip_space(Scan *scan)
{
    while (scan->at < scan->text.len && !at_pair(scan) && !at_kv(scan) &&
           !str_trim(str_slice(scan->text, scan->at, scan->at + 1)).len)
        scan->at++;
}

// Moves to the next pair delimiter, or the kv delimiter when `key` is set, or the end.
static void
skip_piece(Scan *scan, bool key)
{
    const Plan *plan = scan->kv->plan;
    char pair = plan->parse_kv.pair_delimiter.ptr[0], kv = plan->parse_kv.kv_delimiter.ptr[0];
    for (; scan->at < scan->text.len; scan->at++) {
        char c = scan->text.ptr[scan->at];
        if ((c == pair && at_pair(scan)) || (key && c == kv && at_kv(scan)))
            return;
    }
}

// Reads the start of a piece up to its kv delimiter and moves behind that. False, with
// the cursor at the piece's end, when it has none.
static bool
read_key(Scan *scan, Str *key)
{
    const Plan *plan = scan->kv->plan;
    skip_space(scan);
    size_t start = scan->at;
    bool quoted = read_quoted(scan, key);
    if (quoted)
        skip_space(scan);
    if (quoted && !at_kv(scan)) { // no key: it may hold a kv delimiter further on
        skip_piece(scan, false);
        return false;
    }
    if (!quoted) {
        skip_piece(scan, true);
        *key = str_trim(str_slice(scan->text, start, scan->at));
    }
    if (scan->at >= scan->text.len || !at_kv(scan))
        return false;
    scan->at += plan->parse_kv.kv_delimiter.len;
    return true;
}

static void
scan_delimited(Scan *scan)
{
    const Plan *plan = scan->kv->plan;
    Str key = {0}, value = {0};
    bool open = false, quoted = false; // a key waits for the end of its value
    size_t start = 0, end = 0;         // of the value, unless quoted
    while (scan->at < scan->text.len && scan->missing) {
        Str next;
        if (read_key(scan, &next)) {
            if (open)
                found(scan, key, quoted ? value : str_trim(str_slice(scan->text, start, end)));
            key = next;
            open = true;
            skip_space(scan);
            start = scan->at;
            quoted = read_quoted(scan, &value);
            skip_piece(scan, false);
            end = scan->at;
        } else if (plan->parse_kv.greedy) {
            end = scan->at;
        }
        if (scan->at < scan->text.len)
            scan->at += plan->parse_kv.pair_delimiter.len;
    }
    if (open && scan->missing)
        found(scan, key, quoted ? value : str_trim(str_slice(scan->text, start, end)));
}

// ---- loose ----

// The next word, quoted or of letters and digits. False at the end. A quote right
// behind a word is an apostrophe: it opens nothing.
static bool
read_word(Scan *scan, Str *word)
{
    while (scan->at < scan->text.len) {
        if (scan->at != scan->word_end && read_quoted(scan, word))
            return true;
        size_t start = scan->at, next = start;
        while (next < scan->text.len && unicode_is_term(utf8_next(scan->text, &next)))
            scan->at = next;
        if (scan->at > start) {
            *word = str_slice(scan->text, start, scan->at);
            scan->word_end = scan->at;
            return true;
        }
        scan->at = next;
    }
    return false;
}

static void
scan_loose(Scan *scan)
{
    Str key, value;
    while (scan->missing && read_word(scan, &key))
        if (find_key(scan, key) && read_word(scan, &value))
            found(scan, key, value);
}

// ---- regex ----

static void
scan_regex(Scan *scan)
{
    Str groups[3];
    while (scan->missing && regex_find(scan->kv->regex, scan->text, scan->at, groups, 3)) {
        if (groups[1].ptr && groups[2].ptr)
            found(scan, str_trim(groups[1]), str_trim(groups[2]));
        scan->at = (size_t)(groups[0].ptr - scan->text.ptr) + groups[0].len;
        if (!groups[0].len) { // a character on, so that the search ends
            if (scan->at >= scan->text.len)
                return;
            utf8_next(scan->text, &scan->at);
        }
    }
}

// ---- rows ----

static void
parse_row(Scan *scan, Str text, uint32_t row)
{
    static void (*const FORMS[])(Scan *) = {
        [PARSE_KV_DELIMITED] = scan_delimited,
        [PARSE_KV_LOOSE] = scan_loose,
        [PARSE_KV_REGEX] = scan_regex,
    };
    const ParseKv *kv = scan->kv;
    scan->row = row;
    scan->text = text;
    scan->at = 0;
    scan->word_end = SIZE_MAX;
    scan->missing = kv->key_count;
    for (uint32_t q = 0; q < kv->plan->parse_kv.quote_count; q++)
        scan->unclosed[q] = false;
    if (text.len)
        FORMS[kv->plan->parse_kv.form](scan);
    for (uint32_t s = 0; s < kv->key_count && scan->missing; s++)
        if (scan->seen[s] != (uint64_t)row + 1)
            vector_set_null(scan->arena, scan->columns[s], row);
}

static Vector **
parse_texts(const ParseKv *kv, Arena *arena, const Vector *texts)
{
    Scan scan = {.kv = kv, .arena = arena};
    scan.columns = ARENA_ARRAY(arena, Vector *, kv->key_count);
    scan.seen = ARENA_ARRAY(arena, uint64_t, kv->key_count);
    scan.unclosed = ARENA_ARRAY(arena, bool, kv->plan->parse_kv.quote_count);
    for (uint32_t s = 0; s < kv->key_count; s++) {
        Type type = kv->plan->schema.columns[kv->outputs[s]].type;
        scan.columns[s] = vector_new_flat(arena, type, texts->count);
    }
    for (uint32_t i = 0; i < texts->count; i++)
        parse_row(&scan, text_str(&((const Text *)texts->data)[i]), i);
    return scan.columns;
}

bool
parse_kv_push(Operator *self, Worker *worker, Batch *batch)
{
    const ParseKv *kv = self->state;
    const Plan *plan = kv->plan;
    Arena *arena = &worker->batch;
    const Vector *text = evaluate(worker, kv->text, batch);
    if (!text)
        return false;
    uint32_t rows = batch->selected;
    bool peel = text->encoding == ENC_DICT && text->dict->count <= rows;
    Vector **parsed = parse_texts(kv, arena, peel ? text->dict : vector_flatten(arena, text));
    Batch *out = batch_new(arena, plan->schema.count, rows);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (plan->parse_kv.carried[c] != UINT32_MAX)
            out->columns[c] = batch_column(arena, batch, plan->parse_kv.carried[c]);
    for (uint32_t s = 0; s < kv->key_count; s++)
        out->columns[kv->outputs[s]] =
            peel ? vector_new_dict(arena, parsed[s], text->codes, rows) : parsed[s];
    return operator_emit(self, worker, out);
}
