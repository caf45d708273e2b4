// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_perform: what a directory entry's machine asks for is done
 *
 * Messages are queued under the directory lock, so that they leave in the order in
 * which the machine sent them.
 */

#include <linux/mm.h>

#include "cluster.h"
#include "home.h"
#include "page_message.h"

#include <trace/events/procshare.h>

static void count_send(struct procshare_process *p, const struct coh_msg *m,
		       unsigned int to)
{
	if (m->flags & COH_DATA) {
		usage_count(p, p->home, PROCSHARE_COUNT_PAGES_OUT, 1);
		usage_count(p, to, PROCSHARE_COUNT_PAGES_IN, 1);
	}
	if (m->type == COH_FWD) {
		usage_count(p, to, PROCSHARE_COUNT_PAGES_OUT, 1);
		/* What comes here is counted when it is there. */
		if (m->requester != p->home)
			usage_count(p, m->requester, PROCSHARE_COUNT_PAGES_IN, 1);
	}
	if (m->type == COH_INV)
		usage_count(p, to, PROCSHARE_COUNT_INVALIDATIONS, 1);
	usage_count(p, to, PROCSHARE_COUNT_MESSAGES, 1);
}

/* @page: home's copy, NULL if it is all zero; used where COH_DATA asks for it. */
static void send_one(struct dir_entry *e, const struct coh_msg *m,
		     unsigned int to, struct page *page)
{
	struct procshare_msg *msg;
	struct page_area area = e->area;

	if (m->flags & COH_DATA && !page)
		area.prot |= PROCSHARE_PROT_ZERO;
	msg = page_message_pack(e->process->id, e->address, m, &area, page, GFP_ATOMIC);
	if (!msg) {
		process_doom(e->process, "no memory for a page message");
		return;
	}
	count_send(e->process, m, to);
	usage_count(e->process, to, PROCSHARE_COUNT_BYTES,
		    msg->length + (msg->page ? PAGE_SIZE : 0));
	trace_procshare_coherence_send(msg->process, e->address, m, to, msg->page);
	procshare_queue(to, msg);
}

static void send_set(struct dir_entry *e, const struct coh_action *a)
{
	unsigned int node;

	for (node = 0; node < PROCSHARE_MAX_NODES; node++)
		if (a->set & coh_bit(node))
			send_one(e, &a->msg, node, NULL);
}

/*
 * Perform what the machine asks for, under the directory lock.  @pte: home's
 * mapping, if the caller holds its page table lock; NULL: home's copy is @frame.
 * @arrived: the message that was delivered, for its page.
 */
void directory_perform(struct dir_entry *e, const struct coh_out *out,
		       struct export_pte *pte, struct procshare_msg *arrived)
{
	struct page *page = pte ? pte->page : e->frame;
	struct page *drop = NULL;
	unsigned int i;

	for (i = 0; i < out->n; i++) {
		const struct coh_action *a = &out->a[i];

		switch (a->act) {
		case COH_SEND:
			send_one(e, &a->msg, a->msg.to, page);
			break;
		case COH_SEND_SET:
			send_set(e, a);
			break;
		case COH_HOME_WRPROTECT:
			if (pte)
				export_wrprotect(e, pte);
			break;
		case COH_HOME_CLEAR:
			if (pte)
				export_clear(e, pte);
			else
				drop = e->frame;
			e->vain |= e->ahead;
			e->ahead = false;
			break;
		case COH_HOME_DATA:
			swap(e->frame, arrived->page);
			page = e->frame;
			usage_count(e->process, e->process->home,
				    PROCSHARE_COUNT_PAGES_IN, 1);
			break;
		case COH_HOME_WAKE:
			if (e->coh.hold && !e->waiters)
				coh_home_release(&e->coh, COH_WRITE);
			wake_up_all(&e->process->dir.wait);
			break;
		}
	}
	if (drop) {
		e->frame = NULL;
		put_page(drop);
	}
}
