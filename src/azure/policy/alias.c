// The table of aliases: lines of text behind one gzip stream (script/azure_aliases.py).

#include "azure/policy/alias.h"

#include "base/buffer.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { READ_SIZE = 256 * 1024, TEXT_LIMIT = 256 << 20 };

void
alias_table_init(AliasTable *table, Arena *arena)
{
    *table = (AliasTable){.arena = arena};
    map_init(&table->types, arena, true);
    map_init(&table->names, arena, true);
}

AliasType *
alias_table_type(AliasTable *table, Str name)
{
    AliasType *type = map_get(&table->types, name);
    if (!type) {
        type = ARENA_NEW(table->arena, AliasType);
        type->name = str_copy(table->arena, name);
        map_put(&table->types, type->name, type);
    }
    return type;
}

static void
link_alias(AliasTable *table, Alias *alias)
{
    bool is_new;
    MapEntry *entry = map_add(&table->names, alias->name, &is_new);
    alias->next = entry->pointer;
    entry->pointer = alias;
}

void
alias_table_add(AliasTable *table, const AliasType *type, const Alias *alias)
{
    Alias *kept = arena_copy(table->arena, alias, sizeof(*alias));
    kept->type = type;
    kept->name = str_copy(table->arena, alias->name);
    kept->path = str_copy(table->arena, alias->path);
    kept->versions = str_copy(table->arena, alias->versions);
    link_alias(table, kept);
}

const AliasType *
alias_find_type(const AliasTable *table, Str type)
{
    return map_get(&table->types, type);
}

const Alias *
alias_find(const AliasTable *table, Str name)
{
    return map_get(&table->names, name);
}

// The text up to the next tab; `rest` moves behind it.
static Str
next_field(Str *rest)
{
    ptrdiff_t tab = str_find(*rest, STR("\t"));
    Str field = tab < 0 ? *rest : str_slice(*rest, 0, (size_t)tab);
    *rest = tab < 0 ? (Str){0} : str_slice(*rest, (size_t)tab + 1, rest->len);
    return field;
}

static Str
join(Arena *arena, Str a, const char *between, Str b)
{
    size_t middle = strlen(between);
    char *text = arena_alloc(arena, a.len + middle + b.len);
    if (a.len)
        memcpy(text, a.ptr, a.len);
    memcpy(text + a.len, between, middle);
    if (b.len)
        memcpy(text + a.len + middle, b.ptr, b.len);
    return (Str){text, a.len + middle + b.len};
}

// The line lives as long as the table: names and paths that stand in it are not copied.
static void
take_line(AliasTable *table, AliasType **type, Str line)
{
    if (line.ptr[0] == '=') {
        line = str_slice(line, 1, line.len);
        *type = alias_table_type(table, next_field(&line));
        Str flags = next_field(&line);
        (*type)->tags = str_equal(flags, STR("t"))   ? TAGS_YES
                        : str_equal(flags, STR("n")) ? TAGS_NO
                                                     : TAGS_UNKNOWN;
        (*type)->api_version = next_field(&line);
        return;
    }
    if (!*type)
        return;
    Alias *alias = ARENA_NEW(table->arena, Alias);
    Str name = next_field(&line);
    alias->type = *type;
    alias->path = next_field(&line);
    alias->versions = next_field(&line);
    if (str_ends(name, STR("!"))) {
        alias->modifiable = MODIFIABLE_YES;
        name.len--;
    }
    alias->name = name;
    if (str_starts(name, STR("~"))) {
        Str below = str_slice(name, 1, name.len);
        alias->name = join(table->arena, (*type)->name, "/", below);
        if (!alias->path.len)
            alias->path = join(table->arena, STR("properties"), ".", below);
    }
    link_alias(table, alias);
}

bool
alias_table_load(AliasTable *table, const char *content, AzError *error)
{
    Str path = str_format(table->arena, "%s/azure/aliases.txt.gz", content);
    gzFile file = gzopen(path.ptr, "rb");
    if (!file)
        return error_errno(error, "cannot open '%s'", path.ptr);
    Buffer text = {0};
    int got;
    while ((got = gzread(file, buffer_reserve(&text, READ_SIZE), READ_SIZE)) > 0 &&
           text.len < TEXT_LIMIT)
        text.len += (size_t)got;
    gzclose(file);
    bool done = got == 0 || error_set(error, AZ_CORRUPT, "'%s' is no table of aliases", path.ptr);
    Str rest = done ? str_copy(table->arena, buffer_slice(&text)) : (Str){0};
    buffer_free(&text);
    AliasType *type = NULL;
    while (rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        if (len && rest.ptr[0] != '#')
            take_line(table, &type, (Str){rest.ptr, len});
        rest = str_slice(rest, len + 1, rest.len);
    }
    return done;
}
