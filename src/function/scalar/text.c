// Text functions that take a structured text apart: URLs, paths, CSV, versions, command
// lines. Source: Kusto docs, the page of each function. What cannot be parsed is null (of
// a string: the empty text).

#include "base/array.h"
#include "function/registry.h"
#include "value/scalar.h"

// ---- URLs ----

static void
push_field(DynBuilder *dyn, const char *key, Str value)
{
    dyn_key(dyn, str_from(key));
    dyn_push_string(dyn, value);
}

// Splits `text` at the first `mark`: what is before it stays, what is behind it is
// returned (empty when there is no mark).
static Str
cut_behind(Str *text, char mark)
{
    const char *hit = text->len ? memchr(text->ptr, mark, text->len) : NULL;
    if (!hit)
        return (Str){0};
    size_t at = (size_t)(hit - text->ptr);
    Str rest = str_slice(*text, at + 1, text->len);
    *text = str_slice(*text, 0, at);
    return rest;
}

// "k1=v1&k2=v2" as a bag.
static void
push_query(DynBuilder *dyn, Str query)
{
    dyn_begin_bag(dyn);
    while (query.len) {
        Str key = query;
        query = cut_behind(&key, '&');
        Str value = cut_behind(&key, '=');
        if (!key.len)
            continue;
        dyn_key(dyn, key);
        dyn_push_string(dyn, value);
    }
    dyn_end_bag(dyn);
}

// The host of "[v6]:port" or "host:port"; the port is returned.
static Str
cut_port(Str *host)
{
    size_t from = 0;
    if (str_starts(*host, STR("["))) {
        ptrdiff_t close = str_find(*host, STR("]"));
        from = close < 0 ? host->len : (size_t)close;
    }
    Str tail = str_slice(*host, from, host->len);
    Str port = cut_behind(&tail, ':');
    *host = str_slice(*host, 0, from + tail.len);
    return port;
}

// Parts as RFC 3986 names them: scheme://user:password@host:port/path?query#fragment.
static void
parse_url(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Str rest = str_trim(arg_str(call, 0, i));
        Str fragment = cut_behind(&rest, '#'), query = cut_behind(&rest, '?');
        Str scheme = {0}, host = {0}, user = {0}, password = {0}, port = {0};
        ptrdiff_t mark = str_find(rest, STR("://"));
        if (mark > 0) {
            scheme = str_slice(rest, 0, (size_t)mark);
            rest = str_slice(rest, (size_t)mark + 3, rest.len);
            const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
            host = slash ? str_slice(rest, 0, (size_t)(slash - rest.ptr)) : rest;
            rest = str_slice(rest, host.len, rest.len);
            // The last "@" ends the user's part: a password may hold one.
            const char *at = host.len ? memrchr(host.ptr, '@', host.len) : NULL;
            if (at) {
                user = str_slice(host, 0, (size_t)(at - host.ptr));
                host = str_slice(host, user.len + 1, host.len);
                password = cut_behind(&user, ':');
            }
            port = cut_port(&host);
        }
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        push_field(dyn, "Scheme", scheme);
        push_field(dyn, "Host", host);
        push_field(dyn, "Port", port);
        push_field(dyn, "Path", rest);
        push_field(dyn, "Username", user);
        push_field(dyn, "Password", password);
        dyn_key(dyn, STR("Query Parameters"));
        push_query(dyn, query);
        push_field(dyn, "Fragment", fragment);
        dyn_end_bag(dyn);
        out_dyn(call, i);
    }
}

static void
parse_urlquery(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Str query = arg_str(call, 0, i);
        if (str_starts(query, STR("?")))
            query = str_slice(query, 1, query.len);
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        dyn_key(dyn, STR("Query Parameters"));
        push_query(dyn, query);
        dyn_end_bag(dyn);
        out_dyn(call, i);
    }
}

// ---- CSV, versions ----

// Reads one CSV field from *at (RFC 4180) and moves *at behind it; quotes are taken off.
static Str
csv_field(Buffer *buffer, Str text, size_t *at)
{
    buffer_clear(buffer);
    size_t p = *at;
    bool quoted = p < text.len && text.ptr[p] == '"';
    p += quoted;
    for (; p < text.len; p++) {
        char c = text.ptr[p];
        if (quoted && c == '"') {
            if (p + 1 < text.len && text.ptr[p + 1] == '"') {
                p++;
            } else {
                quoted = false;
                continue;
            }
        } else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
            break;
        }
        buffer_char(buffer, c);
    }
    *at = p;
    return buffer_slice(buffer);
}

// parse_csv(text): the fields of the first record.
static void
parse_csv(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = arg_str(call, 0, i);
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        for (size_t at = 0;; at++) {
            dyn_push_string(dyn, csv_field(&call->scratch->text, text, &at));
            if (at >= text.len || text.ptr[at] != ',')
                break;
        }
        dyn_end_array(dyn);
        out_dyn(call, i);
    }
}

// Up to four parts of up to eight digits each (parse-version-function page).
static bool
version_parts(Str text, int64_t parts[4])
{
    enum { PARTS = 4, DIGITS = 8 };
    uint32_t part = 0, digits = 0;
    for (size_t p = 0; p < text.len; p++) {
        char c = text.ptr[p];
        if (c == '.') {
            if (!digits || ++part == PARTS)
                return false;
            digits = 0;
        } else if (c >= '0' && c <= '9' && ++digits <= DIGITS) {
            parts[part] = parts[part] * 10 + (c - '0');
        } else {
            return false;
        }
    }
    return digits > 0;
}

// A decimal that orders as the version does: eight digits a part.
static void
parse_version(ScalarCall *call)
{
    enum { PART_LIMIT = 100000000 }; // 10^8
    const Decimal half = decimal_from_long((int64_t)PART_LIMIT * PART_LIMIT);
    for (uint32_t i = 0; i < call->count; i++) {
        int64_t parts[4] = {0};
        if (!version_parts(str_trim(arg_str(call, 0, i)), parts)) {
            out_null(call, i);
            continue;
        }
        Decimal high = decimal_from_long(parts[0] * PART_LIMIT + parts[1]);
        Decimal low = decimal_from_long(parts[2] * PART_LIMIT + parts[3]);
        ((Decimal *)call->out)[i] = decimal_add(decimal_mul(high, half), low);
    }
}

// ---- paths and command lines ----

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Behind the last "/" or "\" of the text; 0 when there is none.
static size_t
behind_last_separator(Str text)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != '/' && text.ptr[at - 1] != '\\')
        at--;
    return at;
}

// parse_path(path): Windows, UNC and Unix paths, with or without scheme.
static void
parse_path(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    for (uint32_t i = 0; i < call->count; i++) {
        Str path = arg_str(call, 0, i), scheme = {0}, root = {0};
        ptrdiff_t mark = str_find(path, STR("://"));
        if (mark > 0) {
            scheme = str_slice(path, 0, (size_t)mark);
            path = str_slice(path, (size_t)mark + 3, path.len);
        }
        if (path.len > 1 && is_letter(path.ptr[0]) && path.ptr[1] == ':')
            root = str_slice(path, 0, 2);
        size_t base = behind_last_separator(path);
        Str directory = str_slice(path, 0, base ? base - 1 : 0);
        if (base == 0 && root.len) { // "C:file": the drive is no part of the name
            directory = root;
            base = root.len;
        }
        Str file = str_slice(path, base, path.len), stream = cut_behind(&file, ':');
        Str name = str_slice(directory, behind_last_separator(directory), directory.len);
        if (str_equal(name, root))
            name = (Str){0};
        const char *dot = file.len ? memrchr(file.ptr, '.', file.len) : NULL;
        Str extension = dot ? str_slice(file, (size_t)(dot - file.ptr) + 1, file.len) : (Str){0};
        dyn_builder_reset(dyn);
        dyn_begin_bag(dyn);
        push_field(dyn, "Scheme", scheme);
        push_field(dyn, "RootPath", root);
        push_field(dyn, "DirectoryPath", directory);
        push_field(dyn, "DirectoryName", name);
        push_field(dyn, "Filename", file);
        push_field(dyn, "Extension", extension);
        push_field(dyn, "AlternateDataStreamName", stream);
        dyn_end_bag(dyn);
        out_dyn(call, i);
    }
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// One argument of a Windows command line from *at, as the Microsoft C runtime splits
// it: 2n backslashes before a quote are n backslashes, an odd one escapes the quote;
// two quotes inside quotes are one.
static void
windows_argument(Buffer *out, Str text, size_t *at)
{
    size_t p = *at;
    bool quoted = false;
    while (p < text.len && (quoted || !is_blank(text.ptr[p]))) {
        size_t slashes = 0;
        while (p < text.len && text.ptr[p] == '\\') {
            slashes++;
            p++;
        }
        bool quote = p < text.len && text.ptr[p] == '"';
        for (size_t n = 0; n < (quote ? slashes / 2 : slashes); n++)
            buffer_char(out, '\\');
        if (quote) {
            bool doubled = quoted && p + 1 < text.len && text.ptr[p + 1] == '"';
            if (slashes % 2 || doubled) {
                buffer_char(out, '"');
                p += !(slashes % 2);
            } else {
                quoted = !quoted;
            }
            p++;
        } else if (slashes == 0) {
            buffer_char(out, text.ptr[p++]);
        }
    }
    *at = p;
}

// The program's name follows a rule of its own: quotes hold it together and
// backslashes mean nothing.
static void
windows_program(Buffer *out, Str text, size_t *at)
{
    size_t p = *at;
    bool quoted = false;
    for (; p < text.len && (quoted || !is_blank(text.ptr[p])); p++) {
        if (text.ptr[p] == '"')
            quoted = !quoted;
        else
            buffer_char(out, text.ptr[p]);
    }
    *at = p;
}

static void
parse_command_line(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    Buffer *out = &call->scratch->text;
    for (uint32_t i = 0; i < call->count; i++) {
        Str text = str_trim(arg_str(call, 0, i));
        if (!text.len || !str_equal_ci(arg_str(call, 1, i), STR("windows"))) {
            out_null(call, i);
            continue;
        }
        dyn_builder_reset(dyn);
        dyn_begin_array(dyn);
        for (size_t at = 0, n = 0; at < text.len; n++) {
            buffer_clear(out);
            if (n)
                windows_argument(out, text, &at);
            else
                windows_program(out, text, &at);
            dyn_push_string(dyn, buffer_slice(out));
            while (at < text.len && is_blank(text.ptr[at]))
                at++;
        }
        dyn_end_array(dyn);
        out_dyn(call, i);
    }
}

// ---- rows ----

#define IMPL(NAME) static const ScalarImpl NAME##_impl = {NAME, NULL}
IMPL(parse_url);
IMPL(parse_urlquery);
IMPL(parse_csv);
IMPL(parse_version);
IMPL(parse_path);
IMPL(parse_command_line);

#define FUNCTION(NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FLAGS, KERNEL)                            \
    {                                                                                              \
        NAME, ALIASES, SIGNATURE, DOC, EXAMPLE, FUNCTION_SCALAR, FLAGS, &(KERNEL##_impl)           \
    }

static const FunctionDef ROWS[] = {
    FUNCTION("parse_url", "parseurl", "(url:string) : dynamic",
             "The parts of the URL: Scheme, Host, Port, Path, Username, Password, "
             "Query Parameters, Fragment.",
             "tostring(parse_url('https://a.com/b?c=1').Host) == 'a.com'", 0, parse_url),
    FUNCTION("parse_urlquery", "parseurlquery", "(query:string) : dynamic",
             "The parameters of a URL's query as a bag under 'Query Parameters'.",
             "tostring(parse_urlquery('a=1&b=2')['Query Parameters'].b) == '2'", 0, parse_urlquery),
    FUNCTION("parse_csv", NULL, "(text:textual) : dynamic",
             "The fields of the first CSV record as an array.",
             "tostring(parse_csv('a,\"b,c\"')[1]) == 'b,c'", 0, parse_csv),
    FUNCTION("parse_version", NULL, "(version:string) : decimal",
             "The version as a decimal that orders as versions do.",
             "parse_version('1.2.10') > parse_version('1.2.9')", 0, parse_version),
    FUNCTION("parse_path", NULL, "(path:string) : dynamic",
             "The parts of a file path: Scheme, RootPath, DirectoryPath, DirectoryName, "
             "Filename, Extension, AlternateDataStreamName.",
             "tostring(parse_path('/tmp/a.txt').Filename) == 'a.txt'", 0, parse_path),
    FUNCTION("parse_command_line", NULL, "(command_line:text, parser_type:string) : dynamic",
             "The arguments of a command line as an array; the parser is 'windows'.",
             "tostring(parse_command_line('a \"b c\"', 'windows')[1]) == 'b c'", 0,
             parse_command_line),
};

const FunctionSet TEXT_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
