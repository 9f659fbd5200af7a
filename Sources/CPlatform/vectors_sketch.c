#include "vectors_lanes.h"

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/// What one of `lacks` counts in.
static const float unit = 1.0f / 16384;

// Each kernel gives, for a group of 16 rows, the sums of the query's values times the half bytes.

typedef void kernel(const uint8_t *group, const int8_t *values, size_t count, int32_t *sums);

static void plain(const uint8_t *group, const int8_t *values, size_t count, int32_t *sums) {
    memset(sums, 0, 16 * sizeof *sums);
    for (size_t at = 0; at < count; at += 8)
        for (size_t byte = 0; byte < 64; byte++) {
            uint8_t both = group[at * 8 + byte];
            sums[byte / 4] += (both & 15) * values[at + byte % 4] + (both >> 4) * values[at + 4 + byte % 4];
        }
}

BODY int32_t four_values(const int8_t *values) {
    int32_t four;
    memcpy(&four, values, sizeof four);
    return four;
}

#if defined(__x86_64__)

AVX512 static void avx512(const uint8_t *group, const int8_t *values, size_t count, int32_t *sums) {
    __m512i half = _mm512_set1_epi8(15), low = _mm512_setzero_si512(), high = low;
    for (size_t at = 0; at < count; at += 8) {
        __m512i both = _mm512_loadu_si512(group + at * 8);
        low = _mm512_dpbusd_epi32(low, _mm512_and_si512(both, half), _mm512_set1_epi32(four_values(values + at)));
        high = _mm512_dpbusd_epi32(
            high, _mm512_and_si512(_mm512_srli_epi16(both, 4), half), _mm512_set1_epi32(four_values(values + at + 4)));
    }
    _mm512_storeu_si512(sums, _mm512_add_epi32(low, high));
}

/// Eight rows. Two products of a half byte and a value make at most 3,810: their sums stay within 16 bits for four steps.
AVX2 BODY __m256i eight_avx2(const uint8_t *rows, const int8_t *values, size_t count) {
    __m256i half = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1), sum = _mm256_setzero_si256();
    for (size_t start = 0; start < count; start += 32) {
        __m256i some = _mm256_setzero_si256();
        for (size_t at = start; at < start + 32 && at < count; at += 8) {
            __m256i both = _mm256_loadu_si256((const __m256i *)(rows + at * 8));
            __m256i low = _mm256_and_si256(both, half), high = _mm256_and_si256(_mm256_srli_epi16(both, 4), half);
            some = _mm256_add_epi16(some, _mm256_maddubs_epi16(low, _mm256_set1_epi32(four_values(values + at))));
            some = _mm256_add_epi16(some, _mm256_maddubs_epi16(high, _mm256_set1_epi32(four_values(values + at + 4))));
        }
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(some, ones));
    }
    return sum;
}

AVX2 static void avx2(const uint8_t *group, const int8_t *values, size_t count, int32_t *sums) {
    _mm256_storeu_si256((__m256i *)sums, eight_avx2(group, values, count));
    _mm256_storeu_si256((__m256i *)(sums + 8), eight_avx2(group + 32, values, count));
}

static kernel *const kernels[] = {plain, avx2, avx512, plain, plain};

#elif defined(__aarch64__)

/// Four rows of four half bytes.
BODY int32x4_t add_neon(int32x4_t sum, int8x16_t halves, int8x16_t values) {
    int16x8_t first = vmull_s8(vget_low_s8(halves), vget_low_s8(values)), second = vmull_high_s8(halves, values);
    return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(first), vpaddlq_s16(second)));
}

static void neon(const uint8_t *group, const int8_t *values, size_t count, int32_t *sums) {
    for (size_t row = 0; row < 16; row += 4) {
        int32x4_t sum = vdupq_n_s32(0);
        for (size_t at = 0; at < count; at += 8) {
            uint8x16_t both = vld1q_u8(group + at * 8 + row * 4);
            int8x16_t low = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))), high = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
            sum = add_neon(sum, low, vreinterpretq_s8_s32(vdupq_n_s32(four_values(values + at))));
            sum = add_neon(sum, high, vreinterpretq_s8_s32(vdupq_n_s32(four_values(values + at + 4))));
        }
        vst1q_s32(sums + row, sum);
    }
}

__attribute__((target("dotprod"))) static void neon_dot(const uint8_t *group, const int8_t *values, size_t count, int32_t *sums) {
    for (size_t row = 0; row < 16; row += 4) {
        int32x4_t sum = vdupq_n_s32(0);
        for (size_t at = 0; at < count; at += 8) {
            uint8x16_t both = vld1q_u8(group + at * 8 + row * 4);
            int8x16_t low = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))), high = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
            sum = vdotq_s32(sum, low, vreinterpretq_s8_s32(vdupq_n_s32(four_values(values + at))));
            sum = vdotq_s32(sum, high, vreinterpretq_s8_s32(vdupq_n_s32(four_values(values + at + 4))));
        }
        vst1q_s32(sums + row, sum);
    }
}

static kernel *const kernels[] = {plain, plain, plain, neon, neon_dot};

#else

static kernel *const kernels[] = {plain, plain, plain, plain, plain};

#endif

void vectors_sketch_bounds(
    vectors_level level, const uint8_t *sketch, const uint32_t *lacks, const float *errors, size_t groups,
    const vectors_sketch_query *query, float *bounds) {
    kernel *sixteen = kernels[level];
    for (size_t group = 0; group < groups; group++) {
        integer_lanes sums;
        sixteen(sketch + group * query->count * 8, query->values, query->count, (int32_t *)&sums);
        size_t row = group * 16;
        integer_lanes both = *(const integer_lanes *)(lacks + row);
        lanes inner = __builtin_convertvector(both & 0xffff, lanes);
        lanes outer = __builtin_convertvector((both >> 16) & 0xffff, lanes);
        lanes bound = __builtin_convertvector(sums, lanes) * query->scale + query->constant;
        bound += inner * (query->inner * unit) + outer * (query->outer * unit);
        *(lanes *)(bounds + row) = bound + *(const lanes *)(errors + row) * query->error;
    }
}

// MARK: Making sketches

/// The square of the length of a row.
static float square(const uint8_t *codes, float scale, size_t dimension) {
    int32_t sum = 0;
    for (size_t at = 0; at < dimension; at++) {
        int32_t step = (int32_t)codes[at] - 128;
        sum += step * step;
    }
    return (float)sum * scale * scale;
}

/// A length in units of what `lacks` counts in, rounded up. It stays below 4: no row and no middle is longer than 1.3.
static uint32_t in_units(float length) { return (uint32_t)fminf(length / unit + 1.5f, 65535); }

float vectors_sketch(
    vectors_level level, const uint8_t *codes, const float *scales, size_t groups, const vectors_frame *frame, uint8_t *sketch,
    uint32_t *lacks, float reach) {
    const lanes zero = {0};
    size_t dimension = frame->basis->dimension;
    for (size_t group = 0; group < groups; group++) {
        const uint8_t *rows[16];
        for (size_t row = 0; row < 16; row++) rows[row] = codes + (group * 16 + row) * dimension;
        lanes of_rows = *(const lanes *)(scales + group * 16), inside = zero, missed = zero, own = zero;
        uint8_t *out = sketch + group * frame->count * 8;
        for (size_t vector = 0; vector < frame->count; vector++) {
            integer_lanes dots;
            vectors_dots_of(level, rows, 16, frame->basis + vector, (int32_t *)&dots);
            lanes place = __builtin_convertvector(dots, lanes) * (of_rows * frame->basis[vector].scale);
            lanes aside = place - frame->middle[vector];
            lanes steps = __builtin_elementwise_min(__builtin_elementwise_max(aside / frame->step + 8, zero), zero + 15);
            integer_lanes half = __builtin_convertvector(steps, integer_lanes);
            lanes part = (__builtin_convertvector(half, lanes) - 7.5f) * frame->step;
            inside += place * place;
            missed += (aside - part) * (aside - part);
            own += part * part;
            uint8_t *bytes = out + vector / 8 * 64 + vector % 4;
            for (size_t row = 0; row < 16; row++)
                bytes[row * 4] = (uint8_t)(vector % 8 < 4 ? half[row] : bytes[row * 4] | half[row] << 4);
        }
        // With P the basis, y = P x the projection and h what is written of it: the part of x - transposed(P) h within the basis' space is
        // at most (|y - h| + skew |h|) / sqrt(1 - skew) long, and the part outside has at most the square |x|^2 - |y|^2 / (1 + skew).
        // What is added besides is for the rounding of Float32.
        float skew = frame->skew;
        for (size_t row = 0; row < 16; row++) {
            float miss = sqrtf(missed[row]), reached = sqrtf(inside[row]);
            float inner = (miss * (1 + 1e-5f) + (reached + miss) * (skew + 1e-6f)) / sqrtf(1 - skew);
            float whole = square(rows[row], of_rows[row], dimension);
            float outer = sqrtf(fmaxf(0, whole * (1 + 2e-5f) - inside[row] * ((1 - 2e-5f) / (1 + skew))));
            lacks[group * 16 + row] = in_units(inner) | in_units(outer) << 16;
            reach = fmaxf(reach, sqrtf(own[row]) * (1 + 1e-5f));
        }
    }
    return reach;
}
