// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - migrate: a thread's state as a message, packed and unpacked
 *
 * The same message takes a thread out and back; what the CPU provides of it is
 * in arch/x86/kernel/procshare.c.
 */

#include <linux/slab.h>
#include <linux/string.h>

#include "migrate.h"
#include "thread_state.h"

struct procshare_msg *migrate_pack(u8 type, u64 process, u32 tid,
				   struct pt_regs *regs)
{
	struct procshare_wire_thread *state;
	struct procshare_msg *msg;
	ssize_t length;

	msg = procshare_msg_alloc(type, sizeof(*state) + procshare_state_size(),
				  GFP_KERNEL);
	if (!msg)
		return NULL;
	state = (void *)msg->body;
	memset(state, 0, sizeof(*state));
	length = procshare_save_xstate(state + 1, procshare_state_size());
	if (length < 0 || procshare_save_regs(regs, state->regs)) {
		procshare_msg_free(msg);
		return NULL;
	}
	msg->length = sizeof(*state) + length;
	msg->process = process;
	msg->thread = tid;
	state->xstate_length = cpu_to_le32(length);
	return msg;
}

bool migrate_load_xstate(const struct procshare_msg *msg, size_t fixed,
			 u32 length)
{
	return length == msg->length - fixed &&
	       !procshare_load_xstate(msg->body + fixed, length);
}
