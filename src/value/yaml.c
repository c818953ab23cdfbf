#include "value/yaml.h"

#include "value/json.h"
#include "value/scalar.h"

#include <libfyaml.h>

struct YamlDoc {
    struct fy_document *document;
    struct fy_diag *diag;
};

static void
report_diag(struct fy_diag *diag, const char *path, AzError *error)
{
    void *iterator = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iterator);
    if (first)
        error_set(error, AZ_INVALID, "%s:%d:%d: %s", path, first->line, first->column, first->msg);
    else
        error_set(error, AZ_INVALID, "%s: not a YAML document, or it cannot be read", path);
}

YamlDoc *
yaml_load(const char *path, AzError *error)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = NULL;
    diag_cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    if (!diag) {
        error_set(error, AZ_LIMIT, "%s: out of memory", path);
        return NULL;
    }
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_RESOLVE_DOCUMENT, .diag = diag};
    struct fy_document *document = fy_document_build_from_file(&cfg, path);
    if (!document) {
        report_diag(diag, path, error);
        fy_diag_destroy(diag);
        return NULL;
    }
    YamlDoc *doc = calloc(1, sizeof(*doc));
    if (!doc) {
        fy_document_destroy(document);
        fy_diag_destroy(diag);
        error_set(error, AZ_LIMIT, "%s: out of memory", path);
        return NULL;
    }
    doc->document = document;
    doc->diag = diag;
    return doc;
}

void
yaml_free(YamlDoc *doc)
{
    if (!doc)
        return;
    fy_document_destroy(doc->document);
    fy_diag_destroy(doc->diag);
    free(doc);
}

YamlNode *
yaml_root(YamlDoc *doc)
{
    return fy_document_root(doc->document);
}

bool
yaml_is_map(YamlNode *node)
{
    return node && fy_node_is_mapping(node);
}

bool
yaml_is_list(YamlNode *node)
{
    return node && fy_node_is_sequence(node);
}

YamlNode *
yaml_get(YamlNode *map, const char *key)
{
    return yaml_is_map(map) ? fy_node_mapping_lookup_value_by_simple_key(map, key, FY_NT) : NULL;
}

size_t
yaml_count(YamlNode *node)
{
    int count = 0;
    if (yaml_is_list(node))
        count = fy_node_sequence_item_count(node);
    else if (yaml_is_map(node))
        count = fy_node_mapping_item_count(node);
    return count > 0 ? (size_t)count : 0;
}

YamlNode *
yaml_item(YamlNode *list, size_t index)
{
    return yaml_is_list(list) ? fy_node_sequence_get_by_index(list, (int)index) : NULL;
}

YamlNode *
yaml_key_at(YamlNode *map, size_t index)
{
    struct fy_node_pair *pair = fy_node_mapping_get_by_index(map, (int)index);
    return pair ? fy_node_pair_key(pair) : NULL;
}

YamlNode *
yaml_value_at(YamlNode *map, size_t index)
{
    struct fy_node_pair *pair = fy_node_mapping_get_by_index(map, (int)index);
    return pair ? fy_node_pair_value(pair) : NULL;
}

// A view of the scalar's text; empty when there is none.
static Str
scalar_view(YamlNode *node)
{
    size_t len = 0;
    const char *text = node && fy_node_is_scalar(node) ? fy_node_get_scalar(node, &len) : NULL;
    return (Str){text ? text : "", text ? len : 0};
}

Str
yaml_text(Arena *arena, YamlNode *node)
{
    return str_copy(arena, scalar_view(node));
}

Str *
yaml_texts(Arena *arena, YamlNode *node, size_t *count)
{
    if (!yaml_is_list(node)) {
        *count = node && fy_node_is_scalar(node) ? 1 : 0;
        Str *one = ARENA_ARRAY(arena, Str, 1);
        one[0] = yaml_text(arena, node);
        return one;
    }
    *count = yaml_count(node);
    Str *texts = ARENA_ARRAY(arena, Str, *count);
    for (size_t i = 0; i < *count; i++)
        texts[i] = yaml_text(arena, yaml_item(node, i));
    return texts;
}

uint32_t
yaml_line(YamlNode *node)
{
    struct fy_token *token =
        node && fy_node_is_scalar(node) ? fy_node_get_scalar_token(node) : NULL;
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    return mark ? (uint32_t)mark->line + 1 : 0;
}

static void
scalar_to_json(Buffer *out, YamlNode *node)
{
    Str text = scalar_view(node);
    bool plain = fy_node_get_style(node) == FYNS_PLAIN;
    double number;
    if (plain && (text.len == 0 || str_equal(text, STR("~")) || str_equal_ci(text, STR("null"))))
        buffer_text(out, "null");
    else if (plain && (str_equal_ci(text, STR("true")) || str_equal_ci(text, STR("false"))))
        buffer_text(out, str_equal_ci(text, STR("true")) ? "true" : "false");
    else if (plain && (text.ptr[0] == '-' || (text.ptr[0] >= '0' && text.ptr[0] <= '9')) &&
             str_find(text, STR(":")) < 0 && real_parse(text, &number) &&
             !(text.len > 1 && text.ptr[0] == '0' && text.ptr[1] != '.'))
        buffer_str(out, text);
    else
        json_write_string(out, text, false);
}

void
yaml_to_json(Buffer *out, YamlNode *node)
{
    if (yaml_is_list(node)) {
        buffer_char(out, '[');
        for (size_t i = 0; i < yaml_count(node); i++) {
            if (i)
                buffer_char(out, ',');
            yaml_to_json(out, yaml_item(node, i));
        }
        buffer_char(out, ']');
    } else if (yaml_is_map(node)) {
        buffer_char(out, '{');
        for (size_t i = 0; i < yaml_count(node); i++) {
            if (i)
                buffer_char(out, ',');
            json_write_string(out, scalar_view(yaml_key_at(node, i)), false);
            buffer_char(out, ':');
            yaml_to_json(out, yaml_value_at(node, i));
        }
        buffer_char(out, '}');
    } else if (node) {
        scalar_to_json(out, node);
    } else {
        buffer_text(out, "null");
    }
}
