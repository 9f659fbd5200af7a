#include "vectors.h"

#include <float.h>
#include <math.h>
#include <string.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

bool vectors_has(vectors_level level) {
    switch (level) {
    case VECTORS_PLAIN: return true;
#if defined(__x86_64__)
    case VECTORS_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case VECTORS_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    case VECTORS_NEON: return true;
    case VECTORS_NEON_DOT: return (getauxval(AT_HWCAP) & 1UL << 20) != 0;  // HWCAP_ASIMDDP
#endif
    default: return false;
    }
}

vectors_level vectors_best(void) {
    static const vectors_level widest[] = {VECTORS_AVX512, VECTORS_AVX2, VECTORS_NEON_DOT, VECTORS_NEON};
    for (size_t index = 0; index < sizeof widest / sizeof *widest; index++)
        if (vectors_has(widest[index])) return widest[index];
    return VECTORS_PLAIN;
}

/// The length of a vector and its greatest value; false where it has no direction that Float32 can tell.
static bool measure(const float *values, size_t dimension, double *norm, float *largest) {
    double square = 0;
    *largest = 0;
    for (size_t index = 0; index < dimension; index++) {
        if (!isfinite(values[index])) return false;
        square += (double)values[index] * (double)values[index];
        *largest = fmaxf(*largest, fabsf(values[index]));
    }
    *norm = sqrt(square);
    return *norm >= FLT_MIN && *norm <= FLT_MAX;
}

/// A length as it is written down: no less than it is.
static float above(double length) { return nextafterf((float)length, INFINITY); }

bool vectors_quantize(const float *values, size_t dimension, uint8_t *codes, vectors_quantization *quantization) {
    double norm;
    float largest;
    if (!measure(values, dimension, &norm, &largest)) return false;
    // Where it is rounded to Float32, the codes are made with what is stored, so that the error says all.
    float scale = (float)(largest / norm / 127);
    double error = 0;
    for (size_t index = 0; index < dimension; index++) {
        double unit = values[index] / norm;
        double step = scale > 0 ? rint(unit / scale) : 0;
        step = step > 127 ? 127 : step < -127 ? -127 : step;
        codes[index] = (uint8_t)(128 + (int)step);
        double rest = unit - (double)scale * step;
        error += rest * rest;
    }
    quantization->scale = scale;
    quantization->error = above(sqrt(error));
    quantization->norm = (float)norm;
    return true;
}

static size_t padded(size_t dimension) { return (dimension + 63) & ~(size_t)63; }

size_t vectors_query_bytes(size_t dimension) { return 4 * padded(dimension); }

bool vectors_query_make(const float *values, size_t dimension, void *memory, vectors_query *query) {
    double norm;
    float largest;
    if (!measure(values, dimension, &norm, &largest)) return false;
    int16_t *whole = memory;
    int8_t *high = (int8_t *)(whole + padded(dimension)), *low = high + padded(dimension);
    memset(memory, 0, vectors_query_bytes(dimension));
    // 16,319 is 127 * 128 + 63, the most that both halves can say; and |k| * 127 * dimension must stay below 2^31.
    double most = fmin(16319, floor((double)INT32_MAX / (127 * (double)dimension)));
    float scale = (float)(largest / norm / most);
    double rest = 0;
    int64_t sum = 0;
    for (size_t index = 0; index < dimension; index++) {
        double unit = values[index] / norm;
        double step = scale > 0 ? rint(unit / scale) : 0;
        step = step > most ? most : step < -most ? -most : step;
        double lacks = unit - (double)scale * step;
        rest += lacks * lacks;
        int number = (int)step;
        whole[index] = (int16_t)number;
        low[index] = (int8_t)(((number + 64) & 127) - 64);
        high[index] = (int8_t)((number - low[index]) / 128);
        sum += number;
    }
    *query = (vectors_query){whole, high, low, dimension, (uint32_t)(sum * 128), scale, above(sqrt(rest)), norm};
    return true;
}

void vectors_compare(const float *query, const void *vector, size_t dimension, double *dot, double *square, double *difference) {
    // Eight sums of each that do not wait for each other.
    double dots[8] = {0}, squares[8] = {0}, differences[8] = {0};
    for (size_t index = 0; index < dimension; index++) {
        float value;
        memcpy(&value, (const char *)vector + index * sizeof value, sizeof value);
        double own = query[index], other = value, apart = own - other;
        dots[index % 8] += own * other;
        squares[index % 8] += other * other;
        differences[index % 8] += apart * apart;
    }
    *dot = *square = *difference = 0;
    for (size_t lane = 0; lane < 8; lane++) {
        *dot += dots[lane];
        *square += squares[lane];
        *difference += differences[lane];
    }
}
