// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_mm: the pages of a shadow process
 *
 * Each has its coherence machine.  A fault (shadow_fault.c) asks the machine,
 * which asks home; grants, invalidations and forwards arrive in the receive
 * thread.  Both work under the page's mutex.  Only faults map, so that a grant
 * that nobody waits for any more is simply kept.
 */

#include <linux/mm.h>
#include <linux/slab.h>

#include "cluster.h"
#include "page_message.h"
#include "shadow.h"

#include <trace/events/procshare.h>

/*
 * A page is kept so long after it has been mapped before it may be taken away:
 * of the order of a round trip, so that the faulting instruction completes.
 */
#define HOLD_MAPPED_NS	(100 * NSEC_PER_USEC)

/*
 * Holds end here, and not behind workers that wait, for home's side of other processes,
 * until nodes give pages back.
 */
static struct workqueue_struct *releases;

int __init shadow_pages_init(void)
{
	releases = alloc_workqueue("procshare_release", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return releases ? 0 : -ENOMEM;
}

wait_queue_head_t *shadow_page_waits(struct shadow_page *sp)
{
	return &sp->shadow->page_wait[(sp->address >> PAGE_SHIFT) % SHADOW_WAITS];
}

void shadow_pages_wake(struct shadow *s)
{
	int i;

	for (i = 0; i < SHADOW_WAITS; i++)
		wake_up_all(&s->page_wait[i]);
}

/* The shadow's last reference is gone: so are its mapping and all messages. */
void shadow_pages_free(struct shadow *s)
{
	struct shadow_page *sp;
	unsigned long index;

	xa_for_each(&s->pages, index, sp) {
		if (sp->frame)
			put_page(sp->frame);
		kfree(sp);
		cond_resched();
	}
	xa_destroy(&s->pages);
}

static void release_hold(struct work_struct *work);
static enum hrtimer_restart hold_over(struct hrtimer *timer);

static struct shadow_page *page_create(struct shadow *s, unsigned long address)
{
	struct shadow_page *sp = kzalloc(sizeof(*sp), GFP_KERNEL_ACCOUNT);
	struct shadow_page *other;

	if (!sp)
		return NULL;
	coh_node_init(&sp->coh);
	sp->shadow = s;
	sp->address = address;
	rt_mutex_init(&sp->lock);
	hrtimer_init(&sp->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	sp->timer.function = hold_over;
	INIT_WORK(&sp->work, release_hold);
	other = xa_cmpxchg(&s->pages, address >> PAGE_SHIFT, NULL, sp,
			   GFP_KERNEL_ACCOUNT);
	if (!other)
		return sp;
	kfree(sp);
	return xa_is_err(other) ? NULL : other;
}

struct shadow_page *shadow_page_get(struct shadow *s, unsigned long address)
{
	struct shadow_page *sp = xa_load(&s->pages, address >> PAGE_SHIFT);

	return sp ?: page_create(s, address);
}

/* ---- requests ---- */

/* A fault, present or expected; the page's mutex is held. */
void shadow_page_request(struct shadow_page *sp, enum coh_access access)
{
	struct coh_out out __uninitialized;

	coh_out_init(&out);
	coh_node_fault(&sp->coh, procshare_self(), sp->shadow->home, access, &out);
	shadow_page_perform(sp, &out, NULL);
}

/* The same where no fault waits: a refusal means nothing. */
void shadow_page_request_ahead(struct shadow_page *sp, enum coh_access access)
{
	bool asked = sp->coh.pending;

	shadow_page_request(sp, access);
	sp->guessed |= !asked && !sp->waiters && sp->coh.pending;
}

/* Ask for a page that is neither here nor asked for; false if it is. */
bool shadow_page_guess(struct shadow *s, unsigned long address, enum coh_access access)
{
	struct shadow_page *sp = shadow_page_get(s, address);
	bool idle;

	if (!sp || !rt_mutex_trylock(&sp->lock))
		return false;
	idle = shadow_page_is_idle(sp);
	if (idle)
		shadow_page_request_ahead(sp, sp->vain ? COH_READ : access);
	rt_mutex_unlock(&sp->lock);
	return idle;
}

/* Ask for a page that nobody waits for yet; false where that has been in vain. */
bool shadow_page_expect(struct shadow *s, unsigned long address,
			enum coh_access access)
{
	struct shadow_page *sp = shadow_page_get(s, address);
	bool wanted;

	if (!sp || !rt_mutex_trylock(&sp->lock))
		return true;
	wanted = access == COH_READ || !sp->vain;
	if (wanted)
		shadow_page_request_ahead(sp, access);
	rt_mutex_unlock(&sp->lock);
	return wanted;
}

/*
 * Home is going to want a page that only this node has: send it.  Nobody here needs
 * it so much that it would have to be held; the caller pushes it out.
 */
void shadow_page_put(struct shadow *s, unsigned long address)
{
	struct shadow_page *sp = xa_load(&s->pages, address >> PAGE_SHIFT);
	struct coh_out out __uninitialized;

	if (!sp)
		return;
	rt_mutex_lock(&sp->lock);
	coh_out_init(&out);
	coh_node_release(&sp->coh, procshare_self(), s->home, &out);
	shadow_page_perform(sp, &out, NULL);
	/* Given back, not taken away. */
	sp->ahead = false;
	coh_out_init(&out);
	if (sp->coh.state == COH_M)
		coh_node_put(&sp->coh, procshare_self(), s->home, &out);
	shadow_page_perform(sp, &out, NULL);
	rt_mutex_unlock(&sp->lock);
}

/* ---- the minimum hold ---- */

/* A fault has mapped the page: the hold, if it is one, lasts so much longer. */
void shadow_page_mapped(struct shadow_page *sp)
{
	if (!sp->coh.holding)
		return;
	sp->held_until = ktime_add_ns(ktime_get(), HOLD_MAPPED_NS);
	/* Whoever was told to wait longer need not; the reference stays. */
	if (hrtimer_try_to_cancel(&sp->timer) > 0)
		hrtimer_start(&sp->timer, HOLD_MAPPED_NS, HRTIMER_MODE_REL);
}

/* Somebody wants the page: let it go when the hold is over, which may be now. */
static void end_hold(struct shadow_page *sp)
{
	struct coh_out out __uninitialized;
	s64 rest = ktime_to_ns(ktime_sub(sp->held_until, ktime_get()));

	if (!sp->coh.holding || !sp->coh.ndeferred)
		return;
	if (rest > 0) {
		if (!hrtimer_is_queued(&sp->timer)) {
			kref_get(&sp->shadow->ref);
			hrtimer_start(&sp->timer, rest, HRTIMER_MODE_REL);
		}
		return;
	}
	coh_out_init(&out);
	coh_node_release(&sp->coh, procshare_self(), sp->shadow->home, &out);
	shadow_page_perform(sp, &out, NULL);
}

static enum hrtimer_restart hold_over(struct hrtimer *timer)
{
	struct shadow_page *sp = container_of(timer, struct shadow_page, timer);

	/* The work takes over the timer's reference. */
	if (!queue_work(releases, &sp->work))
		shadow_put(sp->shadow);
	return HRTIMER_NORESTART;
}

static void release_hold(struct work_struct *work)
{
	struct shadow_page *sp = container_of(work, struct shadow_page, work);
	struct shadow *s = sp->shadow;

	rt_mutex_lock(&sp->lock);
	end_hold(sp);
	rt_mutex_unlock(&sp->lock);
	procshare_push();
	shadow_put(s);
}

/* ---- messages ---- */

/* Only what was asked for is granted; home alone speaks of pages unknown here. */
static struct shadow_page *page_for(struct shadow *s, unsigned long address,
				    const struct coh_msg *m)
{
	if (m->from == s->home && (m->type == COH_INV || m->type == COH_FWD))
		return shadow_page_get(s, address);
	return xa_load(&s->pages, address >> PAGE_SHIFT);
}

static bool does(const struct coh_out *out, enum coh_act act)
{
	unsigned int i;

	for (i = 0; i < out->n; i++)
		if (out->a[i].act == act)
			return true;
	return false;
}

/* @m for the page has come, in @msg; without a page there, its data are all zero. */
void shadow_page_deliver(struct shadow_page *sp, const struct coh_msg *m,
			 const struct page_area *area, struct procshare_msg *msg)
{
	struct shadow *s = sp->shadow;
	struct coh_out out __uninitialized;
	bool installs;
	u8 asked;

	rt_mutex_lock(&sp->lock);
	asked = sp->coh.pending;
	coh_out_init(&out);
	coh_node_message(&sp->coh, procshare_self(), s->home, m, &out);
	installs = does(&out, COH_INSTALL);
	if (m->type == COH_GRANT && (installs || does(&out, COH_STORE))) {
		sp->noted &= sp->area.origin == area->origin;
		sp->area = *area;
		sp->area.prot &= ~PROCSHARE_PROT_ZERO;
		sp->zero_refused = false;
	}
	if (installs)
		sp->unwritten = (asked == COH_READ || sp->zero_asked || !sp->waiters) &&
				sp->coh.state == COH_M;
	shadow_page_perform(sp, &out, msg);
	/* What is only read may be home's page of zeros: it has been touched. */
	sp->fresh &= sp->coh.state == COH_M;
	if (installs)
		sp->ahead = asked == COH_WRITE && !sp->waiters;
	if (!sp->coh.pending) {
		sp->guessed = false;
		sp->zero_asked = false;
	}
	end_hold(sp);
	rt_mutex_unlock(&sp->lock);
}

void shadow_page_message(struct shadow *s, struct procshare_msg *msg)
{
	struct shadow_page *sp = NULL;
	unsigned long address;
	struct page_area area;
	struct coh_msg m;

	if (s->inode && page_message_unpack(msg, &m, &address, &area))
		sp = page_for(s, address, &m);
	if (!sp) {
		procshare_msg_free(msg);
		return;
	}
	if (m.type == COH_GRANT && area.prot & PROCSHARE_PROT_ZERO)
		m.flags |= COH_DATA;
	shadow_meet(s, m.from);
	trace_procshare_coherence_receive(s->id, address, &m, m.to, msg->page);
	shadow_page_deliver(sp, &m, &area, msg);
	procshare_msg_free(msg);
}
