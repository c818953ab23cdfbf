// JSON text to values.
//
// simdjson's first stage gives the offsets at which tokens start (json_index.h);
// the walk here goes over that list and reads each token where it lies. It sees
// every token, so what it accepts is exactly RFC 8259: a token that starts right
// ends at white space, punctuation or the end of the text. Strings without escapes
// are views of the text; others are unescaped into a buffer of the parser.
// Recursion is one level a container and stops at DYN_MAX_DEPTH.

#include "value/json.h"

#include "value/json_index.h"
#include "value/json_template.h"
#include "value/scalar.h"
#include "value/scalar_real.h"
#include "value/unicode.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

struct JsonParser {
    JsonIndex *index;
    JsonTemplates *templates;
    Buffer key, string; // unescaped text of the member at hand
    const char *why;
    size_t where;
};

// One pass over one text.
typedef struct Walk {
    JsonParser *parser;
    DynBuilder *builder;
    const char *text;
    size_t len;
    const uint32_t *offsets;
    uint32_t count, at; // token at hand
} Walk;

// A scalar token.
typedef struct Token {
    DynKind kind;
    bool boolean;
    int64_t l;
    double r;
    Str string; // DYN_STRING: the text; DYN_DECIMAL: the digits
} Token;

static const char TOO_DEEP[] = "the JSON is nested too deeply (at most 512 levels)";

JsonParser *
json_parser_new(void)
{
    JsonParser *parser = calloc(1, sizeof(JsonParser));
    if (!parser || !(parser->index = json_index_new()) ||
        !(parser->templates = json_templates_new()))
        abort();
    return parser;
}

void
json_parser_free(JsonParser *parser)
{
    if (!parser)
        return;
    json_index_free(parser->index);
    json_templates_free(parser->templates);
    buffer_free(&parser->key);
    buffer_free(&parser->string);
    free(parser);
}

static bool
fail(Walk *walk, const char *why, size_t where)
{
    walk->parser->why = why;
    walk->parser->where = where < walk->len ? where : walk->len;
    return false;
}

// Where the token at hand starts; the length of the text when there is none.
static size_t
token_start(const Walk *walk)
{
    return walk->at < walk->count ? walk->offsets[walk->at] : walk->len;
}

// The first character of the token at hand; 0 at the end of the text (a NUL in
// the text is no token of JSON either).
static char
token_char(const Walk *walk)
{
    return walk->at < walk->count ? walk->text[walk->offsets[walk->at]] : 0;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// Whether a number or word may end before `p`.
static bool
is_token_end(const char *p, const char *end)
{
    return p == end || is_blank(*p) || *p == ',' || *p == ']' || *p == '}' || *p == ':';
}

// The text of the token at hand: up to the next one, without blanks.
static Str
token_text(const Walk *walk)
{
    size_t start = token_start(walk);
    size_t end = walk->at + 1 < walk->count ? walk->offsets[walk->at + 1] : walk->len;
    while (end > start && is_blank(walk->text[end - 1]))
        end--;
    return (Str){walk->text + start, end - start};
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Four hex digits at p, or -1.
static int32_t
hex_quad(const char *p, const char *end)
{
    int32_t value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static const char *
escape_unicode(const char *p, const char *end, Buffer *out, const char **why)
{
    int32_t unit = hex_quad(p, end);
    *why = "a \\u escape needs four hexadecimal digits";
    if (unit < 0)
        return NULL;
    p += 4;
    if (unit >= 0xd800 && unit < 0xe000) {
        *why = "a \\u escape is half of a surrogate pair";
        if (unit >= 0xdc00 || end - p < 6 || p[0] != '\\' || p[1] != 'u')
            return NULL;
        int32_t low = hex_quad(p + 2, end);
        if (low < 0xdc00 || low >= 0xe000)
            return NULL;
        p += 6;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    utf8_put(out, (uint32_t)unit);
    return p;
}

// The inside of a string that has escapes, into `out`.
static bool
unescape(Walk *walk, Str inside, Buffer *out)
{
    static const char ESCAPES[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    const char *p = inside.ptr, *end = p + inside.len, *why = NULL;
    buffer_clear(out);
    buffer_reserve(out, inside.len);
    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        buffer_put(out, p, (size_t)((slash ? slash : end) - p));
        if (!slash)
            break;
        p = slash + 1;
        unsigned char c = p < end ? (unsigned char)*p : 0;
        if (c == 'u') {
            p = escape_unicode(p + 1, end, out, &why);
            if (!p)
                return fail(walk, why, (size_t)(slash - walk->text));
        } else if (c < 128 && ESCAPES[c]) {
            buffer_char(out, ESCAPES[c]);
            p++;
        } else {
            return fail(walk, "a string has an unknown escape", (size_t)(slash - walk->text));
        }
    }
    return true;
}

// The string token at hand; moves past it.
static bool
read_string(Walk *walk, Buffer *scratch, Str *out)
{
    Str token = token_text(walk);
    if (token.len < 2 || token.ptr[token.len - 1] != '"')
        return fail(walk, "a comma or a closing bracket was expected after a string",
                    token_start(walk));
    Str inside = {token.ptr + 1, token.len - 2};
    if (memchr(inside.ptr, '\\', inside.len)) {
        if (!unescape(walk, inside, scratch))
            return false;
        inside = buffer_slice(scratch);
    }
    walk->at++;
    *out = inside;
    return true;
}

static const char *
skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

// A double from its text: exact by one division or multiplication when the digits
// fit 53 bits and the power of ten is exact (Clinger), else by the library.
static double
number_real(const char *start, const char *end)
{
    static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = start + (*start == '-');
    uint64_t digits = 0;
    int scale = 0;
    bool point = false;
    for (; p < end && (*p == '.' || (*p >= '0' && *p <= '9')); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (digits > (UINT64_C(1) << 53) / 10 - 1)
            break;
        digits = digits * 10 + (uint64_t)(*p - '0');
        scale += point;
    }
    if (p == end && scale <= 22) {
        double r = (double)digits / POWERS[scale];
        return *start == '-' ? -r : r;
    }
    double r = (double)NAN;
    real_read(start, (size_t)(end - start), &r);
    return r;
}

// Integers that fit are long, longer ones decimal up to 34 digits, else real.
static bool
number_integer(const char *start, const char *end, Token *token)
{
    const char *p = start + (*start == '-');
    size_t digits = (size_t)(end - p);
    uint64_t value = 0;
    if (digits <= 19) { // below 10^19 < 2^64
        for (; p < end; p++)
            value = value * 10 + (uint64_t)(*p - '0');
        if (value <= (uint64_t)INT64_MAX + (*start == '-')) {
            token->kind = DYN_LONG;
            token->l = (int64_t)(*start == '-' ? 0 - value : value);
            return true;
        }
    }
    if (digits > 34)
        return false;
    token->kind = DYN_DECIMAL;
    token->string = (Str){start, (size_t)(end - start)};
    return true;
}

static bool
read_number(Walk *walk, Token *token)
{
    const char *start = walk->text + token_start(walk), *end = walk->text + walk->len;
    const char *p = start + (*start == '-'), *digits = p;
    bool is_real = false;
    p = skip_digits(p, end);
    bool bad = p == digits || (*digits == '0' && p - digits > 1);
    if (!bad && p < end && *p == '.') {
        const char *fraction = ++p;
        is_real = true;
        p = skip_digits(p, end);
        bad = p == fraction;
    }
    if (!bad && p < end && (*p == 'e' || *p == 'E')) {
        is_real = true;
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        const char *exponent = p;
        p = skip_digits(p, end);
        bad = p == exponent;
    }
    if (bad || !is_token_end(p, end))
        return fail(walk, "this is not a JSON number", token_start(walk));
    if (is_real || !number_integer(start, p, token)) {
        token->kind = DYN_REAL;
        token->r = number_real(start, p);
        if (!isfinite(token->r))
            return fail(walk, "the number is too large", token_start(walk));
    }
    walk->at++;
    return true;
}

static bool
read_word(Walk *walk, Str word)
{
    Str rest = {walk->text + token_start(walk), walk->len - token_start(walk)};
    if (!str_starts(rest, word) || !is_token_end(rest.ptr + word.len, rest.ptr + rest.len))
        return fail(walk,
                    "a JSON value was expected (true, false, null, a number, a string, "
                    "an array or an object)",
                    token_start(walk));
    walk->at++;
    return true;
}

static bool
read_scalar(Walk *walk, Buffer *scratch, Token *token)
{
    switch (token_char(walk)) {
    case '"': token->kind = DYN_STRING; return read_string(walk, scratch, &token->string);
    case 't':
        token->kind = DYN_BOOL;
        token->boolean = true;
        return read_word(walk, STR("true"));
    case 'f':
        token->kind = DYN_BOOL;
        token->boolean = false;
        return read_word(walk, STR("false"));
    case 'n': token->kind = DYN_NULL; return read_word(walk, STR("null"));
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return read_number(walk, token);
    default:
        if (walk->at >= walk->count)
            return fail(walk, "the JSON text ends too early", walk->len);
        return fail(walk, "a JSON value was expected", token_start(walk));
    }
}

static void
push_token(DynBuilder *builder, const Token *token)
{
    Decimal m = {{0, 0}};
    switch (token->kind) {
    case DYN_BOOL: dyn_push_bool(builder, token->boolean); break;
    case DYN_LONG: dyn_push_long(builder, token->l); break;
    case DYN_REAL: dyn_push_real(builder, token->r); break;
    case DYN_STRING: dyn_push_string(builder, token->string); break;
    case DYN_DECIMAL:
        decimal_parse(token->string, &m); // digits only, at most 34: always fits
        dyn_push_decimal(builder, m);
        break;
    default: dyn_push_null(builder);
    }
}

// Expects `c` at hand and moves past it.
static bool
expect(Walk *walk, char c, const char *why)
{
    if (token_char(walk) != c)
        return fail(walk, walk->at < walk->count ? why : "the JSON text ends too early",
                    token_start(walk));
    walk->at++;
    return true;
}

// Reads `"key":`.
static bool
read_key(Walk *walk, Buffer *scratch, Str *key)
{
    if (token_char(walk) != '"')
        return fail(walk,
                    walk->at < walk->count ? "a member's name in quotes was expected"
                                           : "the JSON text ends too early",
                    token_start(walk));
    return read_string(walk, scratch, key) &&
           expect(walk, ':', "a colon was expected after a member's name");
}

// After a member or element: moves past a comma (*more) or the closing bracket.
static bool
read_separator(Walk *walk, char close, bool *more)
{
    char c = token_char(walk);
    *more = c == ',';
    if (c == ',' || c == close) {
        walk->at++;
        return true;
    }
    if (walk->at >= walk->count)
        return fail(walk, "the JSON text ends too early", walk->len);
    return fail(walk,
                close == ']' ? "a comma or ] was expected after an element"
                             : "a comma or } was expected after a member",
                token_start(walk));
}

static bool push_value(Walk *walk, int depth);

static bool
push_array(Walk *walk, int depth)
{
    walk->at++;
    dyn_begin_array(walk->builder);
    bool more = token_char(walk) != ']';
    if (!more)
        walk->at++;
    while (more) {
        if (!push_value(walk, depth) || !read_separator(walk, ']', &more))
            return false;
    }
    dyn_end_array(walk->builder);
    return true;
}

static bool
push_object(Walk *walk, int depth)
{
    walk->at++;
    dyn_begin_bag(walk->builder);
    bool more = token_char(walk) != '}';
    if (!more)
        walk->at++;
    while (more) {
        Str key;
        if (!read_key(walk, &walk->parser->string, &key))
            return false;
        dyn_key(walk->builder, key);
        if (!push_value(walk, depth) || !read_separator(walk, '}', &more))
            return false;
    }
    dyn_end_bag(walk->builder);
    return true;
}

// Pushes the value at hand; `depth` containers are open around it.
static bool
push_value(Walk *walk, int depth)
{
    char c = token_char(walk);
    if (c == '{' || c == '[') {
        if (depth == DYN_MAX_DEPTH)
            return fail(walk, TOO_DEEP, token_start(walk));
        return c == '{' ? push_object(walk, depth + 1) : push_array(walk, depth + 1);
    }
    Token token;
    if (!read_scalar(walk, &walk->parser->string, &token))
        return false;
    push_token(walk->builder, &token);
    return true;
}

static bool
walk_start(Walk *walk, JsonParser *parser, DynBuilder *builder, Str text)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.len);
    *walk = (Walk){.parser = parser, .builder = builder, .text = text.ptr, .len = text.len};
    parser->why = NULL;
    parser->where = 0;
    if (text.len >= UINT32_MAX - 64)
        return fail(walk, "the JSON text is larger than 4 GiB", 0);
    switch (json_index_build(parser->index, text.ptr, text.len, &walk->offsets, &walk->count)) {
    case JSON_INDEX_OK: return true;
    case JSON_INDEX_EMPTY: return fail(walk, "the JSON text is empty", 0);
    case JSON_INDEX_UTF8:
        return fail(walk, "the JSON text is not valid UTF-8", utf8_valid_prefix(text));
    case JSON_INDEX_UNCLOSED: return fail(walk, "a string has no closing quote", text.len);
    case JSON_INDEX_CONTROL: return fail(walk, "a string holds a bare control character", 0);
    case JSON_INDEX_MEMORY: return fail(walk, "there is not enough memory for the JSON text", 0);
    case JSON_INDEX_OTHER: break;
    }
    return fail(walk, "the JSON text cannot be read", 0);
}

// Nothing may follow the document.
static bool
walk_end(Walk *walk)
{
    return walk->at == walk->count ||
           fail(walk, "there is text after the JSON document", token_start(walk));
}

// Gives the caller what went wrong; offsets count a byte order mark.
static bool
walk_report(const Walk *walk, bool done, Str text, const char **why, size_t *offset)
{
    *why = walk->parser->why;
    *offset = walk->parser->where + (text.len - walk->len);
    return done;
}

bool
json_to_dynamic(JsonParser *parser, Str text, DynBuilder *builder, const char **why, size_t *offset)
{
    Walk walk;
    bool done = walk_start(&walk, parser, builder, text) && push_value(&walk, 0) && walk_end(&walk);
    return walk_report(&walk, done, text, why, offset);
}

// Moves past the value at hand by counting brackets; its grammar is not checked.
static bool
skip_value(Walk *walk)
{
    size_t depth = 0;
    do {
        switch (token_char(walk)) {
        case '{':
        case '[': depth++; break;
        case '}':
        case ']':
            if (depth == 0)
                return fail(walk, "a JSON value was expected", token_start(walk));
            depth--;
            break;
        case ',':
        case ':':
            if (depth == 0)
                return fail(walk, "a JSON value was expected", token_start(walk));
            break;
        case 0:
            if (walk->at >= walk->count)
                return fail(walk, "the JSON text ends too early", walk->len);
            break;
        default: break;
        }
        walk->at++;
    } while (depth);
    return true;
}

// The text from token number `first` to before the token at hand, without blanks.
static Str
raw_text(const Walk *walk, uint32_t first)
{
    size_t start = walk->offsets[first], end = token_start(walk);
    while (end > start && is_blank(walk->text[end - 1]))
        end--;
    return (Str){walk->text + start, end - start};
}

static bool
read_member(Walk *walk, JsonMember *member)
{
    uint32_t first = 0;
    *member = (JsonMember){0};
    if (!read_key(walk, &walk->parser->key, &member->key))
        return false;
    first = walk->at;
    char c = token_char(walk);
    if (c == '{' || c == '[') {
        const char *why;
        dyn_builder_reset(walk->builder);
        // Depth 1: the record itself counts.
        if (!push_value(walk, 1))
            return false;
        if (!dyn_finish(walk->builder, &member->tree, &why))
            return fail(walk, why, walk->offsets[first]);
        member->kind = c == '{' ? DYN_BAG : DYN_ARRAY;
    } else {
        Token token = {0};
        if (!read_scalar(walk, &walk->parser->string, &token))
            return false;
        member->kind = token.kind;
        member->boolean = token.boolean;
        member->long_ = token.l;
        member->real = token.r;
        member->string = token.string;
    }
    member->raw = raw_text(walk, first);
    return true;
}

static bool
walk_members(Walk *walk, JsonVisit visit, void *context)
{
    if (!expect(walk, '{', "a JSON object was expected"))
        return false;
    bool more = token_char(walk) != '}';
    if (!more)
        walk->at++;
    while (more) {
        JsonMember member;
        if (!read_member(walk, &member))
            return false;
        if (!visit(context, &member)) {
            walk->parser->why = NULL;
            return false;
        }
        if (!read_separator(walk, '}', &more))
            return false;
    }
    return walk_end(walk);
}

bool
json_walk_object(JsonParser *parser, DynBuilder *builder, Str text, JsonVisit visit, void *context,
                 const char **why, size_t *offset)
{
    Walk walk;
    bool done = walk_start(&walk, parser, builder, text) && walk_members(&walk, visit, context);
    return walk_report(&walk, done, text, why, offset);
}

static bool
split_elements(Walk *walk, JsonElement element, void *context)
{
    walk->at++;
    bool more = token_char(walk) != ']';
    if (!more)
        walk->at++;
    while (more) {
        uint32_t first = walk->at;
        if (!skip_value(walk))
            return false;
        if (!element(context, raw_text(walk, first))) {
            walk->parser->why = NULL;
            return false;
        }
        if (!read_separator(walk, ']', &more))
            return false;
    }
    return true;
}

// The object around a page: its member `value` is split, the others are skipped.
static bool
split_page(Walk *walk, JsonElement element, void *context)
{
    size_t start = token_start(walk);
    bool found = false;
    walk->at++;
    bool more = token_char(walk) != '}';
    if (!more)
        walk->at++;
    while (more) {
        Str key;
        if (!read_key(walk, &walk->parser->key, &key))
            return false;
        if (!found && str_equal(key, STR("value")) && token_char(walk) == '[') {
            found = true;
            if (!split_elements(walk, element, context))
                return false;
        } else if (!skip_value(walk)) {
            return false;
        }
        if (!read_separator(walk, '}', &more))
            return false;
    }
    return found || fail(walk, "the object has no array named value", start);
}

bool
json_split_array(JsonParser *parser, Str text, JsonElement element, void *context, bool *is_page,
                 const char **why, size_t *offset)
{
    Walk walk;
    *is_page = false;
    bool done = walk_start(&walk, parser, NULL, text);
    if (done) {
        *is_page = token_char(&walk) == '{';
        if (*is_page)
            done = split_page(&walk, element, context);
        else if (token_char(&walk) == '[')
            done = split_elements(&walk, element, context);
        else
            done = fail(&walk, "a JSON array, or an object with an array named value, was expected",
                        token_start(&walk));
        done = done && walk_end(&walk);
    }
    return walk_report(&walk, done, text, why, offset);
}

// Whether the text could be JSON at all, by its first character: most text that
// is not is told apart here.
static bool
may_be_json(Str text)
{
    text = str_trim(text);
    return text.len && memchr("{[\"-0123456789tfn\xef", text.ptr[0], 18) != NULL;
}

void
json_parse_lenient(JsonParser *parser, DynBuilder *builder, Arena *arena, Str text, Text *out,
                   bool *is_null)
{
    const char *why;
    size_t offset;
    if (json_templates_parse(parser->templates, arena, text, out)) {
        *is_null = false;
        return;
    }
    dyn_builder_reset(builder);
    if (!text.len) {
        dyn_push_null(builder);
    } else if (!may_be_json(text) || !json_to_dynamic(parser, text, builder, &why, &offset)) {
        dyn_builder_reset(builder);
        dyn_push_string(builder, text);
    } else {
        json_templates_learn(parser->templates, text);
    }
    if (!dyn_finish_text(builder, arena, out, is_null)) {
        // Only a text near 4 GiB comes here.
        dyn_builder_reset(builder);
        dyn_push_null(builder);
        dyn_finish_text(builder, arena, out, is_null);
    }
}

typedef struct ThreadTools {
    JsonParser *parser;
    DynBuilder *builder;
} ThreadTools;

static pthread_key_t thread_tools_key;
static pthread_once_t thread_tools_once = PTHREAD_ONCE_INIT;

static void
thread_tools_free(void *pointer)
{
    ThreadTools *tools = pointer;
    json_parser_free(tools->parser);
    dyn_builder_free(tools->builder);
    free(tools);
}

static void
thread_tools_start(void)
{
    if (pthread_key_create(&thread_tools_key, thread_tools_free))
        abort();
}

static ThreadTools *
thread_tools(void)
{
    pthread_once(&thread_tools_once, thread_tools_start);
    ThreadTools *tools = pthread_getspecific(thread_tools_key);
    if (!tools) {
        tools = calloc(1, sizeof(ThreadTools));
        if (!tools || pthread_setspecific(thread_tools_key, tools))
            abort();
        tools->parser = json_parser_new();
        tools->builder = dyn_builder_new();
    }
    return tools;
}

void
json_parse_text(Arena *arena, Str text, Text *out, bool *is_null)
{
    ThreadTools *tools = thread_tools();
    json_parse_lenient(tools->parser, tools->builder, arena, text, out, is_null);
}

bool
json_is_valid(Str text)
{
    ThreadTools *tools = thread_tools();
    const char *why;
    size_t offset;
    dyn_builder_reset(tools->builder);
    return json_to_dynamic(tools->parser, text, tools->builder, &why, &offset);
}
