// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_zero: memory that nobody has touched is asked for in blocks
 *
 * Whoever touches such a page is likely to touch its neighbours, and they cost home
 * nothing.  A request is as good as a fault to write for each page, except that a
 * refusal sends nobody home.  It may leave a little after the page's machine has made
 * it: until the grant, a page that is waited for answers like one that is not there.
 */

#include <linux/mm.h>

#include "cluster.h"
#include "shadow.h"
#include "zero_message.h"

/* Where only one of so many is used, blocks are asked for once in so many times. */
#define FEW	16
#define SELDOM	16
/* The count forgets; it begins with the benefit of the doubt. */
#define MEMORY	4096
#define DOUBT	(MEMORY / FEW)

void shadow_zero_init(struct shadow *s)
{
	s->zero.used = DOUBT;
}

/*
 * Nobody has the page here, nor waits for it: make its machine ask for it, if it may be
 * untouched; a page that is not is asked for in a message of its own, or not at all.
 */
static bool ask_for(struct shadow *s, unsigned long address, enum coh_access otherwise)
{
	struct shadow_page *sp = shadow_page_get(s, address);
	struct coh_out out __uninitialized;
	bool idle, asked;

	if (!sp || !rt_mutex_trylock(&sp->lock))
		return false;
	idle = shadow_page_is_idle(sp);
	asked = idle && !sp->zero_refused;
	if (idle && !asked && otherwise != COH_NONE)
		shadow_page_request_ahead(sp, otherwise);
	if (asked) {
		sp->guessed = true;
		sp->zero_asked = true;
		coh_out_init(&out);
		/* It is to send a GET: the one of the block. */
		coh_node_fault(&sp->coh, procshare_self(), s->home, COH_WRITE, &out);
	}
	rt_mutex_unlock(&sp->lock);
	return asked;
}

static void send_block(struct shadow *s, const struct zero_block *b)
{
	struct procshare_msg *msg;

	msg = zero_message_alloc(s->id, PROCSHARE_WIRE_GET_ZERO);
	if (!msg) {
		shadow_kill(s, "no memory for a page message");
		return;
	}
	zero_message_fill(msg, b);
	procshare_queue(s->home, msg);
	spin_lock(&s->lock);
	s->zero.asked += hweight64(b->pages);
	if (s->zero.asked > MEMORY) {
		s->zero.asked /= 2;
		s->zero.used /= 2;
	}
	spin_unlock(&s->lock);
}

/*
 * Ask for @count pages from number @page on, and for those that are known to be not
 * untouched with the access @otherwise; the caller pushes the requests out.
 */
void shadow_zero_ask(struct shadow *s, unsigned long page, unsigned int count,
		     enum coh_access otherwise)
{
	unsigned long end = min(page + count, TASK_SIZE_MAX >> PAGE_SHIFT);

	while (page < end) {
		unsigned long first = round_down(page, PROCSHARE_WIRE_ZERO_PAGES);
		struct zero_block b = { .address = first << PAGE_SHIFT };

		for (; page < end && page - first < PROCSHARE_WIRE_ZERO_PAGES; page++)
			if (ask_for(s, page << PAGE_SHIFT, otherwise))
				b.pages |= BIT_ULL(page - first);
		if (b.pages)
			send_block(s, &b);
	}
}

/* Have blocks been of use lately?  Where not, they are tried seldom. */
static bool worth_it(struct shadow *s)
{
	bool worth;

	spin_lock(&s->lock);
	worth = s->zero.used * FEW >= s->zero.asked || ++s->zero.seldom % SELDOM == 0;
	spin_unlock(&s->lock);
	return worth;
}

static bool ask_around(struct shadow *s, unsigned long address)
{
	if (!worth_it(s))
		return false;
	shadow_zero_ask(s, round_down(address >> PAGE_SHIFT, PROCSHARE_WIRE_ZERO_PAGES),
			PROCSHARE_WIRE_ZERO_PAGES, COH_NONE);
	return true;
}

/*
 * current is going to wait for a page, and the last one that it waited for was
 * untouched: this one may be, too, and those beside it.  The caller pushes the
 * requests out.
 */
void shadow_zero_guess(struct shadow_thread *st, unsigned long address)
{
	if (!st->untouched)
		return;
	/* What is waited for does not wait for these. */
	procshare_push();
	ask_around(st->shadow, address);
}

/*
 * current has been given a page, @fresh or not, for which it has waited.  If not, that
 * was a block's merit.
 */
void shadow_zero_learn(struct shadow_thread *st, unsigned long address, bool fresh,
		       bool waited)
{
	struct shadow *s = st->shadow;

	if (waited) {
		if (fresh && !st->untouched && ask_around(s, address))
			procshare_push();
		st->untouched = fresh;
	} else if (fresh) {
		spin_lock(&s->lock);
		s->zero.used++;
		spin_unlock(&s->lock);
	}
}

/* GRANT_ZERO. */
void shadow_zero_message(struct shadow *s, struct procshare_msg *msg)
{
	struct coh_msg m = {
		.type = COH_GRANT, .from = s->home, .to = procshare_self(),
		.access = COH_WRITE,
	};
	struct page_area area = {};
	struct shadow_page *sp;
	struct zero_block b;
	unsigned int i;

	if (!zero_message_unpack(msg, &b)) {
		procshare_msg_free(msg);
		return;
	}
	area.prot = b.prot;
	m.epoch = b.epoch;
	for (i = 0; i < PROCSHARE_WIRE_ZERO_PAGES; i++) {
		bool granted = b.granted & BIT_ULL(i);

		if (!(b.pages & BIT_ULL(i)))
			continue;
		m.flags = granted ? COH_DATA : COH_ERROR;
		sp = xa_load(&s->pages, (b.address >> PAGE_SHIFT) + i);
		if (sp)
			shadow_page_deliver(sp, &m, &area, msg);
		m.epoch += granted;
	}
	procshare_msg_free(msg);
}
