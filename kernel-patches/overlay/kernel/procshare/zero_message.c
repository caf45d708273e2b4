// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - zero_message: blocks of demand-zero pages, packed and unpacked
 */

#include <linux/mm.h>

#include "transport.h"
#include "wire.h"
#include "zero_message.h"

struct procshare_msg *zero_message_alloc(u64 process, u8 type)
{
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(type, sizeof(struct procshare_wire_zero), GFP_KERNEL);
	if (msg)
		msg->process = process;
	return msg;
}

void zero_message_fill(struct procshare_msg *msg, const struct zero_block *block)
{
	struct procshare_wire_zero *wire = (void *)msg->body;

	*wire = (struct procshare_wire_zero) {
		.address = cpu_to_le64(block->address),
		.pages = cpu_to_le64(block->pages),
		.granted = cpu_to_le64(block->granted),
		.epoch = cpu_to_le64(block->epoch),
		.prot = block->prot,
	};
}

bool zero_message_unpack(const struct procshare_msg *msg, struct zero_block *block)
{
	const struct procshare_wire_zero *wire = (void *)msg->body;

	if (msg->length != sizeof(*wire))
		return false;
	*block = (struct zero_block) {
		.address = le64_to_cpu(wire->address),
		.pages = le64_to_cpu(wire->pages),
		.granted = le64_to_cpu(wire->granted),
		.epoch = le64_to_cpu(wire->epoch),
		.prot = wire->prot,
	};
	return !(block->address % (PROCSHARE_WIRE_ZERO_PAGES * PAGE_SIZE)) &&
	       block->address < TASK_SIZE_MAX && !(block->granted & ~block->pages);
}
