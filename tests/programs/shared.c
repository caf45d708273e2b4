// SPDX-License-Identifier: GPL-2.0-only
// shared - memory mapped MAP_SHARED: by this process alone, with a child, twice
//
// Usage: shared changes | fork | fork-exec | twice | grow | closed | compute | compute-closed |
// compute-open | compute-file | compute-family

#include "workers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { ROUNDS = 5 };

static uint8_t* map_shared(size_t pages) {
    void* block = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(block != MAP_FAILED);
    return block;
}

// Only the mapping goes with MADV_DONTNEED, the contents with MADV_REMOVE.
static void changes(void) {
    hire();
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t* block = map_shared(3);
        uint8_t* moved;

        let_all_touch(block, 10 + round);
        let_all_touch(block + PAGE, 20 + round);
        CHECK(madvise(block, 2 * PAGE, MADV_DONTNEED) == 0);
        expect_everywhere(block, 10 + round + USERS - 1);
        let_all_touch(block + PAGE, 30 + round);
        CHECK(madvise(block + PAGE, PAGE, MADV_REMOVE) == 0);
        expect_everywhere(block + PAGE, 0);
        let_all_touch(block + PAGE, 40 + round);
        CHECK(mprotect(block, PAGE, PROT_READ) == 0);
        CHECK_EQUAL(ask(0, WRITE, block, 1), SIGNAL + SEGV_ACCERR);
        expect_everywhere(block, 10 + round + USERS - 1);
        CHECK(mprotect(block, PAGE, PROT_READ | PROT_WRITE) == 0);
        moved = mremap(block, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
        CHECK(moved != MAP_FAILED);
        expect_everywhere(moved + PAGE, 40 + round + USERS - 1);
        CHECK(munmap(moved, 3 * PAGE) == 0);
        CHECK_EQUAL(ask(1, READ, moved + PAGE, 0), SIGNAL + SEGV_MAPERR);
    }
    dismiss();
}

static void tell(int fd) {
    CHECK_EQUAL(write(fd, "x", 1), 1);
}

static void hear(int fd) {
    char byte;

    CHECK_EQUAL(read(fd, &byte, 1), 1);
}

// A child maps the same memory: both see what the other one writes, and so does every thread.
static void with_child(void) {
    uint8_t* block = map_shared(2);

    hire();
    for (int round = 0; round < ROUNDS; round++) {
        int to_child[2], to_parent[2], status;
        pid_t child;

        CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
        let_all_touch(block, 50 + round);
        let_all_touch(block + PAGE, 60 + round);
        child = fork();
        if (child == 0) {
            CHECK_EQUAL(block[0], 50 + round + USERS - 1);
            block[0] = 70 + round;
            tell(to_parent[1]);
            hear(to_child[0]);
            CHECK_EQUAL(block[PAGE], 80 + round + USERS - 1);
            _exit(block[0] == 70 + round ? 7 : 1);
        }
        hear(to_parent[0]);
        expect_everywhere(block, 70 + round);
        let_all_touch(block + PAGE, 80 + round);
        tell(to_child[1]);
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
        CHECK_EQUAL(WEXITSTATUS(status), 7);
        let_all_touch(block, 90 + round);
        for (int i = 0; i < 2; i++) {
            close(to_child[i]);
            close(to_parent[i]);
        }
    }
    dismiss();
}

// Processes come and go while the threads do not stop.
static atomic_int done;
static atomic_ulong* counters;

static void* count_on(void* argument) {
    atomic_ulong* mine = &counters[(uintptr_t)argument * 8];
    atomic_ulong* all = &counters[USERS * 8];

    while (!atomic_load(&done)) {
        atomic_fetch_add(mine, 1);
        atomic_fetch_add(all, 1);
    }
    return NULL;
}

static void fork_exec(void) {
    pthread_t threads[USERS];
    unsigned long sum = 0;

    counters = (atomic_ulong*)map_shared(1);
    for (int i = 0; i < USERS; i++)
        threads[i] = start(count_on, i);
    for (int round = 0; round < 20; round++) {
        unsigned long before = atomic_load(&counters[USERS * 8]);

        CHECK_EQUAL(system("exit 3"), 3 << 8);
        while (atomic_load(&counters[USERS * 8]) < before + 100)
            sched_yield();
    }
    atomic_store(&done, 1);
    for (int i = 0; i < USERS; i++) {
        join(threads[i]);
        sum += counters[i * 8];
    }
    CHECK_EQUAL(sum, counters[USERS * 8]);
}

// The same page at two addresses.
static void twice(void) {
    hire();
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t* block = map_shared(1);
        uint8_t* again;

        let_all_touch(block, 10 + round);
        again = mremap(block, 0, PAGE, MREMAP_MAYMOVE);
        CHECK(again != MAP_FAILED && again != block);
        expect_everywhere(again, 10 + round + USERS - 1);
        let_all_touch(again, 20 + round);
        expect_everywhere(block, 20 + round + USERS - 1);
        CHECK(munmap(block, PAGE) == 0);
        let_all_touch(again, 30 + round);
        CHECK(munmap(again, PAGE) == 0);
    }
    dismiss();
}

// An area that grows maps pages again that another one of the same memory has.
static void grow(void) {
    hire();
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t* block = map_shared(10);
        uint8_t* again;

        let_all_touch(block + 7 * PAGE, 10 + round);
        again = mremap(block, 5 * PAGE, 10 * PAGE, MREMAP_MAYMOVE);
        CHECK(again != MAP_FAILED && again != block);
        expect_everywhere(again + 7 * PAGE, 10 + round + USERS - 1);
        let_all_touch(again + 7 * PAGE, 20 + round);
        expect_everywhere(block + 7 * PAGE, 20 + round + USERS - 1);
        CHECK(munmap(again, 10 * PAGE) == 0 && munmap(block + 5 * PAGE, 5 * PAGE) == 0);
    }
    dismiss();
}

// memfd without a descriptor is like memory that never had one, until fork maps it for the child, too.
static uint8_t* map_closed(size_t pages) {
    const int fd = memfd_create("closed", 0);
    void* block;

    CHECK(fd >= 0 && ftruncate(fd, pages * PAGE) == 0);
    CHECK_EQUAL(pwrite(fd, "before", 6, 0), 6);
    block = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(block != MAP_FAILED && close(fd) == 0);
    return block;
}

static void closed(void) {
    uint8_t* block = map_closed(2);
    int status;
    pid_t child;

    hire();
    CHECK(memcmp(block, "before", 6) == 0);
    let_all_touch(block, 10);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        block[PAGE] = block[0] + 1;
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    expect_everywhere(block + PAGE, 10 + USERS);
    let_all_touch(block + PAGE, 30);
    dismiss();
}

// Computes in shared memory: it need not come home for that.
static uint32_t* table;
enum { WORDS = 16 * PAGE / 4, PASSES = 3000 };

static void* mix(void* argument) {
    uint32_t* mine = table + (uintptr_t)argument * WORDS;

    for (int pass = 0; pass < PASSES; pass++)
        for (int i = 0; i < WORDS; i++)
            mine[i] = mine[i] * 1664525 + (uint32_t)i;
    return NULL;
}

static void compute_in(uint8_t* memory) {
    table = (uint32_t*)memory;
    memset(table, 0, (size_t)USERS * WORDS * sizeof(*table));
    in_threads(USERS, mix);
    for (int i = 0; i < WORDS; i++) {
        uint32_t value = 0;

        for (int pass = 0; pass < PASSES; pass++)
            value = value * 1664525 + (uint32_t)i;
        for (int thread = 0; thread < USERS; thread++)
            CHECK_EQUAL(table[thread * WORDS + i], value);
    }
}

static void compute(void) {
    compute_in(map_shared((size_t)USERS * 16));
}

static void compute_closed(void) {
    compute_in(map_closed((size_t)USERS * 16));
}

// What has a descriptor need not, either; what it reads is what was computed.
static void compute_through(int fd) {
    const size_t size = (size_t)USERS * WORDS * sizeof(*table);
    uint32_t word;
    uint8_t* block;

    CHECK(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(block != MAP_FAILED);
    compute_in(block);
    CHECK_EQUAL(pread(fd, &word, sizeof(word), (off_t)(size - sizeof(word))), sizeof(word));
    CHECK_EQUAL(word, table[size / sizeof(*table) - 1]);
}

static void compute_open(void) {
    compute_through(memfd_create("open", 0));
}

static void compute_file(void) {
    char name[] = "/dev/shm/computeXXXXXX";

    compute_through(mkstemp(name));
    CHECK(unlink(name) == 0);
}

// What parent and children map leaves home for who uses it.
enum { TURNS = 2000, WORK = 100000 };

static void count_turns(atomic_long* turns) {
    for (int turn = 0; turn < TURNS; turn++) {
        for (volatile int i = 0; i < WORK; i++)
            ;
        atomic_fetch_add(turns, 1);
    }
    _exit(0);
}

static void compute_family(void) {
    uint8_t* block = map_shared(USERS);
    pid_t children[USERS];
    int status;

    memset(block, 0, (size_t)USERS * PAGE);
    for (int i = 0; i < USERS; i++) {
        children[i] = fork();
        CHECK(children[i] >= 0);
        if (children[i] == 0)
            count_turns((atomic_long*)(block + (size_t)i * PAGE));
    }
    for (int i = 0; i < USERS; i++) {
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
        CHECK_EQUAL(*(atomic_long*)(block + (size_t)i * PAGE), TURNS);
    }
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"changes", changes},
        {"fork", with_child},
        {"fork-exec", fork_exec},
        {"twice", twice},
        {"grow", grow},
        {"closed", closed},
        {"compute", compute},
        {"compute-closed", compute_closed},
        {"compute-open", compute_open},
        {"compute-file", compute_file},
        {"compute-family", compute_family},
        {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
