/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - a thread's state as a message: MIGRATE out, BACK home */
#ifndef _PROCSHARE_MIGRATE_H
#define _PROCSHARE_MIGRATE_H

#include "transport.h"

struct pt_regs;

/*
 * The state of current, whose user registers are @regs, as a message of @type
 * (MIGRATE or BACK).  Its other members are zero: the caller fills them in.
 * NULL if there is no memory or the state cannot travel.
 */
struct procshare_msg *migrate_pack(u8 type, u64 process, u32 tid,
				   struct pt_regs *regs);

/*
 * Make the extended state behind the first @fixed bytes of the body current's.
 * @length: what the message says about its size.  False if the message is
 * malformed or this CPU lacks something; then nothing has changed.
 */
bool migrate_load_xstate(const struct procshare_msg *msg, size_t fixed,
			 u32 length);

#endif /* _PROCSHARE_MIGRATE_H */
