#include "collect/answer.h"

#include "base/array.h"
#include "value/base64.h"

#include <string.h>

// ---- pages ----

typedef struct PageRead {
    Arena *arena;
    Page *page;
    Str list, token;
    bool has_list, truncated;
} PageRead;

static bool
read_member(void *context, const JsonMember *member)
{
    PageRead *read = context;
    bool is_list = str_equal(member->key, STR("value")) || str_equal(member->key, STR("data"));
    if (is_list && member->kind == DYN_ARRAY) {
        read->list = member->raw;
        read->has_list = true;
    } else if (member->kind == DYN_STRING && (str_equal(member->key, STR("nextLink")) ||
                                              str_equal(member->key, STR("@odata.nextLink")))) {
        read->page->next = str_copy(read->arena, member->string);
    } else if (member->kind == DYN_STRING && str_equal(member->key, STR("$skipToken"))) {
        read->token = str_copy(read->arena, member->string);
    } else if (member->kind == DYN_STRING && str_equal(member->key, STR("@odata.deltaLink"))) {
        read->page->delta = str_copy(read->arena, member->string);
    } else if (str_equal(member->key, STR("resultTruncated"))) {
        // A text in some versions, a boolean in others.
        read->truncated =
            member->kind == DYN_BOOL ? member->boolean : str_equal_ci(member->string, STR("true"));
    }
    return true;
}

typedef struct Rows {
    Arena *arena;
    Str *items;
    size_t len, cap;
    bool all_objects;
} Rows;

static bool
take_row(void *context, Str raw)
{
    Rows *rows = context;
    raw = str_trim(raw);
    if (!raw.len || raw.ptr[0] != '{')
        rows->all_objects = false;
    ARRAY_PUSH(rows->arena, rows, raw);
    return true;
}

bool
page_read(Arena *arena, JsonParser *parser, DynBuilder *builder, Str body, bool one, Page *out,
          const char **why)
{
    PageRead read = {.arena = arena, .page = out};
    Rows rows = {.arena = arena, .all_objects = true};
    size_t offset;
    bool is_page;
    *out = (Page){0};
    body = str_trim(body);
    if (!body.len) {
        *why = "the answer is empty";
        return false;
    }
    if (body.ptr[0] == '[') { // a list without a page around it
        read.list = body;
        read.has_list = true;
    } else if (!json_walk_object(parser, builder, body, read_member, &read, why, &offset)) {
        *why = "the answer is not whole JSON";
        return false;
    }
    if (one) {
        take_row(&rows, body);
        *out = (Page){.rows = rows.items, .count = rows.len};
        *why = rows.all_objects ? "" : "the answer is no object";
        return rows.all_objects;
    }
    if (!read.has_list) {
        *why = "the answer is no list";
        return false;
    }
    if (!json_split_array(parser, read.list, take_row, &rows, &is_page, why, &offset) ||
        !rows.all_objects) {
        *why = "the answer is no list of objects";
        return false;
    }
    out->rows = rows.items;
    out->count = rows.len;
    if (read.token.len)
        out->next = read.token;
    out->truncated = read.truncated && !out->next.len;
    return true;
}

// ---- errors ----

static Str
member_text(Arena *arena, Dyn node, const char *name)
{
    Dyn member = dyn_get_ci(node, str_from(name));
    if (dyn_kind(member) == DYN_BAG) // {"message": {"lang": "en", "value": "..."}}
        member = dyn_get_ci(member, STR("value"));
    return dyn_kind(member) == DYN_STRING ? str_copy(arena, dyn_string(member)) : STR("");
}

// The first object in the text, to the brace that closes it; empty when there is none.
static Str
first_object(Str text)
{
    const char *from = memchr(text.ptr, '{', text.len);
    size_t depth = 0;
    bool in_string = false;
    for (const char *at = from; from && at < text.ptr + text.len; at++) {
        if (*at == '\\' && in_string)
            at++;
        else if (*at == '"')
            in_string = !in_string;
        else if (!in_string && *at == '{')
            depth++;
        else if (!in_string && *at == '}' && --depth == 0)
            return (Str){from, (size_t)(at - from) + 1};
    }
    return STR("");
}

// A message may hold another answer as text, that one another: the words are in the innermost.
// {"message": "Message: {\"Errors\": [\"not found\"]}\r\nActivityId: ..."}
static Str
innermost_words(Arena *arena, JsonParser *parser, DynBuilder *builder, Str message)
{
    for (int depth = 0; depth < 4; depth++) {
        Str object = first_object(message);
        const char *why;
        size_t offset;
        Dyn root;
        dyn_builder_reset(builder);
        if (!object.len || !json_to_dynamic(parser, object, builder, &why, &offset) ||
            !dyn_finish(builder, &root, &why))
            break;
        Str inner = member_text(arena, root, "message");
        Dyn errors = dyn_get_ci(root, STR("errors"));
        if (!inner.len && dyn_kind(dyn_at(errors, 0)) == DYN_STRING)
            inner = str_copy(arena, dyn_string(dyn_at(errors, 0)));
        if (!inner.len)
            break;
        message = inner;
    }
    return message;
}

// The text of an XML element.
static Str
element_text(Arena *arena, Str body, const char *name)
{
    Str open = str_format(arena, "<%s>", name), close = str_format(arena, "</%s>", name);
    ptrdiff_t from = str_find(body, open), to = str_find(body, close);
    if (from < 0 || to < from)
        return STR("");
    return str_copy(arena, str_slice(body, (size_t)from + open.len, (size_t)to));
}

ServiceError
service_error(Arena *arena, JsonParser *parser, DynBuilder *builder, Str body)
{
    ServiceError error = {0};
    const char *why;
    size_t offset;
    Dyn root;
    dyn_builder_reset(builder);
    if (!body.len || !json_to_dynamic(parser, body, builder, &why, &offset) ||
        !dyn_finish(builder, &root, &why)) {
        error.code = element_text(arena, body, "Code");
        error.message = element_text(arena, body, "Message");
        return error;
    }
    static const char *const inner[] = {"error", "odata.error"};
    Dyn node = root;
    for (size_t i = 0; i < COUNT_OF(inner); i++)
        if (dyn_kind(dyn_get(root, str_from(inner[i]))) == DYN_BAG)
            node = dyn_get(root, str_from(inner[i]));
    error.code = member_text(arena, node, "code");
    error.message = member_text(arena, node, "message");
    Dyn details = dyn_get_ci(node, STR("details"));
    if (!error.message.len)
        error.message = member_text(arena, dyn_at(details, 0), "message");
    if (!error.code.len)
        error.code = member_text(arena, dyn_at(details, 0), "code");
    error.message = innermost_words(arena, parser, builder, error.message);
    return error;
}

// ---- batches ----

// A number that may be a text; `none` when it is neither.
static double
header_value(Arena *arena, Dyn headers, Str name, double none)
{
    Dyn value = dyn_get_ci(headers, name);
    if (dyn_kind(value) == DYN_STRING)
        return strtod(str_cstr(arena, dyn_string(value)), NULL);
    if (dyn_kind(value) == DYN_LONG)
        return (double)dyn_long(value);
    return dyn_kind(value) == DYN_REAL ? dyn_real(value) : none;
}

static void
read_part(Arena *arena, Dyn part, BatchPart *out)
{
    Dyn id = dyn_get(part, STR("id")), status = dyn_get(part, STR("status"));
    Dyn headers = dyn_get(part, STR("headers")), body = dyn_get(part, STR("body"));
    *out = (BatchPart){.retry_after = -1};
    if (dyn_kind(id) == DYN_STRING)
        out->id = str_copy(arena, dyn_string(id));
    if (dyn_kind(status) == DYN_LONG)
        out->status = (int)dyn_long(status);
    out->retry_after = header_value(arena, headers, STR("retry-after"), -1);
    out->used = header_value(arena, headers, STR("x-ms-throttle-limit-percentage"), 0);
    Buffer text = {0};
    dyn_to_json(&text, body);
    out->body = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
}

bool
batch_read(Arena *arena, JsonParser *parser, DynBuilder *builder, Str body, BatchPart **out,
           size_t *count)
{
    const char *why;
    size_t offset;
    Dyn root;
    dyn_builder_reset(builder);
    if (!json_to_dynamic(parser, body, builder, &why, &offset) || !dyn_finish(builder, &root, &why))
        return false;
    Dyn parts = dyn_get(root, STR("responses"));
    if (dyn_kind(parts) != DYN_ARRAY)
        return false;
    *count = dyn_count(parts);
    *out = ARENA_ARRAY(arena, BatchPart, *count);
    for (size_t i = 0; i < *count; i++)
        read_part(arena, dyn_at(parts, (int64_t)i), &(*out)[i]);
    return true;
}

// ---- texts in answers ----

Str
claims_challenge(Arena *arena, Str header)
{
    ptrdiff_t at = str_find(header, STR("claims=\""));
    if (at < 0)
        return STR("");
    Str text = str_slice(header, (size_t)at + 8, header.len);
    Buffer claims = {0};
    base64_read_prefix(&claims, text);
    Str copy = str_copy(arena, buffer_slice(&claims));
    buffer_free(&claims);
    return copy;
}

// Length of "2024-05-01" or "2024-05-01-preview" at the beginning of the text, else 0.
static size_t
version_at(Str text)
{
    static const char PATTERN[] = "dddd-dd-dd";
    if (text.len < 10)
        return 0;
    for (size_t i = 0; i < 10; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        if (PATTERN[i] == 'd' ? !digit : text.ptr[i] != '-')
            return 0;
    }
    return str_starts(str_slice(text, 10, text.len), STR("-preview")) ? 18 : 10;
}

Str
offered_version(Arena *arena, Str message)
{
    Str stable = STR(""), preview = STR("");
    // What stands before is the version that was refused.
    ptrdiff_t list = str_find(message, STR("supported"));
    size_t from = list < 0 ? 0 : (size_t)list;
    for (size_t i = from; i < message.len; i++) {
        Str rest = str_slice(message, i, message.len);
        size_t len = version_at(rest);
        Str version = str_slice(rest, 0, len);
        if (len == 10 && str_compare(version, stable) > 0)
            stable = version;
        else if (len == 18 && str_compare(version, preview) > 0)
            preview = version;
        i += len ? len - 1 : 0;
    }
    return str_copy(arena, stable.len ? stable : preview);
}

void
json_compact(Buffer *out, Str json)
{
    size_t from = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            buffer_str(out, str_slice(json, from, i));
            from = i + 1;
        }
    }
    buffer_str(out, str_slice(json, from, json.len));
}
