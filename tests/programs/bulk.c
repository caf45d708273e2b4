// SPDX-License-Identifier: GPL-2.0-only
// bulk - long reads and writes: their data travel in messages up to 64 KiB, if the buffer is where the caller
// is
//
// Usage: bulk lengths | edges | channels | work | copy

#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>

enum { PAGE = 4096, MOST = 65536, FILE_SIZE = 4 << 20, TIMES = FILE_SIZE / MOST };

static char pattern(size_t i, size_t seed) {
    return (char)(i * 7 + i / PAGE + seed);
}

static void fill(char* buffer, size_t length, size_t seed) {
    for (size_t i = 0; i < length; i++)
        buffer[i] = pattern(i, seed);
}

static void check_filled(const char* buffer, size_t length, size_t seed) {
    for (size_t i = 0; i < length; i++)
        CHECK(buffer[i] == pattern(i, seed), "byte %zu of %zu", i, length);
}

static int new_file(void) {
    char name[] = "/tmp/bulk-XXXXXX";
    const int fd = mkstemp(name);

    CHECK(fd >= 0 && unlink(name) == 0);
    return fd;
}

static const size_t lengths_of_interest[] = {
    PAGE, PAGE + 1, 3 * PAGE - 5, MOST - 1, MOST, MOST + 1, 3 * MOST + 17,
};

// From a buffer that is here, to one that nobody has touched, and to one that is here.
static void transfer(int fd, size_t length, size_t seed) {
    char* from = map_private(length + PAGE);
    char* to = map_private(length + PAGE);

    from += seed % PAGE;
    to += (seed * 5) % PAGE;
    fill(from, length, seed);
    CHECK_EQUAL(pwrite(fd, from, length, 3), length);
    for (int round = 0; round < 2; round++) {
        CHECK_EQUAL(pread(fd, to, length, 3), length);
        check_filled(to, length, seed);
        memset(to, 0, length);
    }
    // Shorter than asked for: what lies behind stays.
    CHECK(ftruncate(fd, 3 + length / 2) == 0);
    memset(to, '?', length);
    CHECK_EQUAL(pread(fd, to, length, 3), length / 2);
    check_filled(to, length / 2, seed);
    for (size_t i = length / 2; i < length; i++)
        CHECK(to[i] == '?', "byte %zu", i);
    munmap(from - seed % PAGE, length + PAGE);
    munmap(to - (seed * 5) % PAGE, length + PAGE);
}

static void* use_lengths(void* argument) {
    const int fd = new_file();

    for (size_t i = 0; i < sizeof(lengths_of_interest) / sizeof(size_t); i++)
        transfer(fd, lengths_of_interest[i], i * 100 + (uintptr_t)argument);
    close(fd);
    return NULL;
}

static void lengths(void) {
    in_threads(3, use_lengths);
}

// A buffer that ends in the middle is as good as its beginning.
static void* use_edges(void* argument) {
    char* buffer = map_private(5 * PAGE);
    const int fd = new_file();
    int ends[2];

    fill(buffer, 5 * PAGE, 1);
    CHECK_EQUAL(write(fd, buffer, 5 * PAGE), 5 * PAGE);
    CHECK(mprotect(buffer + 3 * PAGE, 2 * PAGE, PROT_NONE) == 0 && pipe2(ends, O_NONBLOCK) == 0);
    CHECK_EQUAL(pread(fd, buffer + 100, 4 * PAGE, 0), 3 * PAGE - 100);
    check_filled(buffer + 100, 3 * PAGE - 100, 1);
    CHECK_EQUAL(pwrite(fd, buffer + 100, 4 * PAGE, 0), 3 * PAGE - 100);
    CHECK(pread(fd, buffer + 3 * PAGE, 2 * PAGE, 0) == -1 && errno == EFAULT);
    CHECK(pwrite(fd, buffer + 3 * PAGE, 2 * PAGE, 0) == -1 && errno == EFAULT);
    CHECK_EQUAL(write(ends[1], buffer + 100, 2 * PAGE), 2 * PAGE);
    CHECK_EQUAL(read(ends[0], buffer, 5 * PAGE), 2 * PAGE);
    check_filled(buffer, 2 * PAGE, 1);
    CHECK(mprotect(buffer, PAGE, PROT_READ) == 0);
    CHECK(pread(fd, buffer, 3 * PAGE, 0) == -1 && errno == EFAULT);
    return argument;
}

static void edges(void) {
    in_threads(3, use_edges);
}

static void* receive_all(void* argument) {
    char* buffer = map_private(MOST);
    size_t got = 0;
    ssize_t n;

    memset(buffer, 0, MOST);
    while ((n = read((int)(uintptr_t)argument, buffer, MOST)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            CHECK(buffer[i] == (char)((got + i) / 3), "byte %zu", got + i);
        got += n;
    }
    CHECK_EQUAL(n, 0);
    return (void*)got;
}

static void send_all(int fd, size_t total) {
    char* buffer = map_private(total);
    size_t sent = 0;
    ssize_t n;

    for (size_t i = 0; i < total; i++)
        buffer[i] = (char)(i / 3);
    while (sent < total) {
        n = write(fd, buffer + sent, total - sent < MOST ? total - sent : MOST);
        CHECK(n > 0);
        sent += n;
    }
    close(fd);
}

static void* use_channel(void* argument) {
    const size_t total = 5 * MOST + 1234;
    pthread_t reader;
    int ends[2];

    if (argument)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    else
        CHECK(pipe(ends) == 0);
    reader = start(receive_all, (uintptr_t)ends[0]);
    send_all(ends[1], total);
    CHECK_EQUAL(join(reader), total);
    return NULL;
}

static void channels(void) {
    in_threads(2, use_channel);
}

// Everything that is read is looked at, changed and written: pages of the buffer stay where the thread is.
static void* work_on_file(void* argument) {
    char* buffer = map_private(MOST);
    const int fd = new_file();

    fill(buffer, MOST, 0);
    for (int i = 0; i < TIMES; i++)
        CHECK_EQUAL(write(fd, buffer, MOST), MOST);
    for (int i = 0; i < TIMES; i++) {
        CHECK_EQUAL(pread(fd, buffer, MOST, (off_t)i * MOST), MOST);
        check_filled(buffer, MOST, 0);
        fill(buffer, MOST, 1);
        CHECK_EQUAL(pwrite(fd, buffer, MOST, (off_t)i * MOST), MOST);
    }
    return argument;
}

static void work(void) {
    join(start(work_on_file, 0));
}

// What is read and written and never looked at stays at home.
static void* copy_file(void* argument) {
    const int from = new_file(), to = new_file();
    char* buffer = map_private(MOST);
    ssize_t n;

    CHECK(ftruncate(from, FILE_SIZE) == 0 && pwrite(from, "end", 3, FILE_SIZE - 3) == 3);
    while ((n = read(from, buffer, MOST)) > 0)
        CHECK_EQUAL(write(to, buffer, n), n);
    CHECK_EQUAL(n, 0);
    CHECK(pread(to, buffer, 4, FILE_SIZE - 3) == 3 && memcmp(buffer, "end", 3) == 0);
    return argument;
}

static void copy(void) {
    join(start(copy_file, 0));
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"lengths", lengths}, {"edges", edges}, {"channels", channels}, {"work", work}, {"copy", copy}, {0},
    };

    return run_part(parts, argv[1]);
}
