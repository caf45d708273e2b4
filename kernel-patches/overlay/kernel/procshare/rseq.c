// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - rseq: restartable sequences of a thread that moves
 *
 * A thread's area lies in its memory and goes where the thread goes.  The node
 * where it runs writes its CPU number there, as the kernel does after every
 * preemption: to be moved is to be preempted.
 */

#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/rseq.h>
#include <linux/uaccess.h>

#include "keys.h"
#include "rseq.h"
#include "thread_state.h"

struct thread_rseq thread_rseq_get(void)
{
	return (struct thread_rseq) {
		.address = (unsigned long)current->rseq,
		.length = current->rseq_len,
		.signature = current->rseq_sig,
	};
}

void thread_rseq_set(const struct thread_rseq *rseq)
{
	rseq_execve(current);
	if (!rseq->address || rseq->length < sizeof(struct rseq) ||
	    !access_ok((void __user *)rseq->address, rseq->length))
		return;
	current->rseq_len = rseq->length;
	current->rseq_sig = rseq->signature;
	current->rseq = (void __user *)rseq->address;
	thread_rseq_moved();
}

void thread_rseq_moved(void)
{
	if (!current->rseq)
		return;
	preempt_disable();
	rseq_migrate(current);
	preempt_enable();
}

bool thread_rseq_settle(struct pt_regs *regs)
{
	u32 rights;

	if (!current->rseq || !procshare_open_memory(&rights))
		return false;
	/* It may have to sleep for a page, and be on another CPU then. */
	do
		resume_user_mode_work(regs);
	while (test_thread_flag(TIF_NOTIFY_RESUME));
	procshare_set_rights(rights);
	return true;
}

/* Programs leave the pointer behind when they are done: look where they are. */
static bool in_critical_section(const struct pt_regs *regs, u64 address)
{
	struct rseq_cs cs;

	if (copy_from_user(&cs, (void __user *)address, sizeof(cs)))
		return true;
	return regs->ip - cs.start_ip < cs.post_commit_offset;
}

int thread_rseq_park(const struct pt_regs *regs)
{
	struct rseq __user *rseq = current->rseq;
	u64 cs;

	if (!rseq)
		return 0;
	if (get_user(cs, &rseq->rseq_cs))
		return -EFAULT;
	if (cs && in_critical_section(regs, cs))
		return -EBUSY;
	if (put_user(0u, &rseq->cpu_id_start) ||
	    put_user((u32)RSEQ_CPU_ID_UNINITIALIZED, &rseq->cpu_id))
		return -EFAULT;
	return 0;
}
