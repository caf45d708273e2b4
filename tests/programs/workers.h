// SPDX-License-Identifier: GPL-2.0-only
// workers - threads that run elsewhere and do to memory what they are told, one order at a time

#ifndef WORKERS_H
#define WORKERS_H

#include "faults.h"

#include <stdatomic.h>

enum { PAGE = 4096, USERS = 3 };

enum order { READ, WRITE, QUIT };
enum { SIGNAL = 1000 }; // what a fault answers: this plus si_code

struct worker {
    pthread_t thread;
    enum order order;
    volatile uint8_t* address;
    int value, result;
    atomic_int turn; // even: the boss's
};

static struct worker workers[USERS];

static void wait_turn(struct worker* w, int parity) {
    while (atomic_load(&w->turn) % 2 != parity)
        sched_yield();
}

static void obey(struct worker* w) {
    if (sigsetjmp(escape, 1)) {
        CHECK_EQUAL((uintptr_t)caught.si_addr, (uintptr_t)w->address);
        w->result = SIGNAL + caught.si_code;
    } else if (w->order == READ) {
        w->result = *w->address;
    } else {
        *w->address = w->value;
        w->result = 0;
    }
}

static void* serve(void* argument) {
    struct worker* w = &workers[(uintptr_t)argument];

    for (;;) {
        wait_turn(w, 1);
        if (w->order == QUIT)
            return NULL;
        obey(w);
        atomic_fetch_add(&w->turn, 1);
    }
}

static int ask(int user, enum order order, volatile uint8_t* address, int value) {
    struct worker* w = &workers[user];

    w->order = order;
    w->address = address;
    w->value = value;
    atomic_fetch_add(&w->turn, 1);
    if (order == QUIT)
        return 0;
    wait_turn(w, 0);
    return w->result;
}

static void hire(void) {
    catch_faults();
    for (int i = 0; i < USERS; i++)
        workers[i].thread = start(serve, i);
}

static void dismiss(void) {
    for (int i = 0; i < USERS; i++) {
        ask(i, QUIT, NULL, 0);
        join(workers[i].thread);
    }
}

// Every worker has the page in its hands one after another, so that all of them have something to lose.
static inline void let_all_touch(uint8_t* address, int value) {
    for (int i = 0; i < USERS; i++) {
        CHECK_EQUAL(ask(i, WRITE, address, value + i), 0);
        CHECK_EQUAL(*address, value + i);
    }
    for (int i = 0; i < USERS; i++)
        CHECK_EQUAL(ask(i, READ, address, 0), value + USERS - 1);
}

static inline void expect_everywhere(uint8_t* address, int value) {
    for (int i = 0; i < USERS; i++)
        CHECK_EQUAL(ask(i, READ, address, 0), value);
    CHECK_EQUAL(*address, value);
}

#endif
