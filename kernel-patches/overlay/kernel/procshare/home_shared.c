// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_shared: pages of MAP_SHARED memory
 *
 * What tmpfs holds (anonymous shared memory, memfd, System V segments, files) can be
 * reached by other mappings and by descriptors, too.  While a node has such a page,
 * home's stays in the page cache, as @cache of the entry, but is not up to date.
 * Nobody maps, reads or writes such a folio: tmpfs locks it and comes by at
 * procshare_fetch(), which has the contents back.  A page is exported only if its
 * folio can be locked and nobody else maps it; who does loses it, as to reclaim.
 *
 * A marker in home's page table is out of date as soon as the page cache has the
 * contents: an area's page without a @cache is to be faulted in anew.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/procshare.h>
#include <linux/rmap.h>
#include <linux/shmem_fs.h>

#include "cluster.h"
#include "home.h"
#include "lazy_tlb.h"

/* To look at an object in more pieces than this takes too long. */
#define MOST_AREAS	64

/* struct dir_entry by the frame number of its @cache. */
static DEFINE_XARRAY(lent);

/* ---- which areas ---- */

/* May pages of the area be exported, if it is a shared one? */
bool home_shared_may_export(const struct vm_area_struct *vma)
{
	return !area_is_shared(vma) ||
	       (vma->vm_file && shmem_mapping(vma->vm_file->f_mapping));
}

/* Can nobody reach the object of @file but through its @areas? */
static bool is_closed(struct file *file, unsigned int areas)
{
	if (file_count(file) != areas)
		return false;
	/* Without a descriptor nobody can get at another dentry, or at this one. */
	smp_rmb();
	return d_count(file->f_path.dentry) == 1 &&
	       atomic_read(&file_inode(file)->i_count) == 1;
}

/* Are all areas of the object in the mm of @vma, and has it no descriptor? */
static bool is_sole(struct address_space *mapping, struct vm_area_struct *vma)
{
	struct vm_area_struct *other;
	unsigned int areas = 0;

	vma_interval_tree_foreach(other, &mapping->i_mmap, 0, ULONG_MAX)
		if (other->vm_mm != vma->vm_mm || ++areas > MOST_AREAS)
			return false;
	return is_closed(vma->vm_file, areas);
}

/* The mm of the area is about to end: may its contents be needed afterwards? */
bool home_shared_survives(struct vm_area_struct *vma)
{
	struct address_space *mapping;
	bool sole;

	if (!area_is_shared(vma) || !home_shared_may_export(vma))
		return false;
	mapping = vma->vm_file->f_mapping;
	i_mmap_lock_read(mapping);
	sole = is_sole(mapping, vma);
	i_mmap_unlock_read(mapping);
	return !sole;
}

/* ---- lending ---- */

/*
 * The page is about to be exported: from now on the page cache's is not up to date.
 * False if it must stay at home just now.  Page table and directory lock are held.
 */
bool home_shared_lend(struct dir_entry *e, struct page *page)
{
	struct folio *folio = page_folio(page);
	bool lend;

	if (!folio_trylock(folio))
		return false;
	/* While a hole is punched, it may not be part of the object any more. */
	lend = folio->mapping && !READ_ONCE(folio->mapping->host->i_private) &&
	       !folio_test_large(folio) && folio_mapcount(folio) == 1 &&
	       folio_test_uptodate(folio) &&
	       !xa_err(xa_store(&lent, page_to_pfn(page), e, GFP_ATOMIC));
	if (lend) {
		get_page(page);
		e->cache = page;
		folio_clear_uptodate(folio);
	}
	folio_unlock(folio);
	return lend;
}

/* Those that must not be exported, or not for long, are left alone. */
static bool may_unmap(struct folio *folio)
{
	return !folio_test_large(folio) && folio_test_uptodate(folio) &&
	       !folio_test_mlocked(folio) && !folio_maybe_dma_pinned(folio);
}

/*
 * Take the page at @address away from all who map it.  Whoever uses it faults it in
 * again.  False if somebody else is busy with it, or needs it where it is.
 */
bool home_shared_unmap(struct vm_area_struct *vma, unsigned long address)
{
	struct address_space *mapping = vma->vm_file->f_mapping;
	struct mm_struct *borrowed;
	struct folio *folio;
	bool unmapped = false;

	folio = filemap_get_folio(mapping, linear_page_index(vma, address));
	if (IS_ERR(folio))
		return true;
	borrowed = lazy_tlb_leave();
	if (folio_trylock(folio)) {
		unmapped = folio->mapping == mapping && may_unmap(folio);
		if (unmapped)
			try_to_unmap(folio, 0);
		folio_unlock(folio);
	}
	lazy_tlb_enter(borrowed);
	folio_put(folio);
	return unmapped;
}

/*
 * The page cache's page is what it says, for better or worse.  Who holds the folio's
 * lock sees that, or the loan, but never neither.
 */
static void end_loan(struct dir_entry *e)
{
	struct page *page = e->cache;

	xa_lock(&lent);
	__xa_erase(&lent, page_to_pfn(page));
	folio_mark_uptodate(page_folio(page));
	xa_unlock(&lent);
	e->cache = NULL;
	put_page(page);
}

static void refill(struct dir_entry *e)
{
	copy_highpage(e->cache, e->frame);
	folio_mark_dirty(page_folio(e->cache));
	put_page(e->frame);
	e->frame = NULL;
}

/* If no other node has the page any more, the page cache has it again. */
void home_shared_settle(struct dir_entry *e)
{
	if (!e->cache || e->coh.state != COH_HOME_ALONE)
		return;
	if (e->frame)
		refill(e);
	end_loan(e);
}

/* The same; what does not come back is as it was when it left. */
void home_shared_give_up(struct dir_entry *e)
{
	home_shared_settle(e);
	if (e->cache)
		end_loan(e);
}

/* Is the marker in a page table of @vma out of date?  @e: the page's entry, or NULL. */
bool home_shared_is_stale(const struct vm_area_struct *vma, const struct dir_entry *e)
{
	return area_is_shared(vma) && !(e && e->cache);
}

/*
 * Home may map the page again: returns what, with a reference and accounted for; NULL
 * if it is just being truncated, or something like that.  Page table and directory
 * lock are held.
 */
struct page *home_shared_refill(struct dir_entry *e, struct vm_area_struct *vma)
{
	struct folio *folio = page_folio(e->cache);
	struct page *page = NULL;

	if (!folio_trylock(folio))
		return NULL;
	if (folio->mapping) {
		page = e->cache;
		get_page(page);
		refill(e);
		home_shared_settle(e);
		folio_add_file_rmap_pte(folio, page, vma);
		inc_mm_counter(vma->vm_mm, mm_counter_file(folio));
	}
	folio_unlock(folio);
	return page;
}

/* For lseek(): a folio that is not up to date because a node has it is no hole. */
bool procshare_is_lent(struct folio *folio, size_t from, size_t count)
{
	bool is_lent;

	xa_lock(&lent);
	is_lent = xa_load(&lent, folio_pfn(folio)) || folio_test_uptodate(folio);
	xa_unlock(&lent);
	return is_lent;
}

/* ---- fetching ---- */

/* Whose entry's @cache is the folio, and where?  With a reference; NULL: nobody's. */
static struct procshare_process *lent_by(struct folio *folio, unsigned long *address)
{
	struct procshare_process *p = NULL;
	struct dir_entry *e;

	xa_lock(&lent);
	e = xa_load(&lent, folio_pfn(folio));
	if (e && kref_get_unless_zero(&e->process->ref)) {
		p = e->process;
		*address = e->address;
	}
	xa_unlock(&lent);
	return p;
}

/* Is there nothing to wait for, or not any more? */
static bool is_over(const struct procshare_process *p, const struct dir_entry *e)
{
	return e->coh.state == COH_HOME_ALONE || e->coh.state == COH_HOME_LOST ||
	       READ_ONCE(p->doomed) || p->released;
}

/*
 * Sleep until home has the page to itself: whoever looks cannot be turned away.  Called
 * and returns with the lock held.
 */
static void wait_for(struct procshare_process *p, struct dir_entry *e)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	unsigned long end = jiffies + HOME_PATIENCE;

	add_wait_queue(&p->dir.wait, &wait);
	while (!is_over(p, e)) {
		coh_home_want(&e->coh, COH_WANT_WRITE, false);
		directory_progress(p, e);
		if (is_over(p, e))
			break;
		spin_unlock(&p->dir.lock);
		procshare_push();
		wait_woken(&wait, TASK_UNINTERRUPTIBLE, HZ);
		if (time_after(jiffies, end))
			process_doom(p, "a node does not give a page back");
		spin_lock(&p->dir.lock);
	}
	remove_wait_queue(&p->dir.wait, &wait);
}

/*
 * Somebody is going to look at the folio, which is locked.  If a node has it, it comes
 * back; as for a fault, it then stays for a moment.  Is it up to date?
 */
bool __procshare_fetch(struct folio *folio)
{
	struct procshare_process *p = NULL;
	unsigned long address;
	struct dir_entry *e;

	if (!folio_test_uptodate(folio))
		p = lent_by(folio, &address);
	if (!p)
		return folio_test_uptodate(folio);
	home_ahead(p, address, COH_WRITE);
	spin_lock(&p->dir.lock);
	e = directory_find(p, address);
	if (e && e->cache == &folio->page) {
		e->waiters++;
		wait_for(p, e);
		home_shared_give_up(e);
		e->waiters--;
		directory_release(p, e, COH_WRITE);
		directory_settle(p, e);
	}
	spin_unlock(&p->dir.lock);
	procshare_push();
	process_put(p);
	return folio_test_uptodate(folio);
}
