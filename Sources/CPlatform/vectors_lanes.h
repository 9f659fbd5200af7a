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

/// A body that is compiled into each of its callers, with the instructions that the caller may use.
#define BODY static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma")))
#endif

#endif
