#ifndef AGENT_QUEUE_CREFERENCE_H
#define AGENT_QUEUE_CREFERENCE_H

#include <stddef.h>

/// The dot products of a query with `count` vectors of `dimension` values, one after the other, in 64-bit floats.
void reference_dots(const float *vectors, size_t count, size_t dimension, const float *query, double *dots);

#endif
