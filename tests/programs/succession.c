// SPDX-License-Identifier: GPL-2.0-only
// succession - a thread calls exec while another one waits for pages of a node that is slow to give them
//
// Usage: succession, its second thread elsewhere: once its pages are "written" it unmaps half of them at
// SIGUSR1, says so, and unmaps the rest at the next one. That is when exec is called.

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>

enum { PAGES = 64, PAGE = 4096 };

static uint8_t* block;

static void say(const char* line) {
    CHECK_EQUAL(write(STDOUT_FILENO, line, strlen(line)), strlen(line));
}

static void* write_elsewhere(void* home) {
    while (sched_getcpu() == (int)(uintptr_t)home)
        continue;
    for (int page = 0; page < PAGES; page++)
        block[page * PAGE] = 1;
    say("written\n");
    for (;;)
        compute_a_while();
    return NULL;
}

// Is the first thread waiting in munmap()?
static bool is_unmapping(void) {
    char path[64], line[256] = "";
    int fd;

    snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", getpid());
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && close(fd) == 0);
    return atoi(line) == SYS_munmap;
}

static void* succeed(void* program) {
    while (!is_unmapping())
        sched_yield();
    execl(program, program, "again", NULL);
    CHECK(0, "exec");
    return NULL;
}

static void unmap_at_signal(const sigset_t* go, int half) {
    int signal;

    CHECK(sigwait(go, &signal) == 0);
    CHECK(munmap(block + half * PAGES / 2 * PAGE, PAGES / 2 * PAGE) == 0);
}

int main(int argc, char** argv) {
    sigset_t go;

    if (argc > 1) {
        say("again\n");
        return 0;
    }
    sigemptyset(&go);
    sigaddset(&go, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &go, NULL) == 0);
    block = map_private(PAGES * PAGE);
    start(write_elsewhere, sched_getcpu());
    unmap_at_signal(&go, 0);
    start(succeed, (uintptr_t)argv[0]);
    say("half\n");
    unmap_at_signal(&go, 1);
    pause();
    return 1;
}
