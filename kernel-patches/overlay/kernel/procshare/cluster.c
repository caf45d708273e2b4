// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - the cluster: joining and leaving, adding and deleting nodes
 *
 * Locking: config serialises the administrator's changes and is held while they
 * wait for threads; no link thread takes it.  See table.c for the rows.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/nsproxy.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "table.h"

#define KEY_MIN		16

static DEFINE_MUTEX(config);

/* Under config. */
static bool leaving;
static struct net *cluster_net;

static void tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(ticker, tick);

/* A second has passed: links say that they live, and what time it is. */
static void tick(struct work_struct *work)
{
	struct procshare_link *link;
	unsigned int i;

	for (i = 0; i < PROCSHARE_MAX_NODES; i++) {
		link = procshare_link_get(i);
		if (!link)
			continue;
		if (!procshare_link_clogged(link))
			procshare_link_send(link, PROCSHARE_WIRE_PING);
		procshare_link_put(link);
	}
	procshare_tick();
	/* Where memory is short this goes on. */
	queue_delayed_work(procshare_writers, &ticker, PROCSHARE_TICK);
}

/* ---- may it be so? ---- */

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
	if (procshare_self() < 0) {
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
	if (id == procshare_self()) {
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

	if (procshare_address_nowhere(address)) {
		NL_SET_ERR_MSG_FMT(extack, "%pISpc is not the address of one machine", address);
		return -EADDRNOTAVAIL;
	}
	for (i = 0; i < PROCSHARE_MAX_NODES; i++) {
		if (i == id || !procshare_rows[i].configured ||
		    !procshare_address_same(&procshare_rows[i].address, address))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "%pISpc is node %u's address", address, i);
		return -EADDRINUSE;
	}
	return 0;
}

/* ---- other nodes ---- */

int procshare_node_add(unsigned int id, const struct sockaddr_storage *address,
		       struct netlink_ext_ack *extack)
{
	struct sockaddr_storage where;
	int error;

	mutex_lock(&config);
	error = check_row(id, false, extack) ?: procshare_address_take(&where, address, extack) ?:
		check_peer_address(id, &where, extack);
	if (error)
		goto unlock;
	procshare_row_fill(id, PROCSHARE_NODE_DOWN, &where);
	if (id < procshare_self())
		error = procshare_dial(id);
	if (error) {
		NL_SET_ERR_MSG(extack, "no memory for a thread");
		procshare_row_clear(id);
	}
unlock:
	mutex_unlock(&config);
	return error;
}

/* Somebody began to remove the row and gave up waiting. */
static int check_stays(unsigned int id, struct netlink_ext_ack *extack)
{
	if (!procshare_rows[id].removing)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "node %u is being removed: repeat del", id);
	return -EBUSY;
}

int procshare_node_set(unsigned int id, const struct sockaddr_storage *address,
		       struct netlink_ext_ack *extack)
{
	struct sockaddr_storage where;
	int error;

	mutex_lock(&config);
	error = check_row(id, true, extack) ?: check_stays(id, extack) ?:
		procshare_address_take(&where, address, extack) ?:
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
	error = wait_event_killable(procshare_changed, procshare_row_idle(&procshare_rows[id]));
	if (!error)
		procshare_row_clear(id);
unlock:
	mutex_unlock(&config);
	return error;
}

/* ---- this machine ---- */

static int check_join(unsigned int id, size_t key_length, struct netlink_ext_ack *extack)
{
	int error = check_id(id, extack);

	if (error)
		return error;
	if (procshare_self() >= 0) {
		NL_SET_ERR_MSG_FMT(extack, "this machine is node %d already: leave first",
				   procshare_self());
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

int procshare_cluster_join(unsigned int id, const struct sockaddr_storage *address,
			   const void *key, size_t key_length,
			   struct netlink_ext_ack *extack)
{
	struct sockaddr_storage where;
	int error;

	mutex_lock(&config);
	error = check_join(id, key_length, extack) ?:
		procshare_address_take(&where, address, extack);
	if (error)
		goto unlock;
	error = procshare_hello_key(key, key_length);
	if (error) {
		NL_SET_ERR_MSG_FMT(extack, "the kernel cannot use HMAC-SHA-256 (%d)", error);
		goto unlock;
	}
	cluster_net = get_net(current->nsproxy->net_ns);
	procshare_row_fill(id, PROCSHARE_NODE_SELF, &where);
	procshare_table_become(id);
	error = start_listening(&where, extack);
	if (error)
		goto forget;
	queue_delayed_work(procshare_writers, &ticker, PROCSHARE_TICK);
	pr_info("this machine is node %u, listening at %pISpc\n", id, &where);
	goto unlock;

forget:
	procshare_table_become(-1);
	procshare_row_clear(id);
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
	id = procshare_self();
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
	procshare_table_become(-1);
	procshare_hello_forget();
	put_net(cluster_net);
	pr_info("this machine is node %d no more (%d messages left)\n", id,
		procshare_messages_live());
unlock:
	mutex_unlock(&config);
	return error;
}
