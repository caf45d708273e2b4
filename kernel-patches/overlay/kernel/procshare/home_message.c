// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_message: coherence messages to home find their directory entries
 *
 * A GET may make an entry.  Where home's mapping is just being changed it waits
 * instead, parked, until that is over.
 */

#include <linux/mm.h>

#include "cluster.h"
#include "home.h"
#include "page_message.h"

#include <trace/events/procshare.h>

static void count_get(struct procshare_process *p, const struct coh_msg *m)
{
	enum procshare_counter counter = PROCSHARE_COUNT_FAULT_READ;

	if (m->type != COH_GET)
		return;
	if (m->access == COH_WRITE)
		counter = m->have ? PROCSHARE_COUNT_FAULT_UPGRADE :
				    PROCSHARE_COUNT_FAULT_WRITE;
	usage_count(p, m->from, counter, 1);
}

/* A page that is given back was not asked for, or it was counted with that. */
static void count_put(struct procshare_process *p, const struct coh_home *h,
		      const struct coh_msg *m)
{
	if (m->type == COH_PUT)
		usage_count(p, m->from, PROCSHARE_COUNT_PAGES_OUT, 1);
	if (m->type != COH_NOPAGE || m->from != h->b_source || m->epoch != h->b_epoch)
		return;
	usage_count(p, m->from, PROCSHARE_COUNT_PAGES_OUT, -1);
	if (h->b_requester != COH_NO_NODE)
		usage_count(p, h->b_requester, PROCSHARE_COUNT_PAGES_IN, -1);
}

/* Every thread of every node has its window: more is not honest. */
#define MOST_PARKED	65536

static void park(struct procshare_process *p, struct procshare_msg **msg)
{
	if (p->dir.nparked++ == MOST_PARKED)
		process_doom(p, "a node asks for pages without end");
	list_add_tail(&(*msg)->node, &p->dir.parked);
	*msg = NULL;
}

/*
 * The entry for a message; a GET makes one.  Where an invalidation is under way
 * none is made: the GET is parked until that is over.
 */
static struct dir_entry *entry_for(struct procshare_process *p,
				   unsigned long address,
				   struct procshare_msg **msg, bool get)
{
	struct dir_entry *e = directory_find(p, address);

	if (e || !get)
		return e;
	if (directory_blocked(&p->dir, address)) {
		park(p, msg);
		return NULL;
	}
	e = directory_create(p, address, GFP_ATOMIC);
	if (!e)
		process_doom(p, "no memory for the page directory");
	return e;
}

/* What is resident is served where the request arrived; the rest may sleep. */
static void export_here(struct dir_entry *e)
{
	struct procshare_process *p = e->process;

	if (export_serve(e, false))
		process_put(p);
	else
		queue_work(home_works, &e->work);
}

/* A page of zeros comes without contents; home keeps it as any other. */
static bool take_zeros(struct procshare_process *p, struct procshare_msg *msg,
		       struct coh_msg *m)
{
	if ((m->type != COH_GRANT && m->type != COH_PUT) || msg->page)
		return true;
	msg->page = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
	if (!msg->page)
		process_doom(p, "no memory for a page");
	m->flags |= COH_DATA;
	return msg->page;
}

/*
 * A coherence message for a page of @p, from a node that takes part in it.  The
 * caller pushes the answers out.
 */
void directory_message(struct procshare_process *p, struct procshare_msg *msg)
{
	struct coh_out out __uninitialized;
	unsigned long address;
	bool export = false;
	struct dir_entry *e;
	struct coh_msg m;
	struct page_area area;

	if (!page_message_unpack(msg, &m, &address, &area) ||
	    (area.prot & PROCSHARE_PROT_ZERO && !take_zeros(p, msg, &m))) {
		procshare_msg_free(msg);
		return;
	}
	count_get(p, &m);
	coh_out_init(&out);
	spin_lock(&p->dir.lock);
	e = entry_for(p, address, &msg, m.type == COH_GET);
	if (e && !p->released) {
		trace_procshare_coherence_receive(p->id, address, &m, m.to, msg->page);
		if (m.flags & COH_UNWRITTEN)
			migratory_unwritten(&e->migratory);
		count_put(p, &e->coh, &m);
		coh_home_message(&e->coh, p->home, &m, &out);
		directory_perform(e, &out, NULL, msg);
		export = directory_run(p, e);
		directory_settle(p, e);
	}
	spin_unlock(&p->dir.lock);
	if (export)
		export_here(e);
	if (msg)
		procshare_msg_free(msg);
}

/* Work: in process context, they are delivered again. */
void directory_unparked(struct work_struct *work)
{
	struct procshare_process *p = container_of(work, struct procshare_process,
						   dir.unpark);
	struct procshare_msg *msg, *next;
	LIST_HEAD(parked);

	spin_lock(&p->dir.lock);
	list_splice_init(&p->dir.parked, &parked);
	p->dir.nparked = 0;
	spin_unlock(&p->dir.lock);
	list_for_each_entry_safe(msg, next, &parked, node)
		directory_message(p, msg);
	procshare_push();
	process_put(p);
}

/* An invalidation is over: have delivered again what was parked meanwhile. */
void directory_unpark(struct procshare_process *p)
{
	if (list_empty(&p->dir.parked))
		return;
	kref_get(&p->ref);
	if (!queue_work(system_unbound_wq, &p->dir.unpark))
		process_put(p);
}
