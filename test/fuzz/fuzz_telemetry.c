// Fuzz target: a JSON document as a record of a log. Checks that every row has the name of a
// table, and every cell a value and a name of its own, so that none covers another.

#include "telemetry/formats.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "fuzz_telemetry: %s does not hold\n", #condition);                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static Telemetry *telemetry;

static bool
check_row(void *context, const LogRow *row)
{
    size_t *rows = context;
    CHECK(row->table.len && row->format.len);
    for (size_t i = 0; i < row->count; i++) {
        const JsonMember *cell = &row->cells[i];
        CHECK(cell->kind != DYN_NULL);
        if (cell->kind == DYN_ARRAY || cell->kind == DYN_BAG)
            CHECK(dyn_check(cell->tree.ptr, cell->tree.size));
        for (size_t k = 0; k < i; k++)
            CHECK(!str_equal(cell->key, row->cells[k].key));
    }
    ++*rows;
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static LogScratch scratch;
    static JsonParser *parser;
    static DynBuilder *builder;
    static Arena arena;
    AzError error = {0};
    if (!telemetry) {
        Content *content = content_open(NULL, &error);
        telemetry = content ? telemetry_open(content, &error) : NULL;
        if (!telemetry)
            fprintf(stderr, "fuzz_telemetry: %s (set AZIMUTH_CONTENT)\n", error.message);
        CHECK(telemetry);
        scratch = (LogScratch){&arena, dyn_builder_new(), json_parser_new()};
        parser = json_parser_new();
        builder = dyn_builder_new();
    }
    const char *why;
    size_t offset, rows = 0;
    Dyn tree;
    arena_reset(&arena);
    dyn_builder_reset(builder);
    if (!size ||
        !json_to_dynamic(parser, (Str){(const char *)data, size}, builder, &why, &offset) ||
        !dyn_finish(builder, &tree, &why) || dyn_kind(tree) != DYN_BAG)
        return 0;
    LogMapper mapper = telemetry_mapper(telemetry);
    const LogSource source = {STR("fuzz.json"), data[size - 1] == ' '};
    CHECK(mapper.map(mapper.context, &source, tree, &scratch, check_row, &rows));
    return 0;
}
