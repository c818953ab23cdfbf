#include "azure/network/security_group.h"

#include "azure/arm.h"
#include "base/array.h"

// ---- addresses ----

bool
group_addresses(Arena *arena, Str written, const GroupPlace *place, RangeSet *sure, RangeSet *may,
                Str *doubt)
{
    written = str_trim(written);
    if (str_equal(written, STR("*")) || str_equal_ci(written, STR("Any"))) {
        *sure = *may = address_all();
    } else if (str_equal_ci(written, STR("VirtualNetwork"))) {
        *sure = place->network_sure;
        *may = place->network_may;
        if (!range_set_equal(*sure, *may))
            *doubt = STR("what VirtualNetwork covers beyond the networks in the data is not known");
    } else if (str_equal_ci(written, STR("Internet"))) {
        *sure = *may = range_set_subtract(arena, address_public(), place->network_sure);
    } else if (str_equal_ci(written, STR("AzureLoadBalancer"))) {
        *sure = *may = range_set_of(arena, ADDRESS_HOST, ADDRESS_HOST);
    } else if (address_parse(arena, written, sure, NULL)) {
        *may = *sure;
    } else if (service_tag_sets(place->tags, arena, written, sure, may)) {
        *doubt = str_format(arena, "the addresses of the service tag %.*s are not in the data",
                            STR_ARG(written));
    } else {
        *sure = (RangeSet){0};
        *may = address_all();
        *doubt =
            str_format(arena, "'%.*s' is neither an address nor a service tag", STR_ARG(written));
        return false;
    }
    return true;
}

typedef struct RuleReader {
    Arena *arena;
    const GroupPlace *place;
    Dyn rule; // its properties
    NetRule *out;
} RuleReader;

typedef void (*Take)(RuleReader *reader, Str text, RangeSet *sure, RangeSet *may);

static void
take_addresses(RuleReader *reader, Str text, RangeSet *sure, RangeSet *may)
{
    RangeSet low, high;
    group_addresses(reader->arena, text, reader->place, &low, &high, &reader->out->doubt);
    *sure = range_set_union(reader->arena, *sure, low);
    *may = range_set_union(reader->arena, *may, high);
}

static bool
read_port(Str text, Address *out)
{
    uint32_t value = 0;
    text = str_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || value > PORT_MAX)
            return false;
        value = value * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *out = value;
    return text.len && value <= PORT_MAX;
}

bool
group_ports(Arena *arena, Str written, RangeSet *out)
{
    Address low = 0, high = PORT_MAX;
    ptrdiff_t dash = str_find(written, STR("-"));
    bool known = str_equal(str_trim(written), STR("*"));
    if (!known && dash < 0) {
        known = read_port(written, &low);
        high = low;
    } else if (!known) {
        known = read_port(str_slice(written, 0, (size_t)dash), &low) &&
                read_port(str_slice(written, (size_t)dash + 1, written.len), &high) && low <= high;
    }
    *out = known ? range_set_of(arena, low, high) : packet_box_all().at[PACKET_PORT];
    return known;
}

static void
take_ports(RuleReader *reader, Str text, RangeSet *sure, RangeSet *may)
{
    RangeSet range;
    bool known = group_ports(reader->arena, text, &range);
    *may = range_set_union(reader->arena, *may, range);
    if (known)
        *sure = range_set_union(reader->arena, *sure, range);
    else
        reader->out->doubt =
            str_format(reader->arena, "'%.*s' is no range of ports", STR_ARG(text));
}

static void
take_application_group(RuleReader *reader, Str id, RangeSet *sure, RangeSet *may)
{
    bool complete = true;
    RangeSet members = reader->place->application_group(reader->place->context, id, &complete);
    *sure = range_set_union(reader->arena, *sure, members);
    *may = range_set_union(reader->arena, *may, complete ? members : address_all());
    if (!complete)
        reader->out->doubt = str_format(reader->arena,
                                        "not all members of the application security group %.*s "
                                        "are in the data",
                                        STR_ARG(arm_last_segment(id)));
}

// A member that may be written for one (single), for many (plural), or both.
static uint32_t
read_texts(RuleReader *reader, const char *single, const char *plural, Take take, RangeSet *sure,
           RangeSet *may)
{
    uint32_t count = 0;
    Str one = arm_text(reader->rule, single);
    if (one.len) {
        take(reader, one, sure, may);
        count++;
    }
    Dyn many = dyn_get_ci(reader->rule, str_from(plural));
    for (uint32_t i = 0; dyn_kind(many) == DYN_ARRAY && i < dyn_count(many); i++)
        if (dyn_kind(dyn_at(many, i)) == DYN_STRING) {
            take(reader, dyn_string(dyn_at(many, i)), sure, may);
            count++;
        }
    return count;
}

static uint32_t
read_application_groups(RuleReader *reader, const char *name, RangeSet *sure, RangeSet *may)
{
    Dyn groups = dyn_get_ci(reader->rule, str_from(name));
    uint32_t count = dyn_kind(groups) == DYN_ARRAY ? dyn_count(groups) : 0;
    for (uint32_t i = 0; i < count; i++)
        take_application_group(reader, arm_text(dyn_at(groups, i), "id"), sure, may);
    return count;
}

static void
read_side(RuleReader *reader, const char *single, const char *plural, const char *groups,
          PacketDimension dimension)
{
    RangeSet *sure = &reader->out->sure.at[dimension], *may = &reader->out->may.at[dimension];
    *sure = *may = (RangeSet){0};
    uint32_t count = read_texts(reader, single, plural, take_addresses, sure, may) +
                     read_application_groups(reader, groups, sure, may);
    if (count)
        return;
    *may = address_all();
    reader->out->doubt = str_format(reader->arena, "the rule has no %s", single);
}

static void
read_ports(RuleReader *reader, const char *single, const char *plural, PacketDimension dimension)
{
    RangeSet *sure = &reader->out->sure.at[dimension], *may = &reader->out->may.at[dimension];
    *sure = *may = (RangeSet){0};
    if (!read_texts(reader, single, plural, take_ports, sure, may))
        take_ports(reader, STR("*"), sure, may);
}

bool
group_protocol(Arena *arena, Str written, RangeSet *out)
{
    static const struct {
        Str name;
        Address number;
    } PROTOCOLS[] = {{STR_INIT("Tcp"), PROTOCOL_TCP},
                     {STR_INIT("Udp"), PROTOCOL_UDP},
                     {STR_INIT("Icmp"), PROTOCOL_ICMP},
                     {STR_INIT("Esp"), PROTOCOL_ESP},
                     {STR_INIT("Ah"), PROTOCOL_AH}};
    for (size_t i = 0; i < COUNT_OF(PROTOCOLS); i++)
        if (str_equal_ci(written, PROTOCOLS[i].name)) {
            *out = range_set_of(arena, PROTOCOLS[i].number, PROTOCOLS[i].number);
            return true;
        }
    *out = packet_box_all().at[PACKET_PROTOCOL];
    return str_equal(written, STR("*")) || str_equal_ci(written, STR("Any")) ||
           str_equal_ci(written, STR("All"));
}

static void
read_protocol(RuleReader *reader)
{
    Str written = arm_text(reader->rule, "protocol");
    RangeSet *sure = &reader->out->sure.at[PACKET_PROTOCOL];
    RangeSet *may = &reader->out->may.at[PACKET_PROTOCOL];
    bool known = group_protocol(reader->arena, written, may);
    *sure = known ? *may : (RangeSet){0};
    if (!known)
        reader->out->doubt = str_format(reader->arena, "'%.*s' is no protocol", STR_ARG(written));
}

// ---- rules ----

static int64_t
read_priority(Dyn rule)
{
    Dyn found = dyn_get_ci(rule, STR("priority"));
    return dyn_kind(found) == DYN_LONG ? dyn_long(found) : INT64_MAX;
}

static void
read_rule(Arena *arena, NetRules *out, Dyn object, Direction direction, const GroupPlace *place)
{
    Dyn body = arm_body(object);
    Str way = arm_text(body, "direction");
    if (str_equal_ci(way, direction == INBOUND ? STR("Outbound") : STR("Inbound")))
        return;
    NetRule rule = {.name = arm_text(object, "name"), .priority = read_priority(body)};
    RuleReader reader = {arena, place, body, &rule};
    Str access = arm_text(body, "access");
    rule.allow = str_equal_ci(access, STR("Allow"));
    read_side(&reader, "sourceAddressPrefix", "sourceAddressPrefixes",
              "sourceApplicationSecurityGroups", PACKET_SOURCE);
    read_side(&reader, "destinationAddressPrefix", "destinationAddressPrefixes",
              "destinationApplicationSecurityGroups", PACKET_DESTINATION);
    read_ports(&reader, "sourcePortRange", "sourcePortRanges", PACKET_SOURCE_PORT);
    read_ports(&reader, "destinationPortRange", "destinationPortRanges", PACKET_PORT);
    read_protocol(&reader);
    if (!way.len || (!rule.allow && !str_equal_ci(access, STR("Deny")))) {
        // Whether it allows or denies, and whom: it may do either to what it may match.
        rule.doubt = STR("the rule's access or direction cannot be read");
        rule.sure.at[PACKET_SOURCE] = (RangeSet){0};
        rule.allow = true;
        net_rules_add(arena, out, &rule);
        rule.allow = false;
    }
    net_rules_add(arena, out, &rule);
}

typedef struct DefaultRule {
    const char *name;
    int64_t priority;
    bool allow;
    const char *source, *destination;
} DefaultRule;

static const DefaultRule DEFAULTS[2][3] = {
    [INBOUND] = {{"AllowVnetInBound", 65000, true, "VirtualNetwork", "VirtualNetwork"},
                 {"AllowAzureLoadBalancerInBound", 65001, true, "AzureLoadBalancer", "*"},
                 {"DenyAllInBound", 65500, false, "*", "*"}},
    [OUTBOUND] = {{"AllowVnetOutBound", 65000, true, "VirtualNetwork", "VirtualNetwork"},
                  {"AllowInternetOutBound", 65001, true, "*", "Internet"},
                  {"DenyAllOutBound", 65500, false, "*", "*"}},
};

static void
add_default(Arena *arena, NetRules *out, const DefaultRule *given, const GroupPlace *place)
{
    NetRule rule = {.name = str_from(given->name),
                    .priority = given->priority,
                    .allow = given->allow,
                    .sure = packet_box_all(),
                    .may = packet_box_all()};
    const char *sides[] = {given->source, given->destination};
    for (int d = PACKET_SOURCE; d <= PACKET_DESTINATION; d++)
        group_addresses(arena, str_from(sides[d]), place, &rule.sure.at[d], &rule.may.at[d],
                        &rule.doubt);
    net_rules_add(arena, out, &rule);
}

NetRules
security_group_rules(Arena *arena, Dyn properties, Direction direction, const GroupPlace *place)
{
    NetRules out = {0};
    Dyn rules = dyn_get_ci(properties, STR("securityRules"));
    for (uint32_t i = 0; dyn_kind(rules) == DYN_ARRAY && i < dyn_count(rules); i++)
        read_rule(arena, &out, dyn_at(rules, i), direction, place);
    for (size_t i = 0; i < COUNT_OF(DEFAULTS[0]); i++)
        add_default(arena, &out, &DEFAULTS[direction][i], place);
    net_rules_sort(&out);
    return out;
}
