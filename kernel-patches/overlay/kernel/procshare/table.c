// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - the node table: its rows, and who is up
 *
 * Locking: procshare_table is a leaf and protects the rows, and the list of links
 * (converse.c); what a thread waits for changes under it and is followed by a
 * wake-up of procshare_changed.
 */

#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "cpu_layout.h"
#include "table.h"

struct procshare_row procshare_rows[PROCSHARE_MAX_NODES];
DEFINE_SPINLOCK(procshare_table);
DECLARE_WAIT_QUEUE_HEAD(procshare_changed);
bool procshare_closing;

static int self = -1;
static u64 nodes_up;

int procshare_self(void)
{
	return READ_ONCE(self);
}

u64 procshare_nodes_up(void)
{
	return READ_ONCE(nodes_up);
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

/* ---- changes ---- */

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

void procshare_row_fill(unsigned int id, enum procshare_node_state state,
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

void procshare_row_clear(unsigned int id)
{
	spin_lock(&procshare_table);
	memset(&procshare_rows[id], 0, sizeof(procshare_rows[id]));
	spin_unlock(&procshare_table);
}

bool procshare_row_idle(const struct procshare_row *row)
{
	bool idle;

	spin_lock(&procshare_table);
	idle = !row->dialing && !row->link;
	spin_unlock(&procshare_table);
	return idle;
}

void procshare_table_become(int id)
{
	spin_lock(&procshare_table);
	WRITE_ONCE(self, id);
	WRITE_ONCE(nodes_up, id < 0 ? 0 : BIT_ULL(id));
	spin_unlock(&procshare_table);
}

/* ---- nodes that are up ---- */

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

bool procshare_node_cpus(unsigned int node, struct node_cpus *cpus)
{
	struct procshare_link *link;

	if (node == procshare_self()) {
		node_cpus_own(cpus);
		return true;
	}
	link = procshare_link_get(node);
	if (!link)
		return false;
	*cpus = link->cpus;
	procshare_link_put(link);
	return true;
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
