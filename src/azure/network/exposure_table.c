#include "azure/network/exposure_table.h"

#include "base/array.h"

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

ResultTable *
exposure_hops_table(const ExposureList *list, Arena *arena)
{
    static const char *const STATES[] = {
        [HOP_PASSES] = "passes", [HOP_UNSURE] = "unsure", [HOP_STOPS] = "stops"};
    TableBuilder *builder = table_builder_new(EXPOSURE_HOP_COLUMNS, EXPOSURE_HOP_COLUMN_COUNT);
    for (size_t e = 0; e < list->len; e++) {
        const Exposure *exposure = &list->items[e];
        for (size_t h = 0; h < exposure->hop_count; h++) {
            const Hop *hop = &exposure->hops[h];
            table_put_long(builder, (int64_t)e + 1);
            table_put_text(builder, str_from(source_class_name(exposure->source)));
            table_put_text(builder, exposure->source_name);
            table_put_text(builder, str_from(reach_name(exposure->reach)));
            table_put_long(builder, (int64_t)h + 1);
            table_put_text(builder, str_from(hop_kind_name(hop->kind)));
            table_put_text(builder, str_from(STATES[hop->state]));
            table_put_text(builder, hop->object);
            table_put_text(builder, hop->text);
        }
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}
