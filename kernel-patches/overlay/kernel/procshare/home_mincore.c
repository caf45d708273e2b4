// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_mincore: what other nodes have is resident, too
 *
 * mincore() takes a page that is elsewhere for absent.  Few programs ask, so the pages
 * come home before it looks.
 */

#include <linux/mm.h>
#include <linux/overflow.h>
#include <asm/syscall.h>

#include "home.h"

/* Arguments that mincore() turns away are left to it. */
static bool is_mincore(const struct pt_regs *regs, long nr, unsigned long *end)
{
	return nr == __NR_mincore && !in_ia32_syscall() && PAGE_ALIGNED(regs->di) &&
	       !check_add_overflow(regs->di, PAGE_ALIGN(regs->si), end) &&
	       *end > regs->di && *end <= TASK_SIZE_MAX;
}

/**
 * home_mincore - if current is about to make a mincore() call, have its pages at home
 * @p: its process
 * @regs: its registers at system call entry
 * @nr: of the call
 *
 * As before fork(), it is enough that home can read.
 */
void home_mincore(struct procshare_process *p, const struct pt_regs *regs, long nr)
{
	struct mmu_notifier_range range;
	unsigned long end;

	if (!is_mincore(regs, nr, &end) || mmap_read_lock_killable(p->mm))
		return;
	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_PAGE,
				MMU_NOTIFIER_RANGE_BLOCKABLE, p->mm, regs->di, end);
	home_notifier_ops.invalidate_range_start(&p->notifier, &range);
	home_notifier_ops.invalidate_range_end(&p->notifier, &range);
	mmap_read_unlock(p->mm);
}
