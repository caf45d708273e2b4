// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - lazy TLB mode: pages are flushed one by one from kernel threads, too
 */

#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "lazy_tlb.h"

struct mm_struct *lazy_tlb_leave(void)
{
	struct mm_struct *mm;

	if (!(current->flags & PF_KTHREAD) || current->mm)
		return NULL;
	/* It is only lent for as long as nobody else runs. */
	preempt_disable();
	mm = current->active_mm;
	if (mm != &init_mm)
		mmgrab(mm);
	preempt_enable();
	if (mm == &init_mm)
		return NULL;
	kthread_use_mm(mm);
	return mm;
}

void lazy_tlb_enter(struct mm_struct *mm)
{
	if (!mm)
		return;
	kthread_unuse_mm(mm);
	mmdrop(mm);
}
