// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - moving messages: queues, and who writes them out
 *
 * Locking: links[] is read under RCU and written by the link's own thread.
 * link->lock is a leaf and protects the queue.  link->writing is handed around
 * under it: whoever sets it owns the batch and the right to send until it finds
 * the queue empty and clears it again, in one critical section; so a message is
 * either seen by the owner or by the sender that queued it.  Nothing sleeps
 * under link->lock.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "cluster.h"
#include "link.h"

/* Most messages have a small body and come from a cache of their own. */
#define SMALL_BODY	320
/* A sender writes so many batches before it leaves the rest to the worker. */
#define SENDER_BATCHES	8

static struct kmem_cache *small_messages;
static struct workqueue_struct *writers;
static atomic_t live_messages = ATOMIC_INIT(0);
static size_t queue_limit;

static struct procshare_link __rcu *links[PROCSHARE_MAX_NODES];
/* Nodes whose published link has messages and no writer. */
static atomic64_t waiting = ATOMIC64_INIT(0);

struct procshare_msg *procshare_msg_alloc(u8 type, size_t length, gfp_t gfp)
{
	struct procshare_msg *msg;

	if (length > PROCSHARE_WIRE_BODY_MAX)
		return NULL;
	if (length <= SMALL_BODY)
		msg = kmem_cache_alloc(small_messages, gfp);
	else
		msg = kmalloc(struct_size(msg, body, length), gfp);
	if (!msg)
		return NULL;
	memset(msg, 0, sizeof(*msg));
	INIT_LIST_HEAD(&msg->node);
	msg->type = type;
	msg->length = length;
	atomic_inc(&live_messages);
	return msg;
}

void procshare_msg_free(struct procshare_msg *msg)
{
	if (!msg)
		return;
	if (msg->page)
		put_page(msg->page);
	kfree(msg);
	atomic_dec(&live_messages);
}

/* Messages that exist, for leak checks. */
int procshare_messages_live(void)
{
	return atomic_read(&live_messages);
}

static void free_messages(struct list_head *list)
{
	struct procshare_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, node)
		procshare_msg_free(msg);
	INIT_LIST_HEAD(list);
}

static size_t wire_size(const struct procshare_msg *msg)
{
	return sizeof(struct procshare_wire_header) + msg->length +
	       (msg->page ? PAGE_SIZE : 0);
}

/* ---- a link's life ---- */

static void reap_link(struct work_struct *work)
{
	struct procshare_link *link = container_of(work, struct procshare_link, reaper);

	free_messages(&link->queue);
	free_messages(&link->batch);
	if (link->endpoint)
		link->transport->release(link);
	kfree_rcu(link, rcu);
}

/* Closing a connection may sleep, and the last reference may be anybody's. */
static void reap_later(struct kref *refs)
{
	struct procshare_link *link = container_of(refs, struct procshare_link, refs);

	queue_work(writers, &link->reaper);
}

void procshare_link_put(struct procshare_link *link)
{
	kref_put(&link->refs, reap_later);
}

struct procshare_link *procshare_link_get(unsigned int node)
{
	struct procshare_link *link = NULL;

	if (node >= PROCSHARE_MAX_NODES)
		return NULL;
	rcu_read_lock();
	link = rcu_dereference(links[node]);
	if (link && !kref_get_unless_zero(&link->refs))
		link = NULL;
	rcu_read_unlock();
	return link;
}

void procshare_link_publish(struct procshare_link *link)
{
	kref_get(&link->refs);
	rcu_assign_pointer(links[link->node], link);
}

/*
 * The link takes no more messages; those that wait are freed.  Its last writer
 * may come here when the node has another link, whose bit must stay as it is:
 * the bit is this link's only while there is a queue and no writer.
 */
static void kill(struct procshare_link *link)
{
	LIST_HEAD(doomed);

	spin_lock(&link->lock);
	link->dead = true;
	if (!link->writing && !list_empty(&link->queue))
		atomic64_andnot(BIT_ULL(link->node), &waiting);
	list_splice_init(&link->queue, &doomed);
	link->queued = 0;
	spin_unlock(&link->lock);
	free_messages(&doomed);
}

/* Only after this may another link to the same node be published. */
void procshare_link_unpublish(struct procshare_link *link)
{
	RCU_INIT_POINTER(links[link->node], NULL);
	kill(link);
	procshare_link_put(link);
}

void procshare_link_reason(struct procshare_link *link, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	spin_lock(&link->lock);
	if (!link->reason[0])
		vscnprintf(link->reason, sizeof(link->reason), format, arguments);
	spin_unlock(&link->lock);
	va_end(arguments);
}

void procshare_link_stop(struct procshare_link *link, const char *reason)
{
	procshare_link_reason(link, "%s", reason);
	WRITE_ONCE(link->stop, true);
	link->transport->shutdown(link);
}

static void stop_link(struct work_struct *work)
{
	struct procshare_link *link = container_of(work, struct procshare_link, stopper);

	procshare_link_stop(link, "does not read what it is sent");
	procshare_link_put(link);
}

/* ---- sending ---- */

void procshare_header_make(struct procshare_wire_header *header,
			   const struct procshare_msg *msg, unsigned int sender,
			   u32 sequence)
{
	header->length = cpu_to_le32(msg->length);
	header->type = msg->type;
	header->flags = msg->page ? PROCSHARE_WIRE_PAGE : 0;
	header->sender = cpu_to_le16(sender);
	header->process = cpu_to_le64(msg->process);
	header->thread = cpu_to_le32(msg->thread);
	header->sequence = cpu_to_le32(sequence);
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
		overflow = true;
		kref_get(&link->refs);
	}
	spin_unlock(&link->lock);
	if (overflow)
		queue_work(writers, &link->stopper);
	return true;
}

void procshare_queue(unsigned int node, struct procshare_msg *msg)
{
	struct procshare_link *link;
	bool taken = false;

	if (WARN_ON_ONCE(node >= PROCSHARE_MAX_NODES)) {
		procshare_msg_free(msg);
		return;
	}
	rcu_read_lock();
	link = rcu_dereference(links[node]);
	if (link)
		taken = append(link, msg);
	rcu_read_unlock();
	if (!taken)
		procshare_msg_free(msg);
}

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

	free_messages(&link->batch);
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
	kill(link);
	free_messages(&link->batch);
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
	if (WARN_ON_ONCE(!queue_work(writers, &link->writer)))
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

static void write_link(struct work_struct *work)
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
		error = link->transport->send(link, &iter, true);
		if (error && error != -EAGAIN)
			return error;
		if (READ_ONCE(link->stop))
			return -ESHUTDOWN;
		if (time_after(jiffies, link->deadline))
			return -ETIMEDOUT;
	}
	return 0;
}

struct procshare_link *procshare_link_alloc(const struct procshare_transport *transport)
{
	struct procshare_link *link = kzalloc(sizeof(*link), GFP_KERNEL);

	if (!link)
		return NULL;
	kref_init(&link->refs);
	link->transport = transport;
	link->node = -1;
	INIT_LIST_HEAD(&link->entry);
	spin_lock_init(&link->lock);
	INIT_LIST_HEAD(&link->queue);
	INIT_LIST_HEAD(&link->batch);
	INIT_WORK(&link->writer, write_link);
	INIT_WORK(&link->stopper, stop_link);
	INIT_WORK(&link->reaper, reap_link);
	return link;
}

int __init procshare_transport_init(void)
{
	BUILD_BUG_ON(PAGE_SIZE != PROCSHARE_WIRE_PAGE_SIZE);

	queue_limit = (size_t)totalram_pages() * PAGE_SIZE / 4;
	small_messages = kmem_cache_create("procshare_msg",
					   offsetof(struct procshare_msg, body[SMALL_BODY]),
					   __alignof__(struct procshare_msg),
					   SLAB_NO_MERGE, NULL);
	if (!small_messages)
		return -ENOMEM;
	writers = alloc_workqueue("procshare", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!writers) {
		kmem_cache_destroy(small_messages);
		return -ENOMEM;
	}
	procshare_hello_init();
	return 0;
}
