// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_cpu: the CPUs of this node as a thread of another node sees them
 *
 * They have numbers among the CPUs of all nodes of the process; the thread brings
 * along which of them it may use, and how it is scheduled.
 */

#include <linux/cpuset.h>
#include <linux/procshare.h>
#include <linux/ptrace.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <uapi/linux/sched/types.h>

#include "cpu_layout.h"
#include "rseq.h"
#include "shadow.h"

/* Of @part what this node's own rules allow; nothing of it: all that they allow. */
static void allow(struct shadow_thread *st, const unsigned long *part,
		  struct cpumask *cpus, struct cpumask *allowed)
{
	cpuset_cpus_allowed(current, allowed);
	node_cpus_mask(cpus, part);
	if (!cpumask_and(cpus, cpus, allowed))
		cpumask_and(cpus, &st->shadow->leader->cpus_mask, allowed);
	if (!cpumask_empty(cpus))
		set_cpus_allowed_ptr(current, cpus);
}

static void restrict_cpus(struct shadow_thread *st,
			  const struct procshare_wire_thread *state)
{
	DECLARE_BITMAP(part, PROCSHARE_WIRE_CPUS);
	cpumask_var_t cpus, allowed;
	bool restricted;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(state->cpus); i++)
		part[i] = le64_to_cpu(state->cpus[i]);
	restricted = !bitmap_empty(part, PROCSHARE_WIRE_CPUS);
	if ((!restricted && !st->restricted) || !alloc_cpumask_var(&cpus, GFP_KERNEL))
		return;
	if (alloc_cpumask_var(&allowed, GFP_KERNEL)) {
		st->restricted = restricted;
		allow(st, part, cpus, allowed);
		free_cpumask_var(allowed);
	}
	free_cpumask_var(cpus);
}

static void schedule_alike(const struct procshare_wire_thread *state)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = le32_to_cpu(state->sched_policy),
		.sched_nice = (s32)le32_to_cpu(state->nice),
		.sched_priority = le32_to_cpu(state->rt_priority),
	};

	if (attr.sched_policy > SCHED_IDLE || attr.sched_nice < MIN_NICE ||
	    attr.sched_nice > MAX_NICE)
		return;
	if (attr.sched_policy != current->policy ||
	    attr.sched_nice != task_nice(current) ||
	    attr.sched_priority != current->rt_priority)
		sched_setattr_nocheck(current, &attr);
}

/* current has arrived with @state. */
void shadow_cpu_arrive(struct shadow_thread *st,
		       const struct procshare_wire_thread *state)
{
	struct thread_rseq rseq = {
		.address = le64_to_cpu(state->rseq),
		.length = le32_to_cpu(state->rseq_length),
		.signature = le32_to_cpu(state->rseq_signature),
	};

	st->cpu_base = le32_to_cpu(state->cpu_base);
	restrict_cpus(st, state);
	schedule_alike(state);
	thread_rseq_set(&rseq);
}

/* current goes home: nothing of this node is written into its memory any more. */
void shadow_cpu_leave(struct shadow_thread *st)
{
	thread_rseq_set(&(struct thread_rseq) { });
}

/* rseq() has succeeded at home with these arguments. */
void shadow_cpu_rseq(struct shadow_thread *st, const struct pt_regs *regs)
{
	struct thread_rseq rseq = {
		.address = regs->di,
		.length = regs->si,
		.signature = regs->r10,
	};

	if (st->cpu_base == PROCSHARE_NO_CPUS)
		return;
	if (regs->dx & RSEQ_FLAG_UNREGISTER)
		rseq.address = 0;
	thread_rseq_set(&rseq);
}

/* getcpu(), by the process's numbers; if this node's CPUs have none it is home's first one. */
void shadow_cpu_get(struct pt_regs *regs)
{
	unsigned int __user *cpu = (void __user *)regs->di;
	unsigned int __user *node = (void __user *)regs->si;
	const struct shadow_thread *st = shadow_thread_current();
	bool numbered = st->cpu_base != PROCSHARE_NO_CPUS;
	int here = raw_smp_processor_id();
	int err = 0;

	if (cpu)
		err |= put_user(numbered ? st->cpu_base + here : 0, cpu);
	if (node)
		err |= put_user(numbered ? cpu_to_node(here) : 0, node);
	regs->ax = err ? -EFAULT : 0;
}

/* For the kernel, which writes CPU numbers into the rseq area of current. */
u32 __procshare_cpu_base(void)
{
	struct shadow_thread *st = shadow_thread_current();

	return st && st->cpu_base != PROCSHARE_NO_CPUS ? st->cpu_base : 0;
}
