// SPDX-License-Identifier: GPL-2.0-only
// cpus - which processors a program sees, and that it runs where it asks to run
//
// Usage: cpus count | pin | other | inherit | per-cpu | fence | nice

#include "check.h"

#include <dlfcn.h>
#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <omp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>

typedef int vdso_getcpu(unsigned* cpu, unsigned* node, void* unused);

static cpu_set_t all;

static int kernels_cpu(void) {
    unsigned cpu;

    CHECK(syscall(SYS_getcpu, &cpu, NULL, NULL) == 0);
    return (int)cpu;
}

// As getcpu() of C libraries does that know no restartable sequences.
static int vdso_cpu(void) {
    static _Atomic(vdso_getcpu*) getcpu;
    unsigned cpu;

    if (!getcpu)
        getcpu = (vdso_getcpu*)dlsym(dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD), "__vdso_getcpu");
    CHECK(getcpu(&cpu, NULL, NULL) == 0);
    return (int)cpu;
}

// Several ways to ask how many there are.
static void count(void) {
    printf("affinity %d online %ld configured %ld openmp %d\n", CPU_COUNT(&all),
           sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_NPROCESSORS_CONF), omp_get_num_procs());
}

static void expect_on(int cpu) {
    cpu_set_t set;

    CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
    CHECK_EQUAL(CPU_COUNT(&set), 1);
    CHECK(CPU_ISSET(cpu, &set));
    CHECK_EQUAL(sched_getcpu(), cpu);
    CHECK_EQUAL(kernels_cpu(), cpu);
    CHECK_EQUAL(vdso_cpu(), cpu);
    compute_a_while();
    CHECK_EQUAL(sched_getcpu(), cpu);
    CHECK_EQUAL(kernels_cpu(), cpu);
    CHECK_EQUAL(vdso_cpu(), cpu);
}

static void* tour(void* argument) {
    for (int round = 0; round < 3; round++)
        for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
            if (CPU_ISSET(cpu, &all)) {
                go_to(cpu);
                expect_on(cpu);
            }
    return NULL;
}

// Every thread visits every processor; one that is not there is refused.
static void pin(void) {
    cpu_set_t none = only(CPU_SETSIZE - 1);

    in_threads(3, tour);
    CHECK(sched_setaffinity(0, sizeof(none), &none) == -1 && errno == EINVAL);
    CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
}

static volatile int stop;
static int seen[CPU_SETSIZE];

static void* look(void* argument) {
    while (!stop) {
        int cpu = vdso_cpu();

        CHECK(cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET(cpu, &all), "%d", cpu);
        __atomic_store_n(&seen[cpu], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

// A thread that computes is moved by another one.
static void other(void) {
    pthread_t thread = start(look, 0);

    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        cpu_set_t set = only(cpu);

        if (!CPU_ISSET(cpu, &all))
            continue;
        CHECK(pthread_setaffinity_np(thread, sizeof(set), &set) == 0);
        CHECK(pthread_getaffinity_np(thread, sizeof(set), &set) == 0);
        CHECK_EQUAL(CPU_COUNT(&set), 1);
        CHECK(CPU_ISSET(cpu, &set));
        __atomic_store_n(&seen[cpu], 0, __ATOMIC_RELAXED);
        while (!__atomic_load_n(&seen[cpu], __ATOMIC_RELAXED))
            usleep(1000);
    }
    stop = 1;
    join(thread);
}

static void* expect_on_thread(void* argument) {
    expect_on((int)(uintptr_t)argument);
    return NULL;
}

// Threads and processes start on the processors of their maker.
static void inherit(void) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        int status;
        pid_t pid;

        if (!CPU_ISSET(cpu, &all))
            continue;
        go_to(cpu);
        join(start(expect_on_thread, (uintptr_t)cpu));
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            expect_on(cpu);
            _exit(7);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7, "%x", status);
    }
}

// Restartable sequences: a counter for each processor, all on one page, without atomic instructions.
static long counters[CPU_SETSIZE];
static long entered, aborted;

static struct rseq* area(void) {
    return (struct rseq*)((char*)__builtin_thread_pointer() + __rseq_offset);
}

// True if *counter has been incremented on processor @cpu without a preemption in between; @wait: how long it
// takes.
static int increment(long* counter, unsigned cpu, unsigned wait) {
    struct rseq* rseq = area();

    asm goto(".pushsection __rseq_cs, \"aw\"\n\t"
             ".balign 32\n"
             "3:\t.long 0, 0\n\t"
             ".quad 1f, 2f - 1f, 4f\n\t"
             ".popsection\n\t"
             "leaq 3b(%%rip), %%rax\n\t"
             "movq %%rax, %c[cs](%[rseq])\n"
             "1:\tcmpl %[cpu], %c[id](%[rseq])\n\t"
             "jnz 4f\n\t"
             "movq (%[counter]), %%rax\n\t"
             "movl %[wait], %%ecx\n"
             "5:\tloop 5b\n\t"
             "incq %%rax\n\t"
             "movq %%rax, (%[counter])\n"
             "2:\n\t"
             ".pushsection __rseq_failure, \"ax\"\n\t"
             ".byte 0x0f, 0xb9, 0x3d\n\t"
             ".long 0x53053053\n"
             "4:\tjmp %l[abort]\n\t"
             ".popsection\n\t"
             :
             : [rseq] "r"(rseq), [counter] "r"(counter), [cpu] "r"(cpu), [wait] "r"(wait),
               [cs] "i"(offsetof(struct rseq, rseq_cs)), [id] "i"(offsetof(struct rseq, cpu_id))
             : "memory", "cc", "rax", "rcx"
             : abort);
    return 1;
abort:
    return 0;
}

// Now and then one takes so long that the page could be lost and fetched again in between.
enum { EACH = 100000 };

static void* count_by_processor(void* argument) {
    long failures = 0;

    for (int done = 0; done < EACH;) {
        unsigned cpu = __atomic_load_n(&area()->cpu_id_start, __ATOMIC_RELAXED);

        CHECK(cpu < CPU_SETSIZE && CPU_ISSET(cpu, &all), "%u", cpu);
        if (increment(&counters[cpu], cpu, done % 256 ? 1 : 20000))
            done++;
        else
            failures++;
    }
    __atomic_add_fetch(&entered, EACH, __ATOMIC_RELAXED);
    __atomic_add_fetch(&aborted, failures, __ATOMIC_RELAXED);
    return NULL;
}

static void per_cpu(void) {
    enum { THREADS = 6 };
    long sum = 0;

    CHECK(__rseq_size > 0, "the C library does not use rseq");
    in_threads(THREADS, count_by_processor);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        sum += counters[cpu];
    CHECK_EQUAL(sum, entered);
    CHECK_EQUAL(sum, (long)THREADS * EACH);
    fprintf(stderr, "%ld increments, %ld aborted\n", sum, aborted);
}

// A sequence that does not end by itself, and a thread on another processor that makes it begin again.
static volatile struct rseq* volatile endless;
static volatile unsigned long attempts;

static void* stay_in_sequence(void* argument) {
    long unused = 0;

    go_to((int)(uintptr_t)argument);
    endless = area();
    while (!stop) {
        attempts++;
        CHECK(!increment(&unused, area()->cpu_id_start, ~0u), "no fence reached the sequence");
    }
    return NULL;
}

static void fence(void) {
    int cpus[2] = {0, 0};
    pthread_t thread;

    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all)) {
            cpus[0] = cpus[1];
            cpus[1] = cpu;
        }
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0) == 0);
    thread = start(stay_in_sequence, (uintptr_t)cpus[1]);
    go_to(cpus[0]);
    while (!endless)
        sched_yield();
    for (int round = 0; round < 20; round++) {
        unsigned long before = attempts;

        while (!endless->rseq_cs && attempts == before)
            sched_yield();
        stop = round == 19;
        CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0) == 0);
        while (!stop && attempts == before)
            sched_yield();
    }
    join(thread);
}

static void* be_nice(void* argument) {
    CHECK(setpriority(PRIO_PROCESS, 0, 7) == 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 7);
    compute_a_while();
    return NULL;
}

static void* be_idle(void* argument) {
    struct sched_param none = {0};

    CHECK(sched_setscheduler(0, SCHED_IDLE, &none) == 0);
    compute_a_while();
    CHECK_EQUAL(sched_getscheduler(0), SCHED_IDLE);
    return NULL;
}

static void nice_threads(void) {
    join(start(be_nice, 0));
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 0);
    join(start(be_idle, 0));
    CHECK_EQUAL(sched_getscheduler(0), SCHED_OTHER);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"count", count},     {"pin", pin},     {"other", other},       {"inherit", inherit},
        {"per-cpu", per_cpu}, {"fence", fence}, {"nice", nice_threads}, {NULL, NULL},
    };

    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
    // The C library would take a value that is no error for the length of what has been written.
    CHECK_EQUAL(syscall(SYS_sched_getaffinity, 0, sizeof(all), NULL), -1);
    CHECK_EQUAL(errno, EFAULT);
    return run_part(parts, argv[1]);
}
