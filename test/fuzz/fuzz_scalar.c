// Any text as each scalar type: what is read, printed and read again is the same,
// and the second print is the first. Text functions must not read beyond it.

#include "value/scalar.h"
#include "value/unicode.h"

#include <stdlib.h>

static void
require(bool condition)
{
    if (!condition)
        abort();
}

static void
check_type(Type type, Str text)
{
    Arena arena = {0};
    Value first, second;
    if (value_parse(&arena, type, text, &first)) {
        Buffer once = {0}, twice = {0};
        require(!first.is_null);
        data_print(&once, type, value_data(&first));
        require(value_parse(&arena, type, buffer_slice(&once), &second));
        require(value_compare(&first, &second) == 0);
        require(data_hash(type, value_data(&first)) == data_hash(type, value_data(&second)));
        data_print(&twice, type, value_data(&second));
        require(str_equal(buffer_slice(&once), buffer_slice(&twice)));
        for (Type to = TYPE_BOOL; to < TYPE_LIMIT; to++)
            require(value_convert(&arena, &first, to).type == to);
        buffer_free(&once);
        buffer_free(&twice);
    } else {
        require(first.is_null && first.type == type);
    }
    arena_free(&arena);
}

static void
check_text(Str text)
{
    size_t half = utf8_offset(text, utf8_count(text) / 2);
    Str left = str_slice(text, 0, half), right = str_slice(text, half, text.len);
    Buffer lower = {0};
    require(utf8_count(left) <= utf8_count(text));
    require(utf8_valid(text) == (utf8_valid_prefix(text) == text.len));
    require(unicode_contains_ci(text, left) && unicode_contains_ci(text, right));
    require(unicode_starts_ci(text, left));
    if (utf8_valid(text))
        require(unicode_ends_ci(text, right));
    require(unicode_equal_ci(text, text));
    require(term_has(text, text, true) && term_has(text, text, false));
    require(term_has_prefix(text, left, true) && term_has_suffix(text, right, false));
    unicode_lower(&lower, text);
    unicode_upper(&lower, text);
    buffer_free(&lower);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Str text = {(const char *)data, size};
    for (Type type = TYPE_BOOL; type <= TYPE_TIMESPAN; type++)
        check_type(type, text);
    check_type(TYPE_GUID, text);
    check_text(text);
    return 0;
}
