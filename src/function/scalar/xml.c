// parse_xml(): an XML document as a dynamic. Source: Kusto docs, "parse_xml()" and the
// JSON convention it follows: an element is a member named as it is, its attributes are
// "@name", its text is the value, or "#text" beside other members; elements of one name
// beside each other are an array; an empty element is null.
//
// A small reader of our own: it knows no document types, so no entity can grow and
// nothing outside the text is ever read. It runs in two steps: the text becomes a tree of
// nodes in an arena, then the tree is pushed with equal names together.

#include "base/array.h"
#include "base/map.h"
#include "function/registry.h"
#include "value/unicode.h"

enum {
    XML_TEXT_MAX = 1 << 20, // bytes (parse-xml-function page: 1 MB)
    XML_DEPTH_MAX = 128,
};

typedef struct XmlNode XmlNode;
struct XmlNode {
    Str name; // with "@" when an attribute; "#text" and "#cdata-section" hold text
    Str text;
    bool is_leaf; // an attribute or a text
    XmlNode *first, *last, *next;
};

typedef struct XmlReader {
    Str text;
    size_t at;
    Arena *arena;
} XmlReader;

// ---- reading ----

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_spaces(XmlReader *r)
{
    while (r->at < r->text.len && is_space(r->text.ptr[r->at]))
        r->at++;
}

static bool
accept(XmlReader *r, Str token)
{
    if (!str_starts(str_slice(r->text, r->at, r->text.len), token))
        return false;
    r->at += token.len;
    return true;
}

// Everything up to the token, which is taken too.
static bool
take_until(XmlReader *r, Str token, Str *out)
{
    Str rest = str_slice(r->text, r->at, r->text.len);
    ptrdiff_t hit = str_find(rest, token);
    if (hit < 0)
        return false;
    *out = str_slice(rest, 0, (size_t)hit);
    r->at += (size_t)hit + token.len;
    return true;
}

// A name: anything up to white space or a character that XML uses.
static bool
take_name(XmlReader *r, Str *out)
{
    size_t start = r->at;
    while (r->at < r->text.len && !is_space(r->text.ptr[r->at]) &&
           !memchr("<>/=\"'?!&", r->text.ptr[r->at], 9))
        r->at++;
    *out = str_slice(r->text, start, r->at);
    return out->len > 0;
}

static XmlNode *
add_node(XmlReader *r, XmlNode *parent, Str name, Str text, bool is_leaf)
{
    XmlNode *node = ARENA_NEW(r->arena, XmlNode);
    *node = (XmlNode){.name = name, .text = text, .is_leaf = is_leaf};
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

// The number behind "&#" or "&#x"; false when it is no character.
static bool
reference_number(Str digits, uint32_t *out)
{
    bool hex = digits.len && (digits.ptr[0] == 'x' || digits.ptr[0] == 'X');
    uint32_t base = hex ? 16 : 10, number = 0;
    if (digits.len <= hex)
        return false;
    for (size_t p = hex; p < digits.len; p++) {
        char c = digits.ptr[p], small = (char)(c | 0x20);
        uint32_t digit = 99;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (small >= 'a' && small <= 'f')
            digit = (uint32_t)(small - 'a') + 10;
        number = number * base + digit;
        if (digit >= base || number > 0x10FFFF)
            return false;
    }
    *out = number;
    return number > 0 && (number < 0xD800 || number > 0xDFFF);
}

// The text with its references put in; false when one is not known.
static bool
decode_text(XmlReader *r, Str raw, Str *out)
{
    static const struct {
        Str name;
        char value;
    } ENTITIES[] = {{STR_INIT("lt"), '<'},
                    {STR_INIT("gt"), '>'},
                    {STR_INIT("amp"), '&'},
                    {STR_INIT("quot"), '"'},
                    {STR_INIT("apos"), '\''}};
    *out = raw;
    if (!raw.len || !memchr(raw.ptr, '&', raw.len))
        return true;
    Buffer text = {0};
    bool good = true;
    for (size_t p = 0; p < raw.len && good; p++) {
        if (raw.ptr[p] != '&') {
            buffer_char(&text, raw.ptr[p]);
            continue;
        }
        Str name = str_slice(raw, p + 1, raw.len);
        ptrdiff_t end = str_find(name, STR(";"));
        name = str_slice(name, 0, end < 0 ? 0 : (size_t)end);
        uint32_t codepoint = 0;
        if (str_starts(name, STR("#"))) {
            good = reference_number(str_slice(name, 1, name.len), &codepoint);
        } else {
            for (size_t n = 0; n < COUNT_OF(ENTITIES); n++)
                if (str_equal(name, ENTITIES[n].name))
                    codepoint = (unsigned char)ENTITIES[n].value;
            good = codepoint != 0;
        }
        if (good)
            utf8_put(&text, codepoint);
        p += name.len + 1;
    }
    *out = str_copy(r->arena, buffer_slice(&text));
    buffer_free(&text);
    return good;
}

// name="value" pairs as children "@name".
static bool
read_attributes(XmlReader *r, XmlNode *node)
{
    for (;;) {
        Str name, value;
        skip_spaces(r);
        if (r->at >= r->text.len)
            return false;
        if (memchr(">/?", r->text.ptr[r->at], 3))
            return true;
        if (!take_name(r, &name))
            return false;
        skip_spaces(r);
        if (!accept(r, STR("=")))
            return false;
        skip_spaces(r);
        Str quote = str_slice(r->text, r->at, r->at + 1);
        if (!accept(r, STR("\"")) && !accept(r, STR("'")))
            return false;
        if (!take_until(r, quote, &value) || !decode_text(r, value, &value))
            return false;
        add_node(r, node, str_format(r->arena, "@%.*s", STR_ARG(name)), value, true);
    }
}

// Comments, processing instructions: they carry no data. `any` says that one was taken.
static bool
skip_remarks(XmlReader *r, bool *any)
{
    Str ignored;
    *any = true;
    if (accept(r, STR("<!--")))
        return take_until(r, STR("-->"), &ignored);
    if (accept(r, STR("<?")))
        return take_until(r, STR("?>"), &ignored);
    *any = false;
    return true;
}

static bool read_element(XmlReader *r, XmlNode *parent, int depth);

// What stands between an element's tags, and its end tag.
static bool
read_content(XmlReader *r, XmlNode *node, int depth)
{
    for (;;) {
        Str text, name;
        bool remark;
        const char *open =
            r->at < r->text.len ? memchr(r->text.ptr + r->at, '<', r->text.len - r->at) : NULL;
        if (!open)
            return false;
        text = str_slice(r->text, r->at, (size_t)(open - r->text.ptr));
        r->at += text.len;
        if (str_trim(text).len) {
            if (!decode_text(r, text, &text))
                return false;
            add_node(r, node, STR("#text"), text, true);
        }
        if (accept(r, STR("</"))) {
            if (!take_name(r, &name) || !str_equal(name, node->name))
                return false;
            skip_spaces(r);
            return accept(r, STR(">"));
        }
        if (accept(r, STR("<![CDATA["))) {
            if (!take_until(r, STR("]]>"), &text))
                return false;
            add_node(r, node, STR("#cdata-section"), text, true);
            continue;
        }
        if (!skip_remarks(r, &remark) || (!remark && !read_element(r, node, depth + 1)))
            return false;
    }
}

static bool
read_element(XmlReader *r, XmlNode *parent, int depth)
{
    Str name;
    if (depth > XML_DEPTH_MAX || !accept(r, STR("<")) || !take_name(r, &name))
        return false;
    XmlNode *node = add_node(r, parent, name, (Str){0}, false);
    if (!read_attributes(r, node))
        return false;
    if (accept(r, STR("/>")))
        return true;
    return accept(r, STR(">")) && read_content(r, node, depth);
}

// A document: remarks, one element, remarks. The declaration becomes "?xml".
static bool
read_document(XmlReader *r, XmlNode *document)
{
    bool remark = true;
    accept(r, STR("\xEF\xBB\xBF")); // a byte order mark
    skip_spaces(r);
    if (accept(r, STR("<?xml "))) {
        XmlNode *declaration = add_node(r, document, STR("?xml"), (Str){0}, false);
        if (!read_attributes(r, declaration) || !accept(r, STR("?>")))
            return false;
    }
    for (int elements = 0; remark || elements == 0; elements += !remark) {
        skip_spaces(r);
        if (!skip_remarks(r, &remark) || (!remark && !read_element(r, document, 0)))
            return false;
    }
    for (remark = true; remark;) {
        skip_spaces(r);
        if (!skip_remarks(r, &remark))
            return false;
    }
    return r->at == r->text.len;
}

// ---- pushing ----

typedef struct XmlGroup {
    XmlNode **items;
    size_t len, cap;
} XmlGroup;

static void push_members(XmlReader *r, DynBuilder *dyn, const XmlNode *node);

static void
push_node(XmlReader *r, DynBuilder *dyn, const XmlNode *node)
{
    if (node->is_leaf)
        dyn_push_string(dyn, node->text);
    else if (!node->first)
        dyn_push_null(dyn);
    else if (node->first == node->last && str_equal(node->first->name, STR("#text")))
        dyn_push_string(dyn, node->first->text);
    else
        push_members(r, dyn, node);
}

// The children as a bag, those of one name as an array at the place of the first.
static void
push_members(XmlReader *r, DynBuilder *dyn, const XmlNode *node)
{
    Map groups;
    map_init(&groups, r->arena, false);
    for (XmlNode *child = node->first; child; child = child->next) {
        XmlGroup *group = map_get(&groups, child->name);
        if (!group) {
            group = ARENA_NEW(r->arena, XmlGroup);
            map_put(&groups, child->name, group);
        }
        ARRAY_PUSH(r->arena, group, child);
    }
    dyn_begin_bag(dyn);
    for (size_t g = 0; g < groups.len; g++) {
        const XmlGroup *group = groups.entries[g].pointer;
        dyn_key(dyn, groups.entries[g].key);
        if (group->len > 1)
            dyn_begin_array(dyn);
        for (size_t n = 0; n < group->len; n++)
            push_node(r, dyn, group->items[n]);
        if (group->len > 1)
            dyn_end_array(dyn);
    }
    dyn_end_bag(dyn);
}

static void
parse_xml(ScalarCall *call)
{
    DynBuilder *dyn = call->scratch->dyn;
    Arena arena = {0};
    for (uint32_t i = 0; i < call->count; i++) {
        XmlReader reader = {.text = str_trim(arg_str(call, 0, i)), .arena = &arena};
        XmlNode document = {0};
        if (reader.text.len > XML_TEXT_MAX || !read_document(&reader, &document)) {
            out_null(call, i);
        } else {
            dyn_builder_reset(dyn);
            push_members(&reader, dyn, &document);
            out_dyn(call, i);
        }
        arena_reset(&arena);
    }
    arena_free(&arena);
}

static const ScalarImpl parse_xml_impl = {parse_xml, NULL};

static const FunctionDef ROWS[] = {
    {"parse_xml", NULL, "(xml:string) : dynamic",
     "The XML document as a dynamic; null when it is not well-formed.",
     "tostring(parse_xml('<a b=\"1\"><c>x</c></a>').a.c) == 'x'", FUNCTION_SCALAR, 0,
     &parse_xml_impl},
};

const FunctionSet XML_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
