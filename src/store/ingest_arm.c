// What Resource Graph adds to ARM's objects.
//
// ARM answers name a resource by its id; Resource Graph's rows also carry the
// subscription, the resource group and the type as columns. Rows that come from ARM
// itself (a REST answer, `az resource list`) lack some or spell them differently, so
// in tables that have these columns they are derived: type in lower case, location
// as the short lower-case name ("East US" is eastus), resource group in lower case.
// What the row says itself is kept but for the case of type and location.
// Source: Azure Resource Graph, "Understand the query language": resource ids,
// `type` and `location` as its tables show them.

#include "store/ingest_parts.h"

#include "base/array.h"

static const Str arm_names[ARM_COLUMNS] = {
    [ARM_ID] = STR_INIT("id"),
    [ARM_NAME] = STR_INIT("name"),
    [ARM_TYPE] = STR_INIT("type"),
    [ARM_TENANT] = STR_INIT("tenantId"),
    [ARM_LOCATION] = STR_INIT("location"),
    [ARM_GROUP] = STR_INIT("resourceGroup"),
    [ARM_SUBSCRIPTION] = STR_INIT("subscriptionId"),
};

// Types whose names Resource Graph spells differently from ARM's answers.
static const struct {
    Str arm, graph;
} renamed[] = {
    {STR_INIT("microsoft.resources/resourcegroups"),
     STR_INIT("microsoft.resources/subscriptions/resourcegroups")},
    {STR_INIT("microsoft.management/managementgroups/subscriptions"),
     STR_INIT("microsoft.resources/subscriptions")},
};

bool
arm_table_columns(const Schema *schema, uint32_t *columns)
{
    for (size_t i = 0; i < ARM_COLUMNS; i++) {
        ptrdiff_t found = schema_find(schema, arm_names[i]);
        if (found < 0 || schema->columns[found].type != TYPE_STRING)
            return false;
        columns[i] = (uint32_t)found;
    }
    return true;
}

// The next segment of an id from *at on; false at the end.
static bool
next_segment(Str id, size_t *at, Str *segment)
{
    while (*at < id.len && id.ptr[*at] == '/')
        ++*at;
    size_t from = *at;
    while (*at < id.len && id.ptr[*at] != '/')
        ++*at;
    *segment = str_slice(id, from, *at);
    return segment->len > 0;
}

void
arm_id_parse(Arena *arena, Str id, ArmId *out)
{
    *out = (ArmId){0};
    Str segment, value;
    size_t at = 0, provider = 0;
    while (next_segment(id, &at, &segment)) {
        if (str_equal_ci(segment, STR("providers"))) {
            provider = at;
            continue;
        }
        size_t after = at;
        if (provider || !next_segment(id, &after, &value))
            continue;
        if (str_equal_ci(segment, STR("subscriptions")))
            out->subscription = value;
        else if (str_equal_ci(segment, STR("resourceGroups")))
            out->group = value;
        else
            continue;
        at = after;
        out->name = value;
    }
    if (!provider) {
        if (out->group.len)
            out->type = STR("microsoft.resources/subscriptions/resourcegroups");
        else if (out->subscription.len && str_ends(id, out->subscription))
            out->type = STR("microsoft.resources/subscriptions");
        else
            out->name = (Str){0};
        return;
    }
    // namespace / type / name [/ type / name ...]
    Str space;
    char *type = arena_alloc(arena, id.len);
    size_t len = 0, names = 0;
    at = provider;
    out->name = (Str){0};
    if (!next_segment(id, &at, &space))
        return;
    memcpy(type, space.ptr, space.len);
    len = space.len;
    while (next_segment(id, &at, &segment)) {
        if (!next_segment(id, &at, &value)) {
            out->name = (Str){0}; // a collection, no object
            return;
        }
        type[len++] = '/';
        memcpy(type + len, segment.ptr, segment.len);
        len += segment.len;
        out->name = value;
        names++;
    }
    if (names)
        out->type = str_lower(arena, (Str){type, len});
}

static Str
cell_str(const IngestSink *sink, uint32_t column)
{
    if (!sink->filled[column])
        return (Str){0};
    return text_str(&((const Text *)sink->columns[column].data)[sink->rows]);
}

// Sets a string column of the row being built.
static void
cell_set(IngestSink *sink, uint32_t column, Str text)
{
    if (sink->filled[column])
        sink->columns[column].count--;
    Text view = text_view(text.ptr, text.len);
    vector_builder_data(ingest_row_column(sink, column), &sink->arena, &view);
    sink->filled[column] = 2;
}

static bool
has_upper_or_blank(Str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] >= 'A' && text.ptr[i] <= 'Z') || text.ptr[i] == ' ')
            return true;
    return false;
}

// "East US 2" as "eastus2".
static Str
location_name(Arena *arena, Str text)
{
    char *name = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != ' ')
            name[len++] = text.ptr[i];
    return str_lower(arena, (Str){name, len});
}

static Str
type_name_of(Arena *arena, Str type)
{
    Str lower = has_upper_or_blank(type) ? str_lower(arena, type) : str_copy(arena, type);
    for (size_t i = 0; i < COUNT_OF(renamed); i++)
        if (str_equal(lower, renamed[i].arm))
            return renamed[i].graph;
    return lower;
}

// The first tenant id seen becomes the snapshot's.
static void
note_tenant(IngestRun *run, Str tenant)
{
    enum { GUID_TEXT = 36 };
    if (tenant.len != GUID_TEXT || atomic_load_explicit(&run->tenant_known, memory_order_relaxed))
        return;
    pthread_mutex_lock(&run->lock);
    if (!run->tenant_known) {
        memcpy(run->tenant_id, tenant.ptr, tenant.len);
        run->tenant_known = true;
    }
    pthread_mutex_unlock(&run->lock);
}

void
arm_row_derive(IngestWorker *worker, IngestSink *sink)
{
    const uint32_t *column = sink->table->arm;
    Arena *scratch = &worker->scratch;
    Str type = cell_str(sink, column[ARM_TYPE]);
    Str location = cell_str(sink, column[ARM_LOCATION]);
    if (has_upper_or_blank(location))
        cell_set(sink, column[ARM_LOCATION], location_name(scratch, location));
    note_tenant(sink->run, cell_str(sink, column[ARM_TENANT]));
    bool complete = type.len && sink->filled[column[ARM_NAME]] && sink->filled[column[ARM_GROUP]] &&
                    cell_str(sink, column[ARM_SUBSCRIPTION]).len;
    ArmId id = {0};
    if (!complete) {
        // The id's text may lie in the builder, which moves when it grows.
        Str text = str_copy(scratch, cell_str(sink, column[ARM_ID]));
        arm_id_parse(scratch, text, &id);
        if (!cell_str(sink, column[ARM_NAME]).len && id.name.len)
            cell_set(sink, column[ARM_NAME], id.name);
        if (!cell_str(sink, column[ARM_SUBSCRIPTION]).len && id.subscription.len)
            cell_set(sink, column[ARM_SUBSCRIPTION], str_lower(scratch, id.subscription));
        if (!sink->filled[column[ARM_GROUP]] && id.group.len)
            cell_set(sink, column[ARM_GROUP], str_lower(scratch, id.group));
    }
    // Most rows already have the type as Resource Graph spells it; only ARM's forms
    // are rewritten (all that are renamed have a capital letter or come from the id).
    if (!type.len && id.type.len)
        cell_set(sink, column[ARM_TYPE], type_name_of(scratch, id.type));
    else if (has_upper_or_blank(type))
        cell_set(sink, column[ARM_TYPE], type_name_of(scratch, type));
}
