// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - receiving: what comes in on a link, checked and handed on
 *
 * Locking: none.  The receiving half of a link belongs to the link's thread,
 * which never waits for room to send: what it answers is queued, and pushed out
 * together when nothing more is at hand.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "link.h"

/* So many messages are answered at most before the answers go out. */
#define MOST_UNSENT	8

/* A tick without a byte: is there still hope? */
static int endure(struct procshare_link *link)
{
	if (link->deadline)
		return 0;
	if (++link->silent < PROCSHARE_SILENT_TICKS)
		return 0;
	procshare_link_reason(link, "silent for %d s",
			      PROCSHARE_SILENT_TICKS * PROCSHARE_TICK / HZ);
	return -ETIMEDOUT;
}

static int receive(struct procshare_link *link, void *to, size_t least, size_t most)
{
	int n;

	/* It may take a while until there is something to receive. */
	procshare_push();
	n = link->transport->receive(link, to, least, most);
	if (READ_ONCE(link->stop))
		return -ESHUTDOWN;
	if (link->deadline && time_after(jiffies, link->deadline)) {
		procshare_link_reason(link, "no answer to HELLO");
		return -ETIMEDOUT;
	}
	if (n == -EAGAIN)
		return endure(link);
	if (n <= 0) {
		procshare_link_reason(link, n ? "connection broke (%d)" :
				      "connection closed by the peer", n);
		return n ?: -ECONNRESET;
	}
	link->silent = 0;
	WRITE_ONCE(link->heard, link->heard + 1);
	WRITE_ONCE(link->bytes_in, link->bytes_in + n);
	return n;
}

int procshare_link_read(struct procshare_link *link, void *to, size_t length)
{
	size_t n;
	int got;

	while (length) {
		n = min_t(size_t, length, link->ahead_end - link->ahead_start);
		if (n) {
			memcpy(to, link->ahead + link->ahead_start, n);
			link->ahead_start += n;
		} else if (length >= sizeof(link->ahead)) {
			got = receive(link, to, length, length);
			if (got < 0)
				return got;
			n = got;
		} else {
			got = receive(link, link->ahead, 1, sizeof(link->ahead));
			if (got < 0)
				return got;
			link->ahead_start = 0;
			link->ahead_end = got;
		}
		to += n;
		length -= n;
	}
	return 0;
}

static bool page_may_follow(u8 type)
{
	return type == PROCSHARE_WIRE_ECHO_REPLY || type == PROCSHARE_WIRE_COHERENCE;
}

const char *procshare_header_check(const struct procshare_wire_header *header,
				   unsigned int sender, u32 sequence)
{
	if (le32_to_cpu(header->sequence) != sequence)
		return "message out of sequence";
	if (le16_to_cpu(header->sender) != sender)
		return "message in another node's name";
	if (le32_to_cpu(header->length) > PROCSHARE_WIRE_BODY_MAX)
		return "message too long";
	if (!header->type || header->type >= PROCSHARE_WIRE_TYPES ||
	    (header->type > PROCSHARE_WIRE_ECHO_REPLY &&
	     header->type < PROCSHARE_WIRE_START))
		return "message of unknown type";
	if (header->type <= PROCSHARE_WIRE_PROOF)
		return "second HELLO";
	if (header->flags & ~PROCSHARE_WIRE_PAGE)
		return "message with unknown flags";
	if ((header->flags & PROCSHARE_WIRE_PAGE) && !page_may_follow(header->type))
		return "message with a page that it cannot have";
	return NULL;
}

static int read_body(struct procshare_link *link, struct procshare_msg *msg, bool page)
{
	int error = procshare_link_read(link, msg->body, msg->length);

	if (error || !page)
		return error;
	msg->page = alloc_page(GFP_HIGHUSER);
	if (!msg->page)
		return -ENOMEM;
	return procshare_link_read(link, page_address(msg->page), PAGE_SIZE);
}

static struct procshare_msg *read_message(struct procshare_link *link)
{
	struct procshare_wire_header header;
	struct procshare_msg *msg;
	const char *wrong;
	int error;

	error = procshare_link_read(link, &header, sizeof(header));
	if (error)
		return ERR_PTR(error);
	wrong = procshare_header_check(&header, link->node, link->in_sequence++);
	if (wrong) {
		procshare_link_reason(link, "%s", wrong);
		return ERR_PTR(-EPROTO);
	}
	msg = procshare_msg_alloc(header.type, le32_to_cpu(header.length), GFP_KERNEL);
	if (!msg)
		return ERR_PTR(-ENOMEM);
	msg->process = le64_to_cpu(header.process);
	msg->thread = le32_to_cpu(header.thread);
	msg->peer = link->node;
	error = read_body(link, msg, header.flags & PROCSHARE_WIRE_PAGE);
	if (error) {
		procshare_msg_free(msg);
		return ERR_PTR(error);
	}
	WRITE_ONCE(link->messages_in, link->messages_in + 1);
	return msg;
}

/*
 * The peer's clock is ahead of ours by at least what it said minus what we read
 * on arrival; the quickest message comes nearest.  What clocks drift apart in a
 * second is forgiven.
 */
static void read_clock(struct procshare_link *link, const struct procshare_msg *msg)
{
	const struct procshare_wire_ping *ping = (void *)msg->body;
	s64 ahead;

	if (msg->length != sizeof(*ping))
		return;
	ahead = le64_to_cpu(ping->monotonic) - ktime_get_ns();
	if (link->clock_known)
		ahead = max(ahead, link->clock_ahead - PROCSHARE_DRIFT_NS);
	WRITE_ONCE(link->clock_ahead, ahead);
	/* pairs with procshare_node_clock(): clock_ahead is valid */
	smp_store_release(&link->clock_known, true);
}

static int dispatch(struct procshare_link *link, struct procshare_msg *msg)
{
	switch (msg->type) {
	case PROCSHARE_WIRE_PING:
		read_clock(link, msg);
		procshare_msg_free(msg);
		if (!procshare_link_clogged(link))
			procshare_link_send(link, PROCSHARE_WIRE_PONG);
		return 0;
	case PROCSHARE_WIRE_PONG:
		read_clock(link, msg);
		procshare_msg_free(msg);
		return 0;
	case PROCSHARE_WIRE_REFUSE:
		procshare_msg_free(msg);
		procshare_link_reason(link, "the peer refused to go on");
		return -ECONNREFUSED;
	case PROCSHARE_WIRE_ECHO:
	case PROCSHARE_WIRE_ECHO_REPLY:
		procshare_echo_receive(msg);
		return 0;
	default:
		procshare_receive(msg);
		return 0;
	}
}

void procshare_link_serve(struct procshare_link *link)
{
	struct procshare_msg *msg;
	unsigned int n = 0;
	int error;

	/*
	 * As a threaded interrupt handler: threads all over the cluster wait for what
	 * is done here, real-time ones of this node too, and it is short.
	 */
	sched_set_fifo(current);
	do {
		msg = read_message(link);
		error = IS_ERR(msg) ? PTR_ERR(msg) : dispatch(link, msg);
		if (++n % MOST_UNSENT == 0)
			procshare_push();
	} while (!error);
	procshare_push();
	sched_set_normal(current, 0);
	if (error == -ENOMEM)
		procshare_link_reason(link, "out of memory");
}
