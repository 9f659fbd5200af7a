// scanlimit.c - the least time in which this machine can look at all of N vectors of 384 values in memory: plain C, a loop that the
// compiler makes wide, the best one alone kept. What a search reaches is judged as a ratio to the int8 figure of the same run.
//
//   cc -O3 -march=native -ffast-math -pthread -o scanlimit scanlimit.c
//   scanlimit [N=1000000] [REPEATS=7]
//
// Prints one JSON object: GB/s of a plain read of 2 GiB, and ms a query for float32, int8 and 1-bit vectors, with 1 and 2 threads.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { DIMENSION = 384 };
enum kind { READ, FLOAT, INT8, BIT };

typedef struct {
    const void *data, *query;
    long from, to;
    enum kind kind;
    volatile uint64_t sink; // What was found, so that it must be looked for.
} part;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void *scan(void *argument) {
    part *part = argument;
    long found = 0;
    if (part->kind == READ) {
        const uint64_t *words = part->data;
        uint64_t sum = 0;
        for (long i = part->from; i < part->to; i++) sum += words[i];
        found = (long)sum;
    } else if (part->kind == FLOAT) {
        const float *query = part->query;
        float best = -1e30f;
        for (long i = part->from; i < part->to; i++) {
            const float *row = (const float *)part->data + i * DIMENSION;
            float sum = 0;
            for (int d = 0; d < DIMENSION; d++) sum += row[d] * query[d];
            if (sum > best) { best = sum; found = i; }
        }
    } else if (part->kind == INT8) {
        const int8_t *query = part->query;
        int32_t best = INT32_MIN;
        for (long i = part->from; i < part->to; i++) {
            const int8_t *row = (const int8_t *)part->data + i * DIMENSION;
            int32_t sum = 0;
            for (int d = 0; d < DIMENSION; d++) sum += (int16_t)row[d] * (int16_t)query[d];
            if (sum > best) { best = sum; found = i; }
        }
    } else {
        const uint64_t *query = part->query;
        int best = 1 << 30;
        for (long i = part->from; i < part->to; i++) {
            const uint64_t *row = (const uint64_t *)part->data + i * (DIMENSION / 64);
            int sum = 0;
            for (int d = 0; d < DIMENSION / 64; d++) sum += __builtin_popcountll(row[d] ^ query[d]);
            if (sum < best) { best = sum; found = i; }
        }
    }
    part->sink = (uint64_t)found;
    return 0;
}

static int compare(const void *left, const void *right) {
    double x = *(const double *)left, y = *(const double *)right;
    return x < y ? -1 : x > y;
}

static void measure(const char *name, const void *data, const void *query, long count, enum kind kind, double bytes, int repeats) {
    printf("%s\"%s\":{", kind == READ ? "" : ",", name);
    for (int threads = 1; threads <= 2; threads++) {
        double seconds[64];
        for (int round = -1; round < repeats; round++) { // The first warms up.
            double began = now();
            part parts[2];
            pthread_t handles[2];
            for (int i = 0; i < threads; i++) {
                parts[i] = (part){data, query, count * i / threads, count * (i + 1) / threads, kind, 0};
                pthread_create(&handles[i], 0, scan, &parts[i]);
            }
            for (int i = 0; i < threads; i++) pthread_join(handles[i], 0);
            if (round >= 0) seconds[round] = now() - began;
        }
        qsort(seconds, repeats, sizeof *seconds, compare);
        printf("%s\"t%d_ms\":%.3f,\"t%d_min_ms\":%.3f,\"t%d_max_ms\":%.3f,\"t%d_GBps\":%.2f", threads > 1 ? "," : "", threads,
               seconds[repeats / 2] * 1e3, threads, seconds[0] * 1e3, threads, seconds[repeats - 1] * 1e3, threads,
               bytes / seconds[repeats / 2] / 1e9);
    }
    printf("}");
}

int main(int count, char **words) {
    long n = count > 1 ? atol(words[1]) : 1000000;
    int repeats = count > 2 ? atoi(words[2]) : 7;
    if (n < 1 || repeats < 1) return 64;
    if (repeats > 64) repeats = 64;
    size_t size = 2UL << 30;
    if ((size_t)n * DIMENSION * 4 > size) size = (size_t)n * DIMENSION * 4;
    char *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 71;
    madvise(memory, size, MADV_HUGEPAGE);
    float *floats = (float *)memory;
    uint32_t random = 1;
    for (size_t i = 0; i < size / 4; i++) {
        random = random * 1664525u + 1013904223u;
        floats[i] = (float)(int32_t)random / 2147483648.0f;
    }
    float query[DIMENSION];
    int8_t bytes[DIMENSION];
    uint64_t bits[DIMENSION / 64];
    memcpy(query, memory + 4096, sizeof query);
    memcpy(bytes, memory + 8192, sizeof bytes);
    memcpy(bits, memory + 12288, sizeof bits);
    printf("{\"n\":%ld,\"dim\":%d,", n, DIMENSION);
    measure("read_2GiB", memory, query, (2L << 30) / 8, READ, (double)(2UL << 30), repeats);
    measure("float32", memory, query, n, FLOAT, (double)n * DIMENSION * 4, repeats);
    measure("int8", memory, bytes, n, INT8, (double)n * DIMENSION, repeats);
    measure("bit", memory, bits, n, BIT, (double)n * DIMENSION / 8, repeats);
    printf("}\n");
    return 0;
}
