// Exposure as tables.
#pragma once

#include "azure/network/exposure.h"
#include "db/table_builder.h"

extern const TableColumn EXPOSURE_COLUMNS[], EXPOSURE_HOP_COLUMNS[], EXPOSURE_SUMMARY_COLUMNS[];
enum {
    EXPOSURE_COLUMN_COUNT = 15,
    EXPOSURE_HOP_COLUMN_COUNT = 9,
    EXPOSURE_SUMMARY_COLUMN_COUNT = 7
};

// Every target of the world, one row an exposure: TargetId, TargetName, TargetType,
// SubscriptionId, ResourceGroup, SourceClass, SourceId, Source, Ports, Verdict, Via, Because,
// Reason, Dns, Hops (how many).
ResultTable *exposure_table(NetworkWorld *world, Arena *arena);

// One target, one row a hop: Exposure (its number), SourceClass, Source, Verdict, Step, Kind,
// State (passes, unsure, stops), ObjectId, Text.
ResultTable *exposure_hops_table(const ExposureList *list, Arena *arena);

// The last five cells of a row of hops, there and in outbound_hops_table: the step (counted from
// 0) and what it is.
void hop_put(TableBuilder *builder, size_t step, const Hop *hop);

// Every target for people to look through, a row for each class of sources and verdict, what is
// open first: Verdict, SourceClass, Target, Type, Source (the first, and how many more), Ports and
// Because (of the first). `source`: only of that class, SOURCE_CLASS_COUNT = all; `open`: without
// what is closed.
ResultTable *exposure_summary(NetworkWorld *world, Arena *arena, SourceClass source, bool open);
