// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - page coherence: what home makes of lost nodes and lost pages
 *
 * A node is lost for good.  What its loss means for a page is decided when every
 * survivor has dealt with all that came before; a page whose only copy is gone
 * is
 * lost until it is discarded.
 */
#include "coherence_home.h"

/* ---- a source without the page ---- */

/* Puts the request of the busy transaction back, or refuses it. */
static void serve_again(struct coh_home *h, u8 self, struct coh_out *out)
{
	u8 requester = h->b_requester;

	if (h->busy == COH_BUSY_FWD && !is_lost(h, requester)) {
		if (h->b_access == COH_READ)
			coh_home_enqueue_first(h, requester);
		else
			send_error(self, requester, COH_WRITE, out);
	}
	end(h);
	if (h->home_want)
		coh_home_enqueue_first(h, COH_NO_NODE);
}

static void lose_page(struct coh_home *h, struct coh_out *out)
{
	set_state(h, COH_HOME_LOST, COH_NO_NODE, 0);
	coh_home_got_nothing(h, out);
}

/*
 * The source of the busy transaction will never answer, and home has no copy.
 * A reader may get the page from another sharer; for a writer these have been
 * invalidated.
 */
void coh_home_source_failed(struct coh_home *h, u8 self, struct coh_out *out)
{
	coh_set rest = h->sharers & ~source_bit(h);
	bool write = h->busy == COH_BUSY_HOME_WRITE ||
		     (h->busy == COH_BUSY_FWD && h->b_access == COH_WRITE);

	serve_again(h, self, out);
	if (h->state == COH_HOME_STALE && rest && !write)
		set_state(h, COH_HOME_STALE, COH_NO_NODE, rest);
	else
		lose_page(h, out);
}

/* ---- the loss of a node ---- */

/* The requester of a forward is lost: nobody needs to be answered. */
static void settle_requester(struct coh_home *h, u8 self, struct coh_out *out)
{
	coh_set rest = h->sharers & ~(source_bit(h) | h->b_lost);

	if (h->b_have_put)
		set_valid(h, h->b_access == COH_WRITE ? 0 : rest);
	else if (h->b_access == COH_WRITE)
		lose_page(h, out);
	else if (is_lost(h, h->b_source))
		coh_home_source_failed(h, self, out);
	else
		set_state(h, COH_HOME_STALE, h->b_source,
			  rest | source_bit(h));
	end(h);
}

static void settle_forward(struct coh_home *h, u8 self, struct coh_out *out)
{
	if (is_lost(h, h->b_requester))
		settle_requester(h, self, out);
	else if (!is_lost(h, h->b_source))
		return;
	else if (h->b_have_put)
		coh_home_answer_forward(h, self, out);
	else
		coh_home_source_failed(h, self, out);
}

static void settle_home(struct coh_home *h, u8 self, struct coh_out *out)
{
	h->b_acks &= ~h->b_lost;
	if (is_lost(h, h->b_source) && !h->b_have_data) {
		if (h->b_have_put)
			coh_home_got_data(h, out);
		else
			coh_home_source_failed(h, self, out);
	}
	coh_home_end_if_complete(h, out);
}

/* Nothing is under way: take the lost nodes out of the directory. */
static void settle_state(struct coh_home *h, struct coh_out *out)
{
	coh_set rest = h->sharers & ~h->b_lost;

	if (h->state == COH_HOME_SHARED)
		set_valid(h, rest);
	else if (h->state == COH_HOME_OWNED && is_lost(h, h->owner))
		lose_page(h, out);
	else if (h->state == COH_HOME_STALE && !rest)
		lose_page(h, out);
	else if (h->state == COH_HOME_STALE)
		set_state(h, h->state,
			  is_lost(h, h->owner) ? COH_NO_NODE : h->owner, rest);
	h->b_lost = 0;
	h->b_last_lost = COH_NO_NODE;
}

void coh_home_settle(struct coh_home *h, u8 self, struct coh_out *out)
{
	if (!h->b_lost || h->b_flush)
		return;
	if (h->busy == COH_BUSY_FWD)
		settle_forward(h, self, out);
	else if (h->busy)
		settle_home(h, self, out);
	if (!h->busy)
		settle_state(h, out);
}

void coh_home_lost(struct coh_home *h, u8 self, u8 lost, coh_set survivors,
		   struct coh_out *out)
{
	struct coh_action *a;

	if (!valid_node(lost) || lost == self)
		return;
	coh_home_dequeue(h, lost);
	h->b_lost |= coh_bit(lost);
	h->b_last_lost = lost;
	h->b_flush = survivors & ~(h->b_lost | coh_bit(self));
	if (h->b_flush) {
		a = emit(out, COH_SEND_SET);
		a->set = h->b_flush;
		a->msg = (struct coh_msg){
			.type = COH_LOST, .from = self, .to = COH_NO_NODE,
			.requester = lost,
		};
	}
	coh_home_settle(h, self, out);
}
