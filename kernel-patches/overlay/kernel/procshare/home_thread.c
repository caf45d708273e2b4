// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home thread: its record
 *
 * Made at fork (or by procshare_attach()); it finds its process at the first return
 * to user mode, and is freed with the task.
 */

#include <linux/pid.h>
#include <linux/procshare.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "cluster.h"
#include "home.h"

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
	t->tied = false;
	t->privileged = false;
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
	t->privileged = parent->privileged;
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

/* In do_exit(). */
void home_thread_exit(struct task_struct *tsk)
{
	struct home_thread *t = container_of(tsk->procshare,
					     struct home_thread, base);

	executor_abandon(t);
	if (t->process && t->process->pid == task_tgid(tsk) &&
	    !atomic_read(&tsk->signal->live))
		process_end(t->process);
	detach(t);
}

void home_thread_free(struct task_struct *tsk)
{
	struct home_thread *t = container_of(tsk->procshare,
					     struct home_thread, base);

	home_thread_put(t);
}

/* Is @p what current is a thread of now?  exec and vfork change that. */
bool home_thread_belongs_to(const struct procshare_process *p)
{
	return p->mm == current->mm && p->pid == task_tgid(current);
}

/*
 * Find current's process, or make it.  Another process that shares the mm
 * (vfork) stays at home until it execs.
 */
bool home_thread_attach(struct home_thread *t)
{
	struct procshare_process *p = t->process;

	if (p && home_thread_belongs_to(p) && xa_load(&p->threads, t->tid) == t)
		return true;
	if (p && !home_thread_belongs_to(p)) {
		if (p->pid == task_tgid(current))
			WRITE_ONCE(p->replaced, true);
		detach(t);
		p = NULL;
	}
	if (!p)
		p = process_of_current(t);
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

/*
 * Make thread @tid move to @target (home included) as soon as it can; @tie: nobody else
 * is to move it any more.
 */
bool home_thread_ask(struct procshare_process *p, u32 tid, u8 target, bool tie)
{
	struct home_thread *t;

	/* The lock keeps the task: it erases itself before it is freed. */
	xa_lock(&p->threads);
	t = xa_load(&p->threads, tid);
	if (t) {
		t->tied |= tie;
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
