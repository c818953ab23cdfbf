// Arrow's C interfaces: who owns what, arrays in parts, and the public call.

#include "azimuth_arrow.h"
#include "report/arrow_export.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct ArrowArrayStream
ask(const char *query)
{
    struct ArrowArrayStream stream;
    char message[200] = "";
    int status = az_query_arrow(NULL, query, &stream, message, sizeof(message));
    if (status)
        print_error("%s\n", message);
    assert_int_equal(status, 0);
    return stream;
}

static void
test_schema(void **state)
{
    (void)state;
    struct ArrowArrayStream stream = ask("print a = 1, g = guid(null), s = 'x', x = dynamic(null)");
    struct ArrowSchema schema;
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    stream.release(&stream);
    assert_null(stream.release);
    assert_string_equal(schema.format, "+s");
    static const char *const FORMATS[] = {"l", "w:16", "u", "u"};
    static const int64_t FLAGS[] = {ARROW_FLAG_NULLABLE, ARROW_FLAG_NULLABLE, 0,
                                    ARROW_FLAG_NULLABLE};
    assert_int_equal(schema.n_children, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(schema.children[i]->format, FORMATS[i]);
        assert_int_equal(schema.children[i]->flags, FLAGS[i]);
    }
    struct ArrowSchema moved = *schema.children[0];
    schema.children[0]->release = NULL;
    schema.release(&schema);
    assert_null(schema.release);
    assert_string_equal(moved.name, "a");
    moved.release(&moved);
}

// Numbers are the table's own memory; a column outlives its array and the stream.
static void
test_moved_column(void **state)
{
    (void)state;
    struct ArrowArrayStream stream =
        ask("datatable(n:long, s:string) [1, 'one', long(null), '', 3, 'a text of some length']");
    struct ArrowArray array, end;
    assert_int_equal(stream.get_next(&stream, &array), 0);
    assert_int_equal(stream.get_next(&stream, &end), 0);
    assert_null(end.release);
    stream.release(&stream);
    assert_int_equal(array.length, 3);
    struct ArrowArray numbers = *array.children[0], texts = *array.children[1];
    array.children[0]->release = array.children[1]->release = NULL;
    array.release(&array);
    assert_int_equal(numbers.null_count, 1);
    assert_int_equal(*(const uint8_t *)numbers.buffers[0] & 7, 5);
    assert_int_equal(((const int64_t *)numbers.buffers[1])[2], 3);
    numbers.release(&numbers);
    const int32_t *offsets = texts.buffers[1];
    assert_null(texts.buffers[0]);
    assert_int_equal(offsets[3], 3 + 21);
    assert_memory_equal((const char *)texts.buffers[2] + offsets[2], "a text of some length", 21);
    texts.release(&texts);
}

// Texts beyond the limit come in several arrays; one that alone is beyond it is an error.
static void
test_text_limit(void **state)
{
    (void)state;
    arrow_text_bytes_max = 100;
    struct ArrowArrayStream stream =
        ask("range n from 1 to 70 step 1 | extend s = 'ten bytes.', x = dynamic([1,2,3])");
    struct ArrowArray array;
    int64_t rows = 0, arrays = 0;
    for (;; arrays++) {
        assert_int_equal(stream.get_next(&stream, &array), 0);
        if (!array.release)
            break;
        const int64_t *numbers = array.children[0]->buffers[1];
        assert_int_equal(numbers[0], rows + 1);
        const int32_t *offsets = array.children[1]->buffers[1];
        assert_int_equal(offsets[array.length], 10 * array.length);
        rows += array.length;
        array.release(&array);
    }
    assert_int_equal(rows, 70);
    assert_true(arrays >= 7);
    stream.release(&stream);
    arrow_text_bytes_max = 5;
    stream = ask("print s = 'ten bytes.'");
    assert_int_equal(stream.get_next(&stream, &array), EOVERFLOW);
    assert_non_null(strstr(stream.get_last_error(&stream), "2 GiB"));
    stream.release(&stream);
    arrow_text_bytes_max = INT32_MAX;
}

static void
test_errors(void **state)
{
    (void)state;
    struct ArrowArrayStream stream = {.private_data = state};
    char message[40];
    assert_int_equal(az_query_arrow(NULL, "print nosuch", &stream, message, sizeof(message)),
                     EINVAL);
    assert_non_null(strstr(message, "semantic error at line 1"));
    assert_int_equal(strlen(message), sizeof(message) - 1);
    assert_ptr_equal(stream.private_data, state); // untouched
    assert_int_equal(az_query_arrow("/nowhere/at/all", "print 1", &stream, NULL, 0), ENOENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_moved_column),
        cmocka_unit_test(test_text_limit),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
