// SPDX-License-Identifier: GPL-2.0-only
// kernel - what the benchmark kernels share: arguments, blocks of work, the clock, and what a run says

#ifndef KERNEL_H
#define KERNEL_H

#include "../check.h"

#include <stdint.h>
#include <time.h>

enum { CACHE_LINE = 64 };

struct range {
    long begin, end;
};

// The items of one of several threads: blocks, as equal as they can be.
static inline struct range block_of(long items, int thread, int threads) {
    return (struct range){items * thread / threads, items * (thread + 1) / threads};
}

static inline double now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Memory nobody has touched yet, from a page's beginning: whoever writes it first decides where it is.
static inline void* allocate(size_t bytes) {
    void* memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);

    CHECK(memory, "%zu bytes", bytes);
    return memory;
}

// The argument at a position, or what is usual.
static inline long argument(int argc, char** argv, int position, long usual) {
    long value = argc > position ? strtol(argv[position], NULL, 0) : usual;

    CHECK(value > 0, "argument %d", position);
    return value;
}

// Of bits, so that the last one counts.
static inline uint64_t fingerprint(const void* data, size_t bytes) {
    const uint64_t* word = data;
    uint64_t hash = 14695981039346656037ull;

    for (size_t i = 0; i < bytes / sizeof(*word); i++)
        hash = (hash ^ word[i]) * 1099511628211ull;
    return hash;
}

// The last line of every kernel; all lines before are the same for any number of threads.
static inline void say_seconds(double seconds) {
    printf("seconds %.3f\n", seconds);
}

#endif
