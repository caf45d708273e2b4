/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - hooks into the core kernel: inline wrappers and no-op stubs
 *
 * Every wrapper costs a patched-out jump as long as this machine runs no
 * shared process and hosts no shadow process.
 */
#ifndef _LINUX_PROCSHARE_H
#define _LINUX_PROCSHARE_H

#include <linux/jump_label.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/thread_info.h>

struct pt_regs;
struct vm_fault;

#ifdef CONFIG_PROCSHARE

DECLARE_STATIC_KEY_FALSE(procshare_key);

unsigned long __procshare_exit_work(struct pt_regs *regs, unsigned long ti_work);
bool __procshare_syscall(struct pt_regs *regs, long nr);
void __procshare_fork(struct task_struct *child);
void __procshare_exit(struct task_struct *tsk);
void __procshare_free(struct task_struct *tsk);
vm_fault_t procshare_marker_fault(struct vm_fault *vmf);
vm_fault_t procshare_wp_fault(struct vm_fault *vmf);
bool __procshare_fetch(struct folio *folio);
bool procshare_is_lent(struct folio *folio, size_t from, size_t count);
bool __procshare_computes(struct task_struct *tsk);
bool __procshare_numbers_cpus(pid_t pid);
ssize_t __procshare_print_cpus(char *buf, const struct cpumask *which);
u32 __procshare_cpu_base(void);
long procshare_getaffinity(pid_t pid, unsigned int len, unsigned long __user *user);
long procshare_setaffinity(pid_t pid, unsigned int len,
			   const unsigned long __user *user);

/*
 * Before signals are looked at on the way to user mode: a home thread may leave
 * here and come back as if nothing had happened; a shadow thread gets its
 * registers here, and its traps are taken home before they become signals.
 * Returns the work that remains for this round of the loop.
 */
static inline unsigned long procshare_exit_work(struct pt_regs *regs,
						unsigned long ti_work)
{
	if (static_branch_unlikely(&procshare_key) && current->procshare)
		return __procshare_exit_work(regs, ti_work);
	return ti_work;
}

/* True if the call has been dealt with: a shadow thread forwards it. */
static inline bool procshare_syscall(struct pt_regs *regs, long nr,
				     unsigned long work)
{
	return (work & SYSCALL_WORK_PROCSHARE) && __procshare_syscall(regs, nr);
}

/* In copy_process(), once the child's PF_ flags are known. */
static inline void procshare_fork(struct task_struct *child)
{
	child->procshare = NULL;
	if (static_branch_unlikely(&procshare_key))
		__procshare_fork(child);
}

/* In do_exit(), while current still has its mm. */
static inline void procshare_exit(struct task_struct *tsk)
{
	if (static_branch_unlikely(&procshare_key) && tsk->procshare)
		__procshare_exit(tsk);
}

/* In free_task(): also for a child whose fork has failed half-way. */
static inline void procshare_free(struct task_struct *tsk)
{
	if (static_branch_unlikely(&procshare_key) && tsk->procshare)
		__procshare_free(tsk);
}

/*
 * A folio of the page cache has been locked: if it is not up to date because another
 * node has the contents, they come back.  True if it is up to date then.
 */
static inline bool procshare_fetch(struct folio *folio)
{
	return static_branch_unlikely(&procshare_key) && __procshare_fetch(folio);
}

/* Does @tsk, which is kept by the caller, execute its program on another node? */
static inline bool procshare_computes(struct task_struct *tsk)
{
	return static_branch_unlikely(&procshare_key) && __procshare_computes(tsk);
}

/* Does the process of thread @pid see the CPUs of all its nodes? */
static inline bool procshare_numbers_cpus(pid_t pid)
{
	return static_branch_unlikely(&procshare_key) && __procshare_numbers_cpus(pid);
}

/* The CPUs that current's process sees, as sysfs prints a mask; 0: this machine's. */
static inline ssize_t procshare_print_cpus(char *buf, const struct cpumask *which)
{
	if (static_branch_unlikely(&procshare_key))
		return __procshare_print_cpus(buf, which);
	return 0;
}

/* This node's numbers in the rseq area of @task become those of its process. */
static inline void procshare_cpu_number(struct task_struct *task, u32 *cpu, u32 *cid)
{
	if (static_branch_unlikely(&procshare_key) && task->procshare) {
		u32 base = __procshare_cpu_base();

		*cpu += base;
		*cid += base;
	}
}

#define procshare_mm_init(mm)	((mm)->procshare = NULL)
#define procshare_mm(mm)	((mm)->procshare)

#else /* !CONFIG_PROCSHARE */

#define procshare_is_lent	NULL

static inline unsigned long procshare_exit_work(struct pt_regs *regs,
						unsigned long ti_work)
{
	return ti_work;
}

static inline bool procshare_syscall(struct pt_regs *regs, long nr,
				     unsigned long work)
{
	return false;
}

static inline void procshare_fork(struct task_struct *child)
{
}

static inline void procshare_exit(struct task_struct *tsk)
{
}

static inline void procshare_free(struct task_struct *tsk)
{
}

static inline vm_fault_t procshare_marker_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static inline vm_fault_t procshare_wp_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static inline bool procshare_fetch(struct folio *folio)
{
	return false;
}

static inline bool procshare_computes(struct task_struct *tsk)
{
	return false;
}

static inline bool procshare_numbers_cpus(pid_t pid)
{
	return false;
}

static inline long procshare_getaffinity(pid_t pid, unsigned int len,
					 unsigned long __user *user)
{
	return -ENOSYS;
}

static inline long procshare_setaffinity(pid_t pid, unsigned int len,
					 const unsigned long __user *user)
{
	return -ENOSYS;
}

static inline ssize_t procshare_print_cpus(char *buf, const struct cpumask *which)
{
	return 0;
}

static inline void procshare_cpu_number(struct task_struct *task, u32 *cpu, u32 *cid)
{
}

static inline void procshare_mm_init(struct mm_struct *mm)
{
}

static inline void *procshare_mm(const struct mm_struct *mm)
{
	return NULL;
}

#endif /* CONFIG_PROCSHARE */
#endif /* _LINUX_PROCSHARE_H */
