// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_gather: threads that take turns at pages come to one node
 *
 * Policy away says that threads run on other nodes, not on which.  Where they mostly
 * wait for each other's pages, they go to the node that has done most so far; when that
 * has too much to do, each goes back to the node that it was given first.  A thread that
 * somebody has placed, by its CPUs or by procshare migrate, is left alone.
 */

#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "home.h"

#include <trace/events/procshare.h>

#define LOOK_PERIOD	HZ

void home_gather_init(struct gathering *g)
{
	g->node = PROCSHARE_NODE_HOME;
	g->seen.period_ns = ktime_get_ns();
	g->next = jiffies + LOOK_PERIOD;
}

/* The other nodes: their totals in @sum, how many have threads, and the busiest of these. */
static unsigned int add_up(struct procshare_process *p, struct gather_sample *sum,
			   u8 *busiest)
{
	struct procshare_node_usage row;
	unsigned int hosts = 0;
	u64 most = 0;
	int node = -1;

	*sum = (struct gather_sample) { .period_ns = ktime_get_ns() };
	while (usage_next(p->usage, &node, &row)) {
		if (node == p->home)
			continue;
		sum->user_ns += row.user_ns;
		sum->moved += row.counters[PROCSHARE_COUNT_PAGES_OUT];
		if (!row.threads)
			continue;
		if (!hosts++ || row.user_ns > most) {
			most = row.user_ns;
			*busiest = node;
		}
	}
	return hosts;
}

/* Where a thread of @p that was given @place goes. */
u8 home_gather_place(const struct procshare_process *p, u8 place)
{
	u8 node = READ_ONCE(p->gathering.node);

	return node == PROCSHARE_NODE_HOME || place == PROCSHARE_NODE_HOME ? place : node;
}

static void move(struct procshare_process *p, struct home_thread *t)
{
	u8 target = home_gather_place(p, t->place);

	if (t->placed && !READ_ONCE(t->tied) && READ_ONCE(t->target) != target)
		executor_ask(p, t, target);
}

/* Also those that were about to go somewhere else when the others were told. */
static void move_all(struct procshare_process *p)
{
	struct home_thread *t;
	unsigned long tid;

	/* The lock keeps the tasks: they erase themselves before they go. */
	xa_lock(&p->threads);
	xa_for_each(&p->threads, tid, t)
		move(p, t);
	xa_unlock(&p->threads);
	procshare_push();
}

static void follow(struct procshare_process *p, enum gather_advice advice, u8 busiest)
{
	if (advice != GATHER_KEEP) {
		WRITE_ONCE(p->gathering.node, advice == GATHER_JOIN ? busiest :
						PROCSHARE_NODE_HOME);
		trace_procshare_gather(p->id, p->gathering.node);
	}
	if (advice != GATHER_KEEP || p->gathering.state.together)
		move_all(p);
}

/* Called by one worker, much more often than there is something to see. */
void home_gather_look(struct procshare_process *p)
{
	struct gathering *g = &p->gathering;
	struct gather_sample total, since;
	unsigned int hosts;
	u8 busiest;

	if (p->policy != PROCSHARE_POLICY_AWAY || time_before(jiffies, g->next))
		return;
	g->next = jiffies + LOOK_PERIOD;
	hosts = add_up(p, &total, &busiest);
	since = (struct gather_sample) {
		.period_ns = total.period_ns - g->seen.period_ns,
		.user_ns = total.user_ns - g->seen.user_ns,
		.moved = total.moved - g->seen.moved,
	};
	g->seen = total;
	if (hosts > 1 || g->state.together)
		follow(p, gather_look(&g->state, &since), busiest);
}

