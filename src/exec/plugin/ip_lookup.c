// ipv4_lookup, ipv6_lookup: rows joined with a table of networks.
//
// An address belongs to a network as ipv4_is_match() says: both are cut to the shorter of
// the two prefixes and compared. The table's networks are hashed by their length and
// bits, so that an address asks once for each length there is. Where the address itself
// has a prefix shorter than a network's, the networks of that length are gone through.

#include "base/array.h"
#include "base/map.h"
#include "exec/plugin/lookup.h"
#include "function/ip.h"

enum { PARAM_TABLE, PARAM_SOURCE, PARAM_NETWORK, PARAM_EXTRA, PARAM_UNMATCHED };

// A hash key: the length in front of the bits.
typedef struct NetworkKey {
    uint8_t bits, bytes[16];
} NetworkKey;

typedef struct Networks {
    bool (*read)(Str text, Ip *ip);
    Ip *networks;       // of each row of the table
    bool *valid;        // whether the row's text is one
    Map rows;           // NetworkKey -> its last row + 1
    uint32_t *previous; // the row before of the same network + 1; 0: none
    uint32_t *of_length[IP_BITS + 1];
    uint32_t length_count[IP_BITS + 1];
} Networks;

static NetworkKey
network_key(const Ip *ip)
{
    NetworkKey key = {.bits = (uint8_t)ip->bits};
    memcpy(key.bytes, ip->bytes, sizeof(key.bytes));
    return key;
}

static int
row_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void
add_shorter(const Networks *networks, const Ip *ip, int length, RowList *hits)
{
    for (uint32_t i = 0; i < networks->length_count[length]; i++) {
        uint32_t row = networks->of_length[length][i];
        Ip cut = networks->networks[row];
        ip_mask(&cut, ip->bits);
        if (memcmp(cut.bytes, ip->bytes, sizeof(cut.bytes)) == 0)
            ARRAY_PUSH(hits->arena, hits, row);
    }
}

static void
match_networks(const Lookup *lookup, const Vector *const *values, uint32_t row, RowList *hits)
{
    const Networks *networks = lookup->state;
    Ip ip;
    if (!networks->read(text_str(vector_cell(values[0], row)), &ip))
        return;
    for (int length = 0; length <= IP_BITS; length++) {
        if (!networks->length_count[length])
            continue;
        if (length > ip.bits) {
            add_shorter(networks, &ip, length, hits);
            continue;
        }
        Ip cut = ip;
        ip_mask(&cut, length);
        NetworkKey key = network_key(&cut);
        const MapEntry *entry = map_find(&networks->rows, (Str){(const char *)&key, sizeof(key)});
        for (uint64_t at = entry ? entry->number : 0; at; at = networks->previous[at - 1])
            ARRAY_PUSH(hits->arena, hits, (uint32_t)(at - 1));
    }
    if (hits->len > 1)
        qsort(hits->items, hits->len, sizeof(*hits->items), row_order);
}

static bool
read_networks(PluginRun *run, const Lookup *lookup, uint32_t column, Networks *out)
{
    Worker *worker = &run->exec->workers[0];
    Arena *arena = &worker->keep;
    uint32_t rows = lookup->table_rows;
    const Vector *texts = lookup->table->columns[column];
    out->networks = ARENA_ARRAY(arena, Ip, rows + 1);
    out->valid = ARENA_ARRAY(arena, bool, rows + 1);
    out->previous = ARENA_ARRAY(arena, uint32_t, rows + 1);
    map_init(&out->rows, arena, false);
    NetworkKey *keys = ARENA_ARRAY(arena, NetworkKey, rows + 1);
    for (uint32_t i = 0; i < rows; i++) {
        out->valid[i] = out->read(text_str(vector_cell(texts, i)), &out->networks[i]);
        if (!out->valid[i])
            continue;
        keys[i] = network_key(&out->networks[i]);
        MapEntry *entry = map_add(&out->rows, (Str){(const char *)&keys[i], sizeof(keys[i])}, NULL);
        out->previous[i] = (uint32_t)entry->number;
        entry->number = i + 1;
        out->length_count[out->networks[i].bits]++;
    }
    for (int length = 0; length <= IP_BITS; length++) {
        out->of_length[length] = ARENA_ARRAY(arena, uint32_t, out->length_count[length] + 1);
        out->length_count[length] = 0;
    }
    for (uint32_t i = 0; i < rows; i++) {
        int length = out->networks[i].bits;
        if (out->valid[i])
            out->of_length[length][out->length_count[length]++] = i;
    }
    return worker_charge(worker, "the lookup table") || exec_first_error(run->exec, run->error);
}

static bool
ip_lookup_bind(PluginBind *bind)
{
    const PluginCall *call = bind->call;
    const PluginArgs *extra =
        call->plugin->param_count > PARAM_UNMATCHED ? &call->args[PARAM_EXTRA] : NULL;
    return lookup_bind(bind, plugin_arg(call, PARAM_TABLE)->table, NULL, extra);
}

static bool
ip_lookup_build(PluginRun *run, Pipeline *out, bool (*read)(Str text, Ip *ip))
{
    const PluginCall *call = run->call;
    Lookup *lookup = ARENA_NEW(run->exec->arena, Lookup);
    Networks *networks = ARENA_NEW(run->exec->arena, Networks);
    const Expr *network = plugin_arg(call, PARAM_NETWORK)->expr;
    Value unmatched;
    if (!plugin_value(run, call->plugin->param_count - 1, TYPE_BOOL, &unmatched) ||
        !lookup_read(run, lookup, plugin_arg(call, PARAM_TABLE)->table))
        return false;
    networks->read = read;
    lookup->keep_unmatched = !unmatched.is_null && unmatched.boolean;
    lookup->exprs = ARENA_ARRAY(run->exec->arena, Expr *, 1);
    lookup->exprs[0] = plugin_arg(call, PARAM_SOURCE)->expr;
    lookup->expr_count = 1;
    lookup->match = match_networks;
    lookup->state = networks;
    if (network->kind == EXPR_COLUMN && !read_networks(run, lookup, network->column, networks))
        return false;
    return lookup_build(run, lookup, out);
}

static bool
ipv4_lookup_build(PluginRun *run, Pipeline *out)
{
    return ip_lookup_build(run, out, ip_read_v4);
}

static bool
ipv6_lookup_build(PluginRun *run, Pipeline *out)
{
    return ip_lookup_build(run, out, ip_read_v6);
}

static const PluginImpl IPV4 = {.bind = ip_lookup_bind, .build = ipv4_lookup_build};
static const PluginImpl IPV6 = {.bind = ip_lookup_bind, .build = ipv6_lookup_build};

#define TABLE_PARAM                                                                                \
    {                                                                                              \
        "lookup_table", PLUGIN_TABLE, NULL, 0                                                      \
    }
#define SOURCE_PARAM                                                                               \
    {                                                                                              \
        "source_key", PLUGIN_COLUMN, "string", 0                                                   \
    }
#define NETWORK_PARAM                                                                              \
    {                                                                                              \
        "lookup_key", PLUGIN_TABLE_COLUMN, "string", 0                                             \
    }
#define UNMATCHED                                                                                  \
    {                                                                                              \
        "return_unmatched", PLUGIN_CONSTANT, "bool", PLUGIN_OPTIONAL                               \
    }

static const PluginParam IPV4_PARAMS[] = {
    [PARAM_TABLE] = TABLE_PARAM,
    [PARAM_SOURCE] = SOURCE_PARAM,
    [PARAM_NETWORK] = NETWORK_PARAM,
    [PARAM_EXTRA] = {"extra_key", PLUGIN_COLUMN, NULL, PLUGIN_OPTIONAL | PLUGIN_REPEATED},
    [PARAM_UNMATCHED] = UNMATCHED,
};
static const PluginParam IPV6_PARAMS[] = {TABLE_PARAM, SOURCE_PARAM, NETWORK_PARAM, UNMATCHED};

static const PluginDef ROWS[] = {
    {.name = "ipv4_lookup",
     .doc = "Joins rows with the networks of a table that their IPv4 address belongs to.",
     .params = IPV4_PARAMS,
     .param_count = COUNT_OF(IPV4_PARAMS),
     .impl = &IPV4},
    {.name = "ipv6_lookup",
     .doc = "Joins rows with the networks of a table that their IPv4 or IPv6 address belongs to.",
     .params = IPV6_PARAMS,
     .param_count = COUNT_OF(IPV6_PARAMS),
     .impl = &IPV6},
};

const PluginSet IP_LOOKUP_PLUGINS = {ROWS, COUNT_OF(ROWS)};
