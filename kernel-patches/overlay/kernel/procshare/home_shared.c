// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_shared: MAP_SHARED memory that only one address space maps
 *
 * Anonymous shared memory, or memfd and unlinked tmpfs files whose descriptors are
 * all closed, can only be mapped a second time by fork and mremap(), and they come by
 * here.  (Root finds it in /proc/PID/map_files, too.)  As long as an area is the only
 * one, its pages are exported like private ones.  While another node owns a page,
 * home's, out of date, stays in the page cache (@cache of the entry), and gets its
 * contents back later.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <asm/syscall.h>
#include <asm/unistd_32_ia32.h>

#include "../../mm/internal.h"
#include "home.h"

/* An object in more pieces than this stays at home: to look at them takes time. */
#define MOST_AREAS	64

/* Memory without a name; but there may be descriptors of it. */
bool home_shared_is_nameless(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_SHARED && vma_is_anon_shmem(vma);
}

/* Can nobody reach the object of @file but through its @areas? */
static bool is_closed(struct file *file, unsigned int areas)
{
	struct inode *inode = file_inode(file);

	if (IS_PRIVATE(inode))
		return true;
	if (file_count(file) != areas)
		return false;
	/* Without a descriptor nobody can get at another dentry, or at this one. */
	smp_rmb();
	return d_count(file->f_path.dentry) == 1 && atomic_read(&inode->i_count) == 1;
}

/*
 * Is page @index of the object in no other area than @vma, all in one mm, and has it
 * no descriptor?
 */
static bool is_sole(struct address_space *mapping, struct vm_area_struct *vma,
		    pgoff_t index)
{
	struct vm_area_struct *other;
	unsigned int areas = 0;

	vma_interval_tree_foreach(other, &mapping->i_mmap, 0, ULONG_MAX) {
		if (other->vm_mm != vma->vm_mm || ++areas > MOST_AREAS)
			return false;
		if (other != vma && index >= other->vm_pgoff &&
		    index - other->vm_pgoff < vma_pages(other))
			return false;
	}
	return is_closed(vma->vm_file, areas);
}

/**
 * home_shared_may_export - is a page of an area mapped by no other area?
 * @vma: the area; true if it is not a shared one
 * @address: of the page
 * @patient: may sleep; else false, too, while somebody changes the object's mappings
 *
 * Holds until the mmap lock, which the caller has, is dropped.
 */
bool home_shared_may_export(struct vm_area_struct *vma, unsigned long address,
			    bool patient)
{
	struct address_space *mapping;
	bool sole;

	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return true;
	if (!home_shared_is_nameless(vma))
		return false;
	mapping = vma->vm_file->f_mapping;
	if (patient)
		i_mmap_lock_read(mapping);
	else if (!i_mmap_trylock_read(mapping))
		return false;
	sole = is_sole(mapping, vma, linear_page_index(vma, address));
	i_mmap_unlock_read(mapping);
	return sole;
}

/*
 * Must its pages stay at home just now?  While a hole is punched, what is mapped may
 * not be part of the object any more.  The directory lock is held.
 */
bool home_shared_must_stay(const struct directory *d, const struct vm_area_struct *vma)
{
	return d->unshared || READ_ONCE(file_inode(vma->vm_file)->i_private);
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
 * The memory of current is about to be mapped a second time, as before fork() makes
 * the child's mm: nothing of what is shared is exported until home_shared_go_on().
 * @t is current's record, or NULL.
 */
void home_shared_hold(struct home_thread *t)
{
	struct procshare_process *p = current->mm ? current->mm->procshare : NULL;
	bool exported;

	if (!p)
		return;
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

/* An area that grows may come to overlap another one of the same object. */
static bool may_map_twice(const struct pt_regs *regs, long nr)
{
	if (in_ia32_syscall())
		return nr == __NR_ia32_remap_file_pages || nr == __NR_ia32_mremap;
	nr &= ~__X32_SYSCALL_BIT;
	return nr == __NR_remap_file_pages ||
	       (nr == __NR_mremap && PAGE_ALIGN(regs->dx) > PAGE_ALIGN(regs->si));
}

/* A call that current is about to make, perhaps for its remote thread. */
void home_shared_call(struct home_thread *t, const struct pt_regs *regs, long nr)
{
	if (may_map_twice(regs, nr))
		home_shared_hold(t);
}

/* The call is over; the areas themselves say now who else maps them. */
void home_shared_go_on(struct home_thread *t)
{
	struct directory *d;

	if (!t->held)
		return;
	d = &t->process->dir;
	spin_lock(&d->lock);
	d->unshared -= t->held;
	spin_unlock(&d->lock);
	t->held = 0;
}
