// SPDX-License-Identifier: GPL-2.0-only
/* procshare - shadow_fence: this node's part of a membarrier() of another node */

#include <linux/mm_types.h>
#include <linux/rseq.h>
#include <linux/sched/mm.h>
#include <linux/smp.h>

#include "shadow.h"

/* The interrupt's return makes the CPU fetch its instructions anew, too. */
static void fence_here(void *unused)
{
	/* what the caller of membarrier() wrote and will read, against this CPU's */
	smp_mb();
	rseq_preempt(current);
}

/*
 * FENCE from home: whoever runs is interrupted, and whoever does not has been when
 * it was scheduled away.
 */
void shadow_fence(struct shadow *s, const struct procshare_msg *msg)
{
	struct procshare_msg *answer;
	struct mm_struct *mm;

	if (msg->length != sizeof(struct procshare_wire_fence))
		return;
	mm = s->leader ? get_task_mm(s->leader) : NULL;
	if (mm) {
		on_each_cpu_mask(mm_cpumask(mm), fence_here, NULL, true);
		mmput_async(mm);
	}
	answer = procshare_msg_alloc(PROCSHARE_WIRE_FENCED, msg->length, GFP_KERNEL);
	if (!answer) {
		shadow_kill(s, "no memory for a fence");
		return;
	}
	answer->process = s->id;
	memcpy(answer->body, msg->body, msg->length);
	procshare_send(s->home, answer);
}
