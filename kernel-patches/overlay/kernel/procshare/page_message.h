/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - coherence messages between struct coh_msg and the wire */
#ifndef _PROCSHARE_PAGE_MESSAGE_H
#define _PROCSHARE_PAGE_MESSAGE_H

#include "coherence.h"
#include "transport.h"

/**
 * struct page_area - what GRANT says of the area that has the page at home
 * @prot: PROCSHARE_PROT_*
 * @origin: which page of which file it is, see struct procshare_wire_coherence
 */
struct page_area {
	u8 prot;
	u64 origin;
};

/*
 * @m about the page at @address as a message; @page travels along (a reference
 * is taken) if @m says so.  NULL if there is no memory.
 */
struct procshare_msg *page_message_pack(u64 process, unsigned long address,
					const struct coh_msg *m,
					const struct page_area *area,
					struct page *page, gfp_t gfp);

/*
 * The other way.  COH_DATA says what has come, whatever the sender claims; a
 * page of zeros (PROCSHARE_PROT_ZERO in @area) is the caller's to make.  False
 * if the message makes no sense.
 */
bool page_message_unpack(const struct procshare_msg *msg, struct coh_msg *m,
			 unsigned long *address, struct page_area *area);

#endif /* _PROCSHARE_PAGE_MESSAGE_H */
