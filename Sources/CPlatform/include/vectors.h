// Arithmetic on vectors, by the widest instructions that the processor has.
#ifndef AGENT_QUEUE_VECTORS_H
#define AGENT_QUEUE_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
