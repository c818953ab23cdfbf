// Cases of Azure Policy against the engine.
//
//     policy_cases FILE...
//     policy_cases --compile DEFINITIONS...
//
// One JSON object a line: {id, level, ..., expect}; levels and members are described where
// the cases are. Catalogues of aliases that cases name are looked for beside the file
// (cases-aliases.json.gz). Cases marked `disputed` are run and counted apart. Prints each
// failure and a closing line "N passed, N failed"; exit status 1 when one failed. With --compile
// the files hold definitions, one a line: each is compiled and evaluated on an empty resource of
// every type of the alias table that it may apply to.

#include "policy_cases.h"

#include "base/clock.h"
#include "value/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

Dyn
case_member(Dyn node, const char *name)
{
    return dyn_get(node, str_from(name));
}

Str
case_text(Dyn node, const char *name)
{
    Dyn found = case_member(node, name);
    return dyn_kind(found) == DYN_STRING ? dyn_string(found) : (Str){0};
}

// Aliases -------------------------------------------------------------------

static void
add_alias(AliasTable *table, const AliasType *type, Dyn json)
{
    Buffer versions = {0};
    Dyn paths = case_member(json, "paths");
    for (uint32_t i = 0; i < dyn_count(paths); i++) {
        Dyn apis = case_member(dyn_at(paths, i), "apiVersions");
        Str path = case_text(dyn_at(paths, i), "path");
        buffer_printf(&versions, "%s%.*s@", i ? ";" : "", STR_ARG(path));
        for (uint32_t k = 0; k < dyn_count(apis); k++)
            buffer_printf(&versions, "%s%.*s", k ? "," : "", STR_ARG(dyn_string(dyn_at(apis, k))));
    }
    Str attributes = case_text(case_member(json, "defaultMetadata"), "attributes");
    Alias alias = {.name = case_text(json, "name"),
                   .path = case_text(json, "defaultPath"),
                   .versions = buffer_slice(&versions)};
    alias.modifiable = str_equal_ci(attributes, STR("Modifiable")) ? MODIFIABLE_YES
                       : attributes.len                            ? MODIFIABLE_NO
                                                                   : MODIFIABLE_UNKNOWN;
    alias_table_add(table, type, &alias);
    buffer_free(&versions);
}

// A catalogue holds what its cases need; what it leaves out is as shipped.
static void
add_standard(AliasTable *table, const AliasTable *standard)
{
    for (size_t i = 0; i < standard->names.len; i++) {
        if (map_find(&table->names, standard->names.entries[i].key))
            continue;
        for (const Alias *alias = standard->names.entries[i].pointer; alias; alias = alias->next) {
            AliasType *type = alias_table_type(table, alias->type->name);
            if (type->tags == TAGS_UNKNOWN)
                type->tags = alias->type->tags;
            alias_table_add(table, type, alias);
        }
    }
}

// A list as Azure's provider catalogue gives it.
static void
read_catalogue(AliasTable *table, Dyn list)
{
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        Dyn types = case_member(dyn_at(list, i), "resourceTypes");
        Str space = case_text(dyn_at(list, i), "namespace");
        for (uint32_t k = 0; k < dyn_count(types); k++) {
            Str name = case_text(dyn_at(types, k), "resourceType");
            Dyn aliases = case_member(dyn_at(types, k), "aliases");
            AliasType *type = alias_table_type(
                table, str_format(table->arena, "%.*s/%.*s", STR_ARG(space), STR_ARG(name)));
            Str able = case_text(dyn_at(types, k), "capabilities");
            type->tags = str_find(able, STR("SupportsTags")) >= 0 ? TAGS_YES : TAGS_UNKNOWN;
            for (uint32_t a = 0; a < dyn_count(aliases); a++)
                add_alias(table, type, dyn_at(aliases, a));
        }
    }
}

const AliasTable *
case_aliases(CaseRun *run, Arena *arena, Dyn item)
{
    Dyn given = case_member(item, "aliases");
    if (dyn_kind(given) == DYN_STRING && map_get(&run->named, dyn_string(given)))
        return map_get(&run->named, dyn_string(given));
    if (dyn_kind(given) != DYN_BAG)
        return &run->standard;
    AliasTable *table = ARENA_NEW(arena, AliasTable);
    alias_table_init(table, arena);
    for (uint32_t i = 0; i < dyn_count(given); i++) {
        AliasType *type = alias_table_type(table, dyn_key_at(given, i));
        Dyn aliases = dyn_at(given, i);
        for (uint32_t k = 0; k < dyn_count(aliases); k++) {
            Alias alias = {.name = dyn_key_at(aliases, k), .path = dyn_string(dyn_at(aliases, k))};
            alias_table_add(table, type, &alias);
        }
    }
    return table;
}

// Levels without rules ------------------------------------------------------

static bool
case_operator(CaseRun *run, Arena *arena, Dyn item, Str *why)
{
    (void)run;
    PolicyValue left = policy_value_of(case_member(case_member(item, "left"), "value"));
    PolicyValue right = policy_value_of(case_member(item, "right"));
    bool holds;
    if (!policy_operator(arena, case_text(item, "op"), &left, &right, &holds, why))
        return false;
    *why = holds ? STR("true") : STR("false");
    return holds == dyn_bool(case_member(case_member(item, "expect"), "match"));
}

static bool
close_enough(const PolicyValue *a, const PolicyValue *b)
{
    if (policy_is_number(a) && policy_is_number(b))
        return fabs(policy_number(a) - policy_number(b)) < 1e-9;
    return policy_same(a, b);
}

static bool
case_function(CaseRun *run, Arena *arena, Dyn item, Str *why)
{
    (void)run;
    Dyn list = case_member(item, "args"), expect = case_member(item, "expect");
    uint32_t count = dyn_count(list);
    PolicyValue *args = ARENA_ARRAY(arena, PolicyValue, count), out;
    for (uint32_t i = 0; i < count; i++)
        args[i] = policy_value_of(dyn_at(list, i));
    bool error_wanted = case_member(expect, "error").ptr != NULL;
    if (!policy_function(arena, case_text(item, "function"), args, count, &out, why))
        return error_wanted;
    Buffer text = {0};
    policy_to_json(&text, &out);
    *why = str_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    PolicyValue wanted = policy_value_of(case_member(expect, "value"));
    return !error_wanted && close_enough(&out, &wanted);
}

static bool
case_rollup(CaseRun *run, Arena *arena, Dyn item, Str *why)
{
    (void)run, (void)arena;
    uint64_t counts[STATE_LIMIT] = {0};
    Dyn list = case_member(item, "args");
    for (uint32_t i = 0; i < dyn_count(list); i++) {
        ComplianceState state = compliance_state_of(dyn_string(dyn_at(list, i)));
        if (state != STATE_LIMIT)
            counts[state]++;
    }
    *why = str_from(compliance_state_name(compliance_roll_up(counts)));
    return str_equal(*why, case_text(case_member(item, "expect"), "compliance"));
}

static bool
case_percentage(CaseRun *run, Arena *arena, Dyn item, Str *why)
{
    (void)run;
    uint64_t counts[STATE_LIMIT] = {0};
    Dyn given = case_member(item, "args");
    for (uint32_t i = 0; i < dyn_count(given); i++) {
        ComplianceState state = compliance_state_of(dyn_key_at(given, i));
        if (state != STATE_LIMIT)
            counts[state] = (uint64_t)dyn_long(dyn_at(given, i));
    }
    double wanted, percentage = compliance_percentage(counts);
    *why = str_format(arena, "%f", percentage);
    return dyn_number(case_member(case_member(item, "expect"), "value"), &wanted) &&
           fabs(wanted - percentage) < 0.006;
}

// Running -------------------------------------------------------------------

static const struct {
    const char *name;
    CaseLevel run;
} LEVELS[] = {
    {"rule", case_rule},         {"definition", case_rule}, {"operator", case_operator},
    {"function", case_function}, {"suite", case_suite},     {"scope", case_scope},
    {"change", case_change},     {"rollup", case_rollup},   {"percentage", case_percentage},
};

static void
run_case(CaseRun *run, Dyn item)
{
    for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++) {
        if (!str_equal(case_text(item, "level"), str_from(LEVELS[i].name)))
            continue;
        Arena arena = {0};
        Str why = {0};
        bool passed = LEVELS[i].run(run, &arena, item, &why);
        bool disputed = dyn_kind(case_member(item, "disputed")) == DYN_STRING;
        if (!passed)
            printf("%s %.*s: %.*s\n", disputed ? "disputed" : "FAIL",
                   STR_ARG(case_text(item, "id")), STR_ARG(why));
        run->disputed += disputed;
        run->disputed_passed += disputed && passed;
        run->passed += !disputed && passed;
        run->failed += !disputed && !passed;
        arena_free(&arena);
        return;
    }
    run->skipped++;
}

// The whole of a file, also of a gzipped one.
static bool
read_file(const char *path, Buffer *out)
{
    gzFile file = gzopen(path, "rb");
    int got = -1;
    while (file && (got = gzread(file, buffer_reserve(out, 1 << 18), 1 << 18)) > 0)
        out->len += (size_t)got;
    if (file)
        gzclose(file);
    return file && got == 0;
}

typedef struct Reader {
    JsonParser *parser;
    DynBuilder *builder;
} Reader;

static bool
parse(Reader *reader, Str json, Dyn *out, const char **why)
{
    size_t offset;
    dyn_builder_reset(reader->builder);
    return json_to_dynamic(reader->parser, json, reader->builder, why, &offset) &&
           dyn_finish(reader->builder, out, why);
}

static void
read_catalogues(CaseRun *run, Reader *reader, const char *path)
{
    Buffer text = {0};
    Dyn all;
    const char *why;
    if (read_file(path, &text) && parse(reader, buffer_slice(&text), &all, &why)) {
        for (uint32_t i = 0; i < dyn_count(all); i++) {
            AliasTable *table = ARENA_NEW(&run->arena, AliasTable);
            alias_table_init(table, &run->arena);
            read_catalogue(table, dyn_at(all, i));
            add_standard(table, &run->standard);
            map_put(&run->named, str_copy(&run->arena, dyn_key_at(all, i)), table);
        }
    }
    buffer_free(&text);
}

// A definition as published: it compiles, and fails on no resource for want of anything.
static void
run_definition(CaseRun *run, Dyn item)
{
    const PolicyCompileOptions options = {.aliases = &run->standard};
    Arena arena = {0};
    AzError error = {0};
    PolicyDefinition *definition = policy_compile(&arena, &options, item, &error);
    PolicyBinding *binding =
        definition ? policy_bind(&arena, definition, NULL, NULL, &error) : NULL;
    if (binding) {
        Arena scratch = {0};
        PolicyContext context = {.override = EFFECT_INVALID};
        for (size_t i = 0; i < run->standard.types.len; i++) {
            const AliasType *type = run->standard.types.entries[i].pointer;
            PolicyResource resource = {.type = type->name, .alias_type = type};
            if (policy_may_apply(&scratch, binding, type->name, type))
                policy_evaluate(&scratch, binding, &resource, &context, true);
            arena_reset(&scratch);
        }
        arena_free(&scratch);
        run->passed++;
    } else {
        printf("FAIL %.*s (mode %.*s): %s\n", STR_ARG(case_text(item, "name")),
               STR_ARG(case_text(item, "mode")), error.message);
        run->failed++;
    }
    arena_free(&arena);
}

static bool
run_file(CaseRun *run, Reader *reader, const char *path, bool compile)
{
    Buffer text = {0};
    if (!read_file(path, &text)) {
        fprintf(stderr, "policy_cases: cannot read '%s'\n", path);
        buffer_free(&text);
        return false;
    }
    const char *slash = strrchr(path, '/');
    Str catalogues = str_format(&run->arena, "%.*scases-aliases.json.gz",
                                slash ? (int)(slash - path + 1) : 0, path);
    if (!compile)
        read_catalogues(run, reader, catalogues.ptr);
    bool good = true;
    Str rest = buffer_slice(&text);
    for (uint32_t number = 1; rest.len; number++) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        Str line = str_trim(str_slice(rest, 0, len));
        rest = str_slice(rest, len + 1, rest.len);
        const char *why = NULL;
        Dyn item;
        if (!line.len)
            continue;
        if (parse(reader, line, &item, &why)) {
            compile ? run_definition(run, item) : run_case(run, item);
        } else {
            fprintf(stderr, "policy_cases: '%s', line %u: %s\n", path, number, why);
            good = false;
        }
    }
    buffer_free(&text);
    return good;
}

int
main(int argc, char **argv)
{
    CaseRun run = {0};
    AzError error = {0};
    const char *content = getenv("AZIMUTH_CONTENT");
    map_init(&run.named, &run.arena, false);
    alias_table_init(&run.standard, &run.arena);
    if (!alias_table_load(&run.standard, content ? content : "content", &error)) {
        fprintf(stderr, "policy_cases: %s\n", error.message);
        return 2;
    }
    Reader reader = {json_parser_new(), dyn_builder_new()};
    bool compile = argc > 1 && strcmp(argv[1], "--compile") == 0, good = argc > 1 + compile;
    for (int i = 1 + compile; i < argc; i++)
        good &= run_file(&run, &reader, argv[i], compile);
    dyn_builder_free(reader.builder);
    json_parser_free(reader.parser);
    if (run.skipped)
        printf("%u of levels that are not run here\n", run.skipped);
    printf("%u disputed, %u of them as expected\n", run.disputed, run.disputed_passed);
    printf("%u passed, %u failed\n", run.passed, run.failed);
    arena_free(&run.arena);
    return !good || run.failed;
}
