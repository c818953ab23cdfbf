#include "detect/entity.h"

#include "base/buffer.h"
#include "value/json.h"

// What `Type` says in an alert where it is not the name in lower case.
static const struct {
    const char *rule, *alert;
} TYPE_NAMES[] = {
    {"AzureResource", "azure-resource"},
    {"CloudApplication", "cloud-application"},
    {"RegistryKey", "registry-key"},
    {"RegistryValue", "registry-value"},
    {"SecurityGroup", "security-group"},
    {"MailMessage", "mailMessage"},
    {"MailCluster", "mailCluster"},
    {"SubmissionMail", "SubmissionMail"},
    {"DNS", "dns"},
};

void
entities_init(EntityList *list, Arena *arena)
{
    *list = (EntityList){0};
    map_init(&list->seen, arena, false);
}

static Str
alert_type(Arena *arena, Str type)
{
    for (size_t i = 0; i < COUNT_OF(TYPE_NAMES); i++)
        if (str_equal_ci(type, str_from(TYPE_NAMES[i].rule)))
            return str_from(TYPE_NAMES[i].alert);
    return str_lower(arena, type);
}

static void
add_entity(EntityList *list, AlertEntity entity)
{
    bool is_new;
    if (list->len >= ENTITIES_OF_ALERT)
        return;
    map_add(&list->seen, entity.key, &is_new);
    if (is_new)
        ARRAY_PUSH(list->seen.arena, list, entity);
}

static void
put_member(Buffer *out, Str name, Str value)
{
    if (!value.len)
        return;
    if (out->len)
        buffer_char(out, ',');
    json_write_string(out, name, false);
    buffer_char(out, ':');
    json_write_string(out, value, false);
}

// FullName is taken apart as the service does it: user@suffix, DOMAIN\user; a host's at its
// first dot. What is no such form stays a plain name.
static void
put_identifier(Buffer *out, Str type, Str identifier, Str value)
{
    if (!str_equal_ci(identifier, STR("FullName"))) {
        put_member(out, identifier, value);
        return;
    }
    bool is_account = str_equal_ci(type, STR("Account")), is_host = str_equal_ci(type, STR("Host"));
    ptrdiff_t at = is_account ? str_find(value, STR("@"))
                   : is_host  ? str_find(value, STR("."))
                              : -1;
    ptrdiff_t slash = is_account ? str_find(value, STR("\\")) : -1;
    if (at > 0) {
        put_member(out, is_host ? STR("HostName") : STR("Name"), str_slice(value, 0, (size_t)at));
        put_member(out, is_host ? STR("DnsDomain") : STR("UPNSuffix"),
                   str_slice(value, (size_t)at + 1, value.len));
    } else if (slash > 0) {
        put_member(out, STR("NTDomain"), str_slice(value, 0, (size_t)slash));
        put_member(out, STR("Name"), str_slice(value, (size_t)slash + 1, value.len));
    } else {
        put_member(out, is_host ? STR("HostName") : is_account ? STR("Name") : identifier, value);
    }
}

static void
add_mapped(EntityList *list, const RuleEntity *mapping, const RowReader *row, Buffer *text)
{
    Arena *arena = list->seen.arena;
    Arena scratch = {0};
    Str label = {0};
    buffer_clear(text);
    for (size_t f = 0; f < mapping->field_count; f++) {
        const RuleField *field = &mapping->fields[f];
        ptrdiff_t column = rows_column(row->table, str_cstr(&scratch, field->column));
        Str value = rows_text(row, column, &scratch);
        label = label.len ? label : value;
        put_identifier(text, mapping->type, field->identifier, value);
    }
    if (text->len) {
        put_member(text, STR("Type"), alert_type(&scratch, mapping->type));
        Str members = buffer_slice(text);
        Str key = str_lower(&scratch, members);
        if (!map_find(&list->seen, key))
            add_entity(list, (AlertEntity){str_copy(arena, mapping->type), str_copy(arena, key),
                                           str_copy(arena, members), str_copy(arena, label)});
    }
    arena_free(&scratch);
}

// An entity of a column that holds entities already: an object as it stands.
static bool
add_whole(void *context, Str raw)
{
    EntityList *list = context;
    Arena *arena = list->seen.arena;
    raw = str_trim(raw);
    if (raw.len < 2 || raw.ptr[0] != '{')
        return true;
    Str members = str_trim(str_slice(raw, 1, raw.len - 1));
    if (members.len)
        add_entity(list, (AlertEntity){STR(""), str_lower(arena, members), str_copy(arena, members),
                                       STR("")});
    return true;
}

static void
add_column(EntityList *list, const AnalyticsRule *rule, const RowReader *row)
{
    Arena scratch = {0};
    ptrdiff_t column = rows_column(row->table, str_cstr(&scratch, rule->entities_column));
    Str text = str_trim(rows_text(row, column, &scratch));
    if (text.len && text.ptr[0] == '[') {
        JsonParser *parser = json_parser_new();
        bool is_page;
        const char *why = NULL;
        size_t offset;
        // A text that is no JSON names no entity.
        json_split_array(parser, text, add_whole, list, &is_page, &why, &offset);
        json_parser_free(parser);
    }
    arena_free(&scratch);
}

void
entities_add_row(EntityList *list, const AnalyticsRule *rule, const RowReader *row)
{
    Buffer text = {0};
    for (size_t i = 0; i < rule->entity_count && list->len < ENTITIES_OF_ALERT; i++)
        add_mapped(list, &rule->entities[i], row, &text);
    buffer_free(&text);
    if (rule->entities_column.len && list->len < ENTITIES_OF_ALERT)
        add_column(list, rule, row);
}

Str
entities_json(Arena *arena, const EntityList *list)
{
    Buffer out = {0};
    buffer_char(&out, '[');
    for (size_t i = 0; i < list->len; i++) {
        Str members = list->items[i].members;
        if (i)
            buffer_char(&out, ',');
        // Entities that were entities before bear an id of their own.
        if (str_find(members, STR("\"$id\"")) < 0)
            buffer_printf(&out, "{\"$id\":\"%zu\",", i + 1);
        else
            buffer_char(&out, '{');
        buffer_str(&out, members);
        buffer_char(&out, '}');
    }
    buffer_char(&out, ']');
    Str copy = str_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return copy;
}
