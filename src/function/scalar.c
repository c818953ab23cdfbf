// What kernels share: reading arguments, writing results, regular expressions.

#include "function/scalar.h"

#include "base/map.h"

#include <pthread.h>

// ---- arguments and results ----

static const void *
arg_cell(const ScalarCall *call, uint32_t k, uint32_t i)
{
    const ArgView *arg = &call->args[k];
    return (const char *)arg->data + (i & arg->mask) * type_size(arg->type);
}

Value
arg_value(const ScalarCall *call, uint32_t k, uint32_t i)
{
    Type type = call->args[k].type;
    if (arg_is_null(call, k, i))
        return value_null(type);
    Value value = {.type = type};
    const void *cell = arg_cell(call, k, i);
    switch (type_size(type)) {
    case 1: value.boolean = *(const uint8_t *)cell != 0; break;
    case 4: memcpy(&value.int32, cell, 4); break;
    case 8: memcpy(&value.int64, cell, 8); break;
    default: memcpy(&value.text, cell, sizeof(Text)); break;
    }
    return value;
}

void
out_str(ScalarCall *call, uint32_t i, Str s)
{
    ((Text *)call->out)[i] = text_copy(call->arena, s);
}

void
out_view(ScalarCall *call, uint32_t i, Str s)
{
    ((Text *)call->out)[i] = text_view(s.ptr, s.len);
}

void
out_value(ScalarCall *call, uint32_t i, const Value *value)
{
    if (value->is_null) {
        out_null(call, i);
        return;
    }
    size_t size = type_size(call->type);
    memcpy((char *)call->out + i * size, value_data(value), size);
    if (type_is_text(call->type))
        out_str(call, i, text_str(&value->text));
}

void
out_dyn(ScalarCall *call, uint32_t i)
{
    bool is_null;
    if (!dyn_finish_text(call->scratch->dyn, call->arena, &((Text *)call->out)[i], &is_null) ||
        is_null)
        out_null(call, i);
    dyn_builder_reset(call->scratch->dyn);
}

void
out_array_begin(ScalarCall *call)
{
    dyn_builder_reset(call->scratch->dyn);
    dyn_begin_array(call->scratch->dyn);
}

void
out_array_finish(ScalarCall *call, uint32_t i)
{
    dyn_end_array(call->scratch->dyn);
    out_dyn(call, i);
}

// ---- regular expressions ----

// Constant patterns: compiled once a process, shared by equal patterns. Plans point into
// the table, so nothing leaves it.
static struct {
    pthread_mutex_t mutex;
    Arena arena;
    Map patterns; // 'i' or 'c', then the pattern -> Regex
} regex_table = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static Str
regex_key(Arena *arena, Str pattern, bool ignore_case)
{
    return str_format(arena, "%c%.*s", ignore_case ? 'i' : 'c', STR_ARG(pattern));
}

bool
bind_regex(Expr *const *args, uint32_t k, bool ignore_case, const void **bound, AzError *error)
{
    const Expr *expr = args[k];
    if (expr->kind != EXPR_CONST || expr->type != TYPE_STRING)
        return true;
    Str pattern = text_str(&expr->value.text);
    Arena scratch = {0};
    pthread_mutex_lock(&regex_table.mutex);
    if (!regex_table.patterns.arena)
        map_init(&regex_table.patterns, &regex_table.arena, false);
    Str key = regex_key(&scratch, pattern, ignore_case);
    Regex *regex = map_get(&regex_table.patterns, key);
    AzError why = {0};
    if (!regex && (regex = regex_new(pattern, ignore_case, &why)))
        map_put(&regex_table.patterns, str_copy(&regex_table.arena, key), regex);
    pthread_mutex_unlock(&regex_table.mutex);
    arena_free(&scratch);
    if (!regex)
        return error_at(error, AZ_SEMANTIC, expr->span, "%s", why.message);
    *bound = regex;
    return true;
}

// Patterns that come from rows: the last ones used, by pattern. A pattern that is not
// valid is remembered too.
enum { REGEX_CACHE_ENTRIES = 64 };

typedef struct RegexEntry {
    char *key; // malloc'ed: 'i' or 'c', then the pattern
    size_t len;
    Regex *regex; // NULL: not valid
} RegexEntry;

struct RegexCache {
    RegexEntry entries[REGEX_CACHE_ENTRIES];
    uint32_t next;
};

static void
regex_cache_free(struct RegexCache *cache)
{
    for (uint32_t i = 0; cache && i < REGEX_CACHE_ENTRIES; i++) {
        free(cache->entries[i].key);
        regex_free(cache->entries[i].regex);
    }
    free(cache);
}

static const Regex *
cached_regex(Scratch *scratch, Str pattern, bool ignore_case)
{
    if (!scratch->regexes && !(scratch->regexes = calloc(1, sizeof(*scratch->regexes))))
        abort();
    struct RegexCache *cache = scratch->regexes;
    char flag = ignore_case ? 'i' : 'c';
    for (uint32_t i = 0; i < REGEX_CACHE_ENTRIES; i++) {
        const RegexEntry *entry = &cache->entries[i];
        if (entry->key && entry->len == pattern.len + 1 && entry->key[0] == flag &&
            memcmp(entry->key + 1, pattern.ptr, pattern.len) == 0)
            return entry->regex;
    }
    RegexEntry *entry = &cache->entries[cache->next++ % REGEX_CACHE_ENTRIES];
    free(entry->key);
    regex_free(entry->regex);
    entry->len = pattern.len + 1;
    if (!(entry->key = malloc(entry->len)))
        abort();
    entry->key[0] = flag;
    if (pattern.len)
        memcpy(entry->key + 1, pattern.ptr, pattern.len);
    entry->regex = regex_new(pattern, ignore_case, NULL);
    return entry->regex;
}

const Regex *
arg_regex(ScalarCall *call, uint32_t k, uint32_t i, bool ignore_case)
{
    if (call->bound && !call->args[k].mask)
        return call->bound;
    return cached_regex(call->scratch, arg_str(call, k, i), ignore_case);
}

// ---- scratch ----

void
scratch_init(Scratch *scratch)
{
    *scratch = (Scratch){.json = json_parser_new(), .dyn = dyn_builder_new()};
}

void
scratch_free(Scratch *scratch)
{
    json_parser_free(scratch->json);
    dyn_builder_free(scratch->dyn);
    buffer_free(&scratch->text);
    buffer_free(&scratch->text2);
    regex_cache_free(scratch->regexes);
    *scratch = (Scratch){0};
}
