// Guardrails: a policy guards a property when its rule reads the property's alias, or looks for
// the related type, for resources of the type; when it is assigned above the resource, with an
// effect that does something, and no exemption or exclusion takes the resource out. Where an
// assigned definition was not collected, that nothing guards is not known.

#include "azure/policy/gaps.h"

#include "azure/arm.h"
#include "db/rows.h"
#include "value/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { TABLE_LIMIT = 4 << 20 };

typedef struct Guardrail {
    Dyn row;
    Str type, name, related;
    bool *units; // which units are about it
} Guardrail;

typedef struct Gaps {
    PolicyWorld *world;
    int64_t at;
    Guardrail *guardrails;
    uint32_t count;
    bool *listed; // units whose definition is a built-in of the table, by its id
    Map chains;   // ScopeChain* by subscription
} Gaps;

// The table ------------------------------------------------------------------

static bool
read_guardrails(Gaps *gaps, AzError *error)
{
    Arena *arena = gaps->world->arena;
    const char *content = content_dir(db_content(gaps->world->db));
    char path[4096];
    snprintf(path, sizeof path, "%s/azure/guardrails.jsonl", content);
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_errno(error, "cannot open '%s'", path);
    Buffer text = {0};
    size_t got;
    while (text.len < TABLE_LIMIT &&
           (got = fread(buffer_reserve(&text, 1 << 16), 1, 1 << 16, file)) > 0)
        text.len += got;
    fclose(file);
    uint32_t room = 1;
    for (size_t i = 0; i < text.len; i++)
        room += text.data[i] == '\n';
    gaps->guardrails = ARENA_ARRAY(arena, Guardrail, room);
    Str rest = buffer_slice(&text);
    while (rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        Text tree;
        bool is_null;
        json_parse_text(arena, str_slice(rest, 0, len), &tree, &is_null);
        rest = str_slice(rest, len + 1, rest.len);
        Text *kept = arena_copy(arena, &tree, sizeof(tree));
        Dyn row = is_null ? (Dyn){0} : dyn_of_text(kept);
        Guardrail *one = &gaps->guardrails[gaps->count];
        *one = (Guardrail){.row = row,
                           .type = arm_text(row, "type"),
                           .name = arm_text(row, "guardrail"),
                           .related = arm_text(row, "related")};
        gaps->count += one->type.len > 0;
    }
    buffer_free(&text);
    return gaps->count > 0 || error_set(error, AZ_CORRUPT, "'%s' names no guardrail", path);
}

// Which unit is about which guardrail -------------------------------------------

// Whether the text names the alias: not as the beginning of a longer name.
static bool
names_alias(Str text, Str alias)
{
    for (size_t from = 0; from + alias.len <= text.len;) {
        ptrdiff_t at = str_find(str_slice(text, from, text.len), alias);
        if (at < 0)
            return false;
        size_t after = from + (size_t)at + alias.len;
        if (after == text.len || !isalnum((unsigned char)text.ptr[after]))
            return true;
        from = after;
    }
    return false;
}

static Str
rule_text(const PolicyWorld *world, Arena *scratch, const PolicyUnit *unit)
{
    const PolicySource *source = map_get(&world->definitions, unit->definition_id);
    Buffer text = {0};
    if (source)
        dyn_to_json(&text, dyn_get_ci(arm_body(source->json), STR("policyRule")));
    Str lower = str_lower(scratch, buffer_slice(&text));
    buffer_free(&text);
    return lower;
}

static bool
is_about(const PolicyWorld *world, Arena *scratch, const PolicyUnit *unit, const Guardrail *rail,
         Str rule)
{
    const AliasType *type = alias_find_type(&world->aliases, rail->type);
    if (!policy_may_apply(scratch, unit->binding, rail->type, type))
        return false;
    if (rail->related.len &&
        str_equal_ci(policy_related_type(scratch, unit->binding), rail->related))
        return true;
    Dyn aliases = dyn_get(rail->row, STR("aliases"));
    for (uint32_t i = 0; i < dyn_count(aliases); i++)
        if (names_alias(rule, str_lower(scratch, dyn_string(dyn_at(aliases, i)))))
            return true;
    return false;
}

// Whether the definition, read or not, is one of the built-ins that the table lists.
static bool
is_listed(const Guardrail *rail, const PolicyUnit *unit)
{
    Dyn builtins = dyn_get(rail->row, STR("builtins"));
    Str name = arm_last_segment(unit->definition_id);
    for (uint32_t i = 0; i < dyn_count(builtins); i++)
        if (str_equal_ci(dyn_string(dyn_get(dyn_at(builtins, i), STR("name"))), name))
            return true;
    return false;
}

static void
match_units(Gaps *gaps)
{
    PolicyWorld *world = gaps->world;
    gaps->listed = ARENA_ARRAY(world->arena, bool, world->unit_count);
    for (uint32_t g = 0; g < gaps->count; g++)
        gaps->guardrails[g].units = ARENA_ARRAY(world->arena, bool, world->unit_count);
    for (uint32_t u = 0; u < world->unit_count; u++) {
        Arena scratch = {0};
        const PolicyUnit *unit = &world->units[u];
        Str rule = unit->binding ? rule_text(world, &scratch, unit) : (Str){0};
        for (uint32_t g = 0; g < gaps->count; g++) {
            Guardrail *rail = &gaps->guardrails[g];
            bool listed = is_listed(rail, unit);
            gaps->listed[u] |= listed;
            rail->units[u] =
                listed || (unit->binding && is_about(world, &scratch, unit, rail, rule));
        }
        arena_free(&scratch);
    }
}

// One resource ------------------------------------------------------------------

typedef enum Guard { // the firmest last
    GUARD_NONE,
    GUARD_UNKNOWN,
    GUARD_EXEMPT,
    GUARD_WATCHED,
    GUARD_SET, // denied, changed or deployed
} Guard;

typedef struct Verdict {
    Guard guard;
    const PolicyUnit *unit;
    PolicyEffect effect;
} Verdict;

static const ScopeChain *
chain_of(Gaps *gaps, const PolicyResource *resource)
{
    bool is_new;
    MapEntry *entry = map_add(&gaps->chains, resource->subscription, &is_new);
    if (is_new) {
        ScopeChain *chain = ARENA_NEW(gaps->world->arena, ScopeChain);
        Str id =
            str_format(gaps->world->arena, "/subscriptions/%.*s", STR_ARG(resource->subscription));
        scope_chain(&gaps->world->scopes, gaps->world->arena, id, chain, NULL);
        entry->pointer = chain;
    }
    return entry->pointer;
}

static bool
is_exempt(const Gaps *gaps, const PolicyUnit *unit, const PolicyResource *resource,
          const ScopeChain *above)
{
    const PolicyWorld *world = gaps->world;
    for (uint32_t i = 0; i < world->exemption_count; i++)
        if (policy_exemption_holds(&world->exemptions[i], unit->assignment, unit->reference,
                                   resource, gaps->at, above))
            return true;
    return false;
}

// What one unit does for a resource that it covers.
static Verdict
ask_unit(const Gaps *gaps, const PolicyUnit *unit, const PolicyResource *resource,
         const ScopeChain *above)
{
    Verdict verdict = {.unit = unit, .effect = EFFECT_INVALID};
    if (!unit->binding) {
        verdict.guard = GUARD_UNKNOWN;
        return verdict;
    }
    PolicyEffect effect = policy_assignment_override(unit->assignment, unit->reference, resource);
    if (effect == EFFECT_INVALID)
        effect = policy_bound_effect(unit->binding);
    verdict.effect = effect;
    if (effect == EFFECT_DISABLED || effect == EFFECT_MANUAL || effect == EFFECT_INVALID ||
        effect == EFFECT_DENY_ACTION)
        return verdict;
    bool watches = effect == EFFECT_AUDIT || effect == EFFECT_AUDIT_IF_NOT_EXISTS;
    verdict.guard = watches || !unit->assignment->enforced ? GUARD_WATCHED : GUARD_SET;
    if (is_exempt(gaps, unit, resource, above))
        verdict.guard = GUARD_EXEMPT;
    return verdict;
}

static Verdict
ask_all(Gaps *gaps, const Guardrail *rail, const PolicyResource *resource)
{
    const PolicyWorld *world = gaps->world;
    const ScopeChain *above = chain_of(gaps, resource);
    Verdict best = {.effect = EFFECT_INVALID};
    for (uint32_t u = 0; u < world->unit_count; u++) {
        const PolicyUnit *unit = &world->units[u];
        // What could not be read may be about anything, unless its id is known.
        bool open = !unit->binding && !gaps->listed[u];
        if ((!rail->units[u] && !open) ||
            !policy_assignment_covers(unit->assignment, resource->id, above) ||
            !policy_assignment_selects(unit->assignment, resource))
            continue;
        Verdict one = ask_unit(gaps, unit, resource, above);
        if (one.guard > best.guard)
            best = one;
    }
    return best;
}

// Rows --------------------------------------------------------------------------

static const char *
guard_name(const Verdict *verdict)
{
    switch (verdict->guard) {
    case GUARD_SET: return "enforced";
    case GUARD_WATCHED: return "watched";
    case GUARD_EXEMPT: return "exempt";
    case GUARD_UNKNOWN: return "unknown";
    case GUARD_NONE: break;
    }
    return "none";
}

static Str
because(const Gaps *gaps, const Verdict *verdict)
{
    Arena *arena = gaps->world->arena;
    const PolicyUnit *unit = verdict->unit;
    if (verdict->guard == GUARD_NONE)
        return STR("nothing that is assigned above reads it");
    Str assignment = unit->assignment->display_name.len ? unit->assignment->display_name
                                                        : unit->assignment->name;
    if (verdict->guard == GUARD_UNKNOWN)
        return str_format(arena, "nothing that can be read; '%.*s': %.*s", STR_ARG(assignment),
                          STR_ARG(unit->reason));
    Str policy = policy_display_name(policy_bound_definition(unit->binding));
    return str_format(arena, "%.*s (%s%s) by '%.*s'%s",
                      STR_ARG(policy.len ? policy : arm_last_segment(unit->definition_id)),
                      policy_effect_name(verdict->effect),
                      unit->assignment->enforced ? "" : ", not enforced", STR_ARG(assignment),
                      verdict->guard == GUARD_EXEMPT ? ", from which it is exempt" : "");
}

static void
put_row(const Gaps *gaps, TableBuilder *builder, const Guardrail *rail,
        const PolicyResource *resource, const Verdict *verdict)
{
    Dyn builtin = dyn_at(dyn_get(rail->row, STR("builtins")), 0);
    bool closes = verdict->guard < GUARD_WATCHED;
    Str name = dyn_string(dyn_get(builtin, STR("name")));
    Dyn effects = dyn_get(builtin, STR("effects"));
    table_put_text(builder, rail->name);
    table_put_text(builder, str_from(guard_name(verdict)));
    table_put_text(builder, resource->id);
    table_put_text(builder, resource->type);
    table_put_text(builder, because(gaps, verdict));
    table_put_text(builder, closes ? dyn_string(dyn_get(builtin, STR("displayName"))) : (Str){0});
    table_put_text(builder, closes ? dyn_string(dyn_at(effects, 0)) : (Str){0});
    table_put_text(builder,
                   closes && name.len
                       ? str_format(gaps->world->arena,
                                    "/providers/Microsoft.Authorization/policyDefinitions/%.*s",
                                    STR_ARG(name))
                       : (Str){0});
}

static void
take_resource(Gaps *gaps, const PolicyResource *resource, bool all, TableBuilder *builder,
              GapCounts *counts)
{
    counts->resources++;
    for (uint32_t g = 0; g < gaps->count; g++) {
        const Guardrail *rail = &gaps->guardrails[g];
        if (!str_equal_ci(rail->type, resource->type))
            continue;
        Verdict verdict = ask_all(gaps, rail, resource);
        counts->guarded += verdict.guard >= GUARD_WATCHED;
        counts->gaps += verdict.guard == GUARD_NONE || verdict.guard == GUARD_EXEMPT;
        counts->unknown += verdict.guard == GUARD_UNKNOWN;
        if (all || verdict.guard < GUARD_WATCHED)
            put_row(gaps, builder, rail, resource, &verdict);
    }
}

static QueryResult *
query_resources(const Gaps *gaps, Arena *rows, AzError *error)
{
    Buffer types = {0};
    for (uint32_t g = 0; g < gaps->count; g++)
        if (!g || !str_equal_ci(gaps->guardrails[g].type, gaps->guardrails[g - 1].type))
            buffer_printf(&types, "%s'%.*s'", types.len ? ", " : "",
                          STR_ARG(gaps->guardrails[g].type));
    Str query = str_format(rows,
                           "resources | where type in~ (%.*s) | order by id asc"
                           " | project pack_all()",
                           (int)types.len, types.data);
    QueryOptions options = {0};
    buffer_free(&types);
    return db_query(gaps->world->db, rows, query, &options, error);
}

ResultTable *
policy_gaps(PolicyWorld *world, int64_t at, bool all, GapCounts *counts, AzError *error)
{
    static const TableColumn COLUMNS[] = {
        {"Guardrail", TYPE_STRING},    {"Guarded", TYPE_STRING},    {"ResourceId", TYPE_STRING},
        {"ResourceType", TYPE_STRING}, {"Because", TYPE_STRING},    {"ClosedBy", TYPE_STRING},
        {"Effect", TYPE_STRING},       {"ClosedById", TYPE_STRING},
    };
    Gaps gaps = {.world = world, .at = at};
    Schema schema;
    *counts = (GapCounts){0};
    map_init(&gaps.chains, world->arena, true);
    if (!read_guardrails(&gaps, error))
        return NULL;
    match_units(&gaps);
    TableBuilder *builder = table_builder_new(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0]);
    bool done = true;
    if (db_table_schema(world->db, world->arena, STR("resources"), &schema)) {
        QueryResult *result = query_resources(&gaps, world->arena, error);
        done = result != NULL;
        RowReader reader = {.table = done ? result->tables[0] : NULL};
        while (done && rows_next(&reader)) {
            PolicyResource resource;
            policy_resource_init(&resource, world->arena, &world->aliases,
                                 rows_dynamic(&reader, 0));
            take_resource(&gaps, &resource, all, builder, counts);
        }
    }
    ResultTable *table = done ? table_builder_finish(builder, world->arena) : NULL;
    table_builder_free(builder);
    return table;
}
