// SPDX-License-Identifier: GPL-2.0-only
// keys - protection keys: threads on any node may touch what their own rights allow, and so may their calls
//
// Usage: keys rights | threads | calls | changed | executable | family | compute

#include "faults.h"

#include <sys/wait.h>

enum { PAGE = 4096, PAGES = 4, BYTES = PAGES * PAGE, USERS = 3, ROUNDS = 5, BIG = 16, KEYS = 16 };
enum { RIGHT = 0 }; // what an access that is allowed answers, others their si_code

static void expect_segv_at(const volatile uint8_t* address) {
    CHECK_EQUAL(caught.si_signo, SIGSEGV);
    CHECK_EQUAL((uintptr_t)caught.si_addr, (uintptr_t)address);
}

// PKRU is not part of what siglongjmp restores: a handler begins with only key 0 open.
static int refused(unsigned rights, int key, const volatile uint8_t* address) {
    CHECK(pkey_set(key, rights) == 0);
    expect_segv_at(address);
    if (caught.si_code == SEGV_PKUERR)
        CHECK_EQUAL(caught.si_pkey, key);
    return caught.si_code;
}

static int can_read(int key, const volatile uint8_t* address) {
    const unsigned rights = pkey_get(key);

    if (sigsetjmp(escape, 1))
        return refused(rights, key, address);
    (void)*address;
    return RIGHT;
}

static int can_write(int key, volatile uint8_t* address, uint8_t value) {
    const unsigned rights = pkey_get(key);

    if (sigsetjmp(escape, 1))
        return refused(rights, key, address);
    *address = value;
    return RIGHT;
}

static uint8_t* map_with(int key) {
    uint8_t* block = map_private(BYTES);

    CHECK(pkey_mprotect(block, BYTES, PROT_READ | PROT_WRITE, key) == 0);
    return block;
}

static int new_key(void) {
    const int key = pkey_alloc(0, 0);

    CHECK(key > 0);
    return key;
}

// What a thread's rights say holds at once, on pages that are here and on such as are not.
static void try_all(int key, uint8_t* block, int value) {
    compute_a_while();
    for (int page = 0; page < PAGES; page++)
        CHECK_EQUAL(can_write(key, block + page * PAGE, value), RIGHT);
    CHECK(pkey_set(key, PKEY_DISABLE_WRITE) == 0);
    for (int page = 0; page < PAGES; page++) {
        CHECK_EQUAL(can_write(key, block + page * PAGE, 0), SEGV_PKUERR);
        CHECK_EQUAL(can_read(key, block + page * PAGE), RIGHT);
    }
    CHECK(pkey_set(key, PKEY_DISABLE_ACCESS) == 0);
    for (int page = 0; page < PAGES; page++)
        CHECK_EQUAL(can_read(key, block + page * PAGE), SEGV_PKUERR);
    CHECK(pkey_set(key, 0) == 0);
    for (int page = 0; page < PAGES; page++)
        CHECK_EQUAL(block[page * PAGE], value);
}

static int shared_key;
static uint8_t* shared_block;

static void* with_block(void* argument) {
    uint8_t* block = map_with(shared_key);

    for (int round = 0; round < ROUNDS; round++)
        try_all(shared_key, block, round + 1);
    CHECK(munmap(block, BYTES) == 0);
    return argument;
}

static void rights(void) {
    shared_key = new_key();
    in_threads(USERS, with_block);
    CHECK(pkey_free(shared_key) == 0);
}

// One may write, one may read, one may do nothing, all at the same time.
static pthread_barrier_t barrier;

static void* use(void* argument) {
    static const unsigned rights[USERS] = {0, PKEY_DISABLE_WRITE, PKEY_DISABLE_ACCESS};
    const int user = (uintptr_t)argument;

    compute_a_while();
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t* at = shared_block + round % PAGES * PAGE + user;

        CHECK(pkey_set(shared_key, rights[user]) == 0);
        pthread_barrier_wait(&barrier);
        CHECK_EQUAL(can_write(shared_key, at, round), user ? SEGV_PKUERR : RIGHT);
        CHECK_EQUAL(can_read(shared_key, at), user == 2 ? SEGV_PKUERR : RIGHT);
        CHECK_EQUAL(pkey_get(shared_key), rights[user]);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void threads(void) {
    shared_key = new_key();
    shared_block = map_with(shared_key);
    CHECK(pthread_barrier_init(&barrier, NULL, USERS) == 0);
    in_threads(USERS, use);
}

// Calls may touch what their caller may touch, and what they cannot store is not lost.
static void try_calls(int key, uint8_t* block, size_t bytes) {
    char expected[BYTES], got[BYTES];
    int ends[2];

    compute_a_while();
    memset(expected, 'x', bytes);
    CHECK(pipe(ends) == 0);
    CHECK_EQUAL(write(ends[1], expected, bytes), bytes);
    CHECK(pkey_set(key, PKEY_DISABLE_WRITE) == 0);
    CHECK(read(ends[0], block, bytes) == -1 && errno == EFAULT);
    CHECK(pkey_set(key, PKEY_DISABLE_ACCESS) == 0);
    CHECK(read(ends[0], block, bytes) == -1 && errno == EFAULT);
    CHECK(write(ends[1], block, bytes) == -1 && errno == EFAULT);
    CHECK_EQUAL(read(ends[0], got, bytes), bytes);
    CHECK(memcmp(got, expected, bytes) == 0);
    CHECK_EQUAL(write(ends[1], expected, bytes), bytes);
    CHECK(pkey_set(key, 0) == 0);
    CHECK_EQUAL(read(ends[0], block, bytes), bytes);
    CHECK(memcmp(block, expected, bytes) == 0);
    CHECK(pkey_set(key, PKEY_DISABLE_WRITE) == 0);
    CHECK_EQUAL(write(ends[1], block, bytes), bytes);
    CHECK(pkey_set(key, 0) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void* make_calls(void* argument) {
    uint8_t* block = map_with(shared_key);

    for (int round = 0; round < ROUNDS; round++) {
        try_calls(shared_key, block, BIG);
        try_calls(shared_key, block, BYTES);
    }
    return argument;
}

static void calls(void) {
    shared_key = new_key();
    in_threads(USERS, make_calls);
}

// The memory gets another key while others use it.
static void* touch_until_closed(void* argument) {
    volatile uint8_t* at = shared_block + (uintptr_t)argument;

    compute_a_while();
    CHECK(pkey_set(shared_key, PKEY_DISABLE_WRITE) == 0);
    while (can_write(shared_key, at, 1) == RIGHT)
        ;
    CHECK_EQUAL(can_read(shared_key, at), RIGHT);
    return NULL;
}

static void changed(void) {
    pthread_t threads[USERS];

    shared_key = new_key();
    shared_block = map_private(BYTES);
    for (int i = 0; i < USERS; i++)
        threads[i] = start(touch_until_closed, (uintptr_t)i);
    for (int i = 0; i < 5; i++)
        compute_a_while();
    CHECK(pkey_mprotect(shared_block, BYTES, PROT_READ | PROT_WRITE, shared_key) == 0);
    for (int i = 0; i < USERS; i++)
        join(threads[i]);
    CHECK(pkey_mprotect(shared_block, BYTES, PROT_READ | PROT_WRITE, 0) == 0);
    CHECK_EQUAL(can_write(shared_key, shared_block, 2), RIGHT);
}

// Memory that may only be executed has a key that nobody asked for, closed to who makes it, even if nothing
// was.
static uint8_t* map_to_execute(void) {
    static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xc3}; // mov $42, %eax; ret
    uint8_t* code = map_private(PAGE);

    for (int key = 1; key < KEYS; key++)
        CHECK(pkey_set(key, 0) == 0);
    memcpy(code, answer, sizeof(answer));
    CHECK(mprotect(code, PAGE, PROT_EXEC) == 0);
    return code;
}

static void execute_once(uint8_t* code) {
    CHECK_EQUAL(((int (*)(void))code)(), 42);
    if (!sigsetjmp(escape, 1)) {
        (void)*(volatile uint8_t*)code;
        CHECK(0, "it can be read");
    }
    expect_segv_at(code);
    CHECK_EQUAL(caught.si_code, SEGV_PKUERR);
}

static void* execute(void* argument) {
    compute_a_while();
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t* code = map_to_execute();

        execute_once(code);
        CHECK(munmap(code, PAGE) == 0);
    }
    return argument;
}

static void executable(void) {
    in_threads(USERS, execute);
}

// Threads and children begin with the rights of who makes them.
static void* look(void* argument) {
    CHECK_EQUAL(pkey_get(shared_key), (uintptr_t)argument);
    compute_a_while();
    CHECK_EQUAL(can_write(shared_key, shared_block, 1), argument ? SEGV_PKUERR : RIGHT);
    CHECK_EQUAL(pkey_get(shared_key), (uintptr_t)argument);
    return NULL;
}

static void family(void) {
    int status;

    shared_key = new_key();
    shared_block = map_with(shared_key);
    for (unsigned rights = 0; rights <= PKEY_DISABLE_WRITE; rights += PKEY_DISABLE_WRITE) {
        compute_a_while();
        CHECK(pkey_set(shared_key, rights) == 0);
        join(start(look, rights));
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            _exit(look((void*)(uintptr_t)rights) != NULL);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_EQUAL(status, 0);
    }
}

// Nobody who uses keys has reason to come home.
static void* sum(void* argument) {
    volatile uint32_t* words = (volatile uint32_t*)(shared_block + (uintptr_t)argument * PAGE);
    uint32_t total = 0;

    for (int pass = 0; pass < 30000; pass++) {
        CHECK(pkey_set(shared_key, 0) == 0);
        for (size_t i = 0; i < PAGE / sizeof(*words); i += 16)
            words[i] = total += words[i] ^ (uint32_t)pass;
        CHECK(pkey_set(shared_key, PKEY_DISABLE_ACCESS) == 0);
    }
    return (void*)(uintptr_t)total;
}

static void compute(void) {
    pthread_t threads[USERS];
    uintptr_t total;

    shared_key = new_key();
    shared_block = map_with(shared_key);
    for (int i = 0; i < USERS; i++)
        threads[i] = start(sum, i);
    total = join(threads[0]);
    for (int i = 1; i < USERS; i++)
        CHECK_EQUAL(join(threads[i]), total);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"rights", rights},         {"threads", threads}, {"calls", calls},     {"changed", changed},
        {"executable", executable}, {"family", family},   {"compute", compute}, {NULL, NULL},
    };

    catch_faults();
    return run_part(parts, argv[1]);
}
