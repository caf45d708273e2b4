// SPDX-License-Identifier: GPL-2.0-only
// carried - small reads and writes are those of the same kernel, wherever the caller is
//
// Usage: carried files | pipes | sockets | faults | signals | homebound

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { PAGE = 4096 };

static int new_file(int flags) {
    char name[] = "/tmp/carried-XXXXXX";
    const int fd = mkostemp(name, flags);

    CHECK(fd >= 0);
    unlink(name);
    return fd;
}

// What a read does not bring stays as it was.
static void check_rest(const char* buffer, size_t from, size_t to, char was) {
    for (; from < to; from++)
        CHECK(buffer[from] == was, "byte %zu is %d", from, buffer[from]);
}

static void* use_files(void* argument) {
    char buffer[PAGE];
    const int fd = new_file(0);

    CHECK_EQUAL(write(fd, "0123456789", 10), 10);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_EQUAL(pwrite(fd, "xy", 2, 4), 2);
    CHECK_EQUAL(lseek(fd, 2, SEEK_SET), 2);
    memset(buffer, '?', sizeof(buffer));
    CHECK_EQUAL(read(fd, buffer, sizeof(buffer)), 8);
    CHECK(memcmp(buffer, "23xy6789", 8) == 0);
    check_rest(buffer, 8, sizeof(buffer), '?');
    CHECK_EQUAL(read(fd, buffer, 5), 0);
    CHECK_EQUAL(pread(fd, buffer, 3, 7), 3);
    CHECK(memcmp(buffer, "789", 3) == 0);
    CHECK(pread(fd, buffer, 3, -1) == -1 && errno == EINVAL);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 10);
    close(fd);
    // Not fd: that may be another thread's by now.
    CHECK(write(-1, "x", 1) == -1 && errno == EBADF);
    return NULL;
}

static void* append(void* argument) {
    const int fd = new_file(O_APPEND);

    CHECK_EQUAL(write(fd, "end", 3), 3);
    CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQUAL(write(fd, "end", 3), 3);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 6);
    close(fd);
    return NULL;
}

// One position for all threads: no byte is read twice.
static int common;
static _Atomic int seen[256];

static void* read_together(void* argument) {
    unsigned char byte;

    while (read(common, &byte, 1) == 1)
        seen[byte]++;
    return NULL;
}

static void files(void) {
    in_threads(3, use_files);
    in_threads(3, append);
    common = new_file(0);
    for (int i = 0; i < 256; i++)
        CHECK_EQUAL(write(common, &(unsigned char){i}, 1), 1);
    CHECK_EQUAL(lseek(common, 0, SEEK_SET), 0);
    in_threads(3, read_together);
    for (int i = 0; i < 256; i++)
        CHECK_EQUAL(seen[i], 1);
}

static void* use_pipe(void* argument) {
    char buffer[PAGE];
    int ends[2];

    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    CHECK(read(ends[0], buffer, 1) == -1 && errno == EAGAIN);
    CHECK(pread(ends[0], buffer, 1, 0) == -1 && errno == ESPIPE);
    memset(buffer, '?', sizeof(buffer));
    CHECK_EQUAL(write(ends[1], "hello", 5), 5);
    CHECK_EQUAL(read(ends[0], buffer, 2), 2);
    CHECK_EQUAL(read(ends[0], buffer + 2, PAGE - 2), 3);
    CHECK(memcmp(buffer, "hello", 5) == 0);
    check_rest(buffer, 5, sizeof(buffer), '?');
    CHECK_EQUAL(write(ends[1], buffer, PAGE), PAGE);
    CHECK_EQUAL(read(ends[0], buffer, PAGE), PAGE);
    CHECK(write(ends[0], "x", 1) == -1 && errno == EBADF);
    close(ends[0]);
    CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
    close(ends[1]);
    return NULL;
}

static void pipes(void) {
    signal(SIGPIPE, SIG_IGN);
    in_threads(3, use_pipe);
}

static void* use_sockets(void* argument) {
    char buffer[100];
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK_EQUAL(send(ends[0], "request", 7, MSG_NOSIGNAL), 7);
    CHECK_EQUAL(recv(ends[1], buffer, sizeof(buffer), MSG_PEEK), 7);
    memset(buffer, 0, sizeof(buffer));
    CHECK_EQUAL(recv(ends[1], buffer, 3, 0), 3);
    CHECK_EQUAL(read(ends[1], buffer + 3, 10), 4);
    CHECK(memcmp(buffer, "request", 8) == 0);
    CHECK(recv(ends[1], buffer, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    CHECK(send(1000, "x", 1, 0) == -1 && errno == EBADF);
    CHECK(send(new_file(0), "x", 1, 0) == -1 && errno == ENOTSOCK);
    close(ends[1]);
    CHECK(send(ends[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
    CHECK_EQUAL(recv(ends[0], buffer, 1, 0), 0);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    CHECK_EQUAL(send(ends[0], "datagram", 8, 0), 8);
    CHECK_EQUAL(recv(ends[1], buffer, 4, MSG_TRUNC), 8);
    return NULL;
}

static void sockets(void) {
    in_threads(3, use_sockets);
}

// A buffer that is none is found out before anything is consumed.
static void* use_bad_buffers(void* argument) {
    char* two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char buffer[10] = "";
    int ends[2];

    CHECK(two != MAP_FAILED && constant != MAP_FAILED && mprotect(two + PAGE, PAGE, PROT_NONE) == 0);
    CHECK(pipe(ends) == 0);
    CHECK_EQUAL(write(ends[1], "abcdef", 6), 6);
    CHECK(read(ends[0], two + PAGE, 3) == -1 && errno == EFAULT);
    CHECK(read(ends[0], constant, 3) == -1 && errno == EFAULT);
    CHECK(read(ends[0], NULL, 3) == -1 && errno == EFAULT);
    CHECK(write(ends[1], two + PAGE, 3) == -1 && errno == EFAULT);
    CHECK(write(ends[1], (void*)-1, 3) == -1 && errno == EFAULT);
    CHECK_EQUAL(write(ends[1], constant, 1), 1);
    // Enough room for what is there, although not for what might have been.
    CHECK_EQUAL(read(ends[0], two + PAGE - 3, 3), 3);
    CHECK(memcmp(two + PAGE - 3, "abc", 3) == 0);
    CHECK_EQUAL(read(ends[0], buffer, 10), 4);
    CHECK(memcmp(buffer, "def", 4) == 0);
    return NULL;
}

static void faults(void) {
    in_threads(3, use_bad_buffers);
}

static _Atomic int interruptions;
static int trigger[2];

static void on_signal(int signal) {
    interruptions++;
}

static void* be_interrupted(void* argument) {
    char buffer[10];
    sigset_t none;
    int ends[2];

    sigemptyset(&none);
    CHECK(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
    CHECK(pipe(ends) == 0);
    CHECK_EQUAL(write(trigger[1], "x", 1), 1);
    CHECK(read(ends[0], buffer, 10) == -1 && errno == EINTR);
    // The signal is there when the call succeeds: both happen.
    CHECK_EQUAL(write(ends[1], "data", 4), 4);
    pthread_kill(pthread_self(), SIGUSR1);
    memset(buffer, 0, sizeof(buffer));
    CHECK_EQUAL(read(ends[0], buffer, 10), 4);
    CHECK(memcmp(buffer, "data", 5) == 0);
    return NULL;
}

static void signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    struct timespec tick = {0, 20000000};
    pthread_t reader;
    char byte;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && pipe(trigger) == 0);
    reader = start(be_interrupted, 0);
    CHECK_EQUAL(read(trigger[0], &byte, 1), 1);
    // Until one arrives while it reads.
    while (!interruptions) {
        CHECK(pthread_kill(reader, SIGUSR1) == 0);
        nanosleep(&tick, NULL);
    }
    join(reader);
    CHECK(interruptions >= 2);
}

// Buffers that never leave home, and those that home takes back while the call lasts.
static void* use_homebound(void* argument) {
    const int fd = new_file(0);
    char* shared;

    CHECK(ftruncate(fd, PAGE) == 0);
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(shared != MAP_FAILED);
    CHECK_EQUAL(pwrite(fd, "begin", 5, 0), 5);
    CHECK_EQUAL(pwrite(fd, shared, 5, 10), 5);
    CHECK_EQUAL(pread(fd, shared + 100, 15, 0), 15);
    CHECK(memcmp(shared + 100, "begin\0\0\0\0\0begin", 15) == 0);
    return NULL;
}

static void* block_in_read(void* argument) {
    char* buffer = (char*)argument;

    CHECK_EQUAL(read(trigger[0], buffer, 100), 5);
    CHECK(memcmp(buffer, "late!", 5) == 0, "%.5s", buffer);
    return NULL;
}

static void homebound(void) {
    char* page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct timespec while_it_begins = {0, 100000000};
    const int fd = new_file(0);
    pthread_t reader;

    in_threads(3, use_homebound);
    CHECK(page != MAP_FAILED && ftruncate(fd, PAGE) == 0 && pipe(trigger) == 0);
    reader = start(block_in_read, (uintptr_t)page);
    nanosleep(&while_it_begins, NULL);
    // What is never exported takes the place of the buffer.
    CHECK(mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == page);
    CHECK_EQUAL(write(trigger[1], "late!", 5), 5);
    join(reader);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"files", files},
        {"pipes", pipes},
        {"sockets", sockets},
        {"faults", faults},
        {"signals", signals},
        {"homebound", homebound},
        {0},
    };

    return run_part(parts, argv[1]);
}
