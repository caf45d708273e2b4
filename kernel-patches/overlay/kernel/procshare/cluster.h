/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - the node table: who is in the cluster, and how they are reached */
#ifndef _PROCSHARE_CLUSTER_H
#define _PROCSHARE_CLUSTER_H

#include <linux/socket.h>
#include <linux/types.h>
#include <uapi/linux/procshare.h>

#include "transport.h"

struct netlink_ext_ack;
struct node_cpus;

/**
 * struct procshare_node_info - one row of the node table
 * @id: node id, 0 .. PROCSHARE_MAX_NODES - 1
 * @state: enum procshare_node_state
 * @address: where it listens (IPv4 or IPv6, port included)
 * @reason: why it is down, for people; empty if it is not
 * @messages_out, @messages_in, @bytes_out, @bytes_in: on the link since it came up
 */
struct procshare_node_info {
	u8 id;
	u8 state;
	struct sockaddr_storage address;
	char reason[80];
	u64 messages_out;
	u64 messages_in;
	u64 bytes_out;
	u64 bytes_in;
};

/* This machine becomes node @id: starts listening.  Refused while joined. */
int procshare_cluster_join(unsigned int id, const struct sockaddr_storage *address,
			   const void *key, size_t key_length,
			   struct netlink_ext_ack *extack);
/* Closes every link and the listener, empties the table. Kills what is shared. */
int procshare_cluster_leave(struct netlink_ext_ack *extack);
int procshare_node_add(unsigned int id, const struct sockaddr_storage *address,
		       struct netlink_ext_ack *extack);
int procshare_node_set(unsigned int id, const struct sockaddr_storage *address,
		       struct netlink_ext_ack *extack);
int procshare_node_del(unsigned int id, struct netlink_ext_ack *extack);
/* The node with the smallest id > *id (start with -1); false at the end. */
bool procshare_node_next(int *id, struct procshare_node_info *info);

/* End the link to @node, which is dialled anew; procshare_node_down() follows. */
void procshare_node_disconnect(unsigned int node, const char *reason);
/* State components (XCR0 bits) that user mode may use on @node; 0 if not up. */
u64 procshare_node_xfeatures(unsigned int node);
/* The CPUs of @node, this one included; false if it is not up. */
bool procshare_node_cpus(unsigned int node, struct node_cpus *cpus);
/*
 * How far the peer's CLOCK_MONOTONIC is ahead of ours in ns: never more than the
 * truth, and less by the time of the quickest message.  False if not known yet.
 */
bool procshare_node_clock(unsigned int node, s64 *ahead);

/* This node's id, -1 if not joined. */
int procshare_self(void);
/* Nodes that are up, self included. */
u64 procshare_nodes_up(void);
/* For init.c, in subsys_initcall or later: nothing works before. */
int procshare_transport_init(void);

/**
 * procshare_echo - raw kernel-to-kernel round trips, for bench
 * @node: peer
 * @request: bytes of body to send, at most PROCSHARE_ECHO_SIZE_MAX
 * @reply: bytes of body to get back; 4096 travels as a page
 * @count: round trips
 * @window: requests under way at the same time, at most PROCSHARE_ECHO_WINDOW_MAX
 * @ns: @count durations
 * @total_ns: from the first request to the last reply
 * @extack: says what went wrong
 */
int procshare_echo(unsigned int node, size_t request, size_t reply,
		   unsigned int count, unsigned int window, u64 *ns,
		   u64 *total_ns, struct netlink_ext_ack *extack);

#endif /* _PROCSHARE_CLUSTER_H */
