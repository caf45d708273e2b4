// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - hooks: what the core kernel calls, passed on by role
 */

#include <linux/procshare.h>
#include <linux/sched/task.h>

#include "cluster.h"
#include "home.h"
#include "thread.h"
#include "wire.h"

#define CREATE_TRACE_POINTS
#include <trace/events/procshare.h>

DEFINE_STATIC_KEY_FALSE(procshare_key);

static bool is_home(const struct task_struct *tsk)
{
	return tsk->procshare->role == PROCSHARE_ROLE_HOME;
}

unsigned long __procshare_exit_work(struct pt_regs *regs, unsigned long ti_work)
{
	return is_home(current) ? home_exit_work(regs, ti_work) :
				  shadow_exit_work(regs, ti_work);
}

bool __procshare_syscall(struct pt_regs *regs, long nr)
{
	if (!current->procshare)
		return false;
	return is_home(current) ? home_syscall(regs, nr) :
				  shadow_syscall(regs, nr);
}

/* Only what a shared process forks itself is shared: not helpers of the kernel. */
void __procshare_fork(struct task_struct *child)
{
	if (current->procshare && is_home(current) &&
	    !(child->flags & (PF_KTHREAD | PF_USER_WORKER | PF_IO_WORKER)))
		home_thread_fork(child);
	else
		clear_task_syscall_work(child, PROCSHARE);
}

void __procshare_exit(struct task_struct *tsk)
{
	if (is_home(tsk))
		home_thread_exit(tsk);
	else
		shadow_thread_exit(tsk);
}

void __procshare_free(struct task_struct *tsk)
{
	if (is_home(tsk))
		home_thread_free(tsk);
	else
		shadow_thread_free(tsk);
}
