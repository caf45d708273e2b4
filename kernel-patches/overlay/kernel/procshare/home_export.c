// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_export: giving a page of home's page tables out
 *
 * Nothing that another device or task may write behind our back leaves home: special
 * and pinned memory, and what others map and use, is refused, and the remote thread
 * comes home to touch it.
 */

#include <linux/fs.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/oom.h>
#include <linux/pagemap.h>
#include <linux/pkeys.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/userfaultfd_k.h>
#include <asm/tlbflush.h>

#include "../../mm/internal.h"
#include "cluster.h"
#include "home.h"
#include "lazy_tlb.h"

#define NEVER_EXPORTED	(VM_PFNMAP | VM_IO | VM_MIXEDMAP | VM_HUGETLB |	\
			 VM_SHADOW_STACK | VM_MERGEABLE | VM_DROPPABLE)

u8 export_prot(struct vm_area_struct *vma)
{
	u8 prot = PROCSHARE_PROT_READ;

	if (vma->vm_flags & VM_WRITE)
		prot |= PROCSHARE_PROT_WRITE;
	if (vma->vm_flags & VM_EXEC)
		prot |= PROCSHARE_PROT_EXEC;
	return prot | vma_pkey(vma) << PROCSHARE_PROT_KEY_SHIFT;
}

static u32 hash_file(const struct inode *inode)
{
	return jhash_3words(inode->i_ino, inode->i_generation, inode->i_sb->s_dev, 1);
}

/* Which page of which file it is, for nodes to know it again: never 0, unless none. */
static u64 origin_of(struct vm_area_struct *vma, unsigned long address)
{
	pgoff_t page = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);

	if (!vma->vm_file || vma_is_anonymous(vma) || area_is_shared(vma) ||
	    page > U32_MAX)
		return 0;
	return (u64)(hash_file(file_inode(vma->vm_file)) | 1) << 32 | page;
}

struct page_area export_area(struct vm_area_struct *vma, unsigned long address)
{
	return (struct page_area) { export_prot(vma), origin_of(vma, address) };
}

/* May pages of the area leave home? */
bool export_allowed(struct vm_area_struct *vma, bool write)
{
	if (vma->vm_flags & NEVER_EXPORTED || vma_is_dax(vma))
		return false;
	/* Mapped before the mm was exposed, or advised since. */
	if (!(vma->vm_flags & VM_UFFD_WP) || vma->vm_userfaultfd_ctx.ctx)
		return false;
	if (!home_shared_may_export(vma))
		return false;
	if (write)
		return vma->vm_flags & VM_WRITE;
	return vma->vm_flags & (VM_READ | VM_EXEC);
}

/* May somebody write to the page without going through a page table? */
static bool pinned(const struct vm_area_struct *vma, struct page *page)
{
	struct folio *folio = page_folio(page);

	if (!area_is_shared(vma) &&
	    !(folio_test_anon(folio) && PageAnonExclusive(page)))
		return false;
	return folio_maybe_dma_pinned(folio);
}

/* COH_HOME_WRPROTECT: from now on home's own writes come to procshare_wp_fault(). */
void export_wrprotect(struct dir_entry *e, struct export_pte *x)
{
	pte_t pte = pte_mkuffd_wp(pte_wrprotect(x->pte));

	/* What others read reclaim must not drop as MADV_FREE would let it. */
	if (x->page && folio_test_anon(page_folio(x->page)))
		pte = pte_mkdirty(pte);
	set_pte_at(x->vma->vm_mm, e->address, x->ptep, pte);
	e->mapped = true;
	x->done = true;
}

/* COH_HOME_CLEAR: the page is the remote's now; the caller still holds it. */
void export_clear(struct dir_entry *e, struct export_pte *x)
{
	struct mm_struct *mm = x->vma->vm_mm;
	struct folio *folio;

	set_pte_at(mm, e->address, x->ptep,
		   swp_entry_to_pte(make_pte_marker_entry(PTE_MARKER_POISONED |
							  PTE_MARKER_PROCSHARE)));
	e->mapped = false;
	x->done = true;
	directory_count_away(e, true);
	if (!x->page)
		return;
	folio = page_folio(x->page);
	if (e->shared && pte_dirty(x->pte))
		folio_mark_dirty(folio);
	folio_remove_rmap_pte(folio, x->page, x->vma);
	dec_mm_counter(mm, mm_counter(folio));
	x->drop = x->page;
}

/*
 * Take the translation away before the machine decides, so that the page is
 * quiet: no CPU and no new pin can reach it.  @x->pte is what was there.
 */
static bool quiesce(struct dir_entry *e, struct export_pte *x, bool write)
{
	/* Read by others already, or never written: home cannot change it. */
	if (!write && !pte_write(x->pte) && !mm_tlb_flush_pending(x->vma->vm_mm))
		return !x->page || !pinned(x->vma, x->page);
	x->pte = ptep_clear_flush(x->vma, e->address, x->ptep);
	if (!x->page)
		return true;
	if (write && folio_test_anon(page_folio(x->page)) &&
	    PageAnonExclusive(x->page))
		return !folio_try_share_anon_rmap_pte(page_folio(x->page), x->page);
	return !pinned(x->vma, x->page);
}

/*
 * Nobody has ever touched the page: who reads it first writes it next, so that it
 * can be given away for good.
 */
static bool untouched(const struct export_pte *x)
{
	return pte_none(x->pte) && vma_is_anonymous(x->vma) &&
	       x->vma->vm_flags & VM_WRITE;
}

/* A page of a file that is shared and only read; some files map what a driver writes to. */
static enum export_result prepare_leased(const struct export_pte *x)
{
	struct file *file = x->vma->vm_file;
	struct folio *folio = x->page ? page_folio(x->page) : NULL;

	if (!folio || folio->mapping != file->f_mapping || folio_maybe_dma_pinned(folio))
		return EXPORT_REFUSE;
	return home_lease_holds(file) ? EXPORT_DONE : EXPORT_LEASE;
}

/*
 * Before the machine is run: EXPORT_DONE if what is mapped and what is asked for allow
 * it; a page of shared memory is lent then.  A marker that is out of date is cleared.
 */
static enum export_result prepare(struct dir_entry *e, struct export_pte *x, bool write)
{
	if (untouched(x) && !write && e->coh.state != COH_HOME_ALONE)
		return EXPORT_FAULT;
	if (x->detached && home_shared_is_stale(x->vma, e)) {
		pte_clear(x->vma->vm_mm, e->address, x->ptep);
		return EXPORT_FAULT;
	}
	if ((write && !(e->area.prot & PROCSHARE_PROT_WRITE)) || (x->detached && !e->frame))
		return EXPORT_REFUSE;
	if (home_lease_covers(x->vma))
		return prepare_leased(x);
	if (!area_is_shared(x->vma) || e->cache)
		return EXPORT_DONE;
	if (!x->page)
		return EXPORT_REFUSE;
	if (folio_mapcount(page_folio(x->page)) > 1)
		return EXPORT_ELSEWHERE;
	return home_shared_lend(e, x->page) ? EXPORT_DONE : EXPORT_REFUSE;
}

/* Under the page table lock, the translation classified: run the machine. */
static enum export_result export_locked(struct dir_entry *e, struct export_pte *x)
{
	struct procshare_process *p = e->process;
	enum export_result result;
	bool write, eager, quiet = true;
	struct coh_out out __uninitialized;

	coh_out_init(&out);
	spin_lock(&p->dir.lock);
	if (p->released || coh_home_next(&e->coh) != COH_NEXT_COPY ||
	    directory_blocked(&p->dir, e->address)) {
		spin_unlock(&p->dir.lock);
		return EXPORT_DONE;
	}
	write = e->coh.want_write & coh_bit(coh_home_head(&e->coh));
	e->area = export_area(x->vma, e->address);
	result = prepare(e, x, write);
	if (result != EXPORT_DONE) {
		spin_unlock(&p->dir.lock);
		return result;
	}
	/* Home had it to read and write, and its mapping says that it did not write. */
	if (e->coh.state == COH_HOME_ALONE && e->mapped)
		migratory_unwritten(&e->migratory);
	eager = directory_eager(e) || untouched(x);
	e->shared = area_is_shared(x->vma);
	if (!x->detached && !pte_none(x->pte))
		quiet = quiesce(e, x, write || eager);
	if (quiet) {
		coh_home_run(&e->coh, p->home, &p->dir.epoch, eager, &out);
		directory_perform(e, &out, x->detached ? NULL : x, NULL);
	}
	if (!x->detached && !x->done && !pte_none(x->pte))
		set_pte_at(x->vma->vm_mm, e->address, x->ptep, x->pte);
	home_shared_settle(e);
	spin_unlock(&p->dir.lock);
	return quiet ? EXPORT_DONE : EXPORT_REFUSE;
}

/* What is mapped there?  If nothing is, it may begin with zeros elsewhere. */
static enum export_result classify(struct dir_entry *e, struct export_pte *x)
{
	x->pte = ptep_get(x->ptep);
	if (pte_none(x->pte)) {
		/* What the OOM reaper has taken had contents. */
		if (check_stable_address_space(x->vma->vm_mm))
			return EXPORT_REFUSE;
		return untouched(x) ? EXPORT_DONE : EXPORT_FAULT;
	}
	if (!pte_present(x->pte)) {
		if (!home_marker(x->pte))
			return EXPORT_FAULT;
		x->detached = true;
		return EXPORT_DONE;
	}
	x->page = vm_normal_page(x->vma, e->address, x->pte);
	if (!x->page && !is_zero_pfn(pte_pfn(x->pte)))
		return EXPORT_REFUSE;
	return EXPORT_DONE;
}

/* Made if it is not there; NULL if there is no memory. */
pmd_t *export_pmd(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d = p4d_alloc(mm, pgd, address);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, address) : NULL;

	return pud ? pmd_alloc(mm, pud, address) : NULL;
}

/* One look at the page of the head of @e's queue; the mmap lock is held for reading. */
enum export_result export_once(struct dir_entry *e, struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	enum export_result result = EXPORT_FAULT;
	struct export_pte x = { .vma = vma };
	struct mmu_notifier_range range;
	struct mm_struct *borrowed;
	spinlock_t *ptl;
	pmd_t *pmd;

	/* Home may have to put an anonymous page where the marker is. */
	if (vma->vm_flags & VM_WRITE && !area_is_shared(vma) &&
	    anon_vma_prepare(vma))
		return EXPORT_REFUSE;
	pmd = export_pmd(mm, e->address);
	if (!pmd)
		return EXPORT_REFUSE;
	if (pmd_trans_huge(pmdp_get_lockless(pmd)))
		split_huge_pmd(vma, pmd, e->address);
	if (pte_alloc(mm, pmd))
		return EXPORT_REFUSE;
	/* Other secondary MMUs may map the page without holding it. */
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, mm, e->address,
				e->address + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&range);
	borrowed = lazy_tlb_leave();
	x.ptep = pte_offset_map_lock(mm, pmd, e->address, &ptl);
	if (x.ptep) {
		/* Reclaim may have put off a flush: nobody may write any more. */
		flush_tlb_batched_pending(mm);
		result = classify(e, &x);
		if (result == EXPORT_DONE)
			result = export_locked(e, &x);
		pte_unmap_unlock(x.ptep, ptl);
	}
	lazy_tlb_enter(borrowed);
	mmu_notifier_invalidate_range_end(&range);
	if (x.drop) {
		free_swap_cache(page_folio(x.drop));
		put_page(x.drop);
	}
	return result;
}
