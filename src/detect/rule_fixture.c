#include "detect/rule_fixture.h"

#include "detect/duration.h"
#include "value/json.h"
#include "value/scalar.h"
#include "value/yaml.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { ROWS_OF_REPEAT = 1000000 };

typedef struct CaseRun {
    Database *db;
    const AnalyticsRule *rule;
    RuleFixtureReport *report;
    const char *path;
    Arena arena;
    Str name;
    bool failed;
} CaseRun;

static void say(CaseRun *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
say(CaseRun *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str what = str_vformat(&run->arena, format, args);
    va_end(args);
    run->failed = true;
    buffer_printf(&run->report->text, "%s: %.*s: %.*s\n", run->path, STR_ARG(run->name),
                  STR_ARG(what));
}

// ---- tables ----

static void
put_rows(Buffer *out, YamlNode *list)
{
    for (size_t i = 0; yaml_is_list(list) && i < yaml_count(list); i++) {
        if (out->len > 1)
            buffer_char(out, ',');
        yaml_to_json(out, yaml_item(list, i));
    }
}

// The text with the row's number in place of each {n}.
static void
put_numbered(Buffer *out, Str text, int64_t number)
{
    for (ptrdiff_t at; (at = str_find(text, STR("{n}"))) >= 0;) {
        buffer_str(out, str_slice(text, 0, (size_t)at));
        buffer_printf(out, "%lld", (long long)number);
        text = str_slice(text, (size_t)at + 3, text.len);
    }
    buffer_str(out, text);
}

// A row whose TimeGenerated is `ticks`.
static void
put_row_at(Buffer *out, YamlNode *row, int64_t ticks, int64_t number)
{
    if (out->len > 1)
        buffer_char(out, ',');
    buffer_text(out, "{\"TimeGenerated\":\"");
    datetime_print(out, ticks);
    buffer_char(out, '"');
    Buffer members = {0};
    yaml_to_json(&members, row);
    Str inner = str_trim(str_slice(buffer_slice(&members), 1, members.len - 1));
    if (inner.len)
        buffer_char(out, ',');
    put_numbered(out, inner, number);
    buffer_char(out, '}');
    buffer_free(&members);
}

static void
put_repeated(CaseRun *run, Buffer *out, YamlNode *list)
{
    for (size_t i = 0; yaml_is_list(list) && i < yaml_count(list); i++) {
        YamlNode *item = yaml_item(list, i), *row = yaml_get(item, "row");
        int64_t count = 0, every = 0, from = 0;
        if (!long_parse(yaml_text(&run->arena, yaml_get(item, "rows")), &count) || count < 1 ||
            count > ROWS_OF_REPEAT ||
            !duration_parse(yaml_text(&run->arena, yaml_get(item, "every")), &every) ||
            !datetime_parse(yaml_text(&run->arena, yaml_get(item, "from")), &from) ||
            !yaml_is_map(row)) {
            say(run, "repeat wants rows (1 to %d), every, from and row", ROWS_OF_REPEAT);
            return;
        }
        for (int64_t r = 0; r < count; r++)
            put_row_at(out, row, from + r * every, r);
    }
}

static void
put_table(CaseRun *run, Str table, YamlNode *rows, YamlNode *repeated)
{
    Buffer json = {0};
    buffer_char(&json, '[');
    put_rows(&json, rows);
    put_repeated(run, &json, repeated);
    buffer_char(&json, ']');
    AzError error = {0};
    if (!db_put_json(run->db, table, buffer_slice(&json), &error))
        say(run, "table %.*s: %s", STR_ARG(table), error.message);
    buffer_free(&json);
}

static void
put_tables(CaseRun *run, YamlNode *node)
{
    YamlNode *tables = yaml_get(node, "tables"), *repeat = yaml_get(node, "repeat");
    db_drop_tables(run->db);
    for (size_t i = 0; yaml_is_map(tables) && i < yaml_count(tables); i++) {
        Str name = yaml_text(&run->arena, yaml_key_at(tables, i));
        put_table(run, name, yaml_value_at(tables, i),
                  yaml_get(repeat, str_cstr(&run->arena, name)));
    }
    for (size_t i = 0; yaml_is_map(repeat) && i < yaml_count(repeat); i++) {
        Str name = yaml_text(&run->arena, yaml_key_at(repeat, i));
        if (!yaml_get(tables, str_cstr(&run->arena, name)))
            put_table(run, name, NULL, yaml_value_at(repeat, i));
    }
}

// ---- what is expected ----

static bool
has_entity(Arena *arena, const Alert *alert, Str wanted)
{
    for (size_t i = 0; i < alert->entities.len; i++)
        if (str_find(alert->entities.items[i].label, wanted) >= 0)
            return true;
    return str_find(entities_json(arena, &alert->entities), wanted) >= 0;
}

static bool
has_name(Arena *arena, const Alert *alert, Str wanted)
{
    (void)arena;
    return str_find(alert->name, wanted) >= 0;
}

static void
expect_texts(CaseRun *run, const AlertList *alerts, YamlNode *list, const char *what,
             bool (*has)(Arena *arena, const Alert *alert, Str wanted))
{
    size_t count;
    Str *wanted = yaml_texts(&run->arena, list, &count);
    for (size_t w = 0; w < count; w++) {
        bool found = false;
        for (size_t a = 0; a < alerts->len && !found; a++)
            found = has(&run->arena, &alerts->items[a], wanted[w]);
        if (!found)
            say(run, "'%.*s' is not among the %s of the alerts", STR_ARG(wanted[w]), what);
    }
}

static void
count_case(Map *map, Str rule)
{
    bool is_new;
    map_add(map, rule, &is_new)->number++;
}

static void
compare(CaseRun *run, YamlNode *expect, const AlertList *alerts)
{
    int64_t wanted = -1;
    Str text = yaml_text(&run->arena, yaml_get(expect, "alerts"));
    if (!long_parse(text, &wanted) || wanted < 0)
        say(run, "expect wants `alerts`, their number");
    else if ((uint64_t)wanted != alerts->len)
        say(run, "%zu alerts, not %lld", alerts->len, (long long)wanted);
    expect_texts(run, alerts, yaml_get(expect, "entities"), "entities", has_entity);
    expect_texts(run, alerts, yaml_get(expect, "names"), "names", has_name);
    count_case(alerts->len ? &run->report->fired : &run->report->silent, run->rule->id);
}

static void
run_case(CaseRun *run, YamlNode *node)
{
    int64_t at;
    if (!datetime_parse(yaml_text(&run->arena, yaml_get(node, "at")), &at)) {
        say(run, "`at`, the time of the run, is missing or no time");
        return;
    }
    put_tables(run, node);
    QueryOptions options = {
        .now = at,
        .window_from = at - run->rule->period,
        .window_to = at,
        .assume_custom_tables = true,
    };
    AzError error = {0};
    QueryResult *result = db_query(run->db, &run->arena, run->rule->query, &options, &error);
    if (!result) {
        say(run, "%.*s: %s", STR_ARG(run->rule->file), error.message);
        return;
    }
    AlertList alerts = {0};
    alerts_from_result(&run->arena, run->rule, at, result->tables[result->primary], &alerts);
    compare(run, yaml_get(node, "expect"), &alerts);
}

// ---- files ----

// The file's name without folders and ending.
static Str
stem(Str path)
{
    size_t from = path.len, to = path.len;
    while (from > 0 && path.ptr[from - 1] != '/')
        from--;
    while (to > from && path.ptr[to - 1] != '.')
        to--;
    return str_slice(path, from, to > from ? to - 1 : path.len);
}

static const AnalyticsRule *
find_rule(const RuleSet *rules, Str name)
{
    for (size_t i = 0; i < rules->len; i++)
        if (str_equal_ci(stem(rules->items[i].file), name) ||
            str_equal_ci(rules->items[i].id, name))
            return &rules->items[i];
    return NULL;
}

static void
fail_file(RuleFixtureReport *report, const char *path, const char *what)
{
    report->failed++;
    buffer_printf(&report->text, "%s: %s\n", path, what);
}

static void
run_file(Database *db, const RuleSet *rules, const char *path, RuleFixtureReport *report)
{
    AzError error = {0};
    YamlDoc *doc = yaml_load(path, &error);
    if (!doc) {
        fail_file(report, path, error.message);
        return;
    }
    CaseRun run = {.db = db, .report = report, .path = path};
    Str name = yaml_text(&run.arena, yaml_get(yaml_root(doc), "detection"));
    YamlNode *cases = yaml_get(yaml_root(doc), "cases");
    run.rule = name.len ? find_rule(rules, name) : NULL;
    if (name.len && !run.rule)
        fail_file(report, path, "there is no rule of the name under `detection`");
    else if (name.len && !yaml_count(cases))
        fail_file(report, path, "the fixture has no cases");
    for (size_t i = 0; run.rule && yaml_is_list(cases) && i < yaml_count(cases); i++) {
        run.failed = false;
        run.name = yaml_text(&run.arena, yaml_get(yaml_item(cases, i), "name"));
        run_case(&run, yaml_item(cases, i));
        report->passed += !run.failed;
        report->failed += run.failed;
    }
    db_drop_tables(db);
    arena_free(&run.arena);
    yaml_free(doc);
}

static bool
run_folder(Database *db, const RuleSet *rules, const char *dir, int depth,
           RuleFixtureReport *report, AzError *error)
{
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    if (count < 0)
        return error_errno(error, "cannot open the folder of fixtures '%s'", dir);
    bool done = true;
    for (int i = 0; i < count; i++) {
        Arena arena = {0};
        Str name = str_from(entries[i]->d_name);
        Str path = str_format(&arena, "%s/%s", dir, entries[i]->d_name);
        struct stat info;
        if (done && name.ptr[0] != '.' && stat(path.ptr, &info) == 0) {
            if (S_ISDIR(info.st_mode) && depth < 8)
                done = run_folder(db, rules, path.ptr, depth + 1, report, error);
            else if (str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")))
                run_file(db, rules, path.ptr, report);
        }
        arena_free(&arena);
        free(entries[i]);
    }
    free(entries);
    return done;
}

bool
rule_fixtures_run(Database *db, Arena *arena, const RuleSet *rules, const char *dir,
                  RuleFixtureReport *report, AzError *error)
{
    map_init(&report->fired, arena, true);
    map_init(&report->silent, arena, true);
    return run_folder(db, rules, dir, 0, report, error);
}
