/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - coherence messages between struct coh_msg and the wire */
#ifndef _PROCSHARE_PAGE_MESSAGE_H
#define _PROCSHARE_PAGE_MESSAGE_H

#include "coherence.h"
#include "transport.h"

/*
 * @m about the page at @address as a message; @page travels along (a reference
 * is taken) if @m says so.  NULL if there is no memory.
 */
struct procshare_msg *page_message_pack(u64 process, unsigned long address,
					const struct coh_msg *m, u8 prot,
					struct page *page, gfp_t gfp);

/*
 * The other way.  COH_DATA says what has come, whatever the sender claims; a
 * page of zeros (PROCSHARE_PROT_ZERO in *prot) is the caller's to make.  False
 * if the message makes no sense.
 */
bool page_message_unpack(const struct procshare_msg *msg, struct coh_msg *m,
			 unsigned long *address, u8 *prot);

#endif /* _PROCSHARE_PAGE_MESSAGE_H */
