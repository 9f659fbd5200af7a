#include "vectors_lanes.h"

#include <string.h>
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

// Each kernel takes 16 rows and gives the sums of codes times k, modulo 2^32; the offset that the 128 of each code makes is taken away
// after. The sums before that may overflow, but not the result: that is what the query's bits are limited for.

typedef void kernel(const uint8_t *const rows[16], const vectors_query *query, uint32_t *sums);

static void plain(const uint8_t *const rows[16], const vectors_query *query, uint32_t *sums) {
    for (size_t row = 0; row < 16; row++) {
        uint32_t sum = 0;
        for (size_t at = 0; at < query->dimension; at++) sum += (uint32_t)(rows[row][at] * query->values[at]);
        sums[row] = sum;
    }
}

#if defined(__x86_64__)

AVX512 BODY __m512i row_avx512(const uint8_t *row, const vectors_query *query) {
    __m512i high = _mm512_setzero_si512(), low = high, other_high = high, other_low = high;
    size_t at = 0, dimension = query->dimension;
    for (; at + 128 <= dimension; at += 128) {
        __m512i codes = _mm512_loadu_si512(row + at), others = _mm512_loadu_si512(row + at + 64);
        high = _mm512_dpbusd_epi32(high, codes, _mm512_load_si512(query->high + at));
        low = _mm512_dpbusd_epi32(low, codes, _mm512_load_si512(query->low + at));
        other_high = _mm512_dpbusd_epi32(other_high, others, _mm512_load_si512(query->high + at + 64));
        other_low = _mm512_dpbusd_epi32(other_low, others, _mm512_load_si512(query->low + at + 64));
    }
    for (; at < dimension; at += 64) {
        __mmask64 left = at + 64 <= dimension ? ~0ULL : ~0ULL >> (64 - (dimension - at));
        __m512i codes = _mm512_maskz_loadu_epi8(left, row + at);
        high = _mm512_dpbusd_epi32(high, codes, _mm512_load_si512(query->high + at));
        low = _mm512_dpbusd_epi32(low, codes, _mm512_load_si512(query->low + at));
    }
    return _mm512_add_epi32(
        _mm512_slli_epi32(_mm512_add_epi32(high, other_high), 7), _mm512_add_epi32(low, other_low));
}

/// One row after the other: four at a time would load the query a quarter as often, but the processor then foresees the rows so badly that
/// a scan of what is not in its caches takes twice as long.
AVX512 static void avx512(const uint8_t *const rows[16], const vectors_query *query, uint32_t *sums) {
    __m512i each[16];
    for (size_t row = 0; row < 16; row++) each[row] = row_avx512(rows[row], query);
    _mm512_storeu_si512(sums, added_avx512(each));
}

AVX2 BODY __m256i codes_avx2(const uint8_t *codes) { return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)codes)); }

AVX2 BODY __m256i products_avx2(const uint8_t *codes, const int16_t *values) {
    return _mm256_madd_epi16(codes_avx2(codes), _mm256_load_si256((const __m256i *)values));
}

/// Codes in 16 bits, times k in 16 bits, exact in 32.
AVX2 BODY __m256i row_avx2(const uint8_t *row, const vectors_query *query) {
    __m256i sum = _mm256_setzero_si256(), other = sum;
    size_t at = 0, dimension = query->dimension;
    for (; at + 32 <= dimension; at += 32) {
        sum = _mm256_add_epi32(sum, products_avx2(row + at, query->values + at));
        other = _mm256_add_epi32(other, products_avx2(row + at + 16, query->values + at + 16));
    }
    if (at < dimension) {
        uint8_t left[32] = {0};
        memcpy(left, row + at, dimension - at);
        sum = _mm256_add_epi32(sum, products_avx2(left, query->values + at));
        other = _mm256_add_epi32(other, products_avx2(left + 16, query->values + at + 16));
    }
    return _mm256_add_epi32(sum, other);
}

AVX2 static void avx2(const uint8_t *const rows[16], const vectors_query *query, uint32_t *sums) {
    for (size_t row = 0; row < 16; row += 4) {
        __m256i each[4];
        for (size_t index = 0; index < 4; index++) each[index] = row_avx2(rows[row + index], query);
        _mm_storeu_si128((__m128i *)(sums + row), added_avx2(each));
    }
}

static kernel *const kernels[] = {plain, avx2, avx512, plain, plain};

#elif defined(__aarch64__)

BODY int32x4_t add_neon(int32x4_t sum, uint8x16_t codes, const int16_t *values) {
    int16x8_t first = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(codes))), second = vreinterpretq_s16_u16(vmovl_high_u8(codes));
    int16x8_t of_first = vld1q_s16(values), of_second = vld1q_s16(values + 8);
    sum = vmlal_high_s16(vmlal_s16(sum, vget_low_s16(first), vget_low_s16(of_first)), first, of_first);
    return vmlal_high_s16(vmlal_s16(sum, vget_low_s16(second), vget_low_s16(of_second)), second, of_second);
}

static void neon(const uint8_t *const rows[16], const vectors_query *query, uint32_t *sums) {
    size_t dimension = query->dimension;
    for (size_t row = 0; row < 16; row++) {
        int32x4_t sum = vdupq_n_s32(0);
        size_t at = 0;
        for (; at + 16 <= dimension; at += 16) sum = add_neon(sum, vld1q_u8(rows[row] + at), query->values + at);
        if (at < dimension) {
            uint8_t left[16] = {0};
            memcpy(left, rows[row] + at, dimension - at);
            sum = add_neon(sum, vld1q_u8(left), query->values + at);
        }
        sums[row] = (uint32_t)vaddvq_s32(sum);
    }
}

/// Signed bytes alone are multiplied, so 128 is taken away before, and its part given back after.
__attribute__((target("dotprod"))) static void neon_dot(const uint8_t *const rows[16], const vectors_query *query, uint32_t *sums) {
    size_t dimension = query->dimension;
    for (size_t row = 0; row < 16; row++) {
        int32x4_t high = vdupq_n_s32(0), low = high;
        for (size_t at = 0; at < dimension; at += 16) {
            // What is beyond the row is multiplied by the query's zeros.
            uint8_t left[16] = {0};
            if (at + 16 > dimension) memcpy(left, rows[row] + at, dimension - at);
            uint8x16_t codes = at + 16 > dimension ? vld1q_u8(left) : vld1q_u8(rows[row] + at);
            int8x16_t values = vreinterpretq_s8_u8(veorq_u8(codes, vdupq_n_u8(128)));
            high = vdotq_s32(high, values, vld1q_s8(query->high + at));
            low = vdotq_s32(low, values, vld1q_s8(query->low + at));
        }
        sums[row] = (uint32_t)vaddvq_s32(vaddq_s32(vshlq_n_s32(high, 7), low)) + query->offset;
    }
}

static kernel *const kernels[] = {plain, plain, plain, neon, neon_dot};

#else

static kernel *const kernels[] = {plain, plain, plain, plain, plain};

#endif

void vectors_dots_of(vectors_level level, const uint8_t *const *rows, size_t count, const vectors_query *query, int32_t *dots) {
    kernel *sixteen = kernels[level];
    uint32_t sums[16];
    for (size_t row = 0; row < count; row += 16) {
        const uint8_t *some[16];
        size_t left = count - row < 16 ? count - row : 16;
        for (size_t index = 0; index < 16; index++) some[index] = rows[row + (index < left ? index : left - 1)];
        sixteen(some, query, sums);
        for (size_t index = 0; index < left; index++) dots[row + index] = (int32_t)(sums[index] - query->offset);
    }
}

void vectors_dots(vectors_level level, const uint8_t *codes, size_t count, const vectors_query *query, int32_t *dots) {
    const uint8_t *rows[256];
    for (size_t row = 0; row < count; row += 256) {
        size_t left = count - row < 256 ? count - row : 256;
        for (size_t index = 0; index < left; index++) rows[index] = codes + (row + index) * query->dimension;
        vectors_dots_of(level, rows, left, query, dots + row);
    }
}

void vectors_dots_at(
    vectors_level level, const uint8_t *codes, const uint32_t *places, size_t count, const vectors_query *query, int32_t *dots) {
    for (size_t row = 0; row < count; row += 16) {
        const uint8_t *rows[16];
        size_t left = count - row < 16 ? count - row : 16;
        for (size_t index = 0; index < left; index++) rows[index] = codes + (size_t)places[row + index] * query->dimension;
        // Where these come from memory, the next are on their way too.
        for (size_t next = row + 16; next < row + 32 && next < count; next++)
            vectors_foresee(codes + (size_t)places[next] * query->dimension, query->dimension);
        vectors_dots_of(level, rows, left, query, dots + row);
    }
}
