// parse and parse-where: columns cut out of a text.
//
// simple and relaxed look for the delimiters from left to right: what lies between two
// is the columns' text. regex joins the parts to one expression: a column of a whole
// number is (-?\d+), others are (.*), `*` is .*; flag U makes those lazy. Patterns
// must cover the whole text (Kusto docs, parse operator; that strings are greedy in
// regex mode follows from its examples). A row that does not fit has nulls in all
// columns, in relaxed mode only where a value is not of its type; parse-where drops it.
//
// A text that is a dictionary is parsed once for each entry.

#include "exec/internal.h"
#include "value/scalar.h"

#include <stdio.h>

typedef struct Parse {
    const Plan *plan;
    Expr *text;
    Regex *regex;     // of the whole pattern, PARSE_REGEX
    uint32_t *groups; // of each part that is a column
    int group_count;
    uint32_t *slots; // output column -> index among the parsed columns
    uint32_t slot_count;
} Parse;

typedef struct ParseRun {
    const Parse *parse;
    Worker *worker;
    Vector **columns; // parsed, by slot
    Str *cells;       // of the row at hand, by part; ptr NULL: no text
    Str *matches;     // groups of the regex
    uint8_t *fits;    // by row
} ParseRun;

// ---- preparation ----

static const char *
column_pattern(Type type)
{
    switch (type) {
    case TYPE_INT:
    case TYPE_LONG: return "(-?\\d+)";
    case TYPE_REAL:
    case TYPE_DECIMAL: return "([-+]?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?)";
    default: return "(.*)";
    }
}

// The groups that a delimiter of its own opens.
static bool
delimiter_groups(Str pattern, Span span, int *count, AzError *error)
{
    AzError why = {0};
    Regex *regex = regex_new(pattern, false, &why);
    if (!regex)
        return error_at(error, AZ_SEMANTIC, span, "%s", why.message);
    *count = regex_group_count(regex);
    regex_free(regex);
    return true;
}

static bool
regex_prepare(Exec *exec, Parse *parse, AzError *error)
{
    const Plan *plan = parse->plan;
    Buffer pattern = {0};
    int groups = 0;
    bool done = true;
    buffer_printf(&pattern, "\\A(?%s%s%s:", plan->parse.multi_line ? "m" : "",
                  plan->parse.dot_all ? "s" : "", plan->parse.ungreedy ? "U" : "");
    for (uint32_t i = 0; i < plan->parse.part_count && done; i++) {
        const ParsePart *part = &plan->parse.parts[i];
        int own = 0;
        if (part->is_text) {
            done = delimiter_groups(part->text, plan->span, &own, error);
            buffer_str(&pattern, part->text);
        } else if (part->column < 0) {
            buffer_text(&pattern, ".*");
        } else {
            parse->groups[i] = (uint32_t)++groups;
            buffer_text(&pattern, column_pattern(part->type));
        }
        groups += own;
    }
    buffer_text(&pattern, ")\\z");
    AzError why = {0};
    parse->group_count = groups + 1;
    if (done) {
        // Compiled once a process for equal patterns, so that plans may be run again.
        Value text = value_string(buffer_slice(&pattern));
        Expr *constant = expr_const(exec->arena, &text, plan->span);
        const void *bound = NULL;
        done = bind_regex(&constant, 0, plan->parse.ignore_case, &bound, &why) ||
               error_at(error, why.code, plan->span, "%s", why.message);
        parse->regex = (Regex *)(uintptr_t)bound;
    }
    buffer_free(&pattern);
    return done;
}

bool
parse_prepare(Exec *exec, const Plan *plan, void **state, AzError *error)
{
    Parse *parse = ARENA_NEW(exec->arena, Parse);
    *state = parse;
    parse->plan = plan;
    parse->text = resolve_subqueries(exec, plan->parse.text, error);
    if (!parse->text)
        return false;
    parse->groups = ARENA_ARRAY(exec->arena, uint32_t, plan->parse.part_count);
    parse->slots = ARENA_ARRAY(exec->arena, uint32_t, plan->schema.count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (plan->parse.carried[c] == UINT32_MAX)
            parse->slots[c] = parse->slot_count++;
    return plan->parse.mode != PARSE_REGEX || regex_prepare(exec, parse, error);
}

// ---- cutting one text ----

// Length of the number at the start of `s`.
static size_t
number_length(Str s, Type type)
{
    size_t i = 0;
    if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+'))
        i++;
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        i++;
    if ((type == TYPE_REAL || type == TYPE_DECIMAL) && i + 1 < s.len && s.ptr[i] == '.' &&
        s.ptr[i + 1] >= '0' && s.ptr[i + 1] <= '9')
        for (i++; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9';)
            i++;
    return i;
}

// Shares the text between two delimiters among parts [from, to): a number takes its
// digits, the last part what is left; anything else takes as little as it can.
static void
share_region(ParseRun *run, uint32_t from, uint32_t to, Str region)
{
    const ParsePart *parts = run->parse->plan->parse.parts;
    for (uint32_t i = from; i < to; i++) {
        size_t take = 0;
        if (i + 1 == to)
            take = region.len;
        else if (parts[i].column >= 0 && type_is_numeric(parts[i].type))
            take = number_length(region, parts[i].type);
        run->cells[i] = str_slice(region, 0, take);
        region = str_slice(region, take, region.len);
    }
}

static bool
cut_by_delimiters(ParseRun *run, Str text)
{
    const Plan *plan = run->parse->plan;
    uint32_t count = plan->parse.part_count, open = 0; // first part that waits for its text
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        const ParsePart *part = &plan->parse.parts[i];
        if (!part->is_text)
            continue;
        Str rest = str_slice(text, at, text.len);
        ptrdiff_t found;
        if (i + 1 == count) // the last one ends the text
            found = str_ends(rest, part->text) ? (ptrdiff_t)(rest.len - part->text.len) : -1;
        else
            found = str_find(rest, part->text);
        if (found < 0 || (open == i && found > 0))
            return false;
        share_region(run, open, i, str_slice(rest, 0, (size_t)found));
        at += (size_t)found + part->text.len;
        open = i + 1;
    }
    if (open == count)
        return at == text.len;
    share_region(run, open, count, str_slice(text, at, text.len));
    return true;
}

static bool
cut_by_regex(ParseRun *run, Str text)
{
    const Parse *parse = run->parse;
    if (!regex_find(parse->regex, text, 0, run->matches, parse->group_count))
        return false;
    for (uint32_t i = 0; i < parse->plan->parse.part_count; i++)
        run->cells[i] = run->matches[parse->groups[i]];
    return true;
}

// ---- rows ----

// False when the text is not of the column's type; the cell is null then.
bool
parse_write_cell(Arena *arena, Vector *out, Str text, uint32_t row)
{
    if (out->type == TYPE_STRING) {
        ((Text *)out->data)[row] = text_view(text.ptr, text.len);
        return true;
    }
    Value value;
    if (!value_parse(arena, out->type, str_trim(text), &value) || value.is_null) {
        vector_set_null(arena, out, row);
        return false;
    }
    memcpy((char *)out->data + row * type_size(out->type), value_data(&value),
           type_size(out->type));
    return true;
}

static void
clear_row(ParseRun *run, uint32_t row)
{
    for (uint32_t s = 0; s < run->parse->slot_count; s++)
        vector_set_null(&run->worker->batch, run->columns[s], row);
}

static bool
parse_row(ParseRun *run, Str text, uint32_t row)
{
    const Plan *plan = run->parse->plan;
    bool fits =
        plan->parse.mode == PARSE_REGEX ? cut_by_regex(run, text) : cut_by_delimiters(run, text);
    if (!fits) {
        clear_row(run, row);
        return false;
    }
    for (uint32_t i = 0; i < plan->parse.part_count; i++) {
        const ParsePart *part = &plan->parse.parts[i];
        if (part->is_text || part->column < 0)
            continue;
        Vector *column = run->columns[run->parse->slots[part->column]];
        fits = parse_write_cell(&run->worker->batch, column, run->cells[i], row) && fits;
    }
    if (!fits && plan->parse.mode != PARSE_RELAXED)
        clear_row(run, row);
    return fits;
}

static void
parse_texts(ParseRun *run, const Vector *texts)
{
    const Plan *plan = run->parse->plan;
    Arena *arena = &run->worker->batch;
    run->columns = ARENA_ARRAY(arena, Vector *, run->parse->slot_count);
    for (uint32_t c = 0; c < plan->schema.count; c++)
        if (plan->parse.carried[c] == UINT32_MAX)
            run->columns[run->parse->slots[c]] =
                vector_new_flat(arena, plan->schema.columns[c].type, texts->count);
    run->cells = ARENA_ARRAY(arena, Str, plan->parse.part_count);
    run->matches = ARENA_ARRAY(arena, Str, (size_t)run->parse->group_count);
    run->fits = arena_alloc_array(arena, texts->count, 1);
    for (uint32_t i = 0; i < texts->count; i++)
        run->fits[i] = parse_row(run, text_str(&((const Text *)texts->data)[i]), i);
}

bool
parse_push(Operator *self, Worker *worker, Batch *batch)
{
    const Parse *parse = self->state;
    const Plan *plan = parse->plan;
    Arena *arena = &worker->batch;
    const Vector *text = evaluate(worker, parse->text, batch);
    if (!text)
        return false;
    uint32_t rows = batch->selected;
    ParseRun run = {.parse = parse, .worker = worker};
    bool peel = text->encoding == ENC_DICT && text->dict->count <= rows;
    parse_texts(&run, peel ? text->dict : vector_flatten(arena, text));
    Batch *out = batch_new(arena, plan->schema.count, rows);
    for (uint32_t c = 0; c < plan->schema.count; c++) {
        if (plan->parse.carried[c] != UINT32_MAX) {
            out->columns[c] = batch_column(arena, batch, plan->parse.carried[c]);
            continue;
        }
        const Vector *parsed = run.columns[parse->slots[c]];
        out->columns[c] = peel ? vector_new_dict(arena, parsed, text->codes, rows) : parsed;
    }
    if (plan->parse.drop_misses) {
        uint32_t *selection = arena_alloc_array(arena, rows, sizeof(uint32_t));
        uint32_t kept = 0;
        for (uint32_t i = 0; i < rows; i++) {
            selection[kept] = i;
            kept += run.fits[peel ? text->codes[i] : i];
        }
        out->selection = selection;
        out->selected = kept;
    }
    return operator_emit(self, worker, out);
}
