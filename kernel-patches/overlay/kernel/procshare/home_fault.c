// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_fault: home touches a page that others hold
 *
 * Both faults wait with the fault's lock held.  That is safe because nothing
 * that a recall needs takes home's mmap lock: data and acknowledgements are
 * taken in where they arrive.
 */

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/procshare.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/userfaultfd_k.h>

#include "cluster.h"
#include "home.h"
#include "wire.h"

#include <trace/events/procshare.h>

/* Who dumps core or exits cannot be killed again, so its wait is bounded. */
#define LAST_PATIENCE	(10 * HZ)

/* Is that ours?  Reclaim leaves markers, too, of a page that had the uffd-wp bit. */
bool home_marker(pte_t pte)
{
	return is_pte_marker(pte) &&
	       pte_marker_get(pte_to_swp_entry(pte)) & PTE_MARKER_PROCSHARE;
}

/* If it was recalled ahead, that was not in vain. */
static void written(struct dir_entry *e)
{
	e->ahead = false;
	e->vain = false;
}

/* The entry's frame becomes a page of the process, as if it had faulted it in. */
static struct page *adopt(struct dir_entry *e, struct vm_area_struct *vma)
{
	struct page *page = e->frame;
	struct folio *folio = page_folio(page);

	if (!vma->anon_vma || mem_cgroup_charge(folio, vma->vm_mm, GFP_ATOMIC))
		return NULL;
	__folio_mark_uptodate(folio);
	inc_mm_counter(vma->vm_mm, MM_ANONPAGES);
	folio_add_new_anon_rmap(folio, vma, e->address, RMAP_EXCLUSIVE);
	folio_add_lru_vma(folio, vma);
	e->frame = NULL;
	return page;
}

/*
 * Map what is in the entry's frame where the marker is.  Page table and directory
 * lock are held and home may map the page; nothing here sleeps.  The right to write
 * that came without being asked for is used by the next fault, so that it is known.
 */
int home_install(struct vm_area_struct *vma, struct dir_entry *e, pte_t *ptep,
		 enum coh_access access)
{
	struct mm_struct *mm = vma->vm_mm;
	bool alone = e->coh.state == COH_HOME_ALONE &&
		     (access == COH_WRITE || !(e->migratory.on || e->ahead));
	struct page *page = NULL;
	pte_t pte;

	if (e->frame)
		page = e->shared ? home_shared_refill(e, vma) : adopt(e, vma);
	if (!page)
		return -EFAULT;
	directory_count_away(e, false);
	pte = pte_sw_mkyoung(mk_pte(page, vma->vm_page_prot));
	pte = pte_mkdirty(pte);
	if (!alone)
		pte = pte_mkuffd_wp(pte_wrprotect(pte));
	else if (vma->vm_flags & VM_WRITE)
		pte = pte_mkwrite(pte, vma);
	set_pte_at(mm, e->address, ptep, pte);
	e->mapped = !alone;
	if (access == COH_WRITE)
		written(e);
	return 0;
}

/* Until @wait is woken; or a second is over, as the caller has more to look at. */
static void sleep_for(struct home_thread *t, struct wait_queue_entry *wait)
{
	unsigned int mode = current->flags & PF_DUMPCORE ? TASK_UNINTERRUPTIBLE :
							   TASK_KILLABLE;

	poll_woken(t ? &t->poll : NULL, wait, mode, HZ);
}

/* Sleep until the entry changes.  Called and returns with the lock held. */
static int wait_for(struct procshare_process *p, struct dir_entry *e,
		    enum coh_access access)
{
	struct directory_wait w = {
		.process = p,
		.e = e,
		.want = access == COH_WRITE ? COH_WANT_WRITE : COH_WANT_READ,
	};
	unsigned long end = jiffies + LAST_PATIENCE;
	int err = 0;

	directory_wait_begin(&w);
	coh_home_want(&e->coh, w.want, false);
	directory_progress(p, e);
	while (coh_home_wanted(&e->coh, w.want, false)) {
		err = -EFAULT;
		if (READ_ONCE(p->doomed) || p->released)
			break;
		/* A dump needs the page although its reader has been killed. */
		err = -EINTR;
		if (fatal_signal_pending(current) &&
		    !(current->flags & PF_DUMPCORE))
			break;
		err = 0;
		spin_unlock(&p->dir.lock);
		procshare_push();
		sleep_for(home_thread_current(p), &w.entry);
		spin_lock(&p->dir.lock);
		if (current->flags & (PF_DUMPCORE | PF_EXITING) &&
		    time_after(jiffies, end))
			process_doom(p, "a node does not give a page back");
	}
	directory_wait_end(&w);
	if (!err && e->coh.state == COH_HOME_LOST)
		err = -EFAULT;
	return err;
}

/* What one look at the page under its locks came to. */
enum look {
	LOOK_SETTLED,		/* the fault is over, or was overtaken */
	LOOK_WAIT,		/* the entry must be waited for; pinned by @waiters */
	LOOK_LOCKED,		/* somebody holds the lock of the page cache's folio */
	LOOK_BROKEN,
};

/* The marker: is home's copy back, so that it can be mapped? */
static enum look look_marker(struct procshare_process *p, struct vm_fault *vmf,
			     struct dir_entry *e, pte_t *ptep,
			     enum coh_access access)
{
	if (home_shared_is_stale(vmf->vma, e)) {
		pte_clear(vmf->vma->vm_mm, vmf->address & PAGE_MASK, ptep);
		return LOOK_SETTLED;
	}
	if (!e)
		return LOOK_BROKEN;
	if (!coh_home_may(&e->coh, access))
		return LOOK_WAIT;
	if (!home_install(vmf->vma, e, ptep, access))
		return LOOK_SETTLED;
	if (!e->shared)
		return LOOK_BROKEN;
	/* The fault that follows sees why. */
	home_shared_settle(e);
	return e->cache ? LOOK_LOCKED : LOOK_SETTLED;
}

/* The uffd-wp bit: are all readers gone, so that it can be taken off? */
static enum look look_wp(struct procshare_process *p, struct vm_fault *vmf,
			 struct dir_entry *e, pte_t *ptep,
			 enum coh_access access)
{
	if (e && !coh_home_may(&e->coh, COH_WRITE))
		return LOOK_WAIT;
	set_pte_at(vmf->vma->vm_mm, vmf->address & PAGE_MASK, ptep,
		   pte_clear_uffd_wp(ptep_get(ptep)));
	if (e) {
		e->mapped = false;
		written(e);
		home_shared_settle(e);
	}
	return LOOK_SETTLED;
}

typedef enum look (*look_fn)(struct procshare_process *p, struct vm_fault *vmf,
			     struct dir_entry *e, pte_t *ptep,
			     enum coh_access access);

/*
 * One look; *held says that the entry is pinned by this fault (@waiters), and
 * that it is owed a release.  *locked: for LOOK_LOCKED the folio, with a reference.
 */
static enum look look_once(struct procshare_process *p, struct vm_fault *vmf,
			   enum coh_access access, look_fn look, bool *held,
			   struct folio **locked)
{
	unsigned long address = vmf->address & PAGE_MASK;
	enum look result = LOOK_SETTLED;
	struct dir_entry *e;
	spinlock_t *ptl;
	pte_t *ptep;

	ptep = pte_offset_map_lock(vmf->vma->vm_mm, vmf->pmd, address, &ptl);
	if (!ptep)
		return LOOK_SETTLED;
	spin_lock(&p->dir.lock);
	e = directory_find(p, address);
	if (pte_same(ptep_get(ptep), vmf->orig_pte))
		result = look(p, vmf, e, ptep, access);
	if (result == LOOK_LOCKED) {
		*locked = page_folio(e->cache);
		folio_get(*locked);
	}
	if (result == LOOK_WAIT && !*held) {
		e->waiters++;
		*held = true;
	} else if (result != LOOK_WAIT && e) {
		if (*held) {
			e->waiters--;
			*held = false;
		}
		directory_release(p, e, access);
		directory_settle(p, e);
	}
	spin_unlock(&p->dir.lock);
	pte_unmap_unlock(ptep, ptl);
	return result;
}

/* Wait for the pinned entry; an error gives the fault up. */
static int wait_once(struct procshare_process *p, unsigned long address,
		     enum coh_access access)
{
	struct dir_entry *e;
	int err;

	spin_lock(&p->dir.lock);
	e = directory_find(p, address);
	err = wait_for(p, e, access);
	if (err) {
		directory_unpin(e);
		directory_progress(p, e);
		directory_settle(p, e);
	}
	spin_unlock(&p->dir.lock);
	procshare_push();
	return err;
}

static vm_fault_t home_fault(struct vm_fault *vmf, enum coh_access access,
			     look_fn look)
{
	struct procshare_process *p = vmf->vma->vm_mm->procshare;
	unsigned long address = vmf->address & PAGE_MASK;
	struct folio *locked = NULL;
	enum look result;
	bool held = false;

	trace_procshare_fault(p->id, address, access, look == look_wp);
	home_ahead(p, address, access);
	for (;;) {
		result = look_once(p, vmf, access, look, &held, &locked);
		if (result != LOOK_WAIT)
			break;
		if (wait_once(p, address, access)) {
			result = LOOK_BROKEN;
			break;
		}
	}
	procshare_push();
	/* Who has it may be waiting for a thread that a spinning one would keep from running. */
	if (locked) {
		folio_wait_locked_killable(locked);
		folio_put(locked);
	}
	trace_procshare_fault_end(p->id, address, access, result != LOOK_BROKEN);
	return result == LOOK_BROKEN ? VM_FAULT_SIGBUS : 0;
}

/* The page table holds the procshare marker: another node has, or had, the page. */
vm_fault_t procshare_marker_fault(struct vm_fault *vmf)
{
	if (!vmf->vma->vm_mm->procshare)
		return VM_FAULT_SIGBUS;
	return home_fault(vmf, vmf->flags & FAULT_FLAG_WRITE ? COH_WRITE : COH_READ,
			  look_marker);
}

/* Home writes to a page that other nodes read. */
vm_fault_t procshare_wp_fault(struct vm_fault *vmf)
{
	return home_fault(vmf, COH_WRITE, look_wp);
}
