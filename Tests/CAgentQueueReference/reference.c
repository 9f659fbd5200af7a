#include "CAgentQueueReference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void reference_dots(const float *vectors, size_t count, size_t dimension, const float *query, double *dots) {
    for (size_t row = 0; row < count; row++) {
        const float *vector = vectors + row * dimension;
        // Four sums that do not wait for each other.
        double sums[4] = {0, 0, 0, 0};
        size_t index = 0;
        for (; index + 4 <= dimension; index += 4)
            for (size_t lane = 0; lane < 4; lane++) sums[lane] += (double)vector[index + lane] * (double)query[index + lane];
        for (; index < dimension; index++) sums[0] += (double)vector[index] * (double)query[index];
        dots[row] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
}

void reference_squares(const float *vectors, size_t count, size_t dimension, double *squares) {
    for (size_t row = 0; row < count; row++)
        reference_dots(vectors + row * dimension, 1, dimension, vectors + row * dimension, squares + row);
}

double reference_score(reference_metric metric, double dot, double square, double query_square) {
    switch (metric) {
    case REFERENCE_COSINE: return dot / sqrt(square) / sqrt(query_square);
    case REFERENCE_DOT: return dot;
    case REFERENCE_EUCLIDEAN: return -sqrt(fmax(0, square + query_square - 2 * dot));
    }
    return NAN;
}

size_t reference_best(
    reference_metric metric, const double *dots, const double *squares, double query_square, const uint8_t *allowed, const float *bonus,
    size_t count, size_t limit, uint32_t *places, double *scores) {
    size_t found = 0;
    for (size_t row = 0; row < count; row++) {
        if (allowed && !allowed[row]) continue;
        double score = reference_score(metric, dots[row], squares[row], query_square) + (bonus ? bonus[row] : 0);
        if (found == limit && !(score > scores[found - 1])) continue;
        size_t place = found < limit ? found++ : found - 1;
        for (; place > 0 && scores[place - 1] < score; place--) {
            scores[place] = scores[place - 1];
            places[place] = places[place - 1];
        }
        scores[place] = score;
        places[place] = (uint32_t)row;
    }
    return found;
}

/// Vigna's SplitMix64.
static uint64_t chance(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

/// Nearly normal, of deviation 1: the sum of four numbers of 16 bits.
static float normal(uint64_t *state) {
    uint64_t bits = chance(state);
    int64_t sum = (int64_t)(bits & 0xffff) + (int64_t)(bits >> 16 & 0xffff) + (int64_t)(bits >> 32 & 0xffff) + (int64_t)(bits >> 48);
    return ((float)sum - 2 * 65535.0f) / 37837.0f;
}

/// Turns a vector, always in the same way, so that each value gets a part of all: rotations of pairs that are ever further apart.
static void turn(uint64_t seed, size_t dimension, float *vector) {
    uint64_t state = seed;
    for (size_t apart = 1; apart < dimension; apart *= 2)
        for (size_t at = 0; at < dimension; at++) {
            size_t other = at ^ apart;
            if (other <= at || other >= dimension) continue;
            float sign = chance(&state) & 1 ? 0.70710678f : -0.70710678f, one = vector[at], two = vector[other];
            vector[at] = one * 0.70710678f - two * sign;
            vector[other] = one * sign + two * 0.70710678f;
        }
}

static void stretch(float *vector, size_t dimension, double length) {
    double square = 0;
    for (size_t at = 0; at < dimension; at++) square += (double)vector[at] * vector[at];
    for (size_t at = 0; at < dimension; at++) vector[at] = (float)(vector[at] * length / sqrt(square));
}

void reference_clusters(
    uint64_t seed, uint64_t stream, size_t count, size_t dimension, size_t centres, float spread, float *vectors) {
    float *middle = malloc(centres * dimension * sizeof *middle), *noise = malloc(dimension * sizeof *noise);
    uint64_t state = seed;
    for (size_t centre = 0; centre < centres; centre++) {
        for (size_t at = 0; at < dimension; at++) middle[centre * dimension + at] = normal(&state);
        stretch(middle + centre * dimension, dimension, 1);
    }
    double harmonic = 0;
    for (size_t at = 0; at < dimension; at++) harmonic += 1.0 / (double)(at + 1);
    for (size_t at = 0; at < dimension; at++) noise[at] = (float)(0.8 / sqrt((double)(at + 1) * harmonic));
    state = seed ^ (stream + 1) * 0xD1342543DE82EF95;
    for (size_t row = 0; row < count; row++) {
        float *vector = vectors + row * dimension;
        const float *near = middle + chance(&state) % centres * dimension;
        for (size_t at = 0; at < dimension; at++) vector[at] = normal(&state) * noise[at];
        turn(seed, dimension, vector);
        for (size_t at = 0; at < dimension; at++) vector[at] += near[at];
        stretch(vector, dimension, pow(spread, (double)(chance(&state) >> 11) / (double)(1ULL << 53)));
    }
    free(middle);
    free(noise);
}

void reference_normal(uint64_t seed, size_t count, size_t dimension, float *vectors) {
    uint64_t state = seed;
    for (size_t index = 0; index < count * dimension; index++) vectors[index] = normal(&state);
}
