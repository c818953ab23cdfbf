// Compiling and finding values of records: see telemetry/value.h.
//
//     value   = choice { "|" choice }
//     choice  = "'" text "'" | verb "(" choice ")" | path
//     path    = step { "." step }        step = letters | '"' text '"'

#include "telemetry/value.h"

#include "base/array.h"
#include "base/glob.h"

typedef enum Verb {
    VERB_LOWER,
    VERB_UPPER,
    VERB_JSON,
    VERB_LAST,
    VERB_SUBSCRIPTION,
    VERB_GROUP,
    VERB_PROVIDER,
    VERB_TYPE,
    VERB_RESOURCE,
    VERB_FULL_TYPE,
    VERB_TABLE, // no path: the row's table
} Verb;

static const Str verb_names[] = {
    [VERB_LOWER] = STR_INIT("lower"),
    [VERB_UPPER] = STR_INIT("upper"),
    [VERB_JSON] = STR_INIT("json"),
    [VERB_LAST] = STR_INIT("last"),
    [VERB_SUBSCRIPTION] = STR_INIT("subscription"),
    [VERB_GROUP] = STR_INIT("group"),
    [VERB_PROVIDER] = STR_INIT("provider"),
    [VERB_TYPE] = STR_INIT("type"),
    [VERB_RESOURCE] = STR_INIT("resource"),
    [VERB_FULL_TYPE] = STR_INIT("fulltype"),
    [VERB_TABLE] = STR_INIT("table"),
};

enum { VERBS_MAX = 4 };

typedef struct Choice {
    bool is_literal;
    Str literal;
    Verb verbs[VERBS_MAX]; // the innermost last
    size_t verb_count;
    struct {
        Str *items;
        size_t len, cap;
    } steps;
} Choice;

typedef struct Translation {
    Str from, to; // `from` with stars
} Translation;

struct ValueExpr {
    struct {
        Choice *items;
        size_t len, cap;
    } choices;
    struct {
        Translation *items;
        size_t len, cap;
    } translations;
    Str otherwise; // of a translation; empty: the text itself
    bool has_otherwise;
};

typedef struct Reader {
    Arena *arena;
    Str text;
    size_t at;
} Reader;

static void
skip_blanks(Reader *reader)
{
    while (reader->at < reader->text.len && reader->text.ptr[reader->at] == ' ')
        reader->at++;
}

static bool
take(Reader *reader, char c)
{
    skip_blanks(reader);
    bool there = reader->at < reader->text.len && reader->text.ptr[reader->at] == c;
    reader->at += there;
    return there;
}

// Up to the closing quote.
static bool
read_quoted(Reader *reader, char quote, Str *out)
{
    size_t from = reader->at;
    while (reader->at < reader->text.len && reader->text.ptr[reader->at] != quote)
        reader->at++;
    *out = str_slice(reader->text, from, reader->at);
    return reader->at++ < reader->text.len;
}

static bool
read_step(Reader *reader, Str *out)
{
    skip_blanks(reader);
    if (take(reader, '"'))
        return read_quoted(reader, '"', out);
    size_t from = reader->at;
    while (reader->at < reader->text.len && !strchr(" .|()'\"", reader->text.ptr[reader->at]))
        reader->at++;
    *out = str_slice(reader->text, from, reader->at);
    return out->len > 0;
}

static ptrdiff_t
find_verb(Str name)
{
    for (size_t i = 0; i < COUNT_OF(verb_names); i++)
        if (str_equal(verb_names[i], name))
            return (ptrdiff_t)i;
    return -1;
}

static bool
read_choice(Reader *reader, Choice *choice)
{
    if (take(reader, '\'')) {
        choice->is_literal = true;
        return read_quoted(reader, '\'', &choice->literal);
    }
    size_t open = 0;
    for (;;) {
        Str step;
        if (!read_step(reader, &step))
            return false;
        if (take(reader, '(')) {
            ptrdiff_t verb = find_verb(step);
            if (verb < 0 || choice->verb_count == VERBS_MAX)
                return false;
            choice->verbs[choice->verb_count++] = (Verb)verb;
            open++;
            if (verb == VERB_TABLE)
                break;
            continue;
        }
        ARRAY_PUSH(reader->arena, &choice->steps, step);
        if (!take(reader, '.'))
            break;
    }
    while (open && take(reader, ')'))
        open--;
    return open == 0;
}

ValueExpr *
value_compile_text(Arena *arena, Str text, const char *where, AzError *error)
{
    Reader reader = {arena, str_copy(arena, text), 0};
    ValueExpr *expr = ARENA_NEW(arena, ValueExpr);
    do {
        Choice choice = {0};
        if (!read_choice(&reader, &choice)) {
            error_set(error, AZ_INVALID, "%s: '%.*s' is no value at column %zu", where,
                      STR_ARG(text), reader.at + 1);
            return NULL;
        }
        ARRAY_PUSH(arena, &expr->choices, choice);
    } while (take(&reader, '|'));
    skip_blanks(&reader);
    if (reader.at == reader.text.len)
        return expr;
    error_set(error, AZ_INVALID, "%s: '%.*s' has more after its value, at column %zu", where,
              STR_ARG(text), reader.at + 1);
    return NULL;
}

ValueExpr *
value_compile(Arena *arena, YamlNode *node, const char *where, AzError *error)
{
    if (!yaml_is_map(node))
        return value_compile_text(arena, yaml_text(arena, node), where, error);
    Str from = yaml_text(arena, yaml_get(node, "from"));
    ValueExpr *expr = value_compile_text(arena, from, where, error);
    YamlNode *values = yaml_get(node, "values"), *otherwise = yaml_get(node, "else");
    for (size_t i = 0; expr && i < yaml_count(values); i++) {
        Translation translation = {yaml_text(arena, yaml_key_at(values, i)),
                                   yaml_text(arena, yaml_value_at(values, i))};
        ARRAY_PUSH(arena, &expr->translations, translation);
    }
    if (expr) {
        expr->has_otherwise = otherwise != NULL;
        expr->otherwise = yaml_text(arena, otherwise);
    }
    return expr;
}

// The node at the path; none when a step is missing.
static Dyn
find_node(const Choice *choice, const Record *record)
{
    const RecordMember *member = record_member(record, choice->steps.items[0]);
    Dyn node = member ? member->value : (Dyn){0};
    for (size_t i = 1; node.ptr && i < choice->steps.len; i++)
        node = dyn_get_ci(node, choice->steps.items[i]);
    return node;
}

static Str
scalar_text(Arena *arena, Dyn node)
{
    // A list stands for its first item (signInEventTypes).
    if (dyn_kind(node) == DYN_ARRAY)
        node = dyn_at(node, 0);
    if (dyn_kind(node) == DYN_STRING)
        return dyn_string(node);
    if (dyn_kind(node) == DYN_BAG || dyn_kind(node) == DYN_NULL)
        return (Str){0};
    return member_of_node(arena, node).raw;
}

static Str
apply_verb(Arena *arena, Verb verb, Str text)
{
    size_t dot = text.len;
    switch (verb) {
    case VERB_LOWER: return str_lower(arena, text);
    case VERB_UPPER: {
        char *upper = str_cstr(arena, text);
        for (size_t i = 0; i < text.len; i++)
            if (upper[i] >= 'a' && upper[i] <= 'z')
                upper[i] = (char)(upper[i] - 32);
        return (Str){upper, text.len};
    }
    case VERB_LAST:
        while (dot && text.ptr[dot - 1] != '.')
            dot--;
        return str_slice(text, dot, text.len);
    case VERB_SUBSCRIPTION: return resource_id_parse(arena, text).subscription;
    case VERB_GROUP: return resource_id_parse(arena, text).group;
    case VERB_PROVIDER: return resource_id_parse(arena, text).provider;
    case VERB_TYPE: return resource_id_parse(arena, text).type;
    case VERB_RESOURCE: return resource_id_parse(arena, text).name;
    case VERB_FULL_TYPE: return resource_id_parse(arena, text).full_type;
    default: return text;
    }
}

static Str
json_text(Arena *arena, Dyn node)
{
    if (dyn_kind(node) == DYN_STRING)
        return dyn_string(node);
    Buffer text = {0};
    dyn_to_json(&text, node);
    Str copy = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

// One alternative; false when the record has it not, or empty.
static bool
find_choice(const Choice *choice, Record *record, JsonMember *member, bool take_node)
{
    Arena *arena = record->scratch->arena;
    if (choice->is_literal) {
        *member = member_of_text(choice->literal);
        return true;
    }
    if (choice->verb_count && choice->verbs[0] == VERB_TABLE) {
        *member = member_of_text(record->table);
        return record->table.len > 0;
    }
    Dyn node = find_node(choice, record);
    if (!node.ptr || dyn_kind(node) == DYN_NULL)
        return false;
    if (!choice->verb_count) {
        *member = member_of_node(arena, node);
    } else {
        bool json = choice->verbs[choice->verb_count - 1] == VERB_JSON;
        Str text = json ? json_text(arena, node) : scalar_text(arena, node);
        for (size_t i = choice->verb_count; i-- > 0;)
            text = apply_verb(arena, choice->verbs[i], text);
        *member = member_of_text(text);
    }
    if (member->kind == DYN_STRING && !member->string.len)
        return false;
    if (take_node)
        record_take(record, node);
    return true;
}

static bool
translate(const ValueExpr *expr, JsonMember *member, bool found, Record *record)
{
    if (!expr->translations.len)
        return found;
    Str text = found ? member->string : (Str){0};
    if (found && (member->kind == DYN_ARRAY || member->kind == DYN_BAG))
        text = scalar_text(record->scratch->arena, member->tree);
    for (size_t i = 0; found && i < expr->translations.len; i++)
        if (glob_match(expr->translations.items[i].from, text, GLOB_IGNORE_CASE)) {
            *member = member_of_text(expr->translations.items[i].to);
            return true;
        }
    if (expr->has_otherwise)
        *member = member_of_text(expr->otherwise);
    return found || expr->has_otherwise;
}

bool
value_find(const ValueExpr *expr, Record *record, JsonMember *member, bool take_node)
{
    bool found = false;
    for (size_t i = 0; i < expr->choices.len && !found; i++)
        found = find_choice(&expr->choices.items[i], record, member, take_node);
    return translate(expr, member, found, record);
}

Str
value_text(const ValueExpr *expr, Record *record)
{
    JsonMember member;
    if (!value_find(expr, record, &member, false))
        return (Str){0};
    if (member.kind == DYN_ARRAY || member.kind == DYN_BAG)
        return scalar_text(record->scratch->arena, member.tree);
    return member.kind == DYN_STRING ? member.string : member.raw;
}
