// SPDX-License-Identifier: GPL-2.0-only
// realtime - processes of different real-time priority that share a page
//
// Usage: realtime family | threads

#include "check.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { ROUNDS = 40, HELPERS = 2 };

struct shared {
    pthread_mutex_t mutex;
    long counted;
    atomic_int ready;
    atomic_int finished;
};

static struct shared* shared;

static void set_priority(int priority) {
    const struct sched_param param = {.sched_priority = priority};

    CHECK(sched_setscheduler(0, SCHED_FIFO, &param) == 0);
}

static void share(void) {
    pthread_mutexattr_t attributes;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) == 0);
    CHECK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutex_init(&shared->mutex, &attributes) == 0);
}

static void* help(void* priority) {
    set_priority((int)(uintptr_t)priority);
    atomic_fetch_add(&shared->ready, 1);
    for (int round = 0; round < ROUNDS; round++) {
        CHECK(pthread_mutex_lock(&shared->mutex) == 0);
        shared->counted++;
        CHECK(pthread_mutex_unlock(&shared->mutex) == 0);
        usleep(500);
    }
    atomic_fetch_add(&shared->finished, 1);
    return NULL;
}

// The least important one does not sleep: natively the others get the processor all the same.
static void spin(void) {
    while (atomic_load(&shared->ready) < HELPERS)
        usleep(1000);
    set_priority(1);
    while (atomic_load(&shared->finished) < HELPERS) {
        CHECK(pthread_mutex_lock(&shared->mutex) == 0);
        CHECK(pthread_mutex_unlock(&shared->mutex) == 0);
    }
    CHECK_EQUAL(shared->counted, (long)HELPERS * ROUNDS);
}

static void family(void) {
    int status;

    share();
    for (int i = 0; i < HELPERS; i++) {
        const pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0) {
            help((void*)(uintptr_t)(2 + i));
            _exit(0);
        }
    }
    spin();
    for (int i = 0; i < HELPERS; i++)
        CHECK(wait(&status) > 0 && status == 0);
}

static void threads(void) {
    pthread_t helpers[HELPERS];

    share();
    for (int i = 0; i < HELPERS; i++)
        helpers[i] = start(help, 2 + i);
    spin();
    for (int i = 0; i < HELPERS; i++)
        join(helpers[i]);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"family", family},
        {"threads", threads},
        {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
