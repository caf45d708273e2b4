// SPDX-License-Identifier: GPL-2.0-only
// check - what all test programs share: saying what is wrong and giving up, threads, subcommands

#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            int error = errno;                                                                               \
            fprintf(stderr, "%s:%d: %s (errno %s)", __FILE_NAME__, __LINE__, #condition, strerror(error));   \
            fprintf(stderr, " " __VA_ARGS__);                                                                \
            fputc('\n', stderr);                                                                             \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

// Equal as numbers, and says which they were.
#define CHECK_EQUAL(got, wanted)                                                                             \
    do {                                                                                                     \
        long long got_ = (long long)(got), wanted_ = (long long)(wanted);                                    \
        CHECK(got_ == wanted_, "%s is %lld (%#llx), not %lld (%#llx)", #got, got_, got_, wanted_, wanted_);  \
    } while (0)

typedef void* (*thread_function)(void*);

static inline pthread_t start(thread_function function, uintptr_t argument) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, function, (void*)argument);

    CHECK(error == 0, "pthread_create: %s", strerror(error));
    return thread;
}

static inline uintptr_t join(pthread_t thread) {
    void* result;

    CHECK(pthread_join(thread, &result) == 0);
    return (uintptr_t)result;
}

// Threads 0 to count - 1, and wait for all of them.
static inline void in_threads(int count, thread_function function) {
    pthread_t threads[count];

    for (int i = 0; i < count; i++)
        threads[i] = start(function, (uintptr_t)i);
    for (int i = 0; i < count; i++)
        join(threads[i]);
}

// Long enough to leave for another node, if that is to be.
static inline void compute_a_while(void) {
    volatile unsigned x = 1;

    for (int i = 0; i < 3000000; i++)
        x = x * 1664525 + 1013904223;
}

// Zeros that nobody has touched.
static inline void* map_private(size_t bytes) {
    void* block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(block != MAP_FAILED);
    return block;
}

static inline cpu_set_t only(int cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return set;
}

// The calling thread, to that processor.
static inline void go_to(int cpu) {
    cpu_set_t set = only(cpu);

    CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
}

struct part {
    const char* name;
    void (*run)(void);
};

// One part of a program, chosen by its first argument; says so when it is through.
static inline int run_part(const struct part* parts, const char* name) {
    for (; parts->name; parts++)
        if (name && strcmp(parts->name, name) == 0) {
            parts->run();
            printf("%s: right\n", name);
            return 0;
        }
    fprintf(stderr, "no part %s\n", name ? name : "given");
    return 2;
}

#endif
