// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - bench: raw round trips between kernels
 *
 * The figure that page faults are compared with, so it takes the same way: a
 * waiter sends and sleeps, the link's thread receives the reply and wakes it.
 * With several requests under way the replies tell what the transport can move.
 *
 * Locking: echoes_lock protects the list and everything in it but @done.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/spinlock.h>

#include "cluster.h"
#include "link.h"

/* A round trip that takes longer is given up. */
#define PATIENCE	(10 * HZ)

/**
 * struct echo - one caller of procshare_echo(), on its stack
 * @entry: in echoes
 * @node: who is asked
 * @id: of the first request
 * @count: of requests, their ids follow each other
 * @window: how many of them are under way at the same time
 * @length: bytes of body that a reply must have
 * @page: a reply must bring a page
 * @lost: the node is gone
 * @done: completed by every reply, and by the loss of the node
 */
struct echo {
	struct list_head entry;
	unsigned int node;
	u32 id;
	u32 count;
	u32 window;
	u32 length;
	bool page;
	bool lost;
	struct completion done;
};

static LIST_HEAD(echoes);
static DEFINE_SPINLOCK(echoes_lock);
/* Requests of all callers together; their replies must not clog a link. */
static unsigned int under_way;
static u32 next_id;

static size_t body_size(size_t wanted)
{
	if (wanted == PAGE_SIZE)
		wanted = 0;
	return max(wanted, sizeof(struct procshare_wire_echo));
}

static struct procshare_msg *make(u8 type, size_t length, u32 id, u32 reply)
{
	struct procshare_msg *msg = procshare_msg_alloc(type, length, GFP_KERNEL);
	struct procshare_wire_echo *body;

	if (!msg)
		return NULL;
	memset(msg->body, 0, length);
	body = (struct procshare_wire_echo *)msg->body;
	body->id = cpu_to_le32(id);
	body->reply = cpu_to_le32(reply);
	return msg;
}

/* In the peer: answer, unless it does not read its answers. */
static void answer(const struct procshare_msg *request)
{
	const struct procshare_wire_echo *body = (const void *)request->body;
	struct procshare_link *link = procshare_link_get(request->peer);
	size_t reply = le32_to_cpu(body->reply);
	struct procshare_msg *msg;

	if (!link)
		return;
	if (reply > PROCSHARE_ECHO_SIZE_MAX || procshare_link_clogged(link))
		goto put;
	msg = make(PROCSHARE_WIRE_ECHO_REPLY, body_size(reply), le32_to_cpu(body->id), 0);
	if (!msg)
		goto put;
	if (reply == PAGE_SIZE) {
		msg->page = ZERO_PAGE(0);
		get_page(msg->page);
	}
	/* The link's thread pushes it out with whatever else it answers. */
	procshare_queue(request->peer, msg);
put:
	procshare_link_put(link);
}

static void finish(const struct procshare_msg *reply)
{
	const struct procshare_wire_echo *body = (const void *)reply->body;
	struct echo *echo;

	spin_lock(&echoes_lock);
	list_for_each_entry(echo, &echoes, entry) {
		if (echo->node != reply->peer ||
		    le32_to_cpu(body->id) - echo->id >= echo->count)
			continue;
		if (echo->length == reply->length && echo->page == !!reply->page)
			complete(&echo->done);
		break;
	}
	spin_unlock(&echoes_lock);
}

/* From the link's thread; takes the message over. */
void procshare_echo_receive(struct procshare_msg *msg)
{
	if (msg->length < sizeof(struct procshare_wire_echo))
		pr_debug("node %u sent a short echo\n", msg->peer);
	else if (msg->type == PROCSHARE_WIRE_ECHO)
		answer(msg);
	else
		finish(msg);
	procshare_msg_free(msg);
}

/* The link to @node is gone: nobody will answer. */
void procshare_echo_down(unsigned int node)
{
	struct echo *echo;

	spin_lock(&echoes_lock);
	list_for_each_entry(echo, &echoes, entry)
		if (echo->node == node) {
			WRITE_ONCE(echo->lost, true);
			complete_all(&echo->done);
		}
	spin_unlock(&echoes_lock);
}

/* The caller pushes. */
static int send_request(const struct echo *echo, u32 i, size_t length, size_t reply)
{
	struct procshare_msg *msg;

	msg = make(PROCSHARE_WIRE_ECHO, max(length, sizeof(struct procshare_wire_echo)),
		   echo->id + i, reply);
	if (!msg)
		return -ENOMEM;
	/* Not queued, or told by procshare_echo_down(): never both missed. */
	if (!(procshare_nodes_up() & BIT_ULL(echo->node))) {
		procshare_msg_free(msg);
		return -ENOTCONN;
	}
	procshare_queue(echo->node, msg);
	return 0;
}

static int wait(struct echo *echo)
{
	long left;

	procshare_push();
	left = wait_for_completion_killable_timeout(&echo->done, PATIENCE);
	if (left < 0)
		return -EINTR;
	if (READ_ONCE(echo->lost))
		return -ENOTCONN;
	return left ? 0 : -ETIMEDOUT;
}

/* On a link replies keep the order of their requests. */
static int round_trips(struct echo *echo, size_t length, size_t reply, u64 *ns)
{
	u32 sent = 0, i;
	int error = 0;

	for (i = 0; i < echo->count && !error; i++) {
		while (sent < min(i + echo->window, echo->count) && !error) {
			ns[sent] = ktime_get_ns();
			error = send_request(echo, sent++, length, reply);
		}
		error = error ?: wait(echo);
		ns[i] = ktime_get_ns() - ns[i];
	}
	return error;
}

static int enter(struct echo *echo)
{
	int error = 0;

	spin_lock(&echoes_lock);
	if (under_way + echo->window <= PROCSHARE_ECHO_WINDOW_MAX) {
		under_way += echo->window;
		echo->id = next_id;
		next_id += echo->count;
		list_add(&echo->entry, &echoes);
	} else {
		error = -EBUSY;
	}
	spin_unlock(&echoes_lock);
	return error;
}

static void leave(struct echo *echo)
{
	spin_lock(&echoes_lock);
	under_way -= echo->window;
	list_del(&echo->entry);
	spin_unlock(&echoes_lock);
}

static int check(unsigned int node, size_t request, size_t reply,
		 struct netlink_ext_ack *extack)
{
	if (node >= PROCSHARE_MAX_NODES || !(procshare_nodes_up() & BIT_ULL(node))) {
		NL_SET_ERR_MSG_FMT(extack, "node %u is not up", node);
		return -ENOTCONN;
	}
	if (node == procshare_self()) {
		NL_SET_ERR_MSG_FMT(extack, "node %u is this node: name another one", node);
		return -EINVAL;
	}
	if (request > PROCSHARE_ECHO_SIZE_MAX || reply > PROCSHARE_ECHO_SIZE_MAX) {
		NL_SET_ERR_MSG_FMT(extack, "sizes go up to %u bytes", PROCSHARE_ECHO_SIZE_MAX);
		return -EMSGSIZE;
	}
	return 0;
}

int procshare_echo(unsigned int node, size_t request, size_t reply,
		   unsigned int count, unsigned int window, u64 *ns,
		   u64 *total_ns, struct netlink_ext_ack *extack)
{
	struct echo echo = {
		.node = node,
		.count = count,
		.window = window,
		.length = body_size(reply),
		.page = reply == PAGE_SIZE,
	};
	ktime_t start;
	int error;

	error = check(node, request, reply, extack);
	if (error)
		return error;
	init_completion(&echo.done);
	error = enter(&echo);
	if (error) {
		NL_SET_ERR_MSG(extack, "other benchmarks run already: try later");
		return error;
	}
	start = ktime_get();
	error = round_trips(&echo, request, reply, ns);
	*total_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	leave(&echo);
	if (error == -ENOTCONN)
		NL_SET_ERR_MSG_FMT(extack, "node %u was lost meanwhile", node);
	else if (error == -ETIMEDOUT)
		NL_SET_ERR_MSG_FMT(extack, "node %u does not answer", node);
	return error;
}
