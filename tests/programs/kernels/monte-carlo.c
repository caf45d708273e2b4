// SPDX-License-Identifier: GPL-2.0-only
// monte-carlo - the price of an Asian option, by simulating the paths of its underlying
//
// Monte Carlo pricing as in PARSEC's swaptions (Bienia et al., PACT 2008): every simulation is independent,
// threads take blocks of them. Paths follow geometric Brownian motion (Black and Scholes 1973; Boyle 1977).
// pthread. Usage: monte-carlo THREADS PATHS

#include "kernel.h"

#include <math.h>

enum { STEPS = 64, BATCH = 256 };

static const double SPOT = 100, STRIKE = 105, RATE = 0.03, VOLATILITY = 0.25, YEARS = 1;

static int threads;
static long batches;
static double** payoffs; // of each thread, the sums of its batches

// SplitMix64 (Steele et al. 2014), in (0, 1).
static double uniform(uint64_t* state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) * 0x1p-53;
}

// Two deviates from two uniform numbers: Box and Muller.
static void gaussian(uint64_t* state, double pair[2]) {
    double radius = sqrt(-2 * log(uniform(state))), angle = 2 * M_PI * uniform(state);

    pair[0] = radius * cos(angle);
    pair[1] = radius * sin(angle);
}

static double payoff(uint64_t path) {
    double step = YEARS / STEPS, drift = (RATE - VOLATILITY * VOLATILITY / 2) * step,
           spread = VOLATILITY * sqrt(step);
    double price = SPOT, sum = 0, pair[2];
    uint64_t state = path << 20;

    for (int i = 0; i < STEPS; i++) {
        if (i % 2 == 0)
            gaussian(&state, pair);
        price *= exp(drift + spread * pair[i % 2]);
        sum += price;
    }
    return fmax(sum / STEPS - STRIKE, 0) * exp(-RATE * YEARS);
}

static void* simulate(void* argument) {
    int thread = (int)(uintptr_t)argument;
    struct range mine = block_of(batches, thread, threads);
    double* sums = payoffs[thread] = allocate((size_t)(mine.end - mine.begin) * sizeof(*sums));

    for (long batch = mine.begin; batch < mine.end; batch++) {
        double sum = 0;

        for (long i = 0; i < BATCH; i++)
            sum += payoff((uint64_t)(batch * BATCH + i));
        sums[batch - mine.begin] = sum;
    }
    return NULL;
}

// In the order of the batches, whoever computed them.
static double total(void) {
    double sum = 0;

    for (int thread = 0; thread < threads; thread++) {
        struct range block = block_of(batches, thread, threads);

        for (long i = 0; i < block.end - block.begin; i++)
            sum += payoffs[thread][i];
    }
    return sum;
}

int main(int argc, char** argv) {
    double begin, sum;

    threads = (int)argument(argc, argv, 1, 2);
    batches = argument(argc, argv, 2, 1 << 16) / BATCH;
    payoffs = allocate((size_t)threads * sizeof(*payoffs));
    begin = now();
    in_threads(threads, simulate);
    sum = total();
    begin = now() - begin;
    printf("price %.15g\n", sum / (double)(batches * BATCH));
    say_seconds(begin);
    return 0;
}
