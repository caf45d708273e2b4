/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - carried data: small reads and writes travel inside the messages
 *
 * Otherwise home would fetch the page that a remote thread writes from, or has just
 * read into, and the thread would fetch it back.
 */
#ifndef _PROCSHARE_CARRIED_H
#define _PROCSHARE_CARRIED_H

#include <linux/ptrace.h>
#include <linux/types.h>
#include <asm/unistd.h>

enum carried {
	CARRIED_NOT,
	CARRIED_OUT,		/* the caller's data come with CALL */
	CARRIED_IN,		/* data for the caller come with RETURN */
};

/* Longer ones are worth the page. */
#define CARRIED_MAX	4096

/*
 * Every one of these has the buffer in the second argument and its length in the
 * third.  sendto and recvfrom only without an address.
 */
static inline enum carried call_carries(const struct pt_regs *regs, long nr)
{
	if (!regs->dx || regs->dx > CARRIED_MAX)
		return CARRIED_NOT;
	switch (nr) {
	case __NR_write:
	case __NR_pwrite64:
		return CARRIED_OUT;
	case __NR_read:
	case __NR_pread64:
		return CARRIED_IN;
	case __NR_sendto:
		return regs->r8 ? CARRIED_NOT : CARRIED_OUT;
	case __NR_recvfrom:
		return regs->r8 ? CARRIED_NOT : CARRIED_IN;
	default:
		return CARRIED_NOT;
	}
}

#endif /* _PROCSHARE_CARRIED_H */
