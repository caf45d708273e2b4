// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_pace: what running threads owe home while they compute
 *
 * A thread that only computes never enters the kernel.  Every 8 ms home is told its
 * CPU time if it expects another one: timers and limits count it there.  And a thread
 * under policy bounce that has used up its share is told to move on.
 */

#include <linux/resume_user_mode.h>
#include <linux/sched/cputime.h>
#include <linux/workqueue.h>

#include "shadow.h"

static void pace(struct work_struct *work);
static DECLARE_DELAYED_WORK(pace_work, pace);
/* Threads that run here; they leave it before they go home or end. */
static LIST_HEAD(running);
static DEFINE_SPINLOCK(running_lock);	/* taken before that of a thread */

/* Tell home of CPU time that it does not expect. */
static void report(struct shadow_thread *st)
{
	const struct cpu_report before = st->report;
	struct procshare_wire_time *time;
	struct procshare_msg *msg;
	u64 user, system;

	shadow_thread_used_cpu(st, &user, &system);
	if (!cpu_report_due(&st->report, ktime_get_ns(), user, system))
		return;
	msg = procshare_msg_alloc(PROCSHARE_WIRE_TIME, sizeof(*time), GFP_ATOMIC);
	if (!msg) {
		st->report = before;
		return;
	}
	msg->process = st->shadow->id;
	msg->thread = st->tid;
	time = (void *)msg->body;
	time->user_ns = cpu_to_le64(user);
	time->system_ns = cpu_to_le64(system);
	time->rate = cpu_to_le32(st->report.told.rate);
	time->unused = 0;
	procshare_queue(st->shadow->home, msg);
}

static void pace_thread(struct shadow_thread *st)
{
	spin_lock(&st->lock);
	if (!st->calling)
		report(st);
	if (shadow_thread_has_bounced(st, st->task)) {
		set_notify_resume(st->task);
		kick_process(st->task);
	}
	spin_unlock(&st->lock);
}

static void look_later(void)
{
	queue_delayed_work(system_unbound_wq, &pace_work, CPU_PERIOD);
}

static void pace(struct work_struct *work)
{
	struct shadow_thread *st;
	bool any;

	spin_lock(&running_lock);
	list_for_each_entry(st, &running, pace)
		pace_thread(st);
	any = !list_empty(&running);
	spin_unlock(&running_lock);
	procshare_push();
	if (any)
		look_later();
}

/* current's thread begins to run here. */
void shadow_pace_begin(struct shadow_thread *st)
{
	shadow_pace_resume(st);
	spin_lock(&running_lock);
	list_add_tail(&st->pace, &running);
	spin_unlock(&running_lock);
	look_later();
}

/* It does so no more: home is told no more of its CPU time than it says itself. */
void shadow_pace_end(struct shadow_thread *st)
{
	spin_lock(&running_lock);
	list_del_init(&st->pace);
	spin_unlock(&running_lock);
}

/* current's thread is about to say its CPU time in a CALL, and then only waits. */
void shadow_pace_pause(struct shadow_thread *st)
{
	spin_lock(&st->lock);
	st->calling = true;
	spin_unlock(&st->lock);
}

/* current's thread goes on, and home expects nothing. */
void shadow_pace_resume(struct shadow_thread *st)
{
	u64 user, system;

	spin_lock(&st->lock);
	shadow_thread_used_cpu(st, &user, &system);
	cpu_report_begin(&st->report, ktime_get_ns(), user, system);
	st->calling = false;
	spin_unlock(&st->lock);
}
