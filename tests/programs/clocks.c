// SPDX-License-Identifier: GPL-2.0-only
// clocks - time does not step back for a thread that moves, and is home's time
//
// Usage: clocks steady | sleep | files | drift | seconds | counter | cpu | irregular

#include "check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static const clockid_t clocks[] = {
    CLOCK_REALTIME,         CLOCK_MONOTONIC,       CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
    CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE, CLOCK_TAI,
};
enum { CLOCKS = sizeof(clocks) / sizeof(clocks[0]), MS = 1000000 };

static int64_t nanoseconds(struct timespec t) {
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t now(clockid_t clock) {
    struct timespec t;

    CHECK(clock_gettime(clock, &t) == 0);
    return nanoseconds(t);
}

static int64_t now_by_system_call(clockid_t clock) {
    struct timespec t;

    CHECK(syscall(SYS_clock_gettime, clock, &t) == 0);
    return nanoseconds(t);
}

static int64_t time_of_day(void) {
    struct timeval t;

    CHECK(syscall(SYS_gettimeofday, &t, NULL) == 0);
    return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL;
}

// Coarse clocks tell when a node's last tick was, and every node has ticks of its own: a thread that moves
// may see one step back, by a tick and by what that tick was late.
static int64_t allowed_step_back(clockid_t clock) {
    return clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_REALTIME_COARSE ? 20 * MS : 0;
}

static void* watch(void* argument) {
    const int64_t end = now(CLOCK_MONOTONIC) + 1500 * MS;
    int64_t last[CLOCKS] = {0};

    while (now(CLOCK_MONOTONIC) < end)
        for (int i = 0; i < CLOCKS; i++) {
            int64_t t = now(clocks[i]);

            CHECK(t >= last[i] - allowed_step_back(clocks[i]), "clock %d: %lld ns back", clocks[i],
                  (long long)(last[i] - t));
            last[i] = now_by_system_call(clocks[i]);
            CHECK(last[i] >= t - allowed_step_back(clocks[i]), "clock %d, system call: %lld ns back",
                  clocks[i], (long long)(t - last[i]));
        }
    return NULL;
}

static void steady(void) {
    in_threads(3, watch);
}

static void* doze(void* argument) {
    const struct timespec wanted = {0, 30 * MS};

    for (int round = 0; round < 5; round++)
        for (int i = 0; i < CLOCKS; i++) {
            const int64_t before = now(clocks[i]);

            CHECK(clock_nanosleep(CLOCK_REALTIME, 0, &wanted, NULL) == 0);
            // Coarse clocks are up to two ticks late.
            CHECK(now(clocks[i]) - before >= 30 * MS - 20 * MS, "clock %d", clocks[i]);
            CHECK(now(clocks[i]) - before < 30000LL * MS, "clock %d", clocks[i]);
        }
    return NULL;
}

static void sleeps(void) {
    in_threads(3, doze);
}

// A file's time is home's, and the program's clock agrees with it.
static void* touch(void* argument) {
    char name[64];

    snprintf(name, sizeof(name), "/tmp/clocks-%d-%d", getpid(), (int)(uintptr_t)argument);
    for (int round = 0; round < 20; round++) {
        const int64_t before = round % 2 ? now(CLOCK_REALTIME) : time_of_day();
        int file = open(name, O_CREAT | O_WRONLY, 0600);
        struct stat status;

        CHECK(file >= 0 && write(file, "x", 1) == 1 && fstat(file, &status) == 0 && close(file) == 0);
        const int64_t written = nanoseconds(status.st_mtim);
        CHECK(written > before - 25 * MS, "%lld ns too early", (long long)(before - written));
        CHECK(written < now_by_system_call(CLOCK_REALTIME) + 5 * MS, "too late");
        CHECK(unlink(name) == 0);
    }
    return NULL;
}

static void files(void) {
    in_threads(3, touch);
}

// A node whose clock goes at another rate tells home's time nevertheless.
static void* stay_and_touch(void* argument) {
    const int64_t end = now(CLOCK_MONOTONIC) + 6000LL * MS;

    while (now(CLOCK_MONOTONIC) < end)
        continue;
    return touch(argument);
}

static void drift(void) {
    in_threads(3, stay_and_touch);
}

static _Thread_local sigjmp_buf behind;

static void escape(int number) {
    siglongjmp(behind, number);
}

// The vDSO writes where it is told to, or traps.
static void write_second_to(time_t* volatile nowhere) {
    CHECK(signal(SIGSEGV, escape) != SIG_ERR);
    if (sigsetjmp(behind, 1) == 0) {
        time(nowhere);
        CHECK(false, "no signal");
    }
}

// The vDSO's time() is home's, too: the second of the wall clock at the last tick.
static void* count_seconds(void* argument) {
    const int64_t end = now(CLOCK_MONOTONIC) + 1500 * MS;

    while (now(CLOCK_MONOTONIC) < end) {
        const int64_t before = now(CLOCK_REALTIME_COARSE), second = 1000LL * MS;
        time_t stored, returned = time(&stored);

        CHECK(returned == stored);
        CHECK(returned >= (before - allowed_step_back(CLOCK_REALTIME_COARSE)) / second, "%lld s early",
              (long long)(before / second - returned));
        CHECK(time(NULL) <= now(CLOCK_REALTIME) / second, "late");
    }
    write_second_to((time_t*)8);
    return NULL;
}

static void seconds(void) {
    in_threads(3, count_seconds);
}

// The counter of cycles traps for a thread that has asked for that, and for no other one.
static void* forbid_counter(void* forbids) {
    const int64_t end = now(CLOCK_MONOTONIC) + 50 * MS;

    CHECK(signal(SIGSEGV, escape) != SIG_ERR);
    while (now(CLOCK_MONOTONIC) < end)
        __builtin_ia32_rdtsc();
    if (!forbids)
        return NULL;
    CHECK(prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0);
    if (sigsetjmp(behind, 1) == 0) {
        __builtin_ia32_rdtsc();
        CHECK(false, "no signal");
    }
    CHECK(prctl(PR_SET_TSC, PR_TSC_ENABLE) == 0);
    __builtin_ia32_rdtsc();
    return NULL;
}

static void counter(void) {
    in_threads(3, forbid_counter);
}

// A thread computes, and others see its CPU time grow while it does, soon and not too early.
enum { BURN = 2000, LATE = 40 }; // ms; it may be 10 late, the rest is for a busy machine
static _Atomic bool burnt, looked;

static void* burn(void* argument) {
    const int64_t begin = now(CLOCK_MONOTONIC);

    while (now(CLOCK_MONOTONIC) < begin + BURN * MS)
        continue;
    burnt = true;
    while (!looked)
        continue;
    return (void*)(uintptr_t)now_by_system_call(CLOCK_THREAD_CPUTIME_ID);
}

static void cpu(void) {
    const int64_t begin = now(CLOCK_MONOTONIC);
    pthread_t thread = start(burn, 0);
    int64_t seen = 0, later, at;
    clockid_t clock;

    CHECK(pthread_getcpuclockid(thread, &clock) == 0);
    while (!burnt) {
        later = now_by_system_call(clock);
        CHECK(later >= seen && later < now(CLOCK_MONOTONIC) - begin + LATE * MS);
        seen = later;
        usleep(50000);
    }
    at = now(CLOCK_MONOTONIC);
    seen = now_by_system_call(clock);
    looked = true;
    later = join(thread);
    at = now(CLOCK_MONOTONIC) - at;
    CHECK(later >= seen && later - seen < at + LATE * MS, "%lld ns late", (long long)(later - seen - at));
}

// Threads that compute now and then, and in between wait for each other's page: no call is made.
enum { JUGGLE = 15 }; // s
static _Alignas(4096) _Atomic unsigned ball;

static void* juggle(void* argument) {
    const int64_t end = now(CLOCK_MONOTONIC) + (int64_t)JUGGLE * 1000 * MS;
    unsigned random = (unsigned)(uintptr_t)argument;

    while (now(CLOCK_MONOTONIC) < end) {
        const int64_t until = now(CLOCK_MONOTONIC) + (random = random * 1664525 + 1013904223) % (5 * MS);

        while (now(CLOCK_MONOTONIC) < until)
            continue;
        ball++;
    }
    return NULL;
}

static void irregular(void) {
    in_threads(3, juggle);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {{"steady", steady}, {"sleep", sleeps},        {"files", files},
                                        {"drift", drift},   {"seconds", seconds},     {"counter", counter},
                                        {"cpu", cpu},       {"irregular", irregular}, {NULL, NULL}};

    return run_part(parts, argv[1]);
}
