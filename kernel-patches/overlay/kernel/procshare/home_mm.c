// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_mm: the directory of exported pages, and its messages
 *
 * An entry exists for a page that another node holds or wants.  Home's own copy
 * of such a page is in one of three places: mapped, write-protected with the
 * uffd-wp bit (@mapped); in @frame, while the page table holds the procshare
 * marker; or on another node, marker again.  What needs page tables is done by
 * the entry's work (home_export.c) or by home's faults (home_fault.c); all else
 * is done here, where the message arrives.
 */

#define pr_fmt(fmt) "procshare: " fmt

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "cluster.h"
#include "home.h"
#include "page_message.h"

#include <trace/events/procshare.h>

/*
 * How long home keeps a page that its own fault fetched while others want it:
 * of the order of a round trip, so that the faulting instruction completes.
 */
#define HOME_HOLD_NS	(300 * NSEC_PER_USEC)

static void unpark(struct work_struct *work);

void directory_init(struct directory *d)
{
	INIT_WORK(&d->unpark, unpark);
	spin_lock_init(&d->lock);
	xa_init(&d->entries);
	INIT_LIST_HEAD(&d->parked);
	init_waitqueue_head(&d->wait);
}

/* The page is nobody's any more: let go what home has of it outside page tables. */
void directory_drop(struct dir_entry *e)
{
	if (e->frame)
		put_page(e->frame);
	if (e->cache)
		put_page(e->cache);
	e->frame = NULL;
	e->cache = NULL;
	e->shared = false;
}

/* Nobody can reach the process any more. */
void directory_destroy(struct procshare_process *p)
{
	struct procshare_msg *msg, *next;
	struct dir_entry *e;
	unsigned long index;

	xa_for_each(&p->dir.entries, index, e) {
		directory_drop(e);
		kfree(e);
		cond_resched();
	}
	xa_destroy(&p->dir.entries);
	list_for_each_entry_safe(msg, next, &p->dir.parked, node)
		procshare_msg_free(msg);
}

void directory_wake_all(struct procshare_process *p)
{
	wake_up_all(&p->dir.wait);
}

struct dir_entry *directory_find(struct procshare_process *p, unsigned long address)
{
	return xa_load(&p->dir.entries, address >> PAGE_SHIFT);
}

/* Is an invalidation under way there?  Then nothing new may be exported. */
bool directory_blocked(const struct directory *d, unsigned long address)
{
	unsigned int i;

	if (d->more_blocks)
		return true;
	for (i = 0; i < d->nblocks; i++)
		if (address >= d->blocks[i].start && address < d->blocks[i].end)
			return true;
	return false;
}

static void entry_work(struct work_struct *work)
{
	struct dir_entry *e = container_of(work, struct dir_entry, work);
	struct procshare_process *p = e->process;

	export_serve(e, true);
	procshare_push();
	process_put(p);
}

static enum hrtimer_restart entry_timer(struct hrtimer *timer)
{
	struct dir_entry *e = container_of(timer, struct dir_entry, timer);

	queue_work(system_unbound_wq, &e->work);
	return HRTIMER_NORESTART;
}

/* Pin the entry for whoever is going to serve it; false if somebody is. */
static bool claim(struct dir_entry *e)
{
	if (e->queued)
		return false;
	e->queued = true;
	kref_get(&e->process->ref);
	return true;
}

struct dir_entry *directory_create(struct procshare_process *p, unsigned long address)
{
	struct dir_entry *e = kzalloc(sizeof(*e), GFP_ATOMIC | __GFP_ACCOUNT);

	if (!e)
		return NULL;
	coh_home_init(&e->coh);
	migratory_init(&e->migratory);
	e->process = p;
	e->address = address;
	INIT_WORK(&e->work, entry_work);
	hrtimer_init(&e->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	e->timer.function = entry_timer;
	if (xa_err(xa_store(&p->dir.entries, address >> PAGE_SHIFT, e,
			    GFP_ATOMIC))) {
		kfree(e);
		return NULL;
	}
	return e;
}

/*
 * Free the entry if the page is home's alone and its page table says so, and nothing
 * is known of it that is worth keeping.
 */
void directory_settle(struct procshare_process *p, struct dir_entry *e)
{
	if (e->queued || e->waiters || e->frame || e->migratory.on ||
	    !coh_home_idle(&e->coh))
		return;
	xa_erase(&p->dir.entries, e->address >> PAGE_SHIFT);
	kfree(e);
}

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
	u8 prot = e->prot;

	if (m->flags & COH_DATA && !page)
		prot |= PROCSHARE_PROT_ZERO;
	msg = page_message_pack(e->process->id, e->address, m, prot, page, GFP_ATOMIC);
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

/* What remotes may do with the page forbids the head of the queue its wish. */
static bool must_refuse(const struct dir_entry *e, u8 head)
{
	return head != COH_NO_NODE && e->prot &&
	       e->coh.want_write & coh_bit(head) &&
	       !(e->prot & PROCSHARE_PROT_WRITE);
}

/*
 * The request that is next is about to be served: should it be granted writable
 * although it only reads?
 */
bool directory_eager(struct dir_entry *e)
{
	return migratory_next(&e->migratory, &e->coh) && e->prot & PROCSHARE_PROT_WRITE;
}

/*
 * Start transactions as far as that goes without page tables.  True if the head
 * of the queue needs them: the entry is claimed for the caller.
 */
static bool progress(struct procshare_process *p, struct dir_entry *e)
{
	u8 self = p->home;

	for (;;) {
		enum coh_next next = coh_home_next(&e->coh);
		struct coh_out out;

		if (next == COH_NEXT_NONE || p->released)
			return false;
		if (next == COH_NEXT_COPY &&
		    directory_blocked(&p->dir, e->address))
			return false;
		if (next == COH_NEXT_COPY && (!e->frame || !e->prot))
			return claim(e);
		coh_out_init(&out);
		if (must_refuse(e, coh_home_head(&e->coh)))
			coh_home_refuse(&e->coh, self, &out);
		else
			coh_home_run(&e->coh, self, &p->dir.epoch, directory_eager(e), &out);
		directory_perform(e, &out, NULL, NULL);
	}
}

/* The same where only a worker can go on. */
void directory_progress(struct procshare_process *p, struct dir_entry *e)
{
	if (progress(p, e))
		queue_work(system_unbound_wq, &e->work);
}

/* Whoever claimed the entry is done; home's hold may have begun meanwhile. */
void directory_served(struct procshare_process *p, struct dir_entry *e)
{
	e->queued = false;
	if (e->releasing && claim(e))
		hrtimer_start(&e->timer, HOME_HOLD_NS, HRTIMER_MODE_REL);
	else
		directory_progress(p, e);
	directory_settle(p, e);
}

/* A waiter leaves: a hold that nobody is going to use ends. */
void directory_unpin(struct dir_entry *e)
{
	if (!--e->waiters && !e->releasing)
		coh_home_release(&e->coh, COH_WRITE);
}

/* Home's fault is over: let the others have the page, now or a little later. */
void directory_release(struct procshare_process *p, struct dir_entry *e,
		       enum coh_access access)
{
	if (e->coh.hold && e->coh.queued && access != COH_NONE) {
		e->releasing = true;
		if (claim(e))
			hrtimer_start(&e->timer, HOME_HOLD_NS, HRTIMER_MODE_REL);
		return;
	}
	coh_home_release(&e->coh, COH_WRITE);
	directory_progress(p, e);
}

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
	e = directory_create(p, address);
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
		queue_work(system_unbound_wq, &e->work);
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
	struct coh_out out;
	unsigned long address;
	bool export = false;
	struct dir_entry *e;
	struct coh_msg m;
	u8 prot;

	if (!page_message_unpack(msg, &m, &address, &prot) ||
	    (prot & PROCSHARE_PROT_ZERO && !take_zeros(p, msg, &m))) {
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
		export = progress(p, e);
		directory_settle(p, e);
	}
	spin_unlock(&p->dir.lock);
	if (export)
		export_here(e);
	if (msg)
		procshare_msg_free(msg);
}

static void unpark(struct work_struct *work)
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
