// What tests of vectors compare with: the plainest way to each result, in 64-bit floats.
#ifndef AGENT_QUEUE_CREFERENCE_H
#define AGENT_QUEUE_CREFERENCE_H

#include <stddef.h>
#include <stdint.h>

/// The dot products of a query with `count` vectors of `dimension` values, one after the other, in 64-bit floats.
void reference_dots(const float *vectors, size_t count, size_t dimension, const float *query, double *dots);

/// The squares of the lengths of vectors.
void reference_squares(const float *vectors, size_t count, size_t dimension, double *squares);

typedef enum __attribute__((enum_extensibility(closed))) {
    REFERENCE_COSINE __attribute__((swift_name("cosine"))),
    REFERENCE_DOT __attribute__((swift_name("dot"))),
    REFERENCE_EUCLIDEAN __attribute__((swift_name("euclidean")))
} reference_metric;

/// The score of a vector: larger is nearer.
double reference_score(reference_metric metric, double dot, double square, double query_square);

/// Finds the vectors with the best scores, the best first, of those that are allowed (a byte each; NULL is all), with a bonus each (NULL is
/// none). Returns how many there are.
size_t reference_best(
    reference_metric metric, const double *dots, const double *squares, double query_square, const uint8_t *allowed, const float *bonus,
    size_t count, size_t limit, uint32_t *places, double *scores);

/// Makes vectors as embeddings of texts are: around some centres, the further from these the fewer dimensions it is in, and of lengths
/// 1 to `spread`. The same for the same seed; `stream` gives others around the same centres.
void reference_clusters(
    uint64_t seed, uint64_t stream, size_t count, size_t dimension, size_t centres, float spread, float *vectors);

/// Makes vectors of independent normal values.
void reference_normal(uint64_t seed, size_t count, size_t dimension, float *vectors);

#endif
