/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - what the files of the home machine share, and nobody else */
#ifndef _PROCSHARE_COHERENCE_HOME_H
#define _PROCSHARE_COHERENCE_HOME_H

#include "coherence_private.h"

static inline void set_state(struct coh_home *h, enum coh_home_state state,
			     u8 owner, coh_set sharers)
{
	h->state = state;
	h->owner = owner;
	h->sharers = sharers;
}

/* Home's copy is valid and @sharers read along. */
static inline void set_valid(struct coh_home *h, coh_set sharers)
{
	set_state(h, sharers ? COH_HOME_SHARED : COH_HOME_ALONE, COH_NO_NODE,
		  sharers);
}

static inline void end(struct coh_home *h)
{
	h->busy = COH_IDLE;
	h->b_requester = COH_NO_NODE;
	h->b_source = COH_NO_NODE;
	h->b_access = COH_NONE;
	h->b_have_data = false;
	h->b_have_put = false;
	h->b_acks = 0;
	h->b_epoch = 0;
}

static inline coh_set source_bit(const struct coh_home *h)
{
	return valid_node(h->b_source) ? coh_bit(h->b_source) : 0;
}

static inline bool is_lost(const struct coh_home *h, u8 node)
{
	return valid_node(node) && (h->b_lost & coh_bit(node));
}

static inline void send_grant(u8 self, u8 to, u8 access, u8 flags, u64 epoch,
			      coh_set acks, struct coh_out *out)
{
	struct coh_msg *m = send(out, self, to, COH_GRANT);

	m->access = access;
	m->flags = flags;
	m->epoch = epoch;
	m->acks = acks;
}

static inline void send_error(u8 self, u8 to, u8 access, struct coh_out *out)
{
	send_grant(self, to, access, COH_ERROR, 0, 0, out);
}

/* coherence_home.c: ends of transactions */
/* Home's write, or a discard, ends if data and acks have come. */
void coh_home_end_if_complete(struct coh_home *h, struct coh_out *out);
/* The page that home waited for has come. */
void coh_home_got_data(struct coh_home *h, struct coh_out *out);
/* The source gave the page back instead of forwarding it: home answers. */
void coh_home_answer_forward(struct coh_home *h, u8 self, struct coh_out *out);

/* coherence_home_queue.c */
void coh_home_take_get(struct coh_home *h, const struct coh_msg *m);
void coh_home_dequeue(struct coh_home *h, u8 node);
/* A request that was served in vain is served again before all others. */
void coh_home_enqueue_first(struct coh_home *h, u8 node);
/* Home may now map the page for @access. */
void coh_home_got(struct coh_home *h, enum coh_access access,
		  struct coh_out *out);
/* The page is lost: whoever wants it at home looks at the entry. */
void coh_home_got_nothing(struct coh_home *h, struct coh_out *out);

/* coherence_home_loss.c */
/* The source of the busy transaction will never answer. */
void coh_home_source_failed(struct coh_home *h, u8 self, struct coh_out *out);
/* Once all survivors have answered: decide what the loss means for this page. */
void coh_home_settle(struct coh_home *h, u8 self, struct coh_out *out);

#endif /* _PROCSHARE_COHERENCE_HOME_H */
