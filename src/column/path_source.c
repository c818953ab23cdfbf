// Sources with columns of paths. What a condition says of such a column tells nothing of a
// morsel; all else is asked of the source below.

#include "column/path_source.h"
#include "base/array.h"
#include "base/buffer.h"

typedef struct PathColumn {
    uint32_t column; // of the base
    Str path;
} PathColumn;

typedef struct PathSource {
    TableSource source;
    TableSource *base;
    struct {
        PathColumn *items;
        size_t len, cap;
    } paths;
} PathSource;

static uint32_t
morsel_rows(const TableSource *source, uint32_t morsel)
{
    const PathSource *p = source->context;
    return p->base->morsel_rows(p->base, morsel);
}

static bool
is_of_base(const PathSource *p, const ScanPredicate *predicate)
{
    if (predicate->op != SCAN_ANY && predicate->op != SCAN_ALL)
        return predicate->column < p->base->schema.count;
    for (uint32_t i = 0; i < predicate->part_count; i++)
        if (!is_of_base(p, &predicate->parts[i]))
            return false;
    return true;
}

static bool
may_match(const TableSource *source, uint32_t morsel, const ScanPredicate *predicates,
          uint32_t count)
{
    const PathSource *p = source->context;
    bool all = true;
    for (uint32_t i = 0; all && i < count; i++)
        all = is_of_base(p, &predicates[i]);
    if (all)
        return p->base->may_match(p->base, morsel, predicates, count);
    for (uint32_t i = 0; i < count; i++)
        if (is_of_base(p, &predicates[i]) &&
            !p->base->may_match(p->base, morsel, &predicates[i], 1))
            return false;
    return true;
}

static bool
match_rows(const TableSource *source, uint32_t morsel, const ScanPredicate *predicate,
           uint64_t *rows, bool *exact)
{
    const PathSource *p = source->context;
    return is_of_base(p, predicate) && p->base->match_rows(p->base, morsel, predicate, rows, exact);
}

// Only what is asked of the time column counts, which is the base's.
static bool
row_range(const TableSource *source, uint32_t morsel, const ScanPredicate *predicates,
          uint32_t count, uint32_t *from, uint32_t *to)
{
    const PathSource *p = source->context;
    return p->base->row_range(p->base, morsel, predicates, count, from, to);
}

static const Vector *
read(const TableSource *source, uint32_t morsel, uint32_t column, uint32_t from, uint32_t count,
     Arena *arena, AzError *error)
{
    const PathSource *p = source->context;
    uint32_t columns = p->base->schema.count;
    if (column < columns)
        return p->base->read(p->base, morsel, column, from, count, arena, error);
    const PathColumn *path = &p->paths.items[column - columns];
    return p->base->read_path(p->base, morsel, path->column, path->path, from, count, arena, error);
}

static bool
holds_paths(const TableSource *source, uint32_t column)
{
    const PathSource *p = source->context;
    return column < p->base->schema.count && p->base->holds_paths(p->base, column);
}

static void
release(const TableSource *source, uint32_t morsel)
{
    const PathSource *p = source->context;
    p->base->release(p->base, morsel);
}

TableSource *
path_source_new(Arena *arena, TableSource *base)
{
    PathSource *p = ARENA_NEW(arena, PathSource);
    p->base = base;
    p->source = *base;
    p->source.context = p;
    p->source.morsel_rows = morsel_rows;
    p->source.may_match = base->may_match ? may_match : NULL;
    p->source.match_rows = base->match_rows ? match_rows : NULL;
    p->source.row_range = base->row_range ? row_range : NULL;
    p->source.read = read;
    p->source.holds_paths = holds_paths;
    p->source.read_path = NULL;
    p->source.release = base->release ? release : NULL;
    return &p->source;
}

bool
path_source_is(const TableSource *source)
{
    return source->read == read;
}

uint32_t
path_source_column(Arena *arena, TableSource *source, uint32_t column, Str path)
{
    PathSource *p = source->context;
    uint32_t columns = p->base->schema.count;
    for (size_t i = 0; i < p->paths.len; i++)
        if (p->paths.items[i].column == column && str_equal(p->paths.items[i].path, path))
            return columns + (uint32_t)i;
    PathColumn added = {column, path};
    ARRAY_PUSH(arena, &p->paths, added);
    Buffer name = {0};
    buffer_str(&name, source->schema.columns[column].name);
    for (Str rest = path; rest.len;) {
        uint32_t len;
        memcpy(&len, rest.ptr, sizeof(len));
        buffer_char(&name, '.');
        buffer_str(&name, (Str){rest.ptr + sizeof(len), len});
        rest = str_slice(rest, sizeof(len) + len, rest.len);
    }
    Schema schema = {ARENA_ARRAY(arena, Column, source->schema.count + 1),
                     source->schema.count + 1};
    memcpy(schema.columns, source->schema.columns, source->schema.count * sizeof(Column));
    schema.columns[source->schema.count] =
        (Column){.name = str_copy(arena, buffer_slice(&name)), .type = TYPE_DYNAMIC};
    buffer_free(&name);
    source->schema = schema;
    return columns + (uint32_t)p->paths.len - 1;
}
