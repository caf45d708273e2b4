// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_notifier: home's own mapping changes reach the remotes
 *
 * What is destroyed (munmap, MADV_DONTNEED, truncation) is discarded on the
 * remotes; what moves or changes its protection is recalled; for fork it is
 * enough that home can read.  The callbacks run under mmap_lock or i_mmap_rwsem
 * and wait for remote nodes, which never need either.  They may not allocate
 * with reclaim, and let a worker send.
 */

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../../mm/internal.h"
#include "cluster.h"
#include "home.h"

/* A node that is alive answers within milliseconds. */
#define NOTIFIER_PATIENCE	(30 * HZ)

/* What the change asks of the pages in its range: COH_WANT_*, 0 for nothing. */
static u8 want_of(const struct mmu_notifier_range *range)
{
	struct vm_area_struct *vma;

	switch (range->event) {
	case MMU_NOTIFY_UNMAP:
		/* munmap has detached the area, mremap has not. */
		vma = vma_lookup(range->mm, range->start);
		return vma && !vma->detached ? COH_WANT_WRITE : COH_WANT_DISCARD;
	case MMU_NOTIFY_CLEAR:
		if (range->flags & MMU_NOTIFIER_RANGE_ZAP)
			return COH_WANT_DISCARD;
		/* Otherwise it is reclaim, migration or COW: contents stay. */
		return range->flags & MMU_NOTIFIER_RANGE_REREAD ? COH_WANT_WRITE : 0;
	case MMU_NOTIFY_PROTECTION_VMA:
		return COH_WANT_WRITE;
	case MMU_NOTIFY_PROTECTION_PAGE:
		return COH_WANT_READ;
	default:
		return 0;
	}
}

static void block(struct directory *d, const struct mmu_notifier_range *range)
{
	if (!d->blocked++) {
		d->blocked_start = range->start;
		d->blocked_end = range->end;
		return;
	}
	d->blocked_start = min(d->blocked_start, range->start);
	d->blocked_end = max(d->blocked_end, range->end);
}

/*
 * Pages move, or are about to be copied by fork: markers would not do.  The
 * caller holds mmap_lock for writing, so the page tables stay.
 */
static void put_back(struct procshare_process *p, struct mm_struct *mm,
		     unsigned long address)
{
	struct vm_area_struct *vma = vma_lookup(mm, address);
	struct dir_entry *e;
	spinlock_t *ptl;
	pmd_t *pmd = mm_find_pmd(mm, address);
	pte_t *ptep;

	if (!vma || !pmd)
		return;
	ptep = pte_offset_map_lock(mm, pmd, address, &ptl);
	if (!ptep)
		return;
	spin_lock(&p->dir.lock);
	e = directory_find(p, address);
	if (e && is_pte_marker(ptep_get(ptep)) && coh_home_may(&e->coh, COH_READ) &&
	    home_install(vma, e, ptep))
		process_doom(p, "no memory to take a page back");
	spin_unlock(&p->dir.lock);
	pte_unmap_unlock(ptep, ptl);
}

/*
 * Sleep until what was asked of the entry is done; the entry is pinned.  Whoever
 * changes the mapping cannot be turned away, so a node that does not answer ends
 * the process.
 */
static void wait_for(struct procshare_process *p, struct dir_entry *e, u8 want)
{
	unsigned long end = jiffies + NOTIFIER_PATIENCE;

	while (!wait_event_timeout(p->dir.wait,
				   !coh_home_wanted(&e->coh, want, true) ||
				   READ_ONCE(p->doomed) || READ_ONCE(p->released),
				   HZ)) {
		if (time_after(jiffies, end) ||
		    (fatal_signal_pending(current) && current->mm == p->mm &&
		     !current->signal->core_state))
			process_doom(p, "a node does not give its pages back");
	}
}

static int range_start(struct mmu_notifier *mn,
		       const struct mmu_notifier_range *range)
{
	struct procshare_process *p = container_of(mn, struct procshare_process,
						   notifier);
	bool pages_needed = range->event == MMU_NOTIFY_UNMAP ||
			    range->event == MMU_NOTIFY_PROTECTION_PAGE;
	unsigned long first = range->start >> PAGE_SHIFT;
	unsigned long last = (range->end - 1) >> PAGE_SHIFT;
	u8 want = want_of(range);
	struct dir_entry *e;
	unsigned long index;

	if (!want || !mmu_notifier_range_blockable(range))
		return 0;
	spin_lock(&p->dir.lock);
	block(&p->dir, range);
	xa_for_each_range(&p->dir.entries, index, e, first, last) {
		e->waiters++;
		coh_home_want(&e->coh, want, true);
		directory_progress(p, e);
	}
	spin_unlock(&p->dir.lock);
	procshare_kick();

	/* No entry is made in the range, and those that are there stay. */
	xa_for_each_range(&p->dir.entries, index, e, first, last) {
		wait_for(p, e, want);
		if (want != COH_WANT_DISCARD && pages_needed)
			put_back(p, range->mm, e->address);
	}
	return 0;
}

/* The page tables have been changed: forget, or serve again. */
static void finish(struct procshare_process *p, struct dir_entry *e, u8 want)
{
	coh_home_done(&e->coh, want);
	directory_unpin(e);
	/* What is known of its protection, or of where it is, may be wrong now. */
	e->prot = 0;
	if (want == COH_WANT_DISCARD && e->coh.state == COH_HOME_ALONE) {
		e->mapped = false;
		if (e->frame)
			put_page(e->frame);
		e->frame = NULL;
	}
	directory_progress(p, e);
	directory_settle(p, e);
}

/* Pages between overlapping invalidations had to wait as well. */
static void unblock(struct procshare_process *p)
{
	struct directory *d = &p->dir;
	struct dir_entry *e;
	unsigned long index;

	xa_for_each_range(&d->entries, index, e, d->blocked_start >> PAGE_SHIFT,
			  (d->blocked_end - 1) >> PAGE_SHIFT)
		directory_progress(p, e);
}

static void range_end(struct mmu_notifier *mn,
		      const struct mmu_notifier_range *range)
{
	struct procshare_process *p = container_of(mn, struct procshare_process,
						   notifier);
	u8 want = want_of(range);
	struct dir_entry *e;
	unsigned long index;

	if (!want || !mmu_notifier_range_blockable(range))
		return;
	spin_lock(&p->dir.lock);
	p->dir.blocked--;
	xa_for_each_range(&p->dir.entries, index, e, range->start >> PAGE_SHIFT,
			  (range->end - 1) >> PAGE_SHIFT)
		finish(p, e, want);
	if (!p->dir.blocked)
		unblock(p);
	spin_unlock(&p->dir.lock);
	procshare_kick();
	directory_wake_all(p);
	directory_unpark(p);
}

static void release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct procshare_process *p = container_of(mn, struct procshare_process,
						   notifier);

	process_stop(p);
	mmu_notifier_put(mn);
}

static void free_notifier(struct mmu_notifier *mn)
{
	process_put(container_of(mn, struct procshare_process, notifier));
}

const struct mmu_notifier_ops home_notifier_ops = {
	.invalidate_range_start = range_start,
	.invalidate_range_end = range_end,
	.release = release,
	.free_notifier = free_notifier,
};
