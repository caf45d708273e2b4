// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - page coherence: the machine of a remote node
 *
 * A page is I, S, O or M (enum coh_node_state).  A fault sends one GET and
 * makes the page *pending*; the grant makes it *granted* while acks are missing
 * (A) and then *holding* (N).  In A and N everything that home asks for is
 * deferred and later served in order of arrival.
 */
#include "coherence_private.h"

void coh_node_init(struct coh_node *n)
{
	*n = (struct coh_node){ .state = COH_I };
}

/* ---- faults and grants ---- */

static void send_get(const struct coh_node *n, u8 self, u8 home,
		     struct coh_out *out)
{
	struct coh_msg *m = send(out, self, home, COH_GET);

	m->access = n->pending;
	m->have = n->state == COH_I ? COH_NONE : COH_READ;
}

static void end_wait(struct coh_node *n)
{
	n->pending = COH_NONE;
	n->granted = false;
	n->need = 0;
	n->got = 0;
	n->lost = 0;
	n->got_epoch = 0;
	n->epoch = 0;
	n->inv_epoch = 0;
}

void coh_node_fault(struct coh_node *n, u8 self, u8 home,
		    enum coh_access access, struct coh_out *out)
{
	if (n->pending || coh_node_may(n, access))
		return;
	n->pending = access;
	send_get(n, self, home, out);
}

/* Installs what was granted once every ack has come. */
static void install_if_acked(struct coh_node *n, struct coh_out *out)
{
	if (!n->granted || (n->need & ~n->got))
		return;
	n->state = n->pending == COH_WRITE ? COH_M : COH_S;
	n->holding = true;
	emit(out, COH_INSTALL)->access = n->pending;
	emit(out, COH_WAKE);
	end_wait(n);
}

static void fail(struct coh_node *n, struct coh_out *out)
{
	end_wait(n);
	emit(out, COH_FAIL);
}

static void send_done(u8 self, u8 home, const struct coh_msg *grant,
		      struct coh_out *out)
{
	struct coh_msg *m = send(out, self, home, COH_DONE);

	m->epoch = grant->epoch;
	m->flags = grant->flags & COH_UNWRITTEN;
}

/* A read grant that an INV of a later transaction has overtaken is dead. */
static bool dead(const struct coh_node *n, const struct coh_msg *m)
{
	return m->access == COH_READ && m->epoch < n->inv_epoch;
}

static void store(const struct coh_node *n, struct coh_out *out)
{
	if (n->state != COH_I) {
		emit(out, COH_UNMAP);
		emit(out, COH_DROP);
	}
	emit(out, COH_STORE);
}

static void take_grant(struct coh_node *n, u8 self, const struct coh_msg *m,
		       struct coh_out *out)
{
	if (m->flags & COH_DATA)
		store(n, out);
	n->granted = true;
	n->pending = m->access;
	n->epoch = m->epoch;
	if (n->pending == COH_WRITE)
		n->need = m->acks & ~(n->lost | coh_bit(self));
	if (n->got_epoch != n->epoch)
		n->got = 0;
	install_if_acked(n, out);
}

static void grant(struct coh_node *n, u8 self, u8 home,
		  const struct coh_msg *m, struct coh_out *out)
{
	if (!n->pending || n->granted || m->access < n->pending ||
	    !valid_access(m->access))
		return;
	if (m->flags & COH_ERROR) {
		if (m->from == home)
			fail(n, out);
		return;
	}
	if (n->state == COH_I && !(m->flags & COH_DATA))
		return;
	if (m->from != home)
		send_done(self, home, m, out);
	if (dead(n, m))
		send_get(n, self, home, out);
	else
		take_grant(n, self, m, out);
}

/* Acks may precede the grant; only those with its epoch count. */
static void ack(struct coh_node *n, const struct coh_msg *m,
		struct coh_out *out)
{
	u64 epoch = n->granted ? n->epoch : n->got_epoch;

	if (n->pending != COH_WRITE || m->epoch < epoch)
		return;
	if (m->epoch > epoch) {
		if (n->granted)
			return;
		n->got = 0;
	}
	n->got_epoch = m->epoch;
	n->got |= coh_bit(m->from);
	install_if_acked(n, out);
}

/* ---- what home asks for ---- */

static void invalidate(struct coh_node *n, u8 self, const struct coh_msg *m,
		       struct coh_out *out)
{
	bool copy = n->state != COH_I;

	if (copy)
		emit(out, COH_UNMAP);
	send(out, self, m->requester, COH_ACK)->epoch = m->epoch;
	if (copy)
		emit(out, COH_DROP);
	n->state = COH_I;
	if (n->pending == COH_READ)
		n->inv_epoch = m->epoch;
}

static void send_page(u8 self, u8 home, const struct coh_msg *fwd,
		      struct coh_out *out)
{
	struct coh_msg *m = send(out, self, fwd->requester, COH_GRANT);

	m->access = fwd->access;
	m->flags = COH_DATA;
	if (fwd->requester != home)
		m->flags |= COH_THIRD;
	m->epoch = fwd->epoch;
	m->acks = fwd->acks;
}

static void forward_shared(struct coh_node *n, u8 self, u8 home,
			   const struct coh_msg *m, struct coh_out *out)
{
	emit(out, COH_WRPROTECT);
	send_page(self, home, m, out);
	n->state = m->requester == home ? COH_S : COH_O;
}

static void forward_exclusive(struct coh_node *n, u8 self, u8 home,
			      const struct coh_msg *m, struct coh_out *out)
{
	emit(out, COH_UNMAP);
	send_page(self, home, m, out);
	emit(out, COH_DROP);
	n->state = COH_I;
}

static void forward(struct coh_node *n, u8 self, u8 home,
		    const struct coh_msg *m, struct coh_out *out)
{
	if (n->state == COH_I)
		send(out, self, home, COH_NOPAGE)->epoch = m->epoch;
	else if (m->access == COH_WRITE)
		forward_exclusive(n, self, home, m, out);
	else
		forward_shared(n, self, home, m, out);
}

static void send_flushed(u8 self, u8 home, u8 lost, struct coh_out *out)
{
	send(out, self, home, COH_FLUSHED)->requester = lost;
}

static void serve(struct coh_node *n, u8 self, u8 home,
		  const struct coh_msg *m, struct coh_out *out)
{
	switch (m->type) {
	case COH_INV:
		invalidate(n, self, m, out);
		break;
	case COH_FWD:
		forward(n, self, home, m, out);
		break;
	case COH_LOST:
		send_flushed(self, home, m->requester, out);
		break;
	}
}

static bool deferring(const struct coh_node *n)
{
	return n->granted || n->holding || n->ndeferred;
}

static void defer(struct coh_node *n, const struct coh_msg *m)
{
	if (n->ndeferred < COH_MAX_DEFERRED)
		n->deferred[n->ndeferred++] = *m;
}

static void serve_or_defer(struct coh_node *n, u8 self, u8 home,
			   const struct coh_msg *m, struct coh_out *out)
{
	if (m->from != home || m->requester == self ||
	    !valid_node(m->requester))
		return;
	if (m->type == COH_FWD && !valid_access(m->access))
		return;
	if (deferring(n))
		defer(n, m);
	else
		serve(n, self, home, m, out);
}

void coh_node_message(struct coh_node *n, u8 self, u8 home,
		      const struct coh_msg *m, struct coh_out *out)
{
	if (!valid_msg(m, self))
		return;
	switch (m->type) {
	case COH_GRANT:
		grant(n, self, home, m, out);
		break;
	case COH_ACK:
		ack(n, m, out);
		break;
	case COH_INV:
	case COH_FWD:
		serve_or_defer(n, self, home, m, out);
		break;
	case COH_LOST:
		if (m->from == home)
			coh_node_lost(n, self, home, m->requester, out);
		break;
	}
}

void coh_node_release(struct coh_node *n, u8 self, u8 home, struct coh_out *out)
{
	unsigned int i;

	n->holding = false;
	if (n->granted)
		return;
	for (i = 0; i < n->ndeferred; i++)
		serve(n, self, home, &n->deferred[i], out);
	n->ndeferred = 0;
}

bool coh_node_put(struct coh_node *n, u8 self, u8 home, struct coh_out *out)
{
	struct coh_msg *m;

	if (n->state == COH_I || n->pending || deferring(n))
		return false;
	emit(out, COH_UNMAP);
	if (n->state != COH_S) {
		m = send(out, self, home, COH_PUT);
		m->flags = COH_DATA;
	}
	emit(out, COH_DROP);
	n->state = COH_I;
	return true;
}

/* ---- the loss of a node ---- */

/*
 * FLUSHED goes behind what is deferred.  Home serves nothing before it has
 * come, so that two marks are always neighbours, and only the last one counts.
 */
static void flush(struct coh_node *n, u8 self, u8 home, u8 lost,
		  struct coh_out *out)
{
	struct coh_msg mark = {
		.type = COH_LOST, .from = home, .to = self, .requester = lost,
	};

	if (!n->ndeferred)
		send_flushed(self, home, lost, out);
	else if (n->deferred[n->ndeferred - 1].type == COH_LOST)
		n->deferred[n->ndeferred - 1] = mark;
	else
		defer(n, &mark);
}

void coh_node_lost(struct coh_node *n, u8 self, u8 home, u8 lost,
		   struct coh_out *out)
{
	if (!valid_node(lost) || lost == self || lost == home)
		return;
	if (n->pending) {
		n->lost |= coh_bit(lost);
		n->need &= ~coh_bit(lost);
		install_if_acked(n, out);
	}
	flush(n, self, home, lost, out);
}

bool coh_node_idle(const struct coh_node *n)
{
	return n->state == COH_I && !n->pending && !deferring(n);
}
