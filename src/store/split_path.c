// One path of the objects in a block: from the columns of a split block alone, or from the
// values of any other. What comes out is, of texts, what parse_json() and the path give: see
// split.h.

#include "store/split.h"
#include "value/dynamic.h"
#include "value/json.h"
#include "value/json_template.h"

#include <xxhash.h>

// What of a block the path needs of a template.
typedef enum Need { NEED_NOTHING, NEED_PLACE, NEED_WHOLE } Need;

typedef struct Part {
    Need need;
    const SplitPlace *place;
    Str below; // of the path, within a value that is in no plain column
    Block *block;
    const Vector *values; // dynamic
} Part;

typedef struct PathRead {
    BlockDecoder *decoder;
    SplitRead *read;
    void *context;
    Arena arena; // of the head
    SplitHead head;
    Block *out;
    Type type;
    Part parts[SPLIT_TEMPLATES + 1]; // the last: values kept whole
    const char *why;
} PathRead;

static bool
fail(PathRead *r, const char *why)
{
    r->why = why;
    return false;
}

// ---- values ----

static Dyn
walk(Dyn node, Str path)
{
    ByteReader reader = {.at = (const uint8_t *)path.ptr,
                         .end = (const uint8_t *)path.ptr + path.len};
    while (node.ptr && bytes_left(&reader))
        node = dyn_get(node, bytes_str(&reader));
    return node;
}

static void
put_node(Arena *arena, Vector *out, uint32_t i, Dyn node)
{
    if (dyn_kind(node) == DYN_NULL)
        vector_set_null(arena, out, i);
    else
        ((Text *)out->data)[i] = text_copy(arena, (Str){(const char *)node.ptr, node.size});
}

static void
put_long(Vector *out, uint32_t i, int64_t number)
{
    uint32_t size = number == (int8_t)number    ? 1
                    : number == (int16_t)number ? 2
                    : number == (int32_t)number ? 4
                                                : 8;
    // The bytes behind a short text are zero.
    uint64_t bytes = (uint64_t)number & (UINT64_MAX >> (64 - 8 * size));
    Text text = {.len = 1 + size};
    text.inlined[0] = DYN_LONG;
    memcpy(text.inlined + 1, &bytes, sizeof(bytes));
    ((Text *)out->data)[i] = text;
}

static void
put_string(Arena *arena, Vector *out, uint32_t i, Str text)
{
    if (text.len < TEXT_INLINE) {
        char node[TEXT_INLINE] = {DYN_STRING};
        memcpy(node + 1, text.ptr, text.len);
        ((Text *)out->data)[i] = text_view(node, text.len + 1);
        return;
    }
    char *node = arena_alloc_aligned(arena, text.len + 1, 1);
    node[0] = DYN_STRING;
    memcpy(node + 1, text.ptr, text.len);
    ((Text *)out->data)[i] = text_view(node, text.len + 1);
}

// A JSON text of any kind, and what lies at the path in it.
static void
put_json(Arena *arena, Arena *scratch, Vector *out, uint32_t i, Str text, Str path)
{
    const char *end = text.ptr + text.len;
    int64_t number;
    if (!path.len && text.len > 1 && *text.ptr == '"' &&
        json_plain_end(text.ptr + 1, end) == end - 1) {
        put_string(arena, out, i, str_slice(text, 1, text.len - 1));
        return;
    }
    if (!path.len && json_plain_long(text.ptr, end, &number) == end) {
        put_long(out, i, number);
        return;
    }
    Text tree;
    bool is_null;
    arena_reset(scratch);
    json_parse_text(scratch, text, &tree, &is_null);
    put_node(arena, out, i, is_null ? (Dyn){0} : walk(dyn_of_text(&tree), path));
}

// The flat `values` of a column as dynamics.
static Vector *
to_dynamics(Arena *arena, const Vector *values, uint32_t count, SplitKind kind, Str path)
{
    Vector *out = vector_new_flat(arena, TYPE_DYNAMIC, count);
    Arena scratch = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (values->valid && !bit_get(values->valid, i))
            vector_set_null(arena, out, i);
        else if (kind == SPLIT_LONG)
            put_long(out, i, ((const int64_t *)values->data)[i]);
        else if (kind == SPLIT_STRING)
            put_string(arena, out, i, text_str((const Text *)values->data + i));
        else if (values->type == TYPE_DYNAMIC)
            put_node(arena, out, i, walk(dyn_of_text((const Text *)values->data + i), path));
        else
            put_json(arena, &scratch, out, i, text_str((const Text *)values->data + i), path);
    }
    arena_free(&scratch);
    return out;
}

// The same of a column in any encoding, which stays.
static const Vector *
column_dynamics(Arena *arena, const Vector *v, SplitKind kind, Str path)
{
    if (v->encoding == ENC_FLAT)
        return to_dynamics(arena, v, v->count, kind, path);
    if (v->encoding == ENC_DICT) {
        Vector *entries = to_dynamics(arena, v->dict, v->dict->count, kind, path);
        const uint32_t *codes = arena_copy(arena, v->codes, v->count * sizeof(*codes));
        return vector_new_dict(arena, entries, codes, v->count);
    }
    Vector *one = to_dynamics(arena, v, 1, kind, path);
    one->encoding = ENC_CONST;
    one->count = v->count;
    return one;
}

// ---- parts ----

// Where the path leads in values of the template.
static void
part_find(const SplitTemplate *t, Str path, Part *part)
{
    for (uint32_t p = 0; p < t->count; p++) {
        Str at = t->places[p].path;
        if (str_starts(path, at) && at.len) {
            bool within = path.len > at.len;
            if (within && t->places[p].kind != SPLIT_OTHER)
                return;
            part->need = NEED_PLACE;
            part->place = &t->places[p];
            part->below = str_slice(path, at.len, path.len);
            return;
        }
        // An object that was split: it is in no column.
        if (str_starts(at, path)) {
            part->need = NEED_WHOLE;
            return;
        }
    }
}

static bool
column_read(PathRead *r, const BlockInfo *info, Type type, uint32_t rows, Block **out)
{
    void *stored = block_decoder_buffer(r->decoder, info->stored);
    r->why = "a column of its values cannot be read";
    if (!r->read(r->context, info->offset, stored, info->stored))
        return false;
    *out = block_decode(r->decoder, info, type, rows, stored, &r->why);
    return *out != NULL;
}

static bool
part_read(PathRead *r, uint32_t number)
{
    Part *part = &r->parts[number];
    if (part->need != NEED_PLACE)
        return true;
    SplitKind kind = part->place->kind;
    Type type = split_column_type(r->type, kind);
    if (!column_read(r, &part->place->info, type, r->head.templates[number].rows, &part->block))
        return false;
    part->values = column_dynamics(&r->out->arena, &part->block->vector, kind, part->below);
    return true;
}

static bool
whole_read(PathRead *r, Str path)
{
    Part *part = &r->parts[r->head.count];
    if (!r->head.whole_rows)
        return true;
    if (!column_read(r, &r->head.whole, r->type, r->head.whole_rows, &part->block))
        return false;
    part->values = column_dynamics(&r->out->arena, &part->block->vector, SPLIT_OTHER, path);
    // Text that is no JSON becomes a string, which has no members; empty text is null.
    return true;
}

// ---- the whole ----

static bool
is_one(const PathRead *r)
{
    return r->head.count == 1 && !r->head.whole_rows;
}

// Rows of several parts, in the order of the block: a dictionary when all have few values.
static bool
parts_join(PathRead *r, const uint8_t *codes)
{
    Arena *arena = &r->out->arena;
    uint32_t entries = 1, rows = r->head.rows; // the first entry is null
    uint32_t firsts[SPLIT_TEMPLATES + 1], next[SPLIT_TEMPLATES + 1] = {0};
    for (uint32_t p = 0; p <= r->head.count; p++) {
        const Vector *values = r->parts[p].values;
        firsts[p] = entries;
        if (!values)
            continue;
        entries += values->encoding == ENC_CONST ? 1 : vector_payload(values)->count;
    }
    Vector *all = vector_new_flat(arena, TYPE_DYNAMIC, entries);
    vector_set_null(arena, all, 0);
    for (uint32_t p = 0; p <= r->head.count; p++) {
        const Vector *values = r->parts[p].values;
        uint32_t end = p == r->head.count ? entries : firsts[p + 1];
        for (uint32_t e = firsts[p]; values && e < end; e++) {
            const Vector *payload = vector_payload(values);
            uint32_t i = e - firsts[p];
            if (payload->valid && !bit_get(payload->valid, i))
                vector_set_null(arena, all, e);
            else
                ((Text *)all->data)[e] = ((const Text *)payload->data)[i];
        }
    }
    uint32_t *index = arena_alloc_array(arena, rows, sizeof(uint32_t));
    for (uint32_t i = 0; i < rows; i++) {
        const Vector *values = r->parts[codes[i]].values;
        uint32_t row = next[codes[i]]++;
        index[i] = values ? firsts[codes[i]] + vector_index(values, row) : 0;
    }
    r->out->dict = *all;
    r->out->vector = *vector_new_dict(arena, &r->out->dict, index, rows);
    return true;
}

static void
null_all(PathRead *r)
{
    Value none = value_null(TYPE_DYNAMIC);
    r->out->vector = *vector_new_const(&r->out->arena, &none, r->head.rows);
}

static bool
parts_put(PathRead *r)
{
    bool any = false;
    for (uint32_t p = 0; p <= r->head.count; p++)
        any = any || r->parts[p].values;
    if (!any) {
        null_all(r);
        return true;
    }
    if (is_one(r)) {
        r->out->vector = *r->parts[0].values;
        if (r->out->vector.encoding == ENC_DICT) {
            r->out->dict = *r->out->vector.dict;
            r->out->vector.dict = &r->out->dict;
        }
        return true;
    }
    Block *column;
    if (!column_read(r, &r->head.codes, TYPE_INT, r->head.rows, &column))
        return false;
    uint8_t *codes = arena_alloc(&r->arena, r->head.rows);
    bool ok = split_codes(&r->head, &column->vector, codes) ||
              fail(r, "it has a wrong number of a template");
    block_free(column);
    return ok && parts_join(r, codes);
}

static bool
head_read(PathRead *r, const BlockInfo *info, uint32_t rows)
{
    uint8_t prefix[SPLIT_PREFIX];
    uint32_t size;
    uint64_t checksum;
    r->why = "its head cannot be read";
    if (info->stored < SPLIT_PREFIX || !r->read(r->context, 0, prefix, sizeof(prefix)) ||
        !split_prefix(prefix, info->stored, &size, &checksum))
        return false;
    char *head = arena_alloc(&r->arena, size);
    if (!r->read(r->context, SPLIT_PREFIX, head, size))
        return false;
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    if (XXH3_64bits(head, size) != checksum)
        return fail(r, "the checksum of its head does not fit");
#endif
    return split_head(&r->arena, (Str){head, size}, rows, info->stored, &r->head, &r->why);
}

static bool
path_read(PathRead *r, const BlockInfo *info, uint32_t rows, Str path)
{
    if (!head_read(r, info, rows))
        return false;
    for (uint32_t t = 0; t < r->head.count; t++) {
        part_find(&r->head.templates[t], path, &r->parts[t]);
        if (r->parts[t].need == NEED_WHOLE)
            return fail(r, NULL);
    }
    for (uint32_t t = 0; t < r->head.count; t++)
        if (!part_read(r, t))
            return false;
    return whole_read(r, path) && parts_put(r);
}

Block *
split_path(BlockDecoder *decoder, const BlockInfo *info, Type type, uint32_t rows, Str path,
           SplitRead *read, void *context, const char **why)
{
    PathRead r = {.decoder = decoder, .read = read, .context = context, .type = type};
    r.out = calloc(1, sizeof(Block));
    *why = "there is not enough memory";
    if (!r.out)
        return NULL;
    bool ok = path_read(&r, info, rows, path);
    *why = r.why;
    for (uint32_t p = 0; p <= SPLIT_TEMPLATES; p++)
        block_free(r.parts[p].block);
    arena_free(&r.arena);
    if (ok)
        return r.out;
    block_free(r.out);
    return NULL;
}

Block *
split_path_of_values(const Block *values, Str path)
{
    Block *out = calloc(1, sizeof(Block));
    if (!out)
        return NULL;
    out->vector = *column_dynamics(&out->arena, &values->vector, SPLIT_OTHER, path);
    if (out->vector.encoding == ENC_DICT) {
        out->dict = *out->vector.dict;
        out->vector.dict = &out->dict;
    }
    return out;
}
