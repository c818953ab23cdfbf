#include "report/exposure_report.h"

#include "report/json_parts.h"

static void
put_line(const TreeText *text, const char *label, Str words)
{
    enum { INDENT = 17, LEAST = 30 };
    if (!words.len)
        return;
    buffer_printf(text->out, "%-9s  ", label);
    Str clean = text_clean(text->arena, words);
    if (text->style->width >= INDENT + LEAST)
        text_put_middle(text->out, clean, text->style->width - INDENT);
    else
        buffer_str(text->out, clean);
    buffer_char(text->out, '\n');
}

static const char *
reach_color(Reach reach)
{
    static const char *const COLORS[] = {
        [REACH_CLOSED] = "32", [REACH_UNKNOWN] = "33", [REACH_OPEN] = "1;31"};
    return COLORS[reach];
}

static void
put_hop(const TreeText *text, const NetResource *target, const Hop *hop, bool is_last)
{
    static const char *const MARKS[] = {[HOP_PASSES] = "✓", [HOP_UNSURE] = "?", [HOP_STOPS] = "✗"};
    static const char *const COLORS[] = {
        [HOP_PASSES] = "0", [HOP_UNSURE] = "33", [HOP_STOPS] = "32"};
    bool note = hop->kind == STEP_NOTE || hop->kind == STEP_SOURCE;
    buffer_printf(text->out, "  %s ", is_last ? "└─" : "├─");
    tree_paint(text, COLORS[hop->state]);
    buffer_printf(text->out, "%s ", note ? "·" : MARKS[hop->state]);
    tree_paint(text, "0");
    put_line(text, hop_kind_name(hop->kind), hop->text.len ? hop->text : hop->object);
    if (!hop->text.len || !hop->object.len || str_equal_ci(hop->object, target->id))
        return;
    tree_paint(text, "2");
    buffer_printf(text->out, "  %s   ", is_last ? "  " : "│ ");
    put_line(text, "", hop->object);
    tree_paint(text, "0");
}

// What exposures and outbounds have in common.
typedef struct Told {
    Str class, name, ports, because, reason, dns;
    Reach reach;
    const Hop *hops;
    size_t hop_count;
} Told;

static void
put_told(const TreeText *text, const NetResource *target, const Told *told)
{
    buffer_char(text->out, '\n');
    tree_paint(text, reach_color(told->reach));
    buffer_text(text->out, reach_name(told->reach));
    tree_paint(text, "0");
    buffer_text(text->out, "  ");
    tree_paint(text, "1");
    buffer_str(text->out, told->class);
    tree_paint(text, "0");
    buffer_text(text->out, ": ");
    tree_put(text, told->name);
    if (told->ports.len && told->reach != REACH_CLOSED) {
        buffer_text(text->out, ", ");
        tree_put(text, told->ports);
    }
    buffer_char(text->out, '\n');
    for (size_t h = 0; h < told->hop_count; h++)
        put_hop(text, target, &told->hops[h], h + 1 == told->hop_count);
    static const char *const LABELS[] = {"because", "unknown", "dns"};
    const Str words[] = {told->because, told->reason, told->dns};
    for (size_t i = 0; i < 3; i++) {
        // What the hops have said already is not said again: all but why nobody knows.
        if (!words[i].len || (i != 1 && told->hop_count))
            continue;
        buffer_text(text->out, "     ");
        put_line(text, LABELS[i], words[i]);
    }
}

static void
put_heading(const TreeText *text, const char *words)
{
    buffer_char(text->out, '\n');
    tree_paint(text, "1");
    buffer_text(text->out, words);
    tree_paint(text, "0");
    buffer_char(text->out, '\n');
}

static void
put_inbound(const TreeText *text, const NetResource *target, const ExposureList *list)
{
    for (size_t e = 0; e < list->len; e++) {
        const Exposure *exposure = &list->items[e];
        Told told = {
            .class = str_from(source_class_name(exposure->source)),
            .name = exposure->source_name,
            .ports = exposure->ports,
            .because = exposure->because,
            .reason = exposure->reason,
            .dns = exposure->dns,
            .reach = exposure->reach,
            .hops = exposure->hops,
            .hop_count = exposure->hop_count,
        };
        put_told(text, target, &told);
    }
    if (!list->len)
        buffer_text(text->out, "\nNothing of that kind reaches it.\n");
}

static void
put_outbound(const TreeText *text, const NetResource *target, const OutboundList *list)
{
    for (size_t o = 0; o < list->len; o++) {
        const Outbound *outbound = &list->items[o];
        Told told = {
            .class = str_from(destination_class_name(outbound->destination)),
            .name = outbound->name,
            .ports = outbound->ports,
            .because = outbound->because,
            .reason = str_equal(outbound->reason, outbound->because) ? STR("") : outbound->reason,
            .reach = outbound->reach,
            .hops = outbound->hops,
            .hop_count = outbound->hop_count,
        };
        put_told(text, target, &told);
    }
    if (!list->len)
        buffer_text(text->out, "\nIt reaches nothing of that kind.\n");
}

void
exposure_report_text(Buffer *out, const NetResource *target, const ExposureList *list,
                     const OutboundList *outbound, const TreeStyle *style)
{
    Arena arena = {0};
    TreeText text = {out, &arena, style};
    tree_paint(&text, "1");
    tree_put(&text, target->name);
    tree_paint(&text, "0");
    buffer_text(out, "  ");
    tree_put(&text, target->type);
    buffer_char(out, '\n');
    tree_paint(&text, "2");
    tree_put(&text, target->id);
    tree_paint(&text, "0");
    buffer_char(out, '\n');
    if (list)
        put_inbound(&text, target, list);
    if (outbound) {
        put_heading(&text, "What it reaches outside");
        put_outbound(&text, target, outbound);
    }
    arena_free(&arena);
}

static void
json_hops(JsonOut *json, const Hop *hops, size_t count)
{
    json_key(json, "hops");
    json_open(json, '[');
    for (size_t h = 0; h < count; h++) {
        const Hop *hop = &hops[h];
        json_item(json);
        json_open(json, '{');
        json_member_string(json, "kind", str_from(hop_kind_name(hop->kind)));
        json_member_string(json, "state", str_from(hop_state_name(hop->state)));
        json_member_text(json, "object", hop->object);
        json_member_string(json, "text", hop->text);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void
json_exposure(JsonOut *json, const Exposure *exposure)
{
    json_item(json);
    json_open(json, '{');
    json_member_string(json, "source", str_from(source_class_name(exposure->source)));
    json_member_text(json, "sourceId", exposure->source_id);
    json_member_string(json, "from", exposure->source_name);
    json_member_string(json, "verdict", str_from(reach_name(exposure->reach)));
    json_member_text(json, "ports", exposure->ports);
    json_member_text(json, "via", exposure->via);
    json_member_text(json, "because", exposure->because);
    json_member_text(json, "reason", exposure->reason);
    json_member_text(json, "dns", exposure->dns);
    json_hops(json, exposure->hops, exposure->hop_count);
    json_close(json, '}');
}

static void
json_outbound(JsonOut *json, const Outbound *outbound)
{
    json_item(json);
    json_open(json, '{');
    json_member_string(json, "destination",
                       str_from(destination_class_name(outbound->destination)));
    json_member_string(json, "to", outbound->name);
    json_member_string(json, "verdict", str_from(reach_name(outbound->reach)));
    json_member_text(json, "ports", outbound->ports);
    json_member_text(json, "subnetId", outbound->subnet_id);
    json_member_text(json, "via", outbound->via);
    json_member_text(json, "because", outbound->because);
    json_member_text(json, "reason", outbound->reason);
    json_hops(json, outbound->hops, outbound->hop_count);
    json_close(json, '}');
}

void
exposure_report_json(Buffer *out, const NetResource *target, const ExposureList *list,
                     const OutboundList *outbound)
{
    JsonOut json = {.out = out};
    json_open(&json, '{');
    json_key(&json, "target");
    json_open(&json, '{');
    json_member_string(&json, "id", target->id);
    json_member_string(&json, "name", target->name);
    json_member_string(&json, "type", target->type);
    json_close(&json, '}');
    if (list) {
        json_key(&json, "exposures");
        json_open(&json, '[');
        for (size_t e = 0; e < list->len; e++)
            json_exposure(&json, &list->items[e]);
        json_close(&json, ']');
    }
    if (outbound) {
        json_key(&json, "outbound");
        json_open(&json, '[');
        for (size_t o = 0; o < outbound->len; o++)
            json_outbound(&json, &outbound->items[o]);
        json_close(&json, ']');
    }
    json_close(&json, '}');
    buffer_char(out, '\n');
    json_out_free(&json);
}
