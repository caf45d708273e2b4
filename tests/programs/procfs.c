// SPDX-License-Identifier: GPL-2.0-only
// procfs - what /proc says of a thread that computes, or waits, elsewhere, and of what its process has there
//
// Usage: procfs state | resident | mincore

#include "check.h"

#include <stdatomic.h>

static atomic_int tid, done;

static void read_file(const char* name, char* text, size_t size) {
    FILE* file = fopen(name, "r");

    CHECK(file != NULL, "%s", name);
    text[fread(text, 1, size - 1, file)] = '\0';
    CHECK(fclose(file) == 0);
}

static char state_of(int thread) {
    char name[64], text[512];

    snprintf(name, sizeof(name), "/proc/self/task/%d/stat", thread);
    read_file(name, text, sizeof(text));
    return strrchr(text, ')')[2];
}

static void* spin(void* argument) {
    atomic_store(&tid, gettid());
    while (!atomic_load(&done))
        compute_a_while();
    return NULL;
}

static void* sleep_on(void* argument) {
    atomic_store(&tid, gettid());
    pause();
    return NULL;
}

static int begin(thread_function function, pthread_t* thread) {
    atomic_store(&tid, 0);
    *thread = start(function, 0);
    while (!atomic_load(&tid))
        sched_yield();
    return atomic_load(&tid);
}

// A thread that computes is seen running nearly always: it is at home for moments only.
static void state(void) {
    enum { LOOKS = 50 };
    pthread_t thread, sleeper;
    const int computing = begin(spin, &thread);
    const int asleep = begin(sleep_on, &sleeper);
    int running = 0;

    compute_a_while();
    while (state_of(asleep) != 'S')
        compute_a_while();
    for (int i = 0; i < LOOKS; i++) {
        running += state_of(computing) == 'R';
        CHECK(state_of(asleep) == 'S');
    }
    CHECK(running >= LOOKS * 3 / 4, "running %d times of %d", running, (int)LOOKS);
    atomic_store(&done, 1);
    join(thread);
    CHECK(pthread_cancel(sleeper) == 0);
    join(sleeper);
}

static long resident_kb(void) {
    char text[4096];
    const char* line;

    read_file("/proc/self/status", text, sizeof(text));
    line = strstr(text, "VmRSS:");
    CHECK(line != NULL);
    return atol(line + 6);
}

enum { MEGABYTES = 8, SIZE = MEGABYTES << 20, KB = SIZE / 1024, SLACK = 1024 };

static void* fill(void* argument) {
    memset((void*)argument, 1, SIZE);
    return NULL;
}

static void expect_kb(long before, long wanted) {
    const long grown = resident_kb() - before;

    CHECK(grown >= wanted - SLACK && grown <= wanted + SLACK, "%ld kB, not %ld", grown, wanted);
}

// Memory that was filled elsewhere counts; what is given back does not.
static void resident(void) {
    uint8_t* block = map_private(SIZE);
    const long before = resident_kb();

    join(start(fill, (uintptr_t)block));
    expect_kb(before, KB);
    for (int i = 0; i < SIZE / 2; i += 4096)
        CHECK_EQUAL(block[i], 1);
    expect_kb(before, KB);
    CHECK(madvise(block, SIZE / 4, MADV_DONTNEED) == 0);
    expect_kb(before, KB * 3 / 4);
    CHECK(munmap(block, SIZE) == 0);
    expect_kb(before, 0);
}

static void expect_in_core(uint8_t* block, int pages, int wanted) {
    unsigned char in_core[pages];

    CHECK(mincore(block, (size_t)pages * 4096, in_core) == 0);
    for (int i = 0; i < pages; i++)
        CHECK((in_core[i] & 1) == wanted, "page %d of %p", i, (void*)block);
}

static void ask_mincore(void) {
    enum { PAGES = SIZE / 4096 };
    uint8_t* block = map_private(SIZE);
    uint8_t* shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(shared != MAP_FAILED);
    expect_in_core(block, PAGES, 0);
    expect_in_core(shared, PAGES, 0);
    join(start(fill, (uintptr_t)block));
    join(start(fill, (uintptr_t)shared));
    expect_in_core(block, PAGES, 1);
    expect_in_core(shared, PAGES, 1);
    CHECK_EQUAL(mincore(block + 1, 1, shared), -1);
    CHECK_EQUAL(errno, EINVAL);
    CHECK_EQUAL(block[SIZE - 1] + shared[SIZE - 1], 2);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"state", state},
        {"resident", resident},
        {"mincore", ask_mincore},
        {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
