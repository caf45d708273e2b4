// SPDX-License-Identifier: GPL-2.0-only
// signals - delivered to the right thread with the right information, wherever that thread runs
//
// Usage: signals PART

#include "check.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <time.h>

static atomic_int ready, stop, handled;
static siginfo_t last;
static pid_t handled_by;

static void note(int signal, siginfo_t* info, void* context) {
    last = *info;
    handled_by = gettid();
    atomic_fetch_add(&handled, 1);
}

static void handle(int signal, int flags) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};

    CHECK(sigaction(signal, &action, NULL) == 0);
}

static void await(atomic_int* value, int wanted) {
    while (atomic_load(value) < wanted)
        sched_yield();
}

static pid_t spinner;

static void* spin(void* argument) {
    spinner = gettid();
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&stop))
        ;
    return NULL;
}

// A thread that computes without a call is interrupted, and told everything.
static void part_siginfo(void) {
    pthread_t thread = start(spin, 0);

    handle(SIGUSR1, 0);
    handle(SIGRTMIN + 3, 0);
    await(&ready, 1);
    for (int i = 1; i <= 10; i++) {
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
        await(&handled, 2 * i - 1);
        CHECK_EQUAL(last.si_signo, SIGUSR1);
        CHECK_EQUAL(last.si_code, SI_TKILL);
        CHECK_EQUAL(last.si_pid, getpid());
        CHECK_EQUAL(last.si_uid, getuid());
        CHECK_EQUAL(handled_by, spinner);
        CHECK(pthread_sigqueue(thread, SIGRTMIN + 3, (union sigval){.sival_int = i}) == 0);
        await(&handled, 2 * i);
        CHECK_EQUAL(last.si_code, SI_QUEUE);
        CHECK_EQUAL(last.si_value.sival_int, i);
        CHECK_EQUAL(handled_by, spinner);
    }
    stop = 1;
    join(thread);
}

// To the process: a thread that does not block it gets it, and nobody else.
static void part_process(void) {
    sigset_t set;
    pthread_t thread;

    handle(SIGUSR2, 0);
    thread = start(spin, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    await(&ready, 1);
    for (int i = 1; i <= 10; i++) {
        CHECK(kill(getpid(), SIGUSR2) == 0);
        await(&handled, i);
        CHECK_EQUAL(last.si_code, SI_USER);
        CHECK_EQUAL(handled_by, spinner);
    }
    stop = 1;
    join(thread);
}

// Calls that wait: with SA_RESTART they go on, without they fail with EINTR.
static int ends[2];
static atomic_int slept;

static void* read_pipe(void* argument) {
    char byte = 0;
    ssize_t n;

    atomic_fetch_add(&ready, 1);
    n = read(ends[0], &byte, 1);
    if (argument) {
        CHECK_EQUAL(n, 1);
        CHECK_EQUAL(byte, 'x');
    } else {
        CHECK(n == -1 && errno == EINTR);
    }
    return NULL;
}

static void part_restart(void) {
    CHECK(pipe(ends) == 0);
    for (int restart = 0; restart < 2; restart++)
        for (int i = 0; i < 3; i++) {
            int before = atomic_load(&ready), handled_before = atomic_load(&handled);
            pthread_t thread = start(read_pipe, restart);

            handle(SIGUSR1, restart ? SA_RESTART : 0);
            await(&ready, before + 1);
            // It is in read() some time: told again until it was.
            if (restart) {
                usleep(20000);
                CHECK(pthread_kill(thread, SIGUSR1) == 0);
                await(&handled, handled_before + 1);
                CHECK_EQUAL(write(ends[1], "x", 1), 1);
                join(thread);
            } else {
                while (pthread_tryjoin_np(thread, NULL) == EBUSY) {
                    pthread_kill(thread, SIGUSR1);
                    usleep(20000);
                }
            }
        }
}

// A sleep that is interrupted says how much is left; one that is stopped and continued does not end early.
static void* sleep_long(void* argument) {
    struct timespec wanted = {100, 0}, left = {0};

    atomic_store(&ready, 1);
    CHECK(nanosleep(&wanted, &left) == -1 && errno == EINTR);
    CHECK(left.tv_sec >= 80 && left.tv_sec <= 100, "left %ld", left.tv_sec);
    atomic_store(&slept, 1);
    return NULL;
}

static void part_nanosleep(void) {
    struct timespec before, after, wanted = {0, 300000000};
    pthread_t thread = start(sleep_long, 0);

    handle(SIGUSR1, SA_RESTART);
    await(&ready, 1);
    while (!atomic_load(&slept)) {
        pthread_kill(thread, SIGUSR1);
        usleep(20000);
    }
    join(thread);
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &wanted, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec >= 300000000);
}

// Signals taken without a handler: sigwait, sigtimedwait, signalfd, sigsuspend.
static void* wait_for_signals(void* argument) {
    struct timespec limit = {0, 50000000};
    struct signalfd_siginfo read_info;
    siginfo_t info;
    sigset_t set, none;
    int fd, got;

    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(sigtimedwait(&set, &info, &limit), -1);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
    CHECK(sigwait(&set, &got) == 0);
    CHECK_EQUAL(got, SIGUSR1);
    CHECK(pthread_sigqueue(pthread_self(), SIGUSR1, (union sigval){.sival_int = 9}) == 0);
    CHECK_EQUAL(sigwaitinfo(&set, &info), SIGUSR1);
    CHECK_EQUAL(info.si_value.sival_int, 9);
    fd = signalfd(-1, &set, 0);
    CHECK(fd >= 0 && pthread_kill(pthread_self(), SIGUSR1) == 0);
    CHECK_EQUAL(read(fd, &read_info, sizeof(read_info)), sizeof(read_info));
    CHECK_EQUAL(read_info.ssi_signo, SIGUSR1);
    close(fd);
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
    int before = atomic_load(&handled);
    CHECK(sigsuspend(&none) == -1 && errno == EINTR);
    CHECK(atomic_load(&handled) > before);
    return NULL;
}

static void part_wait(void) {
    sigset_t set;

    handle(SIGUSR1, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    for (int i = 0; i < 3; i++)
        join(start(wait_for_signals, i));
}

// Timers of real time interrupt computing, and timers of CPU time see all of it.
static void part_alarm(void) {
    struct itimerval soon = {.it_value = {0, 50000}, .it_interval = {0, 50000}}, never = {0};

    handle(SIGALRM, 0);
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    while (atomic_load(&handled) < 4)
        ;
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK_EQUAL(last.si_signo, SIGALRM);
    atomic_store(&handled, 0);
    alarm(1);
    CHECK(pause() == -1 && errno == EINTR);
    CHECK_EQUAL(handled, 1);
}

// Signals that come faster than the thread can travel leave it time to go on.
static void part_rapid(void) {
    struct itimerval soon = {.it_value = {0, 100}, .it_interval = {0, 100}}, never = {0};

    handle(SIGALRM, 0);
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    for (volatile int i = 0; i < 20000000; i++)
        ;
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(handled > 0);
}

static void part_cpu_timer(void) {
    struct itimerval soon = {.it_value = {0, 200000}}, left;
    struct timespec used;
    pthread_t thread;

    handle(SIGVTALRM, 0);
    CHECK(setitimer(ITIMER_VIRTUAL, &soon, NULL) == 0);
    thread = start(spin, 0);
    while (!atomic_load(&handled))
        usleep(10000);
    stop = 1;
    join(thread);
    CHECK(getitimer(ITIMER_VIRTUAL, &left) == 0 && !left.it_value.tv_usec);
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    CHECK(used.tv_sec || used.tv_nsec >= 150000000, "used %ld ns", used.tv_nsec);
}

// A handler that is itself interrupted, and masks that are put back afterwards.
static atomic_int depth, deepest;

static void nest(int signal) {
    int now = atomic_fetch_add(&depth, 1) + 1;

    if (now > deepest)
        deepest = now;
    if (signal == SIGUSR1)
        raise(SIGUSR2);
    atomic_fetch_sub(&depth, 1);
}

static void* raise_nested(void* argument) {
    sigset_t before, after;

    pthread_sigmask(0, NULL, &before);
    for (int i = 0; i < 10; i++)
        raise(SIGUSR1);
    pthread_sigmask(0, NULL, &after);
    for (int i = 1; i < SIGRTMAX; i++)
        CHECK_EQUAL(sigismember(&after, i), sigismember(&before, i));
    return NULL;
}

static void part_nested(void) {
    signal(SIGUSR1, nest);
    signal(SIGUSR2, nest);
    for (int i = 0; i < 3; i++)
        join(start(raise_nested, i));
    CHECK_EQUAL(deepest, 2);
}

// Many signals at many threads while they compute: each is handled exactly once, since real-time signals
// queue.
enum { HIT = 4, HITS = 30 };
static pthread_t targets[HIT];

static void* be_hit(void* argument) {
    double x = (uintptr_t)argument + 1, y = x;

    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&stop)) {
        y = y * 1.0000001 / 1.0000001;
        CHECK(y > x * 0.9 && y < x * 1.1);
    }
    return NULL;
}

static void part_storm(void) {
    handle(SIGRTMIN, 0);
    for (int i = 0; i < HIT; i++)
        targets[i] = start(be_hit, i);
    await(&ready, HIT);
    for (int i = 0; i < HITS * HIT; i++)
        CHECK(pthread_sigqueue(targets[i % HIT], SIGRTMIN, (union sigval){.sival_int = i}) == 0);
    await(&handled, HITS * HIT);
    stop = 1;
    for (int i = 0; i < HIT; i++)
        join(targets[i]);
    CHECK_EQUAL(handled, HITS * HIT);
}

// Ends as told: computing in all threads, with or without something to say on SIGTERM.
static void part_spin(void) {
    pthread_t thread = start(be_hit, 1);

    start(be_hit, 2);
    await(&ready, 2);
    printf("ready\n");
    fflush(stdout);
    join(thread);
}

static void bye(int signal) {
    _exit(7);
}

static void part_bye(void) {
    signal(SIGTERM, bye);
    signal(SIGINT, bye);
    part_spin();
}

// Crashes in a thread, with something on its mind for the core file.
uint64_t crash_mark = 0x70726f6373686172;

static void* crash(void* argument) {
    volatile uint64_t local = crash_mark + 1;

    crash_mark = local;
    *(volatile int*)0xdead = 1;
    return NULL;
}

static void part_crash(void) {
    start(be_hit, 1);
    await(&ready, 1);
    join(start(crash, 0));
}

static void part_abort(void) {
    abort();
}

static const struct part parts[] = {
    {"siginfo", part_siginfo},     {"process", part_process}, {"restart", part_restart},
    {"nanosleep", part_nanosleep}, {"wait", part_wait},       {"alarm", part_alarm},
    {"rapid", part_rapid},         {"nested", part_nested},   {"storm", part_storm},
    {"cpu-timer", part_cpu_timer}, {"spin", part_spin},       {"bye", part_bye},
    {"crash", part_crash},         {"abort", part_abort},     {NULL, NULL},
};

int main(int argc, char** argv) {
    return run_part(parts, argv[1]);
}
