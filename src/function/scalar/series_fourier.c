// Series: the discrete Fourier transform and its inverse.
//
// Source: Kusto docs, series_fft() and series_ifft(): a series of complex numbers, real and
// imaginary parts in two arrays. A length that is a power of two takes the usual
// divide-and-conquer in place; any other length is turned into a convolution of such a
// length (Bluestein), so that long series of prime length stay fast. The inverse divides by
// the length.

#include "base/array.h"
#include "function/registry.h"
#include "function/scalar/fourier.h"

#include <math.h>

static Complex
times(Complex a, Complex b)
{
    return (Complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// exp(i * 2 pi * numerator / denominator); the quadrants are exact.
static Complex
unit(uint64_t numerator, uint64_t denominator)
{
    numerator %= denominator;
    if (numerator * 4 % denominator == 0) {
        static const Complex QUADRANTS[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
        return QUADRANTS[numerator * 4 / denominator];
    }
    double angle = 2 * M_PI * (double)numerator / (double)denominator;
    return (Complex){cos(angle), sin(angle)};
}

// In place; `len` is a power of two; `roots` are the len/2 first roots of one.
static void
transform_power(Complex *x, size_t len, const Complex *roots)
{
    for (size_t i = 1, j = 0; i < len; i++) {
        size_t bit = len >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            Complex swap = x[i];
            x[i] = x[j];
            x[j] = swap;
        }
    }
    for (size_t half = 1; half < len; half *= 2) {
        size_t stride = len / (2 * half);
        for (size_t start = 0; start < len; start += 2 * half) {
            for (size_t k = 0; k < half; k++) {
                Complex root = roots[k * stride], a = x[start + k];
                root.im = -root.im;
                Complex b = times(x[start + half + k], root);
                x[start + k] = (Complex){a.re + b.re, a.im + b.im};
                x[start + half + k] = (Complex){a.re - b.re, a.im - b.im};
            }
        }
    }
}

static Complex *
roots_of_one(Arena *arena, size_t len)
{
    Complex *roots = ARENA_ARRAY(arena, Complex, len / 2 + 1);
    for (size_t k = 0; k < len / 2; k++)
        roots[k] = unit(k, len);
    return roots;
}

static void
conjugate(Complex *x, size_t len)
{
    for (size_t k = 0; k < len; k++)
        x[k].im = -x[k].im;
}

// Any length: x[k] * chirp[k], convolved with the chirp's conjugate.
static void
transform_any(Arena *arena, Complex *x, size_t len)
{
    size_t wide = 1;
    while (wide < 2 * len)
        wide *= 2;
    Complex *roots = roots_of_one(arena, wide);
    Complex *a = ARENA_ARRAY(arena, Complex, wide), *c = ARENA_ARRAY(arena, Complex, wide);
    for (size_t k = 0; k < len; k++) {
        Complex chirp = unit((uint64_t)k * k, 2 * (uint64_t)len);
        c[k] = chirp;
        if (k)
            c[wide - k] = chirp;
        chirp.im = -chirp.im;
        a[k] = times(x[k], chirp);
    }
    transform_power(a, wide, roots);
    transform_power(c, wide, roots);
    for (size_t k = 0; k < wide; k++)
        a[k] = times(a[k], c[k]);
    conjugate(a, wide);
    transform_power(a, wide, roots);
    conjugate(a, wide);
    for (size_t k = 0; k < len; k++) {
        Complex chirp = unit((uint64_t)k * k, 2 * (uint64_t)len);
        chirp.im = -chirp.im;
        x[k] = times((Complex){a[k].re / (double)wide, a[k].im / (double)wide}, chirp);
    }
}

void
fourier_transform(Arena *arena, Complex *x, size_t len, bool inverse)
{
    if (inverse)
        conjugate(x, len);
    if (len & (len - 1))
        transform_any(arena, x, len);
    else if (len > 1)
        transform_power(x, len, roots_of_one(arena, len));
    if (!inverse)
        return;
    conjugate(x, len);
    for (size_t k = 0; k < len; k++)
        x[k] = (Complex){x[k].re / (double)len, x[k].im / (double)len};
}

// False when the argument is no array of finite numbers.
static bool
part_read(const ScalarCall *call, uint32_t k, uint32_t i, Complex *x, uint32_t len, bool imaginary)
{
    Dyn tree = arg_dyn(call, k, i);
    if (arg_is_null(call, k, i) || dyn_kind(tree) != DYN_ARRAY || dyn_count(tree) != len)
        return false;
    for (uint32_t e = 0; e < len; e++) {
        double number;
        if (!dyn_number(dyn_at(tree, e), &number) || !isfinite(number))
            return false;
        if (imaginary)
            x[e].im = number;
        else
            x[e].re = number;
    }
    return true;
}

static void
push_part(DynBuilder *dyn, const Complex *x, uint32_t len, bool imaginary)
{
    dyn_begin_array(dyn);
    for (uint32_t e = 0; e < len; e++)
        dyn_push_real(dyn, (imaginary ? x[e].im : x[e].re) + 0.0); // no -0.0
    dyn_end_array(dyn);
}

static void
fourier_rows(ScalarCall *call, bool inverse)
{
    for (uint32_t i = 0; i < call->count; i++) {
        Arena arena = {0};
        Dyn tree = arg_dyn(call, 0, i);
        bool known = !arg_is_null(call, 0, i) && dyn_kind(tree) == DYN_ARRAY;
        uint32_t len = known ? dyn_count(tree) : 0;
        Complex *x = ARENA_ARRAY(&arena, Complex, (size_t)len + 1);
        known = known && part_read(call, 0, i, x, len, false) &&
                (call->arg_count < 2 || part_read(call, 1, i, x, len, true));
        if (known) {
            fourier_transform(&arena, x, len, inverse);
            out_array_begin(call);
            push_part(call->scratch->dyn, x, len, false);
            push_part(call->scratch->dyn, x, len, true);
            out_array_finish(call, i);
        } else {
            out_null(call, i);
        }
        arena_free(&arena);
    }
}

static void
series_fft(ScalarCall *call)
{
    fourier_rows(call, false);
}

static void
series_ifft(ScalarCall *call)
{
    fourier_rows(call, true);
}

static const ScalarImpl FFT_IMPL = {series_fft, NULL};
static const ScalarImpl IFFT_IMPL = {series_ifft, NULL};

static const FunctionDef ROWS[] = {
    {"series_fft", NULL, "(real:array, imaginary:dynamic=) : dynamic",
     "The Fourier transform: arrays of the real and of the imaginary parts.",
     "toreal(series_fft(dynamic([1, 2, 3, 4]))[0][0]) == 10", FUNCTION_SCALAR, FN_OWN_NULLS,
     &FFT_IMPL},
    {"series_ifft", NULL, "(real:array, imaginary:dynamic=) : dynamic",
     "The inverse Fourier transform: arrays of the real and of the imaginary parts.",
     "toreal(series_ifft(dynamic([4, 0, 0, 0]))[0][3]) == 1", FUNCTION_SCALAR, FN_OWN_NULLS,
     &IFFT_IMPL},
};

const FunctionSet SERIES_FOURIER_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
