// SPDX-License-Identifier: GPL-2.0-only
// turns - threads that take turns at one page, and threads that do not: on which processors?
//
// Usage: turns PART, on nodes with one processor each

#include "check.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

enum { THREADS = 4, SECONDS = 6, UNKNOWN = -1 };

// Where each thread was last; on pages of their own, so that looking around is all that is shared.
static struct { alignas(4096) atomic_int cpu; } at[THREADS];

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long turns;

static void take_a_turn(int me) {
    pthread_mutex_lock(&turn);
    turns++;
    pthread_mutex_unlock(&turn);
    at[me].cpu = sched_getcpu();
}

// On how many processors are they?  UNKNOWN while some have not begun, or are at home, which has the first.
static int processors(void) {
    cpu_set_t set;

    CPU_ZERO(&set);
    for (int i = 0; i < THREADS; i++) {
        int cpu = at[i].cpu;

        if (cpu == UNKNOWN || cpu == 0)
            return UNKNOWN;
        CPU_SET(cpu, &set);
    }
    return CPU_COUNT(&set);
}

static bool later_than(const struct timespec* begin, int seconds) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - begin->tv_sec >= seconds;
}

static void* come_together(void* argument) {
    int me = (int)(uintptr_t)argument;

    at[me].cpu = sched_getcpu();
    while (processors() == UNKNOWN)
        sched_yield();
    while (processors() != 1)
        take_a_turn(me);
    return NULL;
}

static void* part_again(void* argument) {
    int me = (int)(uintptr_t)argument;

    while (processors() != 2) {
        compute_a_while();
        at[me].cpu = sched_getcpu();
    }
    return NULL;
}

static bool takes_turns;

// A thread that has left home keeps its processor.
static void* keep_a_while(void* argument) {
    int me = (int)(uintptr_t)argument;
    int cpu = sched_getcpu();
    struct timespec begin;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (!later_than(&begin, SECONDS)) {
        if (takes_turns)
            take_a_turn(me);
        else
            compute_a_while();
        CHECK_EQUAL(sched_getcpu(), cpu);
    }
    return NULL;
}

static void* keep_where_asked(void* argument) {
    go_to(1 + (int)(uintptr_t)argument % 2);
    return keep_a_while(argument);
}

static void meet(void) {
    for (int i = 0; i < THREADS; i++)
        at[i].cpu = UNKNOWN;
    in_threads(THREADS, come_together);
}

static void run_together(void) {
    meet();
}

static void run_again(void) {
    meet();
    in_threads(THREADS, part_again);
}

static void run_compute(void) {
    in_threads(THREADS, keep_a_while);
}

static void run_keep(void) {
    takes_turns = true;
    in_threads(THREADS, keep_a_while);
}

static void run_pinned(void) {
    takes_turns = true;
    go_to(1);
    in_threads(THREADS, keep_where_asked);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"together", run_together}, {"again", run_again},   {"compute", run_compute},
        {"keep", run_keep},         {"pinned", run_pinned}, {},
    };

    return run_part(parts, argv[1]);
}
