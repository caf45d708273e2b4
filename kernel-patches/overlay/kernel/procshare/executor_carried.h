/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - calls whose memory travels in the messages, as the executor makes them */
#ifndef _PROCSHARE_EXECUTOR_CARRIED_H
#define _PROCSHARE_EXECUTOR_CARRIED_H

#include "carried.h"
#include "transport.h"
#include "wire.h"

struct home_thread;

/* The pieces that came with a CALL. */
static inline const void *carried_pieces(const struct procshare_msg *msg)
{
	return (const struct procshare_wire_call *)msg->body + 1;
}

static inline size_t carried_length(const struct procshare_msg *msg)
{
	return le32_to_cpu(((const struct procshare_wire_call *)msg->body)->data);
}

/* executor_collect.c */
const void *executor_sent(const struct procshare_msg *msg, unsigned int buffer);
struct procshare_msg *executor_collect(struct home_thread *t, struct pt_regs *regs,
				       const struct carried *c,
				       const struct procshare_msg *msg, size_t *brought);

#endif /* _PROCSHARE_EXECUTOR_CARRIED_H */
