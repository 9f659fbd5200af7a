#include "vectors_lanes.h"

BODY void bounds_body(
    const int32_t *dots, const float *scales, const float *errors, size_t count, float scale, float factor, float constant, float *bounds) {
    size_t row = 0;
    for (; row + 16 <= count; row += 16) {
        lanes estimate = __builtin_convertvector(*(const integer_lanes *)(dots + row), lanes) * (*(const lanes *)(scales + row) * scale);
        *(lanes *)(bounds + row) = estimate + (*(const lanes *)(errors + row) * factor + constant);
    }
    for (; row < count; row++) bounds[row] = (float)dots[row] * (scales[row] * scale) + (errors[row] * factor + constant);
}

// In 64 bits, where no square of a Float32 is too large or too small. Narrowing rounds to the nearest, which keeps the order.
BODY void weigh_body(vectors_metric metric, double norm, const float *norms, const float *bonus, size_t count, float *bounds) {
    for (size_t row = 0; row < count; row += 8) {
        wide_lanes score = WIDENED(bounds + row);
        if (metric == VECTORS_DOT) score *= WIDENED(norms + row) * norm;
        if (metric == VECTORS_EUCLIDEAN) {
            wide_lanes own = WIDENED(norms + row), apart = own - norm;
            wide_lanes square = apart * apart + 2 * norm * own * (1 - score);
            // For the rounding of norms to Float32: ScoreBounds.swift has the proof.
            score = -__builtin_elementwise_sqrt(__builtin_elementwise_max(square, (wide_lanes){0}) * (1 - 1e-6));
        }
        if (bonus && row + 8 <= count) score += WIDENED(bonus + row);
        if (bonus && row + 8 > count)
            for (size_t lane = 0; row + lane < count; lane++) score[lane] += bonus[row + lane];
        *(narrow_lanes *)(bounds + row) = __builtin_convertvector(score, narrow_lanes);
    }
}

#if defined(__x86_64__)

AVX2 static void bounds_avx2(
    const int32_t *dots, const float *scales, const float *errors, size_t count, float scale, float factor, float constant, float *bounds) {
    bounds_body(dots, scales, errors, count, scale, factor, constant, bounds);
}

AVX2 static void weigh_avx2(vectors_metric metric, double norm, const float *norms, const float *bonus, size_t count, float *bounds) {
    weigh_body(metric, norm, norms, bonus, count, bounds);
}

#else
#define bounds_avx2 bounds_body
#define weigh_avx2 weigh_body
#endif

void vectors_bounds(
    vectors_level level, const int32_t *dots, const float *scales, const float *errors, size_t count, float scale, float factor,
    float constant, float *bounds) {
    bool wide = level == VECTORS_AVX2 || level == VECTORS_AVX512;
    (wide ? bounds_avx2 : bounds_body)(dots, scales, errors, count, scale, factor, constant, bounds);
}

void vectors_weigh(
    vectors_level level, vectors_metric metric, double norm, const float *norms, const float *bonus, size_t count, float *bounds) {
    bool wide = level == VECTORS_AVX2 || level == VECTORS_AVX512;
    (wide ? weigh_avx2 : weigh_body)(metric, norm, norms, bonus, count, bounds);
}

void vectors_bounds_at(
    const int32_t *dots, const float *scales, const float *errors, const uint32_t *places, size_t count, float scale, float factor,
    float constant, float *bounds) {
    for (size_t row = 0; row < count; row++) {
        uint32_t place = places[row];
        bounds[row] = (float)dots[row] * (scales[place] * scale) + (errors[place] * factor + constant);
    }
}

size_t vectors_passing(const float *bounds, float threshold, size_t words, uint64_t *bits) {
    size_t passing = 0;
    for (size_t word = 0; word < words; word++) {
        if (bits[word] == 0) continue;
        const float *some = bounds + word * 64;
        // Few pass: most words are done with one look at all of their rows.
        integer_lanes any = *(const lanes *)some >= threshold;
        for (size_t at = 16; at < 64; at += 16) any |= *(const lanes *)(some + at) >= threshold;
        uint64_t passed = 0;
        if (__builtin_reduce_or(any) != 0)
            for (size_t at = 0; at < 64; at++) passed |= (uint64_t)(some[at] >= threshold) << at;
        bits[word] &= passed;
        passing += (size_t)__builtin_popcountll(bits[word]);
    }
    return passing;
}

size_t vectors_list(const uint64_t *bits, size_t words, uint32_t *places) {
    size_t count = 0;
    for (size_t word = 0; word < words; word++)
        for (uint64_t rest = bits[word]; rest != 0; rest &= rest - 1) places[count++] = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(rest);
    return count;
}
