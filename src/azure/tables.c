#include "azure/tables.h"

#include "azure/entra/coverage.h"
#include "azure/network/exposure_table.h"
#include "azure/network/network_load.h"
#include "azure/network/outbound_table.h"
#include "azure/path/path_load.h"
#include "azure/path/path_result.h"
#include "azure/rbac/access_names.h"
#include "azure/rbac/access_table.h"
#include "azure/rbac/effective_access.h"
#include "base/array.h"
#include "base/clock.h"

#include <stdlib.h>

// What the computed tables stand on: read once, when the first of them is named.
typedef struct AzureTables {
    Arena arena;
    bool loaded;
    AccessWorld world;
    OperationFacts facts;
    // Sources that queries may still read.
    struct {
        EffectiveAccess **items;
        size_t len, cap;
    } opened;
    bool paths_loaded;
    PathWorld paths;
    bool directory_loaded;
    Directory directory;
    bool network_loaded;
    NetworkWorld network;
    ResultTable *exposures, *outbounds; // made when first asked for
} AzureTables;

static const TableFunctionParam WHO_CAN_PARAMS[] = {
    {"operation", TYPE_STRING, false}, {"scope", TYPE_STRING, false}, {"plane", TYPE_STRING, true}};
static const TableFunctionParam WHAT_CAN_PARAMS[] = {{"principal", TYPE_STRING, false}};
static const TableFunctionParam ACCESS_PATH_PARAMS[] = {{"principal", TYPE_STRING, false},
                                                        {"resource", TYPE_STRING, false}};

static const TableFunctionParam SIGN_IN_PARAMS[] = {{"principal", TYPE_STRING, false},
                                                    {"application", TYPE_STRING, false},
                                                    {"facts", TYPE_DYNAMIC, true}};

static const TableFunctionParam ATTACK_PATHS_PARAMS[] = {{"from", TYPE_STRING, true},
                                                         {"to", TYPE_STRING, true}};

enum {
    EFFECTIVE_ACCESS,
    WHO_CAN,
    WHAT_CAN,
    ACCESS_PATH,
    SIGN_IN,
    COVERAGE,
    ATTACK_PATHS,
    GRAPH_NODES,
    GRAPH_EDGES,
    NETWORK_EXPOSURE,
    OUTBOUND_EXPOSURE
};

static const TableFunctionDef FUNCTIONS[] = {
    [EFFECTIVE_ACCESS] = {"EffectiveAccess",
                          "Who holds which operations where: one row a principal, role assignment "
                          "and operation of the classes that matter for AI; groups are spread.",
                          NULL, 0, EFFECTIVE_ACCESS_COLUMNS, EFFECTIVE_ACCESS_COLUMN_COUNT},
    [WHO_CAN] = {"WhoCan",
                 "Everybody who may do an operation at a scope, with verdict, role and the group "
                 "it comes through; plane is control or data, by the table of operations when "
                 "left out.",
                 WHO_CAN_PARAMS, 3, WHO_CAN_COLUMNS, WHO_CAN_COLUMN_COUNT},
    [WHAT_CAN] = {"WhatCan",
                  "The role assignments of a principal and its groups, with what each can do.",
                  WHAT_CAN_PARAMS, 1, WHAT_CAN_COLUMNS, WHAT_CAN_COLUMN_COUNT},
    [ACCESS_PATH] = {"AccessPath",
                     "How a principal comes to a resource: a path for each assignment, a row for "
                     "each hop through groups and scopes.",
                     ACCESS_PATH_PARAMS, 2, ACCESS_PATH_COLUMNS, ACCESS_PATH_COLUMN_COUNT},
    [SIGN_IN] = {"SignIn",
                 "What Conditional Access makes of a principal's sign-in to an application: a row "
                 "a policy; facts such as ip, devicePlatform or signInRiskLevel as a bag.",
                 SIGN_IN_PARAMS, 3, SIGN_IN_COLUMNS, SIGN_IN_COLUMN_COUNT},
    [COVERAGE] = {"ConditionalAccessCoverage",
                  "Which AI applications and identities Conditional Access covers: all, "
                  "conditions, some, none, or outside it.",
                  NULL, 0, COVERAGE_COLUMNS, COVERAGE_COLUMN_COUNT},
    [ATTACK_PATHS] = {"AttackPaths",
                      "How far an attacker gets, a row for each step; from and to as the command "
                      "paths takes them, everybody outside and everything of value when left out.",
                      ATTACK_PATHS_PARAMS, 2, ATTACK_PATH_COLUMNS, ATTACK_PATH_COLUMN_COUNT},
    [GRAPH_NODES] = {"IdentityGraphNodes",
                     "The nodes of the graph of attack paths: identities, resources, and what can "
                     "be held of them.",
                     NULL, 0, PATH_NODE_COLUMNS, PATH_NODE_COLUMN_COUNT},
    [GRAPH_EDGES] = {"IdentityGraphEdges",
                     "The edges of the graph of attack paths, with technique and evidence; for "
                     "make-graph with IdentityGraphNodes on NodeId.",
                     NULL, 0, PATH_EDGE_COLUMNS, PATH_EDGE_COLUMN_COUNT},
    [NETWORK_EXPOSURE] = {"NetworkExposure",
                          "From where each service, machine and cluster can be reached over the "
                          "network, one row a target and source, with ports, verdict and what "
                          "decides; unknown with its reason where the data does not say.",
                          NULL, 0, EXPOSURE_COLUMNS, EXPOSURE_COLUMN_COUNT},
    [OUTBOUND_EXPOSURE] = {"OutboundExposure",
                           "What each machine, cluster, app, machine learning compute and AI "
                           "account can reach outside, one row a compute and destination, with "
                           "ports, verdict and what decides; unknown with its reason where the "
                           "data does not say.",
                           NULL, 0, OUTBOUND_COLUMNS, OUTBOUND_COLUMN_COUNT},
};

static bool
load(AzureTables *tables, Database *db, AzError *error)
{
    if (tables->loaded)
        return true;
    tables->loaded =
        operation_facts_load(&tables->arena, content_dir(db_content(db)), &tables->facts, error) &&
        access_load(db, &tables->arena, STAR_SEGMENT_ZERO, &tables->world, error);
    return tables->loaded;
}

static Str
text_arg(const Value *value)
{
    return value->is_null ? (Str){0} : text_str(&value->text);
}

static TableSource *
source_of(Arena *arena, const ResultTable *table)
{
    return table ? memory_source_new(arena, &table->schema, table->batches, table->batch_count)
                 : NULL;
}

static ResultTable *
who_can_table(AzureTables *tables, Database *db, Arena *arena, const Value *args, AzError *error)
{
    AccessQuestion question = {.action = text_arg(&args[0]), .at = clock_now_ticks()};
    Str plane = text_arg(&args[2]);
    if (plane.len && !str_equal_ci(plane, STR("control")) && !str_equal_ci(plane, STR("data"))) {
        error_set(error, AZ_INVALID, "the plane is control or data, not '%.*s'", STR_ARG(plane));
        return NULL;
    }
    question.is_data = plane.len ? str_equal_ci(plane, STR("data"))
                                 : operation_plane(&tables->facts, &tables->world.roles,
                                                   question.action) == PLANE_DATA;
    if (!access_resolve_scope(db, arena, text_arg(&args[1]), &question.scope, error))
        return NULL;
    return access_who_can(&tables->world, arena, &question);
}

static ResultTable *
path_table(AzureTables *tables, Database *db, Arena *arena, Str principal, const Value *resource,
           AzError *error)
{
    Str scope;
    if (!access_resolve_scope(db, arena, text_arg(resource), &scope, error))
        return NULL;
    return access_path(&tables->world, arena, principal, scope, clock_now_ticks());
}

// The tables about attack paths; their graph is read once too.
static ResultTable *
paths_table(AzureTables *tables, Database *db, Arena *arena, size_t which, const Value *args,
            AzError *error)
{
    if (!tables->paths_loaded &&
        !path_load(db, &tables->arena, clock_now_ticks(), &tables->paths, error))
        return NULL;
    tables->paths_loaded = true;
    const PathModel *model = tables->paths.model;
    if (which == GRAPH_NODES)
        return path_nodes_table(arena, model);
    if (which == GRAPH_EDGES)
        return path_edges_table(arena, model);
    PathRequest request = {.from = text_arg(&args[0]), .to = text_arg(&args[1])};
    PathList list;
    return path_list(model, arena, &request, &list, error) ? attack_paths_table(arena, model, &list)
                                                           : NULL;
}

// The tables about sign-ins.
static ResultTable *
sign_in_tables(AzureTables *tables, Database *db, Arena *arena, size_t which, const Value *args,
               AzError *error)
{
    if (!tables->directory_loaded && !directory_load(db, &tables->arena, &tables->directory, error))
        return NULL;
    tables->directory_loaded = true;
    if (which == COVERAGE)
        return coverage_table(db, &tables->directory, arena, error);
    Dyn more = args[2].is_null ? (Dyn){0} : dyn_of_text(&args[2].text), facts;
    if (!sign_in_facts(db, &tables->directory, arena, text_arg(&args[0]), text_arg(&args[1]), more,
                       &facts, error))
        return NULL;
    SignInAnswer answer = conditional_access_evaluate(arena, tables->directory.policies, facts);
    return sign_in_table(&answer, arena);
}

// Every query of a run reads the same one.
static ResultTable *
network_table(AzureTables *tables, Database *db, size_t which, AzError *error)
{
    if (!tables->network_loaded && !network_load(db, &tables->arena, &tables->network, error))
        return NULL;
    tables->network_loaded = true;
    if (which == OUTBOUND_EXPOSURE && !tables->outbounds)
        tables->outbounds = outbound_table(&tables->network, &tables->arena);
    if (which == NETWORK_EXPOSURE && !tables->exposures)
        tables->exposures = exposure_table(&tables->network, &tables->arena);
    return which == OUTBOUND_EXPOSURE ? tables->outbounds : tables->exposures;
}

static TableSource *
open_table(void *context, Database *db, Arena *arena, const TableFunctionDef *fn, const Value *args,
           AzError *error)
{
    AzureTables *tables = context;
    if (fn >= &FUNCTIONS[NETWORK_EXPOSURE])
        return source_of(arena, network_table(tables, db, (size_t)(fn - FUNCTIONS), error));
    if (fn >= &FUNCTIONS[ATTACK_PATHS])
        return source_of(arena,
                         paths_table(tables, db, arena, (size_t)(fn - FUNCTIONS), args, error));
    if (fn >= &FUNCTIONS[SIGN_IN])
        return source_of(arena,
                         sign_in_tables(tables, db, arena, (size_t)(fn - FUNCTIONS), args, error));
    if (!load(tables, db, error))
        return NULL;
    switch (fn - FUNCTIONS) {
    case WHO_CAN: return source_of(arena, who_can_table(tables, db, arena, args, error));
    case WHAT_CAN:
    case ACCESS_PATH: {
        Str principal;
        if (!access_resolve_principal(tables->world.model, arena, text_arg(&args[0]), &principal,
                                      error))
            return NULL;
        return source_of(arena, fn == &FUNCTIONS[WHAT_CAN]
                                    ? access_what_can(&tables->world, &tables->facts, arena,
                                                      principal, clock_now_ticks())
                                    : path_table(tables, db, arena, principal, &args[1], error));
    }
    default: break;
    }
    EffectiveAccess *access =
        effective_access_new(&tables->world, &tables->facts, clock_now_ticks());
    ARRAY_PUSH(&tables->arena, &tables->opened, access);
    return (TableSource *)(uintptr_t)effective_access_source(access);
}

// Everything read so far is of tables that are no more.
static void
forget_tables(void *context)
{
    AzureTables *tables = context;
    for (size_t i = 0; i < tables->opened.len; i++)
        effective_access_free(tables->opened.items[i]);
    arena_free(&tables->arena);
    *tables = (AzureTables){0};
}

static void
free_tables(void *context)
{
    forget_tables(context);
    free(context);
}

void
azure_add_tables(Database *db)
{
    AzureTables *tables = calloc(1, sizeof *tables);
    if (!tables)
        abort();
    TableFunctionSet set = {FUNCTIONS, COUNT_OF(FUNCTIONS), open_table, forget_tables, free_tables};
    db_add_table_functions(db, set, tables);
}
