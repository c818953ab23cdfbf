// Whole numbers in as many bits as they need. A frame of 1,024 of them holds either distances from
// its least, or how much each is more than the one before (times of a log are sorted), less the
// least such step; each in the bits that the largest needs. That is decoded some times faster
// than what zstd makes of whole bytes, and is about as small where digits are random.

#include "store/block_forms.h"

enum { FRAME = 1024, HEAD = 24, SLACK = 8, STEPS = 1, BITS_FAST = 56 };

// What stands before the bits of a frame.
typedef struct FrameHead {
    int64_t first; // DISTANCES: the least; STEPS: the first number
    int64_t least; // STEPS: the least step
    uint8_t bits, steps;
    uint8_t zero[6];
} FrameHead;
_Static_assert(sizeof(FrameHead) == HEAD, "a frame's head is as the file has it");

static uint8_t
bits_for(uint64_t largest)
{
    return largest ? (uint8_t)(64 - __builtin_clzll(largest)) : 0;
}

static size_t
bits_size(uint32_t count, uint8_t bits)
{
    return ((size_t)count * bits + 7) / 8;
}

// Sums wrap: differences of 64-bit numbers need not fit 63 bits.
static FrameHead
frame_plan(const int64_t *numbers, uint32_t count)
{
    int64_t min = numbers[0], max = numbers[0], least = INT64_MAX, most = INT64_MIN;
    bool wraps = false;
    for (uint32_t i = 0; i < count; i++) {
        min = numbers[i] < min ? numbers[i] : min;
        max = numbers[i] > max ? numbers[i] : max;
        int64_t step;
        if (!i)
            continue;
        wraps |= __builtin_sub_overflow(numbers[i], numbers[i - 1], &step);
        least = step < least ? step : least;
        most = step > most ? step : most;
    }
    uint8_t bits = bits_for((uint64_t)max - (uint64_t)min);
    if (count > 1 && !wraps) {
        uint8_t step_bits = bits_for((uint64_t)most - (uint64_t)least);
        if (step_bits < bits)
            return (FrameHead){numbers[0], least, step_bits, STEPS, {0}};
    }
    return (FrameHead){min, 0, bits, 0, {0}};
}

static void
bits_put(uint8_t *out, uint32_t at, uint8_t bits, uint64_t value)
{
    size_t bit = (size_t)at * bits;
    uint8_t *p = out + bit / 8;
    unsigned shift = bit % 8;
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    word |= value << shift;
    memcpy(p, &word, sizeof(word));
    if (shift + bits > 64)
        p[8] |= (uint8_t)(value >> (64 - shift));
}

static inline uint64_t
bits_get(const uint8_t *in, uint32_t at, uint8_t bits)
{
    size_t bit = (size_t)at * bits;
    const uint8_t *p = in + bit / 8;
    unsigned shift = bit % 8;
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    word >>= shift;
    if (shift + bits > 64)
        word |= (uint64_t)p[8] << (64 - shift);
    return bits == 64 ? word : word & (((uint64_t)1 << bits) - 1);
}

void
packed_put(Buffer *out, const int64_t *numbers, uint32_t count)
{
    for (uint32_t from = 0; from < count; from += FRAME) {
        uint32_t rows = count - from < FRAME ? count - from : FRAME;
        const int64_t *frame = numbers + from;
        FrameHead head = frame_plan(frame, rows);
        size_t size = bits_size(rows, head.bits);
        buffer_put(out, &head, sizeof(head));
        uint8_t *bits = (uint8_t *)buffer_reserve(out, size + SLACK + 1);
        memset(bits, 0, size + SLACK + 1);
        for (uint32_t i = 0; i < rows && head.bits; i++) {
            uint64_t value = (uint64_t)frame[i] - (uint64_t)head.first;
            if (head.steps)
                value = i ? (uint64_t)frame[i] - (uint64_t)frame[i - 1] - (uint64_t)head.least : 0;
            bits_put(bits, i, head.bits, value);
        }
        out->len += size;
    }
}

// Bits of up to 56: one load each, whatever the byte they begin in.
static void
frame_read(const uint8_t *in, const FrameHead *head, uint32_t rows, int64_t *out)
{
    uint8_t bits = head->bits;
    if (bits <= BITS_FAST) {
        uint64_t mask = ((uint64_t)1 << bits) - 1;
        for (uint32_t i = 0; i < rows; i++) {
            size_t bit = (size_t)i * bits;
            uint64_t word;
            memcpy(&word, in + bit / 8, sizeof(word));
            out[i] = (int64_t)(word >> bit % 8 & mask);
        }
    } else {
        for (uint32_t i = 0; i < rows; i++)
            out[i] = (int64_t)bits_get(in, i, bits);
    }
    uint64_t sum = (uint64_t)head->first;
    if (!head->steps) {
        for (uint32_t i = 0; i < rows; i++)
            out[i] = (int64_t)((uint64_t)out[i] + sum);
        return;
    }
    out[0] = head->first;
    for (uint32_t i = 1; i < rows; i++) {
        sum += (uint64_t)out[i] + (uint64_t)head->least;
        out[i] = (int64_t)sum;
    }
}

bool
packed_decode(ByteReader *raw, int64_t *numbers, uint32_t count, const char **why)
{
    for (uint32_t from = 0; from < count; from += FRAME) {
        uint32_t rows = count - from < FRAME ? count - from : FRAME;
        FrameHead head;
        bytes_read(raw, &head, sizeof(head));
        if (raw->bad || head.bits > 64 || head.steps > STEPS) {
            *why = "the head of a frame is damaged";
            return false;
        }
        size_t size = bits_size(rows, head.bits);
        const uint8_t *at = bytes_take(raw, size);
        if (!at) {
            *why = "its values are cut";
            return false;
        }
        // The last words are read whole: from a copy where they would end behind the block.
        uint8_t tail[FRAME * 8 + SLACK + 1];
        if (bytes_left(raw) <= SLACK) {
            memcpy(tail, at, size);
            memset(tail + size, 0, SLACK + 1);
            at = tail;
        }
        frame_read(at, &head, rows, numbers + from);
    }
    return true;
}
