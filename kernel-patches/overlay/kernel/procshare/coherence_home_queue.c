// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - page coherence: who waits for a page at home
 *
 * Remote nodes wait in the queue, each once, and home's faults as one more of
 * them; home's notifiers are counted and wait before it.
 */
#include "coherence_home.h"

/* ---- the queue ---- */

static bool queued(const struct coh_home *h, u8 node)
{
	unsigned int i;

	for (i = 0; i < h->queued; i++)
		if (h->queue[i] == node)
			return true;
	return false;
}

static void enqueue(struct coh_home *h, u8 node)
{
	if (h->queued < COH_MAX_NODES && !queued(h, node))
		h->queue[h->queued++] = node;
}

void coh_home_dequeue(struct coh_home *h, u8 node)
{
	unsigned int i, n = 0, before = h->queued;

	for (i = 0; i < before; i++)
		if (h->queue[i] != node)
			h->queue[n++] = h->queue[i];
	h->queued = n;
	/* Behind the last one all is zero: the checker compares. */
	while (n < before)
		h->queue[n++] = 0;
	if (node == COH_NO_NODE)
		return;
	h->want_write &= ~coh_bit(node);
	h->have &= ~coh_bit(node);
}

void coh_home_enqueue_first(struct coh_home *h, u8 node)
{
	unsigned int i;

	if (h->queued == COH_MAX_NODES || queued(h, node))
		return;
	for (i = h->queued++; i > 0; i--)
		h->queue[i] = h->queue[i - 1];
	h->queue[0] = node;
}

void coh_home_take_get(struct coh_home *h, const struct coh_msg *m)
{
	if (!valid_access(m->access) || queued(h, m->from))
		return;
	enqueue(h, m->from);
	if (m->access == COH_WRITE)
		h->want_write |= coh_bit(m->from);
	if (m->have != COH_NONE)
		h->have |= coh_bit(m->from);
}

/* ---- what home's own threads want ---- */

void coh_home_want(struct coh_home *h, u8 want, bool first)
{
	if (!first) {
		h->home_want |= want & (COH_WANT_READ | COH_WANT_WRITE);
		enqueue(h, COH_NO_NODE);
		return;
	}
	h->home_first |= want;
	if (want & COH_WANT_DISCARD)
		h->discards++;
	else
		h->recalls++;
}

void coh_home_done(struct coh_home *h, u8 want)
{
	if (want & COH_WANT_DISCARD)
		h->discards -= h->discards > 0;
	else
		h->recalls -= h->recalls > 0;
	if (!h->discards)
		h->home_first &= ~COH_WANT_DISCARD;
	if (!h->recalls)
		h->home_first &= COH_WANT_DISCARD;
}

bool coh_home_may(const struct coh_home *h, enum coh_access access)
{
	if (h->discards)
		return false;
	return h->state == COH_HOME_ALONE ||
	       (h->state == COH_HOME_SHARED && access == COH_READ);
}

void coh_home_release(struct coh_home *h, enum coh_access access)
{
	if (access >= h->hold)
		h->hold = COH_NONE;
}

static u8 covered(enum coh_access access)
{
	return access == COH_WRITE ? COH_WANT_READ | COH_WANT_WRITE :
				     COH_WANT_READ;
}

/* No fault wants any more: home leaves the queue; or it still does: it waits. */
static void requeue_home(struct coh_home *h)
{
	if (h->home_want)
		coh_home_enqueue_first(h, COH_NO_NODE);
	else
		coh_home_dequeue(h, COH_NO_NODE);
}

void coh_home_got(struct coh_home *h, enum coh_access access,
		  struct coh_out *out)
{
	u8 faults = h->discards ? 0 : h->home_want & covered(access);

	h->home_first &= ~covered(access);
	h->home_want &= ~faults;
	if (faults & COH_WANT_WRITE)
		h->hold = COH_WRITE;
	else if (faults && !h->hold)
		h->hold = COH_READ;
	requeue_home(h);
	emit(out, COH_HOME_WAKE);
}

void coh_home_got_nothing(struct coh_home *h, struct coh_out *out)
{
	h->home_first &= COH_WANT_DISCARD;
	h->home_want = 0;
	requeue_home(h);
	emit(out, COH_HOME_WAKE);
}
