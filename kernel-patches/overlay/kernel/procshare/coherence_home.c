// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - page coherence: the machine of the home node, the directory
 *
 * Requests of remote nodes and of home's own faults wait in one queue; home's
 * notifiers go before it (coherence_home_queue.c).  A request is served in one
 * step, or makes the entry *busy* until the messages it waits for have come: it
 * starts in coherence_home_run.c and ends here.  After the loss of a node the
 * entry is cleaned up once every survivor has answered FLUSHED
 * (coherence_home_loss.c).
 */
#include "coherence_home.h"

void coh_home_init(struct coh_home *h)
{
	*h = (struct coh_home){
		.owner = COH_NO_NODE,
		.b_requester = COH_NO_NODE,
		.b_source = COH_NO_NODE,
		.b_last_lost = COH_NO_NODE,
	};
}

bool coh_home_idle(const struct coh_home *h)
{
	return h->state == COH_HOME_ALONE && !h->busy && !h->queued &&
	       !h->home_want && !h->home_first && !h->hold && !h->discards &&
	       !h->recalls && !h->b_lost;
}

/* ---- ends of transactions ---- */

static void end_home_read(struct coh_home *h, struct coh_out *out)
{
	coh_set sharers = h->sharers | source_bit(h);

	if (h->b_have_put)
		sharers &= ~source_bit(h);
	end(h);
	set_valid(h, sharers);
	coh_home_got(h, COH_READ, out);
}

void coh_home_end_if_complete(struct coh_home *h, struct coh_out *out)
{
	bool write = h->busy == COH_BUSY_HOME_WRITE;

	if (!write && h->busy != COH_BUSY_DISCARD)
		return;
	if (h->b_acks || (h->b_source != COH_NO_NODE && !h->b_have_data))
		return;
	end(h);
	set_valid(h, 0);
	if (write) {
		coh_home_got(h, COH_WRITE, out);
		return;
	}
	h->home_first &= ~COH_WANT_DISCARD;
	emit(out, COH_HOME_WAKE);
}

void coh_home_got_data(struct coh_home *h, struct coh_out *out)
{
	h->b_have_data = true;
	if (h->busy == COH_BUSY_HOME_READ)
		end_home_read(h, out);
	else
		coh_home_end_if_complete(h, out);
}

/* The requester of a forward has the page. */
static void commit_forward(struct coh_home *h, struct coh_out *out)
{
	coh_set sharers = h->sharers | coh_bit(h->b_requester);

	if (h->b_access == COH_WRITE) {
		if (h->b_have_put)
			emit(out, COH_HOME_CLEAR);
		set_state(h, COH_HOME_OWNED, h->b_requester, 0);
	} else if (h->b_have_put) {
		set_valid(h, sharers & ~source_bit(h));
	} else {
		set_state(h, COH_HOME_STALE, h->b_source,
			  sharers | source_bit(h));
	}
	end(h);
}

void coh_home_answer_forward(struct coh_home *h, u8 self, struct coh_out *out)
{
	if (h->b_access == COH_WRITE)
		emit(out, COH_HOME_CLEAR);
	send_grant(self, h->b_requester, h->b_access, COH_DATA, h->b_epoch,
		   h->b_access == COH_WRITE ? h->b_acks : 0, out);
	if (h->b_access == COH_WRITE)
		set_state(h, COH_HOME_OWNED, h->b_requester, 0);
	else
		set_valid(h, (h->sharers | coh_bit(h->b_requester)) &
			     ~source_bit(h));
	end(h);
}

/* ---- messages to home ---- */

static void take_grant(struct coh_home *h, const struct coh_msg *m,
		       struct coh_out *out)
{
	if (h->busy != COH_BUSY_HOME_READ && h->busy != COH_BUSY_HOME_WRITE)
		return;
	if (m->from != h->b_source || m->epoch != h->b_epoch)
		return;
	if (!(m->flags & COH_DATA) || h->b_have_data || h->b_have_put)
		return;
	emit(out, COH_HOME_DATA);
	coh_home_got_data(h, out);
}

static void take_ack(struct coh_home *h, const struct coh_msg *m,
		     struct coh_out *out)
{
	if (h->busy != COH_BUSY_HOME_WRITE && h->busy != COH_BUSY_DISCARD)
		return;
	if (m->epoch != h->b_epoch || !(h->b_acks & coh_bit(m->from)))
		return;
	h->b_acks &= ~coh_bit(m->from);
	coh_home_end_if_complete(h, out);
}

static void take_done(struct coh_home *h, const struct coh_msg *m,
		      struct coh_out *out)
{
	if (h->busy == COH_BUSY_FWD && m->from == h->b_requester &&
	    m->epoch == h->b_epoch)
		commit_forward(h, out);
}

static void take_no_page(struct coh_home *h, u8 self, const struct coh_msg *m,
			 struct coh_out *out)
{
	if (!h->busy || m->from != h->b_source || m->epoch != h->b_epoch ||
	    h->b_have_data)
		return;
	if (!h->b_have_put)
		coh_home_source_failed(h, self, out);
	else if (h->busy != COH_BUSY_FWD)
		coh_home_got_data(h, out);
	else if (!is_lost(h, h->b_requester))
		coh_home_answer_forward(h, self, out);
}

/* Nothing is busy with the page: its owner or source gives it back. */
static void take_back(struct coh_home *h, u8 from, struct coh_out *out)
{
	if (h->owner != from || (h->state != COH_HOME_OWNED &&
				 h->state != COH_HOME_STALE))
		return;
	emit(out, COH_HOME_DATA);
	set_valid(h, h->sharers & ~coh_bit(from));
}

static void take_put(struct coh_home *h, const struct coh_msg *m,
		     struct coh_out *out)
{
	if (!(m->flags & COH_DATA))
		return;
	if (!h->busy) {
		take_back(h, m->from, out);
	} else if (m->from == h->b_source && !h->b_have_data &&
		   !h->b_have_put) {
		h->b_have_put = true;
		emit(out, COH_HOME_DATA);
	}
}

void coh_home_message(struct coh_home *h, u8 self, const struct coh_msg *m,
		      struct coh_out *out)
{
	if (!valid_msg(m, self) || (h->b_lost & coh_bit(m->from)))
		return;
	switch (m->type) {
	case COH_GET:
		coh_home_take_get(h, m);
		break;
	case COH_GRANT:
		take_grant(h, m, out);
		break;
	case COH_ACK:
		take_ack(h, m, out);
		break;
	case COH_DONE:
		take_done(h, m, out);
		break;
	case COH_NOPAGE:
		take_no_page(h, self, m, out);
		break;
	case COH_PUT:
		take_put(h, m, out);
		break;
	case COH_FLUSHED:
		if (m->requester == h->b_last_lost)
			h->b_flush &= ~coh_bit(m->from);
		break;
	}
	coh_home_settle(h, self, out);
}
