// SPDX-License-Identifier: GPL-2.0-only
// calls - makes every system call once and prints what it comes to, for comparison with another run
//
// Usage: calls LOW HIGH
//
// By itself a call gets arguments that every kernel refuses, the largest numbers there are; those calls that
// would do something with them, or never return, are made as their manual pages have it.

#include "check.h"

#include <linux/futex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { UPROBE = 335, URETPROBE = 336 };

struct outcome {
    long value;
    int error;
};

static struct outcome outcome_of(long value) {
    return (struct outcome){value, value == -1 ? errno : 0};
}

// A value that differs from run to run: only whether it is one counts.
static struct outcome any(long value) {
    return outcome_of(value > 0 ? 1 : value);
}

static struct outcome in_child(pid_t child) {
    int status = -1;

    if (child > 0)
        CHECK(waitpid(child, &status, __WALL) == child);
    return outcome_of(child > 0 ? status : child);
}

static struct outcome fork_by(long nr) {
    const long child = nr == SYS_fork ? syscall(nr) : syscall(nr, SIGCHLD, 0, 0, 0, 0);

    if (child == 0)
        _exit(3);
    return in_child((pid_t)child);
}

static struct outcome clone3_child(void) {
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } arguments = {.exit_signal = SIGCHLD};
    const long child = syscall(SYS_clone3, &arguments, sizeof(arguments));

    if (child == 0)
        _exit(3);
    return in_child((pid_t)child);
}

static struct outcome vfork_child(void) {
    const pid_t child = vfork();

    if (child == 0)
        _exit(3);
    return in_child(child);
}

static struct outcome exit_child(long nr) {
    const pid_t child = fork();

    if (child == 0)
        syscall(nr, 5);
    return in_child(child);
}

static void nothing(int signal) {}

// Sleeps until the alarm comes.
static struct outcome until_alarm(long nr) {
    const struct timespec long_time = {100, 0};
    sigset_t none;
    long value;

    sigemptyset(&none);
    CHECK(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
    alarm(1);
    if (nr == SYS_pause)
        value = syscall(nr);
    else if (nr == SYS_rt_sigsuspend)
        value = syscall(nr, &none, 8);
    else if (nr == SYS_nanosleep)
        value = syscall(nr, &long_time, NULL);
    else
        value = syscall(nr, CLOCK_MONOTONIC, 0, &long_time, NULL);
    return outcome_of(value);
}

static sigjmp_buf behind;

static void on_trap(int signal) {
    siglongjmp(behind, signal);
}

static struct outcome trapped(long nr) {
    const int signal = sigsetjmp(behind, 1);

    return signal ? (struct outcome){-1000 - signal, 0} : outcome_of(syscall(nr));
}

static struct outcome umask_twice(void) {
    const long old = syscall(SYS_umask, 022);

    syscall(SYS_umask, old);
    return outcome_of(old);
}

static struct outcome own_session(void) {
    const pid_t child = fork();

    if (child == 0)
        _exit(syscall(SYS_setsid) == getpid() && syscall(SYS_vhangup) == 0 ? 7 : 8);
    return in_child(child);
}

static struct outcome clear_tid(void) {
    static int word;
    const pid_t child = fork();

    if (child == 0)
        _exit(syscall(SYS_set_tid_address, &word) == gettid() ? 7 : 8);
    return in_child(child);
}

static struct outcome make(long nr) {
    const long wrong = -1;

    switch (nr) {
    case SYS_getpid:
    case SYS_gettid:
    case SYS_getppid:
    case SYS_getpgrp:
    case SYS_brk:
    case SYS_inotify_init:
    case SYS_eventfd:
        return any(syscall(nr, 0));
    case SYS_getpgid:
    case SYS_getsid:
        return any(syscall(nr, 0));
    case SYS_clone:
    case SYS_fork:
        return fork_by(nr);
    case SYS_clone3:
        return clone3_child();
    case SYS_vfork:
        return vfork_child();
    case SYS_exit:
    case SYS_exit_group:
        return exit_child(nr);
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
        return until_alarm(nr);
    case SYS_alarm:
        return any(syscall(nr, 0));
    case SYS_umask:
        return umask_twice();
    case SYS_setsid:
    case SYS_vhangup:
        return own_session();
    case SYS_set_tid_address:
        return clear_tid();
    case SYS_msgget:
    case SYS_semget:
    case SYS_shmget:
        return outcome_of(syscall(nr, 0x7ace0000, 0, 0));
    case SYS_rt_sigreturn: // of a frame that is none
        return (struct outcome){0, 0};
    case UPROBE:
    case URETPROBE:
        return trapped(nr);
    case SYS_capget:
    case SYS_times:
        return any(syscall(nr, NULL, NULL));
    default:
        return outcome_of(syscall(nr, wrong, wrong, wrong, wrong, wrong, wrong));
    }
}

int main(int argc, char** argv) {
    const struct sigaction wake = {.sa_handler = nothing},
                           trap = {.sa_handler = on_trap, .sa_flags = SA_NODEFER};

    CHECK(argc == 3);
    CHECK(sigaction(SIGALRM, &wake, NULL) == 0);
    CHECK(sigaction(SIGILL, &trap, NULL) == 0 && sigaction(SIGSEGV, &trap, NULL) == 0);
    for (long nr = atol(argv[1]); nr < atol(argv[2]); nr++) {
        const struct outcome outcome = make(nr);

        printf("%ld: %ld %s\n", nr, outcome.value, outcome.error ? strerrorname_np(outcome.error) : "");
        fflush(stdout);
    }
    return 0;
}
