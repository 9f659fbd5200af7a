// What the files of the vector kernels share: sixteen lanes at once, in whatever registers the target has.
#ifndef AGENT_QUEUE_VECTORS_LANES_H
#define AGENT_QUEUE_VECTORS_LANES_H

#include "vectors.h"

/// Sixteen values, at any address of their type.
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t integer_lanes __attribute__((vector_size(64), aligned(4), may_alias));
/// Eight of each.
typedef double wide_lanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef float narrow_lanes __attribute__((vector_size(32), aligned(4), may_alias));

/// Eight values in 64 bits.
#define WIDENED(values) __builtin_convertvector(*(const narrow_lanes *)(values), wide_lanes)

/// A body that is compiled into each of its callers, with the instructions that the caller may use.
#define BODY static inline __attribute__((always_inline))

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma")))

/// The sum of each of sixteen rows of sixteen: transposed and added up, neighbours first, then pairs, then quarters.
AVX512 BODY __m512i added_avx512(const __m512i *ones) {
    __m512i twos[8], fours[4], eights[2];
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
    return _mm512_add_epi32(one, other);
}

/// The sum of each of four rows of eight.
AVX2 BODY __m128i added_avx2(const __m256i *each) {
    __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(each[0], each[1]), _mm256_hadd_epi32(each[2], each[3]));
    return _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
}
#endif

#endif
