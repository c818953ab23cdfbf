// Declared tables are found wherever their commands lie in a file that is read in pieces.

#include "../store_rows.h"
#include "base/array.h"
#include "base/buffer.h"
#include "db/schema_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { TABLES = 400 };

typedef struct Fixture {
    Arena arena;
    char *dir;
    SchemaFiles files;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));
    f->dir = temp_dir_new();
    schema_files_init(&f->files, &f->arena);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;
    tree_remove(f->dir);
    free(f->dir);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static Str
write_file(Fixture *f, const char *name, Str text)
{
    Str path = str_format(&f->arena, "%s/%s", f->dir, name);
    FILE *file = fopen(path.ptr, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    fclose(file);
    return path;
}

// Table i has i % 7 + 1 columns, one with a name of many bytes, and a comment of i % 4 lines.
static void
put_table(Buffer *out, int i)
{
    for (int line = 0; line < i % 4; line++)
        buffer_printf(out, "//  Line %d of T%d, %0*d\n", line, i, i % 300 + 1, i);
    buffer_printf(out, ".create table T%d (", i);
    for (int c = 0; c < i % 7 + 1; c++)
        buffer_printf(out, "%s\n    c%0*d:%s", c ? "," : "", c ? 1 : i * 37 % 900 + 1, c,
                      c % 2 ? "string" : "long");
    buffer_text(out, i % 3 ? ")\n" : ")\n\n");
}

static void
must_be_table(Fixture *f, int i)
{
    const SchemaEntry *entry = schema_files_find(&f->files, str_format(&f->arena, "t%d", i));
    if (!entry || entry->broken)
        fail_msg("T%d was not found", i);
    assert_string_equal(str_cstr(&f->arena, entry->name), str_format(&f->arena, "T%d", i).ptr);
    assert_int_equal(entry->schema.count, i % 7 + 1);
    for (uint32_t c = 0; c < entry->schema.count; c++)
        assert_int_equal(entry->schema.columns[c].type, c % 2 ? TYPE_STRING : TYPE_LONG);
    Buffer doc = {0};
    for (int line = 0; line < i % 4; line++)
        buffer_printf(&doc, "%sLine %d of T%d, %0*d", line ? " " : "", line, i, i % 300 + 1, i);
    assert_true(str_equal(entry->doc, buffer_slice(&doc)));
    buffer_free(&doc);
}

static void
test_tables_are_found(void **state)
{
    Fixture *f = *state;
    Buffer text = {0};
    buffer_text(&text, "// About the file.\n\n");
    for (int i = 0; i < TABLES; i++)
        put_table(&text, i);
    text.len--; // the last line has no end
    Str path = write_file(f, "many.kql", buffer_slice(&text));
    buffer_free(&text);
    schema_files_add(&f->files, path, STR("many"), TABLE_LOG);
    assert_int_equal(f->files.names.len, TABLES);
    for (int i = TABLES - 1; i >= 0; i--)
        must_be_table(f, i);
    assert_null(schema_files_find(&f->files, STR("T400")));
}

static void
test_the_first_file_stays(void **state)
{
    Fixture *f = *state;
    Str one = write_file(f, "one.kql", STR(".create table A (x:long)\r\n"));
    Str other =
        write_file(f, "other.kql", STR(".create table a (y:string)\n.create table B(z:int)"));
    schema_files_add(&f->files, one, STR("one"), TABLE_LOG);
    schema_files_add(&f->files, other, STR("other"), TABLE_INVENTORY);
    schema_files_add(&f->files, STR("/nowhere/none.kql"), STR("none"), TABLE_LOG);
    const SchemaEntry *a = schema_files_find(&f->files, STR("a"));
    const SchemaEntry *b = schema_files_find(&f->files, STR("b"));
    assert_true(str_equal(a->source, STR("one")) && str_equal(b->source, STR("other")));
    assert_true(str_equal(a->schema.columns[0].name, STR("x")));
    assert_int_equal(a->kind, TABLE_LOG);
    assert_int_equal(b->kind, TABLE_INVENTORY);
    assert_int_equal(f->files.names.len, 2);
}

static void
test_lines_may_be_indented(void **state)
{
    Fixture *f = *state;
    Str path = write_file(f, "indented.kql",
                          STR("\t// one\r\n  // two\r\n  .create table A (x:long)\r\n\n"
                              "// of nothing\n\n.create table B(y:int)"));
    schema_files_add(&f->files, path, STR("indented"), TABLE_LOG);
    const SchemaEntry *a = schema_files_find(&f->files, STR("A"));
    const SchemaEntry *b = schema_files_find(&f->files, STR("B"));
    assert_true(a && !a->broken && str_equal(a->doc, STR("one two")));
    assert_true(b && !b->broken && !b->doc.len && b->schema.count == 1);
}

// Since its tables were found the file was cut, changed or removed.
static void
test_a_changed_file_declares_nothing_wrong(void **state)
{
    Fixture *f = *state;
    Str path = write_file(f, "changed.kql",
                          STR(".create table A (x:long)\n.create table B (y:long)\n"
                              ".create table C (z:long)\n"));
    schema_files_add(&f->files, path, STR("changed"), TABLE_LOG);
    assert_false(schema_files_find(&f->files, STR("A"))->broken);
    write_file(f, "changed.kql", STR(".create table A (x:long)\n.create table X (y:long)\n.cre"));
    assert_true(schema_files_find(&f->files, STR("B"))->broken);
    unlink(path.ptr);
    assert_true(schema_files_find(&f->files, STR("C"))->broken);
    assert_false(schema_files_find(&f->files, STR("A"))->broken);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tables_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_first_file_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines_may_be_indented, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_changed_file_declares_nothing_wrong, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
