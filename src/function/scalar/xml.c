// parse_xml(): XML text as a dynamic.
//
// Source: Kusto docs, parse_xml(): elements become members, attributes members with '@',
// text beside either of them '#text'; repeated elements an array; other kinds of nodes are
// skipped; texts above 1 MB and texts that are not well-formed give null.
//
// libxml2 reads the text. It is loaded when the first call is bound, not with the program,
// which would cost every run a millisecond; its reader interface needs no structures, so no
// header either. Nothing is fetched, and a text that declares entities is refused before it
// is read, so no expansion can grow.

#include "base/array.h"
#include "base/library.h"
#include "base/map.h"
#include "function/registry.h"

#include <pthread.h>

enum { XML_MOST = 1048576 };

// Constants of libxml2's public interface.
enum {
    NODE_ELEMENT = 1,
    NODE_TEXT = 3,
    NODE_CDATA = 4,
    NODE_SIGNIFICANT_SPACE = 14,
    NODE_END_ELEMENT = 15,
    PARSE_NO_ERROR = 1 << 5,
    PARSE_NO_WARNING = 1 << 6,
    PARSE_NO_NETWORK = 1 << 11,
    PARSE_IGNORE_ENCODING = 1 << 21,
};

typedef struct Reader Reader;

static struct {
    pthread_once_t once;
    bool loaded;
    Reader *(*open)(const char *text, int size, const char *url, const char *encoding, int options);
    void (*close)(Reader *reader);
    int (*read)(Reader *reader);
    int (*node_type)(Reader *reader);
    int (*is_empty)(Reader *reader);
    int (*next_attribute)(Reader *reader);
    const char *(*name)(Reader *reader);
    const char *(*value)(Reader *reader);
} xml = {.once = PTHREAD_ONCE_INIT};

static void
load_library(void)
{
    static const char *const NAMES[] = {"libxml2.so.2", "libxml2.so.16", "libxml2.so"};
    void *library = library_open(NAMES, COUNT_OF(NAMES));
    void (*init)(void) = NULL;
    if (!library || !library_function(library, "xmlInitParser", &init))
        return;
    init();
    xml.loaded =
        library_function(library, "xmlReaderForMemory", &xml.open) &&
        library_function(library, "xmlFreeTextReader", &xml.close) &&
        library_function(library, "xmlTextReaderRead", &xml.read) &&
        library_function(library, "xmlTextReaderNodeType", &xml.node_type) &&
        library_function(library, "xmlTextReaderIsEmptyElement", &xml.is_empty) &&
        library_function(library, "xmlTextReaderMoveToNextAttribute", &xml.next_attribute) &&
        library_function(library, "xmlTextReaderConstName", &xml.name) &&
        library_function(library, "xmlTextReaderConstValue", &xml.value);
}

// ---- the tree ----

typedef struct Element Element;
typedef struct Member {
    Str name;
    struct {
        Element **items;
        size_t len, cap;
    } elements; // of that name
    struct {
        Str *items;
        size_t len, cap;
    } texts; // attributes and texts
} Member;

struct Element {
    Map members; // name -> Member, in the order of their first place
    Element *parent;
};

static Element *
element_new(Arena *arena, Element *parent)
{
    Element *element = ARENA_NEW(arena, Element);
    map_init(&element->members, arena, false);
    element->parent = parent;
    return element;
}

static Member *
element_member(Arena *arena, Element *element, Str name)
{
    bool is_new;
    MapEntry *entry = map_add(&element->members, name, &is_new);
    if (is_new) {
        Member *member = ARENA_NEW(arena, Member);
        member->name = name;
        entry->pointer = member;
    }
    return entry->pointer;
}

static void
add_text(Arena *arena, Element *element, Str name, const char *value)
{
    Member *member = element_member(arena, element, name);
    ARRAY_PUSH(arena, &member->texts, str_copy(arena, str_from(value ? value : "")));
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
add_content(Arena *arena, Element *element, const char *value)
{
    Str text = str_from(value ? value : "");
    while (text.len && is_blank(text.ptr[0]))
        text = (Str){text.ptr + 1, text.len - 1};
    while (text.len && is_blank(text.ptr[text.len - 1]))
        text.len--;
    if (!text.len)
        return;
    Member *member = element_member(arena, element, STR("#text"));
    ARRAY_PUSH(arena, &member->texts, str_copy(arena, text));
}

static Element *
open_element(Arena *arena, Reader *reader, Element *parent)
{
    Element *element = element_new(arena, parent);
    Member *member = element_member(arena, parent, str_copy(arena, str_from(xml.name(reader))));
    ARRAY_PUSH(arena, &member->elements, element);
    bool is_empty = xml.is_empty(reader) == 1;
    while (xml.next_attribute(reader) == 1)
        add_text(arena, element, str_format(arena, "@%s", xml.name(reader)), xml.value(reader));
    return is_empty ? parent : element;
}

// The document as an element with one member, its root; NULL when it is not well-formed.
static Element *
read_document(Arena *arena, Str text)
{
    Reader *reader =
        xml.open(text.ptr, (int)text.len, NULL, "UTF-8",
                 PARSE_NO_ERROR | PARSE_NO_WARNING | PARSE_NO_NETWORK | PARSE_IGNORE_ENCODING);
    if (!reader)
        return NULL;
    Element *document = element_new(arena, NULL), *current = document;
    int more;
    while ((more = xml.read(reader)) == 1) {
        switch (xml.node_type(reader)) {
        case NODE_ELEMENT: current = open_element(arena, reader, current); break;
        case NODE_END_ELEMENT: current = current->parent; break;
        case NODE_TEXT:
        case NODE_CDATA:
        case NODE_SIGNIFICANT_SPACE: add_content(arena, current, xml.value(reader)); break;
        default: break;
        }
    }
    xml.close(reader);
    return more == 0 && current == document && document->members.len ? document : NULL;
}

// ---- output ----

static void push_element(DynBuilder *dyn, const Element *element);

static void
push_member(DynBuilder *dyn, const Member *member)
{
    bool several = member->texts.len + member->elements.len > 1;
    if (several)
        dyn_begin_array(dyn);
    for (size_t i = 0; i < member->texts.len; i++)
        dyn_push_string(dyn, member->texts.items[i]);
    for (size_t i = 0; i < member->elements.len; i++)
        push_element(dyn, member->elements.items[i]);
    if (several)
        dyn_end_array(dyn);
}

// libxml2 refuses more than 256 levels, so the recursion is bounded.
static void
push_element(DynBuilder *dyn, const Element *element)
{
    const Map *members = &element->members;
    if (!members->len) {
        dyn_push_null(dyn);
        return;
    }
    if (members->len == 1 && str_equal(members->entries[0].key, STR("#text"))) {
        push_member(dyn, members->entries[0].pointer);
        return;
    }
    dyn_begin_bag(dyn);
    for (size_t i = 0; i < members->len; i++) {
        dyn_key(dyn, members->entries[i].key);
        push_member(dyn, members->entries[i].pointer);
    }
    dyn_end_bag(dyn);
}

// ---- the function ----

static void
parse_xml(ScalarCall *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Str text = arg_str(call, 0, i);
        bool fits = text.len && text.len <= XML_MOST && str_find(text, STR("<!ENTITY")) < 0;
        const Element *document = fits ? read_document(&arena, text) : NULL;
        if (document) {
            dyn_builder_reset(call->scratch->dyn);
            push_element(call->scratch->dyn, document);
            out_dyn(call, i);
        } else {
            out_null(call, i);
        }
        arena_free(&arena);
    }
}

static bool
xml_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
         Type *type, const void **bound, AzError *error)
{
    (void)arena, (void)args, (void)arg_count, (void)type, (void)bound;
    pthread_once(&xml.once, load_library);
    return xml.loaded ||
           error_at(error, AZ_SEMANTIC, span,
                    "%s() needs the library libxml2, which is not installed here", fn->name);
}

static const ScalarImpl IMPL = {parse_xml, xml_bind};

static const FunctionDef ROWS[] = {
    {"parse_xml", NULL, "(xml:textual) : dynamic",
     "XML as a dynamic: elements are members, attributes members with '@', text '#text'.",
     "tostring(parse_xml('<a><b>1</b></a>').a.b) == '1'", FUNCTION_SCALAR, 0, &IMPL},
};

const FunctionSet XML_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
