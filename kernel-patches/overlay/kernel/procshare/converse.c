// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - conversations: a connection from HELLO to its end
 *
 * Its thread says HELLO, claims the node's row of the table, publishes the link,
 * receives until the link ends, and gives the row back after
 * procshare_node_down(): so a node is up at most once at any time, and comes up
 * again only when everybody has dealt with its loss.
 *
 * Locking: procshare_table (see table.c) protects all_links and strangers.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "table.h"

/* Connections whose HELLO is not through: all nodes at once, twice. */
#define STRANGERS_MAX	(2 * PROCSHARE_MAX_NODES)
/* A link that seems to be replaced has so long to prove that it works. */
#define PROBE_TIME	HZ
/* ... and what hangs on it so long to be cleared away. */
#define REPLACE_TIME	(5 * HZ)

static LIST_HEAD(all_links);
static unsigned int strangers;

static DEFINE_RATELIMIT_STATE(refusal_log, 60 * HZ, 20);

/* ---- the list of links ---- */

bool procshare_link_enter(struct procshare_link *link)
{
	bool welcome;

	spin_lock(&procshare_table);
	if (link->dialer)
		welcome = !procshare_rows[link->node].removing;
	else
		welcome = !procshare_closing && strangers < STRANGERS_MAX;
	if (welcome) {
		list_add(&link->entry, &all_links);
		strangers += !link->dialer;
	}
	spin_unlock(&procshare_table);
	if (!welcome && !link->dialer && !READ_ONCE(procshare_closing) &&
	    __ratelimit(&refusal_log))
		pr_warn("too many connections: one from %pISpc is closed\n",
			&link->address);
	return welcome;
}

void procshare_link_introduce(struct procshare_link *link)
{
	spin_lock(&procshare_table);
	strangers -= !link->dialer;
	spin_unlock(&procshare_table);
}

void procshare_link_depart(struct procshare_link *link)
{
	spin_lock(&procshare_table);
	list_del_init(&link->entry);
	spin_unlock(&procshare_table);
	wake_up_all(&procshare_changed);
	procshare_link_put(link);
}

void procshare_links_stop(int node, const char *reason)
{
	struct procshare_link *link, *found;

	do {
		found = NULL;
		spin_lock(&procshare_table);
		list_for_each_entry(link, &all_links, entry) {
			if (READ_ONCE(link->stop) ||
			    (node >= 0 && READ_ONCE(link->node) != node))
				continue;
			kref_get(&link->refs);
			found = link;
			break;
		}
		spin_unlock(&procshare_table);
		if (found) {
			procshare_link_stop(found, reason);
			procshare_link_put(found);
		}
	} while (found);
}

bool procshare_links_gone(void)
{
	return list_empty(&all_links);
}

/* ---- one link, from HELLO to its end ---- */

static enum procshare_wire_refusal try_claim(struct procshare_link *link)
{
	struct procshare_row *row = &procshare_rows[link->node];
	enum procshare_wire_refusal why = PROCSHARE_REFUSE_NOT;

	spin_lock(&procshare_table);
	if (procshare_closing)
		why = PROCSHARE_REFUSE_LEAVING;
	else if (!row->configured || row->removing)
		why = PROCSHARE_REFUSE_UNKNOWN_ID;
	else if (row->link)
		why = PROCSHARE_REFUSE_CONNECTED;
	else
		row->link = link;
	spin_unlock(&procshare_table);
	return why;
}

static void give_back(struct procshare_link *link)
{
	spin_lock(&procshare_table);
	procshare_rows[link->node].link = NULL;
	spin_unlock(&procshare_table);
	wake_up_all(&procshare_changed);
}

/* A peer that connects twice has lost its first link, or there are two of it. */
static bool make_way(unsigned int id)
{
	struct procshare_row *row = &procshare_rows[id];
	struct procshare_link *old = procshare_link_get(id);
	bool alive;
	u64 heard;

	if (old) {
		heard = READ_ONCE(old->heard);
		procshare_link_send(old, PROCSHARE_WIRE_PING);
		wait_event_interruptible_timeout(procshare_changed, READ_ONCE(row->link) != old,
						 PROBE_TIME);
		alive = READ_ONCE(old->heard) != heard && READ_ONCE(row->link) == old;
		if (!alive)
			procshare_link_stop(old, "replaced by a new connection");
		procshare_link_put(old);
		if (alive)
			return false;
	}
	return wait_event_interruptible_timeout(procshare_changed, !READ_ONCE(row->link),
						REPLACE_TIME) > 0;
}

static int claim(struct procshare_link *link)
{
	enum procshare_wire_refusal why = try_claim(link);

	if (why == PROCSHARE_REFUSE_CONNECTED && make_way(link->node))
		why = try_claim(link);
	return why ? procshare_hello_refuse(link, why) : 0;
}

/* The dialer proves first, so that it learns of all refusals before it is up. */
static int greet(struct procshare_link *link)
{
	struct procshare_hello hello;
	int error;

	error = procshare_hello_meet(link, &hello);
	if (error)
		return error;
	if (link->dialer) {
		error = procshare_hello_prove(link, &hello) ?:
			procshare_hello_verify(link, &hello);
		return error ?: claim(link);
	}
	error = procshare_hello_verify(link, &hello) ?: claim(link);
	if (error)
		return error;
	error = procshare_hello_prove(link, &hello);
	if (error)
		give_back(link);
	return error;
}

bool procshare_row_note(int id, const char *reason)
{
	struct procshare_row *row;
	bool news;

	if (id < 0)
		return true;
	row = &procshare_rows[id];
	spin_lock(&procshare_table);
	news = strcmp(row->reason, reason);
	if (!row->configured || row->state == PROCSHARE_NODE_SELF)
		news = true;
	else if (row->link)
		news = false;
	else if (news)
		strscpy(row->reason, reason, sizeof(row->reason));
	spin_unlock(&procshare_table);
	return news;
}

static void explain(struct procshare_link *link, int error)
{
	procshare_link_reason(link, "HELLO failed (%d)", error);
	if (!procshare_row_note(link->node, link->reason) || READ_ONCE(link->stop))
		return;
	/* The other side is just not ready yet, or is leaving. */
	if (error == -ECONNRESET)
		return;
	if (!__ratelimit(&refusal_log))
		return;
	if (link->node >= 0)
		pr_warn("node %d (%pISpc) %s\n", link->node, &link->address, link->reason);
	else
		pr_warn("somebody (%pISpc) %s\n", &link->address, link->reason);
}

static void come_up(struct procshare_link *link)
{
	char name[TASK_COMM_LEN];

	snprintf(name, sizeof(name), "procshare/%d", link->node);
	set_task_comm(current, name);
	link->deadline = 0;
	procshare_link_publish(link);
	procshare_table_up(link);
	pr_info("node %d (%pISpc) is up\n", link->node, &link->address);
	procshare_node_up(link->node);
}

static void go_down(struct procshare_link *link)
{
	procshare_link_stop(link, "lost");
	procshare_table_down(link);
	procshare_link_unpublish(link);
	pr_info("node %d (%pISpc) is down: %s\n", link->node, &link->address, link->reason);
	procshare_echo_down(link->node);
	procshare_node_down(link->node);
	give_back(link);
}

bool procshare_link_converse(struct procshare_link *link)
{
	int error = greet(link);

	procshare_link_introduce(link);
	if (error) {
		explain(link, error);
		return false;
	}
	come_up(link);
	procshare_link_serve(link);
	go_down(link);
	return true;
}
