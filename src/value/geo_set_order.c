// The order in which Kusto's hash set gives its elements, as its documented examples show:
// buckets by the FNV-1a hash of the token, eight at first. The first token of a bucket goes
// to the end of the list of all, each later one before the others of its bucket. When there
// are more tokens than buckets, there are eight times as many (from 512 on, enough), and the
// list is taken through the same rule anew.

#include "value/geo_sphere.h"

#include "base/arena.h"

#include <string.h>

enum { FIRST_BUCKETS = 8, FAST_GROWTH = 8, FAST_LIMIT = 512 };
#define NONE UINT32_MAX

typedef struct TokenSet {
    const char (*tokens)[GEO_TOKEN_MAX];
    uint64_t *hashes;
    uint32_t *next, *previous; // the list; entry `end` is before the first and after the last
    uint32_t *heads;           // first token of each bucket, or NONE
    uint32_t end, buckets, count;
} TokenSet;

static uint64_t
token_hash(const char *token)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *c = token; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    return hash;
}

static void
link_before(TokenSet *set, uint32_t token, uint32_t place)
{
    uint32_t before = set->previous[place];
    set->next[before] = token;
    set->previous[token] = before;
    set->next[token] = place;
    set->previous[place] = token;
}

static uint32_t *
head_of(TokenSet *set, uint32_t token)
{
    return &set->heads[set->hashes[token] & (set->buckets - 1)];
}

static void
place(TokenSet *set, uint32_t token)
{
    uint32_t *head = head_of(set, token);
    link_before(set, token, *head == NONE ? set->end : *head);
    *head = token;
}

static void
clear(TokenSet *set)
{
    set->next[set->end] = set->previous[set->end] = set->end;
    for (uint32_t b = 0; b < set->buckets; b++)
        set->heads[b] = NONE;
}

// `order` is room for the list while it is taken through the rule.
static void
grow(TokenSet *set, uint32_t *order)
{
    uint32_t count = 0;
    for (uint32_t t = set->next[set->end]; t != set->end; t = set->next[t])
        order[count++] = t;
    set->buckets *= set->buckets < FAST_LIMIT ? FAST_GROWTH : 2;
    clear(set);
    for (uint32_t i = 0; i < count; i++)
        place(set, order[i]);
}

// Tokens of a bucket follow each other in the list.
static bool
has(TokenSet *set, uint32_t token)
{
    uint32_t *head = head_of(set, token);
    for (uint32_t t = *head; t != NONE && t != set->end && head_of(set, t) == head;
         t = set->next[t])
        if (strcmp(set->tokens[t], set->tokens[token]) == 0)
            return true;
    return false;
}

uint32_t
geo_set_order(const char (*tokens)[GEO_TOKEN_MAX], uint32_t count, uint32_t *order)
{
    Arena arena = {0};
    TokenSet set = {.tokens = tokens, .end = count, .buckets = FIRST_BUCKETS};
    uint32_t most = FIRST_BUCKETS;
    while (most < count)
        most *= most < FAST_LIMIT ? FAST_GROWTH : 2;
    set.hashes = ARENA_ARRAY(&arena, uint64_t, count);
    set.next = ARENA_ARRAY(&arena, uint32_t, (size_t)count + 1);
    set.previous = ARENA_ARRAY(&arena, uint32_t, (size_t)count + 1);
    set.heads = ARENA_ARRAY(&arena, uint32_t, most);
    clear(&set);
    for (uint32_t t = 0; t < count; t++) {
        set.hashes[t] = token_hash(tokens[t]);
        if (has(&set, t))
            continue;
        if (set.count == set.buckets)
            grow(&set, order);
        place(&set, t);
        set.count++;
    }
    uint32_t out = 0;
    for (uint32_t t = set.next[set.end]; t != set.end; t = set.next[t])
        order[out++] = t;
    arena_free(&arena);
    return out;
}
