#include "db/complete.h"

#include "base/array.h"
#include "db/complete_text.h"
#include "db/help.h"

typedef struct Complete {
    Database *db;
    Arena *arena;
    QueryCut cut;
    Str word;
    Completion out;
} Complete;

// ---- candidates ----

static void
offer(Complete *c, CandidateKind kind, Str text, Str detail)
{
    if (text.len < c->word.len || !str_equal_ci(str_slice(text, 0, c->word.len), c->word))
        return;
    Candidate candidate = {kind, text, detail};
    ARRAY_PUSH(c->arena, &c->out, candidate);
}

static bool
is_identifier(Str name)
{
    bool plain = name.len > 0 && !(name.ptr[0] >= '0' && name.ptr[0] <= '9');
    for (size_t i = 0; i < name.len && plain; i++)
        plain = is_word_char(name.ptr[i]) && name.ptr[i] != '$';
    return plain;
}

static void
offer_schema(Complete *c, const Schema *schema)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        Str name = schema->columns[i].name;
        if (!is_identifier(name))
            name = str_format(c->arena, "['%.*s']", STR_ARG(name));
        offer(c, CANDIDATE_COLUMN, name, str_from(type_name(schema->columns[i].type)));
    }
}

static void
offer_topics(Complete *c, TopicKind topic_kind, CandidateKind kind)
{
    TopicList list = help_topics(c->db, c->arena, topic_kind, false);
    bool is_call = kind == CANDIDATE_FUNCTION;
    for (size_t i = 0; i < list.len; i++) {
        const Topic *topic = list.items[i];
        Str text = is_call ? str_format(c->arena, "%.*s(", STR_ARG(topic->name)) : topic->name;
        offer(c, kind, text, topic->signatures.len ? topic->signatures.items[0] : STR(""));
    }
}

// Names of lets of the statements before the cursor, of all frames around it.
static void
offer_lets(Complete *c)
{
    for (size_t p = 0; p + 4 < c->cut.text.len; p++) {
        if ((p && is_word_char(c->cut.text.ptr[p - 1])) ||
            !str_starts(str_slice(c->cut.text, p, c->cut.text.len), STR("let ")))
            continue;
        Str rest = str_slice(c->cut.text, p + 4, c->cut.text.len), name = cut_first_word(rest);
        // The let that is being written does not see itself.
        if (name.len && str_find(rest, STR(";")) >= 0)
            offer(c, CANDIDATE_NAME, name, STR(""));
    }
}

static void
offer_words(Complete *c, CandidateKind kind, Str words, char separator)
{
    while (words.len) {
        size_t end = 0;
        while (end < words.len && words.ptr[end] != separator)
            end++;
        offer(c, kind, str_slice(words, 0, end), STR(""));
        words = str_slice(words, end + 1, words.len);
    }
}

static void
offer_tables(Complete *c)
{
    offer_lets(c);
    offer_topics(c, TOPIC_TABLE, CANDIDATE_TABLE);
    offer_topics(c, TOPIC_COMPUTED, CANDIDATE_FUNCTION);
    offer_topics(c, TOPIC_KQL_FUNCTION, CANDIDATE_FUNCTION);
}

typedef struct OperatorOffer {
    Complete *complete;
    uint32_t kinds; // bits of OperatorKind
    bool words;     // of expression operators: those that are words
} OperatorOffer;

static void
offer_operator(void *context, const OperatorDef *op)
{
    OperatorOffer *offers = context;
    bool is_word = is_word_char(op->name[0]) || (op->name[0] == '!' && is_word_char(op->name[1]));
    if (!(offers->kinds >> op->kind & 1) || (offers->words && !is_word))
        return;
    offer(offers->complete, CANDIDATE_OPERATOR, str_from(op->name), str_from(op->syntax));
}

static void
offer_operators(Complete *c, uint32_t kinds, bool words)
{
    OperatorOffer offers = {c, kinds, words};
    operator_each(offer_operator, &offers);
}

static void
offer_types(Complete *c)
{
    for (Type type = TYPE_BOOL; type < TYPE_LIMIT; type++)
        offer(c, CANDIDATE_VALUE, str_from(type_name(type)), STR(""));
}

// ---- columns ----

static bool
schema_of(const Complete *c, Str pipeline, Schema *out)
{
    if (!str_trim(pipeline).len)
        return false;
    Str query =
        str_format(c->arena, "%.*s\n%.*s", STR_ARG(cut_prelude(&c->cut)), STR_ARG(pipeline));
    return db_query_schema(c->db, c->arena, query, out);
}

// Columns of the pipeline around the cursor: of the nearest frame that has one.
static void
offer_columns(Complete *c)
{
    for (size_t d = c->cut.depth + 1; d-- > 0;) {
        Schema schema;
        if (c->cut.frames[d].pipe < 0 && c->cut.frames[d].open != '(')
            continue;
        if (schema_of(c, cut_pipeline(&c->cut, d), &schema)) {
            offer_schema(c, &schema);
            return;
        }
    }
}

// ---- places ----

// The values of the parameter that ends before the word: `kind=` of join.
static bool
offer_option_values(Complete *c, const OperatorDef *op, Str step)
{
    Str options = str_from(op->options), option;
    step = str_trim(step);
    if (!str_ends(step, STR("=")))
        return false;
    Str name = cut_last_word(str_slice(step, 0, step.len - 1));
    while (str_next_word(&options, &option)) {
        ptrdiff_t equals = str_find(option, STR("="));
        Str key = str_slice(option, 0, (size_t)equals);
        if (equals > 0 &&
            (str_equal(key, name) || (str_ends(key, name) && name.len && key.len > name.len &&
                                      key.ptr[key.len - name.len - 1] == '.'))) {
            offer_words(c, CANDIDATE_VALUE, str_slice(option, (size_t)equals + 1, option.len), '|');
            return true;
        }
    }
    return false;
}

static void
offer_option_names(Complete *c, const OperatorDef *op)
{
    Str options = str_from(op->options), option;
    while (str_next_word(&options, &option)) {
        ptrdiff_t equals = str_find(option, STR("="));
        if (equals > 0)
            offer(c, CANDIDATE_KEYWORD, str_slice(option, 0, (size_t)equals + 1), STR(""));
        else if (equals == 0) // the values stand alone: charts of render
            offer_words(c, CANDIDATE_VALUE, str_slice(option, 1, option.len), '|');
    }
}

// The small words of an operator's syntax: by, asc, on, with ...
static void
offer_syntax_words(Complete *c, const OperatorDef *op)
{
    const char *name = strchr(op->syntax, '|');
    Str syntax = str_from(name ? name : op->syntax);
    for (size_t p = 0; p < syntax.len;) {
        size_t end = p;
        while (end < syntax.len && ((syntax.ptr[end] >= 'a' && syntax.ptr[end] <= 'z') ||
                                    syntax.ptr[end] == '-' || syntax.ptr[end] == '_'))
            end++;
        Str word = str_slice(syntax, p, end);
        bool is_keyword = word.len > 1 && !str_equal(word, str_from(op->name)) &&
                          (end == syntax.len || (syntax.ptr[end] != '=' && syntax.ptr[end] != '('));
        bool known = false;
        for (size_t i = 0; i < c->out.len && is_keyword; i++)
            known = known || str_equal(c->out.items[i].text, word);
        if (is_keyword && !known)
            offer(c, CANDIDATE_KEYWORD, word, STR(""));
        p = end == p ? p + 1 : end;
    }
}

// Whether a value ends before the word, so that an operator or a keyword may follow.
static bool
after_operand(Str step, const OperatorDef *op)
{
    static const char *const LEADING[] = {"by", "on",   "and",  "or", "with", "of",
                                          "to", "from", "step", "in", "not",  "where"};
    step = str_trim(step);
    if (!step.len)
        return false;
    char last = step.ptr[step.len - 1];
    Str word = cut_last_word(step), rest;
    if (!word.len)
        return last == ')' || last == ']' || last == '"' || last == '\'';
    for (size_t i = 0; i < COUNT_OF(LEADING); i++)
        if (str_equal(word, str_from(LEADING[i])))
            return false;
    // The operator's own name, or a word operator such as `has`.
    step_operator(step, &rest);
    const OperatorDef *expression = operator_find(word);
    return (!op || str_trim(rest).len) && !(expression && expression->kind == OPERATOR_EXPRESSION);
}

static bool
is_one_of(const OperatorDef *op, const char *names)
{
    Str rest = str_from(names), name;
    while (op && str_next_word(&rest, &name))
        if (str_equal(name, str_from(op->name)))
            return true;
    return false;
}

static void
offer_expression(Complete *c, const OperatorDef *op)
{
    offer_columns(c);
    offer_lets(c);
    if (is_one_of(op, "summarize make-series top-nested evaluate"))
        offer_topics(c, TOPIC_AGGREGATE, CANDIDATE_FUNCTION);
    if (is_one_of(op, "extend project serialize where"))
        offer_topics(c, TOPIC_WINDOW, CANDIDATE_FUNCTION);
    offer_topics(c, TOPIC_SCALAR, CANDIDATE_FUNCTION);
}

// `$left.` and `$right.` behind the `on` of a join. False when the word does not follow a dot.
static bool
offer_members(Complete *c, Str step, const OperatorDef *op, Str rest)
{
    Schema schema;
    if (!str_ends(step, STR(".")))
        return false;
    Str base = cut_last_word(str_slice(step, 0, step.len - 1));
    if (str_equal(base, STR("$left")) && schema_of(c, cut_pipeline(&c->cut, c->cut.depth), &schema))
        offer_schema(c, &schema);
    if (str_equal(base, STR("$right")) && op && schema_of(c, right_table(rest), &schema))
        offer_schema(c, &schema);
    return true;
}

// Inside a step: behind its operator's name, or in brackets of it.
static void
offer_in_step(Complete *c, Str step, const OperatorDef *op, Str rest)
{
    if (offer_members(c, step, op, rest) || (op && offer_option_values(c, op, step)))
        return;
    if (str_ends(str_trim(step), STR(":"))) {
        offer_types(c);
        return;
    }
    bool joins = is_one_of(op, "join lookup");
    bool has_right = joins && right_table(rest).len;
    if (is_one_of(op, "render") || is_one_of(op, "evaluate")) {
        if (op->options)
            offer_option_names(c, op);
        else
            offer_topics(c, TOPIC_PLUGIN, CANDIDATE_FUNCTION);
        return;
    }
    if (is_one_of(op, "union find") || (joins && !has_right)) {
        offer_option_names(c, op);
        offer_tables(c);
        return;
    }
    if (after_operand(step, op)) {
        if (op)
            offer_syntax_words(c, op);
        if (!joins)
            offer_operators(c, 1u << OPERATOR_EXPRESSION, true);
        return;
    }
    if (joins) {
        offer_columns(c);
        offer(c, CANDIDATE_KEYWORD, STR("$left."), STR(""));
        offer(c, CANDIDATE_KEYWORD, STR("$right."), STR(""));
        return;
    }
    if (op && !str_trim(rest).len)
        offer_option_names(c, op);
    offer_expression(c, op);
}

// Calls whose argument is a table.
static bool
takes_table(Str name)
{
    return str_equal(name, STR("toscalar")) || str_equal(name, STR("materialize"));
}

// Whether a name before `(` is a call whose arguments are values; its signature is the hint.
static bool
is_call(Complete *c, Str name)
{
    if (takes_table(name))
        return false;
    if (!name.len)
        return false;
    for (TopicKind kind = TOPIC_SCALAR; kind <= TOPIC_KQL_FUNCTION; kind++) {
        TopicList list = help_topics(c->db, c->arena, kind, false);
        for (size_t i = 0; i < list.len; i++) {
            const Topic *topic = list.items[i];
            if (!str_equal(topic->name, name))
                continue;
            if (topic->signatures.len)
                c->out.hint = topic->signatures.items[0];
            return true;
        }
    }
    return false;
}

// The operator of the nearest step around frame `d`.
static const OperatorDef *
enclosing_operator(const Complete *c, size_t d, Str *rest)
{
    for (; d > 0; d--) {
        const CutFrame *outer = &c->cut.frames[d - 1];
        size_t from = outer->pipe >= 0 ? (size_t)outer->pipe + 1 : outer->statement;
        const OperatorDef *op =
            step_operator(without_let(str_slice(c->cut.text, from, c->cut.frames[d].at)), rest);
        if (op)
            return op;
    }
    *rest = STR("");
    return NULL;
}

// At the beginning of a statement or of a bracket.
static void
offer_beginning(Complete *c, const CutFrame *frame)
{
    Str rest, before = str_slice(c->cut.text, 0, frame->at);
    const OperatorDef *outer = enclosing_operator(c, c->cut.depth, &rest);
    Str name = frame->open == '(' ? cut_last_word(before) : STR("");
    if (frame->open == '[')
        return;
    if (str_equal(name, STR("typeof"))) {
        offer_types(c);
    } else if (frame->open == '(' && is_call(c, name)) {
        offer_expression(c, outer);
    } else if (is_one_of(outer, "mv-apply partition fork facet")) {
        offer_operators(c, 1u << OPERATOR_TABULAR | 1u << OPERATOR_BOTH, false);
    } else if (frame->open == '(' && outer && !is_one_of(outer, "join lookup union")) {
        if (takes_table(name) || str_equal(name, STR("in")) || str_equal(name, STR("has_any")) ||
            str_equal(name, STR("has_all")))
            offer_tables(c);
        if (!takes_table(name))
            offer_expression(c, outer);
    } else {
        offer_tables(c);
        offer_operators(c, 1u << OPERATOR_SOURCE | 1u << OPERATOR_BOTH, false);
        if (frame->open != '(')
            offer_operators(c, 1u << OPERATOR_STATEMENT, false);
    }
}

static void
offer_place(Complete *c)
{
    const CutFrame *frame = &c->cut.frames[c->cut.depth];
    Str step = cut_step(&c->cut, frame, c->word.len), rest = STR("");
    if (frame->pipe < 0)
        step = without_let(step);
    if (!str_trim(step).len && frame->pipe >= 0) {
        offer_operators(c, 1u << OPERATOR_TABULAR | 1u << OPERATOR_BOTH, false);
        return;
    }
    // Behind a comma of an argument list it is as at its beginning.
    bool argument = frame->open == '(' && frame->pipe < 0 && str_ends(str_trim(step), STR(","));
    if (!str_trim(step).len || argument) {
        offer_beginning(c, frame);
        return;
    }
    const OperatorDef *op = step_operator(step, &rest);
    if (!op && frame->open) {
        is_call(c, cut_last_word(str_slice(c->cut.text, 0, frame->at)));
        Str outer_rest;
        op = enclosing_operator(c, c->cut.depth, &outer_rest);
        rest = step;
        if (op && is_one_of(op, "join lookup union find render evaluate"))
            op = NULL;
    }
    offer_in_step(c, step, op, rest);
}

// ---- the entry ----

static int
candidate_order(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return str_compare_ci(x->text, y->text);
}

static void
drop_doubles(Completion *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->len; i++)
        if (!kept || !str_equal(out->items[kept - 1].text, out->items[i].text))
            out->items[kept++] = out->items[i];
    out->len = kept;
}

static Str
common_start(const Completion *out)
{
    Str common = out->len ? out->items[0].text : STR("");
    for (size_t i = 1; i < out->len; i++) {
        Str other = out->items[i].text;
        while (common.len > other.len || !str_equal_ci(str_slice(other, 0, common.len), common))
            common.len--;
    }
    return common;
}

Completion
complete_query(Database *db, Arena *arena, Str text, size_t cursor)
{
    Complete *c = ARENA_NEW(arena, Complete);
    *c = (Complete){
        .db = db, .arena = arena, .cut = {.arena = arena, .text = str_slice(text, 0, cursor)}};
    c->out.from = c->cut.text.len;
    if (!query_cut(&c->cut))
        return c->out;
    size_t start = c->cut.text.len;
    while (start && is_word_char(c->cut.text.ptr[start - 1]))
        start--;
    // Names of operators have hyphens: `| mv-ex`; negated ones a mark: `x !ha`.
    const CutFrame *frame = &c->cut.frames[c->cut.depth];
    if (frame->pipe >= 0) {
        Str step = str_slice(c->cut.text, (size_t)frame->pipe + 1, c->cut.text.len);
        size_t blank = 0;
        while (blank < step.len &&
               (step.ptr[blank] == ' ' || step.ptr[blank] == '\n' || step.ptr[blank] == '\t'))
            blank++;
        size_t p = blank;
        while (p < step.len && (is_word_char(step.ptr[p]) || step.ptr[p] == '-'))
            p++;
        if (p == step.len)
            start = (size_t)frame->pipe + 1 + blank;
    }
    if (start > 1 && c->cut.text.ptr[start - 1] == '!')
        start--;
    c->word = str_slice(c->cut.text, start, c->cut.text.len);
    c->out.from = start;
    offer_place(c);
    if (c->out.len)
        qsort(c->out.items, c->out.len, sizeof(Candidate), candidate_order);
    drop_doubles(&c->out);
    c->out.common = common_start(&c->out);
    return c->out;
}
