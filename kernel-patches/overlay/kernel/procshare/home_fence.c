// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_fence: membarrier() reaches the threads on other nodes
 *
 * Home's part of the call stops home's CPUs.  Before it, every node with a shadow
 * process stops its own: memory is ordered there, too, and restartable sequences
 * begin again.  A thread on its way between nodes is not in a sequence.
 */

#include <linux/sched/signal.h>
#include <asm/syscall.h>
#include <uapi/linux/membarrier.h>

#include "cluster.h"
#include "home.h"

static bool is_fence(long nr, const struct pt_regs *regs)
{
	if (nr != __NR_membarrier || in_ia32_syscall())
		return false;
	switch ((int)regs->di) {
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		return true;
	default:
		return false;
	}
}

static void send_fence(struct procshare_process *p, unsigned int node, u32 number)
{
	struct procshare_wire_fence *fence;
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(PROCSHARE_WIRE_FENCE, sizeof(*fence),
				  GFP_KERNEL | __GFP_NOFAIL);
	msg->process = p->id;
	fence = (void *)msg->body;
	fence->number = cpu_to_le32(number);
	fence->reserved = 0;
	procshare_send(node, msg);
}

/* Has @node stopped its CPUs for the fence @number, or a later one? */
static bool is_fenced(struct procshare_process *p, unsigned int node, u32 number)
{
	return (s32)(READ_ONCE(p->fenced[node]) - number) >= 0;
}

static bool all_fenced(struct procshare_process *p, coh_set nodes, u32 number)
{
	unsigned int node;

	for (node = 0; node < PROCSHARE_MAX_NODES; node++)
		if (nodes & coh_bit(node) && !is_fenced(p, node, number))
			return false;
	return true;
}

static coh_set hosts(struct procshare_process *p)
{
	coh_set nodes = 0;
	unsigned int node;

	spin_lock(&p->lock);
	for (node = 0; node < PROCSHARE_MAX_NODES; node++)
		if (p->hosts[node] == HOST_READY)
			nodes |= p->present & coh_bit(node);
	spin_unlock(&p->lock);
	return nodes;
}

/**
 * home_fence - if current is about to make a membarrier() call, fence the nodes
 * @p: its process
 * @regs: its registers at system call entry
 * @nr: of the call
 *
 * Sleeps, killable, for one round trip; a node that does not answer costs the process
 * its life.
 */
void home_fence(struct procshare_process *p, const struct pt_regs *regs, long nr)
{
	coh_set nodes = is_fence(nr, regs) ? hosts(p) : 0;
	unsigned int node;
	u32 number;

	if (!nodes)
		return;
	/* What current has written may be seen before what it reads behind the call. */
	smp_mb();
	number = atomic_inc_return(&p->fences);
	for (node = 0; node < PROCSHARE_MAX_NODES; node++)
		if (nodes & coh_bit(node))
			send_fence(p, node, number);
	if (!wait_event_killable_timeout(p->wait, all_fenced(p, nodes, number) ||
					 READ_ONCE(p->doomed) || READ_ONCE(p->released),
					 HOME_PATIENCE))
		process_doom(p, "a node does not answer membarrier()");
}

/* FENCED from @msg->peer, which takes part in the process. */
void home_fence_message(struct procshare_process *p, struct procshare_msg *msg)
{
	struct procshare_wire_fence *fence = (void *)msg->body;
	u32 number = le32_to_cpu(fence->number);

	/* Two threads may have sent theirs in the other order. */
	if (msg->length == sizeof(*fence) && !is_fenced(p, msg->peer, number)) {
		WRITE_ONCE(p->fenced[msg->peer], number);
		wake_up_all(&p->wait);
	}
	procshare_msg_free(msg);
}
