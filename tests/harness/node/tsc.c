// SPDX-License-Identifier: GPL-2.0-only
// tsc - prints the frequency of this machine's time stamp counter in kHz
//
// An emulated node reads the same counter, and on a busy machine it would measure its frequency wrongly while
// it boots, and then have seconds of a length of its own.

#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

enum { TRIES = 50 };

struct moment {
    uint64_t ticks, ns;
};

static uint64_t now_ns(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

// Both clocks, read together: the try that nothing came between.
static struct moment now(void) {
    struct moment best = {0, 0};
    uint64_t shortest = UINT64_MAX;

    for (int i = 0; i < TRIES; i++) {
        const uint64_t start = __rdtsc(), ns = now_ns(), end = __rdtsc();

        if (end - start < shortest) {
            shortest = end - start;
            best = (struct moment){start + (end - start) / 2, ns};
        }
    }
    return best;
}

int main(void) {
    const struct timespec while_it_counts = {0, 100000000};
    const struct moment start = now();
    struct moment end;

    nanosleep(&while_it_counts, NULL);
    end = now();
    printf("%.0f\n", (double)(end.ticks - start.ticks) * 1e6 / (double)(end.ns - start.ns));
    return 0;
}
