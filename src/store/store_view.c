// Views: one state of the catalog, and its tables as sources that are scanned.
//
// A morsel is a row group. A reader (one thread with one morsel) pins the blocks
// it reads until it releases the morsel; the pins are kept by source, morsel and
// thread, so that reading the next batch of a pinned block costs a look-up in a
// short list. Footers are read when a morsel of their segment is first asked for;
// only then does a damaged one show.

#include "store/group_match.h"
#include "store/readers.h"
#include "store/store_internal.h"

#include <stdlib.h>
#include <sys/stat.h>

// A block of what lies at a path.
typedef struct PathPin {
    uint32_t column;
    Str path;
    CachedBlock *block;
    struct PathPin *next;
} PathPin;

typedef struct Pins {
    uint32_t morsel;
    pthread_t thread;
    struct Pins *next;
    PathPin *paths;
    CachedBlock *blocks[]; // one a column; NULL = not read
} Pins;

// A segment as a table sees it.
typedef struct SegmentRef {
    const CatalogSegment *entry;
    int32_t *columns; // of the table -> of the segment; -1 = lacks it; NULL until it is needed
} SegmentRef;

// A segment that is being read: its footer stays till segment_leave.
typedef struct SegmentUse {
    OpenSegment *open;
    const Segment *segment;
    const int32_t *columns;
} SegmentUse;

typedef struct SourceMorsel {
    uint32_t segment, group;
} SourceMorsel;

typedef struct StoreSource {
    TableSource base;
    StoreView *view;
    Str table;
    SegmentRef *segments;
    SourceMorsel *morsels;
    pthread_mutex_t mutex; // of the segments' opening and the pins
    Arena arena;           // column maps; under the mutex
    Pins *pins, *spare;
    struct StoreSource *next;
} StoreSource;

struct StoreView {
    Store *store;
    Arena arena;
    CatalogState state;
    int reader;            // see readers.h
    StoreTable *tables;    // by name
    pthread_mutex_t mutex; // of the arena and the sources
    StoreSource *sources;
    TermHolds holds;
};

static int
table_compare(const void *a, const void *b)
{
    return str_compare_ci(((const StoreTable *)a)->name, ((const StoreTable *)b)->name);
}

static const CatalogTable *
view_table(const StoreView *view, Str name)
{
    for (size_t i = 0; i < view->state.table_count; i++)
        if (str_equal_ci(view->state.tables[i].name, name))
            return &view->state.tables[i];
    return NULL;
}

// The segments of a table lie together: they are ordered by table.
static const CatalogSegment *
view_segments(const StoreView *view, int64_t table, uint32_t *count)
{
    const CatalogState *state = &view->state;
    size_t low = 0, high = state->segment_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (state->segments[middle].table < table)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < state->segment_count && state->segments[low + *count].table == table)
        ++*count;
    return state->segments + low;
}

static void
view_list(StoreView *view)
{
    view->tables = ARENA_ARRAY(&view->arena, StoreTable, view->state.table_count);
    for (size_t i = 0; i < view->state.table_count; i++) {
        const CatalogTable *table = &view->state.tables[i];
        StoreTable *out = &view->tables[i];
        *out = (StoreTable){.name = table->name, .kind = table->kind, .schema = table->schema};
        const CatalogSegment *segments = view_segments(view, table->id, &out->segments);
        for (uint32_t s = 0; s < out->segments; s++) {
            out->rows += segments[s].rows;
            out->stored_bytes += segments[s].bytes;
        }
    }
    qsort(view->tables, view->state.table_count, sizeof(StoreTable), table_compare);
}

static StoreView *
view_open(Store *store, int64_t snapshot, AzError *error)
{
    StoreView *view = calloc(1, sizeof(*view));
    if (!view) {
        error_set(error, AZ_LIMIT, "not enough memory to open a view");
        return NULL;
    }
    view->store = store;
    pthread_mutex_init(&view->mutex, NULL);
    view->holds = (TermHolds){.cache = store->cache, .mutex = &view->mutex};
    view->reader = readers_enter(store->dir);
    pthread_mutex_lock(&store->mutex);
    bool ok = catalog_load(store->catalog, &view->arena, snapshot, &view->state, error);
    pthread_mutex_unlock(&store->mutex);
    if (!ok) {
        store_view_close(view);
        return NULL;
    }
    readers_settle(view->reader, view->state.generation);
    view_list(view);
    return view;
}

StoreView *
store_view_open(Store *store, int64_t snapshot, AzError *error)
{
    if (snapshot >= 0)
        return view_open(store, snapshot, error);
    error_set(error, AZ_NOT_FOUND, "there is no snapshot %lld", (long long)snapshot);
    return NULL;
}

StoreView *
store_view_all(Store *store, AzError *error)
{
    return view_open(store, CATALOG_ALL_SNAPSHOTS, error);
}

const CatalogState *
store_view_state(const StoreView *view)
{
    return &view->state;
}

static void
pins_drop(StoreSource *source, Pins *pins)
{
    for (uint32_t c = 0; c < source->base.schema.count; c++)
        if (pins->blocks[c])
            block_cache_unpin(source->view->store->cache, pins->blocks[c]);
    for (PathPin *pin = pins->paths, *next; pin; pin = next) {
        next = pin->next;
        block_cache_unpin(source->view->store->cache, pin->block);
        free(pin);
    }
    pins->paths = NULL;
}

static void
pins_free_list(Pins *pins)
{
    while (pins) {
        Pins *next = pins->next;
        free(pins);
        pins = next;
    }
}

static void
source_free(StoreSource *source)
{
    for (Pins *pins = source->pins; pins; pins = pins->next)
        pins_drop(source, pins);
    pins_free_list(source->pins);
    pins_free_list(source->spare);
    pthread_mutex_destroy(&source->mutex);
    arena_free(&source->arena);
    free(source);
}

void
store_view_close(StoreView *view)
{
    if (!view)
        return;
    for (StoreSource *source = view->sources; source;) {
        StoreSource *next = source->next;
        source_free(source);
        source = next;
    }
    term_holds_free(&view->holds);
    readers_leave(view->reader);
    pthread_mutex_destroy(&view->mutex);
    arena_free(&view->arena);
    free(view);
}

int64_t
store_view_snapshot(const StoreView *view)
{
    return view->state.snapshot;
}

const StoreTable *
store_view_tables(const StoreView *view, size_t *count)
{
    *count = view->state.table_count;
    return view->tables;
}

// Maps the table's columns to the segment's; one of another type is damage.
static bool
columns_map(StoreSource *source, const Segment *segment, int32_t *columns, AzError *error)
{
    const Schema *schema = &source->base.schema;
    for (uint32_t c = 0; c < schema->count; c++) {
        Str name = schema->columns[c].name;
        // Segments mostly have the table's columns at the table's places.
        bool in_place =
            c < segment->schema.count && str_equal(segment->schema.columns[c].name, name);
        columns[c] = in_place ? (int32_t)c : (int32_t)schema_find(&segment->schema, name);
        if (columns[c] < 0 || segment->schema.columns[columns[c]].type == schema->columns[c].type)
            continue;
        return error_set(error, AZ_CORRUPT,
                         "segment '%s' is damaged: column '%.*s' is %s there and %s in the catalog",
                         segment->path, STR_ARG(str_slice(name, 0, 200)),
                         type_name(segment->schema.columns[columns[c]].type),
                         type_name(schema->columns[c].type));
    }
    return true;
}

static void
segment_leave(const StoreSource *source, const SegmentUse *use)
{
    store_segment_unpin(source->view->store, use->open);
}

static bool
segment_enter(StoreSource *source, uint32_t index, SegmentUse *use, AzError *error)
{
    SegmentRef *ref = &source->segments[index];
    OpenSegment *open = store_segment_pin(source->view->store, ref->entry, error);
    if (!open)
        return false;
    *use = (SegmentUse){.open = open, .segment = open->segment};
    pthread_mutex_lock(&source->mutex);
    if (!ref->columns) {
        int32_t *columns = ARENA_ARRAY(&source->arena, int32_t, source->base.schema.count);
        if (columns_map(source, use->segment, columns, error))
            ref->columns = columns;
    }
    use->columns = ref->columns;
    pthread_mutex_unlock(&source->mutex);
    if (!use->columns)
        segment_leave(source, use);
    return use->columns != NULL;
}

static uint32_t
source_morsel_rows(const TableSource *base, uint32_t morsel)
{
    const StoreSource *source = base->context;
    SourceMorsel m = source->morsels[morsel];
    return source->segments[m.segment].entry->group_rows[m.group];
}

// What is known of the morsel's row group, till segment_leave; false when its segment cannot be
// opened: the read will meet that again and tell.
static bool
group_facts(StoreSource *source, uint32_t morsel, SegmentUse *use, GroupFacts *facts)
{
    SourceMorsel m = source->morsels[morsel];
    AzError ignored = {0};
    if (!segment_enter(source, m.segment, use, &ignored))
        return false;
    uint64_t id = (uint64_t)source->segments[m.segment].entry->id;
    *facts = (GroupFacts){
        .schema = &source->base.schema,
        .columns = use->columns,
        .segment = use->segment,
        .segment_id = id,
        .group = m.group,
        .cache = source->view->store->cache,
        .hold = term_hold_enter(&source->view->holds, id, m.group),
    };
    return true;
}

static bool
source_may_match(const TableSource *base, uint32_t morsel, const ScanPredicate *predicates,
                 uint32_t count)
{
    StoreSource *source = base->context;
    SourceMorsel m = source->morsels[morsel];
    const CatalogSegment *entry = source->segments[m.segment].entry;
    for (uint32_t i = 0; i < count; i++)
        if (source->base.time_column == (ptrdiff_t)predicates[i].column &&
            !times_may_match(entry, &predicates[i]))
            return false;
    if (!count)
        return true;
    SegmentUse use;
    GroupFacts facts;
    if (!group_facts(source, morsel, &use, &facts))
        return true;
    bool may = group_may_match(&facts, predicates, count);
    segment_leave(source, &use);
    return may;
}

static bool
source_match_rows(const TableSource *base, uint32_t morsel, const ScanPredicate *predicate,
                  uint64_t *rows, bool *exact)
{
    SegmentUse use;
    GroupFacts facts;
    *exact = false;
    if (!group_facts(base->context, morsel, &use, &facts))
        return false;
    bool known = group_match_rows(&facts, predicate, rows, exact);
    segment_leave(base->context, &use);
    return known;
}

static bool
source_row_range(const TableSource *base, uint32_t morsel, const ScanPredicate *predicates,
                 uint32_t count, uint32_t *from, uint32_t *to)
{
    SegmentUse use;
    GroupFacts facts;
    if (base->time_column < 0 || !group_facts(base->context, morsel, &use, &facts))
        return false;
    bool known = group_row_range(&facts, base->time_column, predicates, count, from, to);
    segment_leave(base->context, &use);
    return known;
}

static Pins **
pins_find(StoreSource *source, uint32_t morsel)
{
    pthread_t self = pthread_self();
    Pins **link = &source->pins;
    while (*link && ((*link)->morsel != morsel || !pthread_equal((*link)->thread, self)))
        link = &(*link)->next;
    return link;
}

// This thread's pins of the morsel; only this thread touches their blocks.
static Pins *
pins_get(StoreSource *source, uint32_t morsel)
{
    size_t size = sizeof(Pins) + source->base.schema.count * sizeof(CachedBlock *);
    pthread_mutex_lock(&source->mutex);
    Pins *pins = *pins_find(source, morsel);
    if (!pins) {
        pins = source->spare;
        if (pins) {
            source->spare = pins->next;
            memset(pins, 0, size);
        } else {
            pins = calloc(1, size);
        }
        if (pins) {
            pins->morsel = morsel;
            pins->thread = pthread_self();
            pins->next = source->pins;
            source->pins = pins;
        }
    }
    pthread_mutex_unlock(&source->mutex);
    return pins;
}

static void
source_release(const TableSource *base, uint32_t morsel)
{
    StoreSource *source = base->context;
    pthread_mutex_lock(&source->mutex);
    Pins **link = pins_find(source, morsel);
    Pins *pins = *link;
    if (pins)
        *link = pins->next;
    pthread_mutex_unlock(&source->mutex);
    if (!pins)
        return;
    pins_drop(source, pins);
    pthread_mutex_lock(&source->mutex);
    pins->next = source->spare;
    source->spare = pins;
    pthread_mutex_unlock(&source->mutex);
}

static bool
no_memory(const StoreSource *source, AzError *error)
{
    return error_set(error, AZ_LIMIT, "not enough memory to scan '%.*s'", STR_ARG(source->table));
}

static const Vector *
source_read(const TableSource *base, uint32_t morsel, uint32_t column, uint32_t from,
            uint32_t count, Arena *arena, AzError *error)
{
    StoreSource *source = base->context;
    SourceMorsel m = source->morsels[morsel];
    Pins *pins = pins_get(source, morsel);
    if (!pins) {
        no_memory(source, error);
        return NULL;
    }
    if (!pins->blocks[column]) {
        SegmentUse use;
        if (!segment_enter(source, m.segment, &use, error))
            return NULL;
        int32_t c = use.columns[column];
        if (c >= 0)
            pins->blocks[column] =
                block_cache_pin(source->view->store->cache, use.segment, (uint64_t)use.open->id,
                                m.group, (uint32_t)c, error);
        segment_leave(source, &use);
        if (c < 0) {
            Value null = value_null(base->schema.columns[column].type);
            return vector_new_const(arena, &null, count);
        }
        if (!pins->blocks[column])
            return NULL;
    }
    return vector_slice(arena, cached_block_vector(pins->blocks[column]), from, count);
}

// Adds the rows of a segment, and those whose blocks of the column are split.
static void
count_split(StoreSource *source, uint32_t number, uint32_t column, uint64_t *rows, uint64_t *split)
{
    AzError ignored = {0};
    SegmentUse use;
    if (!segment_enter(source, number, &use, &ignored))
        return;
    int32_t c = use.columns[column];
    for (uint32_t g = 0; c >= 0 && g < use.segment->group_count; g++) {
        const SegmentGroup *group = &use.segment->groups[g];
        *rows += group->rows;
        if (group->blocks[c].encoding == BLOCK_SPLIT)
            *split += group->rows;
    }
    segment_leave(source, &use);
}

// Some segments, old and new, are asked: what others hold is much the same.
static bool
source_holds_paths(const TableSource *base, uint32_t column)
{
    enum { ASKED = 8 };
    StoreSource *source = base->context;
    if (!base->morsel_count)
        return false;
    uint64_t rows = 0, split = 0;
    uint32_t segments = source->morsels[base->morsel_count - 1].segment + 1;
    uint32_t asked = segments < ASKED ? segments : ASKED;
    for (uint32_t i = 0; i < asked; i++)
        count_split(source, (uint32_t)((uint64_t)(segments - 1) * i / (asked > 1 ? asked - 1 : 1)),
                    column, &rows, &split);
    return split && split >= rows / 2;
}

static PathPin *
path_pin(StoreSource *source, Pins *pins, const SegmentUse *use, uint32_t group, uint32_t column,
         Str path, AzError *error)
{
    for (PathPin *pin = pins->paths; pin; pin = pin->next)
        if (pin->column == column && str_equal(pin->path, path))
            return pin;
    PathPin *pin = calloc(1, sizeof(*pin));
    if (!pin) {
        no_memory(source, error);
        return NULL;
    }
    *pin = (PathPin){.column = column, .path = path, .next = pins->paths};
    pin->block =
        block_cache_pin_path(source->view->store->cache, use->segment, (uint64_t)use->open->id,
                             group, (uint32_t)use->columns[column], path, error);
    if (!pin->block) {
        free(pin);
        return NULL;
    }
    pins->paths = pin;
    return pin;
}

static const Vector *
source_read_path(const TableSource *base, uint32_t morsel, uint32_t column, Str path, uint32_t from,
                 uint32_t count, Arena *arena, AzError *error)
{
    StoreSource *source = base->context;
    SourceMorsel m = source->morsels[morsel];
    Pins *pins = pins_get(source, morsel);
    if (!pins) {
        no_memory(source, error);
        return NULL;
    }
    SegmentUse use;
    if (!segment_enter(source, m.segment, &use, error))
        return NULL;
    bool lacks = use.columns[column] < 0;
    const PathPin *pin = lacks ? NULL : path_pin(source, pins, &use, m.group, column, path, error);
    segment_leave(source, &use);
    if (lacks) {
        Value null = value_null(TYPE_DYNAMIC);
        return vector_new_const(arena, &null, count);
    }
    return pin ? vector_slice(arena, cached_block_vector(pin->block), from, count) : NULL;
}

// A file that is gone or cut is told before the scan starts.
static bool
files_check(const Store *store, const CatalogSegment *segments, uint32_t count, AzError *error)
{
    Arena arena;
    arena_init(&arena);
    bool ok = true;
    for (uint32_t s = 0; ok && s < count; s++) {
        const char *path = store_path(store, &arena, "segments", segments[s].file);
        struct stat st;
        if (stat(path, &st))
            ok = error_errno(error, "the segment '%s' cannot be read", path);
        else if ((uint64_t)st.st_size != segments[s].bytes)
            ok = error_set(
                error, AZ_CORRUPT,
                "segment '%s' is damaged: it has %llu bytes where the catalog says %llu; "
                "restore the file from a backup or import the data again",
                path, (unsigned long long)st.st_size, (unsigned long long)segments[s].bytes);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return ok;
}

static StoreSource *
source_new(StoreView *view, const CatalogTable *table, const CatalogSegment *segments,
           uint32_t segment_count)
{
    StoreSource *source = calloc(1, sizeof(*source));
    if (!source)
        return NULL;
    pthread_mutex_init(&source->mutex, NULL);
    source->view = view;
    source->table = table->name;
    source->base = (TableSource){
        .schema = table->schema,
        .time_column = time_column_find(&table->schema),
        .context = source,
        .morsel_rows = source_morsel_rows,
        .may_match = source_may_match,
        .match_rows = source_match_rows,
        .row_range = source_row_range,
        .read = source_read,
        .holds_paths = source_holds_paths,
        .read_path = source_read_path,
        .release = source_release,
    };
    uint32_t morsels = 0;
    for (uint32_t s = 0; s < segment_count; s++)
        morsels += segments[s].group_count;
    source->segments = ARENA_ARRAY(&source->arena, SegmentRef, segment_count);
    source->morsels = ARENA_ARRAY(&source->arena, SourceMorsel, morsels);
    source->base.morsel_count = morsels;
    uint32_t m = 0;
    for (uint32_t s = 0; s < segment_count; s++) {
        source->segments[s].entry = &segments[s];
        source->base.row_count += segments[s].rows;
        for (uint32_t g = 0; g < segments[s].group_count; g++)
            source->morsels[m++] = (SourceMorsel){s, g};
    }
    return source;
}

TableSource *
store_view_source(StoreView *view, Str name, AzError *error)
{
    const CatalogTable *table = view_table(view, name);
    if (!table)
        return NULL;
    uint32_t count;
    const CatalogSegment *segments = view_segments(view, table->id, &count);
    TableSource *source = store_view_part(view, table, segments, count, error);
    if (source)
        source->rows = table;
    return source;
}

void
store_view_widen(TableSource *base, const Schema *declared)
{
    StoreSource *source = base->context;
    Schema *schema = &base->schema;
    Column *columns =
        arena_alloc_array(&source->arena, schema->count + declared->count, sizeof(Column));
    memcpy(columns, schema->columns, schema->count * sizeof(Column));
    uint32_t count = schema->count;
    for (uint32_t c = 0; c < declared->count; c++)
        if (schema_find_ci(schema, declared->columns[c].name) < 0)
            columns[count++] = declared->columns[c];
    *schema = (Schema){columns, count};
}

void
store_view_drop(StoreView *view, TableSource *base)
{
    StoreSource *source = base->context;
    pthread_mutex_lock(&view->mutex);
    StoreSource **link = &view->sources;
    while (*link != source)
        link = &(*link)->next;
    *link = source->next;
    pthread_mutex_unlock(&view->mutex);
    source_free(source);
}

TableSource *
store_view_part(StoreView *view, const CatalogTable *table, const CatalogSegment *segments,
                uint32_t count, AzError *error)
{
    if (!files_check(view->store, segments, count, error))
        return NULL;
    StoreSource *source = source_new(view, table, segments, count);
    if (!source) {
        error_set(error, AZ_LIMIT, "not enough memory to scan '%.*s'", STR_ARG(table->name));
        return NULL;
    }
    pthread_mutex_lock(&view->mutex);
    source->next = view->sources;
    view->sources = source;
    pthread_mutex_unlock(&view->mutex);
    return &source->base;
}
