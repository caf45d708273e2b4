// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - connections: made, from HELLO to their end, and made again
 *
 * Threads: one accepts connections, each accepted one gets a thread that lives
 * as long as it, and for each node with a smaller id one thread dials, again
 * and again.  Such a thread says HELLO, claims the node's row of the table,
 * publishes the link, receives until the link ends, and gives the row back
 * after procshare_node_down(): so a node is up at most once at any time, and
 * comes up again only when everybody has dealt with its loss.
 *
 * Locking: procshare_table (see table.c) protects all_links, strangers,
 * accepting and closing.  listener and cluster_net are constant while there are
 * threads.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ratelimit.h>
#include <net/net_namespace.h>

#include "table.h"

/* Between attempts to dial. */
#define PAUSE_MIN	(HZ / 5)
#define PAUSE_MAX	(2 * HZ)
/* Connections whose HELLO is not through: all nodes at once, twice. */
#define STRANGERS_MAX	(2 * PROCSHARE_MAX_NODES)
/* A link that seems to be replaced has so long to prove that it works. */
#define PROBE_TIME	HZ
/* ... and what hangs on it so long to be cleared away. */
#define REPLACE_TIME	(5 * HZ)

static const struct procshare_transport *transport = &procshare_tcp;
static struct net *cluster_net;
static void *listener;

static LIST_HEAD(all_links);
static unsigned int strangers;
static bool accepting;
static bool closing;

static DEFINE_RATELIMIT_STATE(refusal_log, 60 * HZ, 20);

/* ---- the list of links ---- */

static bool enter(struct procshare_link *link)
{
	bool welcome;

	spin_lock(&procshare_table);
	if (link->dialer)
		welcome = !procshare_rows[link->node].removing;
	else
		welcome = !closing && strangers < STRANGERS_MAX;
	if (welcome) {
		list_add(&link->entry, &all_links);
		strangers += !link->dialer;
	}
	spin_unlock(&procshare_table);
	return welcome;
}

/* An accepted connection stops being a stranger when its HELLO is through. */
static void introduce(struct procshare_link *link)
{
	spin_lock(&procshare_table);
	strangers -= !link->dialer;
	spin_unlock(&procshare_table);
}

/* The link's thread has finished; drops its reference. */
static void depart(struct procshare_link *link)
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

/* ---- one link, from HELLO to its end ---- */

static enum procshare_wire_refusal try_claim(struct procshare_link *link)
{
	struct procshare_row *row = &procshare_rows[link->node];
	enum procshare_wire_refusal why = PROCSHARE_REFUSE_NOT;

	spin_lock(&procshare_table);
	if (closing)
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

/* Note why there is no link; true if that is news. */
static bool note(int id, const char *reason)
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
	if (!note(link->node, link->reason) || READ_ONCE(link->stop))
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

/* The time for HELLO starts with the connection; 0 would mean no limit. */
static void start_clock(struct procshare_link *link)
{
	link->deadline = (jiffies + PROCSHARE_HELLO_TIMEOUT) | 1;
}

/* Returns whether the link was up. */
static bool converse(struct procshare_link *link)
{
	int error = greet(link);

	introduce(link);
	if (error) {
		explain(link, error);
		return false;
	}
	come_up(link);
	procshare_link_serve(link);
	go_down(link);
	return true;
}

/* ---- accepting ---- */

static int meet_stranger(void *data)
{
	struct procshare_link *link = data;

	converse(link);
	depart(link);
	return 0;
}

static void welcome(struct procshare_link *link)
{
	struct task_struct *task;

	start_clock(link);
	if (!enter(link)) {
		if (!READ_ONCE(closing) && __ratelimit(&refusal_log))
			pr_warn("too many connections: one from %pISpc is closed\n",
				&link->address);
		procshare_link_put(link);
		return;
	}
	task = kthread_run(meet_stranger, link, "procshare/new");
	if (IS_ERR(task)) {
		introduce(link);
		depart(link);
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
	} while (error != -EINVAL && !READ_ONCE(closing));

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
		note(id, link->reason);
	}
	if (error || !enter(link)) {
		procshare_link_put(link);
		return false;
	}
	if (dial_out(link, &address))
		note(id, link->reason);
	else
		was_up = converse(link);
	depart(link);
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
	closing = false;
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
	closing = true;
	spin_unlock(&procshare_table);
	transport->unlisten(listener);
	procshare_links_stop(-1, "this machine leaves the cluster");
}

bool procshare_links_idle(void)
{
	unsigned int i;
	bool idle;

	spin_lock(&procshare_table);
	idle = !accepting && list_empty(&all_links);
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
