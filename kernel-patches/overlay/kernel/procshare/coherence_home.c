// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - page coherence: the machine of the home node, the directory
 *
 * Requests of remote nodes and of home's own faults wait in one queue; home's
 * notifiers go before it.  A request is served in one step, or makes the entry
 * *busy* until the messages it waits for have come.  After the loss of a node
 * the entry is cleaned up once every survivor has answered FLUSHED.
 */
#include "coherence_private.h"

void coh_home_init(struct coh_home *h)
{
	*h = (struct coh_home){
		.owner = COH_NO_NODE,
		.b_requester = COH_NO_NODE,
		.b_source = COH_NO_NODE,
		.b_last_lost = COH_NO_NODE,
	};
}

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

static void dequeue(struct coh_home *h, u8 node)
{
	unsigned int i, n = 0;

	for (i = 0; i < h->queued; i++)
		if (h->queue[i] != node)
			h->queue[n++] = h->queue[i];
	h->queued = n;
	while (n < COH_MAX_NODES)
		h->queue[n++] = 0;
	if (node == COH_NO_NODE)
		return;
	h->want_write &= ~coh_bit(node);
	h->have &= ~coh_bit(node);
}

/* A request that was served in vain is served again before all others. */
static void enqueue_first(struct coh_home *h, u8 node)
{
	unsigned int i;

	if (h->queued == COH_MAX_NODES || queued(h, node))
		return;
	for (i = h->queued++; i > 0; i--)
		h->queue[i] = h->queue[i - 1];
	h->queue[0] = node;
}

static void take_get(struct coh_home *h, const struct coh_msg *m)
{
	if (!valid_access(m->access) || queued(h, m->from))
		return;
	enqueue(h, m->from);
	if (m->access == COH_WRITE)
		h->want_write |= coh_bit(m->from);
	if (m->have != COH_NONE)
		h->have |= coh_bit(m->from);
}

/* ---- messages ---- */

static void send_grant(u8 self, u8 to, u8 access, u8 flags, u64 epoch,
		       coh_set acks, struct coh_out *out)
{
	struct coh_msg *m = send(out, self, to, COH_GRANT);

	m->access = access;
	m->flags = flags;
	m->epoch = epoch;
	m->acks = acks;
}

static void send_error(u8 self, u8 to, u8 access, struct coh_out *out)
{
	send_grant(self, to, access, COH_ERROR, 0, 0, out);
}

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

/* ---- what home's own threads want ---- */

void coh_home_want(struct coh_home *h, u8 want, bool first)
{
	if (!first) {
		/*
		 * In front: the fault holds locks that the requests before it
		 * may need.  A remote one is served between any two of home's.
		 */
		h->home_want |= want & (COH_WANT_READ | COH_WANT_WRITE);
		enqueue_first(h, COH_NO_NODE);
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
		enqueue_first(h, COH_NO_NODE);
	else
		dequeue(h, COH_NO_NODE);
}

/* Home may now map the page for @access. */
static void home_got(struct coh_home *h, enum coh_access access,
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

/* The page is lost: whoever wants it at home looks at the entry. */
static void home_lost(struct coh_home *h, struct coh_out *out)
{
	h->home_first &= COH_WANT_DISCARD;
	h->home_want = 0;
	requeue_home(h);
	emit(out, COH_HOME_WAKE);
}

/* ---- ends of transactions ---- */

static void set_state(struct coh_home *h, enum coh_home_state state, u8 owner,
		      coh_set sharers)
{
	h->state = state;
	h->owner = owner;
	h->sharers = sharers;
}

/* Home's copy is valid and @sharers read along. */
static void set_valid(struct coh_home *h, coh_set sharers)
{
	set_state(h, sharers ? COH_HOME_SHARED : COH_HOME_ALONE, COH_NO_NODE,
		  sharers);
}

static void begin(struct coh_home *h, enum coh_busy busy, u8 source,
		  coh_set acks, u64 epoch)
{
	h->busy = busy;
	h->b_source = source;
	h->b_acks = acks;
	h->b_epoch = epoch;
}

static void end(struct coh_home *h)
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

static coh_set source_bit(const struct coh_home *h)
{
	return valid_node(h->b_source) ? coh_bit(h->b_source) : 0;
}

static bool is_lost(const struct coh_home *h, u8 node)
{
	return valid_node(node) && (h->b_lost & coh_bit(node));
}

static void end_home_read(struct coh_home *h, struct coh_out *out)
{
	coh_set sharers = h->sharers | source_bit(h);

	if (h->b_have_put)
		sharers &= ~source_bit(h);
	end(h);
	set_valid(h, sharers);
	home_got(h, COH_READ, out);
}

/* Home's write, or a discard, ends when data and acks have come. */
static void end_if_complete(struct coh_home *h, struct coh_out *out)
{
	bool write = h->busy == COH_BUSY_HOME_WRITE;

	if (!write && h->busy != COH_BUSY_DISCARD)
		return;
	if (h->b_acks || (h->b_source != COH_NO_NODE && !h->b_have_data))
		return;
	end(h);
	set_valid(h, 0);
	if (write) {
		home_got(h, COH_WRITE, out);
		return;
	}
	h->home_first &= ~COH_WANT_DISCARD;
	emit(out, COH_HOME_WAKE);
}

/* The page that home waited for has come. */
static void got_data(struct coh_home *h, struct coh_out *out)
{
	h->b_have_data = true;
	if (h->busy == COH_BUSY_HOME_READ)
		end_home_read(h, out);
	else
		end_if_complete(h, out);
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

/* The source gave the page back instead of forwarding it: home answers. */
static void answer_forward(struct coh_home *h, u8 self, struct coh_out *out)
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

/* ---- a source without the page ---- */

/* Puts the request of the busy transaction back, or refuses it. */
static void serve_again(struct coh_home *h, u8 self, struct coh_out *out)
{
	u8 requester = h->b_requester;

	if (h->busy == COH_BUSY_FWD && !is_lost(h, requester)) {
		if (h->b_access == COH_READ)
			enqueue_first(h, requester);
		else
			send_error(self, requester, COH_WRITE, out);
	}
	end(h);
	if (h->home_want)
		enqueue_first(h, COH_NO_NODE);
}

static void lose_page(struct coh_home *h, struct coh_out *out)
{
	set_state(h, COH_HOME_LOST, COH_NO_NODE, 0);
	home_lost(h, out);
}

/*
 * The source of the busy transaction will never answer, and home has no copy.
 * A reader may get the page from another sharer; for a writer these have been
 * invalidated.
 */
static void source_failed(struct coh_home *h, u8 self, struct coh_out *out)
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
	got_data(h, out);
}

static void take_ack(struct coh_home *h, const struct coh_msg *m,
		     struct coh_out *out)
{
	if (h->busy != COH_BUSY_HOME_WRITE && h->busy != COH_BUSY_DISCARD)
		return;
	if (m->epoch != h->b_epoch || !(h->b_acks & coh_bit(m->from)))
		return;
	h->b_acks &= ~coh_bit(m->from);
	end_if_complete(h, out);
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
		source_failed(h, self, out);
	else if (h->busy != COH_BUSY_FWD)
		got_data(h, out);
	else if (!is_lost(h, h->b_requester))
		answer_forward(h, self, out);
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

static void settle(struct coh_home *h, u8 self, struct coh_out *out);

void coh_home_message(struct coh_home *h, u8 self, const struct coh_msg *m,
		      struct coh_out *out)
{
	if (!valid_msg(m, self) || (h->b_lost & coh_bit(m->from)))
		return;
	switch (m->type) {
	case COH_GET:
		take_get(h, m);
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
	settle(h, self, out);
}

/* ---- serving ---- */

static bool must_pull(const struct coh_home *h)
{
	return h->state == COH_HOME_STALE && h->owner == COH_NO_NODE;
}

static bool home_valid(const struct coh_home *h)
{
	return h->state == COH_HOME_ALONE || h->state == COH_HOME_SHARED;
}

static bool home_is_next(const struct coh_home *h)
{
	return h->home_first || must_pull(h) || !h->queued ||
	       h->queue[0] == COH_NO_NODE;
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
	end_if_complete(h, out);
}

static void run_discard(struct coh_home *h, u8 self, u64 epoch,
			struct coh_out *out)
{
	begin(h, COH_BUSY_DISCARD, COH_NO_NODE, holders(h), epoch);
	send_inv(self, h->b_acks, self, epoch, out);
	end_if_complete(h, out);
}

static void run_home(struct coh_home *h, u8 self, u64 epoch, u8 want,
		     struct coh_out *out)
{
	if (h->state == COH_HOME_LOST)
		home_lost(h, out);
	else if (want & COH_WANT_WRITE)
		run_home_write(h, self, epoch, out);
	else if (home_valid(h))
		home_got(h, COH_READ, out);
	else
		run_home_read(h, self, epoch, out);
}

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
		       struct coh_out *out)
{
	bool write = h->want_write & coh_bit(r);
	bool have = h->have & coh_bit(r);

	dequeue(h, r);
	if (h->state == COH_HOME_LOST)
		send_error(self, r, write ? COH_WRITE : COH_READ, out);
	else if (home_valid(h))
		run_valid(h, self, r, write, have, epoch, out);
	else if (write && have && (h->sharers & coh_bit(r)))
		run_upgrade(h, self, r, epoch, out);
	else
		run_forward(h, self, r, write, epoch, out);
}

void coh_home_run(struct coh_home *h, u8 self, u64 *epoch, struct coh_out *out)
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
		run_home(h, self, *epoch, h->home_first, out);
	} else if (r == COH_NO_NODE) {
		dequeue(h, r);
		run_home(h, self, *epoch, h->home_want, out);
	} else {
		run_remote(h, self, r, *epoch, out);
	}
}

void coh_home_refuse(struct coh_home *h, u8 self, struct coh_out *out)
{
	u8 r = coh_home_head(h);
	u8 access;

	if (r == COH_NO_NODE)
		return;
	access = h->want_write & coh_bit(r) ? COH_WRITE : COH_READ;
	dequeue(h, r);
	send_error(self, r, access, out);
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
		source_failed(h, self, out);
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
		answer_forward(h, self, out);
	else
		source_failed(h, self, out);
}

static void settle_home(struct coh_home *h, u8 self, struct coh_out *out)
{
	h->b_acks &= ~h->b_lost;
	if (is_lost(h, h->b_source) && !h->b_have_data) {
		if (h->b_have_put)
			got_data(h, out);
		else
			source_failed(h, self, out);
	}
	end_if_complete(h, out);
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

/* All survivors have answered: decide what the loss means for this page. */
static void settle(struct coh_home *h, u8 self, struct coh_out *out)
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
	dequeue(h, lost);
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
	settle(h, self, out);
}

bool coh_home_idle(const struct coh_home *h)
{
	return h->state == COH_HOME_ALONE && !h->busy && !h->queued &&
	       !h->home_want && !h->home_first && !h->hold && !h->discards &&
	       !h->recalls && !h->b_lost;
}
