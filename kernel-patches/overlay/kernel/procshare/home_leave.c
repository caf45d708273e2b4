// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_leave: when a thread leaves home
 *
 * That is in home_exit_work() and nowhere else; it comes back out of the same call.
 */

#include <linux/procshare.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "cluster.h"
#include "home.h"
#include "rseq.h"
#include "syscalls.h"
#include "thread_state.h"
#include "vdso.h"

#define HANDLER_STAY	(HZ / 4)
#define RAISED		(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) |	\
			 sigmask(SIGTRAP) | sigmask(SIGFPE))

/* Is there nothing any more that @t wanted to do at home? */
bool home_thread_wants_away(const struct home_thread *t)
{
	return READ_ONCE(t->target) != PROCSHARE_NODE_HOME && !t->until_call &&
	       time_after_eq(jiffies, t->stay_until) &&
	       time_after_eq(jiffies, t->handles_until);
}

/*
 * current is about to look at its signals.  To leave before a handler is through would
 * mean to come home once more to return from it, and meanwhile others would get the
 * signals that it blocks.  Only a long one may go.
 */
void home_thread_expect_handler(struct home_thread *t, const struct pt_regs *regs)
{
	t->handles_until = jiffies + HANDLER_STAY;
	t->handles_sp = regs->sp;
}

/*
 * After a signal: with the stack as it was, there is no handler.  The signal was
 * ignored, or another thread took it.
 */
static void look_for_handler(struct home_thread *t, const struct pt_regs *regs)
{
	if (regs->sp == t->handles_sp)
		t->handles_until = jiffies;
}

/*
 * The instruction that @t came home for has raised its signal: nothing keeps it here
 * but the handler.  Where it has not, it would only come home once more.
 */
static unsigned long end_stay(struct home_thread *t, unsigned long ti_work)
{
	if (!t->raising || !(ti_work & _TIF_SIGPENDING) ||
	    !sigtestsetmask(&current->pending.signal, RAISED))
		return ti_work;
	t->raising = false;
	t->stay_until = jiffies;
	t->backoff = 0;
	return ti_work | _TIF_NOTIFY_RESUME;
}

/* A debugger at home wants to see the thread there, and a part of the vDSO is only here. */
static bool may_leave(const struct pt_regs *regs)
{
	unsigned long vdso = (unsigned long)current->mm->context.vdso;

	return !current->ptrace && !(current->flags & PF_EXITING) &&
	       !procshare_vdso_differs(regs->ip - vdso) && !procshare_state_movable();
}

/* It can be found since it was attached: somebody may have given it other CPUs meanwhile. */
static void settle(struct home_thread *t)
{
	/* Together with the others, or not: nobody changes that meanwhile. */
	xa_lock(&t->process->threads);
	t->tied = false;
	WRITE_ONCE(t->target, home_gather_place(t->process, home_place(t)));
	xa_unlock(&t->process->threads);
	/* pairs with the locks of those who pin it and then look it up */
	smp_mb();
	if (READ_ONCE(t->pinned))
		home_place_again(t->process, t);
}

/*
 * Called with work pending.  Signals go first: TIF_NOTIFY_RESUME is kept for
 * the next round of the loop, so that the thread leaves right behind them.
 */
static unsigned long leave(struct home_thread *t, struct pt_regs *regs,
			   unsigned long ti_work)
{
	ti_work = end_stay(t, ti_work);
	if (!(ti_work & _TIF_NOTIFY_RESUME) && t->process)
		return ti_work;
	if (!t->process || t->newborn || !home_thread_belongs_to(t->process)) {
		if (t->process && !home_thread_belongs_to(t->process))
			t->newborn = true;
		if (!home_thread_attach(t))
			return ti_work;
		if (t->newborn)
			settle(t);
		t->newborn = false;
	}
	look_for_handler(t, regs);
	if (!home_thread_wants_away(t))
		return ti_work;
	if (ti_work & (_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL)) {
		home_thread_expect_handler(t, regs);
		set_thread_flag(TIF_NOTIFY_RESUME);
		return ti_work & ~_TIF_NOTIFY_RESUME;
	}
	if (!may_leave(regs))
		return ti_work;
	/* Whoever waits for the last fput() does not wait for our return. */
	if (task_work_pending(current))
		task_work_run();
	home_thread_account(t);
	executor_leave(t, regs);
	t->bounce_from_ns = current->utime;
	return read_thread_flags() & ~_TIF_NOTIFY_RESUME;
}

unsigned long home_exit_work(struct pt_regs *regs, unsigned long ti_work)
{
	struct home_thread *t = container_of(current->procshare,
					     struct home_thread, base);

	ti_work = leave(t, regs, ti_work);
	if (ti_work & _TIF_NOTIFY_RESUME && thread_rseq_settle(regs))
		ti_work &= ~_TIF_NOTIFY_RESUME;
	return ti_work;
}

/*
 * A call that a home thread makes itself: nothing to forward, but a chance to
 * leave behind it, and the moment to notice exec.
 */
bool home_syscall(struct pt_regs *regs, long nr)
{
	struct home_thread *t = container_of(current->procshare,
					     struct home_thread, base);

	if (t->process) {
		home_fence(t->process, regs, nr);
		home_mincore(t->process, regs, nr);
	}
	/* The executor's own calls pass here too. */
	if (t->node != PROCSHARE_NODE_HOME)
		return false;
	t->until_call = false;
	if (syscall_is_sigreturn(nr))
		t->handles_until = jiffies;
	if (syscall_is_exec(nr) || home_thread_wants_away(t))
		set_thread_flag(TIF_NOTIFY_RESUME);
	return false;
}
