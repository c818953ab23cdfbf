// Reading one rule; internal to src/detect.
#pragma once

#include "detect/rule.h"
#include "value/yaml.h"

// The rule in the node `outer`, a mapping: of a YAML file, or a resource of a template. The
// path is kept, not copied. False with an error that names the file, the line, the member.
bool rule_read(Arena *arena, const char *path, YamlNode *outer, AnalyticsRule *out, AzError *error);
