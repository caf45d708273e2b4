/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - what the home and the node machine of the protocol share
 */
#ifndef _PROCSHARE_COHERENCE_PRIVATE_H
#define _PROCSHARE_COHERENCE_PRIVATE_H

#include "coherence.h"

/*
 * Appends an action.  No event makes more than COH_MAX_ACTIONS of them (the
 * checkers assert it); the last slot is reused rather than overrun.
 */
static inline struct coh_action *emit(struct coh_out *out, enum coh_act act)
{
	struct coh_action *a;

	if (out->n == COH_MAX_ACTIONS)
		out->n--;
	a = &out->a[out->n++];
	*a = (struct coh_action){ .act = act };
	return a;
}

/* Sends a message of @type to @to; the caller fills in the rest. */
static inline struct coh_msg *send(struct coh_out *out, u8 self, u8 to,
				   enum coh_type type)
{
	struct coh_action *a = emit(out, COH_SEND);

	a->msg.type = type;
	a->msg.from = self;
	a->msg.to = to;
	a->msg.requester = COH_NO_NODE;
	return &a->msg;
}

static inline bool valid_node(u8 node)
{
	return node < COH_MAX_NODES;
}

static inline bool valid_access(u8 access)
{
	return access == COH_READ || access == COH_WRITE;
}

/* Does a message between two different nodes, addressed to @self, make sense? */
static inline bool valid_msg(const struct coh_msg *m, u8 self)
{
	return m->to == self && m->from != self && valid_node(m->from);
}

#endif /* _PROCSHARE_COHERENCE_PRIVATE_H */
