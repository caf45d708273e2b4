// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - syscalls: where a system call of a remote thread is executed
 *
 * The default is to forward: the call takes effect at home, on the executor, in
 * the shared address space.  The exceptions and their reasons are here, and the
 * documentation's table is made from this file.
 */

#include <linux/mman.h>
#include <linux/syscalls.h>
#include <linux/time.h>
#include <asm/prctl.h>

#include "keys.h"
#include "syscalls.h"

/* A call that is not simply forwarded; @why is for the documentation. */
struct exception {
	u16 nr;
	u8 class;
	const char *why;
};

static const struct exception exceptions[] = {
	{ __NR_sched_yield, SYSCALL_LOCAL, "yields the CPU that the thread runs on" },
	{ __NR_clock_gettime, SYSCALL_LOCAL, "the nodes' clocks agree; CPU clocks are forwarded" },
	{ __NR_clock_getres, SYSCALL_LOCAL, "the same on every node; CPU clocks are forwarded" },
	{ __NR_gettimeofday, SYSCALL_LOCAL, "the nodes' clocks agree" },
	{ __NR_time, SYSCALL_LOCAL, "the nodes' clocks agree" },
	{ __NR_getcpu, SYSCALL_LOCAL, "names the CPU that the thread runs on" },

	{ __NR_execve, SYSCALL_HOME, "replaces the whole process" },
	{ __NR_execveat, SYSCALL_HOME, "replaces the whole process" },
	{ __NR_rt_sigreturn, SYSCALL_HOME, "restores every register from the signal frame" },
	{ __NR_arch_prctl, SYSCALL_HOME, "changes how the calling thread is executed" },
	{ __NR_modify_ldt, SYSCALL_HOME, "changes segments of the calling thread" },
	{ __NR_set_thread_area, SYSCALL_HOME, "changes segments of the calling thread" },
	{ __NR_iopl, SYSCALL_HOME, "changes what the thread's CPU may do" },
	{ __NR_ioperm, SYSCALL_HOME, "changes what the thread's CPU may do" },
	{ __NR_ptrace, SYSCALL_HOME, "a tracer stays where its tracees are" },
	{ __NR_sched_setaffinity, SYSCALL_HOME, "moves the thread to the CPUs that it names" },
	{ __NR_sched_setscheduler, SYSCALL_HOME, "travels with the thread" },
	{ __NR_sched_setparam, SYSCALL_HOME, "travels with the thread" },
	{ __NR_sched_setattr, SYSCALL_HOME, "travels with the thread" },
	{ __NR_setpriority, SYSCALL_HOME, "travels with the thread" },
	{ __NR_setns, SYSCALL_HOME, "may change the clocks that the thread sees" },
	{ __NR_pkey_alloc, SYSCALL_HOME, "changes the PKRU register of the calling thread" },
	{ __NR_userfaultfd, SYSCALL_HOME, "uses the page table bits that export needs" },
	{ __NR_map_shadow_stack, SYSCALL_HOME, "shadow stacks do not travel" },
};

static const struct exception *find(long nr)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (exceptions[i].nr == nr)
			return &exceptions[i];
	return NULL;
}

enum syscall_class syscall_class(long nr)
{
	const struct exception *e = find(nr);

	return e ? e->class : SYSCALL_FORWARD;
}

/* Clocks that every node answers alike (see shadow_clock.c for how they agree). */
static bool is_common_clock(unsigned long clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return true;
	default:
		return false;
	}
}

bool syscall_is_local(long nr, unsigned long first)
{
	/* Registers that travel with the thread. */
	if (nr == __NR_arch_prctl)
		return (int)first == ARCH_SET_FS || (int)first == ARCH_SET_GS;
	if (syscall_class(nr) != SYSCALL_LOCAL)
		return false;
	if (nr == __NR_clock_gettime || nr == __NR_clock_getres)
		return is_common_clock(first);
	return true;
}

/* Memory that may only be executed. */
bool syscall_closes_memory(long nr, unsigned long third)
{
	if (nr != __NR_mmap && nr != __NR_mprotect && nr != __NR_pkey_mprotect)
		return false;
	return procshare_keys_known() &&
	       (third & ~(PROT_GROWSDOWN | PROT_GROWSUP)) == PROT_EXEC;
}

bool syscall_is_exec(long nr)
{
	return nr == __NR_execve || nr == __NR_execveat;
}

bool syscall_is_sigreturn(long nr)
{
	return nr == __NR_rt_sigreturn;
}

bool syscall_is_clone(long nr)
{
	return nr == __NR_clone || nr == __NR_clone3 || nr == __NR_fork ||
	       nr == __NR_vfork;
}
