// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home thread: its record, and when it leaves
 *
 * The record is made at fork (or by procshare_attach()), finds its process at
 * the first return to user mode, and is freed with the task.  A thread leaves
 * in home_exit_work() and nowhere else; it comes back out of the same call.
 */

#include <linux/pid.h>
#include <linux/procshare.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <asm/syscall.h>

#include "cluster.h"
#include "home.h"
#include "rseq.h"
#include "syscalls.h"
#include "thread_state.h"
#include "vdso.h"

#define HANDLER_STAY	(HZ / 4)
#define RAISED		(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) |	\
			 sigmask(SIGTRAP) | sigmask(SIGFPE))

struct home_thread *home_thread_create(struct session *session)
{
	struct home_thread *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	t->base.role = PROCSHARE_ROLE_HOME;
	kref_init(&t->ref);
	t->session = session_get(session);
	t->target = PROCSHARE_NODE_HOME;
	t->node = PROCSHARE_NODE_HOME;
	t->place = PROCSHARE_NODE_HOME;
	t->newborn = true;
	spin_lock_init(&t->lock);
	spin_lock_init(&t->inbox_lock);
	INIT_LIST_HEAD(&t->inbox);
	init_waitqueue_head(&t->wait);
	return t;
}

/*
 * current, shared already, belongs to session @s from its next exec on; takes
 * the reference over.  It may be an executor right now.
 */
void home_thread_join(struct session *s)
{
	struct home_thread *t = container_of(current->procshare,
					     struct home_thread, base);
	struct procshare_process *p = t->process;

	/* Whoever looks at threads from outside holds one of these locks. */
	if (p)
		xa_lock(&p->threads);
	spin_lock(&t->lock);
	swap(t->session, s);
	t->pinned = false;
	spin_unlock(&t->lock);
	if (p)
		xa_unlock(&p->threads);
	session_put(s);
}

static void free_inbox(struct home_thread *t)
{
	struct procshare_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &t->inbox, node)
		procshare_msg_free(msg);
}

static void home_thread_release(struct kref *ref)
{
	struct home_thread *t = container_of(ref, struct home_thread, ref);

	free_inbox(t);
	if (t->process)
		process_put(t->process);
	session_put(t->session);
	kfree(t);
}

void home_thread_put(struct home_thread *t)
{
	kref_put(&t->ref, home_thread_release);
}

struct home_thread *home_thread_current(const struct procshare_process *p)
{
	return current->mm == p->mm ? home_thread_of(current) : NULL;
}

struct home_thread *home_thread_find(struct procshare_process *p, u32 tid)
{
	struct home_thread *t;

	xa_lock(&p->threads);
	t = xa_load(&p->threads, tid);
	if (t)
		kref_get(&t->ref);
	xa_unlock(&p->threads);
	return t;
}

/* The record of @task, which stays as long as the task; NULL if there is none. */
struct home_thread *home_thread_of(struct task_struct *task)
{
	struct procshare_thread *t = READ_ONCE(task->procshare);

	if (!t || t->role != PROCSHARE_ROLE_HOME)
		return NULL;
	return container_of(t, struct home_thread, base);
}

/* Its executor sleeps, but the thread does not: /proc says that it is running. */
bool __procshare_computes(struct task_struct *tsk)
{
	struct home_thread *t = home_thread_of(tsk);

	return t && READ_ONCE(t->computes);
}

/* A child inherits session and policy; without memory it is plain Linux. */
void home_thread_fork(struct task_struct *child)
{
	struct home_thread *parent = container_of(current->procshare,
						  struct home_thread, base);
	struct home_thread *t = home_thread_create(parent->session);

	if (!t) {
		clear_task_syscall_work(child, PROCSHARE);
		return;
	}
	t->child = true;
	spin_lock(&parent->lock);
	t->pinned = parent->pinned;
	bitmap_copy(t->cpus, parent->cpus, PROCSHARE_CPUS);
	spin_unlock(&parent->lock);
	/* Kept if the child turns out to be a thread of the same process. */
	if (parent->process) {
		kref_get(&parent->process->ref);
		t->process = parent->process;
	}
	child->procshare = &t->base;
	set_tsk_thread_flag(child, TIF_NOTIFY_RESUME);
}

/* Leave the process's table: exec has given the task another mm, or it ends. */
static void detach(struct home_thread *t)
{
	struct procshare_process *p = t->process;

	if (!p)
		return;
	home_thread_account(t);
	if (xa_load(&p->threads, t->tid) == t) {
		xa_erase(&p->threads, t->tid);
		usage_hosted(p, p->home, -1);
	}
	t->process = NULL;
	process_put(p);
}

/* In do_exit(), and before exec's new mm is attached. */
void home_thread_exit(struct task_struct *tsk)
{
	struct home_thread *t = container_of(tsk->procshare,
					     struct home_thread, base);

	executor_abandon(t);
	detach(t);
}

void home_thread_free(struct task_struct *tsk)
{
	struct home_thread *t = container_of(tsk->procshare,
					     struct home_thread, base);

	home_thread_put(t);
}

static bool belongs_to(const struct procshare_process *p)
{
	return p->mm == current->mm && p->pid == task_tgid(current);
}

/*
 * Find current's process, or make it.  Another process that shares the mm
 * (vfork) stays at home until it execs.
 */
static bool attach(struct home_thread *t)
{
	struct procshare_process *p = t->process;

	if (p && belongs_to(p) && xa_load(&p->threads, t->tid) == t)
		return true;
	if (p && !belongs_to(p)) {
		detach(t);
		p = NULL;
	}
	if (!p)
		p = process_of_current(t->session);
	if (!p)
		return false;
	t->process = p;
	t->task = current;
	t->tid = task_pid_nr(current);
	/* What the task used before belongs to somebody else. */
	home_thread_account_from(t);
	if (xa_err(xa_store(&p->threads, t->tid, t, GFP_KERNEL_ACCOUNT))) {
		detach(t);
		return false;
	}
	usage_hosted(p, p->home, 1);
	return true;
}

/* Make thread @tid move to @target (home included) as soon as it can. */
bool home_thread_ask(struct procshare_process *p, u32 tid, u8 target)
{
	struct home_thread *t;

	/* The lock keeps the task: it erases itself before it is freed. */
	xa_lock(&p->threads);
	t = xa_load(&p->threads, tid);
	if (t) {
		WRITE_ONCE(t->stay_until, jiffies);
		WRITE_ONCE(t->handles_until, jiffies);
		WRITE_ONCE(t->until_call, false);
		executor_ask(p, t, target);
		if (READ_ONCE(t->node) == PROCSHARE_NODE_HOME) {
			set_notify_resume(t->task);
			kick_process(t->task);
		}
	}
	xa_unlock(&p->threads);
	procshare_push();
	return t;
}

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

/* It can be found since attach(): somebody may have given it other CPUs meanwhile. */
static void settle(struct home_thread *t)
{
	WRITE_ONCE(t->target, home_place(t));
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
	if (!t->process || t->newborn || !belongs_to(t->process)) {
		if (t->process && !belongs_to(t->process))
			t->newborn = true;
		if (!attach(t))
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
