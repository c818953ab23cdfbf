// reduce: texts grouped by the pattern they share.
//
// The way is Vaarandi's (A data clustering algorithm for mining patterns from event
// logs), as the page of the operator says. A text is a run of terms. The first pass
// counts each term at its place; the second makes the pattern of each text, in which a
// term that few texts have at that place is a star. A pattern of few texts, or without
// any term, is no pattern: such texts are the others. A number tells texts apart more
// often than it says what they are, so it stays a term only where most texts have it.

#include "base/array.h"
#include "base/buffer.h"
#include "exec/internal.h"
#include "exec/keys.h"

typedef struct Counts {
    uint64_t *items; // one a group
    size_t len, cap;
} Counts;

// Groups of keys, and how many rows each has.
typedef struct Counted {
    Arena arena;
    KeyLayout layout;
    GroupTable table;
    Counts counts;
} Counted;

typedef struct Term {
    Str text;
    bool separator;
} Term;

typedef struct Reduce {
    Exec *exec;
    Worker *worker;
    const Plan *plan;
    const ResultTable *input; // its last column is the text
    Counted terms;            // by place and text
    Counted patterns;
    Str *samples; // the first text of each pattern
    size_t sample_cap;
    uint32_t *pattern_of; // of each row
} Reduce;

static void
counted_init(Counted *counted, const Type *types, uint32_t count)
{
    *counted = (Counted){0};
    counted->layout = key_layout(&counted->arena, types, count);
    group_table_init(&counted->table, &counted->layout, 0, &counted->arena);
}

static uint32_t
count_key(Counted *counted, const uint64_t *words, uint64_t hash)
{
    uint32_t before = counted->table.count;
    uint32_t group = group_add(&counted->table, words, hash);
    if (counted->table.count > before)
        ARRAY_PUSH(&counted->arena, &counted->counts, 0);
    counted->counts.items[group]++;
    return group;
}

// ---- terms ----

static bool
divides(const Reduce *reduce, unsigned char c)
{
    Str characters = reduce->plan->reduce.characters;
    if (characters.len)
        return memchr(characters.ptr, c, characters.len) != NULL;
    return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             c >= 0x80);
}

// The next piece of a text: a term, or what stands between two.
static bool
next_term(const Reduce *reduce, Str text, size_t *at, Term *out)
{
    if (*at >= text.len)
        return false;
    size_t start = *at;
    out->separator = divides(reduce, (unsigned char)text.ptr[start]);
    while (*at < text.len && divides(reduce, (unsigned char)text.ptr[*at]) == out->separator)
        ++*at;
    out->text = str_slice(text, start, *at);
    return true;
}

static bool
is_number(Str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

// The terms of all texts of a batch, as key rows of (place, term).
typedef struct TermRows {
    uint64_t *words, *hashes;
    uint32_t count;
} TermRows;

static Str
text_at(const Vector *texts, uint32_t row)
{
    return text_str(vector_cell(texts, row));
}

static TermRows
term_rows(const Reduce *reduce, Arena *arena, const Vector *texts)
{
    TermRows out = {0};
    for (uint32_t i = 0; i < texts->count; i++) {
        Term term;
        for (size_t at = 0; next_term(reduce, text_at(texts, i), &at, &term);)
            out.count += !term.separator;
    }
    Vector *places = vector_new_flat(arena, TYPE_LONG, out.count);
    Vector *terms = vector_new_flat(arena, TYPE_STRING, out.count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < texts->count; i++) {
        Term term;
        int64_t place = 0;
        for (size_t at = 0; next_term(reduce, text_at(texts, i), &at, &term);) {
            if (term.separator)
                continue;
            ((int64_t *)places->data)[n] = place++;
            ((Text *)terms->data)[n++] = text_view(term.text.ptr, term.text.len);
        }
    }
    const Vector *both[2] = {places, terms};
    key_encode(arena, &reduce->terms.layout, both, out.count, &out.words, &out.hashes);
    return out;
}

static bool
count_terms(Reduce *reduce)
{
    for (uint32_t b = 0; b < reduce->input->batch_count; b++) {
        const Batch *batch = reduce->input->batches[b];
        Arena part = {0};
        TermRows rows = term_rows(reduce, &part, batch->columns[batch->column_count - 1]);
        for (uint32_t i = 0; i < rows.count; i++)
            count_key(&reduce->terms, rows.words + (size_t)i * reduce->terms.layout.words,
                      rows.hashes[i]);
        arena_free(&part);
        if (!worker_check(reduce->worker) ||
            !worker_reserve(reduce->worker, reduce->terms.arena.allocated, "the terms of reduce"))
            return false;
    }
    return true;
}

// ---- patterns ----

static bool
is_frequent(const Reduce *reduce, uint32_t group, Str term)
{
    uint64_t count = reduce->terms.counts.items[group], rows = reduce->input->row_count;
    return (double)count > reduce->plan->reduce.threshold * (double)rows &&
           (!is_number(term) || count > rows / 2);
}

// A star stands for terms and, when the query names what divides terms, for what stands
// beside them; stars that touch are one.
static void
put_star(Buffer *out)
{
    if (!out->len || out->data[out->len - 1] != '*')
        buffer_char(out, '*');
}

// The pattern of one text; empty when none of its terms is frequent. `row` walks over
// the term rows of the batch.
static void
write_pattern(const Reduce *reduce, Str text, const TermRows *rows, uint32_t *row, Buffer *out)
{
    bool swallow = reduce->plan->reduce.characters.len > 0, any = false;
    Str held = {0}; // a separator that a star may take
    Term term;
    buffer_clear(out);
    for (size_t at = 0; next_term(reduce, text, &at, &term);) {
        if (term.separator) {
            held = term.text;
            continue;
        }
        uint32_t group =
            group_find(&reduce->terms.table,
                       rows->words + (size_t)*row * reduce->terms.layout.words, rows->hashes[*row]);
        ++*row;
        bool frequent = is_frequent(reduce, group, term.text);
        bool behind_star = out->len && out->data[out->len - 1] == '*';
        if (!swallow || (frequent && !behind_star))
            buffer_str(out, held);
        held = (Str){0};
        if (frequent)
            buffer_str(out, term.text);
        else
            put_star(out);
        any = any || frequent;
    }
    if (!swallow || !out->len || out->data[out->len - 1] != '*')
        buffer_str(out, held);
    if (!any)
        buffer_clear(out);
}

static void
keep_sample(Reduce *reduce, uint32_t pattern, Str text)
{
    if (pattern >= reduce->sample_cap) {
        size_t cap = reduce->sample_cap ? reduce->sample_cap * 2 : 64;
        Str *grown = ARENA_ARRAY(&reduce->patterns.arena, Str, cap);
        if (reduce->sample_cap)
            memcpy(grown, reduce->samples, reduce->sample_cap * sizeof(Str));
        reduce->samples = grown;
        reduce->sample_cap = cap;
    }
    reduce->samples[pattern] = str_copy(&reduce->patterns.arena, text);
}

static bool
find_patterns(Reduce *reduce)
{
    Buffer pattern = {0};
    uint32_t row = 0;
    bool done = true;
    reduce->pattern_of =
        arena_alloc_array(&reduce->worker->keep, reduce->input->row_count, sizeof(uint32_t));
    for (uint32_t b = 0; b < reduce->input->batch_count && done; b++) {
        const Batch *batch = reduce->input->batches[b];
        const Vector *texts = batch->columns[batch->column_count - 1];
        Arena part = {0};
        TermRows rows = term_rows(reduce, &part, texts);
        Vector *patterns = vector_new_flat(&part, TYPE_STRING, batch->count);
        uint32_t term = 0;
        for (uint32_t i = 0; i < batch->count; i++) {
            write_pattern(reduce, text_at(texts, i), &rows, &term, &pattern);
            ((Text *)patterns->data)[i] = text_copy(&part, buffer_slice(&pattern));
        }
        uint64_t *words, *hashes;
        const Vector *keys[1] = {patterns};
        key_encode(&part, &reduce->patterns.layout, keys, batch->count, &words, &hashes);
        for (uint32_t i = 0; i < batch->count; i++) {
            uint32_t before = reduce->patterns.table.count;
            uint32_t group = count_key(
                &reduce->patterns, words + (size_t)i * reduce->patterns.layout.words, hashes[i]);
            if (reduce->patterns.table.count > before)
                keep_sample(reduce, group, text_at(texts, i));
            reduce->pattern_of[row++] = group;
        }
        arena_free(&part);
        done = worker_check(reduce->worker) && worker_charge(reduce->worker, "reduce") &&
               worker_reserve(reduce->worker, reduce->patterns.arena.allocated,
                              "the patterns of reduce");
    }
    buffer_free(&pattern);
    return done;
}

// ---- the answer ----

typedef struct Found {
    uint32_t pattern;
    uint64_t count;
} Found;

static int
found_order(const void *a, const void *b)
{
    const Found *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->pattern > y->pattern) - (x->pattern < y->pattern);
}

// The text of each pattern; empty when its texts are of the others.
static const Vector *
pattern_texts(const Reduce *reduce, Arena *arena)
{
    uint32_t count = reduce->patterns.table.count;
    const uint64_t **rows = ARENA_ARRAY(arena, const uint64_t *, count);
    for (uint32_t p = 0; p < count; p++)
        rows[p] = group_row(&reduce->patterns.table, p);
    Vector *texts = key_decode(arena, &reduce->patterns.layout, 0, rows, count);
    double least = reduce->plan->reduce.threshold * (double)reduce->input->row_count;
    for (uint32_t p = 0; p < count; p++)
        if (!((double)reduce->patterns.counts.items[p] > least))
            ((Text *)texts->data)[p] = (Text){0};
    return texts;
}

static ResultTable *
write_summary(Reduce *reduce)
{
    Arena *arena = reduce->exec->arena, *keep = &reduce->worker->keep;
    const Vector *texts = pattern_texts(reduce, keep);
    uint32_t count = reduce->patterns.table.count, rows = 0;
    Found *found = ARENA_ARRAY(arena, Found, count);
    uint64_t others = 0;
    for (uint32_t p = 0; p < count; p++) {
        if (text_at(texts, p).len)
            found[rows++] = (Found){p, reduce->patterns.counts.items[p]};
        else
            others += reduce->patterns.counts.items[p];
    }
    if (rows)
        qsort(found, rows, sizeof(Found), found_order);
    Batch *whole = batch_new(arena, 3, rows + (others > 0));
    Vector *patterns = vector_new_flat(keep, TYPE_STRING, whole->count);
    Vector *counts = vector_new_flat(keep, TYPE_LONG, whole->count);
    Vector *samples = vector_new_flat(keep, TYPE_STRING, whole->count);
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t p = found[i].pattern;
        ((Text *)patterns->data)[i] = text_copy(keep, text_at(texts, p));
        ((int64_t *)counts->data)[i] = (int64_t)found[i].count;
        ((Text *)samples->data)[i] = text_copy(keep, reduce->samples[p]);
    }
    if (others) {
        ((Text *)patterns->data)[rows] = text_view("others", 6);
        ((int64_t *)counts->data)[rows] = (int64_t)others;
    }
    whole->columns[0] = patterns;
    whole->columns[1] = counts;
    whole->columns[2] = samples;
    return result_cut(arena, &reduce->plan->schema, whole);
}

// kind=source: the rows as they were, with the pattern behind.
static ResultTable *
write_rows(Reduce *reduce)
{
    Arena *arena = reduce->exec->arena, *keep = &reduce->worker->keep;
    const Vector *found = pattern_texts(reduce, keep);
    Vector *texts = vector_new_flat(keep, TYPE_STRING, found->count);
    for (uint32_t p = 0; p < found->count; p++)
        ((Text *)texts->data)[p] =
            text_at(found, p).len ? text_copy(keep, text_at(found, p)) : text_view("others", 6);
    ResultTable *result = ARENA_NEW(arena, ResultTable);
    *result = *reduce->input;
    result->schema = reduce->plan->schema;
    result->batches = ARENA_ARRAY(arena, Batch *, result->batch_count);
    uint32_t row = 0;
    for (uint32_t b = 0; b < result->batch_count; b++) {
        const Batch *from = reduce->input->batches[b];
        Batch *batch = batch_new(arena, from->column_count, from->count);
        memcpy(batch->columns, from->columns, from->column_count * sizeof(*batch->columns));
        batch->columns[from->column_count - 1] =
            vector_new_dict(keep, texts, reduce->pattern_of + row, from->count);
        row += from->count;
        result->batches[b] = batch;
    }
    return result;
}

static ResultTable *
reduce_rows(Reduce *reduce)
{
    static const Type TERM[] = {TYPE_LONG, TYPE_STRING}, PATTERN[] = {TYPE_STRING};
    counted_init(&reduce->terms, TERM, 2);
    counted_init(&reduce->patterns, PATTERN, 1);
    ResultTable *result = NULL;
    if (count_terms(reduce) && find_patterns(reduce)) {
        result = reduce->plan->reduce.keeps_rows ? write_rows(reduce) : write_summary(reduce);
        if (!worker_charge(reduce->worker, "the rows of reduce"))
            result = NULL;
    }
    arena_free(&reduce->terms.arena);
    arena_free(&reduce->patterns.arena);
    return result;
}

ResultTable *
run_reduce(Exec *exec, const Plan *plan, AzError *error)
{
    Pipeline pipeline = {0};
    Expr **text = ARENA_ARRAY(exec->arena, Expr *, 1);
    text[0] = resolve_subqueries(exec, plan->reduce.text, error);
    if (!text[0] || !pipeline_build(exec, plan->input, &pipeline, error))
        return NULL;
    pipeline_extend(exec, &pipeline, plan, text, 1);
    uint32_t columns = plan->input->schema.count;
    Schema schema = {ARENA_ARRAY(exec->arena, Column, columns + 1), columns + 1};
    memcpy(schema.columns, plan->input->schema.columns, columns * sizeof(Column));
    schema.columns[columns] = (Column){STR("$text"), TYPE_STRING};
    ResultTable *input = pipeline_collect(exec, &pipeline, &schema, -1, error);
    if (!input)
        return NULL;
    if (input->row_count >= UINT32_MAX) {
        error_at(error, AZ_LIMIT, plan->span, "too many rows for reduce");
        return NULL;
    }
    Reduce reduce = {.exec = exec, .worker = &exec->workers[0], .plan = plan, .input = input};
    ResultTable *result = reduce_rows(&reduce);
    if (!exec_first_error(exec, error))
        return NULL;
    return result;
}
