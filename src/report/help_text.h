// Help as text for a terminal.
#pragma once

#include "db/help.h"
#include "report/result.h"

// One topic with signatures, columns and examples; those of operators are run.
void help_write_topic(Buffer *out, Database *db, const Topic *topic, const ResultStyle *style);
// What there is help on; tables are counted, not named.
void help_write_list(Buffer *out, Database *db, uint32_t width);
// The names of all topics of one kind.
void help_write_names(Buffer *out, Database *db, TopicKind kind, uint32_t width);
// The kind that a word such as "operators" or "tables" asks for; TOPIC_KINDS when none.
TopicKind help_kind_of_word(Str word);

// Names side by side in columns that fit `width` (0 = 80), read downwards.
void text_columns(Buffer *out, const Str *names, size_t count, uint32_t width, const char *indent);
