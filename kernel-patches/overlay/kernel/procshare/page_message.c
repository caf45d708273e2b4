// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - page_message: coherence messages, packed and unpacked
 */

#include <linux/mm.h>

#include "cluster.h"
#include "page_message.h"

struct procshare_msg *page_message_pack(u64 process, unsigned long address,
					const struct coh_msg *m,
					const struct page_area *area,
					struct page *page, gfp_t gfp)
{
	struct procshare_wire_coherence *wire;
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(PROCSHARE_WIRE_COHERENCE, sizeof(*wire), gfp);
	if (!msg)
		return NULL;
	msg->process = process;
	wire = (void *)msg->body;
	*wire = (struct procshare_wire_coherence) {
		.address = cpu_to_le64(address),
		.epoch = cpu_to_le64(m->epoch),
		.acks = cpu_to_le64(m->acks),
		.type = m->type,
		.access = m->access,
		.have = m->have,
		.flags = m->flags,
		.requester = m->requester,
		.prot = area->prot,
		.origin = cpu_to_le64(area->origin),
	};
	if (m->flags & COH_DATA && page) {
		get_page(page);
		msg->page = page;
	}
	return msg;
}

bool page_message_unpack(const struct procshare_msg *msg, struct coh_msg *m,
			 unsigned long *address, struct page_area *area)
{
	const struct procshare_wire_coherence *wire = (void *)msg->body;

	if (msg->length != sizeof(*wire))
		return false;
	*address = le64_to_cpu(wire->address);
	*area = (struct page_area) { wire->prot, le64_to_cpu(wire->origin) };
	*m = (struct coh_msg) {
		.type = wire->type,
		.from = msg->peer,
		.to = procshare_self(),
		.access = wire->access,
		.have = wire->have,
		.flags = (wire->flags & ~COH_DATA) | (msg->page ? COH_DATA : 0),
		.requester = wire->requester,
		.epoch = le64_to_cpu(wire->epoch),
		.acks = le64_to_cpu(wire->acks),
	};
	return !(*address & ~PAGE_MASK) && *address < TASK_SIZE_MAX;
}
