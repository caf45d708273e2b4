// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_notifier: home's own mapping changes reach the remotes
 *
 * What is destroyed (munmap, MADV_DONTNEED, truncation) is discarded on the
 * remotes; what moves or changes its protection is recalled; for fork it is
 * enough that home can read (home_recall.c).  The callbacks run under mmap_lock or
 * i_mmap_rwsem: they may not allocate with reclaim, and let a worker send.
 */

#include <linux/mm.h>

#include "cluster.h"
#include "home.h"

/* What the change asks of the pages in its range: COH_WANT_*, 0 for nothing. */
static u8 want_of(const struct mmu_notifier_range *range)
{
	struct vm_area_struct *vma;

	switch (range->event) {
	case MMU_NOTIFY_UNMAP:
		/* munmap has detached the area, mremap has not, but may begin before it. */
		vma = vma_lookup(range->mm, range->end - 1);
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

/* So many entries are dealt with before others may have the lock. */
#define BATCH	128
#define LAST_PAGE	(TASK_SIZE_MAX >> PAGE_SHIFT)

typedef void (*entry_fn)(struct procshare_process *p, struct dir_entry *e, u8 want);

/* Do something with all entries from page @first to page @last. */
static void walk(struct procshare_process *p, unsigned long first,
		 unsigned long last, entry_fn fn, u8 want)
{
	struct dir_entry *e;
	unsigned long index;
	unsigned int n;

	do {
		n = 0;
		spin_lock(&p->dir.lock);
		xa_for_each_range(&p->dir.entries, index, e, first, last) {
			first = index + 1;
			fn(p, e, want);
			if (++n == BATCH)
				break;
		}
		spin_unlock(&p->dir.lock);
		procshare_kick();
		cond_resched();
	} while (n == BATCH && first <= last);
}

static void block(struct procshare_process *p, const struct mmu_notifier_range *range)
{
	struct directory *d = &p->dir;

	spin_lock(&d->lock);
	if (d->nblocks < DIRECTORY_BLOCKS) {
		d->blocks[d->nblocks].start = range->start;
		d->blocks[d->nblocks++].end = range->end;
	} else {
		d->more_blocks++;
	}
	spin_unlock(&d->lock);
}

/*
 * A range that did not fit may take the place of one that did and is the same:
 * then all is blocked until the other one ends.  True if nothing else is.
 */
static bool unblock(struct procshare_process *p, const struct mmu_notifier_range *range)
{
	struct directory *d = &p->dir;
	bool all = false;
	unsigned int i;

	spin_lock(&d->lock);
	for (i = 0; i < d->nblocks; i++)
		if (d->blocks[i].start == range->start &&
		    d->blocks[i].end == range->end)
			break;
	if (i < d->nblocks)
		d->blocks[i] = d->blocks[--d->nblocks];
	else
		all = !--d->more_blocks;
	spin_unlock(&d->lock);
	return all;
}

static int range_start(struct mmu_notifier *mn,
		       const struct mmu_notifier_range *range)
{
	struct procshare_process *p = container_of(mn, struct procshare_process,
						   notifier);
	bool pages_needed = range->event == MMU_NOTIFY_UNMAP ||
			    range->event == MMU_NOTIFY_PROTECTION_PAGE;
	u8 want = want_of(range);
	struct recall recall = {
		.process = p,
		.first = range->start >> PAGE_SHIFT,
		.last = (range->end - 1) >> PAGE_SHIFT,
		.want = want,
		.map = pages_needed && want != COH_WANT_DISCARD,
	};

	if (range->event == MMU_NOTIFY_UNMAP)
		scratch_lose(p, range->start, range->end);
	if (!want || !mmu_notifier_range_blockable(range))
		return 0;
	block(p, range);
	recall_range(&recall);
	return 0;
}

/* The page tables have been changed: forget; requests are served by go_on(). */
static void finish(struct procshare_process *p, struct dir_entry *e, u8 want)
{
	want = recall_want(e, want);
	coh_home_done(&e->coh, want);
	directory_unpin(e);
	/* What is known of it may be wrong now. */
	e->area.prot = 0;
	migratory_init(&e->migratory);
	if (want == COH_WANT_DISCARD && e->coh.state == COH_HOME_ALONE) {
		e->mapped = false;
		directory_drop(e);
	}
	directory_settle(p, e);
}

static void go_on(struct procshare_process *p, struct dir_entry *e, u8 want)
{
	directory_progress(p, e);
	directory_settle(p, e);
}

static void range_end(struct mmu_notifier *mn,
		      const struct mmu_notifier_range *range)
{
	struct procshare_process *p = container_of(mn, struct procshare_process,
						   notifier);
	unsigned long first = range->start >> PAGE_SHIFT;
	unsigned long last = (range->end - 1) >> PAGE_SHIFT;
	u8 want = want_of(range);

	if (!want || !mmu_notifier_range_blockable(range))
		return;
	/* As long as the range is blocked, it has no entries but those of recall_range(). */
	walk(p, first, last, finish, want);
	if (unblock(p, range))
		walk(p, 0, LAST_PAGE, go_on, 0);
	else
		walk(p, first, last, go_on, 0);
	directory_wake_all(p);
	directory_unpark(p);
}

static void finish_shared(struct procshare_process *p, struct dir_entry *e, u8 want)
{
	if (e->shared)
		finish(p, e, want);
}

static void give_up(struct procshare_process *p, struct dir_entry *e, u8 want)
{
	home_shared_give_up(e);
}

static void return_area(struct procshare_process *p, const struct vm_area_struct *vma)
{
	const struct recall recall = {
		.process = p,
		.first = vma->vm_start >> PAGE_SHIFT,
		.last = (vma->vm_end - 1) >> PAGE_SHIFT,
		.want = COH_WANT_WRITE,
		.shared = true,
	};

	recall_range(&recall);
	walk(p, recall.first, recall.last, finish_shared, COH_WANT_WRITE);
}

/*
 * The mm is about to end: what others may see of its shared memory comes home.  From
 * now on nothing is exported.
 */
static void return_shared(struct procshare_process *p)
{
	VMA_ITERATOR(vmi, p->mm, 0);
	struct vm_area_struct *vma;

	spin_lock(&p->dir.lock);
	p->dir.more_blocks++;
	spin_unlock(&p->dir.lock);
	mmap_read_lock(p->mm);
	for_each_vma(vmi, vma)
		if (home_shared_survives(vma))
			return_area(p, vma);
	mmap_read_unlock(p->mm);
	walk(p, 0, LAST_PAGE, give_up, 0);
}

static void release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct procshare_process *p = container_of(mn, struct procshare_process,
						   notifier);

	return_shared(p);
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
