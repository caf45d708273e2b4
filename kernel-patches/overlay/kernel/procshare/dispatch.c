// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - dispatch: messages to the part that they are for
 *
 * Runs in the receive thread of the link.  A message about a shared process of
 * this node goes to home's side, any other to the shadow's, and only if its
 * sender takes part in the process and is entitled to that kind of message.
 */

#include "cluster.h"
#include "home.h"
#include "shadow.h"

static void to_home(struct procshare_msg *msg)
{
	struct procshare_process *p = process_find(msg->process);

	if (!p || !(READ_ONCE(p->present) & coh_bit(msg->peer))) {
		procshare_msg_free(msg);
		goto put;
	}
	usage_count(p, msg->peer, PROCSHARE_COUNT_MESSAGES, 1);
	usage_count(p, msg->peer, PROCSHARE_COUNT_BYTES,
		    msg->length + (msg->page ? PAGE_SIZE : 0));
	switch (msg->type) {
	case PROCSHARE_WIRE_READY:
	case PROCSHARE_WIRE_GONE:
		process_message(p, msg);
		break;
	case PROCSHARE_WIRE_CALL:
	case PROCSHARE_WIRE_BACK:
	case PROCSHARE_WIRE_TIME:
		executor_message(p, msg);
		break;
	case PROCSHARE_WIRE_FENCED:
		home_fence_message(p, msg);
		break;
	case PROCSHARE_WIRE_COHERENCE:
		directory_message(p, msg);
		break;
	case PROCSHARE_WIRE_GET_ZERO:
		home_zero_message(p, msg);
		break;
	default:
		procshare_msg_free(msg);
	}
put:
	if (p)
		process_put(p);
}

void procshare_receive(struct procshare_msg *msg)
{
	if (msg->process >> 32 == procshare_self())
		to_home(msg);
	else
		shadow_message(msg);
}

void procshare_node_up(unsigned int node)
{
	shadow_helper_links_changed();
}

void procshare_node_down(unsigned int node)
{
	process_node_down(node);
	shadow_node_down(node);
	shadow_helper_links_changed();
}

void procshare_tick(void)
{
	shadow_each(shadow_clock_follow);
}
