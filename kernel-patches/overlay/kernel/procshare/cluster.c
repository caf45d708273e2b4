// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - the node table: joining and leaving, adding and deleting nodes
 *
 * Locking: config serialises the administrator's changes and is held while they
 * wait for threads; no link thread takes it.  procshare_table is a leaf and
 * protects the rows, and in connect.c the list of links; what a thread waits
 * for changes under it and is followed by a wake-up of procshare_changed.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/in.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/nsproxy.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>

#include "table.h"

#define KEY_MIN		16

struct procshare_row procshare_rows[PROCSHARE_MAX_NODES];
DEFINE_SPINLOCK(procshare_table);
DECLARE_WAIT_QUEUE_HEAD(procshare_changed);

static int self = -1;
static u64 nodes_up;

/* Under config. */
static DEFINE_MUTEX(config);
static bool leaving;
static struct net *cluster_net;

static void tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(ticker, tick);

int procshare_self(void)
{
	return READ_ONCE(self);
}

u64 procshare_nodes_up(void)
{
	return READ_ONCE(nodes_up);
}

u64 procshare_node_xfeatures(unsigned int node)
{
	struct procshare_link *link = procshare_link_get(node);
	u64 xfeatures;

	if (!link)
		return 0;
	xfeatures = link->xfeatures;
	procshare_link_put(link);
	return xfeatures;
}

bool procshare_node_clock(unsigned int node, s64 *ahead)
{
	struct procshare_link *link = procshare_link_get(node);
	bool known;

	if (!link)
		return false;
	/* pairs with read_clock(): known is set after clock_ahead */
	known = smp_load_acquire(&link->clock_known);
	*ahead = READ_ONCE(link->clock_ahead);
	procshare_link_put(link);
	return known;
}

void procshare_node_disconnect(unsigned int node, const char *reason)
{
	struct procshare_link *link = procshare_link_get(node);

	if (!link)
		return;
	procshare_link_stop(link, reason);
	procshare_link_put(link);
}

void procshare_table_up(const struct procshare_link *link)
{
	struct procshare_row *row = &procshare_rows[link->node];

	spin_lock(&procshare_table);
	row->state = PROCSHARE_NODE_UP;
	row->reason[0] = '\0';
	WRITE_ONCE(nodes_up, nodes_up | BIT_ULL(link->node));
	spin_unlock(&procshare_table);
}

void procshare_table_down(const struct procshare_link *link)
{
	struct procshare_row *row = &procshare_rows[link->node];

	spin_lock(&procshare_table);
	row->state = PROCSHARE_NODE_LOST;
	strscpy(row->reason, link->reason, sizeof(row->reason));
	WRITE_ONCE(nodes_up, nodes_up & ~BIT_ULL(link->node));
	spin_unlock(&procshare_table);
}

/* A second has passed: links that had nothing to send say that they live. */
static void tick(struct work_struct *work)
{
	struct procshare_link *link;
	unsigned int i;

	for (i = 0; i < PROCSHARE_MAX_NODES; i++) {
		link = procshare_link_get(i);
		if (!link)
			continue;
		if (READ_ONCE(link->messages_out) == link->pinged &&
		    !procshare_link_clogged(link))
			procshare_link_send(link, PROCSHARE_WIRE_PING);
		link->pinged = READ_ONCE(link->messages_out);
		procshare_link_put(link);
	}
	schedule_delayed_work(&ticker, PROCSHARE_TICK);
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		       a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a6->sin6_port == b6->sin6_port &&
	       a6->sin6_scope_id == b6->sin6_scope_id &&
	       ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr);
}

/* Bring @from into the form that is kept: only what counts, port never 0. */
static int check_address(struct sockaddr_storage *to, const struct sockaddr_storage *from,
			 struct netlink_ext_ack *extack)
{
	const struct sockaddr_in *from4 = (const void *)from;
	const struct sockaddr_in6 *from6 = (const void *)from;
	struct sockaddr_in *to4 = (void *)to;
	struct sockaddr_in6 *to6 = (void *)to;
	__be16 port;

	memset(to, 0, sizeof(*to));
	to->ss_family = from->ss_family;
	if (from->ss_family == AF_INET) {
		port = from4->sin_port;
		to4->sin_addr = from4->sin_addr;
		to4->sin_port = port ?: htons(PROCSHARE_DEFAULT_PORT);
	} else if (from->ss_family == AF_INET6) {
		port = from6->sin6_port;
		to6->sin6_addr = from6->sin6_addr;
		to6->sin6_scope_id = from6->sin6_scope_id;
		to6->sin6_port = port ?: htons(PROCSHARE_DEFAULT_PORT);
	} else {
		NL_SET_ERR_MSG(extack, "the address is neither IPv4 nor IPv6");
		return -EAFNOSUPPORT;
	}
	return 0;
}

static bool nowhere(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	if (address->ss_family == AF_INET)
		return ipv4_is_zeronet(in->sin_addr.s_addr) ||
		       ipv4_is_multicast(in->sin_addr.s_addr) ||
		       ipv4_is_lbcast(in->sin_addr.s_addr);
	return ipv6_addr_any(&in6->sin6_addr) || ipv6_addr_is_multicast(&in6->sin6_addr);
}

static int check_id(unsigned int id, struct netlink_ext_ack *extack)
{
	if (id < PROCSHARE_MAX_NODES)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "node id %u is out of range: 0 to %u", id,
			   PROCSHARE_MAX_NODES - 1);
	return -ERANGE;
}

static int check_joined(struct netlink_ext_ack *extack)
{
	if (self < 0) {
		NL_SET_ERR_MSG(extack, "this machine has not joined a cluster: join first");
		return -ENOTCONN;
	}
	if (leaving) {
		NL_SET_ERR_MSG(extack, "this machine is leaving the cluster: repeat leave");
		return -ESHUTDOWN;
	}
	return 0;
}

/* A row for another node that may be changed. */
static int check_row(unsigned int id, bool present, struct netlink_ext_ack *extack)
{
	int error = check_joined(extack) ?: check_id(id, extack);

	if (error)
		return error;
	if (id == self) {
		NL_SET_ERR_MSG_FMT(extack, "node %u is this machine: leave and join to change it",
				   id);
		return -EINVAL;
	}
	if (procshare_rows[id].configured && !present) {
		NL_SET_ERR_MSG_FMT(extack, "node %u is in the node table already: use set", id);
		return -EEXIST;
	}
	if (!procshare_rows[id].configured && present) {
		NL_SET_ERR_MSG_FMT(extack, "node %u is not in the node table", id);
		return -ENOENT;
	}
	return 0;
}

static int check_peer_address(unsigned int id, const struct sockaddr_storage *address,
			      struct netlink_ext_ack *extack)
{
	unsigned int i;

	if (nowhere(address)) {
		NL_SET_ERR_MSG_FMT(extack, "%pISpc is not the address of one machine", address);
		return -EADDRNOTAVAIL;
	}
	for (i = 0; i < PROCSHARE_MAX_NODES; i++) {
		if (i == id || !procshare_rows[i].configured ||
		    !same_address(&procshare_rows[i].address, address))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "%pISpc is node %u's address", address, i);
		return -EADDRINUSE;
	}
	return 0;
}

static void fill_row(unsigned int id, enum procshare_node_state state,
		     const struct sockaddr_storage *address)
{
	struct procshare_row *row = &procshare_rows[id];

	spin_lock(&procshare_table);
	memset(row, 0, sizeof(*row));
	row->configured = true;
	row->state = state;
	row->address = *address;
	if (state == PROCSHARE_NODE_DOWN)
		strscpy(row->reason, "not connected yet", sizeof(row->reason));
	spin_unlock(&procshare_table);
}

static void clear_row(unsigned int id)
{
	spin_lock(&procshare_table);
	memset(&procshare_rows[id], 0, sizeof(procshare_rows[id]));
	spin_unlock(&procshare_table);
}

int procshare_node_add(unsigned int id, const struct sockaddr_storage *address,
		       struct netlink_ext_ack *extack)
{
	struct sockaddr_storage where;
	int error;

	mutex_lock(&config);
	error = check_row(id, false, extack) ?: check_address(&where, address, extack) ?:
		check_peer_address(id, &where, extack);
	if (error)
		goto unlock;
	fill_row(id, PROCSHARE_NODE_DOWN, &where);
	if (id < self)
		error = procshare_dial(id);
	if (error) {
		NL_SET_ERR_MSG(extack, "no memory for a thread");
		clear_row(id);
	}
unlock:
	mutex_unlock(&config);
	return error;
}

int procshare_node_set(unsigned int id, const struct sockaddr_storage *address,
		       struct netlink_ext_ack *extack)
{
	struct sockaddr_storage where;
	int error;

	mutex_lock(&config);
	error = check_row(id, true, extack) ?: check_address(&where, address, extack) ?:
		check_peer_address(id, &where, extack);
	if (error)
		goto unlock;
	spin_lock(&procshare_table);
	procshare_rows[id].address = where;
	procshare_rows[id].redial = true;
	spin_unlock(&procshare_table);
	wake_up_all(&procshare_changed);
unlock:
	mutex_unlock(&config);
	return error;
}

static bool row_idle(const struct procshare_row *row)
{
	bool idle;

	spin_lock(&procshare_table);
	idle = !row->dialing && !row->link;
	spin_unlock(&procshare_table);
	return idle;
}

int procshare_node_del(unsigned int id, struct netlink_ext_ack *extack)
{
	int error;

	mutex_lock(&config);
	error = check_row(id, true, extack);
	if (error)
		goto unlock;
	spin_lock(&procshare_table);
	procshare_rows[id].removing = true;
	spin_unlock(&procshare_table);
	procshare_links_stop(id, "removed from the node table");
	wake_up_all(&procshare_changed);
	error = wait_event_killable(procshare_changed, row_idle(&procshare_rows[id]));
	if (!error)
		clear_row(id);
unlock:
	mutex_unlock(&config);
	return error;
}

static int check_join(unsigned int id, size_t key_length, struct netlink_ext_ack *extack)
{
	int error = check_id(id, extack);

	if (error)
		return error;
	if (self >= 0) {
		NL_SET_ERR_MSG_FMT(extack, "this machine is node %d already: leave first", self);
		return -EALREADY;
	}
	if (key_length < KEY_MIN || key_length > PROCSHARE_KEY_MAX) {
		NL_SET_ERR_MSG_FMT(extack, "the cluster key has %zu bytes: it needs %d to %d",
				   key_length, KEY_MIN, PROCSHARE_KEY_MAX);
		return -EKEYREJECTED;
	}
	return 0;
}

static int start_listening(const struct sockaddr_storage *address,
			   struct netlink_ext_ack *extack)
{
	int error = procshare_listen(cluster_net, address);

	if (error == -EADDRNOTAVAIL)
		NL_SET_ERR_MSG_FMT(extack, "no interface here has the address %pISpc", address);
	else if (error == -EADDRINUSE)
		NL_SET_ERR_MSG_FMT(extack, "something else uses port %pISpc", address);
	else if (error)
		NL_SET_ERR_MSG_FMT(extack, "cannot listen at %pISpc (%d)", address, error);
	return error;
}

static void become(int id)
{
	spin_lock(&procshare_table);
	WRITE_ONCE(self, id);
	WRITE_ONCE(nodes_up, id < 0 ? 0 : BIT_ULL(id));
	spin_unlock(&procshare_table);
}

int procshare_cluster_join(unsigned int id, const struct sockaddr_storage *address,
			   const void *key, size_t key_length,
			   struct netlink_ext_ack *extack)
{
	struct sockaddr_storage where;
	int error;

	mutex_lock(&config);
	error = check_join(id, key_length, extack) ?: check_address(&where, address, extack);
	if (error)
		goto unlock;
	error = procshare_hello_key(key, key_length);
	if (error) {
		NL_SET_ERR_MSG_FMT(extack, "the kernel cannot use HMAC-SHA-256 (%d)", error);
		goto unlock;
	}
	cluster_net = get_net(current->nsproxy->net_ns);
	fill_row(id, PROCSHARE_NODE_SELF, &where);
	become(id);
	error = start_listening(&where, extack);
	if (error)
		goto forget;
	schedule_delayed_work(&ticker, PROCSHARE_TICK);
	pr_info("this machine is node %u, listening at %pISpc\n", id, &where);
	goto unlock;

forget:
	become(-1);
	clear_row(id);
	put_net(cluster_net);
	procshare_hello_forget();
unlock:
	mutex_unlock(&config);
	return error;
}

static void close_all(void)
{
	unsigned int i;

	leaving = true;
	spin_lock(&procshare_table);
	for (i = 0; i < PROCSHARE_MAX_NODES; i++)
		procshare_rows[i].removing = true;
	spin_unlock(&procshare_table);
	procshare_links_close();
	wake_up_all(&procshare_changed);
}

/* Killed while it waits, it can be repeated. */
int procshare_cluster_leave(struct netlink_ext_ack *extack)
{
	int error;
	int id;

	mutex_lock(&config);
	id = self;
	if (id < 0) {
		error = check_joined(extack);
		goto unlock;
	}
	close_all();
	error = wait_event_killable(procshare_changed, procshare_links_idle());
	if (error)
		goto unlock;
	cancel_delayed_work_sync(&ticker);
	procshare_unlisten();
	spin_lock(&procshare_table);
	memset(procshare_rows, 0, sizeof(procshare_rows));
	spin_unlock(&procshare_table);
	leaving = false;
	become(-1);
	procshare_hello_forget();
	put_net(cluster_net);
	pr_info("this machine is node %d no more (%d messages left)\n", id,
		procshare_messages_live());
unlock:
	mutex_unlock(&config);
	return error;
}

bool procshare_node_next(int *id, struct procshare_node_info *info)
{
	const struct procshare_link *link;
	const struct procshare_row *row = NULL;
	int i;

	memset(info, 0, sizeof(*info));
	if (*id >= PROCSHARE_MAX_NODES)
		return false;
	spin_lock(&procshare_table);
	for (i = max(*id, -1) + 1; i < PROCSHARE_MAX_NODES; i++)
		if (procshare_rows[i].configured) {
			row = &procshare_rows[i];
			break;
		}
	if (row) {
		*id = i;
		info->id = i;
		info->state = row->state;
		info->address = row->address;
		strscpy(info->reason, row->reason, sizeof(info->reason));
		link = row->link;
		if (link) {
			info->messages_out = READ_ONCE(link->messages_out);
			info->messages_in = READ_ONCE(link->messages_in);
			info->bytes_out = READ_ONCE(link->bytes_out);
			info->bytes_in = READ_ONCE(link->bytes_in);
		}
	}
	spin_unlock(&procshare_table);
	return row;
}
