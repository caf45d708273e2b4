// SPDX-License-Identifier: GPL-2.0-only
/*
 * threads - pthreads that compute, lock, allocate and check each other
 *
 * Usage: threads [THREADS [ROUNDS]].  Prints one line that does not depend on
 * how the threads were scheduled; exits with 1 if shared memory was not shared.
 */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static uint64_t total;
static uint64_t entries;
static int rounds;

static uint64_t compute(uint64_t seed) {
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
    int i;

    for (i = 0; i < 200000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return x;
}

static void* work(void* arg) {
    uint64_t id = (uintptr_t)arg, sum = 0;
    int i;

    pthread_barrier_wait(&barrier);
    for (i = 0; i < rounds; i++) {
        char* p = malloc(10000 + id);

        memset(p, (int)id, 10000 + id);
        sum += compute(id * 1000 + i) + p[5000];
        free(p);
        pthread_mutex_lock(&lock);
        total += sum;
        entries++;
        pthread_mutex_unlock(&lock);
    }
    return (void*)(uintptr_t)sum;
}

int main(int argc, char** argv) {
    int n = argc > 1 ? atoi(argv[1]) : 4, i;
    pthread_t* threads = calloc(n, sizeof(*threads));
    uint64_t check = 0;

    rounds = argc > 2 ? atoi(argv[2]) : 10;
    pthread_barrier_init(&barrier, NULL, n);
    for (i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, work, (void*)(uintptr_t)(i + 1)))
            return 2;
    for (i = 0; i < n; i++) {
        void* sum;

        pthread_join(threads[i], &sum);
        check += (uintptr_t)sum;
    }
    free(threads);
    printf("%d threads, %llu entries, total %llx, check %llx\n", n, (unsigned long long)entries,
           (unsigned long long)total, (unsigned long long)check);
    return entries != (uint64_t)n * rounds;
}
