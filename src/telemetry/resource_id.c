// Resource ids as logs write them: any case, /subscriptions/... or /tenants/ID/providers/P.
// Source: Azure Monitor, "Resource logs: common and service-specific schema" (resourceId).

#include "telemetry/value.h"

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

// What follows the provider: type/name pairs.
static void
parse_types(Arena *arena, Str id, size_t at, ResourceId *out)
{
    Buffer types = {0};
    Str type, name;
    for (size_t pairs = 0; pairs < 16 && next_segment(id, &at, &type); pairs++) {
        if (str_equal_ci(type, STR("providers"))) { // of an extension resource
            buffer_clear(&types);
            if (!next_segment(id, &at, &out->provider))
                break;
            continue;
        }
        if (types.len)
            buffer_char(&types, '/');
        buffer_str(&types, type);
        if (next_segment(id, &at, &name))
            out->name = name;
    }
    out->type = str_copy(arena, buffer_slice(&types));
    buffer_free(&types);
}

ResourceId
resource_id_parse(Arena *arena, Str id)
{
    ResourceId out = {0};
    Str segment, value;
    size_t at = 0;
    while (next_segment(id, &at, &segment) && next_segment(id, &at, &value)) {
        if (str_equal_ci(segment, STR("subscriptions"))) {
            out.subscription = value;
        } else if (str_equal_ci(segment, STR("resourceGroups"))) {
            out.group = value;
        } else if (str_equal_ci(segment, STR("providers"))) {
            out.provider = value;
            parse_types(arena, id, at, &out);
            break;
        }
    }
    if (out.provider.len && out.type.len)
        out.full_type = str_lower(
            arena, str_format(arena, "%.*s/%.*s", STR_ARG(out.provider), STR_ARG(out.type)));
    else
        out.full_type = str_lower(arena, out.provider);
    return out;
}
