/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - moving messages between nodes
 *
 * A transport keeps one ordered link per pair of nodes.  Sending never fails
 * for want of room and never waits for the peer: messages are queued, and the
 * queue is written by whoever has the time.
 */
#ifndef _PROCSHARE_TRANSPORT_H
#define _PROCSHARE_TRANSPORT_H

#include <linux/list.h>
#include <linux/types.h>

#include "wire.h"

#define PROCSHARE_MAX_NODES	64

/**
 * struct procshare_msg - a message in host byte order, being sent or received
 * @node: link in a queue
 * @process: shared process id (home node in bits 32-39)
 * @thread: home's thread id or 0
 * @peer: to whom or from whom
 * @type: enum procshare_wire_type
 * @length: bytes in @body
 * @page: the page that travels along, or NULL; the message owns a reference
 * @body: wire format, checked by whoever interprets it
 */
struct procshare_msg {
	struct list_head node;
	u64 process;
	u32 thread;
	u8 peer;
	u8 type;
	u32 length;
	struct page *page;
	u8 body[] __aligned(8);
};

/* Free with procshare_msg_free(), which also drops the page. NULL if no memory. */
struct procshare_msg *procshare_msg_alloc(u8 type, size_t length, gfp_t gfp);
void procshare_msg_free(struct procshare_msg *msg);

/*
 * Take the message over and append it to the queue of the link to @node.  Any
 * context with interrupts on, spinlocks held included; a procshare_push() or
 * procshare_kick() must follow.  False, and the message is freed, when there is no
 * link; its loss is told by procshare_node_down() as well.
 */
bool procshare_queue(unsigned int node, struct procshare_msg *msg);
/* Write out what is queued, from this thread; may sleep for memory, never for the peer. */
void procshare_push(void);
/* The same from a worker: for callers that may not allocate (mmu notifiers). */
void procshare_kick(void);
/* procshare_queue() and procshare_push(). */
void procshare_send(unsigned int node, struct procshare_msg *msg);

/* Implemented by dispatch.c; called by the transport in the link's receive thread. */
void procshare_receive(struct procshare_msg *msg);
/* A link is up (HELLO has succeeded) / is gone for good; process context, may sleep. */
void procshare_node_up(unsigned int node);
void procshare_node_down(unsigned int node);
/* Once a second; process context. */
void procshare_tick(void);

#endif /* _PROCSHARE_TRANSPORT_H */
