// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_place: which node a thread is to run on
 *
 * The policy of its session chooses when the thread is new; the CPUs that the
 * thread itself, or somebody for it, has asked for narrow the choice and move it.
 */

#include "home.h"

/* A thread that is to be at home is asked for by this name. */
static u8 name_of(const struct procshare_process *p, unsigned int node)
{
	return node == p->home ? PROCSHARE_NODE_HOME : node;
}

/* The nodes where @t of @p may run now; home, if it would be none. */
static coh_set nodes_of(const struct procshare_process *p, struct home_thread *t)
{
	coh_set nodes;

	spin_lock(&t->lock);
	nodes = session_nodes(t->session);
	if (t->pinned)
		nodes &= cpu_layout_nodes(&t->session->cpus, t->cpus);
	spin_unlock(&t->lock);
	return nodes ?: coh_bit(p->home);
}

/* The next node of @nodes, round robin over the session. */
static u8 next_host(struct home_thread *t, coh_set nodes)
{
	unsigned int n, count = hweight64(nodes);
	unsigned int node;

	if (!count)
		return PROCSHARE_NODE_HOME;
	n = (unsigned int)atomic_inc_return(&t->session->placed) % count;
	for (node = 0; node < PROCSHARE_MAX_NODES; node++)
		if (nodes & coh_bit(node) && !n--)
			break;
	return name_of(t->process, node);
}

/* The node behind the one where @t runs: policy bounce moves on there. */
u8 home_place_bounce(struct home_thread *t)
{
	unsigned int self = t->process->home;
	unsigned int from = t->node == PROCSHARE_NODE_HOME ? self : t->node;
	coh_set nodes = nodes_of(t->process, t);
	unsigned int i;

	for (i = 1; i <= PROCSHARE_MAX_NODES; i++) {
		unsigned int node = (from + i) % PROCSHARE_MAX_NODES;

		if (nodes & coh_bit(node))
			return name_of(t->process, node);
	}
	return PROCSHARE_NODE_HOME;
}

static u8 choose(struct home_thread *t, coh_set nodes)
{
	coh_set home = coh_bit(t->process->home);

	switch (t->process->policy) {
	case PROCSHARE_POLICY_SPREAD:
		/* The program's first thread stays; threads and processes made later go. */
		if (!t->child && (!t->pinned || nodes & home))
			return PROCSHARE_NODE_HOME;
		return next_host(t, nodes);
	case PROCSHARE_POLICY_AWAY:
		return next_host(t, nodes & ~home);
	case PROCSHARE_POLICY_BOUNCE:
		return next_host(t, nodes);
	default:
		return PROCSHARE_NODE_HOME;
	}
}

static bool fits(const struct home_thread *t, coh_set nodes)
{
	if (t->place == PROCSHARE_NODE_HOME)
		return !t->pinned || nodes & coh_bit(t->process->home);
	return nodes & coh_bit(t->place);
}

/* Where @t, which is new, goes; exec does not change it. */
u8 home_place(struct home_thread *t)
{
	coh_set nodes = nodes_of(t->process, t);

	if (t->process->policy == PROCSHARE_POLICY_HOME)
		return PROCSHARE_NODE_HOME;
	if (!t->placed || !fits(t, nodes))
		t->place = choose(t, nodes);
	t->placed = true;
	return t->place;
}

/* The node of @nodes where the fewest threads of the process are. */
static unsigned int emptiest(struct procshare_process *p, coh_set nodes)
{
	unsigned int node, best = p->home;
	int least = INT_MAX;

	for (node = 0; node < PROCSHARE_MAX_NODES; node++) {
		struct usage *usage = READ_ONCE(p->usage[node]);
		int threads = usage ? atomic_read(&usage->threads) : 0;

		if (nodes & coh_bit(node) && threads < least) {
			least = threads;
			best = node;
		}
	}
	return best;
}

/*
 * The CPUs where @t of @p may run have changed: it moves if it is on none of them.
 * A program that has gained privileges does not.
 */
void home_place_again(struct procshare_process *p, struct home_thread *t)
{
	u8 target = READ_ONCE(t->target);
	coh_set nodes = nodes_of(p, t);
	unsigned int now = target == PROCSHARE_NODE_HOME ? p->home : target;

	if (p->policy == PROCSHARE_POLICY_HOME)
		return;
	if (!(nodes & coh_bit(now)))
		target = name_of(p, emptiest(p, nodes));
	else if (target == PROCSHARE_NODE_HOME)
		return;
	WRITE_ONCE(t->place, target);
	WRITE_ONCE(t->placed, true);
	/* Also where it is already: it takes its CPUs along when it leaves home. */
	home_thread_ask(p, t->tid, target, false);
}
