// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_zero: memory that nobody has touched is given away in blocks
 *
 * Such a page has neither contents nor holders, so that many of them are granted
 * with one message.  To the machines it is a GET to write for each, and its answer.
 * Whatever would take time is refused: the thread that touches the page asks again.
 */

#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/rmap.h>

#include "../../mm/internal.h"
#include "cluster.h"
#include "home.h"
#include "zero_message.h"

#include <trace/events/procshare.h>

/* One page, under its page table's lock and the directory's; false if it is refused. */
static bool give(struct procshare_process *p, struct export_pte *x,
		 unsigned long address, u8 node)
{
	const struct coh_msg get = {
		.type = COH_GET, .from = node, .to = p->home, .access = COH_WRITE,
	};
	struct dir_entry *e;
	struct coh_out out __uninitialized;

	x->pte = ptep_get(x->ptep);
	if (!pte_none(x->pte) || directory_find(p, address) ||
	    directory_blocked(&p->dir, address))
		return false;
	/* Refusing costs nothing: leave the reserves to those who cannot. */
	e = directory_create(p, address, GFP_NOWAIT | __GFP_NOWARN);
	if (!e)
		return false;
	e->area = export_area(x->vma, address);
	coh_out_init(&out);
	coh_home_message(&e->coh, p->home, &get, &out);
	/* It is to clear home's mapping, and to send the grant that is going to be sent. */
	coh_home_run(&e->coh, p->home, &p->dir.epoch, directory_eager(e), &out);
	export_clear(e, x);
	return true;
}

/* The page table of the block is there: give what is untouched, and answer. */
static bool give_mapped(struct procshare_process *p, struct vm_area_struct *vma,
			pmd_t *pmd, struct zero_block *b, struct procshare_msg *answer)
{
	struct export_pte x = { .vma = vma };
	unsigned int node = answer->peer;
	unsigned int i;
	spinlock_t *ptl;
	bool usable;
	pte_t *ptep;

	ptep = pte_offset_map_lock(vma->vm_mm, pmd, b->address, &ptl);
	if (!ptep)
		return false;
	/* Reclaim may have put off a flush: nobody may write any more. */
	flush_tlb_batched_pending(vma->vm_mm);
	spin_lock(&p->dir.lock);
	b->epoch = p->dir.epoch + 1;
	b->prot = export_prot(vma);
	usable = !p->released && !check_stable_address_space(vma->vm_mm);
	for (i = 0; i < PROCSHARE_WIRE_ZERO_PAGES && usable; i++) {
		unsigned long address = b->address + i * PAGE_SIZE;

		x.ptep = ptep + i;
		if (b->pages & BIT_ULL(i) && address >= vma->vm_start &&
		    address < vma->vm_end && give(p, &x, address, node))
			b->granted |= BIT_ULL(i);
	}
	/* Before anything else is said about the pages. */
	zero_message_fill(answer, b);
	procshare_queue(node, answer);
	spin_unlock(&p->dir.lock);
	pte_unmap_unlock(ptep, ptl);
	return true;
}

/* True if @answer has been sent. The mmap lock is held. */
static bool give_area(struct procshare_process *p, struct zero_block *b,
		      struct procshare_msg *answer)
{
	unsigned long first = b->address + __ffs64(b->pages) * PAGE_SIZE;
	unsigned long end = b->address + PROCSHARE_WIRE_ZERO_PAGES * PAGE_SIZE;
	struct vm_area_struct *vma = find_vma(p->mm, first);
	pmd_t *pmd;

	if (!vma || vma->vm_start >= end)
		return false;
	first = max(first, vma->vm_start);
	if (!vma_is_anonymous(vma) || !export_allowed(vma, true) ||
	    anon_vma_prepare(vma))
		return false;
	pmd = export_pmd(p->mm, first);
	if (!pmd || pmd_trans_huge(pmdp_get_lockless(pmd)) || pte_alloc(p->mm, pmd))
		return false;
	return give_mapped(p, vma, pmd, b, answer);
}

/*
 * GET_ZERO from a node that takes part in the process.  The caller pushes the
 * answer out.
 */
void home_zero_message(struct procshare_process *p, struct procshare_msg *msg)
{
	struct procshare_msg *answer = NULL;
	struct zero_block b;
	bool sent = false;

	if (!zero_message_unpack(msg, &b) || !b.pages || b.granted)
		goto out;
	answer = zero_message_alloc(p->id, PROCSHARE_WIRE_GRANT_ZERO);
	if (!answer) {
		process_doom(p, "no memory for a page message");
		goto out;
	}
	answer->peer = msg->peer;
	usage_count(p, msg->peer, PROCSHARE_COUNT_MESSAGES, 1);
	usage_count(p, msg->peer, PROCSHARE_COUNT_BYTES, answer->length);
	if (process_get_mm(p)) {
		if (mmap_read_trylock(p->mm)) {
			sent = give_area(p, &b, answer);
			mmap_read_unlock(p->mm);
		}
		process_put_mm(p);
	}
	if (!sent) {
		zero_message_fill(answer, &b);
		procshare_queue(msg->peer, answer);
	}
	trace_procshare_zero(p->id, b.address, msg->peer, b.pages, b.granted);
out:
	procshare_msg_free(msg);
}
