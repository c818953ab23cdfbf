// Rows in order: many are sorted by words of their keys, and come out as comparing each with each
// puts them.

#include "base/array.h"
#include "exec/order.h"

#include "value/scalar.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROUNDS = 300, ROWS_MOST = 6000, KEYS_MOST = 3 };

static uint32_t
any(uint32_t below)
{
    return (uint32_t)rand() % below;
}

// Texts of few beginnings of any length, some within one word, some beyond all words that are looked
// at, with zeros at their ends.
static Text
random_text(Arena *arena, uint32_t kinds)
{
    static const char LETTERS[] = "ab\0z\xC3\xFF";
    char bytes[800];
    size_t shared = (size_t)any(kinds) * 37 % 700, len = shared;
    memset(bytes, 'p', shared);
    for (uint32_t more = any(12); more; more--)
        bytes[len++] = LETTERS[any(sizeof(LETTERS))];
    return text_copy(arena, (Str){bytes, len});
}

static void
random_value(Arena *arena, Vector *v, uint32_t row, uint32_t kinds)
{
    switch (v->type) {
    case TYPE_STRING: ((Text *)v->data)[row] = random_text(arena, kinds); break;
    case TYPE_REAL: {
        static const double REALS[] = {NAN, -0.0, 0.0, 1.5, -INFINITY, 1e300, -7, 3};
        ((double *)v->data)[row] = REALS[any(kinds < 8 ? kinds : 8)];
        break;
    }
    case TYPE_GUID: {
        char *guid = (char *)v->data + row * sizeof(Guid);
        memset(guid, 7, sizeof(Guid));
        guid[any(2) ? 3 : 13] = (char)any(kinds);
        break;
    }
    case TYPE_DECIMAL: ((Decimal *)v->data)[row] = decimal_from_long(any(kinds)); break;
    case TYPE_BOOL: ((uint8_t *)v->data)[row] = (uint8_t)any(2); break;
    default: ((int64_t *)v->data)[row] = (int64_t)any(kinds) - 3; break;
    }
}

static Vector *
random_column(Arena *arena, uint32_t rows)
{
    static const Type TYPES[] = {TYPE_STRING, TYPE_STRING,  TYPE_REAL, TYPE_GUID,
                                 TYPE_BOOL,   TYPE_DECIMAL, TYPE_LONG};
    Type type = TYPES[any(COUNT_OF(TYPES))];
    Vector *v = vector_new_flat(arena, type, rows);
    uint32_t kinds = 1 + any(any(2) ? 4 : 100);
    uint64_t *valid = ARENA_ARRAY(arena, uint64_t, (rows + 63) / 64);
    bool nulls = any(2) && type != TYPE_STRING;
    for (uint32_t i = 0; i < rows; i++) {
        random_value(arena, v, i, kinds);
        if (!nulls || any(5))
            bit_set(valid, i);
    }
    v->valid = nulls ? valid : NULL;
    return v;
}

static int
by_values(const void *a, const void *b, void *order)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int by = order_compare(order, x, order, y, 0);
    return by ? by : (x > y) - (x < y);
}

static void
test_words_order_as_values_do(void **state)
{
    (void)state;
    srand(11);
    for (int round = 0; round < ROUNDS; round++) {
        Arena arena = {0};
        uint32_t rows = any(any(3) ? ROWS_MOST : 600);
        OrderKey keys[KEYS_MOST];
        Order order = {keys, any(KEYS_MOST + 1)};
        for (uint32_t k = 0; k < order.count; k++)
            keys[k] = (OrderKey){random_column(&arena, rows), any(2) != 0, any(2) != 0};
        uint32_t *expected = arena_alloc_array(&arena, rows, sizeof(uint32_t));
        for (uint32_t i = 0; i < rows; i++)
            expected[i] = i;
        qsort_r(expected, rows, sizeof(uint32_t), by_values, &order);
        const uint32_t *sorted = order_rows(&arena, &order, rows);
        for (uint32_t i = 0; i < rows; i++)
            if (sorted[i] != expected[i])
                fail_msg("round %d, %u rows, %u keys: place %u", round, rows, order.count, i);
        arena_free(&arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_order_as_values_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
