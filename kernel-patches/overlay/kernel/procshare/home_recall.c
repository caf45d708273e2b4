// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_recall: all pages of a range come home, or are given up
 *
 * For changes of home's mapping (home_notifier.c).  The nodes are asked for batches
 * of pages: while one of them arrives the next one has been asked for already, so
 * that a large range takes the time of its transfer, and what is under way stays
 * bounded.  What home has, or may read if that is enough, is not asked for.
 *
 * Called with mmap_lock or i_mmap_rwsem held; allocates without reclaim, lets a
 * worker send, and waits only for nodes, which never need either lock.
 */

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "../../mm/internal.h"
#include "cluster.h"
#include "home.h"

/*
 * Pages are asked for so many at a time, and two batches are under way: what a node
 * still has to send outlasts the time that it takes to deal with what has come.
 */
#define BATCH	1024
/* So many are asked for before others may have the lock. */
#define PORTION	128

/* Shared memory comes home, whatever the change: only its mapping may be gone. */
u8 recall_want(const struct dir_entry *e, u8 want)
{
	return e->shared ? COH_WANT_WRITE : want;
}

/* ---- asking ---- */

/**
 * struct batch - entries that were asked for at once
 * @first: @last: page numbers; in between only they are pinned
 * @tail: the one that was asked for last, NULL if there is none
 */
struct batch {
	unsigned long first;
	unsigned long last;
	struct dir_entry *tail;
};

static bool concerns(const struct recall *r, const struct dir_entry *e)
{
	return !r->shared || e->shared;
}

static void ask(const struct recall *r, struct dir_entry *e)
{
	e->waiters++;
	coh_home_want(&e->coh, recall_want(e, r->want), true);
	directory_progress(r->process, e);
}

/* The next batch, from page @first on. */
static struct batch ask_batch(const struct recall *r, unsigned long first)
{
	struct directory *d = &r->process->dir;
	struct batch b = { .first = first, .last = r->last };
	struct dir_entry *e;
	unsigned long index;
	unsigned int n = 0;

	spin_lock(&d->lock);
	xa_for_each_range(&d->entries, index, e, first, r->last) {
		if (concerns(r, e)) {
			ask(r, e);
			b.tail = e;
		}
		if (++n == BATCH) {
			b.last = index;
			break;
		}
		if (n % PORTION == 0)
			cond_resched_lock(&d->lock);
	}
	spin_unlock(&d->lock);
	procshare_kick();
	return b;
}

/* ---- waiting ---- */

/* A thread that only makes way for another one's exec is not. */
static bool is_being_killed(const struct procshare_process *p)
{
	return fatal_signal_pending(current) && task_tgid(current) == p->pid &&
	       current->signal->flags & SIGNAL_GROUP_EXIT && !current->signal->core_state;
}

/*
 * Sleep until what was asked of the entry is done; the entry is pinned.  Whoever
 * changes the mapping cannot be turned away, so a node that does not answer ends
 * the process.
 */
static void wait_for(const struct recall *r, struct dir_entry *e)
{
	struct procshare_process *p = r->process;
	unsigned long end = jiffies + HOME_PATIENCE;
	struct directory_wait w = {
		.process = p,
		.e = e,
		.want = recall_want(e, r->want),
		.first = true,
	};

	if (directory_wait_is_over(&w))
		return;
	directory_wait_begin(&w);
	while (!directory_wait_is_over(&w)) {
		if (wait_woken(&w.entry, TASK_UNINTERRUPTIBLE, HZ))
			continue;
		if (time_after(jiffies, end) ||
		    (!r->shared && is_being_killed(p)))
			process_doom(p, "a node does not give its pages back");
	}
	directory_wait_end(&w);
}

/* ---- taking what has come ---- */

/*
 * Pages move, are about to be copied by fork or looked at by mincore(): markers would
 * not do.  The caller holds mmap_lock, so the page tables stay.
 */
static void put_back(struct procshare_process *p, struct dir_entry *e)
{
	struct vm_area_struct *vma = vma_lookup(p->mm, e->address);
	spinlock_t *ptl;
	pte_t *ptep;
	pmd_t *pmd;

	/* Elsewhere page tables may be on their way out. */
	if (!vma)
		return;
	pmd = mm_find_pmd(p->mm, e->address);
	if (!pmd)
		return;
	ptep = pte_offset_map_lock(p->mm, pmd, e->address, &ptl);
	if (!ptep)
		return;
	spin_lock(&p->dir.lock);
	if (home_marker(ptep_get(ptep)) && coh_home_may(&e->coh, COH_READ) &&
	    home_install(vma, e, ptep, COH_WRITE))
		process_doom(p, "no memory to take a page back");
	spin_unlock(&p->dir.lock);
	pte_unmap_unlock(ptep, ptl);
}

/* Whoever looks for a page of shared memory finds it in the page cache. */
static void return_to_cache(struct procshare_process *p, struct dir_entry *e)
{
	spin_lock(&p->dir.lock);
	home_shared_settle(e);
	spin_unlock(&p->dir.lock);
}

/* The next entry of a batch, from page *index on; it is pinned. */
static struct dir_entry *next_asked(const struct recall *r, const struct batch *b,
				    unsigned long *index)
{
	struct directory *d = &r->process->dir;
	struct dir_entry *e;

	spin_lock(&d->lock);
	xa_for_each_range(&d->entries, *index, e, *index, b->last)
		if (concerns(r, e))
			break;
	spin_unlock(&d->lock);
	return e;
}

static void take_batch(const struct recall *r, const struct batch *b)
{
	unsigned long index = b->first;
	struct dir_entry *e;

	if (!b->tail)
		return;
	/* Most of what was asked for before has come when the last one has. */
	wait_for(r, b->tail);
	for (; (e = next_asked(r, b, &index)); index++) {
		wait_for(r, e);
		if (e->shared)
			return_to_cache(r->process, e);
		else if (r->map)
			put_back(r->process, e);
	}
	cond_resched();
}

/**
 * recall_range - have what a change asks of its pages done, and wait for it
 * @r: what; the range is blocked, so that no entry joins it
 *
 * Every entry is pinned afterwards, and is not served, until coh_home_done() and
 * directory_unpin().
 */
void recall_range(const struct recall *r)
{
	struct batch now = ask_batch(r, r->first), next;

	while (now.last < r->last) {
		next = ask_batch(r, now.last + 1);
		take_batch(r, &now);
		now = next;
	}
	take_batch(r, &now);
}
