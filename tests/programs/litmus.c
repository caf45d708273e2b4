// SPDX-License-Identifier: GPL-2.0-only
// litmus - the classical shapes that tell memory models apart, thread against thread
//
// Usage: litmus SHAPE same|apart ITERATIONS [spread]
//
// The variables are on the same page or on different ones; with spread, threads take the processors in turn.
// Prints how many iterations there were, how many different outcomes they had, and how many of them
// sequential consistency forbids.

#include "check.h"

#include <sched.h>
#include <stdbool.h>

enum { THREADS = 4, READS = 2, OUTCOMES = 4096, PAGE = 4096 };

typedef volatile int var;
typedef void (*body)(var* x, var* y, int* r);

struct outcome {
    int r[THREADS][READS];
    int x, y; // what was left there
};

// ---- what threads do ----

#define BODY(name, ...)                                                                                      \
    static void name(var* x, var* y, int* r) {                                                               \
        __VA_ARGS__                                                                                          \
    }

BODY(write_x, *x = 1;)
BODY(write_y, *y = 1;)
BODY(write_x_y, *x = 1; *y = 1;)
BODY(write_x_write_y2, *x = 1; *y = 2;)
BODY(write_y_write_x2, *y = 1; *x = 2;)
BODY(write_x2_write_y, *x = 2; *y = 1;)
BODY(write_x_read_y, *x = 1; r[0] = *y;)
BODY(write_y_read_x, *y = 1; r[0] = *x;)
BODY(write_y2_read_x, *y = 2; r[0] = *x;)
BODY(read_x_write_y, r[0] = *x; *y = 1;)
BODY(read_y_write_x, r[0] = *y; *x = 1;)
BODY(read_x_y, r[0] = *x; r[1] = *y;)
BODY(read_y_x, r[0] = *y; r[1] = *x;)
BODY(read_x_x, r[0] = *x; r[1] = *x;)

// ---- what must not come of it ----

#define FORBIDDEN(name, condition)                                                                           \
    static bool name(const struct outcome* o) {                                                              \
        return condition;                                                                                    \
    }

FORBIDDEN(mp, o->r[1][0] == 1 && o->r[1][1] == 0)
FORBIDDEN(sb, o->r[0][0] == 0 && o->r[1][0] == 0)
FORBIDDEN(lb, o->r[0][0] == 1 && o->r[1][0] == 1)
FORBIDDEN(two_writes, o->x == 1 && o->y == 1)
FORBIDDEN(r, o->y == 2 && o->r[1][0] == 0)
FORBIDDEN(s, o->r[1][0] == 1 && o->x == 2)
FORBIDDEN(wrc, o->r[1][0] == 1 && o->r[2][0] == 1 && o->r[2][1] == 0)
FORBIDDEN(rwc, o->r[1][0] == 1 && o->r[1][1] == 0 && o->r[2][0] == 0)
FORBIDDEN(iriw, o->r[2][0] == 1 && o->r[2][1] == 0 && o->r[3][0] == 1 && o->r[3][1] == 0)
FORBIDDEN(corr, o->r[1][0] == 1 && o->r[1][1] == 0)

static const struct shape {
    const char* name;
    bool (*forbidden)(const struct outcome*);
    body bodies[THREADS];
} shapes[] = {
    {"MP", mp, {write_x_y, read_y_x}},
    {"SB", sb, {write_x_read_y, write_y_read_x}},
    {"LB", lb, {read_x_write_y, read_y_write_x}},
    {"2+2W", two_writes, {write_x_write_y2, write_y_write_x2}},
    {"R", r, {write_x_y, write_y2_read_x}},
    {"S", s, {write_x2_write_y, read_y_write_x}},
    {"WRC", wrc, {write_x, read_x_write_y, read_y_x}},
    {"RWC", rwc, {write_x, read_x_y, write_y_read_x}},
    {"IRIW", iriw, {write_x, write_y, read_x_y, read_y_x}},
    {"CoRR", corr, {write_x, read_x_x}},
};

// ---- the run ----

static const struct shape* shape;
static int threads;
static long iterations;
static bool on_all_processors;
static cpu_set_t all;

static char memory[4 * PAGE] __attribute__((aligned(PAGE)));
static var *x, *y;

static struct outcome outcome __attribute__((aligned(PAGE)));
static struct outcome seen[OUTCOMES];
static long different, forbidden;

// All threads meet here; it lies on a page of its own.
static struct {
    int arrived;
    int round;
} meeting __attribute__((aligned(PAGE)));

static void meet(void) {
    const int round = __atomic_load_n(&meeting.round, __ATOMIC_ACQUIRE);

    if (__atomic_add_fetch(&meeting.arrived, 1, __ATOMIC_ACQ_REL) == threads) {
        __atomic_store_n(&meeting.arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&meeting.round, round + 1, __ATOMIC_RELEASE);
        return;
    }
    for (int spins = 0; __atomic_load_n(&meeting.round, __ATOMIC_ACQUIRE) == round; spins++)
        if (spins > 1000)
            sched_yield();
}

static void count(void) {
    outcome.x = *x;
    outcome.y = *y;
    forbidden += shape->forbidden(&outcome);
    for (int i = 0; i < different; i++)
        if (memcmp(&seen[i], &outcome, sizeof(outcome)) == 0)
            return;
    if (different < OUTCOMES)
        seen[different++] = outcome;
}

static void go_to_processor(int number) {
    int cpu = -1;

    for (number %= CPU_COUNT(&all); number >= 0; number--)
        for (cpu++; !CPU_ISSET(cpu, &all);)
            cpu++;
    go_to(cpu);
}

static void* run(void* argument) {
    const int me = (int)(uintptr_t)argument;
    unsigned random = (unsigned)me + 1;

    if (on_all_processors)
        go_to_processor(me);
    for (long i = 0; i < iterations; i++) {
        int r[READS] = {0};

        meet();
        // Not always the same one is first.
        random = random * 1664525 + 1013904223;
        for (volatile unsigned wait = (random >> 16) % 64; wait; wait--)
            ;
        shape->bodies[me](x, y, r);
        memcpy(outcome.r[me], r, sizeof(r));
        meet();
        if (me == 0) {
            count();
            memset(&outcome, 0, sizeof(outcome));
            *x = *y = 0;
        }
    }
    return NULL;
}

int main(int argc, char** argv) {
    CHECK(argc >= 4, "usage: litmus SHAPE same|apart ITERATIONS [spread]");
    for (const struct shape* s = shapes; s < shapes + sizeof(shapes) / sizeof(shapes[0]); s++)
        if (strcmp(s->name, argv[1]) == 0)
            shape = s;
    CHECK(shape, "no shape %s", argv[1]);
    while (threads < THREADS && shape->bodies[threads])
        threads++;
    x = (var*)memory;
    y = (var*)(memory + (strcmp(argv[2], "apart") == 0 ? PAGE : 64));
    iterations = atol(argv[3]);
    on_all_processors = argc > 4;
    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
    in_threads(threads, run);
    printf("%s: %ld iterations, %ld outcomes, %ld forbidden\n", shape->name, iterations, different,
           forbidden);
    return 0;
}
