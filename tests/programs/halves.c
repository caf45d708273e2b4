// SPDX-License-Identifier: GPL-2.0-only
// halves - two threads, in turns: each writes its half of an array, then reads the other's
//
// Usage: halves ROUNDS

#include "check.h"

enum { THREADS = 2, HALF = 128, WORDS = 4096 / sizeof(uint64_t) };

struct page {
    uint64_t words[WORDS];
};

static struct page array[THREADS][HALF] __attribute__((aligned(4096)));
static pthread_barrier_t barrier;
static uint64_t rounds;

static void meet(void) {
    int error = pthread_barrier_wait(&barrier);

    CHECK(error == 0 || error == PTHREAD_BARRIER_SERIAL_THREAD);
}

static void* take_turns(void* argument) {
    uintptr_t mine = (uintptr_t)argument, other = 1 - mine;

    for (uint64_t round = 1; round <= rounds; round++) {
        for (int page = 0; page < HALF; page++)
            array[mine][page].words[page] = round;
        meet();
        for (int page = 0; page < HALF; page++)
            CHECK_EQUAL(array[other][page].words[page], round);
        meet();
    }
    return NULL;
}

int main(int argc, char** argv) {
    CHECK(argc == 2, "usage: halves ROUNDS");
    rounds = strtoul(argv[1], NULL, 0);
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    in_threads(THREADS, take_turns);
    printf("halves: right\n");
    return 0;
}
