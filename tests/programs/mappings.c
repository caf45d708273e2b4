// SPDX-License-Identifier: GPL-2.0-only
// mappings - one thread changes mappings while others use them; nobody ever sees what is gone
//
// Usage: mappings PART.  Pages carry version stamps: a version is dead once the change that removed it has
// returned.

#include "workers.h"

#include <sys/mman.h>

enum { PAGES = 6, ROUNDS = 25 };

static uint8_t* arena;
static atomic_ulong dead; // stamps up to this one may not be seen any more
static atomic_int done, users_ready;

static void* map(void* at, size_t pages, int protection) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0);
    void* block = mmap(at, pages * PAGE, protection, flags, -1, 0);

    CHECK(block != MAP_FAILED);
    return block;
}

// Slot 0 of each page belongs to the thread that changes the mapping, the others to its users.
static atomic_ulong* slot(int page, int user) {
    return (atomic_ulong*)(arena + page * PAGE + user * 64);
}

static void look(int page) {
    unsigned long killed = atomic_load(&dead);
    unsigned long seen = atomic_load(slot(page, 0));

    CHECK(seen == 0 || seen > killed, "page %d shows %lu although %lu is dead", page, seen, killed);
}

static void* watch(void* argument) {
    atomic_fetch_add(&users_ready, 1);
    for (int page = 0; !atomic_load(&done); page = (page + 1) % PAGES)
        look(page);
    return NULL;
}

// Writes to the same pages, too: they are owned elsewhere when they go.
static void* watch_and_write(void* argument) {
    int user = (uintptr_t)argument + 1;

    atomic_fetch_add(&users_ready, 1);
    for (int page = 0; !atomic_load(&done); page = (page + 1) % PAGES) {
        atomic_store(slot(page, user), user);
        look(page);
    }
    return NULL;
}

static void churn(thread_function use, void (*replace)(void)) {
    pthread_t users[USERS];

    arena = map(NULL, PAGES, PROT_READ | PROT_WRITE);
    for (int i = 0; i < USERS; i++)
        users[i] = start(use, i);
    while (atomic_load(&users_ready) < USERS)
        sched_yield();
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        for (int page = 0; page < PAGES; page++)
            atomic_store(slot(page, 0), round);
        replace();
        atomic_store(&dead, round);
        for (int page = 0; page < PAGES; page++)
            CHECK_EQUAL(*slot(page, 0), 0);
    }
    atomic_store(&done, 1);
    for (int i = 0; i < USERS; i++)
        join(users[i]);
    munmap(arena, PAGES * PAGE);
}

static void discard(void) {
    CHECK(madvise(arena, PAGES * PAGE, MADV_DONTNEED) == 0);
}

static void map_over(void) {
    map(arena, PAGES, PROT_READ | PROT_WRITE);
}

static void move_over(void) {
    void* fresh = map(NULL, PAGES, PROT_READ | PROT_WRITE);

    CHECK(mremap(fresh, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, arena) == arena);
}

static void part_dontneed(void) {
    churn(watch, discard);
}

static void part_dontneed_written(void) {
    churn(watch_and_write, discard);
}

static void part_map_over(void) {
    churn(watch_and_write, map_over);
}

static void part_move_over(void) {
    churn(watch_and_write, move_over);
}

static void part_munmap(void) {
    hire();
    for (int round = 0; round < 5; round++) {
        uint8_t* block = map(NULL, 3, PROT_READ | PROT_WRITE);

        let_all_touch(block + PAGE, 10 + round);
        CHECK(munmap(block + PAGE, PAGE) == 0);
        for (int i = 0; i < USERS; i++) {
            CHECK_EQUAL(ask(i, READ, block + PAGE, 0), SIGNAL + SEGV_MAPERR);
            CHECK_EQUAL(ask(i, WRITE, block + PAGE + 8, 0), SIGNAL + SEGV_MAPERR);
        }
        map(block + PAGE, 1, PROT_READ | PROT_WRITE);
        for (int i = 0; i < USERS; i++)
            CHECK_EQUAL(ask(i, READ, block + PAGE, 0), 0);
        munmap(block, 3 * PAGE);
    }
    dismiss();
}

static void part_mprotect(void) {
    uint8_t* block = map(NULL, 1, PROT_READ | PROT_WRITE);

    hire();
    for (int round = 0; round < 5; round++) {
        let_all_touch(block, 20 + round);
        CHECK(mprotect(block, PAGE, PROT_READ) == 0);
        for (int i = 0; i < USERS; i++) {
            CHECK_EQUAL(ask(i, READ, block, 0), 20 + round + USERS - 1);
            CHECK_EQUAL(ask(i, WRITE, block, 1), SIGNAL + SEGV_ACCERR);
        }
        CHECK(mprotect(block, PAGE, PROT_NONE) == 0);
        for (int i = 0; i < USERS; i++)
            CHECK_EQUAL(ask(i, READ, block, 0), SIGNAL + SEGV_ACCERR);
        CHECK(mprotect(block, PAGE, PROT_READ | PROT_WRITE) == 0);
        for (int i = 0; i < USERS; i++)
            CHECK_EQUAL(ask(i, READ, block, 0), 20 + round + USERS - 1);
    }
    dismiss();
}

static void part_mremap(void) {
    hire();
    for (int round = 0; round < 5; round++) {
        uint8_t* old = map(NULL, 2, PROT_READ | PROT_WRITE);
        uint8_t* place = map(NULL, 4, PROT_NONE);

        let_all_touch(old, 30 + round);
        let_all_touch(old + PAGE, 60 + round);
        CHECK(mremap(old, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
        for (int i = 0; i < USERS; i++) {
            CHECK_EQUAL(ask(i, READ, old, 0), SIGNAL + SEGV_MAPERR);
            CHECK_EQUAL(ask(i, READ, place, 0), 30 + round + USERS - 1);
            CHECK_EQUAL(ask(i, READ, place + PAGE, 0), 60 + round + USERS - 1);
            CHECK_EQUAL(ask(i, READ, place + 3 * PAGE, 0), 0);
        }
        CHECK(mremap(place, 4 * PAGE, PAGE, 0) == place);
        for (int i = 0; i < USERS; i++)
            CHECK_EQUAL(ask(i, READ, place + PAGE, 0), SIGNAL + SEGV_MAPERR);
        munmap(place, PAGE);
    }
    dismiss();
}

static void part_brk(void) {
    uint8_t* block;

    hire(); // first: making threads allocates memory, and allocating moves the end of the heap
    block = (uint8_t*)(((uintptr_t)sbrk(0) + PAGE - 1) & ~(PAGE - 1ul));
    for (int round = 0; round < 5; round++) {
        CHECK(brk(block + 4 * PAGE) == 0);
        for (int i = 0; i < USERS; i++)
            CHECK_EQUAL(ask(i, READ, block + 3 * PAGE, 0), 0);
        let_all_touch(block + 3 * PAGE, 40 + round);
        CHECK(brk(block + PAGE) == 0);
        for (int i = 0; i < USERS; i++)
            CHECK_EQUAL(ask(i, READ, block + 3 * PAGE, 0), SIGNAL + SEGV_MAPERR);
    }
    dismiss();
}

// A file gets shorter under a private mapping: what is behind its end is gone for everybody.
static void part_truncate(void) {
    char name[] = "/tmp/mappingsXXXXXX";
    int fd = mkstemp(name);
    uint8_t* block;

    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 3 * PAGE) == 0);
    CHECK_EQUAL(pwrite(fd, "x", 1, 2 * PAGE), 1);
    block = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(block != MAP_FAILED);
    hire();
    for (int i = 0; i < USERS; i++)
        CHECK_EQUAL(ask(i, READ, block + 2 * PAGE, 0), 'x');
    let_all_touch(block + PAGE, 50);
    CHECK(ftruncate(fd, PAGE) == 0);
    for (int i = 0; i < USERS; i++) {
        CHECK_EQUAL(ask(i, READ, block + 2 * PAGE, 0), SIGNAL + BUS_ADRERR);
        CHECK_EQUAL(ask(i, READ, block + PAGE, 0), SIGNAL + BUS_ADRERR);
        CHECK_EQUAL(ask(i, READ, block, 0), 0);
    }
    dismiss();
}

// A move that the kernel begins below the area, where page tables can be moved as a whole.
static void part_realign(void) {
    const size_t table = 2 << 20, length = 2 * table;
    uint8_t *free_space, *from, *to;

    hire();
    free_space = map(NULL, 8 * table / PAGE, PROT_NONE);
    CHECK(munmap(free_space, 8 * table) == 0);
    from = (uint8_t*)(((uintptr_t)free_space + table - 1) & -table) + PAGE;
    to = from + 3 * table;
    map(from, length / PAGE, PROT_READ | PROT_WRITE);
    for (size_t at = 0; at < length; at += table / 4)
        CHECK_EQUAL(ask(at / table % USERS, WRITE, from + at, 1 + at / PAGE % 100), 0);
    CHECK(mremap(from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    for (size_t at = 0; at < length; at += table / 4) {
        CHECK_EQUAL(to[at], 1 + at / PAGE % 100);
        CHECK_EQUAL(ask(at / table % USERS, READ, to + at, 0), 1 + at / PAGE % 100);
    }
    dismiss();
}

// What others have read of a page that may be dropped is not dropped behind their backs.
static void part_free(void) {
    uint8_t* block = map(NULL, 1, PROT_READ | PROT_WRITE);

    hire();
    for (int round = 1; round <= ROUNDS; round++) {
        block[0] = round;
        CHECK(madvise(block, PAGE, MADV_FREE) == 0);
        for (int i = 0; i < USERS; i++)
            CHECK(ask(i, READ, block, 0) % round == 0, "neither zeros nor what was there");
        CHECK(madvise(block, PAGE, MADV_PAGEOUT) == 0);
        block[0] = 100 + round;
        for (int i = 0; i < USERS; i++)
            CHECK_EQUAL(ask(i, READ, block, 0), 100 + round);
    }
    dismiss();
}

static const struct part parts[] = {
    {"dontneed", part_dontneed}, {"dontneed-written", part_dontneed_written},
    {"map-over", part_map_over}, {"move-over", part_move_over},
    {"munmap", part_munmap},     {"mprotect", part_mprotect},
    {"mremap", part_mremap},     {"brk", part_brk},
    {"truncate", part_truncate}, {"realign", part_realign},
    {"free", part_free},         {NULL, NULL},
};

int main(int argc, char** argv) {
    return run_part(parts, argv[1]);
}
