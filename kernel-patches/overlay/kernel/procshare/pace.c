// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - pace: when threads at home should leave although nothing happens
 *
 * A thread under policy bounce moves on after its share of user CPU time, and a
 * thread that stayed because it touched what cannot be exported leaves again
 * when that stay is over, even if it makes no system call.  Both are looked at
 * every ten milliseconds, or a little later, while there are such threads; and four
 * times a second what all threads of a process do (home_gather.c).
 */

#include <linux/resume_user_mode.h>
#include <linux/workqueue.h>

#include "home.h"

#define PACE_PERIOD	msecs_to_jiffies(10)
#define PACE_IDLE	(HZ / 4)

static void pace(struct work_struct *work);
static DECLARE_DELAYED_WORK(pace_work, pace);
/* Nobody at home wants to leave: the next look is a while off. */
static bool idle;

static bool has_bounced_enough(const struct procshare_process *p,
			       const struct home_thread *t)
{
	u64 share = (u64)t->session->params.bounce_ms * NSEC_PER_MSEC;

	return p->policy == PROCSHARE_POLICY_BOUNCE &&
	       t->target == PROCSHARE_NODE_HOME &&
	       t->task->utime - t->bounce_from_ns >= share;
}

/* Is it one to look at again soon? */
static bool pace_thread(struct procshare_process *p, struct home_thread *t)
{
	if (READ_ONCE(t->node) != PROCSHARE_NODE_HOME)
		return false;
	if (has_bounced_enough(p, t))
		WRITE_ONCE(t->target, home_place_bounce(t));
	if (home_thread_wants_away(t)) {
		set_notify_resume(t->task);
		kick_process(t->task);
	}
	return p->policy == PROCSHARE_POLICY_BOUNCE ||
	       READ_ONCE(t->target) != PROCSHARE_NODE_HOME;
}

static bool pace_process(struct procshare_process *p)
{
	struct home_thread *t;
	unsigned long tid;
	bool soon = false;

	/* The lock keeps the tasks: they erase themselves before they go. */
	xa_lock(&p->threads);
	xa_for_each(&p->threads, tid, t)
		soon |= pace_thread(p, t);
	xa_unlock(&p->threads);
	return soon;
}

static void pace(struct work_struct *work)
{
	struct procshare_process *p;
	bool any = false, soon = false;
	u64 id = 0;

	/* Who comes home from now on brings the next look forward. */
	xchg(&idle, true);
	for (; (p = process_find_next(&id)); id++) {
		any = true;
		soon |= pace_process(p);
		home_gather_look(p);
		process_put(p);
	}
	if (soon)
		pace_start();
	else if (any)
		queue_delayed_work(system_unbound_wq, &pace_work, PACE_IDLE);
}

/* A thread at home may want to leave, now or later. */
void pace_start(void)
{
	if (xchg(&idle, false))
		mod_delayed_work(system_unbound_wq, &pace_work, PACE_PERIOD);
	else
		queue_delayed_work(system_unbound_wq, &pace_work, PACE_PERIOD);
}
