// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_shared: MAP_SHARED memory that only one address space maps
 *
 * Anonymous shared memory has no name: only fork and mremap() can map it a second
 * time, and they come by here.  As long as an area is the only one, its pages are
 * exported like private ones.  While another node owns a page, home's, out of date,
 * stays in the page cache (@cache of the entry), and gets its contents back later.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <asm/syscall.h>

#include "../../mm/internal.h"
#include "home.h"

/**
 * home_shared_is_sole - is a page of a shared area mapped by no other area?
 * @vma: the area; not necessarily a shared one
 * @address: of the page
 *
 * Holds until the mmap lock, which the caller has, is dropped.  Never sleeps: false,
 * too, while somebody changes the mappings of the object.
 */
bool home_shared_is_sole(struct vm_area_struct *vma, unsigned long address)
{
	pgoff_t index = linear_page_index(vma, address);
	struct address_space *mapping;
	struct vm_area_struct *first;
	bool sole;

	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return true;
	/* Files, and what a descriptor reads and writes beside the mapping. */
	if (!vma_is_anon_shmem(vma))
		return false;
	mapping = vma->vm_file->f_mapping;
	if (!i_mmap_trylock_read(mapping))
		return false;
	first = vma_interval_tree_iter_first(&mapping->i_mmap, index, index);
	sole = first == vma && !vma_interval_tree_iter_next(first, index, index);
	i_mmap_unlock_read(mapping);
	return sole;
}

/* The frame's contents become those of the page cache; returns that page, or NULL. */
static struct page *refill(struct dir_entry *e)
{
	struct page *page = e->cache;

	if (!page || !e->frame)
		return NULL;
	copy_highpage(page, e->frame);
	folio_mark_dirty(page_folio(page));
	put_page(e->frame);
	e->frame = NULL;
	e->cache = NULL;
	return page;
}

/*
 * Home may map the page again: returns what, with a reference and accounted for, or
 * NULL.  Page table and directory lock are held.
 */
struct page *home_shared_refill(struct dir_entry *e, struct vm_area_struct *vma)
{
	struct page *page = refill(e);

	if (!page)
		return NULL;
	folio_add_file_rmap_pte(page_folio(page), page, vma);
	inc_mm_counter(vma->vm_mm, mm_counter_file(page_folio(page)));
	return page;
}

/*
 * The mapping changes: the contents go to the page cache, where whoever maps the
 * page next finds them.  The caller holds what keeps the page tables.
 */
void home_shared_return(struct procshare_process *p, struct dir_entry *e)
{
	pmd_t *pmd = mm_find_pmd(p->mm, e->address);
	struct page *page = NULL;
	spinlock_t *ptl;
	pte_t *ptep;

	ptep = pmd ? pte_offset_map_lock(p->mm, pmd, e->address, &ptl) : NULL;
	if (!ptep)
		return;
	spin_lock(&p->dir.lock);
	if (home_marker(ptep_get(ptep)) && coh_home_may(&e->coh, COH_WRITE))
		page = refill(e);
	if (page)
		pte_clear(p->mm, e->address, ptep);
	spin_unlock(&p->dir.lock);
	pte_unmap_unlock(ptep, ptl);
	if (page)
		put_page(page);
}

/*
 * The memory of @p, which is current's, is about to be mapped a second time: nothing
 * of what is shared is exported until home_shared_go_on().
 */
static void hold(struct procshare_process *p, struct home_thread *t)
{
	bool exported;

	spin_lock(&p->dir.lock);
	p->dir.unshared++;
	exported = p->dir.exported_shared;
	spin_unlock(&p->dir.lock);
	/* Whoever is not a thread of the process does not come by again. */
	if (t && t->process == p) {
		t->held++;
		set_thread_flag(TIF_NOTIFY_RESUME);
	}
	if (!exported)
		return;
	mmap_read_lock(p->mm);
	notifier_recall_shared(p);
	mmap_read_unlock(p->mm);
}

/* In fork(), before the child's mm is made. */
void home_shared_fork(struct home_thread *t)
{
	struct procshare_process *p = current->mm ? current->mm->procshare : NULL;

	if (p)
		hold(p, t);
}

/* A call that current is about to make, perhaps for its remote thread. */
void home_shared_call(struct home_thread *t, const struct pt_regs *regs, long nr)
{
	bool twice = nr == __NR_remap_file_pages || (nr == __NR_mremap && !regs->si);

	if (twice && !in_ia32_syscall())
		hold(t->process, t);
}

/* The call is over; the areas themselves say now who else maps them. */
void home_shared_go_on(struct home_thread *t)
{
	struct directory *d = &t->process->dir;

	spin_lock(&d->lock);
	d->unshared -= t->held;
	spin_unlock(&d->lock);
	t->held = 0;
}
