// Texts of a split block put together again. See split.h.

#include "store/split_weave.h"

// ---- whole numbers ----

static size_t
digits_of(uint64_t number)
{
    static const uint64_t POWERS[] = {
        0,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
        10000000000000000000U,
    };
    // 1233 / 4096 is a little more than log10(2).
    uint32_t guess = (64 - (uint32_t)__builtin_clzll(number | 1)) * 1233 >> 12;
    return guess + (number >= POWERS[guess]);
}

static const char PAIRS[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536"
    "37383940414243444546474849505152535455565758596061626364656667686970717273"
    "7475767778798081828384858687888990919293949596979899";

// Writes the digits so that they end before `end`.
static void
put_digits(char *end, uint64_t number)
{
    for (; number >= 100; number /= 100) {
        end -= 2;
        memcpy(end, PAIRS + number % 100 * 2, 2);
    }
    if (number >= 10)
        memcpy(end - 2, PAIRS + number * 2, 2);
    else
        end[-1] = (char)('0' + number);
}

static uint64_t
magnitude(int64_t number)
{
    return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

// ---- values ----

static size_t
value_size(const SplitColumn *column, uint32_t row)
{
    uint32_t index = split_index(column, row);
    if (column->kind != SPLIT_LONG)
        return column->texts[index].len + (column->kind == SPLIT_STRING ? 2 : 0);
    if (split_is_null(column, index))
        return 4;
    int64_t number = column->longs[index];
    return digits_of(magnitude(number)) + (number < 0);
}

static char *
put_value(char *out, const SplitColumn *column, uint32_t row)
{
    uint32_t index = split_index(column, row);
    if (column->kind != SPLIT_LONG) {
        const Text *text = &column->texts[index];
        if (column->kind == SPLIT_STRING)
            *out++ = '"';
        memcpy(out, text_data(text), text->len);
        out += text->len;
        if (column->kind == SPLIT_STRING)
            *out++ = '"';
        return out;
    }
    if (split_is_null(column, index)) {
        memcpy(out, "null", 4);
        return out + 4;
    }
    int64_t number = column->longs[index];
    uint64_t rest = magnitude(number);
    if (number < 0)
        *out++ = '-';
    out += digits_of(rest);
    put_digits(out, rest);
    return out;
}

static uint64_t
weave_size(const Weave *w)
{
    uint64_t size = w->t->after.len;
    for (uint32_t p = 0; p < w->t->count; p++)
        size += w->t->places[p].before.len;
    size *= w->t->rows;
    for (uint32_t p = 0; p < w->t->count; p++)
        for (uint32_t i = 0; i < w->t->rows; i++)
            size += value_size(&w->columns[p], i);
    return size;
}

static char *
put_text(char *out, Weave *w)
{
    const SplitTemplate *t = w->t;
    for (uint32_t p = 0; p < t->count; p++) {
        memcpy(out, t->places[p].before.ptr, t->places[p].before.len);
        out = put_value(out + t->places[p].before.len, &w->columns[p], w->next);
    }
    memcpy(out, t->after.ptr, t->after.len);
    w->next++;
    return out + t->after.len;
}

static uint64_t
texts_size(const SplitWhole *w)
{
    uint64_t size = 0;
    for (uint32_t t = 0; t < w->head.count; t++)
        size += weave_size(&w->weaves[t]);
    for (uint32_t i = 0; i < w->head.whole_rows; i++)
        size += ((const Text *)vector_cell(&w->kept->vector, i))->len;
    return size;
}

bool
split_texts_put(SplitWhole *w, Block *out)
{
    uint32_t rows = w->head.rows, kept = 0;
    uint64_t size = texts_size(w);
    w->why = "its texts have another size";
    if (size != w->info->raw)
        return false;
    Text *texts = arena_alloc_array(&out->arena, rows, sizeof(Text));
    char *at = arena_alloc_aligned(&out->arena, size, 1);
    for (uint32_t i = 0; i < rows; i++) {
        char *start = at;
        if (w->codes[i] == w->head.count) {
            const Text *text = vector_cell(&w->kept->vector, kept++);
            memcpy(at, text_data(text), text->len);
            at += text->len;
        } else {
            at = put_text(at, &w->weaves[w->codes[i]]);
        }
        texts[i] = text_view(start, (size_t)(at - start));
    }
    out->vector.encoding = ENC_FLAT;
    out->vector.data = texts;
    return true;
}
