// SPDX-License-Identifier: GPL-2.0-only
// nas - the random numbers of the NAS Parallel Benchmarks: x(k + 1) = 5^13 x(k) mod 2^46
#ifndef NAS_H
#define NAS_H

#include <stdint.h>

static const uint64_t NAS_MULTIPLIER = 1220703125, NAS_MODULUS_MASK = (1ull << 46) - 1;

// The seed that is so many numbers further on.
static inline uint64_t nas_skip(uint64_t seed, uint64_t numbers) {
    for (uint64_t power = NAS_MULTIPLIER; numbers; numbers >>= 1, power *= power)
        if (numbers & 1)
            seed *= power;
    return seed & NAS_MODULUS_MASK;
}

// The next one, in (0, 1).
static inline double nas_random(uint64_t* seed) {
    *seed = *seed * NAS_MULTIPLIER & NAS_MODULUS_MASK;
    return (double)*seed * 0x1p-46;
}

#endif
