#include "vectors_lanes.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
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

/// Four rows, so that each part of the query is loaded once for them.
AVX512 BODY void four_avx512(const uint8_t *const *rows, const vectors_query *query, __m512i *sums) {
    __m512i high[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    __m512i low[4] = {high[0], high[0], high[0], high[0]};
    size_t at = 0, dimension = query->dimension;
    for (; at + 64 <= dimension; at += 64) {
        __m512i of_high = _mm512_load_si512(query->high + at), of_low = _mm512_load_si512(query->low + at);
        for (size_t row = 0; row < 4; row++) {
            __m512i codes = _mm512_loadu_si512(rows[row] + at);
            high[row] = _mm512_dpbusd_epi32(high[row], codes, of_high);
            low[row] = _mm512_dpbusd_epi32(low[row], codes, of_low);
        }
    }
    if (at < dimension) {
        __mmask64 left = ~0ULL >> (64 - (dimension - at));
        __m512i of_high = _mm512_load_si512(query->high + at), of_low = _mm512_load_si512(query->low + at);
        for (size_t row = 0; row < 4; row++) {
            __m512i codes = _mm512_maskz_loadu_epi8(left, rows[row] + at);
            high[row] = _mm512_dpbusd_epi32(high[row], codes, of_high);
            low[row] = _mm512_dpbusd_epi32(low[row], codes, of_low);
        }
    }
    for (size_t row = 0; row < 4; row++) sums[row] = _mm512_add_epi32(_mm512_slli_epi32(high[row], 7), low[row]);
}

/// Sixteen rows of sixteen sums, transposed and added up: neighbours first, then pairs, then quarters.
AVX512 static void avx512(const uint8_t *const rows[16], const vectors_query *query, uint32_t *sums) {
    __m512i ones[16], twos[8], fours[4], eights[2];
    for (size_t row = 0; row < 16; row += 4) four_avx512(rows + row, query, ones + row);
    for (size_t pair = 0; pair < 8; pair++) {
        __m512i one = ones[2 * pair], other = ones[2 * pair + 1];
        twos[pair] = _mm512_add_epi32(_mm512_unpacklo_epi32(one, other), _mm512_unpackhi_epi32(one, other));
    }
    for (size_t pair = 0; pair < 4; pair++) {
        __m512i one = twos[2 * pair], other = twos[2 * pair + 1];
        fours[pair] = _mm512_add_epi32(_mm512_unpacklo_epi64(one, other), _mm512_unpackhi_epi64(one, other));
    }
    for (size_t pair = 0; pair < 2; pair++) {
        __m512i one = fours[2 * pair], other = fours[2 * pair + 1];
        eights[pair] = _mm512_add_epi32(_mm512_shuffle_i32x4(one, other, 0x88), _mm512_shuffle_i32x4(one, other, 0xdd));
    }
    __m512i one = _mm512_shuffle_i32x4(eights[0], eights[1], 0x88), other = _mm512_shuffle_i32x4(eights[0], eights[1], 0xdd);
    _mm512_storeu_si512(sums, _mm512_add_epi32(one, other));
}

AVX2 BODY __m256i codes_avx2(const uint8_t *codes) { return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)codes)); }

/// Codes in 16 bits, times k in 16 bits, exact in 32.
AVX2 BODY void four_avx2(const uint8_t *const *rows, const vectors_query *query, uint32_t *sums) {
    __m256i each[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t at = 0, dimension = query->dimension;
    for (; at + 16 <= dimension; at += 16) {
        __m256i values = _mm256_load_si256((const __m256i *)(query->values + at));
        for (size_t row = 0; row < 4; row++)
            each[row] = _mm256_add_epi32(each[row], _mm256_madd_epi16(codes_avx2(rows[row] + at), values));
    }
    if (at < dimension) {
        __m256i values = _mm256_load_si256((const __m256i *)(query->values + at));
        for (size_t row = 0; row < 4; row++) {
            uint8_t left[16] = {0};
            memcpy(left, rows[row] + at, dimension - at);
            each[row] = _mm256_add_epi32(each[row], _mm256_madd_epi16(codes_avx2(left), values));
        }
    }
    __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(each[0], each[1]), _mm256_hadd_epi32(each[2], each[3]));
    __m128i whole = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
    _mm_storeu_si128((__m128i *)sums, whole);
}

AVX2 static void avx2(const uint8_t *const rows[16], const vectors_query *query, uint32_t *sums) {
    for (size_t row = 0; row < 16; row += 4) four_avx2(rows + row, query, sums + row);
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
