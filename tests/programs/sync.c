// SPDX-License-Identifier: GPL-2.0-only
// sync - every way in which threads wait for each other, all of it futexes underneath
//
// Usage: sync PART [THREADS]

#include "check.h"

#include <linux/futex.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

enum { MAX_THREADS = 64, ROUNDS = 40 };

static int threads = 4;
static long counter;

static struct timespec in_ms(clockid_t clock, long ms) {
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void* count_locked(void* argument) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        long seen = counter;
        for (volatile int spin = 0; spin < 100; spin++)
            ;
        counter = seen + 1;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void count_with(int type, int protocol) {
    pthread_mutexattr_t attributes;

    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_settype(&attributes, type) == 0);
    CHECK(pthread_mutexattr_setprotocol(&attributes, protocol) == 0);
    CHECK(pthread_mutex_init(&mutex, &attributes) == 0);
    counter = 0;
    in_threads(threads, count_locked);
    CHECK_EQUAL(counter, threads * ROUNDS);
    CHECK(pthread_mutex_destroy(&mutex) == 0);
}

static void part_mutex(void) {
    count_with(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE);
    count_with(PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE);
    count_with(PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE);
}

static void part_pi_mutex(void) {
    count_with(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT);
}

// Its owner ends while holding it: the kernel walks the dead thread's list of locks.
static void* die_holding(void* argument) {
    CHECK(pthread_mutex_lock(&mutex) == 0);
    return NULL;
}

static void part_robust_mutex(void) {
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutex_init(&mutex, &attributes) == 0);
    for (int i = 0; i < threads; i++) {
        pthread_t owner = start(die_holding, i);

        join(owner);
        CHECK_EQUAL(pthread_mutex_lock(&mutex), EOWNERDEAD);
        CHECK(pthread_mutex_consistent(&mutex) == 0);
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
}

// A token goes round: each thread sleeps until it is its turn.
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int token;

static void* pass_token(void* argument) {
    int mine = (uintptr_t)argument;

    for (int round = 0; round < ROUNDS / 4; round++) {
        pthread_mutex_lock(&mutex);
        while (token % threads != mine)
            pthread_cond_wait(&turned, &mutex);
        token++;
        pthread_cond_broadcast(&turned);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void part_cond(void) {
    struct timespec end;

    in_threads(threads, pass_token);
    CHECK_EQUAL(token, threads * (ROUNDS / 4));
    pthread_mutex_lock(&mutex);
    end = in_ms(CLOCK_REALTIME, 50);
    CHECK_EQUAL(pthread_cond_timedwait(&turned, &mutex, &end), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

static pthread_barrier_t barrier;
static int phase_of[MAX_THREADS];
static atomic_int serials;

static void* march(void* argument) {
    int mine = (uintptr_t)argument;

    for (int phase = 1; phase <= ROUNDS / 2; phase++) {
        phase_of[mine] = phase;
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            atomic_fetch_add(&serials, 1);
        for (int i = 0; i < threads; i++)
            CHECK_EQUAL(phase_of[i], phase);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void part_barrier(void) {
    pthread_barrier_init(&barrier, NULL, threads);
    in_threads(threads, march);
    CHECK_EQUAL(serials, ROUNDS / 2);
    pthread_barrier_destroy(&barrier);
}

// Two words that are equal whenever nobody writes.
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile long left, right;

static void* read_or_write(void* argument) {
    int mine = (uintptr_t)argument;

    for (int i = 0; i < ROUNDS; i++)
        if ((i + mine) % 4) {
            pthread_rwlock_rdlock(&rwlock);
            CHECK_EQUAL(left, right);
            pthread_rwlock_unlock(&rwlock);
        } else {
            pthread_rwlock_wrlock(&rwlock);
            left++;
            right++;
            pthread_rwlock_unlock(&rwlock);
        }
    return NULL;
}

static void part_rwlock(void) {
    in_threads(threads, read_or_write);
    CHECK_EQUAL(left, threads * ROUNDS / 4);
}

// A bounded buffer between producers and consumers.
enum { PLACES = 4 };
static sem_t empty, full;
static int places[PLACES];
static atomic_uint head, tail;
static atomic_long consumed;

static void* produce_and_consume(void* argument) {
    int mine = (uintptr_t)argument;

    for (int i = 1; i <= ROUNDS; i++)
        if (mine % 2) {
            CHECK(sem_wait(&empty) == 0);
            pthread_mutex_lock(&mutex);
            places[tail++ % PLACES] = i;
            pthread_mutex_unlock(&mutex);
            sem_post(&full);
        } else {
            CHECK(sem_wait(&full) == 0);
            pthread_mutex_lock(&mutex);
            consumed += places[head++ % PLACES];
            pthread_mutex_unlock(&mutex);
            sem_post(&empty);
        }
    return NULL;
}

static void part_sem(void) {
    struct timespec end;

    CHECK(threads % 2 == 0);
    sem_init(&empty, 0, PLACES);
    sem_init(&full, 0, 0);
    in_threads(threads, produce_and_consume);
    CHECK_EQUAL(consumed, threads / 2 * (ROUNDS * (ROUNDS + 1) / 2));
    end = in_ms(CLOCK_REALTIME, 50);
    CHECK(sem_timedwait(&full, &end) == -1 && errno == ETIMEDOUT);
}

// Locks without the kernel: a ticket lock, and Peterson's, which needs a fence on x86 and nothing more.
static atomic_uint next_ticket, now_serving;

static void* take_tickets(void* argument) {
    for (int i = 0; i < ROUNDS; i++) {
        unsigned mine = atomic_fetch_add(&next_ticket, 1);

        while (atomic_load(&now_serving) != mine)
            sched_yield();
        counter++;
        atomic_store(&now_serving, mine + 1);
    }
    return NULL;
}

static atomic_int wants[2], victim;

static void* peterson(void* argument) {
    int mine = (uintptr_t)argument;

    for (int i = 0; i < ROUNDS; i++) {
        atomic_store(&wants[mine], 1);
        atomic_store(&victim, mine);
        while (atomic_load(&wants[!mine]) && atomic_load(&victim) == mine)
            sched_yield();
        counter++;
        atomic_store(&wants[mine], 0);
    }
    return NULL;
}

static void part_spin(void) {
    in_threads(threads, take_tickets);
    CHECK_EQUAL(counter, threads * ROUNDS);
    counter = 0;
    in_threads(2, peterson);
    CHECK_EQUAL(counter, 2 * ROUNDS);
}

// The bare call: requeue, bitsets, wake counts, timeouts, and a word that has changed already.
static uint32_t word, other_word;
static atomic_int waiting, woken;

static long futex(uint32_t* at, int operation, uint32_t value, const struct timespec* limit, uint32_t* to,
                  uint32_t third) {
    return syscall(SYS_futex, at, operation | FUTEX_PRIVATE_FLAG, value, limit, to, third);
}

static void* wait_on_word(void* argument) {
    atomic_fetch_add(&waiting, 1);
    CHECK(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, (uintptr_t)argument + 1) == 0);
    atomic_fetch_add(&woken, 1);
    return NULL;
}

static long wake_until(uint32_t* at, int count, uint32_t bits) {
    long sum = 0;

    while (sum < count) {
        long n = futex(at, FUTEX_WAKE_BITSET, count - sum, NULL, NULL, bits);

        CHECK(n >= 0);
        sum += n;
        sched_yield();
    }
    return sum;
}

static void part_futex(void) {
    struct timespec limit = {0, 50000000};
    pthread_t waiters[4];

    CHECK(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0) == -1 && errno == EAGAIN);
    CHECK(futex(&word, FUTEX_WAIT, 0, &limit, NULL, 0) == -1 && errno == ETIMEDOUT);
    CHECK_EQUAL(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    // Bits 1, 2, 3, 4: the waiter with bit 4 alone, then those with bit 2.
    for (int i = 0; i < 4; i++)
        waiters[i] = start(wait_on_word, i);
    wake_until(&word, 1, 4);
    join(waiters[3]);
    CHECK_EQUAL(woken, 1);
    wake_until(&word, 2, 2);
    join(waiters[1]);
    join(waiters[2]);
    // The last one is moved to another word and woken there.
    while (futex(&word, FUTEX_REQUEUE, 0, (void*)1, &other_word, 0) != 1)
        sched_yield();
    CHECK_EQUAL(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    CHECK_EQUAL(futex(&other_word, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    join(waiters[0]);
    CHECK_EQUAL(woken, 4);
}

static const struct part parts[] = {
    {"mutex", part_mutex}, {"pi-mutex", part_pi_mutex}, {"robust-mutex", part_robust_mutex},
    {"cond", part_cond},   {"barrier", part_barrier},   {"rwlock", part_rwlock},
    {"sem", part_sem},     {"spin", part_spin},         {"futex", part_futex},
    {NULL, NULL},
};

int main(int argc, char** argv) {
    if (argc > 2)
        threads = atoi(argv[2]);
    CHECK(threads >= 2 && threads <= MAX_THREADS);
    return run_part(parts, argv[1]);
}
