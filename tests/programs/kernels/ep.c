// SPDX-License-Identifier: GPL-2.0-only
// ep - pairs of Gaussian deviates by the polar method, and how many of them fall into each square annulus
//
// After EP, "embarrassingly parallel", of the NAS Parallel Benchmarks (Bailey et al., RNR-94-007): the same
// random numbers, so the sums are those that the suite publishes. OpenMP. Usage: ep THREADS LOG2_PAIRS

#include "kernel.h"
#include "nas.h"

#include <math.h>
#include <omp.h>

enum { LOG2_BATCH = 16, ANNULI = 10 };

static const uint64_t SEED = 271828183;

struct batch {
    double sum_x, sum_y;
    long count[ANNULI];
};

static struct batch deviates(long number) {
    uint64_t state = nas_skip(SEED, (2ull << LOG2_BATCH) * (uint64_t)number);
    struct batch batch = {0};

    for (long i = 0; i < 1l << LOG2_BATCH; i++) {
        double x = 2 * nas_random(&state) - 1, y = 2 * nas_random(&state) - 1, square = x * x + y * y, scale;

        if (square > 1)
            continue;
        scale = sqrt(-2 * log(square) / square);
        x *= scale;
        y *= scale;
        batch.sum_x += x;
        batch.sum_y += y;
        batch.count[(int)fmax(fabs(x), fabs(y))]++;
    }
    return batch;
}

// In the order of the batches, whoever computed them.
static struct batch total(const struct batch* batches, long count) {
    struct batch all = {0};

    for (long i = 0; i < count; i++) {
        all.sum_x += batches[i].sum_x;
        all.sum_y += batches[i].sum_y;
        for (int a = 0; a < ANNULI; a++)
            all.count[a] += batches[i].count[a];
    }
    return all;
}

int main(int argc, char** argv) {
    int threads = (int)argument(argc, argv, 1, 2);
    long count = 1l << (argument(argc, argv, 2, 24) - LOG2_BATCH);
    struct batch *batches = allocate((size_t)count * sizeof(*batches)), all;
    double begin = now();

#pragma omp parallel for schedule(static) num_threads(threads)
    for (long i = 0; i < count; i++)
        batches[i] = deviates(i);
    all = total(batches, count);
    begin = now() - begin;
    printf("sums %.12e %.12e\n", all.sum_x, all.sum_y);
    for (int a = 0; a < ANNULI; a++)
        printf("annulus %d: %ld\n", a, all.count[a]);
    say_seconds(begin);
    return 0;
}
