// A case is run in the empty database it is given: its tables are put into memory, the
// data sets that the control needs are told as collected (unless the case lists them as
// not collected), and the rows of the query are compared with what is expected.

#include "assess/fixture.h"

#include "assess/assess.h"
#include "base/array.h"
#include "base/map.h"
#include "db/rows.h"
#include "value/json.h"
#include "value/yaml.h"

#include <dirent.h>
#include <sys/stat.h>

typedef struct CaseRun {
    Arena arena;
    Map got; // id -> Str* status
    const char *path;
    Str name;
    FixtureReport *report;
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

static void
keep_status(CaseRun *run, Str id, Str status)
{
    Str *kept = ARENA_NEW(&run->arena, Str);
    *kept = str_copy(&run->arena, status);
    bool is_new;
    MapEntry *entry = map_add(&run->got, str_copy(&run->arena, id), &is_new);
    if (!is_new)
        say(run, "two rows for %.*s", STR_ARG(id));
    entry->pointer = kept;
}

static void
take_row(void *context, const ControlRow *row)
{
    static const Str NAMES[] = {STR_INIT("pass"), STR_INIT("fail"), STR_INIT("unknown")};
    keep_status(context, row->id, NAMES[row->status]);
    CaseRun *run = context;
    if (row->status == FINDING_UNKNOWN && !row->reason.len)
        say(run, "%.*s is unknown without a reason", STR_ARG(row->id));
}

static bool
is_listed(Arena *arena, YamlNode *list, Str name)
{
    size_t count;
    Str *names = yaml_texts(arena, list, &count);
    for (size_t i = 0; i < count; i++)
        if (str_equal_ci(names[i], name))
            return true;
    return false;
}

// CollectionStatus of the case: all that is needed or given, but what it lists as missing.
static void
put_coverage(CaseRun *run, YamlNode *test, const Str *needs, size_t need_count, Buffer *json)
{
    buffer_char(json, '[');
    YamlNode *missing = yaml_get(test, "not_collected");
    YamlNode *tables = yaml_get(test, "tables");
    size_t given = yaml_is_map(tables) ? yaml_count(tables) : 0;
    for (size_t i = 0; i < need_count + given; i++) {
        Str name =
            i < need_count ? needs[i] : yaml_text(&run->arena, yaml_key_at(tables, i - need_count));
        if (json->len > 1)
            buffer_char(json, ',');
        bool gone = is_listed(&run->arena, missing, name);
        buffer_text(json, "{\"Dataset\":");
        json_write_string(json, name, false);
        buffer_printf(json, ",\"Scope\":\"\",\"Status\":\"%s\",\"Reason\":\"%s\",\"Rows\":1}",
                      gone ? "not collected" : "collected", gone ? "left out by the fixture" : "");
    }
    buffer_char(json, ']');
}

static bool
put_tables(Database *db, CaseRun *run, YamlNode *test, const Str *needs, size_t need_count,
           AzError *error)
{
    Buffer json = {0};
    db_drop_tables(db);
    YamlNode *tables = yaml_get(test, "tables");
    bool done = true;
    for (size_t i = 0; yaml_is_map(tables) && i < yaml_count(tables) && done; i++) {
        buffer_clear(&json);
        YamlNode *rows = yaml_value_at(tables, i);
        if (yaml_is_list(rows))
            yaml_to_json(&json, rows);
        else
            buffer_text(&json, "[]");
        done = db_put_json(db, yaml_text(&run->arena, yaml_key_at(tables, i)), buffer_slice(&json),
                           error);
    }
    buffer_clear(&json);
    // A case may bring the table itself.
    if (done && !yaml_get(tables, "CollectionStatus")) {
        put_coverage(run, test, needs, need_count, &json);
        done = db_put_json(db, STR("CollectionStatus"), buffer_slice(&json), error);
    }
    buffer_free(&json);
    return done;
}

static void
compare(CaseRun *run, YamlNode *expect)
{
    size_t count = yaml_is_map(expect) ? yaml_count(expect) : 0;
    for (size_t i = 0; i < count; i++) {
        Str id = yaml_text(&run->arena, yaml_key_at(expect, i));
        Str wanted = yaml_text(&run->arena, yaml_value_at(expect, i));
        Str *got = map_get(&run->got, id);
        if (!got)
            say(run, "no row for %.*s, wanted %.*s", STR_ARG(id), STR_ARG(wanted));
        else if (!str_equal(*got, wanted))
            say(run, "%.*s is %.*s, wanted %.*s", STR_ARG(id), STR_ARG(*got), STR_ARG(wanted));
    }
    for (size_t i = 0; i < run->got.len; i++) {
        Str id = run->got.entries[i].key;
        bool expected = false;
        for (size_t e = 0; e < count && !expected; e++)
            expected = str_equal(yaml_text(&run->arena, yaml_key_at(expect, e)), id);
        if (!expected)
            say(run, "a row for %.*s (%.*s) was not expected", STR_ARG(id),
                STR_ARG(*(Str *)run->got.entries[i].pointer));
    }
}

static bool
run_function(Database *db, CaseRun *run, Str function, AzError *error)
{
    QueryOptions options = {0};
    QueryResult *result = db_query(db, &run->arena, function, &options, error);
    if (!result)
        return false;
    RowReader reader = {.table = result->tables[0]};
    ptrdiff_t id = rows_column(reader.table, "id");
    ptrdiff_t value = rows_column(reader.table, "assetClass");
    while (rows_next(&reader))
        keep_status(run, rows_text(&reader, id, &run->arena),
                    rows_text(&reader, value, &run->arena));
    return true;
}

static void
run_case(Database *db, const char *path, YamlNode *test, const Control *control, Str function,
         FixtureReport *report)
{
    CaseRun run = {.path = path, .report = report};
    map_init(&run.got, &run.arena, false);
    run.name = yaml_text(&run.arena, yaml_get(test, "name"));
    AzError error = {0};
    const Str *needs = control ? control->needs : NULL;
    size_t need_count = control ? control->need_count : 0;
    Coverage *coverage;
    size_t coverage_count;
    Str missing;
    bool done = put_tables(db, &run, test, needs, need_count, &error);
    if (done && control)
        done = coverage_read(db, &run.arena, &coverage, &coverage_count, &error) &&
               control_run(db, control, coverage, coverage_count, take_row, &run, &missing,
                           &run.arena, &error);
    else if (done)
        done = run_function(db, &run, function, &error);
    if (!done)
        say(&run, "%s", error.message);
    else
        compare(&run, yaml_get(test, "expect"));
    if (run.failed)
        report->failed++;
    else
        report->passed++;
    arena_free(&run.arena);
}

static bool
run_file(Database *db, const char *path, const ControlSet *controls, FixtureReport *report,
         AzError *error)
{
    Arena arena = {0};
    YamlDoc *doc = yaml_load(path, error);
    if (!doc)
        return false;
    YamlNode *root = yaml_root(doc);
    Str id = yaml_text(&arena, yaml_get(root, "control"));
    Str function = yaml_text(&arena, yaml_get(root, "function"));
    const Control *control = NULL;
    for (size_t i = 0; i < controls->len && !control; i++)
        if (str_equal(controls->items[i].id, id))
            control = &controls->items[i];
    YamlNode *cases = yaml_get(root, "cases");
    if (!control && !function.len) {
        buffer_printf(&report->text, "%s: there is no control '%.*s'\n", path, STR_ARG(id));
        report->failed++;
    } else {
        for (size_t i = 0; i < yaml_count(cases); i++)
            run_case(db, path, yaml_item(cases, i), control, function, report);
    }
    yaml_free(doc);
    arena_free(&arena);
    return true;
}

static bool
run_folder(Database *db, const char *dir, const ControlSet *controls, FixtureReport *report,
           AzError *error)
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
            if (S_ISDIR(info.st_mode))
                done = run_folder(db, path.ptr, controls, report, error);
            else if (str_ends(name, STR(".yaml")))
                done = run_file(db, path.ptr, controls, report, error);
        }
        arena_free(&arena);
        free(entries[i]);
    }
    free(entries);
    return done;
}

bool
fixtures_run(Database *db, const char *dir, FixtureReport *report, AzError *error)
{
    Arena arena = {0};
    ControlSet controls;
    Str folder = str_format(&arena, "%s/controls", content_dir(db_content(db)));
    struct stat info;
    bool done = controls_load(&arena, folder.ptr, NULL, &controls, error);
    if (done && stat(dir, &info) == 0 && S_ISREG(info.st_mode))
        done = run_file(db, dir, &controls, report, error);
    else if (done)
        done = run_folder(db, dir, &controls, report, error);
    db_drop_tables(db);
    arena_free(&arena);
    return done;
}
