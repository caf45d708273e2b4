// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_pace: what running threads owe home while they compute
 *
 * A thread that only computes never enters the kernel.  A hundred times a second
 * its CPU time is told to home, where timers and limits count it, and a thread
 * under policy bounce that has used up its share is told to move on.
 */

#include <linux/resume_user_mode.h>
#include <linux/sched/cputime.h>
#include <linux/workqueue.h>

#include "shadow.h"

#define PACE_PERIOD	msecs_to_jiffies(10)

static void pace(struct work_struct *work);
static DECLARE_DELAYED_WORK(pace_work, pace);
static bool busy;		/* written by the one work only */

/* Home need not know of less: it is told at the latest when the thread leaves. */
#define REPORT_NS	(2 * NSEC_PER_MSEC)

static void report(struct shadow_thread *st)
{
	struct procshare_wire_time *time;
	struct procshare_msg *msg;
	u64 user, system;

	task_cputime_adjusted(st->task, &user, &system);
	if (user + system < st->reported + REPORT_NS)
		return;
	msg = procshare_msg_alloc(PROCSHARE_WIRE_TIME, sizeof(*time), GFP_ATOMIC);
	if (!msg)
		return;
	st->reported = user + system;
	msg->process = st->shadow->id;
	msg->thread = st->tid;
	time = (void *)msg->body;
	time->user_ns = cpu_to_le64(user - st->arrival_user);
	time->system_ns = cpu_to_le64(system - st->arrival_system);
	procshare_queue(st->shadow->home, msg);
}

static void pace_thread(struct shadow_thread *st)
{
	spin_lock(&st->lock);
	if (st->task && st->running) {
		busy = true;
		report(st);
		if (shadow_thread_has_bounced(st, st->task)) {
			set_notify_resume(st->task);
			kick_process(st->task);
		}
	}
	spin_unlock(&st->lock);
}

static void pace(struct work_struct *work)
{
	busy = false;
	shadow_each_thread(pace_thread);
	procshare_push();
	if (busy)
		shadow_pace_start();
}

void shadow_pace_start(void)
{
	queue_delayed_work(system_unbound_wq, &pace_work, PACE_PERIOD);
}
