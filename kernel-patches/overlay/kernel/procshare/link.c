// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - links: a link's life, from its allocation to its last reference
 *
 * Locking: links[] is read under RCU and written by the link's own thread.
 * link->lock is a leaf and here protects the reason only.
 */

#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "link.h"

static struct procshare_link __rcu *links[PROCSHARE_MAX_NODES];

static void reap_link(struct work_struct *work)
{
	struct procshare_link *link = container_of(work, struct procshare_link, reaper);

	procshare_msg_free_all(&link->queue);
	procshare_msg_free_all(&link->batch);
	if (link->endpoint)
		link->transport->release(link);
	kfree_rcu(link, rcu);
}

/* Closing a connection may sleep, and the last reference may be anybody's. */
static void reap_later(struct kref *refs)
{
	struct procshare_link *link = container_of(refs, struct procshare_link, refs);

	queue_work(procshare_writers, &link->reaper);
}

void procshare_link_put(struct procshare_link *link)
{
	kref_put(&link->refs, reap_later);
}

struct procshare_link *procshare_link_find(unsigned int node)
{
	return rcu_dereference(links[node]);
}

struct procshare_link *procshare_link_get(unsigned int node)
{
	struct procshare_link *link = NULL;

	if (node >= PROCSHARE_MAX_NODES)
		return NULL;
	rcu_read_lock();
	link = procshare_link_find(node);
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

void procshare_link_unpublish(struct procshare_link *link)
{
	RCU_INIT_POINTER(links[link->node], NULL);
	procshare_link_kill(link);
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
	INIT_WORK(&link->writer, procshare_link_work);
	INIT_WORK(&link->stopper, stop_link);
	INIT_WORK(&link->reaper, reap_link);
	return link;
}
