// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_luggage: what decides where and when a thread runs travels with it
 *
 * The numbers of the CPUs it will have, those of them it may use, its scheduling
 * policy and its nice value.
 */

#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "cluster.h"
#include "home.h"
#include "rseq.h"

/*
 * Do the numbers hold on @node?  Both it and home may have left the cluster since,
 * and come back as other machines.
 */
static bool is_numbered(const struct home_thread *t, unsigned int node)
{
	const struct cpu_layout *layout = &t->session->cpus;
	unsigned int home = t->process->home;
	struct node_cpus cpus;

	return layout->count[node] && layout->count[home] && !layout->base[home] &&
	       procshare_node_cpus(node, &cpus) && cpus.count == layout->count[node];
}

/* On a node whose CPUs have no numbers the thread must not look at any. */
int home_luggage_prepare(struct home_thread *t, unsigned int node,
			 const struct pt_regs *regs)
{
	t->numbered = is_numbered(t, node);
	return t->numbered ? 0 : thread_rseq_park(regs);
}

/* What a limit of real-time CPU time would stop at home must not run on elsewhere. */
static bool may_take_along(const struct task_struct *task)
{
	return task->policy == SCHED_NORMAL || task->policy == SCHED_BATCH ||
	       task->policy == SCHED_IDLE ||
	       ((task->policy == SCHED_FIFO || task->policy == SCHED_RR) &&
		rlimit(RLIMIT_RTTIME) == RLIM_INFINITY);
}

static void pack_scheduling(struct procshare_wire_thread *state)
{
	bool travels = may_take_along(current);

	state->sched_policy = cpu_to_le32(travels ? current->policy : SCHED_NORMAL);
	state->rt_priority = cpu_to_le32(travels ? current->rt_priority : 0);
	state->nice = cpu_to_le32(task_nice(current));
}

static void pack_part(struct home_thread *t, unsigned int node,
		      struct procshare_wire_thread *state)
{
	DECLARE_BITMAP(part, PROCSHARE_WIRE_CPUS) = { };
	unsigned int i;

	spin_lock(&t->lock);
	if (t->pinned)
		cpu_layout_part(&t->session->cpus, node, t->cpus, part);
	spin_unlock(&t->lock);
	for (i = 0; i < ARRAY_SIZE(state->cpus); i++)
		state->cpus[i] = cpu_to_le64(part[i]);
}

/* MIGRATE of current to @node: which CPUs it has there, and how it is scheduled. */
void home_luggage_pack(struct home_thread *t, unsigned int node,
		       struct procshare_wire_thread *state)
{
	const struct cpu_layout *layout = &t->session->cpus;

	struct thread_rseq rseq = thread_rseq_get();

	pack_scheduling(state);
	state->cpu_base = cpu_to_le32(PROCSHARE_NO_CPUS);
	state->rseq = cpu_to_le64(rseq.address);
	if (t->numbered) {
		state->cpu_base = cpu_to_le32(layout->base[node]);
		state->rseq_length = cpu_to_le32(rseq.length);
		state->rseq_signature = cpu_to_le32(rseq.signature);
		pack_part(t, node, state);
	}
}
