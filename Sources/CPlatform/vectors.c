#include "vectors.h"

#include <float.h>
#include <math.h>

bool vectors_quantize(const float *values, size_t dimension, uint8_t *codes, vectors_quantization *quantization) {
    double square = 0;
    float largest = 0;
    for (size_t index = 0; index < dimension; index++) {
        if (!isfinite(values[index])) return false;
        square += (double)values[index] * (double)values[index];
        largest = fmaxf(largest, fabsf(values[index]));
    }
    double norm = sqrt(square);
    if (!(norm >= FLT_MIN) || norm > FLT_MAX) return false;
    // Where it is rounded to Float32, the codes are made with what is stored, so that the error says all.
    float scale = (float)(largest / norm / 127);
    double error = 0;
    for (size_t index = 0; index < dimension; index++) {
        double unit = values[index] / norm;
        double step = scale > 0 ? rint(unit / scale) : 0;
        step = step > 127 ? 127 : step < -127 ? -127 : step;
        codes[index] = (uint8_t)(128 + (int)step);
        double rest = unit - (double)scale * step;
        error += rest * rest;
    }
    quantization->scale = scale;
    quantization->error = nextafterf((float)sqrt(error), INFINITY);
    quantization->norm = (float)norm;
    return true;
}
