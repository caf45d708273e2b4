// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - poll: which waits are short enough to be awake for
 */

#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <linux/time64.h>
#include <linux/wait.h>

#include "poll.h"

/* About what it takes to sleep and be woken, twice: more would not be made good. */
#define POLL_MAX_NS	(50 * NSEC_PER_USEC)
/* One long wait must not be remembered for ever. */
#define COUNTED_MAX_NS	(8 * POLL_MAX_NS)
/* The last so many waits count, the latest most. */
#define MEMORY		8

void poll_note(struct poll *p, u64 took_ns)
{
	took_ns = min_t(u64, took_ns, COUNTED_MAX_NS);
	p->usual_ns = (p->usual_ns * (MEMORY - 1) + took_ns) / MEMORY;
}

bool poll_pays(const struct poll *p)
{
	return p->usual_ns < POLL_MAX_NS;
}

void poll_begin(struct poll *p)
{
	p->began = local_clock();
}

bool poll_more(const struct poll *p)
{
	return poll_pays(p) && local_clock() - p->began < POLL_MAX_NS &&
	       single_task_running() && !need_resched();
}

void poll_end(struct poll *p)
{
	u64 now = local_clock();

	/* Clocks of two CPUs may differ a little. */
	poll_note(p, now > p->began ? now - p->began : 0);
}

void poll_woken(struct poll *p, struct wait_queue_entry *wait, unsigned int mode,
		long timeout)
{
	if (p)
		poll_begin(p);
	while (p && !(READ_ONCE(wait->flags) & WQ_FLAG_WOKEN) && poll_more(p))
		cpu_relax();
	wait_woken(wait, mode, timeout);
	if (p)
		poll_end(p);
}
