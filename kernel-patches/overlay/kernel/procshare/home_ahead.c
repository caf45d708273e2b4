// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_ahead: pages that a home thread is going to touch next
 *
 * What other nodes have written is often read at home from one end to the other,
 * and buffers that they have read are filled again: the pages behind a fault are
 * recalled before home's thread touches them.  They wait in the directory until it
 * does, and any node may have them back.
 */

#include <linux/mm.h>
#include <linux/ptrace.h>
#include <asm/fsgsbase.h>

#include "home.h"

/*
 * Recall a page that nobody waits for yet; false where that has been in vain.  The
 * lock is held.
 */
static bool expect(struct procshare_process *p, unsigned long address,
		   enum coh_access access)
{
	struct dir_entry *e = directory_find(p, address);
	u8 want = access == COH_WRITE ? COH_WANT_WRITE : COH_WANT_READ;

	if (!e || e->coh.state == COH_HOME_LOST || coh_home_may(&e->coh, access))
		return true;
	if (access == COH_WRITE && e->vain)
		return false;
	e->ahead = access == COH_WRITE && !e->waiters;
	coh_home_want(&e->coh, want, false);
	directory_progress(p, e);
	return true;
}

/* Is @access neither possible nor under way? */
static bool missed(struct procshare_process *p, unsigned long address,
		   enum coh_access access)
{
	u8 want = access == COH_WRITE ? COH_WANT_WRITE : COH_WANT_WRITE | COH_WANT_READ;
	const struct dir_entry *e;
	bool result;

	spin_lock(&p->dir.lock);
	e = directory_find(p, address);
	result = e && !coh_home_may(&e->coh, access) && !(e->coh.home_want & want);
	spin_unlock(&p->dir.lock);
	return result;
}

/*
 * current faults on @address: recall what is likely to follow.  The caller pushes
 * the requests out.
 */
void home_ahead(struct procshare_process *p, unsigned long address,
		enum coh_access access)
{
	struct home_thread *t = home_thread_current(p);
	struct stream_window w;
	struct dir_entry *e;
	unsigned long page;

	if (!t)
		return;
	w = streams_fault(&t->streams, address >> PAGE_SHIFT, access == COH_WRITE,
			  missed(p, address, access));
	if (!w.count)
		return;
	spin_lock(&p->dir.lock);
	e = directory_find(p, address);
	if (e)
		e->vain = false;
	/* Not behind those that nobody waits for. */
	expect(p, address, access);
	for (page = w.first; w.count--; page += w.stride)
		if (!expect(p, page << PAGE_SHIFT, w.write ? COH_WRITE : COH_READ))
			break;
	spin_unlock(&p->dir.lock);
}

/*
 * current's thread has just come home with @regs: the pages that it touches first
 * come in one round trip.  The caller pushes the requests out.
 */
void home_ahead_arrival(struct procshare_process *p, const struct pt_regs *regs)
{
	spin_lock(&p->dir.lock);
	expect(p, regs->ip, COH_READ);
	expect(p, regs->sp, COH_WRITE);
	expect(p, x86_fsbase_read_task(current), COH_READ);
	/* Home's CPU number is written there at once. */
	if (current->rseq)
		expect(p, (unsigned long)current->rseq, COH_WRITE);
	spin_unlock(&p->dir.lock);
}
