// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow thread: its record, its task, its inbox
 *
 * Home speaks of a thread: the first time the leader is asked to make a task for
 * it.  The task stays until home says that the thread has ended, and comes and
 * goes with its state in between (shadow_stay.c).
 */

#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "shadow.h"

static void shadow_thread_release(struct kref *ref)
{
	struct shadow_thread *st = container_of(ref, struct shadow_thread, ref);
	struct procshare_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &st->inbox, node)
		procshare_msg_free(msg);
	shadow_put(st->shadow);
	kfree(st);
}

void shadow_thread_put(struct shadow_thread *st)
{
	kref_put(&st->ref, shadow_thread_release);
}

/* current's record, NULL for the leader and for strangers. */
struct shadow_thread *shadow_thread_current(void)
{
	if (!current->procshare || current->procshare->role != PROCSHARE_ROLE_SHADOW)
		return NULL;
	return container_of(current->procshare, struct shadow_thread, base);
}

static struct shadow_thread *find(struct shadow *s, u32 tid)
{
	struct shadow_thread *st;

	xa_lock(&s->threads);
	st = xa_load(&s->threads, tid);
	if (st)
		kref_get(&st->ref);
	xa_unlock(&s->threads);
	return st;
}

/* Out of the shadow's table: no message reaches it any more. */
void shadow_thread_discard(struct shadow_thread *st)
{
	if (xa_cmpxchg(&st->shadow->threads, st->tid, st, NULL, GFP_KERNEL) == st)
		shadow_thread_put(st);
}

/* ---- a new thread ---- */

/* Ask the leader for a task; false if there is no leader any more. */
static bool introduce(struct shadow *s, struct shadow_thread *st)
{
	bool alive;

	spin_lock(&s->lock);
	alive = !s->dead;
	if (alive) {
		kref_get(&st->ref);	/* the list's */
		list_add_tail(&st->node, &s->newcomers);
	}
	spin_unlock(&s->lock);
	wake_up(&s->wait);
	return alive;
}

static enum hrtimer_restart look_again(struct hrtimer *timer)
{
	struct shadow_thread *st = container_of(timer, struct shadow_thread, again);

	/* The task cancels the timer before it ends. */
	set_notify_resume(st->task);
	kick_process(st->task);
	return HRTIMER_NORESTART;
}

static struct shadow_thread *allocate(struct shadow *s, u32 tid)
{
	struct shadow_thread *st = kzalloc(sizeof(*st), GFP_KERNEL);

	if (!st)
		return NULL;
	st->base.role = PROCSHARE_ROLE_SHADOW;
	kref_init(&st->ref);
	kref_get(&s->ref);
	st->shadow = s;
	st->tid = tid;
	spin_lock_init(&st->lock);
	INIT_LIST_HEAD(&st->inbox);
	INIT_LIST_HEAD(&st->node);
	INIT_LIST_HEAD(&st->pace);
	init_waitqueue_head(&st->wait);
	hrtimer_init(&st->again, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	st->again.function = look_again;
	return st;
}

/* A thread that has not been here before: the leader will make a task for it. */
static void create(struct shadow *s, struct procshare_msg *migrate)
{
	struct shadow_thread *st = allocate(s, migrate->thread);

	if (!st) {
		shadow_decline(s, migrate);
		return;
	}
	list_add_tail(&migrate->node, &st->inbox);
	kref_get(&st->ref);	/* the table's */
	if (xa_err(xa_store(&s->threads, st->tid, st, GFP_KERNEL))) {
		shadow_thread_put(st);
		shadow_thread_refuse(st);
	} else if (!introduce(s, st)) {
		shadow_thread_discard(st);
	}
	shadow_thread_put(st);
}

/* First and last function of the task in the kernel; then user mode. */
int shadow_thread_main(void *arg)
{
	struct shadow_thread *st = arg;

	spin_lock(&st->lock);
	st->task = current;
	spin_unlock(&st->lock);
	current->procshare = &st->base;
	set_task_syscall_work(current, PROCSHARE);
	set_thread_flag(TIF_NOTIFY_RESUME);
	return 0;
}

void shadow_thread_exit(struct task_struct *tsk)
{
	struct shadow_thread *st = shadow_thread_current();

	hrtimer_cancel(&st->again);
	if (st->running) {
		shadow_pace_end(st);
		shadow_clock_forget(st->shadow);
	}
	spin_lock(&st->lock);
	st->task = NULL;
	spin_unlock(&st->lock);
	shadow_thread_discard(st);
}

void shadow_thread_free(struct task_struct *tsk)
{
	shadow_thread_put(container_of(tsk->procshare, struct shadow_thread, base));
}

/* ---- messages from home ---- */

static void deliver(struct shadow_thread *st, struct procshare_msg *msg)
{
	bool recall = msg->type == PROCSHARE_WIRE_RECALL;
	bool leaves = recall || msg->type == PROCSHARE_WIRE_EXIT;

	spin_lock(&st->lock);
	/* A recall of an earlier stay means nothing to this one. */
	if (msg->type == PROCSHARE_WIRE_MIGRATE)
		WRITE_ONCE(st->recalled, false);
	if (leaves)
		WRITE_ONCE(st->recalled, true);
	if (!recall)
		list_add_tail(&msg->node, &st->inbox);
	if (leaves && st->task) {
		set_notify_resume(st->task);
		kick_process(st->task);
	}
	spin_unlock(&st->lock);
	if (recall)
		procshare_msg_free(msg);
	else
		wake_up(&st->wait);
}

static bool is_for_thread(u8 type)
{
	return type == PROCSHARE_WIRE_MIGRATE || type == PROCSHARE_WIRE_RECALL ||
	       type == PROCSHARE_WIRE_RETURN || type == PROCSHARE_WIRE_EXIT;
}

/* MIGRATE, RECALL, RETURN or EXIT from home. */
void shadow_thread_message(struct shadow *s, struct procshare_msg *msg)
{
	struct shadow_thread *st;

	if (!is_for_thread(msg->type)) {
		procshare_msg_free(msg);
		return;
	}
	st = find(s, msg->thread);
	if (!st) {
		if (msg->type == PROCSHARE_WIRE_MIGRATE)
			create(s, msg);
		else
			procshare_msg_free(msg);
		return;
	}
	/* Home may use the number again at once. */
	if (msg->type == PROCSHARE_WIRE_EXIT)
		shadow_thread_discard(st);
	deliver(st, msg);
	shadow_thread_put(st);
}

/* The shadow is dead: nobody waits for messages, or runs, any longer. */
void shadow_threads_wake(struct shadow *s)
{
	struct shadow_thread *st;
	unsigned long tid;

	xa_lock(&s->threads);
	xa_for_each(&s->threads, tid, st) {
		spin_lock(&st->lock);
		if (st->task) {
			set_notify_resume(st->task);
			kick_process(st->task);
		}
		spin_unlock(&st->lock);
		wake_up(&st->wait);
	}
	xa_unlock(&s->threads);
}

static struct procshare_msg *next_message(struct shadow_thread *st)
{
	struct procshare_msg *msg;

	spin_lock(&st->lock);
	msg = list_first_entry_or_null(&st->inbox, struct procshare_msg, node);
	if (msg)
		list_del(&msg->node);
	spin_unlock(&st->lock);
	return msg;
}

/* The next message, NULL if the task or the shadow is to die. */
struct procshare_msg *shadow_thread_await(struct shadow_thread *st)
{
	struct procshare_msg *msg;

	for (;;) {
		if (READ_ONCE(st->shadow->dead) || fatal_signal_pending(current))
			return NULL;
		msg = next_message(st);
		if (msg)
			return msg;
		wait_event_state(st->wait, !list_empty(&st->inbox) ||
				 READ_ONCE(st->shadow->dead), SHADOW_IDLE);
	}
}

/* There will be no task: home keeps the thread, and may send it again. */
void shadow_thread_refuse(struct shadow_thread *st)
{
	struct procshare_msg *migrate;

	shadow_thread_discard(st);
	migrate = next_message(st);
	if (migrate)
		shadow_decline(st->shadow, migrate);
}
