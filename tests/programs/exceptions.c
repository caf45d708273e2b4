// SPDX-License-Identifier: GPL-2.0-only
// exceptions - signals that an instruction raises, in the thread and at the place that raised them
//
// Usage: exceptions PART

#include "check.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

// Faults of all kinds say what and where, in the thread that made them.
static __thread sigjmp_buf escape;
static __thread siginfo_t fault;
static __thread pid_t fault_in;

static void leave(int signal, siginfo_t* info, void* context) {
    fault = *info;
    fault_in = gettid();
    siglongjmp(escape, 1);
}

static void expect_fault(int signal, int code, void (*cause)(void*), void* at) {
    fault = (siginfo_t){0};
    if (!sigsetjmp(escape, 1)) {
        cause(at);
        CHECK(0, "no signal %d at %p", signal, at);
    }
    CHECK_EQUAL(fault.si_signo, signal);
    CHECK_EQUAL(fault.si_code, code);
    CHECK_EQUAL(fault_in, gettid());
    if (at)
        CHECK_EQUAL((uintptr_t)fault.si_addr, (uintptr_t)at);
}

static void read_at(void* at) {
    (void)*(volatile uint8_t*)at;
}
static void write_at(void* at) {
    *(volatile uint8_t*)at = 1;
}
static void call_at(void* at) {
    ((void (*)(void))at)();
}
static void trap(void* at) {
    asm volatile("int3");
}
static void long_trap(void* at) {
    asm volatile(".byte 0xcd, 0x03"); // int $3, in two bytes
}
static void overflow_trap(void* at) {
    asm volatile(".byte 0xcd, 0x04"); // int $4
}
static void illegal(void* at) {
    asm volatile("ud2");
}
static void non_canonical(void* at) {
    asm volatile("movb $0, (%0)" ::"r"(0x1234567812345678ul) : "memory");
}
static void privileged(void* at) {
    asm volatile("hlt");
}

static void divide(void* at) {
    asm volatile("xor %%eax, %%eax\n cltd\n idivl %%eax" ::: "eax", "edx");
}

static void* fault_everywhere(void* argument) {
    uint8_t* block = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(block != MAP_FAILED && munmap(block + PAGE, PAGE) == 0);
    expect_fault(SIGSEGV, SEGV_MAPERR, read_at, block + PAGE + 123);
    expect_fault(SIGSEGV, SEGV_MAPERR, write_at, block + PAGE + 5);
    expect_fault(SIGSEGV, SEGV_ACCERR, write_at, block + 2 * PAGE + 77);
    expect_fault(SIGSEGV, SEGV_ACCERR, call_at, block + 3 * PAGE);
    expect_fault(SIGSEGV, SEGV_MAPERR, read_at, (void*)8);
    expect_fault(SIGSEGV, SI_KERNEL, non_canonical, NULL);
    expect_fault(SIGSEGV, SI_KERNEL, privileged, NULL);
    expect_fault(SIGFPE, FPE_INTDIV, divide, NULL);
    expect_fault(SIGILL, ILL_ILLOPN, illegal, NULL);
    expect_fault(SIGTRAP, SI_KERNEL, trap, NULL);
    expect_fault(SIGTRAP, SI_KERNEL, long_trap, NULL);
    expect_fault(SIGSEGV, SI_KERNEL, overflow_trap, NULL);
    return NULL;
}

static void part_faults(void) {
    struct sigaction action = {.sa_sigaction = leave, .sa_flags = SA_SIGINFO};
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

    for (int i = 0; i < 5; i++)
        CHECK(sigaction(signals[i], &action, NULL) == 0);
    fault_everywhere(NULL);
    in_threads(3, fault_everywhere);
}

// A program that steps itself: a trap behind each instruction, none lost, none twice.
static __thread int steps;
static __thread uint64_t last_step;

static void count_step(int signal, siginfo_t* info, void* context) {
    uint64_t ip = (uint64_t)((ucontext_t*)context)->uc_mcontext.gregs[REG_RIP];

    CHECK_EQUAL(info->si_code, TRAP_TRACE);
    CHECK(ip > last_step);
    last_step = ip;
    steps++;
}

static void* step(void* argument) {
    for (int i = 0; i < 5; i++) {
        steps = 0;
        last_step = 0;
        asm volatile("sub $128, %%rsp\n pushf\n orq $0x100, (%%rsp)\n popf\n nop\n nop\n nop\n"
                     "pushf\n andq $~0x100, (%%rsp)\n popf\n nop\n add $128, %%rsp" ::
                         : "memory", "cc");
        CHECK_EQUAL(steps, 6);
    }
    return NULL;
}

static void part_step(void) {
    struct sigaction action = {.sa_sigaction = count_step, .sa_flags = SA_SIGINFO};

    CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
    in_threads(3, step);
}

// Overflowing a stack is survived on another one.
static int overflow(int depth) {
    volatile char frame[1000];

    frame[depth % 1000] = depth;
    return (depth < 0 ? 0 : overflow(depth + 1)) + frame[0];
}

static void* overflow_stack(void* argument) {
    static char stacks[4][65536];
    stack_t alternate = {.ss_sp = stacks[(uintptr_t)argument], .ss_size = sizeof(stacks[0])};

    CHECK(sigaltstack(&alternate, NULL) == 0);
    if (!sigsetjmp(escape, 1))
        overflow(0);
    CHECK_EQUAL(fault.si_signo, SIGSEGV);
    CHECK(sigaltstack(NULL, &alternate) == 0 && !(alternate.ss_flags & SS_ONSTACK));
    return NULL;
}

static void part_altstack(void) {
    struct sigaction action = {.sa_sigaction = leave, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    in_threads(3, overflow_stack);
}

// A handler sees and changes the interrupted registers, xmm among them.
static void change_registers(int signal, siginfo_t* info, void* context) {
    ucontext_t* user = context;

    CHECK_EQUAL(user->uc_mcontext.gregs[REG_R12], 0x1212);
    user->uc_mcontext.gregs[REG_R12] = 0x3434;
    CHECK_EQUAL(user->uc_mcontext.fpregs->_xmm[5].element[0], 0x5555);
    user->uc_mcontext.fpregs->_xmm[5].element[0] = 0x6666;
    user->uc_mcontext.gregs[REG_RIP] += 2; // past ud2
}

static void* have_registers_changed(void* argument) {
    for (int i = 0; i < 5; i++) {
        uint64_t r12, xmm5;

        asm volatile("mov $0x1212, %%r12\n mov $0x5555, %%eax\n movq %%rax, %%xmm5\n ud2\n mov %%r12, %0\n"
                     "movq %%xmm5, %1"
                     : "=r"(r12), "=r"(xmm5)
                     :
                     : "r12", "rax", "xmm5");
        CHECK_EQUAL(r12, 0x3434);
        CHECK_EQUAL(xmm5, 0x6666);
    }
    return NULL;
}

static void part_context(void) {
    struct sigaction action = {.sa_sigaction = change_registers, .sa_flags = SA_SIGINFO};

    CHECK(sigaction(SIGILL, &action, NULL) == 0);
    in_threads(3, have_registers_changed);
}

// Faults that a handler mends are part of how some programs work: they go on where they were.
static void skip(int signal, siginfo_t* info, void* context) {
    ((ucontext_t*)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void part_mended(void) {
    struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    const void* guard = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(guard != MAP_FAILED && sigaction(SIGILL, &action, NULL) == 0 &&
          sigaction(SIGSEGV, &action, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        for (volatile int turn = 0; turn < 4000000; turn++)
            ;
        if (i % 2)
            asm volatile("ud2");
        else
            asm volatile("mov (%%rax), %%ecx" : : "a"(guard) : "rcx");
    }
}

static const struct part parts[] = {
    {"faults", part_faults},   {"step", part_step},     {"altstack", part_altstack},
    {"context", part_context}, {"mended", part_mended}, {NULL, NULL},
};

int main(int argc, char** argv) {
    return run_part(parts, argv[1]);
}
