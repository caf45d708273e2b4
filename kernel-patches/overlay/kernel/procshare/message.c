// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - messages: made, counted, freed; their header
 */

#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "link.h"

/* Most messages have a small body and come from a cache of their own. */
#define SMALL_BODY	320

static struct kmem_cache *small_messages;
static atomic_t live_messages = ATOMIC_INIT(0);

/* Pages that follow each other are not worth a search that the caller's link waits for. */
static struct procshare_msg *alloc_large(size_t size, gfp_t gfp)
{
	void *msg = kmalloc(size, (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN);

	if (!msg && gfpflags_allow_blocking(gfp))
		msg = __vmalloc(size, gfp);
	return msg;
}

struct procshare_msg *procshare_msg_alloc(u8 type, size_t length, gfp_t gfp)
{
	struct procshare_msg *msg;

	if (length > PROCSHARE_WIRE_BODY_MAX)
		return NULL;
	if (length <= SMALL_BODY)
		msg = kmem_cache_alloc(small_messages, gfp);
	else
		msg = alloc_large(struct_size(msg, body, length), gfp);
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
	/* Wherever this is: some are freed under a lock. */
	if (is_vmalloc_addr(msg))
		vfree_atomic(msg);
	else
		kfree(msg);
	atomic_dec(&live_messages);
}

int procshare_messages_live(void)
{
	return atomic_read(&live_messages);
}

void procshare_msg_free_all(struct list_head *list)
{
	struct procshare_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, node)
		procshare_msg_free(msg);
	INIT_LIST_HEAD(list);
}

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

int __init procshare_messages_init(void)
{
	/* User memory is copied into it and out of it: small reads and writes. */
	size_t body = offsetof(struct procshare_msg, body);

	small_messages = kmem_cache_create_usercopy("procshare_msg", body + SMALL_BODY,
						    __alignof__(struct procshare_msg),
						    SLAB_NO_MERGE, body, SMALL_BODY, NULL);
	return small_messages ? 0 : -ENOMEM;
}

void __init procshare_messages_exit(void)
{
	kmem_cache_destroy(small_messages);
}
