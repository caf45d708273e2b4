// SPDX-License-Identifier: GPL-2.0-only
// tree - threads that make threads, wherever they run, and all the ways in which threads end
//
// Usage: tree PART

#include "check.h"

#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static atomic_int alive, ended;

// Each thread makes two more until the depth is used up, and returns how many there were below it.
static void* grow(void* argument) {
    int depth = (uintptr_t)argument;
    uintptr_t below = 0;

    if (depth) {
        pthread_t left = start(grow, depth - 1), right = start(grow, depth - 1);

        below = join(left) + join(right);
    }
    return (void*)(below + 1);
}

static void part_grow(void) {
    CHECK_EQUAL(join(start(grow, 3)), 15);
}

// A chain: each thread makes the next one and ends at once; the last one tells.
static void* hand_on(void* argument) {
    int left = (uintptr_t)argument;
    pthread_t next;

    atomic_fetch_add(&alive, 1);
    if (left) {
        CHECK(pthread_create(&next, NULL, hand_on, (void*)(uintptr_t)(left - 1)) == 0);
        CHECK(pthread_detach(next) == 0);
    }
    atomic_fetch_add(&ended, 1);
    return NULL;
}

static void part_chain(void) {
    join(start(hand_on, 20));
    while (atomic_load(&ended) < 21)
        sched_yield();
}

static pthread_key_t key;
static atomic_int destroyed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int initialised;

static void destroy(void* value) {
    atomic_fetch_add(&destroyed, *(int*)value), free(value);
}

static void initialise(void) {
    atomic_fetch_add(&initialised, 1);
}

static __thread int own = 5;

static void* use_own(void* argument) {
    int* value = malloc(sizeof(*value));

    CHECK_EQUAL(own, 5);
    own = (uintptr_t)argument;
    pthread_once(&once, initialise);
    *value = 1;
    CHECK(pthread_setspecific(key, value) == 0);
    sched_yield();
    CHECK_EQUAL(own, (uintptr_t)argument);
    CHECK(pthread_getspecific(key) == value);
    return NULL;
}

static void part_own(void) {
    CHECK(pthread_key_create(&key, destroy) == 0);
    in_threads(8, use_own);
    CHECK_EQUAL(destroyed, 8);
    CHECK_EQUAL(initialised, 1);
}

// Cancelled while blocked in a call, while computing, and not before it allows it.
static atomic_int cleaned, reached;

static void clean(void* argument) {
    atomic_fetch_add(&cleaned, 1);
}

static void* block(void* argument) {
    pthread_cleanup_push(clean, NULL);
    atomic_fetch_add(&reached, 1);
    for (;;)
        sleep(1000);
    pthread_cleanup_pop(0);
    return NULL;
}

static void* compute(void* argument) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    pthread_cleanup_push(clean, NULL);
    atomic_fetch_add(&reached, 1);
    for (;;)
        asm volatile("");
    pthread_cleanup_pop(0);
    return NULL;
}

static void* refuse(void* argument) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    atomic_fetch_add(&reached, 1);
    usleep(50000);
    return (void*)7;
}

static void cancel(thread_function function, uintptr_t result) {
    int before = atomic_load(&reached);
    pthread_t thread = start(function, 0);

    while (atomic_load(&reached) == before)
        sched_yield();
    CHECK(pthread_cancel(thread) == 0);
    CHECK_EQUAL(join(thread), result);
}

static void part_cancel(void) {
    cancel(block, (uintptr_t)PTHREAD_CANCELED);
    cancel(compute, (uintptr_t)PTHREAD_CANCELED);
    cancel(refuse, 7);
    CHECK_EQUAL(cleaned, 2);
}

// Threads have ids of home, one each, and the process stays one.
static pid_t ids[8];

static void* tell_id(void* argument) {
    uintptr_t mine = (uintptr_t)argument;

    ids[mine] = syscall(SYS_gettid);
    CHECK(syscall(SYS_tgkill, getpid(), ids[mine], 0) == 0);
    return NULL;
}

static void part_ids(void) {
    in_threads(8, tell_id);
    for (int i = 0; i < 8; i++) {
        CHECK(ids[i] > getpid());
        for (int j = 0; j < i; j++)
            CHECK(ids[i] != ids[j]);
    }
}

// As many as asked for at once, then ended in another order.
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void* pass_gate(void* argument) {
    atomic_fetch_add(&alive, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return argument;
}

static void part_many(void) {
    enum { MANY = 200 };
    static pthread_t all[MANY];
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN + 65536);
    pthread_mutex_lock(&gate);
    for (uintptr_t i = 0; i < MANY; i++)
        CHECK(pthread_create(&all[i], &attributes, pass_gate, (void*)i) == 0);
    while (atomic_load(&alive) < MANY)
        usleep(10000);
    pthread_mutex_unlock(&gate);
    for (int i = MANY - 1; i >= 0; i--)
        CHECK_EQUAL(join(all[i]), i);
}

// The first thread ends before the others; the process goes on and ends with the last one.
static void* outlive(void* argument) {
    for (volatile long i = 0; i < 3000000; i++)
        ;
    printf("orphan: right\n");
    exit(3);
}

static void part_orphan(void) {
    start(outlive, 0);
    pthread_exit(NULL);
}

static void* exit_all(void* argument) {
    while (atomic_load(&alive) < 4)
        sched_yield();
    exit(4);
}

// exit() in one thread while others compute and sleep.
static void* never_end(void* argument) {
    atomic_fetch_add(&alive, 1);
    if ((uintptr_t)argument % 2)
        for (;;)
            asm volatile("");
    for (;;)
        sleep(1000);
    return NULL;
}

static void part_exit(void) {
    for (int i = 0; i < 4; i++)
        start(never_end, i);
    join(start(exit_all, 0));
}

static const struct part parts[] = {
    {"grow", part_grow},     {"chain", part_chain},   {"own", part_own},
    {"cancel", part_cancel}, {"ids", part_ids},       {"many", part_many},
    {"exit", part_exit},     {"orphan", part_orphan}, {NULL, NULL},
};

int main(int argc, char** argv) {
    return run_part(parts, argv[1]);
}
