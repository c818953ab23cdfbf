// Patterns: what autocluster, basket and diffpatterns share.
//
// A pattern fixes the value of some columns and leaves the others open (wildcards). The
// input is kept as a matrix of codes, one row for each different combination of values,
// with the weight of the rows that have it; weights are kept for two sets, of which
// diffpatterns compares one with the other and the others use the first.
//
// A pattern is closed when every further column that has one value in all its rows is
// fixed too; of the patterns that mean the same rows the closed one says most, and only
// closed ones are looked at. (The examples of the documentation show closed patterns.)
#pragma once

#include "exec/plugin.h"

enum { PATTERN_SETS = 2, PATTERNS_MAX = 10000 };

typedef struct PatternTable {
    PluginRun *run;
    Arena *arena;
    const Batch *input; // all columns of the table
    bool *usable;       // by column: takes part in patterns
    uint32_t usable_count;
    uint32_t **codes;     // [column][combination]
    uint32_t *code_count; // by column
    uint32_t **code_rows; // [column][code]: a row of the input
    uint32_t rows;        // combinations
    double *weights[PATTERN_SETS];
    double total[PATTERN_SETS];
} PatternTable;

typedef struct Pattern {
    uint32_t *values; // by column: code + 1; 0: open
    uint32_t items;   // columns that are fixed
    uint32_t level;   // values it takes to mean these rows ("uncorrelated dimensions")
    double weight[PATTERN_SETS];
    double score; // of the plugin
    size_t order; // in which it was found, for ties
} Pattern;

typedef struct PatternList {
    Pattern *items;
    size_t len, cap;
} PatternList;

// Reads the input. `weight` (may be NULL) is a numeric column; `set_of` tells the set of a
// row, PATTERN_SETS: none. Columns marked in `left_out` take no part.
bool patterns_read(PluginRun *run, const PluginArg *weight, const bool *left_out,
                   uint32_t (*set_of)(void *context, uint32_t row), void *context,
                   const Batch *input, PatternTable *out);

// Finds the closed patterns whose weights `keep` accepts (and of which every part is
// accepted), made of at most `level_most` uncorrelated values; at most PATTERNS_MAX of them,
// those of few values first.
bool patterns_search(PatternTable *table, bool (*keep)(void *context, const double *weight),
                     void *context, uint32_t level_most, PatternList *out);

// Rows of the pattern, of `rows[0..count)`; how many.
uint32_t pattern_rows(const PatternTable *table, const Pattern *pattern, uint32_t *rows);
// Sets weights and items of the pattern by its values.
void pattern_weigh(const PatternTable *table, Pattern *pattern);
// Whether every value that `general` fixes is fixed in `special` too.
bool pattern_contains(const PatternTable *table, const Pattern *general, const Pattern *special);
// By score, greatest first, then in the order they were found.
void patterns_sort(PatternList *list);
// Writes the cells of a pattern's columns: values, or the wildcard for the type.
void pattern_write(const PatternTable *table, RowWriter *writer, const Pattern *pattern,
                   const PluginArgs *wildcards, const bool *hidden);

// The schema: the given columns, then the input's but those hidden.
void patterns_schema(PluginBind *bind, const Column *columns, size_t count, const bool *hidden);
// A ratio argument between `least` and `most`; `fallback` when it is absent.
bool patterns_ratio(PluginRun *run, uint32_t param, double least, double most, double fallback,
                    double *out);
// A whole number of at least 1; `fallback` when it is absent.
bool patterns_number(PluginRun *run, uint32_t param, uint32_t fallback, uint32_t *out);
