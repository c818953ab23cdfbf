// Help: everything the language knows by name, gathered from the rows that the parser,
// the registry and the content already have. The help command, the reference pages and
// completion read topics; none of them keeps a list of its own.
#pragma once

#include "db/db.h"

typedef enum TopicKind {
    TOPIC_STATEMENT,
    TOPIC_OPERATOR,   // tabular, sources included
    TOPIC_EXPRESSION, // has, in, + ...
    TOPIC_SCALAR,
    TOPIC_AGGREGATE,
    TOPIC_WINDOW,
    TOPIC_PLUGIN,
    TOPIC_KQL_FUNCTION, // content/functions
    TOPIC_COMPUTED,     // computed tables
    TOPIC_TABLE,
    TOPIC_KINDS,
} TopicKind;

typedef struct TopicText {
    Str *items;
    size_t len, cap;
} TopicText;

typedef struct Topic {
    TopicKind kind;
    Str name;
    Str aliases; // separated by blanks
    Str group;   // family of a function, folder of a KQL function, source of a table
    Str doc;     // one sentence; of a table the comment in its schema
    Str options; // of an operator: "kind=inner|leftouter withsource="
    // As one writes it: "strlen(text:string) : long", "T | take COUNT"; one an overload.
    TopicText signatures;
    TopicText examples; // bool expressions that are true
    TopicText queries;  // whole queries, whose answer is worth seeing
    bool has_columns;   // of a table
    Schema columns;
} Topic;

typedef struct TopicList {
    Topic **items;
    size_t len, cap;
} TopicList;

// All topics of a kind in a reader's order: rows of operators as they stand, the rest by
// name. Columns of tables are read only with `columns`. All in `arena`.
TopicList help_topics(Database *db, Arena *arena, TopicKind kind, bool columns);

// The topics called `name`: several when an operator and a function share it. By alias
// too; without regard to case when nothing is written exactly so. Tables have columns.
TopicList help_find(Database *db, Arena *arena, Str name);
// The nearest name there is; empty when none is near.
Str help_nearest(Database *db, Arena *arena, Str name);

// "statement", "operator", "aggregate" ..., for headings.
const char *topic_kind_name(TopicKind kind);

// Runs one of `queries`. NULL with an error; AZ_UNSUPPORTED when the
// engine does not run it yet.
QueryResult *help_run_example(Database *db, Arena *arena, Str example, AzError *error);
