// Names that a firewall lets out: application rules, and network rules with names.
//
// A name may have any public address, so packets that ask for it must have come to the
// firewall whatever their destination; where only some addresses get that far, whether those
// of the names are among them is unknown. A rule about names is asked about what network
// rules before it have not decided. Source: Microsoft Learn, "Azure Firewall rule processing
// logic", "FQDN filtering in network rules", "FQDN tags overview", "Web categories".

#include "azure/network/outbound_internal.h"

#include "azure/arm.h"
#include "base/array.h"

enum { NAMES_SHOWN = 100 };

bool
outbound_name_covers(Str whole, Str part)
{
    if (str_equal(whole, STR("*")) || str_equal_ci(whole, part))
        return true;
    if (!str_starts(whole, STR("*")))
        return false;
    size_t tail = whole.len - 1;
    return part.len > tail &&
           str_equal_ci(str_slice(part, part.len - tail, part.len), str_slice(whole, 1, whole.len));
}

// What packets of the journey the rule is asked about: those no network rule has decided.
static Flow
asked(Arena *arena, const Journey *journey, const FirewallRules *rules, const FirewallNames *rule)
{
    Flow out = {packet_set_intersect(arena, &journey->flow.sure, &rule->sure),
                packet_set_intersect(arena, &journey->flow.may, &rule->may)};
    for (size_t i = 0; i < rules->by_address.len; i++) {
        const NetRule *before = &rules->by_address.items[i];
        if (!rule->is_application && before->priority > rule->order)
            continue;
        out.sure = packet_set_subtract(arena, &out.sure, &before->may);
        out.may = packet_set_subtract(arena, &out.may, &before->sure);
    }
    return out;
}

// The part of the set from which every destination and every source of the compute is left.
static PacketSet
whole_boxes(Arena *arena, const PacketSet *set, RangeSet sources)
{
    PacketSet out = {.too_many = set->too_many};
    for (size_t i = 0; i < set->len; i++)
        if (range_set_contains(set->items[i].at[PACKET_DESTINATION], ADDRESS_ANYWHERE) &&
            range_set_covers(set->items[i].at[PACKET_SOURCE], sources))
            packet_set_add(arena, &out, &set->items[i]);
    return out;
}

typedef enum Denial { DENIED_NOT, DENIED_PERHAPS, DENIED } Denial;

// What rules about names before this one say of the name.
static Denial
denial(const FirewallRules *rules, const FirewallNames *rule, Str name, RangeSet sources)
{
    for (size_t i = 0; i < rules->by_name.len; i++) {
        const FirewallNames *before = &rules->by_name.items[i];
        if (before->allow || !before->is_application || !rule->is_application ||
            before->order > rule->order ||
            !range_set_overlaps(before->may.at[PACKET_SOURCE], sources) ||
            !range_set_overlaps(before->may.at[PACKET_PORT], rule->may.at[PACKET_PORT]))
            continue;
        for (size_t m = 0; m < COUNT_OF(before->more); m++)
            if (dyn_kind(before->more[m]) == DYN_ARRAY && dyn_count(before->more[m]))
                return DENIED_PERHAPS;
        bool whole = range_set_covers(before->sure.at[PACKET_SOURCE], sources) &&
                     range_set_covers(before->sure.at[PACKET_PORT], rule->may.at[PACKET_PORT]);
        Dyn names = before->names;
        for (uint32_t n = 0; dyn_kind(names) == DYN_ARRAY && n < dyn_count(names); n++)
            if (outbound_name_covers(dyn_string(dyn_at(names, n)), name))
                return whole ? DENIED : DENIED_PERHAPS;
    }
    return DENIED_NOT;
}

// ---- names of one verdict and ports ----

typedef struct NameGroup {
    Reach reach;
    bool is_any;
    Str ports, reason;
    Buffer names, because;
    size_t count;
} NameGroup;

typedef struct NameGroups {
    NameGroup *items;
    size_t len, cap;
} NameGroups;

static NameGroup *
group_of(Arena *arena, NameGroups *groups, Reach reach, bool is_any, Str ports)
{
    for (size_t i = 0; i < groups->len; i++)
        if (groups->items[i].reach == reach && groups->items[i].is_any == is_any &&
            str_equal(groups->items[i].ports, ports))
            return &groups->items[i];
    NameGroup made = {.reach = reach, .is_any = is_any, .ports = ports};
    ARRAY_PUSH(arena, groups, made);
    return &groups->items[groups->len - 1];
}

static void
put_name(NameGroup *group, const char *kind, Str name)
{
    if (group->count++ < NAMES_SHOWN)
        buffer_printf(&group->names, "%s%s%.*s", group->names.len ? ", " : "", kind, STR_ARG(name));
}

typedef struct NameReader {
    Arena *arena;
    NameGroups *groups;
    const FirewallRules *rules;
    const FirewallNames *rule;
    RangeSet sources;
    Reach reach;
    Str ports, reason;
    NameGroup *last;
} NameReader;

static void
take(NameReader *reader, const char *kind, Str name)
{
    Denial denied =
        kind[0] ? DENIED_NOT : denial(reader->rules, reader->rule, name, reader->sources);
    if (denied == DENIED || !name.len)
        return;
    Reach reach = denied == DENIED_PERHAPS ? REACH_UNKNOWN : reader->reach;
    bool is_any = !kind[0] && str_equal(name, STR("*"));
    NameGroup *group = group_of(reader->arena, reader->groups, reach, is_any, reader->ports);
    put_name(group, kind, name);
    if (!group->reason.len)
        group->reason =
            denied == DENIED_PERHAPS ? STR("a rule before it may deny the name") : reader->reason;
    if (reader->last == group)
        return;
    reader->last = group;
    if (group->because.len < 200)
        buffer_printf(&group->because, "%sallowed by %.*s", group->because.len ? ", " : "",
                      STR_ARG(reader->rule->rule));
}

static void
take_rule(NameReader *reader)
{
    static const char *const KINDS[] = {"tag ", "category ", "URL "};
    Dyn names = reader->rule->names;
    for (uint32_t n = 0; dyn_kind(names) == DYN_ARRAY && n < dyn_count(names); n++)
        take(reader, "", dyn_string(dyn_at(names, n)));
    for (size_t m = 0; m < COUNT_OF(KINDS); m++) {
        Dyn list = reader->rule->more[m];
        for (uint32_t n = 0; dyn_kind(list) == DYN_ARRAY && n < dyn_count(list); n++)
            take(reader, KINDS[m], dyn_string(dyn_at(list, n)));
    }
}

static void
put_groups(Outbounder *outbounder, const Journey *journey, const NameGroups *groups,
           const NetResource *firewall, Str subnet_id)
{
    Arena *arena = outbounder->arena;
    for (size_t i = 0; i < groups->len; i++) {
        NameGroup *group = &groups->items[i];
        if (group->count > NAMES_SHOWN)
            buffer_printf(&group->names, " and %zu more", group->count - NAMES_SHOWN);
        Journey told = *journey;
        told.hops.items = ARENA_ARRAY(arena, Hop, journey->hops.len + 1);
        for (size_t h = 0; h < journey->hops.len; h++)
            told.hops.items[h] = journey->hops.items[h];
        told.hops.cap = journey->hops.len + 1;
        journey_hop(&told, STEP_FIREWALL, group->reach == REACH_OPEN ? HOP_PASSES : HOP_UNSURE,
                    firewall->id,
                    str_format(arena, "%.*s: %.*s", STR_ARG(firewall->name),
                               (int)group->because.len, group->because.data));
        Outbound answer = {
            .destination = group->is_any ? DESTINATION_INTERNET : DESTINATION_NAMES,
            .name = group->is_any ? STR("any name") : str_copy(arena, buffer_slice(&group->names)),
            .subnet_id = subnet_id,
            .reach = group->reach,
            .ports = group->ports,
            .via = firewall->id,
            .reason = group->reach == REACH_UNKNOWN ? group->reason : STR(""),
        };
        outbound_add(outbounder, &answer, &told);
        buffer_free(&group->names);
        buffer_free(&group->because);
    }
}

void
outbound_names(Outbounder *outbounder, const Journey *journey, const FirewallRules *rules,
               const NetResource *firewall, RangeSet sources, Str subnet_id, Str doubt)
{
    Arena *arena = outbounder->arena;
    NameGroups groups = {0};
    for (size_t i = 0; i < rules->by_name.len; i++) {
        const FirewallNames *rule = &rules->by_name.items[i];
        if (!rule->allow || !range_set_overlaps(rule->may.at[PACKET_SOURCE], sources))
            continue;
        Flow flow = asked(arena, journey, rules, rule);
        PacketSet sure = whole_boxes(arena, &flow.sure, sources);
        if (!flow.may.len && !flow_too_many(&flow))
            continue;
        bool open = sure.len && !flow_too_many(&flow) && !doubt.len;
        Str reason = doubt.len ? doubt
                     : journey->doubt.len
                         ? journey->doubt
                         : STR("which addresses the names have is not in the data, "
                               "and not all come to the firewall");
        NameReader reader = {
            .arena = arena,
            .groups = &groups,
            .rules = rules,
            .rule = rule,
            .sources = sources,
            .reach = open ? REACH_OPEN : REACH_UNKNOWN,
            .ports = address_class_ports(arena, open ? &sure : &flow.may),
            .reason = reason,
        };
        take_rule(&reader);
    }
    put_groups(outbounder, journey, &groups, firewall, subnet_id);
}
