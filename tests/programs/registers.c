// SPDX-License-Identifier: GPL-2.0-only
// registers - threads that fill every register and find the same values later, wherever they were moved
// meanwhile
//
// Usage: registers THREADS MILLISECONDS.  Each thread loops in user mode, without a system call, until it has
// used so much CPU time or SIGUSR1 comes; prints nothing that depends on how often it was moved.

#include "check.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <immintrin.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

enum { GPRS = 15, VECTORS = 16, X87 = 8, SPINS = 300000 };

// All but rsp, in the order of the assembly below.
struct registers {
    uint64_t gpr[GPRS];
    uint64_t flags;
    uint64_t fs_word, gs_word;
    uint32_t mxcsr;
    uint16_t fcw, pad;
    uint8_t x87[X87][16]; // 10 bytes used of each
    uint8_t ymm[VECTORS][32] __attribute__((aligned(32)));
};

_Static_assert(offsetof(struct registers, flags) == 120 && offsetof(struct registers, fs_word) == 128 &&
                   offsetof(struct registers, gs_word) == 136 && offsetof(struct registers, mxcsr) == 144 &&
                   offsetof(struct registers, fcw) == 148 && offsetof(struct registers, x87) == 152 &&
                   offsetof(struct registers, ymm) == 288,
               "the assembly knows these");

// Loads *in, counts *spins down, stores into *out. Only the flags that counting leaves alone are kept: CF,
// DF, ID.
void cycle(const struct registers* in, struct registers* out, uint64_t* spins, int avx);

asm(".text\n"
    "cycle:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  push %rsi; push %rdx; push %rcx\n" // 16(%rsp) out, 8(%rsp) spins, 0(%rsp) avx
    "  sub $8, %rsp; stmxcsr (%rsp); fnstcw 4(%rsp)\n"
    "  fninit; ldmxcsr 144(%rdi); fldcw 148(%rdi)\n"
    "  fldt 264(%rdi); fldt 248(%rdi); fldt 232(%rdi); fldt 216(%rdi)\n"
    "  fldt 200(%rdi); fldt 184(%rdi); fldt 168(%rdi); fldt 152(%rdi)\n"
    "  test %ecx, %ecx; jz 1f\n"
    ".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  vmovdqu 288+\\i*32(%rdi), %ymm\\i\n"
    ".endr\n"
    "  jmp 2f\n"
    "1:\n"
    ".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  movdqu 288+\\i*32(%rdi), %xmm\\i\n"
    ".endr\n"
    "2:\n"
    "  mov (%rdi), %rax; mov 8(%rdi), %rbx; mov 16(%rdi), %rcx; mov 24(%rdi), %rdx; mov 32(%rdi), %rsi\n"
    "  mov 48(%rdi), %rbp; mov 56(%rdi), %r8; mov 64(%rdi), %r9; mov 72(%rdi), %r10; mov 80(%rdi), %r11\n"
    "  mov 88(%rdi), %r12; mov 96(%rdi), %r13; mov 104(%rdi), %r14; mov 112(%rdi), %r15\n"
    "  push 120(%rdi)\n"
    "  mov 40(%rdi), %rdi\n"
    "  popfq\n"
    // The counter is found through the stack: no register is free.
    "3: push %rax; mov 24(%rsp), %rax; decq (%rax); pop %rax\n"
    "  jnz 3b\n"
    "  pushfq; push %rdi\n"
    "  mov 40(%rsp), %rdi\n" // out
    "  mov %rax, (%rdi); mov %rbx, 8(%rdi); mov %rcx, 16(%rdi); mov %rdx, 24(%rdi); mov %rsi, 32(%rdi)\n"
    "  pop 40(%rdi); pop 120(%rdi)\n"
    "  mov %rbp, 48(%rdi); mov %r8, 56(%rdi); mov %r9, 64(%rdi); mov %r10, 72(%rdi); mov %r11, 80(%rdi)\n"
    "  mov %r12, 88(%rdi); mov %r13, 96(%rdi); mov %r14, 104(%rdi); mov %r15, 112(%rdi)\n"
    "  cld\n"
    "  mov %fs:16, %rax; mov %rax, 128(%rdi)\n"
    "  mov %gs:0, %rax; mov %rax, 136(%rdi)\n"
    "  stmxcsr 144(%rdi); fnstcw 148(%rdi)\n"
    "  fstpt 152(%rdi); fstpt 168(%rdi); fstpt 184(%rdi); fstpt 200(%rdi)\n"
    "  fstpt 216(%rdi); fstpt 232(%rdi); fstpt 248(%rdi); fstpt 264(%rdi)\n"
    "  cmpl $0, 8(%rsp); je 4f\n"
    ".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  vmovdqu %ymm\\i, 288+\\i*32(%rdi)\n"
    ".endr\n"
    "  vzeroupper; jmp 5f\n"
    "4:\n"
    ".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "  movdqu %xmm\\i, 288+\\i*32(%rdi)\n"
    ".endr\n"
    "5:\n"
    "  ldmxcsr (%rsp); fldcw 4(%rsp); add $32, %rsp\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n");

static volatile sig_atomic_t stop;
static long limit_ms;
static int avx;

static void on_stop(int signal) {
    stop = 1;
}

static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void fill(struct registers* r, uint64_t seed, uint64_t fs_word, uint64_t gs_word) {
    static const uint32_t roundings[] = {0x1f80, 0x3f80, 0x5f80, 0x9fc0};

    memset(r, 0, sizeof(*r));
    for (int i = 0; i < GPRS; i++)
        r->gpr[i] = mix(seed + i);
    r->flags = 0x202 | (seed & 1) | (seed & 2 ? 0x400 : 0) | (seed & 4 ? 0x200000 : 0);
    r->fs_word = fs_word;
    r->gs_word = gs_word;
    r->mxcsr = roundings[seed % 4];
    r->fcw = seed & 1 ? 0x0f7f : 0x027f;
    for (int i = 0; i < X87; i++) {
        // A normal number: the top bit of the fraction set, some exponent.
        uint64_t fraction = mix(seed * 8 + i) | 1ull << 63;
        uint16_t exponent = 0x3fff + i;

        memcpy(r->x87[i], &fraction, 8);
        memcpy(r->x87[i] + 8, &exponent, 2);
    }
    for (int i = 0; i < VECTORS; i++)
        for (int j = 0; j < (avx ? 32 : 16); j++)
            r->ymm[i][j] = (uint8_t)mix(seed * 1000 + i * 32 + j);
}

static void compare(const struct registers* got, const struct registers* wanted, uint64_t round) {
    const uint64_t kept = 0x200401; // ID, DF, CF

    for (int i = 0; i < GPRS; i++)
        CHECK(got->gpr[i] == wanted->gpr[i], "gpr %d in round %lu: %#lx, not %#lx", i, round, got->gpr[i],
              wanted->gpr[i]);
    CHECK_EQUAL(got->flags & kept, wanted->flags & kept);
    CHECK_EQUAL(got->fs_word, wanted->fs_word);
    CHECK_EQUAL(got->gs_word, wanted->gs_word);
    CHECK_EQUAL(got->mxcsr, wanted->mxcsr);
    CHECK_EQUAL(got->fcw, wanted->fcw);
    for (int i = 0; i < X87; i++)
        CHECK(memcmp(got->x87[i], wanted->x87[i], 10) == 0, "st%d in round %lu", i, round);
    for (int i = 0; i < VECTORS; i++)
        CHECK(memcmp(got->ymm[i], wanted->ymm[i], 32) == 0, "ymm%d in round %lu", i, round);
}

static uint64_t cpu_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void* work(void* argument) {
    static __thread uint64_t own_word;
    struct registers in, out;
    uint64_t seed = (uintptr_t)argument * 1000, gs_word[8] = {seed + 7}, thread_word, spins, round;

    CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, gs_word) == 0);
    asm("mov %%fs:16, %0" : "=r"(thread_word));
    CHECK_EQUAL(thread_word, pthread_self());
    own_word = seed;
    // The clock is asked rarely: in between, the only way out of the loop is to be taken.
    for (round = 0; !stop && (round % 16 || cpu_ms() < (uint64_t)limit_ms); round++) {
        fill(&in, seed + round, thread_word, gs_word[0]);
        memset(&out, 0, sizeof(out));
        spins = SPINS;
        cycle(&in, &out, &spins, avx);
        compare(&out, &in, round);
        CHECK_EQUAL(own_word, seed);
    }
    return NULL;
}

int main(int argc, char** argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 2;
    pthread_t others[threads];

    limit_ms = argc > 2 ? atol(argv[2]) : 200;
    avx = __builtin_cpu_supports("avx");
    signal(SIGUSR1, on_stop);
    for (int i = 1; i < threads; i++)
        others[i] = start(work, i);
    work(NULL);
    for (int i = 1; i < threads; i++)
        join(others[i]);
    printf("registers of %d threads are right%s\n", threads, avx ? ", ymm too" : "");
    return 0;
}
