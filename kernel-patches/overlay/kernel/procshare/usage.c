// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - usage: counters per node, of a process and of its session
 *
 * A node's row is allocated when the node is first used, where sleeping is
 * fine; counting never allocates and drops what has no row.
 */

#include <linux/slab.h>

#include "cluster.h"
#include "home.h"

/* Rows are only ever added until their owner is freed. */
static struct usage *row_of(struct usage **rows, unsigned int node)
{
	if (node >= PROCSHARE_MAX_NODES)
		return NULL;
	/* pairs with the cmpxchg in prepare(): a row that is seen is zeroed */
	return smp_load_acquire(&rows[node]);
}

static int prepare(struct usage **rows, unsigned int node)
{
	struct usage *new;

	if (node >= PROCSHARE_MAX_NODES)
		return -EINVAL;
	if (row_of(rows, node))
		return 0;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	/* pairs with row_of() */
	if (cmpxchg_release(&rows[node], NULL, new))
		kfree(new);
	return 0;
}

int usage_prepare(struct procshare_process *p, unsigned int node)
{
	return prepare(p->usage, node) ?: prepare(p->session->usage, node);
}

void usage_free(struct usage *usage[PROCSHARE_MAX_NODES])
{
	int i;

	for (i = 0; i < PROCSHARE_MAX_NODES; i++)
		kfree(usage[i]);
}

void usage_count(struct procshare_process *p, unsigned int node,
		 enum procshare_counter counter, u64 n)
{
	struct usage *mine = row_of(p->usage, node);
	struct usage *all = row_of(p->session->usage, node);

	if (mine)
		atomic64_add(n, &mine->counters[counter]);
	if (all)
		atomic64_add(n, &all->counters[counter]);
}

void usage_cpu(struct procshare_process *p, unsigned int node, u64 user_ns,
	       u64 system_ns)
{
	struct usage *mine = row_of(p->usage, node);
	struct usage *all = row_of(p->session->usage, node);

	if (mine) {
		atomic64_add(user_ns, &mine->user_ns);
		atomic64_add(system_ns, &mine->system_ns);
	}
	if (all) {
		atomic64_add(user_ns, &all->user_ns);
		atomic64_add(system_ns, &all->system_ns);
	}
}

void usage_hosted(struct procshare_process *p, unsigned int node, int n)
{
	struct usage *mine = row_of(p->usage, node);
	struct usage *all = row_of(p->session->usage, node);

	if (mine)
		atomic_add(n, &mine->threads);
	if (all)
		atomic_add(n, &all->threads);
}

void usage_reason(struct procshare_process *p, unsigned int reason)
{
	if (reason >= PROCSHARE_BACK_REASONS)
		reason = PROCSHARE_BACK_ERROR;
	atomic64_inc(&p->reasons[reason]);
	atomic64_inc(&p->session->reasons[reason]);
}

static void show(const struct usage *u, struct procshare_node_usage *out)
{
	int i;

	out->threads = atomic_read(&u->threads);
	out->user_ns = atomic64_read(&u->user_ns);
	out->system_ns = atomic64_read(&u->system_ns);
	for (i = 0; i < PROCSHARE_COUNTERS; i++)
		out->counters[i] = atomic64_read(&u->counters[i]);
}

/* The row of the smallest node above *node; false at the end. */
bool usage_next(struct usage *usage[PROCSHARE_MAX_NODES], int *node,
		struct procshare_node_usage *out)
{
	int i;

	for (i = *node + 1; i < PROCSHARE_MAX_NODES; i++) {
		struct usage *u = row_of(usage, i);

		if (!u)
			continue;
		*node = i;
		out->node = i;
		show(u, out);
		return true;
	}
	return false;
}
