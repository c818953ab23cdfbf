#include "azure/rbac/effective_access.h"

#include "azure/rbac/access_internal.h"
#include "azure/rbac/access_table.h"
#include "base/array.h"

#include <pthread.h>

enum { MORSEL_ASSIGNMENTS = 64 };

const TableColumn EFFECTIVE_ACCESS_COLUMNS[] = {
    {"PrincipalId", TYPE_STRING},   {"Principal", TYPE_STRING},
    {"PrincipalKind", TYPE_STRING}, {"Via", TYPE_STRING},
    {"Role", TYPE_STRING},          {"RoleDefinitionId", TYPE_STRING},
    {"Scope", TYPE_STRING},         {"OperationClass", TYPE_STRING},
    {"Operation", TYPE_STRING},     {"Plane", TYPE_STRING},
    {"Condition", TYPE_STRING},     {"Eligible", TYPE_BOOL},
    {"Privileged", TYPE_BOOL},      {"AssignmentId", TYPE_STRING},
};
_Static_assert(COUNT_OF(EFFECTIVE_ACCESS_COLUMNS) == EFFECTIVE_ACCESS_COLUMN_COUNT,
               "the columns as declared");

typedef struct AccessRow {
    uint32_t assignment, principal, class;
} AccessRow;

// The rows of one morsel, made by the first reader that comes and dropped by the last.
typedef struct AccessMorsel {
    AccessRow *rows; // malloc'ed; NULL = not made
    uint32_t count;
    bool counted;
} AccessMorsel;

struct EffectiveAccess {
    TableSource source;
    Arena arena;
    const AccessWorld *world;
    const OperationFacts *facts;
    int64_t at;
    pthread_mutex_t lock; // of everything below
    Arena scratch;
    MemberReader *members;
    AccessMorsel *morsels;
    uint8_t *covers; // of roles, assigned and delegated, and classes: see may_cover()
};

static bool
is_current(const Assignment *assignment, int64_t at)
{
    return assignment->role && at >= assignment->start &&
           (!assignment->end || at < assignment->end);
}

// Whether a deny assignment at the scope or above takes the operation from the principal.
static bool
is_denied(EffectiveAccess *e, const AccessRow *row)
{
    const AccessModel *model = e->world->model;
    if (!model->denials.len)
        return false;
    const OperationClass *class = &e->facts->classes[row->class];
    AccessQuestion question = {
        .principal = access_principal_id(model, row->principal),
        .action = class->operation,
        .is_data = class->is_data,
        .scope = model->assignments.items[row->assignment].scope,
        .at = e->at,
    };
    Arena arena = {0};
    bool denied = access_check(model, &arena, &question).verdict == ACCESS_DENIED;
    arena_free(&arena);
    return denied;
}

// assignment_may_cover(), worked out once for a role and a class: many assignments have few roles.
static bool
may_cover(EffectiveAccess *e, const Assignment *assignment, uint32_t c)
{
    enum { NOT_ASKED, NO, YES };
    const OperationClass *class = &e->facts->classes[c];
    size_t kind = assignment->role->index * 2 + (assignment->source == SOURCE_DELEGATION);
    uint8_t *known = &e->covers[kind * e->facts->class_count + c];
    if (*known == NOT_ASKED)
        *known = assignment_may_cover(assignment, class->operation, class->is_data,
                                      e->world->model->star)
                     ? YES
                     : NO;
    return *known == YES;
}

typedef struct RowList {
    AccessRow *items;
    size_t len, cap;
} RowList;

static void
add_rows(EffectiveAccess *e, uint32_t index, RowList *out)
{
    const AccessModel *model = e->world->model;
    const Assignment *assignment = &model->assignments.items[index];
    if (!is_current(assignment, e->at))
        return;
    uint32_t count;
    const uint32_t *below = members_below(e->members, assignment->principal, &count);
    for (uint32_t c = 0; c < e->facts->class_count; c++) {
        if (!may_cover(e, assignment, c))
            continue;
        for (uint32_t i = 0; i < count; i++) {
            AccessRow row = {index, below[i], c};
            if (!is_only_group(model, below[i]) && !is_denied(e, &row))
                ARRAY_PUSH(&e->scratch, out, row);
        }
    }
}

// Makes the rows of a morsel; the caller holds the lock.
static void
make_morsel(EffectiveAccess *e, uint32_t number)
{
    AccessMorsel *morsel = &e->morsels[number];
    if (morsel->rows)
        return;
    RowList list = {0};
    uint32_t from = number * MORSEL_ASSIGNMENTS;
    uint32_t end = access_assignment_count(e->world->model);
    for (uint32_t i = from; i < end && i < from + MORSEL_ASSIGNMENTS; i++)
        add_rows(e, i, &list);
    morsel->rows = malloc((list.len + 1) * sizeof *morsel->rows);
    if (!morsel->rows)
        abort();
    if (list.len)
        memcpy(morsel->rows, list.items, list.len * sizeof *list.items);
    morsel->count = (uint32_t)list.len;
    morsel->counted = true;
    arena_reset(&e->scratch);
    e->members = member_reader_new(e->world->model, &e->scratch);
}

static uint32_t
morsel_rows(const TableSource *source, uint32_t number)
{
    EffectiveAccess *e = source->context;
    pthread_mutex_lock(&e->lock);
    if (!e->morsels[number].counted)
        make_morsel(e, number);
    uint32_t count = e->morsels[number].count;
    pthread_mutex_unlock(&e->lock);
    return count;
}

static Str
cell_text(const EffectiveAccess *e, Arena *arena, const AccessRow *row, uint32_t column)
{
    const AccessModel *model = e->world->model;
    const Assignment *assignment = &model->assignments.items[row->assignment];
    const OperationClass *class = &e->facts->classes[row->class];
    switch (column) {
    case 0: return access_principal_id(model, row->principal);
    case 1: return access_principal_label(model, arena, row->principal);
    case 2: return access_principal_kind(model, row->principal);
    case 3:
        return assignment->principal == row->principal
                   ? (Str){0}
                   : access_principal_label(model, arena, assignment->principal);
    case 4: return access_role_label(assignment);
    case 5: return assignment->role_definition_id;
    case 6: return assignment->scope;
    case 7: return class->name;
    case 8: return class->operation;
    case 9: return class->is_data ? STR("data") : STR("control");
    case 10: return assignment->condition_text;
    default: return assignment->id;
    }
}

static const Vector *
read_column(const TableSource *source, uint32_t number, uint32_t column, uint32_t from,
            uint32_t count, Arena *arena, AzError *error)
{
    (void)error;
    EffectiveAccess *e = source->context;
    pthread_mutex_lock(&e->lock);
    make_morsel(e, number);
    const AccessRow *rows = arena_copy(arena, e->morsels[number].rows + from, count * sizeof *rows);
    pthread_mutex_unlock(&e->lock);
    Type type = EFFECTIVE_ACCESS_COLUMNS[column].type;
    Vector *vector = vector_new_flat(arena, type, count);
    for (uint32_t i = 0; i < count; i++) {
        const Assignment *assignment = &e->world->model->assignments.items[rows[i].assignment];
        if (type == TYPE_BOOL) {
            ((uint8_t *)vector->data)[i] =
                column == 11 ? assignment->eligible : assignment->role->is_privileged;
        } else {
            Str text = cell_text(e, arena, &rows[i], column);
            ((Text *)vector->data)[i] = text_view(text.ptr, text.len);
        }
    }
    return vector;
}

static void
drop_morsel(const TableSource *source, uint32_t number)
{
    EffectiveAccess *e = source->context;
    pthread_mutex_lock(&e->lock);
    free(e->morsels[number].rows);
    e->morsels[number].rows = NULL;
    pthread_mutex_unlock(&e->lock);
}

EffectiveAccess *
effective_access_new(const AccessWorld *world, const OperationFacts *facts, int64_t at)
{
    Arena arena = {0};
    EffectiveAccess *e = ARENA_NEW(&arena, EffectiveAccess);
    e->world = world;
    e->facts = facts;
    e->at = at;
    pthread_mutex_init(&e->lock, NULL);
    e->members = member_reader_new(world->model, &e->scratch);
    uint32_t assignments = access_assignment_count(world->model);
    TableSource *source = &e->source;
    source->row_count = (uint64_t)assignments * facts->class_count;
    source->morsel_count = (assignments + MORSEL_ASSIGNMENTS - 1) / MORSEL_ASSIGNMENTS;
    e->morsels = ARENA_ARRAY(&arena, AccessMorsel, source->morsel_count);
    e->covers = ARENA_ARRAY(&arena, uint8_t, (size_t)world->roles.count * 2 * facts->class_count);
    source->schema.count = EFFECTIVE_ACCESS_COLUMN_COUNT;
    source->schema.columns = ARENA_ARRAY(&arena, Column, source->schema.count);
    for (uint32_t c = 0; c < source->schema.count; c++)
        source->schema.columns[c] =
            (Column){str_from(EFFECTIVE_ACCESS_COLUMNS[c].name), EFFECTIVE_ACCESS_COLUMNS[c].type};
    source->time_column = -1;
    source->context = e;
    source->morsel_rows = morsel_rows;
    source->read = read_column;
    source->release = drop_morsel;
    e->arena = arena;
    return e;
}

void
effective_access_free(EffectiveAccess *e)
{
    for (uint32_t i = 0; i < e->source.morsel_count; i++)
        free(e->morsels[i].rows);
    pthread_mutex_destroy(&e->lock);
    arena_free(&e->scratch);
    Arena arena = e->arena; // it lives in it itself
    arena_free(&arena);
}

const TableSource *
effective_access_source(const EffectiveAccess *e)
{
    return &e->source;
}
