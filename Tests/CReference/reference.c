#include "CReference.h"

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
