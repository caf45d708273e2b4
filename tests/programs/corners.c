// SPDX-License-Identifier: GPL-2.0-only
// corners - calls that store something although they fail, or look at more than they use, do so shared, too
//
// Usage: corners stores | refusals | gaps | mask

#include "room.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

// ---- stores ----

enum { NOT_A_PROCESS = 999999, UNTOUCHED = -7 };

// The clock of a process that there is not.
static const int no_clock = (int)(~(unsigned)NOT_A_PROCESS << 3 | 2);

static void* store(void* argument) {
    int pair[2] = {UNTOUCHED, UNTOUCHED}, timer = UNTOUCHED, length = sizeof(length);
    uid_t real = UNTOUCHED, saved = UNTOUCHED;
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    expect(socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP);
    CHECK(pair[0] >= 0 && pair[1] >= 0, "%d %d", pair[0], pair[1]);
    expect(syscall(SYS_timer_create, no_clock, NULL, &timer), EINVAL);
    CHECK(timer >= 0, "%d", timer);
    expect(syscall(SYS_getresuid, &real, NULL, &saved), EFAULT);
    CHECK_EQUAL(real, getuid());
    CHECK_EQUAL((int)saved, UNTOUCHED);
    // The length is written behind the value, which is in the same place.
    CHECK(fd >= 0 && syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &length, &length) == 0);
    CHECK_EQUAL(length, sizeof(length));
    CHECK(close(fd) == 0);
    return argument;
}

static void stores(void) {
    in_threads(3, store);
}

// ---- refusals ----

enum { MEGABYTE = 1 << 20 };

static void* refuse(void* argument) {
    struct iovec places[2] = {{"hello", 5}, {(void*)-1, 0}};
    const int epoll = epoll_create1(0), out = open("/dev/null", O_WRONLY);
    // Two gigabytes behind it are no memory of a program.
    void* const high = (void*)(0x7fffff000000 - ((uintptr_t)argument + 1) * MEGABYTE);

    CHECK(epoll >= 0 && out >= 0);
    expect(writev(out, places, 2), EFAULT);
    places[1].iov_base = NULL;
    CHECK_EQUAL(writev(out, places, 2), 5);
    CHECK(mmap(high, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
               0) == high);
    CHECK_EQUAL(epoll_wait(epoll, high, PAGE / sizeof(struct epoll_event), 0), 0);
    expect(epoll_wait(epoll, high, INT_MAX / sizeof(struct epoll_event), 0), EFAULT);
    CHECK(close(out) == 0 && close(epoll) == 0 && munmap(high, PAGE) == 0);
    return argument;
}

static void refusals(void) {
    in_threads(3, refuse);
}

// ---- gaps ----

enum { ROUNDS = 50, ENTRIES = 1024, SECRET = 'S' };

static void* whisper(void* argument) {
    const int out = open("/dev/null", O_WRONLY);
    char secret[PAGE];

    memset(secret, SECRET, sizeof(secret));
    for (int i = 0; i < ROUNDS; i++)
        CHECK_EQUAL(write(out, secret, sizeof(secret)), sizeof(secret));
    CHECK(close(out) == 0);
    return argument;
}

// What follows the 0 of a name is not what another call has read or written.
static void check_gaps(const char* entries, ssize_t length) {
    for (ssize_t at = 0; at < length;) {
        const struct dirent64* entry = (const void*)(entries + at);
        const char* gap = strchr(entry->d_name, 0) + 1;

        for (; gap < entries + at + entry->d_reclen; gap++)
            CHECK(*gap != SECRET, "in the entry of %s", entry->d_name);
        at += entry->d_reclen;
    }
}

static void* list(void* argument) {
    char* entries = room();

    for (int i = 0; i < ROUNDS; i++) {
        const int fd = open("/proc/self", O_RDONLY | O_DIRECTORY);
        const ssize_t length = syscall(SYS_getdents64, fd, entries, ENTRIES);

        CHECK(fd >= 0 && length > 0);
        check_gaps(entries, length);
        CHECK(close(fd) == 0);
    }
    return argument;
}

static void gaps(void) {
    const pthread_t others[] = {start(whisper, 0), start(list, 0), start(whisper, 1), start(list, 1)};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        join(others[i]);
}

// ---- mask ----

struct ring {
    int fd;
    struct io_uring_params params;
    char* queue;
    struct io_uring_sqe* entries;
};

static void make_ring(struct ring* ring) {
    *ring = (struct ring){0};
    ring->fd = (int)syscall(SYS_io_uring_setup, 256, &ring->params);
    CHECK(ring->fd >= 0);
    ring->queue = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
    ring->entries = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
    CHECK(ring->queue != MAP_FAILED && ring->entries != MAP_FAILED);
}

// The kernel tells this thread, by interrupting its call, when there is something to read.
static void watch(struct ring* ring, int fd) {
    unsigned* tail = (unsigned*)(ring->queue + ring->params.sq_off.tail);
    unsigned* array = (unsigned*)(ring->queue + ring->params.sq_off.array);
    const unsigned slot = *tail % ring->params.sq_entries;

    ring->entries[slot] =
        (struct io_uring_sqe){.opcode = IORING_OP_POLL_ADD, .fd = fd, .poll32_events = POLLIN};
    array[slot] = slot;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    CHECK_EQUAL(syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0), 1);
}

static void* put_a_byte(void* argument) {
    compute_a_while();
    CHECK_EQUAL(write((int)(uintptr_t)argument, "x", 1), 1);
    return NULL;
}

static bool is_blocked(int signal) {
    sigset_t now;

    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
    return sigismember(&now, signal);
}

static void* wait_masked(void* interrupted) {
    const int epoll = epoll_create1(0);
    struct epoll_event event;
    sigset_t none, blocked;
    struct ring ring;
    int ends[2];
    char byte;

    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0 && epoll >= 0 && pipe(ends) == 0);
    make_ring(&ring);
    for (int i = 0; i < 20; i++) {
        pthread_t writer;
        int found;

        watch(&ring, ends[0]);
        writer = start(put_a_byte, ends[1]);
        found = epoll_pwait(epoll, &event, 1, 1000, &none);
        CHECK(found == 0 || (found == -1 && errno == EINTR), "%d", found);
        *(int*)interrupted += found == -1;
        CHECK(is_blocked(SIGUSR1), "round %d, epoll_pwait() %d", i, found);
        join(writer);
        CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    }
    return NULL;
}

static void mask(void) {
    int interrupted = 0;

    join(start(wait_masked, (uintptr_t)&interrupted));
    CHECK(interrupted > 0, "no wait was interrupted");
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"stores", stores}, {"refusals", refusals}, {"gaps", gaps}, {"mask", mask}, {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
