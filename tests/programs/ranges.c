// SPDX-License-Identifier: GPL-2.0-only
// ranges - fork, and changes of mappings, where other nodes have thousands of pages
//
// Usage: ranges PART

#include "workers.h"

#include <sys/mman.h>
#include <sys/wait.h>

// A writer's region, more than what home asks for at once; and in which pages a fault is tried.
enum { PAGES = 1100, WORDS = PAGE / sizeof(uint64_t), ALL = USERS * PAGES, FORKS = 3 };

struct page {
    uint64_t words[WORDS];
};

struct alone {
    atomic_ulong value;
    uint8_t rest[PAGE - sizeof(atomic_ulong)];
} __attribute__((aligned(PAGE)));

static struct page* arena;     // a region for each writer
static struct page* untouched; // of the same size
static struct alone rounds[USERS], done;

static uint64_t body(int page, int word) {
    return (uint64_t)page << 32 | word;
}

static void fill(int page) {
    for (int word = 1; word < (int)WORDS - 1; word++)
        arena[page].words[word] = body(page, word);
}

static void check_body(int page) {
    for (int word = 1; word < (int)WORDS - 1; word += 31)
        CHECK_EQUAL(arena[page].words[word], body(page, word));
}

static uint64_t head(int page) {
    return __atomic_load_n(&arena[page].words[0], __ATOMIC_ACQUIRE);
}

static uint64_t tail(int page) {
    return __atomic_load_n(&arena[page].words[WORDS - 1], __ATOMIC_ACQUIRE);
}

// ---- fork ----

// Numbers its rounds: first the head of a page, then its tail, then the next page.
static void* keep_writing(void* argument) {
    int writer = (uintptr_t)argument, first = writer * PAGES;

    for (int page = first; page < first + PAGES; page++)
        fill(page);
    for (uint64_t n = 1; !atomic_load(&done.value); n++) {
        for (int page = first; page < first + PAGES; page++) {
            __atomic_store_n(&arena[page].words[0], n, __ATOMIC_RELEASE);
            __atomic_store_n(&arena[page].words[WORDS - 1], n, __ATOMIC_RELEASE);
        }
        atomic_store(&rounds[writer].value, n);
    }
    return NULL;
}

// What is here and there is wanted by others, too, while the process forks.
static void* keep_reading(void* argument) {
    while (!atomic_load(&done.value))
        for (int page = 0; page < ALL && !atomic_load(&done.value); page += 97)
            if (head(page))
                check_body(page);
    return NULL;
}

static void await_rounds(uint64_t more) {
    for (int writer = 0; writer < USERS; writer++) {
        uint64_t wanted = atomic_load(&rounds[writer].value) + more;

        while (atomic_load(&rounds[writer].value) < wanted)
            usleep(5000);
    }
}

// The memory is that of one moment in the life of the writer.
static void check_region(int writer) {
    int first = writer * PAGES;

    for (int page = first; page < first + PAGES; page++) {
        uint64_t now = head(page);

        CHECK(now == head(first) || now + 1 == head(first), "page %d: %lu", page, now);
        CHECK(page == first || now <= head(page - 1), "page %d: %lu", page, now);
        CHECK(tail(page) == now || tail(page) + 1 == now, "page %d: %lu, %lu", page, now, tail(page));
        CHECK(page == first || now < head(page - 1) || tail(page - 1) == now, "page %d: %lu", page, now);
        check_body(page);
    }
}

static void be_child(void) {
    for (int writer = 0; writer < USERS; writer++)
        check_region(writer);
    for (int page = 0; page < ALL; page++)
        CHECK_EQUAL(untouched[page].words[1], 0);
    // It is the child's own, and the parent's writers do not show here.
    uint64_t before = head(0);
    usleep(20000);
    CHECK_EQUAL(head(0), before);
    memset(arena, 0xee, ALL * PAGE);
    _exit(0);
}

static void part_fork(void) {
    pthread_t writers[USERS], reader;

    arena = map_private((size_t)ALL * PAGE);
    untouched = map_private((size_t)ALL * PAGE);
    for (int i = 0; i < USERS; i++)
        writers[i] = start(keep_writing, i);
    reader = start(keep_reading, 0);
    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t pid;

        await_rounds(1);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            be_child();
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, 0);
    }
    await_rounds(1);
    atomic_store(&done.value, 1);
    join(reader);
    for (int i = 0; i < USERS; i++)
        join(writers[i]);
    for (int page = 0; page < ALL; page++) {
        CHECK_EQUAL(head(page), atomic_load(&rounds[page / PAGES].value));
        CHECK_EQUAL(tail(page), head(page));
        check_body(page);
    }
}

// ---- changes of mappings ----

static void* fill_region(void* argument) {
    int first = (uintptr_t)argument * PAGES;

    for (int page = first; page < first + PAGES; page++)
        fill(page);
    return NULL;
}

static void* check_all(void* argument) {
    for (int page = 0; page < ALL; page++)
        check_body(page);
    return NULL;
}

static void fill_arena(void) {
    hire();
    arena = map_private((size_t)ALL * PAGE);
    in_threads(USERS, fill_region);
}

// Every worker's access to some of the pages ends in that signal.
static void expect_fault(struct page* block, enum order order, int signal_code) {
    const int tried[] = {0, 1, 1023, 1024, 1025, PAGES, 2047, 2048, ALL - 1};

    for (size_t i = 0; i < sizeof(tried) / sizeof(*tried); i++)
        for (int user = 0; user < USERS; user++)
            CHECK_EQUAL(ask(user, order, (uint8_t*)&block[tried[i]], 1), SIGNAL + signal_code);
}

static void part_mprotect(void) {
    fill_arena();
    CHECK(mprotect(arena, ALL * PAGE, PROT_READ) == 0);
    expect_fault(arena, WRITE, SEGV_ACCERR);
    in_threads(USERS, check_all);
    CHECK(mprotect(arena, ALL * PAGE, PROT_READ | PROT_WRITE) == 0);
    in_threads(USERS, fill_region);
    check_all(NULL);
    dismiss();
}

static void part_mremap(void) {
    struct page *before, *there = map_private((size_t)ALL * PAGE);

    fill_arena();
    before = arena;
    arena = mremap(before, ALL * PAGE, ALL * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, there);
    CHECK(arena == there);
    in_threads(USERS, check_all);
    expect_fault(before, READ, SEGV_MAPERR);
    dismiss();
}

static void part_munmap(void) {
    fill_arena();
    CHECK(munmap(arena, ALL * PAGE) == 0);
    expect_fault(arena, READ, SEGV_MAPERR);
    expect_fault(arena, WRITE, SEGV_MAPERR);
    dismiss();
}

static void part_dontneed(void) {
    fill_arena();
    CHECK(madvise(arena, ALL * PAGE, MADV_DONTNEED) == 0);
    for (int page = 0; page < ALL; page++)
        CHECK_EQUAL(arena[page].words[1], 0);
    in_threads(USERS, fill_region);
    check_all(NULL);
    dismiss();
}

int main(int argc, char** argv) {
    const struct part parts[] = {
        {"fork", part_fork},     {"mprotect", part_mprotect}, {"mremap", part_mremap},
        {"munmap", part_munmap}, {"dontneed", part_dontneed}, {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
