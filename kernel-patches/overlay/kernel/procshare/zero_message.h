/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - blocks of demand-zero pages on the wire */
#ifndef _PROCSHARE_ZERO_MESSAGE_H
#define _PROCSHARE_ZERO_MESSAGE_H

#include "transport.h"

/**
 * struct zero_block - demand-zero pages that are asked for, or granted, together
 * @address: of the first page of the block of PROCSHARE_WIRE_ZERO_PAGES
 * @pages: asked for, a bit each
 * @granted: of those, the ones that are granted
 * @epoch: of the first grant; each further one has the next
 * @prot: PROCSHARE_PROT_* of the mapping
 */
struct zero_block {
	unsigned long address;
	u64 pages;
	u64 granted;
	u64 epoch;
	u8 prot;
};

/* GET_ZERO or GRANT_ZERO, to be filled; may sleep; NULL if there is no memory. */
struct procshare_msg *zero_message_alloc(u64 process, u8 type);
void zero_message_fill(struct procshare_msg *msg, const struct zero_block *block);
/* False if the message makes no sense. */
bool zero_message_unpack(const struct procshare_msg *msg, struct zero_block *block);

#endif /* _PROCSHARE_ZERO_MESSAGE_H */
