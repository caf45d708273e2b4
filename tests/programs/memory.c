// SPDX-License-Identifier: GPL-2.0-only
// memory - every kind of private memory, written and read by threads in turn, both ways
//
// Usage: memory PART.  Threads take turns: each finds in every page what its predecessor wrote and writes
// anew.

#include "faults.h"

#include <alloca.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { PAGE = 4096, PAGES = 12, THREADS = 4, ROUNDS = 3 };

static uint8_t data[PAGES * PAGE] __attribute__((aligned(PAGE))) = {[0] = 1, [PAGE] = 2, [2 * PAGE] = 3};
static uint8_t bss[PAGES * PAGE] __attribute__((aligned(PAGE)));

// Whose turn it is, and the memory that goes round.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;
static uint8_t* ring;

static void await_turn(int wanted) {
    pthread_mutex_lock(&lock);
    while (turn != wanted)
        pthread_cond_wait(&turned, &lock);
    pthread_mutex_unlock(&lock);
}

static void next_turn(void) {
    pthread_mutex_lock(&lock);
    turn++;
    pthread_cond_broadcast(&turned);
    pthread_mutex_unlock(&lock);
}

static uint64_t stamp(int turn, size_t word) {
    return turn ? turn * 1000003ull + word * 7 : 0;
}

static uint64_t* word_of_page(int page) {
    return (uint64_t*)(ring + page * PAGE + page * 64 % (PAGE - 8));
}

static void expect_stamps(int of_turn) {
    for (int page = 0; page < PAGES; page++)
        CHECK_EQUAL(*word_of_page(page), stamp(of_turn, page));
}

static void write_stamps(int of_turn) {
    for (int page = 0; page < PAGES; page++)
        *word_of_page(page) = stamp(of_turn, page);
}

static void* take_turns(void* argument) {
    for (int mine = (uintptr_t)argument + 1; mine <= THREADS * ROUNDS; mine += THREADS) {
        await_turn(mine);
        expect_stamps(mine - 1);
        write_stamps(mine);
        next_turn();
    }
    return NULL;
}

// The first thread takes part: what it writes is read elsewhere, and the other way round.
static void go_round(void* memory) {
    pthread_t others[THREADS];

    ring = memory;
    turn = 0;
    write_stamps(0);
    for (int i = 1; i < THREADS; i++)
        others[i] = start(take_turns, i);
    next_turn();
    take_turns(0);
    for (int i = 1; i < THREADS; i++)
        join(others[i]);
    expect_stamps(THREADS * ROUNDS);
}

static void part_data(void) {
    go_round(data);
}

static void part_bss(void) {
    go_round(bss);
}

static void part_heap(void) {
    uint8_t* block = malloc(PAGES * PAGE);

    go_round(block);
    free(block);
}

static void part_mmap(void) {
    void* block = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(block != MAP_FAILED);
    go_round(block);
    CHECK(munmap(block, PAGES * PAGE) == 0);
}

static void part_stack(void) {
    uint8_t block[PAGES * PAGE];

    go_round(block);
}

static __thread uint8_t tls[PAGES * PAGE];

static void part_tls(void) {
    go_round(tls);
}

static int temporary_file(size_t size) {
    char name[] = "/tmp/memoryXXXXXX";
    int fd = mkstemp(name);

    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, size) == 0);
    return fd;
}

// A private mapping of a file: written pages are the process's own, the file stays as it was.
static void part_file(void) {
    int fd = temporary_file(PAGES * PAGE);
    uint8_t byte, *block;

    block = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(block != MAP_FAILED);
    go_round(block);
    for (int page = 0; page < PAGES; page++)
        for (int offset = 0; offset < PAGE; offset += 512)
            CHECK(pread(fd, &byte, 1, page * PAGE + offset) == 1 && byte == 0);
    munmap(block, PAGES * PAGE);
    close(fd);
}

// Constant memory and code look the same from everywhere.
extern const uint8_t __executable_start, etext;

static void* sum_text(void* argument) {
    uint64_t sum = 0;

    for (const uint8_t* p = &__executable_start; p < &etext; p++)
        sum = sum * 31 + *p;
    return (void*)(uintptr_t)sum;
}

static void part_text(void) {
    uint64_t sums[THREADS];

    for (int i = 0; i < THREADS; i++)
        sums[i] = join(start(sum_text, i));
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(sums[i], (uintptr_t)sum_text(NULL));
}

// Relocated by the dynamic linker, then made read-only.
static int answer(void) {
    return 42;
}
static int (*const relro[PAGE])(void) __attribute__((aligned(PAGE))) = {[0] = answer, [PAGE - 1] = answer};

static void expect_segv(volatile uint8_t* address, int write, int code) {
    if (!sigsetjmp(escape, 1)) {
        if (write)
            *address = 1;
        else
            (void)*address;
        CHECK(0, "no signal at %p", address);
    }
    CHECK_EQUAL(caught.si_signo, SIGSEGV);
    CHECK_EQUAL(caught.si_code, code);
    CHECK_EQUAL((uintptr_t)caught.si_addr, (uintptr_t)address);
}

static void* use_relro(void* argument) {
    CHECK_EQUAL(relro[0](), 42);
    CHECK_EQUAL(relro[PAGE - 1](), 42);
    CHECK(!relro[PAGE / 2]);
    expect_segv((uint8_t*)&relro[3], 1, SEGV_ACCERR);
    return NULL;
}

static void part_relro(void) {
    catch_faults();
    in_threads(THREADS, use_relro);
    use_relro(NULL);
}

// Code made at run time in writable memory: each turn a thread rewrites the functions that the next one
// calls.
static void write_code(int page, uint32_t value) {
    uint8_t code[] = {0xb8, 0, 0, 0, 0, 0xc3}; // mov $value, %eax; ret

    memcpy(code + 1, &value, 4);
    memcpy(ring + page * PAGE + 16, code, sizeof(code));
}

static uint32_t call_code(int page) {
    return ((uint32_t(*)(void))(ring + page * PAGE + 16))();
}

static void* take_turns_with_code(void* argument) {
    for (int mine = (uintptr_t)argument; mine < THREADS * ROUNDS; mine += THREADS) {
        await_turn(mine);
        for (int page = 0; page < PAGES; page++) {
            CHECK_EQUAL(call_code(page), mine * 100 + page);
            write_code(page, (mine + 1) * 100 + page);
        }
        next_turn();
    }
    return NULL;
}

static void part_jit(void) {
    ring = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(ring != MAP_FAILED);
    for (int page = 0; page < PAGES; page++)
        write_code(page, page);
    in_threads(THREADS, take_turns_with_code);
}

// The first thread's stack grows below what the kernel has mapped so far; other threads' stacks are mappings.
static uint64_t dig(int depth) {
    volatile uint8_t frame[3000];

    frame[0] = depth;
    frame[2999] = depth;
    if (!depth)
        return 0;
    uint64_t below = dig(depth - 1);
    CHECK_EQUAL(frame[0], (uint8_t)depth);
    CHECK_EQUAL(frame[2999], (uint8_t)depth);
    return below + frame[0];
}

static uint64_t sum_of_depths(int depth) {
    uint64_t sum = 0;

    for (int i = 1; i <= depth; i++)
        sum += (uint8_t)i;
    return sum;
}

static void* dig_elsewhere(void* argument) {
    CHECK_EQUAL(dig(500), sum_of_depths(500));
    return NULL;
}

static void stop_at_limit(int number) {
    _exit(number);
}

static void dig_below_limit(void) {
    static char ground[64 << 10];
    const stack_t other = {.ss_sp = ground, .ss_size = sizeof(ground)};
    const struct sigaction action = {.sa_handler = stop_at_limit, .sa_flags = SA_ONSTACK};
    const struct rlimit limit = {1 << 20, 1 << 20};

    CHECK(sigaltstack(&other, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0);
    CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
    compute_a_while();
    dig(900);
    _exit(0);
}

// No farther than the process may, wherever it does that.
static void part_limit(void) {
    int status;
    pid_t pid = fork();

    if (pid == 0)
        dig_below_limit();
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == SIGSEGV, "%x", status);
}

static void part_growth(void) {
    CHECK_EQUAL(dig(900), sum_of_depths(900));
    // A big step down within the limit, as a large local array makes it.
    volatile uint8_t* far = alloca(3 << 20);
    far[0] = 7;
    CHECK_EQUAL(far[0], 7);
    in_threads(2, dig_elsewhere);
}

// Two threads write neighbouring bytes of the same pages: nothing is lost.
static uint8_t neighbours[4][PAGE] __attribute__((aligned(PAGE)));

static void* write_own_bytes(void* argument) {
    uintptr_t mine = (uintptr_t)argument;

    for (int value = 1; value <= 20; value++)
        for (int page = 0; page < 4; page++)
            for (int i = mine; i < PAGE; i += THREADS)
                neighbours[page][i] = neighbours[page][i] + 1;
    return NULL;
}

static void part_sharing(void) {
    in_threads(THREADS, write_own_bytes);
    for (int page = 0; page < 4; page++)
        for (int i = 0; i < PAGE; i++)
            CHECK_EQUAL(neighbours[page][i], 20);
}

// Accesses across a page border, of which each half may be elsewhere.
static uint8_t border[2 * PAGE] __attribute__((aligned(PAGE)));

static void* add_across(void* argument) {
    for (int i = 0; i < 200; i++)
        __atomic_fetch_add((uint32_t*)(border + PAGE - 2), 0x10001, __ATOMIC_SEQ_CST);
    return NULL;
}

static void part_border(void) {
    uint32_t sum;

    in_threads(THREADS, add_across);
    memcpy(&sum, border + PAGE - 2, 4);
    CHECK_EQUAL(sum, 200u * THREADS * 0x10001u);
}

// System calls read and write memory that is elsewhere.
static void* call_with(void* argument) {
    int ends[2], mine = (uintptr_t)argument;
    uint8_t* block = malloc(3 * PAGE);

    CHECK(pipe(ends) == 0);
    for (int round = 0; round < 5; round++) {
        memset(block, mine * 10 + round, 3 * PAGE);
        CHECK_EQUAL(write(ends[1], block, 3 * PAGE), 3 * PAGE);
        memset(block, 0, 3 * PAGE);
        for (int got = 0; got < 3 * PAGE;) {
            ssize_t n = read(ends[0], block + got, 3 * PAGE - got);

            CHECK(n > 0);
            got += n;
        }
        for (int i = 0; i < 3 * PAGE; i++)
            CHECK_EQUAL(block[i], mine * 10 + round);
    }
    free(block);
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

static void part_calls(void) {
    in_threads(THREADS, call_with);
}

static const struct part parts[] = {
    {"text", part_text},       {"data", part_data},     {"bss", part_bss},       {"heap", part_heap},
    {"stack", part_stack},     {"tls", part_tls},       {"mmap", part_mmap},     {"file", part_file},
    {"relro", part_relro},     {"jit", part_jit},       {"growth", part_growth}, {"limit", part_limit},
    {"sharing", part_sharing}, {"border", part_border}, {"calls", part_calls},   {NULL, NULL},
};

int main(int argc, char** argv) {
    return run_part(parts, argv[1]);
}
