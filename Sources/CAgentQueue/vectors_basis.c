#include "vectors_lanes.h"

#include <math.h>
#include <string.h>

size_t vectors_stride(size_t dimension) { return (dimension + 63) & ~(size_t)63; }

void vectors_project(
    vectors_level level, const uint8_t *const *rows, const float *scales, size_t count, const vectors_query *directions, float *places) {
    int32_t dots[256];
    for (size_t row = 0; row < count; row += 256) {
        size_t some = count - row < 256 ? count - row : 256;
        for (size_t direction = 0; direction < VECTORS_DIRECTIONS; direction++) {
            vectors_dots_of(level, rows + row, some, directions + direction, dots);
            float *out = places + direction * count + row;
            for (size_t index = 0; index < some; index++) out[index] = (float)dots[index] * (scales[row + index] * directions[direction].scale);
        }
    }
}

typedef int16_t short_lanes __attribute__((vector_size(32), aligned(2), may_alias));

void vectors_places(const vectors_query *directions, const float *unit, float *places) {
    size_t dimension = directions->dimension;
    for (size_t direction = 0; direction < VECTORS_DIRECTIONS; direction++) {
        const int16_t *values = directions[direction].values;
        lanes sums = {0};
        double sum = 0;
        size_t at = 0;
        for (; at + 16 <= dimension; at += 16)
            sums += __builtin_convertvector(*(const short_lanes *)(values + at), lanes) * *(const lanes *)(unit + at);
        for (size_t lane = 0; lane < 16; lane++) sum += sums[lane];
        for (; at < dimension; at++) sum += values[at] * unit[at];
        places[direction] = (float)(sum * directions[direction].scale);
    }
}

/// The values of some of a row's codes, zero beyond its end.
BODY void decode(const uint8_t *codes, float scale, size_t some, float *values) {
    for (size_t at = 0; at < 64; at++) values[at] = at < some ? (float)((int)codes[at] - 128) * scale : 0;
}

/// Eight rows and 64 dimensions at a time: the sums are read and written an eighth as often, and the values fit in the nearest cache.
BODY void gather_body(
    const uint8_t *const *rows, const float *scales, size_t count, size_t dimension, const float *places, float *sums) {
    size_t stride = vectors_stride(dimension);
    for (size_t start = 0; start < count; start += 8) {
        size_t some = count - start < 8 ? count - start : 8;
        for (size_t at = 0; at < dimension; at += 64) {
            float values[8][64];
            for (size_t row = 0; row < some; row++)
                decode(rows[start + row] + at, scales[start + row], dimension - at < 64 ? dimension - at : 64, values[row]);
            for (size_t direction = 0; direction < VECTORS_DIRECTIONS; direction++) {
                lanes *sum = (lanes *)(sums + direction * stride + at);
                lanes total[4] = {sum[0], sum[1], sum[2], sum[3]};
                for (size_t row = 0; row < some; row++) {
                    float place = places[direction * count + start + row];
                    for (size_t part = 0; part < 4; part++) total[part] += *(const lanes *)(values[row] + part * 16) * place;
                }
                for (size_t part = 0; part < 4; part++) sum[part] = total[part];
            }
        }
    }
}

#if defined(__x86_64__)
AVX2 static void gather_avx2(
    const uint8_t *const *rows, const float *scales, size_t count, size_t dimension, const float *places, float *sums) {
    gather_body(rows, scales, count, dimension, places, sums);
}
#else
#define gather_avx2 gather_body
#endif

void vectors_gather(
    vectors_level level, const uint8_t *const *rows, const float *scales, size_t count, size_t dimension, const float *places, float *sums) {
    bool wide = level == VECTORS_AVX2 || level == VECTORS_AVX512;
    (wide ? gather_avx2 : gather_body)(rows, scales, count, dimension, places, sums);
}

/// The dot product of two directions, in eight sums that do not wait for each other.
static double dot(const float *one, const float *other, size_t stride) {
    wide_lanes sums = {0};
    for (size_t at = 0; at < stride; at += 8) sums += WIDENED(one + at) * WIDENED(other + at);
    double sum = 0;
    for (size_t lane = 0; lane < 8; lane++) sum += sums[lane];
    return sum;
}

/// Takes a share of one direction away from another.
static void take_away(float *own, const float *other, double share, size_t stride) {
    for (size_t at = 0; at < stride; at += 8)
        *(narrow_lanes *)(own + at) = __builtin_convertvector(WIDENED(own + at) - WIDENED(other + at) * share, narrow_lanes);
}

/// Plus and minus one by chance (Vigna's SplitMix64).
static void chance(uint64_t *state, float *vector, size_t dimension) {
    for (size_t at = 0; at < dimension; at++) {
        uint64_t z = *state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        vector[at] = z >> 63 ? 1 : -1;
    }
}

void vectors_orthonormalize(float *directions, size_t dimension) {
    size_t stride = vectors_stride(dimension);
    uint64_t state = 1;
    for (size_t direction = 0; direction < VECTORS_DIRECTIONS; direction++) {
        float *own = directions + direction * stride;
        double before = sqrt(dot(own, own, stride));
        for (size_t round = 0; round < 2; round++) {
            for (size_t other = 0; other < direction; other++)
                take_away(own, directions + other * stride, dot(own, directions + other * stride, stride), stride);
            double length = sqrt(dot(own, own, stride));
            if (!(length > 1e-4 * before) || !(length > 1e-30)) {
                // Nothing but rounding is left of it: another, from the start.
                chance(&state, own, dimension);
                before = sqrt((double)dimension);
                round = (size_t)-1;
                continue;
            }
            for (size_t at = 0; at < stride; at++) own[at] = (float)(own[at] / length);
            before = 1;
        }
    }
}

/// Whether a number is a square modulo 59.
static bool is_square(int number) {
    for (int root = 1; root < 59; root++)
        if (root * root % 59 == (number % 59 + 59) % 59) return true;
    return false;
}

/// An entry of a Hadamard matrix of order 120: Paley's of order 60, doubled.
static bool is_negative(size_t row, size_t column) {
    bool doubled = row >= 60 && column >= 60;
    row %= 60;
    column %= 60;
    if (row == column || row == 0) return doubled;
    if (column == 0) return !doubled;
    return doubled == is_square((int)row - (int)column);
}

void vectors_mix(float *directions, size_t dimension) {
    size_t stride = vectors_stride(dimension);
    bool negative[VECTORS_DIRECTIONS][VECTORS_DIRECTIONS];
    for (size_t row = 0; row < VECTORS_DIRECTIONS; row++)
        for (size_t column = 0; column < VECTORS_DIRECTIONS; column++) negative[row][column] = is_negative(row, column);
    float share = sqrtf(1.0f / VECTORS_DIRECTIONS);
    for (size_t at = 0; at < stride; at++) {
        float before[VECTORS_DIRECTIONS];
        for (size_t direction = 0; direction < VECTORS_DIRECTIONS; direction++) before[direction] = directions[direction * stride + at] * share;
        for (size_t direction = 0; direction < VECTORS_DIRECTIONS; direction++) {
            float sum = 0;
            for (size_t other = 0; other < VECTORS_DIRECTIONS; other++) sum += negative[direction][other] ? -before[other] : before[other];
            directions[direction * stride + at] = sum;
        }
    }
}

float vectors_skew(const vectors_query *directions) {
    double most = 0;
    for (size_t one = 0; one < VECTORS_DIRECTIONS; one++) {
        double row = 0;
        for (size_t other = 0; other < VECTORS_DIRECTIONS; other++) {
            int64_t sum = 0;
            for (size_t at = 0; at < directions->dimension; at++) sum += (int64_t)directions[one].values[at] * directions[other].values[at];
            row += fabs((double)sum * directions[one].scale * directions[other].scale - (one == other));
        }
        most = fmax(most, row);
    }
    return nextafterf((float)most, INFINITY);
}
