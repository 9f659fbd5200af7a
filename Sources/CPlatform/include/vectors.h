// Arithmetic on vectors, by the widest instructions that the processor has. What is summed in integers is the same by all of them.
#ifndef AGENT_QUEUE_VECTORS_H
#define AGENT_QUEUE_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The instructions that a kernel is written in.
typedef enum __attribute__((enum_extensibility(closed))) {
    VECTORS_PLAIN __attribute__((swift_name("plain"))),
    VECTORS_AVX2 __attribute__((swift_name("avx2"))),
    VECTORS_AVX512 __attribute__((swift_name("avx512"))),     // with BW, VL and VNNI
    VECTORS_NEON __attribute__((swift_name("neon"))),
    VECTORS_NEON_DOT __attribute__((swift_name("neonDot")))  // with the dot products of ARMv8.2
} vectors_level;

/// Whether this processor has them, and they are compiled in.
bool vectors_has(vectors_level level);

/// The widest that this processor has.
vectors_level vectors_best(void);

// MARK: Quantising

/// What a quantised vector stands for: with u = x / norm, u[i] = scale * (codes[i] - 128) + r[i], where the length of r is at
/// most `error`.
typedef struct {
    float scale;
    float error;
    float norm;
} vectors_quantization;

/// Writes a byte a dimension: 128 + round(u[i] / scale), 1 to 255. False, and nothing useful written, where a value is no finite number,
/// or all are zero, or the length is not a finite Float32 above zero.
bool vectors_quantize(const float *values, size_t dimension, uint8_t *codes, vectors_quantization *quantization);

/// A vector that is compared with codes, in up to 15 bits: with v = q / norm, v[i] = scale * k[i] + r[i], where the length of r is at
/// most `rest`. The bits are so few that a dot product with any codes fits in 32 bits.
typedef struct {
    const int16_t *values;  // k, with zeros up to a multiple of 64
    const int8_t *high;     // k = 128 * high + low
    const int8_t *low;
    size_t dimension;
    uint32_t offset;        // 128 times the sum of k, modulo 2^32
    float scale;
    float rest;
    double norm;
} vectors_query;

/// How many bytes a query of a dimension takes, aligned to 64.
size_t vectors_query_bytes(size_t dimension);

/// Makes a query in memory of that size, which it points into. False as `vectors_quantize`.
bool vectors_query_make(const float *values, size_t dimension, void *memory, vectors_query *query);

// MARK: Dot products

/// The dot products of codes, row after row, each less 128, with the query.
void vectors_dots(vectors_level level, const uint8_t *codes, size_t count, const vectors_query *query, int32_t *dots);

/// The same of rows that lie anywhere.
void vectors_dots_of(vectors_level level, const uint8_t *const *rows, size_t count, const vectors_query *query, int32_t *dots);

/// Compares with an exact vector, which need not be aligned, in 64-bit floats: the dot product, the vector's square, and the square of the
/// difference.
void vectors_compare(const float *query, const void *vector, size_t dimension, double *dot, double *square, double *difference);

// MARK: Bounds

/// Upper bounds of cosines: dots * scale * scales + errors * factor + constant.
void vectors_bounds(
    vectors_level level, const int32_t *dots, const float *scales, const float *errors, size_t count, float scale, float factor,
    float constant, float *bounds);

/// How the score of a row follows from its cosine c and its norm n, for a query of norm m.
typedef enum __attribute__((enum_extensibility(closed))) {
    VECTORS_COSINE __attribute__((swift_name("cosine"))),       // c
    VECTORS_DOT __attribute__((swift_name("dot"))),             // m n c
    VECTORS_EUCLIDEAN __attribute__((swift_name("euclidean")))  // -sqrt(m^2 + n^2 - 2 m n c)
} vectors_metric;

/// Turns upper bounds of cosines into those of scores, in place. `bonus` is added; it may be NULL.
void vectors_weigh(
    vectors_level level, vectors_metric metric, double norm, const float *norms, const float *bonus, size_t count, float *bounds);

/// Leaves, of the bits that are set, those whose bound is at least the threshold. Bounds are read for whole words. Returns how many.
size_t vectors_passing(const float *bounds, float threshold, size_t words, uint64_t *bits);

// MARK: Sketches

/// A sketch is read 16 rows at a time, a *group*: of each 8 of its dimensions 64 bytes, 4 for each row; the low halves of the bytes have the
/// first 4 of the 8 dimensions, the high halves the others. A half byte h stands for middle + step * (h - 7.5).
enum { VECTORS_GROUP = 16 };

/// The places that rows are projected to, and how they are written down. Its vectors are nearly orthonormal.
typedef struct {
    const vectors_query *basis;
    size_t count;         // how many vectors, a multiple of 8
    const float *middle;  // one for each
    float step;
    float skew;           // the norm of (basis * transposed basis - 1) is at most this
} vectors_frame;

/// Where a vector of length 1 lies in a basis: one value for each of its vectors, off by at most (dimension / 16 + 6) * 2^-24.
void vectors_places(const vectors_query *basis, size_t vectors, const float *unit, float *places);

/// What a sketch is compared with.
typedef struct {
    const int8_t *values;
    size_t count;    // a multiple of 8
    float scale;     // of the sum of values times half bytes
    float inner;     // of what the half bytes lack of the projection
    float outer;     // of what the projection lacks of the row
    float error;     // of what the codes lack of the vector
    float constant;
} vectors_sketch_query;

/// Sketches groups of rows. `lacks` takes for each row in its low half what the half bytes lack of the projection, in its high half what
/// the projection lacks of the row, both as lengths, rounded up, in units of 2^-14. Returns the greatest length of the half bytes' own
/// part, step * (h - 7.5), of these rows and `reach`.
float vectors_sketch(
    vectors_level level, const uint8_t *codes, const float *scales, size_t groups, const vectors_frame *frame, uint8_t *sketch,
    uint32_t *lacks, float reach);

/// Upper bounds of the cosines of groups of rows.
void vectors_sketch_bounds(
    vectors_level level, const uint8_t *sketch, const uint32_t *lacks, const float *errors, size_t groups,
    const vectors_sketch_query *query, float *bounds);

// MARK: The basis of a sketch

/// Projects rows: `places` takes for each vector of the basis one value a row.
void vectors_project(
    vectors_level level, const uint8_t *const *rows, const float *scales, size_t count, const vectors_query *basis, size_t vectors,
    float *places);

/// Sums for each vector of a basis all rows, each times its place: what a round of the power iteration does. Rows of sums are
/// `vectors_stride` apart.
void vectors_gather(
    vectors_level level, const uint8_t *const *rows, const float *scales, size_t count, size_t dimension, const float *places,
    size_t vectors, float *sums);

/// How many values a row of a basis takes: the dimension, up to a multiple of 64.
size_t vectors_stride(size_t dimension);

/// Makes vectors orthonormal (Gram and Schmidt, twice). Those that depend on those before become others, by chance.
void vectors_orthonormalize(float *basis, size_t vectors, size_t dimension);

/// Turns a basis so that all its vectors carry alike: the Walsh-Hadamard matrix. `vectors` is a power of two.
void vectors_mix(float *basis, size_t vectors, size_t dimension);

/// The greatest row sum of |basis * transposed basis - 1|, of the vectors as they are quantised.
float vectors_skew(const vectors_query *basis, size_t vectors);

#endif
