/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - links: what the transport's own files share, and nobody else */
#ifndef _PROCSHARE_LINK_H
#define _PROCSHARE_LINK_H

#include <linux/kref.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "cpu_layout.h"
#include "transport.h"

struct crypto_shash;

#define PROCSHARE_REASON_MAX	80

/* A read that waits this long without a byte looks around and waits on. */
#define PROCSHARE_TICK		HZ
/*
 * A link that brings nothing, not even the answer to a PING, for so many ticks
 * is lost.  Eight seconds, because emulated nodes under a debugging kernel have
 * been seen to stand still for several.
 */
#define PROCSHARE_SILENT_TICKS	8
/* From the connection to the last PROOF. */
#define PROCSHARE_HELLO_TIMEOUT	(3 * HZ)

/* How far two clocks may drift apart in a tick: NTP turns them by so much. */
#define PROCSHARE_DRIFT_NS	500000

/* Messages that are handed to the transport at once. */
#define PROCSHARE_BATCH		8
/* Read ahead: a header and the body of all frequent messages, several times. */
#define PROCSHARE_AHEAD		512

struct procshare_link;

/**
 * struct procshare_transport - how bytes get from node to node
 * @name: for people
 * @listen: accept connections at @address from now on; an endpoint or ERR_PTR
 * @accept: wait for a connection; fills in link->endpoint. Fails for good with
 *          -EINVAL once the listener has been shut down.
 * @unlisten: make @accept fail, now and later
 * @close: release a listening endpoint
 * @open: fill in link->endpoint for a connection to the family of @address
 * @dial: connect what @open made; bounded, and cut short by @shutdown
 * @send: write from @from, which is advanced, as much as there is room for.
 *        If asked to wait, sleep a tick for room if there is none.  -EAGAIN if
 *        there was none, another error if the link is dead.
 * @receive: read @least to @most bytes, fewer after a tick without any. Bytes
 *           read, -EAGAIN for none, 0 at the end.
 * @finish: nothing more will be sent; what was sent still arrives
 * @shutdown: make all of the above fail soon, from any thread that may sleep
 * @release: free link->endpoint
 */
struct procshare_transport {
	const char *name;
	void *(*listen)(struct net *net, const struct sockaddr_storage *address);
	int (*accept)(void *listener, struct procshare_link *link);
	void (*unlisten)(void *listener);
	void (*close)(void *listener);
	int (*open)(struct procshare_link *link, struct net *net,
		    const struct sockaddr_storage *address);
	int (*dial)(struct procshare_link *link,
		    const struct sockaddr_storage *address);
	int (*send)(struct procshare_link *link, struct iov_iter *from, bool wait);
	int (*receive)(struct procshare_link *link, void *to, size_t least,
		       size_t most);
	void (*finish)(struct procshare_link *link);
	void (*shutdown)(struct procshare_link *link);
	void (*release)(struct procshare_link *link);
};

extern const struct procshare_transport procshare_tcp;

/**
 * struct procshare_link - one connection, from accept or dial to its end
 * @refs: the link's thread, the table of links, workers and threads in push
 * @rcu: queue() finds links under RCU
 * @transport: moves the bytes
 * @endpoint: the transport's own
 * @node: peer; known to the dialer at once, else from HELLO
 * @dialer: this side made the connection
 * @stop: the link shall end; set before transport->shutdown()
 * @address: the peer as the transport sees it, for people
 * @reason: why the link ended or was refused; the first one stays
 * @entry: in converse.c's list of all links
 * @xfeatures: from the peer's HELLO
 * @cpus: from the peer's HELLO
 * @clock_ahead: the peer's CLOCK_MONOTONIC minus ours, at least, in ns
 * @clock_known: @clock_ahead has been estimated
 *
 * @lock: protects @reason and the members up to @dead
 * @queue: messages that wait
 * @queued: bytes in @queue
 * @writing: somebody writes, alone, until it finds @queue empty; that somebody
 *           owns the batch
 * @dead: take no more messages
 *
 * @iter: what is left of the batch
 * @batch: messages being written, in order
 * @headers: of the batch
 * @vectors: header, body and page of each message of the batch
 * @out_sequence: of the next message
 * @messages_out: written by the owner of the batch, like @bytes_out
 * @bytes_out: bytes handed to the transport's send
 *
 * @deadline: jiffies by which HELLO must be through; 0 for no limit
 * @silent: ticks without a byte
 * @in_sequence: of the next message
 * @ahead_start: where unread bytes start in @ahead
 * @ahead_end: where they end
 * @ahead: bytes read ahead
 * @messages_in: written by the link's thread, like @bytes_in and @heard
 * @bytes_in: bytes that came, headers included
 * @heard: reads that brought something
 * @writer: takes over where a sender found no room
 * @stopper: ends the link for those who may not sleep
 * @reaper: frees it for them
 */
struct procshare_link {
	struct kref refs;
	struct rcu_head rcu;
	const struct procshare_transport *transport;
	void *endpoint;
	int node;
	bool dialer;
	bool stop;
	struct sockaddr_storage address;
	char reason[PROCSHARE_REASON_MAX];
	struct list_head entry;
	u64 xfeatures;
	struct node_cpus cpus;
	s64 clock_ahead;
	bool clock_known;

	spinlock_t lock; /* a leaf */
	struct list_head queue;
	size_t queued;
	bool writing;
	bool dead;

	struct iov_iter iter;
	struct list_head batch;
	struct procshare_wire_header headers[PROCSHARE_BATCH];
	struct kvec vectors[3 * PROCSHARE_BATCH];
	u32 out_sequence;
	u64 messages_out;
	u64 bytes_out;

	unsigned long deadline;
	unsigned int silent;
	u32 in_sequence;
	unsigned int ahead_start;
	unsigned int ahead_end;
	u8 ahead[PROCSHARE_AHEAD];
	u64 messages_in;
	u64 bytes_in;
	u64 heard;

	struct work_struct writer;
	struct work_struct stopper;
	struct work_struct reaper;
};

/* link.c */
struct procshare_link *procshare_link_alloc(const struct procshare_transport *transport);
/* The published link to @node, or NULL; valid under RCU. */
struct procshare_link *procshare_link_find(unsigned int node);
/* The same with a reference. */
struct procshare_link *procshare_link_get(unsigned int node);
void procshare_link_put(struct procshare_link *link);
/*
 * From now on procshare_queue() finds the link; and no longer.  Only then may
 * another link to the same node be published.
 */
void procshare_link_publish(struct procshare_link *link);
void procshare_link_unpublish(struct procshare_link *link);
/* End the link soon, for @reason unless there is one already.  May sleep. */
void procshare_link_stop(struct procshare_link *link, const char *reason);
void procshare_link_reason(struct procshare_link *link, const char *format, ...)
	__printf(2, 3);

/* transport.c */
/* Writes queues, and does for links what their users have no time for. */
extern struct workqueue_struct *procshare_writers;
/* link->writer: writes until the queue is empty; drops a reference. */
void procshare_link_work(struct work_struct *work);
/* The link takes no more messages; those that wait are freed. */
void procshare_link_kill(struct procshare_link *link);
/* Before a link is published: write one message now. */
int procshare_link_write(struct procshare_link *link, u8 type,
			 const void *body, size_t length);
/* Send a message without a body (PING, PONG) on this very link. */
void procshare_link_send(struct procshare_link *link, u8 type);
/* Is more waiting on the link than a peer that reads would leave? */
bool procshare_link_clogged(struct procshare_link *link);

/* message.c */
int procshare_messages_init(void);
void procshare_messages_exit(void);
/* Messages that exist, for leak checks. */
int procshare_messages_live(void);
void procshare_msg_free_all(struct list_head *list);
void procshare_header_make(struct procshare_wire_header *header,
			   const struct procshare_msg *msg, unsigned int sender,
			   u32 sequence);

/* receive.c */
/* Read exactly @length bytes; a negative error and a reason if that fails. */
int procshare_link_read(struct procshare_link *link, void *to, size_t length);
/* Receive until the link ends. */
void procshare_link_serve(struct procshare_link *link);
/* NULL if a peer that has passed HELLO may send this, else what is wrong. */
const char *procshare_header_check(const struct procshare_wire_header *header,
				   unsigned int sender, u32 sequence);

/* hello.c */
/* The linker script's: ELF notes, among them the build-id. */
extern const char __start_notes[], __stop_notes[];

void procshare_hello_init(void);
int procshare_hello_key(const void *key, size_t length);
void procshare_hello_forget(void);
/**
 * struct procshare_hello - the two HELLOs of one connection
 * @mine: sent
 * @theirs: received and checked
 */
struct procshare_hello {
	struct procshare_wire_hello mine;
	struct procshare_wire_hello theirs;
};

/* Exchange HELLOs: after it link->node is what the peer says it is. */
int procshare_hello_meet(struct procshare_link *link, struct procshare_hello *hello);
int procshare_hello_prove(struct procshare_link *link,
			  const struct procshare_hello *hello);
int procshare_hello_verify(struct procshare_link *link,
			   const struct procshare_hello *hello);
/* Tell the peer why, note it as the link's reason; returns -EACCES. */
int procshare_hello_refuse(struct procshare_link *link,
			   enum procshare_wire_refusal why);
/* Pure, for KUnit. */
void procshare_hello_make(struct procshare_wire_hello *hello, unsigned int node,
			  bool dialer);
enum procshare_wire_refusal
procshare_hello_check(const struct procshare_wire_hello *mine, const void *body,
		      size_t length);
int procshare_hello_mac(struct crypto_shash *hash, bool dialer,
			const struct procshare_wire_hello *dialers,
			const struct procshare_wire_hello *acceptors,
			u8 mac[PROCSHARE_WIRE_MAC]);

/* bench.c */
void procshare_echo_receive(struct procshare_msg *msg);
void procshare_echo_down(unsigned int node);

#endif /* _PROCSHARE_LINK_H */
