// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - connections: accepted, dialled, and dialled again
 *
 * Threads: one accepts connections, each accepted one gets a thread that lives
 * as long as it, and for each node with a smaller id one thread dials, again
 * and again.  What is said on a connection is in converse.c.
 *
 * Locking: procshare_table (see table.c) protects accepting and
 * procshare_closing.  listener and cluster_net are constant while there are
 * threads.
 */

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <net/net_namespace.h>

#include "table.h"

/* Between attempts to dial. */
#define PAUSE_MIN	(HZ / 5)
#define PAUSE_MAX	(2 * HZ)

static const struct procshare_transport *transport = &procshare_tcp;
static struct net *cluster_net;
static void *listener;
static bool accepting;

/* The time for HELLO starts with the connection; 0 would mean no limit. */
static void start_clock(struct procshare_link *link)
{
	link->deadline = (jiffies + PROCSHARE_HELLO_TIMEOUT) | 1;
}

/* ---- accepting ---- */

static int meet_stranger(void *data)
{
	struct procshare_link *link = data;

	procshare_link_converse(link);
	procshare_link_depart(link);
	return 0;
}

static void welcome(struct procshare_link *link)
{
	struct task_struct *task;

	start_clock(link);
	if (!procshare_link_enter(link)) {
		procshare_link_put(link);
		return;
	}
	task = kthread_run(meet_stranger, link, "procshare/new");
	if (IS_ERR(task)) {
		procshare_link_introduce(link);
		procshare_link_depart(link);
	}
}

static int accept_all(void *data)
{
	struct procshare_link *link;
	int error;

	do {
		link = procshare_link_alloc(transport);
		error = link ? transport->accept(listener, link) : -ENOMEM;
		if (!error) {
			welcome(link);
			continue;
		}
		if (link)
			procshare_link_put(link);
		if (error != -EINVAL && error != -EAGAIN)
			msleep_interruptible(100);
	} while (error != -EINVAL && !READ_ONCE(procshare_closing));

	spin_lock(&procshare_table);
	accepting = false;
	spin_unlock(&procshare_table);
	wake_up_all(&procshare_changed);
	return 0;
}

/* ---- dialing ---- */

static const char *why_not(int error)
{
	switch (error) {
	case -ECONNREFUSED:
		return "nobody listens there";
	case -ETIMEDOUT:
		return "no answer";
	case -EHOSTUNREACH:
	case -ENETUNREACH:
		return "no way there";
	case -EAFNOSUPPORT:
		return "this kernel lacks that kind of address";
	default:
		return "";
	}
}

static int dial_out(struct procshare_link *link, const struct sockaddr_storage *address)
{
	int error = transport->dial(link, address);

	if (error)
		procshare_link_reason(link, "cannot connect: %s (%d)", why_not(error), error);
	start_clock(link);
	return error;
}

/* Returns whether the link was up. */
static bool dial_once(unsigned int id)
{
	struct procshare_link *link = procshare_link_alloc(transport);
	struct sockaddr_storage address;
	bool was_up = false;
	int error;

	if (!link)
		return false;
	spin_lock(&procshare_table);
	address = procshare_rows[id].address;
	spin_unlock(&procshare_table);
	link->node = id;
	link->dialer = true;
	error = transport->open(link, cluster_net, &address);
	if (error) {
		procshare_link_reason(link, "no socket: %s (%d)", why_not(error), error);
		procshare_row_note(id, link->reason);
	}
	if (error || !procshare_link_enter(link)) {
		procshare_link_put(link);
		return false;
	}
	if (dial_out(link, &address))
		procshare_row_note(id, link->reason);
	else
		was_up = procshare_link_converse(link);
	procshare_link_depart(link);
	return was_up;
}

static int dial_on(void *data)
{
	struct procshare_row *row = data;
	unsigned int id = row - procshare_rows;
	unsigned long pause = PAUSE_MIN;

	while (!READ_ONCE(row->removing)) {
		if (dial_once(id))
			pause = PAUSE_MIN;
		wait_event_interruptible_timeout(procshare_changed, READ_ONCE(row->removing) ||
						 READ_ONCE(row->redial), pause);
		pause = min_t(unsigned long, 2 * pause, PAUSE_MAX);
		if (xchg(&row->redial, false))
			pause = PAUSE_MIN;
	}
	spin_lock(&procshare_table);
	row->dialing = false;
	spin_unlock(&procshare_table);
	wake_up_all(&procshare_changed);
	return 0;
}

int procshare_dial(unsigned int id)
{
	struct task_struct *task;

	procshare_rows[id].dialing = true;
	task = kthread_run(dial_on, &procshare_rows[id], "procshare/%u", id);
	if (!IS_ERR(task))
		return 0;
	procshare_rows[id].dialing = false;
	return PTR_ERR(task);
}

/* ---- for the node table ---- */

int procshare_listen(struct net *net, const struct sockaddr_storage *address)
{
	struct task_struct *task;

	cluster_net = net;
	listener = transport->listen(net, address);
	if (IS_ERR(listener))
		return PTR_ERR(listener);
	procshare_closing = false;
	accepting = true;
	task = kthread_run(accept_all, NULL, "procshare/accept");
	if (!IS_ERR(task))
		return 0;
	accepting = false;
	transport->close(listener);
	return PTR_ERR(task);
}

void procshare_links_close(void)
{
	spin_lock(&procshare_table);
	procshare_closing = true;
	spin_unlock(&procshare_table);
	transport->unlisten(listener);
	procshare_links_stop(-1, "this machine leaves the cluster");
}

bool procshare_links_idle(void)
{
	unsigned int i;
	bool idle;

	spin_lock(&procshare_table);
	idle = !accepting && procshare_links_gone();
	for (i = 0; i < PROCSHARE_MAX_NODES; i++)
		idle &= !procshare_rows[i].dialing && !procshare_rows[i].link;
	spin_unlock(&procshare_table);
	return idle;
}

void procshare_unlisten(void)
{
	transport->close(listener);
	listener = NULL;
}
