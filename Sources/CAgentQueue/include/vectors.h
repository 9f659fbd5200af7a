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

/// The same of some of the rows after the first, by their places.
void vectors_dots_at(
    vectors_level level, const uint8_t *codes, const uint32_t *places, size_t count, const vectors_query *query, int32_t *dots);

/// Compares with an exact vector, which need not be aligned, in 64-bit floats: the dot product, the vector's square, and the square of the
/// difference.
void vectors_compare(const float *query, const void *vector, size_t dimension, double *dot, double *square, double *difference);

/// Asks for memory that will be read soon, without waiting for it.
static inline void vectors_foresee(const void *start, size_t bytes) {
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch((const char *)start + at);
}

// MARK: Bounds

/// Upper bounds of cosines: dots * scale * scales + errors * factor + constant.
void vectors_bounds(
    vectors_level level, const int32_t *dots, const float *scales, const float *errors, size_t count, float scale, float factor,
    float constant, float *bounds);

/// The same of rows at places, whose dot products these are.
void vectors_bounds_at(
    const int32_t *dots, const float *scales, const float *errors, const uint32_t *places, size_t count, float scale, float factor,
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

/// Writes the places of the bits that are set, ascending. Returns how many.
size_t vectors_list(const uint64_t *bits, size_t words, uint32_t *places);

// MARK: Sketches

/// The sketch of a row is one line of the processor's caches: where the row lies in as many directions, half a byte each, and what that
/// lacks. Byte i has direction i in its low half and direction i + 60 in its high half; half a byte h stands for
/// middle + step * (h - 7.5). Of the last four bytes, the first two (little-endian) have the most that the half bytes and the codes lack
/// within the space of the directions, the others what the row has outside of it: lengths in units of 2^-14, rounded up.
enum { VECTORS_DIRECTIONS = 120, VECTORS_SKETCH_BYTES = 64 };

/// The directions, and how what lies in them is written down.
typedef struct {
    const vectors_query *directions;  // nearly orthonormal
    const float *middle;              // one for each
    float step;
    float skew;                       // the norm of (directions * transposed directions - 1) is at most this
} vectors_frame;

/// Sketches rows, a multiple of 16. Returns the greatest length of the half bytes' own part, step * (h - 7.5), of these rows and `reach`.
float vectors_sketch(
    vectors_level level, const uint8_t *codes, const float *scales, const float *errors, size_t count, const vectors_frame *frame,
    uint8_t *sketch, float reach);

/// What a sketch is compared with.
typedef struct {
    const int8_t *low;   // 64 values for the low halves, of which the last 4 are zero
    const int8_t *high;  // and for the high halves
    float scale;         // of the sum of values times half bytes
    float inner;         // of what the sketch lacks within the space of the directions
    float outer;         // of what the row has outside of it
    float constant;
} vectors_sketch_query;

/// Upper bounds of the cosines of rows, one after the other.
void vectors_sketch_bounds(
    vectors_level level, const uint8_t *sketch, size_t count, const vectors_sketch_query *query, float *bounds);

/// The same of some of them, by their places.
void vectors_sketch_bounds_of(
    vectors_level level, const uint8_t *sketch, const uint32_t *places, size_t count, const vectors_sketch_query *query, float *bounds);

/// Where a vector of length 1 lies in the directions, off by at most (dimension / 16 + 6) * 2^-24 in each.
void vectors_places(const vectors_query *directions, const float *unit, float *places);

// MARK: The directions of a sketch

/// How many values a direction takes: the dimension, up to a multiple of 64.
size_t vectors_stride(size_t dimension);

/// Where rows lie in the directions: `places` takes for each direction one value a row.
void vectors_project(
    vectors_level level, const uint8_t *const *rows, const float *scales, size_t count, const vectors_query *directions, float *places);

/// Sums for each direction all rows, each times its place: what a round of the power iteration does.
void vectors_gather(
    vectors_level level, const uint8_t *const *rows, const float *scales, size_t count, size_t dimension, const float *places, float *sums);

/// Makes directions orthonormal (Gram and Schmidt, twice). Those that depend on those before become others, by chance. There are at least
/// as many dimensions as directions.
void vectors_orthonormalize(float *directions, size_t dimension);

/// Turns orthonormal directions within their space so that each gets an equal share of all (a Hadamard matrix).
void vectors_mix(float *directions, size_t dimension);

/// The greatest row sum of |directions * transposed directions - 1|, of the directions as they are quantised.
float vectors_skew(const vectors_query *directions);

#endif
