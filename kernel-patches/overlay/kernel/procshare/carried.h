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
#include <linux/stat.h>
#include <linux/types.h>
#include <asm/unistd.h>

enum carried {
	CARRIED_NOT,
	CARRIED_OUT,		/* the caller's data come with CALL */
	CARRIED_IN,		/* data for the caller come with RETURN */
	CARRIED_STAT,		/* a path comes with CALL, a struct stat with RETURN */
};

/* Longer ones are worth the page. */
#define CARRIED_MAX	4096
/* Longer paths, with their 0, are read at home. */
#define CARRIED_PATH	256

/*
 * Those that transfer data have the buffer in the second argument and its length in the
 * third.  sendto and recvfrom only without an address.
 */
static inline enum carried call_carries(const struct pt_regs *regs, long nr)
{
	if (nr == __NR_newfstatat)
		return CARRIED_STAT;
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

/* How many bytes CALL brings, at most. */
static inline size_t carried_with_call(const struct pt_regs *regs, long nr)
{
	switch (call_carries(regs, nr)) {
	case CARRIED_OUT:
		return regs->dx;
	case CARRIED_STAT:
		return CARRIED_PATH;
	default:
		return 0;
	}
}

/* How many bytes RETURN may bring. */
static inline size_t carried_with_return(const struct pt_regs *regs, long nr)
{
	switch (call_carries(regs, nr)) {
	case CARRIED_IN:
		return regs->dx;
	case CARRIED_STAT:
		return sizeof(struct stat);
	default:
		return 0;
	}
}

/* Where those bytes belong. */
static inline void __user *carried_buffer(const struct pt_regs *regs, long nr)
{
	return (void __user *)(call_carries(regs, nr) == CARRIED_STAT ? regs->dx : regs->si);
}

#endif /* _PROCSHARE_CARRIED_H */
