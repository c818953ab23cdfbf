// Rows are not taken apart: their strings are found in the text and replaced there, so that what
// is no name stays byte for byte.

#include "collect/redact_words.h"

#include "base/array.h"
#include "base/map.h"
#include "value/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct Redactor {
    uint8_t key[32];
    Arena arena;                       // of what was learnt
    Map names, ids, domains, of_azure; // without case; of_azure: words that are no names
    Arena scratch;                     // of one row
    JsonParser *parser;
    DynBuilder *builder;
};

Redactor *
redactor_new(void)
{
    Redactor *redactor = calloc(1, sizeof(*redactor));
    if (!redactor || getrandom(redactor->key, sizeof(redactor->key), 0) != sizeof(redactor->key))
        abort();
    Map *maps[] = {&redactor->names, &redactor->ids, &redactor->domains, &redactor->of_azure};
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        map_init(maps[i], &redactor->arena, true);
    redactor->parser = json_parser_new();
    redactor->builder = dyn_builder_new();
    return redactor;
}

void
redactor_free(Redactor *redactor)
{
    json_parser_free(redactor->parser);
    dyn_builder_free(redactor->builder);
    arena_free(&redactor->scratch);
    arena_free(&redactor->arena);
    explicit_bzero(redactor->key, sizeof(redactor->key));
    free(redactor);
}

static Str
table_of(Str file)
{
    ptrdiff_t dot = str_find(file, STR("."));
    return str_slice(file, 0, dot < 0 ? file.len : (size_t)dot);
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool
is_guid(Str text)
{
    for (size_t i = 0; i < text.len && text.len == 36; i++)
        if ((i == 8 || i == 13 || i == 18 || i == 23) ? text.ptr[i] != '-' : !is_hex(text.ptr[i]))
            return false;
    return text.len == 36;
}

// ---- the strings of a row ----

typedef struct Found {
    Str raw, text;   // with its quotes as it stands, and what it says
    Str key, parent; // of the member that it is the value of, or in; and of the one around it
    bool is_key;
} Found;
typedef void (*FoundTake)(Redactor *redactor, Str table, const Found *found, Buffer *out);

enum {
    DEEP = 64,     // keys further down are not told apart
    SAFE_NAME = 8, // bytes of a name that is known again in free text
};

static Str
text_of(Redactor *redactor, Str raw)
{
    Str inner = str_slice(raw, 1, raw.len - 1);
    const char *why;
    size_t offset;
    Dyn value;
    if (!memchr(inner.ptr, '\\', inner.len))
        return inner;
    dyn_builder_reset(redactor->builder);
    if (!json_to_dynamic(redactor->parser, raw, redactor->builder, &why, &offset) ||
        !dyn_finish(redactor->builder, &value, &why))
        return inner;
    return str_copy(&redactor->scratch, dyn_string(value));
}

// Calls `take` for each string; what lies between them goes to `out`, if there is one.
static void
each_string(Redactor *redactor, Str file, Str row, FoundTake take, Buffer *out)
{
    Str keys[DEEP] = {0};
    Str table = table_of(file);
    size_t depth = 0, from = 0;
    arena_reset(&redactor->scratch);
    for (size_t i = 0; i < row.len; i++) {
        char c = row.ptr[i];
        if (c == '{')
            depth++;
        else if (c == '}')
            depth -= depth > 0;
        if (depth < DEEP && c == '{')
            keys[depth] = (Str){0};
        if (c != '"')
            continue;
        size_t end = i + 1;
        while (end < row.len && row.ptr[end] != '"')
            end += row.ptr[end] == '\\' ? 2 : 1;
        end = end < row.len ? end + 1 : row.len;
        size_t after = end;
        while (after < row.len && (row.ptr[after] == ' ' || row.ptr[after] == '\t'))
            after++;
        size_t at = depth < DEEP ? depth : DEEP - 1;
        Found found = {.raw = str_slice(row, i, end), .parent = at ? keys[at - 1] : (Str){0}};
        if (found.raw.len < 2)
            break;
        found.text = text_of(redactor, found.raw);
        found.is_key = after < row.len && row.ptr[after] == ':';
        if (found.is_key)
            keys[at] = found.text;
        found.key = keys[at];
        if (out)
            buffer_str(out, str_slice(row, from, i));
        take(redactor, table, &found, out);
        from = end;
        i = end - 1;
    }
    if (out)
        buffer_str(out, str_slice(row, from, row.len));
}

// ---- learning ----

static void
learn(Redactor *redactor, Map *map, Str word)
{
    bool is_new;
    if (!map_find(map, word))
        map_add(map, str_copy(&redactor->arena, word), &is_new);
}

static void
learn_name(Redactor *redactor, Str name)
{
    bool digits = true;
    for (size_t i = 0; i < name.len; i++)
        digits = digits && name.ptr[i] >= '0' && name.ptr[i] <= '9';
    if (name.len > 2 && !digits && !is_guid(name) && !redact_is_fixed(name))
        learn(redactor, &redactor->names, name);
}

static Str
next_segment(Str *rest)
{
    while (rest->len && rest->ptr[0] == '/')
        *rest = str_slice(*rest, 1, rest->len);
    size_t end = 0;
    while (end < rest->len && rest->ptr[end] != '/' && rest->ptr[end] != '?')
        end++;
    Str segment = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return segment;
}

// "/subscriptions/S/resourceGroups/G/providers/P/type/name/type/name".
static void
learn_id(Redactor *redactor, Str id)
{
    bool keep = false;
    for (Str type; (type = next_segment(&id)).len;) {
        Str name = next_segment(&id);
        if (str_equal_ci(type, STR("providers")))
            keep = redact_keeps_provider(name);
        else if (str_equal_ci(type, STR("subscriptions")) && is_guid(name))
            learn(redactor, &redactor->ids, name);
        else if (!keep)
            learn_name(redactor, name);
    }
}

static void
learn_string(Redactor *redactor, Str table, const Found *found, Buffer *out)
{
    Str text = found->text;
    ptrdiff_t at = str_find(text, STR("@"));
    (void)out;
    if (text.len > 1 && text.ptr[0] == '/' &&
        (str_starts(text, STR("/subscriptions/")) || str_starts(text, STR("/providers/"))))
        learn_id(redactor, text);
    if (found->is_key)
        return;
    if (is_guid(text) && (str_equal_ci(found->key, STR("tenantId")) ||
                          str_equal_ci(found->key, STR("subscriptionId"))))
        learn(redactor, &redactor->ids, text);
    if (at > 0 && str_find(text, STR(" ")) < 0 && str_find(text, STR(".")) >= 0) {
        Str domain = str_slice(text, (size_t)at + 1, text.len);
        learn(redactor, &redactor->domains, domain);
        ptrdiff_t dot = str_find(domain, STR(".onmicrosoft.com"));
        if (dot > 0)
            learn_name(redactor, str_slice(domain, 0, (size_t)dot));
    }
    if (str_equal_ci(table, STR("resourcecontainers")) && str_equal_ci(found->key, STR("name")) &&
        !found->parent.len)
        learn_name(redactor, text);
    if (redact_is_label(table, found->key, found->parent) && text.len >= SAFE_NAME &&
        (str_find(text, STR("-")) > 0 || str_find(text, STR("_")) > 0))
        learn_name(redactor, text);
    if (!redact_is_azure_word(found->key, found->parent))
        return;
    learn(redactor, &redactor->of_azure, text);
    for (Str part, rest = text; (part = next_segment(&rest)).len;)
        learn(redactor, &redactor->of_azure, part); // of a type: a container may be called "models"
}

void
redactor_learn_row(Redactor *redactor, Str file, Str row)
{
    each_string(redactor, file, row, learn_string, NULL);
}

// ---- replacing ----

static void
put_pseudonym(const Redactor *redactor, const char *prefix, Str text, Buffer *out)
{
    static const char DIGITS[] = "abcdefghijkmnpqrstuvwxyz23456789";
    uint8_t hash[10];
    redact_hash(redactor->key, text, hash, sizeof(hash));
    buffer_text(out, prefix);
    for (size_t i = 0; i < sizeof(hash); i++)
        buffer_char(out, DIGITS[hash[i] & 31]);
}

static void
put_guid(const Redactor *redactor, Str text, Buffer *out)
{
    uint8_t hash[16];
    redact_hash(redactor->key, text, hash, sizeof(hash));
    for (size_t i = 0; i < sizeof(hash); i++)
        buffer_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", hash[i]);
}

static bool
is_name(const Redactor *redactor, Str word)
{
    return map_find(&redactor->names, word) && !map_find(&redactor->of_azure, word);
}

static void
put_domain(const Redactor *redactor, Str domain, Buffer *out)
{
    Str shared = STR(".onmicrosoft.com");
    if (str_ends(domain, shared)) {
        put_pseudonym(redactor, "x", str_slice(domain, 0, domain.len - shared.len), out);
        buffer_str(out, shared);
        return;
    }
    put_pseudonym(redactor, "d", domain, out);
    buffer_text(out, ".example");
}

// "ines.albrecht@contoso.com", and "guest_fabrikam.com#EXT#@contoso.onmicrosoft.com".
static void
put_mail(const Redactor *redactor, Str word, size_t at, Buffer *out)
{
    Str local = str_slice(word, 0, at), guest = STR("#EXT#");
    bool is_guest = str_ends(local, guest);
    put_pseudonym(redactor, "u", local, out);
    if (is_guest)
        buffer_str(out, guest);
    buffer_char(out, '@');
    put_domain(redactor, str_slice(word, at + 1, word.len), out);
}

// The first dot behind which a domain of the tenant stands; 0: the whole word is one.
static bool
own_domain(const Redactor *redactor, Str word, size_t *at)
{
    for (size_t i = 0; i < word.len; i++)
        if ((i == 0 || word.ptr[i - 1] == '.') &&
            map_find(&redactor->domains, str_slice(word, i, word.len))) {
            *at = i;
            return true;
        }
    return false;
}

static bool
is_joint(char c)
{
    return c == '.' || c == '-' || c == '_';
}

// Where the longest name ends that begins at `from` and is a whole part of the word: a label of a
// host name, or a name that others were made of ("osdisk-vm-render-01"); 0: there is none.
static size_t
name_end(const Redactor *redactor, Str word, size_t from)
{
    for (size_t end = word.len; end > from; end--) {
        Str part = str_slice(word, from, end);
        bool whole = end == word.len || is_joint(word.ptr[end]);
        bool label =
            (from == 0 || word.ptr[from - 1] == '.') && (end == word.len || word.ptr[end] == '.');
        // A short word inside another is most often only a word.
        if (whole && (label || part.len >= SAFE_NAME) && is_name(redactor, part))
            return end;
    }
    return 0;
}

static void
put_parts(const Redactor *redactor, Str word, Buffer *out)
{
    for (size_t i = 0; i < word.len;) {
        bool begins = i == 0 || is_joint(word.ptr[i - 1]);
        size_t end = begins ? name_end(redactor, word, i) : 0;
        if (end)
            put_pseudonym(redactor, "x", str_slice(word, i, end), out);
        else
            buffer_char(out, word.ptr[i]);
        i = end ? end : i + 1;
    }
}

static void
put_word(const Redactor *redactor, Str word, Buffer *out)
{
    ptrdiff_t at = str_find(word, STR("@"));
    size_t own;
    if (at > 0 && (size_t)at + 1 < word.len) {
        put_mail(redactor, word, (size_t)at, out);
    } else if (is_guid(word) && map_find(&redactor->ids, word)) {
        put_guid(redactor, word, out);
    } else if (redact_address(redactor->key, word, out)) {
        ;
    } else if (is_name(redactor, word)) {
        put_pseudonym(redactor, "x", word, out);
    } else if (own_domain(redactor, word, &own)) {
        if (own)
            put_pseudonym(redactor, "h", str_slice(word, 0, own - 1), out);
        if (own)
            buffer_char(out, '.');
        put_domain(redactor, str_slice(word, own, word.len), out);
    } else {
        put_parts(redactor, word, out);
    }
}

static bool
is_word_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '_' ||
           c == '.' || c == '@' || c == '#' || c == '+' || c == '%' || c & 0x80;
}

// How long the run of an IPv6 address at `text` is; 0 when there is none.
static size_t
six_len(Str text)
{
    size_t len = 0, colons = 0;
    while (len < text.len && (is_hex(text.ptr[len]) || text.ptr[len] == ':'))
        colons += text.ptr[len++] == ':';
    return colons >= 2 ? len : 0;
}

static void
put_segment(const Redactor *redactor, Str text, Buffer *out)
{
    if (is_name(redactor, text)) {
        put_pseudonym(redactor, "x", text, out);
        return;
    }
    for (size_t i = 0; i < text.len;) {
        size_t end = i, six = six_len(str_slice(text, i, text.len));
        if (six && redact_address(redactor->key, str_slice(text, i, i + six), out)) {
            i += six;
            continue;
        }
        while (end < text.len && is_word_char(text.ptr[end]))
            end++;
        if (end == i)
            buffer_char(out, text.ptr[i++]);
        else
            put_word(redactor, str_slice(text, i, end), out);
        i = end > i ? end : i;
    }
}

static void
replace_string(Redactor *redactor, Str table, const Found *found, Buffer *out)
{
    Buffer text = {0};
    if (found->text.len && !found->is_key && redact_is_label(table, found->key, found->parent) &&
        str_find(found->text, STR("@")) < 0) {
        put_pseudonym(redactor, "x", found->text, &text);
    } else if (!found->is_key || str_find(found->text, STR("/")) >= 0) {
        for (size_t from = 0, i = 0; i <= found->text.len; i++) {
            if (i < found->text.len && found->text.ptr[i] != '/')
                continue;
            put_segment(redactor, str_slice(found->text, from, i), &text);
            if (i < found->text.len)
                buffer_char(&text, '/');
            from = i + 1;
        }
    } else {
        buffer_str(&text, found->text);
    }
    if (str_equal(buffer_slice(&text), found->text))
        buffer_str(out, found->raw);
    else
        json_write_string(out, buffer_slice(&text), false);
    buffer_free(&text);
}

void
redactor_row(Redactor *redactor, Str file, Str row, Buffer *out)
{
    each_string(redactor, file, row, replace_string, out);
}

// ---- files ----

static bool
each_row(Redactor *redactor, Str file, const char *path, FILE *out, AzError *error)
{
    FILE *in = fopen(path, "re");
    if (!in)
        return error_errno(error, "cannot read '%s'", path);
    Buffer row = {0};
    char *line = NULL;
    size_t room = 0;
    for (ssize_t len; (len = getline(&line, &room, in)) > 0;) {
        Str text = {line, (size_t)len};
        buffer_clear(&row);
        if (out)
            redactor_row(redactor, file, text, &row);
        else
            redactor_learn_row(redactor, file, text);
        if (row.len)
            fwrite(row.data, 1, row.len, out);
    }
    bool done = !ferror(in) || error_errno(error, "cannot read '%s'", path);
    free(line);
    buffer_free(&row);
    fclose(in);
    return done;
}

bool
redactor_learn(Redactor *redactor, Str file, const char *path, AzError *error)
{
    return each_row(redactor, file, path, NULL, error);
}

bool
redactor_write(Redactor *redactor, Str file, const char *path, const char *target, AzError *error)
{
    FILE *out = fopen(target, "we");
    if (!out)
        return error_errno(error, "cannot create '%s'", target);
    bool done = each_row(redactor, file, path, out, error);
    bool written = !fflush(out) && !ferror(out);
    if (fclose(out) || !written)
        done = done && error_errno(error, "cannot write '%s'", target);
    return done;
}
