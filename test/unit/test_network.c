// Networks: sets, rules and routes against evaluators that try each value or packet.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "azure/network/route.h"
#include "azure/network/security_group.h"
#include "base/array.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252u;

static uint32_t
pick(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

static const char *
content_dir_of_tests(void)
{
    const char *content = getenv("AZIMUTH_CONTENT");
    return content ? content : "content";
}

static Dyn
json(Arena *arena, const char *text)
{
    Text *tree = ARENA_NEW(arena, Text);
    bool is_null;
    json_parse_text(arena, str_from(text), tree, &is_null);
    return is_null ? dyn_null() : dyn_of_text(tree);
}

// ---- sets ----

// Sets of numbers below 64, as bits and as intervals.
static RangeSet
set_of_bits(Arena *arena, uint64_t bits)
{
    RangeSet set = {0};
    for (uint32_t i = 0; i < 64; i++)
        if (bits >> i & 1)
            set = range_set_union(arena, set, range_set_of(arena, i, i));
    return set;
}

static uint64_t
random_bits(void)
{
    uint64_t bits = 0;
    for (uint32_t runs = pick(5); runs; runs--)
        bits |= ((1ull << (1 + pick(20))) - 1) << pick(64);
    return bits;
}

static void
check_set(RangeSet set, uint64_t bits)
{
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(range_set_contains(set, i), bits >> i & 1);
    for (uint32_t i = 0; i < set.count; i++) {
        assert_true(set.items[i].low <= set.items[i].high);
        assert_true(!i || set.items[i - 1].high + 1 < set.items[i].low);
    }
}

static void
sets_are_exact(void **state)
{
    (void)state;
    Arena arena = {0};
    for (int round = 0; round < 20000; round++) {
        uint64_t a = random_bits(), b = random_bits();
        RangeSet x = set_of_bits(&arena, a), y = set_of_bits(&arena, b);
        check_set(range_set_union(&arena, x, y), a | b);
        check_set(range_set_intersect(&arena, x, y), a & b);
        check_set(range_set_subtract(&arena, x, y), a & ~b);
        assert_int_equal(range_set_overlaps(x, y), (a & b) != 0);
        assert_int_equal(range_set_covers(x, y), (b & ~a) == 0);
        assert_int_equal(range_set_equal(x, y), a == b);
        arena_reset(&arena);
    }
    // The ends of the space.
    RangeSet all = address_all(), top = range_set_of(&arena, ADDRESS_MAX, ADDRESS_MAX);
    assert_true(range_set_contains(range_set_union(&arena, top, all), ADDRESS_MAX));
    assert_false(range_set_contains(range_set_subtract(&arena, all, top), ADDRESS_MAX));
    assert_int_equal(range_set_subtract(&arena, all, all).count, 0);
    arena_free(&arena);
}

static void
check_address(Arena *arena, const char *text, const char *printed, int length)
{
    RangeSet set;
    int found;
    assert_true(address_parse(arena, str_from(text), &set, &found));
    assert_int_equal(found, length);
    Buffer out = {0};
    address_print(&out, set);
    buffer_char(&out, '\0');
    assert_string_equal(out.data, printed);
    buffer_free(&out);
}

static void
addresses_are_read_and_written(void **state)
{
    (void)state;
    Arena arena = {0};
    check_address(&arena, "10.0.0.4", "10.0.0.4", 32);
    check_address(&arena, "10.0.0.77/24", "10.0.0.0/24", 24);
    check_address(&arena, " 10.0.0.0/8 ", "10.0.0.0/8", 8);
    check_address(&arena, "0.0.0.0/0", "0.0.0.0/0", 0);
    check_address(&arena, "10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9", -1);
    check_address(&arena, "10.0.0.0-10.0.0.255", "10.0.0.0/24", -1);
    check_address(&arena, "FD00::1", "fd00::1", 128);
    check_address(&arena, "fd00::/8", "fd00::/8", 8);
    check_address(&arena, "255.255.255.255", "255.255.255.255", 32);
    static const char *const BAD[] = {
        "",       "10.0.0",   "10.0.0.0/33",      "10.0.0.0/",    "10.0.0.0/x", "10.0.0.9-10.0.0.1",
        "::/129", "Internet", "10.0.0.1-fd00::1", "1.2.3.4/24/8", "10.0.0.0/-1"};
    RangeSet set;
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_false(address_parse(&arena, str_from(BAD[i]), &set, NULL));
    // The whole of IPv6 is not IPv4 as well.
    assert_true(address_parse(&arena, STR("::/0"), &set, NULL));
    assert_false(range_set_overlaps(set, address_ipv4()));
    assert_true(range_set_covers(range_set_union(&arena, set, address_ipv4()), address_all()));
    assert_false(range_set_contains(address_public(), ADDRESS_IPV4(10, 0, 0, 1)));
    assert_false(range_set_contains(address_public(), ADDRESS_HOST));
    assert_true(range_set_contains(address_public(), ADDRESS_IPV4(20, 0, 0, 1)));
    assert_true(range_set_contains(address_public(), ADDRESS_ANYWHERE));
    assert_true(address_parse(&arena, STR("20.0.0.0/8"), &set, NULL));
    assert_true(address_is_anywhere(set));
    assert_true(address_parse(&arena, STR("20.0.0.0/9"), &set, NULL));
    assert_false(address_is_anywhere(set));
    arena_free(&arena);
}

// ---- rules ----

// A small universe: addresses 0..7, ports 0..7, protocols tcp and udp.
enum { SMALL = 8, RULES_MOST = 6 };

typedef struct SmallRule {
    uint8_t sure[3], may[3]; // bits: sources, destinations, ports
    bool tcp, udp, allow;
} SmallRule;

static PacketBox
small_box(Arena *arena, const uint8_t bits[3], bool tcp, bool udp)
{
    static const PacketDimension DIMENSIONS[] = {PACKET_SOURCE, PACKET_DESTINATION, PACKET_PORT};
    PacketBox box = packet_box_all();
    for (size_t d = 0; d < 3; d++)
        box.at[DIMENSIONS[d]] = set_of_bits(arena, bits[d]);
    box.at[PACKET_PROTOCOL] =
        range_set_union(arena, tcp ? range_set_of(arena, 6, 6) : (RangeSet){0},
                        udp ? range_set_of(arena, 17, 17) : (RangeSet){0});
    return box;
}

static bool
small_matches(const uint8_t bits[3], const SmallRule *rule, const uint32_t packet[4])
{
    return (packet[3] ? rule->udp : rule->tcp) && bits[0] >> packet[0] & 1 &&
           bits[1] >> packet[1] & 1 && bits[2] >> packet[2] & 1;
}

// Tries both ways of each rule that may match: what can become of the packet.
static void
small_outcomes(const SmallRule *rules, uint32_t count, const uint32_t packet[4], bool *can_pass,
               bool *can_fail)
{
    if (!count) {
        *can_fail = true;
        return;
    }
    bool sure = small_matches(rules->sure, rules, packet);
    bool may = small_matches(rules->may, rules, packet);
    if (may)
        *(rules->allow ? can_pass : can_fail) = true;
    if (!sure)
        small_outcomes(rules + 1, count - 1, packet, can_pass, can_fail);
}

static void
random_small_rule(SmallRule *rule)
{
    for (size_t d = 0; d < 3; d++) {
        rule->sure[d] = (uint8_t)(pick(3) ? random_bits() : 0xFF);
        rule->may[d] = (uint8_t)(rule->sure[d] | (pick(4) ? 0 : random_bits()));
    }
    rule->tcp = pick(4);
    rule->udp = pick(2);
    rule->allow = pick(2);
}

static void
check_packets(const Flow *flow, const SmallRule *rules, uint32_t count)
{
    for (int i = 0; i < 64; i++) {
        uint32_t packet[4] = {pick(SMALL), pick(SMALL), pick(SMALL), pick(2)};
        Packet whole = {{packet[0], packet[1], packet[2], packet[3] ? 17 : 6, 7}};
        bool can_pass = false, can_fail = false;
        small_outcomes(rules, count, packet, &can_pass, &can_fail);
        assert_int_equal(packet_set_contains(&flow->sure, &whole), can_pass && !can_fail);
        assert_int_equal(packet_set_contains(&flow->may, &whole), can_pass);
    }
}

static void
rules_let_through_what_trying_each_packet_does(void **state)
{
    (void)state;
    Arena arena = {0};
    for (int round = 0; round < 2000; round++) { // 128,000 packets
        SmallRule small[RULES_MOST];
        NetRules rules = {0};
        uint32_t count = pick(RULES_MOST + 1);
        for (uint32_t i = 0; i < count; i++) {
            random_small_rule(&small[i]);
            NetRule rule = {.priority = 1, .allow = small[i].allow};
            rule.sure = small_box(&arena, small[i].sure, small[i].tcp, small[i].udp);
            rule.may = small_box(&arena, small[i].may, small[i].tcp, small[i].udp);
            net_rules_add(&arena, &rules, &rule);
        }
        net_rules_sort(&rules);
        PacketBox all = packet_box_all();
        Flow in = flow_of(&arena, &all), out = net_rules_pass(&arena, &rules, &in);
        assert_false(flow_too_many(&out));
        check_packets(&out, small, count);
        // No packet stands in two boxes.
        for (size_t a = 0; a < out.may.len; a++)
            for (size_t b = 0; b < a; b++) {
                PacketBox both = packet_box_intersect(&arena, &out.may.items[a], &out.may.items[b]);
                assert_true(packet_box_is_empty(&both));
            }
        arena_reset(&arena);
    }
    arena_free(&arena);
}

static void
ports_are_written(void **state)
{
    (void)state;
    Arena arena = {0};
    PacketBox box = packet_box_all();
    PacketSet set = {0};
    Buffer out = {0};
    packet_set_add(&arena, &set, &box);
    packet_set_print_ports(&out, &arena, &set);
    assert_true(str_equal(buffer_slice(&out), STR("any")));
    box.at[PACKET_PROTOCOL] = range_set_of(&arena, PROTOCOL_TCP, PROTOCOL_TCP);
    box.at[PACKET_PORT] =
        range_set_union(&arena, range_set_of(&arena, 22, 22), range_set_of(&arena, 8000, 8010));
    set = (PacketSet){0};
    packet_set_add(&arena, &set, &box);
    buffer_clear(&out);
    packet_set_print_ports(&out, &arena, &set);
    assert_true(str_equal(buffer_slice(&out), STR("tcp 22,8000-8010")));
    box.at[PACKET_PROTOCOL] = range_set_of(&arena, PROTOCOL_UDP, PROTOCOL_UDP);
    box.at[PACKET_PORT] = range_set_of(&arena, 0, PORT_MAX);
    packet_set_add(&arena, &set, &box);
    buffer_clear(&out);
    packet_set_print_ports(&out, &arena, &set);
    assert_true(str_equal(buffer_slice(&out), STR("tcp 22,8000-8010; udp any")));
    buffer_free(&out);
    arena_free(&arena);
}

// Every packet costs the same to ask about, however finely rules cut: when the pieces are too
// many, the answer says so.
static void
rules_that_cut_too_finely_say_so(void **state)
{
    (void)state;
    Arena arena = {0};
    NetRules rules = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        NetRule rule = {.priority = i, .sure = packet_box_all()};
        for (int d = PACKET_SOURCE; d <= PACKET_PORT; d++) {
            uint32_t low = pick(1000);
            rule.sure.at[d] = range_set_of(&arena, low, low + pick(100));
        }
        rule.may = rule.sure;
        net_rules_add(&arena, &rules, &rule);
    }
    NetRule last = {.priority = 1000, .allow = true, .sure = packet_box_all()};
    last.may = last.sure;
    net_rules_add(&arena, &rules, &last);
    PacketBox all = packet_box_all();
    Flow in = flow_of(&arena, &all), out = net_rules_pass(&arena, &rules, &in);
    assert_true(flow_too_many(&out));
    assert_true(out.sure.len <= PACKET_BOXES_MAX);
    arena_free(&arena);
}

// ---- security groups ----

typedef struct GroupFixture {
    Arena arena;
    ServiceTags tags;
    GroupPlace place;
} GroupFixture;

static RangeSet
two_members(void *context, Str id, bool *complete)
{
    GroupFixture *fixture = context;
    RangeSet members = {0};
    if (str_ends(id, STR("/web")))
        address_parse(&fixture->arena, STR("10.0.0.4-10.0.0.5"), &members, NULL);
    *complete = str_ends(id, STR("/web"));
    return members;
}

static void
group_fixture_init(GroupFixture *fixture)
{
    AzError error = {0};
    *fixture = (GroupFixture){0};
    assert_true(service_tags_load(&fixture->arena, content_dir_of_tests(), &fixture->tags, &error));
    fixture->place = (GroupPlace){.tags = &fixture->tags, .application_group = two_members};
    address_parse(&fixture->arena, STR("10.0.0.0/24"), &fixture->place.network_sure, NULL);
    address_parse(&fixture->arena, STR("10.0.0.0/23"), &fixture->place.network_may, NULL);
    fixture->place.context = fixture;
}

// What a name in a rule says of an address, worked out one address at a time.
typedef enum Says { NO, MAYBE, YES } Says;

typedef struct Name {
    const char *text;
    uint32_t low, high; // of IPv4, when it is no tag
} Name;

static const Name NAMES[] = {
    {"*", 0, 0},
    {"Internet", 0, 0},
    {"VirtualNetwork", 0, 0},
    {"AzureLoadBalancer", 0, 0},
    {"Storage", 0, 0},
    {"10.0.0.0/25", 0x0A000000, 0x0A00007F},
    {"10.0.0.4", 0x0A000004, 0x0A000004},
    {"10.0.0.0/8", 0x0A000000, 0x0AFFFFFF},
    {"203.0.113.0/24", 0xCB007100, 0xCB0071FF},
    {"0.0.0.0/0", 0, 0xFFFFFFFF},
    {"8.0.0.0/7", 0x08000000, 0x09FFFFFF},
};
enum { FIRST_LITERAL = 5 };

static const uint32_t HOSTS[] = {0x0A000004, 0x0A000005, 0x0A000080, 0x0A000101, 0x0A090909,
                                 0xCB007109, 0x08080808, 0xA83F8110, 0xF0000001, 0xC0A80001};

static Says
says(uint32_t name, uint32_t host)
{
    uint32_t top = host >> 24;
    bool is_private = top == 10 || host >> 16 == 0xC0A8 || host == 0xA83F8110;
    switch (name) {
    case 0: return YES;
    case 1: return is_private ? NO : YES;
    case 2: return host >> 8 == 0x0A0000 ? YES : host >> 8 == 0x0A0001 ? MAYBE : NO;
    case 3: return host == 0xA83F8110 ? YES : NO;
    case 4: return is_private || host == 0xF0000001 ? NO : MAYBE;
    default: return host >= NAMES[name].low && host <= NAMES[name].high ? YES : NO;
    }
}

typedef struct PlainRule {
    uint32_t priority, source, destination, low, high;
    int protocol; // 0 = any, 6, 17
    bool allow, inbound;
} PlainRule;

static void
random_group(PlainRule *rules, uint32_t count, Buffer *text)
{
    buffer_text(text, "{\"securityRules\":[");
    for (uint32_t i = 0; i < count; i++) {
        PlainRule *rule = &rules[i];
        *rule = (PlainRule){.priority = 100 + i * 10,
                            .source = pick(COUNT_OF(NAMES)),
                            .destination = pick(COUNT_OF(NAMES)),
                            .low = pick(8),
                            .protocol = (int[]){0, 6, 17}[pick(3)],
                            .allow = pick(2),
                            .inbound = pick(4)};
        rule->high = rule->low + pick(8);
        if (!pick(3))
            rule->low = 0, rule->high = 65535;
    }
    for (uint32_t i = count; i-- > 0;) { // not in order of priority
        const PlainRule *rule = &rules[i];
        bool many = pick(2);
        buffer_printf(text,
                      "%s{\"name\":\"r%u\",\"properties\":{\"priority\":%u,\"direction\":\"%s\","
                      "\"access\":\"%s\",\"protocol\":\"%s\",\"sourcePortRange\":\"*\",",
                      i + 1 < count ? "," : "", i, rule->priority,
                      rule->inbound ? "Inbound" : "outbound", rule->allow ? "Allow" : "Deny",
                      rule->protocol == 0   ? "*"
                      : rule->protocol == 6 ? "TCP"
                                            : "Udp");
        buffer_printf(
            text, many ? "\"sourceAddressPrefixes\":[\"%s\"]," : "\"sourceAddressPrefix\":\"%s\",",
            NAMES[rule->source].text);
        buffer_printf(text, "\"destinationAddressPrefix\":\"%s\",", NAMES[rule->destination].text);
        buffer_printf(text,
                      many ? "\"destinationPortRanges\":[\"%u-%u\"]}}"
                           : "\"destinationPortRange\":\"%u-%u\"}}",
                      rule->low, rule->high);
    }
    buffer_text(text, "]}");
}

static Says
both(Says a, Says b)
{
    return a < b ? a : b;
}

// First match, rule by rule; both ways where a rule may match.
static void
try_packet(const PlainRule *rules, uint32_t count, bool inbound, uint32_t source,
           uint32_t destination, uint32_t port, int protocol, bool *can_pass, bool *can_fail)
{
    for (uint32_t i = 0; i < count; i++) {
        const PlainRule *rule = &rules[i];
        if (rule->inbound != inbound || (rule->protocol && rule->protocol != protocol) ||
            port < rule->low || port > rule->high)
            continue;
        Says match = both(says(rule->source, source), says(rule->destination, destination));
        if (match != NO)
            *(rule->allow ? can_pass : can_fail) = true;
        if (match == YES)
            return;
    }
    Says local = both(says(2, source), says(2, destination));
    if (local != NO)
        *can_pass = true;
    if (local == YES)
        return;
    if (inbound ? source == 0xA83F8110 : says(1, destination) == YES)
        *can_pass = true;
    else
        *can_fail = true;
}

static void
groups_decide_as_trying_each_packet_does(void **state)
{
    (void)state;
    GroupFixture fixture;
    group_fixture_init(&fixture);
    Arena arena = {0};
    Buffer text = {0};
    for (int round = 0; round < 2500; round++) { // 100,000 questions
        PlainRule rules[8];
        uint32_t count = pick(COUNT_OF(rules) + 1);
        buffer_clear(&text);
        random_group(rules, count, &text);
        buffer_char(&text, '\0');
        bool inbound = pick(2);
        NetRules group = security_group_rules(&arena, json(&arena, text.data),
                                              inbound ? INBOUND : OUTBOUND, &fixture.place);
        PacketBox all = packet_box_all();
        Flow in = flow_of(&arena, &all), out = net_rules_pass(&arena, &group, &in);
        assert_false(flow_too_many(&out));
        for (int i = 0; i < 40; i++) {
            uint32_t source = HOSTS[pick(COUNT_OF(HOSTS))];
            uint32_t destination = HOSTS[pick(COUNT_OF(HOSTS))], port = pick(17);
            int protocol = pick(2) ? 6 : 17;
            bool can_pass = false, can_fail = false;
            try_packet(rules, count, inbound, source, destination, port, protocol, &can_pass,
                       &can_fail);
            Packet packet = {{ADDRESS_IPV4(0, 0, 0, 0) + source,
                              ADDRESS_IPV4(0, 0, 0, 0) + destination, port, (Address)protocol,
                              40000}};
            assert_int_equal(packet_set_contains(&out.sure, &packet), can_pass && !can_fail);
            assert_int_equal(packet_set_contains(&out.may, &packet), can_pass);
            bool certain;
            const NetRule *rule = net_rules_decide(&group, &packet, &certain, NULL);
            assert_non_null(rule);
            if (certain)
                assert_int_equal(rule->allow, can_pass);
        }
        arena_reset(&arena);
    }
    buffer_free(&text);
    arena_free(&arena);
    arena_free(&fixture.arena);
}

static bool
passes(GroupFixture *fixture, const char *rules, Direction direction, Address source,
       Address destination, uint32_t port, bool sure)
{
    NetRules group = security_group_rules(&fixture->arena, json(&fixture->arena, rules), direction,
                                          &fixture->place);
    PacketBox all = packet_box_all();
    Flow in = flow_of(&fixture->arena, &all);
    Flow out = net_rules_pass(&fixture->arena, &group, &in);
    Packet packet = {{source, destination, port, PROTOCOL_TCP, 40000}};
    return packet_set_contains(sure ? &out.sure : &out.may, &packet);
}

#define HERE  ADDRESS_IPV4(10, 0, 0, 4)
#define THERE ADDRESS_IPV4(10, 0, 0, 9)
#define FAR   ADDRESS_IPV4(20, 1, 2, 3)

static void
default_rules_hold(void **state)
{
    (void)state;
    GroupFixture fixture;
    group_fixture_init(&fixture);
    static const char NONE[] = "{}";
    assert_true(passes(&fixture, NONE, INBOUND, THERE, HERE, 22, true));
    assert_true(passes(&fixture, NONE, INBOUND, ADDRESS_HOST, HERE, 22, true));
    assert_false(passes(&fixture, NONE, INBOUND, FAR, HERE, 22, false));
    assert_true(passes(&fixture, NONE, OUTBOUND, HERE, FAR, 443, true));
    assert_true(passes(&fixture, NONE, OUTBOUND, HERE, THERE, 443, true));
    assert_false(passes(&fixture, NONE, OUTBOUND, HERE, ADDRESS_IPV4(10, 9, 9, 9), 443, false));
    // A part of the network that is only perhaps one.
    assert_false(passes(&fixture, NONE, INBOUND, ADDRESS_IPV4(10, 0, 1, 1), HERE, 22, true));
    assert_true(passes(&fixture, NONE, INBOUND, ADDRESS_IPV4(10, 0, 1, 1), HERE, 22, false));
    arena_free(&fixture.arena);
}

static void
application_groups_stand_for_their_members(void **state)
{
    (void)state;
    GroupFixture fixture;
    group_fixture_init(&fixture);
    static const char ONLY_WEB[] =
        "{\"securityRules\":[{\"name\":\"web\",\"properties\":{\"priority\":100,\"access\":"
        "\"Allow\","
        "\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourceAddressPrefix\":\"Internet\","
        "\"destinationPortRange\":\"443\",\"destinationApplicationSecurityGroups\":[{\"id\":"
        "\"/x/web\"}]}}]}";
    assert_true(passes(&fixture, ONLY_WEB, INBOUND, FAR, HERE, 443, true));
    assert_false(passes(&fixture, ONLY_WEB, INBOUND, FAR, THERE, 443, false));
    assert_false(passes(&fixture, ONLY_WEB, INBOUND, FAR, HERE, 444, false));
    static const char SOME[] =
        "{\"securityRules\":[{\"name\":\"s\",\"properties\":{\"priority\":100,\"access\":\"Allow\","
        "\"direction\":\"Inbound\",\"protocol\":\"*\",\"sourceAddressPrefix\":\"*\","
        "\"destinationPortRange\":\"443\",\"destinationApplicationSecurityGroups\":[{\"id\":"
        "\"/x/other\"}]}}]}";
    assert_false(passes(&fixture, SOME, INBOUND, FAR, HERE, 443, true));
    assert_true(passes(&fixture, SOME, INBOUND, FAR, HERE, 443, false));
    arena_free(&fixture.arena);
}

static void
service_tags_hold_their_own(void **state)
{
    (void)state;
    GroupFixture fixture;
    group_fixture_init(&fixture);
    Arena *arena = &fixture.arena;
    RangeSet cloud, storage, west, backend, may;
    assert_true(service_tag_sets(&fixture.tags, arena, STR("AzureCloud"), &cloud, &may));
    assert_true(service_tag_sets(&fixture.tags, arena, STR("storage"), &storage, &may));
    assert_true(service_tag_sets(&fixture.tags, arena, STR("Storage.WestEurope"), &west, &may));
    assert_true(
        service_tag_sets(&fixture.tags, arena, STR("AzureFrontDoor.Backend"), &backend, &may));
    assert_true(range_set_covers(cloud, storage) && range_set_covers(storage, west));
    assert_false(range_set_equal(storage, west));
    assert_false(range_set_overlaps(storage, backend));
    assert_true(range_set_overlaps(fixture.tags.tenants_send, cloud));
    assert_true(range_set_covers(fixture.tags.tenants_receive, storage));
    assert_false(range_set_contains(may, ADDRESS_ANYWHERE));
    assert_true(range_set_contains(may, FAR));
    assert_true(service_tag_sets(&fixture.tags, arena, STR("NewService.NewRegion"), &west, &may));
    assert_int_equal(west.count, 1);
    assert_false(service_tag_sets(&fixture.tags, arena, STR("not a tag"), &west, &may));
    assert_false(service_tag_sets(&fixture.tags, arena, STR(""), &west, &may));
    assert_false(service_tag_sets(&fixture.tags, arena, STR("10.0.0"), &west, &may));
    arena_free(&fixture.arena);
}

static void
rules_that_cannot_be_read_are_doubtful(void **state)
{
    (void)state;
    GroupFixture fixture;
    group_fixture_init(&fixture);
    static const char *const ODD[] = {
        "{\"securityRules\":[{\"name\":\"x\",\"properties\":{\"priority\":100}}]}",
        "{\"securityRules\":[{\"name\":\"x\",\"properties\":{\"priority\":100,\"access\":\"Allow\","
        "\"direction\":\"Inbound\",\"protocol\":\"*\",\"sourceAddressPrefix\":\"10.0.0.0/99\","
        "\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}}]}",
        "{\"securityRules\":[{\"name\":\"x\",\"properties\":{\"priority\":100,\"access\":\"Allow\","
        "\"direction\":\"Inbound\",\"protocol\":\"Sctp\",\"sourceAddressPrefix\":\"*\","
        "\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}}]}",
        "{\"securityRules\":[{\"name\":\"x\",\"properties\":{\"priority\":100,\"access\":\"Allow\","
        "\"direction\":\"Inbound\",\"protocol\":\"*\",\"sourceAddressPrefix\":\"*\","
        "\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22-\"}}]}",
    };
    for (size_t i = 0; i < COUNT_OF(ODD); i++) {
        assert_false(passes(&fixture, ODD[i], INBOUND, FAR, HERE, 22, true));
        assert_true(passes(&fixture, ODD[i], INBOUND, FAR, HERE, 22, false));
    }
    static const char *const WRONG_TYPES[] = {"[]", "null", "{\"securityRules\":{}}",
                                              "{\"securityRules\":[1,null,\"x\",[]]}",
                                              "{\"securityRules\":[{\"properties\":{\"priority\":"
                                              "\"x\",\"sourceAddressPrefixes\":[{}]}}]}"};
    for (size_t i = 0; i < COUNT_OF(WRONG_TYPES); i++)
        assert_true(passes(&fixture, WRONG_TYPES[i], OUTBOUND, HERE, FAR, 443, false));
    arena_free(&fixture.arena);
}

// ---- routes ----

static void
routes_are_chosen_as_by_hand(void **state)
{
    (void)state;
    Arena arena = {0};
    for (int round = 0; round < 2000; round++) {
        RouteTable table = {0};
        struct {
            uint32_t base, length, source;
        } plain[10];
        uint32_t count = 0;
        for (uint32_t i = pick(COUNT_OF(plain)) + 1; i; i--) {
            uint32_t length = pick(9),
                     base = length ? (pick(256) << 24) >> (32 - length) << (32 - length) : 0;
            uint32_t source = pick(3);
            bool twice = false; // one route of a source for a prefix
            for (uint32_t k = 0; k < count; k++)
                twice |=
                    plain[k].base == base && plain[k].length == length && plain[k].source == source;
            if (twice)
                continue;
            plain[count].base = base;
            plain[count].length = length;
            plain[count].source = source;
            Address low = ADDRESS_IPV4(0, 0, 0, 0) + base;
            Route route = {.prefix = range_set_of(&arena, low, low | (0xFFFFFFFFu >> length)),
                           .length = (int)length,
                           .source = (RouteSource)source,
                           .appliance = count};
            if (!length)
                route.prefix = address_ipv4();
            ARRAY_PUSH(&arena, &table, route);
            count++;
        }
        route_table_sort(&table);
        for (int i = 0; i < 50; i++) {
            uint32_t host = pick(256) << 24 | pick(1 << 24);
            int best = -1;
            for (uint32_t k = 0; k < count; k++) {
                bool holds = !plain[k].length || host >> (32 - plain[k].length) ==
                                                     plain[k].base >> (32 - plain[k].length);
                if (holds && (best < 0 || plain[k].length > plain[best].length ||
                              (plain[k].length == plain[best].length &&
                               plain[k].source < plain[best].source)))
                    best = (int)k;
            }
            const Route *route = route_find(&table, ADDRESS_IPV4(0, 0, 0, 0) + host);
            assert_int_equal(route ? (int)route->appliance : -1, best);
        }
        arena_reset(&arena);
    }
    NextHop hop;
    assert_true(next_hop_parse(STR("virtualappliance"), &hop) && hop == HOP_APPLIANCE);
    assert_false(next_hop_parse(STR("VNetPeering"), &hop)); // none that users write
    assert_string_equal(next_hop_name(HOP_GATEWAY), "VirtualNetworkGateway");
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_exact),
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(rules_let_through_what_trying_each_packet_does),
        cmocka_unit_test(ports_are_written),
        cmocka_unit_test(rules_that_cut_too_finely_say_so),
        cmocka_unit_test(groups_decide_as_trying_each_packet_does),
        cmocka_unit_test(default_rules_hold),
        cmocka_unit_test(application_groups_stand_for_their_members),
        cmocka_unit_test(service_tags_hold_their_own),
        cmocka_unit_test(rules_that_cannot_be_read_are_doubtful),
        cmocka_unit_test(routes_are_chosen_as_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
