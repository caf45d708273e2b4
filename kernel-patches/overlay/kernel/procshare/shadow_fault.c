// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_fault: the one mapping of a shadow process, and its faults
 *
 * A device mapping covers the address space.  Whoever touches what is not there,
 * or may not be written, sleeps until home has granted the page or refused it.
 */

#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "file_use.h"
#include "keys.h"
#include "shadow.h"

#include <trace/events/procshare.h>

static pgprot_t prot_of(const struct shadow_page *sp)
{
	vm_flags_t flags = VM_SHARED | VM_READ | procshare_key_flags(shadow_page_key(sp));

	if (sp->coh.state == COH_M && !sp->unwritten)
		flags |= VM_WRITE;
	if (sp->area.prot & PROCSHARE_PROT_EXEC)
		flags |= VM_EXEC;
	return vm_get_page_prot(flags);
}

/* Is the page mapped, so that it only has to be made writable?  Then it is. */
static bool make_writable(struct vm_fault *vmf, const struct shadow_page *sp)
{
	struct vm_area_struct *vma = vmf->vma;
	spinlock_t *ptl;
	bool mapped;
	pte_t *ptep;
	pte_t pte;

	ptep = pte_offset_map_lock(vma->vm_mm, vmf->pmd, sp->address, &ptl);
	if (!ptep)
		return false;
	pte = ptep_get(ptep);
	mapped = pte_present(pte) && pte_pfn(pte) == page_to_pfn(sp->frame);
	if (mapped) {
		pte = pte_mkwrite(pte_mkdirty(pte_mkyoung(pte)), vma);
		if (ptep_set_access_flags(vma, sp->address, ptep, pte, 1))
			update_mmu_cache(vma, sp->address, ptep);
	}
	pte_unmap_unlock(ptep, ptl);
	return mapped;
}

/* A CPU that knows no keys would let everybody in. */
static bool may_be_here(const struct shadow_page *sp)
{
	return !shadow_page_key(sp) || procshare_keys_known();
}

static void note_use(struct shadow_page *sp, enum coh_access access)
{
	file_use_note(sp->area.origin, access == COH_WRITE, sp->noted);
	sp->noted = true;
}

static vm_fault_t map(struct vm_fault *vmf, struct shadow_page *sp,
		      enum coh_access access, bool upgrade)
{
	vm_fault_t ret = VM_FAULT_NOPAGE;

	if (!shadow_page_frame(sp))
		return VM_FAULT_SIGBUS;
	sp->fresh = false;
	if (access == COH_WRITE) {
		sp->unwritten = false;
		sp->vain = false;
	}
	note_use(sp, access);
	if (!upgrade || !make_writable(vmf, sp))
		ret = vmf_insert_pfn_prot(vmf->vma, sp->address,
					  page_to_pfn(sp->frame), prot_of(sp));
	shadow_page_mapped(sp);
	return ret;
}

/* Called and returns with the page's mutex held; false when there is no use. */
static bool wait_for_page(struct shadow_page *sp, struct poll *poll)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	bool dead;

	sp->waiters++;
	add_wait_queue(shadow_page_waits(sp), &wait);
	rt_mutex_unlock(&sp->lock);
	procshare_push();
	dead = READ_ONCE(sp->shadow->dead) || fatal_signal_pending(current);
	if (!dead)
		poll_woken(poll, &wait, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT);
	remove_wait_queue(shadow_page_waits(sp), &wait);
	rt_mutex_lock(&sp->lock);
	sp->waiters--;
	return !dead;
}

/* Home refused: the thread touches the page there. */
static vm_fault_t refused(struct vm_fault *vmf, struct shadow_thread *st)
{
	bool user = vmf->flags & FAULT_FLAG_USER;

	if (st->peeking)
		return VM_FAULT_SIGBUS;
	shadow_thread_go_home(st, PROCSHARE_BACK_MEMORY, !user && st->in_local);
	return user ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS;
}

/* Map what has come of the pages behind the one that faulted, up to a gap. */
static void map_around(struct vm_fault *vmf, struct shadow *s, unsigned int pages)
{
	unsigned long address = vmf->address & PAGE_MASK;
	struct shadow_page *sp;
	bool come;

	while (pages--) {
		address += PAGE_SIZE;
		sp = xa_load(&s->pages, address >> PAGE_SHIFT);
		if (address >= vmf->vma->vm_end || !sp || !rt_mutex_trylock(&sp->lock))
			return;
		come = coh_node_may(&sp->coh, COH_READ) && may_be_here(sp) &&
		       shadow_page_frame(sp);
		sp->fresh &= !come;
		if (come) {
			note_use(sp, COH_READ);
			vmf_insert_pfn_prot(vmf->vma, address,
					    page_to_pfn(sp->frame), prot_of(sp));
		}
		rt_mutex_unlock(&sp->lock);
		if (!come)
			return;
	}
}

/*
 * Ask for the page, and in the same breath for what is likely to follow.  Returns as
 * shadow_ahead(); @failures: the refusals so far.
 */
static unsigned int ask(struct shadow_thread *st, struct shadow_page *sp,
			enum coh_access access, unsigned int *failures)
{
	bool fresh, missing, missed;
	unsigned int ahead;

	rt_mutex_lock(&sp->lock);
	*failures = sp->failures;
	fresh = sp->fresh || sp->zero_asked;
	missing = sp->coh.state == COH_I && !fresh;
	missed = !coh_node_may(&sp->coh, access) && sp->coh.pending < access;
	shadow_page_request(sp, access);
	rt_mutex_unlock(&sp->lock);
	ahead = shadow_ahead(st, sp->address, access, fresh, missed);
	if (missing)
		shadow_zero_guess(st, sp->address);
	procshare_push();
	return ahead;
}

enum await_end { PAGE_HERE, PAGE_REFUSED, PAGE_NEVER };

/* Until @access is possible; the page's mutex is held.  *@waited: it was not at once. */
static enum await_end await_page(struct shadow_thread *st, struct shadow_page *sp,
				 enum coh_access access, unsigned int failures,
				 bool *waited)
{
	*waited = false;
	while (!coh_node_may(&sp->coh, access)) {
		if (sp->failures != failures)
			return PAGE_REFUSED;
		shadow_page_request(sp, access);
		*waited = true;
		if (!wait_for_page(sp, &st->poll))
			return PAGE_NEVER;
	}
	if (may_be_here(sp))
		return PAGE_HERE;
	/* Nothing holds it here. */
	shadow_page_mapped(sp);
	return PAGE_REFUSED;
}

static vm_fault_t fault(struct vm_fault *vmf, bool upgrade)
{
	enum coh_access access = vmf->flags & FAULT_FLAG_WRITE ? COH_WRITE : COH_READ;
	struct shadow_thread *st = shadow_thread_current();
	struct shadow *s = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	unsigned int failures, ahead;
	struct shadow_page *sp;
	enum await_end end;
	bool fresh, waited;
	u64 origin;

	if (!st || !st->running || s->dead)
		return VM_FAULT_SIGBUS;
	sp = shadow_page_get(s, vmf->address & PAGE_MASK);
	if (!sp)
		return VM_FAULT_OOM;
	trace_procshare_fault(s->id, sp->address, access, upgrade);
	ahead = ask(st, sp, access, &failures);
	/* Not while the page is locked, as a full memory group makes this wait. */
	if (pte_alloc(vmf->vma->vm_mm, vmf->pmd))
		return VM_FAULT_OOM;

	rt_mutex_lock(&sp->lock);
	end = await_page(st, sp, access, failures, &waited);
	fresh = sp->fresh;
	origin = sp->area.origin;
	if (end == PAGE_HERE)
		ret = map(vmf, sp, access, upgrade);
	else if (end == PAGE_REFUSED)
		ret = refused(vmf, st);
	rt_mutex_unlock(&sp->lock);
	if (end == PAGE_HERE)
		shadow_zero_learn(st, sp->address, fresh, waited);
	if (end == PAGE_HERE && waited)
		shadow_ahead_file(s, sp->address, origin);
	if (ahead && ret == VM_FAULT_NOPAGE)
		map_around(vmf, s, ahead);
	trace_procshare_fault_end(s->id, sp->address, access, ret == VM_FAULT_NOPAGE);
	return ret;
}

static vm_fault_t fault_missing(struct vm_fault *vmf)
{
	return fault(vmf, false);
}

static vm_fault_t fault_upgrade(struct vm_fault *vmf)
{
	return fault(vmf, true);
}

/* Present only so that faults may run under the per-VMA lock. */
static vm_fault_t map_no_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	return 0;
}

static const struct vm_operations_struct shadow_vm_ops = {
	.fault = fault_missing,
	.pfn_mkwrite = fault_upgrade,
	.map_pages = map_no_pages,
};

static int shadow_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_EXEC |
		     VM_MAYEXEC);
	vma->vm_ops = &shadow_vm_ops;
	vma->vm_private_data = file->private_data;
	return 0;
}

/* The last area is unmapped: the shadow process has ended, whatever the cause. */
static int shadow_release(struct inode *inode, struct file *file)
{
	struct shadow *s = file->private_data;

	shadow_kill(s, "its process is gone");
	shadow_put(s);
	return 0;
}

const struct file_operations shadow_fops = {
	.mmap = shadow_mmap,
	.release = shadow_release,
};
