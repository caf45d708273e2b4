// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_ahead: pages that a thread is going to touch next
 *
 * A thread whose faults follow each other has the pages behind its fault requested
 * before it touches them, as if it had; one that comes to a file, what others have used
 * of that (file_use.h).
 */

#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <asm/fsgsbase.h>

#include "file_use.h"
#include "shadow.h"

/*
 * current faults on @address: ask for what is likely to follow.  Returns how many
 * pages behind it may be mapped as well; the caller pushes the requests out.
 * @fresh: nobody has touched the page before, nor then, it seems, what follows;
 * @missed: as for streams_fault().
 */
unsigned int shadow_ahead(struct shadow_thread *st, unsigned long address,
			  enum coh_access access, bool fresh, bool missed)
{
	unsigned long end = TASK_SIZE_MAX >> PAGE_SHIFT;
	enum coh_access expected;
	struct stream_window w;
	unsigned long page;

	w = streams_fault(&st->streams, address >> PAGE_SHIFT, access == COH_WRITE,
			  missed);
	expected = w.write ? COH_WRITE : COH_READ;
	if (fresh && w.stride == 1) {
		shadow_zero_ask(st->shadow, w.first, w.count, expected);
		return w.quiet;
	}
	for (page = w.first; w.count-- && page < end; page += w.stride)
		if (!shadow_page_expect(st->shadow, page << PAGE_SHIFT, expected))
			break;
	return w.quiet;
}

/*
 * current has waited for a page of a file: ask for those around it that others have
 * used.  Where the file is mapped is known from this page, and supposed of them.
 */
void shadow_ahead_file(struct shadow *s, unsigned long address, u64 origin)
{
	struct file_use_pages use = file_use_expect(origin);
	u64 left = use.read | use.written, asked = 0;
	unsigned long first = (address >> PAGE_SHIFT) - origin % FILE_USE_PAGES;
	unsigned int i;

	for (; left; left &= left - 1) {
		i = __ffs64(left);
		if (first + i < TASK_SIZE_MAX >> PAGE_SHIFT &&
		    shadow_page_guess(s, (first + i) << PAGE_SHIFT,
				      use.written & BIT_ULL(i) ? COH_WRITE : COH_READ))
			asked |= BIT_ULL(i);
	}
	if (!asked)
		return;
	file_use_asked(origin, asked);
	procshare_push();
}

/*
 * current has just arrived: the pages that it touches first come in one round
 * trip, not one after the other.  The caller pushes the requests out.
 */
void shadow_ahead_arrival(struct shadow_thread *st, const struct pt_regs *regs,
			  unsigned long rseq)
{
	st->rseq = rseq < TASK_SIZE_MAX ? rseq : 0;
	shadow_page_expect(st->shadow, regs->ip & PAGE_MASK, COH_READ);
	/* The node's CPU number is written there at once, and home's afterwards. */
	if (st->rseq)
		shadow_page_expect(st->shadow, st->rseq & PAGE_MASK, COH_WRITE);
	shadow_page_expect(st->shadow, regs->sp & PAGE_MASK, COH_WRITE);
	shadow_page_expect(st->shadow, x86_fsbase_read_task(current) & PAGE_MASK,
			   COH_READ);
}

/*
 * current goes home: what only this node has of the pages that it touches there first
 * goes before it.  The caller pushes it out.
 */
void shadow_ahead_departure(struct shadow_thread *st, const struct pt_regs *regs)
{
	shadow_page_put(st->shadow, regs->sp & PAGE_MASK);
	shadow_page_put(st->shadow, st->rseq & PAGE_MASK);
}
