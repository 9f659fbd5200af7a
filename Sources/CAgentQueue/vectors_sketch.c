#include "vectors_lanes.h"

#include <math.h>
#include <string.h>
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { PAIRS = VECTORS_DIRECTIONS / 2 };

/// What the lengths in a sketch count in.
static const float unit = 1.0f / 16384;

// Each kernel sums the query's values times the half bytes of 16 rows, and makes bounds of them. What is no half byte is multiplied by
// zero.

typedef void kernel(const uint8_t *const rows[16], const vectors_sketch_query *query, float *bounds);

BODY void bounds_of(const int32_t *sums, const uint8_t *const rows[16], const vectors_sketch_query *query, float *bounds) {
    int32_t each[16];
    for (size_t row = 0; row < 16; row++) memcpy(each + row, rows[row] + PAIRS, sizeof *each);
    integer_lanes lacks = *(const integer_lanes *)each;
    lanes inner = __builtin_convertvector(lacks & 0xffff, lanes), outer = __builtin_convertvector((lacks >> 16) & 0xffff, lanes);
    lanes bound = __builtin_convertvector(*(const integer_lanes *)sums, lanes) * query->scale + query->constant;
    *(lanes *)bounds = bound + inner * (query->inner * unit) + outer * (query->outer * unit);
}

static void plain(const uint8_t *const rows[16], const vectors_sketch_query *query, float *bounds) {
    int32_t sums[16] = {0};
    for (size_t row = 0; row < 16; row++)
        for (size_t at = 0; at < PAIRS; at++) sums[row] += (rows[row][at] & 15) * query->low[at] + (rows[row][at] >> 4) * query->high[at];
    bounds_of(sums, rows, query, bounds);
}

#if defined(__x86_64__)

AVX512 static void avx512(const uint8_t *const rows[16], const vectors_sketch_query *query, float *bounds) {
    __m512i half = _mm512_set1_epi8(15), low = _mm512_loadu_si512(query->low), high = _mm512_loadu_si512(query->high), each[16];
#pragma clang loop unroll(full)
    for (size_t row = 0; row < 16; row++) {
        __m512i both = _mm512_loadu_si512(rows[row]);
        __m512i sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_and_si512(both, half), low);
        each[row] = _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(both, 4), half), high);
    }
    int32_t sums[16];
    _mm512_storeu_si512(sums, added_avx512(each));
    bounds_of(sums, rows, query, bounds);
}

/// Two products of a half byte and a value make at most 3,810: four of them stay within 16 bits.
AVX2 BODY __m256i row_avx2(const uint8_t *row, const vectors_sketch_query *query) {
    __m256i half = _mm256_set1_epi8(15), sum = _mm256_setzero_si256();
    for (size_t at = 0; at < 64; at += 32) {
        __m256i both = _mm256_loadu_si256((const __m256i *)(row + at));
        __m256i low = _mm256_loadu_si256((const __m256i *)(query->low + at)), high = _mm256_loadu_si256((const __m256i *)(query->high + at));
        sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(_mm256_and_si256(both, half), low));
        sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(both, 4), half), high));
    }
    return _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
}

AVX2 static void avx2(const uint8_t *const rows[16], const vectors_sketch_query *query, float *bounds) {
    int32_t sums[16];
    for (size_t row = 0; row < 16; row += 4) {
        __m256i each[4];
        for (size_t index = 0; index < 4; index++) each[index] = row_avx2(rows[row + index], query);
        _mm_storeu_si128((__m128i *)(sums + row), added_avx2(each));
    }
    bounds_of(sums, rows, query, bounds);
}

static kernel *const kernels[] = {plain, avx2, avx512, plain, plain};

#elif defined(__aarch64__)

BODY int8x16_t low_halves(uint8x16_t both) { return vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))); }
BODY int8x16_t high_halves(uint8x16_t both) { return vreinterpretq_s8_u8(vshrq_n_u8(both, 4)); }

/// Each of eight sums takes 16 products of at most 1,905, which stay within 16 bits.
static void neon(const uint8_t *const rows[16], const vectors_sketch_query *query, float *bounds) {
    int32_t sums[16];
    for (size_t row = 0; row < 16; row++) {
        int16x8_t sum = vdupq_n_s16(0);
        for (size_t at = 0; at < 64; at += 16) {
            uint8x16_t both = vld1q_u8(rows[row] + at);
            int8x16_t low = vld1q_s8(query->low + at), high = vld1q_s8(query->high + at);
            sum = vmlal_s8(vmlal_high_s8(sum, low_halves(both), low), vget_low_s8(low_halves(both)), vget_low_s8(low));
            sum = vmlal_s8(vmlal_high_s8(sum, high_halves(both), high), vget_low_s8(high_halves(both)), vget_low_s8(high));
        }
        sums[row] = vaddlvq_s16(sum);
    }
    bounds_of(sums, rows, query, bounds);
}

__attribute__((target("dotprod"))) static void neon_dot(
    const uint8_t *const rows[16], const vectors_sketch_query *query, float *bounds) {
    int32_t sums[16];
    for (size_t row = 0; row < 16; row++) {
        int32x4_t sum = vdupq_n_s32(0);
        for (size_t at = 0; at < 64; at += 16) {
            uint8x16_t both = vld1q_u8(rows[row] + at);
            sum = vdotq_s32(sum, low_halves(both), vld1q_s8(query->low + at));
            sum = vdotq_s32(sum, high_halves(both), vld1q_s8(query->high + at));
        }
        sums[row] = vaddvq_s32(sum);
    }
    bounds_of(sums, rows, query, bounds);
}

static kernel *const kernels[] = {plain, plain, plain, neon, neon_dot};

#else

static kernel *const kernels[] = {plain, plain, plain, plain, plain};

#endif

void vectors_sketch_bounds(
    vectors_level level, const uint8_t *sketch, size_t count, const vectors_sketch_query *query, float *bounds) {
    kernel *sixteen = kernels[level];
    for (size_t start = 0; start < count; start += 16) {
        const uint8_t *rows[16];
        for (size_t row = 0; row < 16; row++) rows[row] = sketch + (start + row) * VECTORS_SKETCH_BYTES;
        sixteen(rows, query, bounds + start);
    }
}

void vectors_sketch_bounds_of(
    vectors_level level, const uint8_t *sketch, const uint32_t *places, size_t count, const vectors_sketch_query *query, float *bounds) {
    kernel *sixteen = kernels[level];
    for (size_t start = 0; start < count; start += 16) {
        const uint8_t *rows[16];
        size_t left = count - start < 16 ? count - start : 16;
        for (size_t row = 0; row < 16; row++) rows[row] = sketch + (size_t)places[start + (row < left ? row : left - 1)] * VECTORS_SKETCH_BYTES;
        // Where these come from memory, the next are on their way too.
        for (size_t next = start + 16; next < start + 32 && next < count; next++)
            __builtin_prefetch(sketch + (size_t)places[next] * VECTORS_SKETCH_BYTES);
        float some[16];
        sixteen(rows, query, some);
        memcpy(bounds + start, some, left * sizeof *some);
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

/// A length in the units of a sketch, rounded up. It stays below 4: no row and no middle is longer than 1.3.
static uint32_t in_units(float length) { return (uint32_t)fminf(length / unit + 1.5f, 65535); }

float vectors_sketch(
    vectors_level level, const uint8_t *codes, const float *scales, const float *errors, size_t count, const vectors_frame *frame,
    uint8_t *sketch, float reach) {
    const lanes zero = {0};
    size_t dimension = frame->directions->dimension;
    for (size_t start = 0; start < count; start += 16) {
        const uint8_t *rows[16];
        for (size_t row = 0; row < 16; row++) rows[row] = codes + (start + row) * dimension;
        lanes of_rows = *(const lanes *)(scales + start), inside = zero, missed = zero, own = zero;
        for (size_t direction = 0; direction < VECTORS_DIRECTIONS; direction++) {
            integer_lanes dots;
            vectors_dots_of(level, rows, 16, frame->directions + direction, (int32_t *)&dots);
            lanes place = __builtin_convertvector(dots, lanes) * (of_rows * frame->directions[direction].scale);
            lanes aside = place - frame->middle[direction];
            lanes steps = __builtin_elementwise_min(__builtin_elementwise_max(aside / frame->step + 8, zero), zero + 15);
            integer_lanes half = __builtin_convertvector(steps, integer_lanes);
            lanes part = (__builtin_convertvector(half, lanes) - 7.5f) * frame->step;
            inside += place * place;
            missed += (aside - part) * (aside - part);
            own += part * part;
            uint8_t *byte = sketch + start * VECTORS_SKETCH_BYTES + direction % PAIRS;
            for (size_t row = 0; row < 16; row++, byte += VECTORS_SKETCH_BYTES)
                *byte = (uint8_t)(direction < PAIRS ? half[row] : *byte | half[row] << 4);
        }
        // With P the directions, x what the codes say, y = P x, and h what is written of y: the part of x - transposed(P) h within the
        // directions' space is at most (|y - h| + skew |h|) / sqrt(1 - skew) long, and the part outside has at most the square
        // |x|^2 - |y|^2 / (1 + skew). The codes' own error may lie in either. What is added besides is for the rounding of Float32.
        float skew = frame->skew;
        for (size_t row = 0; row < 16; row++) {
            float miss = sqrtf(missed[row]), reached = sqrtf(inside[row]);
            float inner = (miss * (1 + 1e-5f) + (reached + miss) * (skew + 1e-6f)) / sqrtf(1 - skew) + errors[start + row];
            float whole = square(rows[row], of_rows[row], dimension);
            float outer = sqrtf(fmaxf(0, whole * (1 + 2e-5f) - inside[row] * ((1 - 2e-5f) / (1 + skew)))) + errors[start + row];
            uint32_t lacks = in_units(inner) | in_units(outer) << 16;
            memcpy(sketch + (start + row) * VECTORS_SKETCH_BYTES + PAIRS, &lacks, sizeof lacks);
            reach = fmaxf(reach, sqrtf(own[row]) * (1 + 1e-5f));
        }
    }
    return reach;
}
