// SPDX-License-Identifier: GPL-2.0-only
// waiting - calls that wait for one of several things, many that wait at once, and the memory that they are
// made with
//
// Usage: waiting events | sets | stops | crowd | taken | often

#include "room.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { TIMES = 500, CROWD = 200, AREA = 256 * PAGE };

// ---- events ----

static void* wait_for_events(void* argument) {
    const int epoll = epoll_create1(0), counter = eventfd(0, EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef}, *events = room();
    const struct timespec at_once = {0};
    const sigset_t none = {0};
    uint64_t value = 3;

    CHECK(epoll >= 0 && counter >= 0);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event) == 0);
    expect(epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event), EEXIST);
    expect(epoll_ctl(epoll, EPOLL_CTL_MOD, counter, (void*)8), EFAULT);
    CHECK_EQUAL(epoll_wait(epoll, events, 1, 0), 0);
    check_around(events, 0);
    expect(read(counter, &value, sizeof(value)), EAGAIN);
    CHECK_EQUAL(value, 3);
    CHECK_EQUAL(write(counter, &value, sizeof(value)), 8);
    CHECK_EQUAL(epoll_wait(epoll, events, 100, -1), 1);
    check_around(events, sizeof(event));
    CHECK(events->events == EPOLLIN && events->data.u64 == 0x123456789abcdef);
    // More than fit in any message, but the kernel says how many there are.
    CHECK_EQUAL(epoll_wait(epoll, map_private(12 * 100000), 100000, 0), 1);
    CHECK_EQUAL(epoll_pwait(epoll, edge(sizeof(event)), 1, 0, &none), 1);
    CHECK_EQUAL(syscall(SYS_epoll_pwait2, epoll, edge(sizeof(event)), 1, &at_once, NULL, 8), 1);
    expect(epoll_wait(epoll, events, 0, 0), EINVAL);
    expect(syscall(SYS_epoll_wait, epoll, events, -1, 0), EINVAL);
    expect(syscall(SYS_epoll_wait, epoll, events, 0x10000000, 0), EINVAL);
    expect(epoll_wait(epoll, read_only(), 1, 0), EFAULT);
    expect(epoll_wait(1000, events, 1, 0), EBADF);
    value = 0;
    CHECK_EQUAL(read(counter, &value, sizeof(value)), 8);
    CHECK_EQUAL(value, 3);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, counter, NULL) == 0);
    CHECK(close(epoll) == 0 && close(counter) == 0);
    return argument;
}

static void events(void) {
    in_threads(3, wait_for_events);
}

// ---- sets of descriptors ----

static void check_poll(int readable, int idle) {
    struct pollfd* fds = room();
    struct timespec patience = {5, 0};

    fds[0] = (struct pollfd){.fd = readable, .events = POLLIN, .revents = 77};
    fds[1] = (struct pollfd){.fd = -1, .events = POLLIN, .revents = 77};
    fds[2] = (struct pollfd){.fd = idle, .events = POLLIN, .revents = 77};
    fds[3] = (struct pollfd){.fd = 1000, .events = POLLOUT, .revents = 77};
    CHECK_EQUAL(poll(fds, 4, 5000), 2);
    check_around(fds, 4 * sizeof(fds[0]));
    CHECK(fds[0].fd == readable && fds[0].events == POLLIN && fds[1].fd == -1 && fds[2].fd == idle);
    CHECK(fds[0].revents == POLLIN && !fds[1].revents && !fds[2].revents && fds[3].revents == POLLNVAL);
    CHECK_EQUAL(poll(NULL, 0, 1), 0);
    CHECK_EQUAL(poll(fds + 2, 1, 1), 0);
    expect(syscall(SYS_poll, fds, -1, 0), EINVAL);
    expect(poll((struct pollfd*)8, 1, 0), EFAULT);
    expect(poll(read_only(), 1, 0), EFAULT);
    CHECK_EQUAL(syscall(SYS_ppoll, fds, 1, &patience, NULL, 8), 1);
    CHECK(patience.tv_sec == 4 && patience.tv_nsec > 0);
}

static void check_select(int readable, int idle) {
    struct timeval patience = {5, 0}, short_while = {0, 1000};
    struct timespec other = {5, 0};
    fd_set* set = room();

    FD_ZERO(set);
    FD_SET(readable, set);
    FD_SET(idle, set);
    CHECK_EQUAL(syscall(SYS_select, FD_SETSIZE, set, NULL, NULL, &patience), 1);
    check_around(set, sizeof(*set));
    CHECK(FD_ISSET(readable, set) && !FD_ISSET(idle, set) && patience.tv_sec == 4);
    FD_ZERO(set);
    FD_SET(idle, set);
    CHECK_EQUAL(syscall(SYS_select, idle + 1, set, NULL, NULL, &short_while), 0);
    CHECK(!FD_ISSET(idle, set) && short_while.tv_usec == 0);
    // One set for two questions: the answer to the last one counts.
    FD_SET(readable, set);
    CHECK_EQUAL(syscall(SYS_select, readable + 1, set, NULL, set, NULL), 1);
    CHECK(!FD_ISSET(readable, set));
    FD_SET(readable, set);
    CHECK_EQUAL(syscall(SYS_pselect6, readable + 1, set, NULL, NULL, &other, NULL), 1);
    CHECK(FD_ISSET(readable, set) && other.tv_sec == 4);
    FD_SET(63, set);
    expect(select(64, set, NULL, NULL, NULL), EBADF);
    expect(select(-1, set, NULL, NULL, NULL), EINVAL);
    expect(select(10, (fd_set*)8, NULL, NULL, NULL), EFAULT);
}

static void* use_sets(void* argument) {
    int busy[2], idle[2];

    CHECK(pipe(busy) == 0 && pipe(idle) == 0);
    CHECK_EQUAL(write(busy[1], "x", 1), 1);
    check_poll(busy[0], idle[0]);
    check_select(busy[0], idle[0]);
    CHECK(close(busy[0]) == 0 && close(busy[1]) == 0 && close(idle[0]) == 0 && close(idle[1]) == 0);
    return argument;
}

static struct pollfd* common;

static void* poll_common(void* argument) {
    CHECK_EQUAL(poll(common, 2, -1), 1);
    return argument;
}

// One thread waits, and another one changes what it has asked for already: that stays changed.
static void sets(void) {
    int ends[2], other[2];
    pthread_t waiter;

    in_threads(3, use_sets);
    common = room();
    CHECK(pipe(ends) == 0 && pipe(other) == 0);
    common[0] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    common[1] = (struct pollfd){.fd = other[0], .events = POLLIN};
    waiter = start(poll_common, 0);
    usleep(300000);
    common[0].fd = -7;
    common[1].events = POLLOUT;
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    join(waiter);
    CHECK_EQUAL(common[0].fd, -7);
    CHECK_EQUAL(common[0].revents, POLLIN);
    CHECK_EQUAL(common[1].events, POLLOUT);
}

// ---- stops ----

static void* make_calls(void* argument) {
    const struct timespec soon = {0, 1000000};
    int word = 1;

    for (int i = 0; i < 10; i++)
        expect(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &soon, NULL, 0), ETIMEDOUT);
    return argument;
}

static int stop_pipe[2];

static void* poll_through_stops(void* argument) {
    struct pollfd* fds = room();

    fds[0] = (struct pollfd){.fd = stop_pipe[0], .events = POLLIN, .revents = 77};
    CHECK_EQUAL(poll(fds, 1, 60000), 1);
    CHECK_EQUAL(fds[0].revents, POLLIN);
    check_around(fds, sizeof(fds[0]));
    return argument;
}

// A stop interrupts poll(), which then goes on by itself; meanwhile others make calls.
static void stops(void) {
    const pid_t parent = getpid();
    pthread_t waiter;
    int status;
    pid_t pid;

    CHECK(pipe(stop_pipe) == 0);
    waiter = start(poll_through_stops, 0);
    pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 3; i++) {
            usleep(200000);
            CHECK(kill(parent, SIGSTOP) == 0);
            usleep(100000);
            CHECK(kill(parent, SIGCONT) == 0);
        }
        usleep(200000);
        CHECK_EQUAL(write(stop_pipe[1], "x", 1), 1);
        _exit(0);
    }
    while (waitpid(pid, &status, WNOHANG) == 0)
        in_threads(2, make_calls);
    CHECK_EQUAL(status, 0);
    join(waiter);
}

// ---- crowd ----

static int crowd_sockets[2];
static _Atomic int seen[CROWD];

static void* read_in_crowd(void* argument) {
    uint8_t* number = memset(map_private(2 * PAGE), FILLING, 2 * PAGE);

    CHECK_EQUAL(read(crowd_sockets[0], number, 2 * PAGE), 1);
    for (int i = 1; i < 2 * PAGE; i++)
        CHECK_EQUAL(number[i], FILLING);
    seen[*number]++;
    return argument;
}

// More of them wait in their calls than there is scratch memory for.
static void crowd(void) {
    pthread_t threads[CROWD];

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, crowd_sockets) == 0);
    for (uintptr_t i = 0; i < CROWD; i++)
        threads[i] = start(read_in_crowd, i);
    usleep(500000);
    for (int i = 0; i < CROWD; i++)
        CHECK_EQUAL(write(crowd_sockets[1], &(uint8_t){i}, 1), 1);
    for (int i = 0; i < CROWD; i++)
        join(threads[i]);
    for (int i = 0; i < CROWD; i++)
        CHECK_EQUAL(seen[i], 1);
}

// ---- the area itself ----

// The kernel's name for it is an option: it is known by its length.
static bool find_area(unsigned long* from, unsigned long* to) {
    FILE* maps = fopen("/proc/self/maps", "r");
    bool found = false;
    char line[512];

    CHECK(maps);
    while (!found && fgets(line, sizeof(line), maps))
        found = sscanf(line, "%lx-%lx rw-p", from, to) == 2 && *to - *from == AREA;
    fclose(maps);
    return found;
}

static void* lose_area(void* argument) {
    unsigned long from, to;
    pid_t pid;
    int status;

    make_calls(NULL);
    if (!find_area(&from, &to)) {
        puts("no area");
        return argument;
    }
    pid = fork();
    if (pid == 0) {
        // It is not the child's.
        CHECK(msync((void*)from, PAGE, MS_ASYNC) == -1 && errno == ENOMEM);
        make_calls(NULL);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(mprotect((void*)from, to - from, PROT_NONE) == 0);
    wait_for_events(NULL);
    make_calls(NULL);
    CHECK(munmap((void*)from, to - from) == 0);
    wait_for_events(NULL);
    make_calls(NULL);
    CHECK(mmap((void*)from, to - from, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
          MAP_FAILED);
    use_sets(NULL);
    make_calls(NULL);
    return argument;
}

static void taken(void) {
    join(start(lose_area, 0));
}

// ---- often ----

static void* ask_often(void* argument) {
    const int epoll = epoll_create1(0), counter = eventfd(1, 0);
    struct epoll_event event = {.events = EPOLLIN};

    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event) == 0);
    for (int i = 0; i < TIMES; i++) {
        struct pollfd fds = {.fd = counter, .events = POLLIN};
        struct timespec no_time = {0, 1};
        struct epoll_event found[8];
        char text[64];

        CHECK_EQUAL(epoll_wait(epoll, found, 8, -1), 1);
        CHECK_EQUAL(poll(&fds, 1, -1), 1);
        CHECK(nanosleep(&no_time, NULL) == 0);
        CHECK(readlink("/proc/self/exe", text, sizeof(text)) > 0);
    }
    return argument;
}

static void often(void) {
    join(start(ask_often, 0));
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"events", events}, {"sets", sets},   {"stops", stops}, {"crowd", crowd},
        {"taken", taken},   {"often", often}, {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
