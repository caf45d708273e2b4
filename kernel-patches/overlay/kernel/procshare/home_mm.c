// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_mm: the directory of exported pages
 *
 * An entry exists for a page that another node holds or wants.  Home's own copy
 * of such a page is in one of three places: mapped, write-protected with the
 * uffd-wp bit (@mapped); in @frame, while the page table holds the procshare
 * marker; or on another node, marker again.  What needs page tables is done by
 * the entry's work (home_serve.c) or by home's faults (home_fault.c); all else
 * is done where the message arrives (home_message.c).
 */

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "cluster.h"
#include "home.h"

/*
 * How long home keeps a page that its own fault fetched while others want it:
 * of the order of a round trip, so that the faulting instruction completes.
 */
#define HOME_HOLD_NS	(300 * NSEC_PER_USEC)

struct workqueue_struct *home_works;
/* Holds end here, and not behind workers that wait for a process's mmap lock. */
static struct workqueue_struct *releases;

int __init directory_works_init(void)
{
	home_works = alloc_workqueue("procshare_home", WQ_UNBOUND, 0);
	releases = alloc_workqueue("procshare_hold", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return home_works && releases ? 0 : -ENOMEM;
}

void directory_init(struct directory *d)
{
	INIT_WORK(&d->unpark, directory_unparked);
	spin_lock_init(&d->lock);
	xa_init(&d->entries);
	INIT_LIST_HEAD(&d->parked);
	init_waitqueue_head(&d->wait);
}

/*
 * The resident set of home's address space includes its private pages on other nodes:
 * whoever looks at the process sees how large it is.
 */
void directory_count_away(struct dir_entry *e, bool away)
{
	struct procshare_process *p = e->process;

	if (e->away == away || e->shared || p->released)
		return;
	e->away = away;
	p->dir.away += away ? 1 : -1;
	add_mm_counter(p->mm, MM_ANONPAGES, away ? 1 : -1);
}

/* The page is nobody's any more: let go what home has of it outside page tables. */
void directory_drop(struct dir_entry *e)
{
	home_shared_give_up(e);
	directory_count_away(e, false);
	if (e->frame)
		put_page(e->frame);
	e->frame = NULL;
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
	bool patient = !e->releasing;

	if (export_serve(e, patient))
		process_put(p);
	else if (!patient)
		queue_work(home_works, work);
	procshare_push();
}

static enum hrtimer_restart entry_timer(struct hrtimer *timer)
{
	struct dir_entry *e = container_of(timer, struct dir_entry, timer);

	queue_work(releases, &e->work);
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

struct dir_entry *directory_create(struct procshare_process *p, unsigned long address,
				   gfp_t gfp)
{
	struct dir_entry *e = kzalloc(sizeof(*e), gfp | __GFP_ACCOUNT);

	if (!e)
		return NULL;
	coh_home_init(&e->coh);
	migratory_init(&e->migratory);
	e->process = p;
	e->address = address;
	INIT_WORK(&e->work, entry_work);
	hrtimer_init(&e->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	e->timer.function = entry_timer;
	if (xa_err(xa_store(&p->dir.entries, address >> PAGE_SHIFT, e, gfp))) {
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
	home_shared_settle(e);
	xa_erase(&p->dir.entries, e->address >> PAGE_SHIFT);
	kfree(e);
}

/* What remotes may do with the page forbids the head of the queue its wish. */
static bool must_refuse(const struct dir_entry *e, u8 head)
{
	return head != COH_NO_NODE && e->area.prot &&
	       e->coh.want_write & coh_bit(head) &&
	       !(e->area.prot & PROCSHARE_PROT_WRITE);
}

/*
 * The request that is next is about to be served: should it be granted writable
 * although it only reads?
 */
bool directory_eager(struct dir_entry *e)
{
	return migratory_next(&e->migratory, &e->coh) && e->area.prot & PROCSHARE_PROT_WRITE;
}

/*
 * Start transactions as far as that goes without page tables.  True if the head
 * of the queue needs them: the entry is claimed for the caller.
 */
bool directory_run(struct procshare_process *p, struct dir_entry *e)
{
	u8 self = p->home;

	for (;;) {
		enum coh_next next = coh_home_next(&e->coh);
		struct coh_out out __uninitialized;

		if (next == COH_NEXT_NONE || p->released)
			return false;
		if (next == COH_NEXT_COPY &&
		    directory_blocked(&p->dir, e->address))
			return false;
		if (next == COH_NEXT_COPY && (!e->frame || !e->area.prot))
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
	if (directory_run(p, e))
		queue_work(home_works, &e->work);
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
