// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - page coherence: home serves the next request for a page
 *
 * What can be answered with home's own copy, or with a message alone, is over at
 * once; everything else makes the entry busy.
 */
#include "coherence_home.h"

/* ---- whose turn it is ---- */

static bool must_pull(const struct coh_home *h)
{
	return h->state == COH_HOME_STALE && h->owner == COH_NO_NODE;
}

static bool home_valid(const struct coh_home *h)
{
	return h->state == COH_HOME_ALONE || h->state == COH_HOME_SHARED;
}

/*
 * Home's fault waits its turn, but not behind what needs home's page tables: it
 * holds locks that this may need.
 */
static bool home_is_next(const struct coh_home *h)
{
	return h->home_first || must_pull(h) || !h->queued ||
	       h->queue[0] == COH_NO_NODE || (h->home_want && home_valid(h));
}

u8 coh_home_head(const struct coh_home *h)
{
	return home_is_next(h) ? COH_NO_NODE : h->queue[0];
}

enum coh_next coh_home_next(const struct coh_home *h)
{
	if (h->busy || h->b_flush)
		return COH_NEXT_NONE;
	if (h->home_first || must_pull(h))
		return COH_NEXT_MESSAGES;
	if (!h->queued || h->discards)
		return COH_NEXT_NONE;
	if (home_is_next(h))
		return COH_NEXT_MESSAGES;
	if (h->hold || h->recalls)
		return COH_NEXT_NONE;
	return home_valid(h) ? COH_NEXT_COPY : COH_NEXT_MESSAGES;
}

/* ---- starting a transaction ---- */

static void send_fwd(u8 self, u8 to, u8 access, u8 requester, u64 epoch,
		     coh_set acks, struct coh_out *out)
{
	struct coh_msg *m = send(out, self, to, COH_FWD);

	m->access = access;
	m->requester = requester;
	m->epoch = epoch;
	m->acks = acks;
}

/* Every node of @set drops its copy and acknowledges to @requester. */
static void send_inv(u8 self, coh_set set, u8 requester, u64 epoch,
		     struct coh_out *out)
{
	struct coh_action *a;

	if (!set)
		return;
	a = emit(out, COH_SEND_SET);
	a->set = set;
	a->msg = (struct coh_msg){
		.type = COH_INV, .from = self, .to = COH_NO_NODE,
		.requester = requester, .epoch = epoch,
	};
}

static void begin(struct coh_home *h, enum coh_busy busy, u8 source,
		  coh_set acks, u64 epoch)
{
	h->busy = busy;
	h->b_source = source;
	h->b_acks = acks;
	h->b_epoch = epoch;
}

/* ---- home's own requests ---- */

static coh_set holders(const struct coh_home *h)
{
	return h->state == COH_HOME_OWNED ? coh_bit(h->owner) : h->sharers;
}

/* Home wants to read: the owner or source, or any sharer, sends the page. */
static void run_home_read(struct coh_home *h, u8 self, u64 epoch,
			  struct coh_out *out)
{
	u8 source = h->owner;

	if (must_pull(h))
		source = __builtin_ctzll(h->sharers);
	begin(h, COH_BUSY_HOME_READ, source, 0, epoch);
	send_fwd(self, source, COH_READ, self, epoch, 0, out);
}

static void run_home_write(struct coh_home *h, u8 self, u64 epoch,
			   struct coh_out *out)
{
	u8 source = home_valid(h) ? COH_NO_NODE : h->owner;
	coh_set others = holders(h);

	if (source != COH_NO_NODE) {
		others &= ~coh_bit(source);
		send_fwd(self, source, COH_WRITE, self, epoch, 0, out);
	}
	begin(h, COH_BUSY_HOME_WRITE, source, others, epoch);
	send_inv(self, others, self, epoch, out);
	coh_home_end_if_complete(h, out);
}

static void run_discard(struct coh_home *h, u8 self, u64 epoch,
			struct coh_out *out)
{
	begin(h, COH_BUSY_DISCARD, COH_NO_NODE, holders(h), epoch);
	send_inv(self, h->b_acks, self, epoch, out);
	coh_home_end_if_complete(h, out);
}

static void run_home(struct coh_home *h, u8 self, u64 epoch, u8 want,
		     bool eager, struct coh_out *out)
{
	if (h->state == COH_HOME_LOST)
		coh_home_got_nothing(h, out);
	else if (want & COH_WANT_WRITE || (eager && h->state == COH_HOME_OWNED))
		run_home_write(h, self, epoch, out);
	else if (home_valid(h))
		coh_home_got(h, COH_READ, out);
	else
		run_home_read(h, self, epoch, out);
}

/* ---- requests of remote nodes ---- */

/* A node's request while home's copy is valid. */
static void run_valid(struct coh_home *h, u8 self, u8 r, bool write, bool have,
		      u64 epoch, struct coh_out *out)
{
	coh_set others = h->sharers & ~coh_bit(r);
	u8 data = have && (h->sharers & coh_bit(r)) ? 0 : COH_DATA;

	if (!write) {
		emit(out, COH_HOME_WRPROTECT);
		send_grant(self, r, COH_READ, COH_DATA, epoch, 0, out);
		set_valid(h, h->sharers | coh_bit(r));
		return;
	}
	emit(out, COH_HOME_CLEAR);
	send_grant(self, r, COH_WRITE, data, epoch, others, out);
	send_inv(self, others, r, epoch, out);
	set_state(h, COH_HOME_OWNED, r, 0);
}

/* A node's request while another node has the page. */
static void run_forward(struct coh_home *h, u8 self, u8 r, bool write,
			u64 epoch, struct coh_out *out)
{
	u8 access = write ? COH_WRITE : COH_READ;
	u8 source = h->owner;
	coh_set others = 0;

	if (source == r) {
		send_error(self, r, access, out);
		return;
	}
	if (write && h->state == COH_HOME_STALE)
		others = h->sharers & ~(coh_bit(source) | coh_bit(r));
	begin(h, COH_BUSY_FWD, source, others, epoch);
	h->b_requester = r;
	h->b_access = access;
	send_fwd(self, source, access, r, epoch, others, out);
	send_inv(self, others, r, epoch, out);
}

/* A sharer that still has its copy wants to write; home's is stale. */
static void run_upgrade(struct coh_home *h, u8 self, u8 r, u64 epoch,
			struct coh_out *out)
{
	coh_set others = h->sharers & ~coh_bit(r);

	send_grant(self, r, COH_WRITE, 0, epoch, others, out);
	send_inv(self, others, r, epoch, out);
	set_state(h, COH_HOME_OWNED, r, 0);
}

static void run_remote(struct coh_home *h, u8 self, u8 r, u64 epoch,
		       bool eager, struct coh_out *out)
{
	bool write = h->want_write & coh_bit(r);
	bool have = h->have & coh_bit(r);

	if (eager && (h->state == COH_HOME_ALONE || h->state == COH_HOME_OWNED))
		write = true;
	coh_home_dequeue(h, r);
	if (h->state == COH_HOME_LOST)
		send_error(self, r, write ? COH_WRITE : COH_READ, out);
	else if (home_valid(h))
		run_valid(h, self, r, write, have, epoch, out);
	else if (write && have && (h->sharers & coh_bit(r)))
		run_upgrade(h, self, r, epoch, out);
	else
		run_forward(h, self, r, write, epoch, out);
}

/* ---- the next of all ---- */

void coh_home_run(struct coh_home *h, u8 self, u64 *epoch, bool eager,
		  struct coh_out *out)
{
	u8 r = coh_home_head(h);

	if (coh_home_next(h) == COH_NEXT_NONE)
		return;
	++*epoch;
	if (h->home_first & COH_WANT_DISCARD) {
		run_discard(h, self, *epoch, out);
	} else if (must_pull(h)) {
		run_home_read(h, self, *epoch, out);
	} else if (h->home_first) {
		run_home(h, self, *epoch, h->home_first, false, out);
	} else if (r == COH_NO_NODE) {
		coh_home_dequeue(h, r);
		run_home(h, self, *epoch, h->home_want, eager, out);
	} else {
		run_remote(h, self, r, *epoch, eager, out);
	}
}

void coh_home_refuse(struct coh_home *h, u8 self, struct coh_out *out)
{
	u8 r = coh_home_head(h);
	u8 access;

	if (r == COH_NO_NODE)
		return;
	access = h->want_write & coh_bit(r) ? COH_WRITE : COH_READ;
	coh_home_dequeue(h, r);
	send_error(self, r, access, out);
}
