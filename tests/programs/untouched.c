// SPDX-License-Identifier: GPL-2.0-only
// untouched - memory that nobody has touched yet, touched first by threads on other nodes
//
// Usage: untouched random|pairs|edges|discarded|forked

#include "check.h"

#include <sys/wait.h>

enum { PAGE = 4096, PAGES = 2048, THREADS = 3, EDGES = 16 };

static uint8_t* memory;

// All pages, each once, far from the one before: the period is PAGES, which is a power of two.
static void touch_at_random(void) {
    size_t page = 0;

    for (int i = 0; i < PAGES; i++) {
        page = (page * 5 + 1) % PAGES;
        CHECK_EQUAL(memory[page * PAGE + page % PAGE], 0);
        memory[page * PAGE + page % PAGE] = 1 + page % 251;
    }
}

static void expect_touched(void) {
    for (size_t page = 0; page < PAGES; page++)
        CHECK_EQUAL(memory[page * PAGE + page % PAGE], 1 + page % 251);
}

static void* touch(void* nothing) {
    touch_at_random();
    expect_touched();
    return NULL;
}

static void at_random(void) {
    memory = map_private(PAGES * PAGE);
    join(start(touch, 0));
}

// Neighbours are touched by different threads at the same time.
static void* touch_every_third(void* argument) {
    for (size_t page = (uintptr_t)argument; page < PAGES; page += THREADS)
        for (int offset = 0; offset < PAGE; offset += 1024) {
            CHECK_EQUAL(memory[page * PAGE + offset], 0);
            memory[page * PAGE + offset] = 1 + page % 251;
        }
    return NULL;
}

static void pairs(void) {
    memory = map_private(PAGES * PAGE);
    in_threads(THREADS, touch_every_third);
    for (size_t page = 0; page < PAGES; page++)
        for (int offset = 0; offset < PAGE; offset += 1024)
            CHECK_EQUAL(memory[page * PAGE + offset], 1 + page % 251);
}

// Beside a hole, a page that is only read, and one of a file.
static void* touch_the_edges(void* nothing) {
    int file = memfd_create("edges", 0);

    CHECK(file >= 0 && ftruncate(file, PAGE) == 0 && pwrite(file, "x", 1, 0) == 1);
    for (int round = 0; round < 8; round++) {
        uint8_t* at = map_private(EDGES * PAGE);

        CHECK(munmap(at + 5 * PAGE, PAGE) == 0);
        CHECK(mprotect(at + 6 * PAGE, PAGE, PROT_READ) == 0);
        CHECK(mmap(at + 7 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == at + 7 * PAGE);
        at[4 * PAGE] = 1;
        at[8 * PAGE] = 2;
        CHECK_EQUAL(at[6 * PAGE], 0);
        CHECK_EQUAL(at[7 * PAGE], 'x');
        CHECK(mmap(at + 5 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == at + 5 * PAGE);
        CHECK_EQUAL(at[5 * PAGE], 'x');
        CHECK(mprotect(at + 6 * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
        at[6 * PAGE] = 3;
        CHECK_EQUAL(at[4 * PAGE] + at[8 * PAGE] + at[6 * PAGE], 6);
        CHECK(munmap(at, EDGES * PAGE) == 0);
    }
    close(file);
    return NULL;
}

static void edges(void) {
    join(start(touch_the_edges, 0));
}

// Given back, it has never been touched.
static void* touch_twice(void* nothing) {
    for (int round = 0; round < 3; round++) {
        touch_at_random();
        CHECK(madvise(memory, PAGES * PAGE, MADV_DONTNEED) == 0);
    }
    touch_at_random();
    return NULL;
}

static void discarded(void) {
    memory = map_private(PAGES * PAGE);
    join(start(touch_twice, 0));
    expect_touched();
}

// A child gets what has been touched, and zeros for what has only been asked for.
static void* touch_a_few(void* nothing) {
    int status;
    pid_t child;

    for (size_t page = 0; page < PAGES; page += 32)
        memory[page * PAGE] = 1 + page % 251;
    child = fork();
    CHECK(child >= 0);
    if (!child) {
        for (size_t page = 0; page < PAGES; page++)
            CHECK_EQUAL(memory[page * PAGE], page % 32 ? 0 : 1 + page % 251);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQUAL(status, 0);
    return NULL;
}

static void forked(void) {
    memory = map_private(PAGES * PAGE);
    join(start(touch_a_few, 0));
    for (size_t page = 0; page < PAGES; page++)
        CHECK_EQUAL(memory[page * PAGE], page % 32 ? 0 : 1 + page % 251);
}

static const struct part parts[] = {
    {"random", at_random},    {"pairs", pairs},   {"edges", edges},
    {"discarded", discarded}, {"forked", forked}, {NULL, NULL},
};

int main(int argc, char** argv) {
    return run_part(parts, argv[1]);
}
