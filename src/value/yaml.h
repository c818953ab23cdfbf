// YAML documents, read-only: a thin cover over libfyaml with line numbers in errors.
#pragma once

#include "base/buffer.h"
#include "base/error.h"

typedef struct YamlDoc YamlDoc;
typedef struct fy_node YamlNode; // NULL = absent

// NULL with an error that names the file, line and column.
YamlDoc *yaml_load(const char *path, AzError *error);
void yaml_free(YamlDoc *doc);
YamlNode *yaml_root(YamlDoc *doc);

YamlNode *yaml_get(YamlNode *map, const char *key); // member of a mapping
bool yaml_is_map(YamlNode *node);
bool yaml_is_list(YamlNode *node);
size_t yaml_count(YamlNode *node);                 // items of a list, members of a mapping
YamlNode *yaml_item(YamlNode *list, size_t index); // of a list
YamlNode *yaml_key_at(YamlNode *map, size_t index);
YamlNode *yaml_value_at(YamlNode *map, size_t index);

// The scalar's text, copied; empty when the node is absent or no scalar.
Str yaml_text(Arena *arena, YamlNode *node);
// A list of scalars (a lone scalar is a list of one).
Str *yaml_texts(Arena *arena, YamlNode *node, size_t *count);
uint32_t yaml_line(YamlNode *node); // from 1; 0 when unknown

// The node as JSON: plain scalars by YAML's core schema (null, true, 12, 1.5), quoted
// ones as strings.
void yaml_to_json(Buffer *out, YamlNode *node);
