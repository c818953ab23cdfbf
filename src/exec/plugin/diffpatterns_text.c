// diffpatterns_text: patterns of words that one set of texts has more often than another.
//
// A pattern is a run of words with wildcards between, each for one word; words are cut at
// white space. How patterns are found is open in the documentation. Here: the words whose
// share differs most between the sets are seeds; a seed grows by the word behind or in
// front of it, with up to three wildcards between, that gives the greatest score, the
// geometric mean of the difference and the number of words, as long as that rises. Of
// what comes out, patterns that differ by less than the threshold or have too few words
// go, and those whose words all stand in a better one.

#include "base/array.h"
#include "base/map.h"
#include "exec/plugin.h"

#include <math.h>

enum { PARAM_TEXT, PARAM_CONDITION, PARAM_MIN, PARAM_THRESHOLD, PARAM_MAX };
enum { GAP_MOST = 3, SEEDS_MOST = 200, TOKENS_MOST = 20, SETS = 2 };
#define THRESHOLD_DEFAULT 0.05

static bool
text_bind(PluginBind *bind)
{
    static const Column COLUMNS[] = {
        {STR_INIT("Count_of_True"), TYPE_LONG},   {STR_INIT("Count_of_False"), TYPE_LONG},
        {STR_INIT("Percent_of_True"), TYPE_REAL}, {STR_INIT("Percent_of_False"), TYPE_REAL},
        {STR_INIT("Pattern"), TYPE_STRING},
    };
    bind->call->schema =
        (Schema){arena_copy(bind->arena, COLUMNS, sizeof(COLUMNS)), COUNT_OF(COLUMNS)};
    bind->call->serialized = true;
    return true;
}

// A text as the numbers of its words.
typedef struct Document {
    uint32_t *words;
    uint32_t count;
    uint8_t set; // 0: the condition is true
} Document;

typedef struct Words {
    PluginRun *run;
    Arena *arena;
    Map numbers; // word -> number
    Document *documents;
    uint32_t count;
    // Where each word stands: places[starts[word]] .. places[starts[word + 1]].
    struct Place {
        uint32_t document, at;
    } * places;
    uint32_t *starts;
    double total[SETS];
    // By word, while extensions are counted: documents that have it there.
    uint32_t *hits[SETS], *last; // last: document + 1 that counted
    uint32_t *touched;
} Words;

// words[k] at place[k] behind the first; places ascend from 0.
typedef struct Phrase {
    uint32_t words[TOKENS_MOST];
    int32_t places[TOKENS_MOST];
    uint32_t length;
    uint32_t counts[SETS];
    double difference;
} Phrase;

// ---- reading ----

static bool
next_word(Str *rest, Str *out)
{
    *rest = str_trim(*rest);
    size_t end = 0;
    while (end < rest->len && !strchr(" \t\r\n\v\f", rest->ptr[end]))
        end++;
    *out = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return out->len > 0;
}

static void
read_document(Words *w, Document *document, const Text *text)
{
    Str rest = text_str(text), word;
    uint32_t count = 0;
    while (next_word(&rest, &word))
        count++;
    document->words = ARENA_ARRAY(w->arena, uint32_t, count + 1);
    rest = text_str(text);
    while (next_word(&rest, &word)) {
        bool is_new;
        MapEntry *entry = map_add(&w->numbers, word, &is_new);
        if (is_new)
            entry->number = w->numbers.len - 1;
        document->words[document->count++] = (uint32_t)entry->number;
    }
}

// The index of the places of each word.
static bool
index_words(Words *w)
{
    size_t total = 0;
    for (uint32_t d = 0; d < w->count; d++)
        total += w->documents[d].count;
    if (total >= UINT32_MAX)
        return plugin_error(w->run, AZ_LIMIT, w->run->call->span, "too many words"), false;
    w->starts = ARENA_ARRAY(w->arena, uint32_t, w->numbers.len + 2);
    w->places = arena_alloc_array(w->arena, total + 1, sizeof(*w->places));
    for (uint32_t d = 0; d < w->count; d++)
        for (uint32_t at = 0; at < w->documents[d].count; at++)
            w->starts[w->documents[d].words[at] + 2]++;
    for (size_t word = 0; word < w->numbers.len; word++)
        w->starts[word + 2] += w->starts[word + 1];
    for (uint32_t d = 0; d < w->count; d++)
        for (uint32_t at = 0; at < w->documents[d].count; at++)
            w->places[w->starts[w->documents[d].words[at] + 1]++] = (struct Place){d, at};
    return true;
}

static bool
read_words(Words *w)
{
    PluginRun *run = w->run;
    Worker *worker = &run->exec->workers[0];
    Expr *exprs[] = {plugin_arg(run->call, PARAM_TEXT)->expr,
                     plugin_arg(run->call, PARAM_CONDITION)->expr};
    const Batch *columns = plugin_columns(run, run->plan->input, exprs, 2);
    if (!columns)
        return false;
    w->documents = ARENA_ARRAY(w->arena, Document, columns->count + 1);
    map_init(&w->numbers, w->arena, false);
    for (uint32_t i = 0; i < columns->count; i++) {
        if (vector_is_null(columns->columns[1], i))
            continue;
        Document *document = &w->documents[w->count++];
        document->set = !*(const uint8_t *)vector_cell(columns->columns[1], i);
        w->total[document->set]++;
        read_document(w, document, vector_cell(columns->columns[0], i));
        if (!(i % 1024) && !(worker_check(worker) && worker_charge(worker, "the words of texts")))
            return exec_first_error(run->exec, run->error);
    }
    for (int s = 0; s < SETS; s++)
        w->hits[s] = ARENA_ARRAY(w->arena, uint32_t, w->numbers.len + 1);
    w->last = ARENA_ARRAY(w->arena, uint32_t, w->numbers.len + 1);
    w->touched = ARENA_ARRAY(w->arena, uint32_t, w->numbers.len + 1);
    if (!index_words(w))
        return false;
    return worker_charge(worker, "the words of texts") || exec_first_error(run->exec, run->error);
}

static double
difference(const Words *w, const uint32_t *counts)
{
    double share[SETS];
    for (int s = 0; s < SETS; s++)
        share[s] = w->total[s] > 0 ? counts[s] / w->total[s] : 0;
    return fabs(share[0] - share[1]);
}

// ---- growing ----

static bool
phrase_at(const Phrase *phrase, const Document *document, uint32_t at)
{
    for (uint32_t k = 0; k < phrase->length; k++)
        if (at + (uint32_t)phrase->places[k] >= document->count ||
            document->words[at + (uint32_t)phrase->places[k]] != phrase->words[k])
            return false;
    return true;
}

// Counts, for each word, the documents that have it `offset` from the phrase's first word.
static uint32_t
count_beside(Words *w, const Phrase *phrase, int64_t offset)
{
    uint32_t touched = 0;
    for (uint32_t p = w->starts[phrase->words[0]]; p < w->starts[phrase->words[0] + 1]; p++) {
        uint32_t d = w->places[p].document, at = w->places[p].at;
        const Document *document = &w->documents[d];
        int64_t beside = at + offset;
        if (beside < 0 || beside >= document->count || !phrase_at(phrase, document, at))
            continue;
        uint32_t word = document->words[beside];
        if (w->last[word] == d + 1)
            continue;
        if (!w->last[word])
            w->touched[touched++] = word;
        w->last[word] = d + 1;
        w->hits[document->set][word]++;
    }
    return touched;
}

static Phrase
extended(const Phrase *phrase, uint32_t word, int64_t offset)
{
    Phrase out = *phrase;
    out.length++;
    if (offset > 0) {
        out.words[phrase->length] = word;
        out.places[phrase->length] = (int32_t)offset;
        return out;
    }
    for (uint32_t k = 0; k < phrase->length; k++) {
        out.words[k + 1] = phrase->words[k];
        out.places[k + 1] = phrase->places[k] - (int32_t)offset;
    }
    out.words[0] = word;
    out.places[0] = 0;
    return out;
}

static double
score_of(const Phrase *phrase)
{
    return phrase->difference * phrase->length;
}

// The best extension at one offset, when it beats *best.
static void
extend_at(Words *w, const Phrase *phrase, int64_t offset, Phrase *best)
{
    uint32_t touched = count_beside(w, phrase, offset);
    for (uint32_t i = 0; i < touched; i++) {
        uint32_t word = w->touched[i], counts[SETS] = {w->hits[0][word], w->hits[1][word]};
        double gap = difference(w, counts);
        w->hits[0][word] = w->hits[1][word] = w->last[word] = 0;
        if (gap * (phrase->length + 1) <= score_of(best) * (1 + 1e-12))
            continue;
        *best = extended(phrase, word, offset);
        memcpy(best->counts, counts, sizeof(counts));
        best->difference = gap;
    }
}

// False when the query must stop.
static bool
grow(Words *w, Phrase *phrase, uint32_t tokens_most)
{
    while (phrase->length < tokens_most) {
        Phrase best = *phrase;
        int64_t end = phrase->places[phrase->length - 1];
        for (int64_t gap = 1; gap <= GAP_MOST + 1; gap++) {
            extend_at(w, phrase, end + gap, &best);
            extend_at(w, phrase, -gap, &best);
        }
        if (!plugin_check(w->run))
            return false;
        if (best.length == phrase->length)
            return true;
        *phrase = best;
    }
    return true;
}

// ---- choosing ----

typedef struct PhraseList {
    Phrase *items;
    size_t len, cap;
} PhraseList;

static int
difference_order(const void *a, const void *b)
{
    const Phrase *x = a, *y = b;
    if (x->difference != y->difference)
        return x->difference > y->difference ? -1 : 1;
    if (x->length != y->length)
        return x->length > y->length ? -1 : 1;
    int order = memcmp(x->words, y->words, sizeof(x->words));
    return order ? order : memcmp(x->places, y->places, sizeof(x->places));
}

static int
score_order(const void *a, const void *b)
{
    double x = score_of(a), y = score_of(b);
    return x != y ? (x > y ? -1 : 1) : difference_order(a, b);
}

// The words that differ most, as phrases of one.
static void
find_seeds(Words *w, double threshold, PhraseList *out)
{
    for (uint32_t d = 0; d < w->count; d++) {
        const Document *document = &w->documents[d];
        for (uint32_t at = 0; at < document->count; at++) {
            uint32_t word = document->words[at];
            if (w->last[word] == d + 1)
                continue;
            w->last[word] = d + 1;
            w->hits[document->set][word]++;
        }
    }
    for (uint32_t word = 0; word < w->numbers.len; word++) {
        Phrase seed = {
            .words = {word}, .length = 1, .counts = {w->hits[0][word], w->hits[1][word]}};
        seed.difference = difference(w, seed.counts);
        w->hits[0][word] = w->hits[1][word] = w->last[word] = 0;
        if (seed.difference >= threshold)
            ARRAY_PUSH(w->arena, out, seed);
    }
    if (out->len)
        qsort(out->items, out->len, sizeof(Phrase), difference_order);
    if (out->len > SEEDS_MOST)
        out->len = SEEDS_MOST;
}

// Whether `part` stands in `whole`: the same words at the same distances.
static bool
is_part(const Phrase *part, const Phrase *whole)
{
    for (uint32_t start = 0; start < whole->length; start++) {
        uint32_t k = 0, at = start;
        for (; k < part->length && at < whole->length; at++)
            if (whole->words[at] == part->words[k] &&
                whole->places[at] - whole->places[start] == part->places[k])
                k++;
        if (k == part->length)
            return true;
    }
    return false;
}

static void
choose(PhraseList *list, uint32_t tokens_least, double threshold)
{
    size_t kept = 0;
    if (list->len)
        qsort(list->items, list->len, sizeof(Phrase), score_order);
    for (size_t i = 0; i < list->len; i++) {
        const Phrase *phrase = &list->items[i];
        bool wanted = phrase->length >= tokens_least && phrase->difference >= threshold;
        for (size_t k = 0; k < kept && wanted; k++)
            wanted = !is_part(phrase, &list->items[k]);
        if (wanted)
            list->items[kept++] = *phrase;
    }
    list->len = kept;
    if (kept)
        qsort(list->items, kept, sizeof(Phrase), difference_order);
}

static double
percent(const Words *w, const Phrase *phrase, int set)
{
    double share = w->total[set] > 0 ? phrase->counts[set] / w->total[set] : 0;
    return round(share * 10000) / 100;
}

static ResultTable *
write_phrases(Words *w, const PhraseList *list)
{
    RowWriter writer;
    writer_open(&writer, w->run);
    Buffer text = {0};
    for (size_t i = 0; i < list->len; i++) {
        const Phrase *phrase = &list->items[i];
        buffer_clear(&text);
        for (uint32_t k = 0; k < phrase->length; k++) {
            for (int32_t gap = k ? phrase->places[k - 1] + 1 : 0; gap < phrase->places[k]; gap++)
                buffer_text(&text, " *");
            if (k)
                buffer_char(&text, ' ');
            buffer_str(&text, w->numbers.entries[phrase->words[k]].key);
        }
        Value pattern = value_string(buffer_slice(&text));
        writer_long(&writer, phrase->counts[0]);
        writer_long(&writer, phrase->counts[1]);
        writer_real(&writer, percent(w, phrase, 0));
        writer_real(&writer, percent(w, phrase, 1));
        writer_value(&writer, &pattern);
        if (!writer_end_row(&writer))
            break;
    }
    buffer_free(&text);
    return writer_finish(&writer);
}

// A whole number between `least` and `most`.
static bool
number(PluginRun *run, uint32_t param, int64_t least, int64_t most, int64_t fallback, uint32_t *out)
{
    Value value;
    if (!plugin_value(run, param, TYPE_LONG, &value))
        return false;
    int64_t given = value.is_null ? fallback : value.int64;
    *out = (uint32_t)given;
    if (given >= least && given <= most)
        return true;
    plugin_error(run, AZ_INVALID, plugin_arg(run->call, param)->span,
                 "the argument '%s' of %s must be between %lld and %lld",
                 run->call->plugin->params[param].name, run->call->plugin->name, (long long)least,
                 (long long)most);
    return false;
}

static ResultTable *
text_run(PluginRun *run)
{
    Words words = {.run = run, .arena = &run->exec->workers[0].keep};
    PhraseList list = {0};
    uint32_t tokens_least, tokens_most;
    Value threshold;
    if (!number(run, PARAM_MIN, 0, 200, 1, &tokens_least) ||
        !number(run, PARAM_MAX, 0, TOKENS_MOST, TOKENS_MOST, &tokens_most) ||
        !plugin_value(run, PARAM_THRESHOLD, TYPE_REAL, &threshold))
        return NULL;
    double least = threshold.is_null ? THRESHOLD_DEFAULT : threshold.real;
    if (!(least >= 0.015 && least <= 1))
        return plugin_error(
            run, AZ_INVALID, plugin_arg(run->call, PARAM_THRESHOLD)->span,
            "the argument 'threshold' of diffpatterns_text must be between 0.015 and 1");
    if (!read_words(&words))
        return NULL;
    find_seeds(&words, least, &list);
    for (size_t i = 0; i < list.len; i++)
        if (!grow(&words, &list.items[i], tokens_most))
            return NULL;
    choose(&list, tokens_least, least);
    return write_phrases(&words, &list);
}

static const PluginImpl TEXT = {.bind = text_bind, .run = text_run};
static const PluginParam PARAMS[] = {
    [PARAM_TEXT] = {"text", PLUGIN_COLUMN, "string", 0},
    [PARAM_CONDITION] = {"condition", PLUGIN_EXPRESSION, "bool", 0},
    [PARAM_MIN] = {"min_tokens", PLUGIN_CONSTANT, "long", PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_THRESHOLD] = {"threshold", PLUGIN_CONSTANT, "real decimal",
                         PLUGIN_OPTIONAL | PLUGIN_TILDE},
    [PARAM_MAX] = {"max_tokens", PLUGIN_CONSTANT, "long", PLUGIN_OPTIONAL | PLUGIN_TILDE},
};
static const PluginDef ROWS[] = {
    {.name = "diffpatterns_text",
     .doc = "Yields the patterns of words that texts have more often where a condition is true.",
     .params = PARAMS,
     .param_count = COUNT_OF(PARAMS),
     .impl = &TEXT},
};

const PluginSet DIFFPATTERNS_TEXT_PLUGINS = {ROWS, COUNT_OF(ROWS)};
