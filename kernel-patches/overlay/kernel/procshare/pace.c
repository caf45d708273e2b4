// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - pace: when threads at home should leave although nothing happens
 *
 * A thread under policy bounce moves on after its share of user CPU time, and a
 * thread that stayed because it touched what cannot be exported leaves again
 * when that stay is over, even if it makes no system call.  Both are looked at
 * every ten milliseconds, or a little later, while there are shared processes.
 */

#include <linux/resume_user_mode.h>
#include <linux/workqueue.h>

#include "home.h"

#define PACE_PERIOD	msecs_to_jiffies(10)

static void pace(struct work_struct *work);
static DECLARE_DELAYED_WORK(pace_work, pace);

static bool has_bounced_enough(const struct procshare_process *p,
			       const struct home_thread *t)
{
	u64 share = (u64)t->session->params.bounce_ms * NSEC_PER_MSEC;

	return p->policy == PROCSHARE_POLICY_BOUNCE &&
	       t->target == PROCSHARE_NODE_HOME &&
	       t->task->utime - t->bounce_from_ns >= share;
}

static void pace_thread(struct procshare_process *p, struct home_thread *t)
{
	if (READ_ONCE(t->node) != PROCSHARE_NODE_HOME)
		return;
	if (has_bounced_enough(p, t))
		WRITE_ONCE(t->target, home_place_bounce(t));
	if (!home_thread_wants_away(t))
		return;
	set_notify_resume(t->task);
	kick_process(t->task);
}

static void pace_process(struct procshare_process *p)
{
	struct home_thread *t;
	unsigned long tid;

	/* The lock keeps the tasks: they erase themselves before they go. */
	xa_lock(&p->threads);
	xa_for_each(&p->threads, tid, t)
		pace_thread(p, t);
	xa_unlock(&p->threads);
}

static void pace(struct work_struct *work)
{
	struct procshare_process *p;
	bool any = false;
	u64 id = 0;

	for (; (p = process_find_next(&id)); id++) {
		any = true;
		pace_process(p);
		home_gather_look(p);
		process_put(p);
	}
	if (any)
		pace_start();
}

void pace_start(void)
{
	queue_delayed_work(system_unbound_wq, &pace_work, PACE_PERIOD);
}
