// SPDX-License-Identifier: GPL-2.0-only
// readonly - a regular file, on a file system that is not tmpfs, mapped MAP_SHARED only to be read
//
// Usage: readonly rewritten | open | truncated | nonblocking | order | inherited | executable | compute

#include "workers.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { ROUNDS = 5, PAGES = 4 };

static char directory[] = "/tmp/readonlyXXXXXX";
static char name[sizeof(directory) + 5];

static void make_file(void) {
    int fd;

    CHECK(mkdtemp(directory) && mount("none", directory, "ramfs", 0, NULL) == 0);
    snprintf(name, sizeof(name), "%s/file", directory);
    fd = open(name, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && ftruncate(fd, PAGES * PAGE) == 0 && close(fd) == 0);
}

static void remove_file(void) {
    CHECK(umount2(directory, MNT_DETACH) == 0 && rmdir(directory) == 0);
}

static uint8_t* map_file(const char* path, size_t bytes) {
    const int fd = open(path, O_RDONLY);
    void* block = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);

    CHECK(fd >= 0 && block != MAP_FAILED && close(fd) == 0);
    return block;
}

static void put(int fd, off_t where, uint32_t value) {
    CHECK_EQUAL(pwrite(fd, &value, sizeof(value), where), sizeof(value));
}

static void rewrite(off_t where, uint32_t value) {
    const int fd = open(name, O_WRONLY);

    CHECK(fd >= 0);
    put(fd, where, value);
    CHECK(close(fd) == 0);
}

// What is written by who opens the file for it is seen by all, also beyond one page.
static void rewritten(void) {
    uint8_t* block = map_file(name, PAGES * PAGE);

    hire();
    expect_everywhere(block, 0);
    for (int round = 0; round < ROUNDS; round++) {
        rewrite(0, 10 + round);
        rewrite(PAGE, 20 + round);
        expect_everywhere(block, 10 + round);
        expect_everywhere(block + PAGE, 20 + round);
    }
    CHECK_EQUAL(ask(0, WRITE, block, 1), SIGNAL + SEGV_ACCERR);
    dismiss();
}

// A writer that keeps the file open, from before it is mapped or from later on.
static void kept_open(void) {
    int fd = open(name, O_RDWR);
    uint8_t* block = map_file(name, PAGES * PAGE);

    CHECK(fd >= 0);
    hire();
    for (int round = 0; round < ROUNDS; round++) {
        put(fd, 0, 10 + round);
        expect_everywhere(block, 10 + round);
        put(fd, 0, 20 + round);
        expect_everywhere(block, 20 + round);
        CHECK(close(fd) == 0);
        expect_everywhere(block, 20 + round);
        fd = open(name, O_RDWR);
    }
    dismiss();
}

// By its name, which nobody opens.
static void truncated(void) {
    uint8_t* block = map_file(name, PAGES * PAGE);

    rewrite(0, 10);
    rewrite(PAGE, 20);
    hire();
    for (int round = 0; round < ROUNDS; round++) {
        expect_everywhere(block, 10);
        expect_everywhere(block + PAGE, round ? 0 : 20);
        CHECK(truncate(name, PAGE) == 0);
        for (int i = 0; i < USERS; i++) {
            CHECK_EQUAL(ask(i, READ, block + PAGE, 0), SIGNAL + BUS_ADRERR);
            CHECK_EQUAL(ask(i, READ, block, 0), 10);
        }
        CHECK(truncate(name, PAGES * PAGE) == 0);
    }
    dismiss();
}

// Who does not want to wait for the pages may be told so, as with any lease, but not for long.
static void nonblocking(void) {
    uint8_t* block = map_file(name, PAGES * PAGE);

    hire();
    for (int round = 0; round < ROUNDS; round++) {
        int fd;

        expect_everywhere(block, round);
        while ((fd = open(name, O_WRONLY | O_NONBLOCK)) < 0)
            CHECK(errno == EWOULDBLOCK);
        put(fd, 0, round + 1);
        CHECK(close(fd) == 0);
    }
    dismiss();
}

// Another process writes to one page, then to another: nobody sees it the other way round.
enum { COUNT = 200 };

static const volatile uint32_t* ordered;

static void* watch(void* argument) {
    uint32_t last = 0;

    while (last < COUNT) {
        const uint32_t second = ordered[PAGE / sizeof(*ordered)];
        const uint32_t first = ordered[0];

        CHECK(second >= last && first >= second, "%u, then %u and %u", last, first, second);
        last = second;
    }
    return argument;
}

static void write_in_order(void) {
    for (uint32_t i = 1; i <= COUNT; i++) {
        rewrite(0, i);
        rewrite(PAGE, i);
    }
    _exit(0);
}

static void order(void) {
    const pid_t child = fork();
    int status;

    CHECK(child >= 0);
    if (child == 0)
        write_in_order();
    ordered = (const uint32_t*)map_file(name, PAGES * PAGE);
    in_threads(USERS, watch);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQUAL(status, 0);
}

// A child goes on reading when its parent has unmapped the file, and is told of writers.
static void follow(uint8_t* block, int from, int to) {
    uint8_t value;

    hire();
    while (read(from, &value, 1) == 1) {
        expect_everywhere(block, value);
        CHECK_EQUAL(write(to, &value, 1), 1);
    }
    dismiss();
    _exit(0);
}

static void inherited(void) {
    uint8_t* block = map_file(name, PAGES * PAGE);
    int there[2], back[2], status;
    uint8_t value;
    pid_t child;

    hire();
    expect_everywhere(block, 0);
    CHECK(pipe(there) == 0 && pipe(back) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(there[1]);
        follow(block, there[0], back[1]);
    }
    for (int round = 1; round <= ROUNDS; round++) {
        rewrite(0, round);
        if (round < ROUNDS)
            expect_everywhere(block, round);
        else
            CHECK(munmap(block, PAGES * PAGE) == 0);
        CHECK_EQUAL(write(there[1], &(uint8_t){round}, 1), 1);
        CHECK_EQUAL(read(back[0], &value, 1), 1);
    }
    CHECK(close(there[1]) == 0 && waitpid(child, &status, 0) == child);
    CHECK_EQUAL(status, 0);
    dismiss();
}

// A file of the root file system, which the tests' nodes mount to be read, over a network.
static void executable(void) {
    const char* path = "/bin/sh";
    const int fd = open(path, O_RDONLY);
    struct stat stat;
    uint8_t* block;
    uint8_t byte;

    CHECK(fd >= 0 && fstat(fd, &stat) == 0);
    block = map_file(path, stat.st_size);
    hire();
    for (off_t where = 1; where < stat.st_size; where += PAGE) {
        CHECK_EQUAL(pread(fd, &byte, 1, where), 1);
        expect_everywhere(block + where, byte);
    }
    dismiss();
}

// Threads that do nothing but read have no reason to come home.
enum { PASSES = 20000 };

static void* sum(void* argument) {
    const volatile uint32_t* words = ordered;
    uint32_t total = 0;

    for (int pass = 0; pass < PASSES; pass++)
        for (size_t i = 0; i < PAGES * PAGE / sizeof(*words); i += 16)
            total += words[i] ^ (uint32_t)pass;
    return (void*)(uintptr_t)total;
}

static void compute(void) {
    pthread_t threads[USERS];
    uint32_t expected;

    for (int page = 0; page < PAGES; page++)
        rewrite(page * PAGE, 1000 + page);
    ordered = (const uint32_t*)map_file(name, PAGES * PAGE);
    for (int i = 0; i < USERS; i++)
        threads[i] = start(sum, i);
    expected = (uint32_t)(uintptr_t)sum(NULL);
    for (int i = 0; i < USERS; i++)
        CHECK_EQUAL(join(threads[i]), expected);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"rewritten", rewritten},     {"open", kept_open},  {"truncated", truncated},
        {"nonblocking", nonblocking}, {"order", order},     {"inherited", inherited},
        {"executable", executable},   {"compute", compute}, {NULL, NULL},
    };
    int status;

    make_file();
    status = run_part(parts, argv[1]);
    remove_file();
    return status;
}
