/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - the node table, as the threads that keep the links up see it */
#ifndef _PROCSHARE_TABLE_H
#define _PROCSHARE_TABLE_H

#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "cluster.h"
#include "link.h"

/**
 * struct procshare_row - a row of the node table, under procshare_table
 * @configured: the row is in use
 * @removing: being deleted: no new links
 * @redial: the address has changed: dial at once
 * @dialing: the node has a dialing thread
 * @state: enum procshare_node_state
 * @address: where it listens
 * @reason: why it is not up
 * @link: who has claimed the row
 */
struct procshare_row {
	bool configured;
	bool removing;
	bool redial;
	bool dialing;
	u8 state;
	struct sockaddr_storage address;
	char reason[PROCSHARE_REASON_MAX];
	struct procshare_link *link;
};

/* table.c; see there for the locking. */
extern struct procshare_row procshare_rows[PROCSHARE_MAX_NODES];
extern spinlock_t procshare_table;
extern wait_queue_head_t procshare_changed;
/* No new links. */
extern bool procshare_closing;
void procshare_table_up(const struct procshare_link *link);
void procshare_table_down(const struct procshare_link *link);
/* This machine is node @id from now on, -1 for none. */
void procshare_table_become(int id);
void procshare_row_fill(unsigned int id, enum procshare_node_state state,
			const struct sockaddr_storage *address);
void procshare_row_clear(unsigned int id);
/* Nobody dials the node or has claimed its row. */
bool procshare_row_idle(const struct procshare_row *row);

/* address.c */
bool procshare_address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
/* Bring @from into the form that is kept: only what counts, port never 0. */
int procshare_address_take(struct sockaddr_storage *to, const struct sockaddr_storage *from,
			   struct netlink_ext_ack *extack);
/* Can no machine have it? */
bool procshare_address_nowhere(const struct sockaddr_storage *address);

/* converse.c: for connect.c, about the links of its threads. */
/* Into the list of links; false: the link must not be. */
bool procshare_link_enter(struct procshare_link *link);
/* An accepted connection stops being a stranger when its HELLO is through. */
void procshare_link_introduce(struct procshare_link *link);
/* The link's thread has finished; drops its reference. */
void procshare_link_depart(struct procshare_link *link);
/* From HELLO to the end; returns whether the link was up. */
bool procshare_link_converse(struct procshare_link *link);
/* Under procshare_table: the list of links is empty. */
bool procshare_links_gone(void);
/* Note why there is no link; true if that is news. */
bool procshare_row_note(int id, const char *reason);
/* End the links to @node, or all of them (-1), with those that shake hands. */
void procshare_links_stop(int node, const char *reason);

/* connect.c: all for cluster.c, one after the other. */
int procshare_listen(struct net *net, const struct sockaddr_storage *address);
int procshare_dial(unsigned int id);
/* No new connections, and an end to all there are. */
void procshare_links_close(void);
/* All threads have gone home; waited for under procshare_changed. */
bool procshare_links_idle(void);
void procshare_unlisten(void);

#endif /* _PROCSHARE_TABLE_H */
