#include "azure/network/exposure_table.h"

#include "base/array.h"

#include <stdlib.h>

const TableColumn EXPOSURE_COLUMNS[] = {
    {"TargetId", TYPE_STRING},       {"TargetName", TYPE_STRING},    {"TargetType", TYPE_STRING},
    {"SubscriptionId", TYPE_STRING}, {"ResourceGroup", TYPE_STRING}, {"SourceClass", TYPE_STRING},
    {"SourceId", TYPE_STRING},       {"Source", TYPE_STRING},        {"Ports", TYPE_STRING},
    {"Verdict", TYPE_STRING},        {"Via", TYPE_STRING},           {"Because", TYPE_STRING},
    {"Reason", TYPE_STRING},         {"Dns", TYPE_STRING},           {"Hops", TYPE_LONG},
};
_Static_assert(COUNT_OF(EXPOSURE_COLUMNS) == EXPOSURE_COLUMN_COUNT, "the columns as declared");

const TableColumn EXPOSURE_HOP_COLUMNS[] = {
    {"Exposure", TYPE_LONG},  {"SourceClass", TYPE_STRING}, {"Source", TYPE_STRING},
    {"Verdict", TYPE_STRING}, {"Step", TYPE_LONG},          {"Kind", TYPE_STRING},
    {"State", TYPE_STRING},   {"ObjectId", TYPE_STRING},    {"Text", TYPE_STRING},
};
_Static_assert(COUNT_OF(EXPOSURE_HOP_COLUMNS) == EXPOSURE_HOP_COLUMN_COUNT,
               "the columns as declared");

static void
put_exposure(TableBuilder *builder, const NetResource *target, const Exposure *exposure)
{
    const Str cells[] = {
        target->id,          target->name,
        target->type,        target->subscription,
        target->group,       str_from(source_class_name(exposure->source)),
        exposure->source_id, exposure->source_name,
        exposure->ports,     str_from(reach_name(exposure->reach)),
        exposure->via,       exposure->because,
        exposure->reason,    exposure->dns,
    };
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        table_put_text(builder, cells[i]);
    table_put_long(builder, (int64_t)exposure->hop_count);
}

ResultTable *
exposure_table(NetworkWorld *world, Arena *arena)
{
    TableBuilder *builder = table_builder_new(EXPOSURE_COLUMNS, EXPOSURE_COLUMN_COUNT);
    Arena scratch = {0};
    for (size_t i = 0; i < world->resources.len; i++) {
        const NetResource *target = world->resources.entries[i].pointer;
        if (!exposure_is_target(world, target))
            continue;
        ExposureList list = exposures_of(world, &scratch, target);
        for (size_t e = 0; e < list.len; e++)
            put_exposure(builder, target, &list.items[e]);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

void
hop_put(TableBuilder *builder, size_t step, const Hop *hop)
{
    table_put_long(builder, (int64_t)step + 1);
    table_put_text(builder, str_from(hop_kind_name(hop->kind)));
    table_put_text(builder, str_from(hop_state_name(hop->state)));
    table_put_text(builder, hop->object);
    table_put_text(builder, hop->text);
}

ResultTable *
exposure_hops_table(const ExposureList *list, Arena *arena)
{
    TableBuilder *builder = table_builder_new(EXPOSURE_HOP_COLUMNS, EXPOSURE_HOP_COLUMN_COUNT);
    for (size_t e = 0; e < list->len; e++) {
        const Exposure *exposure = &list->items[e];
        for (size_t h = 0; h < exposure->hop_count; h++) {
            table_put_long(builder, (int64_t)e + 1);
            table_put_text(builder, str_from(source_class_name(exposure->source)));
            table_put_text(builder, exposure->source_name);
            table_put_text(builder, str_from(reach_name(exposure->reach)));
            hop_put(builder, h, &exposure->hops[h]);
        }
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

const TableColumn EXPOSURE_SUMMARY_COLUMNS[] = {
    {"Verdict", TYPE_STRING}, {"SourceClass", TYPE_STRING}, {"Target", TYPE_STRING},
    {"Type", TYPE_STRING},    {"Source", TYPE_STRING},      {"Ports", TYPE_STRING},
    {"Because", TYPE_STRING},
};
_Static_assert(COUNT_OF(EXPOSURE_SUMMARY_COLUMNS) == EXPOSURE_SUMMARY_COLUMN_COUNT,
               "the columns as declared");

// Exposures of a target that are alike in class and verdict: `first` says the rest.
typedef struct ExposureKind {
    const NetResource *target;
    Exposure first;
    size_t count;
} ExposureKind;

typedef struct ExposureKinds {
    ExposureKind *items;
    size_t len, cap;
} ExposureKinds;

// The list is ordered by class, so those of a class stand together.
static void
add_kinds(Arena *arena, ExposureKinds *kinds, const NetResource *target, const ExposureList *list)
{
    size_t before = kinds->len;
    for (size_t e = 0; e < list->len; e++) {
        const Exposure *exposure = &list->items[e];
        size_t k = before;
        while (k < kinds->len && (kinds->items[k].first.source != exposure->source ||
                                  kinds->items[k].first.reach != exposure->reach))
            k++;
        if (k < kinds->len) {
            kinds->items[k].count++;
            continue;
        }
        ExposureKind kind = {target, *exposure, 1};
        ARRAY_PUSH(arena, kinds, kind);
    }
}

// What is open first, then what nobody knows; from the widest class on.
static int
kind_order(const void *a, const void *b)
{
    const ExposureKind *x = a, *y = b;
    if (x->first.reach != y->first.reach)
        return (int)y->first.reach - (int)x->first.reach;
    if (x->first.source != y->first.source)
        return (int)x->first.source - (int)y->first.source;
    int by_name = str_compare_ci(x->target->name, y->target->name);
    return by_name ? by_name : str_compare_ci(x->target->id, y->target->id);
}

static void
put_summary(TableBuilder *builder, Arena *arena, const ExposureKind *kind)
{
    const Exposure *exposure = &kind->first;
    Str source = exposure->source_name;
    if (kind->count > 1)
        source = str_format(arena, "%.*s and %zu more", STR_ARG(source), kind->count - 1);
    bool unknown = exposure->reach == REACH_UNKNOWN && exposure->reason.len;
    const Str cells[] = {
        str_from(reach_name(exposure->reach)),
        str_from(source_class_name(exposure->source)),
        kind->target->name,
        kind->target->type,
        source,
        exposure->reach == REACH_CLOSED ? STR("") : exposure->ports,
        unknown ? exposure->reason : exposure->because,
    };
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        table_put_text(builder, cells[i]);
}

ResultTable *
exposure_summary(NetworkWorld *world, Arena *arena, SourceClass source, bool open)
{
    TableBuilder *builder =
        table_builder_new(EXPOSURE_SUMMARY_COLUMNS, EXPOSURE_SUMMARY_COLUMN_COUNT);
    Arena scratch = {0};
    ExposureKinds kinds = {0};
    for (size_t i = 0; i < world->resources.len; i++) {
        const NetResource *target = world->resources.entries[i].pointer;
        if (!exposure_is_target(world, target))
            continue;
        ExposureList list = exposures_of(world, &scratch, target);
        add_kinds(&scratch, &kinds, target, &list);
    }
    if (kinds.len)
        qsort(kinds.items, kinds.len, sizeof *kinds.items, kind_order);
    for (size_t k = 0; k < kinds.len; k++)
        if ((source == SOURCE_CLASS_COUNT || kinds.items[k].first.source == source) &&
            (!open || kinds.items[k].first.reach != REACH_CLOSED))
            put_summary(builder, &scratch, &kinds.items[k]);
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    arena_free(&scratch);
    return table;
}
