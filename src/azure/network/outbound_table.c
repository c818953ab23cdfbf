#include "azure/network/outbound_table.h"

#include "azure/network/exposure_table.h"
#include "base/array.h"

#include <stdlib.h>

const TableColumn OUTBOUND_COLUMNS[] = {
    {"ComputeId", TYPE_STRING},
    {"ComputeName", TYPE_STRING},
    {"ComputeType", TYPE_STRING},
    {"SubscriptionId", TYPE_STRING},
    {"ResourceGroup", TYPE_STRING},
    {"SubnetId", TYPE_STRING},
    {"DestinationClass", TYPE_STRING},
    {"Destination", TYPE_STRING},
    {"Ports", TYPE_STRING},
    {"Verdict", TYPE_STRING},
    {"Via", TYPE_STRING},
    {"Because", TYPE_STRING},
    {"Reason", TYPE_STRING},
    {"Hops", TYPE_LONG},
};
_Static_assert(COUNT_OF(OUTBOUND_COLUMNS) == OUTBOUND_COLUMN_COUNT, "the columns as declared");

const TableColumn OUTBOUND_HOP_COLUMNS[] = {
    {"Outbound", TYPE_LONG},      {"DestinationClass", TYPE_STRING},
    {"Destination", TYPE_STRING}, {"Verdict", TYPE_STRING},
    {"Step", TYPE_LONG},          {"Kind", TYPE_STRING},
    {"State", TYPE_STRING},       {"ObjectId", TYPE_STRING},
    {"Text", TYPE_STRING},
};
_Static_assert(COUNT_OF(OUTBOUND_HOP_COLUMNS) == OUTBOUND_HOP_COLUMN_COUNT,
               "the columns as declared");

static void
put_outbound(TableBuilder *builder, const NetResource *compute, const Outbound *outbound)
{
    const Str cells[] = {
        compute->id,
        compute->name,
        compute->type,
        compute->subscription,
        compute->group,
        outbound->subnet_id,
        str_from(destination_class_name(outbound->destination)),
        outbound->name,
        outbound->ports,
        str_from(reach_name(outbound->reach)),
        outbound->via,
        outbound->because,
        outbound->reason,
    };
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        table_put_text(builder, cells[i]);
    table_put_long(builder, (int64_t)outbound->hop_count);
}

ResultTable *
outbound_table(NetworkWorld *world, Arena *arena)
{
    TableBuilder *builder = table_builder_new(OUTBOUND_COLUMNS, OUTBOUND_COLUMN_COUNT);
    Arena scratch = {0};
    for (size_t i = 0; i < world->resources.len; i++) {
        const NetResource *compute = world->resources.entries[i].pointer;
        if (!outbound_is_compute(compute))
            continue;
        OutboundList list = outbounds_of(world, &scratch, compute);
        for (size_t o = 0; o < list.len; o++)
            put_outbound(builder, compute, &list.items[o]);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

ResultTable *
outbound_hops_table(const OutboundList *list, Arena *arena)
{
    TableBuilder *builder = table_builder_new(OUTBOUND_HOP_COLUMNS, OUTBOUND_HOP_COLUMN_COUNT);
    for (size_t o = 0; o < list->len; o++) {
        const Outbound *outbound = &list->items[o];
        for (size_t h = 0; h < outbound->hop_count; h++) {
            table_put_long(builder, (int64_t)o + 1);
            table_put_text(builder, str_from(destination_class_name(outbound->destination)));
            table_put_text(builder, outbound->name);
            table_put_text(builder, str_from(reach_name(outbound->reach)));
            hop_put(builder, h, &outbound->hops[h]);
        }
    }
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    return table;
}

const TableColumn OUTBOUND_SUMMARY_COLUMNS[] = {
    {"Verdict", TYPE_STRING}, {"DestinationClass", TYPE_STRING}, {"Compute", TYPE_STRING},
    {"Type", TYPE_STRING},    {"Destination", TYPE_STRING},      {"Ports", TYPE_STRING},
    {"Because", TYPE_STRING},
};
_Static_assert(COUNT_OF(OUTBOUND_SUMMARY_COLUMNS) == OUTBOUND_SUMMARY_COLUMN_COUNT,
               "the columns as declared");

typedef struct ComputeOutbound {
    const NetResource *compute;
    Outbound outbound;
} ComputeOutbound;

typedef struct ComputeOutbounds {
    ComputeOutbound *items;
    size_t len, cap;
} ComputeOutbounds;

// What is open first, then what nobody knows; from the widest class on.
static int
summary_order(const void *left, const void *right)
{
    const ComputeOutbound *a = left, *b = right;
    if (a->outbound.reach != b->outbound.reach)
        return (int)b->outbound.reach - (int)a->outbound.reach;
    if (a->outbound.destination != b->outbound.destination)
        return (int)a->outbound.destination - (int)b->outbound.destination;
    int by_name = str_compare_ci(a->compute->name, b->compute->name);
    if (!by_name)
        by_name = str_compare_ci(a->compute->id, b->compute->id);
    return by_name ? by_name : str_compare_ci(a->outbound.because, b->outbound.because);
}

static void
put_summary(TableBuilder *builder, const ComputeOutbound *row)
{
    const Outbound *outbound = &row->outbound;
    bool unknown = outbound->reach == REACH_UNKNOWN && outbound->reason.len;
    const Str cells[] = {
        str_from(reach_name(outbound->reach)),
        str_from(destination_class_name(outbound->destination)),
        row->compute->name,
        row->compute->type,
        outbound->name,
        outbound->ports,
        unknown ? outbound->reason : outbound->because,
    };
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        table_put_text(builder, cells[i]);
}

ResultTable *
outbound_summary(NetworkWorld *world, Arena *arena, DestinationClass destination, bool open)
{
    TableBuilder *builder =
        table_builder_new(OUTBOUND_SUMMARY_COLUMNS, OUTBOUND_SUMMARY_COLUMN_COUNT);
    Arena scratch = {0};
    ComputeOutbounds rows = {0};
    for (size_t i = 0; i < world->resources.len; i++) {
        const NetResource *compute = world->resources.entries[i].pointer;
        if (!outbound_is_compute(compute))
            continue;
        OutboundList list = outbounds_of(world, &scratch, compute);
        for (size_t o = 0; o < list.len; o++) {
            ComputeOutbound row = {compute, list.items[o]};
            bool wanted =
                destination == DESTINATION_CLASS_COUNT || row.outbound.destination == destination;
            if (wanted && (!open || row.outbound.reach != REACH_CLOSED))
                ARRAY_PUSH(&scratch, &rows, row);
        }
    }
    if (rows.len)
        qsort(rows.items, rows.len, sizeof *rows.items, summary_order);
    for (size_t r = 0; r < rows.len; r++)
        put_summary(builder, &rows.items[r]);
    ResultTable *table = table_builder_finish(builder, arena);
    table_builder_free(builder);
    arena_free(&scratch);
    return table;
}
