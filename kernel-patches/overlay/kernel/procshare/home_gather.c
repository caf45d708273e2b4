// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_gather: threads that take turns at pages come to one node
 *
 * Policy away says that threads run on other nodes, not on which.  Where they compute
 * little and pages move a lot, they go to one node; when that has no CPU time left, each
 * goes back to the node that it was given first.  A thread that somebody has placed, by
 * its CPUs or by procshare migrate, is left alone.
 */

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>

#include "cluster.h"
#include "home.h"

#include <trace/events/procshare.h>

#define LOOK_PERIOD	HZ

void home_gather_init(struct gathering *g)
{
	g->node = PROCSHARE_NODE_HOME;
	g->at_ns = ktime_get_ns();
	g->next = jiffies + LOOK_PERIOD;
}

static bool is_tied(const struct home_thread *t)
{
	return READ_ONCE(t->tied) || READ_ONCE(t->pinned);
}

/* ---- what they do ---- */

/* Since the last look; the totals are noted for the next one. */
static struct gather_sample take_sample(struct procshare_process *p)
{
	struct gathering *g = &p->gathering;
	struct gather_sample sample = { .period_ns = ktime_get_ns() - g->at_ns };
	struct procshare_node_usage row;
	u64 user_ns = 0, moved = 0, node_ns = 0;
	struct node_cpus cpus;
	int node = -1;

	while (usage_next(p->usage, &node, &row)) {
		if (node == p->home)
			continue;
		user_ns += row.user_ns;
		moved += row.counters[PROCSHARE_COUNT_PAGES_OUT];
		sample.hosts += row.threads > 0;
		if (node == g->node)
			node_ns = row.user_ns;
	}
	sample.user_ns = user_ns - g->user_ns;
	/* What a node turned out not to have is taken back. */
	sample.moved = max_t(s64, moved - g->moved, 0);
	if (procshare_node_cpus(g->node, &cpus))
		sample.full = gather_is_full(node_ns - g->node_ns, sample.period_ns,
					     bitmap_weight(cpus.online, cpus.count));
	g->at_ns += sample.period_ns;
	g->user_ns = user_ns;
	g->moved = moved;
	g->node_ns = node_ns;
	return sample;
}

/* ---- where they go ---- */

/* Where a thread of @p that was given @place goes. */
u8 home_gather_place(const struct procshare_process *p, u8 place)
{
	u8 node = READ_ONCE(p->gathering.node);

	return node == PROCSHARE_NODE_HOME || place == PROCSHARE_NODE_HOME ? place : node;
}

/* The one that has done most so far, of those that have threads. */
static u8 busiest(struct procshare_process *p, coh_set nodes, u64 *done_ns)
{
	struct procshare_node_usage row;
	u8 best = PROCSHARE_NODE_HOME;
	int node = -1;

	while (usage_next(p->usage, &node, &row)) {
		if (!(nodes & coh_bit(node)) || !row.threads)
			continue;
		if (best == PROCSHARE_NODE_HOME || row.user_ns > *done_ns) {
			best = node;
			*done_ns = row.user_ns;
		}
	}
	return best;
}

/* Those that cannot come are gone to. */
static coh_set nodes_of_tied(struct procshare_process *p, coh_set nodes)
{
	struct home_thread *t;
	unsigned long tid;
	coh_set set = 0;
	u8 target;

	xa_for_each(&p->threads, tid, t) {
		target = READ_ONCE(t->target);
		if (is_tied(t) && target != PROCSHARE_NODE_HOME)
			set |= coh_bit(target) & nodes;
	}
	return set;
}

static void choose(struct procshare_process *p, enum gather_advice advice)
{
	coh_set nodes = session_nodes(p->session) & ~coh_bit(p->home);
	u8 node = PROCSHARE_NODE_HOME;
	u64 done_ns = 0;

	if (advice == GATHER_JOIN) {
		node = busiest(p, nodes_of_tied(p, nodes), &done_ns);
		if (node == PROCSHARE_NODE_HOME)
			node = busiest(p, nodes, &done_ns);
	}
	if (node == p->gathering.node)
		return;
	p->gathering.node_ns = done_ns;
	WRITE_ONCE(p->gathering.node, node);
	trace_procshare_gather(p->id, node);
}

static void move(struct procshare_process *p, struct home_thread *t, coh_set nodes)
{
	u8 target = home_gather_place(p, t->place);

	if (!t->placed || is_tied(t) || READ_ONCE(t->target) == target)
		return;
	if (target != PROCSHARE_NODE_HOME && nodes & coh_bit(target))
		executor_ask(p, t, target);
}

static void follow(struct procshare_process *p, enum gather_advice advice)
{
	coh_set nodes = session_nodes(p->session);
	struct home_thread *t;
	unsigned long tid;

	/* The lock keeps the tasks: they erase themselves before they go. */
	xa_lock(&p->threads);
	choose(p, advice);
	xa_for_each(&p->threads, tid, t)
		move(p, t, nodes);
	xa_unlock(&p->threads);
	procshare_push();
}

/* Called by one worker, much more often than there is something to see. */
void home_gather_look(struct procshare_process *p)
{
	struct gathering *g = &p->gathering;
	struct gather_sample sample;
	enum gather_advice advice;

	if (p->policy != PROCSHARE_POLICY_AWAY || time_before(jiffies, g->next))
		return;
	g->next = jiffies + LOOK_PERIOD;
	sample = take_sample(p);
	advice = gather_look(&g->state, &sample);
	if (advice != GATHER_KEEP)
		follow(p, advice);
}
