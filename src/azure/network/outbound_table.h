// Outbound exposure as tables.
#pragma once

#include "azure/network/outbound.h"
#include "db/table_builder.h"

extern const TableColumn OUTBOUND_COLUMNS[], OUTBOUND_HOP_COLUMNS[], OUTBOUND_SUMMARY_COLUMNS[];
enum {
    OUTBOUND_COLUMN_COUNT = 14,
    OUTBOUND_HOP_COLUMN_COUNT = 9,
    OUTBOUND_SUMMARY_COLUMN_COUNT = 7
};

// Every compute of the world, one row a destination: ComputeId, ComputeName, ComputeType,
// SubscriptionId, ResourceGroup, SubnetId, DestinationClass, Destination, Ports, Verdict, Via,
// Because, Reason, Hops (how many).
ResultTable *outbound_table(NetworkWorld *world, Arena *arena);

// One compute, one row a hop: Outbound (its number), DestinationClass, Destination, Verdict,
// Step, Kind, State (passes, unsure, stops), ObjectId, Text.
ResultTable *outbound_hops_table(const OutboundList *list, Arena *arena);

// Every compute for people to look through, a row a destination, what is open first: Verdict,
// DestinationClass, Compute, Type, Destination, Ports, Because. `destination`: only of that class,
// DESTINATION_CLASS_COUNT = all; `open`: without what is closed.
ResultTable *outbound_summary(NetworkWorld *world, Arena *arena, DestinationClass destination,
                              bool open);
