// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - moving messages: queues, and who writes them out
 *
 * Locking: link->lock is a leaf and protects the queue.  link->writing is handed
 * around under it: whoever sets it owns the batch and the right to send until it
 * finds the queue empty and clears it again, in one critical section; so a
 * message is either seen by the owner or by the sender that queued it.  Nothing
 * sleeps under link->lock.
 */

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>

#include "cluster.h"
#include "link.h"

/* A sender writes so many batches before it leaves the rest to the worker. */
#define SENDER_BATCHES	8

struct workqueue_struct *procshare_writers;
static size_t queue_limit;
/* Nodes whose published link has messages and no writer. */
static atomic64_t waiting = ATOMIC64_INIT(0);

/* ---- queues ---- */

static size_t wire_size(const struct procshare_msg *msg)
{
	return sizeof(struct procshare_wire_header) + msg->length +
	       (msg->page ? PAGE_SIZE : 0);
}

/* Append to the queue.  False: the link is dead, the message is the caller's. */
static bool append(struct procshare_link *link, struct procshare_msg *msg)
{
	bool overflow = false;

	spin_lock(&link->lock);
	if (link->dead) {
		spin_unlock(&link->lock);
		return false;
	}
	msg->peer = link->node;
	list_add_tail(&msg->node, &link->queue);
	link->queued += wire_size(msg);
	if (!link->writing)
		atomic64_or(BIT_ULL(link->node), &waiting);
	if (unlikely(link->queued > queue_limit)) {
		link->dead = true;
		/* Its writer gives up without waiting for the worker below. */
		WRITE_ONCE(link->stop, true);
		overflow = true;
		kref_get(&link->refs);
	}
	spin_unlock(&link->lock);
	if (overflow)
		queue_work(procshare_writers, &link->stopper);
	return true;
}

bool procshare_queue(unsigned int node, struct procshare_msg *msg)
{
	struct procshare_link *link;
	bool taken = false;

	if (WARN_ON_ONCE(node >= PROCSHARE_MAX_NODES)) {
		procshare_msg_free(msg);
		return false;
	}
	rcu_read_lock();
	link = procshare_link_find(node);
	if (link)
		taken = append(link, msg);
	rcu_read_unlock();
	if (!taken)
		procshare_msg_free(msg);
	return taken;
}

/*
 * The link takes no more messages; those that wait are freed.  Its last writer
 * may come here when the node has another link, whose bit must stay as it is:
 * the bit is this link's only while there is a queue and no writer.
 */
void procshare_link_kill(struct procshare_link *link)
{
	LIST_HEAD(doomed);

	spin_lock(&link->lock);
	link->dead = true;
	if (!link->writing && !list_empty(&link->queue))
		atomic64_andnot(BIT_ULL(link->node), &waiting);
	list_splice_init(&link->queue, &doomed);
	link->queued = 0;
	spin_unlock(&link->lock);
	procshare_msg_free_all(&doomed);
}

/* ---- writing them out ---- */

/* Become the link's writer, unless there is one or nothing to write. */
static bool take(struct procshare_link *link)
{
	bool taken = false;

	spin_lock(&link->lock);
	if (!link->writing && !list_empty(&link->queue)) {
		link->writing = true;
		atomic64_andnot(BIT_ULL(link->node), &waiting);
		taken = true;
	}
	spin_unlock(&link->lock);
	return taken;
}

static unsigned int add_vectors(struct kvec *vector, struct procshare_wire_header *header,
				struct procshare_msg *msg)
{
	unsigned int n = 0;

	vector[n].iov_base = header;
	vector[n++].iov_len = sizeof(*header);
	if (msg->length) {
		vector[n].iov_base = msg->body;
		vector[n++].iov_len = msg->length;
	}
	if (msg->page) {
		vector[n].iov_base = page_address(msg->page);
		vector[n++].iov_len = PAGE_SIZE;
	}
	return n;
}

/*
 * Writer only: the next messages become the batch.  If there are none, the
 * caller stops being the writer.
 */
static bool next_batch(struct procshare_link *link)
{
	struct procshare_msg *msg;
	unsigned int n = 0, vectors = 0;
	size_t size = 0;

	procshare_msg_free_all(&link->batch);
	spin_lock(&link->lock);
	while (n < PROCSHARE_BATCH && !list_empty(&link->queue)) {
		msg = list_first_entry(&link->queue, struct procshare_msg, node);
		list_move_tail(&msg->node, &link->batch);
		link->queued -= wire_size(msg);
		n++;
	}
	if (!n)
		link->writing = false;
	spin_unlock(&link->lock);
	if (!n)
		return false;

	n = 0;
	list_for_each_entry(msg, &link->batch, node) {
		procshare_header_make(&link->headers[n], msg, procshare_self(),
				      link->out_sequence++);
		vectors += add_vectors(&link->vectors[vectors],
				       &link->headers[n], msg);
		size += wire_size(msg);
		n++;
	}
	iov_iter_kvec(&link->iter, ITER_SOURCE, link->vectors, vectors, size);
	WRITE_ONCE(link->messages_out, link->messages_out + n);
	WRITE_ONCE(link->bytes_out, link->bytes_out + size);
	return true;
}

/* Writer only: the connection is gone.  Its thread learns it from shutdown. */
static void give_up(struct procshare_link *link, int error)
{
	procshare_link_reason(link, "sending failed (%d)", error);
	procshare_link_kill(link);
	procshare_msg_free_all(&link->batch);
	iov_iter_kvec(&link->iter, ITER_SOURCE, link->vectors, 0, 0);
	link->transport->shutdown(link);
	spin_lock(&link->lock);
	link->writing = false;
	spin_unlock(&link->lock);
}

/* Writer only: let the worker be the writer. */
static void hand_over(struct procshare_link *link)
{
	kref_get(&link->refs);
	if (WARN_ON_ONCE(!queue_work(procshare_writers, &link->writer)))
		procshare_link_put(link);
}

/*
 * Writer only: write until the queue is empty.  Without @wait hand over to the
 * worker when there is no room, or when others queue faster than this writes.
 */
static void write_out(struct procshare_link *link, bool wait)
{
	unsigned int batches = 0;
	int error;

	for (;;) {
		if (!iov_iter_count(&link->iter)) {
			if (!next_batch(link))
				return;
			if (!wait && ++batches > SENDER_BATCHES)
				break;
		}
		if (READ_ONCE(link->stop)) {
			give_up(link, -ESHUTDOWN);
			return;
		}
		error = link->transport->send(link, &link->iter, wait);
		if (error == -EAGAIN) {
			if (!wait)
				break;
		} else if (error) {
			give_up(link, error);
			return;
		}
	}
	hand_over(link);
}

void procshare_link_work(struct work_struct *work)
{
	struct procshare_link *link = container_of(work, struct procshare_link, writer);

	write_out(link, true);
	procshare_link_put(link);
}

static void write_waiting(bool now)
{
	u64 set = atomic64_read(&waiting);
	struct procshare_link *link;

	while (set) {
		link = procshare_link_get(__ffs64(set));
		set &= set - 1;
		if (!link)
			continue;
		if (take(link)) {
			if (now)
				write_out(link, false);
			else
				hand_over(link);
		}
		procshare_link_put(link);
	}
}

/* ---- sending ---- */

void procshare_push(void)
{
	might_sleep();
	write_waiting(true);
}

void procshare_kick(void)
{
	write_waiting(false);
}

void procshare_send(unsigned int node, struct procshare_msg *msg)
{
	procshare_queue(node, msg);
	procshare_push();
}

void procshare_link_send(struct procshare_link *link, u8 type)
{
	struct procshare_wire_ping *ping;
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(type, sizeof(*ping), GFP_KERNEL);
	if (!msg)
		return;
	ping = (void *)msg->body;
	ping->monotonic = cpu_to_le64(ktime_get_ns());
	if (!append(link, msg))
		procshare_msg_free(msg);
	procshare_push();
}

bool procshare_link_clogged(struct procshare_link *link)
{
	return READ_ONCE(link->queued) > SZ_1M;
}

int procshare_link_write(struct procshare_link *link, u8 type,
			 const void *body, size_t length)
{
	struct procshare_wire_header header;
	struct procshare_msg msg = { .type = type, .length = length };
	struct kvec vectors[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)body, .iov_len = length },
	};
	struct iov_iter iter;
	int error;

	procshare_header_make(&header, &msg, procshare_self(), link->out_sequence++);
	iov_iter_kvec(&iter, ITER_SOURCE, vectors, 2, sizeof(header) + length);
	while (iov_iter_count(&iter)) {
		if (READ_ONCE(link->stop))
			return -ESHUTDOWN;
		if (time_after(jiffies, link->deadline))
			return -ETIMEDOUT;
		error = link->transport->send(link, &iter, true);
		if (error && error != -EAGAIN)
			return error;
	}
	return 0;
}

int __init procshare_transport_init(void)
{
	BUILD_BUG_ON(PAGE_SIZE != PROCSHARE_WIRE_PAGE_SIZE);

	queue_limit = (size_t)totalram_pages() * PAGE_SIZE / 4;
	if (procshare_messages_init())
		return -ENOMEM;
	procshare_writers = alloc_workqueue("procshare", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!procshare_writers) {
		procshare_messages_exit();
		return -ENOMEM;
	}
	procshare_hello_init();
	return 0;
}
